//! A finding: what is wrong, where, how sure, and the evidence. A problem: what could not be seen, and the cure.

use crate::domain::row::{Health, Place, ResourceId};
use crate::domain::time::Timestamp;
use crate::domain::verb::ActionId;

/// What is wrong, by cause.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub cause: Cause,
    pub severity: Health,
    pub confidence: Confidence,
    pub resource: ResourceId,
    /// One sentence: what and why.
    pub sentence: String,
    pub evidence: Vec<Evidence>,
    /// What a person can do about it here.
    pub actions: Vec<ActionId>,
}

/// Why something is wrong. The word is stable: scripts and scenarios use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    HotKey,
    UnderProvisioned,
    SlowConsumer,
    StalledConsumer,
    BadDeploy,
    FunctionErrors,
    FunctionThrottled,
    TimeoutClose,
    DeadLetters,
    Backlog,
    ReadThrottled,
    DeliveriesFail,
    DeciderDown,
    FleetStopped,
    WorkerLost,
    LeaseTableThrottled,
    FilterPolicy,
}

impl Cause {
    pub const fn word(self) -> &'static str {
        match self {
            Self::HotKey => "hot-key",
            Self::UnderProvisioned => "under-provisioned",
            Self::SlowConsumer => "slow-consumer",
            Self::StalledConsumer => "stalled-consumer",
            Self::BadDeploy => "bad-deploy",
            Self::FunctionErrors => "function-errors",
            Self::FunctionThrottled => "function-throttled",
            Self::TimeoutClose => "timeout-close",
            Self::DeadLetters => "dead-letters",
            Self::Backlog => "backlog",
            Self::ReadThrottled => "read-throttled",
            Self::DeliveriesFail => "deliveries-fail",
            Self::DeciderDown => "decider-down",
            Self::FleetStopped => "fleet-stopped",
            Self::WorkerLost => "worker-lost",
            Self::LeaseTableThrottled => "lease-table-throttled",
            Self::FilterPolicy => "filter-policy",
        }
    }
}

/// How sure, by rule and not by score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    Possible,
    Likely,
    Certain,
}

impl Confidence {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

/// A number or a change that speaks for a finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    pub resource: ResourceId,
    /// The field's id; `change` where what speaks is no number but a change.
    pub field: &'static str,
    pub sentence: String,
    pub at: Timestamp,
}

/// Something that could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The context that cannot be looked at in full.
    pub place: Place,
    /// `sqs`, `cloudwatch`, …
    pub service: &'static str,
    /// The API operation's name: `ListQueues`.
    pub operation: &'static str,
    pub class: ErrorClass,
    /// It strikes every call there, whatever is asked of whom: credentials, the network, the clock.
    pub of_place: bool,
    /// What happened and what to do about it.
    pub sentence: String,
}

impl Problem {
    /// Whether it may end by itself; the others need somebody to grant or make something.
    pub fn passes(&self) -> bool {
        !matches!(self.class, ErrorClass::Denied | ErrorClass::Missing)
    }
}

/// Problems with the same sentence have one cause: no credentials strike every operation, and are told once.
pub fn by_cause<'p>(problems: impl IntoIterator<Item = &'p Problem>) -> Vec<Vec<&'p Problem>> {
    let mut causes: Vec<Vec<&Problem>> = Vec::new();
    for problem in problems {
        let same = |cause: &&mut Vec<&Problem>| {
            cause.first().is_some_and(|first| {
                (&first.place, first.class, &first.sentence) == (&problem.place, problem.class, &problem.sentence)
            })
        };
        match causes.iter_mut().find(same) {
            Some(cause) => cause.push(problem),
            None => causes.push(vec![problem]),
        }
    }
    causes
}

/// What a cause strikes: `sqs:ListQueues`, or `10 operations of cloudwatch, kinesis, sqs`.
pub fn struck(cause: &[&Problem]) -> String {
    let place = cause.first().and_then(|first| first.place.name());
    let place = place.map(|name| format!("{name}: ")).unwrap_or_default();
    if let [one] = cause {
        return format!("{place}{}:{}", one.service, one.operation);
    }
    let services: std::collections::BTreeSet<&str> = cause.iter().map(|problem| problem.service).collect();
    format!("{place}{} operations of {}", cause.len(), services.into_iter().collect::<Vec<_>>().join(", "))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorClass {
    /// The caller may not, or credentials are wrong or expired.
    Denied,
    Throttled,
    /// Unreachable, timed out, cut off.
    Network,
    /// The resource or the operation does not exist there.
    Missing,
    Other,
}

impl ErrorClass {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Throttled => "throttled",
            Self::Network => "network",
            Self::Missing => "missing",
            Self::Other => "other",
        }
    }
}
