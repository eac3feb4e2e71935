//! Who is served next: the line of a standard queue or the groups of a FIFO queue, behind one face.

use crate::sim::sqs::fair::Fair;
use crate::sim::sqs::groups::{Cursor, Groups};
use crate::sim::sqs::message::Message;

/// The order of a queue's messages.
#[derive(Debug)]
pub enum Order {
    Standard(Fair),
    Fifo(Groups),
}

impl Order {
    pub fn new(fifo: bool) -> Self {
        if fifo { Self::Fifo(Groups::default()) } else { Self::Standard(Fair::default()) }
    }

    /// The message has come to stand where it says that it stands.
    pub fn put(&mut self, message: &Message, slot: u32) {
        match self {
            Self::Standard(fair) => fair.put(message, slot),
            Self::Fifo(groups) => groups.put(group_of(message), message.position, slot, message.standing()),
        }
    }

    /// The message leaves the queue.
    pub fn remove(&mut self, message: &Message, slot: u32) {
        match self {
            Self::Standard(fair) => fair.remove(message, slot),
            Self::Fifo(groups) => groups.remove(group_of(message), message.position),
        }
    }

    /// The next message of a receive. A standard one leaves the line at once.
    pub fn next(&mut self, cursor: &mut Cursor, is_there: impl Fn(u64, u32) -> bool) -> Option<u32> {
        match self {
            Self::Standard(fair) => fair.pop(is_there),
            Self::Fifo(groups) => groups.next(cursor),
        }
    }

    /// The slot of the next message among those at `position_max` or before; it stays where it is.
    pub fn peek(&mut self, position_max: u64, is_there: impl Fn(u64, u32) -> bool) -> Option<u32> {
        match self {
            Self::Standard(fair) => {
                fair.peek(is_there).filter(|(position, _)| *position <= position_max).map(|(_, slot)| slot)
            }
            Self::Fifo(groups) => groups.first_ready(position_max),
        }
    }
}

/// Every message of a FIFO queue has a group; one that has none is in the group without a name.
pub fn group_of(message: &Message) -> &str {
    message.group().unwrap_or("")
}
