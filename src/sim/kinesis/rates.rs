//! The control plane's published request rates ("Quotas and limits"), one bucket an operation and scope.

use super::fault;
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::rate::TokenBucket;
use std::collections::BTreeMap;

/// Operations with a published rate of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    CreateStream,
    DeleteStream,
    ListStreams,
    DescribeStream,
    DescribeStreamSummary,
    DescribeLimits,
    ListShards,
    SplitShard,
    MergeShards,
    UpdateShardCount,
    IncreaseRetention,
    DecreaseRetention,
    EnableMonitoring,
    DisableMonitoring,
    RegisterConsumer,
    DeregisterConsumer,
    DescribeConsumer,
    ListConsumers,
    AddTags,
    RemoveTags,
    ListTags,
    ResourcePolicy,
    UpdateStreamMode,
    Encryption,
    UpdateMaxRecordSize,
    UpdateWarmThroughput,
    AccountSettings,
}

impl Operation {
    /// Requests a second, and whether each stream has its own bucket rather than the account one.
    fn rate(self) -> (f64, bool) {
        match self {
            Self::CreateStream | Self::DeleteStream | Self::ListStreams => (5.0, false),
            Self::DescribeStream => (10.0, false),
            Self::DescribeStreamSummary => (20.0, false),
            Self::DescribeLimits => (1.0, false),
            Self::ListShards => (1000.0, true),
            Self::SplitShard | Self::MergeShards => (5.0, true),
            Self::IncreaseRetention | Self::DecreaseRetention => (5.0, true),
            Self::EnableMonitoring | Self::DisableMonitoring => (5.0, true),
            Self::RegisterConsumer | Self::DeregisterConsumer | Self::ListConsumers => (5.0, true),
            Self::DescribeConsumer => (20.0, true),
            Self::AddTags | Self::RemoveTags | Self::ListTags | Self::ResourcePolicy => (5.0, true),
            Self::UpdateStreamMode | Self::Encryption => (5.0, true),
            Self::UpdateMaxRecordSize | Self::UpdateWarmThroughput => (5.0, true),
            Self::AccountSettings => (5.0, false),
            Self::UpdateShardCount => (10.0, false),
        }
    }
}

/// The buckets in use.
#[derive(Default)]
pub(super) struct Rates {
    account: BTreeMap<Operation, TokenBucket>,
    stream: BTreeMap<String, BTreeMap<Operation, TokenBucket>>,
}

impl Rates {
    /// Counts one request; `LimitExceededException` when it is one too many.
    pub fn admit(&mut self, cx: &Cx<'_>, operation: Operation, stream: Option<&str>) -> Result<(), ApiError> {
        if !cx.place.limits {
            return Ok(());
        }
        let (per_second, by_stream) = operation.rate();
        let stream = stream.filter(|_| by_stream);
        let buckets = match stream {
            None => &mut self.account,
            Some(stream) => self.stream.entry(stream.to_owned()).or_default(),
        };
        let bucket = buckets.entry(operation).or_insert_with(|| TokenBucket::new(per_second, per_second, cx.now));
        if bucket.take(1.0, cx.now) { Ok(()) } else { Err(fault::operation_rate_exceeded(cx.place, stream)) }
    }

    /// Forgets a stream that is gone.
    pub fn forget(&mut self, stream: &str) {
        self.stream.remove(stream);
    }
}
