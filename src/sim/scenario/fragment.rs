//! A part of a scenario, added to a world that is there already: more resources, more actors, more that goes wrong.

use super::build;
use super::file::{Scenario, ScenarioError};
use super::problems::Problems;
use super::read::{self, Read};
use crate::sim::fanout;
use crate::sim::lambda::MappingSource;
use crate::sim::wire::Service;
use crate::sim::world::World;
use std::fmt;

/// Actors and faults that were ever added to one world, at most.
const ADDED_MAX: usize = 10_000;

/// Tables of a scenario without its name, title and start. Faults happen so long after they are added as their `at`
/// says, at once without it.
pub struct Fragment {
    text: String,
    scenario: Scenario,
}

impl Fragment {
    /// Reads a text. Whether its names are names of something shows when it is added.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let Read { scenario, mistakes, .. } = read::read(text)?;
        if mistakes.is_empty() { Ok(Self { scenario, text: text.to_owned() }) } else { Err(ScenarioError(mistakes)) }
    }

    /// Whether all of its faults are of requests to this service.
    pub fn strikes_only(&self, service: Service) -> bool {
        let faults = &self.scenario.faults;
        !faults.is_empty() && faults.iter().all(|fault| Service::named(&fault.target) == Some(service))
    }

    pub fn is_faults_only(&self) -> bool {
        let part = &self.scenario;
        part.templates.is_empty()
            && part.streams.is_empty()
            && part.queues.is_empty()
            && part.functions.is_empty()
            && part.aliases.is_empty()
            && part.delivery_streams.is_empty()
            && part.mappings.is_empty()
            && part.topics.is_empty()
            && part.subscriptions.is_empty()
            && part.endpoints.is_empty()
            && part.producers.is_empty()
            && part.workers.is_empty()
            && part.fleets.is_empty()
            && part.domains.is_empty()
            && part.workflows.is_empty()
            && part.activities.is_empty()
            && part.deciders.is_empty()
            && part.activity_workers.is_empty()
            && part.starters.is_empty()
            && part.callers.is_empty()
            && part.schedules.is_empty()
            && part.buckets.is_empty()
            && part.alarms.is_empty()
    }
}

/// Why a fragment was not added, or not all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAdded {
    pub errors: Vec<String>,
    /// What is there now that was not there before: made until a service refused what came next. Its actors and faults
    /// are not among it: they come last.
    pub made: Vec<String>,
}

impl fmt::Display for NotAdded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.errors.join("\n"))
    }
}

/// Adds a fragment to a world. Errors: names that are neither in the fragment nor in the world, all at once and with
/// nothing done; what a service refuses, with what was made before it.
pub fn add(world: &mut World, fragment: &Fragment) -> Result<(), NotAdded> {
    let part = &fragment.scenario;
    let mut problems = Problems::new(&fragment.text);
    part.check(&mut problems, Some(world));
    let callers = part.callers.len() + part.schedules.len() + part.buckets.len();
    let pollers = part.deciders.len() + part.activity_workers.len() + part.starters.len() + callers;
    let actors = world.actors.len() + part.producers.len() + part.workers.len() + part.fleets.len() + pollers;
    if actors.max(world.timeline.len() + 2 * part.faults.len()) > ADDED_MAX {
        problems.of_file(format!("more than {ADDED_MAX} actors or faults were added: reset the account first"));
    }
    problems.into_result().map_err(|ScenarioError(errors)| NotAdded { errors, made: vec![] })?;
    let (now, before) = (world.now, present(world, part));
    build::furnish(world, part, now).map_err(|error| {
        let made = present(world, part).into_iter().filter(|name| !before.contains(name)).collect();
        NotAdded { errors: vec![error], made }
    })
}

/// Which of a fragment's resources the world has.
fn present(world: &World, part: &Scenario) -> Vec<String> {
    let mapping = |source: &str, function: &str| {
        let source = match source.split_once('/')? {
            ("kinesis", name) => MappingSource::Stream(name.to_owned()),
            (_, name) => MappingSource::Queue(name.to_owned()),
        };
        world.lambda.mapping_between(&source, function.split(':').next().unwrap_or(function))
    };
    let mut found: Vec<(&str, String, bool)> = Vec::new();
    found.extend(part.streams.iter().map(|x| ("stream", x.name.clone(), world.kinesis.stream(&x.name).is_some())));
    found.extend(part.queues.iter().map(|x| ("queue", x.name.clone(), world.sqs.queue(&x.name).is_some())));
    found.extend(part.functions.iter().map(|x| ("function", x.name.clone(), world.lambda.named(&x.name).is_some())));
    found.extend(part.topics.iter().map(|x| ("topic", x.name.clone(), world.sns.topic(&x.name).is_some())));
    found.extend(part.subscriptions.iter().map(|x| {
        let name = format!("{}/{}", x.topic, x.to);
        let is_there = fanout::subscription_named(world, &name).is_some();
        ("subscription", name, is_there)
    }));
    found.extend(
        part.delivery_streams
            .iter()
            .map(|x| ("delivery_stream", x.name.clone(), world.firehose.stream(&x.name).is_some())),
    );
    found.extend(
        part.mappings
            .iter()
            .map(|x| ("mapping", format!("{} to {}", x.source, x.function), mapping(&x.source, &x.function).is_some())),
    );
    found.extend(part.domains.iter().map(|x| ("domain", x.name.clone(), world.swf.domain(&x.name).is_ok())));
    found.extend(
        part.alarms.iter().map(|x| ("alarm", x.name.clone(), world.cloudwatch.alarms.named(&x.name).is_some())),
    );
    found.into_iter().filter(|(.., is_there)| *is_there).map(|(kind, name, _)| format!("{kind} `{name}`")).collect()
}
