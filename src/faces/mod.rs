//! The faces: what is done with a source. Each runs to its end and gives the exit code; the screen is the shell's own.

pub mod act;
pub mod config;
pub mod journal;
pub mod keys;
pub mod policy;
pub mod scenarios;
pub mod screen;
pub mod sim;
pub mod status;

use crate::cli::{CommandLine, Face};
use crate::config::{self as config_file, Settings, Source};
use crate::failure::Failure;
use crate::shell::log;
use std::io::Write;
use tokio::runtime::Runtime;

/// Runs what the command line asks for. `Ok` is the exit code.
pub fn run(line: CommandLine, settings: &Settings) -> Result<u8, Failure> {
    let exit = if matches!(line.face, Some(Face::Status(_))) { status::COULD_NOT_LOOK } else { 1 };
    if let Some(path) = &settings.log {
        log::start(path).map_err(|failure| failure.with_exit(exit))?;
    }
    let mut settings = settings.clone();
    if line.reads_config()
        && let Some(found) = config_file::path(settings.config_file.as_deref())
    {
        let config = config_file::load(&found).map_err(|failure| failure.with_exit(exit))?;
        settings.config = config.unwrap_or_default();
    }
    let settings = &settings;
    match (line.face, &settings.source) {
        (None, _) => screen::run(settings),
        (Some(Face::Status(arguments)), _) => status::run(&arguments, settings),
        (Some(Face::Do(arguments)), _) => act::run(&arguments, settings),
        (Some(Face::Journal(arguments)), _) => journal::run(&arguments, settings),
        (Some(Face::Keys), _) => keys::run(),
        (Some(Face::Policy(arguments)), _) => policy::run(&arguments),
        (Some(Face::Config(arguments)), _) => config::run(&arguments, settings),
        (Some(Face::Scenarios(arguments)), _) => scenarios::run(&arguments),
        (Some(Face::Sim(arguments)), Source::Demo(demo)) => sim::run(&arguments, demo),
        (Some(Face::Sim(_)), Source::Live(_)) => Err(Failure::new("The simulation has no live source.")),
    }
}

/// A runtime for faces without a screen. The demo's is paused: virtual time then passes as fast as the CPU allows, and
/// a run is the same each time.
pub fn runtime(settings: &Settings) -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(matches!(settings.source, Source::Demo(_)))
        .build()
        .map_err(|error| Failure::new(format!("The async runtime cannot start: {error}")))
}

/// Writes text that was asked for to the standard output. A reader that has gone (`| head`) is no failure.
pub fn say(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("The standard output cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}
