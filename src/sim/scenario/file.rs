//! The scenario file: what may stand in it, and every reason why it may not.

use super::alarm::Alarm;
use super::delivery::{self, DeliveryStream};
use super::fault::Fault;
use super::fleet::{self, Fleet};
use super::function::{Alias, Function, Mapping};
use super::problems::Problems;
use super::read::{self, Read};
use super::topic::{Endpoint, Subscription, Topic};
use super::trigger::{self, Bucket, Caller, Schedule};
use super::workflow::{Activity, ActivityWorker, Decider, Domain, Starter, Workflow};
use crate::domain::time::Timestamp;
use crate::sim::actors::{Actor, Role};
use crate::sim::iam;
use crate::sim::world::World;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// A whole scenario, as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub title: String,
    /// The story, for the person who picks it.
    #[serde(default)]
    pub about: String,
    /// When the story begins, RFC 3339.
    #[serde(default, deserialize_with = "timestamp")]
    pub start: Timestamp,
    /// How long the estate has run, all well, before the story begins; charts then have a past.
    #[serde(default = "an_hour", deserialize_with = "duration")]
    pub warm_up: Duration,
    #[serde(default = "region")]
    pub region: String,
    /// Twelve digits.
    #[serde(default = "account")]
    pub account: String,
    /// What the account is called, in IAM's letters: `acme-prod`. Nothing without it.
    pub account_alias: Option<String>,
    #[serde(default, rename = "template")]
    pub templates: Vec<Template>,
    #[serde(default, rename = "stream")]
    pub streams: Vec<Stream>,
    #[serde(default, rename = "queue")]
    pub queues: Vec<Queue>,
    #[serde(default, rename = "function")]
    pub functions: Vec<Function>,
    #[serde(default, rename = "alias")]
    pub aliases: Vec<Alias>,
    #[serde(default, rename = "delivery_stream")]
    pub delivery_streams: Vec<DeliveryStream>,
    #[serde(default, rename = "mapping")]
    pub mappings: Vec<Mapping>,
    #[serde(default, rename = "topic")]
    pub topics: Vec<Topic>,
    #[serde(default, rename = "subscription")]
    pub subscriptions: Vec<Subscription>,
    #[serde(default, rename = "endpoint")]
    pub endpoints: Vec<Endpoint>,
    #[serde(default, rename = "producer")]
    pub producers: Vec<Producer>,
    #[serde(default, rename = "worker")]
    pub workers: Vec<Worker>,
    #[serde(default, rename = "fleet")]
    pub fleets: Vec<Fleet>,
    #[serde(default, rename = "domain")]
    pub domains: Vec<Domain>,
    #[serde(default, rename = "workflow")]
    pub workflows: Vec<Workflow>,
    #[serde(default, rename = "activity")]
    pub activities: Vec<Activity>,
    #[serde(default, rename = "decider")]
    pub deciders: Vec<Decider>,
    #[serde(default, rename = "activity_worker")]
    pub activity_workers: Vec<ActivityWorker>,
    #[serde(default, rename = "starter")]
    pub starters: Vec<Starter>,
    #[serde(default, rename = "caller")]
    pub callers: Vec<Caller>,
    #[serde(default, rename = "schedule")]
    pub schedules: Vec<Schedule>,
    #[serde(default, rename = "bucket")]
    pub buckets: Vec<Bucket>,
    #[serde(default, rename = "alarm")]
    pub alarms: Vec<Alarm>,
    #[serde(default, rename = "fault")]
    pub faults: Vec<Fault>,
}

/// The pattern of a record's or message's body; see `sim::payload::Template`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    pub name: String,
    pub text: String,
    pub bytes: Option<u32>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    pub name: String,
    pub shards: u32,
    /// Hours that records are kept; 24 without it.
    pub retention_hours: Option<u32>,
    /// Shard-level metrics (enhanced monitoring).
    #[serde(default)]
    pub shard_metrics: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// A name that ends in `.fifo` is a FIFO queue's.
    pub name: String,
    #[serde(default = "visibility_timeout_s")]
    pub visibility_timeout_s: u32,
    pub retention_s: Option<u32>,
    pub dead_letter_queue: Option<String>,
    #[serde(default = "max_receive_count")]
    pub max_receive_count: u32,
}

/// A log-normal time by two of its percentiles, in milliseconds.
#[derive(Clone, Copy, Debug, Deserialize, Default, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    pub p50_ms: f64,
    pub p99_ms: f64,
}

/// An application that puts records or sends messages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Producer {
    pub name: String,
    /// `kinesis/bids`, `sqs/orders` or `sns/promo`.
    pub target: String,
    /// Records or messages a second on average.
    pub per_s: f64,
    pub template: String,
    /// A second template for a share of them.
    pub other_template: Option<String>,
    #[serde(default)]
    pub other_share: f64,
    /// How many partition keys; the key's text is `key_prefix` and a number from 1.
    #[serde(default = "keys")]
    pub keys: u32,
    #[serde(default = "key_prefix")]
    pub key_prefix: String,
    /// Attributes of messages to a topic; their values are patterns as bodies are.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// Records that go into one record of a stream, as AWS's producer library aggregates them; 1 aggregates nothing.
    #[serde(default = "one")]
    pub aggregate: u32,
    /// Whether what was refused is sent again.
    #[serde(default = "yes")]
    pub retries: bool,
    /// The share of requests whose answer is lost on the way; their records are sent again, and are there twice.
    #[serde(default)]
    pub lost_answers: f64,
}

/// A service that polls a queue, works, and deletes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worker {
    pub name: String,
    pub queue: String,
    /// Messages at work at once, over all its threads.
    pub concurrency: u32,
    pub service: Spread,
}

/// Everything that is wrong with a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError(pub Vec<String>);

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for ScenarioError {}

impl Scenario {
    /// Reads and checks a scenario. All that is wrong is reported at once, with its lines.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let Read { scenario, mistakes, lacks_tables } = read::read(text)?;
        let mut problems = Problems::with(text, mistakes);
        for (key, is_missing) in [
            ("name", scenario.name.is_empty()),
            ("title", scenario.title.is_empty()),
            ("start", scenario.start == Timestamp::default()),
        ] {
            if is_missing && !lacks_tables {
                problems.of_file(format!("{key}: every scenario has one; write `{key} = \"…\"` above the first table"));
            }
        }
        if !lacks_tables {
            scenario.check(&mut problems, None);
        }
        problems.into_result().map(|()| scenario)
    }

    /// Finds what cannot be. Names may also be those of a world that is there already.
    pub(super) fn check(&self, problems: &mut Problems<'_>, world: Option<&World>) {
        if self.account.len() != 12 || !self.account.bytes().all(|byte| byte.is_ascii_digit()) {
            problems.of_file(format!("account: `{}` is not twelve digits", self.account));
        }
        if let Some(alias) = self.account_alias.as_deref().filter(|alias| !iam::is_alias(alias)) {
            let message = "is no alias of an account: 3 to 63 small letters, digits and single hyphens between them";
            problems.of_file(format!("account_alias: `{alias}` {message}"));
        }
        self.check_resources(problems, world);
        self.check_functions(problems, world);
        self.check_topics(problems, world);
        delivery::check(self, problems, world);
        self.check_actors(problems, world);
        self.check_workflows(problems, world);
        self.check_faults(problems, world);
        for (index, alarm) in self.alarms.iter().enumerate() {
            for error in alarm.errors() {
                problems.of("alarm", index, error);
            }
        }
    }

    /// Whether `kinesis/NAME` or `sqs/NAME` is there.
    pub(super) fn has_source(&self, world: Option<&World>, source: &str) -> bool {
        match source.split_once('/') {
            Some(("kinesis", name)) => {
                self.streams.iter().any(|stream| stream.name == name)
                    || world.is_some_and(|world| world.kinesis.stream(name).is_some())
            }
            Some(("sqs", name)) => {
                self.queues.iter().any(|queue| queue.name == name)
                    || world.is_some_and(|world| world.sqs.queue(name).is_some())
            }
            _ => false,
        }
    }

    pub(super) fn has_function(&self, world: Option<&World>, name: &str) -> bool {
        self.functions.iter().any(|function| function.name == name)
            || world.is_some_and(|world| world.lambda.named(name).is_some())
    }

    pub(super) fn has_template(&self, world: Option<&World>, name: &str) -> bool {
        self.templates.iter().any(|template| template.name == name)
            || world.is_some_and(|world| world.templates.named(name).is_some())
    }

    pub(super) fn has_producer(&self, world: Option<&World>, name: &str) -> bool {
        let is_it = |actor: &Actor| actor.name == name && actor.role.is_source();
        self.producers.iter().any(|producer| producer.name == name)
            || self.starters.iter().any(|starter| starter.name == name)
            || self.callers.iter().any(|caller| caller.name == name)
            || self.schedules.iter().any(|schedule| schedule.name == name)
            || self.buckets.iter().any(|bucket| bucket.name == name)
            || world.is_some_and(|world| world.actors.iter().flatten().any(is_it))
    }

    /// Whether it is a queue worker's name.
    pub(super) fn is_worker(&self, world: Option<&World>, name: &str) -> bool {
        let is_it = |actor: &Actor| actor.name == name && matches!(actor.role, Role::Worker(_));
        self.workers.iter().any(|worker| worker.name == name)
            || world.is_some_and(|world| world.actors.iter().flatten().any(is_it))
    }

    pub(super) fn has_consumer(&self, world: Option<&World>, name: &str) -> bool {
        let is_it = |actor: &Actor| actor.name == name && !actor.role.is_source();
        self.workers.iter().any(|worker| worker.name == name)
            || self.fleets.iter().any(|fleet| fleet.name == name)
            || self.has_task_poller(name)
            || world.is_some_and(|world| world.actors.iter().flatten().any(is_it))
    }

    fn check_resources(&self, problems: &mut Problems<'_>, world: Option<&World>) {
        for (index, stream) in self.streams.iter().enumerate() {
            if stream.shards == 0 {
                problems.of("stream", index, format!("stream `{}`: shards must be at least 1", stream.name));
            }
        }
        for (index, queue) in self.queues.iter().enumerate() {
            let missing = |dlq: &&String| !self.has_source(world, &format!("sqs/{dlq}"));
            if let Some(dlq) = queue.dead_letter_queue.as_ref().filter(missing) {
                let message = format!("queue `{}`: dead_letter_queue `{dlq}` is not a [[queue]] here", queue.name);
                problems.of("queue", index, message);
            }
        }
    }

    fn check_actors(&self, problems: &mut Problems<'_>, world: Option<&World>) {
        for (index, producer) in self.producers.iter().enumerate() {
            let name = &producer.name;
            if !self.has_source(world, &producer.target) && !self.has_topic(world, &producer.target) {
                let target = &producer.target;
                let message =
                    format!("producer `{name}`: target `{target}` is not a [[stream]], [[queue]] or [[topic]] here");
                problems.of("producer", index, message);
            }
            for template in std::iter::once(&producer.template).chain(&producer.other_template) {
                if !self.has_template(world, template) {
                    let message = format!("producer `{name}`: template `{template}` is not a [[template]] here");
                    problems.of("producer", index, message);
                }
            }
            if !(producer.per_s >= 0.0 && producer.per_s <= 1e6) {
                problems.of("producer", index, format!("producer `{name}`: per_s must be 0 to 1,000,000"));
            }
            if !(1..=1000).contains(&producer.aggregate) || !(0.0..=1.0).contains(&producer.lost_answers) {
                let message = format!("producer `{name}`: aggregate must be 1 to 1000, lost_answers 0 to 1");
                problems.of("producer", index, message);
            }
        }
        for (index, worker) in self.workers.iter().enumerate() {
            if !self.has_source(world, &format!("sqs/{}", worker.queue)) {
                let message = format!("worker `{}`: queue `{}` is not a [[queue]] here", worker.name, worker.queue);
                problems.of("worker", index, message);
            }
        }
        fleet::check(self, problems, world);
        trigger::check(self, problems, world);
    }
}

fn an_hour() -> Duration {
    Duration::from_secs(3600)
}
fn region() -> String {
    "eu-west-1".to_owned()
}
fn account() -> String {
    "123456789012".to_owned()
}
const fn visibility_timeout_s() -> u32 {
    30
}
const fn max_receive_count() -> u32 {
    5
}
const fn keys() -> u32 {
    100
}
const fn one() -> u32 {
    1
}
const fn yes() -> bool {
    true
}
fn key_prefix() -> String {
    "key-".to_owned()
}

fn timestamp<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    Timestamp::parse_rfc3339(&text).map_err(|_| {
        serde::de::Error::custom(format!("`{text}` is no time: write RFC 3339, such as \"2026-11-27T17:58:00Z\""))
    })
}

pub(super) fn duration<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).map_err(serde::de::Error::custom)
}

pub(super) fn maybe_duration<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    duration(deserializer).map(Some)
}

/// Reads `90s`, `10m`, `24h`, `4d`, and sums such as `1h30m`.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no duration: write 90s, 10m, 24h, 4d or 1h30m");
    let mut total_s: u64 = 0;
    let mut number = String::new();
    for letter in text.chars() {
        if letter.is_ascii_digit() {
            number.push(letter);
            continue;
        }
        let unit_s = match letter {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return Err(wrong()),
        };
        let count: u64 = number.parse().map_err(|_| wrong())?;
        total_s = count.checked_mul(unit_s).and_then(|s| total_s.checked_add(s)).ok_or_else(wrong)?;
        number.clear();
    }
    if number.is_empty() && !text.is_empty() { Ok(Duration::from_secs(total_s)) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(parse_duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("1h30m"), Ok(Duration::from_secs(5400)));
        for wrong in ["", "10", "m", "10x", "-5s", "99999999999999999999d"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}
