//! Nouns of the console: time, values, fields, rows, series, polls, findings, changes, verbs. No IO, no SDK, no ratatui.

pub mod change;
pub mod counted;
pub mod execution;
pub mod field;
pub mod finding;
pub mod history;
pub mod legible;
pub mod log;
pub mod pattern;
pub mod poll;
pub mod refresh;
pub mod row;
pub mod series;
pub mod tag;
pub mod throttled;
pub mod time;
pub mod value;
pub mod verb;
