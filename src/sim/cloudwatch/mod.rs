//! CloudWatch: the metric store that every service publishes to, and the operations over it.

mod distribution;
mod expression;
mod get_data;
mod input;
mod list;
mod math;
mod put;
mod statistic;
mod store;
pub mod wire;

pub use distribution::Distribution;
pub use statistic::Statistic;
pub use store::{Metric, Metrics, PeriodData, SeriesId, StatisticSet};

use crate::domain::time::Timestamp;
use crate::sim::rate::TokenBucket;

/// The service behind the operations. What clients put lives in `Metrics`, beside what the services publish; here are
/// only the account's request rates (CloudWatch "service quotas", 2026).
pub struct CloudWatch {
    pub get_metric_data: TokenBucket,
    pub get_metric_statistics: TokenBucket,
    pub list_metrics: TokenBucket,
    pub put_metric_data: TokenBucket,
    pub describe_alarms: TokenBucket,
}

impl Default for CloudWatch {
    fn default() -> Self {
        let per_second = |rate: f64| TokenBucket::new(rate, rate, Timestamp::default());
        Self {
            get_metric_data: per_second(500.0),
            get_metric_statistics: per_second(400.0),
            list_metrics: per_second(25.0),
            put_metric_data: per_second(500.0),
            describe_alarms: per_second(9.0),
        }
    }
}

#[cfg(test)]
mod tests;
