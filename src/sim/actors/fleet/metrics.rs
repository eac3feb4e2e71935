//! The metrics that the consumer library publishes: the namespace is the application's name.
//! Source: Kinesis "Monitor the Kinesis Client Library with Amazon CloudWatch".

use crate::domain::time::Timestamp;
use crate::sim::cloudwatch::{Metrics, SeriesId};
use crate::sim::kinesis::ShardId;
use std::collections::BTreeMap;

/// Whose metric: a shard's, a worker's (its number), or the application's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Of {
    Shard(ShardId),
    Worker(usize),
    Application,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    MillisBehindLatest,
    RecordsProcessed,
    DataBytesProcessed,
    ProcessRecordsTime,
    ProcessTime,
    ProcessSuccess,
    CurrentLeases,
    LostLeases,
    RenewSuccess,
    TotalLeases,
    NumWorkers,
    ExpiredLeases,
    NeededLeases,
    TakenLeases,
    AssignedLeases,
    AssignedWorkers,
    ReportSuccess,
}

impl Metric {
    /// Operation, name, unit.
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::MillisBehindLatest => ("ProcessTask", "MillisBehindLatest", "Milliseconds"),
            Self::RecordsProcessed => ("ProcessTask", "RecordsProcessed", "Count"),
            Self::DataBytesProcessed => ("ProcessTask", "DataBytesProcessed", "Bytes"),
            Self::ProcessRecordsTime => ("ProcessTask", "RecordProcessor.processRecords.Time", "Milliseconds"),
            Self::ProcessTime => ("ProcessTask", "Time", "Milliseconds"),
            Self::ProcessSuccess => ("ProcessTask", "Success", "Count"),
            Self::CurrentLeases => ("RenewAllLeases", "CurrentLeases", "Count"),
            Self::LostLeases => ("RenewAllLeases", "LostLeases", "Count"),
            Self::RenewSuccess => ("RenewAllLeases", "Success", "Count"),
            Self::TotalLeases => ("TakeLeases", "TotalLeases", "Count"),
            Self::NumWorkers => ("TakeLeases", "NumWorkers", "Count"),
            Self::ExpiredLeases => ("TakeLeases", "ExpiredLeases", "Count"),
            Self::NeededLeases => ("TakeLeases", "NeededLeases", "Count"),
            Self::TakenLeases => ("TakeLeases", "TakenLeases", "Count"),
            Self::AssignedLeases => ("LeaseAssignmentManager", "TotalLeases", "Count"),
            Self::AssignedWorkers => ("LeaseAssignmentManager", "NumWorkers", "Count"),
            Self::ReportSuccess => ("WorkerMetricStatsReporter", "Success", "Count"),
        }
    }
}

/// The application's series, each asked for when it first has a sample.
#[derive(Debug, Default)]
pub struct Meters(BTreeMap<(Metric, Of), SeriesId>);

impl Meters {
    /// One sample. `name` is the application's.
    pub fn add(&mut self, metrics: &mut Metrics, now: Timestamp, name: &str, (metric, of): (Metric, Of), value: f64) {
        let id = *self.0.entry((metric, of)).or_insert_with(|| {
            let (operation, word, unit) = metric.words();
            let whose = match of {
                Of::Shard(shard) => Some(("ShardId", shard.to_string())),
                Of::Worker(number) => Some(("WorkerIdentifier", format!("{name}-{}", number + 1))),
                Of::Application => None,
            };
            let whose = whose.iter().map(|(dimension, whose)| (*dimension, whose.as_str()));
            let dimensions: Vec<(&str, &str)> = [("Operation", operation)].into_iter().chain(whose).collect();
            metrics.series(name, word, &dimensions, unit)
        });
        metrics.add(id, now, value);
    }
}
