//! One entry on the agenda for each poller: the earliest one counts, the overtaken ones do nothing.

use crate::domain::time::Timestamp;

/// When a poller next has something to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wake {
    at: Option<Timestamp>,
}

impl Wake {
    /// Asks to be woken then. True when an entry has to be put on the agenda: no earlier one is there.
    pub fn ask(&mut self, at: Timestamp) -> bool {
        let is_earlier = self.at.is_none_or(|other| at < other);
        if is_earlier {
            self.at = Some(at);
        }
        is_earlier
    }

    /// An entry falls due. False when it was overtaken.
    pub fn falls_due(&mut self, now: Timestamp) -> bool {
        let is_due = self.at.is_some_and(|at| at <= now);
        if is_due {
            self.at = None;
        }
        is_due
    }
}
