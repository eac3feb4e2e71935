//! Makes a world of a scenario: resources first, then mappings and actors, then the timeline.

use super::alarm::add_alarms;
use super::build_fault::add_fault;
use super::build_workflow;
use super::delivery::add_delivery_streams;
use super::file::{self, Scenario};
use super::function::{add_functions, add_mappings};
use super::topic::add_topics;
use super::trigger::add_triggers;
use crate::domain::time::Timestamp;
use crate::sim::actors::{self, Role, fleet::Fleet, producer, worker::Worker};
use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::kinesis::{ShardMetric, StreamMode};
use crate::sim::lambda::Spread;
use crate::sim::payload::Template;
use crate::sim::world::World;
use std::collections::BTreeMap;

/// The scenario's world at the beginning of its warm-up. It is `scenario.warm_up` before the story's start; advance
/// it there to give every chart a past.
///
/// Errors: what a service says against a resource of the file, with the resource's name.
pub fn build(scenario: &Scenario, seed: u64) -> Result<World, String> {
    let place = Place { account: scenario.account.clone(), region: scenario.region.clone(), limits: true };
    let mut world = World::new(seed, scenario.start - scenario.warm_up, place);
    if let Some(alias) = &scenario.account_alias {
        named("account_alias", alias, world.iam.create_alias(alias))?;
    }
    furnish(&mut world, scenario, scenario.start)?;
    Ok(world)
}

/// Puts everything of the scenario into the world; its faults happen after `start`.
pub fn furnish(world: &mut World, scenario: &Scenario, start: Timestamp) -> Result<(), String> {
    add_templates(world, scenario);
    add_streams(world, scenario)?;
    add_queues(world, scenario)?;
    add_functions(world, scenario)?;
    add_topics(world, scenario)?;
    add_delivery_streams(world, scenario)?;
    add_mappings(world, scenario)?;
    build_workflow::add_domains(world, scenario)?;
    add_alarms(world, scenario)?;
    add_actors(world, scenario);
    build_workflow::add_actors(world, scenario);
    add_triggers(world, scenario);
    for fault in &scenario.faults {
        add_fault(world, fault, start);
    }
    Ok(())
}

pub(super) fn named<T>(kind: &str, name: &str, result: Result<T, ApiError>) -> Result<T, String> {
    result.map_err(|error| format!("{kind} `{name}`: {}", error.message))
}

fn add_templates(world: &mut World, scenario: &Scenario) {
    for file::Template { name, text, bytes } in &scenario.templates {
        world.templates.add(Template { name: name.clone(), text: text.trim().to_owned(), bytes: *bytes });
    }
}

fn add_streams(world: &mut World, scenario: &Scenario) -> Result<(), String> {
    for stream in &scenario.streams {
        let (kinesis, mut cx) = world.kinesis_cx();
        let added = kinesis.add_active_stream(&mut cx, &stream.name, stream.shards, StreamMode::Provisioned);
        named("stream", &stream.name, added)?;
        if let Some(hours) = stream.retention_hours {
            let kept = kinesis.increase_retention(&mut cx, &stream.name, hours);
            named("stream", &stream.name, kept)?;
        }
        if stream.shard_metrics {
            let on = kinesis.enable_monitoring(&mut cx, &stream.name, &ShardMetric::ALL);
            named("stream", &stream.name, on)?;
        }
    }
    Ok(())
}

/// Dead-letter queues come first, because a redrive policy must name a queue that exists.
fn add_queues(world: &mut World, scenario: &Scenario) -> Result<(), String> {
    let (working, last): (Vec<_>, Vec<_>) = scenario.queues.iter().partition(|queue| queue.dead_letter_queue.is_some());
    for queue in last.into_iter().chain(working) {
        let mut attributes = BTreeMap::from([("VisibilityTimeout".to_owned(), queue.visibility_timeout_s.to_string())]);
        if let Some(retention_s) = queue.retention_s {
            attributes.insert("MessageRetentionPeriod".into(), retention_s.to_string());
        }
        if queue.name.ends_with(".fifo") {
            attributes.insert("FifoQueue".into(), "true".into());
        }
        if let Some(dlq) = &queue.dead_letter_queue {
            let arn = world.place.arn("sqs", dlq);
            let max = queue.max_receive_count;
            let policy = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":{max}}}"#);
            attributes.insert("RedrivePolicy".into(), policy);
        }
        let (sqs, mut cx) = world.sqs_cx();
        named("queue", &queue.name, sqs.create_queue(&mut cx, &queue.name, &attributes, &BTreeMap::new()))?;
    }
    Ok(())
}

fn add_actors(world: &mut World, scenario: &Scenario) {
    for maker in &scenario.producers {
        let (Some(template), Some((kind, name))) =
            (world.templates.named(&maker.template), maker.target.split_once('/'))
        else {
            continue;
        };
        let (target, keys) = match kind {
            "kinesis" => {
                let keys = (1..=maker.keys).map(|n| world.kinesis.intern_key(&format!("{}{n}", maker.key_prefix)));
                (producer::Target::Stream(name.to_owned()), keys.collect())
            }
            "sns" => (producer::Target::Topic(name.to_owned()), Vec::new()),
            _ => (producer::Target::Queue(name.to_owned()), Vec::new()),
        };
        let mut actor = producer::Producer::new(target, maker.per_s, template, keys);
        let other = maker.other_template.as_ref().and_then(|name| world.templates.named(name));
        actor.other = other.map(|id| (id, maker.other_share));
        for (name, text) in &maker.attributes {
            let pattern = Template { name: format!("{}: {name}", maker.name), text: text.clone(), bytes: None };
            actor.attributes.push((name.clone(), world.templates.add(pattern)));
        }
        if maker.aggregate > 1 && kind == "kinesis" {
            actor.aggregates = Some(producer::Aggregates {
                records: maker.aggregate,
                template: world.templates.add_aggregate(template, maker.aggregate),
                other: actor.other.map(|(other, _)| world.templates.add_aggregate(other, maker.aggregate)),
            });
        }
        actor.retries = maker.retries;
        actor.lost_answers = maker.lost_answers;
        actors::hire(world, &maker.name, Role::Producer(actor));
    }
    for worker in &scenario.workers {
        let actor = Worker::new(&worker.queue, worker.concurrency, worker.service.into());
        actors::hire(world, &worker.name, Role::Worker(actor));
    }
    for fleet in &scenario.fleets {
        let actor = Fleet::new(&fleet.name, fleet.settings());
        actors::hire(world, &fleet.name, Role::Fleet(actor));
    }
}

impl From<file::Spread> for Spread {
    fn from(spread: file::Spread) -> Self {
        Self { p50_ms: spread.p50_ms, p99_ms: spread.p99_ms }
    }
}
