//! Enhanced fan-out as its clients see it: consumers come and go, and a subscription is pushed what a shard takes.

use super::tests::{ask, refused, wait, with_stream};
use super::*;
use serde_json::json;

const STREAM: &str = "arn:aws:kinesis:eu-west-1:123456789012:stream/bids";

fn register(world: &mut World, name: &str) -> String {
    let input = json!({ "StreamARN": STREAM, "ConsumerName": name });
    let consumer = ask(world, "RegisterStreamConsumer", input).unwrap();
    consumer["Consumer"]["ConsumerARN"].as_str().unwrap().to_owned()
}

fn with_consumer(limits: bool) -> (World, String) {
    let mut world = with_stream(limits, 1);
    let arn = register(&mut world, "ledger");
    wait(&mut world, 10);
    (world, arn)
}

fn start(arn: &str, kind: &str) -> Value {
    json!({ "ConsumerARN": arn, "ShardId": "shardId-000000000000", "StartingPosition": { "Type": kind } })
}

fn subscribe(world: &mut World, input: &Value) -> Result<SubscriptionId, ApiError> {
    consumers::subscribe(world, &Input::of(input))
}

/// The payload of the one message that the subscription says now, and whether it goes on.
fn event(world: &mut World, id: SubscriptionId) -> (Option<Value>, bool) {
    let mut events = consumers::events(world, id);
    (events.messages.pop().map(|message| message.payload), events.until.is_some())
}

fn put(world: &mut World, key: &str) -> String {
    let input = json!({ "StreamName": "bids", "PartitionKey": key, "Data": "AAEC" });
    ask(world, "PutRecord", input).unwrap()["SequenceNumber"].as_str().unwrap().to_owned()
}

#[test]
fn a_consumer_is_created_listed_described_and_gone() {
    let mut world = with_stream(true, 1);
    let arn = register(&mut world, "ledger");
    let created_s = world.now.secs();
    assert_eq!(arn, format!("{STREAM}/consumer/ledger:{created_s}"));
    let described = ask(&mut world, "DescribeStreamConsumer", json!({ "ConsumerARN": arn })).unwrap();
    assert_eq!(
        described["ConsumerDescription"],
        json!({
            "ConsumerName": "ledger", "ConsumerARN": arn, "ConsumerStatus": "CREATING",
            "ConsumerCreationTimestamp": created_s as f64, "StreamARN": STREAM,
        })
    );
    let by_name = json!({ "StreamARN": STREAM, "ConsumerName": "ledger" });
    let twice = refused(&mut world, "RegisterStreamConsumer", by_name.clone());
    assert_eq!(twice.0, "ResourceInUseException");
    wait(&mut world, 10);
    let listed = ask(&mut world, "ListStreamConsumers", json!({ "StreamARN": STREAM })).unwrap();
    assert_eq!(listed["Consumers"][0]["ConsumerStatus"], "ACTIVE");
    assert!(listed["Consumers"][0].get("StreamARN").is_none());
    let summary = ask(&mut world, "DescribeStreamSummary", json!({ "StreamName": "bids" })).unwrap();
    assert_eq!(summary["StreamDescriptionSummary"]["ConsumerCount"], 1);
    let (code, _) = refused(&mut world, "DeleteStream", json!({ "StreamName": "bids" }));
    assert_eq!(code, "ResourceInUseException");
    ask(&mut world, "DeregisterStreamConsumer", by_name.clone()).unwrap();
    let described = ask(&mut world, "DescribeStreamConsumer", by_name.clone()).unwrap();
    assert_eq!(described["ConsumerDescription"]["ConsumerStatus"], "DELETING");
    wait(&mut world, 10);
    assert_eq!(refused(&mut world, "DescribeStreamConsumer", by_name).0, "ResourceNotFoundException");
    // A consumer of the same name is another one: the old ARN names nobody.
    register(&mut world, "ledger");
    assert_eq!(
        refused(&mut world, "DescribeStreamConsumer", json!({ "ConsumerARN": arn })).0,
        "ResourceNotFoundException"
    );
}

#[test]
fn consumers_are_twenty_at_most_five_at_once_and_listed_in_pages() {
    let mut world = with_stream(true, 1);
    let mut names = vec![];
    for index in 0..20 {
        if index % 5 == 0 {
            wait(&mut world, 20);
        }
        names.push(format!("c{index:02}"));
        register(&mut world, &names[index]);
        if index == 4 {
            let sixth = json!({ "StreamARN": STREAM, "ConsumerName": "sixth" });
            assert_eq!(refused(&mut world, "RegisterStreamConsumer", sixth).0, "LimitExceededException");
        }
    }
    wait(&mut world, 20);
    let more = json!({ "StreamARN": STREAM, "ConsumerName": "more" });
    assert_eq!(refused(&mut world, "RegisterStreamConsumer", more).0, "LimitExceededException");
    let mut listed = vec![];
    let mut input = json!({ "StreamARN": STREAM, "MaxResults": 7 });
    loop {
        let page = ask(&mut world, "ListStreamConsumers", input.clone()).unwrap();
        let consumers = page["Consumers"].as_array().unwrap().iter();
        listed.extend(consumers.map(|consumer| consumer["ConsumerName"].as_str().unwrap().to_owned()));
        let Some(token) = page.get("NextToken") else { break };
        input["NextToken"] = token.clone();
    }
    assert_eq!(listed, names);
}

#[test]
fn a_subscription_is_pushed_each_record_once_and_a_heartbeat_when_there_is_none() {
    let (mut world, arn) = with_consumer(true);
    let first = put(&mut world, "a");
    let id = subscribe(&mut world, &start(&arn, "TRIM_HORIZON")).unwrap();
    let (said, _) = event(&mut world, id);
    let said = said.unwrap();
    assert_eq!(said["Records"][0]["SequenceNumber"], first.as_str());
    assert_eq!(said["Records"][0]["Data"], "AAEC");
    assert_eq!((&said["ContinuationSequenceNumber"], &said["MillisBehindLatest"]), (&json!(first), &json!(0)));
    assert!(said.get("ChildShards").is_none());
    assert_eq!(event(&mut world, id), (None, true));
    let second = put(&mut world, "b");
    assert_eq!(event(&mut world, id).0.unwrap()["Records"][0]["SequenceNumber"], second.as_str());
    wait(&mut world, 5);
    let quiet = event(&mut world, id).0.unwrap();
    assert_eq!((&quiet["Records"], &quiet["ContinuationSequenceNumber"]), (&json!([]), &json!(second)));
    wait(&mut world, 295);
    assert_eq!(event(&mut world, id), (None, false), "five minutes are over");
}

#[test]
fn a_new_subscription_goes_on_where_the_last_one_was() {
    let (mut world, arn) = with_consumer(true);
    let id = subscribe(&mut world, &start(&arn, "LATEST")).unwrap();
    let at = event(&mut world, id).0.unwrap()["ContinuationSequenceNumber"].clone();
    let sequence = put(&mut world, "a");
    wait(&mut world, 6);
    let mut next = start(&arn, "AFTER_SEQUENCE_NUMBER");
    next["StartingPosition"]["SequenceNumber"] = at;
    let id = subscribe(&mut world, &next).unwrap();
    assert_eq!(event(&mut world, id).0.unwrap()["Records"][0]["SequenceNumber"], sequence.as_str());
}

#[test]
fn a_second_subscription_is_refused_for_five_seconds_and_then_takes_over() {
    let (mut world, arn) = with_consumer(true);
    let input = start(&arn, "LATEST");
    let old = subscribe(&mut world, &input).unwrap();
    wait(&mut world, 4);
    let error = subscribe(&mut world, &input).unwrap_err();
    assert_eq!(error.code, "ResourceInUseException");
    assert!(error.message.starts_with("Another active subscription exists for this consumer"), "{}", error.message);
    wait(&mut world, 1);
    let new = subscribe(&mut world, &input).unwrap();
    let (said, goes_on) = event(&mut world, old);
    assert!(!goes_on && said.unwrap()["message"].as_str().unwrap().starts_with("Another active subscription"));
    assert!(event(&mut world, new).1);
    ask(&mut world, "DeregisterStreamConsumer", json!({ "ConsumerARN": arn })).unwrap();
    assert!(!event(&mut world, new).1);
    assert_eq!(subscribe(&mut world, &input).unwrap_err().code, "ResourceInUseException");
}

#[test]
fn a_closed_shard_is_pushed_to_its_end_and_names_its_children() {
    let (mut world, arn) = with_consumer(true);
    let sequence = put(&mut world, "a");
    let split = json!({
        "StreamName": "bids", "ShardToSplit": "shardId-000000000000",
        "NewStartingHashKey": "170141183460469231731687303715884105728",
    });
    ask(&mut world, "SplitShard", split).unwrap();
    wait(&mut world, 60);
    let id = subscribe(&mut world, &start(&arn, "TRIM_HORIZON")).unwrap();
    let (said, goes_on) = event(&mut world, id);
    let said = said.unwrap();
    assert!(!goes_on);
    assert_eq!(said["Records"][0]["SequenceNumber"], sequence.as_str());
    assert!(said.get("ContinuationSequenceNumber").is_none());
    assert_eq!(said["ChildShards"][0]["ShardId"], "shardId-000000000001");
    assert_eq!(said["ChildShards"][1]["ParentShards"], json!(["shardId-000000000000"]));
}

#[test]
fn a_subscription_is_pushed_two_mebibytes_a_second() {
    let (mut world, arn) = with_consumer(true);
    let body = "A".repeat(1_398_000);
    for _ in 0..8 {
        let input = json!({ "StreamName": "bids", "PartitionKey": "k", "Data": body });
        ask(&mut world, "PutRecord", input).unwrap();
        wait(&mut world, 1);
    }
    let id = subscribe(&mut world, &start(&arn, "TRIM_HORIZON")).unwrap();
    let mut seen = 0;
    for _ in 0..20 {
        seen += event(&mut world, id).0.map_or(0, |said| said["Records"].as_array().unwrap().len());
    }
    assert!((2..=4).contains(&seen), "a second's worth and one record, and not {seen}");
    for _ in 0..4 {
        wait(&mut world, 1);
        for _ in 0..20 {
            seen += event(&mut world, id).0.map_or(0, |said| said["Records"].as_array().unwrap().len());
        }
    }
    assert_eq!(seen, 8);
}

#[test]
fn what_a_subscription_must_say() {
    let (mut world, arn) = with_consumer(true);
    let mut wrong = start(&arn, "LATEST");
    wrong["ConsumerARN"] = STREAM.into();
    let (code, message) = refused(&mut world, "SubscribeToShard", wrong);
    assert_eq!(code, "ValidationException");
    assert!(
        message.contains("at 'consumerARN' failed to satisfy constraint: Member must satisfy regular"),
        "{message}"
    );
    let mut gone = start(&arn, "LATEST");
    gone["ShardId"] = "shardId-000000000009".into();
    assert_eq!(refused(&mut world, "SubscribeToShard", gone).0, "ResourceNotFoundException");
    assert_eq!(refused(&mut world, "SubscribeToShard", start(&arn, "AT_TIMESTAMP")).0, "InvalidArgumentException");
    let (_, message) = refused(&mut world, "SubscribeToShard", json!({}));
    assert!(message.starts_with("3 validation errors detected: Value null at 'consumerARN'"), "{message}");
    let mut dry = start(&arn, "LATEST");
    dry["DryRun"] = true.into();
    assert_eq!(refused(&mut world, "SubscribeToShard", dry).0, "DryRunOperationException");
    let young = register(&mut world, "young");
    let (code, message) = refused(&mut world, "SubscribeToShard", start(&young, "LATEST"));
    assert_eq!(code, "ResourceInUseException");
    assert!(message.ends_with("is not in ACTIVE status."), "{message}");
}

#[test]
fn fan_out_has_metrics_of_its_own() {
    let (mut world, arn) = with_consumer(true);
    put(&mut world, "a");
    let id = subscribe(&mut world, &start(&arn, "TRIM_HORIZON")).unwrap();
    event(&mut world, id);
    wait(&mut world, 600);
    let of_fan_out = |name: &&str| name.starts_with("SubscribeToShard");
    let names: Vec<&str> =
        world.metrics.list(world.now, None, None).map(|m| m.name.as_str()).filter(of_fan_out).collect();
    let wanted = [
        "SubscribeToShard.Success",
        "SubscribeToShardEvent.Bytes",
        "SubscribeToShardEvent.MillisBehindLatest",
        "SubscribeToShardEvent.Records",
        "SubscribeToShardEvent.Success",
    ];
    assert_eq!(names, wanted);
}

#[test]
fn a_subscription_is_not_taken_over_at_once_where_limits_are_lifted() {
    let (mut world, arn) = with_consumer(false);
    let input = start(&arn, "LATEST");
    subscribe(&mut world, &input).unwrap();
    wait(&mut world, 4);
    assert_eq!(subscribe(&mut world, &input).unwrap_err().code, "ResourceInUseException");
    wait(&mut world, 2);
    subscribe(&mut world, &input).unwrap();
}
