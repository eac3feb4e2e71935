//! A job: a confirmed plan on its way, and whether later polls show what it promised.

use crate::actions::{CallOutcome, Plan};
use crate::domain::time::Timestamp;
use std::fmt;

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
