//! From an answered request to an event: names in CloudTrail's spelling, secrets and code left out.

use super::event::{Event, Identity};
use super::table;
use crate::domain::time::Timestamp;
use crate::sim::error::ApiError;
use crate::sim::payload;
use crate::sim::wire::Request;
use serde_json::{Map, Value, json};

/// `requestParameters` beyond this many bytes are left out, and so are `responseElements` ("record contents").
const FIELD_MAX: usize = 100 << 10;

/// A request and what it was answered with.
pub struct Answered<'a> {
    /// The service's name in credential scopes.
    pub service: &'a str,
    pub operation: &'a str,
    pub request: &'a Request,
    pub by: Identity,
    pub request_id: String,
    pub input: &'a Value,
    pub outcome: Result<&'a Value, &'a ApiError>,
    /// The account that gets an event of it, too: the caller's where that one is another, or that of a role.
    pub other: Option<Other>,
}

/// Another account that a request concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Other {
    /// Its own user or session has made the request.
    Caller(String),
    /// It is told of somebody else's.
    Owner(String),
}

/// The event, when the request is one of the account's management.
pub fn event_of(number: u64, now: Timestamp, answered: &Answered<'_>) -> Option<Event> {
    let entry = table::entry(answered.service, answered.operation)?;
    let input = spelled(answered.input, answered.service);
    let output = match answered.outcome {
        Ok(output) if !entry.is_read_only => spelled(output, answered.service),
        _ => Value::Null,
    };
    let error = answered.outcome.err().map(|error| {
        let code = error.query_code.unwrap_or(error.code);
        (code.to_owned(), error.message.clone())
    });
    let agent = answered.request.header("user-agent").unwrap_or("-").to_owned();
    Some(Event {
        number,
        at: now,
        source: entry.source,
        name: entry.name,
        is_read_only: entry.is_read_only,
        by: answered.by.clone(),
        address: "127.0.0.1".to_owned(),
        agent,
        request_id: answered.request_id.clone(),
        resources: resources(answered.service, &input, &output),
        request: text(&input),
        response: text(&output),
        error,
        shared_id: None,
    })
}

/// The event of a change that somebody made from outside the engine.
pub fn change(
    number: u64,
    now: Timestamp,
    by: Identity,
    (service, operation): (&str, &str),
    (request, response): (&Value, &Value),
) -> Option<Event> {
    let entry = table::entry(service, operation)?;
    let mut state = number ^ 0xc4a1_7e5d_0000_0001;
    Some(Event {
        number,
        at: now,
        source: entry.source,
        name: entry.name,
        is_read_only: entry.is_read_only,
        by,
        address: "198.51.100.17".to_owned(),
        agent: "aws-cli/2.31.0 md/awscrt#0.27.6 ua/2.1 os/linux#6.8.0 lang/python#3.13.7".to_owned(),
        request_id: payload::uuid_text(payload::next(&mut state), payload::next(&mut state)),
        resources: resources(service, request, response),
        request: text(request),
        response: text(response),
        error: None,
        shared_id: None,
    })
}

/// A field as it is kept: nothing for null and for a structure without members.
fn text(value: &Value) -> Option<String> {
    let is_empty = value.is_null() || value.as_object().is_some_and(Map::is_empty);
    let text = (!is_empty).then(|| value.to_string())?;
    if text.len() > FIELD_MAX {
        let omitted = json!({ "omitted": true, "originalSize": text.len(), "reason": "Value too large." });
        return Some(omitted.to_string());
    }
    Some(text)
}

fn resources(service: &str, input: &Value, output: &Value) -> Vec<(&'static str, String)> {
    let mut found: Vec<(&'static str, String)> = Vec::new();
    for (member, kind) in table::resource_members(service) {
        for value in [input.get(member), output.get(member)].into_iter().flatten() {
            let names = match value {
                Value::String(name) => vec![name.clone()],
                Value::Array(names) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
                _ => vec![],
            };
            for name in names {
                if !found.iter().any(|(k, n)| k == kind && *n == name) {
                    found.push((kind, name));
                }
            }
        }
    }
    found
}

/// Members of these are keys that a person chose: they keep their spelling.
fn is_map(member: &str) -> bool {
    matches!(member, "attributes" | "attribute" | "tags" | "messageAttributes" | "variables" | "resourceTags")
}

/// Member names with a small first letter, without what CloudTrail does not show: code, environments, credentials.
fn spelled(value: &Value, service: &str) -> Value {
    match value {
        Value::Object(members) => {
            let spelled = members.iter().filter_map(|(name, value)| {
                let name = lower_first(name);
                let value = match (service, name.as_str()) {
                    ("lambda", "zipFile") | (_, "secretAccessKey") => return None,
                    ("lambda", "environment") => json!({}),
                    (_, member) if is_map(member) && value.is_object() => value.clone(),
                    _ => spelled(value, service),
                };
                Some((name, value))
            });
            Value::Object(spelled.collect())
        }
        Value::Array(items) => items.iter().map(|item| spelled(item, service)).collect(),
        other => other.clone(),
    }
}

fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_ascii_lowercase().to_string() + chars.as_str())
}
