//! SNS by example: what publishers, subscribers and operators of a topic can rely on.

mod arrivals;
mod publishing;
mod text_messages;
mod topics;
mod webhooks;

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
        let wanted =
            Subscribe { topic, protocol, endpoint: Some(endpoint), attributes: map(attributes), links, owner: None };
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
