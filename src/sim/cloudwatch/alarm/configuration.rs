//! What an alarm watches: a metric or an expression against a threshold, or other alarms.

use super::rule::Rule;
use crate::sim::cloudwatch::{Metric, Statistic};
use serde_json::Value;

/// How a datapoint is held against the threshold (ComparisonOperator).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    AtLeast,
    Above,
    Below,
    AtMost,
}

impl Comparison {
    pub const ALL: [Self; 4] = [Self::AtLeast, Self::Above, Self::Below, Self::AtMost];

    pub const fn text(self) -> &'static str {
        match self {
            Self::AtLeast => "GreaterThanOrEqualToThreshold",
            Self::Above => "GreaterThanThreshold",
            Self::Below => "LessThanThreshold",
            Self::AtMost => "LessThanOrEqualToThreshold",
        }
    }

    /// As a reason says it: `was not greater than the threshold`.
    pub const fn words(self) -> &'static str {
        match self {
            Self::AtLeast => "greater than or equal to",
            Self::Above => "greater than",
            Self::Below => "less than",
            Self::AtMost => "less than or equal to",
        }
    }

    pub fn is_breached(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::AtLeast => value >= threshold,
            Self::Above => value > threshold,
            Self::Below => value < threshold,
            Self::AtMost => value <= threshold,
        }
    }
}

/// What a missing datapoint counts as (TreatMissingData).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    Missing,
    Ignore,
    Breaching,
    NotBreaching,
}

impl Treatment {
    pub const ALL: [Self; 4] = [Self::Missing, Self::Ignore, Self::Breaching, Self::NotBreaching];

    pub const fn text(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Ignore => "ignore",
            Self::Breaching => "breaching",
            Self::NotBreaching => "notBreaching",
        }
    }

    /// As a reason says it: `treated as [NonBreaching]`.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Missing => "Missing",
            Self::Ignore => "Ignored",
            Self::Breaching => "Breaching",
            Self::NotBreaching => "NonBreaching",
        }
    }
}

/// A statistic with the text that it was asked for by.
#[derive(Clone, Debug, PartialEq)]
pub struct Stat {
    pub text: String,
    pub statistic: Statistic,
}

/// Where the datapoints of a metric alarm come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Watched {
    Metric {
        metric: Metric,
        stat: Stat,
        period_s: i64,
        unit: Option<&'static str>,
    },
    /// The `Metrics` of PutMetricAlarm: queries of which one returns data, and the period of its datapoints.
    Queries {
        queries: Value,
        returned: String,
        period_s: i64,
    },
}

/// The configuration of a metric alarm.
#[derive(Clone, Debug, PartialEq)]
pub struct Watching {
    pub watched: Watched,
    pub evaluation_periods: u32,
    /// As given; without it all evaluation periods must breach.
    pub datapoints_to_alarm: Option<u32>,
    pub threshold: f64,
    pub comparison: Comparison,
    /// As given; without it missing data is missing, except DynamoDB's, which is ignored.
    pub missing: Option<Treatment>,
    pub low_sample_count: Option<String>,
}

impl Watching {
    pub fn period_s(&self) -> i64 {
        match &self.watched {
            Watched::Metric { period_s, .. } | Watched::Queries { period_s, .. } => *period_s,
        }
    }

    pub fn treats_missing_as(&self) -> Treatment {
        let is_dynamo = matches!(&self.watched, Watched::Metric { metric, .. } if metric.namespace == "AWS/DynamoDB");
        self.missing.unwrap_or(if is_dynamo { Treatment::Ignore } else { Treatment::Missing })
    }
}

/// The configuration of a composite alarm.
#[derive(Clone, Debug, PartialEq)]
pub struct Composite {
    pub rule: Rule,
    /// As given.
    pub text: String,
    pub suppressor: Option<String>,
    pub suppressor_wait_s: Option<i64>,
    pub suppressor_extension_s: Option<i64>,
}

impl Composite {
    /// The suppressor's name; it is given by that or by its ARN.
    pub fn suppressor_name(&self) -> Option<&str> {
        let given = self.suppressor.as_deref()?;
        Some(given.split_once(":alarm:").map_or(given, |(_, name)| name))
    }
}
