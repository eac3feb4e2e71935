//! CloudWatch Logs: groups, streams, and the events in them.
//!
//! How it is used from within the engine: `create_group`, `create_stream` and `put` store what clients send; `group`
//! and `group_mut` give it back. The log of a Lambda function is not stored twice: `sim::function_logs` makes its
//! events of what the function's invocations left, whenever somebody reads.

#[cfg(test)]
mod bounds_tests;
mod filter;
pub mod insights;
mod rules;
#[cfg(test)]
mod tests;
pub mod wire;

pub use filter::Pattern;
pub use rules::{Destination, METRIC_FILTERS_MAX, MetricFilter, SUBSCRIPTIONS_MAX, Subscription};

use crate::domain::time::Timestamp;
use crate::sim::error::ApiError;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// Bytes of stored events of the account, at most. When they are more, the oldest events go.
const BYTES_MAX: usize = 64 << 20;
/// What each event counts beyond its message (PutLogEvents).
pub const EVENT_OVERHEAD: usize = 26;
/// Events older than this are not taken, nor are those further in the future (PutLogEvents).
const PAST: Duration = Duration::from_secs(14 * 86_400);
const FUTURE: Duration = Duration::from_secs(2 * 3600);

/// Where an event stands in its stream: its time, and a number that breaks ties.
pub type Place = (i64, u64);

/// One event, as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Milliseconds since the Unix epoch, and the order among events of one millisecond.
    pub place: Place,
    pub ingested: Timestamp,
    pub message: Arc<str>,
}

impl Event {
    pub fn at(&self) -> Timestamp {
        Timestamp::from_millis(self.place.0)
    }

    fn bytes(&self) -> usize {
        self.message.len() + EVENT_OVERHEAD
    }
}

/// One log stream.
#[derive(Clone, Debug)]
pub struct Stream {
    pub created: Timestamp,
    pub ingested: Option<Timestamp>,
    /// In order of their places.
    events: VecDeque<Event>,
}

impl Stream {
    pub fn new(created: Timestamp) -> Self {
        Self { created, ingested: None, events: VecDeque::new() }
    }

    /// The stored events, oldest first.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.events.iter()
    }
}

/// One log group.
#[derive(Clone, Debug)]
pub struct Group {
    pub created: Timestamp,
    /// Events are kept for so many days; for ever without it.
    pub retention_days: Option<u32>,
    pub kms_key: Option<String>,
    /// `STANDARD`, `INFREQUENT_ACCESS`, `DELIVERY` or `ESSENTIALS`.
    pub class: &'static str,
    pub is_protected: bool,
    pub tags: BTreeMap<String, String>,
    pub streams: BTreeMap<String, Stream>,
    pub metric_filters: BTreeMap<String, MetricFilter>,
    pub subscriptions: BTreeMap<String, Subscription>,
    /// Of a function's group: streams that somebody deleted show no line that was written until then.
    pub deleted_streams: BTreeMap<String, Timestamp>,
}

impl Group {
    pub fn new(created: Timestamp) -> Self {
        Self {
            created,
            retention_days: None,
            kms_key: None,
            class: "STANDARD",
            is_protected: false,
            tags: BTreeMap::new(),
            streams: BTreeMap::new(),
            metric_filters: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            deleted_streams: BTreeMap::new(),
        }
    }

    /// The time before which events have expired.
    pub fn horizon(&self, now: Timestamp) -> Timestamp {
        let day_s = 86_400;
        let kept = |days: u32| now - Duration::from_secs(u64::from(days) * day_s);
        self.retention_days.map_or(Timestamp::default(), kept)
    }

    pub fn stored_bytes(&self) -> usize {
        self.streams.values().flat_map(Stream::events).map(Event::bytes).sum()
    }
}

/// An event as a client sends it.
#[derive(Clone, Debug)]
pub struct Incoming {
    pub at_ms: i64,
    pub message: Arc<str>,
}

/// Which events of a batch were not taken: indices as `rejectedLogEventsInfo` gives them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rejected {
    /// The first that is too new.
    pub too_new_start: Option<usize>,
    /// One after the last that is too old.
    pub too_old_end: Option<usize>,
    /// One after the last that the group's retention has done with.
    pub expired_end: Option<usize>,
}

/// Every log group of the account and region.
#[derive(Default)]
pub struct Logs {
    groups: BTreeMap<String, Group>,
    /// Bytes of all stored events.
    bytes: usize,
    /// Events stored so far; numbers them.
    stored: u64,
    /// Groups of functions that somebody deleted: lines from before that are gone.
    forgotten: BTreeMap<String, Timestamp>,
    rates: wire::Rates,
    queries: insights::Queries,
}

impl Logs {
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.get(name)
    }

    pub fn group_mut(&mut self, name: &str) -> Option<&mut Group> {
        self.groups.get_mut(name)
    }

    /// Every group, by name.
    pub fn groups(&self) -> impl Iterator<Item = (&String, &Group)> {
        self.groups.iter()
    }

    /// Makes a group. A name in use is a ResourceAlreadyExistsException.
    pub fn create_group(&mut self, name: &str, group: Group) -> Result<(), ApiError> {
        if self.groups.contains_key(name) {
            return Err(already_exists("group"));
        }
        self.groups.insert(name.to_owned(), group);
        Ok(())
    }

    /// Deletes a group with everything in it.
    pub fn delete_group(&mut self, now: Timestamp, name: &str) -> Result<(), ApiError> {
        let group = self.groups.remove(name).ok_or_else(|| not_found("group"))?;
        self.bytes -= group.stored_bytes();
        if name.starts_with(FUNCTION_PREFIX) {
            self.forgotten.insert(name.to_owned(), now);
        }
        Ok(())
    }

    /// Until when the lines of a function's group were deleted with it.
    pub fn forgotten_until(&self, name: &str) -> Timestamp {
        self.forgotten.get(name).copied().unwrap_or_default()
    }

    /// Keeps no mark for functions that are gone.
    pub fn remember_only(&mut self, is_function: impl Fn(&str) -> bool) {
        self.forgotten.retain(|name, _| is_function(name.trim_start_matches(FUNCTION_PREFIX)));
    }

    /// Makes a stream. A name in use is a ResourceAlreadyExistsException.
    pub fn create_stream(&mut self, now: Timestamp, group: &str, name: &str) -> Result<(), ApiError> {
        let group = self.groups.get_mut(group).ok_or_else(|| not_found("group"))?;
        if group.streams.contains_key(name) {
            return Err(already_exists("stream"));
        }
        group.streams.insert(name.to_owned(), Stream::new(now));
        Ok(())
    }

    /// Deletes a stream with its events.
    pub fn delete_stream(&mut self, now: Timestamp, group_name: &str, name: &str) -> Result<(), ApiError> {
        let group = self.groups.get_mut(group_name).ok_or_else(|| not_found("group"))?;
        let stream = group.streams.remove(name).ok_or_else(|| not_found("stream"))?;
        self.bytes -= stream.events().map(Event::bytes).sum::<usize>();
        if group_name.starts_with(FUNCTION_PREFIX) {
            group.deleted_streams.insert(name.to_owned(), now);
        }
        Ok(())
    }

    /// Stores a batch that is in order; what is too old, too new or expired is left out.
    pub fn put(
        &mut self,
        now: Timestamp,
        (group_name, stream_name): (&str, &str),
        batch: &[Incoming],
    ) -> Result<Rejected, ApiError> {
        let group = self.groups.get_mut(group_name).ok_or_else(|| not_found("group"))?;
        let horizon = group.horizon(now);
        let stream = group.streams.get_mut(stream_name).ok_or_else(|| not_found("stream"))?;
        let mut rejected = Rejected::default();
        for (index, incoming) in batch.iter().enumerate() {
            let at = Timestamp::from_millis(incoming.at_ms);
            if at > now + FUTURE {
                rejected.too_new_start.get_or_insert(index);
                continue;
            }
            if at < now - PAST {
                rejected.too_old_end = Some(index + 1);
                continue;
            }
            if at < horizon {
                rejected.expired_end = Some(index + 1);
                continue;
            }
            self.stored += 1;
            let place = (incoming.at_ms, self.stored);
            let event = Event { place, ingested: now, message: Arc::clone(&incoming.message) };
            self.bytes += event.bytes();
            let index = stream.events.partition_point(|earlier| earlier.place <= place);
            stream.events.insert(index, event);
            stream.ingested = Some(now);
        }
        self.expire_group(now, group_name);
        self.make_room();
        Ok(rejected)
    }

    /// Drops what a group's retention has done with.
    pub fn expire_group(&mut self, now: Timestamp, name: &str) {
        let Some(group) = self.groups.get_mut(name) else { return };
        let horizon = group.horizon(now).millis();
        for stream in group.streams.values_mut() {
            while stream.events.front().is_some_and(|event| event.place.0 < horizon) {
                self.bytes -= stream.events.pop_front().map_or(0, |event| event.bytes());
            }
        }
    }

    /// Drops the oldest events of all until there is room again; a sixteenth more, so that it is not for every event.
    fn make_room(&mut self) {
        if self.bytes <= BYTES_MAX {
            return;
        }
        while self.bytes > BYTES_MAX / 16 * 15 {
            let streams = self.groups.values_mut().flat_map(|group| group.streams.values_mut());
            let oldest = streams.filter(|stream| !stream.events.is_empty()).min_by_key(|stream| stream.events[0].place);
            let Some(stream) = oldest else { return };
            // A stream's oldest sixteenth goes at once: streams are many, and finding the oldest costs.
            let count = stream.events.len().div_ceil(16);
            self.bytes -= stream.events.drain(..count).map(|event| event.bytes()).sum::<usize>();
        }
    }

    /// Bytes of all stored events, for tests of memory.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Names of the groups that Lambda writes to begin so.
pub const FUNCTION_PREFIX: &str = "/aws/lambda/";

/// `ResourceNotFoundException` for a `group` or a `stream`.
pub fn not_found(what: &str) -> ApiError {
    ApiError::client("ResourceNotFoundException", format!("The specified log {what} does not exist."))
}

fn already_exists(what: &str) -> ApiError {
    ApiError::client("ResourceAlreadyExistsException", format!("The specified log {what} already exists"))
}
