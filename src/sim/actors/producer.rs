//! A producer: puts records on a stream, sends messages to a queue or publishes them to a topic, buffers what was
//! throttled, gives up in the end.

use crate::domain::time::Timestamp;
use crate::sim::fanout;
use crate::sim::faults::api;
use crate::sim::kinesis::{KeyId, PutKey, PutRecord};
use crate::sim::payload::{Payload, TemplateId};
use crate::sim::sns::Publication;
use crate::sim::sqs::{AttributeValue, Outgoing};
use crate::sim::wire::Service;
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
    /// Templates of aggregates of the two, and how many records each holds; none without aggregation.
    pub aggregates: Option<Aggregates>,
    /// What is refused is sent again. An application that looks only at the request's success loses it.
    pub retries: bool,
    /// The share of requests whose answer is lost on the way: their records are sent again, and are there twice.
    pub lost_answers: f64,
    pub counts: Counts,
    waiting: VecDeque<Record>,
}

#[derive(Clone, Copy)]
pub struct Aggregates {
    pub records: u32,
    pub template: TemplateId,
    pub other: Option<TemplateId>,
}

/// What became of the application's records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub made: u64,
    /// Stored, repetitions included.
    pub stored: u64,
    /// Of these, what was stored before: nobody had heard of it.
    pub repeated: u64,
    /// Given up after [`RECORD_TTL`], or refused and not sent again.
    pub lost: u64,
}

#[derive(Clone, Copy)]
struct Record {
    key: Option<KeyId>,
    template: TemplateId,
    /// The application's records in it.
    records: u32,
    seed: u64,
    made_at: Timestamp,
    /// Was stored, though the answer did not say so.
    is_stored: bool,
}

impl Record {
    fn unstored(&self) -> u64 {
        if self.is_stored { 0 } else { u64::from(self.records) }
    }
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
            aggregates: None,
            retries: true,
            lost_answers: 0.0,
            counts: Counts::default(),
            waiting: VecDeque::new(),
        }
    }

    /// Makes one step's records, sends them with some of those that were refused before, and keeps what is refused.
    pub fn act(&mut self, world: &mut World, name: &str) -> Timestamp {
        let now = world.now;
        while let Some(record) = self.waiting.pop_front_if(|record| now.since(record.made_at) > RECORD_TTL) {
            self.counts.lost += record.unstored();
        }
        let mean = self.per_s * self.surge * STEP.as_secs_f64();
        let again = ((mean * RETRY_SHARE).ceil() as usize).min(self.waiting.len());
        let mut records: Vec<Record> = self.waiting.drain(..again).collect();
        let new = draw_count(world, mean) as u64;
        self.counts.made += new;
        // Full aggregates, and the rest one by one.
        let size = u64::from(self.aggregates.map_or(1, |aggregates| aggregates.records));
        records.extend((0..new / size).map(|_| self.make(world, true)));
        records.extend((0..new % size).map(|_| self.make(world, false)));
        let again = match &self.target {
            Target::Stream(stream) => self.put(world, name, &stream.clone(), &records),
            Target::Queue(queue) => {
                let is_stored = send(world, name, queue, &records);
                self.sort_out(&records, &is_stored, false)
            }
            Target::Topic(topic) => {
                let is_stored = publish(world, name, topic, &self.attributes, &records);
                self.sort_out(&records, &is_stored, false)
            }
        };
        self.waiting.extend(again);
        now + STEP
    }

    /// Records that are not stored yet and wait to be sent again.
    pub fn waiting(&self) -> u64 {
        self.waiting.iter().map(Record::unstored).sum()
    }

    fn make(&self, world: &mut World, is_aggregate: bool) -> Record {
        let made_at = world.now;
        let rng = world.rng();
        let key = match self.hot_key {
            Some((hot, share)) if rng.random_bool(share.clamp(0.0, 1.0)) => self.keys.get(hot),
            _ if self.keys.is_empty() => None,
            _ => self.keys.get(rng.random_range(0..self.keys.len())),
        };
        let is_other = self.other.is_some_and(|(_, share)| rng.random_bool(share.clamp(0.0, 1.0)));
        let plain = self.other.filter(|_| is_other).map_or(self.template, |(other, _)| other);
        let (template, records) = match self.aggregates.filter(|_| is_aggregate) {
            Some(aggregates) if is_other => (aggregates.other.unwrap_or(aggregates.template), aggregates.records),
            Some(aggregates) => (aggregates.template, aggregates.records),
            None => (plain, 1),
        };
        Record { key: key.copied(), template, records, seed: rng.random(), made_at, is_stored: false }
    }

    /// Puts the records in as few calls as AWS allows; answers those that are to be sent again, in order.
    fn put(&mut self, world: &mut World, name: &str, stream: &str, records: &[Record]) -> Vec<Record> {
        let mut again = Vec::new();
        let mut rest = records;
        while !rest.is_empty() {
            let (batch, later) = rest.split_at(fitting(world, rest));
            rest = later;
            let is_stored = put_batch(world, name, stream, batch);
            let is_unheard = self.lost_answers > 0.0 && world.rng().random_bool(self.lost_answers.min(1.0));
            again.extend(self.sort_out(batch, &is_stored, is_unheard));
        }
        again
    }

    /// Counts what was stored; answers what is to be sent again, in order.
    fn sort_out(&mut self, records: &[Record], is_stored: &[bool], is_unheard: bool) -> Vec<Record> {
        let mut again = Vec::new();
        for (record, is_stored) in records.iter().zip(is_stored) {
            let mut record = *record;
            if *is_stored {
                self.counts.stored += u64::from(record.records);
                self.counts.repeated += u64::from(record.records) - record.unstored();
                record.is_stored = true;
            }
            if *is_stored && !is_unheard {
                continue;
            }
            if self.retries {
                again.push(record);
            } else {
                self.counts.lost += record.unstored();
            }
        }
        again
    }
}

/// How many happen in a step when `mean` do on average.
fn draw_count(world: &mut World, mean: f64) -> usize {
    Poisson::new(mean).map_or(0, |poisson| poisson.sample(world.rng()) as usize)
}

/// How many of the records one PutRecords call takes.
fn fitting(world: &World, records: &[Record]) -> usize {
    let mut bytes = 0;
    let fits = records.iter().take(BATCH_MAX).take_while(|record| {
        bytes += world.templates.len_of(&Payload::Made { template: record.template, seed: 0 }) + 256;
        bytes <= BATCH_BYTES_MAX
    });
    fits.count().max(1)
}

/// Which records of one call were stored; none when the whole call was refused.
fn put_batch(world: &mut World, name: &str, stream: &str, batch: &[Record]) -> Vec<bool> {
    if api::admit(world, name, Service::Kinesis, "PutRecords", stream).is_err() {
        return vec![false; batch.len()];
    }
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
        Ok(outcomes) => outcomes.iter().map(|outcome| outcome.is_ok()).collect(),
        Err(_) => vec![false; batch.len()],
    }
}

/// Group and deduplication id of what goes to a FIFO queue or topic: messages of one kind are in order, and one that is
/// sent again is known as such.
fn order_of(record: &Record) -> (Option<String>, Option<String>) {
    (Some(format!("template-{}", record.template.0)), Some(format!("{:016x}", record.seed)))
}

/// Which messages the queue took.
fn send(world: &mut World, name: &str, queue: &str, records: &[Record]) -> Vec<bool> {
    let mut is_stored = Vec::with_capacity(records.len());
    for record in records {
        let admitted = api::admit(world, name, Service::Sqs, "SendMessage", queue);
        let mut message = Outgoing::of(Payload::Made { template: record.template, seed: record.seed });
        if queue.ends_with(".fifo") {
            (message.group, message.dedup) = order_of(record);
        }
        let (sqs, mut cx) = world.sqs_cx();
        is_stored.push(admitted.is_ok() && sqs.send(&mut cx, queue, message).is_ok());
    }
    is_stored
}

/// Which messages the topic took. A FIFO topic's messages are ordered by their kind.
fn publish(
    world: &mut World,
    name: &str,
    topic: &str,
    attributes: &[(String, TemplateId)],
    records: &[Record],
) -> Vec<bool> {
    let mut is_stored = Vec::with_capacity(records.len());
    for record in records {
        let mut publication = Publication::of(Payload::Made { template: record.template, seed: record.seed });
        for (name, template) in attributes {
            let value = world.templates.read(&Payload::Made { template: *template, seed: record.seed }, "");
            let text = AttributeValue::text("String", &String::from_utf8_lossy(&value));
            publication.attributes.insert(name.clone(), text);
        }
        if topic.ends_with(".fifo") {
            (publication.group, publication.dedup) = order_of(record);
        }
        let admitted = api::admit(world, name, Service::Sns, "Publish", topic);
        is_stored.push(admitted.is_ok() && fanout::publish(world, topic, publication));
    }
    is_stored
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::actors::{self, Role};
    use crate::sim::cx::Place;
    use crate::sim::kinesis::StreamMode;
    use crate::sim::payload::Template;

    const MINUTE: Duration = Duration::from_secs(60);

    /// A stream of one shard, and a producer of `per_s` records of a kilobyte that a test may set up.
    fn world(per_s: f64, set_up: impl FnOnce(&mut World, &mut Producer)) -> World {
        let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
        let mut world = World::new(7, Timestamp::from_millis(1_800_000_000_000), place);
        let (kinesis, mut cx) = world.kinesis_cx();
        kinesis.add_active_stream(&mut cx, "bids", 1, StreamMode::Provisioned).unwrap();
        let template = world.templates.add(Template { name: "bid".into(), text: "{}".into(), bytes: Some(100) });
        let keys = vec![world.kinesis.intern_key("hotel-1")];
        let mut producer = Producer::new(Target::Stream("bids".into()), per_s, template, keys);
        set_up(&mut world, &mut producer);
        actors::hire(&mut world, "api", Role::Producer(producer));
        let until = world.now + MINUTE;
        world.advance_to(until);
        world
    }

    fn counts(world: &mut World) -> (Counts, u64) {
        match actors::named(world, "api").map(|actor| &actor.role) {
            Some(Role::Producer(producer)) => (producer.counts, producer.waiting()),
            _ => panic!("no producer"),
        }
    }

    fn stored_in_stream(world: &World) -> u64 {
        world.kinesis.stream("bids").unwrap().shards().map(|shard| shard.log.next() - shard.log.first()).sum()
    }

    #[test]
    fn aggregation_gets_many_records_through_a_shard_that_takes_a_thousand_a_second() {
        let mut plain = world(3000.0, |_, _| {});
        let (plain_counts, waiting) = counts(&mut plain);
        assert!(plain_counts.stored < 62_000 && waiting > 20_000, "{plain_counts:?}");
        let mut aggregating = world(3000.0, |world, producer| {
            let template = world.templates.add_aggregate(producer.template, 50);
            producer.aggregates = Some(Aggregates { records: 50, template, other: None });
        });
        let (counts, waiting) = counts(&mut aggregating);
        assert_eq!((counts.stored, counts.lost, waiting), (counts.made, 0, 0));
        assert!(stored_in_stream(&aggregating) * 15 < counts.made);
    }

    #[test]
    fn a_lost_answer_puts_records_twice() {
        let mut world = world(100.0, |_, producer| producer.lost_answers = 0.2);
        let (counts, waiting) = counts(&mut world);
        assert!(counts.repeated > 500, "{counts:?}");
        assert_eq!((counts.made, counts.lost), (counts.stored - counts.repeated + waiting, 0));
        assert_eq!(stored_in_stream(&world), counts.stored);
    }

    #[test]
    fn what_is_refused_is_lost_without_retries() {
        let mut world = world(2000.0, |_, producer| producer.retries = false);
        let (counts, waiting) = counts(&mut world);
        assert!(counts.lost > 40_000);
        assert_eq!((counts.made, waiting), (counts.stored + counts.lost, 0));
    }
}
