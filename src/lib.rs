//! midwatch: the on-call console for event-driven AWS.

pub mod actions;
pub mod domain;
pub mod kinds;
pub mod sim;
pub mod theme;
