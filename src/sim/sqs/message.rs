//! A message: what a sender hands over, what a queue keeps of it, and what a receiver gets.

use crate::domain::time::Timestamp;
use crate::sim::payload::{self, Payload, TemplateId};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// A message's identity. Its text is a version-4 UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u64);

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut state = self.0;
        let (a, b) = (payload::next(&mut state), payload::next(&mut state));
        f.write_str(&payload::uuid_text(a, b))
    }
}

/// A FIFO queue's sequence number, counted from 1. Its text has twenty digits and rises, with gaps, as AWS's does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SequenceNumber(pub u64);

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", 18_850_000_000_000_000_000_u128 + u128::from(self.0) * 256)
    }
}

/// What `receive` hands out and `delete` takes: the message, its place in its queue and the serial of the receive. Each
/// receive makes a new one. In a FIFO queue only the newest works; a standard queue takes any that it gave out for the
/// message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Receipt {
    pub slot: u32,
    pub serial: u32,
    pub id: MessageId,
}

/// A message attribute: a data type (`String`, `Number`, `Binary`, each with an optional `.suffix`) and a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeValue {
    pub data_type: String,
    pub value: Content,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    Text(String),
    Binary(Bytes),
}

impl AttributeValue {
    pub fn text(data_type: &str, value: &str) -> Self {
        Self { data_type: data_type.to_owned(), value: Content::Text(value.to_owned()) }
    }

    /// The value's bytes.
    pub fn bytes(&self) -> &[u8] {
        match &self.value {
            Content::Text(text) => text.as_bytes(),
            Content::Binary(bytes) => bytes,
        }
    }
}

/// What a sender hands over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    pub body: Payload,
    pub attributes: BTreeMap<String, AttributeValue>,
    /// The message system attribute `AWSTraceHeader`.
    pub trace_header: Option<String>,
    /// 0 to 900; `None` takes the queue's `DelaySeconds`.
    pub delay_s: Option<u32>,
    /// `MessageGroupId`: the order of a FIFO queue, or the tenant of a standard one.
    pub group: Option<String>,
    /// `MessageDeduplicationId`, FIFO only.
    pub dedup: Option<String>,
}

impl Outgoing {
    /// A body and nothing else.
    pub fn of(body: Payload) -> Self {
        Self { body, attributes: BTreeMap::new(), trace_header: None, delay_s: None, group: None, dedup: None }
    }
}

/// Bytes of attributes that count against the size limit beside the body: each name, type and value.
pub fn attribute_bytes(attributes: &BTreeMap<String, AttributeValue>) -> usize {
    attributes.iter().map(|(name, value)| name.len() + value.data_type.len() + value.bytes().len()).sum()
}

/// What a send answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub id: MessageId,
    /// FIFO queues only.
    pub sequence: Option<SequenceNumber>,
}

/// A received message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub id: MessageId,
    pub receipt: Receipt,
    pub body: Payload,
    /// This receive included. Keeps counting in a dead-letter queue.
    pub receive_count: u32,
    /// The original send; a move to a dead-letter queue keeps it.
    pub sent_at: Timestamp,
    pub first_received_at: Timestamp,
    /// What most messages do not have.
    pub details: Option<Box<Details>>,
}

impl Received {
    /// The message's group, or nothing: what fills a made body's `{key}`.
    pub fn group(&self) -> &str {
        self.details.as_ref().and_then(|d| d.group.as_deref()).unwrap_or("")
    }
}

/// The parts that most messages do not have, kept apart so that a plain message stays small.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    pub attributes: BTreeMap<String, AttributeValue>,
    pub trace_header: Option<String>,
    pub group: Option<String>,
    pub dedup: Option<String>,
    pub sequence: Option<SequenceNumber>,
    /// Set in a dead-letter queue.
    pub dead_letter: Option<DeadLetter>,
}

/// How a message came into a dead-letter queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The ARN that `DeadLetterQueueSourceArn` shows and a move task without a destination returns it to.
    pub source_arn: String,
    /// The queue's age metric counts from here.
    pub moved_at: Timestamp,
    /// Receives before the move.
    pub receives_before: u32,
}

/// A body as kept: 16 bytes.
#[derive(Clone, Debug)]
enum Body {
    Sent(Box<Bytes>),
    Made { template: TemplateId, seed: u64 },
}

/// A message in a queue. 64 bytes beside what a client sent.
#[derive(Clone, Debug)]
pub struct Message {
    body: Body,
    pub id: MessageId,
    pub sent_at: Timestamp,
    /// Its place in the line of visible messages: lower comes first.
    pub position: u64,
    pub details: Option<Box<Details>>,
    /// Receives in this queue; stops counting at 65,535.
    pub receives: u16,
    /// Seconds from the last receive to the end of the visibility timeout (12 hours fit).
    flight_s: u16,
    /// The newest receipt's serial; 0 before the first receive.
    pub serial: u32,
    /// Milliseconds from the send to the first receive.
    first_receive_after_ms: u32,
    /// Milliseconds from the send to the end of the visibility timeout or the delay; 0 when the message is visible.
    hidden_for_ms: u32,
}

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Visible,
    InFlight,
    Delayed,
}

impl Message {
    /// A new message that nobody has received.
    pub fn new(id: MessageId, body: Payload, sent_at: Timestamp, details: Option<Box<Details>>) -> Self {
        let body = match body {
            Payload::Sent(bytes) => Body::Sent(Box::new(bytes)),
            Payload::Made { template, seed } => Body::Made { template, seed },
        };
        Self {
            body,
            id,
            sent_at,
            position: 0,
            details,
            receives: 0,
            flight_s: 0,
            serial: 0,
            first_receive_after_ms: 0,
            hidden_for_ms: 0,
        }
    }

    pub fn body(&self) -> Payload {
        match &self.body {
            Body::Sent(bytes) => Payload::Sent(Bytes::clone(bytes)),
            Body::Made { template, seed } => Payload::Made { template: *template, seed: *seed },
        }
    }

    pub fn standing(&self) -> Standing {
        match (self.hidden_for_ms, self.receives) {
            (0, _) => Standing::Visible,
            (_, 0) => Standing::Delayed,
            _ => Standing::InFlight,
        }
    }

    /// When the visibility timeout or the delay ends; `None` when the message is visible.
    pub fn hidden_until(&self) -> Option<Timestamp> {
        (self.hidden_for_ms > 0).then(|| self.sent_at + Duration::from_millis(self.hidden_for_ms.into()))
    }

    /// Hides the message until then. Spans fit: retention is at most 14 days and visibility 12 hours, 32 bits hold 49.
    pub fn hide(&mut self, until: Timestamp) {
        self.hidden_for_ms = span_ms(self.sent_at, until).max(1);
    }

    pub fn show(&mut self) {
        self.hidden_for_ms = 0;
    }

    /// Counts one receive and hides the message until then.
    pub fn note_receive(&mut self, now: Timestamp, until: Timestamp, serial: u32) {
        if self.receive_count() == 0 {
            self.first_receive_after_ms = span_ms(self.sent_at, now);
        }
        self.receives = self.receives.saturating_add(1);
        self.serial = serial;
        self.fly(now, until);
    }

    /// Hides the message that was received at `received_at` until then.
    pub fn fly(&mut self, received_at: Timestamp, until: Timestamp) {
        self.hide(until);
        self.flight_s = u16::try_from(until.since(received_at).as_millis().div_ceil(1000)).unwrap_or(u16::MAX);
    }

    /// When the message in flight was last received.
    pub fn last_received_at(&self) -> Option<Timestamp> {
        let until = self.hidden_until().filter(|_| self.receives > 0)?;
        Some(until - Duration::from_secs(self.flight_s.into()))
    }

    pub fn first_received_at(&self) -> Timestamp {
        self.sent_at + Duration::from_millis(self.first_receive_after_ms.into())
    }

    /// `ApproximateReceiveCount`: receives here and in the queue it came from as a dead letter.
    pub fn receive_count(&self) -> u32 {
        let before = self.dead_letter().map_or(0, |dead| dead.receives_before);
        u32::from(self.receives).saturating_add(before)
    }

    pub fn dead_letter(&self) -> Option<&DeadLetter> {
        self.details.as_ref()?.dead_letter.as_ref()
    }

    pub fn group(&self) -> Option<&str> {
        self.details.as_ref()?.group.as_deref()
    }

    /// Since when the queue's age metric counts this message.
    pub fn aged_from(&self) -> Timestamp {
        self.dead_letter().map_or(self.sent_at, |dead| dead.moved_at)
    }

    /// The message as it enters a dead-letter queue: id and receive count are kept. So is the send time, from which
    /// retention counts, except in a FIFO queue, where retention starts again.
    pub fn into_dead_letter(mut self, source_arn: String, moved_at: Timestamp, fifo: bool) -> Self {
        let receives_before = self.receive_count();
        if fifo {
            self.sent_at = moved_at;
            self.first_receive_after_ms = 0;
        }
        let details = self.details.get_or_insert_default();
        details.dead_letter = Some(DeadLetter { source_arn, moved_at, receives_before });
        self.receives = 0;
        self.serial = 0;
        self.hidden_for_ms = 0;
        self
    }

    pub fn to_received(&self, slot: u32) -> Received {
        Received {
            id: self.id,
            receipt: Receipt { slot, serial: self.serial, id: self.id },
            body: self.body(),
            receive_count: self.receive_count(),
            sent_at: self.sent_at,
            first_received_at: self.first_received_at(),
            details: self.details.clone(),
        }
    }
}

fn span_ms(from: Timestamp, to: Timestamp) -> u32 {
    u32::try_from(to.since(from).as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_message_takes_64_bytes() {
        assert_eq!(size_of::<Message>(), 64);
        assert_eq!(size_of::<Option<Message>>(), 64);
    }

    #[test]
    fn a_dead_letter_keeps_id_send_time_and_count() {
        let t = Timestamp::from_millis;
        let body = Payload::Sent(Bytes::from_static(b"poison"));
        let mut message = Message::new(MessageId(7), body, t(1_000), None);
        message.note_receive(t(2_000), t(32_000), 1);
        message.note_receive(t(40_000), t(70_000), 2);
        let mut dead = message.into_dead_letter("arn:aws:sqs:eu-west-1:123456789012:orders".into(), t(70_000), false);
        dead.note_receive(t(90_000), t(120_000), 1);
        assert_eq!(dead.last_received_at(), Some(t(90_000)));
        let received = dead.to_received(0);
        assert_eq!((received.id, received.sent_at, received.receive_count), (MessageId(7), t(1_000), 3));
        assert_eq!(received.first_received_at, t(2_000));
        assert_eq!(dead.aged_from(), t(70_000));
    }

    #[test]
    fn ids_read_as_version_4_uuids() {
        let text = MessageId(42).to_string();
        assert_eq!(text.len(), 36);
        assert_eq!(&text[14..15], "4");
        assert_ne!(text, MessageId(43).to_string());
    }
}
