//! One queue: its attributes, its messages, what it counts for CloudWatch, and when it next looks after itself.

use crate::domain::time::Timestamp;
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::rate::TokenBucket;
use crate::sim::sqs::attempts::Attempts;
use crate::sim::sqs::attributes::Attributes;
use crate::sim::sqs::dedup::Dedup;
use crate::sim::sqs::gauges::{Activity, Counters, Meters};
use crate::sim::sqs::message::{Details, MessageId, Outgoing, SequenceNumber};
use crate::sim::sqs::store::Store;
use crate::sim::sqs::{Due, error};
use rand::RngExt;
use std::collections::BTreeMap;
use std::time::Duration;

/// Actions a second of a FIFO queue, each kind for itself.
const FIFO_ACTIONS_PER_S: f64 = 300.0;

/// How long a changed attribute may take to be followed (SetQueueAttributes).
const PROPAGATION: Duration = Duration::from_secs(60);

/// API actions of a FIFO queue that have a rate of their own; a batch is one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    Send,
    Receive,
    Delete,
    ChangeVisibility,
}

/// A queue of one account and region.
#[derive(Debug)]
pub struct Queue {
    pub name: String,
    /// Tells this queue from a later one of the same name; receipt handles carry it.
    pub generation: u64,
    pub attributes: Attributes,
    pub tags: BTreeMap<String, String>,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    pub purged_at: Option<Timestamp>,
    pub store: Store,
    pub dedup: Dedup,
    /// Since when `DeduplicationScope` is what it is; FIFO only.
    pub scope_since: Option<Timestamp>,
    /// FIFO only.
    pub attempts: Attempts,
    /// What is left of each API action's rate; FIFO only.
    pub rates: BTreeMap<Action, TokenBucket>,
    /// Sequence numbers given out; FIFO only.
    pub sequences: u64,
    pub counters: Counters,
    pub meters: Meters,
    pub activity: Activity,
    /// Messages that retention has taken, ever. CloudWatch has no metric for it.
    pub expired: u64,
    /// Messages that were there and were deleted, ever.
    pub gone: u64,
    wake_at: Option<Timestamp>,
}

impl Queue {
    pub fn new(cx: &mut Cx<'_>, name: &str, attributes: Attributes) -> Self {
        let fifo = attributes.fifo.is_some();
        Self {
            name: name.to_owned(),
            generation: cx.rng.random(),
            attributes,
            tags: BTreeMap::new(),
            created_at: cx.now,
            modified_at: cx.now,
            purged_at: None,
            store: Store::new(fifo),
            dedup: Dedup::default(),
            scope_since: None,
            attempts: Attempts::default(),
            rates: BTreeMap::new(),
            sequences: 0,
            counters: Counters::default(),
            meters: Meters::default(),
            activity: Activity::new(cx.now),
            expired: 0,
            gone: 0,
            wake_at: None,
        }
    }

    pub fn arn(&self, cx: &Cx<'_>) -> String {
        cx.place.arn("sqs", &self.name)
    }

    /// Brings the queue up to now: messages expire by their original send, then timeouts and delays end.
    pub fn settle(&mut self, now: Timestamp) {
        let retention = Duration::from_secs(self.attributes.retention_s.into());
        if self.store.first_sent_at().is_some_and(|sent_at| sent_at + retention <= now) {
            self.expired += self.store.expire(now - retention);
        }
        self.store.show_due(now);
    }

    /// Brings the queue up to now on behalf of an API action, which keeps its metrics awake.
    pub fn act(&mut self, cx: &mut Cx<'_>) {
        self.settle(cx.now);
        self.activity.note(cx);
        cx.waits.queue_changed(&self.name);
    }

    /// Counts one API action of a FIFO queue against its rate ("FIFO queue quotas"): 300 a second, or the region's where
    /// the limit is by message group.
    ///
    /// Errors: RequestThrottled.
    pub fn admit(&mut self, cx: &Cx<'_>, action: Action) -> Result<(), ApiError> {
        let Some(fifo) = self.attributes.fifo.as_ref().filter(|_| cx.place.limits) else { return Ok(()) };
        let per_s = if fifo.throughput_by_group { high_throughput_per_s(&cx.place.region) } else { FIFO_ACTIONS_PER_S };
        let bucket = self.rates.entry(action).or_insert_with(|| TokenBucket::new(per_s, per_s, cx.now));
        if bucket.take(1.0, cx.now) { Ok(()) } else { Err(error::request_throttled()) }
    }

    /// The next sequence number; `None` in a standard queue.
    pub fn next_sequence(&mut self) -> Option<SequenceNumber> {
        self.attributes.fifo.as_ref()?;
        self.sequences += 1;
        Some(SequenceNumber(self.sequences))
    }

    /// Whether a deduplication id counts within its group now: by the attribute, which takes a minute to be followed.
    pub fn deduplicates_by_group(&self, now: Timestamp) -> bool {
        let wanted = self.attributes.fifo.as_ref().is_some_and(|fifo| fifo.deduplicate_by_group);
        let is_followed = self.scope_since.is_none_or(|since| now.since(since) >= PROPAGATION);
        wanted == is_followed
    }

    /// Makes sure that the agenda holds one entry for the next end of a timeout or delay, so that a waiting receive is
    /// asked again at that moment. Entries that were overtaken by an earlier one do nothing.
    pub fn schedule_wake(&mut self, cx: &mut Cx<'_>) {
        let Some(next) = self.store.next_shown_at() else { return };
        if self.wake_at.is_none_or(|at| next < at) {
            self.wake_at = Some(next);
            cx.schedule(next, Due::Queue { queue: self.name.clone() }.into());
        }
    }

    /// The agenda's entry fell due.
    pub fn wake(&mut self, cx: &mut Cx<'_>) {
        if self.wake_at.is_some_and(|at| at <= cx.now) {
            self.wake_at = None;
            self.settle(cx.now);
            self.schedule_wake(cx);
            cx.waits.queue_changed(&self.name);
        }
    }
}

/// Actions a second of a FIFO queue in high-throughput mode.
fn high_throughput_per_s(region: &str) -> f64 {
    match region {
        "us-east-1" | "us-west-2" | "eu-west-1" => 70_000.0,
        "us-east-2" | "eu-central-1" => 19_000.0,
        "ap-south-1" | "ap-southeast-1" | "ap-southeast-2" | "ap-northeast-1" => 9000.0,
        "eu-west-2" | "sa-east-1" => 4500.0,
        _ => 2400.0,
    }
}

/// A new message identity from the world's chance.
pub fn new_id(cx: &mut Cx<'_>) -> MessageId {
    MessageId(cx.rng.random())
}

/// The details that a sent message keeps, if it has any.
pub fn details_of(outgoing: &mut Outgoing, sequence: Option<SequenceNumber>) -> Option<Box<Details>> {
    let plain = outgoing.attributes.is_empty() && outgoing.trace_header.is_none() && outgoing.group.is_none();
    if plain && sequence.is_none() {
        return None;
    }
    Some(Box::new(Details {
        attributes: std::mem::take(&mut outgoing.attributes),
        trace_header: outgoing.trace_header.take(),
        group: outgoing.group.take(),
        dedup: outgoing.dedup.take(),
        sequence,
        dead_letter: None,
    }))
}
