//! What goes wrong in a scenario, or right again: what may stand in a `[[fault]]`.

use super::file::{Spread, duration, maybe_duration};
use crate::sim::wire::Service;
use serde::Deserialize;
use std::time::Duration;

/// Something that goes wrong, or right again.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What it is ended by, before its time; its kind's word without it. Faults of one name are ended together.
    pub name: Option<String>,
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
    /// Of the faults of the API: which operations; all without it. A resource that is not there yet may be the target
    /// only where they are named.
    #[serde(default)]
    pub operations: Vec<String>,
    /// Of the faults of the API: `all` (which it is without it), `clients`, `actors`, an access key id (one that does not
    /// look like AWS's as `key/test`), or the name of an application, `lambda/NAME`, `sns/NAME` or `firehose/NAME`.
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
    /// The kind as scenarios write it.
    pub fn word(self) -> String {
        let mut word = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_ascii_uppercase() && !word.is_empty() {
                word.push('-');
            }
            word.push(letter.to_ascii_lowercase());
        }
        word
    }

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

/// Service and operation of an action of policies, such as `sqs:ReceiveMessage`.
pub(super) fn permission(action: &str) -> Option<(Service, &str)> {
    let (service, operation) = action.split_once(':')?;
    // Policies have a name of their own for one operation.
    let operation = if action == "lambda:InvokeFunction" { "Invoke" } else { operation };
    Service::named(service).map(|service| (service, operation))
}
