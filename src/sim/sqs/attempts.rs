//! Receive attempts of a FIFO queue: a receive that is repeated with its ReceiveRequestAttemptId, because its answer was
//! lost, gets the same messages again. Source: ReceiveMessage, ReceiveRequestAttemptId.

use crate::domain::time::Timestamp;
use crate::sim::sqs::message::Receipt;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// An attempt can be repeated for so long ("the deduplication interval").
const REMEMBERED: Duration = Duration::from_secs(300);

/// What the receives of the last five minutes that had an id handed out.
#[derive(Default, Debug)]
pub struct Attempts {
    handed_out: BTreeMap<String, Vec<Receipt>>,
    by_time: VecDeque<(Timestamp, String)>,
}

impl Attempts {
    /// The receipts of the first receive with that id.
    pub fn of(&mut self, now: Timestamp, id: &str) -> Option<&[Receipt]> {
        while self.by_time.front().is_some_and(|(at, _)| now.since(*at) >= REMEMBERED) {
            if let Some((_, id)) = self.by_time.pop_front() {
                self.handed_out.remove(&id);
            }
        }
        self.handed_out.get(id).map(Vec::as_slice)
    }

    /// Remembers what a receive handed out. One with a known id whose messages have moved on takes its place.
    pub fn remember(&mut self, now: Timestamp, id: &str, receipts: Vec<Receipt>) {
        if self.handed_out.insert(id.to_owned(), receipts).is_some() {
            self.by_time.retain(|(_, known)| known != id);
        }
        self.by_time.push_back((now, id.to_owned()));
    }
}
