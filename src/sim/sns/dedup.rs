//! Deduplication ids that a FIFO topic has seen: a repeated one within five minutes is answered as the first was.

use crate::domain::time::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// How long an id counts (Publish, `MessageDeduplicationId`).
const INTERVAL: Duration = Duration::from_secs(300);

/// What a publish answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    pub message_id: String,
    /// FIFO topics only.
    pub sequence: Option<SequenceNumber>,
}

/// A FIFO topic's sequence number, counted from 1. Its text has twenty digits and rises, with gaps, as AWS's does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SequenceNumber(pub u64);

impl std::fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", 10_000_000_000_000_000_000_u128 + u128::from(self.0) * 1000)
    }
}

/// Group (empty where the whole topic is the scope) and id.
type Scoped = (String, String);

/// Ids by when they were seen.
#[derive(Default)]
pub struct Deduplication {
    seen: BTreeMap<Scoped, Published>,
    order: VecDeque<(Timestamp, Scoped)>,
}

impl Deduplication {
    pub fn seen(&mut self, now: Timestamp, scope: &str, id: &str) -> Option<Published> {
        while self.order.front().is_some_and(|(at, _)| now.since(*at) >= INTERVAL) {
            if let Some((_, key)) = self.order.pop_front() {
                self.seen.remove(&key);
            }
        }
        self.seen.get(&(scope.to_owned(), id.to_owned())).cloned()
    }

    pub fn remember(&mut self, now: Timestamp, scope: &str, id: &str, published: &Published) {
        let key = (scope.to_owned(), id.to_owned());
        self.seen.insert(key.clone(), published.clone());
        self.order.push_back((now, key));
    }
}
