//! Streams come, change and go: creation, deletion, retention, shard-level monitoring, and pending changes' ends.

use super::key::HashRange;
use super::metrics::ShardMetric;
use super::rates::Operation;
use super::reshard::shard_quota;
use super::stream::{Change, Stream, StreamMode, StreamStatus};
use super::{Due, Kinesis, Tags, fault};
use crate::domain::time::Timestamp;
use crate::sim::agenda;
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use rand::RngExt;
use std::time::Duration;

/// Shards of a new on-demand stream: 4 MiB/s ("Choose the right mode …").
const ON_DEMAND_SHARDS: u32 = 4;
/// CreateStream: at most so many streams in CREATING at once.
const MAX_CREATING: usize = 5;
/// On-demand streams an account may have by default.
pub const ON_DEMAND_STREAM_LIMIT: u32 = 50;
const MIN_RETENTION_HOURS: u32 = 24;
const MAX_RETENTION_HOURS: u32 = 8760;

/// What Enable- and DisableEnhancedMonitoring answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitoringAnswer {
    pub before: Vec<ShardMetric>,
    pub after: Vec<ShardMetric>,
}

impl Kinesis {
    /// Begins to create a stream: CREATING for a few seconds, then ACTIVE. `shards` counts for provisioned streams;
    /// on-demand ones begin with four.
    ///
    /// Errors: `ResourceInUseException` (the name is taken), `LimitExceededException` (rate, quota, five in CREATING).
    pub fn create_stream(
        &mut self,
        cx: &mut Cx<'_>,
        name: &str,
        shards: u32,
        mode: StreamMode,
    ) -> Result<(), ApiError> {
        self.rates.admit(cx, Operation::CreateStream, None)?;
        if self.streams.contains_key(name) {
            return Err(fault::stream_exists(cx.place, name));
        }
        let shards = if mode == StreamMode::OnDemand { ON_DEMAND_SHARDS } else { shards };
        let (open, quota) = (self.open_shards(), shard_quota(&cx.place.region));
        if open.saturating_add(shards) > quota {
            return Err(fault::shard_quota_exceeded(cx.place, open, quota, shards));
        }
        let creating = self.streams.values().filter(|stream| stream.status == StreamStatus::Creating).count();
        if creating >= MAX_CREATING {
            return Err(fault::limit_exceeded(format!(
                "Request to create stream {name} under account {} would exceed the limit of {MAX_CREATING} streams in \
                 CREATING state.",
                cx.place.account
            )));
        }
        if mode == StreamMode::OnDemand {
            self.admit_on_demand(cx)?;
        }
        let mut stream = Stream::new(name, mode, cx.now);
        let after = Duration::from_millis(cx.rng.random_range(2500..6000));
        stream.begin(cx, after, Change::Create { shards });
        self.streams.insert(name.to_owned(), stream);
        Ok(())
    }

    /// One more on-demand stream, if the account may have it.
    pub(super) fn admit_on_demand(&self, cx: &Cx<'_>) -> Result<(), ApiError> {
        let count = self.on_demand_streams();
        if count >= ON_DEMAND_STREAM_LIMIT {
            return Err(fault::limit_exceeded(format!(
                "This request would exceed the on-demand stream limit for the account {} in {}. Current on-demand \
                 stream count for the account: {count}. Limit: {ON_DEMAND_STREAM_LIMIT}.",
                cx.place.account, cx.place.region
            )));
        }
        Ok(())
    }

    /// Sets the largest record that the stream takes, in KiB from 1024 to 10240. Unlike UpdateMaxRecordSize it asks
    /// nothing of the stream's state; CreateStream's option is carried out with it.
    ///
    /// Errors: `ResourceNotFoundException`.
    pub fn set_max_record_size(&mut self, cx: &Cx<'_>, name: &str, kib: u32) -> Result<(), ApiError> {
        self.stream_mut(cx, name)?.max_record_kib = kib.clamp(1024, 10_240);
        Ok(())
    }

    /// Checks the tags that CreateStream is to give, before there is a stream.
    ///
    /// Errors: `InvalidArgumentException`.
    pub fn check_first_tags(cx: &Cx<'_>, name: &str, tags: &Tags) -> Result<(), ApiError> {
        super::tags::check_new(tags, name, &cx.place.account)
    }

    /// CreateStream's option: the stream's first tags, which [`Kinesis::check_first_tags`] let pass.
    ///
    /// Errors: `ResourceNotFoundException`.
    pub fn set_tags(&mut self, cx: &Cx<'_>, name: &str, tags: Tags) -> Result<(), ApiError> {
        self.stream_mut(cx, name)?.tags = tags;
        Ok(())
    }

    /// A stream that is ACTIVE at once, as if created before the story begins. For scenarios and tests.
    ///
    /// Errors: `ResourceInUseException` (the name is taken).
    pub fn add_active_stream(
        &mut self,
        cx: &mut Cx<'_>,
        name: &str,
        shards: u32,
        mode: StreamMode,
    ) -> Result<(), ApiError> {
        if self.streams.contains_key(name) {
            return Err(fault::stream_exists(cx.place, name));
        }
        let mut stream = Stream::new(name, mode, cx.now);
        stream.finish(Change::Create { shards: shards.max(1) }, cx.now);
        self.streams.insert(name.to_owned(), stream);
        Ok(())
    }

    /// Begins to delete a stream: DELETING for a few seconds, then gone with its records. `with_consumers` is
    /// EnforceConsumerDeletion.
    ///
    /// Errors: `ResourceNotFoundException`, `LimitExceededException`, `ResourceInUseException` (registered consumers).
    pub fn delete_stream(&mut self, cx: &mut Cx<'_>, name: &str, with_consumers: bool) -> Result<(), ApiError> {
        self.rates.admit(cx, Operation::DeleteStream, None)?;
        let stream = self.stream_mut(cx, name)?;
        if !with_consumers && !stream.consumers.is_empty() {
            return Err(fault::has_consumers(cx.place, stream));
        }
        if stream.status != StreamStatus::Deleting {
            stream.status = StreamStatus::Deleting;
            let after = Duration::from_millis(cx.rng.random_range(2500..6000));
            stream.begin(cx, after, Change::Delete);
        }
        Ok(())
    }

    /// Raises the retention. What has expired already stays gone.
    ///
    /// Errors: `InvalidArgumentException`, `ResourceNotFoundException`, `ResourceInUseException`.
    pub fn increase_retention(&mut self, cx: &mut Cx<'_>, name: &str, hours: u32) -> Result<(), ApiError> {
        self.rates.admit(cx, Operation::IncreaseRetention, Some(name))?;
        let stream = self.retention_of(cx, name, hours)?;
        if hours < stream.retention_hours {
            return Err(fault::invalid_argument(format!(
                "Requested retention period ({hours} hours) for stream {name} can not be shorter than existing \
                 retention period ({} hours). Use DecreaseRetentionPeriod API.",
                stream.retention_hours
            )));
        }
        stream.trim_now(cx.now);
        stream.retention_hours = hours;
        Ok(())
    }

    /// Lowers the retention; older records are dropped at once.
    ///
    /// Errors: as [`Kinesis::increase_retention`].
    pub fn decrease_retention(&mut self, cx: &mut Cx<'_>, name: &str, hours: u32) -> Result<(), ApiError> {
        self.rates.admit(cx, Operation::DecreaseRetention, Some(name))?;
        let stream = self.retention_of(cx, name, hours)?;
        if hours > stream.retention_hours {
            return Err(fault::invalid_argument(format!(
                "Requested retention period ({hours} hours) for stream {name} can not be longer than existing \
                 retention period ({} hours). Use IncreaseRetentionPeriod API.",
                stream.retention_hours
            )));
        }
        stream.retention_hours = hours;
        stream.trim_now(cx.now);
        Ok(())
    }

    fn retention_of(&mut self, cx: &mut Cx<'_>, name: &str, hours: u32) -> Result<&mut Stream, ApiError> {
        let stream = self.stream_mut(cx, name)?;
        if hours < MIN_RETENTION_HOURS {
            return Err(fault::invalid_argument(format!(
                "Minimum allowed retention period is {MIN_RETENTION_HOURS} hours. Requested retention period \
                 ({hours} hours) is too short."
            )));
        }
        if hours > MAX_RETENTION_HOURS {
            return Err(fault::invalid_argument(format!(
                "Maximum allowed retention period is {MAX_RETENTION_HOURS} hours. Requested retention period \
                 ({hours} hours) is too long."
            )));
        }
        if stream.status != StreamStatus::Active {
            return Err(fault::not_active(cx.place, stream));
        }
        Ok(stream)
    }

    /// Switches shard-level metrics on. They are billed one by one on AWS, so nothing does this by itself.
    ///
    /// Errors: `ResourceNotFoundException`, `ResourceInUseException`, `LimitExceededException`.
    pub fn enable_monitoring(
        &mut self,
        cx: &mut Cx<'_>,
        name: &str,
        metrics: &[ShardMetric],
    ) -> Result<MonitoringAnswer, ApiError> {
        self.rates.admit(cx, Operation::EnableMonitoring, Some(name))?;
        self.change_monitoring(cx, name, |metric, on| on || metrics.contains(&metric))
    }

    /// Switches shard-level metrics off.
    ///
    /// Errors: as [`Kinesis::enable_monitoring`].
    pub fn disable_monitoring(
        &mut self,
        cx: &mut Cx<'_>,
        name: &str,
        metrics: &[ShardMetric],
    ) -> Result<MonitoringAnswer, ApiError> {
        self.rates.admit(cx, Operation::DisableMonitoring, Some(name))?;
        self.change_monitoring(cx, name, |metric, on| on && !metrics.contains(&metric))
    }

    fn change_monitoring(
        &mut self,
        cx: &mut Cx<'_>,
        name: &str,
        keep: impl Fn(ShardMetric, bool) -> bool,
    ) -> Result<MonitoringAnswer, ApiError> {
        let stream = self.stream_mut(cx, name)?;
        if stream.status != StreamStatus::Active {
            return Err(fault::not_active(cx.place, stream));
        }
        let before = stream.enhanced.clone();
        let after = ShardMetric::ALL.into_iter().filter(|metric| keep(*metric, before.contains(metric))).collect();
        stream.enhanced = after;
        Ok(MonitoringAnswer { before, after: stream.enhanced.clone() })
    }

    /// A pending change ends.
    pub fn due(&mut self, cx: &mut Cx<'_>, due: Due) {
        let name = match due {
            Due::StreamChange { stream } => stream,
            Due::ConsumerChange { stream, consumer } => return self.consumer_changes(cx, &stream, &consumer),
        };
        let Some(stream) = self.streams.get_mut(&name) else { return };
        cx.waits.stream_changed(&name);
        // A deletion takes the place of an earlier change, whose own end then comes too early to mean anything.
        if stream.pending.as_ref().is_none_or(|(at, _)| *at > cx.now) {
            return;
        }
        match stream.pending.take() {
            Some((_, Change::Delete)) => {
                self.streams.remove(&name);
                self.rates.forget(&name);
            }
            Some((_, change)) => stream.finish(change, cx.now),
            None => {}
        }
    }
}

impl Stream {
    /// Notes the change and when it ends. Without delays it ends at once; only a deletion waits for the agenda.
    pub(super) fn begin(&mut self, cx: &mut Cx<'_>, after: Duration, change: Change) {
        if !cx.delays && change != Change::Delete {
            return self.finish(change, cx.now);
        }
        let after = cx.settling(after);
        self.pending = Some((cx.now + after, change));
        cx.waits.stream_changed(&self.name);
        cx.schedule_in(after, agenda::Due::Kinesis(Due::StreamChange { stream: self.name.clone() }));
    }

    pub(super) fn finish(&mut self, change: Change, now: Timestamp) {
        match change {
            Change::Create { shards } => {
                for index in 0..shards {
                    self.add_shard(HashRange::part(index, shards), &[], now);
                }
            }
            Change::Split { shard, at } => self.split(shard, at, now),
            Change::Merge { shard, adjacent } => self.merge(shard, adjacent, now),
            Change::Resize { target } => self.resize(target, now),
            Change::Mode { mode } => self.mode = mode,
            Change::Encrypt { key } => self.encrypt(key, now),
            Change::RecordSize { kib } => self.max_record_kib = kib,
            Change::Delete => {}
        }
        self.status = StreamStatus::Active;
    }
}
