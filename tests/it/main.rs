//! The one integration-test binary: the package's sources, the command line and whole runs.

mod changes;
mod cli;
mod config;
mod consumers;
mod contexts;
mod estate;
mod fanout;
mod fixtures;
mod flows;
mod lag;
mod picture;
mod polls;
mod pty;
mod readme;
mod screens;
mod source;
mod story;
mod tidy;
mod trouble;
