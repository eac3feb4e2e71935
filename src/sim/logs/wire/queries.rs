//! Operations of Logs Insights: StartQuery, GetQueryResults, StopQuery, DescribeQueries, GetLogRecord.

use super::input::{GROUP_PATTERN, Input, constraint, invalid};
use super::{of_identifier, read_token, write_token};
use crate::sim::error::ApiError;
use crate::sim::function_logs;
use crate::sim::logs::insights::{Malformed, Query, Source, parse, run};
use crate::sim::logs::{Event, not_found};
use crate::sim::world::World;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// A query runs for about so long.
const RUNS: Duration = Duration::from_millis(1500);
/// Rows of an answer when the query does not say, and at most.
const ROWS: i64 = 10_000;
const ROWS_MAX: i64 = 100_000;
/// The languages of queries; those that run here are of the first.
const LANGUAGES: [&str; 3] = ["CWLI", "SQL", "PPL"];
const GROUPS_MAX: usize = 50;
const TEXT_MAX: usize = 10_000;

fn malformed(why: &Malformed) -> ApiError {
    let location = json!({ "startCharOffset": why.at, "endCharOffset": why.at });
    ApiError::client("MalformedQueryException", why.message.clone())
        .with_member("queryCompileError", json!({ "location": location, "message": why.message }))
}

/// The groups that a request names by name, names or identifiers: one of the three.
fn groups<'a>(world: &World, input: Input<'a>) -> Result<Vec<&'a str>, ApiError> {
    let single = input.name("logGroupName", GROUP_PATTERN)?;
    let (names, identifiers) = (input.texts("logGroupNames")?, input.texts("logGroupIdentifiers")?);
    let found: Vec<&str> = match (single, names, identifiers) {
        (Some(name), None, None) => vec![name],
        (None, Some(names), None) => names,
        (None, None, Some(all)) => all.into_iter().map(|one| of_identifier(world, one)).collect::<Result<_, _>>()?,
        (None, None, None) => return Err(invalid("Log group names or log group identifiers must be specified.")),
        _ => {
            return Err(invalid("Only one of logGroupName, logGroupNames and logGroupIdentifiers can be specified."));
        }
    };
    if found.is_empty() || found.len() > GROUPS_MAX {
        return Err(invalid(format!("A query can include from 1 to {GROUPS_MAX} log groups.")));
    }
    Ok(found)
}

/// Seconds since the Unix epoch; milliseconds are understood, too.
fn time_ms(input: Input<'_>, member: &str) -> Result<i64, ApiError> {
    let time = input.time(member)?.ok_or_else(|| constraint(None, member, "Member must not be null"))?;
    Ok(if time < 100_000_000_000 { time * 1000 } else { time })
}

pub fn start(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let text = input.required_text("queryString")?;
    if text.chars().count() > TEXT_MAX {
        return Err(constraint(Some(text), "queryString", "Member must have length less than or equal to 10000"));
    }
    let (from, until) = (time_ms(input, "startTime")?, time_ms(input, "endTime")?);
    let limit = input.bounded("limit", 1, ROWS_MAX)?.unwrap_or(ROWS) as usize;
    if input.one_of("queryLanguage", &LANGUAGES)?.is_some_and(|language| language != "CWLI") {
        return Err(invalid("Only the query language CWLI is supported."));
    }
    if from > until {
        return Err(invalid("The start time must not be after the end time."));
    }
    let names: Vec<String> = groups(world, input)?.into_iter().map(str::to_owned).collect();
    for name in &names {
        function_logs::adopt(world, name);
        world.logs.group(name).ok_or_else(|| not_found("group"))?;
        world.logs.expire_group(world.now, name);
    }
    let commands = parse(text).map_err(|why| malformed(&why))?;
    let mut held: Vec<(String, String, String, Vec<Event>)> = Vec::new();
    for name in &names {
        let log = format!("{}:{name}", world.place.account);
        for (stream, events) in function_logs::streams(world, name, &|_| true) {
            let events = events.into_iter().filter(|event| (from..=until + 999).contains(&event.place.0)).collect();
            held.push((name.clone(), log.clone(), stream, events));
        }
    }
    let sources = held.iter().flat_map(|(group, log, stream, events)| {
        events.iter().map(move |event| Source {
            log,
            stream,
            at_ms: event.place.0,
            ingested_ms: event.ingested.millis(),
            message: &event.message,
            pointer: write_token(&format!("{group}:{stream}:{}:{}", event.place.0, event.place.1)),
        })
    });
    let sources: Vec<Source<'_>> = sources.collect();
    let (scanned, bytes) = (sources.len(), sources.iter().map(|source| source.message.len()).sum());
    let outcome = run(&commands, sources, limit, world.now);
    let ends = if world.delays { world.now + RUNS } else { world.now };
    let (_, mut cx) = world.dynamodb_cx();
    let id = cx.uuid();
    world.logs.queries.add(Query {
        id: id.clone(),
        text: text.to_owned(),
        groups: names,
        created: world.now,
        ends,
        is_cancelled: false,
        outcome,
        scanned,
        bytes,
    });
    Ok(json!({ "queryId": id }))
}

fn no_query() -> ApiError {
    ApiError::client("ResourceNotFoundException", "The specified query does not exist.")
}

pub fn results(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let id = input.required_text("queryId")?;
    let most = input.bounded("maxItems", 0, ROWS)?.unwrap_or(ROWS) as usize;
    let skipped = input.text("nextToken")?.map(read_token).transpose()?;
    let skipped: usize = skipped.and_then(|text| text.parse().ok()).unwrap_or(0);
    let query = world.logs.queries.get(id).ok_or_else(no_query)?;
    let status = query.status(world.now);
    let is_complete = status == "Complete";
    let rows = if is_complete { query.outcome.rows.as_slice() } else { &[] };
    let page = rows.iter().skip(skipped).take(if most == 0 { rows.len() } else { most });
    let row = |row: &Vec<(String, String)>| -> Value {
        row.iter().map(|(field, value)| json!({ "field": field, "value": value })).collect()
    };
    let shown: Vec<Value> = page.map(row).collect();
    let end = skipped + shown.len();
    let of = |value: usize| if is_complete { value as f64 } else { 0.0 };
    let mut answer = json!({
        "queryLanguage": "CWLI",
        "results": shown,
        "statistics": {
            "recordsMatched": of(query.outcome.matched),
            "recordsScanned": of(query.scanned),
            "estimatedRecordsSkipped": 0.0,
            "bytesScanned": of(query.bytes),
            "estimatedBytesSkipped": 0.0,
            "logGroupsScanned": of(query.groups.len()),
        },
        "status": status,
    });
    if end < rows.len() {
        answer["nextToken"] = write_token(&end.to_string()).into();
    }
    Ok(answer)
}

pub fn stop(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let id = input.required_text("queryId")?;
    let now = world.now;
    let query = world.logs.queries.get_mut(id).ok_or_else(no_query)?;
    if query.status(now) != "Running" {
        return Err(invalid("Query is not in running state."));
    }
    query.is_cancelled = true;
    Ok(json!({ "success": true }))
}

pub fn describe(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let group = input.name("logGroupName", GROUP_PATTERN)?;
    let statuses = ["Scheduled", "Running", "Complete", "Failed", "Cancelled", "Timeout", "Unknown"];
    let status = input.one_of("status", &statuses)?;
    let language = input.one_of("queryLanguage", &LANGUAGES)?;
    let most = input.bounded("maxResults", 1, 1000)?.unwrap_or(1000) as usize;
    let skipped = input.token()?.map(read_token).transpose()?;
    let skipped: usize = skipped.and_then(|text| text.parse().ok()).unwrap_or(0);
    let now = world.now;
    let mut fitting = world.logs.queries.newest_first().filter(|query| {
        group.is_none_or(|group| query.groups.iter().any(|name| name == group))
            && status.is_none_or(|status| status == query.status(now))
            && language.is_none_or(|language| language == LANGUAGES[0])
    });
    let page: Vec<Value> = fitting.by_ref().skip(skipped).take(most).map(|query| shown(query, now)).collect();
    let end = skipped + page.len();
    let mut answer = json!({ "queries": page });
    if fitting.next().is_some() {
        answer["nextToken"] = write_token(&end.to_string()).into();
    }
    Ok(answer)
}

fn shown(query: &Query, now: crate::domain::time::Timestamp) -> Value {
    json!({
        "queryLanguage": "CWLI",
        "queryId": query.id,
        "queryString": query.text,
        "status": query.status(now),
        "createTime": query.created.millis(),
        "logGroupName": query.groups.first(),
        "queryDuration": now.min(query.ends).millis() - query.created.millis(),
        "bytesScanned": query.bytes as f64,
    })
}

/// The event that a row's `@ptr` leads to.
pub fn record(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let refusal = || invalid("The specified logRecordPointer is invalid.");
    let pointer = input.required_text("logRecordPointer")?;
    let text = read_token(pointer).map_err(|_| refusal())?;
    let mut parts = text.rsplitn(3, ':');
    let (tie, at, place) = (parts.next(), parts.next(), parts.next());
    let (group, stream) = place.and_then(|place| place.split_once(':')).ok_or_else(refusal)?;
    let tie: u64 = tie.and_then(|tie| tie.parse().ok()).ok_or_else(refusal)?;
    let at: i64 = at.and_then(|at| at.parse().ok()).ok_or_else(refusal)?;
    let events = function_logs::events(world, group, stream).ok_or_else(refusal)?;
    let event = events.iter().find(|event| event.place == (at, tie)).ok_or_else(refusal)?;
    let mut record = Map::new();
    if let Ok(Value::Object(members)) = serde_json::from_str(&event.message) {
        for (name, value) in members {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            record.insert(name, text.into());
        }
    }
    record.insert("@timestamp".into(), at.to_string().into());
    record.insert("@ingestionTime".into(), event.ingested.millis().to_string().into());
    record.insert("@message".into(), (*event.message).into());
    record.insert("@logStream".into(), stream.into());
    record.insert("@log".into(), format!("{}:{group}", world.place.account).into());
    record.insert("@ptr".into(), pointer.into());
    Ok(json!({ "logRecord": record }))
}
