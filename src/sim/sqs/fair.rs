//! Fair queues: who is served next in a standard queue whose messages name groups. A noisy group, one that holds more
//! than its share of what is in flight, is served after the quiet ones. Source: SQS "Amazon SQS fair queues", "How fair
//! queues work".

use crate::domain::time::Timestamp;
use crate::sim::sqs::line::Line;
use crate::sim::sqs::message::{Message, Standing};
use crate::sim::sqs::store::Depth;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A group below so many messages in flight is never noisy.
const NOISY_FROM: u64 = 30;
/// A noisy group holds more than one in so many of all messages in flight.
const NOISY_SHARE: u64 = 10;
/// A noisy group that has nothing in flight for so long is quiet again.
const QUIET_AFTER: Duration = Duration::from_secs(300);

/// The line of the visible messages, and those of the noisy groups beside it. A queue whose messages name no groups
/// is a line and nothing else.
#[derive(Default, Debug)]
pub struct Fair {
    line: Line,
    groups: BTreeMap<String, Group>,
    noisy: u64,
}

/// A group that holds messages.
#[derive(Default, Debug)]
struct Group {
    /// (position, slot); also in the line as long as the group is quiet.
    visible: BTreeSet<(u64, u32)>,
    in_flight: BTreeSet<u32>,
    delayed: BTreeSet<u32>,
    last_received_at: Timestamp,
    noisy: bool,
}

impl Group {
    fn depth(&self) -> Depth {
        Depth {
            visible: self.visible.len() as u64,
            in_flight: self.in_flight.len() as u64,
            delayed: self.delayed.len() as u64,
        }
    }
}

impl Fair {
    /// The message has come to stand where it says that it stands.
    pub fn put(&mut self, message: &Message, slot: u32) {
        let (at, standing) = (message.position, message.standing());
        let mut noisy = false;
        if let Some(name) = message.group() {
            let group = match self.groups.get_mut(name) {
                Some(group) => group,
                None => self.groups.entry(name.to_owned()).or_default(),
            };
            group.visible.remove(&(at, slot));
            group.in_flight.remove(&slot);
            group.delayed.remove(&slot);
            match standing {
                Standing::Visible => drop(group.visible.insert((at, slot))),
                Standing::InFlight => drop(group.in_flight.insert(slot)),
                Standing::Delayed => drop(group.delayed.insert(slot)),
            }
            noisy = group.noisy;
        }
        match standing {
            Standing::Visible if !noisy => self.line.push(at, slot, message.receives > 0),
            _ => self.line.remove(at, slot),
        }
    }

    /// The message leaves the queue.
    pub fn remove(&mut self, message: &Message, slot: u32) {
        self.line.remove(message.position, slot);
        let Some(name) = message.group() else { return };
        let Some(group) = self.groups.get_mut(name) else { return };
        group.visible.remove(&(message.position, slot));
        group.in_flight.remove(&slot);
        group.delayed.remove(&slot);
        if group.depth().total() == 0 {
            self.noisy -= u64::from(group.noisy);
            self.groups.remove(name);
        }
    }

    /// The message, which left the line, was received now. Its group may be noisy from here on.
    pub fn receive(&mut self, message: &Message, slot: u32, in_flight: u64, now: Timestamp) {
        let Some(name) = message.group() else { return };
        let Some(group) = self.groups.get_mut(name) else { return };
        group.visible.remove(&(message.position, slot));
        group.in_flight.insert(slot);
        group.last_received_at = now;
        let held = group.in_flight.len() as u64;
        if !group.noisy && held >= NOISY_FROM && held * NOISY_SHARE > in_flight {
            group.noisy = true;
            self.noisy += 1;
            self.line.leave(&group.visible);
        }
    }

    /// Groups whose backlog is gone, or that have had nothing in flight for five minutes, are quiet again.
    pub fn calm(&mut self, now: Timestamp) {
        if self.noisy == 0 {
            return;
        }
        for group in self.groups.values_mut().filter(|group| group.noisy) {
            let rests = group.in_flight.is_empty() && now.since(group.last_received_at) >= QUIET_AFTER;
            if rests || group.visible.is_empty() {
                group.noisy = false;
                self.noisy -= 1;
                for (position, slot) in &group.visible {
                    self.line.push(*position, *slot, true);
                }
            }
        }
    }

    /// The next message; it leaves the line.
    pub fn pop(&mut self, is_there: impl Fn(u64, u32) -> bool) -> Option<u32> {
        let quiet = self.line.pop(is_there);
        if quiet.is_some() || self.noisy == 0 {
            return quiet;
        }
        let (position, slot) = self.first_noisy()?;
        for group in self.groups.values_mut().filter(|group| group.noisy) {
            group.visible.remove(&(position, slot));
        }
        Some(slot)
    }

    /// Position and slot of the next message; it stays where it is.
    pub fn peek(&mut self, is_there: impl Fn(u64, u32) -> bool) -> Option<(u64, u32)> {
        self.line.peek(is_there).or_else(|| self.first_noisy())
    }

    fn first_noisy(&self) -> Option<(u64, u32)> {
        let noisy = self.groups.values().filter(|group| group.noisy);
        noisy.filter_map(|group| group.visible.first().copied()).min()
    }

    pub fn line(&self) -> &Line {
        &self.line
    }

    /// Visible messages of noisy groups, in no order.
    pub fn held_back(&self) -> impl Iterator<Item = (u64, u32)> + '_ {
        self.groups.values().filter(|group| group.noisy).flat_map(|group| group.visible.iter().copied())
    }

    /// Whether any message names a group.
    pub fn has_groups(&self) -> bool {
        !self.groups.is_empty()
    }

    /// How many groups are noisy, and what they hold together.
    pub fn noise(&self) -> (u64, Depth) {
        let noisy = self.groups.values().filter(|group| group.noisy).map(Group::depth);
        let sum = noisy.fold(Depth::default(), |sum, depth| Depth {
            visible: sum.visible + depth.visible,
            in_flight: sum.in_flight + depth.in_flight,
            delayed: sum.delayed + depth.delayed,
        });
        (self.noisy, sum)
    }

    pub fn is_noisy(&self, group: &str) -> bool {
        self.groups.get(group).is_some_and(|group| group.noisy)
    }
}
