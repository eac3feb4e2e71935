//! Invocations: begun when a limit allows it, decided at once, ended (and counted) when their time is up.

use crate::domain::time::Timestamp;
use crate::sim::cx::Cx;
use crate::sim::lambda::behaviour::{Answer, FunctionError, Verdict};
use crate::sim::lambda::environment::{Environment, Throttle};
use crate::sim::lambda::function::{Function, FunctionId};
use crate::sim::lambda::log::{LogRecord, RequestId};
use crate::sim::lambda::metrics::{self, FunctionSeries};
use crate::sim::lambda::{Due, Lambda};
use bytes::Bytes;
use rand::RngExt;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Answers kept for callers that have not come back for them.
const KEPT_ANSWERS: usize = 1_000;

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Success,
    /// The code raised an error.
    Failed(Arc<FunctionError>),
    /// Killed at exactly the function's timeout.
    TimedOut,
    /// Killed for needing more than the function's memory.
    OutOfMemory,
}

impl Outcome {
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Success)
    }
}

/// On whose behalf a function runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Somebody waits for the answer.
    Caller { wants_log: bool },
    /// An asynchronous event of the service's own queue.
    Event { event: u64 },
    /// A batch of an event source mapping.
    Mapping { mapping: usize, shard: u32, lane: u32 },
}

/// One invocation's work.
#[derive(Clone, Debug)]
pub struct Work {
    pub source: Source,
    /// Records or messages in the batch; 1 for a plain payload.
    pub records: u32,
    pub verdict: Verdict,
    /// What the code failed on leaves the other records of the batch done (`ReportBatchItemFailures`).
    pub reports_item_failures: bool,
    /// Kept only where the answer may echo it.
    pub payload: Bytes,
    /// Stable over an asynchronous event's retries.
    pub request: Option<RequestId>,
}

/// An invocation that runs.
#[derive(Debug)]
pub struct Running {
    pub function: FunctionId,
    pub request: RequestId,
    pub started: Timestamp,
    pub ends: Timestamp,
    source: Source,
    duration_ms: f64,
    init_ms: Option<f64>,
    outcome: Outcome,
    failed: Vec<u32>,
    payload: Bytes,
    environment: Environment,
    /// The deploy it runs; its environment is not used again after another deploy.
    deploy: u64,
}

/// An invocation that has ended, for whoever it ran for.
#[derive(Clone, Debug)]
pub struct Ended {
    pub function: FunctionId,
    pub request: RequestId,
    pub source: Source,
    pub outcome: Outcome,
    /// Positions in the batch that the function reported as failed, though it succeeded as a whole.
    pub failed: Vec<u32>,
}

/// The answer to a caller that waits.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    pub request: RequestId,
    pub outcome: Outcome,
    /// The function's JSON answer, or its error as JSON.
    pub payload: Bytes,
    /// The last 4 KB of the log, when the caller asked for it.
    pub log: Option<String>,
}

impl Lambda {
    /// Begins an invocation, or says why not (and counts a throttle). Returns the invocation's number. The function
    /// must exist: an unknown id is `None`.
    pub fn start(&mut self, cx: &mut Cx<'_>, id: FunctionId, work: Work) -> Option<Result<u64, Throttle>> {
        let (reserved_sum, unreserved_in_flight) = (self.reserved_sum, self.unreserved_in_flight);
        let function = self.functions.get_mut(id.0 as usize)?.as_deref_mut()?;
        let series = *function.series.get_or_insert_with(|| FunctionSeries::new(cx.metrics, &function.name));
        let full = match function.reserved {
            Some(reserved) if function.in_flight >= reserved => Some(Throttle::Reserved),
            Some(_) => {
                let rate = function.reserved_rate.as_mut().filter(|_| cx.place.limits);
                rate.is_some_and(|rate| !rate.take(1.0, cx.now)).then_some(Throttle::ReservedRate)
            }
            None => (unreserved_in_flight + reserved_sum >= super::ACCOUNT_CONCURRENCY).then_some(Throttle::Account),
        };
        let taken = match full {
            Some(why) => Err(why),
            None => function.pool.take(cx.now, cx.place.limits).ok_or(Throttle::FunctionRate),
        };
        let taken = match taken {
            Ok(taken) => taken,
            Err(why) => {
                metrics::add(cx.metrics, series.throttles, cx.now, 1.0);
                return Some(Err(why));
            }
        };
        let running = begin(cx, function, work, taken.environment, taken.is_cold);
        function.in_flight += 1;
        function.peak_in_flight = function.peak_in_flight.max(function.in_flight);
        self.unreserved_in_flight += u32::from(function.reserved.is_none());
        self.in_flight += 1;
        self.peak_in_flight = self.peak_in_flight.max(self.in_flight);
        self.peak_unreserved = self.peak_unreserved.max(self.unreserved_in_flight);
        self.invocations += 1;
        let invocation = self.invocations;
        cx.schedule(running.ends, Due::InvocationEnds { invocation }.into());
        self.running.insert(invocation, running);
        self.keep_gauging(cx);
        Some(Ok(invocation))
    }

    /// An invocation that runs: for its end and its request id.
    pub fn running(&self, invocation: u64) -> Option<&Running> {
        self.running.get(&invocation)
    }

    /// Ends an invocation: publishes its metrics at the time it started, frees its environment, writes its log.
    pub fn end(&mut self, cx: &mut Cx<'_>, invocation: u64) -> Option<Ended> {
        let mut run = self.running.remove(&invocation)?;
        let failed = std::mem::take(&mut run.failed);
        let ended = Ended {
            function: run.function,
            request: run.request,
            source: run.source,
            outcome: run.outcome.clone(),
            failed,
        };
        let slot = self.functions.get_mut(run.function.0 as usize).and_then(Option::as_deref_mut);
        let Some(function) = slot else { return Some(ended) };
        function.in_flight -= 1;
        self.in_flight -= 1;
        self.unreserved_in_flight -= u32::from(function.reserved.is_none());
        if let Some(series) = function.series {
            metrics::add(cx.metrics, series.invocations, run.started, 1.0);
            let error = if run.outcome.is_success() { 0.0 } else { 1.0 };
            metrics::add(cx.metrics, series.errors, run.started, error);
            metrics::add(cx.metrics, series.duration, run.started, run.duration_ms);
        }
        let is_fit = matches!(run.outcome, Outcome::Success | Outcome::Failed(_));
        if is_fit && run.deploy == function.code.deploy {
            function.pool.give_back(cx.now, run.environment);
        }
        let record = log_record(cx.now, function, &run);
        let answered = match run.source {
            Source::Caller { wants_log } => Some(Answered {
                request: run.request,
                payload: answer_payload(function, &run),
                log: wants_log.then(|| record.tail()),
                outcome: run.outcome,
            }),
            Source::Event { .. } | Source::Mapping { .. } => None,
        };
        function.log.push(record);
        if let Some(answered) = answered {
            if self.answers.len() == KEPT_ANSWERS {
                self.answers.pop_first();
            }
            self.answers.insert(invocation, answered);
        }
        Some(ended)
    }

    /// The answer of a synchronous invocation that has ended; it is handed out once.
    pub fn take_answer(&mut self, invocation: u64) -> Option<Answered> {
        self.answers.remove(&invocation)
    }
}

/// Decides the whole course of an invocation: its end is then only a matter of time.
fn begin(cx: &mut Cx<'_>, function: &Function, work: Work, environment: Environment, is_cold: bool) -> Running {
    let behaviour = &function.behaviour;
    let request = work.request.unwrap_or_else(|| RequestId(cx.rng.random(), cx.rng.random()));
    let init_ms = is_cold.then(|| behaviour.init.draw_sum_ms(cx, 1));
    let worked_ms = behaviour.base.draw_sum_ms(cx, 1) + behaviour.per_record.draw_sum_ms(cx, work.records);
    let mut duration_ms = (worked_ms * function.slow_down).max(0.01);
    let timeout_ms = f64::from(function.config.timeout_s) * 1_000.0;
    let (outcome, failed) = if duration_ms >= timeout_ms {
        duration_ms = timeout_ms;
        (Outcome::TimedOut, Vec::new())
    } else if behaviour.max_memory_mb > function.config.memory_mb {
        (Outcome::OutOfMemory, Vec::new())
    } else {
        match work.verdict.error {
            None => (Outcome::Success, Vec::new()),
            Some(_) if work.reports_item_failures && !work.verdict.failed.is_empty() => {
                (Outcome::Success, work.verdict.failed)
            }
            Some(error) => (Outcome::Failed(error), Vec::new()),
        }
    };
    let whole_ms = (duration_ms + init_ms.unwrap_or(0.0)).ceil() as u64;
    Running {
        function: function.id,
        request,
        started: cx.now,
        ends: cx.now + Duration::from_millis(whole_ms.max(1)),
        source: work.source,
        duration_ms,
        init_ms,
        outcome,
        failed,
        payload: work.payload,
        environment,
        deploy: function.code.deploy,
    }
}

fn log_record(now: Timestamp, function: &Function, run: &Running) -> LogRecord {
    LogRecord {
        request: run.request,
        started: run.started,
        ended: now,
        duration_ms: run.duration_ms,
        init_ms: run.init_ms,
        memory_mb: function.config.memory_mb,
        max_memory_used_mb: function.behaviour.max_memory_mb.min(function.config.memory_mb),
        timeout_s: function.config.timeout_s,
        outcome: run.outcome.clone(),
        lines: function.behaviour.log_lines.clone(),
        environment: run.environment.number,
        runtime: function.config.runtime.clone(),
    }
}

/// What the caller reads as the payload: the answer, or the error in the form of the runtime.
fn answer_payload(function: &Function, run: &Running) -> Bytes {
    let id = run.request.text();
    let error = match &run.outcome {
        Outcome::Success => {
            return match &function.behaviour.answer {
                Answer::Echo if run.payload.is_empty() => Bytes::from_static(b"null"),
                Answer::Echo => run.payload.clone(),
                Answer::Text(text) => Bytes::copy_from_slice(text.as_bytes()),
            };
        }
        Outcome::Failed(error) if function.config.runtime.starts_with("nodejs") => json!({
            "errorType": error.error_type,
            "errorMessage": error.message,
            "trace": [format!("{}: {}", error.error_type, error.message)],
        }),
        Outcome::Failed(error) => json!({
            "errorMessage": error.message,
            "errorType": error.error_type,
            "requestId": id,
            "stackTrace": [],
        }),
        Outcome::TimedOut => json!({
            "errorType": "Sandbox.Timedout",
            "errorMessage":
                format!("RequestId: {id} Error: Task timed out after {}.00 seconds", function.config.timeout_s),
        }),
        Outcome::OutOfMemory => json!({
            "errorType": "Runtime.ExitError",
            "errorMessage": format!("RequestId: {id} Error: Runtime exited with error: signal: killed"),
        }),
    };
    Bytes::from(error.to_string())
}
