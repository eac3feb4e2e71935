//! Arrays of time series in metric math: `SORT`, `SLICE`, `FIRST` and `LAST`; and the functions that read a calendar.

use crate::domain::time::Timestamp;
use crate::sim::cloudwatch::math::{Line, reduced};
use std::cmp::Ordering;

/// Puts series in order of what a function makes of their datapoints; those without any come last.
pub fn sort(lines: &mut [Line], by: &str, order: &str) -> Result<(), String> {
    if !matches!(by, "AVG" | "MIN" | "MAX" | "SUM") || !matches!(order, "ASC" | "DESC") {
        return Err("SORT takes AVG, MIN, MAX or SUM, and ASC or DESC".into());
    }
    let key = |line: &Line| {
        let values: Vec<f64> = line.points.iter().map(|(_, value)| *value).collect();
        (!values.is_empty()).then(|| reduced(by, &values))
    };
    lines.sort_by(|a, b| match (key(a), key(b)) {
        (Some(a), Some(b)) if order == "ASC" => a.total_cmp(&b),
        (Some(a), Some(b)) => b.total_cmp(&a),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    });
    Ok(())
}

/// The series from one place to before another, counted from 0.
pub fn slice(lines: Vec<Line>, from: f64, to: Option<f64>) -> Vec<Line> {
    let place = |number: f64| number.max(0.0) as usize;
    let until = to.map_or(usize::MAX, place);
    lines.into_iter().take(until).skip(place(from)).collect()
}

/// What a function such as `HOUR` makes of a datapoint's time, in UTC; `None` of other functions.
pub fn calendar(name: &str) -> Option<fn(Timestamp) -> f64> {
    Some(match name {
        "EPOCH" => |at| at.secs() as f64,
        "MINUTE" => |at| of_civil(at, |civil| f64::from(civil.minute())),
        "HOUR" => |at| of_civil(at, |civil| f64::from(civil.hour())),
        // Monday is 1, Sunday 7.
        "DAY" => |at| of_civil(at, |civil| f64::from(civil.weekday().to_monday_one_offset())),
        "DATE" => |at| of_civil(at, |civil| f64::from(civil.day())),
        "MONTH" => |at| of_civil(at, |civil| f64::from(civil.month())),
        "YEAR" => |at| of_civil(at, |civil| f64::from(civil.year())),
        _ => return None,
    })
}

fn of_civil(at: Timestamp, read: impl Fn(jiff::civil::DateTime) -> f64) -> f64 {
    let time = jiff::Timestamp::from_millisecond(at.millis());
    time.map_or(f64::NAN, |time| read(jiff::tz::Offset::UTC.to_datetime(time)))
}
