//! What is reckoned about functions: shares of invocations, of the timeout and of concurrency, and what an hour costs.

use super::combine;
use crate::domain::field::Field;
use crate::domain::row::{KindId, Place, ResourceId, Row};
use crate::domain::value::{Datum, NoData, Origin, Value};
use crate::kinds::lambda;
use std::collections::BTreeMap;

/// Lambda's list prices in us-east-1, US dollars (aws.amazon.com/lambda/pricing, first tier).
const USD_PER_REQUEST: f64 = 0.20 / 1_000_000.0;
const MB_PER_GB: f64 = 1024.0;

/// Prices of a second of a gigabyte, by architecture.
struct Prices {
    /// While an environment on demand runs.
    on_demand: f64,
    /// While a provisioned environment runs, and while it is kept, which it is at all times.
    provisioned_run: f64,
    provisioned_kept: f64,
}

const X86_64: Prices =
    Prices { on_demand: 0.000_016_666_7, provisioned_run: 0.000_009_722_2, provisioned_kept: 0.000_004_166_7 };
const ARM64: Prices =
    Prices { on_demand: 0.000_013_333_4, provisioned_run: 0.000_007_777_8, provisioned_kept: 0.000_003_333_4 };

/// What functions without a reservation use together, by the place that they share.
pub struct Shared(BTreeMap<Place, f64>);

impl Shared {
    pub fn of(rows: &BTreeMap<ResourceId, Row>) -> Self {
        let mut used = BTreeMap::new();
        for row in rows.values().filter(|row| row.id.kind == KindId::Lambda && !is_reserved(row)) {
            *used.entry(row.id.place.clone()).or_insert(0.0) += row.fields.number(&lambda::CONCURRENCY).unwrap_or(0.0);
        }
        Self(used)
    }
}

fn is_reserved(row: &Row) -> bool {
    row.fields.number(&lambda::RESERVED_CONCURRENCY).is_some()
}

/// Sets every reckoned field of a function.
pub fn complete(row: &mut Row, shared: &Shared) {
    let cap = cap(row);
    if let Some(cap) = &cap {
        row.fields.set(&lambda::CONCURRENCY_CAP, cap.clone());
    }
    let same_minute = true;
    let reckoned = [
        (&lambda::ERROR_PERCENT, ratio(row, &lambda::ERRORS_PER_MIN, &lambda::INVOCATIONS_PER_MIN, 100.0, same_minute)),
        (&lambda::TIMEOUT_USE_PERCENT, ratio(row, &lambda::DURATION_P99_MS, &lambda::TIMEOUT_S, 0.1, !same_minute)),
        (
            &lambda::CONCURRENCY_USE_PERCENT,
            ratio(row, &lambda::CONCURRENCY, &lambda::CONCURRENCY_CAP, 100.0, !same_minute),
        ),
        (&lambda::SHARED_USE_PERCENT, shared_use(row, shared)),
        (&lambda::USD_PER_HOUR, usd_per_hour(row)),
    ];
    for (field, value) in reckoned {
        if let Some(value) = value {
            row.fields.set(field, value);
        }
    }
}

fn ratio(row: &Row, over: &Field, under: &Field, factor: f64, same_minute: bool) -> Option<Value> {
    let (over, under) = (row.fields.get(over)?, row.fields.get(under)?);
    Some(combine(&[over, under], || {
        let whole = under.as_number().filter(|whole| *whole > 0.0)?;
        (!same_minute || over.as_of == under.as_of).then_some(())?;
        Some(over.as_number()? / whole * factor)
    }))
}

/// How many environments it may have at once. `None` before anything was asked.
fn cap(row: &Row) -> Option<Value> {
    let reserved = row.fields.get(&lambda::RESERVED_CONCURRENCY)?;
    match reserved.datum {
        Datum::Missing(NoData::NotApplicable) => row.fields.get(&lambda::UNRESERVED_CONCURRENCY),
        _ => Some(reserved),
    }
    .map(|cap| Value { origin: Origin::Derived, ..cap.clone() })
}

/// A function with a reservation shares nothing.
fn shared_use(row: &Row, shared: &Shared) -> Option<Value> {
    let whole = row.fields.get(&lambda::UNRESERVED_CONCURRENCY)?;
    if is_reserved(row) {
        return Some(Value::missing(NoData::NotApplicable, whole.as_of, Origin::Derived));
    }
    let used = shared.0.get(&row.id.place).copied().unwrap_or(0.0);
    Some(combine(&[whole], || Some(used / whole.as_number().filter(|whole| *whole > 0.0)? * 100.0)))
}

/// An hour of minutes like the newest. What is kept warm costs also where nothing runs. `None` before anything was asked.
fn usd_per_hour(row: &Row) -> Option<Value> {
    let fields = &row.fields;
    let (ran, busy_ms) = (fields.get(&lambda::INVOCATIONS_PER_MIN)?, fields.get(&lambda::BUSY_MS)?);
    let memory = fields.get(&lambda::MEMORY_MB)?;
    let prices = if fields.text(&lambda::ARCHITECTURE) == Some("arm64") { &ARM64 } else { &X86_64 };
    let gb = memory.as_number().unwrap_or(0.0) / MB_PER_GB;
    let kept = fields.get(&lambda::PROVISIONED).filter(|kept| kept.as_number().is_some_and(|kept| kept > 0.0));
    let kept_usd = kept.and_then(Value::as_number).unwrap_or(0.0) * gb * 3600.0 * prices.provisioned_kept;
    let is_idle = ran.datum == Datum::Missing(NoData::NoDatapoints);
    if let Some(kept) = kept.filter(|_| is_idle) {
        return Some(combine(&[memory, kept], || Some(kept_usd)));
    }
    Some(combine(&[ran, busy_ms, memory], || {
        let ran_number = ran.as_number()?;
        (ran.as_of == busy_ms.as_of).then_some(())?;
        let warm = fields.get(&lambda::PROVISIONED_INVOCATIONS_PER_MIN).filter(|warm| warm.as_of == ran.as_of);
        let warm_share = match warm.and_then(Value::as_number) {
            Some(warm) if ran_number > 0.0 => (warm / ran_number).min(1.0),
            _ => 0.0,
        };
        let run = prices.on_demand * (1.0 - warm_share) + prices.provisioned_run * warm_share;
        let busy_s = busy_ms.as_number()? / 1000.0;
        Some((ran_number * USD_PER_REQUEST + busy_s * gb * run) * 60.0 + kept_usd)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;
    use crate::kinds::derive;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_millis(minute * 60_000)
    }

    fn measured(number: f64, minute: i64) -> Value {
        Value::number(number, at(minute), Origin::CloudWatch)
    }

    fn none() -> Value {
        Value::missing(NoData::NotApplicable, at(4), Origin::Api)
    }

    fn function(name: &str, values: &[(&Field, Value)]) -> Row {
        let mut row = Row::new(ResourceId::new(KindId::Lambda, name), at(4));
        for (field, value) in values {
            row.fields.set(field, value.clone());
        }
        row
    }

    fn derived(rows: impl IntoIterator<Item = Row>) -> BTreeMap<String, Row> {
        let mut rows = rows.into_iter().map(|row| (row.id.clone(), row)).collect();
        derive(&mut rows, &BTreeMap::new());
        rows.into_iter().map(|(id, row)| (id.name, row)).collect()
    }

    #[test]
    fn a_share_of_nothing_is_no_data_and_never_zero() {
        let idle = Value::missing(NoData::NoDatapoints, at(4), Origin::CloudWatch);
        let rows = derived([
            function("idle", &[(&lambda::ERRORS_PER_MIN, idle.clone()), (&lambda::INVOCATIONS_PER_MIN, idle)]),
            function(
                "busy",
                &[
                    (&lambda::ERRORS_PER_MIN, measured(3.0, 4)),
                    (&lambda::INVOCATIONS_PER_MIN, measured(60.0, 4)),
                    (&lambda::DURATION_P99_MS, measured(2700.0, 4)),
                    (&lambda::TIMEOUT_S, measured(3.0, 4)),
                ],
            ),
        ]);
        let fields = |id: &str| &rows[id].fields;
        assert_eq!(fields("idle").why_missing(&lambda::ERROR_PERCENT), Some(NoData::NoDatapoints));
        assert_eq!(fields("busy").number(&lambda::ERROR_PERCENT), Some(5.0));
        assert_eq!(fields("busy").number(&lambda::TIMEOUT_USE_PERCENT), Some(90.0));
    }

    /// A million invocations an hour of 200 ms each with half a gigabyte: $1.67 and $0.20 (AWS's own example).
    fn busy(more: &[(&Field, Value)]) -> Row {
        let ran = 1_000_000.0 / 60.0;
        let mut row = function(
            "busy",
            &[
                (&lambda::INVOCATIONS_PER_MIN, measured(ran, 4)),
                (&lambda::BUSY_MS, measured(ran * 200.0, 4)),
                (&lambda::MEMORY_MB, measured(512.0, 4)),
            ],
        );
        more.iter().for_each(|(field, value)| row.fields.set(field, value.clone()));
        row
    }

    fn usd(row: Row) -> Option<f64> {
        derived([row]).values().next().unwrap().fields.number(&lambda::USD_PER_HOUR)
    }

    #[test]
    fn an_hour_costs_requests_and_memory_by_architecture() {
        let near = |row: Row, expected: f64| {
            let usd = usd(row).unwrap();
            assert!((usd - expected).abs() < 0.005, "{usd}, not {expected}");
        };
        near(busy(&[]), 1.67 + 0.20);
        near(busy(&[(&lambda::ARCHITECTURE, Value::text("arm64", at(4)))]), 1.33 + 0.20);
        let warm = [
            (&lambda::PROVISIONED, measured(10.0, 4)),
            (&lambda::PROVISIONED_INVOCATIONS_PER_MIN, measured(1_000_000.0 / 60.0, 4)),
        ];
        near(busy(&warm), 0.972 + 0.20 + 10.0 * 0.5 * 3600.0 * 0.000_004_166_7);
    }

    #[test]
    fn an_idle_function_has_no_cost_to_tell_unless_something_is_kept_warm() {
        let idle = Value::missing(NoData::NoDatapoints, at(4), Origin::CloudWatch);
        let idle = [(&lambda::INVOCATIONS_PER_MIN, idle.clone()), (&lambda::BUSY_MS, idle)];
        let row = derived([busy(&idle)]).remove("busy").unwrap();
        assert_eq!(row.fields.why_missing(&lambda::USD_PER_HOUR), Some(NoData::NoDatapoints));
        let mut kept = busy(&idle);
        kept.fields.set(&lambda::PROVISIONED, measured(2.0, 4));
        let usd = usd(kept).unwrap();
        assert!((usd - 0.015).abs() < 0.0001, "{usd}");
        let other_minute = [(&lambda::BUSY_MS, measured(1.0, 3))];
        let row = derived([busy(&other_minute)]).remove("busy").unwrap();
        assert_eq!(row.fields.why_missing(&lambda::USD_PER_HOUR), Some(NoData::NoDatapoints), "not of one minute");
    }

    #[test]
    fn concurrency_is_held_against_the_reservation_or_what_is_shared() {
        let with = |name: &str, at_work: f64, reserved: Value| {
            let values = [
                (&lambda::CONCURRENCY, measured(at_work, 4)),
                (&lambda::RESERVED_CONCURRENCY, reserved),
                (&lambda::UNRESERVED_CONCURRENCY, measured(900.0, 4)),
            ];
            function(name, &values)
        };
        let rows = derived([with("own", 95.0, measured(100.0, 4)), with("a", 90.0, none()), with("b", 360.0, none())]);
        let number = |name: &str, field| rows[name].fields.number(field);
        assert_eq!(number("own", &lambda::CONCURRENCY_USE_PERCENT), Some(95.0));
        assert_eq!(rows["own"].fields.why_missing(&lambda::SHARED_USE_PERCENT), Some(NoData::NotApplicable));
        assert_eq!(number("a", &lambda::CONCURRENCY_CAP), Some(900.0));
        assert_eq!(number("a", &lambda::CONCURRENCY_USE_PERCENT), Some(10.0));
        assert_eq!(number("a", &lambda::SHARED_USE_PERCENT), Some(50.0), "both together");
    }
}
