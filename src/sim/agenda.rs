//! The agenda: everything that is due in the simulated future, in order of time and then of arrival.

use crate::domain::time::Timestamp;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// One entry that falls due. Services own the meaning of theirs; the world carries each to its owner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    Kinesis(crate::sim::kinesis::Due),
    Sqs(crate::sim::sqs::Due),
    Sns(crate::sim::sns::Due),
    Lambda(crate::sim::lambda::Due),
    DynamoDb(crate::sim::dynamodb::Due),
    Firehose(crate::sim::firehose::Due),
    Swf(crate::sim::swf::Due),
    /// An event source mapping polls its source (index into the Lambda service's mappings, and a generation).
    Mapping(crate::sim::lambda::MappingDue),
    /// CloudWatch looks at its alarms.
    Alarms,
    /// An actor's next step (index into the world's actors).
    Actor(usize),
    /// The next entry of the scenario's timeline.
    Timeline(usize),
}

/// A heap of due entries. Ties in time are taken in the order in which they were scheduled, so a run is a function
/// of its inputs.
#[derive(Default)]
pub struct Agenda {
    heap: BinaryHeap<Reverse<(Timestamp, u64, Due)>>,
    scheduled: u64,
}

impl Agenda {
    pub fn schedule(&mut self, at: Timestamp, due: Due) {
        self.scheduled += 1;
        self.heap.push(Reverse((at, self.scheduled, due)));
    }

    /// The next entry that is due at or before `until`.
    pub fn pop_until(&mut self, until: Timestamp) -> Option<(Timestamp, Due)> {
        if self.next_at()? > until {
            return None;
        }
        self.heap.pop().map(|Reverse((at, _, due))| (at, due))
    }

    pub fn next_at(&self) -> Option<Timestamp> {
        self.heap.peek().map(|Reverse((at, _, _))| *at)
    }

    /// Entries put on it so far: what a run has cost.
    pub fn scheduled(&self) -> u64 {
        self.scheduled
    }

    pub fn len(&self) -> usize {
        self.heap.len()
    }

    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}
