//! The console without a terminal: events fold into the state, effects come out. No IO, no clock, no ratatui.
//!
//! [`event`] and [`effect`] are the edges, [`state`] is what is between, [`update`] its only writer. [`command`] is the
//! table of what keys can do, [`schedule`] decides what is asked when, [`screen`], [`list`] and [`dialog`] are what a
//! view paints.

pub mod command;
pub mod contexts;
pub mod dialog;
pub mod dispatch;
pub mod edit;
pub mod effect;
pub mod event;
pub mod filter;
pub mod job;
pub mod keymap;
pub mod list;
pub mod log;
pub mod palette;
pub mod probe;
pub mod readings;
pub mod schedule;
pub mod screen;
pub mod state;
pub mod throttled;
pub mod typing;
pub mod update;
pub mod verbs;
pub mod workflow;
