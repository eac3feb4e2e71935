//! A fleet by example and for all losses: leases, failover, duplicates, initial positions, reshards.

use super::*;
use crate::sim::actors::{self, Role};
use crate::sim::cloudwatch::Metric;
use crate::sim::cx::Place;
use crate::sim::dynamodb::{Item, Value};
use crate::sim::kinesis::{PutKey, PutRecord, StreamMode};
use crate::sim::payload::Payload;
use bytes::Bytes;
use proptest::prelude::*;

const STREAM: &str = "bids";

fn world(shards: u32) -> World {
    let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
    let mut world = World::new(7, Timestamp::from_millis(1_800_000_000_000), place);
    let (kinesis, mut cx) = world.kinesis_cx();
    kinesis.add_active_stream(&mut cx, STREAM, shards, StreamMode::Provisioned).unwrap();
    world
}

fn hire(world: &mut World, settings: Settings) {
    actors::hire(world, "board", Role::Fleet(Fleet::new("board", settings)));
}

fn settings() -> Settings {
    Settings { checkpoint_every: Duration::ZERO, ..Settings::new(STREAM, 2, 400.0) }
}

fn fleet(world: &mut World) -> &mut Fleet {
    match actors::named(world, "board").map(|actor| &mut actor.role) {
        Some(Role::Fleet(fleet)) => fleet,
        _ => panic!("no fleet"),
    }
}

fn later(world: &mut World, seconds: u64) {
    let until = world.now + Duration::from_secs(seconds);
    world.advance_to(until);
}

/// Puts `count` records on keys that spread over the shards.
fn put(world: &mut World, count: usize) {
    let keys: Vec<String> = (0..count).map(|n| format!("key-{n}")).collect();
    let data = Payload::Sent(Bytes::from_static(b"0123456789"));
    for keys in keys.chunks(500) {
        let puts: Vec<PutRecord<'_>> = keys
            .iter()
            .map(|key| PutRecord { key: PutKey::Text(key), explicit_hash: None, data: data.clone() })
            .collect();
        let (kinesis, mut cx) = world.kinesis_cx();
        let outcomes = kinesis.put_records(&mut cx, STREAM, &puts).unwrap();
        assert!(outcomes.iter().all(|outcome| outcome.is_ok()));
    }
}

fn rows(world: &mut World) -> Vec<Item> {
    world.dynamodb.table("board").unwrap().items.values().cloned().collect()
}

fn owners(world: &mut World) -> Vec<String> {
    rows(world).iter().filter_map(|row| row.get("leaseOwner")?.as_text().map(str::to_owned)).collect()
}

/// Of every shard at most one worker holds the lease with the counter that the table has.
fn assert_one_owner(world: &mut World) {
    let leases = lease::list(world, "board").unwrap_or_default();
    for lease in leases {
        let fleet = fleet(world);
        let holders: Vec<&str> =
            fleet.holders(lease.shard).filter(|(_, counter)| *counter == lease.counter).map(|(id, _)| id).collect();
        assert!(holders.len() <= 1, "{} is held by {holders:?}", lease.shard);
        if let Some(holder) = holders.first() {
            assert_eq!(Some(*holder), lease.owner.as_deref());
        }
    }
}

fn newest(world: &World, name: &str, dimensions: &[(&str, &str)]) -> Option<f64> {
    let ids = world.metrics.find(&Metric::new("board", name, dimensions), None);
    let to = world.now.floor_to(60);
    let read =
        world.metrics.read(&ids, (to - Duration::from_secs(60), to), 60, world.now + Duration::from_secs(9999), false);
    read.first().map(|period| period.stats.max)
}

#[test]
fn two_workers_come_to_share_the_leases_of_a_stream() {
    let mut world = world(4);
    hire(&mut world, settings());
    put(&mut world, 100);
    later(&mut world, 180);
    let mut owners = owners(&mut world);
    owners.sort();
    assert_eq!(owners, ["board-1", "board-1", "board-2", "board-2"]);
    let counts = fleet(&mut world).counts;
    assert_eq!((counts.processed - counts.duplicates, counts.missed), (100, 0));
    let row = rows(&mut world).remove(0);
    for column in [
        "leaseKey",
        "leaseCounter",
        "leaseOwner",
        "checkpoint",
        "checkpointSubSequenceNumber",
        "ownerSwitchesSinceCheckpoint",
    ] {
        assert!(row.contains_key(column), "{column}");
    }
    assert!(row["leaseCounter"].as_number().unwrap().to_i64().unwrap() > 20, "the counter is a heartbeat");
    let worker = [("Operation", "RenewAllLeases"), ("WorkerIdentifier", "board-1")];
    assert_eq!(newest(&world, "CurrentLeases", &worker), Some(2.0));
    let taker = [("Operation", "TakeLeases"), ("WorkerIdentifier", "board-2")];
    assert_eq!((newest(&world, "TotalLeases", &taker), newest(&world, "NumWorkers", &taker)), (Some(4.0), Some(2.0)));
    let shard = [("Operation", "ProcessTask"), ("ShardId", "shardId-000000000000")];
    assert_eq!(newest(&world, "MillisBehindLatest", &shard), Some(0.0));
}

/// Five workers of two shards: three have nothing to read, and say so.
#[test]
fn workers_without_a_lease_publish_that_they_hold_none() {
    let mut world = world(2);
    hire(&mut world, Settings { workers: 5, ..settings() });
    later(&mut world, 240);
    let held = |n: usize| {
        let worker = format!("board-{n}");
        let dimensions = [("Operation", "RenewAllLeases"), ("WorkerIdentifier", worker.as_str())];
        newest(&world, "CurrentLeases", &dimensions).unwrap()
    };
    let mut held: Vec<f64> = (1..=5).map(held).collect();
    held.sort_by(f64::total_cmp);
    assert_eq!(held, [0.0, 0.0, 0.0, 1.0, 1.0]);
    assert!(world.dynamodb.table("board-WorkerMetricStats").is_none(), "version 2 has no reports");
}

#[test]
fn workers_of_version_3_report_how_busy_they_are_and_the_leader_counts_them() {
    let mut world = world(2);
    hire(&mut world, Settings { workers: 3, instances: 3, library: Library::V3, records_per_s: 10.0, ..settings() });
    later(&mut world, 30);
    put(&mut world, 600);
    later(&mut world, 120);
    let reports = |world: &World| {
        let table = world.dynamodb.table("board-WorkerMetricStats").unwrap();
        table.items.values().cloned().collect::<Vec<Item>>()
    };
    let told = reports(&world);
    let names: Vec<&str> = told.iter().filter_map(|item| item["wid"].as_text()).collect();
    assert_eq!(
        names.iter().copied().collect::<std::collections::BTreeSet<_>>(),
        ["board-1", "board-2", "board-3"].into()
    );
    let busy = |item: &Item| match &item["sts"] {
        Value::M(stats) => match &stats["C"] {
            Value::L(percents) => percents.iter().any(|percent| percent.as_number().unwrap().to_i64().unwrap() > 0),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    assert_eq!(told.iter().filter(|item| busy(item)).count(), 2, "who holds no lease has nothing to do: {told:?}");
    let leader = [("Operation", "LeaseAssignmentManager")];
    assert_eq!(newest(&world, "NumWorkers", &leader), Some(3.0));
    assert_eq!(newest(&world, "TotalLeases", &leader), Some(2.0));
    let now = world.now;
    fleet(&mut world).settings.boot = Duration::from_secs(3600);
    fleet(&mut world).lose_instance(2, now);
    later(&mut world, 240);
    assert_eq!(newest(&world, "NumWorkers", &leader), Some(2.0), "its last report is old");
    assert_eq!(reports(&world).len(), 3);
}

#[test]
fn what_a_lost_instance_had_not_checkpointed_is_processed_again() {
    let mut world = world(2);
    hire(&mut world, Settings { checkpoint_every: Duration::from_secs(600), ..settings() });
    later(&mut world, 120);
    put(&mut world, 60);
    later(&mut world, 10);
    assert_eq!(fleet(&mut world).counts.processed, 60);
    let now = world.now;
    fleet(&mut world).lose_instance(0, now);
    // The other takes over once the leases have stood still for the failover time; it looks every twenty seconds.
    later(&mut world, 45);
    assert_eq!(owners(&mut world), ["board-2", "board-2"]);
    let counts = fleet(&mut world).counts;
    assert!(counts.duplicates > 0 && counts.duplicates < 60, "{counts:?}");
    assert_eq!((counts.processed - counts.duplicates, counts.missed), (60, 0));
    later(&mut world, 200);
    let mut owners = owners(&mut world);
    owners.sort();
    assert_eq!(owners, ["board-1", "board-2"], "the replacement gets its share");
}

#[test]
fn latest_misses_what_was_there_before() {
    for (initial_position, processed) in [(InitialPosition::Latest, 40), (InitialPosition::TrimHorizon, 70)] {
        let mut world = world(1);
        put(&mut world, 30);
        hire(&mut world, Settings { initial_position, ..settings() });
        later(&mut world, 60);
        put(&mut world, 40);
        later(&mut world, 60);
        let counts = fleet(&mut world).counts;
        assert_eq!((counts.processed, counts.missed), (processed, 70 - processed));
    }
}

#[test]
fn children_are_processed_after_their_parents_and_finished_leases_go_with_their_shards() {
    let mut world = world(1);
    hire(&mut world, Settings { records_per_s: 5.0, ..settings() });
    put(&mut world, 400);
    later(&mut world, 20);
    let (kinesis, mut cx) = world.kinesis_cx();
    kinesis.update_shard_count(&mut cx, STREAM, 2).unwrap();
    later(&mut world, 45);
    put(&mut world, 50);
    later(&mut world, 10);
    let reached = fleet(&mut world).reached.clone();
    assert!(reached.keys().all(|shard| shard.0 == 0), "the parent is not done: {reached:?}");
    later(&mut world, 300);
    let counts = fleet(&mut world).counts;
    assert_eq!((counts.processed, counts.duplicates, counts.missed), (450, 0, 0));
    let end = rows(&mut world).into_iter().find(|row| row["leaseKey"] == Value::text("shardId-000000000000")).unwrap();
    assert_eq!(end["checkpoint"], Value::text("SHARD_END"));
    assert!(!end.contains_key("leaseOwner") && end.contains_key("childShardIds"));
    later(&mut world, 90_000);
    assert_eq!(rows(&mut world).len(), 2, "the parent has expired, and its lease is gone");
}

#[test]
fn a_throttled_lease_table_loses_leases() {
    let mut world = world(2);
    hire(&mut world, settings());
    later(&mut world, 120);
    let before = fleet(&mut world).counts.lost_leases;
    later(&mut world, 120);
    assert_eq!(fleet(&mut world).counts.lost_leases, before, "all is well");
    world.dynamodb.choke("board", 1.0);
    later(&mut world, 60);
    assert_eq!(fleet(&mut world).counts.lost_leases, before + 2);
    put(&mut world, 20);
    later(&mut world, 30);
    assert_eq!(fleet(&mut world).counts.processed, 0);
    world.dynamodb.choke("board", 0.0);
    later(&mut world, 120);
    assert_eq!(fleet(&mut world).counts.processed, 20);
}

#[test]
fn a_stopped_fleet_goes_on_from_its_checkpoints() {
    let mut world = world(2);
    hire(&mut world, settings());
    put(&mut world, 20);
    later(&mut world, 60);
    fleet(&mut world).is_stopped = true;
    later(&mut world, 60);
    put(&mut world, 30);
    later(&mut world, 60);
    let before = fleet(&mut world).counts;
    assert_eq!(before.processed - before.duplicates, 20);
    fleet(&mut world).is_stopped = false;
    later(&mut world, 60);
    let counts = fleet(&mut world).counts;
    assert_eq!((counts.processed - counts.duplicates, counts.missed), (50, 0));
}

#[derive(Clone, Debug)]
enum Step {
    Put(usize),
    Lose(u32),
    Choke(bool),
    Reshard(u32),
}

fn steps() -> impl Strategy<Value = Vec<(Step, u64)>> {
    let step = prop_oneof![
        4 => (1_usize..200).prop_map(Step::Put),
        3 => (0_u32..3).prop_map(Step::Lose),
        1 => any::<bool>().prop_map(Step::Choke),
        1 => (1_u32..5).prop_map(Step::Reshard),
    ];
    proptest::collection::vec((step, 1_u64..90), 1..25)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn every_record_is_processed_whoever_dies(steps in steps(), shards in 1_u32..4, checkpoint_every_s in 0_u64..60) {
        let mut world = world(shards);
        let checkpoint_every = Duration::from_secs(checkpoint_every_s);
        hire(&mut world, Settings { workers: 3, instances: 3, checkpoint_every, ..settings() });
        let mut sent = 0;
        for (step, pause_s) in steps {
            match step {
                Step::Put(count) => {
                    put(&mut world, count);
                    sent += count as u64;
                }
                Step::Lose(instance) => {
                    let now = world.now;
                    fleet(&mut world).lose_instance(instance, now);
                }
                Step::Choke(is_on) => world.dynamodb.choke("board", if is_on { 0.5 } else { 0.0 }),
                Step::Reshard(target) => {
                    let (kinesis, mut cx) = world.kinesis_cx();
                    // A stream that is being resharded or that is asked for too much refuses.
                    let _ = kinesis.update_shard_count(&mut cx, STREAM, target);
                }
            }
            for _ in 0..pause_s {
                later(&mut world, 1);
                if world.dynamodb.table("board").is_some() && !world.actors.is_empty() {
                    assert_one_owner(&mut world);
                }
            }
        }
        world.dynamodb.choke("board", 0.0);
        later(&mut world, 900);
        let counts = fleet(&mut world).counts;
        prop_assert_eq!(counts.missed, 0);
        prop_assert_eq!(counts.processed - counts.duplicates, sent);
    }
}
