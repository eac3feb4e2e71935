//! Mappings at work, as examples.

use crate::domain::time::Timestamp;
use crate::sim::cloudwatch::Metric;
use crate::sim::cx::Place;
use crate::sim::kinesis::{PutKey, PutRecord, StreamMode};
use crate::sim::lambda::*;
use crate::sim::payload::{Payload, Template, TemplateId};
use crate::sim::sqs::Outgoing;
use crate::sim::world::World;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::Duration;

pub(super) fn world() -> World {
    let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
    World::new(11, Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap(), place)
}

pub(super) fn quick() -> Behaviour {
    Behaviour { base: Spread::constant(20.0), per_record: Spread::constant(1.0), ..Behaviour::default() }
}

pub(super) fn poisoned() -> Behaviour {
    Behaviour { errors: vec![ErrorRule::new("poison", "KeyError", "'price'")], ..quick() }
}

pub(super) fn function(world: &mut World, name: &str, behaviour: Behaviour) -> FunctionId {
    let (lambda, mut cx) = world.lambda_cx();
    lambda.create_function(&mut cx, name, Config::default(), b"code", behaviour).unwrap()
}

pub(super) fn queue(world: &mut World, name: &str, attributes: &[(&str, &str)]) {
    let attributes = attributes.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect();
    let (sqs, mut cx) = world.sqs_cx();
    sqs.create_queue(&mut cx, name, &attributes, &BTreeMap::new()).unwrap();
}

fn orders_with_dlq(world: &mut World) {
    queue(world, "orders-dlq", &[]);
    let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:123456789012:orders-dlq","maxReceiveCount":"3"}"#;
    queue(world, "orders", &[("VisibilityTimeout", "30"), ("RedrivePolicy", policy)]);
}

fn send(world: &mut World, queue: &str, body: &'static str, count: usize) {
    let (sqs, mut cx) = world.sqs_cx();
    for _ in 0..count {
        sqs.send(&mut cx, queue, Outgoing::of(Payload::Sent(Bytes::from_static(body.as_bytes())))).unwrap();
    }
}

fn depth(world: &mut World, queue: &str) -> (u64, u64) {
    let (sqs, cx) = world.sqs_cx();
    let depth = sqs.depth(&cx, queue).unwrap();
    (depth.visible, depth.in_flight)
}

pub(super) fn stream(world: &mut World, name: &str, shards: u32) {
    let (kinesis, mut cx) = world.kinesis_cx();
    kinesis.add_active_stream(&mut cx, name, shards, StreamMode::Provisioned).unwrap();
}

pub(super) fn put(world: &mut World, stream: &str, key: &str, template: TemplateId, count: u64) {
    let (kinesis, mut cx) = world.kinesis_cx();
    for seed in 0..count {
        let data = Payload::Made { template, seed };
        let record = PutRecord { key: PutKey::Text(key), explicit_hash: None, data };
        kinesis.put_record(&mut cx, stream, &record).unwrap();
    }
}

pub(super) fn template(world: &mut World, text: &str) -> TemplateId {
    world.templates.add(Template { name: "t".into(), text: text.into(), bytes: None })
}

pub(super) fn map(world: &mut World, function: FunctionId, source: MappingSource, settings: Settings) -> usize {
    let (lambda, mut cx) = world.lambda_cx();
    lambda.begin_with_mapping(&mut cx, function, source, settings, true).unwrap()
}

pub(super) fn on_queue(queue: &str) -> MappingSource {
    MappingSource::Queue(queue.to_owned())
}

pub(super) fn on_stream(stream: &str) -> MappingSource {
    MappingSource::Stream(stream.to_owned())
}

pub(super) fn pass(world: &mut World, seconds: u64) {
    world.advance_to(world.now + Duration::from_secs(seconds));
}

/// Invocations of a function, and how many of them failed.
pub(super) fn tally(world: &World, name: &str) -> (usize, usize) {
    let log = &world.lambda.named(name).unwrap().log;
    (log.len(), log.records().filter(|record| !record.outcome.is_success()).count())
}

#[test]
fn messages_are_worked_in_batches_and_deleted() {
    let mut world = world();
    queue(&mut world, "orders", &[]);
    let id = function(&mut world, "fulfil", quick());
    map(&mut world, id, on_queue("orders"), Settings::for_queue());
    send(&mut world, "orders", "{}", 35);
    pass(&mut world, 5);
    assert_eq!(depth(&mut world, "orders"), (0, 0));
    assert_eq!(tally(&world, "fulfil"), (4, 0));
}

#[test]
fn a_failing_batch_shows_again_after_visibility_and_lands_in_the_dlq_after_max_receive_count() {
    let mut world = world();
    orders_with_dlq(&mut world);
    let id = function(&mut world, "fulfil", poisoned());
    map(&mut world, id, on_queue("orders"), Settings { batch_size: 1, ..Settings::for_queue() });
    send(&mut world, "orders", "poison", 2);
    send(&mut world, "orders", "good", 3);
    pass(&mut world, 10);
    assert_eq!(depth(&mut world, "orders"), (0, 2));
    assert_eq!(tally(&world, "fulfil"), (5, 2));
    pass(&mut world, 25);
    assert_eq!(tally(&world, "fulfil"), (7, 4));
    pass(&mut world, 90);
    assert_eq!(depth(&mut world, "orders"), (0, 0));
    assert_eq!(depth(&mut world, "orders-dlq"), (2, 0));
    assert_eq!(tally(&world, "fulfil"), (9, 6));
}

#[test]
fn reported_item_failures_leave_only_the_failed_messages() {
    let mut world = world();
    orders_with_dlq(&mut world);
    let id = function(&mut world, "fulfil", poisoned());
    map(&mut world, id, on_queue("orders"), Settings { reports_item_failures: true, ..Settings::for_queue() });
    send(&mut world, "orders", "good", 4);
    send(&mut world, "orders", "poison", 1);
    send(&mut world, "orders", "good", 4);
    pass(&mut world, 5);
    assert_eq!(depth(&mut world, "orders"), (0, 1));
    assert_eq!(tally(&world, "fulfil"), (1, 0));
}

#[test]
fn a_throttled_queue_mapping_uses_up_receives() {
    let mut world = world();
    orders_with_dlq(&mut world);
    let id = function(&mut world, "fulfil", quick());
    map(&mut world, id, on_queue("orders"), Settings::for_queue());
    world.lambda.set_reserved_concurrency("fulfil", Some(0)).unwrap();
    send(&mut world, "orders", "good", 5);
    pass(&mut world, 10 * 60);
    assert_eq!(tally(&world, "fulfil"), (0, 0));
    assert_eq!(depth(&mut world, "orders-dlq"), (5, 0));
}

#[test]
fn a_backlog_raises_concurrency_up_to_its_maximum() {
    let mut world = world();
    queue(&mut world, "orders", &[]);
    let slow = Behaviour { base: Spread::constant(900.0), ..Behaviour::default() };
    let id = function(&mut world, "fulfil", slow);
    let settings = Settings { batch_size: 1, maximum_concurrency: Some(20), ..Settings::for_queue() };
    map(&mut world, id, on_queue("orders"), settings);
    send(&mut world, "orders", "good", 2_000);
    pass(&mut world, 1);
    assert!(world.lambda.in_flight() <= 10, "{}", world.lambda.in_flight());
    pass(&mut world, 20);
    assert_eq!(world.lambda.in_flight(), 20);
}

#[test]
fn a_disabled_mapping_leaves_its_queue_alone() {
    let mut world = world();
    queue(&mut world, "orders", &[]);
    let id = function(&mut world, "fulfil", quick());
    let mapping = map(&mut world, id, on_queue("orders"), Settings::for_queue());
    let (lambda, mut cx) = world.lambda_cx();
    lambda.set_mapping_enabled(&mut cx, mapping, false);
    send(&mut world, "orders", "good", 5);
    pass(&mut world, 60);
    assert_eq!(depth(&mut world, "orders"), (5, 0));
    let (lambda, mut cx) = world.lambda_cx();
    lambda.set_mapping_enabled(&mut cx, mapping, true);
    pass(&mut world, 5);
    assert_eq!(depth(&mut world, "orders"), (0, 0));
}

#[test]
fn records_are_worked_shard_by_shard_in_batches() {
    let mut world = world();
    stream(&mut world, "bids", 2);
    let good = template(&mut world, "good");
    let id = function(&mut world, "settle", quick());
    map(&mut world, id, on_stream("bids"), Settings::for_stream(Start::TrimHorizon));
    for key in ["a", "b", "c", "d"] {
        put(&mut world, "bids", key, good, 100);
    }
    pass(&mut world, 10);
    let (invocations, errors) = tally(&world, "settle");
    assert_eq!(errors, 0);
    assert!((4..=6).contains(&invocations), "{invocations}");
    assert_eq!(world.lambda.mapping(0).unwrap().last_result, LastResult::Ok);
}

#[test]
fn a_poison_record_blocks_its_shard_until_it_expires() {
    let mut world = world();
    stream(&mut world, "bids", 1);
    let (good, poison) = (template(&mut world, "good"), template(&mut world, "poison"));
    let id = function(&mut world, "settle", poisoned());
    map(&mut world, id, on_stream("bids"), Settings::for_stream(Start::TrimHorizon));
    put(&mut world, "bids", "a", poison, 1);
    pass(&mut world, 5);
    put(&mut world, "bids", "a", good, 10);
    pass(&mut world, 3_600);
    let (invocations, errors) = tally(&world, "settle");
    assert_eq!(invocations, errors);
    assert!(errors > 100, "{errors}");
    pass(&mut world, 24 * 3_600);
    assert!(world.lambda.named("settle").unwrap().log.records().next_back().unwrap().outcome.is_success());
}

#[test]
fn a_blocked_shards_iterator_age_rises_in_both_namespaces() {
    let mut world = world();
    stream(&mut world, "bids", 1);
    let poison = template(&mut world, "poison");
    let id = function(&mut world, "settle", poisoned());
    map(&mut world, id, on_stream("bids"), Settings::for_stream(Start::TrimHorizon));
    put(&mut world, "bids", "a", poison, 1);
    let from = world.now;
    let good = template(&mut world, "good");
    for _ in 0..30 {
        pass(&mut world, 60);
        put(&mut world, "bids", "a", good, 20);
    }
    for (namespace, name, dimension) in [
        ("AWS/Lambda", "IteratorAge", ("FunctionName", "settle")),
        ("AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", ("StreamName", "bids")),
    ] {
        let ids = world.metrics.find(&Metric::new(namespace, name, &[dimension]), None);
        let later = world.now + Duration::from_secs(600);
        let read = world.metrics.read(&ids, (from, world.now), 300, later, false);
        let ages: Vec<i64> = read.iter().map(|period| (period.stats.max / 60_000.0).round() as i64).collect();
        assert_eq!(ages, [5, 10, 15, 20, 25, 30], "{name}");
    }
}

#[test]
fn retries_bisection_and_the_on_failure_queue_free_a_blocked_shard() {
    let mut world = world();
    stream(&mut world, "bids", 1);
    queue(&mut world, "bids-failed", &[]);
    let (good, poison) = (template(&mut world, "good"), template(&mut world, "poison"));
    let id = function(&mut world, "settle", poisoned());
    let settings = Settings {
        maximum_retry_attempts: Some(2),
        bisect_on_error: true,
        on_failure: Some("arn:aws:sqs:eu-west-1:123456789012:bids-failed".into()),
        ..Settings::for_stream(Start::TrimHorizon)
    };
    put(&mut world, "bids", "a", good, 5);
    put(&mut world, "bids", "a", poison, 1);
    put(&mut world, "bids", "a", good, 5);
    map(&mut world, id, on_stream("bids"), settings);
    pass(&mut world, 600);
    let (sqs, mut cx) = world.sqs_cx();
    let failed = sqs.receive(&mut cx, "bids-failed", 10, None).unwrap();
    assert_eq!(failed.len(), 1);
    let body: serde_json::Value = serde_json::from_slice(&world.templates.read(&failed[0].body, "")).unwrap();
    assert_eq!(body["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(body["KinesisBatchInfo"]["batchSize"], 1);
    assert_eq!(body["KinesisBatchInfo"]["shardId"], "shardId-000000000000");
    assert!(world.lambda.named("settle").unwrap().log.records().next_back().unwrap().outcome.is_success());
}

#[test]
fn a_mapping_goes_on_in_the_children_of_a_split_shard() {
    let mut world = world();
    stream(&mut world, "bids", 1);
    let good = template(&mut world, "good");
    let id = function(&mut world, "settle", quick());
    let settings = Settings { batch_size: 1, ..Settings::for_stream(Start::Latest) };
    map(&mut world, id, on_stream("bids"), settings);
    pass(&mut world, 5);
    put(&mut world, "bids", "a", good, 20);
    let (kinesis, mut cx) = world.kinesis_cx();
    kinesis.update_shard_count(&mut cx, "bids", 2).unwrap();
    for key in ["a", "b", "c", "d", "e"] {
        pass(&mut world, 30);
        put(&mut world, "bids", key, good, 10);
    }
    pass(&mut world, 60);
    assert_eq!(tally(&world, "settle"), (70, 0));
}

#[test]
fn a_parallelization_factor_runs_several_batches_of_one_shard_at_once() {
    let mut world = world();
    stream(&mut world, "bids", 1);
    let good = template(&mut world, "good");
    let slow = Behaviour { base: Spread::constant(2_000.0), init: Spread::default(), ..Behaviour::default() };
    let id = function(&mut world, "settle", slow);
    let settings = Settings { batch_size: 5, parallelization_factor: 4, ..Settings::for_stream(Start::TrimHorizon) };
    for key in 0..40 {
        put(&mut world, "bids", &format!("key-{key}"), good, 5);
    }
    map(&mut world, id, on_stream("bids"), settings);
    pass(&mut world, 1);
    assert_eq!(world.lambda.in_flight(), 4);
}

#[test]
fn a_mapping_stops_when_its_function_or_its_queue_is_gone() {
    let mut world = world();
    queue(&mut world, "orders", &[]);
    stream(&mut world, "bids", 1);
    let good = template(&mut world, "good");
    let kept = function(&mut world, "kept", quick());
    let gone = function(&mut world, "gone", quick());
    let on_lost_queue = map(&mut world, kept, on_queue("orders"), Settings::for_queue());
    let of_lost_function = map(&mut world, gone, on_stream("bids"), Settings::for_stream(Start::TrimHorizon));
    let (sqs, mut cx) = world.sqs_cx();
    sqs.delete_queue(&mut cx, "orders").unwrap();
    world.lambda.delete_function("gone").unwrap();
    put(&mut world, "bids", "a", good, 10);
    pass(&mut world, 30);
    for mapping in [on_lost_queue, of_lost_function] {
        assert_eq!(world.lambda.mapping(mapping).unwrap().state, MappingState::Disabled);
    }
}

#[test]
fn one_slow_key_does_not_make_the_other_lanes_spin() {
    let mut world = world();
    stream(&mut world, "bids", 1);
    let poison = template(&mut world, "poison");
    let id = function(&mut world, "settle", poisoned());
    let settings = Settings { batch_size: 2, parallelization_factor: 10, ..Settings::for_stream(Start::TrimHorizon) };
    map(&mut world, id, on_stream("bids"), settings);
    put(&mut world, "bids", "one key", poison, 900);
    pass(&mut world, 600);
    assert!(world.lambda.invocations_begun() < 60, "{}", world.lambda.invocations_begun());
    assert!(world.agenda.scheduled() < 1_500, "{}", world.agenda.scheduled());
}

#[test]
fn two_runs_with_one_seed_are_equal() {
    let run = || {
        let mut world = world();
        orders_with_dlq(&mut world);
        stream(&mut world, "bids", 3);
        let (good, poison) = (template(&mut world, "good"), template(&mut world, "poison"));
        let shaky = Behaviour { base: Spread { p50_ms: 30.0, p99_ms: 300.0 }, error_rate: 0.1, ..poisoned() };
        let id = function(&mut world, "work", shaky);
        map(&mut world, id, on_queue("orders"), Settings::for_queue());
        let settings = Settings { maximum_retry_attempts: Some(3), ..Settings::for_stream(Start::TrimHorizon) };
        map(&mut world, id, on_stream("bids"), settings);
        for second in 0..120 {
            send(&mut world, "orders", if second % 7 == 0 { "poison" } else { "good" }, 5);
            put(&mut world, "bids", &format!("hotel-{}", second % 9), if second == 40 { poison } else { good }, 20);
            pass(&mut world, 1);
        }
        pass(&mut world, 300);
        let log: String = world.lambda.named("work").unwrap().log.records().map(LogRecord::text).collect();
        (log, depth(&mut world, "orders-dlq"), world.lambda.invocations_begun())
    };
    let (first, second) = (run(), run());
    assert_eq!(first, second);
    assert!(first.1.0 > 0 && first.2 > 100, "{:?} {}", first.1, first.2);
}

fn filters(pattern: &str) -> Filters {
    Filters::parse([pattern].into_iter()).unwrap()
}

#[test]
fn a_filter_deletes_the_messages_that_it_does_not_let_through() {
    let mut world = world();
    queue(&mut world, "orders", &[]);
    let id = function(&mut world, "fulfil", quick());
    let pattern = r#"{"body":{"room":["suite"]}}"#;
    map(&mut world, id, on_queue("orders"), Settings { filters: filters(pattern), ..Settings::for_queue() });
    send(&mut world, "orders", r#"{"room":"single"}"#, 5);
    send(&mut world, "orders", "no json", 1);
    pass(&mut world, 5);
    assert_eq!(depth(&mut world, "orders"), (0, 0));
    assert_eq!(tally(&world, "fulfil"), (0, 0));
    send(&mut world, "orders", r#"{"room":"suite"}"#, 1);
    pass(&mut world, 5);
    assert_eq!(tally(&world, "fulfil"), (1, 0));
}

#[test]
fn a_filter_of_a_stream_passes_over_records() {
    let mut world = world();
    stream(&mut world, "bids", 1);
    let (suite, single) = (template(&mut world, r#"{"room":"suite"}"#), template(&mut world, r#"{"room":"single"}"#));
    let id = function(&mut world, "settle", quick());
    let settings = Settings {
        batch_size: 1,
        filters: filters(r#"{"partitionKey":["a"],"data":{"room":["suite"]}}"#),
        ..Settings::for_stream(Start::TrimHorizon)
    };
    map(&mut world, id, on_stream("bids"), settings);
    put(&mut world, "bids", "a", single, 3);
    put(&mut world, "bids", "a", suite, 2);
    put(&mut world, "bids", "b", suite, 3);
    pass(&mut world, 10);
    assert_eq!(tally(&world, "settle"), (2, 0));
}

#[test]
fn provisioned_pollers_allow_ten_batches_each() {
    let mut world = world();
    queue(&mut world, "orders", &[]);
    let slow = Behaviour { base: Spread::constant(2_900.0), ..Behaviour::default() };
    let id = function(&mut world, "fulfil", slow);
    let pollers = Some(Pollers { minimum: 3, maximum: 4 });
    map(&mut world, id, on_queue("orders"), Settings { batch_size: 1, pollers, ..Settings::for_queue() });
    send(&mut world, "orders", "good", 2_000);
    pass(&mut world, 1);
    assert!((30..=40).contains(&world.lambda.in_flight()), "{}", world.lambda.in_flight());
    pass(&mut world, 60);
    assert_eq!(world.lambda.in_flight(), 40);
}

#[test]
fn a_mapping_on_an_alias_follows_it_from_version_to_version() {
    let mut world = world();
    queue(&mut world, "orders", &[("VisibilityTimeout", "30")]);
    let id = function(&mut world, "fulfil", quick());
    let (lambda, mut cx) = world.lambda_cx();
    let good = lambda.publish_version(&mut cx, "fulfil", None).unwrap();
    lambda.create_alias(&mut cx, "fulfil", "live", good, &AliasChange::default()).unwrap();
    let settings = Settings { qualifier: Qualifier::parse(Some("live")), batch_size: 1, ..Settings::for_queue() };
    map(&mut world, id, on_queue("orders"), settings);
    let (lambda, mut cx) = world.lambda_cx();
    lambda.deploy_errors(&mut cx, "fulfil", vec![ErrorRule::new("", "KeyError", "'price'")]);
    send(&mut world, "orders", "good", 3);
    pass(&mut world, 5);
    assert_eq!(tally(&world, "fulfil"), (3, 0), "the bad code is not what the alias runs");
    let (lambda, mut cx) = world.lambda_cx();
    let bad = lambda.publish_version(&mut cx, "fulfil", None).unwrap();
    let change = |version| AliasChange { version: Some(version), ..AliasChange::default() };
    lambda.update_alias(&mut cx, "fulfil", "live", &change(bad)).unwrap();
    send(&mut world, "orders", "good", 2);
    pass(&mut world, 5);
    assert_eq!(tally(&world, "fulfil"), (5, 2));
    let (lambda, mut cx) = world.lambda_cx();
    lambda.update_alias(&mut cx, "fulfil", "live", &change(good)).unwrap();
    pass(&mut world, 60);
    assert_eq!(depth(&mut world, "orders"), (0, 0));
    let (lambda, mut cx) = world.lambda_cx();
    assert_eq!(lambda.mapping(0).unwrap().state, MappingState::Enabled);
    lambda.delete_alias("fulfil", "live");
    assert!(lambda.publish_version(&mut cx, "fulfil", None).is_some());
    pass(&mut world, 5);
    assert_eq!(world.lambda.mapping(0).unwrap().state, MappingState::Disabled);
}
