//! Deduplication of a FIFO queue: a send whose id was seen within five minutes is acknowledged and not delivered.

use crate::domain::time::Timestamp;
use crate::sim::sqs::message::Sent;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// The deduplication interval (SendMessage, MessageDeduplicationId).
const REMEMBERED: Duration = Duration::from_secs(300);

/// Sends of the last five minutes by deduplication id, or by group and id.
#[derive(Default, Debug)]
pub struct Dedup {
    seen: BTreeMap<(String, String), Sent>,
    by_time: VecDeque<(Timestamp, (String, String))>,
}

impl Dedup {
    /// What the first send of the id answered, if that was less than five minutes ago.
    pub fn seen(&mut self, now: Timestamp, scope: &str, id: &str) -> Option<Sent> {
        while self.by_time.front().is_some_and(|(at, _)| now.since(*at) >= REMEMBERED) {
            if let Some((_, key)) = self.by_time.pop_front() {
                self.seen.remove(&key);
            }
        }
        self.seen.get(&(scope.to_owned(), id.to_owned())).cloned()
    }

    pub fn remember(&mut self, now: Timestamp, scope: &str, id: &str, sent: &Sent) {
        let key = (scope.to_owned(), id.to_owned());
        self.seen.insert(key.clone(), sent.clone());
        self.by_time.push_back((now, key));
    }
}
