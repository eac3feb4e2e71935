//! SNS as a state machine: topics, subscriptions, filter policies, deliveries with their retries and dead letters.
//!
//! Topics are named by their name, subscriptions by topic and id; the wire turns ARNs into them. SNS calls no other
//! service: what it publishes comes back as `Delivery`s, which `sim::fanout` carries to queues, functions and endpoints
//! and whose outcomes it reports with `settle`.
//!
//! ```text
//! create_topic(cx, name, &attributes, &tags)     delete_topic(cx, name)       topic(name), topics_after(..)
//! attributes(cx, name)                           set_attribute(cx, name, attribute, value)
//! subscribe(cx, Subscribe) -> Subscribed         confirm(cx, topic, token, ..)     unsubscribe(cx, topic, id, ..)
//! create_application(..), create_endpoint(..), push(cx, endpoint): mobile push
//! set_sms_attributes(changes), opt_out(number), opt_in(number): text messages
//! publish(cx, topic, Publication) -> (Published, Vec<Delivery>)      publish_batch(cx, topic, entries)
//! settle(cx, Attempt, Outcome) -> Option<Delivery>: done, tried again later, or on its way to the dead-letter queue
//! ```

mod archive;
pub mod arn;
mod attempt;
mod dedup;
mod delivery_policy;
mod envelope;
mod error;
pub mod filter;
mod message;
mod metrics;
mod permission;
mod policy;
mod publish;
mod push;
mod rates;
mod retry;
mod subscription;
mod subscriptions;
mod text_messages;
mod topic;
mod topics;
pub mod wire;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use attempt::{Attempt, Delivery, Destination, HttpPost, Outcome};
pub use dedup::{Published, SequenceNumber};
pub use message::{Message, Publication};
pub use publish::BATCH_MAX;
pub use subscription::{Protocol, Subscription, Tally, is_phone_number, redrive_to};
pub use subscriptions::{Foreign, ListOf, Subscribe, Subscribed};
pub use topic::{Attributes, Topic};

use crate::sim::agenda;
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use std::collections::BTreeMap;

/// What falls due inside the service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// A delivery is tried again, or an HTTP endpoint's turn has come.
    Try { attempt: u64 },
    /// An HTTP endpoint has had its 15 seconds for this try.
    Timeout { attempt: u64, tries: u32 },
    /// A simulated HTTP endpoint answers with this status.
    Answer { attempt: u64, tries: u32, status: u16 },
    /// A confirmation token is two days old.
    TokenExpires { token: String },
    /// Each minute every active topic publishes its counts to CloudWatch.
    Gauges,
}

impl From<Due> for agenda::Due {
    fn from(due: Due) -> Self {
        Self::Sns(due)
    }
}

/// All topics of one account and region.
#[derive(Default)]
pub struct Sns {
    topics: BTreeMap<String, Topic>,
    tokens: BTreeMap<String, subscriptions::Token>,
    /// Deliveries that wait for their next try, or for an HTTP endpoint's answer.
    attempts: BTreeMap<u64, Attempt>,
    attempts_made: u64,
    applications: push::Applications,
    text_messages: text_messages::TextMessages,
    filter_policies: usize,
    pending: usize,
    rates: rates::Rates,
    gauges_run: bool,
    /// What this account has subscribed to topics of others, by ARN: they keep it, and whoever keeps the accounts shows
    /// it here while it is asked for.
    pub foreign: Vec<Foreign>,
}

impl Sns {
    /// The topic of that name.
    pub fn topic(&self, name: &str) -> Option<&Topic> {
        self.topics.get(name)
    }

    /// Names of all topics, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.topics.keys().map(String::as_str)
    }

    /// Deliveries that wait for a retry or an answer.
    pub fn deliveries_in_hand(&self) -> usize {
        self.attempts.len()
    }

    /// Whether the published rate of an operation still has room.
    pub fn admit(&mut self, cx: &Cx<'_>, operation: &str) -> Result<(), ApiError> {
        self.rates.admit(cx, operation)
    }

    fn topic_mut(&mut self, name: &str) -> Result<&mut Topic, ApiError> {
        self.topics.get_mut(name).ok_or_else(error::topic_does_not_exist)
    }
}
