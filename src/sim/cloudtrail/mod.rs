//! CloudTrail's event history: every management event of the account's services, as it is answered, for 90 days.
//!
//! How it is used from within the engine: `wire` hands over each answered request with `note`, and what the scenario
//! does on somebody's behalf comes in through `note_change`. What another region records leaves through `note_abroad`
//! and `take_leaving`, and comes in there through `receive`. `lookup` reads it back for LookupEvents. Which operations
//! are management events, and under which names, is in `table`.

mod event;
mod lookup;
mod record;
mod table;
#[cfg(test)]
mod tests;

pub use event::{Event, Identity};
pub use lookup::answer;
pub use record::{Answered, Other};
pub use table::records;

use crate::domain::time::Timestamp;
use crate::sim::cx::Place;
use crate::sim::payload;
use crate::sim::rate::TokenBucket;
use serde_json::Value;
use std::collections::VecDeque;
use std::time::Duration;

/// The event history goes back this far (CloudTrail "event history").
const KEPT: Duration = Duration::from_secs(90 * 86_400);
/// Events kept of each kind, changes and reads: what a poller reads must not push out what somebody changed.
const EVENTS_MAX: usize = 20_000;
/// Bytes kept of each kind.
const BYTES_MAX: usize = 16 << 20;
/// Requests a second of LookupEvents (CloudTrail "quotas").
const LOOKUPS_PER_S: f64 = 2.0;

/// Events for other accounts that wait to be taken there, at most.
const SHARED_MAX: usize = 1000;

/// Whether an error says that somebody may not do something.
fn is_denial(code: &str) -> bool {
    matches!(code, "AccessDenied" | "AccessDeniedException" | "AuthorizationError")
}

fn shared_id(event: &Event) -> String {
    let mut state = event.request_id.bytes().fold(event.number, |mix, byte| mix.rotate_left(7) ^ u64::from(byte));
    payload::uuid_text(payload::next(&mut state), payload::next(&mut state))
}

/// The event history of one account and region.
pub struct CloudTrail {
    changes: Shelf,
    reads: Shelf,
    /// Events recorded since the world began; numbers them.
    recorded: u64,
    lookups: TokenBucket,
    /// Events that another region records, until somebody carries them there.
    leaving: Vec<Event>,
    /// Events for other accounts, for whoever keeps them; see [`CloudTrail::take_shared`].
    shared: Vec<Shared>,
}

/// An event on its way to another account of the same region.
#[derive(Debug)]
pub struct Shared {
    pub account: String,
    event: Event,
}

/// Events of one kind, oldest first.
#[derive(Default)]
struct Shelf {
    events: VecDeque<Event>,
    bytes: usize,
}

impl Default for CloudTrail {
    fn default() -> Self {
        Self {
            changes: Shelf::default(),
            reads: Shelf::default(),
            recorded: 0,
            lookups: TokenBucket::new(LOOKUPS_PER_S, LOOKUPS_PER_S, Timestamp::default()),
            leaving: Vec::new(),
            shared: Vec::new(),
        }
    }
}

impl CloudTrail {
    /// Records an answered request when it is a management event. Where it concerns two accounts, both get an event of it,
    /// with one `sharedEventID` ("CloudTrail record contents"); of a denial only the account hears that was denied.
    pub fn note(&mut self, now: Timestamp, answered: &Answered<'_>) {
        let Some(mut event) = record::event_of(self.recorded, now, answered) else { return };
        let is_denial = answered.outcome.is_err_and(|error| is_denial(error.code));
        match &answered.other {
            None => self.keep(now, event),
            Some(Other::Owner(_)) if is_denial => self.keep(now, event),
            Some(Other::Caller(account)) if is_denial => self.share(account, event),
            Some(Other::Owner(account)) => {
                event.shared_id = Some(shared_id(&event));
                self.share(account, Event { by: event.by.seen_from_abroad(), ..event.clone() });
                self.keep(now, event);
            }
            Some(Other::Caller(account)) => {
                event.shared_id = Some(shared_id(&event));
                self.share(account, event.clone());
                self.keep(now, Event { by: event.by.seen_from_abroad(), ..event });
            }
        }
    }

    /// The same for an event of a global service, which another region of the account records.
    pub fn note_abroad(&mut self, now: Timestamp, answered: &Answered<'_>) {
        self.leaving.extend(record::event_of(0, now, answered));
    }

    /// Events that are to be carried to the region that records them.
    pub fn take_leaving(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.leaving)
    }

    /// Records what happened in another region.
    pub fn receive(&mut self, event: Event) {
        self.keep(event.at, Event { number: self.recorded, ..event });
    }

    fn share(&mut self, account: &str, event: Event) {
        // Where nobody keeps the accounts, nobody would take them away.
        if self.shared.len() < SHARED_MAX {
            self.shared.push(Shared { account: account.to_owned(), event });
        }
    }

    /// What other accounts are to be told, which `receive_shared` takes in there.
    pub fn take_shared(&mut self) -> Vec<Shared> {
        std::mem::take(&mut self.shared)
    }

    /// Takes in an event that another account has shared.
    pub fn receive_shared(&mut self, now: Timestamp, shared: Shared) {
        let event = Event { number: self.recorded, at: now, ..shared.event };
        self.keep(now, event);
    }

    /// Records a change that one of the account's IAM users made from outside, such as a deploy. `request` and
    /// `response` have CloudTrail's member names.
    pub fn note_change(
        &mut self,
        now: Timestamp,
        place: &Place,
        user: &str,
        (service, operation): (&'static str, &str),
        (request, response): (&Value, &Value),
    ) {
        let by = Identity::user(place, user, None);
        if let Some(event) = record::change(self.recorded, now, by, (service, operation), (request, response)) {
            self.keep(now, event);
        }
    }

    fn keep(&mut self, now: Timestamp, event: Event) {
        self.recorded += 1;
        let shelf = if event.is_read_only { &mut self.reads } else { &mut self.changes };
        shelf.bytes += event.bytes();
        shelf.events.push_back(event);
        self.expire(now);
    }

    fn expire(&mut self, now: Timestamp) {
        for shelf in [&mut self.changes, &mut self.reads] {
            let is_over = |shelf: &Shelf| {
                let oldest = shelf.events.front();
                oldest.is_some_and(|event| now.since(event.at) > KEPT)
                    || shelf.events.len() > EVENTS_MAX
                    || shelf.bytes > BYTES_MAX
            };
            while is_over(shelf) {
                shelf.bytes -= shelf.events.pop_front().map_or(0, |event| event.bytes());
            }
        }
    }

    /// Every event, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Event> {
        let (mut changes, mut reads) =
            (self.changes.events.iter().rev().peekable(), self.reads.events.iter().rev().peekable());
        std::iter::from_fn(move || match (changes.peek(), reads.peek()) {
            (Some(change), Some(read)) if change.number < read.number => reads.next(),
            (Some(_), _) => changes.next(),
            (None, _) => reads.next(),
        })
    }

    /// Events held, for tests of memory.
    pub fn len(&self) -> usize {
        self.changes.events.len() + self.reads.events.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
