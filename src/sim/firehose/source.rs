//! A Kinesis stream as source: one reader for each shard, which the world's router reads for.

use super::Firehose;
use super::metrics::Metric;
use super::stream::{DeliveryStream, Source, Status};
use crate::sim::cx::Cx;
use crate::sim::kinesis::{ChildShard, Cursor, ShardId};
use std::collections::BTreeMap;

/// A stream that cannot deliver reads no more than this, so that its source keeps what follows.
const UNDELIVERED_MAX: u64 = 256 << 20;

/// A shard's reader.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reader {
    /// `None` until it has its first iterator.
    pub cursor: Option<Cursor>,
    /// The shard is closed and read to its end.
    pub is_finished: bool,
    /// Read first.
    pub parents: Vec<ShardId>,
    /// It was there when delivery began: read from its newest record on, not from its first.
    pub from_latest: bool,
}

/// Readers by shard.
#[derive(Debug, Default)]
pub struct Readers {
    pub has_begun: bool,
    by_shard: BTreeMap<ShardId, Reader>,
}

/// What one read of a shard came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Read {
    Batch { records: u64, bytes: u64, next: Option<Cursor>, behind_ms: u64, children: Vec<ChildShard> },
    Throttled { is_iterator: bool },
}

impl Readers {
    /// Delivery begins with the shards that are open now.
    pub fn begin(&mut self, open: impl Iterator<Item = ShardId>) {
        self.has_begun = true;
        self.by_shard.extend(open.map(|shard| (shard, Reader { from_latest: true, ..Reader::default() })));
    }

    /// Shards to read now: a child waits until its parents are read.
    pub fn ready(&self) -> Vec<(ShardId, Reader)> {
        let is_done = |id: &ShardId| self.by_shard.get(id).is_none_or(|reader| reader.is_finished);
        let ready =
            self.by_shard.iter().filter(|(_, reader)| !reader.is_finished && reader.parents.iter().all(is_done));
        ready.map(|(id, reader)| (*id, reader.clone())).collect()
    }

    /// Forgets shards that are read to their end when no child waits for them.
    fn forget_finished(&mut self) {
        let awaited: Vec<ShardId> =
            self.by_shard.values().filter(|reader| !reader.is_finished).flat_map(|r| r.parents.clone()).collect();
        self.by_shard.retain(|id, reader| !reader.is_finished || awaited.contains(id));
    }
}

impl DeliveryStream {
    /// The stream that is to be read now; `None` where there is none, or too much is undelivered.
    pub fn wants(&self) -> Option<&str> {
        match &self.source {
            Source::Kinesis { stream, .. }
                if self.status == Status::Active && self.buffers.bytes() < UNDELIVERED_MAX =>
            {
                Some(stream)
            }
            _ => None,
        }
    }
}

impl Firehose {
    /// Delivery from a source begins with its open shards.
    pub fn begin_reading(&mut self, stream: &str, open: impl Iterator<Item = ShardId>) {
        if let Some(stream) = self.streams.get_mut(stream) {
            stream.readers.begin(open);
        }
    }

    /// A reader has its place, whatever comes of the read that follows.
    pub fn set_cursor(&mut self, stream: &str, shard: ShardId, cursor: Cursor) {
        if let Some(reader) = self.streams.get_mut(stream).and_then(|s| s.readers.by_shard.get_mut(&shard)) {
            reader.cursor = Some(cursor);
        }
    }

    /// Takes what was read from a shard.
    pub fn note_read(&mut self, cx: &mut Cx<'_>, stream: &str, shard: ShardId, read: Read) {
        let Some(stream) = self.streams.get_mut(stream) else { return };
        let name = stream.name.clone();
        let (records, bytes, next, behind_ms, children) = match read {
            Read::Throttled { is_iterator } => {
                let metric = if is_iterator { Metric::ThrottledGetShardIterator } else { Metric::ThrottledGetRecords };
                stream.meters.add(cx, &name, metric, 1.0);
                return;
            }
            Read::Batch { records, bytes, next, behind_ms, children } => (records, bytes, next, behind_ms, children),
        };
        stream.meters.add(cx, &name, Metric::ThrottledGetRecords, 0.0);
        stream.meters.add(cx, &name, Metric::MillisBehindLatest, behind_ms as f64);
        if let Some(reader) = stream.readers.by_shard.get_mut(&shard) {
            match next {
                Some(next) => reader.cursor = Some(next),
                None => reader.is_finished = true,
            }
        }
        for child in children {
            let reader = Reader { parents: child.parents, ..Reader::default() };
            stream.readers.by_shard.entry(child.id).or_insert(reader);
        }
        if next.is_none() {
            stream.readers.forget_finished();
        }
        if records > 0 {
            stream.take_in(cx, records, bytes);
        }
    }
}
