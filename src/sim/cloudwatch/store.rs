//! The metric store: one series for each (namespace, name, dimensions), one-minute statistics with a distribution.

use crate::domain::time::Timestamp;

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

/// Every series of the account and region.
#[derive(Default)]
pub struct Metrics {}

impl Metrics {
    /// The series' handle, made when it is new. `unit` is CloudWatch's word, such as `Count` or `Milliseconds`.
    pub fn series(
        &mut self,
        _namespace: &str,
        _name: &str,
        _dimensions: &[(&str, &str)],
        _unit: &'static str,
    ) -> SeriesId {
        SeriesId(0)
    }

    /// Adds one sample. Samples of one series may arrive out of order within a few minutes.
    pub fn add(&mut self, _id: SeriesId, _at: Timestamp, _value: f64) {}

    /// Adds `count` samples of the same value.
    pub fn add_many(&mut self, _id: SeriesId, _at: Timestamp, _value: f64, _count: f64) {}
}
