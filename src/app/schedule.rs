//! The schedule: what is asked when. Freshness follows attention, cost stays within the budget, nothing is asked
//! twice at once, and what fails is asked again ever more slowly.

use crate::domain::execution::WorkflowAnswer;
use crate::domain::finding::{ErrorClass, Problem};
use crate::domain::poll::{Poll, Probe, Question, Reading};
use crate::domain::refresh::Refresh;
use crate::domain::row::{Health, KindId, Place, ResourceId, Row};
use crate::domain::time::Timestamp;
use crate::kinds::{self, Kind};
use attention::Nearness;
use money::{Costs, METRICS_EVERY, Money, USD_PER_METRIC};
use on_demand::OnDemand;
use purse::Purse;
use slot::{BACK_OFF_MAX, CHANGES_EVERY, NextLook, Slot};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tags::TagPolls;
use targets::{metric_count, target};

mod again;
mod attention;
mod money;
mod on_demand;
mod probes;
mod purse;
mod seen;
mod slot;
mod tags;
mod targets;

pub use attention::Attention;

/// A resource that a running job changes.
const DIRECT_HOT_EVERY: Duration = Duration::from_secs(2);
/// What nobody looks at is asked as often as its kind wants for up to so many resources; for more it takes longer in
/// proportion.
const SWEEP_RESOURCES: usize = 1000;
const METRICS_FIRST_WINDOW_MIN: u32 = 60;
/// The newest periods keep changing for some minutes.
const METRICS_WINDOW_MIN: u32 = 5;
/// A kind of which nothing is known is listed so often: in a new account, the first of it is what somebody waits for.
const NOTHING_EVERY: Duration = Duration::from_secs(60);
/// When the purse is looked into again after it could not pay.
const SHORT_WAIT: Duration = Duration::from_secs(10);
/// A poll without an answer for this long of real time is given up; its answer will be dropped as late.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(90);
/// No time is later.
const NEVER: Timestamp = Timestamp::from_millis(i64::MAX);
/// Whatever the time is, it has come.
const NOW: Timestamp = Timestamp::from_millis(i64::MIN);
const DIRECT_CHUNK: usize = 25;
const METRICS_CHUNK: usize = 100;
/// How many polls may be on their way at once; the last ones are kept for what the person looks at.
const IN_FLIGHT_MAX: usize = 18;
const IN_FLIGHT_WIDE_MAX: usize = 12;
/// How many of the sweep's questions to one kind's service may be. They wait for their operation's pace: more of them
/// would be no faster, and would keep the other kinds waiting.
const IN_FLIGHT_KIND_MAX: usize = 3;

/// When each question was asked, and what is on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    generation: u64,
    answer_within: Duration,
    refresh: Refresh,
    /// What is on its way, by generation.
    in_flight: BTreeMap<u64, Asked>,
    /// When the last answer came, good or bad.
    answered_at: Option<Timestamp>,
    purse: Purse,
    /// Something off screen is due that the purse cannot pay yet.
    is_short: bool,
    /// How often metrics of what nobody looks at are fetched within the budget.
    sweep_every: Duration,
    identities: BTreeMap<Place, Slot>,
    changes: BTreeMap<Place, Slot>,
    inventories: BTreeMap<(Place, KindId), Slot>,
    watches: BTreeMap<ResourceId, Watch>,
    /// What a person has asked to be probed.
    probes: Vec<Probe>,
    on_demand: OnDemand,
    /// When all is next looked at. Until then nothing falls due but what the person looks at: each answer and each wish
    /// brings it forward to now, and a key does not, however many resources there are.
    wide_at: Timestamp,
    /// What a round of all costs, as of the last look at all.
    costs: Costs,
    tags: TagPolls,
    /// The wake asked for last.
    pub(in crate::app) wake_at: Option<Timestamp>,
}

/// A question on its way.
#[derive(Clone, Debug, PartialEq)]
struct Asked {
    place: Place,
    question: Question,
    since: Timestamp,
    /// What was paid for it.
    usd: f64,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Watch {
    direct: Slot,
    metrics: Slot,
    /// The questions among them that asked for the metrics of what is near, too.
    near_metrics: Slot,
}

impl Watch {
    /// Parts with metrics of their own must be known before their metrics can be asked for.
    fn awaits_parts(&self, kind: &Kind) -> bool {
        !kind.part_metrics.is_empty() && !self.direct.answered
    }
}

/// What is to be asked of one kind, gathered before it is cut into polls.
#[derive(Default)]
struct Gathered {
    direct: Vec<(Nearness, ResourceId)>,
    /// With the window in minutes.
    metrics: Vec<(Nearness, u32, ResourceId)>,
}

impl Schedule {
    /// Nothing asked yet of these places. What has no answer after `answer_within` of the session's time will be given
    /// up.
    pub fn new(answer_within: Duration, refresh: Refresh, places: &[Place]) -> Self {
        let kinds = |place: &Place| KindId::ALL.map(|kind| ((place.clone(), kind), Slot::default()));
        Self {
            generation: 0,
            answer_within,
            refresh,
            in_flight: BTreeMap::new(),
            answered_at: None,
            purse: Purse::default(),
            is_short: false,
            sweep_every: METRICS_EVERY,
            identities: places.iter().map(|place| (place.clone(), Slot::default())).collect(),
            changes: places.iter().map(|place| (place.clone(), Slot::default())).collect(),
            inventories: places.iter().flat_map(kinds).collect(),
            watches: BTreeMap::new(),
            probes: Vec::new(),
            on_demand: OnDemand::default(),
            wide_at: NOW,
            costs: Costs::default(),
            tags: TagPolls::default(),
            wake_at: None,
        }
    }

    /// How many polls are on their way.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// How often CloudWatch is asked about what nobody looks at; the budget decides.
    pub fn sweep_every(&self) -> Duration {
        self.sweep_every
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
        self.purse.fill(now, budget_usd_per_h);
        let is_wide = now >= self.wide_at;
        if is_wide {
            self.is_short = false;
            self.costs = Costs::of(rows);
        }
        let money = Money::shared(&self.costs, attention, rows, budget_usd_per_h, self.refresh.swept);
        self.sweep_every = money.metrics_every;
        let mut next = NextLook { now, at: Some(self.wide_at).filter(|at| !is_wide && *at < NEVER) };
        let mut polls = Vec::new();
        let unknown = |slot: &Slot| slot.due(BACK_OFF_MAX).filter(|_| slot.good_at.is_none());
        let identities = self.identities.iter().filter(|(_, slot)| next.is_due(unknown(slot)));
        for place in identities.map(|(place, _)| place.clone()).collect::<Vec<_>>() {
            polls.push(self.ask(place, Question::Identity, 0.0, true, now));
        }
        self.ask_probes(now, &mut polls);
        self.ask_tags(&mut next, &mut polls, now);
        let every = |place: &Place, kind: KindId| {
            let every = kinds::kind(kind).inventory_every;
            if self.has_any(place, kind) { every } else { every.min(NOTHING_EVERY) }
        };
        let listed = |place: &Place| self.tags.are_read(place);
        let inventories = self.inventories.iter().filter(|((place, _), _)| listed(place));
        let inventories = inventories.filter(|((place, kind), slot)| next.is_due(slot.due(every(place, *kind))));
        for (place, kind) in inventories.map(|(of, _)| of.clone()).collect::<Vec<_>>() {
            polls.push(self.ask(place, Question::Inventory(kind), 0.0, false, now));
        }
        let changes = self.changes.iter().filter(|(place, _)| self.tags.are_read(place));
        let changes = changes.filter(|(_, slot)| next.is_due(slot.due(CHANGES_EVERY)));
        for (place, since) in changes.map(|(place, slot)| (place.clone(), slot.changes_since(now))).collect::<Vec<_>>()
        {
            polls.push(self.ask(place, Question::Changes { since }, 0.0, false, now));
        }
        self.ask_on_demand(&mut next, attention, &mut polls, now);
        let gathered = if is_wide {
            self.gather(self.watches.iter(), &mut next, attention, rows, &money)
        } else {
            let looked_at = attention.ids().filter_map(|id| self.watches.get_key_value(id));
            self.gather(looked_at, &mut next, attention, rows, &money)
        };
        for (of, gathered) in gathered {
            self.ask_direct(&of, gathered.direct, rows, &money, now, &mut polls);
            self.ask_metrics(&of, gathered.metrics, rows, &money, now, &mut polls);
        }
        if let Some(since) = self.in_flight.values().map(|asked| asked.since).min() {
            next.is_due(Some(since + self.answer_within));
        }
        if self.is_short {
            next.is_due(Some(now + SHORT_WAIT));
        }
        self.wide_at = next.at.unwrap_or(NEVER);
        (polls, next.at)
    }

    fn has_any(&self, place: &Place, kind: KindId) -> bool {
        let from_the_first = self.watches.range(ResourceId::new(kind, "")..);
        from_the_first.take_while(|(id, _)| id.kind == kind).any(|(id, _)| id.place == *place)
    }

    fn gather<'w>(
        &self,
        watches: impl Iterator<Item = (&'w ResourceId, &'w Watch)>,
        next: &mut NextLook,
        attention: &Attention,
        rows: &BTreeMap<ResourceId, Row>,
        money: &Money,
    ) -> BTreeMap<(KindId, Place), Gathered> {
        let stretch = (self.watches.len() as f64 / SWEEP_RESOURCES as f64).max(1.0);
        let mut all: BTreeMap<(KindId, Place), Gathered> = BTreeMap::new();
        let of = |id: &ResourceId| (id.kind, id.place.clone());
        for (id, watch) in watches {
            let row = rows.get(id);
            let nearness = attention.nearness(id, row);
            let kind = kinds::kind(id.kind);
            let sweep_every = kind.sweep_every.map_or(self.refresh.on_screen, |every| every.max(self.refresh.swept));
            let (direct_every, metrics_every) = match nearness {
                Nearness::Hot => (DIRECT_HOT_EVERY, METRICS_EVERY),
                Nearness::Near => (self.refresh.selected, METRICS_EVERY),
                Nearness::Visible => (self.refresh.on_screen, METRICS_EVERY),
                Nearness::Unwell => (sweep_every, METRICS_EVERY),
                Nearness::Wide => (sweep_every.mul_f64(stretch).max(money.direct_every), money.metrics_every),
            };
            let is_unwell = row.is_some_and(|row| row.health >= Health::Warn);
            let is_asked = kind.sweep_every.is_some() || nearness <= Nearness::Near || is_unwell;
            if is_asked && next.is_due(watch.direct.due(direct_every)) {
                all.entry(of(id)).or_default().direct.push((nearness, id.clone()));
            }
            if !kind.has_metrics() || watch.awaits_parts(kind) {
                continue;
            }
            let slot = match nearness <= Nearness::Near && kind.has_near_metrics() {
                true => &watch.near_metrics,
                false => &watch.metrics,
            };
            if watch.metrics.in_flight.is_none() && next.is_due(slot.due(metrics_every)) {
                let window_min = slot.good_at.map_or(METRICS_FIRST_WINDOW_MIN, |good_at| {
                    let missed = next.now.since(good_at).as_secs() / 60;
                    u32::try_from(missed).unwrap_or(u32::MAX).saturating_add(METRICS_WINDOW_MIN)
                });
                let window_min = window_min.min(METRICS_FIRST_WINDOW_MIN);
                all.entry(of(id)).or_default().metrics.push((nearness, window_min, id.clone()));
            }
        }
        all
    }

    /// Nearest first; what does not fit into the polls that may be on their way stays due.
    fn ask_direct(
        &mut self,
        of: &(KindId, Place),
        mut wanted: Vec<(Nearness, ResourceId)>,
        rows: &BTreeMap<ResourceId, Row>,
        money: &Money,
        now: Timestamp,
        polls: &mut Vec<Poll>,
    ) {
        let (kind, place) = of;
        wanted.sort();
        for same in wanted.chunk_by(|a, b| a.0 == b.0) {
            for chunk in same.chunks(DIRECT_CHUNK) {
                let nearness = same.first().map_or(Nearness::Wide, |(nearness, _)| *nearness);
                let usd = kinds::kind(*kind).direct_usd * chunk.len() as f64;
                if self.is_full(nearness) || self.is_kind_full(of, nearness) || !self.can_pay(usd, nearness, money) {
                    return;
                }
                let targets = chunk
                    .iter()
                    .filter_map(|(_, id)| rows.get(id).map(|row| target(row, false, nearness <= Nearness::Near)))
                    .collect();
                let question = Question::Direct(*kind, targets);
                polls.push(self.ask(place.clone(), question, usd, nearness < Nearness::Unwell, now));
            }
        }
    }

    fn ask_metrics(
        &mut self,
        (kind, place): &(KindId, Place),
        mut wanted: Vec<(Nearness, u32, ResourceId)>,
        rows: &BTreeMap<ResourceId, Row>,
        money: &Money,
        now: Timestamp,
        polls: &mut Vec<Poll>,
    ) {
        wanted.sort_by(|a, b| (a.0.min(Nearness::Near), a.1, &a.2).cmp(&(b.0.min(Nearness::Near), b.1, &b.2)));
        // One window a poll; nearness does not cut polls here, since one call carries many metrics.
        wanted.sort_by_key(|(_, window_min, _)| *window_min);
        for same in wanted.chunk_by(|a, b| a.1 == b.1) {
            for chunk in same.chunks(METRICS_CHUNK) {
                let nearest = chunk.iter().map(|(nearness, ..)| *nearness).min().unwrap_or(Nearness::Wide);
                let rows =
                    chunk.iter().filter_map(|(nearness, _, id)| Some((*nearness <= Nearness::Near, rows.get(id)?)));
                let metrics: usize = rows.clone().map(|(is_near, row)| metric_count(row, is_near)).sum();
                let usd = metrics as f64 * USD_PER_METRIC;
                if self.is_full(nearest) || !self.can_pay(usd, nearest, money) {
                    return;
                }
                let targets = rows.map(|(is_near, row)| target(row, true, is_near)).collect();
                let window_min = chunk.first().map_or(METRICS_WINDOW_MIN, |(_, window_min, _)| *window_min);
                let question = Question::Metrics { kind: *kind, targets, window_min };
                polls.push(self.ask(place.clone(), question, usd, nearest < Nearness::Unwell, now));
            }
        }
    }

    /// Pays for a poll, if the purse can; what is off screen leaves enough for what is on it.
    fn can_pay(&mut self, usd: f64, nearness: Nearness, money: &Money) -> bool {
        let reserve = if nearness <= Nearness::Visible { 0.0 } else { money.reserve };
        let is_paid = self.purse.pay(usd, reserve);
        self.is_short |= !is_paid;
        is_paid
    }

    fn is_full(&self, nearness: Nearness) -> bool {
        let max = if nearness >= Nearness::Unwell { IN_FLIGHT_WIDE_MAX } else { IN_FLIGHT_MAX };
        self.in_flight.len() >= max
    }

    fn is_kind_full(&self, (kind, place): &(KindId, Place), nearness: Nearness) -> bool {
        let is_of =
            |asked: &&Asked| matches!(&asked.question, Question::Direct(of, _) if of == kind && asked.place == *place);
        nearness >= Nearness::Unwell && self.in_flight.values().filter(is_of).count() >= IN_FLIGHT_KIND_MAX
    }

    fn ask(&mut self, place: Place, question: Question, usd: f64, is_near: bool, now: Timestamp) -> Poll {
        self.generation += 1;
        let generation = self.generation;
        self.each_slot(&place, &question, |_, slot| slot.ask(generation, now));
        let asked = Asked { place: place.clone(), question: question.clone(), since: now, usd };
        self.in_flight.insert(generation, asked);
        Poll { place, question, generation, is_near }
    }

    /// Calls `f` with every slot that a question concerns.
    fn each_slot(&mut self, place: &Place, question: &Question, mut f: impl FnMut(Option<&ResourceId>, &mut Slot)) {
        match question {
            Question::Probe(_) => {}
            Question::Identity => f(None, self.identities.entry(place.clone()).or_default()),
            Question::Changes { .. } => f(None, self.changes.entry(place.clone()).or_default()),
            Question::Tags(_) => _ = self.tags.slot(place).map(|slot| f(None, slot)),
            Question::Inventory(kind) => f(None, self.inventories.entry((place.clone(), *kind)).or_default()),
            Question::Log(_) | Question::Workflow(_) | Question::Throttled(_) => {
                if self.on_demand.is_of(question) {
                    f(None, &mut self.on_demand.slot);
                }
            }
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
                        if target.is_near {
                            f(Some(&target.id), &mut watch.near_metrics);
                        }
                    }
                }
            }
        }
    }

    /// Notes an answer. `false`: it is late, of a poll that was given up or asked anew, and must be dropped.
    pub fn answered(&mut self, poll: &Poll, reading: &Reading, at: Timestamp) -> bool {
        (self.wide_at, self.answered_at) = (NOW, Some(at));
        let Some(Asked { place, question, usd, .. }) = self.in_flight.remove(&poll.generation) else {
            self.purse.settle(0.0, reading.calls.usd);
            return false;
        };
        self.purse.settle(usd, reading.calls.usd);
        let failed: BTreeSet<&ResourceId> = reading.failed.iter().map(|(id, _)| id).collect();
        let good = match &question {
            // An alias that could not be read is asked for again, unless nobody there knows of any.
            Question::Identity => {
                reading.identity.is_some() && reading.problems.iter().all(|told| told.class == ErrorClass::Missing)
            }
            Question::Inventory(_) => reading.inventory.is_some(),
            Question::Changes { .. } => reading.changes.is_some(),
            Question::Tags(_) => reading.tags.is_some(),
            Question::Log(_) => matches!(reading.log, Some(Ok(_))),
            Question::Workflow(_) => reading.workflow.as_ref().is_some_and(WorkflowAnswer::is_good),
            Question::Throttled(_) => matches!(reading.throttled, Some(Ok(_))),
            Question::Direct(..) | Question::Metrics { .. } | Question::Probe(_) => true,
        };
        let whole = !(matches!(question, Question::Inventory(_)) && reading.problems.iter().any(Problem::passes));
        self.each_slot(&place, &question, |id, slot| {
            if slot.in_flight == Some(poll.generation) {
                slot.answer(good && id.is_none_or(|id| !failed.contains(id)), whole, at);
            }
        });
        true
    }

    fn give_up_late(&mut self, now: Timestamp) {
        let late = |asked: &Asked| now.since(asked.since) >= self.answer_within;
        let generations: Vec<u64> =
            self.in_flight.iter().filter(|(_, asked)| late(asked)).map(|(generation, _)| *generation).collect();
        for generation in generations {
            self.wide_at = NOW;
            let Some(Asked { place, question, usd, .. }) = self.in_flight.remove(&generation) else { continue };
            self.purse.settle(usd, 0.0);
            self.each_slot(&place, &question, |_, slot| {
                if slot.in_flight == Some(generation) {
                    slot.answer(false, false, now);
                }
            });
        }
    }

    /// Lists a kind's resources anew, as soon as what is on its way has come.
    pub fn list_kind_again(&mut self, place: &Place, kind: KindId) {
        self.wide_at = NOW;
        if let Some(slot) = self.inventories.get_mut(&(place.clone(), kind)) {
            let answered = slot.answered;
            slot.look_again();
            slot.answered = answered;
        }
    }

    /// More is known of what can be asked about this resource.
    pub fn look_again(&mut self, id: &ResourceId) {
        self.wide_at = NOW;
        if let Some(watch) = self.watches.get_mut(id) {
            watch.direct.look_again();
        }
    }

    /// The resources of a kind in a place are these now: new ones are watched, gone ones no more.
    pub fn set_resources(&mut self, place: &Place, kind: KindId, ids: &BTreeSet<ResourceId>) {
        self.wide_at = NOW;
        self.watches.retain(|id, _| id.kind != kind || id.place != *place || ids.contains(id));
        for id in ids {
            self.watches.entry(id.clone()).or_default();
        }
    }
}

#[cfg(test)]
mod tests;
