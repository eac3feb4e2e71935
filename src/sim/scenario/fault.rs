//! What goes wrong in a scenario, or right again, and every reason why it may not.

use super::file::{Scenario, Spread, duration, maybe_duration};
use super::problems::Problems;
use super::{delivery, fleet};
use crate::sim::wire::Service;
use crate::sim::world::World;
use serde::Deserialize;
use std::time::Duration;

/// Something that goes wrong, or right again.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// After the story's begin.
    #[serde(default, deserialize_with = "duration")]
    pub at: Duration,
    /// When it ends by itself; without it, it stays.
    #[serde(default, deserialize_with = "maybe_duration")]
    pub until: Option<Duration>,
    pub kind: FaultKind,
    /// A producer's, worker's or fleet's name, or `lambda/fulfil-order`. Of the faults of the API: a service, a service's
    /// resource as `sqs/orders`, or `all`.
    pub target: String,
    /// Of `surge` and `slow`.
    pub factor: Option<f64>,
    /// Of `hot-key` and `lost-instance`: which one, from 1.
    pub key: Option<u32>,
    /// Of `hot-key`: its share of all records; of `bad-deploy`, `throttle`, `api-throttle` and `api-error`: the share
    /// that fails.
    pub share: Option<f64>,
    /// Of `bad-deploy`: payloads that hold this text fail.
    pub when_contains: Option<String>,
    pub error_type: Option<String>,
    pub message: Option<String>,
    /// Of `wrong-task-list`.
    pub task_list: Option<String>,
    /// Of `bad-deploy` and `deploy`: the alias that is pointed at the new version. When the fault ends, a bad deploy's
    /// alias is pointed back.
    pub alias: Option<String>,
    /// Of `concurrency-cap`: what the function is reserved, and held to.
    pub cap: Option<u32>,
    /// Of `timeout-close`: the new timeout, below what some invocations need.
    pub timeout_s: Option<u32>,
    /// Of `endpoint-down`: what the endpoint answers meanwhile; without it, it never answers. Of `api-error`: 500 (which
    /// it is without it) or 503.
    pub status: Option<u16>,
    /// Of `filter-policy`: the policy that the subscription gets.
    pub policy: Option<String>,
    /// Of the faults of the API: which operations; all without it.
    #[serde(default)]
    pub operations: Vec<String>,
    /// Of the faults of the API: `all` (which it is without it), `clients`, `actors`, an access key id, or the name of
    /// an application, `lambda/NAME`, `sns/NAME` or `firehose/NAME`.
    pub who: Option<String>,
    /// Of `api-hang`: how long a request hangs; to the fault's end without it.
    #[serde(default, deserialize_with = "maybe_duration")]
    pub hang_for: Option<Duration>,
    /// Of `latency` and `api-latency`: what is added.
    pub latency: Option<Spread>,
    /// Of `poison-payload`: the text of the payload; without it, one that nobody else sends.
    pub payload: Option<String>,
    /// Of `deny`: what its role may not do any more, as `sqs:ReceiveMessage`.
    pub action: Option<String>,
    /// Of `visibility-short`.
    pub visibility_s: Option<u32>,
    /// Of `retention-short` of a queue.
    pub retention_s: Option<u32>,
    /// Of `retention-short` of a stream; Kinesis keeps records for 24 hours at least.
    pub retention_hours: Option<u32>,
    /// Of `clock-skew`: how slow the callers' clocks are; twenty minutes without it. AWS tolerates five.
    #[serde(default, deserialize_with = "maybe_duration")]
    pub skew: Option<Duration>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// A producer makes `factor` times as much.
    Surge,
    /// `share` of a producer's records carry one key.
    HotKey,
    /// A function's new code fails on payloads that hold `when_contains`.
    BadDeploy,
    /// A function's new code is good.
    Deploy,
    /// A function or a worker or a fleet takes `factor` times as long.
    Slow,
    /// A worker or a fleet stops.
    Stop,
    /// A decider or an activity worker polls `task_list` instead of its own.
    WrongTaskList,
    /// Somebody reserves so little concurrency for a function that it is throttled.
    ConcurrencyCap,
    /// Somebody gives a function a timeout that some of its invocations exceed.
    TimeoutClose,
    /// Somebody switches off the event source mappings of a queue or a stream.
    DisableMapping,
    /// An HTTP endpoint answers `status`, or nothing at all.
    EndpointDown,
    /// Somebody sets a subscription's filter policy.
    FilterPolicy,
    /// A machine of a fleet, of deciders or of activity workers is lost (`key` says which, from 1); another boots in its
    /// place.
    LostInstance,
    /// A stream, a queue, a topic, a function, a table, or a fleet's lease table throttles `share` of all requests (all
    /// without it), and its metrics show it.
    Throttle,
    /// The role of an application or a function may not do `action` any more.
    Deny,
    /// A function or an endpoint takes longer by `latency`.
    Latency,
    /// A function or an endpoint fails `share` of all requests, an endpoint with `status` (500 without it).
    ErrorRate,
    /// A message comes into a queue or a stream that none of its functions and queue workers can take. When the fault
    /// ends, they can.
    PoisonPayload,
    /// Somebody gives a queue a visibility timeout below what its consumers need.
    VisibilityShort,
    /// Somebody lowers a queue's or a stream's retention below its consumers' lag.
    RetentionShort,
    /// A delivery stream's storage refuses what is delivered.
    Refuse,
    /// A delivery stream's storage does not answer.
    Hang,
    /// A service tells a `share` of all requests that they are too many.
    ApiThrottle,
    /// A `share` of all requests to a service fails with `status`.
    ApiError,
    /// Requests to a service get their answer only after `hang_for`.
    ApiHang,
    /// Requests to a service take longer by `latency`.
    ApiLatency,
    /// Requests to a service are denied.
    ApiDenied,
    /// The callers' session tokens have expired.
    ExpiredCredentials,
    /// The callers' clocks are slow.
    ClockSkew,
    /// Connections to a service break.
    Unreachable,
}

impl FaultKind {
    /// Whether it is about requests, and not about one thing of the scenario.
    pub(super) fn is_of_api(self) -> bool {
        matches!(
            self,
            Self::ApiThrottle
                | Self::ApiError
                | Self::ApiHang
                | Self::ApiLatency
                | Self::ApiDenied
                | Self::ExpiredCredentials
                | Self::ClockSkew
                | Self::Unreachable
        )
    }
}

impl Fault {
    /// Members that a kind needs and that are not there.
    fn missing(&self) -> Option<&'static str> {
        match self.kind {
            FaultKind::Surge | FaultKind::Slow => self.factor.is_none().then_some("factor"),
            FaultKind::HotKey => (self.key.is_none() || self.share.is_none()).then_some("key and share"),
            FaultKind::BadDeploy => self.when_contains.is_none().then_some("when_contains"),
            FaultKind::WrongTaskList => self.task_list.is_none().then_some("task_list"),
            FaultKind::FilterPolicy => self.policy.is_none().then_some("policy"),
            FaultKind::ConcurrencyCap => self.cap.is_none().then_some("cap"),
            FaultKind::TimeoutClose => self.timeout_s.is_none().then_some("timeout_s"),
            FaultKind::Deny => self.action.is_none().then_some("action"),
            FaultKind::ErrorRate => self.share.is_none().then_some("share"),
            FaultKind::VisibilityShort => self.visibility_s.is_none().then_some("visibility_s"),
            FaultKind::RetentionShort if self.target.starts_with("kinesis/") => {
                self.retention_hours.is_none().then_some("retention_hours")
            }
            FaultKind::RetentionShort => self.retention_s.is_none().then_some("retention_s"),
            FaultKind::ApiLatency | FaultKind::Latency => self.latency.is_none().then_some("latency"),
            _ => None,
        }
    }

    /// Members whose values cannot be.
    fn wrong(&self) -> Vec<&'static str> {
        let is_status = |status: u16| matches!((self.kind, status), (FaultKind::ApiError, 500 | 503));
        let is_operation = |name: &String| name.starts_with(|letter: char| letter.is_ascii_uppercase());
        let is_latency =
            |spread: &Spread| spread.p50_ms > 0.0 && spread.p50_ms <= spread.p99_ms && spread.p99_ms <= 9e5;
        let is_bad_status = self.kind == FaultKind::ApiError && self.status.is_some_and(|status| !is_status(status));
        let is_no_failure =
            self.kind == FaultKind::ErrorRate && self.status.is_some_and(|status| !(400..600).contains(&status));
        let is_action = self.action.as_ref().is_none_or(|action| permission(action).is_some());
        [
            (self.until.is_some_and(|until| until <= self.at), "until must be later than at"),
            (self.share.is_some_and(|share| !(0.0..=1.0).contains(&share)), "share must be 0 to 1"),
            (is_bad_status, "status must be 500 or 503"),
            (is_no_failure, "status must be 400 to 599"),
            (!is_action, "action must be a service and an operation, as sqs:ReceiveMessage"),
            (self.visibility_s.is_some_and(|s| s > 43_200), "visibility_s must be 0 to 43,200"),
            (self.retention_s.is_some_and(|s| !(60..=1_209_600).contains(&s)), "retention_s must be 60 to 1,209,600"),
            (self.retention_hours.is_some_and(|h| !(24..=8760).contains(&h)), "retention_hours must be 24 to 8,760"),
            (!self.operations.iter().all(is_operation), "operations must be names such as ReceiveMessage"),
            (
                self.latency.as_ref().is_some_and(|spread| !is_latency(spread)),
                "latency must be { p50_ms, p99_ms }, above 0, rising, to 900,000",
            ),
        ]
        .into_iter()
        .filter_map(|(is_wrong, message)| is_wrong.then_some(message))
        .collect()
    }
}

/// Service and operation of `sqs:ReceiveMessage`.
pub(super) fn permission(action: &str) -> Option<(Service, &str)> {
    let (service, operation) = action.split_once(':')?;
    let is_operation = operation.starts_with(|letter: char| letter.is_ascii_uppercase());
    Service::named(service).filter(|_| is_operation).map(|service| (service, operation))
}

impl Scenario {
    pub(super) fn check_faults(&self, problems: &mut Problems<'_>, world: Option<&World>) {
        for (index, fault) in self.faults.iter().enumerate() {
            let place = format!("fault {} ({:?} of `{}`)", index + 1, fault.kind, fault.target);
            let (fits, wanted) = self.fits(world, fault);
            if !fits {
                let of_this_file = if fault.kind.is_of_api() { "" } else { " of this file" };
                problems.of("fault", index, format!("{place}: target must be {wanted}{of_this_file}"));
            }
            if let Some(missing) = fault.missing() {
                problems.of("fault", index, format!("{place}: needs {missing}"));
            }
            let of_function = fault.target.strip_prefix("lambda/").unwrap_or_default();
            if let Some(alias) = fault.alias.as_ref().filter(|alias| !self.has_alias(world, of_function, alias)) {
                problems.of("fault", index, format!("{place}: `{alias}` is not an [[alias]] of that function here"));
            }
            for wrong in fault.wrong() {
                problems.of("fault", index, format!("{place}: {wrong}"));
            }
        }
    }

    /// Whether a fault's target is of its kind, and what it should be.
    fn fits(&self, world: Option<&World>, fault: &Fault) -> (bool, &'static str) {
        let target = fault.target.as_str();
        let function = target.strip_prefix("lambda/").is_some_and(|function| self.has_function(world, function));
        let consumer = self.has_consumer(world, target);
        let delivers = delivery::has(self, world, target);
        match fault.kind {
            FaultKind::Surge | FaultKind::HotKey => (self.has_producer(world, target), "a producer's name"),
            FaultKind::BadDeploy | FaultKind::Deploy => (function, "a function, as lambda/NAME"),
            FaultKind::Slow => (function || consumer, "a function (lambda/NAME), worker or fleet"),
            FaultKind::Stop | FaultKind::WrongTaskList => (consumer, "a worker's or fleet's name"),
            FaultKind::ConcurrencyCap | FaultKind::TimeoutClose => (function, "a function, as lambda/NAME"),
            FaultKind::DisableMapping => (self.has_source(world, target), "a source, as sqs/NAME"),
            FaultKind::LostInstance => {
                (consumer && !self.is_worker(world, target), "the name of a fleet, of deciders or of activity workers")
            }
            FaultKind::Throttle => (
                function
                    || self.has_source(world, target)
                    || self.has_topic(world, target)
                    || fleet::has_table(self, world, target),
                "a stream, queue, topic, function or table, as kinesis/NAME, or a fleet's name",
            ),
            FaultKind::Deny => (
                function || consumer || self.has_producer(world, target) || self.has_topic(world, target) || delivers,
                "an application's name, or a function, topic or delivery stream, as lambda/NAME",
            ),
            FaultKind::Latency | FaultKind::ErrorRate => {
                (function || self.has_endpoint(world, target), "a function (lambda/NAME) or an endpoint's name")
            }
            FaultKind::PoisonPayload | FaultKind::RetentionShort => {
                (self.has_source(world, target), "a source, as sqs/NAME or kinesis/NAME")
            }
            FaultKind::VisibilityShort => {
                (target.starts_with("sqs/") && self.has_source(world, target), "a queue, as sqs/NAME")
            }
            FaultKind::Refuse | FaultKind::Hang => (delivers, "a delivery stream, as firehose/NAME"),
            FaultKind::EndpointDown => (self.has_endpoint(world, target), "an endpoint's name"),
            FaultKind::FilterPolicy => {
                (self.has_subscription(world, target), "a subscription, as TOPIC/TO such as promo/sqs/orders")
            }
            _ => {
                let service = target.split_once('/').map_or(target, |(service, _)| service);
                (
                    target == "all" || Service::named(service).is_some(),
                    "all, a service or its resource, such as sqs/NAME,",
                )
            }
        }
    }
}
