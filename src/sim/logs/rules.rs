//! What a group does with the events that are written to it: metric filters and subscriptions.

use super::Pattern;
use crate::domain::time::Timestamp;
use std::collections::BTreeMap;

/// Metric filters of one group, at most, and subscriptions (CloudWatch Logs "quotas").
pub const METRIC_FILTERS_MAX: usize = 100;
pub const SUBSCRIPTIONS_MAX: usize = 2;

/// A filter whose matches are samples of a metric.
#[derive(Clone, Debug)]
pub struct MetricFilter {
    pub created: Timestamp,
    pub pattern: Pattern,
    /// The pattern as given.
    pub text: String,
    pub namespace: String,
    pub name: String,
    /// A number, or the selector of one: `$.latency`, `$bytes`.
    pub value: String,
    pub default_value: Option<f64>,
    pub unit: &'static str,
    pub is_unit_given: bool,
    /// Selectors by the dimension's name.
    pub dimensions: BTreeMap<String, String>,
}

/// Who gets what a subscription takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A function's ARN.
    Function(String),
    /// A data stream's name.
    Stream(String),
    /// A delivery stream's name.
    DeliveryStream(String),
}

impl Destination {
    /// As the metric `ForwardedBytes` calls it (`DestinationType`).
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Function(_) => "Lambda",
            Self::Stream(_) => "Kinesis Data Stream",
            Self::DeliveryStream(_) => "Firehose",
        }
    }
}

/// A filter whose matches go to somebody.
#[derive(Clone, Debug)]
pub struct Subscription {
    pub created: Timestamp,
    pub pattern: Pattern,
    /// The pattern as given.
    pub text: String,
    pub destination: Destination,
    pub arn: String,
    pub role: Option<String>,
    /// `Random` instead of `ByLogStream`.
    pub is_spread: bool,
}
