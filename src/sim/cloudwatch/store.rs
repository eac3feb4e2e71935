//! The metric store: one series for each metric and unit, one-minute statistics, and for some series their spread.
//!
//! When a minute can be read is midwatch's model of what AWS only calls typical: Kinesis and SQS 60 seconds after the
//! minute's end, Lambda 30 seconds after it, metrics that clients put at once.

use crate::domain::time::Timestamp;
use crate::sim::cloudwatch::Distribution;
use std::collections::{BTreeMap, VecDeque};

const MINUTE_MS: i64 = 60_000;

/// CloudWatch keeps one-minute data for 15 days (GetMetricData, "retention"). midwatch keeps no coarser data beyond.
const RETAINED_MINUTES: usize = 15 * 24 * 60;

/// All series together keep about this many minutes; with many series each keeps fewer, never under three hours.
const MINUTES_IN_ALL: usize = 2_000_000;

/// Seconds of one series of high resolution: three hours; and of all series together.
const FINE_SECONDS: usize = 3 * 3600;
const SECONDS_IN_ALL: usize = 200_000;

/// ListMetrics shows a metric for two weeks after its last datapoint.
const LISTED_MINUTES: i64 = 14 * 24 * 60;

/// A series' handle; services ask for it once and add samples with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId(pub u32);

/// Sum, count and extremes of samples, as PutMetricData takes them.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct StatisticSet {
    pub sum: f64,
    pub count: f64,
    pub min: f64,
    pub max: f64,
}

impl StatisticSet {
    fn merge(&mut self, other: &Self) {
        if self.count == 0.0 {
            *self = *other;
        } else if other.count != 0.0 {
            self.sum += other.sum;
            self.count += other.count;
            self.min = self.min.min(other.min);
            self.max = self.max.max(other.max);
        }
    }
}

/// What names a metric: namespace, name and dimensions. Two metrics with other dimensions are two metrics.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Metric {
    pub namespace: String,
    pub name: String,
    /// (name, value), ordered by name.
    pub dimensions: Vec<(String, String)>,
}

impl Metric {
    pub fn new(namespace: &str, name: &str, dimensions: &[(&str, &str)]) -> Self {
        let mut dimensions: Vec<(String, String)> =
            dimensions.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        dimensions.sort();
        Self { namespace: namespace.to_owned(), name: name.to_owned(), dimensions }
    }
}

/// One minute of one series.
struct Cell {
    /// Minutes since the Unix epoch.
    minute: i64,
    stats: StatisticSet,
    /// Only in series that keep their spread.
    spread: Option<Box<Distribution>>,
}

/// One second of one series of high resolution.
struct FineCell {
    /// Seconds since the Unix epoch.
    second: i64,
    stats: StatisticSet,
    spread: Distribution,
}

struct Series {
    unit: &'static str,
    /// How long after a minute's end it can be read; `None` at once.
    delay_ms: Option<i64>,
    keeps_spread: bool,
    /// Ordered by minute; minutes without samples are absent.
    cells: VecDeque<Cell>,
    /// What was put with a resolution of a second: the newest seconds that have samples, in order. They are counted in
    /// the minutes, too.
    fine: VecDeque<FineCell>,
}

/// What one period of a query holds.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PeriodData {
    pub start: Timestamp,
    pub stats: StatisticSet,
    /// (value, count) in no order; `None` when the spread is not known.
    pub values: Option<Vec<(f64, f64)>>,
}

/// Every series of the account and region.
#[derive(Default)]
pub struct Metrics {
    series: Vec<Series>,
    by_metric: BTreeMap<Metric, Vec<SeriesId>>,
}

impl Metrics {
    /// The series' handle, made when it is new. `unit` is CloudWatch's word, such as `Count` or `Milliseconds`.
    pub fn series(&mut self, namespace: &str, name: &str, dimensions: &[(&str, &str)], unit: &'static str) -> SeriesId {
        self.series_of(Metric::new(namespace, name, dimensions), unit)
    }

    /// As `series`, for a metric that is at hand as data.
    pub fn series_of(&mut self, metric: Metric, unit: &'static str) -> SeriesId {
        let delay_ms = delay_ms(&metric.namespace);
        let keeps_spread = keeps_spread(&metric);
        let ids = self.by_metric.entry(metric).or_default();
        if let Some(id) = ids.iter().find(|id| self.series[id.0 as usize].unit == unit) {
            return *id;
        }
        let id = SeriesId(self.series.len() as u32);
        ids.push(id);
        self.series.push(Series { unit, delay_ms, keeps_spread, cells: VecDeque::new(), fine: VecDeque::new() });
        id
    }

    /// Adds one sample. Samples of one series may arrive out of order within a few minutes.
    pub fn add(&mut self, id: SeriesId, at: Timestamp, value: f64) {
        self.add_many(id, at, value, 1.0);
    }

    /// Adds `count` samples of the same value.
    pub fn add_many(&mut self, id: SeriesId, at: Timestamp, value: f64, count: f64) {
        if count <= 0.0 {
            return;
        }
        let (cell, keeps_spread) = self.cell(id, at);
        cell.stats.merge(&StatisticSet { sum: value * count, count, min: value, max: value });
        if keeps_spread {
            cell.spread.get_or_insert_default().add(value, count);
        }
    }

    /// Adds samples that are known only by their statistics. Where their values differ, their spread is lost, and so
    /// are the minute's percentiles.
    pub fn add_stats(&mut self, id: SeriesId, at: Timestamp, stats: StatisticSet) {
        if stats.count <= 0.0 {
            return;
        }
        let (cell, keeps_spread) = self.cell(id, at);
        cell.stats.merge(&stats);
        if keeps_spread {
            let spread = cell.spread.get_or_insert_default();
            if stats.min == stats.max || stats.count == 1.0 {
                spread.add(stats.sum / stats.count, stats.count);
            } else {
                **spread = Distribution::Unknown;
            }
        }
    }

    /// Keeps a sample to the second, beside what `add_many` or `add_stats` did with it (StorageResolution 1).
    pub fn add_fine(&mut self, id: SeriesId, at: Timestamp, stats: StatisticSet) {
        if stats.count <= 0.0 {
            return;
        }
        let all = self.series.len();
        let fine = &mut self.series[id.0 as usize].fine;
        let second = at.secs();
        let index = fine.partition_point(|cell| cell.second < second);
        if fine.get(index).is_none_or(|cell| cell.second != second) {
            let fresh = FineCell { second, stats: StatisticSet::default(), spread: Distribution::default() };
            fine.insert(index, fresh);
        }
        let cell = &mut fine[index];
        cell.stats.merge(&stats);
        if stats.min == stats.max || stats.count == 1.0 {
            cell.spread.add(stats.sum / stats.count, stats.count);
        } else {
            cell.spread = Distribution::Unknown;
        }
        if fine.len() > (SECONDS_IN_ALL / all).clamp(180, FINE_SECONDS) {
            fine.pop_front();
        }
    }

    /// Whether one of the series has samples to the second.
    pub fn is_fine(&self, ids: &[(SeriesId, &'static str)]) -> bool {
        ids.iter().any(|(id, _)| !self.series[id.0 as usize].fine.is_empty())
    }

    /// The cell of the minute that holds `at`, made when it is new. The current minute's is the last: found at once.
    fn cell(&mut self, id: SeriesId, at: Timestamp) -> (&mut Cell, bool) {
        let all = self.series.len();
        let series = &mut self.series[id.0 as usize];
        let minute = at.millis().div_euclid(MINUTE_MS);
        let last = series.cells.back().map_or(i64::MIN, |cell| cell.minute);
        let fresh = Cell { minute, stats: StatisticSet::default(), spread: None };
        let index = if minute == last {
            series.cells.len() - 1
        } else if minute > last {
            if series.cells.len() >= (MINUTES_IN_ALL / all).clamp(180, RETAINED_MINUTES) {
                series.cells.pop_front();
            }
            series.cells.push_back(fresh);
            series.cells.len() - 1
        } else {
            let index = series.cells.partition_point(|cell| cell.minute < minute);
            if series.cells[index].minute != minute {
                series.cells.insert(index, fresh);
            }
            index
        };
        (&mut series.cells[index], series.keeps_spread)
    }

    /// The metric's series with the units in which it was reported; only the one of `unit` when that is given.
    pub fn find(&self, metric: &Metric, unit: Option<&str>) -> Vec<(SeriesId, &'static str)> {
        let ids = self.by_metric.get(metric).map_or(&[][..], Vec::as_slice);
        let with_unit = ids.iter().map(|id| (*id, self.series[id.0 as usize].unit));
        with_unit.filter(|(_, own)| unit.is_none_or(|unit| unit == *own)).collect()
    }

    /// What can be read at `now` of the minutes (of the seconds, where a period is shorter and the series knows them) from `from` (inclusive) to `to` (exclusive), in periods of `period_s`
    /// seconds counted from `from`, in order of time. Periods without samples are absent.
    pub fn read(
        &self,
        ids: &[(SeriesId, &'static str)],
        (from, to): (Timestamp, Timestamp),
        period_s: i64,
        now: Timestamp,
        with_values: bool,
    ) -> Vec<PeriodData> {
        let period_ms = period_s.max(1).saturating_mul(1000);
        let mut periods: BTreeMap<i64, PeriodData> = BTreeMap::new();
        for (id, _) in ids {
            let series = &self.series[id.0 as usize];
            for (start_ms, stats, spread) in series.samples(from, period_s) {
                if start_ms >= to.millis() || !series.is_visible(start_ms, now) {
                    break;
                }
                let index = (start_ms - from.millis()) / period_ms;
                let period = periods.entry(index).or_insert_with(|| PeriodData {
                    start: Timestamp::from_millis(from.millis() + index * period_ms),
                    stats: StatisticSet::default(),
                    values: with_values.then(Vec::new),
                });
                period.stats.merge(stats);
                if let Some(values) = &mut period.values {
                    let known = spread.is_some_and(|spread| spread.pour(values));
                    if !known {
                        period.values = None;
                    }
                }
            }
        }
        periods.into_values().collect()
    }

    /// Metrics in order, after `after`, that have a datapoint that can be read and is younger than two weeks, or than
    /// `recent_minutes` when that is given.
    pub fn list<'a>(
        &'a self,
        now: Timestamp,
        recent_minutes: Option<i64>,
        after: Option<&Metric>,
    ) -> impl Iterator<Item = &'a Metric> {
        use std::ops::Bound::{Excluded, Unbounded};
        let oldest = now.millis().div_euclid(MINUTE_MS) - recent_minutes.unwrap_or(LISTED_MINUTES);
        let range = self.by_metric.range((after.cloned().map_or(Unbounded, Excluded), Unbounded));
        let is_live = move |id: &SeriesId| {
            let series = &self.series[id.0 as usize];
            let is_visible = |cell: &&Cell| series.is_visible(cell.minute * MINUTE_MS, now);
            series.cells.iter().rev().find(is_visible).is_some_and(|cell| cell.minute >= oldest)
        };
        range.filter(move |(_, ids)| ids.iter().any(is_live)).map(|(metric, _)| metric)
    }

    /// Minutes held by all series, for tests of memory.
    pub fn minutes_held(&self) -> usize {
        self.series.iter().map(|series| series.cells.len()).sum()
    }
}

impl Series {
    /// (start in milliseconds, statistics, spread) of what begins at `from` or later, in order of time.
    fn samples(
        &self,
        from: Timestamp,
        period_s: i64,
    ) -> Box<dyn Iterator<Item = (i64, &StatisticSet, Option<&Distribution>)> + '_> {
        if period_s < 60 && !self.fine.is_empty() {
            let first = self.fine.partition_point(|cell| cell.second * 1000 < from.millis());
            return Box::new(
                self.fine.range(first..).map(|cell| (cell.second * 1000, &cell.stats, Some(&cell.spread))),
            );
        }
        let first = self.cells.partition_point(|cell| cell.minute * MINUTE_MS < from.millis());
        Box::new(self.cells.range(first..).map(|cell| (cell.minute * MINUTE_MS, &cell.stats, cell.spread.as_deref())))
    }

    /// Whether the minute that begins so can be read.
    fn is_visible(&self, minute_ms: i64, now: Timestamp) -> bool {
        self.delay_ms.is_none_or(|delay_ms| now.millis() >= minute_ms + MINUTE_MS + delay_ms)
    }
}

fn delay_ms(namespace: &str) -> Option<i64> {
    match namespace {
        "AWS/Lambda" => Some(30_000),
        _ if namespace.starts_with("AWS/") => Some(60_000),
        _ => None,
    }
}

/// Percentiles cost memory, so they are kept where people ask for them: latencies, durations and ages of Lambda and
/// Kinesis, and everything that clients put.
fn keeps_spread(metric: &Metric) -> bool {
    match metric.namespace.as_str() {
        "AWS/Lambda" => matches!(
            metric.name.as_str(),
            "Duration" | "PostRuntimeExtensionsDuration" | "IteratorAge" | "AsyncEventAge" | "OffsetLag"
        ),
        "AWS/Kinesis" => metric.name.ends_with("Latency") || metric.name.ends_with("Milliseconds"),
        namespace => !namespace.starts_with("AWS/"),
    }
}

/// CloudWatch's units (StandardUnit).
pub const UNITS: [&str; 27] = [
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(&format!("2026-11-27T{text}Z")).unwrap()
    }

    fn day() -> (Timestamp, Timestamp) {
        (at("00:00:00"), at("23:59:00"))
    }

    #[test]
    fn a_series_is_one_for_its_dimensions_in_any_order() {
        let mut metrics = Metrics::default();
        let a = metrics.series("App", "Sold", &[("Hotel", "1"), ("Room", "single")], "Count");
        assert_eq!(a, metrics.series("App", "Sold", &[("Room", "single"), ("Hotel", "1")], "Count"));
        assert_ne!(a, metrics.series("App", "Sold", &[("Hotel", "1")], "Count"));
        assert_ne!(a, metrics.series("App", "Sold", &[("Hotel", "1"), ("Room", "single")], "None"));
    }

    #[test]
    fn samples_are_summed_by_minute_and_by_period() {
        let mut metrics = Metrics::default();
        let id = metrics.series("App", "Ms", &[], "Milliseconds");
        metrics.add(id, at("18:00:01"), 10.0);
        metrics.add_many(id, at("18:00:59.999"), 2.0, 3.0);
        metrics.add(id, at("18:04:00"), 7.0);
        metrics.add(id, at("18:02:00"), 5.0);
        let ids = [(id, "Milliseconds")];
        let minutes = metrics.read(&ids, day(), 60, at("19:00:00"), true);
        let starts: Vec<String> = minutes.iter().map(|p| p.start.clock_hms()).collect();
        assert_eq!(starts, ["18:00:00", "18:02:00", "18:04:00"]);
        assert_eq!(minutes[0].stats, StatisticSet { sum: 16.0, count: 4.0, min: 2.0, max: 10.0 });
        assert_eq!(minutes[0].values, Some(vec![(2.0, 3.0), (10.0, 1.0)]));
        let five = metrics.read(&ids, (at("17:58:00"), at("18:04:00")), 300, at("19:00:00"), false);
        assert_eq!(five.len(), 1, "periods are counted from the start that was asked for, and the end is exclusive");
        assert_eq!((five[0].start, five[0].stats.sum), (at("17:58:00"), 21.0));
    }

    #[test]
    fn seconds_are_known_where_they_were_put() {
        let mut metrics = Metrics::default();
        let id = metrics.series("App", "Ms", &[], "None");
        for (second, value) in [("18:00:01", 1.0), ("18:00:01.400", 3.0), ("18:00:12", 5.0), ("18:01:00", 7.0)] {
            metrics.add(id, at(second), value);
            metrics.add_fine(id, at(second), StatisticSet { sum: value, count: 1.0, min: value, max: value });
        }
        let ids = [(id, "None")];
        let sums = |period_s| {
            let read = metrics.read(&ids, (at("18:00:00"), at("18:02:00")), period_s, at("19:00:00"), true);
            read.iter().map(|period| (period.start.clock_hms(), period.stats.sum)).collect::<Vec<_>>()
        };
        let of = |pairs: &[(&str, f64)]| pairs.iter().map(|(at, sum)| ((*at).to_owned(), *sum)).collect::<Vec<_>>();
        assert_eq!(sums(1), of(&[("18:00:01", 4.0), ("18:00:12", 5.0), ("18:01:00", 7.0)]));
        assert_eq!(sums(10), of(&[("18:00:00", 4.0), ("18:00:10", 5.0), ("18:01:00", 7.0)]));
        assert_eq!(sums(60), of(&[("18:00:00", 9.0), ("18:01:00", 7.0)]));
        assert!(metrics.is_fine(&ids));
    }

    #[test]
    fn a_minute_of_a_service_can_be_read_only_after_its_delay() {
        let mut metrics = Metrics::default();
        for (namespace, readable) in [("AWS/SQS", "18:02:00"), ("AWS/Lambda", "18:01:30"), ("App", "18:00:05")] {
            let id = metrics.series(namespace, "M", &[], "Count");
            metrics.add(id, at("18:00:05"), 1.0);
            let ids = [(id, "Count")];
            let just_before = Timestamp::from_millis(at(readable).millis() - 1);
            let seen = metrics.read(&ids, day(), 60, just_before, false).len();
            assert_eq!(seen, usize::from(namespace == "App"), "{namespace}");
            assert_eq!(metrics.read(&ids, day(), 60, at(readable), false).len(), 1, "{namespace}");
        }
    }

    #[test]
    fn fifteen_days_are_kept_and_no_more() {
        let mut metrics = Metrics::default();
        let id = metrics.series("AWS/SQS", "M", &[], "Count");
        (0..30 * 1440).for_each(|minute| metrics.add(id, Timestamp::from_millis(minute * MINUTE_MS), 1.0));
        assert_eq!(metrics.minutes_held(), RETAINED_MINUTES);
    }

    #[test]
    fn a_set_of_different_values_has_no_percentiles_but_has_its_sums() {
        let mut metrics = Metrics::default();
        let id = metrics.series("App", "M", &[], "None");
        metrics.add_stats(id, at("18:00:00"), StatisticSet { sum: 10.0, count: 4.0, min: 1.0, max: 4.0 });
        let minute = &metrics.read(&[(id, "None")], day(), 60, at("19:00:00"), true)[0];
        assert_eq!((minute.stats.sum, &minute.values), (10.0, &None));
    }

    #[test]
    fn listing_forgets_what_has_been_silent_for_two_weeks() {
        let mut metrics = Metrics::default();
        for (name, minute) in [("Old", 0), ("New", 20_000)] {
            let id = metrics.series("App", name, &[], "None");
            metrics.add(id, Timestamp::from_millis(minute * MINUTE_MS), 1.0);
        }
        let now = Timestamp::from_millis(20_400 * MINUTE_MS);
        let names = |recent| metrics.list(now, recent, None).map(|m| m.name.as_str()).collect::<Vec<_>>();
        assert_eq!(names(None), ["New"]);
        assert!(names(Some(180)).is_empty());
        assert_eq!(names(Some(400)), ["New"]);
    }
}
