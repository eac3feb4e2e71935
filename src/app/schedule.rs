//! The schedule: what is asked when. Freshness follows attention, cost stays within the budget, nothing is asked
//! twice at once, and what fails is asked again ever more slowly.

use crate::domain::poll::{Poll, Question, Reading, Target};
use crate::domain::row::{KindId, ResourceId, Row};
use crate::domain::time::Timestamp;
use crate::domain::value::Datum;
use crate::kinds;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const INVENTORY_EVERY: Duration = Duration::from_secs(300);
/// A resource that a running job changes.
const DIRECT_HOT_EVERY: Duration = Duration::from_secs(2);
/// The selected one, and the one in detail.
const DIRECT_NEAR_EVERY: Duration = Duration::from_secs(5);
const DIRECT_VISIBLE_EVERY: Duration = Duration::from_secs(15);
/// The wide sweep, for up to [`SWEEP_RESOURCES`]; for more it takes longer in proportion.
const DIRECT_SWEEP_EVERY: Duration = Duration::from_secs(60);
const SWEEP_RESOURCES: usize = 1000;
/// CloudWatch's periods are a minute long: asking more often brings nothing new.
const METRICS_EVERY: Duration = Duration::from_secs(60);
const METRICS_FIRST_WINDOW_MIN: u32 = 60;
/// The newest periods keep changing for some minutes.
const METRICS_WINDOW_MIN: u32 = 5;
/// GetMetricData costs $0.01 for 1,000 metrics (CloudWatch pricing).
const USD_PER_METRIC: f64 = 0.000_01;
const BACK_OFF_FIRST: Duration = Duration::from_secs(5);
const BACK_OFF_MAX: Duration = Duration::from_secs(60);
/// A poll without an answer for this long of real time is given up; its answer will be dropped as late.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(90);
const DIRECT_CHUNK: usize = 25;
const METRICS_CHUNK: usize = 100;
/// How many polls may be on their way at once; the last ones are kept for what the person looks at.
const IN_FLIGHT_MAX: usize = 16;
const IN_FLIGHT_WIDE_MAX: usize = 10;

/// When each question was asked, and what is on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    generation: u64,
    answer_within: Duration,
    /// What is on its way, by generation.
    in_flight: BTreeMap<u64, (Question, Timestamp)>,
    identity: Slot,
    inventories: BTreeMap<KindId, Slot>,
    watches: BTreeMap<ResourceId, Watch>,
    /// The wake asked for last.
    pub(in crate::app) wake_at: Option<Timestamp>,
}

/// One question's timing.
#[derive(Clone, Debug, Default, PartialEq)]
struct Slot {
    asked_at: Option<Timestamp>,
    in_flight: Option<u64>,
    /// Answers that failed in a row.
    failures: u32,
    /// When it last worked.
    good_at: Option<Timestamp>,
    /// Whether it was answered at all, well or badly.
    answered: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Watch {
    direct: Slot,
    metrics: Slot,
}

impl Watch {
    /// A stream with shard-level metrics: its shards must be known before their metrics can be asked for.
    fn awaits_parts(&self, row: Option<&Row>) -> bool {
        !self.direct.answered && row.is_some_and(|row| row.parts.is_empty() && has_part_metrics(row))
    }
}

/// What the person looks at, from state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attention {
    /// Resources that running jobs change.
    pub hot: BTreeSet<ResourceId>,
    /// The selected one and the one in detail.
    pub near: BTreeSet<ResourceId>,
    /// The rows on screen.
    pub visible: BTreeSet<ResourceId>,
}

/// How near a resource is; nearer ones are asked first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    Hot,
    Near,
    Visible,
    Wide,
}

impl Attention {
    fn nearness(&self, id: &ResourceId) -> Nearness {
        if self.hot.contains(id) {
            Nearness::Hot
        } else if self.near.contains(id) {
            Nearness::Near
        } else if self.visible.contains(id) {
            Nearness::Visible
        } else {
            Nearness::Wide
        }
    }
}

impl Slot {
    /// When to ask next; `None` while an answer is on its way.
    fn due(&self, every: Duration) -> Option<Timestamp> {
        if self.in_flight.is_some() {
            return None;
        }
        let wait = match self.failures {
            0 => every,
            failures if every > BACK_OFF_MAX => back_off(failures),
            failures => back_off(failures).max(every),
        };
        Some(self.asked_at.map_or(Timestamp::from_millis(i64::MIN), |at| at + wait))
    }

    fn ask(&mut self, generation: u64, now: Timestamp) {
        self.in_flight = Some(generation);
        self.asked_at = Some(now);
    }

    fn answer(&mut self, good: bool, at: Timestamp) {
        self.in_flight = None;
        self.answered = true;
        if good {
            self.failures = 0;
            self.good_at = Some(at);
        } else {
            self.failures = self.failures.saturating_add(1);
        }
    }
}

/// 5, 10, 20, 40, 60, 60 … seconds.
fn back_off(failures: u32) -> Duration {
    BACK_OFF_FIRST.saturating_mul(1 << (failures.saturating_sub(1)).min(8)).min(BACK_OFF_MAX)
}

/// What is to be asked of one kind, gathered before it is cut into polls.
#[derive(Default)]
struct Gathered {
    direct: Vec<(Nearness, ResourceId)>,
    /// With the window in minutes.
    metrics: Vec<(Nearness, u32, ResourceId)>,
}

impl Schedule {
    /// Nothing asked yet. What has no answer after `answer_within` of the session's time will be given up.
    pub fn new(answer_within: Duration) -> Self {
        Self {
            generation: 0,
            answer_within,
            in_flight: BTreeMap::new(),
            identity: Slot::default(),
            inventories: KindId::ALL.into_iter().map(|kind| (kind, Slot::default())).collect(),
            watches: BTreeMap::new(),
            wake_at: None,
        }
    }

    /// How many polls are on their way.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Whether every question has been answered once, well or badly: what there is to see has been seen.
    pub fn first_sweep_done(&self) -> bool {
        self.identity.answered
            && self.inventories.values().all(|slot| slot.answered)
            && self.watches.values().all(|watch| watch.direct.answered && watch.metrics.answered)
    }

    /// Whether a kind's resources have been listed at least once, or failed to be.
    pub fn inventory_answered(&self, kind: KindId) -> bool {
        self.inventories.get(&kind).is_some_and(|slot| slot.answered)
    }

    /// What is due now, and when to look again.
    pub fn due(
        &mut self,
        now: Timestamp,
        attention: &Attention,
        rows: &BTreeMap<ResourceId, Row>,
        budget_usd_per_h: f64,
    ) -> (Vec<Poll>, Option<Timestamp>) {
        self.give_up_late(now);
        let mut next = NextLook { now, at: None };
        let mut polls = Vec::new();
        if next.is_due(self.identity.due(BACK_OFF_MAX).filter(|_| self.identity.good_at.is_none())) {
            polls.push(self.ask(Question::Identity, now));
        }
        for kind in KindId::ALL {
            if next.is_due(self.inventories.get(&kind).and_then(|slot| slot.due(INVENTORY_EVERY))) {
                polls.push(self.ask(Question::Inventory(kind), now));
            }
        }
        for (kind, gathered) in self.gather(&mut next, attention, rows, budget_usd_per_h) {
            self.ask_direct(kind, gathered.direct, rows, now, &mut polls);
            self.ask_metrics(kind, gathered.metrics, rows, now, &mut polls);
        }
        if let Some((_, since)) = self.in_flight.values().min_by_key(|(_, since)| *since) {
            next.is_due(Some(*since + self.answer_within));
        }
        (polls, next.at)
    }

    fn gather(
        &self,
        next: &mut NextLook,
        attention: &Attention,
        rows: &BTreeMap<ResourceId, Row>,
        budget_usd_per_h: f64,
    ) -> BTreeMap<KindId, Gathered> {
        let sweep_every = DIRECT_SWEEP_EVERY.mul_f64((self.watches.len() as f64 / SWEEP_RESOURCES as f64).max(1.0));
        let metrics_wide_every = metrics_wide_every(rows, budget_usd_per_h);
        let mut all: BTreeMap<KindId, Gathered> = BTreeMap::new();
        for (id, watch) in &self.watches {
            let nearness = attention.nearness(id);
            let (direct_every, metrics_every) = match nearness {
                Nearness::Hot => (DIRECT_HOT_EVERY, METRICS_EVERY),
                Nearness::Near => (DIRECT_NEAR_EVERY, METRICS_EVERY),
                Nearness::Visible => (DIRECT_VISIBLE_EVERY, METRICS_EVERY),
                Nearness::Wide => (sweep_every, metrics_wide_every),
            };
            if next.is_due(watch.direct.due(direct_every)) {
                all.entry(id.kind).or_default().direct.push((nearness, id.clone()));
            }
            if watch.awaits_parts(rows.get(id)) {
                continue;
            }
            if next.is_due(watch.metrics.due(metrics_every)) {
                let window_min = watch.metrics.good_at.map_or(METRICS_FIRST_WINDOW_MIN, |good_at| {
                    let missed = next.now.since(good_at).as_secs() / 60;
                    u32::try_from(missed).unwrap_or(u32::MAX).saturating_add(METRICS_WINDOW_MIN)
                });
                let window_min = window_min.min(METRICS_FIRST_WINDOW_MIN);
                all.entry(id.kind).or_default().metrics.push((nearness, window_min, id.clone()));
            }
        }
        all
    }

    /// Nearest first; what does not fit into the polls that may be on their way stays due.
    fn ask_direct(
        &mut self,
        kind: KindId,
        mut wanted: Vec<(Nearness, ResourceId)>,
        rows: &BTreeMap<ResourceId, Row>,
        now: Timestamp,
        polls: &mut Vec<Poll>,
    ) {
        wanted.sort();
        for same in wanted.chunk_by(|a, b| a.0 == b.0) {
            for chunk in same.chunks(DIRECT_CHUNK) {
                if self.is_full(same.first().map_or(Nearness::Wide, |(nearness, _)| *nearness)) {
                    return;
                }
                let targets = chunk.iter().filter_map(|(_, id)| rows.get(id).map(|row| target(row, false))).collect();
                polls.push(self.ask(Question::Direct(kind, targets), now));
            }
        }
    }

    fn ask_metrics(
        &mut self,
        kind: KindId,
        mut wanted: Vec<(Nearness, u32, ResourceId)>,
        rows: &BTreeMap<ResourceId, Row>,
        now: Timestamp,
        polls: &mut Vec<Poll>,
    ) {
        wanted.sort_by(|a, b| (a.0.min(Nearness::Near), a.1, &a.2).cmp(&(b.0.min(Nearness::Near), b.1, &b.2)));
        // One window a poll; nearness does not cut polls here, since one call carries many metrics.
        wanted.sort_by_key(|(_, window_min, _)| *window_min);
        for same in wanted.chunk_by(|a, b| a.1 == b.1) {
            for chunk in same.chunks(METRICS_CHUNK) {
                let nearest = chunk.iter().map(|(nearness, ..)| *nearness).min().unwrap_or(Nearness::Wide);
                if self.is_full(nearest) {
                    return;
                }
                let targets = chunk.iter().filter_map(|(_, _, id)| rows.get(id).map(|row| target(row, true))).collect();
                let window_min = chunk.first().map_or(METRICS_WINDOW_MIN, |(_, window_min, _)| *window_min);
                polls.push(self.ask(Question::Metrics { kind, targets, window_min }, now));
            }
        }
    }

    fn is_full(&self, nearness: Nearness) -> bool {
        let max = if nearness == Nearness::Wide { IN_FLIGHT_WIDE_MAX } else { IN_FLIGHT_MAX };
        self.in_flight.len() >= max
    }

    fn ask(&mut self, question: Question, now: Timestamp) -> Poll {
        self.generation += 1;
        let generation = self.generation;
        self.each_slot(&question, |_, slot| slot.ask(generation, now));
        self.in_flight.insert(generation, (question.clone(), now));
        Poll { question, generation }
    }

    /// Calls `f` with every slot that a question concerns.
    fn each_slot(&mut self, question: &Question, mut f: impl FnMut(Option<&ResourceId>, &mut Slot)) {
        match question {
            Question::Identity => f(None, &mut self.identity),
            Question::Inventory(kind) => f(None, self.inventories.entry(*kind).or_default()),
            Question::Direct(_, targets) => {
                for target in targets {
                    if let Some(watch) = self.watches.get_mut(&target.id) {
                        f(Some(&target.id), &mut watch.direct);
                    }
                }
            }
            Question::Metrics { targets, .. } => {
                for target in targets {
                    if let Some(watch) = self.watches.get_mut(&target.id) {
                        f(Some(&target.id), &mut watch.metrics);
                    }
                }
            }
        }
    }

    /// Notes an answer. `false`: it is late, of a poll that was given up or asked anew, and must be dropped.
    pub fn answered(&mut self, poll: &Poll, reading: &Reading, at: Timestamp) -> bool {
        let Some((question, _)) = self.in_flight.remove(&poll.generation) else { return false };
        let failed: BTreeSet<&ResourceId> = reading.failed.iter().map(|(id, _)| id).collect();
        let good = match &question {
            Question::Identity => reading.identity.is_some(),
            Question::Inventory(_) => reading.inventory.is_some(),
            Question::Direct(..) | Question::Metrics { .. } => true,
        };
        self.each_slot(&question, |id, slot| {
            if slot.in_flight == Some(poll.generation) {
                slot.answer(good && id.is_none_or(|id| !failed.contains(id)), at);
            }
        });
        true
    }

    fn give_up_late(&mut self, now: Timestamp) {
        let late = |since: &Timestamp| now.since(*since) >= self.answer_within;
        let generations: Vec<u64> =
            self.in_flight.iter().filter(|(_, (_, since))| late(since)).map(|(generation, _)| *generation).collect();
        for generation in generations {
            let Some((question, _)) = self.in_flight.remove(&generation) else { continue };
            self.each_slot(&question, |_, slot| {
                if slot.in_flight == Some(generation) {
                    slot.answer(false, now);
                }
            });
        }
    }

    /// Asks anew for everything about these resources and for their kinds' inventories; what is on its way about
    /// them is dropped when it comes.
    pub fn ask_again(&mut self, ids: &BTreeSet<ResourceId>, kinds: &BTreeSet<KindId>) {
        let concerns = |question: &Question| match question {
            Question::Identity => true,
            Question::Inventory(kind) => kinds.contains(kind),
            Question::Direct(_, targets) | Question::Metrics { targets, .. } => {
                targets.iter().any(|target| ids.contains(&target.id))
            }
        };
        let dropped: Vec<Question> =
            self.in_flight.values().filter(|(question, _)| concerns(question)).map(|(q, _)| q.clone()).collect();
        self.in_flight.retain(|_, (question, _)| !concerns(question));
        let fresh = |slot: &mut Slot| {
            (slot.asked_at, slot.in_flight, slot.failures) = (None, None, 0);
        };
        for question in dropped {
            self.each_slot(&question, |_, slot| fresh(slot));
        }
        fresh(&mut self.identity);
        for kind in kinds {
            fresh(self.inventories.entry(*kind).or_default());
        }
        for id in ids {
            if let Some(watch) = self.watches.get_mut(id) {
                fresh(&mut watch.direct);
                fresh(&mut watch.metrics);
            }
        }
    }

    /// The resources of a kind are these now: new ones are watched, gone ones no more.
    pub fn set_resources(&mut self, kind: KindId, ids: &BTreeSet<ResourceId>) {
        self.watches.retain(|id, _| id.kind != kind || ids.contains(id));
        for id in ids {
            self.watches.entry(id.clone()).or_default();
        }
    }
}

/// The earliest time after now that something falls due.
struct NextLook {
    now: Timestamp,
    at: Option<Timestamp>,
}

impl NextLook {
    /// Whether it is due now; if not, it is remembered for later.
    fn is_due(&mut self, due: Option<Timestamp>) -> bool {
        let Some(due) = due else { return false };
        if due <= self.now {
            return true;
        }
        self.at = Some(self.at.map_or(due, |at| at.min(due)));
        false
    }
}

/// How often metrics of what is off screen may be fetched within the budget.
fn metrics_wide_every(rows: &BTreeMap<ResourceId, Row>, budget_usd_per_h: f64) -> Duration {
    let metrics: usize = rows.values().map(metric_count).sum();
    let usd_per_sweep = metrics as f64 * USD_PER_METRIC;
    let hours = usd_per_sweep / budget_usd_per_h.max(0.001);
    METRICS_EVERY.max(Duration::from_secs_f64((hours * 3600.0).min(86_400.0)))
}

fn metric_count(row: &Row) -> usize {
    let kind = kinds::kind(row.id.kind);
    kind.metrics.len() + kind.part_metrics.len() * metric_parts(row).count()
}

/// Whether it is a stream with shard-level metrics.
fn has_part_metrics(row: &Row) -> bool {
    let enabled = row.fields.get(&kinds::kinesis::SHARD_METRICS).is_some_and(|value| value.datum == Datum::Flag(true));
    row.id.kind == KindId::Kinesis && enabled
}

/// The parts whose metrics exist: open shards of a stream with shard-level metrics.
fn metric_parts(row: &Row) -> impl Iterator<Item = &str> {
    let wanted = has_part_metrics(row);
    let open = |fields: &crate::domain::field::Fields| fields.text(&kinds::kinesis::SHARD_STATE) == Some("open");
    row.parts.iter().filter(move |part| wanted && open(&part.fields)).map(|part| part.id.as_str())
}

fn target(row: &Row, with_parts: bool) -> Target {
    let address = match row.id.kind {
        KindId::Kinesis => row.fields.text(&kinds::kinesis::ARN),
        KindId::Sqs => row.fields.text(&kinds::sqs::URL),
        KindId::Lambda => row.fields.text(&kinds::lambda::ARN),
    };
    let parts = if with_parts { metric_parts(row).map(str::to_owned).collect() } else { Vec::new() };
    let move_tasks = row.id.kind == KindId::Sqs && kinds::sqs::is_dead_letter_queue(row);
    Target { id: row.id.clone(), address: address.map(str::to_owned), parts, move_tasks }
}

#[cfg(test)]
mod tests;
