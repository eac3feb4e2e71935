//! The scenario's timeline: what goes wrong, and right again, and when.

use crate::sim::world::World;

/// One entry of the timeline.
pub struct Entry {}

/// The timeline's entry comes true.
pub fn strike(_world: &mut World, _index: usize) {}
