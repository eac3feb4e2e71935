//! Reading: positions, cursors and batches, with each shard's read limits. GetRecords and in-engine consumers alike.

use super::Kinesis;
use super::fault;
use super::key::{HashRange, Key, Keys};
use super::metrics::{Enhanced, ShardMetric, ShardSeries, StreamMetric, StreamSeries};
use super::sequence::{Sequence, ShardId};
use super::shard::Shard;
use super::stream::{Stream, StreamStatus};
use crate::domain::time::Timestamp;
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::payload::Payload;
use rand::RngExt;
use std::collections::BTreeMap;

/// GetRecords answers at most so many bytes of bodies and keys; a single larger record is answered alone.
const MAX_ANSWER_BYTES: usize = 10 << 20;
/// GetRecords answers at most so many records.
pub const MAX_ANSWER_RECORDS: usize = 10_000;

/// A place in a shard: the ordinal of the next record to read. Cheap, never expires, and stays good when the records
/// before it are trimmed. The place right after a record that was read is `Cursor::after`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor(pub(super) u64);

impl Cursor {
    /// Right after the record with this sequence number: what a consumer keeps as its checkpoint.
    pub fn after(sequence: Sequence) -> Self {
        Self(sequence.index)
    }

    /// At the record with this sequence number.
    pub fn at(sequence: Sequence) -> Self {
        Self(sequence.index.saturating_sub(1))
    }
}

/// Where to start reading: GetShardIterator's five types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    TrimHorizon,
    /// After the newest record at this moment.
    Latest,
    At(Sequence),
    After(Sequence),
    /// At the first record that arrived then or later.
    AtTimestamp(Timestamp),
}

/// A record as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub sequence: Sequence,
    pub arrived: Timestamp,
    pub key: Key,
    pub data: Payload,
}

/// One answer of GetRecords.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    pub records: Vec<Record>,
    /// `None` when the shard is closed and read to its end: go on with `child_shards`.
    pub next: Option<Cursor>,
    /// 0 at the tip; else the age of the last record answered (of the next one when none was).
    pub millis_behind_latest: u64,
    /// Filled only where `next` is `None`.
    pub child_shards: Vec<ChildShard>,
    /// Bytes of bodies and keys answered.
    pub bytes: usize,
}

/// Where the records went after a shard was split or merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildShard {
    pub id: ShardId,
    pub parents: Vec<ShardId>,
    pub range: HashRange,
}

impl Kinesis {
    /// The cursor of a position: GetShardIterator for consumers within the engine. Counts against the shard's five
    /// iterators a second.
    ///
    /// Errors: `ResourceNotFoundException`, `ProvisionedThroughputExceededException`.
    pub fn cursor(
        &mut self,
        cx: &mut Cx<'_>,
        stream: &str,
        shard: ShardId,
        position: Position,
    ) -> Result<Cursor, ApiError> {
        let stream = readable(&mut self.streams, cx, stream, shard)?;
        let Some(shard) = stream.shards.get_mut(&shard) else {
            return Err(fault::shard_does_not_exist(cx.place, &stream.name, shard));
        };
        let is_choked = stream.choked > 0.0 && cx.rng.random_bool(stream.choked);
        if is_choked || (cx.place.limits && !shard.limits.admit_iterator(cx.now)) {
            return Err(fault::shard_rate_exceeded(cx.place, &stream.name, shard.id));
        }
        Ok(shard.cursor_of(position))
    }

    /// Up to `limit` records from `from` on: GetRecords. Counts against the shard's 5 calls and 2 MiB a second, and
    /// into the metrics of GetRecords.
    ///
    /// Errors: `ResourceNotFoundException` when stream or shard are not there (any more),
    /// `ProvisionedThroughputExceededException`.
    pub fn read(
        &mut self,
        cx: &mut Cx<'_>,
        stream: &str,
        shard: ShardId,
        from: Cursor,
        limit: usize,
    ) -> Result<Batch, ApiError> {
        let keys = &self.keys;
        let stream = readable(&mut self.streams, cx, stream, shard)?;
        let horizon = stream.horizon(cx.now);
        let Some(shard) = stream.shards.get_mut(&shard) else {
            return Err(fault::shard_does_not_exist(cx.place, &stream.name, shard));
        };
        let of = Enhanced { stream: &stream.name, shard: shard.id, on: &stream.enhanced };
        let is_choked = stream.choked > 0.0 && cx.rng.random_bool(stream.choked);
        if is_choked || (cx.place.limits && !shard.limits.admit_read(cx.now)) {
            publish_throttled(&mut stream.series, &mut shard.series, of, cx);
            return Err(fault::shard_rate_exceeded(cx.place, &stream.name, shard.id));
        }
        shard.log.trim_before(horizon);
        let mut batch = collect(keys, shard, cx, from, limit.clamp(1, MAX_ANSWER_RECORDS), MAX_ANSWER_BYTES);
        shard.limits.charge_read(batch.bytes, cx.now);
        publish_read(&mut stream.series, &mut shard.series, of, cx, &batch);
        if batch.next.is_none() {
            let children = shard.children.clone();
            batch.child_shards = children.iter().filter_map(|id| stream.shards.get(id)).map(ChildShard::from).collect();
        }
        Ok(batch)
    }
}

impl Shard {
    pub(super) fn cursor_of(&self, position: Position) -> Cursor {
        match position {
            Position::TrimHorizon => Cursor(self.log.first()),
            Position::Latest => Cursor(self.log.next()),
            Position::At(sequence) => Cursor::at(sequence),
            Position::After(sequence) => Cursor::after(sequence),
            Position::AtTimestamp(time) => Cursor(self.log.at_or_after(time)),
        }
    }
}

impl From<&Shard> for ChildShard {
    fn from(shard: &Shard) -> Self {
        let parents = shard.parent.into_iter().chain(shard.adjacent_parent).collect();
        Self { id: shard.id, parents, range: shard.range }
    }
}

fn readable<'a>(
    streams: &'a mut BTreeMap<String, Stream>,
    cx: &Cx<'_>,
    name: &str,
    shard: ShardId,
) -> Result<&'a mut Stream, ApiError> {
    let stream = streams.get_mut(name).filter(|stream| stream.status != StreamStatus::Creating);
    let stream = stream.ok_or_else(|| fault::shard_does_not_exist(cx.place, name, shard))?;
    stream.trim(cx.now);
    Ok(stream)
}

/// Records from `from` on, up to `limit` and `max_bytes`; a single larger one comes alone.
pub(super) fn collect(keys: &Keys, shard: &Shard, cx: &Cx<'_>, from: Cursor, limit: usize, max_bytes: usize) -> Batch {
    // A cursor of an earlier stream of this name may lie beyond what this one has.
    let start = from.0.clamp(shard.log.first(), shard.log.next());
    let waiting = shard.log.next().saturating_sub(start).min(limit as u64) as usize;
    let mut records = Vec::with_capacity(waiting);
    let mut bytes = 0;
    shard.log.visit(start, |ordinal, arrived, key, data| {
        let size = cx.templates.len_of(&data) + keys.text(&key).len();
        if records.len() == limit || (bytes + size > max_bytes && !records.is_empty()) {
            return false;
        }
        bytes += size;
        records.push(Record { sequence: shard.sequence(ordinal, arrived), arrived, key, data });
        true
    });
    let next = start + records.len() as u64;
    let at_tip = next >= shard.log.next();
    let behind = match records.last() {
        _ if at_tip => None,
        Some(last) => Some(last.arrived),
        None => shard.log.arrived(next),
    };
    Batch {
        records,
        next: (shard.is_open() || !at_tip).then_some(Cursor(next)),
        millis_behind_latest: behind.map_or(0, |arrived| cx.now.since(arrived).as_millis() as u64),
        child_shards: vec![],
        bytes,
    }
}

fn publish_read(
    series: &mut StreamSeries,
    shard_series: &mut ShardSeries,
    of: Enhanced<'_>,
    cx: &mut Cx<'_>,
    batch: &Batch,
) {
    let (records, bytes, age_ms) = (batch.records.len() as f64, batch.bytes as f64, batch.millis_behind_latest as f64);
    series.add(cx, of.stream, StreamMetric::GetRecordsRecords, records);
    series.add(cx, of.stream, StreamMetric::GetRecordsBytes, bytes);
    series.add(cx, of.stream, StreamMetric::GetRecordsIteratorAge, age_ms);
    series.add(cx, of.stream, StreamMetric::GetRecordsSuccess, 1.0);
    series.add(cx, of.stream, StreamMetric::ReadThrottled, 0.0);
    series.latency(cx, of.stream, StreamMetric::GetRecordsLatency, 9.0 + bytes / 100_000.0);
    if !of.on.is_empty() {
        shard_series.add(cx, of, ShardMetric::OutgoingRecords, records);
        shard_series.add(cx, of, ShardMetric::OutgoingBytes, bytes);
        shard_series.add(cx, of, ShardMetric::IteratorAgeMilliseconds, age_ms);
        shard_series.add(cx, of, ShardMetric::ReadProvisionedThroughputExceeded, 0.0);
    }
}

fn publish_throttled(series: &mut StreamSeries, shard_series: &mut ShardSeries, of: Enhanced<'_>, cx: &mut Cx<'_>) {
    series.add(cx, of.stream, StreamMetric::ReadThrottled, 1.0);
    series.add(cx, of.stream, StreamMetric::GetRecordsSuccess, 0.0);
    shard_series.add(cx, of, ShardMetric::ReadProvisionedThroughputExceeded, 1.0);
}
