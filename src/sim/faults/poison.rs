//! A message that its consumers cannot take, however often they try.

use crate::sim::actors::Role;
use crate::sim::kinesis::{PutKey, PutRecord};
use crate::sim::lambda::{ErrorRule, MappingSource};
use crate::sim::payload::Payload;
use crate::sim::sqs::Outgoing;
use crate::sim::world::World;
use bytes::Bytes;

/// The partition key of such a record, and the group of such a message.
const KEY: &str = "poison";

/// Puts one message with this text, on which the functions and queue workers of that source fail from now on. Fleets
/// go past what they cannot process, as AWS's consumer library does.
pub fn put(world: &mut World, source: &str, text: &str) {
    set(world, source, text, true);
    let body = Payload::Sent(Bytes::copy_from_slice(text.as_bytes()));
    match source.split_once('/') {
        Some(("kinesis", stream)) => {
            let record = PutRecord { key: PutKey::Text(KEY), explicit_hash: None, data: body };
            let (kinesis, mut cx) = world.kinesis_cx();
            // A shard that has no room for it will do without.
            let _ = kinesis.put_record(&mut cx, stream, &record);
        }
        Some((_, queue)) => {
            let mut outgoing = Outgoing::of(body);
            if queue.ends_with(".fifo") {
                outgoing.group = Some(KEY.to_owned());
                outgoing.dedup = Some(format!("{KEY}-{}", world.now.millis()));
            }
            let (sqs, mut cx) = world.sqs_cx();
            let _ = sqs.send(&mut cx, queue, outgoing);
        }
        None => {}
    }
}

/// The consumers' code can take it by now.
pub fn cure(world: &mut World, source: &str, text: &str) {
    set(world, source, text, false);
}

fn set(world: &mut World, source: &str, text: &str, is_poison: bool) {
    let (of, queue) = match source.split_once('/') {
        Some(("kinesis", stream)) => (MappingSource::Stream(stream.to_owned()), None),
        Some((_, queue)) => (MappingSource::Queue(queue.to_owned()), Some(queue)),
        None => return,
    };
    let functions: Vec<_> = world
        .lambda
        .mappings()
        .filter(|(_, mapping)| mapping.source == of)
        .map(|(_, mapping)| mapping.function)
        .collect();
    for function in functions {
        let Some(function) = world.lambda.function_mut(function) else { continue };
        function.trouble.poison.retain(|rule| rule.when_contains != text);
        if is_poison {
            function.trouble.poison.push(ErrorRule::new(text, "ValueError", "the payload cannot be read"));
        }
    }
    let Some(queue) = queue else { return };
    for actor in world.actors.iter_mut().flatten() {
        if let Role::Worker(worker) = &mut actor.role
            && worker.queue == queue
        {
            worker.poison.retain(|known| known != text);
            worker.poison.extend(is_poison.then(|| text.to_owned()));
        }
    }
}
