//! What a publisher may send, to standard and to FIFO topics.

use super::*;

#[test]
fn a_fifo_topic_orders_counts_and_forgets_repeats() {
    let mut bench = Bench::new();
    bench.topic("bids.fifo", &[("FifoTopic", "true"), ("ContentBasedDeduplication", "true")]);
    bench.queue("bids.fifo");
    let arn = bench.queue_arn("bids.fifo");
    bench.subscribe("bids.fifo", "sqs", &arn, &[]).unwrap();
    let first = bench.publish("bids.fifo", fifo("one", "a", None)).unwrap();
    let again = bench.publish("bids.fifo", fifo("one", "b", None)).unwrap();
    let second = bench.publish("bids.fifo", fifo("two", "a", None)).unwrap();
    assert_eq!(first, again, "the whole topic is the scope");
    assert!(first.sequence < second.sequence);
    assert_eq!(first.sequence.unwrap().to_string().len(), 20);
    let letters: Vec<Value> = bench.bodies("bids.fifo").iter().map(|b| serde_json::from_str(b).unwrap()).collect();
    assert_eq!(letters.iter().map(|l| l["Message"].as_str().unwrap()).collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!(letters[0]["SequenceNumber"], first.sequence.unwrap().to_string());
    assert_eq!(letters[0]["Signature"], Value::Null, "FIFO topics do not sign");
    bench.pass(Duration::from_secs(300));
    assert_ne!(bench.publish("bids.fifo", fifo("one", "a", None)).unwrap(), first, "five minutes later it is new");
    let (sns, mut cx) = bench.world.sns_cx();
    sns.set_attribute(&mut cx, "bids.fifo", "FifoThroughputScope", "MessageGroup").unwrap();
    assert!(sns.set_attribute(&mut cx, "bids.fifo", "FifoThroughputScope", "Topic").is_err(), "there is no way back");
    let a = bench.publish("bids.fifo", fifo("x", "a", Some("id"))).unwrap();
    let b = bench.publish("bids.fifo", fifo("x", "b", Some("id"))).unwrap();
    assert_ne!(a, b, "each group is its own scope");
}

#[test]
fn what_fifo_needs_is_demanded_in_awss_words() {
    let mut bench = Bench::new();
    bench.topic("bids.fifo", &[("FifoTopic", "true")]);
    bench.topic("news", &[]);
    bench.queue("bids.fifo");
    let arn = bench.queue_arn("bids.fifo");
    let message = |result: Result<Published, ApiError>| result.unwrap_err().message;
    assert_eq!(
        message(bench.publish("bids.fifo", text("x"))),
        "Invalid parameter: The MessageGroupId parameter is required for FIFO topics"
    );
    assert_eq!(
        message(bench.publish("bids.fifo", fifo("x", "a", None))),
        "Invalid parameter: The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId \
         provided explicitly"
    );
    assert_eq!(
        message(bench.publish("news", fifo("x", "a", Some("id")))),
        "Invalid parameter: MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is \
         not valid for this topic type"
    );
    assert_eq!(
        bench.subscribe("news", "sqs", &arn, &[]).unwrap_err().message,
        "Invalid parameter: Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS \
         topics"
    );
    let id = bench.subscribe("bids.fifo", "sqs", &arn, &[]).unwrap();
    let policy = redrive_to(&bench.queue_arn("dead"));
    assert_eq!(
        bench.set("bids.fifo", &id, "RedrivePolicy", &policy).unwrap_err().message,
        "Invalid parameter: RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic."
    );
}

#[test]
fn sizes_count_message_and_attributes() {
    let (mut bench, _) = Bench::with_inbox(&[]);
    let too_long = bench.publish("news", text(&"x".repeat(262_145))).unwrap_err();
    assert_eq!(too_long.message, "Invalid parameter: Message too long");
    let full = "x".repeat(262_144);
    bench.publish("news", text(&full)).unwrap();
    assert!(bench.publish("news", with_attribute(&full, "a", "String", "b")).is_err());
    let (sns, mut cx) = bench.world.sns_cx();
    sns.set_attribute(&mut cx, "news", "MaximumMessageSize", "1048576").unwrap();
    bench.publish("news", with_attribute(&full, "a", "String", "b")).unwrap();
    let refused = bench.subscribe("news", "email", "a@example.com", &[]).unwrap_err();
    assert!(refused.message.contains("MaximumMessageSize"), "{refused}");
    assert!(bench.sum("news", "PublishSize").unwrap() > 2.0 * 262_144.0);
}

#[test]
fn a_batch_has_an_outcome_for_each_entry_and_one_size() {
    let (mut bench, _) = Bench::with_inbox(&[("RawMessageDelivery", "true")]);
    let odd = Publication { subject: Some(String::new()), ..text("b") };
    let (sns, mut cx) = bench.world.sns_cx();
    let (outcomes, deliveries) = sns.publish_batch(&mut cx, "news", vec![text("a"), odd, text("c")]).unwrap();
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok());
    assert_eq!(outcomes[1].as_ref().unwrap_err().message, "Invalid parameter: Subject");
    let half = "x".repeat(131_073);
    let too_long = sns.publish_batch(&mut cx, "news", vec![text(&half), text(&half)]).unwrap_err();
    assert_eq!(too_long.code, "BatchRequestTooLong");
    fanout::deliver(&mut bench.world, deliveries);
    assert_eq!(bench.bodies("inbox"), ["a", "c"]);
    assert_eq!(bench.sum("news", "PublishSize"), Some(3.0));
}
