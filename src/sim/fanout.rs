//! The road out of SNS: carries its deliveries to queues, functions and HTTP endpoints, and tells it how they ended.

use crate::sim::access::{self, Asking, Judgement, Who};
use crate::sim::cx::Place;
use crate::sim::endpoint::Answer;
use crate::sim::error::ApiError;
use crate::sim::faults::api;
use crate::sim::lambda::{Lineage, MappingSource, Qualifier};
use crate::sim::sns::arn::topic_name;
use crate::sim::sns::{Attempt, Delivery, Destination, Due, HttpPost, Outcome, Protocol, Publication};
use crate::sim::sqs::Outgoing;
use crate::sim::wire::Service;
use crate::sim::world::World;
use rand::RngExt;
use std::collections::VecDeque;
use std::time::Duration;

/// POSTs that wait for the one who makes them, at most; what is more cannot be reached.
const OUTBOX_MAX: usize = 10_000;

/// A delivery to a queue or a function of another account or region, on its way there.
pub struct Parcel {
    pub from: Sender,
    pub account: String,
    pub region: String,
    pub delivery: Delivery,
}

/// The topic that a message comes from.
pub struct Sender {
    arn: String,
    account: String,
    /// As the faults of the API name it, such as `sns/promo`.
    by: String,
}

impl Sender {
    fn of(place: &Place, attempt: &Attempt) -> Self {
        let (arn, by) = (place.arn("sns", &attempt.topic), format!("sns/{}", attempt.topic));
        Self { arn, account: place.account.clone(), by }
    }
}

/// Carries deliveries, and what they cause in turn: a dead letter is a delivery, too.
pub fn deliver(world: &mut World, deliveries: impl IntoIterator<Item = Delivery>) {
    let mut open: VecDeque<Delivery> = deliveries.into_iter().collect();
    while let Some(delivery) = open.pop_front() {
        let Some(Delivery { attempt, to }) = keep(world, delivery) else { continue };
        if let Destination::Http(post) = to {
            open.extend(request(world, post));
            continue;
        }
        let from = Sender::of(&world.place, &attempt);
        let outcome = reach(world, &from, to);
        let (sns, mut cx) = world.sns_cx();
        open.extend(sns.settle(&mut cx, attempt, outcome));
    }
}

/// Hands on what is for another place, where somebody carries it there; nothing is left of it here.
fn keep(world: &mut World, delivery: Delivery) -> Option<Delivery> {
    let Some((account, region)) = place_of(&delivery.to) else { return Some(delivery) };
    let home = &world.place;
    if account == home.account && region == home.region {
        return Some(delivery);
    }
    let Some(abroad) = world.abroad.as_mut().filter(|abroad| abroad.len() < OUTBOX_MAX) else {
        return Some(delivery);
    };
    abroad.push_back(Parcel { from: Sender::of(home, &delivery.attempt), account, region, delivery });
    None
}

/// Account and region of a queue or a function.
fn place_of(to: &Destination) -> Option<(String, String)> {
    let (Destination::Queue { arn, .. } | Destination::Function { arn, .. }) = to else { return None };
    let mut parts = arn.split(':').skip(3);
    let region = parts.next()?.to_owned();
    Some((parts.next()?.to_owned(), region))
}

/// Brings a message to where it goes in this world; HTTP endpoints are not reached this way.
pub fn reach(world: &mut World, from: &Sender, to: Destination) -> Outcome {
    match to {
        Destination::Queue { arn, body, attributes, group, dedup, trace_header } => {
            send(world, from, &arn, Outgoing { body, attributes, trace_header, delay_s: None, group, dedup })
        }
        Destination::Function { arn, event, lineage } => invoke(world, from, &arn, event, lineage),
        Destination::DeliveryStream { arn, data } => put(world, &from.by, &arn, data.len()),
        Destination::Nowhere | Destination::Http(_) => Outcome::ClientError,
        Destination::Person => Outcome::Delivered,
    }
}

/// A parcel has arrived, or cannot.
pub fn arrived(world: &mut World, attempt: Attempt, outcome: Outcome) {
    let (sns, mut cx) = world.sns_cx();
    let delivery = sns.settle(&mut cx, attempt, outcome);
    deliver(world, delivery);
}

/// Something inside SNS falls due.
pub fn due(world: &mut World, due: Due) {
    let (sns, mut cx) = world.sns_cx();
    let delivery = sns.due(&mut cx, due);
    deliver(world, delivery);
}

/// Publishes for a service or an actor; false when there is no such topic or it will not take the message.
pub fn publish(world: &mut World, topic: &str, publication: Publication) -> bool {
    let (sns, mut cx) = world.sns_cx();
    let Ok((_, deliveries)) = sns.publish(&mut cx, topic, publication) else { return false };
    deliver(world, deliveries);
    true
}

/// Publishes to the topic that an ARN names, as `publish` does.
pub fn publish_to(world: &mut World, arn: &str, publication: Publication) -> bool {
    let topic = topic_name(&world.place, arn).map(str::to_owned);
    topic.is_ok_and(|topic| publish(world, &topic, publication))
}

/// An endpoint outside the engine has answered, or cannot be reached.
pub fn answered(world: &mut World, attempt: u64, tries: u32, outcome: Outcome) {
    let (sns, mut cx) = world.sns_cx();
    let delivery = sns.answered(&mut cx, attempt, tries, outcome);
    deliver(world, delivery);
}

/// Protocol and endpoint of `sqs/orders`, `lambda/fulfil-order` or `endpoint/crm`.
pub fn endpoint_named(world: &World, name: &str) -> Option<(Protocol, String)> {
    match name.split_once('/')? {
        ("sqs", queue) => Some((Protocol::Sqs, world.place.arn("sqs", queue))),
        ("lambda", function) => Some((Protocol::Lambda, world.place.arn("lambda", &format!("function:{function}")))),
        ("endpoint", name) => {
            let url = world.endpoints.url_of(name)?;
            Some((if url.starts_with("https:") { Protocol::Https } else { Protocol::Http }, url.to_owned()))
        }
        _ => None,
    }
}

/// Topic and id of the subscription `promo/sqs/orders`.
pub fn subscription_named(world: &World, name: &str) -> Option<(String, String)> {
    let (topic, to) = name.split_once('/')?;
    let (protocol, endpoint) = endpoint_named(world, to)?;
    let id = world.sns.topic(topic)?.id_of(protocol, &endpoint)?;
    Some((topic.to_owned(), id.to_owned()))
}

/// What SNS makes of a service's refusal: that it may not is for good, all else may be tried again.
fn outcome_of(error: &ApiError) -> Outcome {
    match error.code {
        "AccessDeniedException" => Outcome::ClientError,
        "RequestThrottled" | "TooManyRequestsException" | "ServiceUnavailableException" => Outcome::Throttled,
        _ => Outcome::ServerError,
    }
}

/// Queues of this account and region are reached, if they let the topic in; what a queue does not take is refused for
/// good. A queue with a policy judges by it. One without takes what topics of its own account send: AWS would refuse
/// that, too, but then a queue would have to be given a policy before anything could be tried.
fn send(world: &mut World, from: &Sender, arn: &str, mut outgoing: Outgoing) -> Outcome {
    let Some(MappingSource::Queue(queue)) = MappingSource::of_arn(&world.place, arn) else {
        return Outcome::ClientError;
    };
    let asking = Asking { who: Who::Topic { arn: &from.arn, account: &from.account }, action: "sqs:sendmessage" };
    let policy = world.sqs.queue(&queue).and_then(|queue| queue.attributes.policy.as_deref());
    let lets_in = |policy| access::judge(policy, arn, &asking) == Judgement::Allows;
    if !policy.map_or(from.account == world.place.account, lets_in) {
        return Outcome::ClientError;
    }
    if outgoing.group.is_none() && queue.ends_with(".fifo") {
        outgoing.group = Some(queue.clone());
    }
    if let Err(error) = api::admit(world, &from.by, Service::Sqs, "SendMessage", &queue) {
        return outcome_of(&error);
    }
    let (sqs, mut cx) = world.sqs_cx();
    if sqs.send(&mut cx, &queue, outgoing).is_ok() { Outcome::Delivered } else { Outcome::ClientError }
}

/// Functions take events into their own queue, topics of other accounts as far as the function's policy lets them in,
/// and own ones that it does not keep out; how the function fares is no concern of SNS.
fn invoke(world: &mut World, from: &Sender, arn: &str, event: bytes::Bytes, lineage: Lineage) -> Outcome {
    let function = arn.rsplit_once(":function:").map_or(arn, |(_, function)| function);
    let (name, qualifier) = function.split_once(':').map_or((function, None), |(name, rest)| (name, Some(rest)));
    let asking = Asking { who: Who::Topic { arn: &from.arn, account: &from.account }, action: "lambda:invokefunction" };
    let function = world.lambda.named(name);
    let judgement = function.map(|function| function.judge_access(&Qualifier::parse(qualifier), &asking));
    match judgement {
        Some(Judgement::Allows) => {}
        Some(Judgement::IsSilent) if from.account == world.place.account => {}
        _ => return Outcome::ClientError,
    }
    if let Err(error) = api::admit(world, &from.by, Service::Lambda, "Invoke", name) {
        return outcome_of(&error);
    }
    let (lambda, mut cx) = world.lambda_cx();
    match lambda.accept_event_at(&mut cx, arn, event, lineage) {
        Some(_) => Outcome::Delivered,
        None => Outcome::ClientError,
    }
}

/// A delivery stream takes the message as one record, says that it has too much to do, or is not there.
fn put(world: &mut World, by: &str, arn: &str, size: usize) -> Outcome {
    let home = world.place.arn("firehose", "deliverystream/");
    let Some(stream) = arn.strip_prefix(&home).map(str::to_owned) else { return Outcome::ClientError };
    if let Err(error) = api::admit(world, by, Service::Firehose, "PutRecordBatch", &stream) {
        return outcome_of(&error);
    }
    let (firehose, mut cx) = world.firehose_cx();
    match firehose.put_one(&mut cx, &stream, size) {
        Ok(_) => Outcome::Delivered,
        Err(error) if error.code == "ServiceUnavailableException" => Outcome::Throttled,
        Err(_) => Outcome::ClientError,
    }
}

/// A simulated endpoint answers in its time; it confirms what it is asked to confirm. Others are for the outbox, if
/// somebody empties it, and else out of reach.
fn request(world: &mut World, post: HttpPost) -> Option<Delivery> {
    let Some(endpoint) = world.endpoints.get_mut(&post.url) else {
        if let Some(outbox) = world.outbox.as_mut().filter(|outbox| outbox.len() < OUTBOX_MAX) {
            outbox.push_back(post);
            return None;
        }
        let (sns, mut cx) = world.sns_cx();
        return sns.answered(&mut cx, post.attempt, post.tries, Outcome::ServerError);
    };
    endpoint.received += 1;
    let (answer, latency, added, failing) = (endpoint.answer, endpoint.latency, endpoint.added, endpoint.failing);
    let Answer::Status(mut status) = answer else { return None };
    let (sns, mut cx) = world.sns_cx();
    let latency = latency + Duration::from_secs_f64(added.draw_sum_ms(&mut cx, 1) / 1000.0);
    if failing.0 > 0.0 && cx.rng.random_bool(failing.0) {
        status = failing.1;
    }
    if let (Some(token), 200..=299) = (&post.token, status) {
        // The endpoint visits the link; one that no longer holds is no matter.
        let _ = sns.confirm(&mut cx, token, false);
    }
    cx.schedule_in(latency, Due::Answer { attempt: post.attempt, tries: post.tries, status }.into());
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;
    use crate::sim::lambda::{Behaviour, Config};
    use bytes::Bytes;
    use serde_json::json;

    #[test]
    fn a_function_takes_what_topics_of_other_accounts_send_where_its_policy_says_so() {
        let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
        let mut world = World::new(1, Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap(), place);
        let (lambda, mut cx) = world.lambda_cx();
        lambda.create_function(&mut cx, "settle", Config::default(), b"code", Behaviour::default()).unwrap();
        let send = |world: &mut World, account: &str, topic: &str| {
            let arn = format!("arn:aws:sns:eu-west-1:{account}:{topic}");
            let from = Sender { arn, account: account.to_owned(), by: format!("sns/{topic}") };
            let arn = world.place.arn("lambda", "function:settle");
            let (event, lineage) = (Bytes::from_static(b"{}"), Lineage::default());
            reach(world, &from, Destination::Function { arn, event, lineage })
        };
        assert_eq!(send(&mut world, "123456789012", "news"), Outcome::Delivered, "its own account's");
        assert_eq!(send(&mut world, "111122223333", "news"), Outcome::ClientError);
        let statement = json!({ "Sid": "s", "Effect": "Allow", "Principal": { "Service": "sns.amazonaws.com" },
            "Action": "lambda:InvokeFunction", "Resource": "arn:aws:lambda:eu-west-1:123456789012:function:settle",
            "Condition": { "ArnLike": { "AWS:SourceArn": "arn:aws:sns:eu-west-1:111122223333:news" } } });
        let (lambda, mut cx) = world.lambda_cx();
        let function = lambda.named_mut("settle").unwrap();
        function.add_statement(&mut cx, &Qualifier::Unqualified, "s", statement, None).unwrap();
        assert_eq!(send(&mut world, "111122223333", "news"), Outcome::Delivered);
        assert_eq!(send(&mut world, "111122223333", "other"), Outcome::ClientError);
        assert_eq!(world.lambda.events_waiting(), 2);
    }
}
