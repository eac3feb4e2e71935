//! CloudWatch's operations: input to metrics and back.

use crate::domain::time::Timestamp;
use crate::sim::cloudwatch::alarm::{describe, wire as alarm};
use crate::sim::cloudwatch::input::{Input, invalid, invalid_combination, missing};
use crate::sim::cloudwatch::{Metric, Statistic, dashboard, get_data, list, put};
use crate::sim::error::ApiError;
use crate::sim::rate::TokenBucket;
use crate::sim::wire::{Answer, Reply, unknown_operation};
use crate::sim::world::World;
use serde_json::{Map, Value, json};

/// GetMetricStatistics refuses to answer with more datapoints.
const DATAPOINTS_MAX: i64 = 1440;

/// Answers one operation.
pub fn answer(world: &mut World, _call: &mut crate::sim::wire::Call, operation: &str, input: &Value) -> Answer {
    let (now, limits) = (world.now, world.place.limits);
    let limited = |bucket: &mut TokenBucket| {
        if !limits || bucket.take(1.0, now) { Ok(()) } else { Err(throttled()) }
    };
    let rates = &mut world.cloudwatch;
    match operation {
        "GetMetricData" => limited(&mut rates.get_metric_data)?,
        "GetMetricStatistics" => limited(&mut rates.get_metric_statistics)?,
        "ListMetrics" => limited(&mut rates.list_metrics)?,
        "PutMetricData" => limited(&mut rates.put_metric_data)?,
        "DescribeAlarms" => limited(&mut rates.describe_alarms)?,
        "DescribeAlarmHistory" => limited(&mut rates.describe_alarm_history)?,
        "PutMetricAlarm" | "PutCompositeAlarm" => limited(&mut rates.put_alarm)?,
        "SetAlarmState" => limited(&mut rates.set_alarm_state)?,
        "DeleteAlarms" => limited(&mut rates.delete_alarms)?,
        "PutDashboard"
        | "GetDashboard"
        | "ListDashboards"
        | "DeleteDashboards"
        | "DescribeAlarmsForMetric"
        | "EnableAlarmActions"
        | "DisableAlarmActions"
        | "TagResource"
        | "UntagResource"
        | "ListTagsForResource" => limited(&mut rates.others)?,
        _ => return Err(unknown_operation()),
    }
    let input = Input::new(input)?;
    let value = match operation {
        "GetMetricData" => {
            let (value, charged) = get_data::get_metric_data(&world.metrics, &world.place, now, &input)?;
            world.ledger.metrics += charged;
            value
        }
        "GetMetricStatistics" => get_metric_statistics(world, &input)?,
        "ListMetrics" => list::list_metrics(&world.metrics, &world.place, now, &input)?,
        "PutMetricData" => put::put_metric_data(&mut world.metrics, now, &input)?,
        "DescribeAlarms" => describe::describe_alarms(&world.cloudwatch.alarms, &world.place, &input)?,
        "DescribeAlarmHistory" => describe::describe_alarm_history(&world.cloudwatch.alarms, &input)?,
        "DescribeAlarmsForMetric" => {
            describe::describe_alarms_for_metric(&world.cloudwatch.alarms, &world.place, &input)?
        }
        "PutMetricAlarm" => alarm::put_metric_alarm(world, &input)?,
        "PutCompositeAlarm" => alarm::put_composite_alarm(world, &input)?,
        "SetAlarmState" => alarm::set_alarm_state(world, &input)?,
        "DeleteAlarms" => alarm::delete_alarms(world, &input)?,
        "EnableAlarmActions" => alarm::enable_actions(world, &input, true)?,
        "DisableAlarmActions" => alarm::enable_actions(world, &input, false)?,
        "PutDashboard" => dashboard::put(world, &input)?,
        "GetDashboard" => dashboard::get(world, &input)?,
        "ListDashboards" => dashboard::list(world, &input)?,
        "DeleteDashboards" => dashboard::delete(world, &input)?,
        "TagResource" => alarm::tag_resource(world, &input)?,
        "UntagResource" => alarm::untag_resource(world, &input)?,
        _ => alarm::list_tags(world, &input)?,
    };
    Ok(Reply::Done(value))
}

fn throttled() -> ApiError {
    ApiError::client("ThrottlingException", "Rate exceeded").with_query_code("Throttling")
}

/// A query's unit: one of StandardUnit's.
pub(super) fn unit(input: &Input<'_>) -> Result<Option<&'static str>, ApiError> {
    input.one_of("Unit", &super::store::UNITS)
}

/// 1, 5, 10, 20, 30 or a multiple of 60 seconds.
pub(super) fn check_period(name: &str, period_s: i64) -> Result<(), ApiError> {
    let is_fine = matches!(period_s, 1 | 5 | 10 | 20 | 30) || (period_s > 0 && period_s % 60 == 0);
    let message = || format!("The parameter {name} must be 1, 5, 10, 20, 30 or a multiple of 60.");
    if is_fine && period_s <= 86_400 { Ok(()) } else { Err(invalid(message())) }
}

/// Where reading starts: AWS rounds down to a minute, five minutes or an hour by the start's age, and has nothing in
/// periods finer than that (`None`). Periods below a minute begin at their own multiples.
pub(super) fn rounded_start(start: Timestamp, now: Timestamp, period_s: i64) -> Option<Timestamp> {
    let day_s = 86_400;
    let age_s = now.secs() - start.secs();
    if period_s < 60 && age_s < 15 * day_s {
        return Some(start.floor_to(period_s));
    }
    let step_s = if age_s < 15 * day_s {
        60
    } else if age_s < 63 * day_s {
        300
    } else {
        3600
    };
    (step_s == 60 || period_s % step_s == 0).then(|| start.floor_to(step_s))
}

fn get_metric_statistics(world: &World, input: &Input<'_>) -> Result<Value, ApiError> {
    let metric = input.metric()?;
    let start = input.time("StartTime")?.ok_or_else(|| missing("StartTime"))?;
    let end = input.time("EndTime")?.ok_or_else(|| missing("EndTime"))?;
    let period_s = input.integer("Period")?.ok_or_else(|| missing("Period"))?;
    check_period("Period", period_s)?;
    let unit = unit(input)?;
    // CloudWatch knows both times to the second.
    if start.secs() >= end.secs() {
        return Err(invalid("The parameter StartTime must be less than the parameter EndTime."));
    }
    let statistics = statistics(input)?;
    let span_s = end.secs() - start.secs();
    let datapoints = (span_s + period_s - 1) / period_s;
    if datapoints > DATAPOINTS_MAX {
        return Err(invalid_combination(format!(
            "You have requested up to {datapoints} datapoints, which exceeds the limit of {DATAPOINTS_MAX}. You may \
             reduce the datapoints requested by increasing Period, or decreasing the time range."
        )));
    }
    let datapoints = match rounded_start(start, world.now, period_s) {
        Some(from) => datapoints_of(world, &metric, unit, (from, end), period_s, &statistics),
        None => vec![],
    };
    Ok(json!({ "Label": metric.name, "Datapoints": datapoints }))
}

/// (name as asked, statistic); the simple ones or the extended ones, not both.
fn statistics(input: &Input<'_>) -> Result<Vec<(String, Statistic)>, ApiError> {
    let simple = input.texts("Statistics")?.unwrap_or_default();
    let extended = input.texts("ExtendedStatistics")?.unwrap_or_default();
    match (simple.is_empty(), extended.is_empty()) {
        (true, true) => {
            return Err(invalid_combination("Must specify either Statistics or ExtendedStatistics"));
        }
        (false, false) => {
            return Err(invalid_combination(
                "The parameters Statistics and ExtendedStatistics are mutually exclusive and you have specified both.",
            ));
        }
        _ => {}
    }
    input.check_size("Statistics", simple.len(), 5)?;
    input.check_size("ExtendedStatistics", extended.len(), 10)?;
    let read = |(member, parse): (&str, fn(&str) -> Option<Statistic>), i: usize, text: &str| {
        let refusal = || invalid(format!("The value {text} for parameter {member}.member.{} is not supported.", i + 1));
        parse(text).map(|statistic| (text.to_owned(), statistic)).ok_or_else(refusal)
    };
    let simple = simple.iter().enumerate().map(|(i, text)| read(("Statistics", Statistic::parse_simple), i, text));
    let extended = extended.iter().enumerate();
    let extended = extended.map(|(i, text)| read(("ExtendedStatistics", Statistic::parse_extended), i, text));
    simple.chain(extended).collect()
}

/// Each unit in which the metric was reported has datapoints of its own.
fn datapoints_of(
    world: &World,
    metric: &Metric,
    unit: Option<&str>,
    span: (Timestamp, Timestamp),
    period_s: i64,
    statistics: &[(String, Statistic)],
) -> Vec<Value> {
    let with_values = statistics.iter().any(|(_, statistic)| statistic.needs_values());
    let mut datapoints = Vec::new();
    for series in world.metrics.find(metric, unit) {
        for period in world.metrics.read(&[series], span, period_s, world.now, with_values) {
            let mut point = Map::new();
            point.insert("Timestamp".into(), period.start.secs_f64().into());
            let mut extended = Map::new();
            for (name, statistic) in statistics {
                let into = if statistic.needs_values() { &mut extended } else { &mut point };
                if let Some(value) = statistic.of(&period) {
                    into.insert(name.clone(), value.into());
                }
            }
            if with_values && extended.is_empty() {
                continue;
            }
            point.insert("Unit".into(), series.1.into());
            if with_values {
                point.insert("ExtendedStatistics".into(), extended.into());
            }
            datapoints.push(Value::Object(point));
        }
    }
    datapoints
}
