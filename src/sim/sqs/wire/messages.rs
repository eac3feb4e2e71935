//! Operations on one message as AWS's members: SendMessage, ReceiveMessage, DeleteMessage, ChangeMessageVisibility.

use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::payload::Payload;
use crate::sim::sqs::attributes::{DELAY_S_MAX, WAIT_S_MAX};
use crate::sim::sqs::message::{AttributeValue, Outgoing, Receipt, Received};
use crate::sim::sqs::messages::RECEIVE_MAX;
use crate::sim::sqs::queue::Action;
use crate::sim::sqs::wire::address::queue_of;
use crate::sim::sqs::wire::attributes::{self, asked_for, is_legal_text};
use crate::sim::sqs::wire::input::Input;
use crate::sim::sqs::wire::nothing;
use crate::sim::sqs::{checksum, error, receipt};
use crate::sim::waits::Awaited;
use crate::sim::wire::{Answer, Call, Reply, query};
use crate::sim::world::World;
use bytes::Bytes;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;

/// `SenderId` of every message: the engine has one caller (the id is the one of AWS's documentation).
const SENDER_ID: &str = "AIDACKCEVSQ6C2EXAMPLE";

/// System attributes that a receiver can ask for.
const SYSTEM_ATTRIBUTES: [&str; 10] = [
    "All",
    "SenderId",
    "SentTimestamp",
    "ApproximateReceiveCount",
    "ApproximateFirstReceiveTimestamp",
    "SequenceNumber",
    "MessageDeduplicationId",
    "MessageGroupId",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
];

pub fn send(world: &mut World, call: &Call, input: Input<'_>) -> Result<Value, ApiError> {
    let queue = queue_of(world, input)?;
    admit(world, &queue, Action::Send)?;
    let outgoing = read_outgoing(input)?;
    send_one(world, call, &queue, outgoing)
}

/// Counts one API action against a FIFO queue's rate. Errors: RequestThrottled.
pub fn admit(world: &mut World, queue: &str, action: Action) -> Result<(), ApiError> {
    let (sqs, cx) = world.sqs_cx();
    sqs.admit(&cx, queue, action)
}

/// Sends what a request or a batch's entry describes; the answer's members. The request's `X-Amzn-Trace-Id` is the
/// trace header of what has none of its own.
pub fn send_one(world: &mut World, call: &Call, queue: &str, mut outgoing: Outgoing) -> Result<Value, ApiError> {
    // Room for the members of most answers, a batch's `Id` among them.
    let mut answer = Map::with_capacity(4);
    answer.insert("MD5OfMessageBody".into(), checksum::md5_of_body(&body_of(&outgoing)).into());
    if let Some(md5) = checksum::md5_of_attributes(outgoing.attributes.iter()) {
        answer.insert("MD5OfMessageAttributes".into(), md5.into());
    }
    if let Some(header) = &outgoing.trace_header {
        let system = BTreeMap::from([("AWSTraceHeader".to_owned(), AttributeValue::text("String", header))]);
        answer.insert("MD5OfMessageSystemAttributes".into(), checksum::md5_of_attributes(system.iter()).into());
    } else {
        outgoing.trace_header = call.request.header("x-amzn-trace-id").map(str::to_owned);
    }
    let (sqs, mut cx) = world.sqs_cx();
    let sent = sqs.send(&mut cx, queue, outgoing)?;
    answer.insert("MessageId".into(), sent.id.to_string().into());
    if let Some(sequence) = sent.sequence {
        answer.insert("SequenceNumber".into(), sequence.to_string().into());
    }
    Ok(Value::Object(answer))
}

fn body_of(outgoing: &Outgoing) -> Bytes {
    match &outgoing.body {
        Payload::Sent(bytes) => bytes.clone(),
        Payload::Made { .. } => Bytes::new(),
    }
}

pub fn read_outgoing(input: Input<'_>) -> Result<Outgoing, ApiError> {
    let body = input.required_text("MessageBody")?;
    if !is_legal_text(body) {
        return Err(error::invalid_message_contents());
    }
    let delay_s = input.integer("DelaySeconds")?;
    let delay_s = delay_s
        .map(|delay_s| {
            let reason = format!("DelaySeconds must be >= 0 and <= {DELAY_S_MAX}.");
            in_range(delay_s, DELAY_S_MAX).ok_or_else(|| error::invalid_value(delay_s, "DelaySeconds", reason))
        })
        .transpose()?;
    let attributes = input.map("MessageAttributes")?.map(attributes::read).transpose()?.unwrap_or_default();
    let trace_header = input.map("MessageSystemAttributes")?.map(attributes::read_trace_header).transpose()?.flatten();
    Ok(Outgoing {
        body: Payload::Sent(Bytes::copy_from_slice(body.as_bytes())),
        attributes,
        trace_header,
        delay_s,
        group: checked_id(input, "MessageGroupId")?.map(str::to_owned),
        dedup: checked_id(input, "MessageDeduplicationId")?.map(str::to_owned),
    })
}

/// Group and deduplication ids: 1 to 128 letters, digits and punctuation.
fn checked_id<'a>(input: Input<'a>, name: &str) -> Result<Option<&'a str>, ApiError> {
    let Some(id) = input.text(name)? else { return Ok(None) };
    if id.is_empty() || id.len() > 128 || !id.chars().all(|c| c.is_ascii_graphic()) {
        let reason = format!("{name} can only include alphanumeric and punctuation characters. 1 to 128 in length.");
        return Err(error::invalid_value(id, name, reason));
    }
    Ok(Some(id))
}

fn in_range(value: i64, max: u32) -> Option<u32> {
    u32::try_from(value).ok().filter(|value| *value <= max)
}

/// What a ReceiveMessage asks for.
struct Wanted<'a> {
    queue: String,
    max: u32,
    visibility_s: Option<u32>,
    wait_s: Option<u32>,
    system: Vec<&'a str>,
    attributes: Vec<&'a str>,
    /// `ReceiveRequestAttemptId`, FIFO only.
    attempt: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    fn read(world: &World, call: &Call, input: Input<'a>) -> Result<Self, ApiError> {
        let queue = queue_of(world, input)?;
        let max = input.integer("MaxNumberOfMessages")?.unwrap_or(1);
        let max = in_range(max, RECEIVE_MAX).filter(|max| *max > 0).ok_or_else(|| {
            error::invalid_value(max, "MaxNumberOfMessages", "Must be between 1 and 10, if provided.")
        })?;
        let wait_s = match input.integer("WaitTimeSeconds")? {
            Some(wait_s) => Some(in_range(wait_s, WAIT_S_MAX).ok_or_else(|| {
                error::invalid_value(wait_s, "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided.")
            })?),
            None => None,
        };
        let visibility_s = match input.integer("VisibilityTimeout")? {
            // Above the limit the typed operation answers; below zero its type has no room.
            Some(s) => Some(u32::try_from(s).map_err(|_| error::receive_visibility_out_of_range(s))?),
            None => None,
        };
        let mut system = input.texts("AttributeNames")?;
        // The query protocol looks at the older of the two members when it has both.
        if system.is_empty() || !query::is_query(&call.request) {
            system.extend(input.texts("MessageSystemAttributeNames")?);
        }
        if let Some(unknown) = system.iter().find(|name| !SYSTEM_ATTRIBUTES.contains(name)) {
            return Err(error::invalid_attribute_name(unknown));
        }
        let attributes = input.texts("MessageAttributeNames")?;
        let fifo = world.sqs.queue(&queue).is_some_and(|queue| queue.attributes.fifo.is_some());
        let attempt = checked_id(input, "ReceiveRequestAttemptId")?;
        if let (Some(id), false) = (attempt, fifo) {
            let reason = "The request include parameter that is not valid for this queue type.";
            return Err(error::invalid_value(id, "ReceiveRequestAttemptId", reason));
        }
        Ok(Self { queue, max, visibility_s, wait_s, system, attributes, attempt })
    }
}

/// Receives, or asks to be asked again until the wait is over. A receive that is still waiting is no empty receive.
pub fn receive(world: &mut World, call: &mut Call, input: Input<'_>) -> Answer {
    let wanted = Wanted::read(world, call, input)?;
    let queue_waits_s = world.sqs.queue(&wanted.queue).map_or(0, |queue| queue.attributes.wait_s);
    let wait_s = wanted.wait_s.unwrap_or(queue_waits_s);
    let until = call.arrived + Duration::from_secs(wait_s.into());
    let waiting = world.now < until;
    let (sqs, mut cx) = world.sqs_cx();
    // A waiting call that is asked again has been admitted.
    if call.ticket.is_none() {
        sqs.admit(&cx, &wanted.queue, Action::Receive)?;
        call.ticket = Some(0);
    }
    let repeated = match wanted.attempt {
        Some(attempt) => sqs.repeat_attempt(&mut cx, &wanted.queue, attempt, wanted.visibility_s)?,
        None => None,
    };
    let received = if let Some(repeated) = repeated {
        Ok(repeated)
    } else if waiting {
        // A long poll that finds too many messages in flight waits and gets nothing, without an error.
        match sqs.receive_waiting(&mut cx, &wanted.queue, wanted.max, wanted.visibility_s) {
            Err(error) if error.code == "OverLimit" => Ok(Vec::new()),
            other => other,
        }
    } else {
        match sqs.receive(&mut cx, &wanted.queue, wanted.max, wanted.visibility_s) {
            Err(error) if error.code == "OverLimit" && wait_s > 0 => Ok(Vec::new()),
            other => other,
        }
    }?;
    if received.is_empty() && waiting {
        cx.waits.wait_for(Awaited::Message(wanted.queue));
        return Ok(Reply::Later(until));
    }
    if received.is_empty() {
        return Ok(Reply::Done(nothing()));
    }
    if let Some(attempt) = wanted.attempt {
        sqs.remember_attempt(&cx, &wanted.queue, attempt, &received);
    }
    let generation = sqs.queue(&wanted.queue).map_or(0, |queue| queue.generation);
    let messages: Vec<Value> = received.iter().map(|message| write(&cx, message, generation, &wanted)).collect();
    Ok(Reply::Done(Value::Object(Map::from_iter([("Messages".to_owned(), Value::Array(messages))]))))
}

fn write(cx: &Cx<'_>, message: &Received, generation: u64, wanted: &Wanted<'_>) -> Value {
    let body = cx.templates.read(&message.body, message.group());
    let mut members = Map::new();
    members.insert("MessageId".into(), message.id.to_string().into());
    members.insert("ReceiptHandle".into(), receipt::encode(generation, message.receipt).into());
    members.insert("MD5OfBody".into(), checksum::md5_of_body(&body).into());
    members.insert("Body".into(), String::from_utf8_lossy(&body).into_owned().into());
    let system = system_attributes(message, &wanted.system);
    if !system.is_empty() {
        members.insert("Attributes".into(), Value::Object(system));
    }
    if let Some(details) = &message.details {
        let asked = || details.attributes.iter().filter(|(name, _)| asked_for(name, &wanted.attributes));
        if let Some(md5) = checksum::md5_of_attributes(asked()) {
            members.insert("MD5OfMessageAttributes".into(), md5.into());
            members.insert("MessageAttributes".into(), Value::Object(attributes::write(asked())));
        }
    }
    Value::Object(members)
}

fn system_attributes(message: &Received, asked: &[&str]) -> Map<String, Value> {
    let mut all: Vec<(&str, String)> = vec![
        ("SenderId", SENDER_ID.to_owned()),
        ("ApproximateFirstReceiveTimestamp", message.first_received_at.millis().to_string()),
        ("ApproximateReceiveCount", message.receive_count.to_string()),
        ("SentTimestamp", message.sent_at.millis().to_string()),
    ];
    if let Some(details) = &message.details {
        let further = [
            ("SequenceNumber", details.sequence.map(|sequence| sequence.to_string())),
            ("MessageDeduplicationId", details.dedup.clone()),
            ("MessageGroupId", details.group.clone()),
            ("AWSTraceHeader", details.trace_header.clone()),
            ("DeadLetterQueueSourceArn", details.dead_letter.as_ref().map(|dead| dead.source_arn.clone())),
        ];
        all.extend(further.into_iter().filter_map(|(name, value)| Some((name, value?))));
    }
    let everything = asked.contains(&"All");
    let shown = all.into_iter().filter(|(name, _)| everything || asked.contains(name));
    shown.map(|(name, value)| (name.to_owned(), value.into())).collect()
}

pub fn delete(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let queue = queue_of(world, input)?;
    admit(world, &queue, Action::Delete)?;
    delete_one(world, &queue, input)?;
    Ok(nothing())
}

pub fn delete_one(world: &mut World, queue: &str, input: Input<'_>) -> Result<(), ApiError> {
    let receipt = read_receipt(world, queue, input)?;
    let (sqs, mut cx) = world.sqs_cx();
    sqs.delete(&mut cx, queue, receipt)?;
    Ok(())
}

pub fn change_visibility(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let queue = queue_of(world, input)?;
    admit(world, &queue, Action::ChangeVisibility)?;
    change_visibility_one(world, &queue, input)?;
    Ok(nothing())
}

pub fn change_visibility_one(world: &mut World, queue: &str, input: Input<'_>) -> Result<(), ApiError> {
    let receipt = read_receipt(world, queue, input)?;
    let visibility_s =
        input.integer("VisibilityTimeout")?.ok_or_else(|| error::missing_parameter("VisibilityTimeout"))?;
    let visibility_s = u32::try_from(visibility_s).map_err(|_| error::visibility_out_of_range(visibility_s))?;
    let (sqs, mut cx) = world.sqs_cx();
    sqs.change_visibility(&mut cx, queue, receipt, visibility_s)
}

/// The receipt behind the handle. ReceiptHandleIsInvalid for what was not written for this queue.
fn read_receipt(world: &World, queue: &str, input: Input<'_>) -> Result<Receipt, ApiError> {
    let handle = input.required_text("ReceiptHandle")?;
    let queue = world.sqs.queue(queue).ok_or_else(error::queue_does_not_exist)?;
    match receipt::decode(handle) {
        Some((generation, receipt)) if generation == queue.generation => Ok(receipt),
        _ => Err(error::receipt_handle_is_invalid(handle)),
    }
}
