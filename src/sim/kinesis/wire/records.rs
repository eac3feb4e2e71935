//! Operations on records: put, iterate, get.

use super::shards::child_json;
use super::{Input, dry_run};
use crate::domain::time::Timestamp;
use crate::sim::cx::{Cx, Place};
use crate::sim::error::ApiError;
use crate::sim::kinesis::iterator::ShardIterator;
use crate::sim::kinesis::{
    Kinesis, MAX_ANSWER_RECORDS, ParsedSequence, Position, PutKey, PutOutcome, PutRecord, Record, Sequence, Shard,
    ShardId, fault,
};
use crate::sim::payload::Payload;
use crate::sim::wire::serialization_error;
use crate::sim::world::World;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

pub(super) fn put_one(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let stream = input.stream(cx.place)?;
    let record = record_of(input)?;
    if let Some(minimum) = input.optional_text("SequenceNumberForOrdering") {
        check_ordering(&cx, stream, minimum)?;
    }
    if input.is_dry_run() {
        return Err(kinesis.writable(&cx, stream).map_or_else(|error| error, |()| dry_run()));
    }
    let (shard, sequence) = kinesis.put_record(&mut cx, stream, &record)?;
    let mut answer = json!({ "ShardId": shard.to_string(), "SequenceNumber": sequence.to_string() });
    note_encryption(kinesis, stream, &mut answer);
    Ok(answer)
}

pub(super) fn put_many(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let stream = input.stream(cx.place)?;
    let entries = input.get("Records").and_then(Value::as_array);
    let entries: Vec<Input<'_>> = entries.into_iter().flatten().map(Input::of).collect();
    let records = entries.iter().map(record_of).collect::<Result<Vec<_>, _>>()?;
    if input.is_dry_run() {
        return Err(kinesis.writable(&cx, stream).map_or_else(|error| error, |()| dry_run()));
    }
    let outcomes = kinesis.put_records(&mut cx, stream, &records)?;
    let failed = outcomes.iter().filter(|outcome| !outcome.is_ok()).count();
    let results: Vec<Value> = outcomes.iter().map(|outcome| outcome_json(cx.place, stream, outcome)).collect();
    let mut answer = json!({ "FailedRecordCount": failed, "Records": results });
    note_encryption(kinesis, stream, &mut answer);
    Ok(answer)
}

/// An encrypted stream says so in every answer to a put; another one says nothing.
fn note_encryption(kinesis: &Kinesis, stream: &str, answer: &mut Value) {
    if kinesis.stream(stream).is_some_and(|stream| stream.encryption_key().is_some()) {
        answer["EncryptionType"] = "KMS".into();
    }
}

fn outcome_json(place: &Place, stream: &str, outcome: &PutOutcome) -> Value {
    match outcome {
        PutOutcome::Ok { shard, sequence } => {
            json!({ "SequenceNumber": sequence.to_string(), "ShardId": shard.to_string() })
        }
        PutOutcome::Throttled { shard } => json!({
            "ErrorCode": "ProvisionedThroughputExceededException",
            "ErrorMessage": fault::shard_rate_exceeded_message(place, stream, *shard),
        }),
    }
}

fn record_of<'a>(input: &Input<'a>) -> Result<PutRecord<'a>, ApiError> {
    let text = input.text("Data");
    let data = STANDARD.decode(text).map_err(|_| {
        let why = "Invalid last non-pad Base64 character dectected";
        serialization_error(format!("'{text}' can not be converted to a Blob: {why}"))
    })?;
    let explicit_hash = match input.optional_text("ExplicitHashKey") {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| {
            fault::invalid_argument(format!(
                "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was {text}"
            ))
        })?),
    };
    Ok(PutRecord { key: PutKey::Text(input.text("PartitionKey")), explicit_hash, data: Payload::Sent(data.into()) })
}

/// PutRecord's SequenceNumberForOrdering must be a sequence number, and not of the future. Records of a shard rise
/// anyway.
fn check_ordering(cx: &Cx<'_>, stream: &str, minimum: &str) -> Result<(), ApiError> {
    let parsed = Sequence::parse(minimum);
    match parsed {
        Some(ParsedSequence::Current(sequence)) if sequence.at_s as i64 <= cx.now.secs() => Ok(()),
        Some(ParsedSequence::Old { .. }) => Ok(()),
        _ => Err(fault::invalid_argument(format!(
            "ExclusiveMinimumSequenceNumber {minimum} used in PutRecord on stream {stream} under account {} is invalid.",
            cx.place.account
        ))),
    }
}

pub(super) fn get_shard_iterator(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let stream = input.stream(cx.place)?;
    let text = input.text("ShardId");
    let id = ShardId::parse(text).ok_or_else(|| fault::could_not_find_shard(cx.place, stream, text))?;
    let Some(shard) = kinesis.stream(stream).and_then(|stream| stream.shard(id)) else {
        return Err(fault::shard_does_not_exist(cx.place, stream, id));
    };
    let kind = input.text("ShardIteratorType");
    let position = position(&cx, stream, shard, kind, input.optional_text("StartingSequenceNumber"), input)?;
    if input.is_dry_run() {
        return Err(dry_run());
    }
    let cursor = kinesis.cursor(&mut cx, stream, id, position)?;
    let iterator = ShardIterator { stream: stream.to_owned(), shard: id, cursor };
    Ok(json!({ "ShardIterator": iterator.seal(cx.now) }))
}

/// The position that a type and a sequence number, or `input`'s `Timestamp`, name.
pub(super) fn position(
    cx: &Cx<'_>,
    stream: &str,
    shard: &Shard,
    kind: &str,
    number: Option<&str>,
    input: &Input<'_>,
) -> Result<Position, ApiError> {
    let with_sequence = matches!(kind, "AT_SEQUENCE_NUMBER" | "AFTER_SEQUENCE_NUMBER");
    if with_sequence != number.is_some() {
        let found = if with_sequence { "no StartingSequenceNumber" } else { "also a StartingSequenceNumber" };
        return Err(fault::invalid_argument(format!(
            "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or (2) \
             TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified {kind} and {found}."
        )));
    }
    match (kind, number) {
        ("TRIM_HORIZON", _) => Ok(Position::TrimHorizon),
        ("LATEST", _) => Ok(Position::Latest),
        ("AT_SEQUENCE_NUMBER", Some(number)) => sequence_of(cx, stream, shard, number).map(Position::At),
        ("AFTER_SEQUENCE_NUMBER", Some(number)) => sequence_of(cx, stream, shard, number).map(Position::After),
        _ => timestamp_of(cx.now, input).map(Position::AtTimestamp),
    }
}

fn timestamp_of(now: Timestamp, input: &Input<'_>) -> Result<Timestamp, ApiError> {
    let time = input.time("Timestamp").ok_or_else(|| {
        fault::invalid_argument(
            "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current request has no \
             timestamp parameter.",
        )
    })?;
    if time > now {
        return Err(fault::invalid_argument(format!(
            "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. timestampInMillis: \
             {}, currentTimestampInMillis: {}",
            time.millis(),
            now.millis()
        )));
    }
    Ok(time)
}

/// The sequence number, if it is one and of this shard.
fn sequence_of(cx: &Cx<'_>, stream: &str, shard: &Shard, number: &str) -> Result<Sequence, ApiError> {
    let refuse = |number: &str, why: &str| {
        fault::invalid_argument(format!(
            "StartingSequenceNumber {number} used in GetShardIterator on shard {} in stream {stream} under account {} \
             is invalid{why}",
            shard.id, cx.place.account
        ))
    };
    let foreign = " because it did not come from this stream.";
    let parsed = Sequence::parse(number).ok_or_else(|| refuse(number, "."))?;
    let of_shard = match parsed {
        ParsedSequence::Current(sequence) => sequence.shard,
        ParsedSequence::Old { shard, .. } => shard,
    };
    if of_shard != shard.id {
        return Err(fault::invalid_argument(format!(
            "Invalid StartingSequenceNumber. It encodes {of_shard}, while it was used in a call to a shard with {}",
            shard.id
        )));
    }
    match parsed {
        ParsedSequence::Current(sequence) if sequence.shard_created_s == shard.created_s => Ok(sequence),
        ParsedSequence::Current(_) => Err(refuse(number, foreign)),
        ParsedSequence::Old { number, .. } => Err(refuse(&number.to_string(), foreign)),
    }
}

pub(super) fn get(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let iterator = ShardIterator::open(input.text("ShardIterator"), cx.now)?;
    if input.is_dry_run() {
        return Err(dry_run());
    }
    let limit = input.integer("Limit").map_or(MAX_ANSWER_RECORDS, |limit| limit as usize);
    let batch = kinesis.read(&mut cx, &iterator.stream, iterator.shard, iterator.cursor, limit)?;
    let mut answer = json!({ "Records": records_json(kinesis, &cx, &iterator.stream, &batch.records) });
    if let Some(cursor) = batch.next {
        answer["NextShardIterator"] = ShardIterator { cursor, ..iterator }.seal(cx.now).into();
    }
    answer["MillisBehindLatest"] = batch.millis_behind_latest.into();
    if batch.next.is_none() {
        answer["ChildShards"] = batch.child_shards.iter().map(child_json).collect();
    }
    Ok(answer)
}

pub(super) fn records_json(kinesis: &Kinesis, cx: &Cx<'_>, stream: &str, records: &[Record]) -> Value {
    let encryption = kinesis.stream(stream).and_then(|stream| stream.encryption.as_ref());
    let record_json = |record: &Record| {
        let key = kinesis.key_text(&record.key);
        let mut json = json!({
            "SequenceNumber": record.sequence.to_string(),
            "ApproximateArrivalTimestamp": record.arrived.secs_f64(),
            "Data": STANDARD.encode(cx.templates.read(&record.data, key)),
            "PartitionKey": key,
        });
        if encryption.is_some_and(|encryption| encryption.covers(record.arrived)) {
            json["EncryptionType"] = "KMS".into();
        }
        json
    };
    records.iter().map(record_json).collect()
}
