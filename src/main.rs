//! midwatch: picks the source and the face, and turns how it ended into an exit code.

use midwatch::failure::Failure;
use midwatch::{cli, faces};
use std::process::ExitCode;

fn main() -> ExitCode {
    let ended = cli::parse(std::env::args_os()).and_then(|(line, settings)| faces::run(line, &settings));
    let failure = match ended {
        Ok(code) => return ExitCode::from(code),
        Err(failure) => failure,
    };
    match failure {
        Failure { sentence, exit: 0 } => match faces::say(&sentence) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Failure { sentence, exit } => {
            eprintln!("midwatch: {sentence}");
            ExitCode::from(exit)
        }
    }
}
