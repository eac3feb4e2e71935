//! LookupEvents: one attribute and a span of time, newest first, in pages.

use super::event::Event;
use crate::domain::time::Timestamp;
use crate::sim::error::ApiError;
use crate::sim::wire::{Answer, Call, Reply, serialization_error, unknown_operation};
use crate::sim::world::World;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

const PAGE_MAX: i64 = 50;

/// What a lookup attribute compares (LookupAttribute).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    EventId,
    EventName,
    ReadOnly,
    Username,
    ResourceType,
    ResourceName,
    EventSource,
    AccessKeyId,
}

const KEYS: [(&str, Key); 8] = [
    ("EventId", Key::EventId),
    ("EventName", Key::EventName),
    ("ReadOnly", Key::ReadOnly),
    ("Username", Key::Username),
    ("ResourceType", Key::ResourceType),
    ("ResourceName", Key::ResourceName),
    ("EventSource", Key::EventSource),
    ("AccessKeyId", Key::AccessKeyId),
];

struct Lookup<'a> {
    attribute: Option<(Key, &'a str)>,
    from: Timestamp,
    until: Timestamp,
    page: usize,
}

/// Where a page ended, as its token says it.
struct Place {
    /// The number of the last event given.
    last: u64,
    /// The first page's time: later pages see what it saw.
    as_of: Timestamp,
}

/// Answers one operation of CloudTrail.
pub fn answer(world: &mut World, _call: &mut Call, operation: &str, input: &Value) -> Answer {
    if operation != "LookupEvents" {
        return Err(unknown_operation());
    }
    let now = world.now;
    if world.place.limits && !world.cloudtrail.lookups.take(1.0, now) {
        return Err(ApiError::client("ThrottlingException", "Rate exceeded"));
    }
    world.cloudtrail.expire(now);
    let empty = Map::new();
    let input = input.as_object().unwrap_or(&empty);
    let lookup = read(input, now)?;
    let digest = digest(input);
    let place = match text(input, "NextToken")? {
        Some(token) => read_token(token, digest).ok_or_else(|| {
            ApiError::client(
                "InvalidNextTokenException",
                "Invalid token or token that was previously used in a request with different parameters.",
            )
        })?,
        None => Place { last: u64::MAX, as_of: now },
    };
    let mut found = world
        .cloudtrail
        .newest_first()
        .filter(|event| event.number < place.last && event.visible_at() <= place.as_of && lookup.admits(event));
    let page: Vec<&Event> = found.by_ref().take(lookup.page).collect();
    let entries: Vec<Value> = page.iter().map(|event| event.entry(&world.place)).collect();
    let mut answer = json!({ "Events": entries });
    if let (Some(last), Some(_)) = (page.last(), found.next()) {
        answer["NextToken"] = write_token(&Place { last: last.number, as_of: place.as_of }, digest).into();
    }
    Ok(Reply::Done(answer))
}

impl Lookup<'_> {
    fn admits(&self, event: &Event) -> bool {
        if event.at < self.from || event.at > self.until {
            return false;
        }
        let Some((key, value)) = self.attribute else { return true };
        match key {
            Key::EventId => event.id() == value,
            Key::EventName => event.name == value,
            Key::ReadOnly => event.is_read_only.to_string() == value,
            Key::Username => event.by.name == value,
            Key::ResourceType => event.resources.iter().any(|(kind, _)| *kind == value),
            Key::ResourceName => event.resources.iter().any(|(_, name)| name == value),
            Key::EventSource => event.source == value,
            Key::AccessKeyId => event.by.access_key.as_deref() == Some(value),
        }
    }
}

fn read(input: &Map<String, Value>, now: Timestamp) -> Result<Lookup<'_>, ApiError> {
    let attribute = attribute(input)?;
    let (start, end) = (time(input, "StartTime")?, time(input, "EndTime")?);
    if let (Some(start), Some(end)) = (start, end)
        && start > end
    {
        let message = "The start time occurs after the end time. Start time must be before end time.";
        return Err(ApiError::client("InvalidTimeRangeException", message));
    }
    let page = match input.get("MaxResults").filter(|value| !value.is_null()) {
        None => PAGE_MAX,
        Some(value) => value.as_i64().ok_or_else(|| serialization_error(""))?,
    };
    if !(1..=PAGE_MAX).contains(&page) {
        let message = format!("MaxResults must be between 1 and {PAGE_MAX}.");
        return Err(ApiError::client("InvalidMaxResultsException", message));
    }
    match text(input, "EventCategory")? {
        None | Some("insight") => {}
        Some(_) => {
            let message = "The event category is not valid. Valid values: insight.";
            return Err(ApiError::client("InvalidEventCategoryException", message));
        }
    }
    // Insights events are made by trails that watch for them; the event history has none.
    let until = match text(input, "EventCategory")? {
        Some(_) => Timestamp::default(),
        None => end.unwrap_or(now),
    };
    Ok(Lookup { attribute, from: start.unwrap_or_default(), until, page: page as usize })
}

fn attribute(input: &Map<String, Value>) -> Result<Option<(Key, &str)>, ApiError> {
    let invalid = |message: String| ApiError::client("InvalidLookupAttributesException", message);
    let Some(list) = input.get("LookupAttributes").filter(|value| !value.is_null()) else { return Ok(None) };
    let list = list.as_array().ok_or_else(|| serialization_error("Expected list or null"))?;
    let attribute = match list.as_slice() {
        [] => return Ok(None),
        [one] => one.as_object().ok_or_else(|| serialization_error("Expected null"))?,
        _ => return Err(invalid("You can only specify one lookup attribute.".into())),
    };
    let (Some(key), Some(value)) = (text(attribute, "AttributeKey")?, text(attribute, "AttributeValue")?) else {
        return Err(invalid("A lookup attribute must have an attribute key and an attribute value.".into()));
    };
    let Some((_, key)) = KEYS.iter().find(|(name, _)| *name == key) else {
        let names: Vec<&str> = KEYS.iter().map(|(name, _)| *name).collect();
        let message = format!("The attribute key {key} is not valid. Valid values: {}.", names.join(", "));
        return Err(invalid(message));
    };
    if value.is_empty() || value.chars().count() > 2000 {
        return Err(invalid("An attribute value must have 1 to 2000 characters.".into()));
    }
    if *key == Key::ReadOnly && !matches!(value, "true" | "false") {
        return Err(invalid(format!("The value {value} is not valid for ReadOnly. Valid values: true, false.")));
    }
    Ok(Some((*key, value)))
}

fn text<'a>(input: &'a Map<String, Value>, member: &str) -> Result<Option<&'a str>, ApiError> {
    let value = input.get(member).filter(|value| !value.is_null());
    value.map(|value| value.as_str().ok_or_else(|| serialization_error(""))).transpose()
}

fn time(input: &Map<String, Value>, member: &str) -> Result<Option<Timestamp>, ApiError> {
    let value = input.get(member).filter(|value| !value.is_null());
    let read = |value: &Value| {
        let seconds = value.as_f64().filter(|seconds| seconds.abs() < 1e12);
        seconds.map(Timestamp::from_secs_f64).ok_or_else(|| serialization_error(""))
    };
    value.map(read).transpose()
}

/// FNV-1a over what a token may be used with again: everything but the token and the size of a page.
fn digest(input: &Map<String, Value>) -> u64 {
    let kept = ["LookupAttributes", "StartTime", "EndTime", "EventCategory"];
    let text: String = kept.iter().map(|name| format!("{:?} ", input.get(*name))).collect();
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn write_token(place: &Place, digest: u64) -> String {
    BASE64_STANDARD.encode(format!("{}:{}:{digest:x}", place.last, place.as_of.millis()))
}

fn read_token(token: &str, digest: u64) -> Option<Place> {
    let text = String::from_utf8(BASE64_STANDARD.decode(token).ok()?).ok()?;
    let mut parts = text.split(':');
    let (last, as_of, own) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?);
    let place = Place { last, as_of: Timestamp::from_millis(as_of) };
    (u64::from_str_radix(own, 16).ok()? == digest).then_some(place)
}
