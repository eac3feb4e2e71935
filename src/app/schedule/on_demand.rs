//! What is open and asked for nothing else: a function's log, a domain's executions, a history, throttled calls. Asked every few seconds,
//! and not at all once it is closed.

use super::{Attention, NextLook, Schedule};
use crate::domain::execution::WorkflowSubject;
use crate::domain::poll::{Poll, Question};
use crate::domain::row::Place;
use crate::domain::time::Timestamp;
use std::time::Duration;

/// FilterLogEvents is free of charge and has 5 to 10 calls a second for the whole account (CloudWatch Logs quotas).
const LOG_EVERY: Duration = Duration::from_secs(3);
/// SWF's reads are free of charge; lists have 6 to 48 calls a second of an account, descriptions 6, histories 60 (SWF
/// "Quotas"), and the deciders need theirs.
const EXECUTIONS_EVERY: Duration = Duration::from_secs(10);
const HISTORY_EVERY: Duration = Duration::from_secs(5);

/// LookupEvents has two calls a second, and shows what happened minutes ago.
const THROTTLED_EVERY: Duration = Duration::from_secs(60);

/// Which of them was asked for last, with its timing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OnDemand {
    of: Option<Question>,
    pub slot: super::Slot,
}

impl OnDemand {
    /// Whether a question is about what is open, whatever has been read of it so far.
    pub fn is_of(&self, question: &Question) -> bool {
        match (&self.of, question) {
            (Some(Question::Log(open)), Question::Log(asked)) => open.is_like(asked),
            (Some(Question::Workflow(open)), Question::Workflow(asked)) => open.is_like(asked),
            (Some(open @ Question::Throttled(_)), asked) => open == asked,
            _ => false,
        }
    }
}

impl Schedule {
    pub(super) fn ask_on_demand(
        &mut self,
        next: &mut NextLook,
        attention: &Attention,
        polls: &mut Vec<Poll>,
        now: Timestamp,
    ) {
        let Some((question, place, every)) = attention.on_demand.as_ref().and_then(timed) else {
            self.on_demand = OnDemand::default();
            return;
        };
        if !self.on_demand.is_of(question) {
            self.on_demand = OnDemand { of: Some(question.clone()), ..OnDemand::default() };
        }
        if next.is_due(self.on_demand.slot.due(every)) {
            polls.push(self.ask(place, question.clone(), 0.0, true, now));
        }
    }
}

/// Where it is asked, and how often; `None`: it is asked otherwise.
fn timed(question: &Question) -> Option<(&Question, Place, Duration)> {
    match question {
        Question::Log(log) => Some((question, log.function.place.clone(), LOG_EVERY)),
        Question::Workflow(asked) => {
            let every = match asked.about {
                WorkflowSubject::Executions => EXECUTIONS_EVERY,
                WorkflowSubject::History { .. } => HISTORY_EVERY,
            };
            Some((question, asked.domain.place.clone(), every))
        }
        Question::Throttled(asked) => Some((question, asked.place.clone(), THROTTLED_EVERY)),
        _ => None,
    }
}
