//! A producer: puts records on a stream, sends messages to a queue or publishes them to a topic, buffers what was
//! throttled, gives up in the end.

use crate::domain::time::Timestamp;
use crate::sim::fanout;
use crate::sim::kinesis::{KeyId, PutKey, PutRecord};
use crate::sim::payload::{Payload, TemplateId};
use crate::sim::sns::Publication;
use crate::sim::sqs::{AttributeValue, Outgoing};
use crate::sim::world::World;
use rand::RngExt;
use rand_distr::{Distribution, Poisson};
use std::collections::VecDeque;
use std::time::Duration;

/// A producer collects records for so long before it sends them.
const STEP: Duration = Duration::from_millis(250);
/// AWS's producer library gives a record up after this long (RecordTtl).
const RECORD_TTL: Duration = Duration::from_secs(30);
/// Of what waits for a retry, at most this part of a normal step's records goes out again with each step; AWS's
/// producer library limits itself to 150 % of a shard's rate.
const RETRY_SHARE: f64 = 0.2;
/// PutRecords takes 500 records.
const BATCH_MAX: usize = 500;
/// Bytes of one PutRecords call: 10 MiB, with room for keys.
const BATCH_BYTES_MAX: usize = 9 << 20;

/// Where the records go.
pub enum Target {
    Stream(String),
    Queue(String),
    Topic(String),
}

pub struct Producer {
    pub target: Target,
    /// Records or messages a second, on average, before `surge`.
    pub per_s: f64,
    /// Multiplies `per_s`.
    pub surge: f64,
    pub template: TemplateId,
    /// A second template and its share of all.
    pub other: Option<(TemplateId, f64)>,
    pub keys: Vec<KeyId>,
    /// Attributes of messages to a topic: names and the patterns of their values.
    pub attributes: Vec<(String, TemplateId)>,
    /// One key's index and its share of all records.
    pub hot_key: Option<(usize, f64)>,
    waiting: VecDeque<Record>,
    /// Records that were given up after [`RECORD_TTL`].
    pub given_up: u64,
}

#[derive(Clone, Copy)]
struct Record {
    key: Option<KeyId>,
    template: TemplateId,
    seed: u64,
    made_at: Timestamp,
}

impl Producer {
    pub fn new(target: Target, per_s: f64, template: TemplateId, keys: Vec<KeyId>) -> Self {
        Self {
            target,
            per_s,
            surge: 1.0,
            template,
            other: None,
            keys,
            attributes: Vec::new(),
            hot_key: None,
            waiting: VecDeque::new(),
            given_up: 0,
        }
    }

    /// Makes one step's records, sends them with some of those that were refused before, and keeps what is refused.
    pub fn act(&mut self, world: &mut World) -> Timestamp {
        let now = world.now;
        while self.waiting.front().is_some_and(|record| now.since(record.made_at) > RECORD_TTL) {
            self.waiting.pop_front();
            self.given_up += 1;
        }
        let mean = self.per_s * self.surge * STEP.as_secs_f64();
        let again = ((mean * RETRY_SHARE).ceil() as usize).min(self.waiting.len());
        let mut records: Vec<Record> = self.waiting.drain(..again).collect();
        let new = draw_count(world, mean);
        records.extend((0..new).map(|_| self.make(world)));
        match &self.target {
            Target::Stream(stream) => {
                let refused = put(world, stream, &records);
                self.waiting.extend(refused);
            }
            Target::Queue(queue) => send(world, queue, &records),
            Target::Topic(topic) => publish(world, topic, &self.attributes, &records),
        }
        now + STEP
    }

    fn make(&self, world: &mut World) -> Record {
        let made_at = world.now;
        let rng = world.rng();
        let key = match self.hot_key {
            Some((hot, share)) if rng.random_bool(share.clamp(0.0, 1.0)) => self.keys.get(hot),
            _ if self.keys.is_empty() => None,
            _ => self.keys.get(rng.random_range(0..self.keys.len())),
        };
        let template = match self.other {
            Some((other, share)) if rng.random_bool(share.clamp(0.0, 1.0)) => other,
            _ => self.template,
        };
        Record { key: key.copied(), template, seed: rng.random(), made_at }
    }
}

/// How many happen in a step when `mean` do on average.
fn draw_count(world: &mut World, mean: f64) -> usize {
    Poisson::new(mean).map_or(0, |poisson| poisson.sample(world.rng()) as usize)
}

/// Puts the records in as few calls as AWS allows; answers those that were refused, in order.
fn put(world: &mut World, stream: &str, records: &[Record]) -> Vec<Record> {
    let mut refused = Vec::new();
    let mut rest = records;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = rest.iter().take(BATCH_MAX).take_while(|record| {
            bytes += world.templates.len_of(&Payload::Made { template: record.template, seed: 0 }) + 256;
            bytes <= BATCH_BYTES_MAX
        });
        let (batch, later) = rest.split_at(fits.count().max(1));
        rest = later;
        let puts: Vec<PutRecord<'_>> = batch
            .iter()
            .map(|record| PutRecord {
                key: record.key.map_or(PutKey::Text("-"), PutKey::Interned),
                explicit_hash: None,
                data: Payload::Made { template: record.template, seed: record.seed },
            })
            .collect();
        let (kinesis, mut cx) = world.kinesis_cx();
        match kinesis.put_records(&mut cx, stream, &puts) {
            Ok(outcomes) => {
                refused.extend(batch.iter().zip(outcomes).filter(|(_, put)| !put.is_ok()).map(|(record, _)| *record));
            }
            Err(_) => refused.extend_from_slice(batch),
        }
    }
    refused
}

/// A queue refuses nothing at these rates; a queue that is gone loses what is sent to it, as AWS would.
fn send(world: &mut World, queue: &str, records: &[Record]) {
    for record in records {
        let body = Payload::Made { template: record.template, seed: record.seed };
        let (sqs, mut cx) = world.sqs_cx();
        let _ = sqs.send(&mut cx, queue, Outgoing::of(body));
    }
}

/// What a topic refuses is lost to its publisher, as AWS would have it. A FIFO topic's messages are ordered by their
/// kind.
fn publish(world: &mut World, topic: &str, attributes: &[(String, TemplateId)], records: &[Record]) {
    for record in records {
        let mut publication = Publication::of(Payload::Made { template: record.template, seed: record.seed });
        for (name, template) in attributes {
            let value = world.templates.read(&Payload::Made { template: *template, seed: record.seed }, "");
            let text = AttributeValue::text("String", &String::from_utf8_lossy(&value));
            publication.attributes.insert(name.clone(), text);
        }
        if topic.ends_with(".fifo") {
            publication.group = Some(format!("template-{}", record.template.0));
            publication.dedup = Some(format!("{:016x}", record.seed));
        }
        fanout::publish(world, topic, publication);
    }
}
