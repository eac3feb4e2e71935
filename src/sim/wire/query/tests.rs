//! The query protocol as its clients speak it.

use super::*;
use crate::domain::time::Timestamp;
use crate::sim::cx::Place;
use proptest::prelude::*;
use serde_json::json;
use std::time::Duration;

fn world() -> World {
    let start = Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap();
    let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
    World::new(1, start, place)
}

fn ask(world: &mut World, path: &str, scope: &str, form: &str) -> (u16, String) {
    let credential = format!("AWS4-HMAC-SHA256 Credential=AKID/20261127/eu-west-1/{scope}/aws4_request, Signature=0");
    let headers =
        [("content-type", "application/x-www-form-urlencoded; charset=utf-8"), ("authorization", &credential)];
    let request = Request {
        method: "POST".into(),
        path: path.into(),
        query: String::new(),
        headers: headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
        body: Bytes::from(form.to_owned()),
    };
    let mut call = Call::new(request, world.now);
    match wire::handle(world, &mut call) {
        Reply::Done(response) => (response.status, String::from_utf8(response.body.to_vec()).unwrap()),
        Reply::Later(at) => panic!("waits until {at}"),
    }
}

fn sqs(world: &mut World, path: &str, form: &str) -> String {
    ask(world, path, "sqs", form).1
}

/// The text between the first `<name>` and its end.
fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let (_, tail) = xml.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {xml}"));
    tail.split_once(&format!("</{name}>")).map_or(tail, |(text, _)| text)
}

fn read(service: Service, operation: &str, form: &str) -> Value {
    form::input(Dialect::of(service).unwrap(), operation, form::parameters(form)).unwrap()
}

#[test]
fn a_form_becomes_the_input_that_json_would_have_given() {
    let send = "Action=SendMessage&Version=2012-11-05&MessageBody=a+b%26c&DelaySeconds=5\
                &MessageAttribute.2.Name=n&MessageAttribute.2.Value.DataType=Number&MessageAttribute.2.Value.StringValue=1\
                &MessageAttribute.1.Name=b&MessageAttribute.1.Value.DataType=Binary&MessageAttribute.1.Value.BinaryValue=AAE%3D";
    let expected = json!({
        "MessageBody": "a b&c",
        "DelaySeconds": 5,
        "MessageAttributes": {
            "b": { "DataType": "Binary", "BinaryValue": "AAE=" },
            "n": { "DataType": "Number", "StringValue": "1" },
        },
    });
    assert_eq!(read(Service::Sqs, "SendMessage", send), expected);

    let batch = "DeleteMessageBatchRequestEntry.1.Id=a&DeleteMessageBatchRequestEntry.1.ReceiptHandle=h";
    assert_eq!(
        read(Service::Sqs, "DeleteMessageBatch", batch),
        json!({ "Entries": [{ "Id": "a", "ReceiptHandle": "h" }] })
    );
    let attributes =
        "Attribute.Name=VisibilityTimeout&Attribute.Value=7&QueueUrl=http://h/1/q&AttributeName.2=b&AttributeName.1=a";
    assert_eq!(
        read(Service::Sqs, "SetQueueAttributes", attributes),
        json!({ "Attributes": { "VisibilityTimeout": "7" }, "QueueUrl": "http://h/1/q", "AttributeNames": ["a", "b"] })
    );

    let put = "Namespace=App&MetricData.member.1.MetricName=m&MetricData.member.1.Value=2.5\
               &MetricData.member.1.Timestamp=1970-01-01T00:01:00Z&MetricData.member.1.Values.member.1=1\
               &MetricData.member.1.Dimensions.member.1.Name=Queue&MetricData.member.1.Dimensions.member.1.Value=7";
    let datum = json!({
        "MetricName": "m", "Value": 2.5, "Timestamp": 60.0, "Values": [1.0],
        "Dimensions": [{ "Name": "Queue", "Value": "7" }],
    });
    assert_eq!(read(Service::CloudWatch, "PutMetricData", put), json!({ "Namespace": "App", "MetricData": [datum] }));

    let topic = "Name=t&Attributes.entry.1.key=FifoTopic&Attributes.entry.1.value=true&Tags.member.1.Key=a&Tags.member.1.Value=b";
    assert_eq!(
        read(Service::Sns, "CreateTopic", topic),
        json!({ "Name": "t", "Attributes": { "FifoTopic": "true" }, "Tags": [{ "Key": "a", "Value": "b" }] })
    );
    let publish = "MessageAttributes.entry.1.Name=k&MessageAttributes.entry.1.Value.DataType=String\
                   &MessageAttributes.entry.1.Value.StringValue=v&ReturnSubscriptionArn=true";
    assert_eq!(
        read(Service::Sns, "Publish", publish),
        json!({ "MessageAttributes": { "k": { "DataType": "String", "StringValue": "v" } }, "ReturnSubscriptionArn": true })
    );
}

#[test]
fn an_empty_list_and_a_gap_in_the_numbers_are_no_mistakes() {
    assert_eq!(read(Service::CloudWatch, "DescribeAlarms", "AlarmNames="), json!({ "AlarmNames": [] }));
    assert_eq!(read(Service::Sqs, "GetQueueAttributes", "AttributeName="), json!({ "AttributeNames": [] }));
    assert_eq!(read(Service::Sqs, "SendMessageBatch", "Entries="), json!({ "Entries": [] }));
    let gap = "AlarmNames.member.10=b&AlarmNames.member.9=a";
    assert_eq!(read(Service::CloudWatch, "DescribeAlarms", gap), json!({ "AlarmNames": ["a", "b"] }));
}

#[test]
fn a_form_that_makes_no_sense_is_malformed() {
    let deep = format!("A{}=x", ".B".repeat(100_000));
    for form in ["A=1&A.B=2", "AlarmNames.member.x=1", "Tags.entry.1.value=v", "Tags.entry.1=v", &deep] {
        let (status, body) = ask(&mut world(), "/", "monitoring", &format!("Action=DescribeAlarms&{form}"));
        assert_eq!((status, element(&body, "Code")), (400, "MalformedInput"), "{form:.40}");
    }
}

#[test]
fn sqs_is_served_from_creating_a_queue_to_deleting_a_batch() {
    let mut world = world();
    let created = sqs(
        &mut world,
        "/",
        "Action=CreateQueue&QueueName=q&Attribute.1.Name=VisibilityTimeout&Attribute.1.Value=40&Tag.1.Key=a&Tag.1.Value=b",
    );
    assert!(
        created
            .contains("<CreateQueueResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"><CreateQueueResult>"),
        "{created}"
    );
    assert!(element(&created, "QueueUrl").ends_with("/123456789012/q"), "{created}");
    let path = "/123456789012/q";
    let sent = sqs(
        &mut world,
        path,
        "Action=SendMessage&MessageBody=%3Cb%3E&MessageAttribute.1.Name=k&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=v",
    );
    assert_eq!(element(&sent, "MD5OfMessageBody").len(), 32);
    assert_eq!(element(&sent, "MD5OfMessageAttributes").len(), 32);
    let received = sqs(
        &mut world,
        path,
        "Action=ReceiveMessage&MaxNumberOfMessages=10&AttributeName.1=All&MessageAttributeName.1=All",
    );
    let message = element(&received, "Message");
    assert_eq!(element(message, "Body"), "&lt;b&gt;");
    assert!(
        message.contains("<Attribute><Name>ApproximateReceiveCount</Name><Value>1</Value></Attribute>"),
        "{message}"
    );
    let attribute = "<MessageAttribute><Name>k</Name><Value><StringValue>v</StringValue><DataType>String</DataType></Value></MessageAttribute>";
    assert!(message.contains(attribute), "{message}");
    let handle =
        percent_encoding::utf8_percent_encode(element(message, "ReceiptHandle"), percent_encoding::NON_ALPHANUMERIC);
    let entry = "DeleteMessageBatchRequestEntry";
    let form = format!(
        "Action=DeleteMessageBatch&{entry}.1.Id=a&{entry}.1.ReceiptHandle={handle}&{entry}.2.Id=b&{entry}.2.ReceiptHandle=zz"
    );
    let deleted = sqs(&mut world, path, &form);
    assert_eq!(element(&deleted, "DeleteMessageBatchResultEntry"), "<Id>a</Id>");
    let failed = element(&deleted, "BatchResultErrorEntry");
    assert_eq!((element(failed, "Code"), element(failed, "SenderFault")), ("ReceiptHandleIsInvalid", "true"));
    let attributes = sqs(&mut world, path, "Action=GetQueueAttributes&AttributeName.1=VisibilityTimeout");
    assert!(
        attributes.contains("<Attribute><Name>VisibilityTimeout</Name><Value>40</Value></Attribute>"),
        "{attributes}"
    );
    let tags = sqs(&mut world, path, "Action=ListQueueTags");
    assert!(
        tags.contains("<ListQueueTagsResult><Tag><Key>a</Key><Value>b</Value></Tag></ListQueueTagsResult>"),
        "{tags}"
    );
    assert!(sqs(&mut world, path, "Action=ReceiveMessage").contains("<ReceiveMessageResult/>"));
    let purged = sqs(&mut world, path, "Action=PurgeQueue");
    assert!(purged.contains("2012-11-05/\"><ResponseMetadata>"), "no result element: {purged}");
    assert!(element(&sqs(&mut world, "/", "Action=ListQueues"), "ListQueuesResult").contains("<QueueUrl>"));
}

#[test]
fn sqs_says_in_query_what_it_says_there() {
    let mut world = world();
    for (path, form, code, message) in [
        ("/", "Action=Fly&Version=2012-11-05", "InvalidAction", "The action Fly is not valid for this endpoint."),
        (
            "/123456789012/q",
            "Action=ListQueues",
            "InvalidAction",
            "The action ListQueues is not valid for this endpoint.",
        ),
        (
            "/123456789012/q",
            "Action=PurgeQueue",
            "AWS.SimpleQueueService.NonExistentQueue",
            "The specified queue does not exist for this wsdl version.",
        ),
        (
            "/123456789012/q",
            "Action=SendMessage",
            "MissingParameter",
            "The request must contain the parameter MessageBody.",
        ),
    ] {
        let (status, body) = ask(&mut world, path, "sqs", form);
        assert_eq!(status, 400, "{body}");
        assert_eq!(
            (element(&body, "Type"), element(&body, "Code"), element(&body, "Message")),
            ("Sender", code, message)
        );
        assert!(body.contains("<Detail/>"), "{body}");
    }
}

#[test]
fn who_accepts_json_gets_json() {
    let mut world = world();
    sqs(&mut world, "/", "Action=CreateQueue&QueueName=q");
    let ask = |world: &mut World, query: &str| {
        let request = Request {
            method: "GET".into(),
            path: "/123456789012/q".into(),
            query: query.into(),
            headers: vec![("accept".into(), "application/json".into())],
            body: Bytes::new(),
        };
        match wire::handle(world, &mut Call::new(request, world.now)) {
            Reply::Done(response) => (response.status, serde_json::from_slice::<Value>(&response.body).unwrap()),
            Reply::Later(at) => panic!("waits until {at}"),
        }
    };
    let (status, answer) = ask(&mut world, "Action=GetQueueAttributes&AttributeName.1=VisibilityTimeout");
    let attributes = &answer["GetQueueAttributesResponse"]["GetQueueAttributesResult"]["Attributes"];
    assert_eq!((status, attributes), (200, &json!([{ "Name": "VisibilityTimeout", "Value": "30" }])));
    let (status, answer) = ask(&mut world, "Action=ListQueues");
    assert_eq!((status, &answer["Error"]["Code"]), (400, &json!("InvalidAction")));
    assert_eq!(answer["Error"]["Message"], "The action ListQueues is not valid for this endpoint.");
}

#[test]
fn cloudwatch_puts_and_gets_with_iso_times() {
    let mut world = world();
    let put = "Action=PutMetricData&Version=2010-08-01&Namespace=App&MetricData.member.1.MetricName=m&MetricData.member.1.Value=2.5\
               &MetricData.member.1.Timestamp=2026-11-27T17:59:30Z";
    let (status, body) = ask(&mut world, "/", "monitoring", put);
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("2010-08-01/\"><ResponseMetadata>"), "{body}");
    world.advance_to(world.now + Duration::from_secs(120));
    let get = "Action=GetMetricStatistics&Version=2010-08-01&Namespace=App&MetricName=m&Period=60&Statistics.member.1=Sum\
               &StartTime=2026-11-27T17:00:00Z&EndTime=2026-11-27T19:00:00Z&ExtendedStatistics=";
    let (status, body) = ask(&mut world, "/", "monitoring", get);
    assert_eq!(status, 200, "{body}");
    let point = element(element(&body, "Datapoints"), "member");
    assert_eq!((element(point, "Timestamp"), element(point, "Sum")), ("2026-11-27T17:59:00Z", "2.5"));
    let data = "Action=GetMetricData&Version=2010-08-01&StartTime=2026-11-27T17:00:00Z&EndTime=2026-11-27T19:00:00Z\
                &MetricDataQueries.member.1.Id=a&MetricDataQueries.member.1.ReturnData=true\
                &MetricDataQueries.member.1.MetricStat.Metric.Namespace=App&MetricDataQueries.member.1.MetricStat.Metric.MetricName=m\
                &MetricDataQueries.member.1.MetricStat.Period=60&MetricDataQueries.member.1.MetricStat.Stat=Sum";
    let (status, body) = ask(&mut world, "/", "monitoring", data);
    assert_eq!(status, 200, "{body}");
    assert_eq!(element(&body, "Timestamps"), "<member>2026-11-27T17:59:00Z</member>");
    assert_eq!(element(&body, "Values"), "<member>2.5</member>");
    let (status, body) = ask(
        &mut world,
        "/",
        "monitoring",
        "Action=GetMetricStatistics&Version=2010-08-01&Period=ten&Namespace=a&MetricName=b&StartTime=0&EndTime=1",
    );
    assert_eq!((status, element(&body, "Code")), (400, "MalformedInput"));
}

#[test]
fn what_is_not_served_is_an_invalid_action_of_its_service() {
    let mut world = world();
    let (status, body) = ask(&mut world, "/", "sns", "Action=Fly&Version=2010-03-31");
    assert_eq!((status, element(&body, "Code")), (400, "InvalidAction"));
    assert_eq!(element(&body, "Message"), "Could not find operation Fly for version 2010-03-31");
    assert!(body.contains("http://sns.amazonaws.com/doc/2010-03-31/"), "{body}");
    let (status, body) = ask(&mut world, "/", "ec2", "Action=%3CFly%3E");
    assert_eq!((status, element(&body, "Code")), (400, "InvalidAction"));
    assert_eq!(element(&body, "Message"), "Could not find operation &lt;Fly&gt; for version NO_VERSION_SPECIFIED");
}

proptest! {
    /// What the form reader gives never depends on the order of a list's parameters.
    #[test]
    fn the_order_of_parameters_is_the_order_of_their_numbers(
        items in prop::collection::vec("[a-z]{1,4}", 1..12),
        seed in any::<u64>(),
    ) {
        let mut parameters: Vec<String> =
            items.iter().enumerate().map(|(i, item)| format!("AttributeName.{}={item}", i + 1)).collect();
        let turn = (seed % parameters.len() as u64) as usize;
        parameters.rotate_left(turn);
        let value = read(Service::Sqs, "GetQueueAttributes", &parameters.join("&"));
        prop_assert_eq!(value, json!({ "AttributeNames": items }));
    }
}
