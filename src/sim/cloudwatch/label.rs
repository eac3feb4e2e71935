//! Labels of GetMetricData's results: what CloudWatch calls a series by itself, and what `${…}` in a label stands for
//! ("Using dynamic labels").

use crate::domain::time::Timestamp;
use crate::sim::cloudwatch::Metric;
use crate::sim::cx::Place;

/// What a label may tell of its series.
pub struct Told<'a> {
    pub place: &'a Place,
    /// What CloudWatch calls the series by itself.
    pub automatic: &'a str,
    /// The metric with its statistic and its period in seconds; none of an expression.
    pub metric: Option<(&'a Metric, &'a str, i64)>,
    /// In order of time.
    pub points: &'a [(Timestamp, f64)],
}

/// The metric's name, with the statistic and the period where the request's metrics differ in them.
pub fn automatic(name: &str, statistic: Option<&str>, period_s: Option<i64>) -> String {
    let mut label = name.to_owned();
    if let Some(statistic) = statistic {
        label = format!("{label} {statistic}");
    }
    if let Some(period_s) = period_s {
        label = format!("{label} {period_s}");
    }
    label
}

/// A label with its `${…}` filled; what stands for nothing stays as it is.
pub fn fill(label: &str, told: &Told<'_>) -> String {
    let mut out = String::with_capacity(label.len());
    let mut rest = label;
    while let Some(open) = rest.find("${") {
        out.push_str(&rest[..open]);
        let tail = &rest[open..];
        match tail.find('}').and_then(|close| Some((close, told.of(&tail[2..close])?))) {
            Some((close, text)) => {
                out.push_str(&text);
                rest = &tail[close + 1..];
            }
            None => {
                out.push_str("${");
                rest = &tail[2..];
            }
        }
    }
    out.push_str(rest);
    out
}

impl Told<'_> {
    fn of(&self, word: &str) -> Option<String> {
        let values = || self.points.iter().map(|(_, value)| *value);
        let count = self.points.len();
        let number = |value: Option<f64>| Some(value.map_or_else(|| "--".to_owned(), |value| value.to_string()));
        let when = |of: fn(f64, f64) -> f64| {
            let wanted = values().reduce(of)?;
            self.points.iter().find(|(_, value)| *value == wanted).map(|(at, _)| at.rfc3339())
        };
        match word {
            "LABEL" => Some(self.automatic.to_owned()),
            "MAX" => number(values().reduce(f64::max)),
            "MIN" => number(values().reduce(f64::min)),
            "SUM" => number(Some(values().sum())),
            "AVG" => number((count > 0).then(|| values().sum::<f64>() / count as f64)),
            "FIRST" => number(values().next()),
            "LAST" => number(values().next_back()),
            "FIRST_LAST_RANGE" => number(values().next().zip(values().next_back()).map(|(first, last)| last - first)),
            "MIN_MAX_RANGE" => {
                number(values().reduce(f64::max).zip(values().reduce(f64::min)).map(|(max, min)| max - min))
            }
            "DATAPOINT_COUNT" => Some(count.to_string()),
            "FIRST_TIME" => Some(self.points.first().map_or_else(|| "--".into(), |(at, _)| at.rfc3339())),
            "LAST_TIME" => Some(self.points.last().map_or_else(|| "--".into(), |(at, _)| at.rfc3339())),
            "MAX_TIME" => Some(when(f64::max).unwrap_or_else(|| "--".into())),
            "MIN_TIME" => Some(when(f64::min).unwrap_or_else(|| "--".into())),
            _ => self.property(word.strip_prefix("PROP('")?.strip_suffix("')")?),
        }
    }

    fn property(&self, name: &str) -> Option<String> {
        let metric = self.metric;
        match name {
            "AccountId" => Some(self.place.account.clone()),
            "Region" => Some(self.place.region.clone()),
            "Namespace" => metric.map(|(metric, _, _)| metric.namespace.clone()),
            "MetricName" => metric.map(|(metric, _, _)| metric.name.clone()),
            "Stat" => metric.map(|(_, statistic, _)| statistic.to_owned()),
            "Period" => metric.map(|(_, _, period_s)| period_s.to_string()),
            _ => {
                let dimension = name.strip_prefix("Dim.")?;
                let found = metric?.0.dimensions.iter().find(|(name, _)| name == dimension);
                found.map(|(_, value)| value.clone())
            }
        }
    }
}
