//! Operations on log events: PutLogEvents, GetLogEvents, FilterLogEvents.

use super::input::{
    GROUP_PATTERN, Input, STREAM_PATTERN, check_length, check_name, check_size, constraint, invalid, too_many,
};
use super::{group_name, invalid_token, read_token, write_token};
use crate::sim::error::ApiError;
use crate::sim::function_logs;
use crate::sim::log_routes;
use crate::sim::logs::{EVENT_OVERHEAD, Event, Incoming, Pattern, Place, not_found};
use crate::sim::payload;
use crate::sim::world::World;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Events of one batch, at most, and its bytes (PutLogEvents).
const BATCH_MAX: usize = 10_000;
const BATCH_BYTES_MAX: usize = 1 << 20;
const DAY_MS: i64 = 86_400_000;
/// Events of one page, at most, and its bytes.
const PAGE_MAX: i64 = 10_000;
const PAGE_BYTES_MAX: usize = 1 << 20;

/// What PutLogEvents hands out as the next token; AWS no longer asks for it.
pub fn sequence_token(seed: i64) -> String {
    let mut state = seed.unsigned_abs();
    format!("49{:020}{:020}{:014}", payload::next(&mut state), payload::next(&mut state), state % 100_000_000_000_000)
}

pub fn put(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let group = input.required_name("logGroupName", GROUP_PATTERN)?;
    let stream = input.required_name("logStreamName", STREAM_PATTERN)?;
    let batch = read_batch(input)?;
    function_logs::adopt(world, group);
    if world.logs.group(group).is_some() {
        function_logs::adopt_stream(world, group, stream);
    }
    check_batch(&batch)?;
    let rejected = world.logs.put(world.now, (group, stream), &batch)?;
    let first = rejected.too_old_end.max(rejected.expired_end).unwrap_or(0);
    let end = rejected.too_new_start.unwrap_or(batch.len());
    log_routes::written(world, group, stream, batch.get(first..end).unwrap_or_default());
    let mut answer = json!({ "nextSequenceToken": sequence_token(world.now.millis()) });
    let mut info = Map::new();
    for (member, index) in [
        ("tooNewLogEventStartIndex", rejected.too_new_start),
        ("tooOldLogEventEndIndex", rejected.too_old_end),
        ("expiredLogEventEndIndex", rejected.expired_end),
    ] {
        if let Some(index) = index {
            info.insert(member.into(), index.into());
        }
    }
    if !info.is_empty() {
        answer["rejectedLogEventsInfo"] = info.into();
    }
    Ok(answer)
}

fn read_batch(input: Input<'_>) -> Result<Vec<Incoming>, ApiError> {
    let null = |member: &str| constraint(None, member, "Member must not be null");
    let events = input.list("logEvents")?.ok_or_else(|| null("logEvents"))?;
    if events.is_empty() {
        return Err(constraint(Some("[]"), "logEvents", "Member must have length greater than or equal to 1"));
    }
    if events.len() > BATCH_MAX {
        return Err(too_many("logEvents", BATCH_MAX));
    }
    let mut batch = Vec::with_capacity(events.len());
    for (index, event) in events.iter().enumerate() {
        let event = Input::of(event)?;
        let path = |member: &str| format!("logEvents.{}.member.{member}", index + 1);
        let at_ms = event.integer("timestamp")?.ok_or_else(|| null(&path("timestamp")))?;
        let message = event.text("message")?.ok_or_else(|| null(&path("message")))?;
        if at_ms < 0 {
            let words = "Member must have value greater than or equal to 0";
            return Err(constraint(Some(&at_ms.to_string()), &path("timestamp"), words));
        }
        if message.is_empty() {
            let words = "Member must have length greater than or equal to 1";
            return Err(constraint(Some(""), &path("message"), words));
        }
        batch.push(Incoming { at_ms, message: Arc::from(message) });
    }
    Ok(batch)
}

fn check_batch(batch: &[Incoming]) -> Result<(), ApiError> {
    if batch.windows(2).any(|pair| pair[0].at_ms > pair[1].at_ms) {
        return Err(invalid("Log events in a single PutLogEvents request must be in chronological order."));
    }
    if let (Some(first), Some(last)) = (batch.first(), batch.last())
        && last.at_ms - first.at_ms > DAY_MS
    {
        let message = "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.";
        return Err(invalid(message));
    }
    let bytes = batch.iter().map(|event| event.message.len() + EVENT_OVERHEAD).sum::<usize>();
    if bytes > BATCH_BYTES_MAX {
        return Err(invalid(format!("Upload too large: {bytes} bytes exceeds limit of {BATCH_BYTES_MAX}")));
    }
    Ok(())
}

/// Which way a page lies from a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Forward,
    Backward,
}

/// `f/…/s` or `b/…/s` with 56 digits, as AWS's tokens look.
fn cursor(way: Way, (ms, tie): Place) -> String {
    let letter = if way == Way::Forward { 'f' } else { 'b' };
    format!("{letter}/3{:015}{:020}{:020}/s", ms.clamp(0, 999_999_999_999_999), tie, 0)
}

fn read_cursor(token: &str) -> Result<(Way, Place), ApiError> {
    let mut parts = token.split('/');
    let way = match parts.next() {
        Some("f") => Way::Forward,
        Some("b") => Way::Backward,
        _ => return Err(invalid_token()),
    };
    let digits = parts.next().filter(|digits| digits.len() == 56 && digits.bytes().all(|b| b.is_ascii_digit()));
    let digits = digits.ok_or_else(invalid_token)?;
    let (ms, tie) = (digits[1..16].parse().ok(), digits[16..36].parse().ok());
    match (ms, tie) {
        (Some(ms), Some(tie)) => Ok((way, (ms, tie))),
        _ => Err(invalid_token()),
    }
}

pub fn get(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let group = group_name(world, input)?;
    let stream = input.required_name("logStreamName", STREAM_PATTERN)?;
    let limit = input.bounded("limit", 1, PAGE_MAX)?.unwrap_or(PAGE_MAX) as usize;
    let (start, end) = (input.time("startTime")?.unwrap_or(0), input.time("endTime")?.unwrap_or(i64::MAX));
    let from_head = input.flag("startFromHead")?.unwrap_or(false);
    let token = input.text("nextToken")?.map(read_cursor).transpose()?;
    function_logs::adopt(world, group);
    if world.logs.group(group).is_none() {
        return Err(not_found("group"));
    }
    world.logs.expire_group(world.now, group);
    let all = function_logs::events(world, group, stream).ok_or_else(|| not_found("stream"))?;
    let is_in = |event: &&Event| event.place.0 >= start && event.place.0 < end;
    let within = all.iter().filter(is_in);
    let (way, place) = token.unwrap_or(match from_head {
        true => (Way::Forward, (0, 0)),
        false => (Way::Backward, (i64::MAX, u64::MAX)),
    });
    let page: Vec<&Event> = match way {
        Way::Forward => take_page(within.filter(|event| event.place > place), limit),
        Way::Backward => {
            let earlier: Vec<&Event> = within.filter(|event| event.place < place).collect();
            let mut page = take_page(earlier.into_iter().rev(), limit);
            page.reverse();
            page
        }
    };
    // At an end the token stays where it is: that is how a reader knows.
    let (first, last) =
        (page.first().map_or(place, |event| event.place), page.last().map_or(place, |event| event.place));
    let shown = |event: &&Event| json!({ "timestamp": event.place.0, "message": &*event.message, "ingestionTime": event.ingested.millis() });
    Ok(json!({
        "events": page.iter().map(shown).collect::<Vec<_>>(),
        "nextForwardToken": cursor(Way::Forward, last),
        "nextBackwardToken": cursor(Way::Backward, first),
    }))
}

/// As many events as a page may have.
fn take_page<'a>(events: impl Iterator<Item = &'a Event>, limit: usize) -> Vec<&'a Event> {
    let mut bytes = 0;
    let fits = |event: &&Event| {
        bytes += event.message.len() + EVENT_OVERHEAD;
        bytes <= PAGE_BYTES_MAX || bytes == event.message.len() + EVENT_OVERHEAD
    };
    events.take(limit).take_while(fits).collect()
}

/// Whether a stream's events are looked at.
struct Chosen<'a> {
    names: Option<Vec<&'a str>>,
    prefix: Option<&'a str>,
}

impl Chosen<'_> {
    fn holds(&self, stream: &str) -> bool {
        self.names.as_ref().is_none_or(|names| names.contains(&stream))
            && self.prefix.is_none_or(|prefix| stream.starts_with(prefix))
    }
}

pub fn filter(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let group = group_name(world, input)?;
    let names = input.texts("logStreamNames")?;
    let prefix = input.name("logStreamNamePrefix", STREAM_PATTERN)?;
    if names.is_some() && prefix.is_some() {
        return Err(invalid("LogStream names and LogStream name prefix are mutually exclusive parameters."));
    }
    for name in names.iter().flatten() {
        check_name(name, "logStreamNames", STREAM_PATTERN)?;
    }
    if names.as_ref().is_some_and(|names| names.len() > 100) {
        return Err(too_many("logStreamNames", 100));
    }
    let limit = input.bounded("limit", 1, PAGE_MAX)?.unwrap_or(PAGE_MAX) as usize;
    let (start, end) = (input.time("startTime")?.unwrap_or(0), input.time("endTime")?.unwrap_or(i64::MAX));
    let pattern = read_pattern(input.text("filterPattern")?.unwrap_or_default())?;
    let after = input.text("nextToken")?.map(read_filter_token).transpose()?;
    function_logs::adopt(world, group);
    if world.logs.group(group).is_none() {
        return Err(not_found("group"));
    }
    world.logs.expire_group(world.now, group);
    let known = function_logs::summaries(world, group);
    if names.iter().flatten().any(|name| !known.contains_key(*name)) {
        return Err(not_found("stream"));
    }
    let chosen = Chosen { names, prefix };
    let streams = function_logs::streams(world, group, &|stream| chosen.holds(stream));
    let mut found: Vec<(&Event, &str)> = Vec::new();
    for (stream, events) in &streams {
        let is_later = |event: &Event| {
            let place = (event.place.0, stream, event.place.1);
            after.as_ref().is_none_or(|after| place > (after.0, &after.1, after.2))
        };
        let fits = |event: &&Event| {
            (start..=end).contains(&event.place.0) && is_later(event) && pattern.is_match(&event.message)
        };
        found.extend(events.iter().filter(fits).map(|event| (event, stream.as_str())));
    }
    found.sort_by(|(a, x), (b, y)| (a.place.0, x, a.place.1).cmp(&(b.place.0, y, b.place.1)));
    let page = take_page(found.iter().map(|(event, _)| *event), limit).len();
    let shown: Vec<Value> = found[..page].iter().map(|(event, stream)| filtered(event, stream)).collect();
    let mut answer = json!({ "events": shown, "searchedLogStreams": [] });
    if let (true, Some((last, stream))) = (page < found.len(), found[..page].last()) {
        answer["nextToken"] = write_token(&format!("{}:{}:{stream}", last.place.0, last.place.1)).into();
    }
    Ok(answer)
}

pub fn read_pattern(text: &str) -> Result<Pattern, ApiError> {
    if text.chars().count() > 1024 {
        return Err(constraint(Some(text), "filterPattern", "Member must have length less than or equal to 1024"));
    }
    Pattern::parse(text).map_err(|why| invalid(format!("Invalid filter pattern: {why}.")))
}

fn read_filter_token(token: &str) -> Result<(i64, String, u64), ApiError> {
    let text = read_token(token)?;
    let mut parts = text.splitn(3, ':');
    match (parts.next().map(str::parse), parts.next().map(str::parse), parts.next()) {
        (Some(Ok(ms)), Some(Ok(tie)), Some(stream)) => Ok((ms, stream.to_owned(), tie)),
        _ => Err(invalid_token()),
    }
}

fn filtered(event: &Event, stream: &str) -> Value {
    let mut hash = stream.bytes().fold(event.place.1, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
    let id = format!("3{:015}{:020}{:020}", event.place.0, payload::next(&mut hash), event.place.1);
    json!({
        "logStreamName": stream,
        "timestamp": event.place.0,
        "message": &*event.message,
        "ingestionTime": event.ingested.millis(),
        "eventId": id,
    })
}

/// Tries a pattern on messages that are sent along.
pub fn test_filter(_world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let pattern = read_pattern(input.required_text("filterPattern")?)?;
    let null = || constraint(None, "logEventMessages", "Member must not be null");
    let messages = input.texts("logEventMessages")?.ok_or_else(null)?;
    check_size(messages.len(), "logEventMessages", 1, 50)?;
    if let Some(place) = messages.iter().position(|message| message.is_empty()) {
        let member = format!("logEventMessages.{}.member", place + 1);
        check_length("", &member, 1, usize::MAX)?;
    }
    let matches = messages.iter().enumerate().filter(|(_, message)| pattern.is_match(message));
    let shown = matches.map(|(index, message)| {
        let values: Map<String, Value> =
            pattern.extract_all(message).into_iter().map(|(selector, value)| (selector, value.into())).collect();
        json!({ "eventNumber": index + 1, "eventMessage": message, "extractedValues": values })
    });
    Ok(json!({ "matches": shown.collect::<Vec<_>>() }))
}
