//! Logs Insights: queries over the events of groups. A query's answer is made when it starts, and is seen when it has
//! run for about as long as one takes at AWS.

mod functions;
mod parse;
mod pattern;
mod run;
#[cfg(test)]
mod tests;
mod value;

pub use parse::{Malformed, parse};
pub use run::{Outcome, Source, run};

use crate::domain::time::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// Queries that are remembered, at most; their answers are kept for seven days.
const QUERIES_MAX: usize = 50;
const KEPT: Duration = Duration::from_secs(7 * 86_400);

/// A query that was started.
#[derive(Clone, Debug)]
pub struct Query {
    pub id: String,
    pub text: String,
    pub groups: Vec<String>,
    pub created: Timestamp,
    pub ends: Timestamp,
    pub is_cancelled: bool,
    pub outcome: Outcome,
    /// Events that were looked at, and their bytes.
    pub scanned: usize,
    pub bytes: usize,
}

impl Query {
    /// `Running`, `Complete` or `Cancelled`.
    pub fn status(&self, now: Timestamp) -> &'static str {
        if self.is_cancelled {
            "Cancelled"
        } else if now < self.ends {
            "Running"
        } else {
            "Complete"
        }
    }
}

/// The account's queries, oldest first.
#[derive(Default)]
pub struct Queries(VecDeque<Query>);

impl Queries {
    pub fn add(&mut self, query: Query) {
        let now = query.created;
        self.0.retain(|old| old.created + KEPT > now);
        while self.0.len() >= QUERIES_MAX {
            self.0.pop_front();
        }
        self.0.push_back(query);
    }

    pub fn get(&self, id: &str) -> Option<&Query> {
        self.0.iter().find(|query| query.id == id)
    }

    pub fn get_mut(&mut self, id: &str) -> Option<&mut Query> {
        self.0.iter_mut().find(|query| query.id == id)
    }

    /// The newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Query> {
        self.0.iter().rev()
    }
}
