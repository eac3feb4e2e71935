//! The one integration-test binary: the package's sources, the command line and whole runs.

mod cli;
mod polls;
mod fixtures;
mod screens;
mod source;
mod story;
mod tidy;
