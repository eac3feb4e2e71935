//! The log that is open: asked every few seconds, and not at all once it is closed.

use super::{Attention, NextLook, Schedule};
use crate::domain::log::LogQuestion;
use crate::domain::poll::{Poll, Question};
use crate::domain::row::ResourceId;
use crate::domain::time::Timestamp;
use std::time::Duration;

/// FilterLogEvents is free of charge and has 5 to 10 calls a second for the whole account (CloudWatch Logs quotas).
const LOG_EVERY: Duration = Duration::from_secs(3);

/// Which function's log was asked for last, with its timing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpenLog {
    of: Option<ResourceId>,
    pub slot: super::Slot,
}

impl OpenLog {
    /// Whether an answer is about the log that is open.
    pub fn is_of(&self, question: &LogQuestion) -> bool {
        self.of.as_ref() == Some(&question.function)
    }
}

impl Schedule {
    pub(super) fn ask_log(
        &mut self,
        next: &mut NextLook,
        attention: &Attention,
        polls: &mut Vec<Poll>,
        now: Timestamp,
    ) {
        let of = attention.log.as_ref().map(|question| question.function.clone());
        if self.open_log.of != of {
            self.open_log = OpenLog { of, ..OpenLog::default() };
        }
        let Some(question) = &attention.log else { return };
        if next.is_due(self.open_log.slot.due(LOG_EVERY)) {
            let place = question.function.place.clone();
            polls.push(self.ask(place, Question::Log(question.clone()), 0.0, true, now));
        }
    }
}
