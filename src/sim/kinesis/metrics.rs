//! What the service publishes to CloudWatch: names, units and dimensions of `AWS/Kinesis`, and when.

use super::read::Batch;
use crate::domain::time::Timestamp;
use crate::sim::cloudwatch::{Metrics, SeriesId};
use crate::sim::cx::Cx;
use rand_distr::{Distribution, LogNormal};

const NAMESPACE: &str = "AWS/Kinesis";

/// Stream-level metrics ("Monitor … with Amazon CloudWatch"; dimension StreamName).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamMetric {
    IncomingBytes,
    IncomingRecords,
    GetRecordsBytes,
    GetRecordsRecords,
    GetRecordsIteratorAge,
    GetRecordsLatency,
    GetRecordsSuccess,
    PutRecordBytes,
    PutRecordLatency,
    PutRecordSuccess,
    PutRecordsBytes,
    PutRecordsLatency,
    PutRecordsSuccess,
    PutRecordsTotal,
    PutRecordsSuccessful,
    PutRecordsFailed,
    PutRecordsThrottled,
    ReadThrottled,
    WriteThrottled,
}

impl StreamMetric {
    const COUNT: usize = Self::WriteThrottled as usize + 1;

    fn name_and_unit(self) -> (&'static str, &'static str) {
        match self {
            Self::IncomingBytes => ("IncomingBytes", "Bytes"),
            Self::IncomingRecords => ("IncomingRecords", "Count"),
            Self::GetRecordsBytes => ("GetRecords.Bytes", "Bytes"),
            Self::GetRecordsRecords => ("GetRecords.Records", "Count"),
            Self::GetRecordsIteratorAge => ("GetRecords.IteratorAgeMilliseconds", "Milliseconds"),
            Self::GetRecordsLatency => ("GetRecords.Latency", "Milliseconds"),
            Self::GetRecordsSuccess => ("GetRecords.Success", "Count"),
            Self::PutRecordBytes => ("PutRecord.Bytes", "Bytes"),
            Self::PutRecordLatency => ("PutRecord.Latency", "Milliseconds"),
            Self::PutRecordSuccess => ("PutRecord.Success", "Count"),
            Self::PutRecordsBytes => ("PutRecords.Bytes", "Bytes"),
            Self::PutRecordsLatency => ("PutRecords.Latency", "Milliseconds"),
            Self::PutRecordsSuccess => ("PutRecords.Success", "Count"),
            Self::PutRecordsTotal => ("PutRecords.TotalRecords", "Count"),
            Self::PutRecordsSuccessful => ("PutRecords.SuccessfulRecords", "Count"),
            Self::PutRecordsFailed => ("PutRecords.FailedRecords", "Count"),
            Self::PutRecordsThrottled => ("PutRecords.ThrottledRecords", "Count"),
            Self::ReadThrottled => ("ReadProvisionedThroughputExceeded", "Count"),
            Self::WriteThrottled => ("WriteProvisionedThroughputExceeded", "Count"),
        }
    }
}

/// Metrics of enhanced fan-out (dimensions StreamName, ConsumerName).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsumerMetric {
    SubscribeSuccess,
    EventBytes,
    EventRecords,
    EventSuccess,
    EventMillisBehindLatest,
}

impl ConsumerMetric {
    const COUNT: usize = Self::EventMillisBehindLatest as usize + 1;

    fn name_and_unit(self) -> (&'static str, &'static str) {
        match self {
            Self::SubscribeSuccess => ("SubscribeToShard.Success", "Count"),
            Self::EventBytes => ("SubscribeToShardEvent.Bytes", "Bytes"),
            Self::EventRecords => ("SubscribeToShardEvent.Records", "Count"),
            Self::EventSuccess => ("SubscribeToShardEvent.Success", "Count"),
            Self::EventMillisBehindLatest => ("SubscribeToShardEvent.MillisBehindLatest", "Milliseconds"),
        }
    }
}

/// A consumer's series.
#[derive(Default)]
pub(super) struct ConsumerSeries([Option<SeriesId>; ConsumerMetric::COUNT]);

impl ConsumerSeries {
    /// One sample; `of` is the stream's and the consumer's name.
    pub fn add(&mut self, cx: &mut Cx<'_>, of: (&str, &str), metric: ConsumerMetric, value: f64) {
        let id = *self.0[metric as usize].get_or_insert_with(|| {
            let (name, unit) = metric.name_and_unit();
            cx.metrics.series(NAMESPACE, name, &[("StreamName", of.0), ("ConsumerName", of.1)], unit)
        });
        cx.metrics.add(id, cx.now, value);
    }

    /// An event went out.
    pub fn pushed(&mut self, cx: &mut Cx<'_>, of: (&str, &str), batch: &Batch) {
        self.add(cx, of, ConsumerMetric::EventSuccess, 1.0);
        self.add(cx, of, ConsumerMetric::EventBytes, batch.bytes as f64);
        self.add(cx, of, ConsumerMetric::EventRecords, batch.records.len() as f64);
        self.add(cx, of, ConsumerMetric::EventMillisBehindLatest, batch.millis_behind_latest as f64);
    }
}

/// Shard-level metrics, published only while EnableEnhancedMonitoring has them on (dimensions StreamName, ShardId).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ShardMetric {
    IncomingBytes,
    IncomingRecords,
    OutgoingBytes,
    OutgoingRecords,
    WriteProvisionedThroughputExceeded,
    ReadProvisionedThroughputExceeded,
    IteratorAgeMilliseconds,
}

impl ShardMetric {
    /// In the order of the API's enumeration `MetricsName`.
    pub const ALL: [Self; 7] = [
        Self::IncomingBytes,
        Self::IncomingRecords,
        Self::OutgoingBytes,
        Self::OutgoingRecords,
        Self::WriteProvisionedThroughputExceeded,
        Self::ReadProvisionedThroughputExceeded,
        Self::IteratorAgeMilliseconds,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::IncomingBytes => "IncomingBytes",
            Self::IncomingRecords => "IncomingRecords",
            Self::OutgoingBytes => "OutgoingBytes",
            Self::OutgoingRecords => "OutgoingRecords",
            Self::WriteProvisionedThroughputExceeded => "WriteProvisionedThroughputExceeded",
            Self::ReadProvisionedThroughputExceeded => "ReadProvisionedThroughputExceeded",
            Self::IteratorAgeMilliseconds => "IteratorAgeMilliseconds",
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Self::IncomingBytes | Self::OutgoingBytes => "Bytes",
            Self::IteratorAgeMilliseconds => "Milliseconds",
            _ => "Count",
        }
    }
}

/// A stream's series, each asked for when it first has a sample.
#[derive(Default)]
pub(super) struct StreamSeries([Option<SeriesId>; StreamMetric::COUNT]);

impl StreamSeries {
    fn id(&mut self, metrics: &mut Metrics, stream: &str, metric: StreamMetric) -> SeriesId {
        *self.0[metric as usize].get_or_insert_with(|| {
            let (name, unit) = metric.name_and_unit();
            metrics.series(NAMESPACE, name, &[("StreamName", stream)], unit)
        })
    }

    /// One sample.
    pub fn add(&mut self, cx: &mut Cx<'_>, stream: &str, metric: StreamMetric, value: f64) {
        let id = self.id(cx.metrics, stream, metric);
        cx.metrics.add(id, cx.now, value);
    }

    /// `count` samples of 1.
    pub fn count(&mut self, cx: &mut Cx<'_>, stream: &str, metric: StreamMetric, count: u32) {
        if count > 0 {
            let id = self.id(cx.metrics, stream, metric);
            cx.metrics.add_many(id, cx.now, 1.0, f64::from(count));
        }
    }

    /// One sample for each of `fine + bad` attempts: 0 for a fine one, 1 for a bad one.
    pub fn ratio(&mut self, cx: &mut Cx<'_>, stream: &str, metric: StreamMetric, fine: u32, bad: u32) {
        let id = self.id(cx.metrics, stream, metric);
        add_ratio(cx.metrics, id, cx.now, fine, bad);
    }

    /// A request's duration, drawn around `median_ms`.
    pub fn latency(&mut self, cx: &mut Cx<'_>, stream: &str, metric: StreamMetric, median_ms: f64) {
        let drawn_ms = LogNormal::new(median_ms.ln(), 0.35).map_or(median_ms, |spread| spread.sample(&mut *cx.rng));
        self.add(cx, stream, metric, (drawn_ms * 100.0).round() / 100.0);
    }
}

/// A shard's series.
#[derive(Default)]
pub(super) struct ShardSeries([Option<SeriesId>; ShardMetric::ALL.len()]);

/// Which shard a sample is of, and which shard-level metrics are on.
#[derive(Clone, Copy)]
pub(super) struct Enhanced<'a> {
    pub stream: &'a str,
    pub shard: super::ShardId,
    pub on: &'a [ShardMetric],
}

impl ShardSeries {
    fn id(&mut self, metrics: &mut Metrics, of: Enhanced<'_>, metric: ShardMetric) -> Option<SeriesId> {
        if !of.on.contains(&metric) {
            return None;
        }
        Some(*self.0[metric as usize].get_or_insert_with(|| {
            let shard = of.shard.to_string();
            let dimensions = [("StreamName", of.stream), ("ShardId", shard.as_str())];
            metrics.series(NAMESPACE, metric.name(), &dimensions, metric.unit())
        }))
    }

    pub fn add(&mut self, cx: &mut Cx<'_>, of: Enhanced<'_>, metric: ShardMetric, value: f64) {
        if let Some(id) = self.id(cx.metrics, of, metric) {
            cx.metrics.add(id, cx.now, value);
        }
    }

    pub fn count(&mut self, cx: &mut Cx<'_>, of: Enhanced<'_>, metric: ShardMetric, count: u32) {
        if count > 0
            && let Some(id) = self.id(cx.metrics, of, metric)
        {
            cx.metrics.add_many(id, cx.now, 1.0, f64::from(count));
        }
    }

    pub fn ratio(&mut self, cx: &mut Cx<'_>, of: Enhanced<'_>, metric: ShardMetric, fine: u32, bad: u32) {
        if let Some(id) = self.id(cx.metrics, of, metric) {
            add_ratio(cx.metrics, id, cx.now, fine, bad);
        }
    }
}

fn add_ratio(metrics: &mut Metrics, id: SeriesId, at: Timestamp, fine: u32, bad: u32) {
    if fine > 0 {
        metrics.add_many(id, at, 0.0, f64::from(fine));
    }
    if bad > 0 {
        metrics.add_many(id, at, 1.0, f64::from(bad));
    }
}
