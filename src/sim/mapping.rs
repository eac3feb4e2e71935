//! The road between Lambda and its sources: pollers of event source mappings, and what an invocation's end causes.
//! Only this file and its children carry things from one service to another on Lambda's behalf.

pub mod guest;
mod queue;
mod stream;

#[cfg(test)]
mod fifo_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod window_tests;

use crate::domain::time::Timestamp;
use crate::sim::error::ApiError;
use crate::sim::fanout;
use crate::sim::faults::api;
use crate::sim::lambda::{
    DeadLetter, Delivery, Due, Ended, FunctionId, LastResult, Lineage, MappingDue, MappingSource, Source, WHOLE_STREAM,
};
use crate::sim::payload::{self, Payload};
use crate::sim::sns::Publication;
use crate::sim::sqs::{AttributeValue, Outgoing};
use crate::sim::wire::Service;
use crate::sim::workflow;
use crate::sim::world::World;
use bytes::Bytes;

/// Something inside Lambda falls due.
pub fn lambda_due(world: &mut World, due: Due) {
    let (lambda, mut cx) = world.lambda_cx();
    match due {
        Due::InvocationEnds { invocation } => {
            if let Some(ended) = lambda.end(&mut cx, invocation) {
                invocation_ended(world, &ended);
            }
            workflow::invocation_ended(world, invocation);
        }
        Due::AsyncEvent { event } => {
            let deliveries = lambda.try_event(&mut cx, event);
            deliver(world, deliveries);
        }
        Due::Gauges => lambda.gauge(&mut cx),
        Due::Provisioned { function, qualifier, generation } => {
            lambda.provisioned_ready(&cx, function, &qualifier, generation);
        }
        Due::MappingSettles { mapping } => lambda.mapping_settles(&mut cx, mapping),
    }
}

fn invocation_ended(world: &mut World, ended: &Ended) {
    match ended.source {
        Source::Caller { .. } => {}
        Source::Event { event } => {
            let (lambda, mut cx) = world.lambda_cx();
            let deliveries = lambda.event_ended(&mut cx, event, ended);
            deliver(world, deliveries);
        }
        Source::Mapping { mapping, shard, lane } => {
            match world.lambda.mapping(mapping).map(|mapping| &mapping.source) {
                Some(MappingSource::Queue(_)) => queue::batch_ended(world, mapping, lane, ended),
                Some(MappingSource::Foreign { .. }) => guest::batch_ended(world, mapping, lane, ended),
                Some(MappingSource::Stream(_)) => stream::batch_ended(world, mapping, shard, lane, ended),
                None => {}
            }
        }
    }
}

/// A mapping's poller polls its source.
pub fn mapping_due(world: &mut World, due: MappingDue) {
    let Some(mapping) = world.lambda.mapping(due.mapping) else { return };
    match (&mapping.source, due.shard) {
        (MappingSource::Queue(_), _) => queue::due(world, due.mapping),
        (MappingSource::Foreign { .. }, _) => guest::due(world, due.mapping),
        (MappingSource::Stream(_), WHOLE_STREAM) => stream::look_for_shards(world, due.mapping),
        (MappingSource::Stream(_), shard) => stream::due(world, due.mapping, shard),
    }
}

/// What a function is called where it asks other services for something.
fn actor(world: &World, function: FunctionId) -> String {
    format!("lambda/{}", world.lambda.function(function).map_or("", |function| function.name.as_str()))
}

/// Whether a service lets a function's poller do this; a denial is the mapping's last result.
fn admit(world: &mut World, mapping: usize, of: Service, operation: &str, resource: &str) -> Result<(), ApiError> {
    let Some(found) = world.lambda.mapping(mapping) else { return Ok(()) };
    let actor = actor(world, found.function);
    let admitted = api::admit(world, &actor, of, operation, resource);
    if let (Err(error), Some(found)) = (&admitted, world.lambda.mapping_mut(mapping))
        && error.code == "AccessDeniedException"
    {
        found.last_result = LastResult::Denied;
    }
    admitted
}

/// Carries what an asynchronous event leaves behind to where it goes.
fn deliver(world: &mut World, deliveries: Vec<Delivery>) {
    for delivery in deliveries {
        match delivery {
            Delivery::DeadLetter(dead) => deliver_dead_letter(world, dead),
            Delivery::Record { function, target, record, lineage } => {
                if !send_json(world, function, &target, &record, lineage) {
                    let (lambda, mut cx) = world.lambda_cx();
                    lambda.destination_failed(&mut cx, function);
                }
            }
        }
    }
}

/// Carries an asynchronous event that failed for good to the function's dead-letter queue.
fn deliver_dead_letter(world: &mut World, dead: DeadLetter) {
    let mut outgoing = Outgoing::of(Payload::Sent(dead.body));
    for (name, value) in dead.attributes {
        let data_type = if name == "ErrorCode" { "Number" } else { "String" };
        outgoing.attributes.insert(name.to_owned(), AttributeValue::text(data_type, &value));
    }
    if !send_to(world, dead.function, &dead.target, outgoing, dead.lineage) {
        let (lambda, mut cx) = world.lambda_cx();
        lambda.dead_letter_failed(&mut cx, dead.function);
    }
}

/// Sends for a function to the queue or the topic that an ARN names; false when there is none, or it will not take the
/// message. What a queue's mapping invokes tells nobody, so a queue ends the chain.
fn send_to(world: &mut World, function: FunctionId, arn: &str, outgoing: Outgoing, lineage: Lineage) -> bool {
    let by = actor(world, function);
    if arn.split(':').nth(2) == Some("sns") {
        let publication = Publication { attributes: outgoing.attributes, lineage, ..Publication::of(outgoing.body) };
        let topic = arn.rsplit(':').next().unwrap_or(arn);
        let is_admitted = api::admit(world, &by, Service::Sns, "Publish", topic).is_ok();
        return is_admitted && fanout::publish_to(world, arn, publication);
    }
    let queue = match MappingSource::of_arn(&world.place, arn) {
        Some(MappingSource::Queue(queue)) => queue,
        _ => return false,
    };
    let is_admitted = api::admit(world, &by, Service::Sqs, "SendMessage", &queue).is_ok();
    let mut outgoing = outgoing;
    outgoing.trace_header = Some(trace_header(world.now, &by, &outgoing.body));
    let (sqs, mut cx) = world.sqs_cx();
    is_admitted && sqs.send(&mut cx, &queue, outgoing).is_ok()
}

/// The trace that what a function sends belongs to: nobody samples it. It comes of what is sent, and when, by whom.
fn trace_header(now: Timestamp, by: &str, sent: &Payload) -> String {
    let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let chain = by.as_bytes().iter().fold(0xcbf2_9ce4_8422_2325, fold);
    let sent = if let Payload::Sent(bytes) = sent { &bytes[..] } else { &[] };
    let mut state = sent.iter().fold(chain ^ now.millis().unsigned_abs(), fold);
    let (first, second, parent) = (payload::next(&mut state), payload::next(&mut state), payload::next(&mut state));
    let (second, chain) = (second as u32, chain as u32);
    format!("Root=1-{:08x}-{first:016x}{second:08x};Parent={parent:016x};Sampled=0;Lineage=1:{chain:08x}:0", now.secs())
}

/// Sends a JSON text for a function to the queue, the topic or the function that an ARN names; false where it does not
/// arrive. `lineage` is of the functions that told one another of it.
fn send_json(world: &mut World, function: FunctionId, arn: &str, json: &serde_json::Value, lineage: Lineage) -> bool {
    let text = Bytes::from(json.to_string());
    if arn.split(':').nth(2) != Some("lambda") {
        return send_to(world, function, arn, Outgoing::of(Payload::Sent(text)), lineage);
    }
    let (lambda, mut cx) = world.lambda_cx();
    lambda.accept_event_at(&mut cx, arn, text, lineage).is_some()
}
