//! SQS as a state machine: queues, messages, visibility, dead-letter queues, message move tasks.
//!
//! Queues are named by their name, never by URL: the wire turns URLs into names. Everything takes the hands `cx`, whose
//! `now` is the time of the call; a queue brings itself up to now whenever it is touched, so nothing depends on how
//! often the agenda wakes it.
//!
//! ```text
//! create_queue(cx, name, &attributes, &tags)     delete_queue(cx, name)       purge(cx, name)
//! attributes(cx, name)                           set_attributes(cx, name, &changes)
//! send(cx, name, Outgoing) -> Sent               receive(cx, name, max, visibility_s) -> Vec<Received>
//! delete(cx, name, Receipt)                      change_visibility(cx, name, Receipt, visibility_s)
//! start_message_move_task(cx, dlq, destination, rate) list_message_move_tasks(cx, dlq) cancel_message_move_task(..)
//! list_dead_letter_source_queues(cx, dlq)        tag, untag, tags
//! add_permission(cx, name, label, accounts, actions)  remove_permission(cx, name, label)
//! depth(cx, name) -> Depth                       oldest_age(cx, name)
//! ```
//! A receive never waits; waiting is the caller's (`wire` for clients, the actors for themselves): it calls
//! `receive_waiting` while it waits and `receive` at the end, so that empty receives are counted right. Both return
//! fewer than `max` only when no more are visible: the random subset of servers that a short poll asks is not modelled.

mod attempts;
mod attributes;
mod checksum;
mod dedup;
mod error;
mod fair;
mod gauges;
mod groups;
mod line;
mod message;
mod messages;
mod move_task;
mod order;
mod permissions;
mod policy;
mod queue;
mod queues;
mod receipt;
mod redrive;
mod store;
pub mod wire;

pub use attributes::{Attributes, MESSAGE_BYTES_MAX};
pub use message::{
    AttributeValue, Content, DeadLetter, Details, MessageId, Outgoing, Receipt, Received, Sent, SequenceNumber,
};
pub use move_task::{MoveTask, Status};
pub use queue::Queue;
pub use redrive::{RedriveAllow, RedrivePolicy};
pub use store::Depth;

use crate::domain::time::Timestamp;
use crate::sim::agenda;
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use move_task::MoveTasks;
use std::collections::BTreeMap;

/// What falls due inside the service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// A queue looks after itself: visibility ends, delays end, messages expire.
    Queue { queue: String },
    /// A message move task takes its next step.
    MoveTask { task: u64 },
    /// Each minute every active queue publishes its gauges to CloudWatch.
    Gauges,
}

impl From<Due> for agenda::Due {
    fn from(due: Due) -> Self {
        Self::Sqs(due)
    }
}

/// All queues of one account and region.
#[derive(Default)]
pub struct Sqs {
    queues: BTreeMap<String, Queue>,
    /// Names that are blocked for a while after a deletion.
    deleted: BTreeMap<String, Timestamp>,
    tasks: MoveTasks,
    gauges_run: bool,
}

impl Sqs {
    /// Does what the agenda says is due.
    pub fn due(&mut self, cx: &mut Cx<'_>, due: Due) {
        match due {
            Due::Queue { queue } => {
                if let Some(queue) = self.queues.get_mut(&queue) {
                    queue.wake(cx);
                }
            }
            Due::MoveTask { task } => self.step_move_task(cx, task),
            Due::Gauges => self.publish_gauges(cx),
        }
    }

    /// The queue of that name, as it was when last touched.
    pub fn queue(&self, name: &str) -> Option<&Queue> {
        self.queues.get(name)
    }

    /// Every queue, by name, as it was when last touched.
    pub fn queues(&self) -> impl Iterator<Item = &Queue> {
        self.queues.values()
    }

    /// Names of all queues, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.queues.keys().map(String::as_str)
    }

    fn queue_mut(&mut self, name: &str) -> Result<&mut Queue, ApiError> {
        self.queues.get_mut(name).ok_or_else(error::queue_does_not_exist)
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
