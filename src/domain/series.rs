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

/// One-minute points in order of time, at most [`SERIES_POINTS_MAX`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    points: VecDeque<(Timestamp, f64)>,
}

impl Series {
    /// Takes over points: a known time is overwritten (CloudWatch's newest periods keep changing), others are put in
    /// their place, the oldest fall out.
    pub fn merge(&mut self, points: impl IntoIterator<Item = (Timestamp, f64)>) {
        for (at, value) in points {
            match self.points.binary_search_by_key(&at, |(t, _)| *t) {
                Ok(index) => self.points[index].1 = value,
                Err(index) => self.points.insert(index, (at, value)),
            }
        }
        while self.points.len() > SERIES_POINTS_MAX {
            self.points.pop_front();
        }
    }

    pub fn points(&self) -> impl DoubleEndedIterator<Item = (Timestamp, f64)> + '_ {
        self.points.iter().copied()
    }

    pub fn last(&self) -> Option<(Timestamp, f64)> {
        self.points.back().copied()
    }

    /// The points at and after `from`.
    pub fn since(&self, from: Timestamp) -> impl DoubleEndedIterator<Item = (Timestamp, f64)> + '_ {
        self.points().filter(move |(at, _)| *at >= from)
    }

    pub fn len(&self) -> usize {
        self.points.len()
    }

    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
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
}
