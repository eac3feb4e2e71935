//! One worker: renews what it holds, takes what nobody renews or what others have too much of, reads, processes,
//! checkpoints.

use super::lease::{self, Checkpoint, Failure, Lease};
use super::metrics::{Metric, Of};
use super::report::Reports;
use super::{BACK_OFF, Fleet, Library};
use crate::domain::time::Timestamp;
use crate::sim::faults::api;
use crate::sim::kinesis::{Batch, Cursor, Position, Sequence, ShardId};
use crate::sim::wire::Service;
use crate::sim::world::World;
use std::collections::BTreeMap;
use std::time::Duration;

/// A shard whose parents are not finished is looked at again this often (`parentShardPollIntervalMillis`).
const PARENT_POLL: Duration = Duration::from_secs(10);
/// A worker that holds too little takes this many from another at a time (`maxLeasesToStealAtOneTime`).
const STOLEN_AT_ONCE: usize = 1;

pub(super) struct Worker {
    pub id: String,
    pub instance: u32,
    /// Set while its instance is not there.
    pub boots_at: Option<Timestamp>,
    pub held: BTreeMap<ShardId, Held>,
    /// The counters that it saw in the table, and since when they have stood still.
    observed: BTreeMap<ShardId, (u64, Timestamp)>,
    renew_at: Timestamp,
    take_at: Timestamp,
    /// What it tells of itself, of version 3.
    pub reports: Option<Reports>,
}

/// A lease in a worker's hands, and its shard's processor.
pub(super) struct Held {
    pub counter: u64,
    renewed_at: Timestamp,
    parents: Vec<ShardId>,
    /// What the table says.
    checkpoint: Checkpoint,
    checkpointed_at: Timestamp,
    /// Where the processor reads next; `None` until it has an iterator.
    cursor: Option<Cursor>,
    /// The newest record that it has processed and not checkpointed.
    reached: Option<Sequence>,
    batch: Option<InHand>,
    /// The next read, or the next look at the parents.
    next_at: Timestamp,
    is_waiting: bool,
    /// The shard is read to its end; these follow.
    end: Option<Vec<(ShardId, Vec<ShardId>)>>,
}

/// A batch that is being processed.
struct InHand {
    first: Sequence,
    last: Sequence,
    bytes: usize,
    done_at: Timestamp,
    took: Duration,
}

impl Held {
    fn new(lease: &Lease, counter: u64, now: Timestamp) -> Self {
        Self {
            counter,
            renewed_at: now,
            parents: lease.parents.clone(),
            checkpoint: lease.checkpoint,
            checkpointed_at: now,
            cursor: None,
            reached: None,
            batch: None,
            next_at: now,
            is_waiting: !lease.parents.is_empty(),
            end: None,
        }
    }

    fn next_at(&self) -> Timestamp {
        self.batch.as_ref().map_or(self.next_at, |batch| batch.done_at)
    }
}

impl Worker {
    pub fn new(id: String, instance: u32, reports: bool) -> Self {
        let never = Timestamp::default();
        let (held, observed) = (BTreeMap::new(), BTreeMap::new());
        let reports = reports.then(Reports::default);
        Self { id, instance, boots_at: None, held, observed, renew_at: never, take_at: never, reports }
    }

    /// Everything in memory is gone.
    pub fn die(&mut self, boots_at: Timestamp) {
        let fresh = Self::new(std::mem::take(&mut self.id), self.instance, self.reports.is_some());
        *self = Self { boots_at: Some(boots_at), ..fresh };
    }

    pub fn is_up(&self, now: Timestamp) -> bool {
        self.boots_at.is_none_or(|at| at <= now)
    }

    pub fn drop_lease(&mut self, shard: ShardId) {
        self.held.remove(&shard);
        self.observed.remove(&shard);
    }

    pub fn next_at(&self) -> Timestamp {
        match self.boots_at {
            Some(at) => at,
            None => {
                let report_at = self.reports.as_ref().map(|reports| reports.next_at);
                let own = [self.renew_at, self.take_at].into_iter().chain(report_at);
                self.held.values().map(Held::next_at).chain(own).min().unwrap_or(self.take_at)
            }
        }
    }
}

impl Fleet {
    /// Everything that is due of one worker.
    pub(super) fn work(&mut self, world: &mut World, at: usize) {
        let now = world.now;
        self.workers[at].boots_at = None;
        if self.workers[at].renew_at <= now {
            self.renew(world, at);
        }
        if self.workers[at].take_at <= now {
            self.take(world, at);
        }
        if self.workers[at].reports.as_ref().is_some_and(|reports| reports.next_at <= now) {
            self.report(world, at);
        }
        let due = self.workers[at].held.iter().filter(|(_, held)| held.next_at() <= now).map(|(shard, _)| *shard);
        for shard in due.collect::<Vec<_>>() {
            self.process(world, at, shard);
        }
    }

    pub(super) fn meter(&mut self, world: &mut World, metric: Metric, of: Of, value: f64) {
        if self.settings.publishes {
            let now = world.now;
            self.meters.add(&mut world.metrics, now, &self.name, (metric, of), value);
        }
    }

    /// Every lease's heartbeat. One that is another's by now is given up, and so is one that could not be renewed for
    /// the failover time, for others will have taken it.
    fn renew(&mut self, world: &mut World, at: usize) {
        let (now, failover) = (world.now, self.settings.failover);
        let mut lost = 0;
        let id = self.workers[at].id.clone();
        for shard in self.workers[at].held.keys().copied().collect::<Vec<_>>() {
            let Some(held) = self.workers[at].held.get_mut(&shard) else { continue };
            let is_lost = match lease::renew(world, &self.name, shard, held.counter, &id) {
                Ok(counter) => {
                    held.counter = counter;
                    held.renewed_at = now;
                    false
                }
                Err(Failure::Lost) => true,
                Err(Failure::Unanswered) => now.since(held.renewed_at) >= failover,
            };
            if is_lost {
                self.workers[at].drop_lease(shard);
                lost += 1;
            }
        }
        self.counts.lost_leases += lost;
        let held = self.workers[at].held.len() as f64;
        self.meter(world, Metric::CurrentLeases, Of::Worker(at), held);
        self.meter(world, Metric::LostLeases, Of::Worker(at), lost as f64);
        self.meter(world, Metric::RenewSuccess, Of::Worker(at), f64::from(u8::from(lost == 0)));
        self.workers[at].renew_at = now + failover / 3;
    }

    /// Looks at every lease and takes up to its share: first what nobody renews, then one of whoever has most.
    fn take(&mut self, world: &mut World, at: usize) {
        let (now, failover) = (world.now, self.settings.failover);
        self.workers[at].take_at = now + failover * 2;
        let Ok(mut leases) = lease::list(world, &self.name) else { return };
        leases.retain(|lease| lease.checkpoint != Checkpoint::ShardEnd);
        let worker = &mut self.workers[at];
        let expired = worker.observe(&leases, now, failover);
        let mut owned: BTreeMap<&str, usize> = BTreeMap::from([(worker.id.as_str(), 0)]);
        for lease in leases.iter().filter(|lease| !expired.contains(&lease.shard)) {
            if let Some(owner) = &lease.owner {
                *owned.entry(owner).or_default() += 1;
            }
        }
        let mine = owned.get(worker.id.as_str()).copied().unwrap_or(0);
        let target = leases.len().div_ceil(owned.len());
        let needed = target.saturating_sub(mine);
        let mut wanted: Vec<Lease> =
            leases.iter().filter(|lease| expired.contains(&lease.shard)).take(needed).cloned().collect();
        if wanted.is_empty() && needed > 0 {
            // Nothing is free: from the one that has most, when that is more than its share.
            let most = owned.iter().filter(|(id, _)| **id != worker.id).max_by_key(|(_, count)| **count);
            if let Some((richest, _)) =
                most.filter(|(_, count)| **count > target || (**count == target && mine + 1 < target))
            {
                let theirs = leases.iter().filter(|lease| lease.owner.as_deref() == Some(*richest));
                wanted.extend(theirs.take(STOLEN_AT_ONCE).cloned());
            }
        }
        let (id, total, workers) = (worker.id.clone(), leases.len(), owned.len());
        let mut taken = 0;
        for wish in wanted {
            if let Ok(counter) = lease::take(world, &self.name, &wish, &id) {
                self.workers[at].held.insert(wish.shard, Held::new(&wish, counter, now));
                taken += 1;
            }
        }
        if self.settings.library == Library::V3 {
            self.tell_as_leader(world, at, total);
            return;
        }
        for (metric, value) in [
            (Metric::TotalLeases, total),
            (Metric::NumWorkers, workers),
            (Metric::ExpiredLeases, expired.len()),
            (Metric::NeededLeases, needed),
            (Metric::TakenLeases, taken),
        ] {
            self.meter(world, metric, Of::Worker(at), value as f64);
        }
    }

    /// A shard's processor goes on: ends its batch, checkpoints, waits for parents, or reads.
    fn process(&mut self, world: &mut World, at: usize, shard: ShardId) {
        let now = world.now;
        let Some(held) = self.workers[at].held.get_mut(&shard) else { return };
        if let Some(batch) = held.batch.take_if(|batch| batch.done_at <= now) {
            held.reached = Some(batch.last);
            if let Some(reports) = &mut self.workers[at].reports {
                reports.busy += batch.took;
            }
            self.note_processed(shard, batch.first.index, batch.last.index);
            let of = Of::Shard(shard);
            let ms = batch.took.as_secs_f64() * 1000.0;
            self.meter(world, Metric::RecordsProcessed, of, (batch.last.index + 1 - batch.first.index) as f64);
            self.meter(world, Metric::DataBytesProcessed, of, batch.bytes as f64);
            self.meter(world, Metric::ProcessRecordsTime, of, ms);
            self.meter(world, Metric::ProcessTime, of, ms);
            if !self.checkpoint(world, at, shard) {
                return;
            }
        }
        let Some(held) = self.workers[at].held.get_mut(&shard) else { return };
        if held.next_at > now {
            return;
        }
        if held.end.is_some() {
            self.finish(world, at, shard);
        } else if held.is_waiting {
            self.look_at_parents(world, at, shard);
        } else {
            self.read(world, at, shard);
        }
    }

    /// Writes the checkpoint when one is due; false when the lease turns out to be another's.
    fn checkpoint(&mut self, world: &mut World, at: usize, shard: ShardId) -> bool {
        let (now, every) = (world.now, self.settings.checkpoint_every);
        let worker = &mut self.workers[at];
        let Some(held) = worker.held.get_mut(&shard) else { return false };
        let Some(reached) = held.reached.filter(|_| now.since(held.checkpointed_at) >= every) else { return true };
        let to = Checkpoint::At(reached);
        match lease::checkpoint(world, &self.name, shard, (held.counter, &worker.id), (to, &[])) {
            Ok(counter) => {
                held.counter = counter;
                held.renewed_at = now;
                held.checkpoint = to;
                held.checkpointed_at = now;
                held.reached = None;
                true
            }
            // The next batch's checkpoint includes this one.
            Err(Failure::Unanswered) => true,
            Err(Failure::Lost) => {
                worker.drop_lease(shard);
                self.counts.lost_leases += 1;
                false
            }
        }
    }

    /// The shard is processed to its end: its children get leases, then its own says so.
    fn finish(&mut self, world: &mut World, at: usize, shard: ShardId) {
        let now = world.now;
        let worker = &mut self.workers[at];
        let Some(held) = worker.held.get_mut(&shard) else { return };
        held.next_at = now + BACK_OFF;
        let children = held.end.clone().unwrap_or_default();
        for (child, parents) in &children {
            let fresh = Lease::new(*child, Checkpoint::TrimHorizon, parents.clone());
            if lease::create(world, &self.name, &fresh).is_err() {
                return;
            }
        }
        let ids: Vec<ShardId> = children.iter().map(|(child, _)| *child).collect();
        let end = (Checkpoint::ShardEnd, ids.as_slice());
        match lease::checkpoint(world, &self.name, shard, (held.counter, &worker.id), end) {
            Err(Failure::Unanswered) => {}
            Ok(_) => worker.drop_lease(shard),
            Err(Failure::Lost) => {
                worker.drop_lease(shard);
                self.counts.lost_leases += 1;
            }
        }
        // Who has finished a shard looks for its children.
        self.workers[at].take_at = self.workers[at].take_at.min(now + BACK_OFF);
    }

    /// A parent is done when its lease says so, or when it has none.
    fn look_at_parents(&mut self, world: &mut World, at: usize, shard: ShardId) {
        let now = world.now;
        let Some(held) = self.workers[at].held.get_mut(&shard) else { return };
        let is_done = |world: &mut World, parent: ShardId| match lease::get(world, &self.name, parent) {
            Ok(lease) => lease.is_none_or(|lease| lease.checkpoint == Checkpoint::ShardEnd),
            Err(_) => false,
        };
        held.is_waiting = !held.parents.iter().all(|parent| is_done(world, *parent));
        held.next_at = now + if held.is_waiting { PARENT_POLL } else { Duration::ZERO };
    }

    fn read(&mut self, world: &mut World, at: usize, shard: ShardId) {
        let now = world.now;
        let per_s = self.settings.records_per_s / self.slow_down.max(0.001);
        let idle = self.settings.idle;
        let Some(held) = self.workers[at].held.get_mut(&shard) else { return };
        held.next_at = now + BACK_OFF;
        let stream = &self.settings.stream;
        if held.cursor.is_none() && api::admit(world, &self.name, Service::Kinesis, "GetShardIterator", stream).is_err()
        {
            return;
        }
        let admitted = api::admit(world, &self.name, Service::Kinesis, "GetRecords", stream);
        let (kinesis, mut cx) = world.kinesis_cx();
        let cursor = match (held.cursor, held.checkpoint) {
            (Some(cursor), _) => Ok(cursor),
            (None, Checkpoint::Latest) => kinesis.cursor(&mut cx, stream, shard, Position::Latest),
            (None, Checkpoint::At(sequence)) => kinesis.cursor(&mut cx, stream, shard, Position::After(sequence)),
            (None, _) => kinesis.cursor(&mut cx, stream, shard, Position::TrimHorizon),
        };
        let Ok(cursor) = cursor else { return };
        held.cursor = Some(cursor);
        let limit = (per_s * idle.as_secs_f64() * 4.0).clamp(1.0, 10_000.0) as usize;
        let answer = admitted.and_then(|()| kinesis.read(&mut cx, stream, shard, cursor, limit));
        let Ok(batch) = answer else {
            self.meter(world, Metric::ProcessSuccess, Of::Shard(shard), 0.0);
            return;
        };
        let behind_ms = batch.millis_behind_latest as f64;
        held.take_in(batch, now, per_s, idle);
        self.meter(world, Metric::MillisBehindLatest, Of::Shard(shard), behind_ms);
        self.meter(world, Metric::ProcessSuccess, Of::Shard(shard), 1.0);
    }
}

impl Worker {
    /// Notes what the table says; answers the leases that nobody has renewed for the failover time, or that have no
    /// owner.
    fn observe(&mut self, leases: &[Lease], now: Timestamp, failover: Duration) -> Vec<ShardId> {
        let mut expired = Vec::new();
        for lease in leases {
            if self.held.contains_key(&lease.shard) {
                continue;
            }
            let (counter, since) = *self.observed.entry(lease.shard).or_insert((lease.counter, now));
            if counter != lease.counter {
                self.observed.insert(lease.shard, (lease.counter, now));
            } else if lease.owner.is_none() || now.since(since) >= failover {
                expired.push(lease.shard);
            }
            // After a start without memory its own name may still stand there.
            if lease.owner.is_none() || lease.owner.as_deref() == Some(self.id.as_str()) {
                expired.push(lease.shard);
            }
        }
        expired.dedup();
        self.observed.retain(|shard, _| leases.iter().any(|lease| lease.shard == *shard));
        expired
    }
}

impl Held {
    fn take_in(&mut self, batch: Batch, now: Timestamp, per_s: f64, idle: Duration) {
        let took = Duration::from_secs_f64(batch.records.len() as f64 / per_s);
        self.next_at = now + took + idle;
        match batch.next {
            Some(next) => self.cursor = Some(next),
            None => {
                self.end = Some(batch.child_shards.into_iter().map(|child| (child.id, child.parents)).collect());
                self.next_at = now + took;
            }
        }
        if let (Some(first), Some(last)) = (batch.records.first(), batch.records.last()) {
            let (first, last) = (first.sequence, last.sequence);
            self.batch = Some(InHand { first, last, bytes: batch.bytes, done_at: now + took, took });
        }
    }
}
