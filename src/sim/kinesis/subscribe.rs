//! SubscribeToShard: what a consumer is pushed, for five minutes, from one shard, on a road of its own.

use super::consumer::{ConsumerId, ConsumerStatus};
use super::metrics::ConsumerMetric;
use super::read::{Batch, ChildShard, Cursor, MAX_ANSWER_RECORDS, Position, Record, collect};
use super::sequence::{Sequence, ShardId};
use super::shard::Shard;
use super::stream::StreamStatus;
use super::{Kinesis, fault};
use crate::domain::time::Timestamp;
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::rate::TokenBucket;
use std::time::Duration;

/// SubscribeToShard: a subscription is good for so long.
const LIFE: Duration = Duration::from_secs(300);
/// SubscribeToShard: a further call for the same shard within so long is refused; after it, it takes over.
const TAKEOVER_AFTER: Duration = Duration::from_secs(5);
/// A quiet shard says so this often.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How long a subscription whose client no longer asks is remembered after its end.
const REMEMBERED: Duration = Duration::from_secs(60);
/// Bytes a second of one subscription; also the burst ("2 MiB per second per shard per consumer").
const BYTES_PER_S: f64 = 2_097_152.0;
/// Bytes of bodies and keys in one event; a single larger record travels alone.
const MAX_EVENT_BYTES: usize = 1 << 20;

/// A subscription's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SubscriptionId(pub u64);

pub(super) struct Subscription {
    consumer: ConsumerId,
    shard: ShardId,
    started: Timestamp,
    cursor: Cursor,
    /// Nothing is said before.
    next_at: Timestamp,
    /// A quiet shard says so then.
    heartbeat_at: Timestamp,
    allowance: TokenBucket,
}

/// What a subscription has to say now.
#[derive(Debug, PartialEq)]
pub enum Push {
    Event {
        stream: String,
        event: PushedEvent,
    },
    /// Nothing before that time, unless records arrive.
    Nothing(Timestamp),
    /// The five minutes are over, or the shard is closed and was pushed to its end.
    Ended,
    /// It ends with an error: taken over, or its consumer or stream is gone.
    Failed(ApiError),
}

/// SubscribeToShardEvent.
#[derive(Debug, PartialEq)]
pub struct PushedEvent {
    pub records: Vec<Record>,
    /// Where to go on after this event; `None` at the end of a closed shard.
    pub continuation: Option<Sequence>,
    pub millis_behind_latest: u64,
    /// Filled only at the end of a closed shard.
    pub child_shards: Vec<ChildShard>,
}

impl Kinesis {
    /// Begins a subscription for an ACTIVE consumer, or takes over the one that began more than five seconds ago.
    ///
    /// Errors: `ResourceNotFoundException`, `ResourceInUseException` (stream or consumer not ACTIVE, a subscription
    /// that is younger than five seconds).
    pub fn subscribe(
        &mut self,
        cx: &mut Cx<'_>,
        id: &ConsumerId,
        shard: ShardId,
        position: Position,
    ) -> Result<SubscriptionId, ApiError> {
        self.subscribable(cx, id, shard)?;
        let Some(found) = self.streams.get_mut(&id.stream) else {
            return Err(fault::stream_not_found(cx.place, &id.stream));
        };
        let name = found.name.clone();
        let (Some(shard), Some(consumer)) = (found.shards.get_mut(&shard), found.consumers.get_mut(&id.consumer))
        else {
            return Err(fault::consumer_not_found(cx.place, id));
        };
        consumer.series.add(cx, (&name, &consumer.name), ConsumerMetric::SubscribeSuccess, 1.0);
        let created_s = Some(consumer.created.secs());
        let subscription = Subscription {
            consumer: ConsumerId { created_s, ..id.clone() },
            shard: shard.id,
            started: cx.now,
            cursor: shard.cursor_of(position),
            next_at: cx.now,
            heartbeat_at: cx.now,
            allowance: TokenBucket::new(BYTES_PER_S, BYTES_PER_S, cx.now),
        };
        let shard = shard.id;
        let now = cx.now;
        self.subscriptions.retain(|_, other| {
            let same = other.shard == shard && other.consumer == subscription.consumer;
            !same && other.started + LIFE + REMEMBERED > now
        });
        cx.waits.stream_changed(&name);
        self.subscribed += 1;
        self.subscriptions.insert(self.subscribed, subscription);
        Ok(SubscriptionId(self.subscribed))
    }

    /// Whether [`Kinesis::subscribe`] would succeed now. Errors: as there.
    pub fn subscribable(&mut self, cx: &mut Cx<'_>, id: &ConsumerId, shard: ShardId) -> Result<(), ApiError> {
        let stream = self.stream_mut(cx, &id.stream)?;
        if !matches!(stream.status, StreamStatus::Active | StreamStatus::Updating) {
            return Err(fault::not_active(cx.place, stream));
        }
        let (name, has_shard) = (stream.name.clone(), stream.shards.contains_key(&shard));
        let consumer = self.known_consumer(cx, id)?;
        if consumer.status != ConsumerStatus::Active {
            return Err(fault::consumer_not_active(cx.place, &name, consumer));
        }
        if !has_shard {
            return Err(fault::shard_does_not_exist(cx.place, &name, shard));
        }
        let is_young = |other: &Subscription| {
            let same = other.shard == shard && other.consumer.stream == id.stream;
            same && other.consumer.consumer == id.consumer && cx.now < other.started + TAKEOVER_AFTER
        };
        if self.subscriptions.values().any(is_young) {
            return Err(fault::subscription_exists(cx.place, id, shard));
        }
        Ok(())
    }

    /// What the subscription has to say now. Each record is pushed once, in order.
    pub fn push(&mut self, cx: &mut Cx<'_>, id: SubscriptionId) -> Push {
        let keys = &self.keys;
        let Some(subscription) = self.subscriptions.get_mut(&id.0) else {
            return Push::Failed(fault::subscription_taken_over());
        };
        let expires = subscription.started + LIFE;
        if cx.now >= expires {
            self.subscriptions.remove(&id.0);
            return Push::Ended;
        }
        let is_there = |stream: &&mut super::Stream| {
            stream.status != StreamStatus::Deleting
                && stream.consumer(&subscription.consumer).is_some_and(|c| c.status == ConsumerStatus::Active)
        };
        let Some(stream) = self.streams.get_mut(&subscription.consumer.stream).filter(is_there) else {
            let gone = fault::consumer_not_found(cx.place, &subscription.consumer);
            self.subscriptions.remove(&id.0);
            return Push::Failed(gone);
        };
        stream.trim(cx.now);
        let Some(shard) = stream.shards.get(&subscription.shard) else {
            self.subscriptions.remove(&id.0);
            return Push::Ended;
        };
        if cx.now < subscription.next_at {
            return Push::Nothing(subscription.next_at.min(expires));
        }
        let batch = collect(keys, shard, cx, subscription.cursor, MAX_ANSWER_RECORDS, MAX_EVENT_BYTES);
        if batch.records.is_empty() && batch.next.is_some() && cx.now < subscription.heartbeat_at {
            return Push::Nothing(subscription.heartbeat_at.min(expires));
        }
        subscription.note(cx, &batch);
        let continuation = batch.next.map(|next| continuation(shard, &batch, next, cx.now));
        let children = if batch.next.is_none() { shard.children.clone() } else { vec![] };
        let child_shards = children.iter().filter_map(|id| stream.shards.get(id)).map(ChildShard::from).collect();
        let names = (stream.name.as_str(), subscription.consumer.consumer.as_str());
        if let Some(consumer) = stream.consumers.get_mut(names.1) {
            consumer.series.pushed(cx, names, &batch);
        }
        if batch.next.is_none() {
            // The event is the last; what asks again is told so.
            subscription.started = cx.now - LIFE;
        }
        let Batch { records, millis_behind_latest, .. } = batch;
        let event = PushedEvent { records, continuation, millis_behind_latest, child_shards };
        Push::Event { stream: stream.name.clone(), event }
    }
}

impl Subscription {
    /// Moves on behind what is pushed, and waits where it was more than a second's worth.
    fn note(&mut self, cx: &Cx<'_>, batch: &Batch) {
        self.heartbeat_at = cx.now + HEARTBEAT;
        if let Some(next) = batch.next {
            self.cursor = next;
        }
        if cx.place.limits {
            self.allowance.take_into_debt(batch.bytes as f64, cx.now);
            let debt = -self.allowance.available(cx.now);
            self.next_at = cx.now + Duration::from_secs_f64((debt / BYTES_PER_S).max(0.0));
        }
    }
}

/// The number after which a new subscription goes on: the last record's, or that of the place that was reached.
fn continuation(shard: &Shard, batch: &Batch, next: Cursor, now: Timestamp) -> Sequence {
    match batch.records.last() {
        Some(last) => last.sequence,
        None if next.0 == 0 => shard.starting_sequence(),
        None => shard.sequence(next.0 - 1, shard.log.arrived(next.0 - 1).unwrap_or(now)),
    }
}
