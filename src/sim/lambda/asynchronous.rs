//! Asynchronous invocation: the service's own queue of events, its retries, its age limit, its dead letters and
//! destinations.

use crate::domain::time::Timestamp;
use crate::sim::cx::Cx;
use crate::sim::lambda::environment::Throttle;
use crate::sim::lambda::event_config::EventConfig;
use crate::sim::lambda::function::{Function, FunctionId};
use crate::sim::lambda::invocation::{Ended, Outcome, Source, Work};
use crate::sim::lambda::lineage::Lineage;
use crate::sim::lambda::log::{RequestId, iso_millis};
use crate::sim::lambda::metrics::Rare;
use crate::sim::lambda::version::{Qualifier, VersionNumber};
use crate::sim::lambda::{Due, Lambda};
use crate::sim::payload::Payload;
use bytes::Bytes;
use rand::RngExt;
use serde_json::{Value, json};
use std::time::Duration;

/// An event that waits for its turn, or runs.
#[derive(Clone, Debug)]
pub struct AsyncEvent {
    pub function: FunctionId,
    /// Under which name it was accepted; its settings are those of this version or alias.
    pub qualifier: Qualifier,
    pub payload: Bytes,
    pub received: Timestamp,
    pub request: RequestId,
    /// Times the function ended with an error.
    pub errors: u32,
    /// Times in a row that it was throttled.
    pub throttles: u32,
    /// The functions that told one another of it.
    lineage: Lineage,
    /// How it last ended.
    last: Option<Box<Ended>>,
}

/// An event has at most so many bytes [Lambda quotas].
pub const EVENT_BYTES_MAX: usize = 1024 * 1024;

/// What an event leaves behind, on its way to another service.
#[derive(Clone, Debug, PartialEq)]
pub enum Delivery {
    /// To the function's dead-letter queue or topic: the event itself and why it failed.
    DeadLetter(DeadLetter),
    /// To a destination: the event, how it was invoked and what it answered, as JSON.
    Record { function: FunctionId, target: String, record: Value, lineage: Lineage },
}

/// An event that failed for good, on its way to the function's dead-letter queue.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetter {
    pub function: FunctionId,
    /// The queue's or topic's ARN.
    pub target: String,
    pub body: Bytes,
    /// The message attributes `RequestID`, `ErrorCode` and `ErrorMessage` [Lambda dead-letter queues].
    pub attributes: [(&'static str, String); 3],
    pub lineage: Lineage,
}

/// Why an event is done with: the destination record's `condition`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    Success,
    RetriesExhausted,
    EventAgeExceeded,
    ZeroReservedConcurrency,
    RecursiveInvocation,
}

impl Condition {
    fn name(self) -> &'static str {
        match self {
            Self::Success => "Success",
            Self::RetriesExhausted => "RetriesExhausted",
            Self::EventAgeExceeded => "EventAgeExceeded",
            Self::ZeroReservedConcurrency => "ZeroReservedConcurrency",
            Self::RecursiveInvocation => "RecursiveInvocation",
        }
    }
}

impl Lambda {
    /// Accepts an event for `$LATEST` and answers at once; it is tried in a moment. `None` for an unknown function.
    pub fn accept_event(&mut self, cx: &mut Cx<'_>, id: FunctionId, payload: Bytes) -> Option<RequestId> {
        self.accept_qualified_event(cx, id, &Qualifier::Unqualified, payload, Lineage::default())
    }

    /// Accepts an event for a version or an alias. `lineage` is of those that told one another of it. `None`
    /// when it is not there.
    pub fn accept_qualified_event(
        &mut self,
        cx: &mut Cx<'_>,
        id: FunctionId,
        qualifier: &Qualifier,
        payload: Bytes,
        lineage: Lineage,
    ) -> Option<RequestId> {
        self.function(id)?.qualified(qualifier)?;
        let request = RequestId(cx.rng.random(), cx.rng.random());
        self.events_accepted += 1;
        let event = self.events_accepted;
        let accepted = AsyncEvent {
            function: id,
            qualifier: qualifier.clone(),
            payload,
            received: cx.now,
            request,
            errors: 0,
            throttles: 0,
            lineage,
            last: None,
        };
        self.events.insert(event, accepted);
        self.note_rare(cx, id, Rare::AsyncEventsReceived, 1.0);
        cx.schedule_in(Duration::from_millis(20), Due::AsyncEvent { event }.into());
        Some(request)
    }

    /// Accepts an event for the function, version or alias that an ARN names. `None` where that is not here, or the
    /// event is too large.
    pub fn accept_event_at(
        &mut self,
        cx: &mut Cx<'_>,
        arn: &str,
        payload: Bytes,
        lineage: Lineage,
    ) -> Option<RequestId> {
        let function = arn.strip_prefix(cx.place.arn("lambda", "function:").as_str())?;
        let (name, qualifier) = function.split_once(':').map_or((function, None), |(name, rest)| (name, Some(rest)));
        let id = self.id_of(name).filter(|_| payload.len() <= EVENT_BYTES_MAX)?;
        self.accept_qualified_event(cx, id, &Qualifier::parse(qualifier), payload, lineage)
    }

    /// Events that wait or run.
    pub fn events_waiting(&self) -> usize {
        self.events.len()
    }

    /// An event is tried, or tried again. Returns what it leaves behind when it is given up.
    pub fn try_event(&mut self, cx: &mut Cx<'_>, event: u64) -> Vec<Delivery> {
        let Some(waiting) = self.events.get(&event).cloned() else { return Vec::new() };
        let id = waiting.function;
        let chosen = self.choose(cx, id, &waiting.qualifier);
        let (Some(function), Some(chosen)) = (self.function(id), chosen) else {
            // The function, the version or the alias was deleted meanwhile.
            self.events.remove(&event);
            self.note_rare(cx, id, Rare::AsyncEventsDropped, 1.0);
            return Vec::new();
        };
        if !function.allows_recursion && waiting.lineage.is_recursive(&function.arn) {
            self.note_rare(cx, id, Rare::RecursiveInvocationsDropped, 1.0);
            return self.finish(cx, event, Condition::RecursiveInvocation);
        }
        if cx.now.since(waiting.received) > function.event_config(&waiting.qualifier).maximum_age() {
            return self.finish(cx, event, Condition::EventAgeExceeded);
        }
        let payload = Payload::Sent(waiting.payload.clone());
        let verdict = function.judge(cx, chosen.version, std::iter::once(&payload));
        let is_stopped = function.reserved == Some(0);
        let work = Work {
            source: Source::Event { event },
            chosen,
            records: 1,
            verdict,
            reports_item_failures: false,
            payload: waiting.payload,
            request: Some(waiting.request),
        };
        match self.start(cx, id, work) {
            Some(Ok(_)) => {
                let age_ms = cx.now.since(waiting.received).as_millis() as f64;
                self.note_rare(cx, id, Rare::AsyncEventAge, age_ms);
                Vec::new()
            }
            // A function that was throttled to a stop gets no retries [same page].
            Some(Err(Throttle::Reserved)) if is_stopped => self.finish(cx, event, Condition::ZeroReservedConcurrency),
            Some(Err(_)) | None => {
                let wait = Duration::from_secs(1 << waiting.throttles.min(8)).min(Duration::from_secs(300));
                if let Some(waiting) = self.events.get_mut(&event) {
                    waiting.throttles += 1;
                }
                cx.schedule_in(wait, Due::AsyncEvent { event }.into());
                Vec::new()
            }
        }
    }

    /// An event's invocation has ended: done, to be tried again after one and then two minutes, or given up.
    pub fn event_ended(&mut self, cx: &mut Cx<'_>, event: u64, ended: &Ended) -> Vec<Delivery> {
        let Some(waiting) = self.events.get_mut(&event) else { return Vec::new() };
        let (id, qualifier, received) = (waiting.function, waiting.qualifier.clone(), waiting.received);
        waiting.last = Some(Box::new(ended.clone()));
        waiting.throttles = 0;
        if ended.outcome.is_success() {
            return self.finish(cx, event, Condition::Success);
        }
        waiting.errors += 1;
        let errors = waiting.errors;
        let config = self.function(id).map(|function| function.event_config(&qualifier)).unwrap_or_default();
        if errors > config.retries() {
            return self.finish(cx, event, Condition::RetriesExhausted);
        }
        let next = cx.now + Duration::from_secs(60 * u64::from(errors));
        if next.since(received) > config.maximum_age() {
            return self.finish(cx, event, Condition::EventAgeExceeded);
        }
        cx.schedule(next, Due::AsyncEvent { event }.into());
        Vec::new()
    }

    /// An event is done with: what it leaves behind. One that failed and has nowhere to go is dropped, and counted.
    fn finish(&mut self, cx: &mut Cx<'_>, event: u64, condition: Condition) -> Vec<Delivery> {
        let Some(done) = self.events.remove(&event) else { return Vec::new() };
        let Some(function) = self.function(done.function) else { return Vec::new() };
        let config = function.event_config(&done.qualifier);
        let is_success = condition == Condition::Success;
        let target = if is_success { config.on_success } else { config.on_failure };
        let lineage = done.lineage.after(&function.arn);
        let mut deliveries = Vec::new();
        if let Some(target) = target {
            let record = record(cx, function, &done, condition);
            let lineage = lineage.clone();
            deliveries.push(Delivery::Record { function: done.function, target, record, lineage });
        }
        let dead_letters = function.qualified(&done.qualifier).and_then(|v| v.config.dead_letter_arn.clone());
        if let Some(target) = dead_letters.filter(|_| !is_success) {
            deliveries.push(Delivery::DeadLetter(dead_letter(&done, condition, target, lineage)));
        }
        if !is_success && deliveries.is_empty() {
            self.note_rare(cx, done.function, Rare::AsyncEventsDropped, 1.0);
        }
        deliveries
    }

    /// A dead letter could not be delivered.
    pub fn dead_letter_failed(&mut self, cx: &mut Cx<'_>, function: FunctionId) {
        self.note_rare(cx, function, Rare::DeadLetterErrors, 1.0);
    }
}

impl Function {
    /// The settings of asynchronous invocation under a qualifier; AWS's defaults where nobody set any.
    pub fn event_config(&self, qualifier: &Qualifier) -> EventConfig {
        self.event_configs.get(&qualifier.text_or_latest()).cloned().unwrap_or_default()
    }
}

/// The record that a destination gets [Capturing records of Lambda asynchronous invocations].
fn record(cx: &Cx<'_>, function: &Function, done: &AsyncEvent, condition: Condition) -> Value {
    let qualifier = match &done.qualifier {
        Qualifier::Unqualified => Qualifier::Version(VersionNumber::LATEST),
        other => other.clone(),
    };
    let invokes = done.errors + u32::from(condition == Condition::Success);
    let mut record = json!({
        "version": "1.0",
        "timestamp": iso_millis(cx.now),
        "requestContext": {
            "requestId": done.request.text(),
            "functionArn": function.qualified_arn(&qualifier),
            "condition": condition.name(),
            "approximateInvokeCount": invokes,
        },
        "requestPayload": as_json(&done.payload),
    });
    if let Some(last) = &done.last {
        let mut context = json!({"statusCode": 200, "executedVersion": last.version.to_string()});
        if !last.outcome.is_success() {
            context["functionError"] = json!("Unhandled");
        }
        record["responseContext"] = context;
        record["responsePayload"] = as_json(&last.payload);
    }
    record
}

fn as_json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or(Value::Null)
}

fn dead_letter(done: &AsyncEvent, condition: Condition, target: String, lineage: Lineage) -> DeadLetter {
    let message = match (&done.last, condition) {
        (Some(last), Condition::RetriesExhausted) => error_message(&last.outcome),
        _ => condition.name().to_owned(),
    };
    let code = if done.errors > 0 { "200" } else { "429" };
    DeadLetter {
        function: done.function,
        target,
        body: done.payload.clone(),
        attributes: [
            ("RequestID", done.request.text()),
            ("ErrorCode", code.to_owned()),
            ("ErrorMessage", message.chars().take(1024).collect()),
        ],
        lineage,
    }
}

fn error_message(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Success => String::new(),
        Outcome::Failed(error) => error.message.clone(),
        Outcome::TimedOut => "Task timed out".to_owned(),
        Outcome::OutOfMemory => "Runtime exited with error: signal: killed".to_owned(),
    }
}
