//! What arrives where, and in which form.

use super::*;

#[test]
fn a_queue_gets_the_message_in_awss_envelope() {
    let (mut bench, id) = Bench::with_inbox(&[]);
    let publication = Publication { subject: Some("Hi".into()), ..with_attribute("a \"b\"", "n", "Number", "7") };
    let published = bench.publish("news", publication).unwrap();
    let (body, attributes) = bench.receive("inbox").remove(0);
    assert!(attributes.is_empty(), "they are in the envelope");
    let lines: Vec<&str> = body.lines().collect();
    assert_eq!(lines[..2], ["{", "  \"Type\" : \"Notification\","]);
    assert_eq!(lines[2], format!("  \"MessageId\" : \"{}\",", published.message_id));
    assert_eq!(
        lines[lines.len() - 4..],
        ["  \"MessageAttributes\" : {", "    \"n\" : {\"Type\":\"Number\",\"Value\":\"7\"}", "  }", "}",]
    );
    let json: Value = serde_json::from_str(&body).unwrap();
    let arn = "arn:aws:sns:eu-west-1:123456789012:news";
    assert_eq!((&json["Message"], &json["Subject"], &json["TopicArn"]), (&"a \"b\"".into(), &"Hi".into(), &arn.into()));
    assert_eq!(json["Timestamp"], "2026-11-27T18:00:00.000Z");
    let unsubscribe = format!("https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={arn}:{id}");
    assert_eq!(json["UnsubscribeURL"], unsubscribe);
    assert_eq!(json["SignatureVersion"], "1");
}

#[test]
fn raw_delivery_keeps_body_and_up_to_ten_attributes() {
    let (mut bench, id) = Bench::with_inbox(&[("RawMessageDelivery", "true")]);
    bench.publish("news", with_attribute("plain", "n", "Number", "7")).unwrap();
    let (body, attributes) = bench.receive("inbox").remove(0);
    assert_eq!((body.as_str(), &attributes["n"]), ("plain", &AttributeValue::text("Number", "7")));
    let many = (0..11).map(|n| (format!("a{n}"), AttributeValue::text("String", "x"))).collect();
    bench.publish("news", Publication { attributes: many, ..text("too many") }).unwrap();
    assert!(bench.receive("inbox").is_empty(), "eleven are a client error");
    assert_eq!(bench.tally("news", &id).dropped, 1);
}

#[test]
fn each_protocol_gets_its_own_text_of_a_structured_message() {
    let (mut bench, _) = Bench::with_inbox(&[("RawMessageDelivery", "true")]);
    let structured = |body: &str| Publication { by_protocol: true, ..text(body) };
    bench.publish("news", structured(r#"{"default": "d", "sqs": "for queues", "http": 1}"#)).unwrap();
    bench.publish("news", structured(r#"{"default": "d", "http": "for hooks"}"#)).unwrap();
    assert_eq!(bench.bodies("inbox"), ["for queues", "d"]);
    let refused = bench.publish("news", structured(r#"{"sqs": "x", "default": {}}"#)).unwrap_err();
    assert_eq!(refused.message, "Invalid parameter: Message Structure - No default entry in JSON message body");
    let refused = bench.publish("news", structured("{oops")).unwrap_err();
    assert_eq!(refused.message, "Invalid parameter: Message Structure - JSON message body failed to parse");
}

#[test]
fn a_function_gets_the_record_that_aws_sends() {
    let mut bench = Bench::new();
    bench.topic("news", &[]);
    let (lambda, mut cx) = bench.world.lambda_cx();
    lambda.create_function(&mut cx, "reader", Default::default(), b"zip", Default::default()).unwrap();
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:reader";
    let id = bench.subscribe("news", "lambda", arn, &[]).unwrap();
    let (sns, mut cx) = bench.world.sns_cx();
    let (_, mut deliveries) = sns.publish(&mut cx, "news", text("hello")).unwrap();
    let Destination::Function { event, .. } = &deliveries[0].to else { panic!("{deliveries:?}") };
    let event: Value = serde_json::from_slice(event).unwrap();
    let record = &event["Records"][0];
    assert_eq!((&record["EventSource"], &record["EventVersion"]), (&"aws:sns".into(), &"1.0".into()));
    assert_eq!(record["Sns"]["Message"], "hello");
    assert_eq!(record["Sns"]["Subject"], Value::Null);
    assert_eq!(record["Sns"]["MessageAttributes"], serde_json::json!({}));
    assert!(record["Sns"]["SigningCertUrl"].as_str().unwrap().ends_with(".pem"));
    fanout::deliver(&mut bench.world, deliveries.drain(..));
    bench.pass(Duration::from_secs(30));
    assert_eq!(bench.world.lambda.invocations_begun(), 1);
    assert_eq!(bench.tally("news", &id).delivered, 1);
}

#[test]
fn a_deleted_queue_is_never_retried_and_its_messages_go_to_the_dead_letter_queue() {
    let (mut bench, id) = Bench::with_inbox(&[("RawMessageDelivery", "true")]);
    bench.queue("dead");
    let policy = redrive_to(&bench.queue_arn("dead"));
    bench.set("news", &id, "RedrivePolicy", &policy).unwrap();
    let (sqs, mut cx) = bench.world.sqs_cx();
    sqs.delete_queue(&mut cx, "inbox").unwrap();
    bench.publish("news", with_attribute("orphan", "k", "String", "v")).unwrap();
    let (body, attributes) = bench.receive("dead").remove(0);
    assert_eq!((body.as_str(), &attributes["k"]), ("orphan", &AttributeValue::text("String", "v")));
    let (sqs, mut cx) = bench.world.sqs_cx();
    sqs.delete_queue(&mut cx, "dead").unwrap();
    bench.publish("news", text("lost for good")).unwrap();
    let tally = bench.tally("news", &id);
    assert_eq!((tally.offered, tally.redriven, tally.dropped), (2, 1, 1));
    assert_eq!(bench.sum("news", "NumberOfNotificationsFailed"), Some(2.0));
    assert_eq!(bench.sum("news", "NumberOfNotificationsFailedToRedriveToDlq"), Some(1.0));
    assert_eq!(bench.sum("news", "NumberOfNotificationsDelivered"), Some(0.0));
}

#[test]
fn filters_choose_and_the_metrics_say_why_not() {
    let (mut bench, id) = Bench::with_inbox(&[("FilterPolicy", r#"{"kind": ["sale"]}"#)]);
    bench.publish("news", with_attribute("wanted", "kind", "String", "sale")).unwrap();
    bench.publish("news", with_attribute("other", "kind", "String", "weather")).unwrap();
    bench.publish("news", text("without")).unwrap();
    bench.publish("news", with_attribute("broken", "kind", "String.Array", "[1,")).unwrap();
    bench.set("news", &id, "FilterPolicyScope", "MessageBody").unwrap();
    bench.publish("news", text(r#"{"kind": "weather"}"#)).unwrap();
    bench.publish("news", text("no JSON")).unwrap();
    bench.publish("news", text(r#"{"kind": "sale"}"#)).unwrap();
    assert_eq!(bench.bodies("inbox").len(), 2);
    for (metric, count) in [
        ("NumberOfMessagesPublished", 7.0),
        ("NumberOfNotificationsDelivered", 2.0),
        ("NumberOfNotificationsFilteredOut", 5.0),
        ("NumberOfNotificationsFilteredOut-MessageAttributes", 1.0),
        ("NumberOfNotificationsFilteredOut-NoMessageAttributes", 1.0),
        ("NumberOfNotificationsFilteredOut-InvalidAttributes", 1.0),
        ("NumberOfNotificationsFilteredOut-MessageBody", 1.0),
        ("NumberOfNotificationsFilteredOut-InvalidMessageBody", 1.0),
        ("NumberOfNotificationsFailed", 0.0),
    ] {
        assert_eq!(bench.sum("news", metric), Some(count), "{metric}");
    }
    assert_eq!(bench.sum("news", "NumberOfNotificationsRedrivenToDlq"), None);
}

#[test]
fn what_is_to_be_absent_is_only_absent_among_others() {
    let (mut bench, _) = Bench::with_inbox(&[("FilterPolicy", r#"{"store": [{"exists": false}]}"#)]);
    bench.publish("news", with_attribute("other", "kind", "String", "sale")).unwrap();
    bench.publish("news", with_attribute("store", "store", "String", "x")).unwrap();
    bench.publish("news", text("no attributes")).unwrap();
    assert_eq!(bench.bodies("inbox").len(), 1);
}

#[test]
fn a_queue_that_does_not_let_the_topic_in_is_a_failure_and_its_dead_letter_queue_gets_the_message() {
    let (mut bench, id) = Bench::with_inbox(&[]);
    bench.queue("dead");
    let dead = serde_json::json!({ "deadLetterTargetArn": bench.queue_arn("dead") }).to_string();
    bench.set("news", &id, "RedrivePolicy", &dead).unwrap();
    let topic = bench.world.place.arn("sns", "news");
    let policy = |source: &str| {
        let statement = serde_json::json!({ "Effect": "Allow", "Principal": { "Service": "sns.amazonaws.com" },
            "Action": "sqs:SendMessage", "Condition": { "ArnEquals": { "aws:SourceArn": source } } });
        serde_json::json!({ "Version": "2012-10-17", "Statement": statement }).to_string()
    };
    for (source, counts) in [(topic.as_str(), (1, 0)), ("arn:aws:sns:eu-west-1:123456789012:other", (0, 1))] {
        let (sqs, mut cx) = bench.world.sqs_cx();
        sqs.set_attributes(&mut cx, "inbox", &map(&[("Policy", policy(source).as_str())])).unwrap();
        bench.publish("news", text("x")).unwrap();
        assert_eq!((bench.bodies("inbox").len(), bench.bodies("dead").len()), counts, "{source}");
    }
}
