//! SQS by example: what a sender, a receiver and an operator of a queue can rely on.

mod dead_letters;
mod fair;
mod fifo;
mod fifo_order;
mod gauges;
mod standard;

use super::*;
use crate::sim::cx::Place;
use crate::sim::payload::Payload;
use crate::sim::world::World;
use bytes::Bytes;
use std::time::Duration;

/// A world and short names for what the examples do.
pub(super) struct Bench {
    pub world: World,
}

impl Bench {
    pub fn new() -> Self {
        let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
        let start = Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap();
        Self { world: World::new(1, start, place) }
    }

    pub fn with_queue(name: &str, attributes: &[(&str, &str)]) -> Self {
        let mut bench = Self::new();
        bench.create(name, attributes).unwrap();
        bench
    }

    /// `orders` with the dead-letter queue `orders-dlq` after `max_receives`.
    pub fn with_orders(max_receives: u32) -> Self {
        let mut bench = Self::with_queue("orders-dlq", &[]);
        let policy = redrive_to("orders-dlq", max_receives);
        bench.create("orders", &[("RedrivePolicy", &policy)]).unwrap();
        bench
    }

    pub fn create(&mut self, name: &str, attributes: &[(&str, &str)]) -> Result<(), ApiError> {
        let (sqs, mut cx) = self.world.sqs_cx();
        sqs.create_queue(&mut cx, name, &map(attributes), &BTreeMap::new())
    }

    pub fn set(&mut self, name: &str, attributes: &[(&str, &str)]) -> Result<(), ApiError> {
        let (sqs, mut cx) = self.world.sqs_cx();
        sqs.set_attributes(&mut cx, name, &map(attributes))
    }

    pub fn send(&mut self, name: &str, body: &str) -> MessageId {
        let (sqs, mut cx) = self.world.sqs_cx();
        sqs.send(&mut cx, name, outgoing(body)).unwrap().id
    }

    pub fn receive(&mut self, name: &str, max: u32) -> Vec<Received> {
        let (sqs, mut cx) = self.world.sqs_cx();
        sqs.receive(&mut cx, name, max, None).unwrap()
    }

    pub fn delete(&mut self, name: &str, receipt: Receipt) -> bool {
        let (sqs, mut cx) = self.world.sqs_cx();
        sqs.delete(&mut cx, name, receipt).unwrap()
    }

    pub fn depth(&mut self, name: &str) -> (u64, u64, u64) {
        let (sqs, cx) = self.world.sqs_cx();
        let depth = sqs.depth(&cx, name).unwrap();
        (depth.visible, depth.in_flight, depth.delayed)
    }

    pub fn oldest_age_s(&mut self, name: &str) -> Option<u64> {
        let (sqs, cx) = self.world.sqs_cx();
        sqs.oldest_age(&cx, name).map(|age| age.as_secs())
    }

    pub fn wait_s(&mut self, seconds: u64) {
        let until = self.world.now + Duration::from_secs(seconds);
        self.world.advance_to(until);
    }
}

pub(super) fn outgoing(body: &str) -> Outgoing {
    Outgoing::of(Payload::Sent(Bytes::copy_from_slice(body.as_bytes())))
}

pub(super) fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(super) fn redrive_to(dlq: &str, max_receives: u32) -> String {
    let arn = format!("arn:aws:sqs:eu-west-1:123456789012:{dlq}");
    format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":{max_receives}}}"#)
}
