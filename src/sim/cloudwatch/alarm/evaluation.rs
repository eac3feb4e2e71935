//! Evaluating a metric alarm: M datapoints of the last N, with what missing ones count as ("Configuring how CloudWatch
//! alarms treat missing data").

use super::StateValue;
use super::configuration::{Treatment, Watched, Watching};
use super::reason::{self, Found, Seen};
use crate::domain::time::Timestamp;
use crate::sim::cloudwatch::{Metrics, get_data};
use std::time::Duration;

/// CloudWatch looks at this many periods more than the evaluation periods, in case some have no data.
const EXTRA_PERIODS: i64 = 2;
/// Where a metric is known by its minutes, an alarm with a shorter period looks at least this far back for one.
const SPAN_MIN_S: i64 = 120;

/// One datapoint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub at: Timestamp,
    pub value: f64,
    /// Unknown for an expression's.
    pub samples: Option<f64>,
}

/// The new state, when it is another than `current`.
pub fn evaluate(watching: &Watching, current: StateValue, metrics: &Metrics, now: Timestamp) -> Option<Found> {
    let (period_s, count) = (watching.period_s(), i64::from(watching.evaluation_periods));
    let is_long = period_s * count > 86_400;
    let end = now.floor_to(if period_s < 60 {
        10
    } else if is_long {
        3600
    } else {
        60
    });
    let is_fine = match &watching.watched {
        Watched::Metric { metric, unit, .. } => metrics.is_fine(&metrics.find(metric, *unit)),
        Watched::Queries { .. } => false,
    };
    let span_s = (period_s * (count + EXTRA_PERIODS)).max(if is_fine { 0 } else { SPAN_MIN_S });
    let from = end - Duration::from_secs(span_s.unsigned_abs());
    let mut points = points(watching, metrics, (from, end), now);
    points.reverse();
    points.truncate(watching.evaluation_periods as usize);
    let value = decide(watching, &points, end)?;
    let seen = Seen { newest_first: &points, end, query: now };
    (value != current).then(|| reason::metric(watching, value, &seen))
}

/// The datapoints of a span, oldest first.
fn points(watching: &Watching, metrics: &Metrics, span: (Timestamp, Timestamp), now: Timestamp) -> Vec<Point> {
    match &watching.watched {
        Watched::Metric { metric, stat, period_s, unit } => {
            let series = metrics.find(metric, *unit);
            let periods = metrics.read(&series, span, *period_s, now, stat.statistic.needs_values());
            let point = |period: &crate::sim::cloudwatch::PeriodData| {
                Some(Point { at: period.start, value: stat.statistic.of(period)?, samples: Some(period.stats.count) })
            };
            periods.iter().filter_map(point).collect()
        }
        Watched::Queries { queries, returned, .. } => {
            let line = get_data::line_of_queries(metrics, queries, returned, span, now);
            line.into_iter().map(|(at, value)| Point { at, value, samples: None }).collect()
        }
    }
}

/// The state that the datapoints mean; `None` keeps the present one. `points` are the newest that there are, newest
/// first, at most as many as the evaluation periods.
fn decide(watching: &Watching, points: &[Point], end: Timestamp) -> Option<StateValue> {
    let wanted = watching.evaluation_periods as usize;
    let to_alarm = watching.datapoints_to_alarm.unwrap_or(watching.evaluation_periods) as usize;
    let is_breached = |point: &&Point| watching.comparison.is_breached(point.value, watching.threshold);
    let breaching = points.iter().filter(is_breached).count();
    let good = points.len() - breaching;
    let filled = wanted.saturating_sub(points.len());
    let alarm_if = |yes: bool| Some(if yes { StateValue::Alarm } else { StateValue::Ok });
    if filled == 0 {
        return alarm_if(breaching >= to_alarm);
    }
    match watching.treats_missing_as() {
        Treatment::Breaching => alarm_if(breaching + filled >= to_alarm),
        Treatment::NotBreaching => alarm_if(breaching >= to_alarm),
        _ if breaching >= to_alarm => Some(StateValue::Alarm),
        _ if good > 0 => Some(StateValue::Ok),
        Treatment::Ignore => None,
        Treatment::Missing => match points.last() {
            None => Some(StateValue::InsufficientData),
            // All that there is breaches: an alarm, unless a later datapoint may yet make it too few.
            Some(oldest) => {
                let age = end.since(oldest.at).as_secs() / watching.period_s().unsigned_abs().max(1);
                (age >= to_alarm as u64).then_some(StateValue::Alarm)
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::cloudwatch::alarm::configuration::{Comparison, Stat};
    use crate::sim::cloudwatch::{Metric, Statistic};
    use proptest::prelude::*;

    fn watching(to_alarm: u32, missing: Treatment) -> Watching {
        let stat = Stat { text: "Sum".into(), statistic: Statistic::Sum };
        Watching {
            watched: Watched::Metric { metric: Metric::new("App", "M", &[]), stat, period_s: 300, unit: None },
            evaluation_periods: 3,
            datapoints_to_alarm: Some(to_alarm),
            threshold: 0.0,
            comparison: Comparison::Above,
            missing: Some(missing),
            low_sample_count: None,
        }
    }

    /// The state after five periods written as in AWS's tables: `0` is fine, `X` breaches, `-` is missing.
    fn after(data: &str, to_alarm: u32, missing: Treatment) -> Option<StateValue> {
        let start = Timestamp::parse_rfc3339("2026-11-27T12:00:00Z").unwrap();
        let at = |index: usize| start + Duration::from_secs(300 * index as u64);
        let points = data.chars().filter(|c| !c.is_whitespace()).enumerate().filter(|(_, c)| *c != '-');
        let mut points: Vec<Point> = points
            .map(|(index, c)| Point { at: at(index), value: if c == 'X' { 1.0 } else { 0.0 }, samples: None })
            .collect();
        points.reverse();
        points.truncate(3);
        decide(&watching(to_alarm, missing), &points, at(5))
    }

    #[test]
    fn missing_data_counts_as_in_awss_tables() {
        let (ok, alarm, unknown) = (Some(StateValue::Ok), Some(StateValue::Alarm), Some(StateValue::InsufficientData));
        for (data, to_alarm, expected) in [
            ("0 - X - X", 3, [ok, ok, ok, ok]),
            ("0 - - - -", 3, [ok, ok, ok, ok]),
            ("- - - - -", 3, [unknown, None, alarm, ok]),
            ("0 X X - X", 3, [alarm, alarm, alarm, alarm]),
            ("- - X - -", 3, [alarm, None, alarm, ok]),
            ("- - - - X", 3, [None, None, alarm, ok]),
            ("- - - X -", 3, [None, None, alarm, ok]),
            ("0 - X - X", 2, [alarm, alarm, alarm, alarm]),
            ("0 0 X 0 X", 2, [alarm, alarm, alarm, alarm]),
            ("0 - X - -", 2, [ok, ok, alarm, ok]),
            ("- - - - 0", 2, [ok, ok, alarm, ok]),
            ("- - - X -", 2, [alarm, None, alarm, ok]),
        ] {
            let found = Treatment::ALL.map(|missing| after(data, to_alarm, missing));
            assert_eq!(found, expected, "{data} with {to_alarm} of 3");
        }
    }

    proptest! {
        #[test]
        fn whole_data_needs_no_treatment(data in "[0X]{5}", to_alarm in 1u32..=3) {
            let breaching = data[2..].matches('X').count() as u32;
            let expected = if breaching >= to_alarm { StateValue::Alarm } else { StateValue::Ok };
            for missing in Treatment::ALL {
                prop_assert_eq!(after(&data, to_alarm, missing), Some(expected));
            }
        }

        #[test]
        fn treating_as_breaching_alarms_at_least_as_often(data in "[0X-]{5}", to_alarm in 1u32..=3) {
            let alarms = |missing| after(&data, to_alarm, missing) == Some(StateValue::Alarm);
            prop_assert!(!alarms(Treatment::NotBreaching) || alarms(Treatment::Missing));
            prop_assert!(!alarms(Treatment::Missing) || alarms(Treatment::Breaching));
        }
    }
}
