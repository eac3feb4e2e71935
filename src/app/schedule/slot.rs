//! When one question is to be asked: so long after it was asked last, and ever later while it fails.

use crate::domain::time::Timestamp;
use std::time::Duration;

const BACK_OFF_FIRST: Duration = Duration::from_secs(5);
pub const BACK_OFF_MAX: Duration = Duration::from_secs(60);

/// CloudTrail shows an event some five minutes after it happened, and not in their order: each look goes back so far
/// before the last one (CloudTrail, "How CloudTrail works").
pub const CHANGES_EVERY: Duration = Duration::from_secs(60);
const CHANGES_OVERLAP: Duration = Duration::from_secs(20 * 60);
/// As far as the series go, and what came just before them.
const CHANGES_FIRST: Duration = Duration::from_secs(80 * 60);

/// One question's timing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slot {
    pub asked_at: Option<Timestamp>,
    pub in_flight: Option<u64>,
    /// Answers that failed in a row.
    pub failures: u32,
    /// When it last worked.
    pub good_at: Option<Timestamp>,
    /// Whether it was answered at all, well or badly.
    pub answered: bool,
    /// What is on its way was asked without knowing all; it is asked anew when it is answered.
    pub again: bool,
}

impl Slot {
    /// When to ask next; `None` while an answer is on its way.
    pub fn due(&self, every: Duration) -> Option<Timestamp> {
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

    /// Since when changes are to be looked for.
    pub fn changes_since(&self, now: Timestamp) -> Timestamp {
        self.good_at.map_or(now - CHANGES_FIRST, |good_at| good_at - CHANGES_OVERLAP)
    }

    pub fn ask(&mut self, generation: u64, now: Timestamp) {
        self.in_flight = Some(generation);
        self.asked_at = Some(now);
    }

    /// Asks anew at once, or as soon as what is on its way has come.
    pub fn look_again(&mut self) {
        if self.in_flight.is_some() {
            self.again = true;
        } else {
            (self.asked_at, self.answered) = (None, false);
        }
    }

    /// `good`: it was answered. `whole`: nothing in it failed that may work soon; else it is asked again before its turn.
    pub fn answer(&mut self, good: bool, whole: bool, at: Timestamp) {
        self.in_flight = None;
        self.answered = true;
        if std::mem::take(&mut self.again) {
            self.look_again();
        }
        if good {
            self.good_at = Some(at);
        }
        self.failures = if good && whole { 0 } else { self.failures.saturating_add(1) };
    }
}

/// 5, 10, 20, 40, 60, 60 … seconds.
fn back_off(failures: u32) -> Duration {
    BACK_OFF_FIRST.saturating_mul(1 << (failures.saturating_sub(1)).min(8)).min(BACK_OFF_MAX)
}

/// The earliest time after now that something falls due.
pub struct NextLook {
    pub now: Timestamp,
    pub at: Option<Timestamp>,
}

impl NextLook {
    /// Whether it is due now; if not, it is remembered for later.
    pub fn is_due(&mut self, due: Option<Timestamp>) -> bool {
        let Some(due) = due else { return false };
        if due <= self.now {
            return true;
        }
        self.at = Some(self.at.map_or(due, |at| at.min(due)));
        false
    }
}
