//! The meter: counts every HTTP attempt that the SDK makes, by operation, and how many of them were throttled.

use crate::aws::operations::OPERATIONS;
use crate::aws::pace::Pace;
use crate::domain::poll::Calls;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, Metadata};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::Format;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Shared by all clients, which report to it from inside the SDK's retry loop. [`Meter::take`] empties it, so the
/// counts of polls in flight at once are told once each, by whichever poll ends first.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    counts: Arc<Counts>,
    pace: Pace,
}

#[derive(Debug)]
struct Counts {
    attempts: [AtomicU64; OPERATIONS.len()],
    throttled: AtomicU64,
    /// How far the clock of the last answer was ahead of ours.
    ahead_ms: AtomicI64,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            attempts: std::array::from_fn(|_| AtomicU64::new(0)),
            throttled: AtomicU64::new(0),
            ahead_ms: AtomicI64::new(0),
        }
    }
}

impl Meter {
    /// The pace of the calls that it counts.
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// How many milliseconds the clock of the last answer was ahead of ours, network and all; negative behind it.
    pub fn ahead_ms(&self) -> i64 {
        self.counts.ahead_ms.load(Ordering::Relaxed)
    }

    /// The calls since the last taking.
    pub fn take(&self) -> Calls {
        let mut calls = Calls { throttled: self.counts.throttled.swap(0, Ordering::Relaxed), ..Calls::default() };
        for (operation, attempts) in OPERATIONS.iter().zip(&self.counts.attempts) {
            let attempts = attempts.swap(0, Ordering::Relaxed);
            if attempts > 0 {
                calls.by_operation.insert(operation.label, attempts);
                calls.usd += attempts as f64 * operation.usd;
            }
        }
        calls
    }
}

/// How far the time that an answer was given at is ahead of the clock's.
fn ahead_ms(response: &HttpResponse, components: &RuntimeComponents) -> Option<i64> {
    let said = DateTime::from_str(response.headers().get("date")?, Format::HttpDate).ok()?;
    let clock = DateTime::from(components.time_source()?.now());
    Some(said.to_millis().ok()? - clock.to_millis().ok()?)
}

impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "Meter"
    }

    fn read_before_attempt(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(attempts) = called(cfg).and_then(|index| self.counts.attempts.get(index)) {
            attempts.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(response) = context.response() else { return Ok(()) };
        let was_throttled = is_throttled(response);
        if was_throttled {
            self.counts.throttled.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(ahead_ms) = ahead_ms(response, components) {
            self.counts.ahead_ms.store(ahead_ms, Ordering::Relaxed);
        }
        if let Some(index) = called(cfg) {
            self.pace.note(index, was_throttled);
        }
        Ok(())
    }
}

/// The SDK's words for services that are called otherwise everywhere else.
const SERVICES: [(&str, &str); 2] =
    [("CloudWatch Logs", "logs"), ("Resource Groups Tagging API", "resourcegroupstaggingapi")];

/// Which operation of the table this is.
fn called(cfg: &ConfigBag) -> Option<usize> {
    let called = cfg.load::<Metadata>()?;
    let known = SERVICES.iter().find(|(word, _)| *word == called.service());
    let service = known.map_or(called.service(), |(_, known)| *known);
    OPERATIONS
        .iter()
        .position(|operation| operation.name == called.name() && operation.service.eq_ignore_ascii_case(service))
}

/// AWS throttles with status 429, or with 400 and one of several codes; the code stands in a header or in the body.
fn is_throttled(response: &HttpResponse) -> bool {
    let status = response.status().as_u16();
    if status == 429 {
        return true;
    }
    if status != 400 && status != 503 {
        return false;
    }
    let header = |name| response.headers().get(name).is_some_and(crate::aws::errors::is_throttling_code);
    let body = || response.body().bytes().map(String::from_utf8_lossy);
    header("x-amzn-errortype")
        || header("x-amzn-query-error")
        || body().is_some_and(|body| crate::aws::errors::is_throttling_code(&body))
}
