//! Writing: PutRecord and PutRecords, with each shard's write limits and the partial failures that they cause.

use super::fault;
use super::key::{Key, KeyId, hash_of};
use super::metrics::{Enhanced, ShardMetric, StreamMetric};
use super::sequence::{Sequence, ShardId};
use super::shard::Tally;
use super::stream::{Stream, StreamMode, StreamStatus};
use super::{Keys, Kinesis, demand};
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::payload::Payload;
use rand::RngExt;

/// PutRecords takes at most so many bytes of bodies and keys in one call.
const MAX_REQUEST_BYTES: usize = 10 << 20;
const MAX_REQUEST_RECORDS: usize = 500;

/// A record to put.
#[derive(Clone, Debug)]
pub struct PutRecord<'a> {
    pub key: PutKey<'a>,
    /// Overrides the key's hash.
    pub explicit_hash: Option<u128>,
    pub data: Payload,
}

/// The partition key of a record to put: an actor's, from the table, or a client's text.
#[derive(Clone, Copy, Debug)]
pub enum PutKey<'a> {
    Interned(KeyId),
    Text(&'a str),
}

/// What became of one record of a PutRecords call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    Ok {
        shard: ShardId,
        sequence: Sequence,
    },
    /// The shard's write limit refused it: `ProvisionedThroughputExceededException`. Nothing was stored.
    Throttled {
        shard: ShardId,
    },
}

impl PutOutcome {
    pub fn is_ok(&self) -> bool {
        matches!(self, Self::Ok { .. })
    }
}

impl Kinesis {
    /// Writes up to 500 records, each on its own: one that its shard throttles does not hold up the others. Outcomes
    /// are in the order of `records`.
    ///
    /// Errors: `ResourceNotFoundException` when the stream is not there or not yet created;
    /// `InvalidArgumentException` when the records are above 10 MiB together, `ValidationException` when one is above
    /// the stream's largest size (1 MiB unless raised) or there are more than 500. Nothing is stored then.
    pub fn put_records(
        &mut self,
        cx: &mut Cx<'_>,
        stream: &str,
        records: &[PutRecord<'_>],
    ) -> Result<Vec<PutOutcome>, ApiError> {
        let keys = &self.keys;
        let stream = writable(&mut self.streams, cx, stream)?;
        if records.len() > MAX_REQUEST_RECORDS {
            return Err(too_long("records", MAX_REQUEST_RECORDS));
        }
        let mut request_bytes = 0;
        for (index, record) in records.iter().enumerate() {
            let bytes = record_bytes(keys, cx, record);
            if bytes > stream.max_record_bytes() {
                return Err(too_long(&format!("records.{}.member.data", index + 1), stream.max_record_bytes()));
            }
            request_bytes += bytes;
        }
        if request_bytes > MAX_REQUEST_BYTES {
            return Err(fault::invalid_argument("Records size exceeds 10 MB limit"));
        }
        stream.trim(cx.now);
        let mut total = Tally::default();
        let mut outcomes = Vec::with_capacity(records.len());
        for record in records {
            outcomes.push(put_one(keys, stream, cx, record, &mut total)?);
        }
        publish_shards(stream, cx);
        publish_put_records(stream, cx, total);
        count_demand(stream, cx, total);
        cx.waits.stream_changed(&stream.name);
        Ok(outcomes)
    }

    /// Whether the stream would take records now. Errors: `ResourceNotFoundException`.
    pub fn writable(&mut self, cx: &Cx<'_>, stream: &str) -> Result<(), ApiError> {
        writable(&mut self.streams, cx, stream).map(|_| ())
    }

    /// Writes one record.
    ///
    /// Errors: as [`Kinesis::put_records`], and `ProvisionedThroughputExceededException` when the shard throttles it.
    pub fn put_record(
        &mut self,
        cx: &mut Cx<'_>,
        stream: &str,
        record: &PutRecord<'_>,
    ) -> Result<(ShardId, Sequence), ApiError> {
        let keys = &self.keys;
        let stream = writable(&mut self.streams, cx, stream)?;
        if record_bytes(keys, cx, record) > stream.max_record_bytes() {
            return Err(too_long("data", stream.max_record_bytes()));
        }
        stream.trim(cx.now);
        let mut total = Tally::default();
        let outcome = put_one(keys, stream, cx, record, &mut total)?;
        publish_shards(stream, cx);
        publish_put_record(stream, cx, total);
        count_demand(stream, cx, total);
        cx.waits.stream_changed(&stream.name);
        match outcome {
            PutOutcome::Ok { shard, sequence } => Ok((shard, sequence)),
            PutOutcome::Throttled { shard } => Err(fault::shard_rate_exceeded(cx.place, &stream.name, shard)),
        }
    }
}

fn writable<'a>(
    streams: &'a mut std::collections::BTreeMap<String, Stream>,
    cx: &Cx<'_>,
    name: &str,
) -> Result<&'a mut Stream, ApiError> {
    streams
        .get_mut(name)
        .filter(|stream| matches!(stream.status, StreamStatus::Active | StreamStatus::Updating))
        .ok_or_else(|| fault::stream_not_found(cx.place, name))
}

fn record_bytes(keys: &Keys, cx: &Cx<'_>, record: &PutRecord<'_>) -> usize {
    let key = match record.key {
        PutKey::Interned(id) => keys.get(id).text.len(),
        PutKey::Text(text) => text.len(),
    };
    cx.templates.len_of(&record.data) + key
}

fn too_long(path: &str, longest: usize) -> ApiError {
    let message = format!(
        "1 validation error detected: Value at '{path}' failed to satisfy constraint: Member must have length less than \
         or equal to {longest}"
    );
    ApiError::client("ValidationException", message)
}

fn put_one(
    keys: &Keys,
    stream: &mut Stream,
    cx: &mut Cx<'_>,
    record: &PutRecord<'_>,
    total: &mut Tally,
) -> Result<PutOutcome, ApiError> {
    let bytes = record_bytes(keys, cx, record);
    let hash = match (record.explicit_hash, record.key) {
        (Some(hash), _) => hash,
        (None, PutKey::Interned(id)) => keys.get(id).hash,
        (None, PutKey::Text(text)) => hash_of(text),
    };
    let routed = stream.route(hash);
    let Some(shard) = routed.and_then(|id| stream.shards.get_mut(&id)) else {
        return Err(fault::stream_not_found(cx.place, &stream.name));
    };
    let is_choked = stream.choked > 0.0 && cx.rng.random_bool(stream.choked);
    let admitted = !is_choked && (!cx.place.limits || shard.limits.admit_write(bytes, cx.now));
    total.count(bytes, admitted);
    if !stream.enhanced.is_empty() {
        shard.tally.count(bytes, admitted);
    }
    if !admitted {
        return Ok(PutOutcome::Throttled { shard: shard.id });
    }
    let key = match record.key {
        PutKey::Interned(id) => Key::Interned(id),
        PutKey::Text(text) => Key::Text(text.into()),
    };
    let ordinal = shard.log.push(cx.now, key, record.data.clone());
    Ok(PutOutcome::Ok { shard: shard.id, sequence: shard.sequence(ordinal, cx.now) })
}

/// Moves each shard's tally of this call to its metrics.
fn publish_shards(stream: &mut Stream, cx: &mut Cx<'_>) {
    let Stream { name, enhanced, shards, .. } = stream;
    if enhanced.is_empty() {
        return;
    }
    for shard in shards.values_mut() {
        let tally = std::mem::take(&mut shard.tally);
        if tally.records == 0 && tally.throttled == 0 {
            continue;
        }
        let of = Enhanced { stream: name, shard: shard.id, on: enhanced };
        shard.series.count(cx, of, ShardMetric::IncomingRecords, tally.records);
        if tally.records > 0 {
            shard.series.add(cx, of, ShardMetric::IncomingBytes, tally.bytes as f64);
        }
        shard.series.ratio(cx, of, ShardMetric::WriteProvisionedThroughputExceeded, tally.records, tally.throttled);
    }
}

fn publish_put_records(stream: &mut Stream, cx: &mut Cx<'_>, total: Tally) {
    let Stream { name, series, .. } = stream;
    publish_incoming(name, series, cx, total);
    if total.records > 0 {
        series.add(cx, name, StreamMetric::PutRecordsBytes, total.bytes as f64);
    }
    // A call counts as a success when at least one record got in.
    series.add(cx, name, StreamMetric::PutRecordsSuccess, f64::from(u8::from(total.records > 0)));
    series.add(cx, name, StreamMetric::PutRecordsTotal, f64::from(total.records + total.throttled));
    series.add(cx, name, StreamMetric::PutRecordsSuccessful, f64::from(total.records));
    series.add(cx, name, StreamMetric::PutRecordsFailed, 0.0);
    series.add(cx, name, StreamMetric::PutRecordsThrottled, f64::from(total.throttled));
    series.latency(cx, name, StreamMetric::PutRecordsLatency, 14.0);
}

fn publish_put_record(stream: &mut Stream, cx: &mut Cx<'_>, total: Tally) {
    let Stream { name, series, .. } = stream;
    publish_incoming(name, series, cx, total);
    if total.records > 0 {
        series.add(cx, name, StreamMetric::PutRecordBytes, total.bytes as f64);
    }
    series.add(cx, name, StreamMetric::PutRecordSuccess, f64::from(total.records));
    series.latency(cx, name, StreamMetric::PutRecordLatency, 9.0);
}

/// What an on-demand stream grows by counts what was refused too.
fn count_demand(stream: &mut Stream, cx: &mut Cx<'_>, total: Tally) {
    if stream.mode == StreamMode::OnDemand {
        let asked = total.records + total.throttled;
        let each = total.bytes / u64::from(total.records.max(1));
        demand::count(stream, cx, asked, each * u64::from(asked));
    }
}

fn publish_incoming(name: &str, series: &mut super::metrics::StreamSeries, cx: &mut Cx<'_>, total: Tally) {
    series.count(cx, name, StreamMetric::IncomingRecords, total.records);
    if total.records > 0 {
        series.add(cx, name, StreamMetric::IncomingBytes, total.bytes as f64);
    }
    series.ratio(cx, name, StreamMetric::WriteThrottled, total.records, total.throttled);
}
