//! Operations on messages: send, receive, delete, change visibility. What moves to the dead-letter queue and when.

use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::sqs::attributes::{DELAY_S_MAX, VISIBILITY_S_MAX};
use crate::sim::sqs::groups::Cursor;
use crate::sim::sqs::message::{Message, Outgoing, Receipt, Received, Sent, Standing, attribute_bytes};
use crate::sim::sqs::queue::{Queue, details_of, new_id};
use crate::sim::sqs::store::seconds_after;
use crate::sim::sqs::{Sqs, checksum, error, receipt};
use std::time::Duration;

/// Messages in flight at once, at most ("Standard queue quotas").
pub const IN_FLIGHT_MAX: u64 = 120_000;
/// Messages of one receive, at most.
pub const RECEIVE_MAX: u32 = 10;

impl Sqs {
    /// Takes a message in. A FIFO queue answers a repeated deduplication id with what the first send answered.
    /// Errors: QueueDoesNotExist, InvalidParameterValue (delay, size, deduplication), MissingParameter (group).
    pub fn send(&mut self, cx: &mut Cx<'_>, name: &str, mut outgoing: Outgoing) -> Result<Sent, ApiError> {
        let queue = self.queue_mut(name)?;
        queue.act(cx);
        let bytes = cx.templates.len_of(&outgoing.body) + attribute_bytes(&outgoing.attributes);
        if bytes > queue.attributes.message_bytes_max as usize {
            return Err(error::message_too_long(queue.attributes.message_bytes_max));
        }
        // A FIFO queue takes no delay of a message's own, and 0 is none.
        let own = outgoing.delay_s.filter(|delay_s| *delay_s > 0 || queue.attributes.fifo.is_none());
        let delay_s = own.unwrap_or(queue.attributes.delay_s);
        if delay_s > DELAY_S_MAX {
            let reason = format!("DelaySeconds must be >= 0 and <= {DELAY_S_MAX}.");
            return Err(error::invalid_value(delay_s, "DelaySeconds", reason));
        }
        let scope = deduplication(cx, queue, &mut outgoing)?;
        if let (Some(scope), Some(id)) = (&scope, &outgoing.dedup)
            && let Some(first) = queue.dedup.seen(cx.now, scope, id)
        {
            queue.counters.deduplicated += 1;
            return Ok(first);
        }
        let sent = Sent { id: new_id(cx), sequence: queue.next_sequence() };
        if let (Some(scope), Some(id)) = (&scope, &outgoing.dedup) {
            queue.dedup.remember(cx.now, scope, id, &sent);
        }
        let message = Message::new(sent.id, outgoing.body.clone(), cx.now, details_of(&mut outgoing, sent.sequence));
        let delayed_until = (delay_s > 0).then(|| seconds_after(cx.now, delay_s));
        queue.store.insert(message, delayed_until);
        queue.counters.sent += 1;
        queue.note_sent_size(cx, bytes);
        if delayed_until.is_some() {
            queue.schedule_wake(cx);
        }
        Ok(sent)
    }

    /// Hands out up to `max` (1 to 10) visible messages and hides them for `visibility_s` (the queue's when `None`).
    /// A message that was received as often as the redrive policy allows moves to the dead-letter queue instead.
    /// Errors: QueueDoesNotExist, InvalidParameterValue, OverLimit.
    pub fn receive(
        &mut self,
        cx: &mut Cx<'_>,
        name: &str,
        max: u32,
        visibility_s: Option<u32>,
    ) -> Result<Vec<Received>, ApiError> {
        let received = self.receive_waiting(cx, name, max, visibility_s)?;
        if received.is_empty() {
            self.queue_mut(name)?.counters.empty_receives += 1;
        }
        Ok(received)
    }

    /// The same with a ReceiveRequestAttemptId: a FIFO queue repeats the answer to an earlier receive of that id whose
    /// messages are all still in flight, and begins their visibility timeout again.
    pub fn repeat_attempt(
        &mut self,
        cx: &mut Cx<'_>,
        name: &str,
        attempt: &str,
        visibility_s: Option<u32>,
    ) -> Result<Option<Vec<Received>>, ApiError> {
        let queue = self.queue_mut(name)?;
        queue.act(cx);
        let Some(receipts) = queue.attempts.of(cx.now, attempt).map(<[Receipt]>::to_vec) else { return Ok(None) };
        let flies = |receipt: &Receipt| {
            queue.store.held_by(*receipt).is_some_and(|message| message.standing() == Standing::InFlight)
        };
        if !receipts.iter().all(flies) {
            return Ok(None);
        }
        let until = seconds_after(cx.now, visibility_s.unwrap_or(queue.attributes.visibility_s));
        let mut again = Vec::new();
        for receipt in receipts {
            again.extend(queue.store.get(receipt.slot).map(|message| message.to_received(receipt.slot)));
            queue.store.change_flight(receipt.slot, cx.now, until);
        }
        queue.schedule_wake(cx);
        Ok(Some(again))
    }

    /// Remembers what a receive with a ReceiveRequestAttemptId handed out.
    pub fn remember_attempt(&mut self, cx: &Cx<'_>, name: &str, attempt: &str, received: &[Received]) {
        if let Some(queue) = self.queues.get_mut(name) {
            let receipts = received.iter().map(|message| message.receipt).collect();
            queue.attempts.remember(cx.now, attempt, receipts);
        }
    }

    /// The same for a caller that goes on waiting when nothing is there (a long poll): nothing is then no empty
    /// receive. The caller ends its wait with `receive`.
    pub fn receive_waiting(
        &mut self,
        cx: &mut Cx<'_>,
        name: &str,
        max: u32,
        visibility_s: Option<u32>,
    ) -> Result<Vec<Received>, ApiError> {
        if !(1..=RECEIVE_MAX).contains(&max) {
            let reason = "Must be between 1 and 10, if provided.";
            return Err(error::invalid_value(max, "MaxNumberOfMessages", reason));
        }
        let receives_max = self.receives_max(name);
        let queue = self.queue_mut(name)?;
        queue.act(cx);
        let visibility_s = visibility_s.unwrap_or(queue.attributes.visibility_s);
        if visibility_s > VISIBILITY_S_MAX {
            return Err(error::receive_visibility_out_of_range(visibility_s.into()));
        }
        if queue.store.depth().in_flight >= IN_FLIGHT_MAX && queue.attributes.fifo.is_none() {
            return Err(error::over_limit());
        }
        let until = seconds_after(cx.now, visibility_s);
        let mut received = Vec::new();
        let mut dead = Vec::new();
        let mut cursor = Cursor::default();
        while received.len() < max as usize && queue.store.depth().in_flight < IN_FLIGHT_MAX {
            let Some(slot) = queue.store.next_visible(&mut cursor) else { break };
            let exhausted = queue.store.get(slot).is_some_and(|message| u32::from(message.receives) >= receives_max);
            if exhausted {
                dead.extend(queue.store.remove(slot));
            } else if let Some(message) = queue.store.start_flight(slot, cx.now, until) {
                received.push(message.to_received(slot));
            }
        }
        if visibility_s == 0 {
            // Nothing is handed out twice by one receive; the next one finds it.
            received.iter().for_each(|message| queue.store.show(message.receipt.slot));
        }
        queue.counters.received += received.len() as u64;
        queue.schedule_wake(cx);
        if !dead.is_empty() {
            self.bury(cx, name, dead);
        }
        Ok(received)
    }

    /// Deletes what the receipt holds, and that nothing was left to delete is no error; whether something was is
    /// answered. A receipt of a standard queue still deletes after a later receive, which AWS does though DeleteMessage
    /// says otherwise. A FIFO queue refuses with InvalidParameterValue once the visibility timeout has ended, because
    /// the group may have gone on.
    pub fn delete(&mut self, cx: &mut Cx<'_>, name: &str, receipt: Receipt) -> Result<bool, ApiError> {
        let queue = self.queue_mut(name)?;
        queue.act(cx);
        let held = queue.store.held_by(receipt).map(Message::standing);
        let is_replaced = held.is_none() && queue.store.received_by(receipt).is_some();
        if queue.attributes.fifo.is_some() && (held == Some(Standing::Visible) || is_replaced) {
            return Err(error::receipt_has_expired(&receipt::encode(queue.generation, receipt)));
        }
        queue.counters.deleted += 1;
        if held.is_none() {
            return Ok(false);
        }
        let is_gone = queue.store.remove(receipt.slot).is_some();
        queue.gone += u64::from(is_gone);
        Ok(is_gone)
    }

    /// Sets the time from now until the message shows again, 0 to 43,200 seconds; 12 hours count from the receive.
    /// Errors: QueueDoesNotExist, InvalidParameterValue.
    pub fn change_visibility(
        &mut self,
        cx: &mut Cx<'_>,
        name: &str,
        receipt: Receipt,
        visibility_s: u32,
    ) -> Result<(), ApiError> {
        if visibility_s > VISIBILITY_S_MAX {
            return Err(error::visibility_out_of_range(visibility_s.into()));
        }
        let queue = self.queue_mut(name)?;
        queue.act(cx);
        let Some(message) = queue.store.held_by(receipt) else {
            let handle = receipt::encode(queue.generation, receipt);
            let is_replaced = queue.store.received_by(receipt).is_some();
            return Err(if is_replaced { error::receipt_has_expired(&handle) } else { error::message_gone(&handle) });
        };
        if queue.attributes.fifo.is_some() && message.standing() != Standing::InFlight {
            return Err(error::receipt_has_expired(&receipt::encode(queue.generation, receipt)));
        }
        let until = seconds_after(cx.now, visibility_s);
        // A message that is visible again may still be hidden by who received it last, as long as nobody else did.
        let received_at = message.last_received_at().unwrap_or(cx.now);
        if until.since(received_at) > Duration::from_secs(VISIBILITY_S_MAX.into()) {
            let reason =
                format!("Total VisibilityTimeout for the message is beyond the limit [{VISIBILITY_S_MAX} seconds]");
            return Err(error::invalid_value(visibility_s, "VisibilityTimeout", reason));
        }
        queue.store.change_flight(receipt.slot, cx.now, until);
        queue.schedule_wake(cx);
        Ok(())
    }

    /// How often a message of the queue may be received. Unbounded without a redrive policy, or when the dead-letter
    /// queue that it names is gone: the messages then stay.
    fn receives_max(&self, name: &str) -> u32 {
        let policy = self.queues.get(name).and_then(|queue| queue.attributes.redrive.as_ref());
        let policy = policy.filter(|policy| self.queues.contains_key(&policy.target));
        policy.map_or(u32::MAX, |policy| policy.max_receives)
    }

    /// Moves messages to the queue's dead-letter queue. Their original send is kept, so their retention runs on.
    fn bury(&mut self, cx: &mut Cx<'_>, source: &str, dead: Vec<Message>) {
        let source_arn = cx.place.arn("sqs", source);
        let policy = self.queues.get(source).and_then(|queue| queue.attributes.redrive.clone());
        let Some(target) = policy.and_then(|policy| self.queues.get_mut(&policy.target)) else { return };
        let fifo = target.attributes.fifo.is_some();
        for message in dead {
            let mut message = message.into_dead_letter(source_arn.clone(), cx.now, fifo);
            if let (true, id, Some(details)) = (fifo, message.id, &mut message.details) {
                // So that no message is lost to another with its id (SQS "Using dead-letter queues").
                details.dedup = Some(id.to_string());
            }
            target.store.insert(message, None);
        }
        target.settle(cx.now);
        cx.waits.queue_changed(&target.name);
    }
}

/// Checks group and deduplication id against the queue's type and fills in the id that the body gives. Answers the
/// scope within which the id counts; `None` for a standard queue.
fn deduplication(cx: &Cx<'_>, queue: &Queue, outgoing: &mut Outgoing) -> Result<Option<String>, ApiError> {
    let other_type = "The request include parameter that is not valid for this queue type.";
    let Some(fifo) = &queue.attributes.fifo else {
        return match &outgoing.dedup {
            Some(id) => Err(error::invalid_value(id, "MessageDeduplicationId", other_type)),
            None => Ok(None),
        };
    };
    if let Some(delay_s) = outgoing.delay_s.filter(|delay_s| *delay_s > 0) {
        return Err(error::invalid_value(delay_s, "DelaySeconds", other_type));
    }
    let Some(group) = &outgoing.group else { return Err(error::missing_parameter("MessageGroupId")) };
    let scope = if queue.deduplicates_by_group(cx.now) { group.clone() } else { String::new() };
    if outgoing.dedup.is_none() {
        if !fifo.content_based_deduplication {
            return Err(error::deduplication_id_missing());
        }
        let body = cx.templates.read(&outgoing.body, group);
        outgoing.dedup = Some(checksum::sha256_of_body(&body));
    }
    Ok(Some(scope))
}
