//! Firehose from within the engine, by example: buffering, delivery, outages, sources, limits.

use super::*;
use crate::sim::cloudwatch::Metric;
use crate::sim::cx::Place;
use crate::sim::kinesis::{PutKey, PutRecord, StreamMode};
use crate::sim::payload::Payload;
use crate::sim::world::World;
use bytes::Bytes;
use proptest::prelude::*;
use serde_json::json;
use std::time::Duration;

fn world() -> World {
    let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
    World::new(7, Timestamp::from_millis(1_800_000_000_000), place)
}

fn spec(source: Source, size_mb: u64, interval_s: u64) -> Spec {
    let hints = json!({"SizeInMBs": size_mb, "IntervalInSeconds": interval_s});
    Spec {
        name: "clicks".into(),
        source,
        destination: Destination {
            kind: Kind::ExtendedS3,
            settings: [("BufferingHints".to_owned(), hints)].into_iter().collect(),
        },
        encryption: Encryption::off(),
        tags: BTreeMap::new(),
    }
}

fn from_kinesis() -> Source {
    Source::Kinesis { stream: "bids".into(), arn: "arn".into(), role: "role".into() }
}

fn add(world: &mut World, spec: Spec) {
    let (service, mut cx) = world.firehose_cx();
    service.add_active(&mut cx, spec).unwrap();
}

fn put(world: &mut World, sizes: &[usize]) -> Result<Vec<PutOutcome>, ApiError> {
    let (service, mut cx) = world.firehose_cx();
    service.put(&mut cx, "clicks", sizes)
}

fn later(world: &mut World, seconds: u64) {
    let until = world.now + Duration::from_secs(seconds);
    world.advance_to(until);
}

fn put_to_bids(world: &mut World, count: usize) {
    let (kinesis, mut cx) = world.kinesis_cx();
    let data = Payload::Sent(Bytes::from_static(b"0123456789"));
    let keys: Vec<String> = (0..count).map(|n| format!("key-{n}")).collect();
    let puts: Vec<PutRecord<'_>> =
        keys.iter().map(|key| PutRecord { key: PutKey::Text(key), explicit_hash: None, data: data.clone() }).collect();
    let outcomes = kinesis.put_records(&mut cx, "bids", &puts).unwrap();
    assert!(outcomes.iter().all(|outcome| outcome.is_ok()));
}

fn stats(world: &World, name: &str) -> crate::sim::cloudwatch::StatisticSet {
    let metric = Metric::new("AWS/Firehose", name, &[("DeliveryStreamName", "clicks")]);
    let ids = world.metrics.find(&metric, None);
    let until = world.now + Duration::from_secs(3600);
    let period = 86_400 * 30;
    let start = Timestamp::from_millis(1_800_000_000_000).floor_to(60);
    let found = world.metrics.read(&ids, (start, until), period, until + Duration::from_secs(3600), false);
    found.first().map(|period| period.stats).unwrap_or_default()
}

#[test]
fn a_buffer_is_delivered_when_it_is_full_or_has_waited_long_enough() {
    let mut world = world();
    add(&mut world, spec(Source::DirectPut, 1, 60));
    put(&mut world, &[100, 200]).unwrap();
    later(&mut world, 55);
    assert_eq!(world.firehose.delivered("clicks").unwrap().objects, 0);
    later(&mut world, 10);
    let delivered = Delivered { objects: 1, records: 2, bytes: 300, lost_records: 0 };
    assert_eq!(world.firehose.delivered("clicks"), Some(delivered));
    put(&mut world, &[600_000, 600_000]).unwrap();
    later(&mut world, 3);
    assert_eq!(world.firehose.delivered("clicks").unwrap().objects, 2, "a full buffer does not wait");
    assert_eq!(stats(&world, "IncomingRecords").sum, 4.0);
    assert_eq!(stats(&world, "DeliveryToS3.Records").sum, 4.0);
    assert_eq!(stats(&world, "DeliveryToS3.Success").min, 1.0);
}

#[test]
fn an_outage_is_seen_in_success_and_freshness_and_loses_nothing_within_a_day() {
    for outage in [Outage::Refuses, Outage::Hangs] {
        let mut world = world();
        add(&mut world, spec(Source::DirectPut, 1, 60));
        world.firehose.set_outage("clicks", Some(outage));
        put(&mut world, &[100]).unwrap();
        later(&mut world, 1200);
        assert_eq!(world.firehose.delivered("clicks").unwrap().objects, 0);
        assert_eq!(stats(&world, "DeliveryToS3.Success").max, 0.0);
        assert!(stats(&world, "DeliveryToS3.DataFreshness").max >= 1140.0);
        world.firehose.set_outage("clicks", None);
        later(&mut world, 300);
        assert_eq!(world.firehose.delivered("clicks").unwrap().records, 1);
    }
}

#[test]
fn what_cannot_be_delivered_for_a_day_is_lost() {
    let mut world = world();
    add(&mut world, spec(Source::DirectPut, 1, 60));
    world.firehose.set_outage("clicks", Some(Outage::Refuses));
    put(&mut world, &[100, 100]).unwrap();
    later(&mut world, 90_000);
    assert_eq!(world.firehose.delivered("clicks").unwrap().lost_records, 2);
    assert_eq!(world.firehose.stream("clicks").unwrap().buffers.records(), 0);
}

#[test]
fn more_than_the_limits_is_told_to_slow_down() {
    let mut world = world();
    add(&mut world, spec(Source::DirectPut, 1, 60));
    let mut taken = 0;
    for _ in 0..12 {
        let outcomes = put(&mut world, &[10; 500]).unwrap();
        taken += outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    }
    assert_eq!(taken, 5000);
    assert_eq!(stats(&world, "ThrottledRecords").sum, 1000.0);
    let (service, mut cx) = world.firehose_cx();
    let refused = service.put_one(&mut cx, "clicks", 10).unwrap_err();
    assert_eq!((refused.code, refused.message.as_str()), ("ServiceUnavailableException", "Slow down."));
}

#[test]
fn a_source_is_read_from_the_newest_record_on_and_through_its_reshards() {
    let mut world = world();
    let (kinesis, mut cx) = world.kinesis_cx();
    kinesis.add_active_stream(&mut cx, "bids", 1, StreamMode::Provisioned).unwrap();
    put_to_bids(&mut world, 5);
    add(&mut world, spec(from_kinesis(), 1, 60));
    later(&mut world, 5);
    put_to_bids(&mut world, 7);
    later(&mut world, 5);
    let (kinesis, mut cx) = world.kinesis_cx();
    kinesis.update_shard_count(&mut cx, "bids", 2).unwrap();
    later(&mut world, 300);
    put_to_bids(&mut world, 20);
    later(&mut world, 100);
    let delivered = world.firehose.delivered("clicks").unwrap();
    assert_eq!((delivered.records, delivered.bytes), (27, 270));
    assert!(stats(&world, "KinesisMillisBehindLatest").count > 100.0);
    let (service, mut cx) = world.firehose_cx();
    let refused = service.put(&mut cx, "clicks", &[1]).unwrap_err();
    assert_eq!(refused.message, "This operation is not permitted on KinesisStreamAsSource delivery stream type.");
}

#[test]
fn a_stream_of_the_same_name_does_not_read_for_the_one_before_it() {
    let mut world = world();
    let (kinesis, mut cx) = world.kinesis_cx();
    kinesis.add_active_stream(&mut cx, "bids", 1, StreamMode::Provisioned).unwrap();
    add(&mut world, spec(from_kinesis(), 1, 60));
    later(&mut world, 3);
    let (service, mut cx) = world.firehose_cx();
    service.delete(&mut cx, "clicks").unwrap();
    later(&mut world, 30);
    assert!(world.firehose.stream("clicks").is_none());
    add(&mut world, spec(from_kinesis(), 1, 60));
    let before = world.agenda.len();
    later(&mut world, 600);
    assert!(world.agenda.len() <= before + 2, "entries do not pile up");
}

proptest! {
    #[test]
    fn every_record_is_delivered_lost_or_waiting(
        steps in proptest::collection::vec((0_usize..400, 0_u64..200, 0_u8..4), 1..30)
    ) {
        let mut world = world();
        add(&mut world, spec(Source::DirectPut, 1, 60));
        let mut taken = 0;
        for (records, pause_s, weather) in steps {
            let outage = match weather { 0 => Some(Outage::Refuses), 1 => Some(Outage::Hangs), _ => None };
            world.firehose.set_outage("clicks", outage);
            if records > 0 {
                let outcomes = put(&mut world, &vec![3000; records]).unwrap();
                taken += outcomes.iter().filter(|outcome| outcome.is_ok()).count() as u64;
            }
            later(&mut world, pause_s);
            let stream = world.firehose.stream("clicks").unwrap();
            let Delivered { records, lost_records, .. } = stream.delivered;
            prop_assert_eq!(records + lost_records + stream.buffers.records(), taken);
        }
    }
}

#[test]
fn what_a_topic_delivers_is_one_record_and_comes_out_in_an_object() {
    use crate::sim::fanout;
    use crate::sim::sns::{Publication, Subscribe};
    let mut world = world();
    add(&mut world, spec(Source::DirectPut, 5, 60));
    let endpoint = world.place.arn("firehose", "deliverystream/clicks");
    let role = ("SubscriptionRoleArn".to_owned(), "arn:aws:iam::123456789012:role/sns".to_owned());
    let (sns, mut cx) = world.sns_cx();
    sns.create_topic(&mut cx, "news", &BTreeMap::new(), &BTreeMap::new()).unwrap();
    let wanted = Subscribe {
        topic: "news",
        protocol: "firehose",
        endpoint: Some(&endpoint),
        attributes: [role].into(),
        links: String::new(),
        owner: None,
    };
    sns.subscribe(&mut cx, wanted).unwrap();
    let hello = Publication::of(Payload::Sent(Bytes::from_static(b"hello")));
    let (_, deliveries) = sns.publish(&mut cx, "news", hello).unwrap();
    fanout::deliver(&mut world, deliveries);
    later(&mut world, 120);
    let delivered = world.firehose.delivered("clicks").unwrap();
    assert_eq!((delivered.objects, delivered.records), (1, 1));
}

#[test]
fn without_delays_a_stream_is_active_at_once_and_gone_at_once() {
    let mut world = world();
    world.delays = false;
    for _ in 0..2 {
        let (service, mut cx) = world.firehose_cx();
        service.create(&mut cx, spec(Source::DirectPut, 5, 300)).unwrap();
        later(&mut world, 0);
        assert_eq!(put(&mut world, &[100]).unwrap().len(), 1);
        let (service, mut cx) = world.firehose_cx();
        assert_eq!(service.describe(&cx, "clicks").unwrap().status, Status::Active);
        service.delete(&mut cx, "clicks").unwrap();
        later(&mut world, 0);
        assert!(world.firehose.stream("clicks").is_none());
    }
}
