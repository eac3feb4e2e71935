//! What the service publishes to CloudWatch: names, units and dimensions of `AWS/DynamoDB`.
//! Source: DynamoDB "DynamoDB metrics and dimensions".

use crate::sim::cloudwatch::SeriesId;
use crate::sim::cx::Cx;
use rand_distr::{Distribution, LogNormal};

const NAMESPACE: &str = "AWS/DynamoDB";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    ConsumedRead,
    ConsumedWrite,
    ProvisionedRead,
    ProvisionedWrite,
    ReadThrottleEvents,
    WriteThrottleEvents,
    ThrottledRequests,
    ConditionalCheckFailed,
    Latency,
    ReturnedItems,
}

impl Metric {
    const fn name_and_unit(self) -> (&'static str, &'static str) {
        match self {
            Self::ConsumedRead => ("ConsumedReadCapacityUnits", "Count"),
            Self::ConsumedWrite => ("ConsumedWriteCapacityUnits", "Count"),
            Self::ProvisionedRead => ("ProvisionedReadCapacityUnits", "Count"),
            Self::ProvisionedWrite => ("ProvisionedWriteCapacityUnits", "Count"),
            Self::ReadThrottleEvents => ("ReadThrottleEvents", "Count"),
            Self::WriteThrottleEvents => ("WriteThrottleEvents", "Count"),
            Self::ThrottledRequests => ("ThrottledRequests", "Count"),
            Self::ConditionalCheckFailed => ("ConditionalCheckFailedRequests", "Count"),
            Self::Latency => ("SuccessfulRequestLatency", "Milliseconds"),
            Self::ReturnedItems => ("ReturnedItemCount", "Count"),
        }
    }
}

/// A table's series, each asked for when it first has a sample: by metric, and by index or operation. They are few.
#[derive(Default)]
pub struct Meters(Vec<(Metric, String, SeriesId)>);

impl Meters {
    /// One sample of the table, or of one of its global indexes.
    pub fn add(&mut self, cx: &mut Cx<'_>, table: &str, metric: Metric, index: Option<&str>, value: f64) {
        let more = index.map(|index| ("GlobalSecondaryIndexName", index));
        self.sample(cx, table, metric, more, value);
    }

    /// One sample of an operation on the table.
    pub fn add_of_operation(&mut self, cx: &mut Cx<'_>, table: &str, metric: Metric, operation: &str, value: f64) {
        self.sample(cx, table, metric, Some(("Operation", operation)), value);
    }

    /// A request that went well, and how long it took: a few milliseconds.
    pub fn add_success(&mut self, cx: &mut Cx<'_>, table: &str, operation: &str) {
        let median_ms: f64 = if matches!(operation, "Query" | "Scan") { 6.0 } else { 3.5 };
        let ms = LogNormal::new(median_ms.ln(), 0.4).map_or(median_ms, |spread| spread.sample(&mut *cx.rng));
        self.add_of_operation(cx, table, Metric::Latency, operation, (ms * 1000.0).round() / 1000.0);
    }

    fn sample(&mut self, cx: &mut Cx<'_>, table: &str, metric: Metric, more: Option<(&str, &str)>, value: f64) {
        let whose = more.map_or("", |(_, value)| value);
        let known = self.0.iter().find(|(of, by, _)| *of == metric && by == whose);
        let id = match known {
            Some((_, _, id)) => *id,
            None => {
                let (name, unit) = metric.name_and_unit();
                let dimensions: Vec<(&str, &str)> = std::iter::once(("TableName", table)).chain(more).collect();
                let id = cx.metrics.series(NAMESPACE, name, &dimensions, unit);
                self.0.push((metric, whose.to_owned(), id));
                id
            }
        };
        cx.metrics.add(id, cx.now, value);
    }
}

/// A request with an error of the client's: counted for the account, by no dimension.
pub fn publish_user_error(cx: &mut Cx<'_>) {
    let id = cx.metrics.series(NAMESPACE, "UserErrors", &[], "Count");
    cx.metrics.add(id, cx.now, 1.0);
}
