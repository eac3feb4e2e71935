//! Lists and descriptions: streams, summaries, shards with their filters, and the account's limits.

use super::lifecycle::ON_DEMAND_STREAM_LIMIT;
use super::rates::Operation;
use super::reshard::shard_quota;
use super::sequence::ShardId;
use super::shard::Shard;
use super::stream::{ShardSummary, StreamMode, StreamSummary};
use super::{Kinesis, fault};
use crate::domain::time::Timestamp;
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;

/// ListShards' filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardFilter {
    /// Shards after this id.
    AfterShardId(ShardId),
    /// Shards that were open at the trim horizon.
    AtTrimHorizon,
    /// Every shard within the retention. The default.
    FromTrimHorizon,
    /// Open shards.
    AtLatest,
    /// Shards that were open then.
    AtTimestamp(Timestamp),
    /// Shards that were open then or later.
    FromTimestamp(Timestamp),
}

impl ShardFilter {
    fn admits(self, shard: &Shard, horizon: Timestamp) -> bool {
        // The shards that a stream began with count as open before it was there.
        let began_by = |time: Timestamp| shard.opened <= time || shard.parent.is_none();
        let open_at = |time: Timestamp| began_by(time) && shard.closed.is_none_or(|closed| closed >= time);
        match self {
            Self::AfterShardId(id) => shard.id > id,
            Self::FromTrimHorizon => true,
            Self::AtLatest => shard.is_open(),
            Self::AtTrimHorizon => open_at(horizon),
            Self::AtTimestamp(time) => open_at(time.max(horizon)),
            Self::FromTimestamp(time) => shard.closed.is_none_or(|closed| closed >= time),
        }
    }
}

/// What DescribeLimits answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountLimits {
    pub shard_limit: u32,
    pub open_shards: u32,
    pub on_demand_streams: u32,
    pub on_demand_stream_limit: u32,
}

impl Kinesis {
    /// Every stream by name, in alphabetical order as ListStreams answers.
    ///
    /// Errors: `LimitExceededException`.
    pub fn list_streams(&mut self, cx: &mut Cx<'_>) -> Result<Vec<StreamSummary>, ApiError> {
        self.rates.admit(cx, Operation::ListStreams, None)?;
        Ok(self.streams.values().map(|stream| stream.summary()).collect())
    }

    /// DescribeStreamSummary. Errors: `ResourceNotFoundException`, `LimitExceededException`.
    pub fn describe_stream_summary(&mut self, cx: &mut Cx<'_>, stream: &str) -> Result<StreamSummary, ApiError> {
        self.rates.admit(cx, Operation::DescribeStreamSummary, None)?;
        Ok(self.stream_mut(cx, stream)?.summary())
    }

    /// DescribeStream: the summary and every shard that has not expired.
    ///
    /// Errors: `ResourceNotFoundException`, `LimitExceededException`.
    pub fn describe_stream(
        &mut self,
        cx: &mut Cx<'_>,
        stream: &str,
    ) -> Result<(StreamSummary, Vec<ShardSummary>), ApiError> {
        self.rates.admit(cx, Operation::DescribeStream, None)?;
        let stream = self.stream_mut(cx, stream)?;
        Ok((stream.summary(), stream.shards().map(ShardSummary::from).collect()))
    }

    /// ListShards, by id. Errors: `ResourceNotFoundException`, `LimitExceededException`.
    pub fn list_shards(
        &mut self,
        cx: &mut Cx<'_>,
        stream: &str,
        filter: ShardFilter,
    ) -> Result<Vec<ShardSummary>, ApiError> {
        self.rates.admit(cx, Operation::ListShards, Some(stream))?;
        let stream = self.stream_mut(cx, stream)?;
        let horizon = stream.horizon(cx.now);
        Ok(stream.shards().filter(|shard| filter.admits(shard, horizon)).map(ShardSummary::from).collect())
    }

    /// DescribeLimits. Errors: `LimitExceededException`.
    pub fn describe_limits(&mut self, cx: &mut Cx<'_>) -> Result<AccountLimits, ApiError> {
        self.rates.admit(cx, Operation::DescribeLimits, None)?;
        Ok(AccountLimits {
            shard_limit: shard_quota(&cx.place.region),
            open_shards: self.open_shards(),
            on_demand_streams: self.on_demand_streams(),
            on_demand_stream_limit: ON_DEMAND_STREAM_LIMIT,
        })
    }

    /// The stream as it stands, for the world's own eyes (ledgers, invariants, mappings); counts as no request.
    pub fn stream(&self, name: &str) -> Option<&super::Stream> {
        self.streams.get(name)
    }

    pub(super) fn on_demand_streams(&self) -> u32 {
        self.streams.values().filter(|stream| stream.mode == StreamMode::OnDemand).count() as u32
    }

    /// Open shards of all provisioned streams, which is what the quota counts.
    pub(super) fn open_shards(&self) -> u32 {
        let provisioned = self.streams.values().filter(|stream| stream.mode == StreamMode::Provisioned);
        provisioned.map(|stream| stream.open_shards()).sum()
    }

    pub(super) fn stream_mut(&mut self, cx: &Cx<'_>, name: &str) -> Result<&mut super::Stream, ApiError> {
        let stream = self.streams.get_mut(name).ok_or_else(|| fault::stream_not_found(cx.place, name))?;
        stream.trim(cx.now);
        Ok(stream)
    }
}
