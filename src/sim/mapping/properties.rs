//! What holds after any run of a mapping: nothing that came in is lost or counted twice, and order is kept.

use crate::domain::time::Timestamp;
use crate::sim::cloudwatch::Metric;
use crate::sim::cx::Place;
use crate::sim::kinesis::{PutKey, PutRecord, StreamMode};
use crate::sim::lambda::*;
use crate::sim::payload::Payload;
use crate::sim::sqs::Outgoing;
use crate::sim::world::World;
use bytes::Bytes;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

const QUEUE_ARN: &str = "arn:aws:sqs:eu-west-1:123456789012:";

fn world(seed: u64) -> World {
    let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
    World::new(seed, Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap(), place)
}

fn queue(world: &mut World, name: &str, attributes: &[(&str, &str)]) {
    let attributes = attributes.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect();
    let (sqs, mut cx) = world.sqs_cx();
    sqs.create_queue(&mut cx, name, &attributes, &BTreeMap::new()).unwrap();
}

/// The sum of an event count of the world's only mapping.
fn counted(world: &World, name: &str) -> u64 {
    let uuid = world.lambda.mapping(0).unwrap().uuid.clone();
    let ids = world.metrics.find(&Metric::new("AWS/Lambda", name, &[("EventSourceMappingUUID", &uuid)]), None);
    let (from, to) = (Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap(), world.now + Duration::from_secs(600));
    let periods = world.metrics.read(&ids, (from, to), 60, to, false);
    periods.iter().map(|period| period.stats.sum as u64).sum()
}

/// How badly a function behaves.
fn behaviour() -> impl Strategy<Value = Behaviour> {
    (0.0..0.4_f64, 0.0..1.0_f64, 1.0..4_000.0_f64).prop_map(|(error_rate, poison_rate, base_ms)| Behaviour {
        base: Spread { p50_ms: base_ms, p99_ms: base_ms * 3.0 },
        errors: vec![ErrorRule::new("poison", "KeyError", "'price'").with_rate(poison_rate)],
        error_rate,
        ..Behaviour::default()
    })
}

/// What happens while a mapping works.
#[derive(Clone, Copy, Debug)]
enum Step {
    Put { count: usize, is_poison: bool },
    Enable(bool),
    Reserve(Option<u32>),
    Wait { s: u64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1..40_usize, any::<bool>()).prop_map(|(count, is_poison)| Step::Put { count, is_poison }),
        1 => any::<bool>().prop_map(Step::Enable),
        1 => prop_oneof![Just(None), (0..4_u32).prop_map(Some)].prop_map(Step::Reserve),
        5 => (1..40_u64).prop_map(|s| Step::Wait { s }),
    ];
    prop::collection::vec(step, 1..25)
}

fn take(world: &mut World, step: Step, mut put: impl FnMut(&mut World, Bytes)) -> u64 {
    match step {
        Step::Put { count, is_poison } => {
            let body: &'static [u8] = if is_poison { b"poison" } else { b"good" };
            for _ in 0..count {
                put(world, Bytes::from_static(body));
            }
            return count as u64;
        }
        Step::Enable(is_enabled) => {
            let (lambda, mut cx) = world.lambda_cx();
            lambda.set_mapping_enabled(&mut cx, 0, is_enabled);
        }
        Step::Reserve(reserved) => world.lambda.set_reserved_concurrency("work", reserved).unwrap(),
        Step::Wait { s } => world.advance_to(world.now + Duration::from_secs(s)),
    }
    0
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, ..ProptestConfig::default() })]

    /// Every message sent is deleted by the mapping once, or dead-lettered, visible or in flight.
    #[test]
    fn no_message_of_a_mapped_queue_is_lost(
        seed in any::<u64>(),
        behaviour in behaviour(),
        steps in steps(),
        batch_size in 1..=10_u32,
        window_s in 0..4_u32,
        reports_item_failures in any::<bool>(),
        filters_some in any::<bool>(),
    ) {
        let mut world = world(seed);
        queue(&mut world, "orders-dlq", &[]);
        let policy = format!(r#"{{"deadLetterTargetArn":"{QUEUE_ARN}orders-dlq","maxReceiveCount":"3"}}"#);
        queue(&mut world, "orders", &[("VisibilityTimeout", "20"), ("RedrivePolicy", &policy)]);
        let filters = if filters_some { vec![r#"{"body":["good"]}"#] } else { vec![] };
        let settings = Settings {
            batch_size,
            window_s,
            reports_item_failures,
            counts_events: true,
            filters: Filters::parse(filters.into_iter()).unwrap(),
            ..Settings::for_queue()
        };
        let (lambda, mut cx) = world.lambda_cx();
        let config = Config { timeout_s: 6, ..Config::default() };
        let id = lambda.create_function(&mut cx, "work", config, b"code", behaviour).unwrap();
        lambda.begin_with_mapping(&mut cx, id, MappingSource::Queue("orders".into()), settings, true).unwrap();
        let mut sent = 0;
        for step in steps {
            sent += take(&mut world, step, |world, body| {
                let (sqs, mut cx) = world.sqs_cx();
                sqs.send(&mut cx, "orders", Outgoing::of(Payload::Sent(body))).unwrap();
            });
            let (sqs, cx) = world.sqs_cx();
            let (left, dead) = (sqs.depth(&cx, "orders").unwrap(), sqs.depth(&cx, "orders-dlq").unwrap());
            let kept = left.visible + left.in_flight + dead.visible + dead.in_flight;
            let deleted = counted(&world, "DeletedEventCount") + counted(&world, "FilteredOutEventCount");
            prop_assert_eq!(kept + deleted, sent);
        }
    }

    /// Every record read is done or given up once, and what was given up is told to the on-failure queue.
    #[test]
    fn no_record_of_a_mapped_stream_is_lost(
        seed in any::<u64>(),
        behaviour in behaviour(),
        steps in steps(),
        batch_size in 1..30_u32,
        parallelization_factor in 1..4_u32,
        bisect_on_error in any::<bool>(),
        reports_item_failures in any::<bool>(),
        retries in 0..4_u32,
    ) {
        let mut world = world(seed);
        queue(&mut world, "given-up", &[]);
        let (kinesis, mut cx) = world.kinesis_cx();
        kinesis.add_active_stream(&mut cx, "bids", 2, StreamMode::Provisioned).unwrap();
        let settings = Settings {
            batch_size,
            parallelization_factor,
            bisect_on_error,
            reports_item_failures,
            maximum_retry_attempts: Some(retries),
            on_failure: Some(format!("{QUEUE_ARN}given-up")),
            counts_events: true,
            ..Settings::for_stream(Start::TrimHorizon)
        };
        let (lambda, mut cx) = world.lambda_cx();
        let config = Config { timeout_s: 6, ..Config::default() };
        let id = lambda.create_function(&mut cx, "work", config, b"code", behaviour).unwrap();
        lambda.begin_with_mapping(&mut cx, id, MappingSource::Stream("bids".into()), settings, true).unwrap();
        let mut put = 0;
        for step in steps {
            put += take(&mut world, step, |world, data| {
                let (kinesis, mut cx) = world.kinesis_cx();
                let key = format!("hotel-{}", put % 7);
                let data = Payload::Sent(data);
                let record = PutRecord { key: PutKey::Text(&key), explicit_hash: None, data };
                kinesis.put_record(&mut cx, "bids", &record).unwrap();
            });
        }
        let (lambda, mut cx) = world.lambda_cx();
        lambda.set_mapping_enabled(&mut cx, 0, true);
        lambda.set_reserved_concurrency("work", None).unwrap();
        world.advance_to(world.now + Duration::from_secs(20_000));
        prop_assert_eq!(counted(&world, "PolledEventCount"), put);
        let done = counted(&world, "InvokedEventCount") - counted(&world, "FailedInvokeEventCount");
        let dropped = counted(&world, "DroppedEventCount");
        prop_assert_eq!(done + dropped, put);
        prop_assert_eq!(counted(&world, "OnFailureDestinationDeliveredEventCount"), dropped);
        let told = told(&mut world);
        prop_assert_eq!(told, dropped);
    }
}

/// The records that the on-failure queue speaks of.
fn told(world: &mut World) -> u64 {
    let mut sum = 0;
    loop {
        let (sqs, mut cx) = world.sqs_cx();
        let messages = sqs.receive(&mut cx, "given-up", 10, None).unwrap();
        if messages.is_empty() {
            return sum;
        }
        for message in messages {
            let body: serde_json::Value = serde_json::from_slice(&world.templates.read(&message.body, "")).unwrap();
            sum += body["KinesisBatchInfo"]["batchSize"].as_u64().unwrap();
        }
    }
}
