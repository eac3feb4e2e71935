//! Alarms: what they watch, the states that they are in, what they do when a state changes, and their history.
//!
//! How it is used from within the engine: `put` and `delete` change what there is, `tick` evaluates what is due, and
//! `set_state` is somebody's hand. A change of state puts actions into `outbox`; `sim::alarm_actions` carries them to
//! other services and notes with `note_action` how that went.

#[cfg(test)]
mod bounds_tests;
mod configuration;
pub(super) mod describe;
mod evaluation;
mod history;
mod message;
mod reason;
mod rule;
mod suppression;
#[cfg(test)]
mod tests;
pub(super) mod wire;

use configuration::{Composite, Watching};
pub use history::Item;
use suppression::Suppression;

use crate::domain::time::Timestamp;
use crate::sim::cloudwatch::Metrics;
use crate::sim::cx::Place;
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Composite alarms that watch each other settle in at most this many rounds; a cycle that never settles is left as it
/// is until the next change.
const ROUNDS_MAX: usize = 64;

/// A state of an alarm (StateValue).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StateValue {
    Ok,
    Alarm,
    InsufficientData,
}

impl StateValue {
    pub const fn text(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Ok, Self::Alarm, Self::InsufficientData].into_iter().find(|value| value.text() == text)
    }
}

/// The state that an alarm is in, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub value: StateValue,
    pub reason: String,
    pub reason_data: Option<Value>,
    pub updated: Timestamp,
    pub transitioned: Timestamp,
}

/// What alarms of every kind have.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Common {
    pub description: Option<String>,
    pub actions_enabled: bool,
    pub ok_actions: Vec<String>,
    pub alarm_actions: Vec<String>,
    pub insufficient_data_actions: Vec<String>,
}

impl Common {
    fn actions(&self, value: StateValue) -> &[String] {
        match value {
            StateValue::Ok => &self.ok_actions,
            StateValue::Alarm => &self.alarm_actions,
            StateValue::InsufficientData => &self.insufficient_data_actions,
        }
    }

    /// Every action of every state, as `ActionPrefix` looks for them.
    pub fn all_actions(&self) -> impl Iterator<Item = &String> {
        self.ok_actions.iter().chain(&self.alarm_actions).chain(&self.insufficient_data_actions)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Metric(Watching),
    Composite(Composite),
}

/// One alarm.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    pub name: String,
    pub common: Common,
    pub kind: Kind,
    pub state: State,
    pub configured: Timestamp,
    pub tags: BTreeMap<String, String>,
    /// Of a composite alarm with a suppressor.
    pub suppression: Option<Suppression>,
}

impl Alarm {
    /// `MetricAlarm` or `CompositeAlarm`.
    pub fn kind_text(&self) -> &'static str {
        match self.kind {
            Kind::Metric(_) => "MetricAlarm",
            Kind::Composite(_) => "CompositeAlarm",
        }
    }

    pub fn is_composite(&self) -> bool {
        matches!(self.kind, Kind::Composite(_))
    }
}

/// `arn:aws:cloudwatch:REGION:ACCOUNT:alarm:NAME`
pub fn arn(place: &Place, name: &str) -> String {
    place.arn("cloudwatch", &format!("alarm:{name}"))
}

/// What an alarm's change of state asks another service to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    pub alarm: String,
    /// Whom it is for: a topic's or a function's ARN.
    pub target: String,
    /// For a topic.
    pub subject: String,
    pub message: String,
    /// For a function.
    pub event: Value,
}

/// Every alarm of the account and region.
#[derive(Default)]
pub struct Alarms {
    by_name: BTreeMap<String, Alarm>,
    history: VecDeque<Item>,
    /// Items noted so far; numbers them.
    noted: u64,
    /// Actions that have not been carried out yet.
    pub outbox: VecDeque<Action>,
    /// Whether a tick is on the agenda.
    pub is_ticking: bool,
}

impl Alarms {
    pub fn named(&self, name: &str) -> Option<&Alarm> {
        self.by_name.get(name)
    }

    pub fn named_mut(&mut self, name: &str) -> Option<&mut Alarm> {
        self.by_name.get_mut(name)
    }

    /// Every alarm, by name.
    pub fn all(&self) -> impl Iterator<Item = &Alarm> {
        self.by_name.values()
    }

    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// The seconds between two looks at the alarms: ten where one has a period below a minute, or is suppressed.
    pub fn tick_s(&self) -> i64 {
        let is_fine = |alarm: &Alarm| match &alarm.kind {
            Kind::Metric(watching) => watching.period_s() < 60,
            Kind::Composite(composite) => composite.suppressor.is_some(),
        };
        if self.all().any(is_fine) { 10 } else { 60 }
    }

    /// Makes an alarm or changes its configuration; a changed alarm keeps its state, and its tags.
    pub fn put(
        &mut self,
        (now, place): (Timestamp, &Place),
        name: &str,
        (common, kind): (Common, Kind),
        tags: BTreeMap<String, String>,
    ) {
        let (summary, word, member) = if self.by_name.contains_key(name) {
            (format!("Alarm \"{name}\" updated"), "Update", "updatedAlarm")
        } else {
            (format!("Alarm \"{name}\" created"), "Create", "createdAlarm")
        };
        let fresh = State {
            value: StateValue::InsufficientData,
            reason: "Unchecked: Initial alarm creation".to_owned(),
            reason_data: None,
            updated: now,
            transitioned: now,
        };
        let alarm = self.by_name.entry(name.to_owned()).or_insert_with(|| Alarm {
            name: name.to_owned(),
            common: Common::default(),
            kind: kind.clone(),
            state: fresh,
            configured: now,
            tags,
            suppression: None,
        });
        (alarm.common, alarm.kind, alarm.configured) = (common, kind, now);
        let data = history::configuration(alarm, place, (word, member));
        let kind_text = alarm.kind_text();
        self.note(now, (name, kind_text), "ConfigurationUpdate", summary, &data);
        if matches!(self.by_name.get(name), Some(alarm) if alarm.is_composite()) {
            self.settle_new(now, place, name);
        }
    }

    /// Forgets an alarm; its history stays.
    pub fn delete(&mut self, now: Timestamp, place: &Place, name: &str) {
        let Some(alarm) = self.by_name.remove(name) else { return };
        let data = history::configuration(&alarm, place, ("Delete", "deletedAlarm"));
        let summary = format!("Alarm \"{name}\" deleted");
        self.note(now, (name, alarm.kind_text()), "ConfigurationUpdate", summary, &data);
    }

    /// Composite alarms whose rules name this one.
    pub fn parents<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Alarm> {
        let watches = move |alarm: &&Alarm| match &alarm.kind {
            Kind::Composite(composite) => composite.rule.names().contains(&name),
            Kind::Metric(_) => false,
        };
        self.all().filter(watches)
    }

    /// Evaluates the alarms that are due now.
    pub fn tick(&mut self, now: Timestamp, place: &Place, metrics: &Metrics) {
        self.end_suppressions(now, place);
        let due: Vec<String> = self.all().filter(|alarm| is_due(alarm, now)).map(|alarm| alarm.name.clone()).collect();
        for name in due {
            let Some(Alarm { kind: Kind::Metric(watching), state, .. }) = self.by_name.get(&name) else { continue };
            if let Some(found) = evaluation::evaluate(watching, state.value, metrics, now) {
                self.change(now, place, &name, found);
            }
        }
    }

    /// Somebody sets the state by hand (SetAlarmState).
    pub fn set_state(&mut self, now: Timestamp, place: &Place, name: &str, to: reason::Found) {
        self.change(now, place, name, to);
    }

    /// A new state, its history, its actions, and what it means for the composite alarms above.
    fn change(&mut self, now: Timestamp, place: &Place, name: &str, found: reason::Found) {
        if !self.enter(now, place, name, found) {
            return;
        }
        let mut changed = vec![name.to_owned()];
        for _ in 0..ROUNDS_MAX {
            let Some(child) = changed.pop() else { return };
            let parents: Vec<String> = self.parents(&child).map(|alarm| alarm.name.clone()).collect();
            for parent in parents {
                let Some(found) = self.composite_state(&parent, |alarms, value| {
                    alarms.named(&child).map(|child| reason::composite(place, child, value)).unwrap_or_default()
                }) else {
                    continue;
                };
                if self.enter(now, place, &parent, found) {
                    changed.push(parent);
                }
            }
        }
    }

    /// The state that a composite alarm's rule says, when it is another than the present one.
    fn composite_state(
        &self,
        name: &str,
        why: impl FnOnce(&Self, StateValue) -> (String, Value),
    ) -> Option<reason::Found> {
        let alarm = self.by_name.get(name)?;
        let Kind::Composite(composite) = &alarm.kind else { return None };
        let state_of = |name: &str| self.by_name.get(name).map(|alarm| alarm.state.value);
        let value = if composite.rule.is_true(&state_of) { StateValue::Alarm } else { StateValue::Ok };
        let (reason, data) = (value != alarm.state.value).then(|| why(self, value))?;
        Some(reason::Found { value, reason, data: Some(data) })
    }

    /// A composite alarm that was just put gets its state at once.
    fn settle_new(&mut self, now: Timestamp, place: &Place, name: &str) {
        let found = self.composite_state(name, |alarms, value| {
            let rule = match alarms.named(name).map(|alarm| &alarm.kind) {
                Some(Kind::Composite(composite)) => composite.rule.names(),
                _ => Vec::new(),
            };
            reason::created(place, name, value, rule.iter().filter_map(|name| alarms.named(name)))
        });
        if let Some(found) = found {
            self.change(now, place, name, found);
        }
    }

    /// Puts an alarm into a state; false when it was in it already. A change executes actions.
    fn enter(&mut self, now: Timestamp, place: &Place, name: &str, found: reason::Found) -> bool {
        let Some(alarm) = self.by_name.get_mut(name) else { return false };
        let is_change = alarm.state.value != found.value;
        let new = State {
            value: found.value,
            reason: found.reason,
            reason_data: found.data,
            updated: now,
            transitioned: if is_change { now } else { alarm.state.transitioned },
        };
        let old = std::mem::replace(&mut alarm.state, new);
        if !is_change {
            return false;
        }
        let alarm = alarm.clone();
        let summary = format!("Alarm updated from {} to {}", old.value.text(), alarm.state.value.text());
        let data = history::state_update(&old, &alarm.state);
        self.note(now, (name, alarm.kind_text()), "StateUpdate", summary, &data);
        self.suppressor_changed(now, name, alarm.state.value);
        if alarm.common.actions_enabled && !self.is_suppressed(now, name, &old) {
            let actions: Vec<Action> = message::actions(&alarm, &old, place);
            self.outbox.extend(actions);
        }
        true
    }
}

/// Every minute, periods below a minute every ten seconds, and alarms that look at more than a day every hour
/// ("Alarm evaluation").
fn is_due(alarm: &Alarm, now: Timestamp) -> bool {
    let Kind::Metric(watching) = &alarm.kind else { return false };
    let (period_s, second) = (watching.period_s(), now.secs().rem_euclid(3600));
    if period_s < 60 {
        return true;
    }
    let is_long = period_s * i64::from(watching.evaluation_periods) > 86_400;
    if is_long { second / 60 == 3 && second % 60 < 10 } else { second % 60 < 10 }
}

/// When the alarms are looked at next: five seconds into a minute, or into ten seconds.
pub fn next_tick(now: Timestamp, tick_s: i64) -> Timestamp {
    let at = now.floor_to(tick_s) + Duration::from_secs(5);
    if at > now { at } else { at + Duration::from_secs(tick_s.unsigned_abs()) }
}
