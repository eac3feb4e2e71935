//! Statistics: reading their names (`Average`, `p99.9`, `tm90`, `TM(10%:90%)`, `iqm`) and computing them.

use crate::sim::cloudwatch::PeriodData;

/// What a query asks of each period ("CloudWatch statistics definitions").
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistic {
    SampleCount,
    Average,
    Sum,
    Minimum,
    Maximum,
    /// `pNN.N`: 0 to 100.
    Percentile(f64),
    /// `tm`: the mean of what lies within the bounds.
    TrimmedMean(Bounds),
    /// `wm`: the mean when what lies outside is moved to the bounds.
    WinsorizedMean(Bounds),
    /// `tc`: how many lie within.
    TrimmedCount(Bounds),
    /// `ts`: the sum of what lies within.
    TrimmedSum(Bounds),
    /// `pr`: the percentage that lies within.
    PercentileRank(Bounds),
}

/// A lower and an upper bound, either of them open.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    low: Option<Bound>,
    high: Option<Bound>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Bound {
    Percent(f64),
    Value(f64),
}

impl Statistic {
    /// Reads any statistic's name, as GetMetricData takes it; `None` when CloudWatch has no such statistic.
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_simple(text).or_else(|| Self::parse_extended(text))
    }

    /// Reads one of the five statistics of GetMetricStatistics' `Statistics`.
    pub fn parse_simple(text: &str) -> Option<Self> {
        Some(match text {
            "SampleCount" => Self::SampleCount,
            "Average" => Self::Average,
            "Sum" => Self::Sum,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            _ => return None,
        })
    }

    /// Reads a percentile or a trimmed statistic, as in GetMetricStatistics' `ExtendedStatistics`.
    pub fn parse_extended(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        if lower == "iqm" {
            let bounds = Bounds { low: Some(Bound::Percent(25.0)), high: Some(Bound::Percent(75.0)) };
            return Some(Self::TrimmedMean(bounds));
        }
        if let Some((name, bounds)) = lower.strip_suffix(')').and_then(|text| text.split_once('(')) {
            return Self::trimmed(name, parse_bounds(bounds)?);
        }
        if let Some(number) = lower.strip_prefix('p').and_then(parse_percent) {
            return Some(Self::Percentile(number));
        }
        let (name, number) = (lower.get(..2)?, parse_percent(lower.get(2..)?)?);
        // A bare number cuts only the top; a rank needs a value in brackets.
        let bounds = Bounds { low: None, high: Some(Bound::Percent(number)) };
        Self::trimmed(name, bounds).filter(|statistic| !matches!(statistic, Self::PercentileRank(_)))
    }

    fn trimmed(name: &str, bounds: Bounds) -> Option<Self> {
        Some(match name {
            "tm" => Self::TrimmedMean(bounds),
            "wm" => Self::WinsorizedMean(bounds),
            "tc" => Self::TrimmedCount(bounds),
            "ts" => Self::TrimmedSum(bounds),
            "pr" if bounds.are_values() => Self::PercentileRank(bounds),
            _ => return None,
        })
    }

    /// Whether each value counts, not only their sum, number and extremes.
    pub fn needs_values(self) -> bool {
        !matches!(self, Self::SampleCount | Self::Average | Self::Sum | Self::Minimum | Self::Maximum)
    }

    /// The statistic of a period that holds at least one sample; `None` when the period's spread is not known.
    pub fn of(self, period: &PeriodData) -> Option<f64> {
        let stats = &period.stats;
        match self {
            Self::SampleCount => return Some(stats.count),
            Self::Average => return (stats.count > 0.0).then(|| stats.sum / stats.count),
            Self::Sum => return Some(stats.sum),
            Self::Minimum => return Some(stats.min),
            Self::Maximum => return Some(stats.max),
            _ => {}
        }
        let mut values = period.values.clone()?;
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        // Buckets round; the extremes are known exactly.
        values.iter_mut().for_each(|(value, _)| *value = value.clamp(stats.min, stats.max));
        match self {
            Self::Percentile(percent) => percentile(&values, percent),
            Self::TrimmedMean(bounds) => ratio(bounds.within(&values)),
            Self::TrimmedSum(bounds) => Some(bounds.within(&values).0),
            Self::TrimmedCount(bounds) => Some(bounds.within(&values).1),
            Self::PercentileRank(bounds) => Some(bounds.within(&values).1 / stats.count * 100.0),
            Self::WinsorizedMean(bounds) => {
                let (low, high) = bounds.edges(&values);
                let moved: Vec<(f64, f64)> = values.iter().map(|(v, n)| (v.max(low).min(high), *n)).collect();
                ratio(moved.iter().fold((0.0, 0.0), |(sum, count), (v, n)| (sum + v * n, count + n)))
            }
            _ => None,
        }
    }
}

impl Bounds {
    fn are_values(&self) -> bool {
        [self.low, self.high].iter().flatten().all(|bound| matches!(bound, Bound::Value(_)))
    }

    /// The lowest and highest value that lie within.
    fn edges(&self, values: &[(f64, f64)]) -> (f64, f64) {
        let edge = |bound: Option<Bound>, open: f64| match bound {
            None => open,
            Some(Bound::Value(value)) => value,
            Some(Bound::Percent(percent)) => percentile(values, percent).unwrap_or(open),
        };
        (edge(self.low, f64::NEG_INFINITY), edge(self.high, f64::INFINITY))
    }

    /// Sum and count of what lies within. Percentages cut by rank, so that equal values are cut in part.
    fn within(&self, values: &[(f64, f64)]) -> (f64, f64) {
        let total: f64 = values.iter().map(|(_, n)| n).sum();
        let rank = |bound: Option<Bound>, open: f64| match bound {
            Some(Bound::Percent(percent)) => total * percent / 100.0,
            _ => open,
        };
        let (first, last) = (rank(self.low, 0.0), rank(self.high, total));
        let low = if let Some(Bound::Value(value)) = self.low { value } else { f64::NEG_INFINITY };
        let high = if let Some(Bound::Value(value)) = self.high { value } else { f64::INFINITY };
        let (mut before, mut sum, mut count) = (0.0, 0.0, 0.0);
        for (value, n) in values {
            let kept = ((before + n).min(last) - f64::max(before, first)).max(0.0);
            before += n;
            if kept > 0.0 && *value > low && *value <= high {
                sum += value * kept;
                count += kept;
            }
        }
        (sum, count)
    }
}

fn ratio((sum, count): (f64, f64)) -> Option<f64> {
    (count > 0.0).then(|| sum / count)
}

/// The smallest value that at least `percent` of the samples do not exceed; `values` are ordered.
fn percentile(values: &[(f64, f64)], percent: f64) -> Option<f64> {
    let total: f64 = values.iter().map(|(_, n)| n).sum();
    let wanted = total * percent / 100.0;
    let mut seen = 0.0;
    for (value, n) in values {
        seen += n;
        if seen + 1e-9 >= wanted && seen > 0.0 {
            return Some(*value);
        }
    }
    values.last().map(|(value, _)| *value)
}

/// 0 to 100 with at most ten decimals.
fn parse_percent(text: &str) -> Option<f64> {
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.') && decimals <= 10;
    text.parse().ok().filter(|percent| is_number && (0.0..=100.0).contains(percent))
}

fn parse_bounds(text: &str) -> Option<Bounds> {
    let (low, high) = text.split_once(':')?;
    let bound = |text: &str| match text.trim() {
        "" => Some(None),
        text => match text.strip_suffix('%') {
            Some(number) => parse_percent(number).map(|percent| Some(Bound::Percent(percent))),
            None => text.parse().ok().filter(|v: &f64| v.is_finite()).map(|value| Some(Bound::Value(value))),
        },
    };
    let bounds = Bounds { low: bound(low)?, high: bound(high)? };
    (bounds.low.is_some() || bounds.high.is_some()).then_some(bounds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::cloudwatch::{Distribution, StatisticSet};
    use proptest::prelude::*;

    fn period(values: &[f64]) -> PeriodData {
        let mut spread = Distribution::default();
        values.iter().for_each(|v| spread.add(*v, 1.0));
        let mut points = Vec::new();
        let known = spread.pour(&mut points);
        let stats = StatisticSet {
            sum: values.iter().sum(),
            count: values.len() as f64,
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        };
        PeriodData { stats, values: known.then_some(points), ..PeriodData::default() }
    }

    fn of(name: &str, values: &[f64]) -> Option<f64> {
        Statistic::parse(name).unwrap_or_else(|| panic!("{name} is no statistic")).of(&period(values))
    }

    #[test]
    fn names_are_read_as_cloudwatch_reads_them() {
        assert_eq!(Statistic::parse("p99.9"), Some(Statistic::Percentile(99.9)));
        assert_eq!(Statistic::parse("tm90"), Statistic::parse("TM(:90%)"));
        assert_eq!(Statistic::parse("IQM"), Statistic::parse("TM(25%:75%)"));
        for wrong in ["average", "p101", "p", "p-1", "p1e1", "pr99", "PR(10%:20%)", "tm", "TM(:)", "", "zz9", "é9"] {
            assert_eq!(Statistic::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn simple_and_trimmed_statistics_of_ten_values() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 100.0];
        let expected = [
            ("SampleCount", 10.0),
            ("Sum", 145.0),
            ("Average", 14.5),
            ("Minimum", 1.0),
            ("Maximum", 100.0),
            ("p0", 1.0),
            ("p50", 5.0),
            ("p90", 9.0),
            ("p99", 100.0),
            ("p100", 100.0),
            ("tm90", 5.0),
            ("TM(10%:90%)", 5.5),
            ("tc90", 9.0),
            ("ts90", 45.0),
            ("wm90", 5.4),
            ("PR(:5)", 50.0),
            ("PR(8:)", 20.0),
            ("TC(2:4)", 2.0),
        ];
        for (name, expected) in expected {
            assert_eq!(of(name, &values), Some(expected), "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_percentile_is_within_one_percent_of_the_naive_one(
            mut values in prop::collection::vec(0.01f64..100_000.0, 1..400),
            percent in 0.0f64..=100.0,
        ) {
            let got = Statistic::Percentile(percent).of(&period(&values)).unwrap();
            values.sort_by(f64::total_cmp);
            let rank = (values.len() as f64 * percent / 100.0 - 1e-9).ceil().max(1.0) as usize;
            let naive = values[rank - 1];
            prop_assert!((got / naive - 1.0).abs() < 0.011, "{got} against {naive}");
        }
    }
}
