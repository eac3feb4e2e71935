//! Where the config lies, and what becomes of it when it is read.

use super::Config;
use super::read::{Whereabouts, config};
use crate::domain::counted::counted_all;
use crate::failure::Failure;
use std::fmt::Write;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Larger files were written by no person.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Where to look, and whether somebody said so: then it must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub path: PathBuf,
    pub is_named: bool,
}

/// The file that is named, else `$MIDWATCH_CONFIG`, else `$XDG_CONFIG_HOME/midwatch/config.toml` or
/// `~/.config/midwatch/config.toml`. `None`: there is no home folder.
pub fn path(named: Option<&Path>) -> Option<Found> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(path) = named.map(Path::to_owned).or_else(|| variable("MIDWATCH_CONFIG")) {
        return Some(Found { path, is_named: true });
    }
    let folder = variable("XDG_CONFIG_HOME").filter(|folder| folder.is_absolute());
    let folder = folder.or_else(|| std::env::home_dir().map(|home| home.join(".config")))?;
    Some(Found { path: folder.join("midwatch/config.toml"), is_named: false })
}

/// The text of a file that a person wrote. Of a regular file only: a pipe may never end, and reading it takes from who
/// else reads it.
///
/// Errors: no such file, or it cannot be read; what is no file; more than a mebibyte.
pub fn text(path: &Path) -> std::io::Result<String> {
    let found = std::fs::metadata(path)?;
    let refused = |why: String| Err(std::io::Error::new(ErrorKind::InvalidInput, why));
    if !found.is_file() {
        let what = if found.is_dir() { "a folder" } else { "a pipe or a device" };
        return refused(format!("it is {what}, and only regular files are read"));
    }
    if found.len() > FILE_BYTES_MAX {
        return refused(format!("it has {} bytes, and at most {FILE_BYTES_MAX} are read", found.len()));
    }
    std::fs::read_to_string(path)
}

/// The config in this place; `None` where nothing lies and nobody said that something does.
///
/// Errors: a file that is named and cannot be read; every mistake in it, with its line.
pub fn load(found: &Found) -> Result<Option<Config>, Failure> {
    let path = &found.path;
    let text = match text(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && !found.is_named => return Ok(None),
        Err(error) => {
            let cure = "`midwatch config` prints one to begin with.";
            return Err(Failure::new(format!("The config {} cannot be read: {error}. {cure}", path.display())));
        }
    };
    let home = std::env::home_dir();
    let paths = Whereabouts { folder: path.parent(), home: home.as_deref() };
    let read = config(&text, paths).map(|config| Some(Config { path: Some(path.clone()), ..config }));
    read.map_err(|mistakes| {
        let count = counted_all(mistakes.len(), "mistake");
        let mut said = format!("The config has {count}:");
        for mistake in mistakes {
            let line = if mistake.line == 0 { String::new() } else { format!("{}:", mistake.line) };
            let _ = write!(said, "\n  {}:{line} {}", path.display(), mistake.sentence);
        }
        Failure::new(said)
    })
}
