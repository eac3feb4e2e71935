//! What a stream's policy opens to other accounts and closes to its own, as a caller meets it.

use super::tests::{ask, refused, wait, with_stream};
use super::*;
use crate::sim::cloudtrail::Identity;
use crate::sim::wire::Request;
use crate::sim::wire::visit::{Visit, Visitor};
use bytes::Bytes;
use serde_json::json;

const STREAM: &str = "arn:aws:kinesis:eu-west-1:123456789012:stream/bids";
const GUEST: &str = "111122223333";

fn call(visit: Visit) -> Call {
    let request = Request {
        method: "POST".into(),
        path: "/".into(),
        query: String::new(),
        headers: Vec::new(),
        body: Bytes::default(),
    };
    Call { visit, ..Call::new(request, Timestamp::default()) }
}

/// Asks as a user of another account.
fn visit(world: &mut World, operation: &str, input: Value) -> Result<Value, ApiError> {
    let home = Place { account: GUEST.into(), ..world.place.clone() };
    let visitor = Visitor { account: GUEST.into(), identity: Identity::user(&home, "ana", None) };
    match answer(world, &mut call(Visit::Arrived(visitor)), operation, &input)? {
        Reply::Done(answer) => Ok(answer),
        Reply::Later(_) => panic!("{operation} waits"),
    }
}

fn put_policy(world: &mut World, arn: &str, statement: Value) {
    let policy = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    ask(world, "PutResourcePolicy", json!({ "ResourceARN": arn, "Policy": policy })).unwrap();
}

fn allow(arn: &str, actions: Value) -> Value {
    json!({ "Effect": "Allow", "Principal": { "AWS": GUEST }, "Action": actions, "Resource": arn })
}

fn on_stream(more: Value) -> Value {
    let mut input = json!({ "StreamARN": STREAM });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

#[test]
fn a_policy_says_what_another_account_may() {
    let mut world = with_stream(true, 1);
    let record = || on_stream(json!({ "PartitionKey": "k", "Data": "AAEC" }));
    let refused = visit(&mut world, "PutRecord", record()).unwrap_err();
    assert_eq!((refused.code, refused.status), ("AccessDeniedException", 400));
    assert_eq!(
        refused.message,
        "User: arn:aws:iam::111122223333:user/ana is not authorized to perform: kinesis:PutRecord on resource: \
         arn:aws:kinesis:eu-west-1:123456789012:stream/bids because no resource-based policy allows the \
         kinesis:PutRecord action"
    );
    put_policy(
        &mut world,
        STREAM,
        allow(STREAM, json!(["kinesis:Put*", "kinesis:Get*", "kinesis:DescribeStreamSummary"])),
    );
    let shard = visit(&mut world, "PutRecord", record()).unwrap()["ShardId"].clone();
    let iterator = on_stream(json!({ "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON" }));
    let iterator = visit(&mut world, "GetShardIterator", iterator).unwrap()["ShardIterator"].clone();
    let batch = visit(&mut world, "GetRecords", on_stream(json!({ "ShardIterator": iterator }))).unwrap();
    assert_eq!(batch["Records"][0]["Data"], "AAEC");
    let summary = visit(&mut world, "DescribeStreamSummary", on_stream(json!({}))).unwrap();
    assert_eq!(summary["StreamDescriptionSummary"]["StreamARN"], STREAM);
    let refused = visit(&mut world, "ListShards", on_stream(json!({}))).unwrap_err();
    assert!(refused.message.ends_with("allows the kinesis:ListShards action"), "{}", refused.message);
}

#[test]
fn no_policy_gives_away_what_is_the_owners() {
    let mut world = with_stream(true, 1);
    put_policy(&mut world, STREAM, allow(STREAM, json!("kinesis:*")));
    for (operation, input) in [
        ("DeleteStream", on_stream(json!({}))),
        ("MergeShards", on_stream(json!({ "ShardToMerge": "shardId-0", "AdjacentShardToMerge": "shardId-1" }))),
        ("PutResourcePolicy", json!({ "ResourceARN": STREAM, "Policy": "{}" })),
        ("TagResource", json!({ "ResourceARN": STREAM, "Tags": { "a": "b" } })),
    ] {
        assert_eq!(visit(&mut world, operation, input).unwrap_err().code, "AccessDeniedException", "{operation}");
    }
    assert!(visit(&mut world, "ListShards", on_stream(json!({}))).is_ok());
    let gone = json!({ "StreamARN": STREAM.replace("bids", "gone") });
    let refused = visit(&mut world, "ListShards", gone).unwrap_err();
    assert!(refused.message.contains("stream/gone because no resource-based policy"), "{}", refused.message);
}

#[test]
fn a_registered_consumer_has_a_policy_of_its_own() {
    let mut world = with_stream(true, 1);
    put_policy(&mut world, STREAM, allow(STREAM, json!("kinesis:*")));
    let named = || on_stream(json!({ "ConsumerName": "ledger" }));
    let consumer = visit(&mut world, "RegisterStreamConsumer", named()).unwrap();
    let arn = consumer["Consumer"]["ConsumerARN"].as_str().unwrap().to_owned();
    wait(&mut world, 10);
    let start =
        json!({ "ConsumerARN": arn, "ShardId": "shardId-000000000000", "StartingPosition": { "Type": "LATEST" } });
    let refused = visit(&mut world, "SubscribeToShard", start.clone()).unwrap_err();
    assert!(
        refused.message.contains(&format!("kinesis:SubscribeToShard on resource: {arn} because")),
        "the stream's says nothing of it"
    );
    assert!(visit(&mut world, "DescribeStreamConsumer", named()).is_err());
    put_policy(&mut world, &arn, allow(&arn, json!(["kinesis:SubscribeToShard", "kinesis:DescribeStreamConsumer"])));
    assert!(visit(&mut world, "SubscribeToShard", start).is_ok());
    let described = visit(&mut world, "DescribeStreamConsumer", named()).unwrap();
    assert_eq!(described["ConsumerDescription"]["ConsumerARN"], arn);
}

#[test]
fn what_a_policy_denies_it_denies_the_owner_too_who_is_not_locked_out() {
    let mut world = with_stream(true, 1);
    let deny = json!({ "Effect": "Deny", "Principal": "*", "Action": "kinesis:*", "Resource": STREAM });
    put_policy(&mut world, STREAM, deny);
    let record = json!({ "StreamName": "bids", "PartitionKey": "k", "Data": "AAEC" });
    let (code, message) = refused(&mut world, "PutRecord", record.clone());
    assert_eq!(code, "AccessDeniedException");
    assert!(message.ends_with("stream/bids with an explicit deny in a resource-based policy"), "{message}");
    assert_eq!(refused(&mut world, "DescribeStream", on_stream(json!({}))).0, "AccessDeniedException");
    assert!(ask(&mut world, "GetResourcePolicy", json!({ "ResourceARN": STREAM })).is_ok());
    ask(&mut world, "DeleteResourcePolicy", json!({ "ResourceARN": STREAM })).unwrap();
    assert!(ask(&mut world, "PutRecord", record).is_ok());
}
