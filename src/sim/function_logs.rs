//! The logs of Lambda functions as CloudWatch Logs shows them. Their lines are not stored there: they are made of what
//! the newest invocations left with the function, whenever somebody reads. So `/aws/lambda/NAME` reaches back over as
//! many invocations as the function keeps, and goes with the function.

use crate::domain::time::Timestamp;
use crate::sim::lambda::LogRecord;
use crate::sim::lambda::function::runtime_version_arn;
use crate::sim::logs::{Event, FUNCTION_PREFIX, Group, Stream};
use crate::sim::payload;
use crate::sim::world::World;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What a stream's description says of its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    pub created: Timestamp,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    pub ingested: Option<Timestamp>,
}

/// The function whose group this is.
fn function_of(group: &str) -> Option<&str> {
    group.strip_prefix(FUNCTION_PREFIX)
}

/// The invocations whose lines a group shows, oldest first.
fn records<'a>(world: &'a World, group: &str) -> Vec<&'a LogRecord> {
    let Some(function) = function_of(group).and_then(|name| world.lambda.named(name)) else { return Vec::new() };
    let horizon = world.logs.group(group).map_or(Timestamp::default(), |group| group.horizon(world.now));
    let after = world.logs.forgotten_until(group);
    function.log.records().filter(|record| record.ended > after && record.started >= horizon).collect()
}

/// Lambda makes a function's group when it first writes to it.
pub fn adopt(world: &mut World, group: &str) {
    if function_of(group).is_none() || world.logs.group(group).is_some() {
        return;
    }
    if let Some(first) = records(world, group).first().map(|record| record.started) {
        // The name was looked for just above: it is free.
        let _ = world.logs.create_group(group, Group::new(first));
    }
}

/// The groups of all functions.
pub fn adopt_all(world: &mut World) {
    let functions = world.lambda.functions().filter(|function| !function.log.is_empty());
    let groups: Vec<String> = functions.map(|function| format!("{FUNCTION_PREFIX}{}", function.name)).collect();
    groups.iter().for_each(|group| adopt(world, group));
    let World { logs, lambda, .. } = world;
    logs.remember_only(|name| lambda.named(name).is_some());
}

/// A function's stream becomes one that clients can write to and delete.
pub fn adopt_stream(world: &mut World, group: &str, stream: &str) {
    let Some(summary) = summary(world, group, stream) else { return };
    if let Some(group) = world.logs.group_mut(group) {
        group.streams.entry(stream.to_owned()).or_insert_with(|| Stream::new(summary.created));
    }
}

/// `2026/11/27/[$LATEST]` and 32 hexadecimal digits of the environment.
fn stream_name(function_arn: &str, record: &LogRecord) -> String {
    let created = record.environment.created.floor_to(1).rfc3339();
    let day = created.get(..10).unwrap_or_default().replace('-', "/");
    let version = record.version.to_string();
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let seed = function_arn.bytes().chain(version.bytes()).fold(0xcbf2_9ce4_8422_2325, fold);
    let mut state = seed ^ record.environment.number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (high, low) = (payload::next(&mut state), payload::next(&mut state));
    format!("{day}/[{version}]{high:016x}{low:016x}")
}

/// The invocations of each of a function's streams.
fn by_stream<'a>(world: &'a World, group: &str) -> BTreeMap<String, Vec<&'a LogRecord>> {
    let mut streams: BTreeMap<String, Vec<&LogRecord>> = BTreeMap::new();
    let Some(function) = function_of(group).and_then(|name| world.lambda.named(name)) else { return streams };
    for record in records(world, group) {
        streams.entry(stream_name(&function.arn, record)).or_default().push(record);
    }
    let deleted = world.logs.group(group).map(|group| &group.deleted_streams);
    for (name, until) in deleted.into_iter().flatten() {
        if let Some(records) = streams.get_mut(name) {
            records.retain(|record| record.ended > *until);
        }
    }
    streams.retain(|_, records| !records.is_empty());
    streams
}

/// Every stream of a group, stored or a function's, by name.
pub fn summaries(world: &World, group: &str) -> BTreeMap<String, Summary> {
    let mut all: BTreeMap<String, Summary> = BTreeMap::new();
    for (name, stream) in world.logs.group(group).into_iter().flat_map(|group| &group.streams) {
        let first = stream.events().next().map(Event::at);
        let last = stream.events().last().map(Event::at);
        all.insert(name.clone(), Summary { created: stream.created, first, last, ingested: stream.ingested });
    }
    for (name, records) in by_stream(world, group) {
        let (Some(oldest), Some(newest)) = (records.first(), records.last()) else { continue };
        let own = Summary {
            created: oldest.environment.created,
            first: Some(oldest.started),
            last: Some(newest.ended),
            ingested: Some(newest.ended),
        };
        let known = all.entry(name).or_insert_with(|| own.clone());
        known.first = known.first.into_iter().chain(own.first).min();
        known.last = known.last.max(own.last);
        known.ingested = known.ingested.max(own.ingested);
    }
    all
}

/// One stream of a group.
pub fn summary(world: &World, group: &str, stream: &str) -> Option<Summary> {
    summaries(world, group).remove(stream)
}

/// The events of the chosen streams, each stream's in order.
pub fn streams(world: &World, group: &str, is_chosen: &dyn Fn(&str) -> bool) -> BTreeMap<String, Vec<Event>> {
    let mut all: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    let stored = world.logs.group(group).into_iter().flat_map(|group| &group.streams);
    for (name, stream) in stored.filter(|(name, _)| is_chosen(name)) {
        all.insert(name.clone(), stream.events().cloned().collect());
    }
    for (name, records) in by_stream(world, group).into_iter().filter(|(name, _)| is_chosen(name)) {
        let events = all.entry(name).or_default();
        for record in records {
            lines(record, &world.place.region, events);
        }
        events.sort_by_key(|event| event.place);
    }
    all
}

/// The events of one stream, in order; `None` when there is no such stream.
pub fn events(world: &World, group: &str, stream: &str) -> Option<Vec<Event>> {
    streams(world, group, &|name| name == stream).remove(stream)
}

/// Puts an invocation's lines into `into`, each at its time: START when the code began, END and REPORT when it ended,
/// the code's own in between.
fn lines(record: &LogRecord, region: &str, into: &mut Vec<Event>) {
    let init_ms = record.init_ms.map_or(0, |ms| ms as u64);
    let began = record.started + Duration::from_millis(init_ms);
    let text = record.text();
    let texts: Vec<&str> = text.split_inclusive('\n').filter(|line| line.trim() != "").collect();
    let count = texts.len() as u64;
    let run_ms = record.ended.since(began).as_millis() as u64;
    let mut number = 0;
    let mut put = |at: Timestamp, line: &str| {
        // Invocations of one environment do not overlap: their begin and the line's number are an order.
        let tie = ((record.started.millis() as u64 & 0xff_ffff_ffff) << 16) | (number & 0xffff);
        number += 1;
        into.push(Event { place: (at.millis(), tie), ingested: record.ended, message: Arc::from(line) });
    };
    if record.init_ms.is_some() && !record.runtime.is_empty() {
        put(record.started, &init_start(&record.runtime, region));
    }
    for (index, line) in texts.iter().enumerate() {
        let at = match index as u64 {
            index if index + 2 >= count => record.ended,
            index => began + Duration::from_millis(run_ms * index / count.max(1)),
        };
        put(at, line);
    }
}

/// The line that a cold start begins with. It names the version that the function's configuration names.
fn init_start(runtime: &str, region: &str) -> String {
    let digits = runtime.find(|c: char| c.is_ascii_digit()).unwrap_or(runtime.len());
    let (name, version) = runtime.split_at(digits);
    let version = version.trim_end_matches(".x");
    let arn = runtime_version_arn(region, runtime);
    format!("INIT_START Runtime Version: {name}:{version}.v1\tRuntime Version ARN: {arn}\n")
}
