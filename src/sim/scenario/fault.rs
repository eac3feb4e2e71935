//! What goes wrong in a scenario, or right again, and every reason why it may not.

use super::file::{Scenario, duration, maybe_duration};
use super::problems::Problems;
use super::{delivery, fleet};
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
    /// A producer's, worker's or fleet's name, or `lambda/fulfil-order`.
    pub target: String,
    /// Of `surge` and `slow`.
    pub factor: Option<f64>,
    /// Of `hot-key` and `lost-instance`: which one, from 1.
    pub key: Option<u32>,
    /// Of `hot-key`: its share of all records; of `bad-deploy` and `throttle`: the share that fails.
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
    /// Of `endpoint-down`: what the endpoint answers meanwhile; without it, it never answers.
    pub status: Option<u16>,
    /// Of `filter-policy`: the policy that the subscription gets.
    pub policy: Option<String>,
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
    /// A machine of a fleet is lost (`key` says which, from 1); another boots in its place.
    LostInstance,
    /// A table, or a fleet's lease table, throttles `share` of all requests (all without it).
    Throttle,
    /// A delivery stream's storage refuses what is delivered.
    Refuse,
    /// A delivery stream's storage does not answer.
    Hang,
}

impl Scenario {
    pub(super) fn check_faults(&self, problems: &mut Problems<'_>, world: Option<&World>) {
        for (index, fault) in self.faults.iter().enumerate() {
            let place = format!("fault {} ({:?} of `{}`)", index + 1, fault.kind, fault.target);
            let producer = self.has_producer(world, &fault.target);
            let function =
                fault.target.strip_prefix("lambda/").is_some_and(|function| self.has_function(world, function));
            let consumer = self.has_consumer(world, &fault.target);
            let endpoint = self.has_endpoint(world, &fault.target);
            let subscription = self.has_subscription(world, &fault.target);
            let (fits, wanted) = match fault.kind {
                FaultKind::Surge | FaultKind::HotKey => (producer, "a producer's name"),
                FaultKind::BadDeploy | FaultKind::Deploy => (function, "a function, as lambda/NAME"),
                FaultKind::Slow => (function || consumer, "a function (lambda/NAME), worker or fleet"),
                FaultKind::Stop | FaultKind::WrongTaskList => (consumer, "a worker's or fleet's name"),
                FaultKind::ConcurrencyCap | FaultKind::TimeoutClose => (function, "a function, as lambda/NAME"),
                FaultKind::DisableMapping => (self.has_source(world, &fault.target), "a source, as sqs/NAME"),
                FaultKind::LostInstance => (fleet::has(self, world, &fault.target), "a fleet's name"),
                FaultKind::Throttle => {
                    (fleet::has_table(self, world, &fault.target), "a fleet's name or dynamodb/TABLE")
                }
                FaultKind::Refuse | FaultKind::Hang => {
                    (delivery::has(self, world, &fault.target), "a delivery stream, as firehose/NAME")
                }
                FaultKind::EndpointDown => (endpoint, "an endpoint's name"),
                FaultKind::FilterPolicy => (subscription, "a subscription, as TOPIC/TO such as promo/sqs/orders"),
            };
            if !fits {
                problems.of("fault", index, format!("{place}: target must be {wanted} of this file"));
            }
            let missing = match fault.kind {
                FaultKind::Surge | FaultKind::Slow => fault.factor.is_none().then_some("factor"),
                FaultKind::HotKey => (fault.key.is_none() || fault.share.is_none()).then_some("key and share"),
                FaultKind::BadDeploy => fault.when_contains.is_none().then_some("when_contains"),
                FaultKind::WrongTaskList => fault.task_list.is_none().then_some("task_list"),
                FaultKind::FilterPolicy => fault.policy.is_none().then_some("policy"),
                FaultKind::ConcurrencyCap => fault.cap.is_none().then_some("cap"),
                FaultKind::TimeoutClose => fault.timeout_s.is_none().then_some("timeout_s"),
                _ => None,
            };
            if let Some(missing) = missing {
                problems.of("fault", index, format!("{place}: needs {missing}"));
            }
            let of_function = fault.target.strip_prefix("lambda/").unwrap_or_default();
            if let Some(alias) = fault.alias.as_ref().filter(|alias| !self.has_alias(world, of_function, alias)) {
                problems.of("fault", index, format!("{place}: `{alias}` is not an [[alias]] of that function here"));
            }
            if fault.until.is_some_and(|until| until <= fault.at) {
                problems.of("fault", index, format!("{place}: until must be later than at"));
            }
        }
    }
}
