//! A queue's mapping at work: receive, invoke, delete what was done, leave the rest to its visibility timeout.

use crate::sim::cx::Cx;
use crate::sim::lambda::{
    Ended, EventCount, FunctionId, Lambda, MappingDue, MappingSource, Poller, QueuePoller, Settings, Source, Throttle,
    Work,
};
use crate::sim::sqs::{Content, Receipt, Received};
use crate::sim::wire::Service;
use crate::sim::world::World;
use bytes::Bytes;
use serde_json::{Map, Value, json};

/// The poller of a mapping that polls, with what it needs to know.
fn poller(lambda: &mut Lambda, mapping: usize) -> Option<(&mut QueuePoller, &Settings, &str, FunctionId)> {
    let found = lambda.mapping_mut(mapping)?;
    match (&mut found.poller, &found.source) {
        (Poller::Queue(poller), MappingSource::Queue(queue)) => {
            Some((poller, &found.settings, queue.as_str(), found.function))
        }
        _ => None,
    }
}

/// The poller's entry on the agenda falls due.
pub fn due(world: &mut World, mapping: usize) {
    let now = world.now;
    if poller(&mut world.lambda, mapping).is_some_and(|(poller, ..)| poller.wake.falls_due(now)) {
        poll(world, mapping);
    }
}

/// Begins as many batches as concurrency and messages allow, and puts the next poll on the agenda.
fn poll(world: &mut World, mapping: usize) {
    let (lambda, mut cx) = world.lambda_cx();
    if !lambda.takes_work(&mut cx, mapping) {
        return;
    }
    stop_without_queue(world, mapping);
    let now = world.now;
    if let Some((poller, settings, ..)) = poller(&mut world.lambda, mapping) {
        let settings = settings.clone();
        poller.adapt(now, &settings);
        poller.set_behind(false);
    }
    while let Some(is_empty) = gather(world, mapping) {
        let Some((poller, settings, ..)) = poller(&mut world.lambda, mapping) else { return };
        if poller.ripe(now, settings).is_none() {
            break;
        }
        if invoke(world, mapping).is_err() || is_empty {
            break;
        }
    }
    let Some((poller, settings, ..)) = poller(&mut world.lambda, mapping) else { return };
    let next = poller.next_poll(now, settings);
    if poller.wake_at(next) {
        let (_, mut cx) = world.lambda_cx();
        cx.schedule(next, MappingDue { mapping, shard: 0 }.into());
    }
}

/// A mapping whose queue is gone stops for good, as AWS stops it (`LambdaESMDisabled`, RESOURCE_NOT_FOUND).
fn stop_without_queue(world: &mut World, mapping: usize) {
    let is_there = poller(&mut world.lambda, mapping)
        .map(|(_, _, name, _)| name.to_owned())
        .is_some_and(|name| world.sqs.queue(&name).is_some());
    if !is_there {
        let (lambda, mut cx) = world.lambda_cx();
        lambda.set_mapping_enabled(&mut cx, mapping, false);
    }
}

/// Receives until the batch in hand is full or the queue is empty, which is answered. `None` when no batch may be
/// begun now.
fn gather(world: &mut World, mapping: usize) -> Option<bool> {
    let now = world.now;
    let (poller, _, name, _) = poller(&mut world.lambda, mapping)?;
    let name = name.to_owned();
    let visibility_s = world.sqs.queue(&name)?.attributes.visibility_s;
    poller.drop_lapsed(now, visibility_s);
    if poller.backs_off(now) {
        return None;
    }
    let mut visible = {
        let (sqs, cx) = world.sqs_cx();
        sqs.depth(&cx, &name).map_or(0, |depth| depth.visible)
    };
    let (poller, settings) = match self::poller(&mut world.lambda, mapping) {
        Some((poller, settings, ..)) if poller.free(settings) > 0 => (poller, settings.clone()),
        Some((poller, ..)) => {
            poller.set_behind(visible > 0);
            return None;
        }
        None => return None,
    };
    let mut room = poller.room(&settings);
    if visible == 0 && room == settings.batch_size && poller.asks_in_vain(now) {
        visible = 1;
    }
    while room > 0 && visible > 0 {
        let admitted = super::admit(world, mapping, Service::Sqs, "ReceiveMessage", &name);
        let (sqs, mut cx) = world.sqs_cx();
        let received = admitted.and_then(|()| sqs.receive(&mut cx, &name, room.min(10), None));
        let received: Vec<Received> = received.unwrap_or_default();
        let count = received.len() as u32;
        visible = visible.saturating_sub(count.into());
        let is_empty = count < room.min(10);
        let kept = sift(world, mapping, &name, received);
        let (poller, ..) = self::poller(&mut world.lambda, mapping)?;
        poller.hold(now, kept);
        room = poller.room(&settings);
        if is_empty {
            return Some(true);
        }
    }
    Some(visible == 0)
}

/// Leaves of what was received what the mapping's filters let through. The rest is deleted.
fn sift(world: &mut World, mapping: usize, queue: &str, received: Vec<Received>) -> Vec<Received> {
    let (kept, rest) = divided(world, mapping, received);
    let (sqs, mut cx) = world.sqs_cx();
    for receipt in rest {
        // The queue may be gone by now; there is nobody to tell.
        let _ = sqs.delete(&mut cx, queue, receipt);
    }
    kept
}

/// What the mapping's filters let through, and the receipts of the rest.
pub(super) fn divided(world: &mut World, mapping: usize, received: Vec<Received>) -> (Vec<Received>, Vec<Receipt>) {
    let polled = received.len();
    let (lambda, mut cx) = world.lambda_cx();
    lambda.note_events(&mut cx, mapping, EventCount::Polled, polled);
    let Some(found) = lambda.mapping(mapping).filter(|found| !found.settings.filters.is_empty()) else {
        return (received, Vec::new());
    };
    let (filters, arn) = (found.settings.filters.clone(), found.source_arn.clone());
    let (kept, rest): (Vec<_>, Vec<_>) =
        received.into_iter().partition(|message| filters.pass(&seen_by_filters(world, &arn, message), "body"));
    let (lambda, mut cx) = world.lambda_cx();
    lambda.note_events(&mut cx, mapping, EventCount::FilteredOut, rest.len());
    (kept, rest.into_iter().map(|message| message.receipt).collect())
}

/// A message as filters see it: the record that the function would get.
fn seen_by_filters(world: &World, arn: &str, message: &Received) -> Map<String, Value> {
    let body = world.templates.read(&message.body, message.group());
    let mut attributes = json!({
        "ApproximateReceiveCount": message.receive_count.to_string(),
        "SentTimestamp": message.sent_at.millis().to_string(),
        "SenderId": world.place.account,
        "ApproximateFirstReceiveTimestamp": message.first_received_at.millis().to_string(),
    });
    let mut sent = Map::new();
    if let Some(details) = &message.details {
        if let Some(group) = &details.group {
            attributes["MessageGroupId"] = json!(group);
        }
        for (name, value) in &details.attributes {
            if let Content::Text(text) = &value.value {
                sent.insert(name.clone(), json!({"stringValue": text, "dataType": value.data_type}));
            }
        }
    }
    let record = json!({
        "messageId": message.id.to_string(),
        "body": String::from_utf8_lossy(&body),
        "attributes": attributes,
        "messageAttributes": sent,
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": world.place.region,
    });
    if let Value::Object(record) = record { record } else { Map::new() }
}

/// Invokes the function with the batch in hand, whosever the queue is.
pub(super) fn invoke(world: &mut World, mapping: usize) -> Result<(), Throttle> {
    let (lambda, mut cx) = world.lambda_cx();
    let Some(work) = work(lambda, &mut cx, mapping) else { return Err(Throttle::FunctionRate) };
    let (function, work) = work;
    let count = work.records as usize;
    let started = lambda.start(&mut cx, function, work);
    let now = cx.now;
    let Some(Poller::Queue(poller)) = lambda.mapping_mut(mapping).map(|found| &mut found.poller) else {
        return Err(Throttle::FunctionRate);
    };
    match started {
        Some(Ok(_)) => {
            poller.begun();
            lambda.note_events(&mut cx, mapping, EventCount::Invoked, count);
            Ok(())
        }
        Some(Err(throttle)) => {
            poller.throttled(now);
            Err(throttle)
        }
        None => {
            poller.throttled(now);
            Err(Throttle::FunctionRate)
        }
    }
}

fn work(lambda: &Lambda, cx: &mut Cx<'_>, mapping: usize) -> Option<(FunctionId, Work)> {
    let found = lambda.mapping(mapping)?;
    let function = lambda.function(found.function)?;
    let Poller::Queue(poller) = &found.poller else { return None };
    let batch = poller.ripe(cx.now, &found.settings)?;
    let chosen = lambda.choose(cx, found.function, &found.settings.qualifier)?;
    let mut verdict = function.judge(cx, chosen.version, batch.iter().map(|message| &message.body));
    if found.source.is_fifo() {
        verdict.stop_at_first_failure(batch.len() as u32);
    }
    let work = Work {
        source: Source::Mapping { mapping, shard: 0, lane: poller.next_lane() },
        chosen,
        records: batch.len() as u32,
        verdict,
        reports_item_failures: found.settings.reports_item_failures,
        payload: Bytes::new(),
        request: None,
    };
    Some((found.function, work))
}

/// A batch has ended: what was done is deleted; what failed shows again when its visibility timeout ends.
pub fn batch_ended(world: &mut World, mapping: usize, lane: u32, ended: &Ended) {
    let is_success = ended.outcome.is_success();
    let Some((poller, settings, name, _)) = poller(&mut world.lambda, mapping) else { return };
    let receipts = poller.ended(lane, is_success, settings);
    let is_behind = poller.is_behind();
    let name = name.to_owned();
    let failed = if is_success { ended.failed.len() } else { receipts.len() };
    let (lambda, mut cx) = world.lambda_cx();
    lambda.note_events(&mut cx, mapping, EventCount::FailedInvoke, failed);
    lambda.note_events(&mut cx, mapping, EventCount::Deleted, receipts.len() - failed);
    if is_success && super::admit(world, mapping, Service::Sqs, "DeleteMessage", &name).is_ok() {
        let (sqs, mut cx) = world.sqs_cx();
        for (position, receipt) in (0u32..).zip(&receipts) {
            if ended.failed.binary_search(&position).is_err() {
                // The queue may be gone by now; there is nobody to tell.
                let _ = sqs.delete(&mut cx, &name, *receipt);
            }
        }
    }
    if let Some((poller, ..)) = self::poller(&mut world.lambda, mapping) {
        poller.recycle(lane, receipts);
    }
    if is_behind {
        poll(world, mapping);
    }
}
