//! The engine: a day of the flash sale, and records and messages through the services' typed functions.

use crate::figure::Figures;
use midwatch::domain::time::Timestamp;
use midwatch::sim::cx::Place;
use midwatch::sim::kinesis::{Position, PutKey, PutRecord, ShardId, StreamMode};
use midwatch::sim::payload::{Payload, Template};
use midwatch::sim::scenario::{Scenario, build, builtin};
use midwatch::sim::sqs::Outgoing;
use midwatch::sim::world::World;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const MILLION: u64 = 1_000_000;

pub fn run(figures: &mut Figures) {
    let day_s = day();
    figures.below("engine_day", day_s, "s", 10.0);
    figures.above("engine_sqs_send_receive_delete", messages(), "messages/s", MILLION as f64);
    figures.above("engine_kinesis_put_get", records(), "records/s", MILLION as f64);
}

/// Seconds for 24 simulated hours of `flash-sale` on one core.
fn day() -> f64 {
    let text = builtin("flash-sale").expect("built in").text;
    let scenario = Scenario::parse(text).expect("valid");
    let mut world = build(&scenario, 1).expect("a world");
    let started = Instant::now();
    world.advance_to(scenario.start + Duration::from_secs(86_400));
    started.elapsed().as_secs_f64()
}

fn world() -> World {
    let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: false };
    let mut world = World::new(1, Timestamp::from_millis(0), place);
    world.templates.add(Template { name: "body".into(), text: "{uuid}".into(), bytes: Some(200) });
    world
}

/// Messages sent, received and deleted in a second, in batches of ten.
fn messages() -> f64 {
    let mut world = world();
    let (sqs, mut cx) = world.sqs_cx();
    sqs.create_queue(&mut cx, "orders", &BTreeMap::new(), &BTreeMap::new()).expect("a queue");
    let template = midwatch::sim::payload::TemplateId(0);
    let started = Instant::now();
    for batch in 0..MILLION / 10 {
        for message in 0..10 {
            let body = Payload::Made { template, seed: batch * 10 + message };
            sqs.send(&mut cx, "orders", Outgoing::of(body)).expect("sent");
        }
        for received in sqs.receive(&mut cx, "orders", 10, None).expect("received") {
            assert!(sqs.delete(&mut cx, "orders", received.receipt).expect("deleted"));
        }
    }
    MILLION as f64 / started.elapsed().as_secs_f64()
}

/// Records put and got in a second, in batches of 500.
fn records() -> f64 {
    let mut world = world();
    let (kinesis, mut cx) = world.kinesis_cx();
    kinesis.add_active_stream(&mut cx, "bids", 1, StreamMode::Provisioned).expect("a stream");
    let key = kinesis.intern_key("hotel-1");
    let template = midwatch::sim::payload::TemplateId(0);
    let shard = ShardId(0);
    let mut cursor = kinesis.cursor(&mut cx, "bids", shard, Position::TrimHorizon).expect("a cursor");
    let mut got = 0;
    let started = Instant::now();
    for batch in 0..MILLION / 500 {
        let records: Vec<PutRecord<'_>> = (0..500)
            .map(|record| PutRecord {
                key: PutKey::Interned(key),
                explicit_hash: None,
                data: Payload::Made { template, seed: batch * 500 + record },
            })
            .collect();
        kinesis.put_records(&mut cx, "bids", &records).expect("put");
        let read = kinesis.read(&mut cx, "bids", shard, cursor, 10_000).expect("got");
        got += read.records.len() as u64;
        cursor = read.next.expect("an open shard");
    }
    assert_eq!(got, MILLION);
    MILLION as f64 / started.elapsed().as_secs_f64()
}
