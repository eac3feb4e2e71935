//! Kinesis Data Streams as a state machine: streams, shards, records, iterators, resharding.

use crate::sim::cx::Cx;

/// What falls due inside the service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// A stream's pending change (creation, reshard, deletion) ends.
    StreamChange { stream: String },
}

/// All streams of one account and region.
#[derive(Default)]
pub struct Kinesis {}

impl Kinesis {
    pub fn due(&mut self, _cx: &mut Cx<'_>, _due: Due) {}
}
