//! How functions behave, as examples.

use super::*;
use crate::domain::time::Timestamp;
use crate::sim::cloudwatch::Metric;
use crate::sim::cx::Place;
use crate::sim::fanout;
use crate::sim::payload::Payload;
use crate::sim::sns::{Publication, Subscribe};
use crate::sim::world::World;
use std::time::Duration;

fn world() -> World {
    let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
    World::new(7, Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap(), place)
}

fn create(world: &mut World, name: &str, config: Config, behaviour: Behaviour) -> FunctionId {
    let (lambda, mut cx) = world.lambda_cx();
    lambda.create_function(&mut cx, name, config, b"code", behaviour).unwrap()
}

fn invoke(world: &mut World, name: &str, payload: &'static str) -> Result<u64, ApiError> {
    let (lambda, mut cx) = world.lambda_cx();
    lambda.invoke(&mut cx, name, Bytes::from_static(payload.as_bytes()), true)
}

fn answer(world: &mut World, invocation: u64) -> Answered {
    let ends = world.lambda.running(invocation).unwrap().ends;
    world.advance_to(ends);
    world.lambda.take_answer(invocation).unwrap()
}

#[test]
fn a_function_that_a_client_made_echoes_its_payload() {
    let mut world = world();
    create(&mut world, "echo", Config::default(), Behaviour::default());
    let invocation = invoke(&mut world, "echo", r#"{"bid":1}"#).unwrap();
    let answered = answer(&mut world, invocation);
    assert_eq!(answered.payload, r#"{"bid":1}"#);
    assert_eq!(answered.outcome, Outcome::Success);
    assert!(answered.log.unwrap().contains("Init Duration"));
    assert!(world.lambda.take_answer(invocation).is_none());
    let second = invoke(&mut world, "echo", "1").unwrap();
    assert!(!answer(&mut world, second).log.unwrap().contains("Init Duration"));
}

#[test]
fn a_timeout_ends_at_exactly_the_timeout_and_says_so() {
    let mut world = world();
    let slow = Behaviour { base: Spread::constant(60_000.0), init: Spread::default(), ..Behaviour::default() };
    create(&mut world, "slow", Config { timeout_s: 3, ..Config::default() }, slow);
    let began = world.now;
    let invocation = invoke(&mut world, "slow", "{}").unwrap();
    let answered = answer(&mut world, invocation);
    assert_eq!(world.now.since(began), Duration::from_secs(3));
    assert_eq!(answered.outcome, Outcome::TimedOut);
    let payload = String::from_utf8(answered.payload.to_vec()).unwrap();
    assert!(payload.contains("Task timed out after 3.00 seconds"), "{payload}");
    assert!(answered.log.unwrap().contains("Duration: 3000.00 ms\tBilled Duration: 3000 ms"));
}

#[test]
fn code_that_needs_too_much_memory_is_killed() {
    let mut world = world();
    create(&mut world, "fat", Config::default(), Behaviour { max_memory_mb: 300, ..Behaviour::default() });
    let invocation = invoke(&mut world, "fat", "{}").unwrap();
    let answered = answer(&mut world, invocation);
    assert_eq!(answered.outcome, Outcome::OutOfMemory);
    assert!(answered.log.unwrap().contains("Max Memory Used: 128 MB"));
}

#[test]
fn reserved_concurrency_of_zero_throttles_all() {
    let mut world = world();
    create(&mut world, "stopped", Config::default(), Behaviour::default());
    world.lambda.set_reserved_concurrency("stopped", Some(0)).unwrap();
    let error = invoke(&mut world, "stopped", "{}").unwrap_err();
    assert_eq!((error.code, error.status), ("TooManyRequestsException", 429));
    assert_eq!(error.members[0].1, "ReservedFunctionConcurrentInvocationLimitExceeded");
    world.lambda.set_reserved_concurrency("stopped", None).unwrap();
    assert!(invoke(&mut world, "stopped", "{}").is_ok());
}

#[test]
fn the_account_runs_a_thousand_invocations_at_once_less_what_others_reserved() {
    let mut world = world();
    let slow = Behaviour { base: Spread::constant(1_000.0), ..Behaviour::default() };
    create(&mut world, "busy", Config::default(), slow.clone());
    create(&mut world, "kept", Config::default(), slow);
    world.lambda.set_reserved_concurrency("kept", Some(200)).unwrap();
    let begun = (0..1_000).filter(|_| invoke(&mut world, "busy", "{}").is_ok()).count();
    assert_eq!(begun, 800);
    assert!(invoke(&mut world, "kept", "{}").is_ok());
    assert!(world.lambda.set_reserved_concurrency("busy", Some(701)).is_err());
    world.advance_to(world.now + Duration::from_secs(5));
    assert_eq!(world.lambda.in_flight(), 0);
    assert!(invoke(&mut world, "busy", "{}").is_ok());
}

#[test]
fn a_bad_deploy_fails_on_some_payloads_until_it_is_rolled_forward() {
    let mut world = world();
    create(&mut world, "fulfil", Config::default(), Behaviour::default());
    let before = world.lambda.named("fulfil").unwrap().latest.code.sha256.clone();
    let rule = ErrorRule::new("gift", "KeyError", "'gift_wrap'");
    let (lambda, mut cx) = world.lambda_cx();
    assert_eq!(lambda.deploy_errors(&mut cx, "fulfil", vec![rule]), Some(2));
    let (good, bad) = (invoke(&mut world, "fulfil", "{}").unwrap(), invoke(&mut world, "fulfil", "a gift").unwrap());
    assert!(answer(&mut world, good).outcome.is_success());
    world.advance_to(world.now + Duration::from_secs(5));
    let answered = world.lambda.take_answer(bad).unwrap();
    let payload: serde_json::Value = serde_json::from_slice(&answered.payload).unwrap();
    assert_eq!((&payload["errorType"], &payload["errorMessage"]), (&"KeyError".into(), &"'gift_wrap'".into()));
    assert_ne!(world.lambda.named("fulfil").unwrap().latest.code.sha256, before);
    let (lambda, mut cx) = world.lambda_cx();
    lambda.deploy_errors(&mut cx, "fulfil", vec![]).unwrap();
    let mended = invoke(&mut world, "fulfil", "a gift").unwrap();
    assert!(answer(&mut world, mended).outcome.is_success());
}

#[test]
fn an_event_that_fails_is_tried_three_times_over_three_minutes() {
    let mut world = world();
    let failing = Behaviour { errors: vec![ErrorRule::new("", "ValueError", "no")], ..Behaviour::default() };
    let id = create(&mut world, "task", Config::default(), failing);
    let began = world.now;
    let (lambda, mut cx) = world.lambda_cx();
    let request = lambda.accept_event(&mut cx, id, Bytes::from_static(b"{}")).unwrap();
    world.advance_to(began + Duration::from_secs(3_600));
    let tries: Vec<_> = world.lambda.named("task").unwrap().log.records().collect();
    let offsets: Vec<u64> = tries.iter().map(|record| record.started.since(began).as_secs()).collect();
    assert_eq!(offsets, [0, 60, 180]);
    assert!(tries.iter().all(|record| record.request == request));
    assert!(world.lambda.events.is_empty());
}

#[test]
fn an_event_for_a_stopped_function_is_given_up_at_once() {
    let mut world = world();
    let id = create(&mut world, "task", Config::default(), Behaviour::default());
    world.lambda.set_reserved_concurrency("task", Some(0)).unwrap();
    let (lambda, mut cx) = world.lambda_cx();
    lambda.accept_event(&mut cx, id, Bytes::from_static(b"{}")).unwrap();
    world.advance_to(world.now + Duration::from_secs(1));
    assert!(world.lambda.events.is_empty());
}

/// Sum, count and maximum of a metric over the world's time so far.
fn metric(world: &World, name: &str, dimensions: &[(&str, &str)]) -> Option<(f64, f64, f64)> {
    let from = Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap();
    let ids = world.metrics.find(&Metric::new("AWS/Lambda", name, dimensions), None);
    let later = world.now + Duration::from_secs(3_600);
    let read = world.metrics.read(&ids, (from, later), 3_600, later, false);
    read.first().map(|period| (period.stats.sum, period.stats.count, period.stats.max))
}

#[test]
fn every_invocation_is_counted_by_function_and_for_the_region() {
    let mut world = world();
    let half_second = Behaviour { base: Spread::constant(500.0), init: Spread::default(), ..Behaviour::default() };
    create(&mut world, "settle", Config::default(), half_second);
    assert_eq!(metric(&world, "Invocations", &[]), None);
    for _ in 0..3 {
        invoke(&mut world, "settle", "{}").unwrap();
    }
    world.lambda.set_reserved_concurrency("settle", Some(3)).unwrap();
    assert!(invoke(&mut world, "settle", "{}").is_err());
    world.advance_to(world.now + Duration::from_secs(120));
    let resource = [("FunctionName", "settle"), ("Resource", "settle")];
    for dimensions in [&[][..], &[("FunctionName", "settle")][..], &resource[..]] {
        assert_eq!(metric(&world, "Invocations", dimensions), Some((3.0, 3.0, 1.0)));
        assert_eq!(metric(&world, "Errors", dimensions), Some((0.0, 3.0, 0.0)));
        assert_eq!(metric(&world, "Throttles", dimensions), Some((1.0, 1.0, 1.0)));
        assert_eq!(metric(&world, "Duration", dimensions), Some((1_500.0, 3.0, 500.0)));
    }
    assert_eq!(metric(&world, "ConcurrentExecutions", &[("FunctionName", "settle")]).unwrap().2, 3.0);
    assert_eq!(metric(&world, "ConcurrentExecutions", &[]).unwrap().2, 3.0);
    assert_eq!(metric(&world, "IteratorAge", &[]), None);
}

#[test]
fn a_reservation_also_bounds_how_often_a_function_is_asked() {
    let mut world = world();
    let quick = Behaviour { base: Spread::constant(1.0), init: Spread::default(), ..Behaviour::default() };
    create(&mut world, "quick", Config::default(), quick);
    world.lambda.set_reserved_concurrency("quick", Some(2)).unwrap();
    let mut refused = Vec::new();
    for _ in 0..30 {
        refused.extend(invoke(&mut world, "quick", "{}").err());
        world.advance_to(world.now + Duration::from_millis(5));
    }
    assert!((6..=10).contains(&refused.len()), "{}", refused.len());
    assert_eq!(refused[0].members[0].1, "ReservedFunctionInvocationRateLimitExceeded");
}

#[test]
fn two_runs_with_one_seed_are_equal() {
    let run = || {
        let mut world = world();
        create(&mut world, "echo", Config::default(), Behaviour { error_rate: 0.3, ..Behaviour::default() });
        for step in 0..200 {
            let _ = invoke(&mut world, "echo", "{}");
            world.advance_to(world.now + Duration::from_millis(step));
        }
        world.lambda.named("echo").unwrap().log.records().map(LogRecord::text).collect::<String>()
    };
    assert_eq!(run(), run());
}

/// Publishes what there is and points an alias at it.
fn publish_as(world: &mut World, name: &str, alias: &str) -> VersionNumber {
    let (lambda, mut cx) = world.lambda_cx();
    let number = lambda.publish_version(&mut cx, name, None).unwrap();
    let moved = lambda.update_alias(&mut cx, name, alias, &AliasChange { version: Some(number), ..Default::default() });
    if moved.is_err() {
        lambda.create_alias(&mut cx, name, alias, number, &AliasChange::default()).unwrap();
    }
    number
}

fn live() -> Qualifier {
    Qualifier::parse(Some("live"))
}

fn invoke_live(world: &mut World, name: &str, payload: &'static str) -> Answered {
    let (lambda, mut cx) = world.lambda_cx();
    let payload = Bytes::from_static(payload.as_bytes());
    let invocation = lambda.invoke_qualified(&mut cx, name, &live(), payload, false).unwrap();
    answer(world, invocation)
}

#[test]
fn an_alias_on_a_bad_version_is_cured_by_pointing_it_back() {
    let mut world = world();
    create(&mut world, "fulfil", Config::default(), Behaviour::default());
    let good = publish_as(&mut world, "fulfil", "live");
    let (lambda, mut cx) = world.lambda_cx();
    lambda.deploy_errors(&mut cx, "fulfil", vec![ErrorRule::new("gift", "KeyError", "'gift_wrap'")]);
    assert!(invoke_live(&mut world, "fulfil", "a gift").outcome.is_success(), "a version does not change");
    let bad = publish_as(&mut world, "fulfil", "live");
    assert_eq!((good, bad), (VersionNumber(1), VersionNumber(2)));
    assert!(!invoke_live(&mut world, "fulfil", "a gift").outcome.is_success());
    let (lambda, mut cx) = world.lambda_cx();
    let back = AliasChange { version: Some(good), ..AliasChange::default() };
    lambda.update_alias(&mut cx, "fulfil", "live", &back).unwrap();
    assert!(invoke_live(&mut world, "fulfil", "a gift").outcome.is_success());
    let alias = [("FunctionName", "fulfil"), ("Resource", "fulfil:live")];
    assert_eq!(metric(&world, "Errors", &alias), Some((1.0, 3.0, 1.0)));
    let bad = [alias[0], alias[1], ("ExecutedVersion", "2")];
    assert_eq!(metric(&world, "Errors", &bad), Some((1.0, 1.0, 1.0)));
    assert_eq!(metric(&world, "Invocations", &[("FunctionName", "fulfil")]), Some((3.0, 3.0, 1.0)));
    assert_eq!(metric(&world, "Invocations", &[("FunctionName", "fulfil"), ("Resource", "fulfil")]), None);
}

#[test]
fn provisioned_environments_are_warm_and_what_exceeds_them_spills_over() {
    let mut world = world();
    let slow = Behaviour { base: Spread::constant(2_000.0), ..Behaviour::default() };
    let id = create(&mut world, "book", Config::default(), slow);
    publish_as(&mut world, "book", "live");
    let (lambda, mut cx) = world.lambda_cx();
    lambda.put_provisioned(&mut cx, id, &live(), 2).unwrap();
    world.advance_to(world.now + Duration::from_secs(120));
    let (lambda, mut cx) = world.lambda_cx();
    let begun: Vec<u64> = (0..3)
        .map(|_| lambda.invoke_qualified(&mut cx, "book", &live(), Bytes::from_static(b"{}"), true).unwrap())
        .collect();
    world.advance_to(world.now + Duration::from_secs(10));
    let cold: Vec<bool> = begun
        .into_iter()
        .map(|n| world.lambda.take_answer(n).unwrap().log.unwrap().contains("Init Duration"))
        .collect();
    assert_eq!(cold, [false, false, true]);
    world.advance_to(world.now + Duration::from_secs(120));
    let alias = [("FunctionName", "book"), ("Resource", "book:live")];
    assert_eq!(metric(&world, "ProvisionedConcurrencyInvocations", &alias).unwrap().0, 2.0);
    assert_eq!(metric(&world, "ProvisionedConcurrencySpilloverInvocations", &alias).unwrap().0, 1.0);
    assert_eq!(metric(&world, "ProvisionedConcurrencyUtilization", &alias).unwrap().2, 1.0);
    assert_eq!(world.lambda.in_flight(), 0);
}

#[test]
fn provisioned_and_reserved_concurrency_share_the_accounts_thousand() {
    let mut world = world();
    let slow = Behaviour { base: Spread::constant(60_000.0), ..Behaviour::default() };
    let config = Config { timeout_s: 900, ..Config::default() };
    let id = create(&mut world, "book", config.clone(), slow.clone());
    create(&mut world, "busy", config, slow);
    publish_as(&mut world, "book", "live");
    let (lambda, mut cx) = world.lambda_cx();
    let too_many = lambda.put_provisioned(&mut cx, id, &live(), 901).unwrap_err();
    assert!(too_many.message.ends_with("below its minimum value of [100]."), "{too_many}");
    lambda.put_provisioned(&mut cx, id, &live(), 300).unwrap();
    let begun = (0..1_000).filter(|_| invoke(&mut world, "busy", "{}").is_ok()).count();
    assert_eq!(begun, 700);
    let lower = world.lambda.set_reserved_concurrency("book", Some(299)).unwrap_err();
    assert!(lower.message.contains("should not be lower than function's total provisioned concurrency [300]"));
}

fn destinations(world: &mut World, name: &str, config: EventConfig) {
    for queue in ["done", "failed"] {
        let (sqs, mut cx) = world.sqs_cx();
        let _ = sqs.create_queue(&mut cx, queue, &Default::default(), &Default::default());
    }
    world.lambda.named_mut(name).unwrap().event_configs.insert("$LATEST".to_owned(), config);
}

fn received(world: &mut World, queue: &str) -> Vec<serde_json::Value> {
    let (sqs, mut cx) = world.sqs_cx();
    let messages = sqs.receive(&mut cx, queue, 10, None).unwrap();
    messages.iter().map(|m| serde_json::from_slice(&world.templates.read(&m.body, "")).unwrap()).collect()
}

const QUEUES: &str = "arn:aws:sqs:eu-west-1:123456789012:";

#[test]
fn an_event_that_succeeds_is_told_to_its_destination() {
    let mut world = world();
    let id = create(&mut world, "task", Config::default(), Behaviour::default());
    let config = EventConfig { on_success: Some(format!("{QUEUES}done")), ..EventConfig::default() };
    destinations(&mut world, "task", config);
    let (lambda, mut cx) = world.lambda_cx();
    let request = lambda.accept_event(&mut cx, id, Bytes::from_static(br#"{"bid":1}"#)).unwrap();
    world.advance_to(world.now + Duration::from_secs(5));
    let told = received(&mut world, "done");
    assert_eq!(told.len(), 1);
    let context = serde_json::json!({
        "requestId": request.text(),
        "functionArn": "arn:aws:lambda:eu-west-1:123456789012:function:task:$LATEST",
        "condition": "Success",
        "approximateInvokeCount": 1,
    });
    assert_eq!(told[0]["requestContext"], context);
    assert_eq!(told[0]["responseContext"], serde_json::json!({"statusCode": 200, "executedVersion": "$LATEST"}));
    assert_eq!(
        (&told[0]["requestPayload"], &told[0]["responsePayload"]["bid"]),
        (&serde_json::json!({"bid": 1}), &1.into())
    );
}

#[test]
fn an_event_that_fails_for_good_is_told_to_its_destination_and_lies_in_the_dead_letter_queue() {
    let mut world = world();
    let failing = Behaviour { errors: vec![ErrorRule::new("", "ValueError", "no")], ..Behaviour::default() };
    let config = Config { dead_letter_arn: Some(format!("{QUEUES}dead")), ..Config::default() };
    let id = create(&mut world, "task", config, failing);
    let (sqs, mut cx) = world.sqs_cx();
    sqs.create_queue(&mut cx, "dead", &Default::default(), &Default::default()).unwrap();
    let config = EventConfig {
        on_failure: Some(format!("{QUEUES}failed")),
        maximum_retry_attempts: Some(1),
        ..EventConfig::default()
    };
    destinations(&mut world, "task", config);
    let (lambda, mut cx) = world.lambda_cx();
    lambda.accept_event(&mut cx, id, Bytes::from_static(b"{}")).unwrap();
    world.advance_to(world.now + Duration::from_secs(90));
    let told = received(&mut world, "failed");
    assert_eq!(told[0]["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(told[0]["requestContext"]["approximateInvokeCount"], 2);
    assert_eq!(told[0]["responseContext"]["functionError"], "Unhandled");
    assert_eq!(told[0]["responsePayload"]["errorType"], "ValueError");
    let (sqs, mut cx) = world.sqs_cx();
    let dead = sqs.receive(&mut cx, "dead", 10, Some(0)).unwrap();
    let trace = dead[0].details.as_ref().and_then(|details| details.trace_header.clone()).unwrap();
    assert!(trace.starts_with("Root=1-") && trace.contains(";Sampled=0;Lineage=1:"), "{trace}");
    assert_eq!(received(&mut world, "dead"), [serde_json::json!({})]);
    assert_eq!(metric(&world, "AsyncEventsDropped", &[("FunctionName", "task")]), None);
}

#[test]
fn an_event_that_would_be_too_old_for_its_next_try_is_given_up() {
    let mut world = world();
    let failing = Behaviour { errors: vec![ErrorRule::new("", "ValueError", "no")], ..Behaviour::default() };
    let id = create(&mut world, "task", Config::default(), failing);
    let config = EventConfig {
        on_failure: Some(format!("{QUEUES}failed")),
        maximum_event_age_s: Some(60),
        ..EventConfig::default()
    };
    destinations(&mut world, "task", config);
    let (lambda, mut cx) = world.lambda_cx();
    lambda.accept_event(&mut cx, id, Bytes::from_static(b"{}")).unwrap();
    world.advance_to(world.now + Duration::from_secs(5));
    assert_eq!(received(&mut world, "failed")[0]["requestContext"]["condition"], "EventAgeExceeded");
    assert_eq!(world.lambda.events_waiting(), 0);
}

#[test]
fn a_destination_that_is_not_there_is_counted() {
    let mut world = world();
    let id = create(&mut world, "task", Config::default(), Behaviour::default());
    let config = EventConfig { on_success: Some(format!("{QUEUES}nowhere")), ..EventConfig::default() };
    destinations(&mut world, "task", config);
    let (lambda, mut cx) = world.lambda_cx();
    lambda.accept_event(&mut cx, id, Bytes::from_static(b"{}")).unwrap();
    world.advance_to(world.now + Duration::from_secs(5));
    assert_eq!(metric(&world, "DestinationDeliveryFailures", &[("FunctionName", "task")]).unwrap().0, 1.0);
}

#[test]
fn one_functions_success_may_be_another_functions_event() {
    let mut world = world();
    let id = create(&mut world, "first", Config::default(), Behaviour::default());
    create(&mut world, "second", Config::default(), Behaviour::default());
    let target = "arn:aws:lambda:eu-west-1:123456789012:function:second".to_owned();
    destinations(&mut world, "first", EventConfig { on_success: Some(target), ..EventConfig::default() });
    let (lambda, mut cx) = world.lambda_cx();
    lambda.accept_event(&mut cx, id, Bytes::from_static(b"{}")).unwrap();
    world.advance_to(world.now + Duration::from_secs(5));
    assert_eq!(world.lambda.named("second").unwrap().log.len(), 1);
}

#[test]
fn functions_that_tell_one_another_without_end_are_stopped() {
    let mut world = world();
    // An echo's records would double in size, and soon be no events any more.
    let brief = || Behaviour { answer: Answer::Text("1".into()), ..Behaviour::default() };
    let id = create(&mut world, "ping", Config::default(), brief());
    create(&mut world, "pong", Config::default(), brief());
    let arn = |name: &str| Some(format!("arn:aws:lambda:eu-west-1:123456789012:function:{name}"));
    destinations(&mut world, "ping", EventConfig { on_success: arn("pong"), ..EventConfig::default() });
    destinations(&mut world, "pong", EventConfig { on_success: arn("ping"), ..EventConfig::default() });
    let (lambda, mut cx) = world.lambda_cx();
    lambda.accept_event(&mut cx, id, Bytes::from_static(b"{}")).unwrap();
    world.advance_to(world.now + Duration::from_secs(600));
    assert_eq!(world.lambda.invocations_begun(), 32, "each of them sixteen times");
    assert_eq!(metric(&world, "RecursiveInvocationsDropped", &[("FunctionName", "ping")]).unwrap().0, 1.0);
}

#[test]
fn what_does_not_fit_into_an_event_is_no_event_of_a_destination() {
    let mut world = world();
    let id = create(&mut world, "first", Config::default(), Behaviour::default());
    create(&mut world, "second", Config::default(), Behaviour::default());
    let target = "arn:aws:lambda:eu-west-1:123456789012:function:second".to_owned();
    destinations(&mut world, "first", EventConfig { on_success: Some(target), ..EventConfig::default() });
    let (lambda, mut cx) = world.lambda_cx();
    // It is in the record twice: as it came, and as it was echoed.
    let event = Bytes::from(format!("\"{}\"", "x".repeat(asynchronous::EVENT_BYTES_MAX / 2)));
    lambda.accept_event(&mut cx, id, event).unwrap();
    world.advance_to(world.now + Duration::from_secs(5));
    assert_eq!(world.lambda.named("second").unwrap().log.len(), 0);
    let failures = metric(&world, "DestinationDeliveryFailures", &[("FunctionName", "first")]).unwrap();
    assert_eq!(failures.0, 1.0);
}

#[test]
fn a_function_that_tells_itself_through_a_topic_is_stopped_unless_it_may_go_on() {
    let mut world = world();
    let behaviour = Behaviour { answer: Answer::Text("1".into()), ..Behaviour::default() };
    create(&mut world, "echo", Config::default(), behaviour);
    let (sns, mut cx) = world.sns_cx();
    sns.create_topic(&mut cx, "news", &BTreeMap::new(), &BTreeMap::new()).unwrap();
    let [topic, function] = ["sns:eu-west-1:123456789012:news", "lambda:eu-west-1:123456789012:function:echo"]
        .map(|rest| format!("arn:aws:{rest}"));
    let (endpoint, links) = (Some(function.as_str()), String::new());
    let wanted =
        Subscribe { topic: "news", protocol: "lambda", endpoint, attributes: BTreeMap::new(), links, owner: None };
    sns.subscribe(&mut cx, wanted).unwrap();
    destinations(&mut world, "echo", EventConfig { on_success: Some(topic), ..EventConfig::default() });
    let after_13 = (0..13).fold(Lineage::default(), |chain, _| chain.after(&function));
    let begin = |world: &mut World| {
        let before = world.lambda.invocations_begun();
        let message = Payload::Sent(Bytes::from_static(b"news"));
        let publication = Publication { lineage: after_13.clone(), ..Publication::of(message) };
        assert!(fanout::publish(world, "news", publication));
        world.advance_to(world.now + Duration::from_secs(60));
        world.lambda.invocations_begun() - before
    };
    assert_eq!(begin(&mut world), 3);
    assert_eq!(metric(&world, "RecursiveInvocationsDropped", &[("FunctionName", "echo")]).unwrap().0, 1.0);
    world.lambda.named_mut("echo").unwrap().allows_recursion = true;
    assert!(begin(&mut world) > 3, "until its records, each in the next, are too long for a topic");
}
