//! What a function does when it runs: how long it takes, what memory it needs, which payloads it fails on.

use crate::sim::cx::Cx;
use crate::sim::payload::Payload;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use std::sync::Arc;

/// The standard normal distribution's 99th percentile.
const Z_99: f64 = 2.326_347_874;

/// A log-normal time given by two of its percentiles, both in milliseconds. A `p99_ms` at or below `p50_ms` makes the
/// time constant.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Spread {
    pub p50_ms: f64,
    pub p99_ms: f64,
}

impl Spread {
    /// Always the same time.
    pub fn constant(ms: f64) -> Self {
        Self { p50_ms: ms, p99_ms: ms }
    }

    /// The sum of `n` independent draws, from one draw: the relative spread narrows with the square root of `n`.
    pub fn draw_sum_ms(self, cx: &mut Cx<'_>, n: u32) -> f64 {
        if self.p50_ms <= 0.0 || n == 0 {
            return 0.0;
        }
        if self.p99_ms <= self.p50_ms {
            return self.p50_ms * f64::from(n);
        }
        let sigma = (self.p99_ms / self.p50_ms).ln() / Z_99 / f64::from(n).sqrt();
        let z: f64 = StandardNormal.sample(cx.rng);
        self.p50_ms * (sigma * z).exp() * f64::from(n)
    }
}

/// The error that a function ends with, as its runtime reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    /// Such as `ValueError`, `KeyError`, `Runtime.ExitError`.
    pub error_type: String,
    pub message: String,
}

/// A payload that this version of the code cannot take.
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorRule {
    /// The rule speaks of payloads that hold this text; an empty text speaks of every payload.
    pub when_contains: String,
    pub error: Arc<FunctionError>,
    /// The share of such payloads that fail, 0.0 to 1.0.
    pub rate: f64,
}

impl ErrorRule {
    /// A rule under which every payload that holds `when_contains` fails.
    pub fn new(when_contains: &str, error_type: &str, message: &str) -> Self {
        Self {
            when_contains: when_contains.to_owned(),
            error: Arc::new(FunctionError { error_type: error_type.to_owned(), message: message.to_owned() }),
            rate: 1.0,
        }
    }

    pub fn with_rate(mut self, rate: f64) -> Self {
        self.rate = rate.clamp(0.0, 1.0);
        self
    }
}

/// What an invocation that succeeds answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The payload it was given: what a function does that a client made.
    Echo,
    /// This JSON text.
    Text(Arc<str>),
}

/// What one version of a function's code does.
#[derive(Clone, Debug, PartialEq)]
pub struct Behaviour {
    /// The part of an invocation's duration that does not depend on its batch.
    pub base: Spread,
    /// The part that each record or message of the batch adds.
    pub per_record: Spread,
    /// What a cold start adds before the invocation's duration is counted.
    pub init: Spread,
    /// At most 10,240. More than the function's memory size means that it is killed.
    pub max_memory_mb: u32,
    pub errors: Vec<ErrorRule>,
    /// The share of invocations that fail whatever they were given, 0.0 to 1.0.
    pub error_rate: f64,
    /// Lines that every invocation writes to its log.
    pub log_lines: Arc<[String]>,
    pub answer: Answer,
}

impl Default for Behaviour {
    /// An echo that takes about two milliseconds.
    fn default() -> Self {
        Self {
            base: Spread { p50_ms: 1.8, p99_ms: 12.0 },
            per_record: Spread::default(),
            init: Spread { p50_ms: 110.0, p99_ms: 320.0 },
            max_memory_mb: 38,
            errors: Vec::new(),
            error_rate: 0.0,
            log_lines: Arc::from([]),
            answer: Answer::Echo,
        }
    }
}

/// What the code thinks of the payloads it was given.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Verdict {
    /// The first error met, when there was one.
    pub error: Option<Arc<FunctionError>>,
    /// Positions in the batch of the payloads that fail, rising.
    pub failed: Vec<u32>,
}

impl Verdict {
    /// Code that keeps a FIFO queue's order stops at the first message that fails and reports all that come after it,
    /// too ("Implementing partial batch responses").
    pub fn stop_at_first_failure(&mut self, records: u32) {
        if let Some(first) = self.failed.first().copied() {
            self.failed = (first..records).collect();
        }
    }
}

impl Behaviour {
    /// Judges the payloads of one invocation, in order. Costs nothing when the code has no error rules.
    pub fn judge<'p>(&self, cx: &mut Cx<'_>, payloads: impl Iterator<Item = &'p Payload>) -> Verdict {
        let mut verdict = Verdict::default();
        if !self.errors.is_empty() {
            for (position, payload) in (0u32..).zip(payloads) {
                if let Some(error) = self.error_on(cx, payload) {
                    verdict.error.get_or_insert(error);
                    verdict.failed.push(position);
                }
            }
        }
        if verdict.error.is_none() && self.error_rate > 0.0 && cx.rng.random::<f64>() < self.error_rate {
            verdict.error = Some(Arc::new(FunctionError {
                error_type: "RuntimeError".to_owned(),
                message: "dependency failed".to_owned(),
            }));
        }
        verdict
    }

    fn error_on(&self, cx: &mut Cx<'_>, payload: &Payload) -> Option<Arc<FunctionError>> {
        for rule in &self.errors {
            let speaks = rule.when_contains.is_empty() || cx.templates.contains(payload, &rule.when_contains);
            if speaks && (rule.rate >= 1.0 || cx.rng.random::<f64>() < rule.rate) {
                return Some(rule.error.clone());
            }
        }
        None
    }
}
