//! A series: one field's numbers over the last hour, bounded.

use crate::domain::row::ResourceId;
use crate::domain::time::Timestamp;
use std::collections::VecDeque;

/// How many points a series keeps: one hour of minutes, and a little for what is still coming in.
pub const SERIES_POINTS_MAX: usize = 64;

/// Which series: a resource's field, or one of its part's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeriesKey {
    pub resource: ResourceId,
    /// A shard's or mapping's id; empty for the resource itself.
    pub part: String,
    /// The field's id.
    pub field: &'static str,
}

/// One-minute points in order of time, at most [`SERIES_POINTS_MAX`]. Ten thousand resources have some seventy thousand
/// series, so a point is four bytes: its minute is its place, and a minute without a datapoint holds no number.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// The minute (since the Unix epoch) of the first point.
    first_minute: i64,
    /// NaN where there is no datapoint. Never begins or ends with one.
    numbers: VecDeque<f32>,
}

const MINUTE_MS: i64 = 60_000;
/// CloudWatch takes samples of a minute in for about three more ("Metrics concepts": a datapoint keeps changing while
/// samples arrive).
const SETTLES_MS: i64 = 180_000;

/// Since when minutes are not final: what began then or later may still change, or come.
pub const fn unsettled_from(now: Timestamp) -> Timestamp {
    Timestamp::from_millis(now.millis() - MINUTE_MS - SETTLES_MS + 1)
}

impl Series {
    /// Takes over points: a known minute is overwritten (CloudWatch's newest periods keep changing), others are put in
    /// their place, the oldest fall out.
    pub fn merge(&mut self, points: impl IntoIterator<Item = (Timestamp, f64)>) {
        for (at, number) in points {
            self.put(at.millis().div_euclid(MINUTE_MS), number as f32);
        }
        while self.numbers.front().is_some_and(|number| number.is_nan()) {
            self.numbers.pop_front();
            self.first_minute += 1;
        }
    }

    fn put(&mut self, minute: i64, number: f32) {
        let max = SERIES_POINTS_MAX as i64;
        let end = self.first_minute + self.numbers.len() as i64;
        if number.is_nan() || (!self.numbers.is_empty() && minute <= end - 1 - max) {
            return;
        }
        if self.numbers.is_empty() || minute >= end + max {
            self.numbers.clear();
            self.first_minute = minute;
        }
        while minute < self.first_minute {
            self.numbers.push_front(f32::NAN);
            self.first_minute -= 1;
        }
        while minute >= self.first_minute + self.numbers.len() as i64 {
            self.numbers.push_back(f32::NAN);
        }
        self.numbers[(minute - self.first_minute) as usize] = number;
        while self.numbers.len() > SERIES_POINTS_MAX {
            self.numbers.pop_front();
            self.first_minute += 1;
        }
    }

    /// The points there are; a minute without a datapoint is left out.
    pub fn points(&self) -> impl DoubleEndedIterator<Item = (Timestamp, f64)> + '_ {
        let first_minute = self.first_minute;
        let minutes = self.numbers.iter().enumerate().filter(|(_, number)| !number.is_nan());
        minutes.map(move |(index, number)| {
            (Timestamp::from_millis((first_minute + index as i64) * MINUTE_MS), f64::from(*number))
        })
    }

    pub fn last(&self) -> Option<(Timestamp, f64)> {
        self.points().next_back()
    }

    /// The points at and after `from`.
    pub fn since(&self, from: Timestamp) -> impl DoubleEndedIterator<Item = (Timestamp, f64)> + '_ {
        self.points().filter(move |(at, _)| *at >= from)
    }

    /// How many points there are.
    pub fn len(&self) -> usize {
        self.points().count()
    }

    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }
}

impl PartialEq for Series {
    fn eq(&self, other: &Self) -> bool {
        self.points().eq(other.points())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(n: i64) -> Timestamp {
        Timestamp::from_millis(n * 60_000)
    }

    #[test]
    fn merging_overwrites_sorts_and_is_bounded() {
        let mut series = Series::default();
        series.merge((0..60).map(|n| (minute(n), n as f64)));
        series.merge([(minute(59), 7.0), (minute(58), 8.0)]);
        assert_eq!(series.last(), Some((minute(59), 7.0)));
        assert_eq!(series.len(), 60);
        series.merge((60..200).map(|n| (minute(n), 0.0)));
        assert_eq!(series.len(), SERIES_POINTS_MAX);
        assert_eq!(series.points().next().unwrap().0, minute(200 - SERIES_POINTS_MAX as i64));
    }

    #[test]
    fn a_minute_is_final_three_minutes_after_its_end() {
        let now = minute(10);
        assert!(minute(6) < unsettled_from(now) && minute(7) >= unsettled_from(now));
        let later = Timestamp::from_millis(now.millis() + 59_999);
        assert!(minute(6) < unsettled_from(later) && minute(7) >= unsettled_from(later));
    }

    #[test]
    fn minutes_without_a_datapoint_stay_without_and_order_does_not_matter() {
        let mut series = Series::default();
        series.merge([(minute(10), 1.0), (minute(7), 2.0), (minute(12), 3.0)]);
        let points: Vec<_> = series.points().collect();
        assert_eq!(points, [(minute(7), 2.0), (minute(10), 1.0), (minute(12), 3.0)]);
        series.merge([(minute(5_000_000), 4.0), (minute(12), 9.0)]);
        assert_eq!(series.points().collect::<Vec<_>>(), [(minute(5_000_000), 4.0)]);
    }
}
