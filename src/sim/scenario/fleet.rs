//! Fleets of a scenario: what may stand in the file, and what it means to the consumer library.

use super::file::Scenario;
use super::problems::Problems;
use crate::sim::actors::fleet::{InitialPosition, Library, Settings};
use crate::sim::actors::{Actor, Role};
use crate::sim::world::World;
use serde::Deserialize;
use std::time::Duration;

/// A fleet that reads a stream with leases, one reader for each shard.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fleet {
    /// Also its lease table's name, and the namespace of its metrics.
    pub name: String,
    pub stream: String,
    pub workers: u32,
    /// Machines that the workers are spread over; as many as workers without it.
    pub instances: Option<u32>,
    /// What one shard's processor can do.
    pub records_per_s: f64,
    /// Idle time between reads of a shard; AWS's consumer library waits 1.5 s.
    #[serde(default = "idle_ms")]
    pub idle_ms: u64,
    /// Where it begins when it has no checkpoint.
    #[serde(default)]
    pub initial_position: Position,
    /// How long the auto scaling group takes to replace a lost machine, until its workers work.
    #[serde(default = "boot_s")]
    pub instance_boot_s: u64,
    /// A lease that is not renewed for so long goes to another worker.
    #[serde(default = "failover_s")]
    pub failover_s: u64,
    /// Time between a shard's checkpoints; 0 checkpoints after every batch.
    #[serde(default = "checkpoint_every_s")]
    pub checkpoint_every_s: u64,
    /// Read and write units a second of the lease table; by request without it.
    pub lease_table_capacity: Option<u64>,
    /// The consumer library's version, 2 or 3: workers of version 3 report to a table `NAME-WorkerMetricStats`.
    #[serde(default = "library")]
    pub library: u8,
    /// Whether it publishes metrics to CloudWatch, as it does unless it is told not to.
    #[serde(default = "publishes")]
    pub metrics: bool,
}

/// In AWS's words.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Position {
    #[default]
    TrimHorizon,
    Latest,
}

const fn boot_s() -> u64 {
    90
}
const fn idle_ms() -> u64 {
    1500
}
/// As in the consumer library's sample application.
const fn checkpoint_every_s() -> u64 {
    60
}
const fn failover_s() -> u64 {
    10
}
const fn library() -> u8 {
    2
}
const fn publishes() -> bool {
    true
}

impl Fleet {
    pub fn settings(&self) -> Settings {
        Settings {
            stream: self.stream.clone(),
            workers: self.workers,
            instances: self.instances.unwrap_or(self.workers),
            records_per_s: self.records_per_s,
            idle: Duration::from_millis(self.idle_ms),
            initial_position: match self.initial_position {
                Position::TrimHorizon => InitialPosition::TrimHorizon,
                Position::Latest => InitialPosition::Latest,
            },
            boot: Duration::from_secs(self.instance_boot_s),
            failover: Duration::from_secs(self.failover_s),
            checkpoint_every: Duration::from_secs(self.checkpoint_every_s),
            lease_table_capacity: self.lease_table_capacity,
            publishes: self.metrics,
            library: if self.library == 3 { Library::V3 } else { Library::V2 },
        }
    }
}

/// Whether there is a fleet of this name.
pub fn has(scenario: &Scenario, world: Option<&World>, name: &str) -> bool {
    let is_it = |actor: &Actor| actor.name == name && matches!(actor.role, Role::Fleet(_));
    scenario.fleets.iter().any(|fleet| fleet.name == name)
        || world.is_some_and(|world| world.actors.iter().flatten().any(is_it))
}

/// Whether there is a table: a fleet's, by the fleet's name, or any other, as `dynamodb/TABLE`.
pub fn has_table(scenario: &Scenario, world: Option<&World>, target: &str) -> bool {
    let is_there = |name: &str| world.is_some_and(|world| world.dynamodb.table(name).is_some());
    has(scenario, world, target) || target.strip_prefix("dynamodb/").is_some_and(is_there)
}

/// Finds what cannot be.
pub fn check(scenario: &Scenario, problems: &mut Problems<'_>, world: Option<&World>) {
    for (index, fleet) in scenario.fleets.iter().enumerate() {
        let name = &fleet.name;
        if !scenario.has_source(world, &format!("kinesis/{}", fleet.stream)) {
            let message = format!("fleet `{name}`: stream `{}` is not a [[stream]] here", fleet.stream);
            problems.of("fleet", index, message);
        }
        let is_table_name = (3..=255).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
        if !is_table_name {
            let message = "its lease table bears it: 3 to 255 letters, digits, `_`, `.` and `-`";
            problems.of("fleet", index, format!("fleet `{name}`: this name cannot be, {message}"));
        }
        if !(fleet.records_per_s > 0.0 && fleet.records_per_s <= 1e6) {
            problems.of("fleet", index, format!("fleet `{name}`: records_per_s must be above 0, to 1,000,000"));
        }
        if fleet.failover_s == 0 || fleet.instances == Some(0) || fleet.lease_table_capacity == Some(0) {
            let message = "failover_s, instances and lease_table_capacity must be at least 1";
            problems.of("fleet", index, format!("fleet `{name}`: {message}"));
        }
        if !matches!(fleet.library, 2 | 3) {
            let message = format!("library is the consumer library's version, 2 or 3, not {}", fleet.library);
            problems.of("fleet", index, format!("fleet `{name}`: {message}"));
        }
    }
}
