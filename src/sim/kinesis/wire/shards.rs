//! Operations on shards: list, split, merge, resize.

use super::Input;
use super::streams::{open_next_token, resized_json};
use crate::domain::time::Timestamp;
use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::kinesis::token::{self, TokenKind};
use crate::sim::kinesis::{ChildShard, HashRange, ShardFilter, ShardId, ShardSummary, fault};
use crate::sim::world::World;
use serde_json::{Value, json};

/// ListShards answers at most so many shards a page.
const PAGE: i64 = 1000;

pub(super) fn shard_json(shard: &ShardSummary) -> Value {
    let mut json = json!({ "ShardId": shard.id.to_string() });
    if let Some(parent) = shard.parent {
        json["ParentShardId"] = parent.to_string().into();
    }
    if let Some(parent) = shard.adjacent_parent {
        json["AdjacentParentShardId"] = parent.to_string().into();
    }
    json["HashKeyRange"] = range_json(shard.range);
    json["SequenceNumberRange"] = json!({ "StartingSequenceNumber": shard.starting_sequence.to_string() });
    if let Some(ending) = shard.ending_sequence {
        json["SequenceNumberRange"]["EndingSequenceNumber"] = ending.to_string().into();
    }
    json
}

pub(super) fn child_json(child: &ChildShard) -> Value {
    let parents: Vec<String> = child.parents.iter().map(ShardId::to_string).collect();
    json!({ "ShardId": child.id.to_string(), "ParentShards": parents, "HashKeyRange": range_json(child.range) })
}

fn range_json(range: HashRange) -> Value {
    json!({ "StartingHashKey": range.start.to_string(), "EndingHashKey": range.end.to_string() })
}

/// What a NextToken of ListShards continues.
struct Page<'a> {
    stream: String,
    filter: ShardFilter,
    /// The filter's words, kept for the next token.
    filter_text: String,
    after: Option<ShardId>,
    input: &'a Input<'a>,
}

pub(super) fn list(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let page = match input.optional_text("NextToken") {
        Some(token) => next_page(input, token, cx.now)?,
        None => first_page(input, cx.place)?,
    };
    let mut shards = kinesis.list_shards(&mut cx, &page.stream, page.filter)?;
    shards.retain(|shard| page.after.is_none_or(|after| shard.id > after));
    let limit = page.input.integer("MaxResults").unwrap_or(PAGE).min(PAGE) as usize;
    let has_more = shards.len() > limit;
    shards.truncate(limit);
    let mut answer = json!({ "Shards": shards.iter().map(shard_json).collect::<Vec<_>>() });
    if let (true, Some(last)) = (has_more, shards.last()) {
        let text = format!("{}/{}/{}", page.stream, page.filter_text, last.id.0);
        answer["NextToken"] = token::seal(TokenKind::Shards, cx.now, &text).into();
    }
    Ok(answer)
}

fn first_page<'a>(input: &'a Input<'a>, place: &Place) -> Result<Page<'a>, ApiError> {
    if input.get("StreamName").is_none() && input.get("StreamARN").is_none() {
        return Err(fault::invalid_argument("Either NextToken or StreamName should be provided."));
    }
    let filter_text = match input.structure("ShardFilter") {
        None => "FROM_TRIM_HORIZON".to_owned(),
        Some(filter) => filter_text(&filter)?,
    };
    let filter = parse_filter(&filter_text).ok_or_else(|| fault::invalid_argument("ShardFilter is invalid."))?;
    let after = match input.optional_text("ExclusiveStartShardId") {
        None => None,
        Some(_) if input.get("ShardFilter").is_some() => {
            let message = "ExclusiveStartShardId and ShardFilter cannot be provided together.";
            return Err(fault::invalid_argument(message));
        }
        Some(text) => {
            let id = ShardId::parse(text);
            Some(id.ok_or_else(|| fault::invalid_argument("ExclusiveStartShardId is no shard's id."))?)
        }
    };
    Ok(Page { stream: input.stream(place)?.to_owned(), filter, filter_text, after, input })
}

fn next_page<'a>(input: &'a Input<'a>, token: &str, now: Timestamp) -> Result<Page<'a>, ApiError> {
    // StreamARN may stand beside it: it leads to another account's stream.
    for name in ["StreamName", "StreamCreationTimestamp", "ExclusiveStartShardId", "ShardFilter"] {
        if input.get(name).is_some() {
            return Err(fault::invalid_argument(format!("NextToken and {name} cannot be provided together.")));
        }
    }
    let text = open_next_token(TokenKind::Shards, token, now)?;
    let invalid = || fault::invalid_argument("NextToken is invalid.");
    let mut parts = text.split('/');
    let stream = parts.next().ok_or_else(invalid)?.to_owned();
    let filter_text = parts.next().ok_or_else(invalid)?.to_owned();
    let after = parts.next().and_then(|part| part.parse().ok()).map(ShardId).ok_or_else(invalid)?;
    let filter = parse_filter(&filter_text).ok_or_else(invalid)?;
    Ok(Page { stream, filter, filter_text, after: Some(after), input })
}

/// The filter as `TYPE` or `TYPE=VALUE`.
fn filter_text(filter: &Input<'_>) -> Result<String, ApiError> {
    let kind = filter.text("Type");
    let value = match kind {
        "AFTER_SHARD_ID" => {
            let id = filter.optional_text("ShardId").and_then(ShardId::parse);
            id.map(|id| id.0.to_string())
                .ok_or_else(|| fault::invalid_argument("ShardId must be provided when Type is AFTER_SHARD_ID."))?
        }
        "AT_TIMESTAMP" | "FROM_TIMESTAMP" => {
            let time = filter.time("Timestamp").map(|time| time.millis().to_string());
            time.ok_or_else(|| fault::invalid_argument(format!("Timestamp must be provided when Type is {kind}.")))?
        }
        _ => return Ok(kind.to_owned()),
    };
    Ok(format!("{kind}={value}"))
}

fn parse_filter(text: &str) -> Option<ShardFilter> {
    let (kind, value) = text.split_once('=').unwrap_or((text, ""));
    let time = || value.parse().ok().map(Timestamp::from_millis);
    Some(match kind {
        "AFTER_SHARD_ID" => ShardFilter::AfterShardId(ShardId(value.parse().ok()?)),
        "AT_TRIM_HORIZON" => ShardFilter::AtTrimHorizon,
        "FROM_TRIM_HORIZON" => ShardFilter::FromTrimHorizon,
        "AT_LATEST" => ShardFilter::AtLatest,
        "AT_TIMESTAMP" => ShardFilter::AtTimestamp(time()?),
        "FROM_TIMESTAMP" => ShardFilter::FromTimestamp(time()?),
        _ => return None,
    })
}

fn shard_id(place: &Place, stream: &str, text: &str) -> Result<ShardId, ApiError> {
    ShardId::parse(text).ok_or_else(|| fault::could_not_find_shard(place, stream, text))
}

pub(super) fn split(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let stream = input.stream(cx.place)?;
    let id = shard_id(cx.place, stream, input.text("ShardToSplit"))?;
    let text = input.text("NewStartingHashKey");
    let at = match text.parse() {
        Ok(at) => at,
        // 39 digits can say more than the largest hash key.
        Err(_) => match kinesis.stream(stream).and_then(|stream| stream.shard(id)) {
            Some(shard) => return Err(fault::split_outside(cx.place, stream, shard, text)),
            None => u128::MAX,
        },
    };
    kinesis.split_shard(&mut cx, stream, id, at)?;
    Ok(Value::Null)
}

pub(super) fn merge(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let stream = input.stream(cx.place)?;
    let shard = shard_id(cx.place, stream, input.text("ShardToMerge"))?;
    let adjacent = shard_id(cx.place, stream, input.text("AdjacentShardToMerge"))?;
    kinesis.merge_shards(&mut cx, stream, shard, adjacent)?;
    Ok(Value::Null)
}

pub(super) fn update_count(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let stream = input.stream(cx.place)?;
    let target = u32::try_from(input.integer("TargetShardCount").unwrap_or_default()).unwrap_or(u32::MAX);
    let answer = kinesis.update_shard_count(&mut cx, stream, target)?;
    Ok(resized_json(cx.place, stream, answer.current, answer.target))
}
