//! A delivery stream: where its records come from, where they go, and what waits in between.

use super::buffer::Buffers;
use super::deliver::Outage;
use super::destination::Destination;
use super::metrics::Meters;
use super::source::Readers;
use crate::domain::time::Timestamp;
use crate::sim::cx::Place;
use crate::sim::rate::TokenBucket;
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Creating,
    Active,
    Deleting,
}

impl Status {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Deleting => "DELETING",
        }
    }
}

/// Server-side encryption, which takes some seconds to turn on and off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encryption {
    pub status: &'static str,
    /// `AWS_OWNED_CMK` or `CUSTOMER_MANAGED_CMK`.
    pub key_type: Option<String>,
    pub key_arn: Option<String>,
}

impl Encryption {
    pub const fn off() -> Self {
        Self { status: "DISABLED", key_type: None, key_arn: None }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    DirectPut,
    /// A stream of this account and region.
    Kinesis {
        stream: String,
        arn: String,
        role: String,
    },
}

/// What came out of a stream, and what did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    pub objects: u64,
    pub records: u64,
    pub bytes: u64,
    /// Given up after a day of trying.
    pub lost_records: u64,
}

pub struct DeliveryStream {
    pub name: String,
    pub incarnation: u64,
    pub status: Status,
    pub created: Timestamp,
    pub updated: Option<Timestamp>,
    pub settles_at: Option<Timestamp>,
    pub version: u64,
    pub source: Source,
    pub destination: Destination,
    pub encryption: Encryption,
    pub tags: BTreeMap<String, String>,
    pub buffers: Buffers,
    pub readers: Readers,
    /// A fault of the destination.
    pub outage: Option<Outage>,
    pub delivered: Delivered,
    /// The delivery that is under way, or waits for its retry.
    pub(super) attempt: Option<super::deliver::Attempt>,
    pub(super) wakes_at: Option<Timestamp>,
    pub(super) limits: Limits,
    pub(super) meters: Meters,
}

/// Default quotas of a stream that is put to directly.
pub(super) struct Limits {
    pub records: TokenBucket,
    pub bytes: TokenBucket,
    pub requests: TokenBucket,
}

pub(super) const RECORDS_PER_S: f64 = 5_000.0;
pub(super) const BYTES_PER_S: f64 = (5 << 20) as f64;
pub(super) const REQUESTS_PER_S: f64 = 2_000.0;

impl Limits {
    pub fn new(now: Timestamp) -> Self {
        let bucket = |per_s: f64| TokenBucket::new(per_s, per_s, now);
        Self { records: bucket(RECORDS_PER_S), bytes: bucket(BYTES_PER_S), requests: bucket(REQUESTS_PER_S) }
    }
}

impl DeliveryStream {
    pub fn arn(&self, place: &Place) -> String {
        place.arn("firehose", &format!("deliverystream/{}", self.name))
    }

    pub const fn kind(&self) -> &'static str {
        match self.source {
            Source::DirectPut => "DirectPut",
            Source::Kinesis { .. } => "KinesisStreamAsSource",
        }
    }
}
