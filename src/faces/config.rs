//! `midwatch config`: prints the documented default, checks a file, and says which one is read.

use crate::cli::{ConfigArgs, ConfigWhat};
use crate::config::{self, Config, DEFAULT, Found, Settings};
use crate::domain::counted::counted_all;
use crate::faces::{say, screen};
use crate::failure::Failure;
use crate::theme::{Depth, Glyphs};
use std::path::PathBuf;

pub fn run(arguments: &ConfigArgs, settings: &Settings) -> Result<u8, Failure> {
    match &arguments.what {
        None => say(DEFAULT)?,
        Some(ConfigWhat::Path) => say(&format!("{}\n", found(settings, None)?.path.display()))?,
        Some(ConfigWhat::Check { file }) => check(&found(settings, file.clone())?)?,
    }
    Ok(0)
}

fn found(settings: &Settings, file: Option<PathBuf>) -> Result<Found, Failure> {
    let named = file.as_deref().or(settings.config_file.as_deref());
    config::path(named).ok_or_else(|| {
        Failure::new("There is no home folder for the config: set HOME or XDG_CONFIG_HOME, or name the file.")
    })
}

fn check(found: &Found) -> Result<(), Failure> {
    let path = found.path.display();
    match config::load(found)? {
        Some(config) => {
            // The screen would not begin without its theme.
            screen::read_theme(&config.theme, Depth::None, Glyphs::Ascii)?;
            say(&format!("{path}: a good config: {}.\n", contents(&config)))
        }
        None => say(&format!(
            "There is no {path}: the defaults hold. `midwatch config > {path}` makes one to begin with.\n"
        )),
    }
}

/// `2 contexts (prod, staging), 1 threshold, 3 patterns of what is watched`
fn contents(config: &Config) -> String {
    let names: Vec<&str> = config.contexts.iter().map(|context| context.name.as_str()).collect();
    let contexts = match names.len() {
        0 => "no contexts".to_owned(),
        n => format!("{} ({})", counted_all(n, "context"), names.join(", ")),
    };
    let of_contexts = config.contexts.iter().map(|context| context.thresholds.len()).sum::<usize>();
    let thresholds = config.thresholds.len() + of_contexts;
    let own = config.contexts.iter().flat_map(|context| [&context.include, &context.exclude]).flatten();
    let patterns = own.chain([&config.filter.include, &config.filter.exclude]).map(Vec::len).sum::<usize>();
    let (thresholds, patterns) = (counted_all(thresholds, "threshold"), counted_all(patterns, "pattern"));
    format!("{contexts}, {thresholds}, {patterns} of what is watched")
}
