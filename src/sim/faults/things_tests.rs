//! Examples of faults of one thing: a stream, a queue, a function, an endpoint, an application.

use super::tests::{add, ask, pass, request, world};
use crate::sim::actors::{self, Role};
use crate::sim::lambda::LastResult;
use crate::sim::world::World;

/// Orders on a queue with a dead-letter queue and packers; bids on a stream that a function reads; a topic that tells a
/// queue and a web hook.
const ESTATE: &str = r#"
    [[template]]
    name = "order"
    text = "an order"
    [[queue]]
    name = "dead"
    [[queue]]
    name = "orders"
    visibility_timeout_s = 60
    dead_letter_queue = "dead"
    max_receive_count = 3
    [[queue]]
    name = "told"
    [[stream]]
    name = "bids"
    shards = 1
    retention_hours = 48
    [[function]]
    name = "fulfil"
    base = { p50_ms = 20, p99_ms = 20 }
    [[mapping]]
    source = "kinesis/bids"
    function = "fulfil"
    [[topic]]
    name = "promo"
    [[endpoint]]
    name = "crm"
    [[subscription]]
    topic = "promo"
    to = "sqs/told"
    dead_letter_queue = "dead"
    [[subscription]]
    topic = "promo"
    to = "endpoint/crm"
    [[producer]]
    name = "shop"
    target = "sqs/orders"
    per_s = 5.0
    template = "order"
    [[producer]]
    name = "market"
    target = "kinesis/bids"
    per_s = 50.0
    template = "order"
    [[producer]]
    name = "press"
    target = "sns/promo"
    per_s = 1.0
    template = "order"
    [[worker]]
    name = "packers"
    queue = "orders"
    concurrency = 50
    service = { p50_ms = 5000, p99_ms = 5000 }
"#;

fn estate() -> World {
    let mut world = world();
    add(&mut world, ESTATE);
    pass(&mut world, 300);
    world
}

fn fault(world: &mut World, kind: &str, target: &str, more: &str) {
    add(world, &format!("[[fault]]\nkind = \"{kind}\"\ntarget = \"{target}\"\n{more}"));
}

fn depth(world: &mut World, queue: &str) -> u64 {
    let (sqs, cx) = world.sqs_cx();
    sqs.depth(&cx, queue).unwrap().total()
}

/// The sum of a metric over the last minutes.
fn sum(world: &mut World, namespace: &str, metric: &str, dimension: (&str, &str), minutes: u64) -> f64 {
    let (from, to) = (world.now.secs() - 60 * minutes as i64, world.now.secs());
    let body = format!(
        r#"{{"Namespace":"{namespace}","MetricName":"{metric}","Period":60,"Statistics":["Sum"],"StartTime":{from},"EndTime":{to},
            "Dimensions":[{{"Name":"{}","Value":"{}"}}]}}"#,
        dimension.0, dimension.1
    );
    let (_, answer, _) = ask(world, request("GraniteServiceVersion20100801.GetMetricStatistics", &body));
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    answer["Datapoints"].as_array().unwrap().iter().filter_map(|point| point["Sum"].as_f64()).sum()
}

/// The names of the changes that the event history shows.
fn changes(world: &mut World) -> Vec<String> {
    pass(world, 600);
    world.cloudtrail.newest_first().map(|event| event.name.clone()).collect()
}

fn last_result(world: &World) -> LastResult {
    world.lambda.mappings().next().map(|(_, mapping)| mapping.last_result).unwrap()
}

#[test]
fn a_throttled_stream_shows_it_in_its_metrics_and_recovers() {
    let mut world = estate();
    let throttled = |world: &mut World| {
        let of = ("StreamName", "bids");
        let write = sum(world, "AWS/Kinesis", "WriteProvisionedThroughputExceeded", of, 4);
        (write, sum(world, "AWS/Kinesis", "ReadProvisionedThroughputExceeded", of, 4))
    };
    assert_eq!(throttled(&mut world), (0.0, 0.0));
    fault(&mut world, "throttle", "kinesis/bids", "share = 0.5\nuntil = \"3m\"");
    pass(&mut world, 240);
    let (write, read) = throttled(&mut world);
    assert!(write > 2000.0 && read > 30.0, "{write} {read}");
    pass(&mut world, 300);
    assert_eq!(throttled(&mut world), (0.0, 0.0));
}

#[test]
fn a_throttled_queue_and_function_refuse_their_callers() {
    let mut world = estate();
    fault(&mut world, "throttle", "sqs/told", "until = \"1m\"");
    let send = || request("AmazonSQS.SendMessage", r#"{"QueueUrl":"http://x/123456789012/told","MessageBody":"m"}"#);
    assert_eq!(ask(&mut world, send()).0, 403);
    fault(&mut world, "throttle", "lambda/fulfil", "until = \"2m\"");
    pass(&mut world, 120);
    assert_eq!(ask(&mut world, send()).0, 200);
    assert!(sum(&mut world, "AWS/Lambda", "Throttles", ("FunctionName", "fulfil"), 3) > 3.0);
    assert_eq!(last_result(&world), LastResult::Throttled);
    pass(&mut world, 120);
    assert_eq!(last_result(&world), LastResult::Ok);
}

#[test]
fn a_function_that_may_not_read_says_so_and_goes_on_when_it_may_again() {
    let mut world = estate();
    let invoked = |world: &World| world.lambda.invocations_begun();
    fault(&mut world, "deny", "lambda/fulfil", "action = \"kinesis:GetRecords\"\nuntil = \"5m\"");
    pass(&mut world, 60);
    let before = invoked(&world);
    pass(&mut world, 120);
    assert_eq!((invoked(&world), last_result(&world).text()), (before, "PROBLEM: Access denied"));
    pass(&mut world, 300);
    assert!(invoked(&world) > before && last_result(&world) == LastResult::Ok);
}

#[test]
fn a_topic_that_may_not_send_leaves_its_messages_to_the_dead_letter_queue() {
    let mut world = estate();
    fault(&mut world, "deny", "sns/promo", "action = \"sqs:SendMessage\"\nuntil = \"3m\"");
    let (told, dead) = (depth(&mut world, "told"), depth(&mut world, "dead"));
    pass(&mut world, 170);
    assert_eq!((depth(&mut world, "told"), depth(&mut world, "dead")), (told, dead), "the dead letters are denied too");
    let failed = sum(&mut world, "AWS/SNS", "NumberOfNotificationsFailed", ("TopicName", "promo"), 4);
    assert!(failed > 30.0, "{failed}");
    pass(&mut world, 60);
    assert!(depth(&mut world, "told") > told);
}

#[test]
fn an_application_that_may_not_send_fails_and_the_history_of_us_east_1_shows_who_took_the_permission() {
    let mut world = estate();
    world.place.region = "us-east-1".into();
    fault(&mut world, "deny", "shop", "action = \"sqs:SendMessage\"\nuntil = \"4m\"");
    pass(&mut world, 240);
    assert!(sum(&mut world, "AWS/SQS", "NumberOfMessagesSent", ("QueueName", "orders"), 3) < 5.0);
    let seen = changes(&mut world);
    assert!(["DeleteRolePolicy", "PutRolePolicy"].iter().all(|name| seen.iter().any(|seen| seen == name)), "{seen:?}");
    assert!(sum(&mut world, "AWS/SQS", "NumberOfMessagesSent", ("QueueName", "orders"), 4) > 400.0);
}

#[test]
fn functions_and_endpoints_become_slow_and_fail_without_a_change_of_code() {
    let mut world = estate();
    fault(&mut world, "latency", "lambda/fulfil", "latency = { p50_ms = 900, p99_ms = 900 }\nuntil = \"8m\"");
    fault(&mut world, "error-rate", "crm", "share = 1.0\nstatus = 503\nuntil = \"8m\"");
    pass(&mut world, 480);
    let (duration, count) = (
        sum(&mut world, "AWS/Lambda", "Duration", ("FunctionName", "fulfil"), 6),
        sum(&mut world, "AWS/Lambda", "Invocations", ("FunctionName", "fulfil"), 6),
    );
    assert!(duration / count > 900.0, "{duration} {count}");
    assert!(world.sns.deliveries_in_hand() > 20, "the hook is tried again");
    fault(&mut world, "error-rate", "lambda/fulfil", "share = 1.0\nuntil = \"2m\"");
    pass(&mut world, 90);
    assert_eq!(last_result(&world), LastResult::FunctionFailed);
    pass(&mut world, 300);
    assert_eq!(last_result(&world), LastResult::Ok);
    assert!(!changes(&mut world).iter().any(|name| name.starts_with("UpdateFunctionCode")));
}

#[test]
fn a_poison_payload_goes_to_the_dead_letter_queue_or_blocks_its_shard() {
    let mut world = estate();
    assert_eq!(depth(&mut world, "dead"), 0);
    fault(&mut world, "poison-payload", "sqs/orders", "");
    pass(&mut world, 600);
    assert_eq!(depth(&mut world, "dead"), 1, "after three receives, and nothing else with it");
    let lag = |world: &World| {
        let mapping = world.lambda.mappings().next().unwrap().1;
        mapping.last_result
    };
    fault(&mut world, "poison-payload", "kinesis/bids", "payload = \"no bid\"\nuntil = \"10m\"");
    pass(&mut world, 120);
    let begun = world.lambda.invocations_begun();
    assert_eq!(lag(&world), LastResult::FunctionFailed);
    pass(&mut world, 300);
    assert_eq!(lag(&world), LastResult::FunctionFailed, "the shard is blocked");
    assert!(world.lambda.invocations_begun() - begun < 60, "retried at longer and longer intervals");
    pass(&mut world, 900);
    assert_eq!(lag(&world), LastResult::Ok);
}

#[test]
fn a_visibility_timeout_that_is_too_short_makes_messages_come_twice() {
    let mut world = estate();
    let ratio = |world: &mut World| {
        let of = ("QueueName", "orders");
        let received = sum(world, "AWS/SQS", "NumberOfMessagesReceived", of, 4);
        received / sum(world, "AWS/SQS", "NumberOfMessagesSent", of, 4)
    };
    assert!(ratio(&mut world) < 1.2);
    fault(&mut world, "visibility-short", "sqs/orders", "visibility_s = 2\nuntil = \"10m\"");
    pass(&mut world, 300);
    assert!(ratio(&mut world) > 1.5, "{}", ratio(&mut world));
    pass(&mut world, 900);
    assert!(ratio(&mut world) < 1.2);
    assert_eq!(changes(&mut world).iter().filter(|name| *name == "SetQueueAttributes").count(), 2);
}

#[test]
fn a_retention_below_the_lag_loses_what_nobody_read() {
    let mut world = estate();
    fault(&mut world, "stop", "packers", "");
    pass(&mut world, 600);
    fault(&mut world, "retention-short", "sqs/orders", "retention_s = 60");
    pass(&mut world, 60);
    let expired = world.sqs.queue("orders").unwrap().expired;
    assert!(expired > 2500, "{expired}");
    let mut world = super::tests::world();
    add(&mut world, "[[stream]]\nname = \"bids\"\nshards = 1\nretention_hours = 48");
    let put = r#"{"StreamName":"bids","PartitionKey":"k","Data":"eA=="}"#;
    assert_eq!(ask(&mut world, request("Kinesis_20131202.PutRecord", put)).0, 200);
    let left = |world: &World| {
        let shards = world.kinesis.stream("bids").unwrap().shards();
        shards.map(|shard| shard.log.next() - shard.log.first()).sum::<u64>()
    };
    pass(&mut world, 30 * 3600);
    assert_eq!(left(&world), 1);
    fault(&mut world, "retention-short", "kinesis/bids", "retention_hours = 24");
    assert_eq!(left(&world), 0);
    let seen = changes(&mut world);
    assert!(seen.iter().any(|name| name == "DecreaseStreamRetentionPeriod"), "{seen:?}");
}

#[test]
fn a_host_of_deciders_is_lost_with_its_work_and_comes_back() {
    let mut world = world();
    add(
        &mut world,
        r#"
        [[domain]]
        name = "shop"
        [[workflow]]
        domain = "shop"
        name = "order"
        version = "1"
        task_list = "decide"
        steps = [{ timer_s = 5 }]
        [[decider]]
        name = "deciders"
        domain = "shop"
        task_list = "decide"
        hosts = 1
        slots = 4
        host_boot = "5m"
        service = { p50_ms = 50, p99_ms = 50 }
        [[starter]]
        name = "start"
        domain = "shop"
        workflow = "order"
        id_prefix = "order-"
        per_s = 1.0
        "#,
    );
    let waiting = |world: &World| world.swf.count_pending_decision_tasks("shop", "decide").unwrap();
    pass(&mut world, 60);
    assert!(waiting(&world) < 5);
    fault(&mut world, "lost-instance", "deciders", "key = 1");
    pass(&mut world, 120);
    assert!(waiting(&world) > 60, "{}", waiting(&world));
    pass(&mut world, 300);
    assert!(waiting(&world) < 5, "{}", waiting(&world));
}

#[test]
fn what_has_become_of_an_applications_messages_is_counted() {
    let mut world = estate();
    fault(&mut world, "api-denied", "sqs/orders", "operations = [\"SendMessage\"]\nwho = \"shop\"\nuntil = \"2m\"");
    pass(&mut world, 300);
    let Some(Role::Producer(shop)) = actors::named(&mut world, "shop").map(|actor| &actor.role) else { panic!() };
    let counts = shop.counts;
    assert_eq!(counts.made, counts.stored + counts.lost + shop.waiting());
    assert!(counts.lost > 300, "given up after half a minute: {counts:?}");
}
