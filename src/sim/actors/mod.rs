//! Actors: the applications around the services. Each acts when the agenda says so.

use crate::sim::world::World;

/// One application of the scenario.
pub struct Actor {}

/// The actor's next step.
pub fn act(_world: &mut World, _index: usize) {}
