//! midwatch: the on-call console for event-driven AWS.

pub mod domain;
pub mod sim;
