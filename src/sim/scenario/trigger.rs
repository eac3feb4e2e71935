//! Callers, schedules and buckets of a scenario: what may stand in the file, and what they become.

use super::file::{Scenario, duration};
use super::problems::Problems;
use crate::sim::actors::caller::Caller as CallerActor;
use crate::sim::actors::trigger::{Source, Target, Trigger};
use crate::sim::actors::{self, Role};
use crate::sim::lambda::Qualifier;
use crate::sim::world::World;
use serde::Deserialize;
use std::time::Duration;

/// People behind an API gateway, whose requests a function answers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caller {
    pub name: String,
    /// `checkout`, or through an alias `checkout:live`.
    pub function: String,
    /// Requests a second on average.
    pub per_s: f64,
    /// The template of the requests.
    pub template: Option<String>,
    /// How long the gateway waits; API Gateway's own limit is 29 s.
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
    /// How often a request that failed is made again.
    #[serde(default = "retries")]
    pub retries: u32,
}

/// A rule of EventBridge that fires at a fixed rate.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    pub name: String,
    #[serde(deserialize_with = "duration")]
    pub every: Duration,
    /// `lambda/NAME`, `sqs/NAME` or `sns/NAME`.
    pub target: String,
}

/// A bucket that tells of each object that is created.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    pub name: String,
    /// Between two bursts, on average.
    #[serde(deserialize_with = "duration")]
    pub every: Duration,
    /// Objects at a time.
    #[serde(default = "one")]
    pub burst: u32,
    /// What the objects' keys begin with; a number from 1 follows.
    #[serde(default = "prefix")]
    pub prefix: String,
    /// `lambda/NAME`, `sqs/NAME` or `sns/NAME`.
    pub target: String,
}

const fn timeout_ms() -> u64 {
    29_000
}
const fn retries() -> u32 {
    2
}
const fn one() -> u32 {
    1
}
fn prefix() -> String {
    "object-".to_owned()
}

/// Name and qualifier of `checkout:live`.
fn function(text: &str) -> (&str, Option<&str>) {
    text.split_once(':').map_or((text, None), |(name, qualifier)| (name, Some(qualifier)))
}

fn target(text: &str) -> Option<Target> {
    Some(match text.split_once('/')? {
        ("lambda", text) => {
            let (name, qualifier) = function(text);
            Target::Function { name: name.to_owned(), qualifier: Qualifier::parse(qualifier) }
        }
        ("sqs", queue) => Target::Queue(queue.to_owned()),
        ("sns", topic) => Target::Topic(topic.to_owned()),
        _ => return None,
    })
}

/// Finds what cannot be.
pub fn check(scenario: &Scenario, problems: &mut Problems<'_>, world: Option<&World>) {
    let has_function = |text: &str| {
        let (name, qualifier) = function(text);
        scenario.has_function(world, name) && qualifier.is_none_or(|alias| scenario.has_alias(world, name, alias))
    };
    let has_target = |text: &str| {
        text.strip_prefix("lambda/").is_some_and(has_function)
            || (text.starts_with("sqs/") && scenario.has_source(world, text))
            || scenario.has_topic(world, text)
    };
    for (index, caller) in scenario.callers.iter().enumerate() {
        let (name, of) = (&caller.name, &caller.function);
        if !has_function(of) {
            problems.of("caller", index, format!("caller `{name}`: function `{of}` is not a [[function]] here"));
        }
        if let Some(template) = caller.template.as_ref().filter(|template| !scenario.has_template(world, template)) {
            let message = format!("caller `{name}`: template `{template}` is not a [[template]] here");
            problems.of("caller", index, message);
        }
        if !(0.0..=1e5).contains(&caller.per_s) || !(1..=900_000).contains(&caller.timeout_ms) || caller.retries > 10 {
            let message = "per_s must be 0 to 100,000, timeout_ms 1 to 900,000, retries 0 to 10";
            problems.of("caller", index, format!("caller `{name}`: {message}"));
        }
    }
    let schedules = scenario.schedules.iter().map(|of| ("schedule", &of.name, &of.target, of.every, 1));
    let buckets = scenario.buckets.iter().map(|of| ("bucket", &of.name, &of.target, of.every, of.burst));
    for (of_kind, (kind, name, target, every, burst)) in schedules.enumerate().chain(buckets.enumerate()) {
        if !has_target(target) {
            let message = format!("{kind} `{name}`: target `{target}` is not a function, queue or topic here");
            problems.of(kind, of_kind, message);
        }
        if every.is_zero() || !(1..=10_000).contains(&burst) {
            let message = format!("{kind} `{name}`: every must be above 0, burst 1 to 10,000");
            problems.of(kind, of_kind, message);
        }
    }
}

/// Puts them to work.
pub fn add_triggers(world: &mut World, scenario: &Scenario) {
    for caller in &scenario.callers {
        let (name, qualifier) = function(&caller.function);
        let mut actor = CallerActor::new(name, Qualifier::parse(qualifier), caller.per_s);
        actor.template = caller.template.as_ref().and_then(|name| world.templates.named(name));
        actor.timeout = Duration::from_millis(caller.timeout_ms);
        actor.retries = caller.retries;
        actors::hire(world, &caller.name, Role::Caller(actor));
    }
    for schedule in &scenario.schedules {
        let Some(target) = target(&schedule.target) else { continue };
        let source = Source::Schedule { every: schedule.every };
        actors::hire(world, &schedule.name, Role::Trigger(Trigger::new(source, target)));
    }
    for bucket in &scenario.buckets {
        let Some(target) = target(&bucket.target) else { continue };
        let source = Source::Bucket { every: bucket.every, burst: bucket.burst, prefix: bucket.prefix.clone() };
        actors::hire(world, &bucket.name, Role::Trigger(Trigger::new(source, target)));
    }
}
