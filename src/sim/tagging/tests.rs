//! The Tagging API as a client meets it: tags of every service in one list, filtered and paged.

use crate::domain::time::Timestamp;
use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::wire::{self, Call, Reply, Request, Service};
use crate::sim::world::World;
use bytes::Bytes;
use serde_json::{Value, json};

fn world() -> World {
    let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: false };
    World::new(1, Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap(), place)
}

fn ask(world: &mut World, service: Service, operation: &str, input: Value) -> Result<Value, ApiError> {
    let headers = Vec::new();
    let (method, path, query) = ("POST".into(), "/".into(), String::new());
    let request = Request { method, path, query, headers, body: Bytes::new() };
    let mut call = Call::new(request, Timestamp::default());
    wire::answer(world, &mut call, service, operation, Ok(input)).map(|reply| match reply {
        Reply::Done(value) => value,
        Reply::Later(at) => panic!("waits until {at}"),
    })
}

fn make(world: &mut World, service: Service, operation: &str, input: Value) -> Value {
    ask(world, service, operation, input).unwrap()
}

/// The names at the ends of the ARNs.
fn found(world: &mut World, input: Value) -> Vec<String> {
    let answer = make(world, Service::Tagging, "GetResources", input);
    let list = answer["ResourceTagMappingList"].as_array().unwrap();
    let name = |arn: &str| arn.rsplit([':', '/']).next().unwrap().to_owned();
    list.iter().map(|mapping| name(mapping["ResourceARN"].as_str().unwrap())).collect()
}

fn queues(world: &mut World, queues: &[(&str, Value)]) {
    for (name, tags) in queues {
        make(world, Service::Sqs, "CreateQueue", json!({ "QueueName": name, "tags": tags }));
    }
}

#[test]
fn tags_of_every_service_are_in_one_list_by_arn() {
    let mut world = world();
    let tags = json!([{ "Key": "team", "Value": "desk" }]);
    queues(&mut world, &[("orders", json!({ "team": "desk", "stage": "prod" })), ("untagged", json!({}))]);
    make(&mut world, Service::Sns, "CreateTopic", json!({ "Name": "promo", "Tags": tags }));
    make(
        &mut world,
        Service::Kinesis,
        "CreateStream",
        json!({ "StreamName": "bids", "ShardCount": 1, "Tags": { "team": "desk" } }),
    );
    make(
        &mut world,
        Service::Swf,
        "RegisterDomain",
        json!({ "name": "hotel", "workflowExecutionRetentionPeriodInDays": "1",
                "tags": [{ "key": "team", "value": "desk" }] }),
    );
    make(&mut world, Service::Logs, "CreateLogGroup", json!({ "logGroupName": "app", "tags": { "team": "desk" } }));
    let alarm = json!({
        "AlarmName": "late", "Namespace": "AWS/SQS", "MetricName": "NumberOfMessagesSent", "Statistic": "Sum",
        "Period": 60, "EvaluationPeriods": 1, "Threshold": 0, "ComparisonOperator": "GreaterThanThreshold",
        "Tags": tags,
    });
    make(&mut world, Service::CloudWatch, "PutMetricAlarm", alarm);
    let table = json!({
        "TableName": "carts", "BillingMode": "PAY_PER_REQUEST", "Tags": tags,
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
    });
    make(&mut world, Service::DynamoDb, "CreateTable", table);
    let answer = make(&mut world, Service::Tagging, "GetResources", json!({}));
    let list = answer["ResourceTagMappingList"].as_array().unwrap();
    let arns: Vec<&str> = list.iter().map(|mapping| mapping["ResourceARN"].as_str().unwrap()).collect();
    assert_eq!(
        arns,
        [
            "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:late",
            "arn:aws:dynamodb:eu-west-1:123456789012:table/carts",
            "arn:aws:kinesis:eu-west-1:123456789012:stream/bids",
            "arn:aws:logs:eu-west-1:123456789012:log-group:app",
            "arn:aws:sns:eu-west-1:123456789012:promo",
            "arn:aws:sqs:eu-west-1:123456789012:orders",
            "arn:aws:swf:eu-west-1:123456789012:/domain/hotel",
        ]
    );
    assert_eq!(answer["PaginationToken"], "", "the last page says so with an empty token");
    assert_eq!(
        list[5]["Tags"],
        json!([{ "Key": "stage", "Value": "prod" }, { "Key": "team", "Value": "desk" }]),
        "all tags of it, whatever was asked for"
    );
    assert_eq!(make(&mut world, Service::Tagging, "GetTagKeys", json!({}))["TagKeys"], json!(["stage", "team"]));
    let values = make(&mut world, Service::Tagging, "GetTagValues", json!({ "Key": "team" }));
    assert_eq!(values["TagValues"], json!(["desk"]));
    make(&mut world, Service::Sqs, "DeleteQueue", json!({ "QueueUrl": "http://x/123456789012/orders" }));
    assert!(!found(&mut world, json!({})).contains(&"orders".to_owned()), "what is deleted is gone");
}

#[test]
fn filters_are_all_held_and_values_are_one_of_them() {
    let mut world = world();
    queues(
        &mut world,
        &[
            ("a", json!({ "team": "desk", "stage": "prod" })),
            ("b", json!({ "team": "desk", "stage": "test" })),
            ("c", json!({ "team": "care", "stage": "prod" })),
            ("d", json!({ "Team": "desk" })),
        ],
    );
    make(&mut world, Service::Sns, "CreateTopic", json!({ "Name": "t", "Tags": [{ "Key": "team", "Value": "desk" }] }));
    for (input, names) in [
        (json!({ "TagFilters": [{ "Key": "team", "Values": ["desk"] }] }), vec!["t", "a", "b"]),
        (json!({ "TagFilters": [{ "Key": "team" }] }), vec!["t", "a", "b", "c"]),
        (json!({ "TagFilters": [{ "Key": "team", "Values": [] }] }), vec!["t", "a", "b", "c"]),
        (
            json!({ "TagFilters": [{ "Key": "team", "Values": ["care", "desk"] }, { "Key": "stage", "Values": ["prod"] }] }),
            vec!["a", "c"],
        ),
        (json!({ "TagFilters": [{ "Key": "team" }], "ResourceTypeFilters": ["sns"] }), vec!["t"]),
        (json!({ "ResourceTypeFilters": ["sqs:queue"] }), vec!["a", "b", "c", "d"]),
        (json!({ "ResourceTypeFilters": ["lambda:function", "ec2"] }), vec![]),
        (json!({ "ResourceARNList": ["arn:aws:sqs:eu-west-1:123456789012:c"] }), vec!["c"]),
    ] {
        assert_eq!(found(&mut world, input.clone()), names, "{input}");
    }
}

#[test]
fn pages_hold_what_was_asked_for_and_a_token_is_of_its_list() {
    let mut world = world();
    let named: Vec<(String, Value)> = (0..60).map(|n| (format!("q{n:02}"), json!({ "team": "x", "n": "1" }))).collect();
    let named: Vec<(&str, Value)> = named.iter().map(|(name, tags)| (name.as_str(), tags.clone())).collect();
    queues(&mut world, &named);
    let mut seen = Vec::new();
    let mut token = json!("");
    let mut sizes = Vec::new();
    loop {
        let asked = json!({ "ResourcesPerPage": 25, "PaginationToken": token });
        let page = make(&mut world, Service::Tagging, "GetResources", asked);
        let list = page["ResourceTagMappingList"].as_array().unwrap();
        sizes.push(list.len());
        seen.extend(list.iter().map(|mapping| mapping["ResourceARN"].as_str().unwrap().to_owned()));
        token = page["PaginationToken"].clone();
        if token == "" {
            break;
        }
        let other = json!({ "TagFilters": [{ "Key": "team" }], "PaginationToken": token });
        let error = ask(&mut world, Service::Tagging, "GetResources", other).unwrap_err();
        assert_eq!(error.code, "InvalidParameterException");
    }
    assert_eq!(sizes, [25, 25, 10]);
    seen.dedup();
    assert_eq!(seen.len(), 60);
    let first = |world: &mut World, input: Value| found(world, input).len();
    assert_eq!(first(&mut world, json!({})), 50, "AWS's page where nothing is said");
    assert_eq!(first(&mut world, json!({ "TagsPerPage": 100 })), 50, "two tags each");
}

#[test]
fn what_cannot_be_meant_is_an_invalid_parameter() {
    let mut world = world();
    let filters = |count: usize| vec![json!({ "Key": "team" }); count];
    for input in [
        json!({ "ResourcesPerPage": 0 }),
        json!({ "ResourcesPerPage": 101 }),
        json!({ "TagsPerPage": 150 }),
        json!({ "TagsPerPage": 600 }),
        json!({ "PaginationToken": "nonsense" }),
        json!({ "TagFilters": [{ "Values": ["x"] }] }),
        json!({ "TagFilters": [{ "Key": "" }] }),
        json!({ "TagFilters": filters(51) }),
        json!({ "TagFilters": [{ "Key": "team", "Values": vec!["x"; 21] }] }),
        json!({ "ResourceARNList": [] }),
        json!({ "ResourceARNList": ["arn:aws:sqs:eu-west-1:123456789012:c"], "TagFilters": filters(1) }),
        json!({ "ExcludeCompliantResources": true }),
    ] {
        let error = ask(&mut world, Service::Tagging, "GetResources", input.clone()).unwrap_err();
        assert_eq!((error.code, error.status), ("InvalidParameterException", 400), "{input}");
    }
    let error = ask(&mut world, Service::Tagging, "GetTagValues", json!({})).unwrap_err();
    assert!(error.message.contains("'key' failed to satisfy constraint: Member must not be null"), "{}", error.message);
    let error = ask(&mut world, Service::Tagging, "TagResources", json!({})).unwrap_err();
    assert_eq!(error.code, "UnknownOperationException");
    let error = ask(&mut world, Service::Tagging, "GetResources", json!({ "TagFilters": "team" })).unwrap_err();
    assert_eq!(error.code, "SerializationException");
}
