//! CloudWatch: the metric store that every service publishes to, and the operations over it.

mod alarm;
mod array;
mod dashboard;
mod distribution;
mod expression;
mod get_data;
mod input;
mod insights;
mod label;
mod list;
mod math;
mod put;
mod search;
mod statistic;
mod store;
pub mod wire;

pub use alarm::{Action as AlarmAction, Alarms, StateValue, next_tick};
pub use distribution::Distribution;
pub use statistic::Statistic;
pub use store::{Metric, Metrics, PeriodData, SeriesId, StatisticSet, UNITS};

use crate::domain::time::Timestamp;
use crate::sim::cloudwatch::input::Input;
use crate::sim::error::ApiError;
use crate::sim::rate::TokenBucket;
use crate::sim::world::World;
use serde_json::Value;

/// The service behind the operations. What clients put lives in `Metrics`, beside what the services publish; here are
/// only the account's request rates (CloudWatch "service quotas", 2026).
pub struct CloudWatch {
    pub get_metric_data: TokenBucket,
    pub get_metric_statistics: TokenBucket,
    pub list_metrics: TokenBucket,
    pub put_metric_data: TokenBucket,
    pub describe_alarms: TokenBucket,
    pub describe_alarm_history: TokenBucket,
    pub put_alarm: TokenBucket,
    pub set_alarm_state: TokenBucket,
    pub delete_alarms: TokenBucket,
    /// Operations for which AWS publishes no rate of their own.
    pub others: TokenBucket,
    pub alarms: Alarms,
    pub dashboards: dashboard::Dashboards,
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
            describe_alarm_history: per_second(20.0),
            put_alarm: per_second(3.0),
            set_alarm_state: per_second(3.0),
            delete_alarms: per_second(3.0),
            others: per_second(10.0),
            alarms: Alarms::default(),
            dashboards: dashboard::Dashboards::default(),
        }
    }
}

/// Makes an alarm as PutMetricAlarm or PutCompositeAlarm (`operation`) would.
pub fn put_alarm(world: &mut World, operation: &str, input: &Value) -> Result<(), ApiError> {
    let input = Input::new(input)?;
    match operation {
        "PutCompositeAlarm" => alarm::wire::put_composite_alarm(world, &input),
        _ => alarm::wire::put_metric_alarm(world, &input),
    }
    .map(|_| ())
}

#[cfg(test)]
mod tests;
