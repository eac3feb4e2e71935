//! SNS by example: what publishers, subscribers and operators of a topic can rely on.

use super::*;
use crate::domain::time::Timestamp;
use crate::sim::cloudwatch::Metric;
use crate::sim::cx::Place;
use crate::sim::endpoint::Answer;
use crate::sim::fanout;
use crate::sim::payload::Payload;
use crate::sim::sqs::AttributeValue;
use crate::sim::world::World;
use bytes::Bytes;
use serde_json::Value;
use std::time::Duration;

/// A world and short names for what the examples do.
pub(super) struct Bench {
    pub world: World,
}

pub(super) const HOOK: &str = "http://hooks.example.com/news";

impl Bench {
    pub fn new() -> Self {
        let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
        let start = Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap();
        Self { world: World::new(1, start, place) }
    }

    /// The topic `news` with the queue `inbox` subscribed.
    pub fn with_inbox(attributes: &[(&str, &str)]) -> (Self, String) {
        let mut bench = Self::new();
        bench.topic("news", &[]);
        bench.queue("inbox");
        let id = bench.subscribe("news", "sqs", &bench.queue_arn("inbox"), attributes).unwrap();
        (bench, id)
    }

    pub fn topic(&mut self, name: &str, attributes: &[(&str, &str)]) {
        let (sns, mut cx) = self.world.sns_cx();
        sns.create_topic(&mut cx, name, &map(attributes), &BTreeMap::new()).unwrap();
    }

    pub fn queue(&mut self, name: &str) {
        let fifo: &[(&str, &str)] = if name.ends_with(".fifo") { &[("FifoQueue", "true")] } else { &[] };
        let (sqs, mut cx) = self.world.sqs_cx();
        sqs.create_queue(&mut cx, name, &map(fifo), &BTreeMap::new()).unwrap();
    }

    pub fn queue_arn(&self, name: &str) -> String {
        self.world.place.arn("sqs", name)
    }

    pub fn subscribe(
        &mut self,
        topic: &str,
        protocol: &str,
        endpoint: &str,
        attributes: &[(&str, &str)],
    ) -> Result<String, ApiError> {
        let links = "https://sns.eu-west-1.amazonaws.com".to_owned();
        let wanted = Subscribe { topic, protocol, endpoint: Some(endpoint), attributes: map(attributes), links };
        let (sns, mut cx) = self.world.sns_cx();
        let subscribed = sns.subscribe(&mut cx, wanted)?;
        fanout::deliver(&mut self.world, subscribed.delivery);
        Ok(subscribed.id)
    }

    pub fn set(&mut self, topic: &str, id: &str, attribute: &str, value: &str) -> Result<(), ApiError> {
        let (sns, mut cx) = self.world.sns_cx();
        sns.set_subscription_attribute(&mut cx, topic, id, attribute, value)
    }

    pub fn publish(&mut self, topic: &str, publication: Publication) -> Result<Published, ApiError> {
        let (sns, mut cx) = self.world.sns_cx();
        let (published, deliveries) = sns.publish(&mut cx, topic, publication)?;
        fanout::deliver(&mut self.world, deliveries);
        Ok(published)
    }

    /// All messages of a queue, their bodies with their attributes; they are deleted.
    pub fn receive(&mut self, queue: &str) -> Vec<(String, BTreeMap<String, AttributeValue>)> {
        let (sqs, mut cx) = self.world.sqs_cx();
        let mut all = Vec::new();
        for message in sqs.receive(&mut cx, queue, 10, None).unwrap() {
            let body = cx.templates.read(&message.body, message.group());
            let attributes = message.details.as_ref().map(|d| d.attributes.clone()).unwrap_or_default();
            all.push((String::from_utf8(body.to_vec()).unwrap(), attributes));
            sqs.delete(&mut cx, queue, message.receipt).unwrap();
        }
        all
    }

    pub fn bodies(&mut self, queue: &str) -> Vec<String> {
        self.receive(queue).into_iter().map(|(body, _)| body).collect()
    }

    pub fn pass(&mut self, time: Duration) {
        self.world.advance_to(self.world.now + time);
    }

    pub fn tally(&self, topic: &str, id: &str) -> Tally {
        self.world.sns.subscription(topic, id).unwrap().tally
    }

    /// A webhook that answers so after a tenth of a second.
    pub fn hook(&mut self, answer: Answer) {
        self.world.endpoints.add(HOOK, "hook", answer, Duration::from_millis(100));
    }

    /// The sum of a topic's metric over all time.
    pub fn sum(&mut self, topic: &str, metric: &str) -> Option<f64> {
        self.pass(Duration::from_secs(120));
        let metric = Metric::new("AWS/SNS", metric, &[("TopicName", topic)]);
        let ids = self.world.metrics.find(&metric, None);
        ids.first()?;
        let start = Timestamp::parse_rfc3339("2026-11-27T00:00:00Z").unwrap();
        let periods = self.world.metrics.read(&ids, (start, self.world.now), 86_400, self.world.now, false);
        Some(periods.iter().map(|period| period.stats.sum).sum())
    }
}

pub(super) fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(super) fn text(body: &str) -> Publication {
    Publication::of(Payload::Sent(Bytes::copy_from_slice(body.as_bytes())))
}

fn with_attribute(body: &str, name: &str, kind: &str, value: &str) -> Publication {
    let attributes = BTreeMap::from([(name.to_owned(), AttributeValue::text(kind, value))]);
    Publication { attributes, ..text(body) }
}

fn fifo(body: &str, group: &str, dedup: Option<&str>) -> Publication {
    Publication { group: Some(group.into()), dedup: dedup.map(str::to_owned), ..text(body) }
}

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
fn an_http_endpoint_is_sent_nothing_before_it_has_confirmed() {
    let mut bench = Bench::new();
    bench.topic("news", &[]);
    bench.hook(Answer::Status(500));
    let id = bench.subscribe("news", "http", HOOK, &[]).unwrap();
    bench.publish("news", text("early")).unwrap();
    assert!(bench.world.sns.subscription("news", &id).unwrap().is_pending());
    assert_eq!(bench.tally("news", &id).offered, 0);
    bench.world.endpoints.named("hook").unwrap().answer = Answer::Status(200);
    bench.pass(Duration::from_secs(21));
    assert!(!bench.world.sns.subscription("news", &id).unwrap().is_pending(), "the second try was confirmed");
    bench.publish("news", text("late")).unwrap();
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.tally("news", &id).delivered, 1);
}

#[test]
fn an_http_endpoint_gets_awss_headers() {
    let mut bench = Bench::new();
    bench.topic("news", &[]);
    bench.world.outbox = Some(Default::default());
    let id = bench.subscribe("news", "http", HOOK, &[("RawMessageDelivery", "true")]).unwrap();
    let post = bench.world.outbox.as_mut().unwrap().pop_front().unwrap();
    let header = |post: &HttpPost, name: &str| post.headers.iter().find(|(n, _)| *n == name).map(|(_, v)| v.clone());
    assert_eq!(header(&post, "x-amz-sns-message-type").as_deref(), Some("SubscriptionConfirmation"));
    assert_eq!(header(&post, "content-type").as_deref(), Some("text/plain; charset=UTF-8"));
    assert_eq!(header(&post, "x-amz-sns-subscription-arn"), None);
    let letter: Value = serde_json::from_slice(&post.body).unwrap();
    let token = letter["Token"].as_str().unwrap().to_owned();
    assert_eq!(token.len(), 288);
    assert!(letter["SubscribeURL"].as_str().unwrap().contains("Action=ConfirmSubscription"));
    let (sns, mut cx) = bench.world.sns_cx();
    let confirmed = Ok(("news".to_owned(), id.clone()));
    assert_eq!(sns.confirm(&mut cx, &token, false), confirmed);
    assert_eq!(sns.confirm(&mut cx, &token, false), confirmed, "again is no error");
    bench.publish("news", text("raw")).unwrap();
    let post = bench.world.outbox.as_mut().unwrap().pop_front().unwrap();
    assert_eq!(post.body, "raw");
    assert_eq!(header(&post, "x-amz-sns-rawdelivery").as_deref(), Some("true"));
    assert!(header(&post, "x-amz-sns-subscription-arn").unwrap().ends_with(&id));
    fanout::answered(&mut bench.world, post.attempt, post.tries, Outcome::of_status(204));
    assert_eq!(bench.tally("news", &id).delivered, 1);
    let (sns, mut cx) = bench.world.sns_cx();
    let told = sns.unsubscribe(&mut cx, "news", &id);
    fanout::deliver(&mut bench.world, told);
    let post = bench.world.outbox.as_mut().unwrap().pop_front().unwrap();
    let letter: Value = serde_json::from_slice(&post.body).unwrap();
    assert_eq!(letter["Type"], "UnsubscribeConfirmation");
    let (sns, mut cx) = bench.world.sns_cx();
    let token = letter["Token"].as_str().unwrap();
    assert_eq!(sns.confirm(&mut cx, token, false), confirmed, "the link undoes it");
    assert!(sns.subscription("news", &id).is_ok());
}

#[test]
fn an_http_endpoint_is_tried_three_times_again_and_each_failure_counts() {
    let mut bench = Bench::new();
    bench.topic("news", &[]);
    bench.queue("dead");
    bench.hook(Answer::Status(200));
    let id = bench.subscribe("news", "http", HOOK, &[]).unwrap();
    let policy = redrive_to(&bench.queue_arn("dead"));
    bench.set("news", &id, "RedrivePolicy", &policy).unwrap();
    bench.pass(Duration::from_secs(1));
    bench.world.endpoints.named("hook").unwrap().answer = Answer::Hang;
    bench.publish("news", with_attribute("lost", "k", "String", "v")).unwrap();
    bench.pass(Duration::from_secs(4 * 15 + 3 * 20 - 1));
    assert!(bench.bodies("dead").is_empty());
    bench.pass(Duration::from_secs(1));
    let letter: Value = serde_json::from_str(&bench.bodies("dead")[0]).unwrap();
    assert_eq!((&letter["Message"], &letter["MessageAttributes"]["k"]["Value"]), (&"lost".into(), &"v".into()));
    assert_eq!(bench.world.endpoints.named("hook").unwrap().received, 1 + 4);
    assert_eq!(bench.sum("news", "NumberOfNotificationsFailed"), Some(4.0));
    assert_eq!(bench.sum("news", "NumberOfNotificationsRedrivenToDlq"), Some(1.0));
    assert_eq!(bench.world.sns.deliveries_in_hand(), 0);
}

#[test]
fn a_client_error_is_final() {
    let mut bench = Bench::new();
    bench.topic("news", &[]);
    bench.hook(Answer::Status(200));
    let id = bench.subscribe("news", "http", HOOK, &[]).unwrap();
    bench.pass(Duration::from_secs(1));
    bench.world.endpoints.named("hook").unwrap().answer = Answer::Status(404);
    bench.publish("news", text("gone")).unwrap();
    bench.pass(Duration::from_secs(1));
    assert_eq!((bench.tally("news", &id).dropped, bench.world.sns.deliveries_in_hand()), (1, 0));
}

#[test]
fn a_throttled_endpoint_gets_its_messages_one_by_one() {
    let mut bench = Bench::new();
    bench.topic("news", &[]);
    bench.hook(Answer::Status(200));
    let throttle = r#"{"throttlePolicy": {"maxReceivesPerSecond": 2}}"#;
    let id = bench.subscribe("news", "http", HOOK, &[("DeliveryPolicy", throttle)]).unwrap();
    bench.pass(Duration::from_secs(1));
    for _ in 0..6 {
        bench.publish("news", text("x")).unwrap();
    }
    bench.pass(Duration::from_millis(1200));
    assert_eq!(bench.tally("news", &id).delivered, 3);
    bench.pass(Duration::from_secs(2));
    assert_eq!(bench.tally("news", &id).delivered, 6);
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
fn a_topic_falls_silent_six_hours_after_its_last_use() {
    let (mut bench, _) = Bench::with_inbox(&[]);
    bench.publish("news", text("x")).unwrap();
    let metric = Metric::new("AWS/SNS", "NumberOfMessagesPublished", &[("TopicName", "news")]);
    bench.pass(Duration::from_secs(24 * 3600));
    let ids = bench.world.metrics.find(&metric, None);
    let start = Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap();
    let now = bench.world.now;
    let periods = bench.world.metrics.read(&ids, (start, now), 60, now, false);
    assert_eq!(periods.len(), 6 * 60 - 1, "one a minute, then none");
    assert_eq!(periods.iter().map(|period| period.stats.sum).sum::<f64>(), 1.0);
}

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

#[test]
fn creating_and_subscribing_again_changes_nothing() {
    let (mut bench, id) = Bench::with_inbox(&[("RawMessageDelivery", "true")]);
    let arn = bench.queue_arn("inbox");
    assert_eq!(bench.subscribe("news", "sqs", &arn, &[]), Ok(id.clone()));
    assert_eq!(bench.subscribe("news", "sqs", &arn, &[("RawMessageDelivery", "true")]), Ok(id));
    assert_eq!(
        bench.subscribe("news", "sqs", &arn, &[("RawMessageDelivery", "false")]).unwrap_err().message,
        "Invalid parameter: Attributes Reason: Subscription already exists with different attributes"
    );
    let (sns, mut cx) = bench.world.sns_cx();
    sns.set_attribute(&mut cx, "news", "DisplayName", "News").unwrap();
    sns.create_topic(&mut cx, "news", &BTreeMap::new(), &BTreeMap::new()).unwrap();
    assert_eq!(sns.attributes(&mut cx, "news").unwrap()["DisplayName"], "News");
    let other = sns.create_topic(&mut cx, "news", &map(&[("DisplayName", "x")]), &BTreeMap::new()).unwrap_err();
    assert_eq!(other.message, "Invalid parameter: Attributes Reason: Topic already exists with different attributes");
    let tagged = sns.create_topic(&mut cx, "news", &BTreeMap::new(), &map(&[("k", "v")])).unwrap_err();
    assert_eq!(tagged.message, "Invalid parameter: Tags Reason: Topic already exists with different tags");
}

#[test]
fn an_unconfirmed_subscription_is_gone_after_two_days() {
    let mut bench = Bench::new();
    bench.topic("news", &[]);
    let id = bench.subscribe("news", "email", "a@example.com", &[]).unwrap();
    bench.pass(Duration::from_secs(47 * 3600));
    assert!(bench.world.sns.subscription("news", &id).is_ok());
    bench.pass(Duration::from_secs(3600));
    assert!(bench.world.sns.subscription("news", &id).is_err());
    assert_eq!(bench.world.sns.pending, 0);
}

#[test]
fn at_most_200_filter_policies_stand_on_a_topic() {
    let mut bench = Bench::new();
    bench.topic("news", &[]);
    let policy = [("FilterPolicy", r#"{"a": ["x"]}"#)];
    let mut ids = Vec::new();
    for n in 0..200 {
        ids.push(bench.subscribe("news", "sms", &format!("+4915123{n:05}"), &policy).unwrap());
    }
    let id = bench.subscribe("news", "sms", "+491512399999", &[]).unwrap();
    let refused = bench.set("news", &id, "FilterPolicy", policy[0].1).unwrap_err();
    assert_eq!((refused.code, refused.status), ("FilterPolicyLimitExceeded", 403));
    bench.set("news", &ids[0], "FilterPolicy", "").unwrap();
    bench.set("news", &id, "FilterPolicy", policy[0].1).unwrap();
}

#[test]
fn permissions_are_statements_of_the_policy() {
    let mut bench = Bench::new();
    bench.topic("news", &[]);
    let (sns, mut cx) = bench.world.sns_cx();
    sns.add_permission(&mut cx, "news", "all", &["111122223333"], &["Publish", "Subscribe"]).unwrap();
    assert!(sns.add_permission(&mut cx, "news", "all", &["111122223333"], &["Publish"]).is_err(), "labels are unique");
    assert!(sns.add_permission(&mut cx, "news", "odd", &["111122223333"], &["Fly"]).is_err());
    let policy: Value = serde_json::from_str(&sns.attributes(&mut cx, "news").unwrap()["Policy"]).unwrap();
    assert_eq!(policy["Statement"][0]["Sid"], "__default_statement_ID");
    assert_eq!(policy["Statement"][1]["Principal"]["AWS"], "arn:aws:iam::111122223333:root");
    assert_eq!(policy["Statement"][1]["Action"], serde_json::json!(["SNS:Publish", "SNS:Subscribe"]));
    sns.remove_permission(&mut cx, "news", "all").unwrap();
    let policy: Value = serde_json::from_str(&sns.attributes(&mut cx, "news").unwrap()["Policy"]).unwrap();
    assert_eq!(policy["Statement"].as_array().unwrap().len(), 1);
}
