//! Nouns of the console: time, values, fields, rows, series, links, findings, verbs. No IO, no SDK, no ratatui.

pub mod time;
