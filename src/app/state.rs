//! State: all that the console knows and shows. Plain data; `update` is its only writer.

use crate::actions::{Plan, Safety};
use crate::app::dialog::Dialog;
use crate::app::job::{Job, PlanId};
use crate::app::list::{List, ListId};
use crate::app::readings::{Memory, ProblemKey};
use crate::app::schedule::{ANSWER_WITHIN, Schedule};
use crate::app::screen::Screen;
use crate::domain::change::Changes;
use crate::domain::finding::{ErrorClass, Finding, Problem};
use crate::domain::pattern::Filter;
use crate::domain::poll::{Calls, Identity};
use crate::domain::refresh::Refresh;
use crate::domain::row::{Health, KindId, Place, ResourceId, Row};
use crate::domain::series::{Series, SeriesKey};
use crate::domain::tag::Tags;
use crate::domain::time::Timestamp;
use crate::kinds::threshold::Thresholds;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub settings: Settings,
    /// The time of the newest event. Ages on screen are told from it.
    pub now: Timestamp,
    pub started: Timestamp,
    pub size: Size,
    /// Who asks, for each context.
    pub identities: BTreeMap<Place, Identity>,
    pub rows: BTreeMap<ResourceId, Row>,
    pub series: BTreeMap<SeriesKey, Series>,
    /// The tags that the filters ask for, as they were last read.
    pub tags: BTreeMap<Place, Tags>,
    /// How many resources the config's filter hides, by context and kind: they were listed, and nothing else was asked.
    pub hidden: BTreeMap<(Place, KindId), usize>,
    /// Derived from rows and series; most important first.
    pub findings: Vec<Finding>,
    /// What somebody changed lately, newest first.
    pub changes: Changes,
    /// What cannot be looked at; an operation that works again takes its problem away.
    pub problems: BTreeMap<ProblemKey, Problem>,
    pub meter: Meter,
    /// Derived: how many resources of each kind are how.
    pub counts: BTreeMap<KindId, Counts>,
    /// The stack of screens; the last is on top. Never empty.
    pub screens: Vec<Screen>,
    /// The stack of dialogs; the last takes keys first.
    pub dialogs: Vec<Dialog>,
    pub lists: BTreeMap<ListId, List>,
    pub toasts: VecDeque<Toast>,
    /// Confirmed plans, oldest first, at most [`JOBS_MAX`](crate::app::job::JOBS_MAX).
    pub jobs: VecDeque<Job>,
    /// Nothing new is asked while this holds.
    pub paused: bool,
    pub schedule: Schedule,
    pub(in crate::app) plans_made: u64,
    pub(in crate::app) memory: Memory,
}

/// What was decided before the first event and never changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub source: Source,
    /// What the header says of the demo: `demo flash-sale ×1`; empty for live AWS.
    pub source_label: String,
    /// What is watched; never empty.
    pub contexts: Vec<Context>,
    /// What could be watched: the config's contexts, and the profiles of AWS's files.
    pub known: Vec<Known>,
    /// The most that watching may cost, in US dollars an hour at list prices.
    pub budget_usd_per_h: f64,
    pub refresh: Refresh,
    /// Limits that the person set beside midwatch's own.
    pub thresholds: Thresholds,
    /// How many seconds of the session's time pass in a real one: 1 for live AWS. What a person needs time for is
    /// reckoned in real time.
    pub speed: f64,
}

/// An account and a region as somebody who may look at them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Context {
    /// By which it was chosen: a context of the config, or a profile.
    pub name: Option<String>,
    /// Where its resources are said to be.
    pub place: Place,
    pub region: Option<String>,
    pub profile: Option<String>,
    /// Asked instead of AWS's own.
    pub endpoint_url: Option<String>,
    /// Whether plans may be performed: the demo, `--allow-actions`, or the config's word.
    pub allow_actions: bool,
    /// What is done here is done to customers: it is always said, and every plan wants the resource's name typed.
    pub production: bool,
    /// Which of its resources are watched.
    pub filter: Filter,
    /// Why nothing there can be asked, with the cure: it has no clients.
    pub unopened: Option<String>,
}

/// A context that somebody may choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub name: String,
    /// Where it looks and as whom, in a few words.
    pub what: String,
    /// Marked in the config: what is done there is done to customers.
    pub production: bool,
}

impl Settings {
    pub fn context(&self, place: &Place) -> Option<&Context> {
        self.contexts.iter().find(|context| context.place == *place)
    }

    /// Whether plans may be performed there.
    pub fn may_act(&self, place: &Place) -> bool {
        self.context(place).is_some_and(|context| context.allow_actions)
    }

    /// Whether a plan is done only when the resource's name has been typed.
    pub fn asks_name(&self, plan: &Plan) -> bool {
        let production = self.context(&plan.resource.place).is_some_and(|context| context.production);
        match plan.safety {
            Safety::Harmless => false,
            Safety::Costly => production,
            Safety::Destructive => true,
        }
    }

    /// So much of a person's time, in the session's.
    pub fn real(&self, duration: Duration) -> Duration {
        duration.mul_f64(self.speed.max(1.0))
    }
}

/// Where answers come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Live,
    Demo,
}

impl Source {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Demo => "demo",
        }
    }
}

/// The terminal's size in cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub width: u16,
    pub height: u16,
}

/// What this program has asked of AWS so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meter {
    pub calls: Calls,
    /// Cost and time of the newest readings, for the rate; at most an hour.
    pub(in crate::app) recent: VecDeque<(Timestamp, f64)>,
}

/// The span that the meter's rate speaks of.
const METER_SPAN: Duration = Duration::from_secs(3600);
/// Below this much time a rate would be a guess.
const METER_SPAN_MIN: Duration = Duration::from_secs(60);
/// More readings than this are merged into the newest entry.
const METER_ENTRIES_MAX: usize = 4096;

impl Meter {
    pub fn add(&mut self, at: Timestamp, calls: &Calls) {
        self.calls.add(calls);
        let is_full = self.recent.len() >= METER_ENTRIES_MAX;
        match self.recent.back_mut() {
            Some(last) if is_full => last.1 += calls.usd,
            _ => self.recent.push_back((at, calls.usd)),
        }
        while self.recent.front().is_some_and(|(then, _)| at.since(*then) > METER_SPAN) {
            self.recent.pop_front();
        }
    }

    /// US dollars an hour over the last hour, or since `started`; at least a minute is reckoned.
    pub fn usd_per_h(&self, started: Timestamp, now: Timestamp) -> f64 {
        let span = now.since(started).clamp(METER_SPAN_MIN, METER_SPAN);
        let usd: f64 = self.recent.iter().map(|(_, usd)| usd).sum();
        usd * 3600.0 / span.as_secs_f64()
    }
}

/// Resources of a kind by health.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub ok: usize,
    pub unknown: usize,
    pub warn: usize,
    pub crit: usize,
}

impl Counts {
    pub fn total(&self) -> usize {
        self.ok + self.unknown + self.warn + self.crit
    }

    pub fn add(&mut self, health: Health) {
        match health {
            Health::Ok => self.ok += 1,
            Health::Unknown => self.unknown += 1,
            Health::Warn => self.warn += 1,
            Health::Crit => self.crit += 1,
        }
    }
}

/// A sentence for the person that goes by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    pub text: String,
    pub tone: Tone,
    pub at: Timestamp,
    pub until: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Info,
    Good,
    Bad,
    /// A key could not be followed here; it goes when the person does.
    Refused,
}

/// How many toasts are kept at once.
pub const TOASTS_MAX: usize = 4;
/// How long a toast stays: long enough to read a sentence twice.
const TOAST_STAYS: Duration = Duration::from_secs(8);

/// The problem of a context that could not be opened.
fn unopened(context: &Context) -> Option<Problem> {
    let sentence = context.unopened.clone()?;
    let (place, class) = (context.place.clone(), ErrorClass::Other);
    Some(Problem { place, service: "config", operation: "context", class, of_place: false, sentence })
}

fn key(problem: &Problem) -> ProblemKey {
    (problem.place.clone(), problem.service, problem.operation)
}

impl State {
    /// The state before the first event, as of `now`.
    pub fn new(settings: Settings, now: Timestamp) -> Self {
        let opened = settings.contexts.iter().filter(|context| context.unopened.is_none());
        let places: Vec<Place> = opened.map(|context| context.place.clone()).collect();
        let problems = settings.contexts.iter().filter_map(unopened).map(|problem| (key(&problem), problem)).collect();
        let mut schedule = Schedule::new(settings.real(ANSWER_WITHIN), settings.refresh, &places);
        for context in settings.contexts.iter().filter(|context| places.contains(&context.place)) {
            schedule.want_tags(&context.place, context.filter.tags_wanted());
        }
        Self {
            settings,
            now,
            started: now,
            size: Size { width: 80, height: 24 },
            identities: BTreeMap::new(),
            rows: BTreeMap::new(),
            series: BTreeMap::new(),
            tags: BTreeMap::new(),
            hidden: BTreeMap::new(),
            findings: Vec::new(),
            changes: Changes::default(),
            problems,
            meter: Meter::default(),
            counts: BTreeMap::new(),
            screens: vec![Screen::List(ListId::Overview)],
            dialogs: Vec::new(),
            lists: ListId::ALL.into_iter().map(|id| (id, List::default())).collect(),
            toasts: VecDeque::new(),
            jobs: VecDeque::new(),
            paused: false,
            schedule,
            plans_made: 0,
            memory: Memory::default(),
        }
    }

    /// The list on screen or under it.
    pub fn list(&self) -> Option<&List> {
        self.lists.get(&self.list_id())
    }

    /// The context that the person looks at: that of the resource in focus.
    pub fn context(&self) -> Option<&Context> {
        let contexts = &self.settings.contexts;
        let first = || contexts.iter().find(|context| context.unopened.is_none()).or(contexts.first());
        self.place_in_focus().and_then(|place| self.settings.context(place)).or_else(first)
    }

    pub fn job(&self, id: PlanId) -> Option<&Job> {
        self.jobs.iter().find(|job| job.id == id)
    }

    /// The findings about a resource, most important first.
    pub fn findings_of<'a>(&'a self, id: &'a ResourceId) -> impl Iterator<Item = &'a Finding> {
        self.findings.iter().filter(move |finding| finding.resource == *id)
    }

    /// Whether the config's filter lets a resource be watched, as far as its tags are known.
    pub fn lets_through(&self, id: &ResourceId) -> bool {
        let tags = self.tags.get(&id.place);
        self.settings.context(&id.place).is_none_or(|context| context.filter.lets_through(id, tags))
    }

    /// How many resources the config's filter hides in all.
    pub fn hidden_total(&self) -> usize {
        self.hidden.values().sum()
    }

    /// The worst health in the estate; `Unknown` while nothing is known.
    pub fn worst_health(&self) -> Health {
        self.rows.values().map(|row| row.health).max().unwrap_or(Health::Unknown)
    }

    pub fn toast(&mut self, tone: Tone, text: impl Into<String>) {
        let text = text.into();
        self.toasts.retain(|toast| toast.text != text);
        let until = self.now + self.settings.real(TOAST_STAYS);
        self.toasts.push_back(Toast { text, tone, at: self.now, until });
        while self.toasts.len() > TOASTS_MAX {
            self.toasts.pop_front();
        }
    }
}
