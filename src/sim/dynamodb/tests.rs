//! DynamoDB from within the engine, by example: a table's life, items, capacity, metrics.

use super::expression::Bindings;
use super::*;
use crate::domain::time::Timestamp;
use crate::sim::cloudwatch::Metric;
use crate::sim::cx::Place;
use crate::sim::world::World;
use std::time::Duration;

pub(super) fn world(limits: bool) -> World {
    let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits };
    World::new(7, Timestamp::from_millis(1_800_000_000_000), place)
}

fn add(world: &mut World, spec: TableSpec) {
    let (service, mut cx) = world.dynamodb_cx();
    service.add_active_table(&mut cx, spec).unwrap();
}

pub(super) fn item(pairs: &[(&str, Value)]) -> Item {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn put(world: &mut World, table: &str, item: Item) -> Result<Written, WriteError> {
    let (service, mut cx) = world.dynamodb_cx();
    service.write(&mut cx, table, &Change::Put(item), None, "PutItem")
}

fn later(world: &mut World, seconds: u64) {
    let until = world.now + Duration::from_secs(seconds);
    world.advance_to(until);
}

fn sum(world: &World, name: &str, dimensions: &[(&str, &str)]) -> f64 {
    let metric = Metric::new("AWS/DynamoDB", name, dimensions);
    let ids = world.metrics.find(&metric, None);
    let from = Timestamp::from_millis(0);
    let until = world.now + Duration::from_secs(3600);
    world
        .metrics
        .read(&ids, (from, until), 60, until + Duration::from_secs(3600), false)
        .iter()
        .map(|p| p.stats.sum)
        .sum()
}

#[test]
fn a_table_is_created_for_some_seconds_takes_items_and_goes_again() {
    let mut world = world(true);
    let (service, mut cx) = world.dynamodb_cx();
    let spec = TableSpec::on_demand("leases", "leaseKey");
    assert_eq!(service.create_table(&mut cx, spec.clone()).unwrap().status, Status::Creating);
    let twice = service.create_table(&mut cx, spec).err().unwrap();
    assert_eq!((twice.code, twice.message.as_str()), ("ResourceInUseException", "Table already exists: leases"));
    let early = put(&mut world, "leases", item(&[("leaseKey", Value::text("a"))])).unwrap_err().into_answer();
    assert_eq!((early.code, early.message.as_str()), ("ResourceNotFoundException", "Requested resource not found"));

    later(&mut world, 30);
    assert_eq!(world.dynamodb.table("leases").unwrap().status, Status::Active);
    put(&mut world, "leases", item(&[("leaseKey", Value::text("a"))])).unwrap();

    let (service, mut cx) = world.dynamodb_cx();
    assert_eq!(service.delete_table(&mut cx, "leases").unwrap().status, Status::Deleting);
    later(&mut world, 30);
    let gone = world.dynamodb.describe("leases").err().unwrap();
    assert_eq!(gone.message, "Requested resource not found: Table: leases not found");
}

#[test]
fn a_write_on_a_condition_happens_only_while_the_condition_holds() {
    let mut world = world(true);
    add(&mut world, TableSpec::on_demand("leases", "leaseKey"));
    put(&mut world, "leases", item(&[("leaseKey", Value::text("a")), ("leaseCounter", Value::number(4))])).unwrap();
    let counter = Operand::Path(Path::of("leaseCounter"));
    let is = |n| Condition::Compare(Comparator::Eq, counter.clone(), Operand::Value(Value::number(n)));
    let more = Change::Update {
        key: item(&[("leaseKey", Value::text("a"))]),
        actions: vec![Action::Add(Path::of("leaseCounter"), Value::number(1))],
    };
    let (service, mut cx) = world.dynamodb_cx();
    let written = service.write(&mut cx, "leases", &more, Some(&is(4)), "UpdateItem").unwrap();
    assert_eq!(written.new.unwrap()["leaseCounter"], Value::number(5));
    let failed = service.write(&mut cx, "leases", &more, Some(&is(4)), "UpdateItem").unwrap_err();
    let WriteError::ConditionFailed { item: Some(now) } = failed else { panic!("{failed:?}") };
    assert_eq!(now["leaseCounter"], Value::number(5));
    assert_eq!(sum(&world, "ConditionalCheckFailedRequests", &[("TableName", "leases")]), 1.0);
}

#[test]
fn an_update_makes_the_item_when_it_is_not_there() {
    let mut world = world(true);
    add(&mut world, TableSpec::on_demand("t-1", "id"));
    let mut bindings = Bindings::default();
    let actions = expression::update("REMOVE a", &mut bindings).unwrap();
    let change = Change::Update { key: item(&[("id", Value::text("x"))]), actions };
    let (service, mut cx) = world.dynamodb_cx();
    let written = service.write(&mut cx, "t-1", &change, None, "UpdateItem").unwrap();
    assert_eq!((written.old, written.new), (None, Some(item(&[("id", Value::text("x"))]))));
}

#[test]
fn items_above_four_hundred_kilobytes_are_refused() {
    let mut world = world(true);
    add(&mut world, TableSpec::on_demand("t-1", "id"));
    let of = |bytes: usize| item(&[("id", Value::text("x")), ("a", Value::S("y".repeat(bytes)))]);
    // The names and the key are four bytes.
    assert!(put(&mut world, "t-1", of(400 * 1024 - 4)).is_ok());
    let error = put(&mut world, "t-1", of(400 * 1024 - 3)).unwrap_err().into_answer();
    assert_eq!(error.message, "Item size has exceeded the maximum allowed size");
}

#[test]
fn provisioned_writes_are_throttled_once_what_was_saved_is_spent() {
    let mut world = world(true);
    add(&mut world, TableSpec::on_demand("t-1", "id").provisioned(5, 5));
    let one = item(&[("id", Value::text("x"))]);
    // Nothing was saved yet: five units of this second.
    let at_once = (0..10).filter(|_| put(&mut world, "t-1", one.clone()).is_ok()).count();
    assert_eq!(at_once, 5);
    let error = put(&mut world, "t-1", one.clone()).unwrap_err();
    assert!(error.is_throttling());
    let answer = error.into_answer();
    assert_eq!(answer.code, "ProvisionedThroughputExceededException");
    assert_eq!(answer.members[0].1[0]["reason"], "TableWriteProvisionedThroughputExceeded");

    later(&mut world, 3600);
    // Five minutes' worth is kept, and not more.
    let saved = (0..2000).filter(|_| put(&mut world, "t-1", one.clone()).is_ok()).count();
    assert_eq!(saved, 1500);
    assert_eq!(sum(&world, "ConsumedWriteCapacityUnits", &[("TableName", "t-1")]), 1505.0);
    assert_eq!(sum(&world, "WriteThrottleEvents", &[("TableName", "t-1")]), 506.0);
    assert_eq!(sum(&world, "ThrottledRequests", &[("Operation", "PutItem"), ("TableName", "t-1")]), 506.0);
}

#[test]
fn without_limits_nothing_throttles_but_a_fault() {
    let mut world = world(false);
    add(&mut world, TableSpec::on_demand("t-1", "id").provisioned(1, 1));
    let one = item(&[("id", Value::text("x"))]);
    assert!((0..100).all(|_| put(&mut world, "t-1", one.clone()).is_ok()));
    world.dynamodb.choke("t-1", 1.0);
    assert!(put(&mut world, "t-1", one.clone()).unwrap_err().is_throttling());
    world.dynamodb.choke("t-1", 0.0);
    assert!(put(&mut world, "t-1", one).is_ok());
}

#[test]
fn a_change_costs_a_unit_for_each_kilobyte_and_for_each_index_that_sees_it() {
    let mut world = world(true);
    let mut spec = TableSpec::on_demand("t-1", "id");
    spec.attributes.push(("owner".into(), KeyType::S));
    spec.indexes.push(IndexSpec {
        name: "by-owner".into(),
        is_global: true,
        keys: KeySchema { hash: "owner".into(), range: None },
        projection: Projection::KeysOnly,
        throughput: None,
        warm: None,
    });
    add(&mut world, spec);
    let of = |owner: Option<&str>, bytes: usize| {
        let mut item = item(&[("id", Value::text("x")), ("a", Value::S("y".repeat(bytes)))]);
        item.extend(owner.map(|owner| ("owner".to_owned(), Value::text(owner))));
        item
    };
    let mut cost = |item: Item| {
        let consumed = put(&mut world, "t-1", item).unwrap().consumed;
        (consumed.table, consumed.global.get("by-owner").copied())
    };
    assert_eq!(cost(of(None, 1500)), (2.0, None));
    assert_eq!(cost(of(Some("me"), 10)), (2.0, Some(1.0)), "the larger of before and after counts");
    assert_eq!(cost(of(Some("you"), 10)), (1.0, Some(2.0)), "a changed key is a deletion and an insertion");
    assert_eq!(cost(of(Some("you"), 20)), (1.0, None), "the index does not hold what changed");
}

#[test]
fn pages_of_a_search_are_the_whole_in_order() {
    let mut world = world(true);
    let mut spec = TableSpec::on_demand("t-1", "id");
    spec.attributes.push(("n".into(), KeyType::N));
    spec.keys.range = Some("n".into());
    add(&mut world, spec);
    for n in [3, 20, 1, 100, 7] {
        put(&mut world, "t-1", item(&[("id", Value::text("a")), ("n", Value::number(n))])).unwrap();
        put(&mut world, "t-1", item(&[("id", Value::text("b")), ("n", Value::number(n))])).unwrap();
    }
    let mut search = Search {
        table: "t-1".into(),
        keys: Some(expression::KeyCondition { hash: Value::text("a"), range: None }),
        limit: Some(2),
        ..Search::default()
    };
    let mut seen = Vec::new();
    loop {
        let (service, mut cx) = world.dynamodb_cx();
        let found = service.find(&mut cx, &search).unwrap();
        seen.extend(found.items.iter().filter_map(|item| item["n"].as_number()?.to_i64()));
        let Some(next) = found.last_key else { break };
        search.start = Some(next);
    }
    assert_eq!(seen, [1, 3, 7, 20, 100]);
    let (service, mut cx) = world.dynamodb_cx();
    let backward = Search { is_backward: true, limit: Some(1), start: None, ..search };
    assert_eq!(service.find(&mut cx, &backward).unwrap().items[0]["n"], Value::number(100));
}

#[test]
fn without_delays_a_table_is_active_in_the_answer_and_gone_at_once() {
    let mut world = world(true);
    world.delays = false;
    for _ in 0..2 {
        let (service, mut cx) = world.dynamodb_cx();
        let spec = TableSpec::on_demand("orders", "id");
        assert_eq!(service.create_table(&mut cx, spec).unwrap().status, Status::Active);
        let update =
            tables::TableUpdate { throughput: Some((5, 5)), billing: Some(Billing::Provisioned), ..Default::default() };
        assert_eq!(service.update_table(&mut cx, "orders", update).unwrap().status, Status::Active);
        assert_eq!(service.delete_table(&mut cx, "orders").unwrap().status, Status::Deleting);
        later(&mut world, 0);
        assert!(world.dynamodb.table("orders").is_none());
    }
}
