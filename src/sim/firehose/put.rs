//! PutRecord and PutRecordBatch: records come in by their sizes, within the stream's limits.

use super::metrics::Metric;
use super::stream::{DeliveryStream, Source, Status};
use super::{Firehose, fault};
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;

/// A record before base64.
pub(super) const RECORD_BYTES_MAX: usize = 1_024_000;
/// All records of a batch.
const BATCH_BYTES_MAX: usize = 4 << 20;

/// What became of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    Ok {
        record_id: String,
    },
    /// `ServiceUnavailableException`: the stream's limits; nothing was taken.
    Throttled,
}

impl Firehose {
    /// Takes records of these sizes, each on its own: one that is throttled does not hold up the others.
    ///
    /// Errors: `ResourceNotFoundException`, `InvalidArgumentException` when the stream reads a source or the records
    /// are too large, `ServiceUnavailableException` when there are too many requests.
    pub fn put(&mut self, cx: &mut Cx<'_>, stream: &str, sizes: &[usize]) -> Result<Vec<PutOutcome>, ApiError> {
        let stream = self.puttable(cx, stream)?;
        if sizes.iter().sum::<usize>() > BATCH_BYTES_MAX {
            return Err(fault::invalid_argument("Records size exceeds 4 MB limit"));
        }
        let outcomes = stream.take(cx, sizes)?;
        let taken: Vec<usize> = sizes.iter().zip(&outcomes).filter(|(_, o)| o.is_ok()).map(|(size, _)| *size).collect();
        let (name, meters) = (&stream.name, &mut stream.meters);
        let bytes = taken.iter().sum::<usize>() as f64;
        meters.add(cx, name, Metric::BatchRequests, 1.0);
        meters.add(cx, name, Metric::BatchRecords, taken.len() as f64);
        meters.add(cx, name, Metric::BatchBytes, bytes);
        Ok(outcomes)
    }

    /// Takes one record. Errors: as [`Firehose::put`].
    pub fn put_one(&mut self, cx: &mut Cx<'_>, stream: &str, size: usize) -> Result<String, ApiError> {
        let stream = self.puttable(cx, stream)?;
        let outcome = stream.take(cx, &[size])?.pop();
        let (name, meters) = (&stream.name, &mut stream.meters);
        meters.add(cx, name, Metric::PutRequests, 1.0);
        match outcome {
            Some(PutOutcome::Ok { record_id }) => {
                meters.add(cx, name, Metric::PutBytes, size as f64);
                Ok(record_id)
            }
            _ => Err(fault::slow_down()),
        }
    }

    fn puttable(&mut self, cx: &Cx<'_>, name: &str) -> Result<&mut DeliveryStream, ApiError> {
        let stream = self.named(cx, name)?;
        if stream.status != Status::Active {
            return Err(fault::not_found(cx.place, name));
        }
        if stream.source != Source::DirectPut {
            let kind = stream.kind();
            let words = format!("This operation is not permitted on {kind} delivery stream type.");
            return Err(fault::invalid_argument(words));
        }
        Ok(stream)
    }
}

impl PutOutcome {
    pub fn is_ok(&self) -> bool {
        matches!(self, Self::Ok { .. })
    }
}

impl DeliveryStream {
    fn take(&mut self, cx: &mut Cx<'_>, sizes: &[usize]) -> Result<Vec<PutOutcome>, ApiError> {
        if cx.place.limits && !self.limits.requests.take(1.0, cx.now) {
            self.meters.add(cx, &self.name, Metric::Throttled, sizes.len() as f64);
            return Err(fault::slow_down());
        }
        let mut outcomes = Vec::with_capacity(sizes.len());
        let (mut records, mut bytes) = (0, 0);
        for size in sizes {
            if cx.place.limits && !self.admits(cx, *size) {
                outcomes.push(PutOutcome::Throttled);
                continue;
            }
            records += 1;
            bytes += *size as u64;
            // AWS's record ids are long; what they are made of is not said.
            let record_id = format!("{}{}{}", cx.uuid(), cx.uuid(), cx.uuid()).replace('-', "");
            outcomes.push(PutOutcome::Ok { record_id });
        }
        let throttled = (sizes.len() as u64 - records) as f64;
        self.meters.add(cx, &self.name, Metric::Throttled, throttled);
        if records > 0 {
            self.take_in(cx, records, bytes);
        }
        Ok(outcomes)
    }

    fn admits(&mut self, cx: &Cx<'_>, size: usize) -> bool {
        if self.limits.records.available(cx.now) < 1.0 || self.limits.bytes.available(cx.now) < size as f64 {
            return false;
        }
        self.limits.records.take_into_debt(1.0, cx.now);
        self.limits.bytes.take_into_debt(size as f64, cx.now);
        true
    }

    /// Records come into the stream, from callers or from its source.
    pub(super) fn take_in(&mut self, cx: &mut Cx<'_>, records: u64, bytes: u64) {
        let direct = self.source == Source::DirectPut;
        let (count, size) = if direct {
            (Metric::IncomingRecords, Metric::IncomingBytes)
        } else {
            (Metric::SourceRecords, Metric::SourceBytes)
        };
        if direct {
            self.meters.add(cx, &self.name, Metric::IncomingRequests, 1.0);
        }
        self.meters.add(cx, &self.name, count, records as f64);
        self.meters.add(cx, &self.name, size, bytes as f64);
        self.buffers.add(cx.now, records, bytes, self.destination.size_bytes());
        self.work(cx);
    }
}
