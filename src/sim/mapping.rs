//! The road between Lambda and its sources: pollers of event source mappings, and what an invocation's end causes.
//! Only this file carries things from one service to another on Lambda's behalf.

use crate::sim::lambda::{Due, MappingDue};
use crate::sim::world::World;

/// Something inside Lambda falls due.
pub fn lambda_due(_world: &mut World, _due: Due) {}

/// A mapping's poller polls its source.
pub fn mapping_due(_world: &mut World, _due: MappingDue) {}
