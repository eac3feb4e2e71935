//! The faces: what is done with a source. Each runs to its end and gives the exit code; the screen is the shell's own.

pub mod journal;
pub mod scenarios;
pub mod screen;
pub mod sim;

use crate::cli::{CommandLine, Face};
use crate::config::{Settings, Source};
use crate::failure::Failure;
use std::io::Write;

/// Runs what the command line asks for. `Ok` is the exit code.
pub fn run(line: CommandLine, settings: &Settings) -> Result<u8, Failure> {
    match (line.face, &settings.source) {
        (Some(Face::Journal(arguments)), _) => journal::run(&arguments, settings),
        (Some(Face::Scenarios(arguments)), _) => scenarios::run(&arguments),
        (Some(Face::Sim(arguments)), Source::Demo(demo)) => sim::run(&arguments, demo),
        (None, _) => screen::run(settings),
        _ => Err(Failure::new("This command is not there yet.")),
    }
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
