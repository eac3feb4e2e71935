//! Suppressing a composite alarm's actions while another alarm is in ALARM ("Composite alarm action suppression").

use super::{Alarms, Kind, StateValue, message};
use crate::domain::time::Timestamp;
use crate::sim::cx::Place;
use std::time::Duration;

/// Why actions do not happen (ActionsSuppressedBy).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The suppressor may yet go into ALARM.
    WaitPeriod,
    /// The suppressor has just left ALARM.
    ExtensionPeriod,
    Alarm,
}

impl By {
    pub const fn text(self) -> &'static str {
        match self {
            Self::WaitPeriod => "WaitPeriod",
            Self::ExtensionPeriod => "ExtensionPeriod",
            Self::Alarm => "Alarm",
        }
    }

    pub const fn reason(self) -> &'static str {
        match self {
            Self::WaitPeriod => "Actions suppressed by WaitPeriod",
            Self::ExtensionPeriod => "Actions suppressed by ExtensionPeriod",
            Self::Alarm => "Actions suppressed by Alarm",
        }
    }
}

/// A composite alarm whose actions are suppressed.
#[derive(Clone, Debug, PartialEq)]
pub struct Suppression {
    pub by: By,
    /// When it ends by itself; while the suppressor is in ALARM it does not.
    pub until: Option<Timestamp>,
    /// The state before the change whose actions wait.
    pub waiting: Option<super::State>,
}

impl Alarms {
    /// Whether the actions of a change into the present state, from `old`, are held back.
    pub(super) fn is_suppressed(&mut self, now: Timestamp, name: &str, old: &super::State) -> bool {
        let Some(alarm) = self.by_name.get(name) else { return false };
        let Kind::Composite(composite) = &alarm.kind else { return false };
        let Some(suppressor) = composite.suppressor_name() else { return false };
        let is_on = self.by_name.get(suppressor).is_some_and(|one| one.state.value == StateValue::Alarm);
        let wait_s = composite.suppressor_wait_s.unwrap_or(0).unsigned_abs();
        let value = alarm.state.value;
        let Some(alarm) = self.by_name.get_mut(name) else { return false };
        match &mut alarm.suppression {
            // Back before anybody heard of it: there is nothing to tell.
            Some(held) if held.waiting.as_ref().is_some_and(|before| before.value == value) => {
                held.waiting = None;
                if held.by == By::WaitPeriod {
                    alarm.suppression = None;
                }
                true
            }
            Some(held) => {
                held.waiting.get_or_insert_with(|| old.clone());
                true
            }
            None if is_on => {
                alarm.suppression = Some(Suppression { by: By::Alarm, until: None, waiting: Some(old.clone()) });
                true
            }
            None if value == StateValue::Alarm && wait_s > 0 => {
                let until = Some(now + Duration::from_secs(wait_s));
                alarm.suppression = Some(Suppression { by: By::WaitPeriod, until, waiting: Some(old.clone()) });
                true
            }
            None => false,
        }
    }

    /// An alarm has gone into or out of ALARM: those that it suppresses hear of it.
    pub(super) fn suppressor_changed(&mut self, now: Timestamp, suppressor: &str, value: StateValue) {
        for alarm in self.by_name.values_mut() {
            let Kind::Composite(composite) = &alarm.kind else { continue };
            if composite.suppressor_name() != Some(suppressor) {
                continue;
            }
            let waiting = alarm.suppression.as_mut().and_then(|held| held.waiting.take());
            let extension_s = composite.suppressor_extension_s.unwrap_or(0).unsigned_abs();
            let was_on = alarm.suppression.as_ref().is_some_and(|held| held.by == By::Alarm);
            alarm.suppression = match value {
                StateValue::Alarm => Some(Suppression { by: By::Alarm, until: None, waiting }),
                _ if was_on => {
                    let until = Some(now + Duration::from_secs(extension_s));
                    Some(Suppression { by: By::ExtensionPeriod, until, waiting })
                }
                _ => alarm.suppression.take().map(|held| Suppression { waiting, ..held }),
            };
        }
    }

    /// Suppressions whose time is over end, and what waited is done.
    pub(super) fn end_suppressions(&mut self, now: Timestamp, place: &Place) {
        let is_over = |held: &Suppression| held.until.is_some_and(|until| until <= now);
        let over: Vec<String> = self
            .all()
            .filter(|alarm| alarm.suppression.as_ref().is_some_and(is_over))
            .map(|alarm| alarm.name.clone())
            .collect();
        for name in over {
            let Some(alarm) = self.by_name.get_mut(&name) else { continue };
            let Some(old) = alarm.suppression.take().and_then(|held| held.waiting) else { continue };
            let alarm = alarm.clone();
            if alarm.common.actions_enabled && alarm.state.value != old.value {
                let actions = message::actions(&alarm, &old, place);
                self.outbox.extend(actions);
            }
        }
    }
}
