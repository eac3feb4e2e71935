//! The pollers of a stream's mapping: for each shard its place, what was read ahead, and the batches that it owes.

use crate::domain::time::Timestamp;
use crate::sim::kinesis::{ChildShard, Cursor, Key, Position, Record, hash_of};
use crate::sim::lambda::mapping::{Settings, Start};
use crate::sim::lambda::wake::Wake;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// Each shard is polled once a second [Using Lambda with Kinesis]; faster only to catch up.
const STEP: Duration = Duration::from_secs(1);
const CATCHING_UP_STEP: Duration = Duration::from_millis(500);
/// Records read ahead in one call, in batches of all lanes together.
const BATCHES_AHEAD: u32 = 10;
const LONGEST_BACK_OFF: Duration = Duration::from_secs(30);
/// "When no new records are being added to the current window, Lambda waits for up to 2 minutes before assuming that the
/// window is over" [Implementing stateful Kinesis Data Streams processing in Lambda].
const WINDOW_LINGERS: Duration = Duration::from_secs(120);

/// All shards that a mapping reads.
#[derive(Debug, Default)]
pub struct StreamPoller {
    pub(crate) shards: BTreeMap<u32, ShardPoller>,
    /// Shards read and worked off to their end.
    pub(crate) drained: BTreeSet<u32>,
    /// Children that wait for another parent.
    pub(crate) waiting: Vec<ChildShard>,
    pub(crate) has_begun: bool,
}

impl StreamPoller {
    /// Batches that run.
    pub fn in_flight(&self) -> usize {
        self.shards.values().flat_map(|shard| &shard.lanes).filter(|lane| lane.in_flight).count()
    }

    /// A shard is worked off: the children whose parents are all done, to be read from their beginning.
    pub fn drained(&mut self, shard: u32) -> Vec<u32> {
        let Some(poller) = self.shards.remove(&shard) else { return Vec::new() };
        self.drained.insert(shard);
        for child in poller.children {
            if !self.waiting.iter().any(|known| known.id == child.id) {
                self.waiting.push(child);
            }
        }
        let is_open = |parent: u32| self.shards.contains_key(&parent);
        let (ready, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition::<Vec<_>, _>(|child| !child.parents.iter().any(|parent| is_open(parent.0)));
        self.waiting = waiting;
        let fresh = |id: &u32| !self.shards.contains_key(id) && !self.drained.contains(id);
        ready.iter().map(|child| child.id.0).filter(fresh).collect()
    }
}

/// Where a shard's poller reads next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadPlace {
    /// No iterator yet.
    From(Position),
    At(Cursor),
    /// The shard is closed and was read to its end.
    End,
}

/// One shard.
#[derive(Debug)]
pub struct ShardPoller {
    pub(crate) wake: Wake,
    pub(crate) place: ReadPlace,
    pub(crate) next_read: Timestamp,
    pub(crate) lanes: Vec<Lane>,
    pub(crate) children: Vec<ChildShard>,
}

/// A part of a lane's records that is one batch, or what bisecting left of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    size: u32,
    /// Times that the function failed on it.
    failures: u32,
    /// Times that the function was invoked with it.
    invokes: u32,
}

/// One of a shard's concurrent batches. A partition key always goes to the same lane, so its order holds.
#[derive(Debug, Default)]
pub struct Lane {
    records: VecDeque<Record>,
    /// The batches at the front of `records`, in order; the first one is due.
    parts: VecDeque<Part>,
    gathering_since: Option<Timestamp>,
    pub(crate) in_flight: bool,
    retry_at: Option<Timestamp>,
    /// Failures and throttles in a row, for backing off.
    misses: u32,
    /// The tumbling window whose state the function was given to carry on, by its end.
    window: Option<Timestamp>,
    /// What runs, or is tried again, is the invocation at the window's end.
    pub(crate) is_closing: bool,
}

/// What a lane has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaneStep {
    /// Invoke the function with this many records from the front; a retry says so.
    Invoke { records: u32, is_retry: bool },
    /// Invoke the function at the end of its tumbling window, without records.
    CloseWindow,
    /// Nothing before then.
    Wait(Timestamp),
    /// Nothing until more records are read or a batch ends.
    Idle,
}

/// Records that are given up.
#[derive(Clone, Debug)]
pub struct Discarded {
    pub first: Record,
    pub last: Record,
    pub count: u32,
    /// `RetryAttemptsExhausted` or `RecordAgeExceeded`.
    pub condition: &'static str,
    pub invokes: u32,
}

impl ShardPoller {
    pub fn new(position: Position, first_read: Timestamp) -> Self {
        Self {
            wake: Wake::default(),
            place: ReadPlace::From(position),
            next_read: first_read,
            lanes: Vec::new(),
            children: Vec::new(),
        }
    }

    /// Where a mapping with this start begins in a shard.
    pub fn position_of(start: Start) -> Position {
        match start {
            Start::TrimHorizon => Position::TrimHorizon,
            Start::Latest => Position::Latest,
            Start::AtTimestamp(at) => Position::AtTimestamp(at),
        }
    }

    pub fn wake_at(&mut self, at: Timestamp) -> bool {
        self.wake.ask(at)
    }

    /// Makes as many lanes as the settings ask for. A change waits until nothing runs or is held, so that no key
    /// changes its lane in between.
    pub fn fit_lanes(&mut self, settings: &Settings) {
        let wanted = settings.parallelization_factor.max(1) as usize;
        if self.lanes.len() != wanted && self.lanes.iter().all(Lane::is_done) {
            self.lanes.clear();
            self.lanes.resize_with(wanted, Lane::default);
        }
    }

    /// How many records to read now; 0 when no lane is short of them or it is too early.
    pub fn wants(&self, now: Timestamp, settings: &Settings) -> u32 {
        if now < self.next_read { 0 } else { self.room(settings) }
    }

    /// How many records may be read ahead, 0 while every lane has a full batch. One lane's backlog may fill the room
    /// of all: then the others wait for it.
    fn room(&self, settings: &Settings) -> u32 {
        let is_short = self.lanes.iter().any(|lane| (lane.records.len() as u32) < settings.batch_size);
        if self.place == ReadPlace::End || !is_short {
            return 0;
        }
        let held: usize = self.lanes.iter().map(|lane| lane.records.len()).sum();
        let most = settings.batch_size.saturating_mul(settings.parallelization_factor * BATCHES_AHEAD).min(10_000);
        most.saturating_sub(held as u32)
    }

    /// Takes in what was read.
    pub fn take_in(&mut self, now: Timestamp, records: Vec<Record>, is_behind: bool) {
        self.next_read = now + if is_behind && !records.is_empty() { CATCHING_UP_STEP } else { STEP };
        let lanes = self.lanes.len().max(1) as u64;
        for record in records {
            let lane = match &record.key {
                _ if lanes == 1 => 0,
                Key::Interned(id) => u64::from(id.0) % lanes,
                Key::Text(text) => (hash_of(text) % u128::from(lanes)) as u64,
            };
            if let Some(lane) = self.lanes.get_mut(lane as usize) {
                lane.gathering_since.get_or_insert(now);
                lane.records.push_back(record);
            }
        }
    }

    /// When to look again, when no batch's end comes first.
    pub fn next_wake(&self, now: Timestamp, settings: &Settings) -> Option<Timestamp> {
        let read = (self.room(settings) > 0).then_some(self.next_read);
        let lanes = self.lanes.iter().filter_map(|lane| lane.waits_until(settings));
        lanes.chain(read).min().map(|at| at.max(now + Duration::from_millis(1)))
    }

    /// Whether the shard was read to its end and everything in it is worked off.
    pub fn is_drained(&self) -> bool {
        self.place == ReadPlace::End && self.lanes.iter().all(Lane::is_done)
    }
}

impl Lane {
    /// The records of the batch at the front.
    pub fn batch(&self, records: u32) -> impl DoubleEndedIterator<Item = &Record> {
        self.records.iter().take(records as usize)
    }

    pub fn front(&self) -> Option<&Record> {
        self.records.front()
    }

    /// Nothing runs, nothing is held, and no window is open.
    fn is_done(&self) -> bool {
        !self.in_flight && self.records.is_empty() && self.window.is_none()
    }

    fn waits_until(&self, settings: &Settings) -> Option<Timestamp> {
        if self.in_flight {
            return None;
        }
        if self.records.is_empty() {
            return self.retry_at.or(self.window.map(|end| end + WINDOW_LINGERS));
        }
        let window_end = self.gathering_since? + Duration::from_secs(settings.window_s.into());
        self.retry_at.or(Some(window_end))
    }

    /// What to do now. Forms the next batch where one is ripe; `is_last` says that no more records will come.
    pub fn step(&mut self, now: Timestamp, settings: &Settings, is_last: bool) -> LaneStep {
        if settings.tumbling_window_s == 0 {
            (self.window, self.is_closing) = (None, false);
        }
        if self.in_flight || (self.records.is_empty() && self.window.is_none()) {
            return LaneStep::Idle;
        }
        if let Some(at) = self.retry_at.filter(|at| *at > now) {
            return LaneStep::Wait(at);
        }
        if let (true, Some(end)) = (self.parts.is_empty(), self.window) {
            let next = self.records.front().map(|record| window_end(record, settings));
            if next.map_or(is_last || now >= end + WINDOW_LINGERS, |next| next != end) {
                return LaneStep::CloseWindow;
            }
            if next.is_none() {
                return LaneStep::Wait(end + WINDOW_LINGERS);
            }
        }
        if self.parts.is_empty() {
            let held = self.of_one_window(settings);
            let is_last = is_last || (held as usize) < self.records.len();
            let since = *self.gathering_since.get_or_insert(now);
            let window_end = since + Duration::from_secs(settings.window_s.into());
            if held < settings.batch_size && now < window_end && !is_last {
                return LaneStep::Wait(window_end);
            }
            self.parts.push_back(Part { size: held.min(settings.batch_size), failures: 0, invokes: 0 });
        }
        match self.parts.front() {
            Some(part) => LaneStep::Invoke { records: part.size, is_retry: part.invokes > 0 },
            None => LaneStep::Idle,
        }
    }

    /// How many records at the front are of one tumbling window; all of them where there are no windows.
    fn of_one_window(&self, settings: &Settings) -> u32 {
        let Some(first) = self.records.front().filter(|_| settings.tumbling_window_s > 0) else {
            return self.records.len() as u32;
        };
        let end = window_end(first, settings);
        self.records.iter().take_while(|record| window_end(record, settings) == end).count() as u32
    }

    /// Records of the batch at the front.
    pub fn due(&self) -> u32 {
        self.parts.front().map_or(0, |part| part.size)
    }

    pub fn begun(&mut self, settings: &Settings) {
        self.in_flight = true;
        self.retry_at = None;
        if let Some(part) = self.parts.front_mut() {
            part.invokes += 1;
            let first = self.records.front().filter(|_| settings.tumbling_window_s > 0);
            self.window = first.map(|record| window_end(record, settings));
        } else {
            self.is_closing = true;
        }
    }

    /// The invocation at the window's end is over: its state is done with, or the lane waits until it succeeds.
    pub fn closed_window(&mut self, now: Timestamp, is_done: bool) {
        (self.in_flight, self.is_closing) = (false, false);
        if is_done {
            (self.window, self.misses) = (None, 0);
        } else {
            self.back_off(now);
        }
    }

    /// The invocation was throttled: it is tried again later, and no retry is used up.
    pub fn throttled(&mut self, now: Timestamp) {
        self.back_off(now);
    }

    fn back_off(&mut self, now: Timestamp) {
        let wait = Duration::from_secs(1 << self.misses.min(5)).min(LONGEST_BACK_OFF);
        self.misses += 1;
        self.retry_at = Some(now + wait);
    }

    /// The batch at the front is done.
    pub fn succeeded(&mut self, now: Timestamp) {
        self.in_flight = false;
        self.misses = 0;
        if let Some(part) = self.parts.pop_front() {
            self.remove(now, part.size);
        }
    }

    fn remove(&mut self, now: Timestamp, records: u32) -> Option<(Record, Record)> {
        let first = self.records.front().cloned()?;
        let last = self.records.get((records as usize).min(self.records.len()) - 1).cloned()?;
        self.records.drain(..(records as usize).min(self.records.len()));
        self.gathering_since = (!self.records.is_empty()).then_some(now);
        Some((first, last))
    }

    /// The batch at the front failed at position `lowest` (0 when it failed as a whole). Retries are counted, bisected
    /// or given up as the settings say.
    pub fn failed(&mut self, now: Timestamp, settings: &Settings, lowest: u32) -> Option<Discarded> {
        self.in_flight = false;
        let mut part = self.parts.pop_front()?;
        if lowest > 0 && lowest < part.size {
            self.remove(now, lowest);
            part.size -= lowest;
        }
        self.back_off(now);
        // Splitting a batch uses up no retry [BisectBatchOnFunctionError].
        if settings.bisect_on_error && part.size > 1 {
            let half = part.size / 2;
            self.parts.push_front(Part { size: part.size - half, ..part });
            self.parts.push_front(Part { size: half, ..part });
            return None;
        }
        part.failures += 1;
        if settings.maximum_retry_attempts.is_some_and(|most| part.failures > most) {
            return self.discard(now, part, "RetryAttemptsExhausted");
        }
        self.parts.push_front(part);
        None
    }

    fn discard(&mut self, now: Timestamp, part: Part, condition: &'static str) -> Option<Discarded> {
        self.retry_at = None;
        self.misses = 0;
        let (first, last) = self.remove(now, part.size)?;
        Some(Discarded { first, last, count: part.size, condition, invokes: part.invokes })
    }

    /// Gives up the records at the front that arrived before `horizon`: the stream has dropped them. Returns how many.
    pub fn drop_expired(&mut self, now: Timestamp, horizon: Timestamp) -> u32 {
        self.cut_front(now, horizon).map_or(0, |(count, ..)| count)
    }

    /// Gives up the records at the front that are older than `MaximumRecordAgeInSeconds`.
    pub fn discard_aged(&mut self, now: Timestamp, settings: &Settings) -> Option<Discarded> {
        let age = Duration::from_secs(settings.maximum_record_age_s?.into());
        let invokes = self.parts.front().map_or(0, |part| part.invokes);
        let (count, first, last) = self.cut_front(now, now - age)?;
        Some(Discarded { first, last, count, condition: "RecordAgeExceeded", invokes })
    }

    fn cut_front(&mut self, now: Timestamp, oldest: Timestamp) -> Option<(u32, Record, Record)> {
        if self.in_flight {
            return None;
        }
        let count = self.records.iter().take_while(|record| record.arrived < oldest).count() as u32;
        if count == 0 {
            return None;
        }
        let mut left = count;
        while let Some(part) = self.parts.front_mut().filter(|_| left > 0) {
            let cut = part.size.min(left);
            part.size -= cut;
            left -= cut;
            if part.size == 0 {
                self.parts.pop_front();
                self.retry_at = None;
                self.misses = 0;
            }
        }
        let (first, last) = self.remove(now, count)?;
        Some((count, first, last))
    }
}

/// The end of a record's tumbling window. Windows are counted from the epoch; a record is in the one in which it came
/// into the stream.
fn window_end(record: &Record, settings: &Settings) -> Timestamp {
    let window_s = settings.tumbling_window_s.max(1);
    record.arrived.floor_to(window_s.into()) + Duration::from_secs(window_s.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::kinesis::{Sequence, ShardId};
    use crate::sim::payload::Payload;
    use bytes::Bytes;
    use proptest::prelude::*;

    fn record(index: u64) -> Record {
        Record {
            sequence: Sequence { shard_created_s: 0, index, at_s: 0, shard: ShardId(0) },
            arrived: Timestamp::from_millis(0),
            key: Key::Text(format!("hotel-{}", index % 5).into()),
            data: Payload::Sent(Bytes::new()),
        }
    }

    /// How an invocation of a lane's batch ends.
    #[derive(Clone, Copy, Debug)]
    enum End {
        Done,
        Failed,
        /// The function reports the record at this position, modulo the batch's size.
        FailedFrom(u32),
        Throttled,
    }

    fn ends() -> impl Strategy<Value = Vec<End>> {
        let end = prop_oneof![
            3 => Just(End::Done),
            2 => Just(End::Failed),
            2 => (0..50_u32).prop_map(End::FailedFrom),
            1 => Just(End::Throttled),
        ];
        prop::collection::vec(end, 400)
    }

    proptest! {
        /// Whatever fails, a lane works off its records in order, each once: done, or given up.
        #[test]
        fn a_lane_works_off_its_records_in_order(
            ends in ends(),
            count in 1..120_u64,
            batch_size in 1..40_u32,
            bisect_on_error in any::<bool>(),
            retries in 0..3_u32,
            factor in 1..4_u32,
        ) {
            let settings = Settings {
                batch_size,
                bisect_on_error,
                maximum_retry_attempts: Some(retries),
                parallelization_factor: factor,
                ..Settings::for_stream(Start::TrimHorizon)
            };
            let mut now = Timestamp::from_millis(1_000);
            let mut poller = ShardPoller::new(Position::TrimHorizon, now);
            poller.fit_lanes(&settings);
            poller.take_in(now, (1..=count).map(record).collect(), false);
            let mut ends = ends.into_iter().chain(std::iter::repeat(End::Done));
            let mut worked = Vec::new();
            for lane in &mut poller.lanes {
                let held: Vec<u64> = lane.records.iter().map(|record| record.sequence.index).collect();
                let mut done = Vec::new();
                while !lane.records.is_empty() {
                    let records = match lane.step(now, &settings, true) {
                        LaneStep::Invoke { records, .. } => records,
                        LaneStep::Wait(at) => {
                            now = at;
                            continue;
                        }
                        LaneStep::Idle | LaneStep::CloseWindow => break,
                    };
                    let batch: Vec<u64> = lane.batch(records).map(|record| record.sequence.index).collect();
                    prop_assert_eq!(batch.len() as u32, lane.due());
                    let Some(end) = ends.next() else { break };
                    if let End::Throttled = end {
                        lane.throttled(now);
                        continue;
                    }
                    lane.begun(&settings);
                    let lowest = match end {
                        End::Done | End::Throttled => {
                            lane.succeeded(now);
                            done.extend(batch);
                            continue;
                        }
                        End::Failed => 0,
                        End::FailedFrom(position) => position % records,
                    };
                    done.extend(&batch[..lowest as usize]);
                    if let Some(discarded) = lane.failed(now, &settings, lowest) {
                        let (first, last) = (discarded.first.sequence.index, discarded.last.sequence.index);
                        let rest = &batch[lowest as usize..];
                        prop_assert_eq!(rest.first(), Some(&first));
                        prop_assert_eq!(rest.get(discarded.count as usize - 1), Some(&last));
                        done.extend(&rest[..discarded.count as usize]);
                    }
                }
                prop_assert_eq!(&done, &held);
                worked.extend(done);
            }
            worked.sort_unstable();
            prop_assert_eq!(worked, (1..=count).collect::<Vec<_>>());
        }
    }
}
