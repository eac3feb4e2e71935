//! One stream: status and pending change, settings, shards, and the route from a hash key to its open shard.

use super::consumer::Consumer;
use super::demand::Demand;
use super::key::HashRange;
use super::metrics::{ShardMetric, StreamSeries};
use super::sequence::{Sequence, ShardId};
use super::settings::Encryption;
use super::shard::Shard;
use super::tags::Tags;
use crate::domain::time::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// How often a stream looks for records and shards to drop. What is read is exact all the same.
const TRIM_EVERY: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamStatus {
    Creating,
    Active,
    Updating,
    Deleting,
}

impl StreamStatus {
    pub fn name(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Updating => "UPDATING",
            Self::Deleting => "DELETING",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamMode {
    Provisioned,
    OnDemand,
}

impl StreamMode {
    pub fn name(self) -> &'static str {
        match self {
            Self::Provisioned => "PROVISIONED",
            Self::OnDemand => "ON_DEMAND",
        }
    }
}

/// What a stream is about to become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Create {
        shards: u32,
    },
    Split {
        shard: ShardId,
        at: u128,
    },
    Merge {
        shard: ShardId,
        adjacent: ShardId,
    },
    Resize {
        target: u32,
    },
    Mode {
        mode: StreamMode,
    },
    /// `None` stops it.
    Encrypt {
        key: Option<String>,
    },
    RecordSize {
        kib: u32,
    },
    Delete,
}

pub struct Stream {
    pub name: String,
    pub status: StreamStatus,
    pub mode: StreamMode,
    pub created: Timestamp,
    pub retention_hours: u32,
    /// The share of records and reads that a fault throttles, 0 to 1.
    pub choked: f64,
    /// The largest record, body and key; 1024 to 10240.
    pub max_record_kib: u32,
    /// Shard-level metrics that are on, in the API's order.
    pub enhanced: Vec<ShardMetric>,
    /// The latest encryption, also where it was stopped.
    pub encryption: Option<Encryption>,
    /// What UpdateStreamWarmThroughput asked for.
    pub warm_mib_per_s: Option<u32>,
    pub tags: Tags,
    pub policy: Option<String>,
    pub(super) consumers: BTreeMap<String, Consumer>,
    pub(super) shards: BTreeMap<ShardId, Shard>,
    /// Open shards by the start of their range.
    routes: Vec<(u128, ShardId)>,
    next_shard: u32,
    /// The pending change and when it ends.
    pub(super) pending: Option<(Timestamp, Change)>,
    /// When UpdateShardCount was called within the last 24 hours.
    pub(super) resizes: VecDeque<Timestamp>,
    /// When UpdateStreamMode was called within the last 24 hours.
    pub(super) mode_changes: VecDeque<Timestamp>,
    /// How much is written, of an on-demand stream.
    pub(super) demand: Demand,
    trim_due: Timestamp,
    pub(super) series: StreamSeries,
}

/// A shard as ListShards and DescribeStream show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardSummary {
    pub id: ShardId,
    pub parent: Option<ShardId>,
    pub adjacent_parent: Option<ShardId>,
    pub range: HashRange,
    pub starting_sequence: Sequence,
    /// Absent while the shard is open.
    pub ending_sequence: Option<Sequence>,
    pub opened: Timestamp,
    pub closed: Option<Timestamp>,
}

/// A stream as DescribeStreamSummary shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamSummary {
    pub name: String,
    pub status: StreamStatus,
    pub mode: StreamMode,
    pub created: Timestamp,
    pub retention_hours: u32,
    pub max_record_kib: u32,
    pub enhanced: Vec<ShardMetric>,
    /// The key of server-side encryption, while it is on.
    pub encryption_key: Option<String>,
    pub warm_mib_per_s: Option<u32>,
    pub consumers: u32,
    pub open_shards: u32,
}

impl Stream {
    pub(super) fn new(name: &str, mode: StreamMode, now: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            status: StreamStatus::Creating,
            mode,
            // AWS keeps the creation time in whole seconds.
            created: now.floor_to(1),
            retention_hours: 24,
            choked: 0.0,
            max_record_kib: 1024,
            enhanced: vec![],
            encryption: None,
            warm_mib_per_s: None,
            tags: Tags::new(),
            policy: None,
            consumers: BTreeMap::new(),
            shards: BTreeMap::new(),
            routes: vec![],
            next_shard: 0,
            pending: None,
            resizes: VecDeque::new(),
            mode_changes: VecDeque::new(),
            demand: Demand::default(),
            trim_due: now,
            series: StreamSeries::default(),
        }
    }

    pub fn open_shards(&self) -> u32 {
        self.routes.len() as u32
    }

    /// Registered consumers by name.
    pub fn consumers(&self) -> impl Iterator<Item = &Consumer> {
        self.consumers.values()
    }

    /// A shard that has not expired.
    pub fn shard(&self, id: ShardId) -> Option<&Shard> {
        self.shards.get(&id)
    }

    /// Every shard that has not expired, by id.
    pub fn shards(&self) -> impl Iterator<Item = &Shard> {
        self.shards.values()
    }

    /// Open shards by the start of their range.
    pub fn open(&self) -> impl Iterator<Item = &Shard> {
        self.routes.iter().filter_map(|(_, id)| self.shards.get(id))
    }

    /// The open shard whose range holds `hash`; `None` while the stream has no shards yet.
    pub fn route(&self, hash: u128) -> Option<ShardId> {
        let after = self.routes.partition_point(|(start, _)| *start <= hash);
        Some(self.routes.get(after.checked_sub(1)?)?.1)
    }

    pub(super) fn add_shard(&mut self, range: HashRange, parents: &[ShardId], now: Timestamp) -> ShardId {
        let id = ShardId(self.next_shard);
        self.next_shard += 1;
        // A child's numbers begin after its parents' end.
        let created_s = now.secs().max(0) as u64 + u64::from(!parents.is_empty());
        let mut shard = Shard::new(id, range, created_s, now);
        shard.parent = parents.first().copied();
        shard.adjacent_parent = parents.get(1).copied();
        self.shards.insert(id, shard);
        for parent in parents {
            if let Some(parent) = self.shards.get_mut(parent) {
                parent.closed = Some(now);
                parent.children.push(id);
                if let Ok(index) = self.routes.binary_search(&(parent.range.start, parent.id)) {
                    self.routes.remove(index);
                }
            }
        }
        let index = self.routes.partition_point(|(start, _)| *start < range.start);
        self.routes.insert(index, (range.start, id));
        id
    }

    pub(super) fn max_record_bytes(&self) -> usize {
        self.max_record_kib as usize * 1024
    }

    pub fn retention(&self) -> Duration {
        Duration::from_secs(u64::from(self.retention_hours) * 3600)
    }

    /// The oldest arrival that is still kept.
    pub fn horizon(&self, now: Timestamp) -> Timestamp {
        now - self.retention()
    }

    /// Drops records and closed shards that are older than the retention.
    pub(super) fn trim(&mut self, now: Timestamp) {
        if now < self.trim_due {
            return;
        }
        self.trim_due = now + TRIM_EVERY;
        self.trim_now(now);
    }

    pub(super) fn trim_now(&mut self, now: Timestamp) {
        let horizon = self.horizon(now);
        for shard in self.shards.values_mut() {
            shard.log.trim_before(horizon);
        }
        self.shards.retain(|_, shard| shard.closed.is_none_or(|closed| closed >= horizon));
    }

    pub(super) fn summary(&self) -> StreamSummary {
        StreamSummary {
            name: self.name.clone(),
            status: self.status,
            mode: self.mode,
            created: self.created,
            retention_hours: self.retention_hours,
            max_record_kib: self.max_record_kib,
            enhanced: self.enhanced.clone(),
            encryption_key: self.encryption_key().map(str::to_owned),
            warm_mib_per_s: self.warm_mib_per_s,
            consumers: self.consumers.len() as u32,
            open_shards: self.open_shards(),
        }
    }
}

impl From<&Shard> for ShardSummary {
    fn from(shard: &Shard) -> Self {
        Self {
            id: shard.id,
            parent: shard.parent,
            adjacent_parent: shard.adjacent_parent,
            range: shard.range,
            starting_sequence: shard.starting_sequence(),
            ending_sequence: shard.ending_sequence(),
            opened: shard.opened,
            closed: shard.closed,
        }
    }
}
