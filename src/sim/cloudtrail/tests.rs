//! The event history as a client meets it.

use super::{CloudTrail, Identity, table};
use crate::domain::time::Timestamp;
use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::wire::visit::{Visit, Visitor};
use crate::sim::wire::{self, Call, Reply, Request, Service};
use crate::sim::world::World;
use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::time::Duration;

fn place() -> Place {
    Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: false }
}

fn world() -> World {
    World::new(1, Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap(), place())
}

fn call(body: Bytes, path: &str, method: &str) -> Call {
    let scope = "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261127/eu-west-1/any/aws4_request, SignedHeaders=host";
    let headers = vec![("authorization".into(), scope.into()), ("user-agent".into(), "Boto3/1.44.5".into())];
    let request = Request { method: method.into(), path: path.into(), query: String::new(), headers, body };
    Call::new(request, Timestamp::default())
}

fn ask(world: &mut World, service: Service, operation: &str, input: Value) -> Result<Value, ApiError> {
    let mut call = call(Bytes::new(), "/", "POST");
    wire::answer(world, &mut call, service, operation, Ok(input)).map(|reply| match reply {
        Reply::Done(value) => value,
        Reply::Later(at) => panic!("waits until {at}"),
    })
}

fn lookup(world: &mut World, input: Value) -> Vec<Value> {
    ask(world, Service::CloudTrail, "LookupEvents", input).unwrap()["Events"].as_array().unwrap().clone()
}

fn by(key: &str, value: &str) -> Value {
    json!({ "LookupAttributes": [{ "AttributeKey": key, "AttributeValue": value }] })
}

fn later(world: &mut World, seconds: u64) {
    world.advance_to(world.now + Duration::from_secs(seconds));
}

#[test]
fn a_change_is_found_some_minutes_later_with_all_that_a_record_holds() {
    let mut world = world();
    let url = ask(&mut world, Service::Sqs, "CreateQueue", json!({ "QueueName": "orders" })).unwrap();
    ask(&mut world, Service::Sqs, "SendMessage", json!({ "QueueUrl": url["QueueUrl"], "MessageBody": "x" })).unwrap();
    ask(&mut world, Service::Sqs, "ListQueues", json!({})).unwrap();
    later(&mut world, 60);
    assert!(lookup(&mut world, json!({})).is_empty(), "nothing is there at once");
    later(&mut world, 600);
    let found = lookup(&mut world, by("ReadOnly", "false"));
    assert_eq!(found.len(), 1, "messages are data events");
    let event = &found[0];
    assert_eq!((&event["EventName"], &event["EventSource"]), (&json!("CreateQueue"), &json!("sqs.amazonaws.com")));
    assert_eq!((&event["Username"], &event["AccessKeyId"]), (&json!("midwatch"), &json!("AKIAEXAMPLE")));
    assert_eq!(event["ReadOnly"], "false");
    assert_eq!(event["EventTime"], 1_795_802_400);
    let queue = |name: &Value| json!({ "ResourceType": "AWS::SQS::Queue", "ResourceName": name });
    assert_eq!(event["Resources"], json!([queue(&url["QueueUrl"]), queue(&json!("orders"))]));
    let record: Value = serde_json::from_str(event["CloudTrailEvent"].as_str().unwrap()).unwrap();
    assert_eq!(record["requestParameters"], json!({ "queueName": "orders" }));
    assert_eq!(record["responseElements"], json!({ "queueUrl": url["QueueUrl"] }));
    assert_eq!(record["eventTime"], "2026-11-27T18:00:00Z");
    assert_eq!(record["eventID"], event["EventId"]);
    assert_eq!(record["userIdentity"]["arn"], "arn:aws:iam::123456789012:user/midwatch");
    assert_eq!(record["userAgent"], "Boto3/1.44.5");
    assert_eq!(record.get("errorCode"), None);
}

#[test]
fn a_refusal_is_an_event_with_its_error() {
    let mut world = world();
    let refused = ask(&mut world, Service::Kinesis, "DeleteStream", json!({ "StreamName": "ghost" })).unwrap_err();
    let _ = ask(&mut world, Service::Kinesis, "NoSuchOperation", json!({}));
    later(&mut world, 600);
    let found = lookup(&mut world, by("EventSource", "kinesis.amazonaws.com"));
    assert_eq!(found.len(), 1);
    let record: Value = serde_json::from_str(found[0]["CloudTrailEvent"].as_str().unwrap()).unwrap();
    assert_eq!(record["errorCode"], "ResourceNotFoundException");
    assert_eq!(record["errorMessage"], refused.message);
    assert_eq!(record["responseElements"], Value::Null);
}

/// The world of another account, and what it is told by this one.
fn tell(world: &mut World, account: &str) -> World {
    let place = Place { account: account.into(), ..place() };
    let mut other = World::new(2, world.now, place);
    for shared in world.cloudtrail.take_shared() {
        assert_eq!(shared.account, account);
        other.cloudtrail.receive_shared(other.now, shared);
    }
    other
}

/// The records of the events that both accounts have of one name.
fn both(one: &mut World, other: &mut World, name: &str) -> (Value, Value) {
    let record = |world: &mut World| {
        later(world, 600);
        let found = lookup(world, by("EventName", name));
        assert_eq!(found.len(), 1, "{name} of {}", world.place.account);
        serde_json::from_str::<Value>(found[0]["CloudTrailEvent"].as_str().unwrap()).unwrap()
    };
    (record(one), record(other))
}

#[test]
fn the_caller_and_the_owner_of_what_is_shared_both_have_an_event() {
    let mut owner = world();
    let url =
        ask(&mut owner, Service::Sqs, "CreateQueue", json!({ "QueueName": "shared" })).unwrap()["QueueUrl"].clone();
    let guest = Place { account: "111122223333".into(), ..place() };
    let visitor =
        Visitor { account: guest.account.clone(), identity: Identity::user(&guest, "ana", Some("AKIAGUEST")) };
    let visit = |owner: &mut World, operation: &str| {
        let mut call = Call { visit: Visit::Arrived(visitor.clone()), ..call(Bytes::new(), "/", "POST") };
        wire::answer(owner, &mut call, Service::Sqs, operation, Ok(json!({ "QueueUrl": url })))
    };
    visit(&mut owner, "PurgeQueue").unwrap_err();
    let policy = json!({ "Statement": { "Effect": "Allow", "Principal": "*", "Action": "sqs:*" } }).to_string();
    let opened = json!({ "QueueUrl": url, "Attributes": { "Policy": policy } });
    ask(&mut owner, Service::Sqs, "SetQueueAttributes", opened).unwrap();
    let mut denied = tell(&mut owner, "111122223333");
    visit(&mut owner, "PurgeQueue").unwrap();
    let mut guest = tell(&mut owner, "111122223333");
    let (of_owner, of_guest) = both(&mut owner, &mut guest, "PurgeQueue");
    assert_eq!(of_owner["recipientAccountId"], "123456789012");
    assert_eq!(of_guest["recipientAccountId"], "111122223333");
    assert!(of_owner["sharedEventID"].is_string() && of_owner["sharedEventID"] == of_guest["sharedEventID"]);
    let whoever = &of_owner["userIdentity"];
    assert_eq!((&whoever["type"], &whoever["accountId"]), (&json!("AWSAccount"), &json!("111122223333")));
    assert_eq!((whoever.get("arn"), whoever.get("userName")), (None, None), "the owner is not told who it was");
    assert_eq!(of_guest["userIdentity"]["arn"], "arn:aws:iam::111122223333:user/ana");
    assert_eq!(of_owner["userIdentity"]["principalId"], of_guest["userIdentity"]["principalId"]);
    assert_eq!(lookup(&mut owner, by("EventName", "PurgeQueue"))[0].get("Username"), None);
    later(&mut denied, 600);
    let refused = lookup(&mut denied, by("EventName", "PurgeQueue"));
    let refused: Value = serde_json::from_str(refused[0]["CloudTrailEvent"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&refused["errorCode"], refused.get("sharedEventID")),
        (&json!("AccessDenied"), None),
        "it alone is told"
    );
}

#[test]
fn an_account_is_told_of_who_assumes_its_roles() {
    let mut world = world();
    let role =
        |account: &str| json!({ "RoleArn": format!("arn:aws:iam::{account}:role/ops"), "RoleSessionName": "ann" });
    ask(&mut world, Service::Sts, "AssumeRole", role("123456789012")).unwrap();
    assert!(world.cloudtrail.take_shared().is_empty(), "its own roles are its own affair");
    let mut world = self::world();
    ask(&mut world, Service::Sts, "AssumeRole", role("111122223333")).unwrap();
    let mut other = tell(&mut world, "111122223333");
    let (here, there) = both(&mut world, &mut other, "AssumeRole");
    assert_eq!(here["sharedEventID"], there["sharedEventID"]);
    assert_eq!(
        (&here["userIdentity"]["type"], &there["userIdentity"]["type"]),
        (&json!("IAMUser"), &json!("AWSAccount"))
    );
    assert_eq!(there["requestParameters"]["roleArn"], "arn:aws:iam::111122223333:role/ops");
}

#[test]
fn lambda_has_its_versions_and_keeps_code_and_environment_to_itself() {
    let mut world = world();
    let body = json!({ "FunctionName": "settle", "Runtime": "python3.13", "Handler": "app.handler",
        "Role": "arn:aws:iam::123456789012:role/settle", "Code": { "ZipFile": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==" },
        "Environment": { "Variables": { "TOKEN": "secret" } } });
    let mut create = call(Bytes::from(body.to_string()), "/2015-03-31/functions", "POST");
    let Reply::Done(response) = wire::handle(&mut world, &mut create) else { panic!("waits") };
    assert_eq!(response.status, 201);
    wire::handle(&mut world, &mut call(Bytes::new(), "/2015-03-31/functions/settle", "GET"));
    wire::handle(&mut world, &mut call(Bytes::from("{}"), "/2015-03-31/functions/settle/invocations", "POST"));
    later(&mut world, 600);
    let found = lookup(&mut world, by("ResourceName", "settle"));
    let names: Vec<&str> = found.iter().map(|event| event["EventName"].as_str().unwrap()).collect();
    assert_eq!(names, ["GetFunction20150331v2", "CreateFunction20150331"]);
    let text = found[1]["CloudTrailEvent"].as_str().unwrap();
    assert!(!text.contains("secret") && !text.contains("UEsFBg"), "{text}");
    let record: Value = serde_json::from_str(text).unwrap();
    assert_eq!(record["requestParameters"]["environment"], json!({}));
    assert_eq!(record["responseElements"]["functionName"], "settle");
}

#[test]
fn the_eight_attributes_and_the_span_of_time_choose() {
    let mut world = world();
    ask(&mut world, Service::Sqs, "CreateQueue", json!({ "QueueName": "a" })).unwrap();
    later(&mut world, 100);
    ask(&mut world, Service::Kinesis, "CreateStream", json!({ "StreamName": "b", "ShardCount": 1 })).unwrap();
    ask(&mut world, Service::Kinesis, "ListStreams", json!({})).unwrap();
    later(&mut world, 900);
    let all = lookup(&mut world, json!({}));
    assert_eq!(all.len(), 3, "newest first, without what is not visible yet: {all:?}");
    for (key, value, count) in [
        ("EventId", all[2]["EventId"].as_str().unwrap(), 1),
        ("EventName", "CreateStream", 1),
        ("EventName", "createstream", 0),
        ("ReadOnly", "true", 1),
        ("Username", "midwatch", 3),
        ("ResourceType", "AWS::SQS::Queue", 1),
        ("ResourceName", "b", 1),
        ("EventSource", "sqs.amazonaws.com", 1),
        ("AccessKeyId", "AKIAEXAMPLE", 3),
        ("AccessKeyId", "AKIAOTHER", 0),
    ] {
        let found = lookup(&mut world, by(key, value));
        let old = found.iter().filter(|event| event["EventName"] != "LookupEvents").count();
        assert_eq!(old, count, "{key}={value}");
    }
    let start = all[2]["EventTime"].as_f64().unwrap();
    assert_eq!(lookup(&mut world, json!({ "StartTime": start, "EndTime": start + 1.0 })).len(), 1);
    assert_eq!(lookup(&mut world, json!({ "StartTime": start + 1.0, "EndTime": start + 101.0 })).len(), 2);
}

#[test]
fn pages_join_to_the_whole_though_more_happens_between_them() {
    let mut world = world();
    for n in 0..120 {
        ask(&mut world, Service::Sqs, "CreateQueue", json!({ "QueueName": format!("q{n}") })).unwrap();
    }
    later(&mut world, 600);
    let mut input = by("EventName", "CreateQueue");
    let (mut joined, mut pages) = (Vec::new(), Vec::new());
    loop {
        let page = ask(&mut world, Service::CloudTrail, "LookupEvents", input.clone()).unwrap();
        let events = page["Events"].as_array().unwrap().clone();
        pages.push(events.len());
        joined.extend(events.iter().map(|event| event["EventId"].clone()));
        ask(&mut world, Service::Sqs, "CreateQueue", json!({ "QueueName": "another" })).unwrap();
        later(&mut world, 600);
        let Some(token) = page.get("NextToken") else { break };
        input["NextToken"] = token.clone();
    }
    assert_eq!(pages, [50, 50, 20]);
    joined.sort_by_key(ToString::to_string);
    joined.dedup();
    assert_eq!(joined.len(), 120);
    let mut other = by("EventName", "DeleteQueue");
    other["NextToken"] = input["NextToken"].clone();
    let refused = ask(&mut world, Service::CloudTrail, "LookupEvents", other).unwrap_err();
    assert_eq!(refused.code, "InvalidNextTokenException");
}

#[test]
fn what_lookup_refuses() {
    let mut world = world();
    for (input, code) in [
        (json!({ "MaxResults": 51 }), "InvalidMaxResultsException"),
        (json!({ "MaxResults": 0 }), "InvalidMaxResultsException"),
        (json!({ "StartTime": 10, "EndTime": 9 }), "InvalidTimeRangeException"),
        (by("EventTime", "1"), "InvalidLookupAttributesException"),
        (by("EventName", ""), "InvalidLookupAttributesException"),
        (by("ReadOnly", "yes"), "InvalidLookupAttributesException"),
        (json!({ "NextToken": "?" }), "InvalidNextTokenException"),
        (json!({ "EventCategory": "management" }), "InvalidEventCategoryException"),
        (json!({ "MaxResults": "ten" }), "SerializationException"),
    ] {
        let refused = ask(&mut world, Service::CloudTrail, "LookupEvents", input.clone()).unwrap_err();
        assert_eq!(refused.code, code, "{input}");
    }
    world.place.limits = true;
    let mut ok = 0;
    while ask(&mut world, Service::CloudTrail, "LookupEvents", json!({})).is_ok() {
        ok += 1;
    }
    assert_eq!(ok, 2, "two a second");
}

#[test]
fn ninety_days_are_kept_and_reads_do_not_push_out_changes() {
    let mut world = world();
    ask(&mut world, Service::Sqs, "CreateQueue", json!({ "QueueName": "old" })).unwrap();
    for _ in 0..30_000 {
        ask(&mut world, Service::Kinesis, "ListStreams", json!({})).unwrap();
    }
    assert_eq!(world.cloudtrail.len(), 20_001);
    later(&mut world, 89 * 86_400);
    assert_eq!(lookup(&mut world, by("EventName", "CreateQueue")).len(), 1);
    later(&mut world, 2 * 86_400);
    assert_eq!(lookup(&mut world, by("EventName", "CreateQueue")).len(), 0);
    assert!(world.cloudtrail.len() < 20, "expired events take no memory: {}", world.cloudtrail.len());
}

#[test]
fn a_deploy_of_the_scenario_bears_its_users_name() {
    let mut trail = CloudTrail::default();
    let now = Timestamp::from_millis(1_000_000);
    let (request, response) = (json!({ "functionName": "settle" }), json!({ "version": "$LATEST" }));
    trail.note_change(now, &place(), "ci-deploy", ("lambda", "UpdateFunctionCode"), (&request, &response));
    let event = trail.newest_first().next().unwrap();
    assert_eq!((event.name.as_str(), event.by.name.as_str()), ("UpdateFunctionCode20150331v2", "ci-deploy"));
    assert_eq!(event.resources, [("AWS::Lambda::Function", "settle".to_owned())]);
    assert_eq!(Identity::unique_id("AIDA", "ci-deploy").len(), 21);
}

#[test]
fn data_events_are_absent() {
    for (service, operation) in [
        ("sqs", "SendMessage"),
        ("sqs", "GetQueueAttributes"),
        ("sqs", "ListQueues"),
        ("kinesis", "PutRecords"),
        ("lambda", "Invoke"),
        ("sns", "Publish"),
        ("monitoring", "GetMetricData"),
        ("swf", "TerminateWorkflowExecution"),
        ("swf", "PollForDecisionTask"),
        ("logs", "PutLogEvents"),
    ] {
        assert_eq!(table::entry(service, operation), None, "{service} {operation}");
    }
    for (service, operation, name) in [
        ("sqs", "ListMessageMoveTasks", "ListMessageMoveTasks"),
        ("swf", "DeprecateWorkflowType", "DeprecateWorkflowType"),
        ("lambda", "UpdateAlias", "UpdateAlias20150331"),
        ("lambda", "PutFunctionConcurrency", "PutFunctionConcurrency20171031"),
        ("monitoring", "SetAlarmState", "SetAlarmState"),
    ] {
        assert_eq!(table::entry(service, operation).unwrap().name, name);
    }
}

proptest! {
    #[test]
    fn newest_first_is_the_order_of_recording(reads in prop::collection::vec(any::<bool>(), 0..60)) {
        let mut trail = CloudTrail::default();
        for (at, is_read) in reads.iter().enumerate() {
            let operation = if *is_read { "ListFunctions" } else { "CreateFunction" };
            let now = Timestamp::from_millis(at as i64);
            trail.note_change(now, &place(), "u", ("lambda", operation), (&Value::Null, &Value::Null));
        }
        let times: Vec<i64> = trail.newest_first().map(|event| event.at.millis()).collect();
        prop_assert_eq!(times, (0..reads.len() as i64).rev().collect::<Vec<_>>());
    }
}
