//! CloudWatch Logs as a client meets it.

use super::*;
use crate::sim::cx::Place as Account;
use crate::sim::lambda::function::runtime_version_arn;
use crate::sim::lambda::{Behaviour, Config};
use crate::sim::wire::{Call, Reply, Request};
use crate::sim::world::World;
use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

pub(super) fn world() -> World {
    let start = Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap();
    World::new(1, start, Account { account: "123456789012".into(), region: "eu-west-1".into(), limits: false })
}

pub(super) fn ask(world: &mut World, operation: &str, input: Value) -> Result<Value, ApiError> {
    let request =
        Request { method: "POST".into(), path: "/".into(), query: String::new(), headers: vec![], body: Bytes::new() };
    let mut call = Call::new(request, world.now);
    wire::answer(world, &mut call, operation, &input).map(|reply| match reply {
        Reply::Done(value) => value,
        Reply::Later(at) => panic!("Logs never wait, and now until {at}"),
    })
}

pub(super) fn refused(world: &mut World, operation: &str, input: Value) -> (&'static str, String) {
    let error = ask(world, operation, input.clone()).expect_err(&input.to_string());
    (error.code, error.message)
}

/// A world with the group `app` and its stream `one`.
fn with_stream() -> World {
    let mut world = world();
    ask(&mut world, "CreateLogGroup", json!({"logGroupName": "app"})).unwrap();
    ask(&mut world, "CreateLogStream", json!({"logGroupName": "app", "logStreamName": "one"})).unwrap();
    world
}

fn put(world: &mut World, stream: &str, events: &[(i64, &str)]) -> Value {
    let events: Vec<Value> = events.iter().map(|(at, text)| json!({"timestamp": at, "message": text})).collect();
    ask(world, "PutLogEvents", json!({"logGroupName": "app", "logStreamName": stream, "logEvents": events})).unwrap()
}

fn messages(answer: &Value) -> Vec<String> {
    answer["events"].as_array().unwrap().iter().map(|event| event["message"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn groups_are_described_as_aws_does() {
    let mut world = world();
    ask(&mut world, "CreateLogGroup", json!({"logGroupName": "/app/b", "tags": {"team": "orders"}})).unwrap();
    ask(&mut world, "CreateLogGroup", json!({"logGroupName": "/app/a"})).unwrap();
    ask(&mut world, "PutRetentionPolicy", json!({"logGroupName": "/app/a", "retentionInDays": 7})).unwrap();
    let arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/app/a";
    let a = json!({"logGroupName": "/app/a", "creationTime": world.now.millis(), "retentionInDays": 7,
        "metricFilterCount": 0, "arn": format!("{arn}:*"), "storedBytes": 0, "logGroupClass": "STANDARD",
        "logGroupArn": arn, "deletionProtectionEnabled": false});
    let all = ask(&mut world, "DescribeLogGroups", json!({"logGroupNamePrefix": "/app"})).unwrap();
    assert_eq!((&all["logGroups"][0], all["logGroups"].as_array().unwrap().len()), (&a, 2));
    let found = ask(&mut world, "DescribeLogGroups", json!({"logGroupNamePattern": "pp/a"})).unwrap();
    let brief = json!({"logGroupName": "/app/a", "creationTime": world.now.millis(), "metricFilterCount": 0,
        "arn": format!("{arn}:*"), "logGroupClass": "STANDARD", "logGroupArn": arn});
    assert_eq!(found["logGroups"], json!([brief]), "a search by pattern says less");
    let first = ask(&mut world, "DescribeLogGroups", json!({"limit": 1})).unwrap();
    let second = ask(&mut world, "DescribeLogGroups", json!({"limit": 1, "nextToken": first["nextToken"]})).unwrap();
    assert_eq!((&second["logGroups"][0]["logGroupName"], second.get("nextToken")), (&json!("/app/b"), None));
    let tags = ask(&mut world, "ListTagsForResource", json!({"resourceArn": arn.replace("/app/a", "/app/b")})).unwrap();
    assert_eq!(tags, json!({"tags": {"team": "orders"}}));
    ask(&mut world, "DeleteLogGroup", json!({"logGroupName": "/app/a"})).unwrap();
    let left = ask(&mut world, "ListLogGroups", json!({"logGroupNamePattern": "^/app|zzz"})).unwrap();
    assert_eq!(left["logGroups"].as_array().unwrap().len(), 1);
}

#[test]
fn events_are_read_from_either_end_and_the_token_stays_at_the_end() {
    let mut world = with_stream();
    let now = world.now.millis();
    let texts: Vec<String> = (0..10).map(|n| format!("line {n}")).collect();
    let events: Vec<(i64, &str)> = texts.iter().enumerate().map(|(n, t)| (now + n as i64 / 2, t.as_str())).collect();
    put(&mut world, "one", &events);
    let base = json!({"logGroupName": "app", "logStreamName": "one", "limit": 4});
    let ask_more = |world: &mut World, more: Value| {
        let mut input = base.clone();
        more.as_object().unwrap().iter().for_each(|(name, value)| input[name] = value.clone());
        ask(world, "GetLogEvents", input).unwrap()
    };
    let newest = ask_more(&mut world, json!({}));
    assert_eq!(messages(&newest), ["line 6", "line 7", "line 8", "line 9"]);
    let earlier = ask_more(&mut world, json!({"nextToken": newest["nextBackwardToken"]}));
    assert_eq!(messages(&earlier), ["line 2", "line 3", "line 4", "line 5"]);
    let head = ask_more(&mut world, json!({"startFromHead": true}));
    assert_eq!(messages(&head), ["line 0", "line 1", "line 2", "line 3"]);
    let mut token = head["nextForwardToken"].clone();
    let mut seen = 4;
    loop {
        let page = ask_more(&mut world, json!({"nextToken": token, "startFromHead": true}));
        seen += messages(&page).len();
        if page["nextForwardToken"] == token {
            break;
        }
        token = page["nextForwardToken"].clone();
    }
    assert_eq!(seen, 10);
    put(&mut world, "one", &[(now + 9, "later")]);
    assert_eq!(messages(&ask_more(&mut world, json!({"nextToken": token}))), ["later"]);
    let within = ask_more(&mut world, json!({"startTime": now + 1, "endTime": now + 2}));
    assert_eq!(messages(&within), ["line 2", "line 3"]);
    let streams = ask(&mut world, "DescribeLogStreams", json!({"logGroupName": "app"})).unwrap();
    let stream = &streams["logStreams"][0];
    assert_eq!((&stream["firstEventTimestamp"], &stream["lastEventTimestamp"]), (&json!(now), &json!(now + 9)));
    assert_eq!((&stream["lastIngestionTime"], &stream["storedBytes"]), (&json!(now), &json!(0)));
    assert_eq!(stream["uploadSequenceToken"].as_str().unwrap().len(), 56);
}

#[test]
fn batches_keep_the_rules_of_order_span_and_age() {
    let mut world = with_stream();
    let now = world.now.millis();
    let day = 86_400_000;
    let answer = put(&mut world, "one", &[(now - 15 * day, "old"), (now - 15 * day + 1, "old too")]);
    assert_eq!(answer["rejectedLogEventsInfo"], json!({"tooOldLogEventEndIndex": 2}));
    assert!(answer["nextSequenceToken"].is_string());
    let answer = put(&mut world, "one", &[(now, "fine"), (now + 3 * 3_600_000, "too new")]);
    assert_eq!(answer["rejectedLogEventsInfo"], json!({"tooNewLogEventStartIndex": 1}));
    ask(&mut world, "PutRetentionPolicy", json!({"logGroupName": "app", "retentionInDays": 1})).unwrap();
    let answer = put(&mut world, "one", &[(now - 2 * day, "expired"), (now - 3_600_000 * 30, "expired too")]);
    assert_eq!(answer["rejectedLogEventsInfo"], json!({"expiredLogEventEndIndex": 2}));
    let all = json!({"logGroupName": "app", "logStreamName": "one"});
    assert_eq!(messages(&ask(&mut world, "GetLogEvents", all.clone()).unwrap()), ["fine"]);
    let send = |events: Value| json!({"logGroupName": "app", "logStreamName": "one", "logEvents": events});
    let event = |at: i64, text: &str| json!({"timestamp": at, "message": text});
    for (events, message) in [
        (
            json!([event(now, "a"), event(now - 1, "b")]),
            "Log events in a single PutLogEvents request must be in chronological order.",
        ),
        (
            json!([event(now - day - 1, "a"), event(now, "b")]),
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ),
        (
            json!([event(now, "")]),
            "1 validation error detected: Value '' at 'logEvents.1.member.message' failed to satisfy constraint: Member \
             must have length greater than or equal to 1",
        ),
        (json!([event(now, &"x".repeat(1 << 20))]), "Upload too large: 1048602 bytes exceeds limit of 1048576"),
    ] {
        let expected = ("InvalidParameterException", message.to_owned());
        assert_eq!(refused(&mut world, "PutLogEvents", send(events)), expected);
    }
    world.advance_to(world.now + Duration::from_secs(2 * 86_400));
    assert!(messages(&ask(&mut world, "GetLogEvents", all).unwrap()).is_empty(), "retention is kept");
    assert_eq!(world.logs.bytes(), 0);
}

#[test]
fn filtering_joins_streams_and_pages() {
    let mut world = with_stream();
    ask(&mut world, "CreateLogStream", json!({"logGroupName": "app", "logStreamName": "two"})).unwrap();
    let now = world.now.millis();
    for n in 0..30 {
        let stream = if n % 3 == 0 { "two" } else { "one" };
        let level = if n % 2 == 0 { "ERROR" } else { "INFO" };
        put(&mut world, stream, &[(now + n / 4, &format!("{{\"level\":\"{level}\",\"n\":{n}}}"))]);
    }
    let mut input = json!({"logGroupName": "app", "filterPattern": "{ $.level = ERROR && $.n >= 4 }", "limit": 5});
    let mut found = Vec::new();
    loop {
        let page = ask(&mut world, "FilterLogEvents", input.clone()).unwrap();
        found.extend(page["events"].as_array().unwrap().clone());
        let Some(token) = page.get("nextToken") else { break };
        input["nextToken"] = token.clone();
    }
    assert_eq!(found.len(), 13);
    assert!(found.windows(2).all(|pair| pair[0]["timestamp"].as_i64() <= pair[1]["timestamp"].as_i64()));
    let ids: std::collections::BTreeSet<&str> = found.iter().map(|event| event["eventId"].as_str().unwrap()).collect();
    assert_eq!((ids.len(), ids.first().unwrap().len()), (13, 56));
    let count = |world: &mut World, more: Value| {
        let mut input = json!({"logGroupName": "app"});
        more.as_object().unwrap().iter().for_each(|(name, value)| input[name] = value.clone());
        messages(&ask(world, "FilterLogEvents", input).unwrap()).len()
    };
    assert_eq!(count(&mut world, json!({"logStreamNames": ["two"]})), 10);
    assert_eq!(count(&mut world, json!({"logStreamNamePrefix": "on"})), 20);
    assert_eq!(count(&mut world, json!({"startTime": now + 1, "endTime": now + 1})), 4);
    assert_eq!(count(&mut world, json!({"filterPattern": "\"level\" -INFO"})), 15);
    let missing = json!({"logGroupName": "app", "logStreamNames": ["ghost"]});
    assert_eq!(refused(&mut world, "FilterLogEvents", missing).1, "The specified log stream does not exist.");
    let broken = json!({"logGroupName": "app", "filterPattern": "{ $.a"});
    assert_eq!(refused(&mut world, "FilterLogEvents", broken).0, "InvalidParameterException");
}

#[test]
fn what_logs_refuse_in_awss_words() {
    let mut world = with_stream();
    let invalid = "InvalidParameterException";
    for (operation, input, code, message) in [
        (
            "CreateLogGroup",
            json!({"logGroupName": "app"}),
            "ResourceAlreadyExistsException",
            "The specified log group already exists",
        ),
        (
            "CreateLogGroup",
            json!({"logGroupName": ""}),
            invalid,
            "1 validation error detected: Value '' at 'logGroupName' failed to satisfy constraint: Member must have \
             length greater than or equal to 1",
        ),
        (
            "CreateLogGroup",
            json!({"logGroupName": "a b"}),
            invalid,
            "1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: Member must satisfy \
             regular expression pattern: [\\.\\-_/#A-Za-z0-9]+",
        ),
        (
            "CreateLogStream",
            json!({"logGroupName": "app", "logStreamName": "one"}),
            "ResourceAlreadyExistsException",
            "The specified log stream already exists",
        ),
        (
            "DescribeLogGroups",
            json!({"logGroupNamePrefix": "a", "logGroupNamePattern": "a"}),
            invalid,
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
        ),
        (
            "DescribeLogStreams",
            json!({"logGroupName": "app", "logGroupIdentifier": "app"}),
            "ValidationException",
            "LogGroup name and LogGroup ARN are mutually exclusive parameters.",
        ),
    ] {
        assert_eq!(refused(&mut world, operation, input), (code, message.to_owned()), "{operation}");
    }
    let wrong = json!({"logGroupName": "app", "retentionInDays": 2});
    assert_eq!(refused(&mut world, "PutRetentionPolicy", wrong).0, invalid);
    assert_eq!(refused(&mut world, "CreateLogGroup", json!({"logGroupName": 1})).0, "SerializationException");
    ask(
        &mut world,
        "PutLogGroupDeletionProtection",
        json!({"logGroupIdentifier": "app", "deletionProtectionEnabled": true}),
    )
    .unwrap();
    assert_eq!(refused(&mut world, "DeleteLogGroup", json!({"logGroupName": "app"})).0, "ValidationException");
}

#[test]
fn what_reading_events_refuses_in_awss_words() {
    let mut world = with_stream();
    let invalid = "InvalidParameterException";
    for (operation, input, code, message) in [
        (
            "GetLogEvents",
            json!({"logGroupName": "app", "logStreamName": "one", "limit": 10_001}),
            invalid,
            "1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: Member must have value \
             less than or equal to 10000",
        ),
        (
            "GetLogEvents",
            json!({"logGroupName": "app", "logStreamName": "one", "nextToken": "invalid-token"}),
            invalid,
            "The specified nextToken is invalid.",
        ),
        (
            "GetLogEvents",
            json!({"logGroupName": "ghost", "logStreamName": "one"}),
            "ResourceNotFoundException",
            "The specified log group does not exist.",
        ),
        (
            "GetLogEvents",
            json!({"logGroupName": "app", "logStreamName": "ghost"}),
            "ResourceNotFoundException",
            "The specified log stream does not exist.",
        ),
        (
            "FilterLogEvents",
            json!({"logGroupName": "app", "nextToken": "invalid-token"}),
            invalid,
            "The specified nextToken is invalid.",
        ),
    ] {
        assert_eq!(refused(&mut world, operation, input), (code, message.to_owned()), "{operation}");
    }
}

/// A function that says hello, invoked this often.
fn invoked(times: usize) -> World {
    let mut world = world();
    let behaviour = Behaviour { log_lines: Arc::from(["hello".to_owned(), "bye".to_owned()]), ..Behaviour::default() };
    let (lambda, mut cx) = world.lambda_cx();
    lambda.create_function(&mut cx, "greet", Config::default(), b"zip", behaviour).unwrap();
    for _ in 0..times {
        let (lambda, mut cx) = world.lambda_cx();
        lambda.invoke(&mut cx, "greet", Bytes::from_static(b"{}"), false).unwrap();
        world.advance_to(world.now + Duration::from_secs(20));
    }
    world
}

#[test]
fn a_functions_lines_are_in_its_group() {
    let mut world = invoked(2);
    let group = "/aws/lambda/greet";
    let groups = ask(&mut world, "DescribeLogGroups", json!({"logGroupNamePrefix": "/aws/lambda"})).unwrap();
    assert_eq!(groups["logGroups"][0]["logGroupName"], group);
    let streams =
        ask(&mut world, "DescribeLogStreams", json!({"logGroupName": group, "orderBy": "LastEventTime"})).unwrap();
    assert_eq!(streams["logStreams"].as_array().unwrap().len(), 1, "one environment served both");
    let stream = streams["logStreams"][0]["logStreamName"].as_str().unwrap().to_owned();
    assert!(stream.starts_with("2026/11/27/[$LATEST]") && stream.len() == 52, "{stream}");
    let input = json!({"logGroupName": group, "logStreamName": stream, "startFromHead": true});
    let all = ask(&mut world, "GetLogEvents", input).unwrap();
    let starts: Vec<String> = messages(&all).iter().map(|m| m.split([' ', '\n']).next().unwrap().to_owned()).collect();
    let expected = ["INIT_START", "START", "hello", "bye", "END", "REPORT", "START", "hello", "bye", "END", "REPORT"];
    assert_eq!(starts, expected);
    let version = runtime_version_arn("eu-west-1", "python3.13");
    let init_start = format!("INIT_START Runtime Version: python:3.13.v1\tRuntime Version ARN: {version}\n");
    assert_eq!(messages(&all)[0], init_start, "the version that the function's configuration names");
    let found =
        ask(&mut world, "FilterLogEvents", json!({"logGroupName": group, "filterPattern": "\"Max Memory\""})).unwrap();
    assert_eq!(found["events"].as_array().unwrap().len(), 2);
    assert_eq!(found["events"][0]["logStreamName"], stream);
}

#[test]
fn a_functions_group_can_be_deleted_and_comes_again() {
    let mut world = invoked(1);
    let group = json!({"logGroupName": "/aws/lambda/greet"});
    ask(&mut world, "DeleteLogGroup", group.clone()).unwrap();
    assert_eq!(refused(&mut world, "DescribeLogStreams", group.clone()).0, "ResourceNotFoundException");
    let (lambda, mut cx) = world.lambda_cx();
    lambda.invoke(&mut cx, "greet", Bytes::from_static(b"{}"), false).unwrap();
    world.advance_to(world.now + Duration::from_secs(20));
    let all = ask(&mut world, "FilterLogEvents", group.clone()).unwrap();
    assert_eq!(messages(&all).iter().filter(|m| m.starts_with("REPORT")).count(), 1, "the old lines are gone");
    let stream = all["events"][0]["logStreamName"].clone();
    let one = json!({"logGroupName": "/aws/lambda/greet", "logStreamName": stream});
    ask(&mut world, "DeleteLogStream", one.clone()).unwrap();
    assert_eq!(refused(&mut world, "GetLogEvents", one).1, "The specified log stream does not exist.");
}

#[test]
fn what_is_stored_is_bounded() {
    let mut world = with_stream();
    let text = "x".repeat(200_000);
    for _ in 0..200 {
        let now = world.now.millis();
        put(&mut world, "one", &[(now, &text), (now, &text), (now, &text), (now, &text), (now, &text)]);
        world.advance_to(world.now + Duration::from_secs(1));
    }
    assert!(world.logs.bytes() <= BYTES_MAX && world.logs.bytes() > BYTES_MAX / 2, "{}", world.logs.bytes());
}

proptest! {
    #[test]
    fn pages_forward_and_backward_join_to_the_whole(
        mut times in prop::collection::vec(0i64..20, 1..40),
        limit in 1usize..9,
    ) {
        let mut world = with_stream();
        times.sort_unstable();
        let now = world.now.millis();
        let texts: Vec<String> = (0..times.len()).map(|n| n.to_string()).collect();
        let events: Vec<(i64, &str)> = times.iter().zip(&texts).map(|(at, text)| (now + at, text.as_str())).collect();
        put(&mut world, "one", &events);
        for (from_head, member) in [(true, "nextForwardToken"), (false, "nextBackwardToken")] {
            let mut input = json!({"logGroupName": "app", "logStreamName": "one", "limit": limit, "startFromHead": from_head});
            let mut joined: Vec<String> = Vec::new();
            loop {
                let page = ask(&mut world, "GetLogEvents", input.clone()).unwrap();
                let here = messages(&page);
                if here.is_empty() {
                    prop_assert_eq!(&page[member], &input["nextToken"]);
                    break;
                }
                joined = if from_head { [joined, here].concat() } else { [here, joined].concat() };
                input["nextToken"] = page[member].clone();
            }
            prop_assert_eq!(joined, texts.clone());
        }
    }
}

#[test]
fn a_metric_filter_counts_what_matches_and_says_the_default_otherwise() {
    let mut world = with_stream();
    let filter = json!({"logGroupName": "app", "filterName": "errors", "filterPattern": "[level = ERROR, ms]",
        "metricTransformations": [{"metricName": "Errors", "metricNamespace": "App", "metricValue": "$ms",
        "defaultValue": 0}]});
    ask(&mut world, "PutMetricFilter", filter.clone()).unwrap();
    let mut two = filter;
    let metric = json!({"metricName": "Lines", "metricNamespace": "App", "metricValue": "1", "defaultValue": 0});
    two["metricTransformations"] = json!([metric, metric]);
    let printed = "MetricTransformation(metricName=Lines, metricNamespace=App, metricValue=1, defaultValue=0.0, \
                   unit=null, dimensions=null)";
    let (_, message) = refused(&mut world, "PutMetricFilter", two);
    assert!(message.contains(&format!("Value '[{printed}, {printed}]' at 'metricTransformations'")), "{message}");
    let at = world.now.floor_to(60).millis();
    put(
        &mut world,
        "one",
        &[(at, "ERROR 12"), (at + 1000, "INFO 5"), (at + 2000, "ERROR 30"), (at + 60_000, "INFO 7")],
    );
    let metric = crate::sim::cloudwatch::Metric::new("App", "Errors", &[]);
    let ids = world.metrics.find(&metric, None);
    let until = world.now + std::time::Duration::from_secs(600);
    let read = world.metrics.read(&ids, (world.now.floor_to(60), until), 60, until, false);
    let minutes: Vec<(f64, f64)> = read.iter().map(|minute| (minute.stats.sum, minute.stats.count)).collect();
    assert_eq!(minutes, [(42.0, 2.0), (0.0, 1.0)]);
    let tried = json!({"filterPattern": "[level = ERROR, ms]", "logEventMessages": ["ERROR 12", "INFO 1"]});
    let tried = ask(&mut world, "TestMetricFilter", tried).unwrap();
    assert_eq!(tried["matches"][0]["extractedValues"], json!({"$level": "ERROR", "$ms": "12"}));
    assert_eq!(tried["matches"].as_array().unwrap().len(), 1);
}

#[test]
fn a_function_gets_what_a_subscription_takes() {
    let mut world = with_stream();
    let (lambda, mut cx) = world.lambda_cx();
    lambda.create_function(&mut cx, "watch", Config::default(), b"zip", Behaviour::default()).unwrap();
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:watch";
    let mut filter =
        json!({"logGroupName": "app", "filterName": "errors", "filterPattern": "ERROR", "destinationArn": arn});
    ask(&mut world, "PutSubscriptionFilter", filter.clone()).unwrap();
    let now = world.now.millis();
    put(&mut world, "one", &[(now, "fine")]);
    assert_eq!(world.lambda.events_waiting(), 0);
    put(&mut world, "one", &[(now, "ERROR one"), (now + 1, "ERROR two")]);
    assert_eq!(world.lambda.events_waiting(), 1, "a batch is one event");
    filter["destinationArn"] = json!(format!("{arn}-not"));
    let (code, message) = refused(&mut world, "PutSubscriptionFilter", filter.clone());
    assert_eq!(code, "InvalidParameterException");
    assert!(message.starts_with("Could not execute the lambda function."), "{message}");
    filter["destinationArn"] = json!(arn.replace("123456789012", "210987654321"));
    assert_eq!(refused(&mut world, "PutSubscriptionFilter", filter.clone()).0, "AccessDeniedException");
    for name in ["second", "third"] {
        filter["filterName"] = json!(name);
        filter["destinationArn"] = json!(arn);
        let put = ask(&mut world, "PutSubscriptionFilter", filter.clone());
        assert_eq!(put.map_err(|error| error.code).err(), (name == "third").then_some("LimitExceededException"));
    }
}

#[test]
fn a_query_runs_for_a_moment_and_can_be_stopped() {
    let mut world = with_stream();
    let now = world.now.millis();
    put(&mut world, "one", &[(now, "a"), (now + 1, "b")]);
    let s = now / 1000;
    let query =
        json!({"logGroupName": "app", "startTime": s - 60, "endTime": s + 60, "queryString": "fields @message"});
    let mut start = || ask(&mut world, "StartQuery", query.clone()).unwrap()["queryId"].clone();
    let (first, second) = (start(), start());
    let running = ask(&mut world, "GetQueryResults", json!({"queryId": first})).unwrap();
    assert_eq!((&running["status"], &running["results"]), (&json!("Running"), &json!([])));
    assert_eq!(ask(&mut world, "StopQuery", json!({"queryId": second})).unwrap(), json!({"success": true}));
    world.advance_to(world.now + std::time::Duration::from_secs(2));
    let page = ask(&mut world, "GetQueryResults", json!({"queryId": first, "maxItems": 1})).unwrap();
    assert_eq!((&page["status"], &page["results"][0][0]["value"]), (&json!("Complete"), &json!("b")));
    let rest = json!({"queryId": first, "nextToken": page["nextToken"]});
    assert_eq!(ask(&mut world, "GetQueryResults", rest).unwrap()["results"][0][0]["value"], "a");
    let all = ask(&mut world, "DescribeQueries", json!({"logGroupName": "app"})).unwrap();
    assert_eq!((&all["queries"][0]["status"], &all["queries"][1]["status"]), (&json!("Cancelled"), &json!("Complete")));
    assert_eq!(refused(&mut world, "StopQuery", json!({"queryId": first})).0, "InvalidParameterException");
}
