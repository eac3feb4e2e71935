//! Resharding: SplitShard, MergeShards and UpdateShardCount; the rules when they are asked, the cut when they end.

use super::key::HashRange;
use super::rates::Operation;
use super::sequence::ShardId;
use super::stream::{Change, Stream, StreamMode, StreamStatus};
use super::{Kinesis, fault};
use crate::domain::time::Timestamp;
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use rand::RngExt;
use std::time::Duration;

/// UpdateShardCount: at most so many times within a rolling day for one stream.
const RESIZES_A_DAY: usize = 10;
pub(super) const DAY: Duration = Duration::from_secs(86_400);
/// UpdateShardCount: no stream may be scaled to more.
const MAX_SHARDS_OF_A_STREAM: u32 = 10_000;

/// What UpdateShardCount answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResizeAnswer {
    pub current: u32,
    pub target: u32,
}

impl Kinesis {
    /// Begins to split an open shard: `at` and everything above it goes to one child, the rest to the other. The
    /// stream is UPDATING for about 30 seconds; the parent takes records until then.
    ///
    /// Errors: `ResourceNotFoundException`, `LimitExceededException` (quota or rate), `InvalidArgumentException`
    /// (`at` not inside the range, shard closed), `ResourceInUseException` (stream not ACTIVE).
    pub fn split_shard(&mut self, cx: &mut Cx<'_>, stream: &str, shard: ShardId, at: u128) -> Result<(), ApiError> {
        self.rates.admit(cx, Operation::SplitShard, Some(stream))?;
        let (open, quota) = (self.open_shards(), shard_quota(&cx.place.region));
        let stream = self.stream_mut(cx, stream)?;
        must_reshard(stream, cx)?;
        let Some(parent) = stream.shards.get(&shard) else {
            return Err(fault::could_not_find_shard(cx.place, &stream.name, &shard.to_string()));
        };
        if open >= quota {
            return Err(fault::shard_quota_exceeded(cx.place, open, quota, 1));
        }
        if at <= parent.range.start.saturating_add(1) || at >= parent.range.end {
            return Err(fault::split_outside(cx.place, &stream.name, parent, &at.to_string()));
        }
        if !parent.is_open() {
            return Err(fault::invalid_argument(format!(
                "Shard {shard} in stream {} under account {} has already been merged or split, and thus is not \
                 eligible for merging or splitting.",
                stream.name, cx.place.account
            )));
        }
        begin_updating(stream, cx, 1, Change::Split { shard, at });
        Ok(())
    }

    /// Begins to merge two open shards, the second of which begins where the first ends. UPDATING for about 30 seconds.
    ///
    /// Errors: as [`Kinesis::split_shard`].
    pub fn merge_shards(
        &mut self,
        cx: &mut Cx<'_>,
        stream: &str,
        shard: ShardId,
        adjacent: ShardId,
    ) -> Result<(), ApiError> {
        self.rates.admit(cx, Operation::MergeShards, Some(stream))?;
        let stream = self.stream_mut(cx, stream)?;
        must_reshard(stream, cx)?;
        let find = |id: ShardId| {
            let found = stream.shards.get(&id);
            found.ok_or_else(|| fault::could_not_find_shard(cx.place, &stream.name, &id.to_string()))
        };
        let (first, second) = (find(shard)?, find(adjacent)?);
        // AWS wants the lower of the two first.
        let adjoin = first.range.end.checked_add(1) == Some(second.range.start);
        if !adjoin || !first.is_open() || !second.is_open() {
            return Err(fault::invalid_argument(format!(
                "Shards {shard} and {adjacent} in stream {} under account {} are not an adjacent pair of shards \
                 eligible for merging",
                stream.name, cx.place.account
            )));
        }
        begin_updating(stream, cx, 1, Change::Merge { shard, adjacent });
        Ok(())
    }

    /// Begins to cut the stream into `target` shards (UpdateShardCount, UNIFORM_SCALING). AWS halves them all and merges
    /// neighbours until there are as many as wanted (observed there: of 10 to 13, 37 in all are left), so that they are
    /// not all of one size. UPDATING from half a minute to several; all splits and merges take effect together at its
    /// end. Intermediate shards are closed and empty, as on AWS.
    ///
    /// Rules: target from half to double the open shards, at most 10,000, within the account's quota, ten times in a
    /// rolling 24 hours. Errors: `LimitExceededException`, `InvalidArgumentException`, `ResourceInUseException`,
    /// `ResourceNotFoundException`.
    pub fn update_shard_count(&mut self, cx: &mut Cx<'_>, stream: &str, target: u32) -> Result<ResizeAnswer, ApiError> {
        self.rates.admit(cx, Operation::UpdateShardCount, Some(stream))?;
        let (open, quota) = (self.open_shards(), shard_quota(&cx.place.region));
        let stream = self.stream_mut(cx, stream)?;
        must_reshard(stream, cx)?;
        let current = stream.open_shards();
        let refuse = |sentence: String| {
            Err(fault::limit_exceeded(format!(
                "{sentence} Current open shard count: {current}, Target shard count: {target}"
            )))
        };
        if target > MAX_SHARDS_OF_A_STREAM {
            return refuse(format!(
                "Target shard count or number of open shards cannot be greater than {MAX_SHARDS_OF_A_STREAM}."
            ));
        }
        if target > current.saturating_mul(2) {
            return refuse("UpdateShardCount cannot scale up over double your current open shard count.".into());
        }
        if target.saturating_mul(2) < current {
            return refuse("UpdateShardCount cannot scale down below half your current open shard count.".into());
        }
        if target > current && open + (target - current) > quota {
            return Err(fault::shard_quota_exceeded(cx.place, open, quota, target - current));
        }
        let day_ago = cx.now - DAY;
        stream.resizes.retain(|at| *at > day_ago);
        if stream.resizes.len() >= RESIZES_A_DAY {
            return Err(fault::limit_exceeded(format!(
                "{RESIZES_A_DAY} UpdateShardCount operations have been performed on stream {} under account {} within \
                 the last 24 hours. You can request a limit increase.",
                stream.name, cx.place.account
            )));
        }
        stream.resizes.push_back(cx.now);
        let steps = steps_to(stream, target);
        begin_updating(stream, cx, steps, Change::Resize { target });
        Ok(ResizeAnswer { current, target })
    }
}

/// Shards that an account may have open by default ("Quotas and limits").
pub fn shard_quota(region: &str) -> u32 {
    match region {
        "us-east-1" | "us-west-2" | "eu-west-1" => 20_000,
        "us-east-2" | "ap-northeast-1" | "ap-southeast-1" | "ap-southeast-2" | "eu-central-1" => 6000,
        _ => 1000,
    }
}

fn must_reshard(stream: &Stream, cx: &Cx<'_>) -> Result<(), ApiError> {
    if stream.mode == StreamMode::OnDemand {
        let message = format!(
            "Request is invalid. Stream {} under account {} is in On-Demand mode.",
            stream.name, cx.place.account
        );
        return Err(ApiError::client("ValidationException", message));
    }
    if stream.status != StreamStatus::Active {
        return Err(fault::not_active(cx.place, stream));
    }
    Ok(())
}

/// UPDATING for about 30 s for one split or merge, a little more for each further one, within a fifth either way.
fn begin_updating(stream: &mut Stream, cx: &mut Cx<'_>, steps: usize, change: Change) {
    let middle_ms = 28_000.0 + 2000.0 * steps as f64;
    let after = Duration::from_millis((middle_ms * cx.rng.random_range(0.8..1.2)) as u64);
    stream.status = StreamStatus::Updating;
    stream.begin(cx, after, change);
}

/// How many splits and merges a resize takes: see [`Stream::resize`].
fn steps_to(stream: &Stream, target: u32) -> usize {
    let (mut open, mut splits) = (stream.open_shards().max(1), 0);
    while open < target {
        splits += open;
        open = open.saturating_mul(2);
    }
    (splits + (open - target)) as usize
}

impl Stream {
    /// Splits an open shard: `at` becomes the upper child's first key.
    pub(super) fn split(&mut self, shard: ShardId, at: u128, now: Timestamp) {
        let Some(range) = self.shards.get(&shard).filter(|s| s.is_open()).map(|s| s.range) else { return };
        if at <= range.start || at > range.end {
            return;
        }
        self.add_shard(HashRange { start: range.start, end: at - 1 }, &[shard], now);
        self.add_shard(HashRange { start: at, end: range.end }, &[shard], now);
    }

    /// Merges two open shards whose ranges touch, in either order.
    pub(super) fn merge(&mut self, shard: ShardId, adjacent: ShardId, now: Timestamp) {
        let range = |id| self.shards.get(&id).filter(|s| s.is_open()).map(|s| s.range);
        let (Some(a), Some(b)) = (range(shard), range(adjacent)) else { return };
        let whole = HashRange { start: a.start.min(b.start), end: a.end.max(b.end) };
        self.add_shard(whole, &[shard, adjacent], now);
    }

    /// Halves every open shard until there are enough of them, then merges neighbours until there are no more than
    /// `target`. So many shards come and go at AWS: five become three by two merges, ten become thirteen by ten splits
    /// and seven merges.
    pub(super) fn resize(&mut self, target: u32, now: Timestamp) {
        while self.open_shards() < target {
            let wide = self.open().filter(|shard| shard.range.start < shard.range.end);
            let halves: Vec<(ShardId, u128)> = wide.map(|shard| (shard.id, shard.range.middle())).collect();
            if halves.is_empty() {
                return;
            }
            for (shard, middle) in halves {
                self.split(shard, middle, now);
            }
        }
        while self.open_shards() > target.max(1) {
            let open: Vec<ShardId> = self.open().map(|shard| shard.id).collect();
            let too_many = (self.open_shards() - target.max(1)) as usize;
            for pair in open.chunks_exact(2).take(too_many) {
                self.merge(pair[0], pair[1], now);
            }
        }
    }
}
