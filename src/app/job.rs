//! A job: a confirmed plan on its way, and whether later polls show what it promised.

use crate::actions::{CallOutcome, Expect, Plan};
use crate::domain::counted::{counted, counted_that};
use crate::domain::row::{Part, Row};
use crate::domain::time::Timestamp;
use crate::domain::value::{Datum, Unit};
use crate::domain::verb::ActionId;
use crate::kinds::{kinesis, sqs};
use std::fmt;
use std::time::Duration;

/// Counts the plans of this run of the program, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct PlanId(pub u64);

impl fmt::Display for PlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// How many finished jobs are kept for the messages screen.
pub const JOBS_MAX: usize = 50;

/// A confirmed plan and how far it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub id: PlanId,
    pub plan: Plan,
    /// When the person said yes.
    pub confirmed_at: Timestamp,
    /// What each call came to, in the plan's order; shorter than the plan's calls while some are on their way.
    pub outcomes: Vec<CallOutcome>,
    pub stage: Stage,
    /// One line for the status bar: `redrive orders-dlq: 120 of 412 moved`.
    pub sentence: String,
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Calls are on their way.
    Calling,
    /// AWS took the calls; polls have not shown the effect yet.
    Watching,
    /// Polls show all that was promised.
    Done,
    /// It ended with less than was promised.
    Partly,
    /// It did not happen.
    Failed,
    /// Polls did not show it in the time given to it.
    NotSeen,
}

impl Stage {
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Partly | Self::Failed | Self::NotSeen)
    }
}

/// How long the polls have to show what was promised. A resize of a big stream takes minutes.
const WATCH_MAX: Duration = Duration::from_secs(15 * 60);
/// The same, when a call failed and may have been acted upon all the same.
const UNSURE_WATCH_MAX: Duration = Duration::from_secs(120);
/// A stream that was told to reshard and still says ACTIVE with the old number after this long has not done it.
const RESHARD_SHOWS_WITHIN: Duration = Duration::from_secs(60);
/// How far AWS's clock and ours may be apart.
const CLOCKS_APART: Duration = Duration::from_secs(5);

/// What the polls show of a job: a line for the status bar, and the end if it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    pub stage: Stage,
    pub sentence: String,
}

impl Job {
    pub fn new(id: PlanId, plan: Plan, confirmed_at: Timestamp) -> Self {
        let sentence = format!("{} {}: sent", plan.action.word(), plan.resource.name);
        Self { id, plan, confirmed_at, outcomes: Vec::new(), stage: Stage::Calling, sentence }
    }

    /// `reshard bids`, the head of every sentence about it.
    pub fn headline(&self) -> String {
        format!("{} {}", self.plan.action.word(), self.plan.resource.name)
    }

    /// The answer of an invocation, when it has come.
    pub fn answer(&self) -> Option<&crate::actions::Answer> {
        self.outcomes.iter().find_map(|outcome| match outcome {
            CallOutcome::Answered(answer) => Some(answer),
            _ => None,
        })
    }

    /// What a call's outcome makes of the job.
    pub fn after_outcome(&self) -> Look {
        let head = self.headline();
        let failed = self.outcomes.iter().find_map(|outcome| match outcome {
            CallOutcome::Failed { sentence, sent } => Some((sentence, *sent)),
            _ => None,
        });
        match (failed, self.answer()) {
            (Some((sentence, true)), _) => {
                Look { stage: Stage::Watching, sentence: format!("{head}: {sentence} It may have been done: watching") }
            }
            (Some((sentence, false)), _) => Look { stage: Stage::Failed, sentence: format!("{head}: {sentence}") },
            (None, Some(answer)) => match &answer.function_error {
                Some(error) => Look { stage: Stage::Partly, sentence: format!("{head}: it ran, and failed ({error})") },
                None => Look { stage: Stage::Done, sentence: format!("{head}: answered with {}", answer.status) },
            },
            _ if self.outcomes.len() < self.plan.calls.len() => Look { stage: Stage::Calling, sentence: head },
            _ if self.plan.expect == Expect::Answer => {
                let said = self.outcomes.iter().find_map(|outcome| match outcome {
                    CallOutcome::Accepted(sentences) => sentences.first().cloned(),
                    _ => None,
                });
                let said = said.unwrap_or_else(|| "accepted".into());
                Look { stage: Stage::Done, sentence: format!("{head}: {said}") }
            }
            _ => Look { stage: Stage::Watching, sentence: format!("{head}: accepted, watching") },
        }
    }

    /// What the polls show now of a job that is watched. `row` is its resource's.
    pub fn look(&self, row: Option<&Row>, now: Timestamp) -> Look {
        let head = self.headline();
        let look = match (row, &self.plan.expect) {
            (None, _) => {
                Look { stage: Stage::Watching, sentence: format!("{head}: its resource is not seen any more") }
            }
            (Some(row), Expect::OpenShards(wanted)) => self.look_at_shards(row, *wanted),
            (Some(row), Expect::MoveTaskEnds { .. }) => self.look_at_move_task(row),
            (Some(_), Expect::Answer) => Look { stage: Stage::Watching, sentence: format!("{head}: no answer came") },
        };
        let watch_max = if self.is_unsure() { UNSURE_WATCH_MAX } else { WATCH_MAX };
        if look.stage == Stage::Watching && now.since(self.confirmed_at) > watch_max {
            let minutes = counted(watch_max.as_secs_f64() / 60.0, "minute");
            return Look { stage: Stage::NotSeen, sentence: format!("{head}: not seen within {minutes}") };
        }
        look
    }

    /// Whether a call failed in a way that leaves open whether AWS has acted.
    fn is_unsure(&self) -> bool {
        self.outcomes.iter().any(|outcome| matches!(outcome, CallOutcome::Failed { sent: true, .. }))
    }

    /// What AWS made of the calls, while nothing shows yet.
    fn taken(&self) -> &'static str {
        if self.is_unsure() { "failed, and may have been done all the same" } else { "accepted" }
    }

    fn look_at_shards(&self, row: &Row, wanted: u32) -> Look {
        let head = self.headline();
        let status = row.fields.get(&kinesis::STATUS);
        let told_at = status.map_or(Timestamp::default(), |value| value.as_of);
        let open = row.fields.number(&kinesis::OPEN_SHARDS).unwrap_or(0.0) as u32;
        let is_active = status.and_then(|value| value.as_text()) == Some("ACTIVE");
        if told_at <= self.confirmed_at || (is_active && open != wanted && !self.should_show_by(told_at)) {
            return Look { stage: Stage::Watching, sentence: format!("{head}: {}, watching", self.taken()) };
        }
        let shards = counted(f64::from(open), "open shard");
        match (is_active, open == wanted) {
            (false, _) => Look { stage: Stage::Watching, sentence: format!("{head}: UPDATING, {shards}") },
            (true, true) => Look { stage: Stage::Done, sentence: format!("{head}: done, {shards}") },
            (true, false) => {
                Look { stage: Stage::Partly, sentence: format!("{head}: ACTIVE with {shards}, {wanted} were wanted") }
            }
        }
    }

    fn should_show_by(&self, told_at: Timestamp) -> bool {
        told_at.since(self.confirmed_at) >= RESHARD_SHOWS_WITHIN
    }

    fn look_at_move_task(&self, row: &Row) -> Look {
        let head = self.headline();
        let is_cancel = self.plan.action == ActionId::CancelRedrive;
        let started = |part: &Part| match part.fields.get(&sqs::TASK_STARTED).map(|value| &value.datum) {
            Some(Datum::Time(at)) => *at,
            _ => Timestamp::default(),
        };
        let of_this_plan = |part: &&Part| is_cancel || started(part) + CLOCKS_APART >= self.confirmed_at;
        let Some(task) = row.parts.iter().filter(of_this_plan).max_by_key(|part| started(part)) else {
            let sentence = format!("{head}: {}, the task does not show yet", self.taken());
            return Look { stage: Stage::Watching, sentence };
        };
        let count = |field| task.fields.number(field).map_or("?".to_owned(), |n| Unit::Count.short_number(n));
        let moved = format!("{} of {} moved", count(&sqs::TASK_MOVED), count(&sqs::TASK_TO_MOVE));
        let waiting = row.fields.number(&sqs::VISIBLE).filter(|n| *n >= 1.0);
        let left = waiting.map_or(String::new(), |n| format!("; {} there now", counted_that(n, "message", "wait")));
        let (stage, said) = match (task.fields.text(&sqs::TASK_STATUS), is_cancel) {
            (Some("COMPLETED"), false) => (Stage::Done, format!("done, {moved}{left}")),
            (Some("COMPLETED"), true) => {
                (Stage::Partly, format!("the task ended before it could be cancelled, {moved}"))
            }
            (Some("CANCELLED"), true) => (Stage::Done, format!("cancelled, {moved}{left}")),
            (Some("CANCELLED"), false) => (Stage::Partly, format!("cancelled, {moved}{left}")),
            (Some("FAILED"), _) => {
                let why = task.fields.text(&sqs::TASK_FAILURE).unwrap_or("SQS does not say why");
                (Stage::Failed, format!("the task failed: {why}; {moved}"))
            }
            _ => (Stage::Watching, moved),
        };
        Look { stage, sentence: format!("{head}: {said}") }
    }
}
