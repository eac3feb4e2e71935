//! Where a queue's messages are: slots, the line of the visible ones, ends of hiding, ends of retention, depth.

use crate::domain::time::Timestamp;
use crate::sim::sqs::groups::Cursor;
use crate::sim::sqs::message::{Message, Receipt, Standing};
use crate::sim::sqs::order::Order;
use std::collections::BTreeSet;
use std::time::Duration;

/// A message received this often goes to the back of the line, and the age metric looks past it
/// (SQS "Available CloudWatch metrics", ApproximateAgeOfOldestMessage).
pub const BACK_OF_THE_LINE_AT: u16 = 3;

/// How many messages stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    pub visible: u64,
    pub in_flight: u64,
    pub delayed: u64,
}

impl Depth {
    pub fn total(self) -> u64 {
        self.visible + self.in_flight + self.delayed
    }
}

/// The messages of one queue. Every message is in exactly one slot and is visible, in flight or delayed.
#[derive(Debug)]
pub struct Store {
    slots: Vec<Option<Message>>,
    free: Vec<u32>,
    order: Order,
    /// Ends of visibility timeouts and delays.
    hidden: BTreeSet<(Timestamp, u32)>,
    /// Every message by its original send.
    by_send: BTreeSet<(Timestamp, u32)>,
    depth: Depth,
    next_position: u64,
    next_serial: u32,
}

impl Store {
    pub fn new(fifo: bool) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            order: Order::new(fifo),
            hidden: BTreeSet::new(),
            by_send: BTreeSet::new(),
            depth: Depth::default(),
            next_position: 0,
            next_serial: 0,
        }
    }

    fn is_fifo(&self) -> bool {
        matches!(self.order, Order::Fifo(_))
    }

    pub fn depth(&self) -> Depth {
        self.depth
    }

    pub fn get(&self, slot: u32) -> Option<&Message> {
        self.slots.get(slot as usize)?.as_ref()
    }

    /// The message that the receipt is for, while it is here: received since it came, this time or earlier.
    pub fn received_by(&self, receipt: Receipt) -> Option<&Message> {
        self.get(receipt.slot).filter(|message| message.id == receipt.id && message.serial != 0)
    }

    /// The message that the receipt still holds. A FIFO queue's message that was received again since is held by that
    /// receive alone; a standard queue's by every receipt that was given out for it.
    pub fn held_by(&self, receipt: Receipt) -> Option<&Message> {
        self.received_by(receipt).filter(|message| message.serial == receipt.serial || !self.is_fifo())
    }

    /// Takes a message in at the back of the line, hidden until `delayed_until`.
    pub fn insert(&mut self, mut message: Message, delayed_until: Option<Timestamp>) -> u32 {
        self.next_position += 1;
        message.position = self.next_position;
        let slot = self.free.pop().unwrap_or(self.slots.len() as u32);
        self.by_send.insert((message.sent_at, slot));
        match delayed_until {
            Some(until) => {
                message.hide(until);
                self.hidden.insert((message.hidden_until().unwrap_or(until), slot));
                self.depth.delayed += 1;
            }
            None => {
                message.show();
                self.depth.visible += 1;
            }
        }
        self.order.put(&message, slot);
        match self.slots.get_mut(slot as usize) {
            Some(place) => *place = Some(message),
            None => self.slots.push(Some(message)),
        }
        slot
    }

    /// Takes a message out, wherever it stands.
    pub fn remove(&mut self, slot: u32) -> Option<Message> {
        let message = self.slots.get_mut(slot as usize)?.take()?;
        self.free.push(slot);
        self.by_send.remove(&(message.sent_at, slot));
        if let Some(until) = message.hidden_until() {
            self.hidden.remove(&(until, slot));
        }
        self.order.remove(&message, slot);
        *self.count(message.standing()) -= 1;
        Some(message)
    }

    /// The next visible message of a receive. The caller must `start_flight` it or `remove` it.
    pub fn next_visible(&mut self, cursor: &mut Cursor) -> Option<u32> {
        let slots = &self.slots;
        self.order.next(cursor, |position, slot| stands_at(slots, position, slot))
    }

    /// The next visible message of those at `position_max` or before; it stays in the line.
    pub fn peek_visible(&mut self, position_max: u64) -> Option<u32> {
        let slots = &self.slots;
        self.order.peek(position_max, |position, slot| stands_at(slots, position, slot))
    }

    /// The position at the back of the line.
    pub fn last_position(&self) -> u64 {
        self.next_position
    }

    /// Counts a receive of a message that just left the line, and hides it until then.
    pub fn start_flight(&mut self, slot: u32, now: Timestamp, until: Timestamp) -> Option<&Message> {
        self.next_serial = self.next_serial.wrapping_add(1).max(1);
        let serial = self.next_serial;
        let message = self.slots.get_mut(slot as usize)?.as_mut()?;
        message.note_receive(now, until, serial);
        let until = message.hidden_until().unwrap_or(until);
        self.hidden.insert((until, slot));
        self.depth.visible -= 1;
        self.depth.in_flight += 1;
        match &mut self.order {
            Order::Standard(fair) => fair.receive(message, slot, self.depth.in_flight, now),
            Order::Fifo(_) => self.order.put(message, slot),
        }
        self.get(slot)
    }

    /// Sets another end to the visibility timeout of a received message. One that is visible again goes back into
    /// flight.
    pub fn change_flight(&mut self, slot: u32, now: Timestamp, until: Timestamp) {
        let Some(message) = self.slots.get_mut(slot as usize).and_then(Option::as_mut) else { return };
        let received_at = message.last_received_at().unwrap_or(now);
        if let Some(old) = message.hidden_until() {
            self.hidden.remove(&(old, slot));
        } else {
            self.depth.visible -= 1;
            self.depth.in_flight += 1;
        }
        message.fly(received_at, until);
        self.order.put(message, slot);
        self.hidden.insert((message.hidden_until().unwrap_or(until), slot));
        if until <= now {
            self.show(slot);
        }
    }

    /// Makes a hidden message visible, whenever that was to be: a visibility timeout of nothing ends as it begins.
    pub fn show(&mut self, slot: u32) {
        let Some(message) = self.slots.get_mut(slot as usize).and_then(Option::as_mut) else { return };
        let Some(until) = message.hidden_until() else { return };
        self.hidden.remove(&(until, slot));
        match message.standing() {
            Standing::InFlight => self.depth.in_flight -= 1,
            _ => self.depth.delayed -= 1,
        }
        message.show();
        if message.receives >= BACK_OF_THE_LINE_AT && matches!(self.order, Order::Standard(_)) {
            self.next_position += 1;
            message.position = self.next_position;
        }
        self.order.put(message, slot);
        self.depth.visible += 1;
    }

    /// Makes visible what was hidden until now or earlier.
    pub fn show_due(&mut self, now: Timestamp) {
        if let Order::Standard(fair) = &mut self.order {
            fair.calm(now);
        }
        while let Some((until, slot)) = self.hidden.first().copied() {
            if until > now {
                break;
            }
            self.hidden.pop_first();
            self.show(slot);
        }
    }

    /// Drops what was sent at `sent_until` or earlier; how many that were.
    pub fn expire(&mut self, sent_until: Timestamp) -> u64 {
        let mut expired = 0;
        while let Some((sent_at, slot)) = self.by_send.first().copied() {
            if sent_at > sent_until {
                break;
            }
            self.remove(slot);
            expired += 1;
        }
        expired
    }

    /// Drops everything; how many that were.
    pub fn clear(&mut self) -> u64 {
        let dropped = self.depth.total();
        // Positions and serials go on, so that old receipts stay old.
        let (next_position, next_serial) = (self.next_position, self.next_serial);
        *self = Self { next_position, next_serial, ..Self::new(self.is_fifo()) };
        dropped
    }

    /// When the next hidden message becomes visible.
    pub fn next_shown_at(&self) -> Option<Timestamp> {
        self.hidden.first().map(|(until, _)| *until)
    }

    /// The earliest original send.
    pub fn first_sent_at(&self) -> Option<Timestamp> {
        self.by_send.first().map(|(sent_at, _)| *sent_at)
    }

    /// Since when the oldest message waits; what ApproximateAgeOfOldestMessage counts from. A standard queue looks past
    /// messages received three times or more. Fresh ones are in order, so only the first of them is looked at.
    pub fn oldest_since(&self) -> Option<Timestamp> {
        let fair = match &self.order {
            Order::Standard(fair) => fair,
            Order::Fifo(_) => {
                return self.by_send.first().and_then(|(_, slot)| self.get(*slot)).map(Message::aged_from);
            }
        };
        let candidate = |slot: u32| self.get(slot).filter(|message| message.receives < BACK_OF_THE_LINE_AT);
        let line = fair.line();
        let fresh = line.fresh().find_map(|(position, slot)| candidate(slot).filter(|m| m.position == position));
        let returned = line.returned().find_map(|(_, slot)| candidate(slot));
        let hidden = self.hidden.iter().filter_map(|(_, slot)| candidate(*slot));
        let noisy = fair.held_back().filter_map(|(_, slot)| candidate(slot));
        fresh.into_iter().chain(returned).chain(hidden).chain(noisy).map(Message::aged_from).min()
    }

    /// How many groups of a standard queue are noisy, what all others hold, and since when their oldest message waits.
    /// `None` where no message names a group.
    pub fn quiet(&self) -> Option<(u64, Depth, Option<Timestamp>)> {
        let Order::Standard(fair) = &self.order else { return None };
        if !fair.has_groups() {
            return None;
        }
        let (groups, noise) = fair.noise();
        let depth = Depth {
            visible: self.depth.visible - noise.visible,
            in_flight: self.depth.in_flight - noise.in_flight,
            delayed: self.depth.delayed - noise.delayed,
        };
        let is_quiet = |message: &&Message| {
            message.receives < BACK_OF_THE_LINE_AT && !message.group().is_some_and(|group| fair.is_noisy(group))
        };
        let oldest = self.iter().map(|(_, message)| message).filter(is_quiet).map(Message::aged_from).min();
        Some((groups, depth, oldest))
    }

    /// Message groups that have a message in flight; none in a standard queue.
    pub fn groups_in_flight(&self) -> u64 {
        match &self.order {
            Order::Standard(_) => 0,
            Order::Fifo(groups) => groups.locked(),
        }
    }

    /// Every message, by slot.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Message)> {
        self.slots.iter().enumerate().filter_map(|(slot, message)| Some((slot as u32, message.as_ref()?)))
    }

    fn count(&mut self, standing: Standing) -> &mut u64 {
        match standing {
            Standing::Visible => &mut self.depth.visible,
            Standing::InFlight => &mut self.depth.in_flight,
            Standing::Delayed => &mut self.depth.delayed,
        }
    }

    /// Recounts everything the slow way; what disagrees, if anything.
    #[cfg(test)]
    pub fn audit(&self) -> Result<(), String> {
        use crate::sim::sqs::order::group_of;
        let mut depth = Depth::default();
        for (slot, message) in self.iter() {
            match message.standing() {
                Standing::Visible => depth.visible += 1,
                Standing::InFlight => depth.in_flight += 1,
                Standing::Delayed => depth.delayed += 1,
            }
            let standing = message.standing();
            let hidden = message.hidden_until().is_some_and(|until| self.hidden.contains(&(until, slot)));
            let ordered = match &self.order {
                Order::Standard(fair) => {
                    let entries = fair.line().fresh().chain(fair.line().returned()).chain(fair.held_back());
                    let entries = entries.filter(|entry| *entry == (message.position, slot)).count();
                    entries == usize::from(standing == Standing::Visible)
                }
                Order::Fifo(groups) => groups.holds(group_of(message), message.position, slot, standing),
            };
            if !self.by_send.contains(&(message.sent_at, slot)) {
                return Err(format!("{message:?} has no end of retention"));
            }
            if hidden == (standing == Standing::Visible) || !ordered {
                return Err(format!("{message:?}: hidden {hidden}, ordered {ordered}"));
            }
        }
        self.audit_groups()?;
        let counts = (self.hidden.len() as u64, self.by_send.len() as u64);
        if depth != self.depth || counts != (depth.in_flight + depth.delayed, depth.total()) {
            return Err(format!("depth {:?}, recount {depth:?}, sets {counts:?}", self.depth));
        }
        Ok(())
    }

    /// A group is in the order of its sequence numbers, and every receive took it from its first message on.
    #[cfg(test)]
    fn audit_groups(&self) -> Result<(), String> {
        use std::collections::BTreeMap;
        let mut groups: BTreeMap<&str, BTreeMap<u64, &Message>> = BTreeMap::new();
        if self.is_fifo() {
            for (_, message) in self.iter() {
                groups.entry(message.group().unwrap_or("")).or_default().insert(message.position, message);
            }
        }
        for (name, group) in groups {
            let sequence = |message: &Message| message.details.as_ref().and_then(|details| details.sequence);
            let origin = |message: &Message| message.dead_letter().map(|dead| dead.source_arn.clone());
            let members: Vec<&Message> = group.into_values().collect();
            for pair in members.windows(2) {
                let (before, after) = (pair[0], pair[1]);
                let is_ordered = sequence(before) < sequence(after) || origin(before) != origin(after);
                if !is_ordered || before.receives < after.receives {
                    return Err(format!("group {name}: {after:?} is behind {before:?}"));
                }
            }
        }
        Ok(())
    }
}

/// Whether the line's entry still speaks of a message.
fn stands_at(slots: &[Option<Message>], position: u64, slot: u32) -> bool {
    matches!(slots.get(slot as usize), Some(Some(message))
        if message.position == position && message.standing() == Standing::Visible)
}

/// `after` the time, where a setting is in whole seconds.
pub fn seconds_after(time: Timestamp, after_s: u32) -> Timestamp {
    time + Duration::from_secs(after_s.into())
}
