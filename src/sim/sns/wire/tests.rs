//! SNS on the wire by example: forms in, XML out, as a client sees it.

use crate::domain::time::Timestamp;
use crate::sim::cx::Place;
use crate::sim::wire::{self, Call, Reply, Request};
use crate::sim::world::World;
use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:news";

fn world() -> World {
    let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
    let start = Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap();
    World::new(1, start, place)
}

/// Status and body of the answer to a form.
fn ask(world: &mut World, action: &str, members: &[(&str, &str)]) -> (u16, String) {
    let mut form = format!("Action={action}&Version=2010-03-31");
    for (name, value) in members {
        form.push_str(&format!("&{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
    }
    let headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8"), ("host", "127.0.0.1:4566")];
    let request = Request {
        method: "POST".into(),
        path: "/".into(),
        query: String::new(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        body: Bytes::from(form),
    };
    let mut call = Call::new(request, world.now);
    match wire::handle(world, &mut call) {
        Reply::Done(response) => (response.status, String::from_utf8(response.body.to_vec()).unwrap()),
        Reply::Later(_) => panic!("SNS never waits"),
    }
}

fn element<'a>(body: &'a str, name: &str) -> &'a str {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let begin = body.find(&open).unwrap_or_else(|| panic!("no {name} in {body}")) + open.len();
    &body[begin..begin + body[begin..].find(&close).unwrap()]
}

fn with_topic() -> World {
    let mut world = world();
    let (status, body) = ask(&mut world, "CreateTopic", &[("Name", "news")]);
    assert_eq!((status, element(&body, "TopicArn")), (200, TOPIC));
    world
}

/// Code and message of a refusal.
fn refusal(world: &mut World, action: &str, members: &[(&str, &str)]) -> (u16, String, String) {
    let (status, body) = ask(world, action, members);
    let message = element(&body, "Message").replace("&apos;", "'").replace("&quot;", "\"");
    (status, element(&body, "Code").to_owned(), message)
}

#[test]
fn answers_have_their_result_element_and_silent_ones_none() {
    let mut world = with_topic();
    let (_, body) = ask(&mut world, "GetTopicAttributes", &[("TopicArn", TOPIC)]);
    assert!(body.contains("<GetTopicAttributesResult><Attributes><entry><key>"), "{body}");
    let (status, body) = ask(&mut world, "DeleteTopic", &[("TopicArn", TOPIC)]);
    assert!(status == 200 && body.contains("<DeleteTopicResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">"));
    assert!(!body.contains("Result"), "{body}");
    assert_eq!(ask(&mut world, "DeleteTopic", &[("TopicArn", TOPIC)]).0, 200, "again is no error");
}

#[test]
fn refusals_speak_awss_words() {
    let mut world = with_topic();
    let gone = "arn:aws:sns:eu-west-1:123456789012:gone";
    for (action, members, status, code, message) in [
        ("GetTopicAttributes", vec![("TopicArn", gone)], 404, "NotFound", "Topic does not exist"),
        (
            "GetTopicAttributes",
            vec![("TopicArn", "news")],
            400,
            "InvalidParameter",
            "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1",
        ),
        ("CreateTopic", vec![("Name", "no spaces")], 400, "InvalidParameter", "Invalid parameter: Topic Name"),
        (
            "Publish",
            vec![("TopicArn", TOPIC), ("Message", "")],
            400,
            "InvalidParameter",
            "Invalid parameter: Empty message",
        ),
        (
            "Publish",
            vec![("TopicArn", TOPIC), ("Message", "x"), ("Subject", "")],
            400,
            "InvalidParameter",
            "Invalid parameter: Subject",
        ),
        (
            "Subscribe",
            vec![("TopicArn", TOPIC), ("Protocol", "pigeon"), ("Endpoint", "x")],
            400,
            "InvalidParameter",
            "Invalid parameter: Amazon SNS does not support this protocol string: pigeon",
        ),
        (
            "Subscribe",
            vec![("TopicArn", TOPIC), ("Protocol", "sqs"), ("Endpoint", "http://127.0.0.1/queue")],
            400,
            "InvalidParameter",
            "Invalid parameter: SQS endpoint ARN",
        ),
        (
            "Subscribe",
            vec![("TopicArn", TOPIC), ("Protocol", "sms"), ("Endpoint", "invalid-number")],
            400,
            "InvalidParameter",
            "Invalid SMS endpoint: invalid-number",
        ),
        (
            "ConfirmSubscription",
            vec![("TopicArn", TOPIC), ("Token", "not hexadecimal")],
            400,
            "InvalidParameter",
            "Invalid token",
        ),
        (
            "ConfirmSubscription",
            vec![("TopicArn", TOPIC), ("Token", "2336412f37")],
            400,
            "InvalidParameter",
            "Invalid parameter: Token",
        ),
        ("Unsubscribe", vec![("SubscriptionArn", TOPIC)], 400, "InvalidParameter", "Invalid parameter: SubscriptionId"),
        ("ListTagsForResource", vec![("ResourceArn", gone)], 404, "ResourceNotFound", "Resource does not exist"),
    ] {
        let refused = refusal(&mut world, action, &members);
        assert_eq!(refused, (status, code.to_owned(), message.to_owned()), "{action} {members:?}");
    }
}

#[test]
fn message_attributes_are_checked_as_recorded() {
    let mut world = with_topic();
    let mut send = |name: &str, kind: Option<&str>, field: &str, value: &str| {
        let mut members = vec![("TopicArn", TOPIC), ("Message", "x"), ("MessageAttributes.entry.1.Name", name)];
        let field = format!("MessageAttributes.entry.1.Value.{field}");
        members.extend(kind.map(|kind| ("MessageAttributes.entry.1.Value.DataType", kind)));
        members.push((&field, value));
        let (_, code, message) = refusal(&mut world, "Publish", &members);
        (code, message)
    };
    let invalid = |message: &str| ("ParameterValueInvalid".to_owned(), message.to_owned());
    assert_eq!(
        send("attr1", Some("String"), "StringValue", ""),
        invalid(
            "The message attribute 'attr1' must contain non-empty message attribute value for message attribute type 'String'."
        )
    );
    assert_eq!(
        send("attr1", Some("String"), "BinaryValue", "AgME"),
        invalid("The message attribute 'attr1' with type 'String' must use field 'String'.")
    );
    assert_eq!(
        send("attr1", Some("Stringprefixed"), "StringValue", "x"),
        invalid(
            "The message attribute 'attr1' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String."
        )
    );
    assert_eq!(
        send("a^b", Some("String"), "StringValue", "x"),
        invalid(
            "Invalid non-alphanumeric character '#x5E' was found in the message attribute name. Can only include alphanumeric characters, hyphens, underscores, or dots."
        )
    );
    assert_eq!(
        send("attr1", None, "StringValue", "x"),
        (
            "ValidationError".to_owned(),
            "1 validation error detected: Value null at 'messageAttributes.attr1.member.dataType' failed to satisfy \
             constraint: Member must not be null"
                .to_owned()
        )
    );
}

#[test]
fn topics_and_subscriptions_come_in_pages_of_a_hundred() {
    let mut world = with_topic();
    let (sns, mut cx) = world.sns_cx();
    for n in 0..149 {
        sns.create_topic(&mut cx, &format!("t{n}"), &Default::default(), &Default::default()).unwrap();
    }
    let (_, first) = ask(&mut world, "ListTopics", &[]);
    assert_eq!(first.matches("<TopicArn>").count(), 100);
    let token = element(&first, "NextToken").to_owned();
    let (_, second) = ask(&mut world, "ListTopics", &[("NextToken", &token)]);
    assert_eq!(second.matches("<TopicArn>").count(), 50);
    assert!(!second.contains("NextToken"));
    for n in 0..101 {
        let endpoint = format!("user{n}@example.com");
        let (_, body) =
            ask(&mut world, "Subscribe", &[("TopicArn", TOPIC), ("Protocol", "email"), ("Endpoint", &endpoint)]);
        assert_eq!(element(&body, "SubscriptionArn"), "pending confirmation");
        world.advance_to(world.now + std::time::Duration::from_millis(20));
    }
    let (_, first) = ask(&mut world, "ListSubscriptionsByTopic", &[("TopicArn", TOPIC)]);
    assert_eq!(first.matches("<SubscriptionArn>PendingConfirmation<").count(), 100);
    let token = element(&first, "NextToken").to_owned();
    let (_, second) = ask(&mut world, "ListSubscriptionsByTopic", &[("TopicArn", TOPIC), ("NextToken", &token)]);
    assert_eq!(second.matches("<SubscriptionArn>").count(), 1);
    let (_, foreign) = ask(&mut world, "ListSubscriptions", &[("NextToken", &token)]);
    assert!(
        foreign.contains("<Code>InvalidParameter</Code>"),
        "a token of another list is no end of this one: {foreign}"
    );
}

#[test]
fn a_batch_is_refused_as_a_whole_for_its_ids() {
    let mut world = with_topic();
    let entry = |n: usize, member: &str| format!("PublishBatchRequestEntries.member.{n}.{member}");
    let mut batch = |ids: &[&str]| {
        let names: Vec<(String, String)> = (1..)
            .zip(ids)
            .flat_map(|(n, id)| [(entry(n, "Id"), (*id).to_owned()), (entry(n, "Message"), "m".into())])
            .collect();
        let members: Vec<(&str, &str)> =
            names.iter().map(|(n, v)| (n.as_str(), v.as_str())).chain([("TopicArn", TOPIC)]).collect();
        ask(&mut world, "PublishBatch", &members)
    };
    let code = |(_, body): &(u16, String)| element(body, "Code").to_owned();
    assert_eq!(code(&batch(&["1", "1"])), "BatchEntryIdsNotDistinct");
    assert_eq!(code(&batch(&["a b"])), "InvalidBatchEntryId");
    assert_eq!(code(&batch(&[])), "EmptyBatchRequest");
    assert_eq!(
        code(&batch(&["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"])),
        "TooManyEntriesInBatchRequest"
    );
    let (status, body) = batch(&["1", "2"]);
    assert_eq!((status, body.matches("<MessageId>").count()), (200, 2), "{body}");
}

#[test]
fn published_rates_throttle() {
    let mut world = with_topic();
    let statuses: Vec<u16> = (0..31).map(|_| ask(&mut world, "ListTopics", &[]).0).collect();
    assert_eq!((statuses[29], statuses[30]), (200, 429));
    world.advance_to(world.now + std::time::Duration::from_secs(1));
    assert_eq!(ask(&mut world, "ListTopics", &[]).0, 200);
}

#[test]
fn what_a_policy_denies_it_denies_the_owner_too_who_is_not_locked_out() {
    let mut world = with_topic();
    let policy = |effect: &str| {
        format!(
            r#"{{"Version":"2008-10-17","Statement":[{{"Sid":"s","Effect":"{effect}","Principal":"*","Action":["SNS:Publish","SNS:GetTopicAttributes"],"Resource":"{TOPIC}"}}]}}"#
        )
    };
    let set = |world: &mut World, effect: &str| {
        let text = policy(effect);
        let members = [("TopicArn", TOPIC), ("AttributeName", "Policy"), ("AttributeValue", text.as_str())];
        assert_eq!(ask(world, "SetTopicAttributes", &members).0, 200);
    };
    set(&mut world, "Deny");
    let (status, code, message) = refusal(&mut world, "Publish", &[("TopicArn", TOPIC), ("Message", "m")]);
    assert_eq!((status, code.as_str()), (403, "AuthorizationError"));
    let end = format!("SNS:Publish on resource: {TOPIC} with an explicit deny in a resource-based policy");
    assert!(message.ends_with(&end), "{message}");
    assert_eq!(refusal(&mut world, "GetTopicAttributes", &[("TopicArn", TOPIC)]).1, "AuthorizationError");
    set(&mut world, "Allow");
    assert_eq!(ask(&mut world, "Publish", &[("TopicArn", TOPIC), ("Message", "m")]).0, 200);
    set(&mut world, "Deny");
    assert_eq!(ask(&mut world, "DeleteTopic", &[("TopicArn", TOPIC)]).0, 200);
}
