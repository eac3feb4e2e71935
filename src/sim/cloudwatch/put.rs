//! PutMetricData: what clients report, checked whole before any of it is kept.

use crate::domain::time::Timestamp;
use crate::sim::cloudwatch::input::{Input, invalid, invalid_combination, missing};
use crate::sim::cloudwatch::{Metric, Metrics, StatisticSet, wire};
use crate::sim::error::ApiError;
use serde_json::Value;
use std::time::Duration;

const DATA_MAX: usize = 1000;
const VALUES_MAX: usize = 150;
const PAST: Duration = Duration::from_secs(14 * 86_400);
const FUTURE: Duration = Duration::from_secs(2 * 3600);

/// CloudWatch takes no value beyond 2^360 either way.
const VALUE_MAX: f64 = 2.3485425827738332e108;

/// One checked datum.
struct Datum {
    metric: Metric,
    unit: &'static str,
    at: Timestamp,
    samples: Samples,
    /// Kept to the second (StorageResolution 1).
    is_fine: bool,
}

enum Samples {
    /// (value, count)
    Values(Vec<(f64, f64)>),
    Set(StatisticSet),
}

impl Samples {
    /// Each value, or the set, as statistics.
    fn each(&self, mut take: impl FnMut(StatisticSet)) {
        match self {
            Self::Values(values) => {
                for (value, count) in values {
                    take(StatisticSet { sum: value * count, count: *count, min: *value, max: *value });
                }
            }
            Self::Set(stats) => take(*stats),
        }
    }
}

/// Keeps every datum, or refuses the whole request. The answer has no body.
pub fn put_metric_data(metrics: &mut Metrics, now: Timestamp, input: &Input<'_>) -> Result<Value, ApiError> {
    let namespace = input.required_text("Namespace", 255)?;
    input.check_namespace(namespace)?;
    if namespace.starts_with("AWS/") {
        return Err(invalid("The value AWS/ for parameter Namespace is invalid."));
    }
    let mut items = input.structures("MetricData")?.unwrap_or_default();
    for entity in input.structures("EntityMetricData")?.unwrap_or_default() {
        items.extend(entity.structures("MetricData")?.unwrap_or_default());
    }
    if items.is_empty() {
        return Err(missing("MetricData"));
    }
    input.check_size("MetricData", items.len(), DATA_MAX)?;
    let data = items.iter().map(|item| read_datum(namespace, now, item)).collect::<Result<Vec<_>, _>>()?;
    for datum in data {
        let id = metrics.series_of(datum.metric, datum.unit);
        match &datum.samples {
            Samples::Values(values) => values.iter().for_each(|(v, n)| metrics.add_many(id, datum.at, *v, *n)),
            Samples::Set(stats) => metrics.add_stats(id, datum.at, *stats),
        }
        if datum.is_fine {
            datum.samples.each(|stats| metrics.add_fine(id, datum.at, stats));
        }
    }
    Ok(Value::Null)
}

fn read_datum(namespace: &str, now: Timestamp, item: &Input<'_>) -> Result<Datum, ApiError> {
    let name = item.required_text("MetricName", 255)?;
    let metric = Metric::new(namespace, name, &item.dimensions()?);
    let unit = wire::unit(item)?.unwrap_or("None");
    let at = item.time("Timestamp")?.unwrap_or(now);
    if at < now - PAST {
        let name = item.name("Timestamp");
        return Err(invalid(format!("The parameter {name} must specify a time within the past two weeks.")));
    }
    if at > now + FUTURE {
        let name = item.name("Timestamp");
        return Err(invalid(format!("The parameter {name} must specify a time no more than two hours in the future.")));
    }
    let resolution_s = item.integer("StorageResolution")?.unwrap_or(60);
    if resolution_s != 1 && resolution_s != 60 {
        let name = item.name("StorageResolution");
        return Err(invalid(format!("The parameter {name} must be a value in the set [ 1, 60 ].")));
    }
    Ok(Datum { metric, unit, at, samples: read_samples(item)?, is_fine: resolution_s == 1 })
}

/// `Value`, `Values` with or without `Counts`, or `StatisticValues`: one of them. Only `Value` is refused beside another;
/// AWS was seen to take `Values` with `StatisticValues`, of which the values count here.
fn read_samples(item: &Input<'_>) -> Result<Samples, ApiError> {
    let given: Vec<&str> = ["Value", "Values", "StatisticValues"].into_iter().filter(|m| item.has(m)).collect();
    match given[..] {
        [] => return Err(missing(&format!("{} or {}", item.name("Value"), item.name("StatisticValues")))),
        [first @ "Value", second, ..] => {
            return Err(invalid_combination(format!(
                "The parameters {} and {} are mutually exclusive and you have specified both.",
                item.name(first),
                item.name(second)
            )));
        }
        _ => {}
    }
    if let Some(value) = item.number("Value")? {
        check_value(&item.name("Value"), value)?;
        return Ok(Samples::Values(vec![(value, 1.0)]));
    }
    if let Some(values) = item.numbers("Values")? {
        return read_values(item, &values);
    }
    let set = item.structure("StatisticValues")?.ok_or_else(|| missing(&item.name("StatisticValues")))?;
    let number = |member: &str| {
        let value = set.number(member)?.ok_or_else(|| missing(&set.name(member)))?;
        check_value(&set.name(member), value)?;
        Ok(value)
    };
    let stats = StatisticSet {
        count: number("SampleCount")?,
        sum: number("Sum")?,
        min: number("Minimum")?,
        max: number("Maximum")?,
    };
    if stats.min > stats.max {
        let message = "must have a Minimum that is not above its Maximum.";
        return Err(invalid(format!("The parameter {} {message}", item.name("StatisticValues"))));
    }
    Ok(Samples::Set(stats))
}

fn read_values(item: &Input<'_>, values: &[f64]) -> Result<Samples, ApiError> {
    item.check_size("Values", values.len(), VALUES_MAX)?;
    let counts = item.numbers("Counts")?.unwrap_or_else(|| vec![1.0; values.len()]);
    item.check_size("Counts", counts.len(), VALUES_MAX)?;
    if counts.len() != values.len() {
        return Err(invalid(format!(
            "The parameters {} and {} must be of the same size.",
            item.name("Values"),
            item.name("Counts")
        )));
    }
    for (i, (value, count)) in values.iter().zip(&counts).enumerate() {
        check_value(&format!("{}.member.{}", item.name("Values"), i + 1), *value)?;
        let name = format!("{}.member.{}", item.name("Counts"), i + 1);
        check_value(&name, *count)?;
        if *count < 0.0 {
            return Err(invalid(format!("The value {count} for parameter {name} is invalid.")));
        }
    }
    Ok(Samples::Values(values.iter().copied().zip(counts).collect()))
}

fn check_value(name: &str, value: f64) -> Result<(), ApiError> {
    if value.is_finite() && value.abs() <= VALUE_MAX {
        return Ok(());
    }
    Err(invalid(format!("The value {value} for parameter {name} is invalid.")))
}
