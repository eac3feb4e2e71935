//! Operations on whole streams.

use super::Input;
use super::shards::shard_json;
use crate::domain::time::Timestamp;
use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::kinesis::token::{self, TokenKind};
use crate::sim::kinesis::{Kinesis, MonitoringAnswer, ShardId, ShardMetric, StreamMode, StreamSummary, fault};
use crate::sim::world::World;
use serde_json::{Value, json};

/// ListStreams and DescribeStream answer at most so many entries, whatever Limit says.
const PAGE: i64 = 100;
/// A NextToken is good for so long.
pub(super) const TOKEN_LIFE_MS: u128 = 300_000;

pub(super) fn create(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    // Asked for neither a mode nor a count, AWS makes a stream of four shards: an on-demand one.
    let on_demand = match input.structure("StreamModeDetails") {
        Some(mode) => mode.text("StreamMode") == "ON_DEMAND",
        None => input.get("ShardCount").is_none(),
    };
    let shards = match (on_demand, input.integer("ShardCount")) {
        (true, Some(_)) => {
            return Err(fault::invalid_argument("ShardCount must not be provided for a stream in ON_DEMAND mode."));
        }
        (true, None) => 0,
        (false, Some(shards)) => u32::try_from(shards).unwrap_or(u32::MAX),
        (false, None) => return Err(fault::invalid_argument("ShardCount is required for a PROVISIONED stream.")),
    };
    let mode = if on_demand { StreamMode::OnDemand } else { StreamMode::Provisioned };
    let (kinesis, mut cx) = world.kinesis_cx();
    let name = input.text("StreamName");
    let tags = input.tags();
    Kinesis::check_first_tags(&cx, name, &tags)?;
    kinesis.create_stream(&mut cx, name, shards, mode)?;
    if !tags.is_empty() {
        kinesis.set_tags(&cx, name, tags)?;
    }
    if let Some(kib) = input.integer("MaxRecordSizeInKiB").and_then(|kib| u32::try_from(kib).ok()) {
        kinesis.set_max_record_size(&cx, name, kib)?;
    }
    Ok(Value::Null)
}

pub(super) fn delete(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let stream = input.stream(cx.place)?;
    kinesis.delete_stream(&mut cx, stream, input.is_true("EnforceConsumerDeletion"))?;
    Ok(Value::Null)
}

pub(super) fn list(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let after = match (input.optional_text("NextToken"), input.optional_text("ExclusiveStartStreamName")) {
        (Some(_), Some(_)) => {
            let message = "NextToken and ExclusiveStartStreamName cannot be provided together.";
            return Err(fault::invalid_argument(message));
        }
        (Some(token), None) => Some(open_next_token(TokenKind::Streams, token, cx.now)?),
        (None, name) => name.map(str::to_owned),
    };
    let limit = input.integer("Limit").unwrap_or(PAGE).min(PAGE) as usize;
    let mut streams = kinesis.list_streams(&mut cx)?;
    streams.retain(|stream| after.as_ref().is_none_or(|after| stream.name > *after));
    let has_more = streams.len() > limit;
    streams.truncate(limit);
    let names: Vec<&str> = streams.iter().map(|stream| stream.name.as_str()).collect();
    let summaries: Vec<Value> = streams.iter().map(|stream| listed_json(cx.place, stream)).collect();
    let mut answer = json!({ "HasMoreStreams": has_more, "StreamNames": names, "StreamSummaries": summaries });
    if let (true, Some(last)) = (has_more, streams.last()) {
        answer["NextToken"] = token::seal(TokenKind::Streams, cx.now, &last.name).into();
    }
    Ok(answer)
}

/// Reads a NextToken.
///
/// Errors: `InvalidArgumentException` for what is none of ours, `ExpiredNextTokenException` after five minutes.
pub(super) fn open_next_token(kind: TokenKind, token: &str, now: Timestamp) -> Result<String, ApiError> {
    let (issued, text) = token::open(kind, token).ok_or_else(|| fault::invalid_argument("NextToken is invalid."))?;
    if now.since(issued).as_millis() > TOKEN_LIFE_MS {
        return Err(ApiError::client("ExpiredNextTokenException", "NextToken has expired."));
    }
    Ok(text)
}

fn listed_json(place: &Place, stream: &StreamSummary) -> Value {
    json!({
        "StreamName": stream.name,
        "StreamARN": stream_arn(place, &stream.name),
        "StreamStatus": stream.status.name(),
        "StreamModeDetails": { "StreamMode": stream.mode.name() },
        "StreamCreationTimestamp": stream.created.secs_f64(),
    })
}

/// What DescribeStream and DescribeStreamSummary have in common.
fn stream_json(place: &Place, stream: &StreamSummary) -> Value {
    let mut json = listed_json(place, stream);
    json["RetentionPeriodHours"] = stream.retention_hours.into();
    json["EnhancedMonitoring"] = json!([{ "ShardLevelMetrics": names(&stream.enhanced) }]);
    match &stream.encryption_key {
        None => json["EncryptionType"] = "NONE".into(),
        Some(key) => {
            json["EncryptionType"] = "KMS".into();
            json["KeyId"] = key.clone().into();
        }
    }
    json
}

pub(super) fn stream_arn(place: &Place, name: &str) -> String {
    place.arn("kinesis", &format!("stream/{name}"))
}

pub(super) fn describe(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let stream = input.stream(cx.place)?;
    let (stream, mut shards) = kinesis.describe_stream(&mut cx, stream)?;
    if let Some(after) = input.optional_text("ExclusiveStartShardId") {
        let after = ShardId::parse(after);
        let after = after.ok_or_else(|| fault::invalid_argument("ExclusiveStartShardId is no shard's id."))?;
        shards.retain(|shard| shard.id > after);
    }
    let limit = input.integer("Limit").unwrap_or(PAGE).min(PAGE) as usize;
    let mut json = stream_json(cx.place, &stream);
    json["HasMoreShards"] = (shards.len() > limit).into();
    json["Shards"] = shards.iter().take(limit).map(shard_json).collect();
    Ok(json!({ "StreamDescription": json }))
}

pub(super) fn describe_summary(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let stream = input.stream(cx.place)?;
    let stream = kinesis.describe_stream_summary(&mut cx, stream)?;
    let mut json = stream_json(cx.place, &stream);
    json["OpenShardCount"] = stream.open_shards.into();
    json["ConsumerCount"] = stream.consumers.into();
    if let Some(target) = stream.warm_mib_per_s {
        json["WarmThroughput"] = json!({ "TargetMiBps": target, "CurrentMiBps": target.min(stream.open_shards) });
    }
    json["MaxRecordSizeInKiB"] = stream.max_record_kib.into();
    Ok(json!({ "StreamDescriptionSummary": json }))
}

pub(super) fn describe_limits(world: &mut World, _input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let limits = kinesis.describe_limits(&mut cx)?;
    Ok(json!({
        "ShardLimit": limits.shard_limit,
        "OpenShardCount": limits.open_shards,
        "OnDemandStreamCount": limits.on_demand_streams,
        "OnDemandStreamCountLimit": limits.on_demand_stream_limit,
    }))
}

pub(super) fn increase_retention(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let stream = input.stream(cx.place)?;
    kinesis.increase_retention(&mut cx, stream, hours(input))?;
    Ok(Value::Null)
}

pub(super) fn decrease_retention(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let stream = input.stream(cx.place)?;
    kinesis.decrease_retention(&mut cx, stream, hours(input))?;
    Ok(Value::Null)
}

fn hours(input: &Input<'_>) -> u32 {
    u32::try_from(input.integer("RetentionPeriodHours").unwrap_or_default()).unwrap_or(u32::MAX)
}

pub(super) fn enable_monitoring(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let stream = input.stream(cx.place)?;
    let answer = kinesis.enable_monitoring(&mut cx, stream, &metrics(input))?;
    Ok(monitoring_json(cx.place, stream, &answer))
}

pub(super) fn disable_monitoring(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let stream = input.stream(cx.place)?;
    let answer = kinesis.disable_monitoring(&mut cx, stream, &metrics(input))?;
    Ok(monitoring_json(cx.place, stream, &answer))
}

fn metrics(input: &Input<'_>) -> Vec<ShardMetric> {
    let named = input.get("ShardLevelMetrics").and_then(Value::as_array);
    let named: Vec<&str> = named.into_iter().flatten().filter_map(Value::as_str).collect();
    let all = named.contains(&"ALL");
    ShardMetric::ALL.into_iter().filter(|metric| all || named.contains(&metric.name())).collect()
}

fn names(metrics: &[ShardMetric]) -> Vec<&'static str> {
    metrics.iter().map(|metric| metric.name()).collect()
}

fn monitoring_json(place: &Place, stream: &str, answer: &MonitoringAnswer) -> Value {
    json!({
        "StreamName": stream,
        "StreamARN": stream_arn(place, stream),
        "CurrentShardLevelMetrics": names(&answer.before),
        "DesiredShardLevelMetrics": names(&answer.after),
    })
}

pub(super) fn resized_json(place: &Place, stream: &str, current: u32, target: u32) -> Value {
    json!({
        "StreamName": stream,
        "StreamARN": stream_arn(place, stream),
        "CurrentShardCount": current,
        "TargetShardCount": target,
    })
}
