//! Where the config lies, and what becomes of it when it is read.

use super::Config;
use super::read::{Whereabouts, config};
use crate::failure::Failure;
use std::fmt::Write;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Larger files are no configs.
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

/// The config in this place; `None` where nothing lies and nobody said that something does.
///
/// Errors: a file that is named and cannot be read; every mistake in it, with its line.
pub fn load(found: &Found) -> Result<Option<Config>, Failure> {
    let path = &found.path;
    let unreadable = |error: &dyn std::fmt::Display| {
        let cure = "`midwatch config` prints one to begin with.";
        Failure::new(format!("The config {} cannot be read: {error}. {cure}", path.display()))
    };
    let size = match std::fs::metadata(path) {
        Ok(file) => file.len(),
        Err(error) if error.kind() == ErrorKind::NotFound && !found.is_named => return Ok(None),
        Err(error) => return Err(unreadable(&error)),
    };
    if size > FILE_BYTES_MAX {
        return Err(Failure::new(format!("{} has {size} bytes: that is no config.", path.display())));
    }
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(&error))?;
    let home = std::env::home_dir();
    let paths = Whereabouts { folder: path.parent(), home: home.as_deref() };
    config(&text, paths).map(Some).map_err(|mistakes| {
        let count = if mistakes.len() == 1 { "a mistake".to_owned() } else { format!("{} mistakes", mistakes.len()) };
        let mut said = format!("The config has {count}:");
        for mistake in mistakes {
            let line = if mistake.line == 0 { String::new() } else { format!("{}:", mistake.line) };
            let _ = write!(said, "\n  {}:{line} {}", path.display(), mistake.sentence);
        }
        Failure::new(said)
    })
}
