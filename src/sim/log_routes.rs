//! What written log events cause: metrics of the groups, the metrics that metric filters make of them, and batches for
//! subscribed functions and streams. Only this file takes things from CloudWatch Logs to other services. The lines of
//! functions are made when somebody reads them, so they reach no filter.

use crate::domain::time::Timestamp;
use crate::sim::cloudwatch::Metric;
use crate::sim::kinesis::{PutKey, PutRecord};
use crate::sim::lambda::Lineage;
use crate::sim::logs::{Destination, EVENT_OVERHEAD, Incoming, MetricFilter, Subscription};
use crate::sim::payload::{self, Payload};
use crate::sim::world::World;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use serde_json::json;
use std::collections::BTreeSet;
use std::io::Write;

/// Events that were just stored in a stream.
pub fn written(world: &mut World, group: &str, stream: &str, events: &[Incoming]) {
    if events.is_empty() {
        return;
    }
    let bytes: usize = events.iter().map(|event| event.message.len() + EVENT_OVERHEAD).sum();
    let dimensions = [("LogGroupName", group)];
    for (name, unit, value) in [("IncomingLogEvents", "None", events.len()), ("IncomingBytes", "Bytes", bytes)] {
        let id = world.metrics.series("AWS/Logs", name, &dimensions, unit);
        world.metrics.add(id, world.now, value as f64);
    }
    let Some(found) = world.logs.group(group) else { return };
    let filters: Vec<MetricFilter> = found.metric_filters.values().cloned().collect();
    let subscriptions: Vec<(String, Subscription)> =
        found.subscriptions.iter().map(|(name, one)| (name.clone(), one.clone())).collect();
    for filter in &filters {
        measure(world, filter, events);
    }
    for (name, subscription) in &subscriptions {
        forward(world, (group, stream), (name, subscription), events);
    }
}

/// A matching event is a sample at its time. In a minute in which nothing matched, the default value is one.
fn measure(world: &mut World, filter: &MetricFilter, events: &[Incoming]) {
    let series = |world: &mut World, dimensions: &[(&str, &str)]| {
        let metric = Metric::new(&filter.namespace, &filter.name, dimensions);
        world.metrics.series_of(metric, filter.unit)
    };
    let mut silent: BTreeSet<Timestamp> = BTreeSet::new();
    let mut matched: BTreeSet<Timestamp> = BTreeSet::new();
    for event in events {
        let at = Timestamp::from_millis(event.at_ms);
        silent.insert(at.floor_to(60));
        if !filter.pattern.is_match(&event.message) {
            continue;
        }
        matched.insert(at.floor_to(60));
        let dimensions: Option<Vec<(&str, String)>> = filter
            .dimensions
            .iter()
            .map(|(name, selector)| Some((name.as_str(), filter.pattern.extract(&event.message, selector)?)))
            .collect();
        // An event without one of the dimensions is no sample.
        let Some(dimensions) = dimensions else { continue };
        let dimensions: Vec<(&str, &str)> = dimensions.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let value = match filter.value.parse::<f64>() {
            Ok(value) => Some(value),
            Err(_) => filter.pattern.extract(&event.message, &filter.value).and_then(|text| text.parse().ok()),
        };
        if let Some(value) = value {
            let id = series(world, &dimensions);
            world.metrics.add(id, at, value);
        }
    }
    let Some(default) = filter.default_value else { return };
    let id = series(world, &[]);
    for minute in silent.difference(&matched) {
        let end = *minute + std::time::Duration::from_secs(60);
        if world.metrics.read(&[(id, filter.unit)], (*minute, end), 60, world.now, false).is_empty() {
            world.metrics.add(id, *minute, default);
        }
    }
}

/// The events that match go as one batch, compressed, to whom they are for.
fn forward(
    world: &mut World,
    (group, stream): (&str, &str),
    (name, subscription): (&str, &Subscription),
    events: &[Incoming],
) {
    let matching: Vec<&Incoming> =
        events.iter().filter(|event| subscription.pattern.is_match(&event.message)).collect();
    if matching.is_empty() {
        return;
    }
    let each = matching.iter().enumerate().map(|(index, event)| {
        let mut state = event.at_ms.unsigned_abs() ^ stream.len() as u64 ^ (index as u64) << 48;
        let id = format!("3{:015}{:020}{:020}", event.at_ms, payload::next(&mut state), index);
        json!({ "id": id, "timestamp": event.at_ms, "message": &*event.message })
    });
    let batch = json!({
        "messageType": "DATA_MESSAGE",
        "owner": world.place.account,
        "logGroup": group,
        "logStream": stream,
        "subscriptionFilters": [name],
        "logEvents": each.collect::<Vec<_>>(),
    });
    let data = compressed(batch.to_string().as_bytes());
    let is_taken = deliver(world, stream, subscription, &data);
    let kind = subscription.destination.kind();
    let dimensions = [("LogGroupName", group), ("DestinationType", kind), ("FilterName", name)];
    let (events, bytes) = if is_taken { (matching.len(), data.len()) } else { (0, 0) };
    for (metric, unit, value) in [
        ("ForwardedLogEvents", "None", events),
        ("ForwardedBytes", "Bytes", bytes),
        ("DeliveryErrors", "None", if is_taken { 0 } else { matching.len() }),
    ] {
        if value > 0 {
            let id = world.metrics.series("AWS/Logs", metric, &dimensions, unit);
            world.metrics.add(id, world.now, value as f64);
        }
    }
}

fn compressed(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // A vector takes whatever is written to it.
    let _ = encoder.write_all(data);
    encoder.finish().unwrap_or_default()
}

/// Whether the destination took the batch.
fn deliver(world: &mut World, stream: &str, subscription: &Subscription, data: &[u8]) -> bool {
    match &subscription.destination {
        Destination::Function(arn) => {
            let event = json!({ "awslogs": { "data": BASE64_STANDARD.encode(data) } });
            let (lambda, mut cx) = world.lambda_cx();
            lambda.accept_event_at(&mut cx, arn, Bytes::from(event.to_string()), Lineage::default()).is_some()
        }
        Destination::Stream(name) => {
            let (kinesis, mut cx) = world.kinesis_cx();
            // By stream the order of its events stays; otherwise they are spread.
            let key = if subscription.is_spread { cx.uuid() } else { stream.to_owned() };
            let data = Payload::Sent(Bytes::from(data.to_vec()));
            let record = PutRecord { key: PutKey::Text(&key), explicit_hash: None, data };
            kinesis.put_record(&mut cx, name, &record).is_ok()
        }
        Destination::DeliveryStream(name) => {
            let (firehose, mut cx) = world.firehose_cx();
            firehose.put_one(&mut cx, name, data.len()).is_ok()
        }
    }
}
