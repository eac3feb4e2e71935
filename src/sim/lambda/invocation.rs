//! Invocations: begun when a limit allows it, decided at once, ended (and counted) when their time is up.

use crate::domain::time::Timestamp;
use crate::sim::cx::Cx;
use crate::sim::lambda::behaviour::{Answer, FunctionError, Verdict};
use crate::sim::lambda::environment::{Environment, Throttle};
use crate::sim::lambda::function::{Function, FunctionId};
use crate::sim::lambda::log::{LogRecord, RequestId};
use crate::sim::lambda::metrics::Counted;
use crate::sim::lambda::version::{Chosen, Version, VersionNumber};
use crate::sim::lambda::{Due, Lambda};
use crate::sim::payload::Payload;
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
    /// What runs.
    pub chosen: Chosen,
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
    chosen: Chosen,
    /// Whose provisioned environment it runs in.
    provisioned: Option<Arc<str>>,
}

/// An invocation that has ended, for whoever it ran for.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    pub function: FunctionId,
    pub request: RequestId,
    pub source: Source,
    pub version: VersionNumber,
    pub outcome: Outcome,
    /// Positions in the batch that the function reported as failed, though it succeeded as a whole.
    pub failed: Vec<u32>,
    /// What the function answered to an asynchronous event; empty for other sources.
    pub payload: Bytes,
}

/// The answer to a caller that waits.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    pub request: RequestId,
    pub version: VersionNumber,
    pub outcome: Outcome,
    /// The function's JSON answer, or its error as JSON.
    pub payload: Bytes,
    /// The last 4 KB of the log, when the caller asked for it.
    pub log: Option<String>,
}

impl Lambda {
    /// Begins an invocation, or says why not (and counts a throttle). Returns the invocation's number. The function
    /// and the version must exist: unknown ones are `None`.
    pub fn start(&mut self, cx: &mut Cx<'_>, id: FunctionId, work: Work) -> Option<Result<u64, Throttle>> {
        let claimed = self.unreserved_in_flight + self.reserved_sum + self.provisioned_unreserved;
        let function = self.functions.get_mut(id.0 as usize)?.as_deref_mut()?;
        function.version(work.chosen.version)?;
        let place = match function.take_environment(cx, &work.chosen, claimed) {
            Ok(place) => place,
            Err(why) => {
                function.count(cx, &work.chosen, Counted::Throttles, cx.now, 1.0);
                return Some(Err(why));
            }
        };
        let is_on_demand = place.provisioned.is_none();
        let running = begin(cx, function, work, place)?;
        function.in_flight += 1;
        function.on_demand += u32::from(is_on_demand);
        function.peak_in_flight = function.peak_in_flight.max(function.in_flight);
        self.unreserved_in_flight += u32::from(is_on_demand && function.reserved.is_none());
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
        let mut ended = Ended {
            function: run.function,
            request: run.request,
            source: run.source,
            version: run.chosen.version,
            outcome: run.outcome.clone(),
            failed,
            payload: Bytes::new(),
        };
        let slot = self.functions.get_mut(run.function.0 as usize).and_then(Option::as_deref_mut);
        let Some(function) = slot else { return Some(ended) };
        let is_on_demand = run.provisioned.is_none();
        function.in_flight -= 1;
        function.on_demand -= u32::from(is_on_demand);
        self.in_flight -= 1;
        self.unreserved_in_flight -= u32::from(is_on_demand && function.reserved.is_none());
        function.count_invocation(cx, &run);
        function.free_environment(cx, &run);
        let record = log_record(cx.now, function, &run);
        match run.source {
            Source::Caller { wants_log } => {
                let answered = Answered {
                    request: run.request,
                    version: run.chosen.version,
                    payload: answer_payload(function, &run),
                    log: wants_log.then(|| record.tail()),
                    outcome: run.outcome,
                };
                if self.answers.len() == KEPT_ANSWERS {
                    self.answers.pop_first();
                }
                self.answers.insert(invocation, answered);
            }
            Source::Event { .. } => ended.payload = answer_payload(function, &run),
            Source::Mapping { .. } => {}
        }
        function.log.push(record);
        Some(ended)
    }

    /// The answer of a synchronous invocation that has ended; it is handed out once.
    pub fn take_answer(&mut self, invocation: u64) -> Option<Answered> {
        self.answers.remove(&invocation)
    }
}

/// Where an invocation runs.
struct Room {
    environment: Environment,
    is_cold: bool,
    provisioned: Option<Arc<str>>,
}

impl Function {
    /// An environment for one more invocation: a provisioned one, a warm one or a new one; or why there is none.
    /// `claimed` is what of the account's concurrency is in use or set aside.
    fn take_environment(&mut self, cx: &mut Cx<'_>, chosen: &Chosen, claimed: u32) -> Result<Room, Throttle> {
        if self.reserved == Some(0) {
            return Err(Throttle::Reserved);
        }
        if self.trouble.throttled > 0.0 && cx.rng.random_bool(self.trouble.throttled.min(1.0)) {
            return Err(Throttle::FunctionRate);
        }
        if let Some(rate) = self.reserved_rate.as_mut().filter(|_| cx.place.limits)
            && !rate.take(1.0, cx.now)
        {
            return Err(Throttle::ReservedRate);
        }
        let key = self.provisioned_key(chosen);
        if let Some(key) = &key
            && let Some(environment) = self.take_provisioned(key)
        {
            return Ok(Room { environment, is_cold: false, provisioned: Some(key.clone()) });
        }
        match self.reserved {
            Some(reserved) if self.on_demand + self.provisioned_sum() >= reserved => return Err(Throttle::Reserved),
            None if claimed >= super::ACCOUNT_CONCURRENCY => return Err(Throttle::Account),
            _ => {}
        }
        let scaling = cx.place.limits.then_some(&mut self.scaling);
        let pool = match chosen.version {
            VersionNumber::LATEST => Some(&mut self.latest.pool),
            number => self.versions.get_mut(&number).map(|version| &mut version.pool),
        };
        let taken = pool.and_then(|pool| pool.take(cx.now, scaling)).ok_or(Throttle::FunctionRate)?;
        if key.is_some() {
            self.count(cx, chosen, Counted::Spillover, cx.now, 1.0);
        }
        Ok(Room { environment: taken.environment, is_cold: taken.is_cold, provisioned: None })
    }

    /// An environment that is fit for more work waits for it.
    fn free_environment(&mut self, cx: &Cx<'_>, run: &Running) {
        if let Some(key) = &run.provisioned {
            self.give_back_provisioned(key, run.environment);
            return;
        }
        let is_fit = matches!(run.outcome, Outcome::Success | Outcome::Failed(_));
        if let Some(version) = self.version_mut(run.chosen.version)
            && is_fit
            && run.deploy == version.code.deploy
        {
            version.pool.give_back(cx.now, run.environment);
        }
    }

    fn count_invocation(&mut self, cx: &mut Cx<'_>, run: &Running) {
        let error = if run.outcome.is_success() { 0.0 } else { 1.0 };
        self.count(cx, &run.chosen, Counted::Invocations, run.started, 1.0);
        self.count(cx, &run.chosen, Counted::Errors, run.started, error);
        self.count(cx, &run.chosen, Counted::Duration, run.started, run.duration_ms);
        if run.provisioned.is_some() {
            self.count(cx, &run.chosen, Counted::ProvisionedInvocations, run.started, 1.0);
        }
    }

    /// What a version's code thinks of payloads; nothing where there is no such version.
    pub fn judge<'p>(
        &self,
        cx: &mut Cx<'_>,
        version: VersionNumber,
        payloads: impl Iterator<Item = &'p Payload>,
    ) -> Verdict {
        let Some(version) = self.version(version) else { return Verdict::default() };
        if self.trouble.fails() {
            return self.trouble.upon(&version.behaviour).judge(cx, payloads);
        }
        version.behaviour.judge(cx, payloads)
    }
}

/// Decides the whole course of an invocation: its end is then only a matter of time.
fn begin(cx: &mut Cx<'_>, function: &Function, work: Work, room: Room) -> Option<Running> {
    let version = function.version(work.chosen.version)?;
    let behaviour = &version.behaviour;
    let request = work.request.unwrap_or_else(|| RequestId(cx.rng.random(), cx.rng.random()));
    let init_ms = room.is_cold.then(|| behaviour.init.draw_sum_ms(cx, 1));
    let worked_ms = behaviour.base.draw_sum_ms(cx, 1) + behaviour.per_record.draw_sum_ms(cx, work.records);
    let added_ms = function.trouble.added.draw_sum_ms(cx, 1);
    let mut duration_ms = (worked_ms * function.slow_down + added_ms).max(0.01);
    let timeout_ms = f64::from(version.config.timeout_s) * 1_000.0;
    let (outcome, failed) = if duration_ms >= timeout_ms {
        duration_ms = timeout_ms;
        (Outcome::TimedOut, Vec::new())
    } else if behaviour.max_memory_mb > version.config.memory_mb {
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
    Some(Running {
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
        environment: room.environment,
        deploy: version.code.deploy,
        chosen: work.chosen,
        provisioned: room.provisioned,
    })
}

/// The version that ran, or `$LATEST` where it was deleted meanwhile.
fn version_of<'f>(function: &'f Function, run: &Running) -> &'f Version {
    function.version(run.chosen.version).unwrap_or(&function.latest)
}

fn log_record(now: Timestamp, function: &Function, run: &Running) -> LogRecord {
    let version = version_of(function, run);
    LogRecord {
        request: run.request,
        started: run.started,
        ended: now,
        version: run.chosen.version,
        duration_ms: run.duration_ms,
        init_ms: run.init_ms,
        memory_mb: version.config.memory_mb,
        max_memory_used_mb: version.behaviour.max_memory_mb.min(version.config.memory_mb),
        timeout_s: version.config.timeout_s,
        outcome: run.outcome.clone(),
        lines: version.behaviour.log_lines.clone(),
        environment: run.environment,
        runtime: version.config.runtime.clone(),
    }
}

/// What the caller reads as the payload: the answer, or the error in the form of the runtime.
fn answer_payload(function: &Function, run: &Running) -> Bytes {
    let id = run.request.text();
    let version = version_of(function, run);
    let error = match &run.outcome {
        Outcome::Success => {
            return match &version.behaviour.answer {
                Answer::Echo if run.payload.is_empty() => Bytes::from_static(b"null"),
                Answer::Echo => run.payload.clone(),
                Answer::Text(text) => Bytes::copy_from_slice(text.as_bytes()),
            };
        }
        Outcome::Failed(error) if version.config.runtime.starts_with("nodejs") => json!({
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
                format!("RequestId: {id} Error: Task timed out after {}.00 seconds", version.config.timeout_s),
        }),
        Outcome::OutOfMemory => json!({
            "errorType": "Runtime.ExitError",
            "errorMessage": format!("RequestId: {id} Error: Runtime exited with error: signal: killed"),
        }),
    };
    Bytes::from(error.to_string())
}
