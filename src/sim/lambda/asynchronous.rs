//! Asynchronous invocation: the service's own queue of events, its retries, its age limit, its dead letters.

use crate::domain::time::Timestamp;
use crate::sim::cx::Cx;
use crate::sim::lambda::environment::Throttle;
use crate::sim::lambda::function::FunctionId;
use crate::sim::lambda::invocation::{Ended, Outcome, Source, Work};
use crate::sim::lambda::log::RequestId;
use crate::sim::lambda::metrics::Rare;
use crate::sim::lambda::{Due, Lambda};
use crate::sim::payload::Payload;
use bytes::Bytes;
use rand::RngExt;
use std::time::Duration;

/// An event is given up after six hours [How Lambda handles errors with asynchronous invocation].
const MAXIMUM_EVENT_AGE: Duration = Duration::from_secs(6 * 60 * 60);
/// Tries after the first [same page].
const MAXIMUM_RETRY_ATTEMPTS: u32 = 2;

/// An event that waits for its turn, or runs.
#[derive(Clone, Debug)]
pub struct AsyncEvent {
    pub function: FunctionId,
    pub payload: Bytes,
    pub received: Timestamp,
    pub request: RequestId,
    /// Times the function ended with an error.
    pub errors: u32,
    /// Times in a row that it was throttled.
    pub throttles: u32,
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
}

impl Lambda {
    /// Accepts an event and answers at once; it is tried in a moment. `None` for an unknown function.
    pub fn accept_event(&mut self, cx: &mut Cx<'_>, id: FunctionId, payload: Bytes) -> Option<RequestId> {
        self.function(id)?;
        let request = RequestId(cx.rng.random(), cx.rng.random());
        self.events_accepted += 1;
        let event = self.events_accepted;
        self.events
            .insert(event, AsyncEvent { function: id, payload, received: cx.now, request, errors: 0, throttles: 0 });
        self.note_rare(cx, id, Rare::AsyncEventsReceived, 1.0);
        cx.schedule_in(Duration::from_millis(20), Due::AsyncEvent { event }.into());
        Some(request)
    }

    /// An event is tried, or tried again. Returns it as a dead letter when it is given up and has somewhere to go.
    pub fn try_event(&mut self, cx: &mut Cx<'_>, event: u64) -> Option<DeadLetter> {
        let waiting = self.events.get(&event)?.clone();
        let id = waiting.function;
        let Some(function) = self.function(id) else {
            self.events.remove(&event);
            return None;
        };
        if cx.now.since(waiting.received) > MAXIMUM_EVENT_AGE {
            return self.give_up(cx, event, "EventAgeExceeded");
        }
        let payload = Payload::Sent(waiting.payload.clone());
        let verdict = function.behaviour.judge(cx, std::iter::once(&payload));
        let is_stopped = function.reserved == Some(0);
        let work = Work {
            source: Source::Event { event },
            records: 1,
            verdict,
            reports_item_failures: false,
            payload: Bytes::new(),
            request: Some(waiting.request),
        };
        match self.start(cx, id, work)? {
            Ok(_) => {
                let age_ms = cx.now.since(waiting.received).as_millis() as f64;
                self.note_rare(cx, id, Rare::AsyncEventAge, age_ms);
                None
            }
            // A function that was throttled to a stop gets no retries [same page].
            Err(Throttle::Reserved) if is_stopped => self.give_up(cx, event, "ReservedConcurrencyZero"),
            Err(_) => {
                let wait = Duration::from_secs(1 << waiting.throttles.min(8)).min(Duration::from_secs(300));
                if let Some(waiting) = self.events.get_mut(&event) {
                    waiting.throttles += 1;
                }
                cx.schedule_in(wait, Due::AsyncEvent { event }.into());
                None
            }
        }
    }

    /// An event's invocation has ended: done, to be tried again after one and then two minutes, or given up.
    pub fn event_ended(&mut self, cx: &mut Cx<'_>, event: u64, ended: &Ended) -> Option<DeadLetter> {
        if ended.outcome.is_success() {
            self.events.remove(&event);
            return None;
        }
        let waiting = self.events.get_mut(&event)?;
        waiting.errors += 1;
        waiting.throttles = 0;
        if waiting.errors > MAXIMUM_RETRY_ATTEMPTS {
            let message = error_message(&ended.outcome);
            return self.give_up(cx, event, &message);
        }
        let wait = Duration::from_secs(60 * u64::from(waiting.errors));
        cx.schedule_in(wait, Due::AsyncEvent { event }.into());
        None
    }

    fn give_up(&mut self, cx: &mut Cx<'_>, event: u64, message: &str) -> Option<DeadLetter> {
        let dead = self.events.remove(&event)?;
        let target = self.function(dead.function)?.config.dead_letter_arn.clone();
        let Some(target) = target else {
            self.note_rare(cx, dead.function, Rare::AsyncEventsDropped, 1.0);
            return None;
        };
        let code = if dead.errors > 0 { "200" } else { "429" };
        Some(DeadLetter {
            function: dead.function,
            target,
            body: dead.payload,
            attributes: [
                ("RequestID", dead.request.text()),
                ("ErrorCode", code.to_owned()),
                ("ErrorMessage", message.chars().take(1024).collect()),
            ],
        })
    }

    /// A dead letter could not be delivered.
    pub fn dead_letter_failed(&mut self, cx: &mut Cx<'_>, function: FunctionId) {
        self.note_rare(cx, function, Rare::DeadLetterErrors, 1.0);
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
