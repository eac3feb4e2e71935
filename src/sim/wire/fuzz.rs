//! Requests of no sense, by the thousand: whatever comes in, no answer is a failure of the server and nothing panics.

use super::tests::{call, json_call, world};
use super::*;
use crate::sim::wire::cbor::Flavour;
use proptest::prelude::*;

/// Operations that a request may be aimed at, so that most get past the dispatcher. SNS has no target of its own: its
/// operations are asked for in the query protocol.
const TARGETS: [&str; 76] = [
    "ResourceGroupsTaggingAPI_20170126.GetResources",
    "GraniteServiceVersion20100801.PutMetricAlarm",
    "GraniteServiceVersion20100801.PutCompositeAlarm",
    "GraniteServiceVersion20100801.SetAlarmState",
    "GraniteServiceVersion20100801.DescribeAlarmHistory",
    "CloudTrail_20131101.LookupEvents",
    "SimpleWorkflowService.RegisterDomain",
    "SimpleWorkflowService.RegisterWorkflowType",
    "SimpleWorkflowService.StartWorkflowExecution",
    "SimpleWorkflowService.PollForDecisionTask",
    "SimpleWorkflowService.RespondDecisionTaskCompleted",
    "SimpleWorkflowService.ListOpenWorkflowExecutions",
    "SimpleNotificationService.CreateTopic",
    "SimpleNotificationService.Subscribe",
    "SimpleNotificationService.Publish",
    "SimpleNotificationService.PublishBatch",
    "SimpleNotificationService.SetSubscriptionAttributes",
    "AmazonSQS.CreateQueue",
    "AmazonSQS.SendMessage",
    "AmazonSQS.SendMessageBatch",
    "AmazonSQS.ReceiveMessage",
    "AmazonSQS.SetQueueAttributes",
    "AmazonSQS.StartMessageMoveTask",
    "AmazonSQS.ListQueues",
    "GraniteServiceVersion20100801.GetMetricData",
    "GraniteServiceVersion20100801.GetMetricStatistics",
    "GraniteServiceVersion20100801.PutMetricData",
    "GraniteServiceVersion20100801.ListMetrics",
    "GraniteServiceVersion20100801.DescribeAlarms",
    "Kinesis_20131202.CreateStream",
    "Kinesis_20131202.PutRecord",
    "Kinesis_20131202.PutRecords",
    "Kinesis_20131202.GetRecords",
    "Kinesis_20131202.GetShardIterator",
    "Kinesis_20131202.ListShards",
    "Kinesis_20131202.ListStreams",
    "Kinesis_20131202.SplitShard",
    "Kinesis_20131202.MergeShards",
    "Kinesis_20131202.UpdateShardCount",
    "Firehose_20150804.CreateDeliveryStream",
    "Firehose_20150804.DeleteDeliveryStream",
    "Firehose_20150804.DescribeDeliveryStream",
    "Firehose_20150804.ListDeliveryStreams",
    "Firehose_20150804.UpdateDestination",
    "Firehose_20150804.StartDeliveryStreamEncryption",
    "Firehose_20150804.TagDeliveryStream",
    "Firehose_20150804.PutRecord",
    "Firehose_20150804.PutRecordBatch",
    "DynamoDB_20120810.CreateTable",
    "DynamoDB_20120810.DescribeTable",
    "DynamoDB_20120810.ListTables",
    "DynamoDB_20120810.DeleteTable",
    "DynamoDB_20120810.UpdateTable",
    "DynamoDB_20120810.UpdateTimeToLive",
    "DynamoDB_20120810.TagResource",
    "DynamoDB_20120810.GetItem",
    "DynamoDB_20120810.PutItem",
    "DynamoDB_20120810.UpdateItem",
    "DynamoDB_20120810.DeleteItem",
    "DynamoDB_20120810.Query",
    "DynamoDB_20120810.Scan",
    "DynamoDB_20120810.BatchGetItem",
    "DynamoDB_20120810.BatchWriteItem",
    "DynamoDB_20120810.TransactWriteItems",
    "DynamoDB_20120810.TransactGetItems",
    "Logs_20140328.CreateLogGroup",
    "Logs_20140328.DescribeLogGroups",
    "Logs_20140328.CreateLogStream",
    "Logs_20140328.PutLogEvents",
    "Logs_20140328.GetLogEvents",
    "Logs_20140328.FilterLogEvents",
    "Logs_20140328.TestMetricFilter",
    "Logs_20140328.PutMetricFilter",
    "Logs_20140328.PutSubscriptionFilter",
    "Logs_20140328.StartQuery",
    "Logs_20140328.GetQueryResults",
];

/// Member names of those operations.
const MEMBERS: [&str; 113] = [
    "AlarmName",
    "AlarmRule",
    "ComparisonOperator",
    "EvaluationPeriods",
    "Threshold",
    "StateValue",
    "LookupAttributes",
    "domain",
    "name",
    "workflowExecutionRetentionPeriodInDays",
    "workflowId",
    "workflowType",
    "version",
    "taskList",
    "taskToken",
    "decisions",
    "decisionType",
    "startTimeFilter",
    "TopicArn",
    "Protocol",
    "Endpoint",
    "Message",
    "PublishBatchRequestEntries",
    "AttributeName",
    "AttributeValue",
    "SubscriptionArn",
    "QueueName",
    "QueueUrl",
    "Attributes",
    "MessageBody",
    "DelaySeconds",
    "Entries",
    "Id",
    "MessageAttributes",
    "DataType",
    "StringValue",
    "BinaryValue",
    "MaxNumberOfMessages",
    "VisibilityTimeout",
    "SourceArn",
    "NextToken",
    "MaxResults",
    "RedrivePolicy",
    "MetricDataQueries",
    "MetricStat",
    "Metric",
    "Namespace",
    "MetricName",
    "Dimensions",
    "Name",
    "Value",
    "Period",
    "Stat",
    "Expression",
    "StartTime",
    "EndTime",
    "MetricData",
    "Values",
    "StreamName",
    "ShardCount",
    "Data",
    "PartitionKey",
    "Records",
    "ShardIterator",
    "ShardId",
    "StreamARN",
    "ShardIteratorType",
    "TargetShardCount",
    "DeliveryStreamName",
    "DeliveryStreamType",
    "ExtendedS3DestinationConfiguration",
    "BucketARN",
    "RoleARN",
    "BufferingHints",
    "Record",
    "TableName",
    "AttributeDefinitions",
    "KeySchema",
    "AttributeType",
    "KeyType",
    "BillingMode",
    "ProvisionedThroughput",
    "Item",
    "Key",
    "S",
    "N",
    "B",
    "L",
    "M",
    "UpdateExpression",
    "ConditionExpression",
    "FilterExpression",
    "KeyConditionExpression",
    "ProjectionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "ReturnValues",
    "RequestItems",
    "TransactItems",
    "Put",
    "Limit",
    "ExclusiveStartKey",
    "logGroupName",
    "logStreamName",
    "logEvents",
    "timestamp",
    "message",
    "filterPattern",
    "filterName",
    "metricTransformations",
    "queryString",
    "startTime",
    "endTime",
];

/// A table of the name that many requests have.
const TABLE: &str = r#"{"TableName":"s","BillingMode":"PAY_PER_REQUEST",
    "KeySchema":[{"AttributeName":"s","KeyType":"HASH"}],
    "AttributeDefinitions":[{"AttributeName":"s","AttributeType":"S"}]}"#;

fn any_text() -> impl Strategy<Value = String> {
    let likely = [
        "s",
        "q",
        "arn:aws:sqs:eu-west-1:123456789012:q",
        "http://h/123456789012/q",
        "Sum",
        "p99",
        "App",
        "m1",
        "LATEST",
        "shardId-000000000000",
        "AAAA",
        "String",
        "[m1",
        "attribute_exists(s) AND s = :s",
        "SET s = :s",
        "fields @message | limit 3",
        "",
        "30",
        "{}",
    ];
    prop_oneof![prop::sample::select(likely.to_vec()).prop_map(str::to_owned), any::<String>()]
}

fn any_input() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-5i64..500).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any_text().prop_map(Value::from),
    ];
    let name = || prop_oneof![9 => prop::sample::select(MEMBERS.to_vec()).prop_map(str::to_owned), 1 => any_text()];
    let inner = leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name(), inner, 0..6).prop_map(|map| map.into_iter().collect()),
        ]
    });
    let top = prop::sample::select(MEMBERS.to_vec()).prop_map(str::to_owned);
    prop::collection::btree_map(top, inner, 0..6).prop_map(|map| map.into_iter().collect())
}

/// Members of an input as a form's parameters, as the query protocol's clients write them.
fn as_form(prefix: &str, value: &Value, out: &mut Vec<String>) {
    let encode =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            let name = encode(name);
            as_form(&if prefix.is_empty() { name } else { format!("{prefix}.{name}") }, member, out);
        }),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| as_form(&format!("{prefix}.member.{}", i + 1), item, out));
        }
        Value::String(text) => out.push(format!("{prefix}={}", encode(text))),
        other => out.push(format!("{prefix}={other}")),
    }
}

/// Methods and paths of Lambda's API.
const PATHS: [(&str, &str); 14] = [
    ("POST", "/2015-03-31/functions"),
    ("GET", "/2015-03-31/functions/f"),
    ("GET", "/2015-03-31/functions"),
    ("DELETE", "/2015-03-31/functions/f"),
    ("PUT", "/2015-03-31/functions/f/configuration"),
    ("PUT", "/2015-03-31/functions/f/code"),
    ("POST", "/2015-03-31/functions/f/invocations"),
    ("POST", "/2014-11-13/functions/f/invoke-async"),
    ("PUT", "/2017-10-31/functions/f/concurrency"),
    ("GET", "/2016-08-19/account-settings"),
    ("POST", "/2015-03-31/event-source-mappings"),
    ("PUT", "/2015-03-31/event-source-mappings/00000000-0000-0000-0000-000000000000"),
    ("GET", "/2015-03-31/event-source-mappings"),
    ("DELETE", "/2015-03-31/functions/%ff%00%2e%2e"),
];

/// A request of any protocol that names an operation which is served.
fn any_request() -> impl Strategy<Value = Request> {
    let request = |method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>| {
        let mut request = call(path, headers, body).request;
        request.method = method.to_owned();
        request
    };
    let json = (prop::sample::select(TARGETS.to_vec()), any_input())
        .prop_map(move |(target, input)| request("POST", "/", &[("x-amz-target", target)], input.to_string().into()));
    let amz_cbor = (prop::sample::select(TARGETS.to_vec()), any_input()).prop_map(move |(target, input)| {
        let headers = [("x-amz-target", target), ("content-type", "application/x-amz-cbor-1.1")];
        request("POST", "/", &headers, cbor::encode(&input, Flavour::Amz))
    });
    let rpc_cbor = (prop::sample::select(TARGETS.to_vec()), any_input()).prop_map(move |(target, input)| {
        let operation = target.rsplit('.').next().unwrap_or_default();
        let path = format!("/service/GraniteServiceVersion20100801/operation/{operation}");
        request("POST", &path, &[("smithy-protocol", "rpc-v2-cbor")], cbor::encode(&input, Flavour::Rpc))
    });
    let paths = prop::sample::select(vec!["/", "/123456789012/q", "/123456789012/none"]);
    let versions = prop::sample::select(vec!["2012-11-05", "2010-08-01", "2010-03-31", "2011-06-15", ""]);
    let query = (prop::sample::select(TARGETS.to_vec()), any_input(), paths, versions).prop_map(
        move |(target, input, path, version)| {
            let operation = target.rsplit('.').next().unwrap_or_default();
            let mut form = vec![format!("Action={operation}"), format!("Version={version}")];
            as_form("", &input, &mut form);
            let headers = [("content-type", "application/x-www-form-urlencoded")];
            request("POST", path, &headers, form.join("&").into_bytes())
        },
    );
    let rest = (prop::sample::select(PATHS.to_vec()), any_input(), any_text()).prop_map(
        move |((method, path), input, kind)| {
            request(method, path, &[("x-amz-invocation-type", &kind)], input.to_string().into())
        },
    );
    prop_oneof![4 => json, 1 => amz_cbor, 1 => rpc_cbor, 2 => query, 2 => rest]
}

/// How many cases a fuzz test tries: MIDWATCH_FUZZ_CASES, for a long run (some 300 cases a second), else few.
fn cases() -> ProptestConfig {
    let cases = std::env::var("MIDWATCH_FUZZ_CASES").ok().and_then(|text| text.parse().ok());
    ProptestConfig::with_cases(cases.unwrap_or(300))
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_input_whatever_panics_or_gets_a_server_error(requests in prop::collection::vec(any_request(), 1..8)) {
        let mut world = world();
        json_call(&mut world, "AmazonSQS.CreateQueue", r#"{"QueueName":"q"}"#);
        json_call(&mut world, "Kinesis_20131202.CreateStream", r#"{"StreamName":"s","ShardCount":1}"#);
        json_call(&mut world, "DynamoDB_20120810.CreateTable", TABLE);
        json_call(&mut world, "Logs_20140328.CreateLogGroup", r#"{"logGroupName":"s"}"#);
        world.advance_to(world.now + std::time::Duration::from_secs(60));
        for request in requests {
            let mut call = Call::new(request, world.now);
            if let Reply::Done(response) = handle(&mut world, &mut call) {
                prop_assert!(response.status < 500, "{:?}: {response:?}", call.request);
            }
            world.advance_to(world.now + std::time::Duration::from_secs(1));
        }
    }

    #[test]
    fn no_bytes_whatever_panic(
        path in prop_oneof![
            Just("/".to_owned()),
            Just("/service/GraniteServiceVersion20100801/operation/GetMetricData".to_owned()),
            Just("/2015-03-31/functions/f/invocations".to_owned()),
            "/[ -~]{0,40}",
        ],
        method in prop::sample::select(vec!["GET", "POST", "PUT", "DELETE", "PATCH"]),
        headers in prop::collection::vec((prop::sample::select(vec![
            "x-amz-target", "content-type", "content-encoding", "authorization", "x-amz-invocation-type",
        ]), any_text()), 0..4),
        query in any_text(),
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut call = call(&path, &headers.iter().map(|(n, v)| (*n, v.as_str())).collect::<Vec<_>>(), body);
        call.request.method = method.to_owned();
        call.request.query = query;
        if let Reply::Done(response) = handle(&mut world(), &mut call) {
            prop_assert!(response.status < 500, "{call:?}: {response:?}", call = call.request);
        }
    }
}
