//! The service as its users see it: streams that come and change, producers and consumers.

use super::*;
use crate::domain::time::Timestamp;
use crate::sim::cloudwatch::Metric;
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

#[test]
fn a_consumer_is_throttled_at_five_reads_a_second_and_resumes_from_its_checkpoint() {
    let (mut world, template) = with_stream(true, 1);
    put(&mut world, template, "k", 0..10);
    let (kinesis, mut cx) = world.kinesis_cx();
    let start = kinesis.cursor(&mut cx, "bids", ShardId(0), Position::TrimHorizon).unwrap();
    let first = kinesis.read(&mut cx, "bids", ShardId(0), start, 4).unwrap();
    for _ in 0..4 {
        kinesis.read(&mut cx, "bids", ShardId(0), start, 1).unwrap();
    }
    let error = kinesis.read(&mut cx, "bids", ShardId(0), start, 1).unwrap_err();
    assert_eq!(error.code, "ProvisionedThroughputExceededException");
    wait(&mut world, 1);
    let (kinesis, mut cx) = world.kinesis_cx();
    let checkpoint = Cursor::after(first.records[3].sequence);
    assert_eq!(Some(checkpoint), first.next);
    let rest = kinesis.read(&mut cx, "bids", ShardId(0), checkpoint, 100).unwrap();
    assert_eq!(seeds(&rest), [4, 5, 6, 7, 8, 9]);
}

#[test]
fn lag_is_the_age_of_what_is_read_and_zero_at_the_tip() {
    let (mut world, template) = with_stream(true, 1);
    put(&mut world, template, "k", 0..2);
    wait(&mut world, 30);
    put(&mut world, template, "k", 2..3);
    let (kinesis, mut cx) = world.kinesis_cx();
    let start = kinesis.cursor(&mut cx, "bids", ShardId(0), Position::TrimHorizon).unwrap();
    let behind = kinesis.read(&mut cx, "bids", ShardId(0), start, 2).unwrap();
    assert_eq!(behind.millis_behind_latest, 30_000);
    let tip = kinesis.read(&mut cx, "bids", ShardId(0), behind.next.unwrap(), 2).unwrap();
    assert_eq!((seeds(&tip), tip.millis_behind_latest), (vec![2], 0));
}

#[test]
fn records_and_closed_shards_expire_with_the_retention() {
    let (mut world, template) = with_stream(false, 1);
    put(&mut world, template, "k", 0..2);
    let (kinesis, mut cx) = world.kinesis_cx();
    kinesis.split_shard(&mut cx, "bids", ShardId(0), 1 << 127).unwrap();
    wait(&mut world, 3600);
    put(&mut world, template, "k", 2..3);
    wait(&mut world, 23 * 3600 - 1);
    assert_eq!(seeds(&read_from(&mut world, 0, Position::TrimHorizon).unwrap()), [0, 1]);
    wait(&mut world, 2);
    assert_eq!(seeds(&read_from(&mut world, 0, Position::TrimHorizon).unwrap()), [] as [u64; 0]);
    wait(&mut world, 60);
    let gone = read_from(&mut world, 0, Position::TrimHorizon).unwrap_err();
    assert_eq!(gone.message, "Shard shardId-000000000000 in stream bids under account 123456789012 does not exist");
    let (kinesis, mut cx) = world.kinesis_cx();
    let shards = kinesis.list_shards(&mut cx, "bids", ShardFilter::FromTrimHorizon).unwrap();
    let ids: Vec<(u32, Option<ShardId>)> = shards.iter().map(|shard| (shard.id.0, shard.parent)).collect();
    assert_eq!(ids, [(1, Some(ShardId(0))), (2, Some(ShardId(0)))]);
}

#[test]
fn raising_the_retention_does_not_bring_back_what_expired() {
    let (mut world, template) = with_stream(false, 1);
    put(&mut world, template, "k", 0..1);
    wait(&mut world, 24 * 3600 + 1);
    put(&mut world, template, "k", 1..2);
    let (kinesis, mut cx) = world.kinesis_cx();
    kinesis.increase_retention(&mut cx, "bids", 48).unwrap();
    assert_eq!(seeds(&read_from(&mut world, 0, Position::TrimHorizon).unwrap()), [1]);
    wait(&mut world, 30 * 3600);
    assert_eq!(seeds(&read_from(&mut world, 0, Position::TrimHorizon).unwrap()), [1]);
    let (kinesis, mut cx) = world.kinesis_cx();
    kinesis.decrease_retention(&mut cx, "bids", 24).unwrap();
    assert_eq!(seeds(&read_from(&mut world, 0, Position::TrimHorizon).unwrap()), [] as [u64; 0]);
}

#[test]
fn update_shard_count_keeps_to_its_rules() {
    let (mut world, _) = with_stream(true, 4);
    let mut resize = |target: u32| {
        let (kinesis, mut cx) = world.kinesis_cx();
        let answer = kinesis.update_shard_count(&mut cx, "bids", target).map_err(|error| error.message);
        wait(&mut world, 300);
        answer
    };
    let double = "UpdateShardCount cannot scale up over double your current open shard count. Current open shard \
                  count: 4, Target shard count: 9";
    assert_eq!(resize(9), Err(double.to_owned()));
    let half = "UpdateShardCount cannot scale down below half your current open shard count. Current open shard \
                count: 4, Target shard count: 1";
    assert_eq!(resize(1), Err(half.to_owned()));
    for target in [8, 4, 6, 3, 5, 4, 8, 4, 2, 4] {
        assert_eq!(resize(target).unwrap().target, target);
    }
    assert!(resize(8).unwrap_err().contains("within the last 24 hours"));
    wait(&mut world, 86_400);
    let (kinesis, mut cx) = world.kinesis_cx();
    kinesis.update_shard_count(&mut cx, "bids", 8).unwrap();
}

#[test]
fn resizing_an_even_stream_to_double_splits_each_shard_once() {
    let (mut world, _) = with_stream(true, 2);
    let (kinesis, mut cx) = world.kinesis_cx();
    kinesis.update_shard_count(&mut cx, "bids", 4).unwrap();
    assert_eq!(kinesis.stream("bids").unwrap().status, StreamStatus::Updating);
    wait(&mut world, 60);
    let stream = world.kinesis.stream("bids").unwrap();
    assert_eq!((stream.status, stream.open_shards(), stream.shards().count()), (StreamStatus::Active, 4, 6));
    assert!(stream.open().all(|shard| shard.parent.is_some() && shard.adjacent_parent.is_none()));
    let parts: Vec<HashRange> = stream.open().map(|shard| shard.range).collect();
    assert_eq!(parts, (0..4).map(|index| HashRange::part(index, 4)).collect::<Vec<_>>());
}

#[test]
fn a_deleted_stream_is_gone_for_good_even_in_the_middle_of_a_reshard() {
    let (mut world, _) = with_stream(true, 1);
    let (kinesis, mut cx) = world.kinesis_cx();
    kinesis.split_shard(&mut cx, "bids", ShardId(0), 1 << 127).unwrap();
    kinesis.delete_stream(&mut cx, "bids", false).unwrap();
    wait(&mut world, 10);
    assert!(world.kinesis.stream("bids").is_none());
    let (kinesis, mut cx) = world.kinesis_cx();
    kinesis.create_stream(&mut cx, "bids", 3, StreamMode::Provisioned).unwrap();
    wait(&mut world, 120);
    let stream = world.kinesis.stream("bids").unwrap();
    assert_eq!((stream.status, stream.shards().count()), (StreamStatus::Active, 3));
}

/// Sum, sample count and maximum of one metric over the minute in which the world began.
fn minute(world: &mut World, name: &str, shard: Option<&str>) -> Option<(f64, f64, f64)> {
    let start = Timestamp::from_millis(1_700_000_000_000).floor_to(60);
    let mut dimensions = vec![("StreamName", "bids")];
    dimensions.extend(shard.map(|shard| ("ShardId", shard)));
    let metric = Metric::new("AWS/Kinesis", name, &dimensions);
    let (end, later) = (start + Duration::from_secs(60), start + Duration::from_secs(600));
    let ids = world.metrics.find(&metric, None);
    let periods = world.metrics.read(&ids, (start, end), 60, later, false);
    periods.first().map(|period| (period.stats.sum, period.stats.count, period.stats.max))
}

#[test]
fn a_streams_metrics_follow_what_was_put_and_read() {
    let (mut world, template) = with_stream(true, 1);
    for batch in 0..3 {
        put(&mut world, template, "k", batch * 500..batch * 500 + 500);
    }
    let batch = read_from(&mut world, 0, Position::TrimHorizon).unwrap();
    assert_eq!(batch.records.len(), 1000);
    let mut of = |name: &str| minute(&mut world, name, None).unwrap();
    assert_eq!(of("IncomingRecords").0, 1000.0);
    assert_eq!(of("IncomingBytes").0, 1000.0 * 201.0);
    assert_eq!(of("PutRecords.TotalRecords").0, 1500.0);
    assert_eq!(of("PutRecords.SuccessfulRecords").0, 1000.0);
    assert_eq!(of("PutRecords.ThrottledRecords").0, 500.0);
    assert_eq!(of("PutRecords.Success"), (2.0, 3.0, 1.0), "a call without one accepted record is no success");
    // One sample a record, 0 for the accepted ones: its average is the throttled share.
    assert_eq!(of("WriteProvisionedThroughputExceeded"), (500.0, 1500.0, 1.0));
    assert_eq!(of("GetRecords.Records").0, 1000.0);
    assert_eq!(of("GetRecords.IteratorAgeMilliseconds"), (0.0, 1.0, 0.0));
    assert_eq!(of("ReadProvisionedThroughputExceeded"), (0.0, 1.0, 0.0));
    assert!(of("PutRecords.Latency").0 > 0.0);
    assert_eq!(minute(&mut world, "PutRecord.Bytes", None), None, "nobody called PutRecord");
}

#[test]
fn shard_level_metrics_are_published_only_while_they_are_on() {
    let (mut world, template) = with_stream(true, 2);
    let shard = "shardId-000000000000";
    let lower = PutKey::Text("k");
    let one = |world: &mut World| {
        let (kinesis, mut cx) = world.kinesis_cx();
        let record = PutRecord { key: lower, explicit_hash: Some(0), data: Payload::Made { template, seed: 1 } };
        kinesis.put_record(&mut cx, "bids", &record).unwrap();
    };
    one(&mut world);
    assert_eq!(minute(&mut world, "IncomingRecords", Some(shard)), None);
    let (kinesis, mut cx) = world.kinesis_cx();
    kinesis.enable_monitoring(&mut cx, "bids", &[ShardMetric::IncomingRecords, ShardMetric::OutgoingBytes]).unwrap();
    one(&mut world);
    read_from(&mut world, 0, Position::TrimHorizon).unwrap();
    assert_eq!(minute(&mut world, "IncomingRecords", Some(shard)), Some((1.0, 1.0, 1.0)));
    assert_eq!(minute(&mut world, "OutgoingBytes", Some(shard)), Some((402.0, 1.0, 402.0)));
    assert_eq!(minute(&mut world, "IncomingBytes", Some(shard)), None, "this one was not switched on");
    assert_eq!(minute(&mut world, "IncomingRecords", Some("shardId-000000000001")), None, "nothing went there");
}

#[test]
fn without_delays_streams_shards_and_consumers_are_ready_when_the_call_is_answered() {
    let mut world = world(true);
    world.delays = false;
    let (kinesis, mut cx) = world.kinesis_cx();
    kinesis.create_stream(&mut cx, "bids", 2, StreamMode::Provisioned).unwrap();
    kinesis.update_shard_count(&mut cx, "bids", 4).unwrap();
    kinesis.split_shard(&mut cx, "bids", ShardId(2), HashRange::part(0, 8).end).unwrap();
    let stream = kinesis.stream("bids").unwrap();
    assert_eq!((stream.status, stream.open_shards()), (StreamStatus::Active, 5));
    kinesis.register_consumer(&mut cx, "bids", "dashboards", Tags::new()).unwrap();
    wait(&mut world, 0);
    let (kinesis, mut cx) = world.kinesis_cx();
    let id = ConsumerId { stream: "bids".into(), consumer: "dashboards".into(), created_s: None };
    assert_eq!(kinesis.describe_consumer(&mut cx, &id).unwrap().status, ConsumerStatus::Active);
    kinesis.delete_stream(&mut cx, "bids", true).unwrap();
    wait(&mut world, 0);
    assert!(world.kinesis.stream("bids").is_none());
}

#[test]
fn a_resize_makes_as_many_shards_on_the_way_as_aws_does() {
    for (from, to, ever) in [(2, 4, 6), (4, 5, 15), (10, 13, 37), (4, 2, 6), (5, 3, 7)] {
        let (mut world, _) = with_stream(false, from);
        let (kinesis, mut cx) = world.kinesis_cx();
        kinesis.update_shard_count(&mut cx, "bids", to).unwrap();
        wait(&mut world, 200);
        let stream = world.kinesis.stream("bids").unwrap();
        assert_eq!((stream.open_shards(), stream.shards.len()), (to, ever), "from {from}");
        let mut next = 0;
        for shard in stream.open() {
            assert_eq!(shard.range.start, next, "no gap and no overlap");
            next = shard.range.end.wrapping_add(1);
        }
        assert_eq!(next, 0, "the whole ring is covered");
    }
}
