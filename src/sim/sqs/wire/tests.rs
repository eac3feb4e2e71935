//! The wire by example: what a client's request says and what it reads.

use super::*;
use crate::domain::time::Timestamp;
use crate::sim::cx::Place;
use crate::sim::sts;
use crate::sim::wire::Request;
use bytes::Bytes;
use serde_json::json;
use std::time::Duration;

const ORDERS: &str = "http://127.0.0.1:4566/123456789012/orders";
const ORDERS_DLQ: &str = "http://127.0.0.1:4566/123456789012/orders-dlq";
const DLQ_ARN: &str = "arn:aws:sqs:eu-west-1:123456789012:orders-dlq";

fn world() -> World {
    let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
    World::new(1, Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap(), place)
}

fn call_of(world: &World, host: &str) -> Call {
    let request = Request {
        method: "POST".into(),
        path: "/".into(),
        query: String::new(),
        headers: vec![("host".into(), host.into())],
        body: Bytes::new(),
    };
    Call::new(request, world.now)
}

fn ask(world: &mut World, operation: &str, input: Value) -> Result<Value, ApiError> {
    let mut call = call_of(world, "127.0.0.1:4566");
    match answer(world, &mut call, operation, &input)? {
        Reply::Done(value) => Ok(value),
        Reply::Later(at) => panic!("waits until {at}"),
    }
}

fn with_orders() -> World {
    let mut world = world();
    ask(&mut world, "CreateQueue", json!({ "QueueName": "orders-dlq" })).unwrap();
    let policy = json!({ "deadLetterTargetArn": DLQ_ARN, "maxReceiveCount": 1 }).to_string();
    let input = json!({ "QueueName": "orders", "Attributes": { "RedrivePolicy": policy } });
    assert_eq!(ask(&mut world, "CreateQueue", input).unwrap(), json!({ "QueueUrl": ORDERS }));
    world
}

fn wait(world: &mut World, seconds: u64) {
    let until = world.now + Duration::from_secs(seconds);
    world.advance_to(until);
}

#[test]
fn a_message_travels_with_its_checksums_and_attributes() {
    let mut world = with_orders();
    let attributes = json!({ "General": { "DataType": "String", "StringValue": "Kenobi" },
        "Hello": { "DataType": "String", "StringValue": "There" },
        "Help.Me": { "DataType": "String", "StringValue": "Me" } });
    let input = json!({ "QueueUrl": ORDERS, "MessageBody": "msg", "MessageAttributes": attributes });
    let sent = ask(&mut world, "SendMessage", input).unwrap();
    assert_eq!(sent["MD5OfMessageBody"], "6e2baaf3b97dbeef01c0043275f9a0e7");
    assert_eq!(sent["MD5OfMessageAttributes"], "4c360f3fdafd970e05fae2f149d997f5");
    let input = json!({ "QueueUrl": ORDERS, "AttributeNames": ["ApproximateReceiveCount"],
        "MessageSystemAttributeNames": ["SentTimestamp"], "MessageAttributeNames": ["Hello", "Foo"] });
    let received = ask(&mut world, "ReceiveMessage", input).unwrap();
    let message = &received["Messages"][0];
    assert_eq!((&message["Body"], &message["MessageId"]), (&json!("msg"), &sent["MessageId"]));
    assert_eq!(message["MD5OfMessageAttributes"], "a311262e065454b75da111d535b8dacd", "only of what was asked for");
    assert_eq!(message["Attributes"], json!({ "ApproximateReceiveCount": "1", "SentTimestamp": "1795802400000" }));
    let input = json!({ "QueueUrl": ORDERS, "ReceiptHandle": message["ReceiptHandle"] });
    ask(&mut world, "DeleteMessage", input).unwrap();
    let input = json!({ "QueueUrl": ORDERS, "AttributeNames": ["ApproximateNumberOfMessagesNotVisible"] });
    let attributes = ask(&mut world, "GetQueueAttributes", input).unwrap();
    assert_eq!(attributes, json!({ "Attributes": { "ApproximateNumberOfMessagesNotVisible": "0" } }));
}

#[test]
fn a_long_poll_waits_and_is_one_empty_receive() {
    let mut world = with_orders();
    let mut call = call_of(&world, "127.0.0.1:4566");
    let input = json!({ "QueueUrl": ORDERS, "WaitTimeSeconds": 20 });
    let until = world.now + Duration::from_secs(20);
    assert_eq!(answer(&mut world, &mut call, "ReceiveMessage", &input), Ok(Reply::Later(until)));
    wait(&mut world, 5);
    assert_eq!(answer(&mut world, &mut call, "ReceiveMessage", &input), Ok(Reply::Later(until)));
    assert_eq!(world.sqs.queue("orders").unwrap().counters.empty_receives, 0);
    wait(&mut world, 15);
    assert_eq!(answer(&mut world, &mut call, "ReceiveMessage", &input), Ok(Reply::Done(json!({}))));
    assert_eq!(world.sqs.queue("orders").unwrap().counters.empty_receives, 1);
}

#[test]
fn a_batch_reports_each_entry_for_itself() {
    let mut world = with_orders();
    let input = json!({ "QueueUrl": ORDERS, "Entries": [
        { "Id": "good", "MessageBody": "one" }, { "Id": "bad", "MessageBody": "\u{1}" } ] });
    let answer = ask(&mut world, "SendMessageBatch", input).unwrap();
    assert_eq!(answer["Successful"][0]["Id"], "good");
    let failed = &answer["Failed"][0];
    assert_eq!((&failed["Id"], &failed["Code"]), (&json!("bad"), &json!("InvalidMessageContents")));
    assert_eq!(failed["SenderFault"], true);
    let refused = |world: &mut World, entries: Value| {
        let input = json!({ "QueueUrl": ORDERS, "Entries": entries });
        ask(world, "SendMessageBatch", input).unwrap_err().query_code.unwrap()
    };
    let entry = |id: &str, body: &str| json!({ "Id": id, "MessageBody": body });
    let prefix = "AWS.SimpleQueueService.";
    assert_eq!(refused(&mut world, json!([])), format!("{prefix}EmptyBatchRequest"));
    let eleven: Vec<Value> = (0..11).map(|n| entry(&n.to_string(), "x")).collect();
    assert_eq!(refused(&mut world, eleven.into()), format!("{prefix}TooManyEntriesInBatchRequest"));
    let twice = json!([entry("a", "x"), entry("a", "y")]);
    assert_eq!(refused(&mut world, twice), format!("{prefix}BatchEntryIdsNotDistinct"));
    assert_eq!(refused(&mut world, json!([entry("a:b", "x")])), format!("{prefix}InvalidBatchEntryId"));
    let long = json!([entry("a", &"x".repeat(1_048_576)), entry("b", "y")]);
    assert_eq!(refused(&mut world, long), format!("{prefix}BatchRequestTooLong"));
}

#[test]
fn errors_carry_awss_codes_old_and_new() {
    let mut world = with_orders();
    let mut refused = |operation: &str, input: Value| {
        let error = ask(&mut world, operation, input).unwrap_err();
        (error.code, error.query_code.unwrap_or(error.code), error.status)
    };
    let nowhere = "http://127.0.0.1:4566/123456789012/nowhere";
    assert_eq!(
        refused("SendMessage", json!({ "QueueUrl": nowhere, "MessageBody": "x" })),
        ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", 400)
    );
    assert_eq!(
        refused("SendMessage", json!({ "QueueUrl": ORDERS })),
        ("MissingRequiredParameterException", "MissingParameter", 400)
    );
    assert_eq!(
        refused("ReceiveMessage", json!({ "QueueUrl": ORDERS, "MaxNumberOfMessages": 11 })),
        ("InvalidParameterValueException", "InvalidParameterValue", 400)
    );
    assert_eq!(
        refused("DeleteMessage", json!({ "QueueUrl": ORDERS, "ReceiptHandle": "garbage" })),
        ("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", 404)
    );
    assert_eq!(refused("SendMessage", json!({ "QueueUrl": 7, "MessageBody": "x" })).0, "SerializationException");
    assert_eq!(refused("Dance", json!({})).0, "UnknownOperationException");
    refused("PurgeQueue", json!({ "QueueUrl": nowhere }));
    ask(&mut world, "PurgeQueue", json!({ "QueueUrl": ORDERS })).unwrap();
    let again = ask(&mut world, "PurgeQueue", json!({ "QueueUrl": ORDERS })).unwrap_err();
    assert_eq!(again.query_code, Some("AWS.SimpleQueueService.PurgeQueueInProgress"));
}

#[test]
fn a_move_task_is_started_listed_and_cancelled_by_its_handle() {
    let mut world = with_orders();
    for n in 0..10 {
        ask(&mut world, "SendMessage", json!({ "QueueUrl": ORDERS_DLQ, "MessageBody": n.to_string() })).unwrap();
    }
    let orders_arn = "arn:aws:sqs:eu-west-1:123456789012:orders";
    let input = json!({ "SourceArn": DLQ_ARN, "DestinationArn": orders_arn, "MaxNumberOfMessagesPerSecond": 1 });
    let handle = ask(&mut world, "StartMessageMoveTask", input.clone()).unwrap()["TaskHandle"].clone();
    let twice = ask(&mut world, "StartMessageMoveTask", input).unwrap_err();
    assert!(twice.message.starts_with("There is already a task running."));
    wait(&mut world, 2);
    let running = ask(&mut world, "ListMessageMoveTasks", json!({ "SourceArn": DLQ_ARN })).unwrap();
    let expected = json!({ "TaskHandle": handle, "Status": "RUNNING", "SourceArn": DLQ_ARN,
        "DestinationArn": orders_arn, "MaxNumberOfMessagesPerSecond": 1, "ApproximateNumberOfMessagesMoved": 2,
        "ApproximateNumberOfMessagesToMove": 10, "StartedTimestamp": 1_795_802_400_000_i64 });
    assert_eq!(running, json!({ "Results": [expected] }));
    let cancelled = ask(&mut world, "CancelMessageMoveTask", json!({ "TaskHandle": handle })).unwrap();
    assert_eq!(cancelled, json!({ "ApproximateNumberOfMessagesMoved": 2 }));
    let status = |world: &mut World| {
        ask(world, "ListMessageMoveTasks", json!({ "SourceArn": DLQ_ARN })).unwrap()["Results"][0].clone()
    };
    assert_eq!(status(&mut world)["Status"], "CANCELLING");
    wait(&mut world, 1);
    assert_eq!(status(&mut world)["Status"], "CANCELLED");
    assert!(status(&mut world).get("TaskHandle").is_none(), "only a running task shows its handle");
    let unknown = ask(&mut world, "CancelMessageMoveTask", json!({ "TaskHandle": "garbage" })).unwrap_err();
    assert_eq!(unknown.message, "Value for parameter TaskHandle is invalid.");
    let input = json!({ "SourceArn": orders_arn });
    let no_dlq = ask(&mut world, "StartMessageMoveTask", input).unwrap_err();
    assert_eq!(no_dlq.message, "Source queue must be configured as a Dead Letter Queue.");
}

#[test]
fn lists_are_paged_and_left_out_when_empty() {
    let mut world = world();
    assert_eq!(ask(&mut world, "ListQueues", json!({})).unwrap(), json!({}));
    for name in ["a1", "a2", "a3", "b"] {
        ask(&mut world, "CreateQueue", json!({ "QueueName": name })).unwrap();
    }
    let first = ask(&mut world, "ListQueues", json!({ "QueueNamePrefix": "a", "MaxResults": 2 })).unwrap();
    assert_eq!(first["QueueUrls"].as_array().unwrap().len(), 2);
    let input = json!({ "QueueNamePrefix": "a", "MaxResults": 2, "NextToken": first["NextToken"] });
    let second = ask(&mut world, "ListQueues", input).unwrap();
    let foreign = json!({ "QueueNamePrefix": "b", "MaxResults": 2, "NextToken": first["NextToken"] });
    assert!(ask(&mut world, "ListQueues", foreign).is_err(), "a token of another list is no end of this one");
    assert_eq!(second, json!({ "QueueUrls": ["http://127.0.0.1:4566/123456789012/a3"] }));
    let mut call = call_of(&world, "sqs.eu-west-1.amazonaws.com");
    let url = answer(&mut world, &mut call, "GetQueueUrl", &json!({ "QueueName": "b" })).unwrap();
    let expected = json!({ "QueueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/b" });
    assert_eq!(url, Reply::Done(expected));
}

#[test]
fn a_permission_is_a_statement_of_the_policy_until_its_label_is_removed() {
    let mut world = with_orders();
    let url = "http://localhost/123456789012/orders";
    let add = |label: &str, accounts: Value, actions: Value| json!({ "QueueUrl": url, "Label": label, "AWSAccountIds": accounts, "Actions": actions });
    let policy = |world: &mut World| -> Option<Value> {
        let answer =
            ask(world, "GetQueueAttributes", json!({ "QueueUrl": url, "AttributeNames": ["Policy"] })).unwrap();
        answer["Attributes"]["Policy"].as_str().map(|text| serde_json::from_str(text).unwrap())
    };
    let both = json!(["111122223333", "444455556666"]);
    ask(&mut world, "AddPermission", add("shared", both, json!(["ReceiveMessage"]))).unwrap();
    let arn = "arn:aws:sqs:eu-west-1:123456789012:orders";
    assert_eq!(
        policy(&mut world),
        Some(json!({
            "Version": "2008-10-17", "Id": format!("{arn}/SQSDefaultPolicy"),
            "Statement": [{
                "Sid": "shared", "Effect": "Allow",
                "Principal": { "AWS": ["arn:aws:iam::111122223333:root", "arn:aws:iam::444455556666:root"] },
                "Action": "SQS:ReceiveMessage", "Resource": arn,
            }],
        }))
    );
    let again = ask(&mut world, "AddPermission", add("shared", json!(["111122223333"]), json!(["*"]))).unwrap_err();
    assert_eq!(again.message, "Value shared for parameter Label is invalid. Reason: Already exists.");
    let owner =
        ask(&mut world, "AddPermission", add("x", json!(["111122223333"]), json!(["DeleteQueue"]))).unwrap_err();
    assert!(owner.message.starts_with("Value SQS:DeleteQueue for parameter ActionName is invalid."), "{owner}");
    let remove = json!({ "QueueUrl": url, "Label": "shared" });
    assert_eq!(ask(&mut world, "RemovePermission", remove.clone()).unwrap(), json!({}));
    assert_eq!(policy(&mut world), None);
    let gone = ask(&mut world, "RemovePermission", remove).unwrap_err();
    assert_eq!(gone.message, "Value shared for parameter Label is invalid. Reason: can't find label.");
    assert_eq!(gone.query_code, Some("InvalidParameterValue"));
}

#[test]
fn a_fifo_queue_takes_three_hundred_sends_a_second_unless_its_limit_is_by_group() {
    let mut world = world();
    let fifo = |name: &str, limit: &str| {
        json!({ "QueueName": name, "Attributes": {
            "FifoQueue": "true", "ContentBasedDeduplication": "true", "DeduplicationScope": "messageGroup",
            "FifoThroughputLimit": limit,
        }})
    };
    ask(&mut world, "CreateQueue", fifo("slow.fifo", "perQueue")).unwrap();
    ask(&mut world, "CreateQueue", fifo("fast.fifo", "perMessageGroupId")).unwrap();
    let mut taken = |name: &str| {
        let url = format!("http://localhost/123456789012/{name}");
        let send = json!({ "QueueUrl": url, "MessageBody": "b", "MessageGroupId": "g" });
        (0..400).filter(|_| ask(&mut world, "SendMessage", send.clone()).is_ok()).count()
    };
    assert_eq!((taken("slow.fifo"), taken("fast.fifo")), (300, 400));
    let url = "http://localhost/123456789012/slow.fifo";
    let send = json!({ "QueueUrl": url, "MessageBody": "b", "MessageGroupId": "g" });
    assert_eq!(ask(&mut world, "SendMessage", send).unwrap_err().code, "RequestThrottled");
    // Each action has its own rate.
    assert!(ask(&mut world, "ReceiveMessage", json!({ "QueueUrl": url })).is_ok());
}

#[test]
fn what_a_policy_denies_it_denies_the_owner_too_who_is_not_locked_out() {
    let mut world = with_orders();
    let arn = "arn:aws:sqs:eu-west-1:123456789012:orders";
    let deny = |actions: Value, principal: &str| {
        let statement = json!({ "Effect": "Deny", "Principal": principal, "Action": actions, "Resource": arn });
        let policy = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        json!({ "QueueUrl": ORDERS, "Attributes": { "Policy": policy } })
    };
    let send = json!({ "QueueUrl": ORDERS, "MessageBody": "1" });
    ask(&mut world, "SetQueueAttributes", deny(json!("sqs:SendMessage"), "*")).unwrap();
    let user = sts::identity(&world, &call_of(&world, "127.0.0.1:4566").request).arn;
    let entries = json!([{ "Id": "a", "MessageBody": "1" }]);
    for (operation, input) in
        [("SendMessage", send.clone()), ("SendMessageBatch", json!({ "QueueUrl": ORDERS, "Entries": entries }))]
    {
        let error = ask(&mut world, operation, input).unwrap_err();
        assert_eq!((error.code, error.query_code, error.status), ("AccessDeniedException", Some("AccessDenied"), 403));
        let message = format!(
            "User: {user} is not authorized to perform: sqs:sendmessage on resource: {arn} with an explicit deny in a \
             resource-based policy"
        );
        assert_eq!(error.message, message, "{operation}");
    }
    ask(&mut world, "ReceiveMessage", json!({ "QueueUrl": ORDERS })).unwrap();
    ask(&mut world, "SetQueueAttributes", deny(json!("sqs:*"), "*")).unwrap();
    for (operation, input) in [
        ("ReceiveMessage", json!({ "QueueUrl": ORDERS })),
        ("GetQueueUrl", json!({ "QueueName": "orders" })),
        ("TagQueue", json!({ "QueueUrl": ORDERS, "Tags": { "a": "b" } })),
    ] {
        assert_eq!(ask(&mut world, operation, input).unwrap_err().code, "AccessDeniedException", "{operation}");
    }
    ask(&mut world, "SetQueueAttributes", json!({ "QueueUrl": ORDERS, "Attributes": { "Policy": "" } })).unwrap();
    ask(&mut world, "SendMessage", send).unwrap();
    ask(&mut world, "SetQueueAttributes", deny(json!("sqs:*"), "*")).unwrap();
    ask(&mut world, "DeleteQueue", json!({ "QueueUrl": ORDERS })).unwrap();
}
