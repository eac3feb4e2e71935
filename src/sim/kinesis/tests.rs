//! The service as its users see it: streams that come and change, producers and consumers.

use super::*;
use crate::domain::time::Timestamp;
use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::payload::{Payload, Template, TemplateId};
use crate::sim::world::World;
use std::time::Duration;

fn world(limits: bool) -> World {
    let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits };
    World::new(7, Timestamp::from_millis(1_700_000_000_000), place)
}

fn with_stream(limits: bool, shards: u32) -> (World, TemplateId) {
    let mut world = world(limits);
    let (kinesis, mut cx) = world.kinesis_cx();
    kinesis.add_active_stream(&mut cx, "bids", shards, StreamMode::Provisioned).unwrap();
    let template = cx.templates.add(Template { name: "bid".into(), text: "{}".into(), bytes: Some(200) });
    (world, template)
}

fn wait(world: &mut World, seconds: u64) {
    world.advance_to(world.now + Duration::from_secs(seconds));
}

fn put(world: &mut World, template: TemplateId, key: &str, seeds: std::ops::Range<u64>) -> Vec<PutOutcome> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let key = PutKey::Interned(kinesis.intern_key(key));
    let records: Vec<PutRecord> =
        seeds.map(|seed| PutRecord { key, explicit_hash: None, data: Payload::Made { template, seed } }).collect();
    kinesis.put_records(&mut cx, "bids", &records).unwrap()
}

fn read_from(world: &mut World, shard: u32, position: Position) -> Result<Batch, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let cursor = kinesis.cursor(&mut cx, "bids", ShardId(shard), position)?;
    kinesis.read(&mut cx, "bids", ShardId(shard), cursor, 10_000)
}

fn seeds(batch: &Batch) -> Vec<u64> {
    let seed = |record: &Record| match record.data {
        Payload::Made { seed, .. } => seed,
        Payload::Sent(_) => panic!("a made record was put"),
    };
    batch.records.iter().map(seed).collect()
}

#[test]
fn a_new_stream_is_creating_for_seconds_and_then_takes_records() {
    let mut world = world(true);
    let (kinesis, mut cx) = world.kinesis_cx();
    kinesis.create_stream(&mut cx, "bids", 2, StreamMode::Provisioned).unwrap();
    assert_eq!(
        kinesis.create_stream(&mut cx, "bids", 2, StreamMode::Provisioned).unwrap_err().code,
        "ResourceInUseException"
    );
    assert_eq!(kinesis.stream("bids").unwrap().status, StreamStatus::Creating);
    let record = PutRecord { key: PutKey::Text("a"), explicit_hash: None, data: Payload::Sent("x".into()) };
    let error = kinesis.put_record(&mut cx, "bids", &record).unwrap_err();
    assert_eq!(error.message, "Stream bids under account 123456789012 not found.");
    wait(&mut world, 10);
    let (kinesis, mut cx) = world.kinesis_cx();
    let (shard, sequence) = kinesis.put_record(&mut cx, "bids", &record).unwrap();
    assert_eq!(sequence.shard, shard);
    assert_eq!(kinesis.stream("bids").unwrap().open_shards(), 2);
}

#[test]
fn records_of_a_key_come_back_in_order_from_one_shard() {
    let (mut world, template) = with_stream(true, 4);
    let outcomes = put(&mut world, template, "hotel-17", 0..50);
    let PutOutcome::Ok { shard, .. } = outcomes[0] else { panic!("throttled") };
    assert!(outcomes.iter().all(|outcome| matches!(outcome, PutOutcome::Ok { shard: s, .. } if *s == shard)));
    let batch = read_from(&mut world, shard.0, Position::TrimHorizon).unwrap();
    assert_eq!(seeds(&batch), (0..50).collect::<Vec<_>>());
    assert_eq!(world.kinesis.key_text(&batch.records[0].key), "hotel-17");
    assert_eq!((batch.millis_behind_latest, batch.bytes), (0, 50 * (200 + 8)));
}

#[test]
fn each_position_starts_where_its_name_says() {
    let (mut world, template) = with_stream(false, 1);
    put(&mut world, template, "k", 0..3);
    wait(&mut world, 10);
    let noon = world.now;
    put(&mut world, template, "k", 3..6);
    let all = read_from(&mut world, 0, Position::TrimHorizon).unwrap();
    let third = all.records[3].sequence;
    let mut from = |position| seeds(&read_from(&mut world, 0, position).unwrap());
    assert_eq!(from(Position::TrimHorizon), [0, 1, 2, 3, 4, 5]);
    assert_eq!(from(Position::At(third)), [3, 4, 5]);
    assert_eq!(from(Position::After(third)), [4, 5]);
    assert_eq!(from(Position::AtTimestamp(noon - Duration::from_secs(5))), [3, 4, 5]);
    assert_eq!(from(Position::Latest), [] as [u64; 0]);
}

#[test]
fn a_hot_shard_throttles_record_by_record_and_the_rest_gets_in() {
    let (mut world, template) = with_stream(true, 1);
    let accepted = |outcomes: Vec<PutOutcome>| outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(accepted(put(&mut world, template, "k", 0..500)), 500);
    assert_eq!(accepted(put(&mut world, template, "k", 500..1000)), 500);
    assert_eq!(accepted(put(&mut world, template, "k", 1000..1500)), 0);
    wait(&mut world, 1);
    assert_eq!(accepted(put(&mut world, template, "k", 1000..1500)), 500);
}
