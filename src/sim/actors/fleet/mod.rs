//! A consumer fleet, as AWS's consumer library makes it: workers on instances share a stream's shards by leases in a
//! DynamoDB table that bears the application's name.
//!
//! A lease's counter is its owner's heartbeat. Who does not renew for the failover time loses its leases to others,
//! who read on from the last checkpoint: what was processed after it is processed again. A child waits for its parents.
//! The counts tell what the application knows of itself: processed, processed again, missed.
//!
//! Of version 3 a worker also reports how busy it is, whether it holds a lease or not, into a table of its own; one of
//! them, the leader, tells how many there are. Leases are shared out by their number in both versions: that version 3
//! weighs them by load is not imitated.
//! Sources: Kinesis "KCL 2.x/3.x" pages ("Use Kinesis Client Library", "KCL configurations", "DynamoDB metadata tables
//! and load balancing in KCL").

mod lease;
mod metrics;
mod report;
mod worker;

#[cfg(test)]
mod tests;

pub use lease::{Checkpoint, Lease};

use crate::domain::time::Timestamp;
use crate::sim::dynamodb::{Status, TableSpec};
use crate::sim::faults::api;
use crate::sim::kinesis::{ShardFilter, ShardId, ShardSummary};
use crate::sim::wire::Service;
use crate::sim::world::World;
use metrics::Meters;
use std::collections::BTreeMap;
use std::time::Duration;
use worker::Worker;

/// The fleet looks for shards without a lease this often.
const SHARD_SYNC: Duration = Duration::from_secs(60);
/// The pause after something that could not be done.
const BACK_OFF: Duration = Duration::from_millis(1000);
/// Where an application begins that has no checkpoint yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InitialPosition {
    TrimHorizon,
    /// What is in the stream already is never read.
    Latest,
}

/// Versions of the library that keep different books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// Leases and nothing else; a worker without one is known by its metrics alone.
    V2,
    /// Workers report to `<application>-WorkerMetricStats`.
    V3,
}

/// How an application is set up; the library's own names and defaults where it has them.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub stream: String,
    pub workers: u32,
    /// Machines of the auto scaling group; workers are spread over them.
    pub instances: u32,
    /// What one shard's processor can do.
    pub records_per_s: f64,
    /// Between the end of a batch and the next read (`idleTimeBetweenReadsInMillis`).
    pub idle: Duration,
    pub initial_position: InitialPosition,
    /// An instance that is lost is replaced by its group, boots and starts its workers within this time.
    pub boot: Duration,
    /// A lease that is not renewed for so long is anybody's (`failoverTimeMillis`).
    pub failover: Duration,
    /// Zero checkpoints after every batch.
    pub checkpoint_every: Duration,
    /// Read and write units a second of the lease table; by request without.
    pub lease_table_capacity: Option<u64>,
    pub library: Library,
    /// Whether it publishes metrics (`metricsLevel` is not `NONE`).
    pub publishes: bool,
}

impl Settings {
    pub fn new(stream: &str, workers: u32, records_per_s: f64) -> Self {
        Self {
            stream: stream.to_owned(),
            workers,
            instances: workers,
            records_per_s,
            idle: Duration::from_millis(1500),
            initial_position: InitialPosition::TrimHorizon,
            boot: Duration::from_secs(90),
            failover: Duration::from_secs(10),
            checkpoint_every: Duration::from_secs(60),
            lease_table_capacity: None,
            library: Library::V2,
            publishes: true,
        }
    }
}

/// What the application has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub processed: u64,
    /// Of these, what had been processed before.
    pub duplicates: u64,
    /// Never processed: before the initial position, or gone before they were read.
    pub missed: u64,
    /// Leases that their owner found to be another's, or could not renew in time.
    pub lost_leases: u64,
}

pub struct Fleet {
    /// The application's name, its lease table's, and its metrics' namespace.
    pub name: String,
    pub settings: Settings,
    /// Divides what the processors can do.
    pub slow_down: f64,
    pub is_stopped: bool,
    pub counts: Counts,
    workers: Vec<Worker>,
    /// The highest index processed of each shard.
    reached: BTreeMap<ShardId, u64>,
    sync_at: Timestamp,
    was_stopped: bool,
    meters: Meters,
}

impl Fleet {
    pub fn new(name: &str, settings: Settings) -> Self {
        let instances = settings.instances.max(1);
        let reports = settings.library == Library::V3;
        let workers = (0..settings.workers).map(|n| Worker::new(format!("{name}-{}", n + 1), n % instances, reports));
        Self {
            name: name.to_owned(),
            workers: workers.collect(),
            settings,
            slow_down: 1.0,
            is_stopped: false,
            counts: Counts::default(),
            reached: BTreeMap::new(),
            sync_at: Timestamp::default(),
            was_stopped: false,
            meters: Meters::default(),
        }
    }

    /// An instance (from 0) is lost with all its workers; another takes its place after the boot time.
    pub fn lose_instance(&mut self, instance: u32, now: Timestamp) {
        let boot = self.settings.boot;
        for worker in self.workers.iter_mut().filter(|worker| worker.instance == instance) {
            worker.die(now + boot);
        }
    }

    /// The workers that believe they hold the shard's lease, and the counter that they believe it has.
    pub fn holders(&self, shard: ShardId) -> impl Iterator<Item = (&str, u64)> {
        self.workers.iter().filter_map(move |worker| Some((worker.id.as_str(), worker.held.get(&shard)?.counter)))
    }

    pub fn act(&mut self, world: &mut World) -> Timestamp {
        let now = world.now;
        if self.is_stopped || self.workers.is_empty() {
            if !self.was_stopped {
                self.workers.iter_mut().for_each(|worker| worker.die(now));
            }
            self.was_stopped = true;
            return now + BACK_OFF;
        }
        self.was_stopped = false;
        if !self.workers.iter().any(|worker| worker.is_up(now)) {
            return self.workers.iter().filter_map(|worker| worker.boots_at).min().unwrap_or(now + BACK_OFF);
        }
        if !self.has_table(world) {
            return now + BACK_OFF;
        }
        if self.sync_at <= now {
            let is_done = self.sync_shards(world).is_some();
            self.sync_at = now + if is_done { SHARD_SYNC } else { BACK_OFF * 5 };
        }
        for at in 0..self.workers.len() {
            if self.workers[at].is_up(now) {
                self.work(world, at);
            }
        }
        let next = self.workers.iter().map(Worker::next_at).chain([self.sync_at]).min();
        next.unwrap_or(now + BACK_OFF)
    }

    /// Whether there is a lease table; the first worker makes it.
    fn has_table(&self, world: &mut World) -> bool {
        match world.dynamodb.table(&self.name).map(|table| table.status) {
            Some(status) => matches!(status, Status::Active | Status::Updating),
            None => {
                let by_request = TableSpec::on_demand(&self.name, lease::KEY);
                let spec = match self.settings.lease_table_capacity {
                    Some(units) => by_request.provisioned(units, units),
                    None => by_request,
                };
                if api::admit(world, &self.name, Service::DynamoDb, "CreateTable", &self.name).is_err() {
                    return false;
                }
                let (dynamodb, mut cx) = world.dynamodb_cx();
                // A name that no table can have leaves the application waiting, as it would its owner.
                let _ = dynamodb.create_table(&mut cx, spec);
                false
            }
        }
    }

    /// Makes leases for shards that have none, and takes away those of shards that have expired. `None` when the
    /// stream or the table does not answer.
    fn sync_shards(&mut self, world: &mut World) -> Option<()> {
        let leases = lease::list(world, &self.name).ok()?;
        let is_first = leases.is_empty();
        api::admit(world, &self.name, Service::Kinesis, "ListShards", &self.settings.stream).ok()?;
        let (kinesis, mut cx) = world.kinesis_cx();
        let filter = match self.settings.initial_position {
            InitialPosition::Latest if is_first => ShardFilter::AtLatest,
            _ => ShardFilter::FromTrimHorizon,
        };
        let shards = kinesis.list_shards(&mut cx, &self.settings.stream, filter).ok()?;
        let has_lease = |id: ShardId| leases.iter().any(|lease| lease.shard == id);
        let first = match self.settings.initial_position {
            InitialPosition::Latest => Checkpoint::Latest,
            InitialPosition::TrimHorizon => Checkpoint::TrimHorizon,
        };
        for shard in shards.iter().filter(|shard| !has_lease(shard.id)) {
            let parents = parents_of(shard);
            let follows = parents.iter().any(|parent| has_lease(*parent));
            let checkpoint = if is_first { first } else { Checkpoint::TrimHorizon };
            if is_first || follows || self.settings.initial_position == InitialPosition::TrimHorizon {
                lease::create(world, &self.name, &Lease::new(shard.id, checkpoint, parents)).ok()?;
            }
        }
        let is_gone = |lease: &&Lease| !is_first && !shards.iter().any(|shard| shard.id == lease.shard);
        for gone in leases.iter().filter(is_gone) {
            lease::delete(world, &self.name, gone.shard);
            self.reached.remove(&gone.shard);
            self.workers.iter_mut().for_each(|worker| worker.drop_lease(gone.shard));
        }
        Some(())
    }

    /// Records of a shard with these indexes were processed.
    fn note_processed(&mut self, shard: ShardId, from: u64, to: u64) {
        let reached = self.reached.entry(shard).or_insert(0);
        self.counts.processed += to + 1 - from;
        self.counts.missed += from.saturating_sub(*reached + 1);
        self.counts.duplicates += (*reached).min(to).saturating_sub(from - 1);
        *reached = (*reached).max(to);
    }
}

fn parents_of(shard: &ShardSummary) -> Vec<ShardId> {
    shard.parent.into_iter().chain(shard.adjacent_parent).collect()
}
