//! Records as services write them, and what they say.

use super::*;
use serde_json::json;

const ACCOUNT: &str = "123456789012";

fn record(source: &str, event: &str, request: Value) -> Value {
    json!({
        "eventID": "e-1",
        "eventTime": "2026-11-27T18:02:00Z",
        "eventSource": format!("{source}.amazonaws.com"),
        "eventName": event,
        "awsRegion": "eu-west-1",
        "recipientAccountId": ACCOUNT,
        "sourceIPAddress": "198.51.100.17",
        "userAgent": "aws-cli/2.31.0",
        "userIdentity": { "type": "IAMUser", "userName": "ci-deploy", "arn": "arn:aws:iam::123456789012:user/ci-deploy" },
        "requestParameters": request,
        "responseElements": null,
        "readOnly": false,
    })
}

fn read(record: &Value) -> Option<Change> {
    change(record, &[], None)
}

#[test]
fn each_service_names_its_resources_in_its_own_way() {
    let arn = |service: &str, resource: &str| format!("arn:aws:{service}:eu-west-1:{ACCOUNT}:{resource}");
    for (source, event, request, expected) in [
        (
            "sqs",
            "SetQueueAttributes",
            json!({"queueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"}),
            "sqs/orders",
        ),
        ("sqs", "CreateQueue", json!({"queueName": "orders.fifo"}), "sqs/orders.fifo"),
        ("sqs", "StartMessageMoveTask", json!({"sourceArn": arn("sqs", "orders-dlq")}), "sqs/orders-dlq"),
        ("kinesis", "UpdateShardCount", json!({"streamName": "bids"}), "kinesis/bids"),
        ("kinesis", "SplitShard", json!({"streamARN": arn("kinesis", "stream/bids")}), "kinesis/bids"),
        (
            "kinesis",
            "DeregisterStreamConsumer",
            json!({"consumerARN": arn("kinesis", "stream/bids/consumer/x:1")}),
            "kinesis/bids",
        ),
        ("lambda", "UpdateFunctionCode20150331v2", json!({"functionName": "settle"}), "lambda/settle"),
        ("lambda", "UpdateAlias20150331", json!({"functionName": "settle:live", "name": "live"}), "lambda/settle"),
        (
            "lambda",
            "PutFunctionConcurrency20171031",
            json!({"functionName": "123456789012:function:settle:7"}),
            "lambda/settle",
        ),
        (
            "lambda",
            "UpdateFunctionConfiguration20150331v2",
            json!({"functionName": arn("lambda", "function:settle:live")}),
            "lambda/settle",
        ),
        ("lambda", "TagResource20170331v2", json!({"resource": arn("lambda", "function:settle")}), "lambda/settle"),
        ("sns", "SetTopicAttributes", json!({"topicArn": arn("sns", "promo")}), "sns/promo"),
        (
            "sns",
            "SetSubscriptionAttributes",
            json!({"subscriptionArn": arn("sns", "promo:1f0c8a52-77aa")}),
            "sns/promo",
        ),
        ("monitoring", "PutMetricAlarm", json!({"alarmName": "orders/late: warn"}), "alarm/orders/late: warn"),
        ("monitoring", "DisableAlarmActions", json!({"alarmNames": ["a"]}), "alarm/a"),
        ("swf", "RegisterWorkflowType", json!({"domain": "hotel", "name": "book"}), "swf/hotel"),
        ("swf", "DeprecateDomain", json!({"name": "hotel"}), "swf/hotel"),
        ("firehose", "UpdateDestination", json!({"deliveryStreamName": "raw"}), "firehose/raw"),
        ("application-autoscaling", "PutScalingPolicy", json!({"resourceId": "function:settle:live"}), "lambda/settle"),
        (
            "iam",
            "PutRolePolicy",
            json!({"roleName": "r", "policyDocument":
            json!({"Statement": [{"Resource": [arn("sqs", "orders"), "*"]}]}).to_string()}),
            "sqs/orders",
        ),
    ] {
        let found = read(&record(source, event, request)).unwrap_or_else(|| panic!("{source} {event}"));
        let ids: Vec<String> = found.resources.iter().map(ToString::to_string).collect();
        assert_eq!(ids, [expected], "{source} {event}");
        assert!(!found.event.ends_with(|c: char| c.is_ascii_digit()), "{}", found.event);
    }
}

#[test]
fn a_mapping_is_told_with_its_function_and_source_where_the_answer_has_them() {
    let request = json!({"uUID": "91eaeb7e", "enabled": false});
    let mut told = record("lambda", "UpdateEventSourceMapping20150331", request);
    let bare = read(&told).unwrap();
    assert_eq!((bare.part.as_deref(), bare.resources.len()), (Some("91eaeb7e"), 0));
    assert_eq!(bare.sentence(), "UpdateEventSourceMapping enabled=false by ci-deploy");
    told["responseElements"] = json!({
        "uUID": "91eaeb7e",
        "eventSourceArn": "arn:aws:sqs:eu-west-1:123456789012:orders",
        "functionArn": "arn:aws:lambda:eu-west-1:123456789012:function:fulfil-order",
    });
    let ids: Vec<String> = read(&told).unwrap().resources.iter().map(ToString::to_string).collect();
    assert_eq!(ids, ["sqs/orders", "lambda/fulfil-order"]);
}

#[test]
fn resources_of_other_accounts_and_regions_are_not_those_of_here() {
    for arn in ["arn:aws:sns:us-east-1:123456789012:promo", "arn:aws:sns:eu-west-1:999999999999:promo"] {
        assert_eq!(read(&record("sns", "SetTopicAttributes", json!({"topicArn": arn}))).unwrap().resources, []);
    }
}

#[test]
fn a_change_of_a_roles_permissions_names_the_role() {
    for event in ["PutRolePolicy", "AttachRolePolicy", "DetachRolePolicy", "DeleteRolePolicy", "UpdateAssumeRolePolicy"]
    {
        let told = read(&record("iam", event, json!({"roleName": "settle-role", "policyName": "read-bids"}))).unwrap();
        assert_eq!((told.role.as_deref(), told.resources.len()), (Some("settle-role"), 0));
        assert_eq!(told.what(), format!("{event} roleName=settle-role policyName=read-bids"));
    }
}

#[test]
fn the_list_of_resources_helps_where_the_parameters_are_left_out() {
    let told = record("sqs", "SetQueueAttributes", json!({"omitted": true, "originalSize": 200_000}));
    let url = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders";
    let found = change(&told, &[("AWS::SQS::Queue", url), ("AWS::IAM::Role", "r")], None).unwrap();
    assert_eq!(found.resources, [ResourceId::new(KindId::Sqs, "orders")]);
}

#[test]
fn what_was_set_is_told_in_few_words() {
    let long = "replay-of-the-orders-that-were-lost-on-friday-night-at-two";
    for (source, event, request, what) in [
        (
            "sns",
            "SetTopicAttributes",
            json!({"topicArn": "x", "attributeName": "DisplayName", "attributeValue": long}),
            "SetTopicAttributes DisplayName=replay-of-the-orders-that-were-lost-on-friday-n…",
        ),
        (
            "sqs",
            "SetQueueAttributes",
            json!({"queueUrl": "https://x/1/orders", "attributes": {"VisibilityTimeout": "2", "Policy": "{\"a\":1}"}}),
            "SetQueueAttributes VisibilityTimeout=2 Policy",
        ),
        (
            "sns",
            "SetSubscriptionAttributes",
            json!({"subscriptionArn": "x", "attributeName": "FilterPolicy", "attributeValue": "{\"a\":[1]}"}),
            "SetSubscriptionAttributes FilterPolicy",
        ),
        (
            "lambda",
            "UpdateFunctionCode20150331v2",
            json!({"functionName": "f", "s3Key": "f/7.zip", "publish": false, "dryRun": false, "environment": {}}),
            "UpdateFunctionCode s3Key=f/7.zip",
        ),
        (
            "lambda",
            "PutFunctionConcurrency20171031",
            json!({"functionName": "f", "reservedConcurrentExecutions": 1}),
            "PutFunctionConcurrency reservedConcurrentExecutions=1",
        ),
    ] {
        assert_eq!(read(&record(source, event, request)).unwrap().what(), what);
    }
}

#[test]
fn who_is_told_short() {
    let role = |role: &str, session: &str| {
        json!({"type": "AssumedRole", "principalId": format!("AROAX:{session}"),
            "arn": format!("arn:aws:sts::1:assumed-role/{role}/{session}"),
            "sessionContext": {"sessionIssuer": {"userName": role}}})
    };
    for (identity, expected) in [
        (json!({"type": "IAMUser", "userName": "ci-deploy"}), "ci-deploy"),
        (json!({"type": "Root", "arn": "arn:aws:iam::1:root"}), "root"),
        (role("deploy", "jenkins-812"), "deploy/jenkins-812"),
        (role("deploy", "botocore-session-1795802400"), "deploy"),
        (role("deploy", "1795802400"), "deploy"),
        (role("settle", "settle"), "settle"),
        (role("AWSReservedSSO_Admin_0a1b2c", "ana@example.com"), "ana@example.com"),
        (
            role("AWSServiceRoleForApplicationAutoScaling_Lambda", "AutoScaling-x"),
            "AWSServiceRoleForApplicationAutoScaling_Lambda",
        ),
        (json!({"type": "AWSService", "invokedBy": "lambda.amazonaws.com"}), "lambda.amazonaws.com"),
        (json!({"type": "AWSAccount", "accountId": "999999999999"}), "account 999999999999"),
        (json!({"type": "FederatedUser", "arn": "arn:aws:sts::1:federated-user/bob"}), "bob"),
        (Value::Null, "somebody"),
    ] {
        assert_eq!(who(&identity), expected);
    }
}

#[test]
fn what_is_not_about_the_estate_is_left_out() {
    let mut read_only = record("sqs", "ListQueues", json!({}));
    read_only["readOnly"] = true.into();
    let mut known_type = record("swf", "RegisterWorkflowType", json!({"domain": "hotel"}));
    known_type["errorCode"] = "TypeAlreadyExistsFault".into();
    for told in [
        record("ec2", "RunInstances", json!({})),
        record("logs", "CreateLogStream", json!({"logGroupName": "/aws/lambda/settle"})),
        record("iam", "TagRole", json!({"roleName": "other"})),
        record("iam", "PutUserPolicy", json!({"userName": "ana", "policyName": "p"})),
        record("sns", "CreatePlatformEndpoint", json!({})),
        read_only,
        known_type,
        json!({}),
        json!([]),
    ] {
        assert_eq!(read(&told), None, "{told}");
    }
    assert!(read(&record("lambda", "CreateCodeSigningConfig20200422", json!({}))).is_some());
}

#[test]
fn refusals_and_midwatchs_own_calls_are_marked() {
    let mut told = record("kinesis", "UpdateShardCount", json!({"streamName": "bids"}));
    told["errorCode"] = "LimitExceededException".into();
    told["userAgent"] = "aws-sdk-rust/1.3.17 ua/2.1 api/kinesis#1.130.0 os/linux app/midwatch".into();
    let found = read(&told).unwrap();
    assert_eq!(found.sentence(), "UpdateShardCount by ci-deploy with midwatch, refused: LimitExceededException");
}

#[test]
fn hostile_text_is_one_short_line() {
    let mut told = record(
        "sqs",
        "SetQueueAttributes",
        json!({
            "queueUrl": "https://x/1/orders",
            "attributes": {"a\u{1b}[31m\n": "b\r\n\u{7}c"},
        }),
    );
    told["userIdentity"]["userName"] = "x\u{1b}]0;y\n".repeat(500).into();
    told["sourceIPAddress"] = "1.2.3.4\u{1b}[2J".into();
    let found = read(&told).unwrap();
    let said = format!("{} {}", found.sentence(), found.source_ip.unwrap());
    assert!(!said.chars().any(char::is_control), "{said:?}");
    assert!(said.chars().count() < 800, "{said}");
}
