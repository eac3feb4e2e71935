//! A consumer fleet: workers share a stream's shards by leases, read each in turn, and follow splits and merges.

use crate::domain::time::Timestamp;
use crate::sim::kinesis::{Cursor, Position, ShardFilter, ShardId};
use crate::sim::world::World;
use std::collections::BTreeMap;
use std::time::Duration;

/// The fleet looks for shards without a lease this often; AWS's consumer library does once a minute.
const SHARD_SYNC: Duration = Duration::from_secs(60);
/// The pause after a refused read.
const BACK_OFF: Duration = Duration::from_millis(1000);

pub struct Fleet {
    pub stream: String,
    pub workers: u32,
    /// What one shard's processor can do.
    pub records_per_s: f64,
    /// Between the end of a batch and the next read.
    pub idle: Duration,
    /// Divides what the processors can do.
    pub slow_down: f64,
    pub is_stopped: bool,
    leases: BTreeMap<ShardId, Lease>,
    sync_at: Option<Timestamp>,
}

/// One shard's place in the fleet. The owner is a worker's number; shards are dealt out in turn.
struct Lease {
    cursor: Option<Cursor>,
    read_at: Timestamp,
    /// The shard is closed and read to its end.
    is_finished: bool,
    parents: Vec<ShardId>,
}

impl Fleet {
    pub fn new(stream: &str, workers: u32, records_per_s: f64, idle: Duration) -> Self {
        Self {
            stream: stream.to_owned(),
            workers,
            records_per_s,
            idle,
            slow_down: 1.0,
            is_stopped: false,
            leases: BTreeMap::new(),
            sync_at: None,
        }
    }

    pub fn act(&mut self, world: &mut World) -> Timestamp {
        let now = world.now;
        if self.is_stopped || self.workers == 0 {
            return now + BACK_OFF;
        }
        if self.sync_at.is_none_or(|at| at <= now) {
            self.sync(world);
            self.sync_at = Some(now + SHARD_SYNC);
        }
        let due: Vec<ShardId> = self.ready().filter(|(_, lease)| lease.read_at <= now).map(|(id, _)| id).collect();
        for shard in due {
            self.read(world, shard);
        }
        let next = self.ready().map(|(_, lease)| lease.read_at).chain(self.sync_at).min();
        next.unwrap_or(now + BACK_OFF)
    }

    /// Leases that may be read: a child waits until its parents are finished, so that each key's order holds.
    fn ready(&self) -> impl Iterator<Item = (ShardId, &Lease)> {
        let is_finished = |id: &ShardId| self.leases.get(id).is_none_or(|lease| lease.is_finished);
        self.leases
            .iter()
            .filter(move |(_, lease)| !lease.is_finished && lease.parents.iter().all(is_finished))
            .map(|(id, lease)| (*id, lease))
    }

    /// Takes leases of shards that have none, and forgets those of shards that have expired.
    fn sync(&mut self, world: &mut World) {
        let (kinesis, mut cx) = world.kinesis_cx();
        let Ok(shards) = kinesis.list_shards(&mut cx, &self.stream, ShardFilter::FromTrimHorizon) else { return };
        let now = cx.now;
        for shard in &shards {
            self.leases.entry(shard.id).or_insert_with(|| Lease {
                cursor: None,
                read_at: now,
                is_finished: false,
                parents: shard.parent.into_iter().chain(shard.adjacent_parent).collect(),
            });
        }
        self.leases.retain(|id, _| shards.iter().any(|shard| shard.id == *id));
    }

    fn read(&mut self, world: &mut World, shard: ShardId) {
        let Some(lease) = self.leases.get_mut(&shard) else { return };
        let (kinesis, mut cx) = world.kinesis_cx();
        let now = cx.now;
        lease.read_at = now + BACK_OFF;
        let cursor = match lease.cursor {
            Some(cursor) => cursor,
            None => match kinesis.cursor(&mut cx, &self.stream, shard, Position::TrimHorizon) {
                Ok(cursor) => cursor,
                Err(_) => return,
            },
        };
        lease.cursor = Some(cursor);
        let per_s = self.records_per_s / self.slow_down.max(0.001);
        let limit = (per_s * self.idle.as_secs_f64() * 4.0).clamp(1.0, 10_000.0) as usize;
        let Ok(batch) = kinesis.read(&mut cx, &self.stream, shard, cursor, limit) else { return };
        let busy = Duration::from_secs_f64(batch.records.len() as f64 / per_s);
        lease.read_at = now + busy + self.idle;
        match batch.next {
            Some(next) => lease.cursor = Some(next),
            None => {
                lease.is_finished = true;
                for child in batch.child_shards {
                    self.leases.entry(child.id).or_insert_with(|| Lease {
                        cursor: None,
                        read_at: now,
                        is_finished: false,
                        parents: child.parents,
                    });
                }
            }
        }
    }
}
