//! A part of a scenario, added to a world that is there already: more resources, more actors, more that goes wrong.

use super::build;
use super::file::{Scenario, ScenarioError};
use super::problems::Problems;
use crate::sim::world::World;

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
        Ok(Self { scenario: Scenario::read(text)?, text: text.to_owned() })
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
    }
}

/// Adds a fragment to a world. Errors: names that are neither in the fragment nor in the world, all at once and with
/// nothing done; what a service refuses, with everything that comes before it done.
pub fn add(world: &mut World, fragment: &Fragment) -> Result<(), ScenarioError> {
    let part = &fragment.scenario;
    let mut problems = Problems::new(&fragment.text);
    part.check(&mut problems, Some(world));
    let pollers = part.deciders.len() + part.activity_workers.len() + part.starters.len();
    let actors = world.actors.len() + part.producers.len() + part.workers.len() + part.fleets.len() + pollers;
    if actors.max(world.timeline.len() + 2 * part.faults.len()) > ADDED_MAX {
        problems.of_file(format!("more than {ADDED_MAX} actors or faults were added: reset the account first"));
    }
    problems.into_result()?;
    let now = world.now;
    build::furnish(world, part, now).map_err(|error| ScenarioError(vec![error]))
}
