//! Kinesis Data Streams as a state machine: streams, shards, records, iterators, resharding.
//!
//! How it is used from within the engine (every function takes the world's hands, [`Cx`](crate::sim::cx::Cx)):
//! - `add_active_stream` (scenarios) or `create_stream` (CREATING first), `delete_stream`;
//! - producers: `intern_key` once for each key, then `put_records`, whose outcomes say which records were throttled;
//! - consumers: `cursor(shard, Position)` once, then `read(shard, cursor, limit)`, going on with `Batch::next`; where
//!   that is `None` the shard is closed and read to its end, and `Batch::child_shards` says where to go on (each child
//!   only after all its parents). `Cursor::after(record.sequence)` is a checkpoint that never expires;
//!   `key_text(&record.key)` is the partition key, `Sequence` prints as AWS writes it;
//! - enhanced fan-out: `register_consumer`, and once it is ACTIVE `subscribe`, then `push` again and again;
//! - `list_shards`, `describe_stream_summary`, `split_shard`, `merge_shards`, `update_shard_count` as AWS has them.
//!
//! AWS's limits throttle only where `cx.place.limits` says so; sizes and rules always hold. Clients over the wire get
//! iterator strings instead of cursors (`iterator`, `wire`).

mod consumer;
mod demand;
mod fault;
mod iterator;
mod key;
mod lifecycle;
mod listing;
mod metrics;
#[cfg(test)]
mod properties;
mod put;
mod rates;
mod read;
mod record_log;
mod reshard;
mod sequence;
mod settings;
mod shard;
mod stream;
mod subscribe;
mod tags;
#[cfg(test)]
mod tests;
mod token;
pub mod wire;

pub use consumer::{Consumer, ConsumerId, ConsumerStatus, ConsumerSummary};
pub use iterator::ShardIterator;
pub use key::{HashRange, Key, KeyId, Keys, hash_of};
pub use lifecycle::MonitoringAnswer;
pub use listing::{AccountLimits, ShardFilter};
pub use metrics::ShardMetric;
pub use put::{PutKey, PutOutcome, PutRecord};
pub use read::{Batch, ChildShard, Cursor, MAX_ANSWER_RECORDS, Position, Record};
pub use reshard::{ResizeAnswer, shard_quota};
pub use sequence::{ParsedSequence, Sequence, ShardId};
pub use settings::{AccountSettings, Encryption};
pub use shard::Shard;
pub use stream::{ShardSummary, Stream, StreamMode, StreamStatus, StreamSummary};
pub use subscribe::{Push, PushedEvent, SubscriptionId};
pub use tags::{Resource, Tags};

use rates::Rates;
use std::collections::BTreeMap;

/// What falls due inside the service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// A stream's pending change (creation, reshard, deletion) ends.
    StreamChange { stream: String },
    /// A consumer's registration or deregistration ends.
    ConsumerChange { stream: String, consumer: String },
}

/// All streams of one account and region.
#[derive(Default)]
pub struct Kinesis {
    streams: BTreeMap<String, Stream>,
    keys: Keys,
    rates: Rates,
    settings: AccountSettings,
    /// By their numbers; none outlives its end for long.
    subscriptions: BTreeMap<u64, subscribe::Subscription>,
    /// Subscriptions that ever began.
    subscribed: u64,
}

impl Kinesis {
    /// The streams' names, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.streams.keys().map(String::as_str)
    }

    /// A partition key for repeated use: its text and its hash are kept once, for ever.
    pub fn intern_key(&mut self, text: &str) -> KeyId {
        self.keys.intern(text)
    }

    /// The text of a record's partition key.
    /// A fault: this share of all records and reads of a stream is throttled.
    pub fn choke(&mut self, stream: &str, share: f64) {
        if let Some(stream) = self.streams.get_mut(stream) {
            stream.choked = share.clamp(0.0, 1.0);
        }
    }

    pub fn key_text<'a>(&'a self, key: &'a Key) -> &'a str {
        self.keys.text(key)
    }
}
