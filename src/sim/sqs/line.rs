//! The line of a standard queue's visible messages: who is served next.

use std::collections::{BTreeSet, VecDeque};

/// Visible messages in order of position. Messages that nobody has received yet come in order and are kept in a plain
/// deque; those that come back (visibility ended, delay ended) are few and are kept sorted.
#[derive(Default, Debug)]
pub struct Line {
    /// (position, slot), rising. May hold entries whose message has left; the store knows.
    fresh: VecDeque<(u64, u32)>,
    returned: BTreeSet<(u64, u32)>,
}

impl Line {
    /// Puts a message in the line. `received` says whether anybody has received it before.
    pub fn push(&mut self, position: u64, slot: u32, received: bool) {
        let in_order = self.fresh.back().is_none_or(|(last, _)| *last < position);
        if in_order && !received {
            self.fresh.push_back((position, slot));
        } else {
            self.returned.insert((position, slot));
        }
    }

    /// The lowest position in the line. `is_there` tells whether the entry's message still stands visible there.
    pub fn pop(&mut self, is_there: impl Fn(u64, u32) -> bool) -> Option<u32> {
        self.drop_stale(is_there);
        let fresh = self.fresh.front().copied();
        match (fresh, self.returned.first().copied()) {
            (Some(new), Some(old)) if old < new => self.returned.pop_first().map(|(_, slot)| slot),
            (Some(_), _) => self.fresh.pop_front().map(|(_, slot)| slot),
            (None, _) => self.returned.pop_first().map(|(_, slot)| slot),
        }
    }

    /// The lowest position in the line; it stays there.
    pub fn peek(&mut self, is_there: impl Fn(u64, u32) -> bool) -> Option<(u64, u32)> {
        self.drop_stale(is_there);
        let (fresh, returned) = (self.fresh.front().copied(), self.returned.first().copied());
        fresh.into_iter().chain(returned).min()
    }

    /// Takes a message out of the line, wherever it stands. A fresh one leaves its entry behind until it comes up.
    pub fn remove(&mut self, position: u64, slot: u32) {
        self.returned.remove(&(position, slot));
        if self.fresh.front() == Some(&(position, slot)) {
            self.fresh.pop_front();
        }
    }

    /// Takes the messages out, whose (position, slot) are given.
    pub fn leave(&mut self, messages: &BTreeSet<(u64, u32)>) {
        self.fresh.retain(|entry| !messages.contains(entry));
        self.returned.retain(|entry| !messages.contains(entry));
    }

    /// Every entry in order, fresh ones first (stale ones included).
    pub fn fresh(&self) -> impl Iterator<Item = (u64, u32)> + '_ {
        self.fresh.iter().copied()
    }

    /// Entries of messages that came back, in order.
    pub fn returned(&self) -> impl Iterator<Item = (u64, u32)> + '_ {
        self.returned.iter().copied()
    }

    fn drop_stale(&mut self, is_there: impl Fn(u64, u32) -> bool) {
        while self.fresh.front().is_some_and(|(position, slot)| !is_there(*position, *slot)) {
            self.fresh.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serves_by_position_whether_fresh_or_returned() {
        let mut line = Line::default();
        line.push(1, 10, false);
        line.push(3, 30, false);
        line.push(2, 20, true);
        line.push(4, 40, true);
        let order: Vec<u32> = std::iter::from_fn(|| line.pop(|_, _| true)).collect();
        assert_eq!(order, [10, 20, 30, 40]);
    }

    #[test]
    fn an_entry_whose_message_left_is_skipped() {
        let mut line = Line::default();
        line.push(1, 10, false);
        line.push(2, 20, false);
        line.push(3, 30, false);
        line.remove(1, 10);
        assert_eq!(line.pop(|position, _| position != 2), Some(30));
        assert_eq!(line.pop(|_, _| true), None);
    }
}
