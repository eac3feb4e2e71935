//! The debug log: what was asked of AWS and how it went, in a file, for those who mend midwatch. Off unless asked for.

use crate::failure::Failure;
use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Mutex;
use tracing::Level;

/// Appends a debug log to this file from now on: midwatch's own lines and the SDK's, which leave secrets out.
///
/// Errors: the file cannot be opened for writing.
pub fn start(path: &Path) -> Result<(), Failure> {
    let cannot = |error: &dyn std::fmt::Display| {
        Failure::new(format!("The log {} cannot be written: {error}. Name another with --log.", path.display()))
    };
    let file = OpenOptions::new().create(true).append(true).open(path).map_err(|error| cannot(&error))?;
    tracing_subscriber::fmt()
        .with_max_level(Level::DEBUG)
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        .try_init()
        .map_err(|error| cannot(&error))
}
