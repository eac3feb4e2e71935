//! Why an alarm is in its state, in AWS's sentences and as AWS's data.

use super::configuration::{Treatment, Watched, Watching};
use super::evaluation::Point;
use super::{Alarm, StateValue, arn};
use crate::domain::time::Timestamp;
use crate::sim::cx::Place;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// A state that was found, with its reason.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub value: StateValue,
    pub reason: String,
    pub data: Option<Value>,
}

/// What an evaluation looked at.
pub struct Seen<'a> {
    pub newest_first: &'a [Point],
    /// The end of the newest period.
    pub end: Timestamp,
    pub query: Timestamp,
}

/// The reason of a metric alarm's new state.
pub fn metric(watching: &Watching, value: StateValue, seen: &Seen<'_>) -> Found {
    let periods = watching.evaluation_periods as usize;
    if value == StateValue::InsufficientData {
        let reason = format!("Insufficient Data: {} unknown.", count(periods, "datapoint", true));
        return Found { value, reason, data: Some(data(watching, seen, &[])) };
    }
    let is_breached = |point: &Point| watching.comparison.is_breached(point.value, watching.threshold);
    let speaks = |point: &&Point| is_breached(point) == (value == StateValue::Alarm);
    let mut listed: Vec<&Point> = seen.newest_first.iter().filter(speaks).collect();
    let mut is_breach = value == StateValue::Alarm;
    if listed.is_empty() {
        // What is missing decided against what is there.
        listed = seen.newest_first.iter().collect();
        is_breach = !is_breach;
    }
    let filled = periods.saturating_sub(seen.newest_first.len());
    let mut text = String::from("Threshold Crossed: ");
    text.push_str(&match listed.as_slice() {
        [] => format!("no datapoints were received for {}", count(periods, "period", false)),
        points => crossing(watching, points, is_breach),
    });
    let treatment = watching.treats_missing_as();
    if filled > 0 && matches!(treatment, Treatment::Breaching | Treatment::NotBreaching) {
        let missing = count(filled, "missing datapoint", true);
        text.push_str(&format!(" and {missing} treated as [{}]", treatment.words()));
    }
    if let (Some(to_alarm), false) = (watching.datapoints_to_alarm, listed.is_empty()) {
        let (least, way) = match value {
            StateValue::Alarm => (to_alarm as usize, "OK -> ALARM"),
            _ => (periods + 1 - to_alarm as usize, "ALARM -> OK"),
        };
        text.push_str(&format!(" (minimum {} for {way} transition)", count(least, "datapoint", false)));
    }
    text.push('.');
    Found { value, reason: text, data: Some(data(watching, seen, &listed)) }
}

/// `2 datapoints [3.0 (27/11/26 18:01:00), 2.0 (27/11/26 18:00:00)] were greater than the threshold (1.0)`
fn crossing(watching: &Watching, points: &[&Point], is_breach: bool) -> String {
    let shown: Vec<String> =
        points.iter().map(|point| format!("{} ({})", double(point.value), short_date(point.at))).collect();
    let how_many = match watching.datapoints_to_alarm {
        Some(_) => format!("{} out of the last {} datapoints", points.len(), watching.evaluation_periods),
        None => count(points.len(), "datapoint", false),
    };
    let verb = if points.len() == 1 { "was" } else { "were" };
    let not = if is_breach { "" } else { "not " };
    let (words, threshold) = (watching.comparison.words(), double(watching.threshold));
    format!("{how_many} [{}] {verb} {not}{words} the threshold ({threshold})", shown.join(", "))
}

/// `1 datapoint was`, `3 datapoints were`; without the verb when it is not wanted.
fn count(n: usize, noun: &str, with_verb: bool) -> String {
    let (ending, verb) = if n == 1 { ("", " was") } else { ("s", " were") };
    format!("{n} {noun}{ending}{}", if with_verb { verb } else { "" })
}

/// StateReasonData of a metric alarm.
fn data(watching: &Watching, seen: &Seen<'_>, listed: &[&Point]) -> Value {
    let mut data = Map::new();
    let mut put = |name: &str, value: Value| data.insert(name.to_owned(), value);
    put("version", "1.0".into());
    put("queryDate", stamp(seen.query).into());
    if let Some(oldest) = seen.newest_first.last() {
        put("startDate", stamp(oldest.at).into());
    }
    if let Watched::Metric { stat, unit, .. } = &watching.watched {
        if let Some(unit) = unit {
            put("unit", (*unit).into());
        }
        put("statistic", stat.text.clone().into());
    }
    put("period", watching.period_s().into());
    put("recentDatapoints", seen.newest_first.iter().rev().map(|point| point.value).collect());
    put("threshold", watching.threshold.into());
    let evaluated: Vec<Value> = if listed.is_empty() {
        let period = Duration::from_secs(watching.period_s().unsigned_abs());
        let start = |back: u32| json!({ "timestamp": stamp(seen.end - period * back) });
        (1..=watching.evaluation_periods.min(100)).map(start).collect()
    } else {
        listed.iter().map(|point| evaluated(point)).collect()
    };
    put("evaluatedDatapoints", evaluated.into());
    Value::Object(data)
}

fn evaluated(point: &Point) -> Value {
    let mut value = Map::new();
    value.insert("timestamp".into(), stamp(point.at).into());
    if let Some(samples) = point.samples {
        value.insert("sampleCount".into(), samples.into());
    }
    value.insert("value".into(), point.value.into());
    Value::Object(value)
}

/// The reason of a composite alarm's change: the child that caused it.
pub fn composite(place: &Place, child: &Alarm, _value: StateValue) -> (String, Value) {
    let at = long_date(child.state.transitioned);
    let reason = format!("{} transitioned to {} at {at}", arn(place, &child.name), child.state.value.text());
    (reason, triggering(place, std::iter::once(child)))
}

/// The reason of a composite alarm's first state.
pub fn created<'a>(
    place: &Place,
    name: &str,
    value: StateValue,
    children: impl Iterator<Item = &'a Alarm>,
) -> (String, Value) {
    let reason = format!("{} was created and its alarm rule evaluates to {}", arn(place, name), value.text());
    (reason, triggering(place, children))
}

fn triggering<'a>(place: &Place, alarms: impl Iterator<Item = &'a Alarm>) -> Value {
    let alarms = alarms.map(|alarm| {
        let state = json!({ "value": alarm.state.value.text(), "timestamp": stamp(alarm.state.transitioned) });
        json!({ "arn": arn(place, &alarm.name), "state": state })
    });
    json!({ "triggeringAlarms": alarms.collect::<Vec<_>>() })
}

/// `2026-11-27T18:02:00.000+0000`
pub fn stamp(at: Timestamp) -> String {
    let whole = at.floor_to(1).rfc3339();
    format!("{}.{:03}+0000", whole.trim_end_matches('Z'), at.millis().rem_euclid(1000))
}

/// `27/11/26 18:02:00`
fn short_date(at: Timestamp) -> String {
    let text = at.floor_to(1).rfc3339();
    let (date, _) = text.split_once('T').unwrap_or((&text, ""));
    let parts: Vec<&str> = date.rsplitn(3, '-').collect();
    let [day, month, year] = parts[..] else { return text };
    format!("{day}/{month}/{} {}", &year[year.len().saturating_sub(2)..], at.clock_hms())
}

/// `Friday 27 November, 2026 18:02:00 UTC`
pub fn long_date(at: Timestamp) -> String {
    const DAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let text = at.floor_to(1).rfc3339();
    let (date, _) = text.split_once('T').unwrap_or((&text, ""));
    let parts: Vec<&str> = date.rsplitn(3, '-').collect();
    let [day, month, year] = parts[..] else { return text };
    let weekday = DAYS[at.secs().div_euclid(86_400).rem_euclid(7) as usize];
    let month = month.parse::<usize>().ok().and_then(|month| MONTHS.get(month.wrapping_sub(1))).unwrap_or(&"");
    format!("{weekday} {day} {month}, {year} {} UTC", at.clock_hms())
}

/// A number as Java writes a double: `3.0`, `0.25`, `1.0E7`.
pub fn double(x: f64) -> String {
    let is_plain = x == 0.0 || (1e-3..1e7).contains(&x.abs()) || !x.is_finite();
    if is_plain {
        return format!("{x:?}");
    }
    let text = format!("{x:E}");
    match text.split_once('E') {
        Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0E{exponent}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_numbers_are_written_as_aws_writes_them() {
        let at = Timestamp::parse_rfc3339("2022-10-30T20:47:35.671Z").unwrap();
        assert_eq!(long_date(at), "Sunday 30 October, 2022 20:47:35 UTC");
        assert_eq!(short_date(at), "30/10/22 20:47:35");
        assert_eq!(stamp(at), "2022-10-30T20:47:35.671+0000");
        for (x, text) in
            [(0.0, "0.0"), (2.0, "2.0"), (21.5, "21.5"), (1e7, "1.0E7"), (1.25e-5, "1.25E-5"), (-3.0, "-3.0")]
        {
            assert_eq!(double(x), text);
        }
    }
}
