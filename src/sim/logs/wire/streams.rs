//! Operations on log streams: create, delete, describe.

use super::input::{GROUP_PATTERN, Input, STREAM_PATTERN, invalid};
use super::{group_name, invalid_token, nothing, read_token, write_token};
use crate::sim::error::ApiError;
use crate::sim::function_logs::{self, Summary};
use crate::sim::logs::not_found;
use crate::sim::world::World;
use serde_json::{Map, Value, json};
use std::cmp::Reverse;

const PAGE_MAX: i64 = 50;

pub fn create(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let group = input.required_name("logGroupName", GROUP_PATTERN)?;
    let stream = input.required_name("logStreamName", STREAM_PATTERN)?;
    function_logs::adopt(world, group);
    if world.logs.group(group).is_some() && function_logs::summary(world, group, stream).is_some() {
        return Err(ApiError::client("ResourceAlreadyExistsException", "The specified log stream already exists"));
    }
    world.logs.create_stream(world.now, group, stream)?;
    Ok(nothing())
}

pub fn delete(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let group = input.required_name("logGroupName", GROUP_PATTERN)?;
    let stream = input.required_name("logStreamName", STREAM_PATTERN)?;
    function_logs::adopt(world, group);
    if world.logs.group(group).is_none() {
        return Err(not_found("group"));
    }
    function_logs::adopt_stream(world, group, stream);
    world.logs.delete_stream(world.now, group, stream)?;
    Ok(nothing())
}

pub fn describe(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let group = group_name(world, input)?;
    let prefix = input.name("logStreamNamePrefix", STREAM_PATTERN)?;
    let by_time = input.one_of("orderBy", &["LogStreamName", "LastEventTime"])? == Some("LastEventTime");
    if by_time && prefix.is_some() {
        return Err(invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
    }
    let is_descending = input.flag("descending")?.unwrap_or(false);
    let limit = input.bounded("limit", 1, PAGE_MAX)?.unwrap_or(PAGE_MAX) as usize;
    let after = input.text("nextToken")?.map(read_position).transpose()?;
    function_logs::adopt(world, group);
    if world.logs.group(group).is_none() {
        return Err(not_found("group"));
    }
    world.logs.expire_group(world.now, group);
    let mut all: Vec<(String, Summary)> = function_logs::summaries(world, group)
        .into_iter()
        .filter(|(name, _)| prefix.is_none_or(|prefix| name.starts_with(prefix)))
        .collect();
    let key = |name: &str, summary: &Summary| {
        let last = if by_time { summary.last.map_or(0, |at| at.millis()) } else { 0 };
        (last, name.to_owned())
    };
    if is_descending {
        all.sort_by_cached_key(|(name, summary)| Reverse(key(name, summary)));
    } else {
        all.sort_by_cached_key(|(name, summary)| key(name, summary));
    }
    let is_later = |(name, summary): &&(String, Summary)| {
        let key = key(name, summary);
        after.as_ref().is_none_or(|after| if is_descending { key < *after } else { key > *after })
    };
    let mut found = all.iter().filter(is_later);
    let page: Vec<&(String, Summary)> = found.by_ref().take(limit).collect();
    let shown: Vec<Value> = page.iter().map(|(name, summary)| value(world, group, name, summary)).collect();
    let mut answer = json!({ "logStreams": shown });
    if let (Some((name, summary)), Some(_)) = (page.last(), found.next()) {
        let (last, name) = key(name, summary);
        answer["nextToken"] = write_token(&format!("{last}:{name}")).into();
    }
    Ok(answer)
}

fn read_position(token: &str) -> Result<(i64, String), ApiError> {
    let text = read_token(token)?;
    let (last, name) = text.split_once(':').ok_or_else(invalid_token)?;
    Ok((last.parse().map_err(|_| invalid_token())?, name.to_owned()))
}

fn value(world: &World, group: &str, name: &str, summary: &Summary) -> Value {
    let mut value = Map::new();
    let mut put = |member: &str, value_of: Value| value.insert(member.to_owned(), value_of);
    put("logStreamName", name.into());
    put("creationTime", summary.created.millis().into());
    if let (Some(first), Some(last), Some(ingested)) = (summary.first, summary.last, summary.ingested) {
        put("firstEventTimestamp", first.millis().into());
        put("lastEventTimestamp", last.millis().into());
        put("lastIngestionTime", ingested.millis().into());
        put("uploadSequenceToken", super::events::sequence_token(ingested.millis()).into());
    }
    put("arn", world.place.arn("logs", &format!("log-group:{group}:log-stream:{name}")).into());
    // Since 2019 AWS gives the bytes of groups only.
    put("storedBytes", 0.into());
    Value::Object(value)
}
