//! Who waits in a long poll: a task list has room for so many pollers at a time (SWF "Quotas").

use crate::domain::time::Timestamp;
use crate::sim::error::ApiError;
use crate::sim::swf::Swf;
use crate::sim::swf::domain::DomainId;
use crate::sim::swf::error;
use crate::sim::swf::task_list::TaskKind;
use crate::sim::swf::value::Text;
use std::collections::BTreeMap;
use std::time::Duration;

/// Pollers of one task list at once.
const POLLERS_MAX: usize = 1000;
/// A waiting poll is asked again more often than this; one that is not has gone away without a word.
const SILENCE: Duration = Duration::from_secs(61);

/// Polls that wait, by their list and number, with the time when each was asked last.
#[derive(Debug, Default)]
pub(super) struct Pollers {
    waiting: BTreeMap<(DomainId, TaskKind, Text), BTreeMap<u64, Timestamp>>,
    numbers: u64,
}

impl Pollers {
    /// Forgets polls that nobody has asked about lately.
    pub fn forget_silent(&mut self, now: Timestamp) {
        for polls in self.waiting.values_mut() {
            polls.retain(|_, asked| now.since(*asked) <= SILENCE);
        }
        self.waiting.retain(|_, polls| !polls.is_empty());
    }
}

impl Swf {
    /// A poll begins to wait; its number.
    ///
    /// Errors: `UnknownResourceFault`, `LimitExceededFault` when the list has no room for another poller.
    pub fn begin_to_poll(&mut self, now: Timestamp, domain: &str, kind: TaskKind, list: &str) -> Result<u64, ApiError> {
        let key = (self.domain(domain)?.id, kind, Text::from(list));
        let polls = self.pollers.waiting.entry(key).or_default();
        if polls.len() >= POLLERS_MAX {
            polls.retain(|_, asked| now.since(*asked) <= SILENCE);
        }
        if polls.len() >= POLLERS_MAX {
            return Err(error::limit_exceeded(format!("A task list can have at most {POLLERS_MAX} pollers at a time")));
        }
        self.pollers.numbers += 1;
        polls.insert(self.pollers.numbers, now);
        Ok(self.pollers.numbers)
    }

    /// A waiting poll was asked again and goes on waiting.
    pub fn keep_polling(&mut self, now: Timestamp, domain: &str, kind: TaskKind, list: &str, number: u64) {
        let Ok(domain) = self.domain(domain) else { return };
        let key = (domain.id, kind, Text::from(list));
        if let Some(asked) = self.pollers.waiting.get_mut(&key).and_then(|polls| polls.get_mut(&number)) {
            *asked = now;
        }
    }

    /// A poll was answered.
    pub fn end_poll(&mut self, domain: &str, kind: TaskKind, list: &str, number: u64) {
        let Ok(domain) = self.domain(domain) else { return };
        let key = (domain.id, kind, Text::from(list));
        if let Some(polls) = self.pollers.waiting.get_mut(&key) {
            polls.remove(&number);
            if polls.is_empty() {
                self.pollers.waiting.remove(&key);
            }
        }
    }
}
