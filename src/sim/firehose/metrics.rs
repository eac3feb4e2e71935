//! What the service publishes to CloudWatch: names and units of `AWS/Firehose`, dimension DeliveryStreamName.
//! Source: Firehose "Monitor Amazon Data Firehose with CloudWatch metrics".

use super::destination::Kind;
use super::stream::{BYTES_PER_S, RECORDS_PER_S, REQUESTS_PER_S, Source};
use super::{Due, Firehose};
use crate::sim::cloudwatch::SeriesId;
use crate::sim::cx::Cx;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    IncomingBytes,
    IncomingRecords,
    IncomingRequests,
    PutBytes,
    PutRequests,
    BatchBytes,
    BatchRecords,
    BatchRequests,
    Throttled,
    BytesLimit,
    RecordsLimit,
    RequestsLimit,
    DeliveryBytes,
    DeliveryRecords,
    DeliverySuccess,
    DeliveryFreshness,
    SourceBytes,
    SourceRecords,
    MillisBehindLatest,
    ThrottledGetRecords,
    ThrottledGetShardIterator,
}

impl Metric {
    /// Its name begins with where it is delivered to.
    const fn is_of_delivery(self) -> bool {
        matches!(self, Self::DeliveryBytes | Self::DeliveryRecords | Self::DeliverySuccess | Self::DeliveryFreshness)
    }

    const fn name_and_unit(self) -> (&'static str, &'static str) {
        match self {
            Self::IncomingBytes => ("IncomingBytes", "Bytes"),
            Self::IncomingRecords => ("IncomingRecords", "Count"),
            Self::IncomingRequests => ("IncomingPutRequests", "Count"),
            Self::PutBytes => ("PutRecord.Bytes", "Bytes"),
            Self::PutRequests => ("PutRecord.Requests", "Count"),
            Self::BatchBytes => ("PutRecordBatch.Bytes", "Bytes"),
            Self::BatchRecords => ("PutRecordBatch.Records", "Count"),
            Self::BatchRequests => ("PutRecordBatch.Requests", "Count"),
            Self::Throttled => ("ThrottledRecords", "Count"),
            Self::BytesLimit => ("BytesPerSecondLimit", "Bytes/Second"),
            Self::RecordsLimit => ("RecordsPerSecondLimit", "Count/Second"),
            Self::RequestsLimit => ("PutRequestsPerSecondLimit", "Count/Second"),
            Self::DeliveryBytes => ("Bytes", "Bytes"),
            Self::DeliveryRecords => ("Records", "Count"),
            Self::DeliverySuccess => ("Success", "Count"),
            Self::DeliveryFreshness => ("DataFreshness", "Seconds"),
            Self::SourceBytes => ("DataReadFromKinesisStream.Bytes", "Bytes"),
            Self::SourceRecords => ("DataReadFromKinesisStream.Records", "Count"),
            Self::MillisBehindLatest => ("KinesisMillisBehindLatest", "Milliseconds"),
            Self::ThrottledGetRecords => ("ThrottledGetRecords", "Count"),
            Self::ThrottledGetShardIterator => ("ThrottledGetShardIterator", "Count"),
        }
    }
}

/// A stream's series, each asked for when it first has a sample.
#[derive(Debug)]
pub struct Meters {
    target: Kind,
    series: BTreeMap<Metric, SeriesId>,
}

impl Meters {
    /// Those of a stream that delivers to such a destination.
    pub fn of(target: Kind) -> Self {
        Self { target, series: BTreeMap::new() }
    }

    pub fn add(&mut self, cx: &mut Cx<'_>, stream: &str, metric: Metric, value: f64) {
        let target = self.target.metric_name();
        let id = *self.series.entry(metric).or_insert_with(|| {
            let (name, unit) = metric.name_and_unit();
            let name = if metric.is_of_delivery() { format!("DeliveryTo{target}.{name}") } else { name.to_owned() };
            cx.metrics.series("AWS/Firehose", &name, &[("DeliveryStreamName", stream)], unit)
        });
        cx.metrics.add(id, cx.now, value);
    }
}

impl Firehose {
    /// Starts the minute's publication; called when a stream is made.
    pub(super) fn schedule_gauges(&mut self, cx: &mut Cx<'_>) {
        if !self.gauges_run {
            self.gauges_run = true;
            cx.schedule(cx.now.floor_to(60) + Duration::from_secs(60), Due::Gauges.into());
        }
    }

    /// The age of what waits, and the limits that hold.
    pub(super) fn publish_gauges(&mut self, cx: &mut Cx<'_>) {
        for stream in self.streams.values_mut() {
            let name = stream.name.clone();
            if let Some(oldest) = stream.buffers.oldest() {
                let age_s = cx.now.since(oldest).as_secs_f64().round();
                stream.meters.add(cx, &name, Metric::DeliveryFreshness, age_s);
            }
            if stream.source == Source::DirectPut {
                stream.meters.add(cx, &name, Metric::BytesLimit, BYTES_PER_S);
                stream.meters.add(cx, &name, Metric::RecordsLimit, RECORDS_PER_S);
                stream.meters.add(cx, &name, Metric::RequestsLimit, REQUESTS_PER_S);
            }
        }
        self.gauges_run = false;
        if !self.streams.is_empty() {
            self.schedule_gauges(cx);
        }
    }
}
