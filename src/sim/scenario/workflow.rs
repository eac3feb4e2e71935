//! The workflows of a scenario: domains, types, and the deciders, workers and starters around them.

use super::file::{Scenario, Spread, maybe_duration};
use super::problems::Problems;
use crate::sim::swf::TypeRef;
use crate::sim::world::World;
use serde::Deserialize;
use std::time::Duration;

/// A domain of SWF.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Domain {
    pub name: String,
    /// How long closed executions are remembered, days; memory grows with it.
    #[serde(default = "one")]
    pub retention_days: u32,
}

/// A workflow type, and what its deciders do with its executions.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workflow {
    pub domain: String,
    pub name: String,
    #[serde(default = "version")]
    pub version: String,
    /// Where its decision tasks wait.
    pub task_list: String,
    #[serde(default = "an_hour_s")]
    pub execution_timeout_s: u32,
    #[serde(default = "half_a_minute_s")]
    pub decision_timeout_s: u32,
    /// In order.
    pub steps: Vec<Step>,
}

/// One step: an activity, or a timer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// An `[[activity]]` of the same domain.
    pub activity: Option<String>,
    /// How often a failed activity is tried again.
    #[serde(default)]
    pub retries: u32,
    pub timer_s: Option<u32>,
}

/// An activity type. A timeout that is not there is `NONE`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activity {
    pub domain: String,
    pub name: String,
    #[serde(default = "version")]
    pub version: String,
    /// Where its tasks wait.
    pub task_list: String,
    pub schedule_to_start_s: Option<u32>,
    pub start_to_close_s: Option<u32>,
    pub schedule_to_close_s: Option<u32>,
    pub heartbeat_s: Option<u32>,
}

/// A fleet that decides for every workflow of its domain.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decider {
    pub name: String,
    pub domain: String,
    pub task_list: String,
    #[serde(default = "one")]
    pub hosts: u32,
    /// Tasks at work at once on one host.
    #[serde(default = "four")]
    pub slots: u32,
    #[serde(default = "decision_time")]
    pub service: Spread,
    /// How long a host lives on average; without it, for ever.
    #[serde(default, deserialize_with = "maybe_duration")]
    pub host_life: Option<Duration>,
    /// How long a dead host's successor takes.
    #[serde(default, deserialize_with = "maybe_duration")]
    pub host_boot: Option<Duration>,
}

/// A fleet that works on activity tasks.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivityWorker {
    pub name: String,
    pub domain: String,
    pub task_list: String,
    #[serde(default = "one")]
    pub hosts: u32,
    #[serde(default = "four")]
    pub slots: u32,
    pub service: Spread,
    /// The share of tasks that fail, 0 to 1.
    #[serde(default)]
    pub failure_share: f64,
    /// Between two heartbeats; without it, the worker sends none.
    pub heartbeat_s: Option<u32>,
    #[serde(default, deserialize_with = "maybe_duration")]
    pub host_life: Option<Duration>,
    #[serde(default, deserialize_with = "maybe_duration")]
    pub host_boot: Option<Duration>,
}

/// An application that starts executions.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Starter {
    pub name: String,
    pub domain: String,
    pub workflow: String,
    /// Executions a second on average.
    pub per_s: f64,
    /// Workflow ids are this and a number from 1.
    pub id_prefix: String,
    /// The template of the executions' input.
    pub template: Option<String>,
}

impl Scenario {
    /// Whether it is the name of a decider or an activity worker of this file.
    pub(super) fn has_task_poller(&self, name: &str) -> bool {
        self.deciders.iter().any(|decider| decider.name == name)
            || self.activity_workers.iter().any(|worker| worker.name == name)
    }

    pub(super) fn check_workflows(&self, problems: &mut Problems<'_>, world: Option<&World>) {
        let workflows = self.workflows.iter().map(|of| ("workflow", &of.name, &of.domain));
        let activities = self.activities.iter().map(|of| ("activity", &of.name, &of.domain));
        let deciders = self.deciders.iter().map(|decider| ("decider", &decider.name, &decider.domain));
        let workers = self.activity_workers.iter().map(|worker| ("activity_worker", &worker.name, &worker.domain));
        let starters = self.starters.iter().map(|starter| ("starter", &starter.name, &starter.domain));
        let tables: [Vec<_>; 5] =
            [workflows.collect(), activities.collect(), deciders.collect(), workers.collect(), starters.collect()];
        for table in tables {
            for (index, (table, name, domain)) in table.into_iter().enumerate() {
                if !self.has_domain(world, domain) {
                    let message = format!("{table} `{name}`: domain `{domain}` is not a [[domain]] here");
                    problems.of(table, index, message);
                }
            }
        }
        self.check_steps(problems, world);
        self.check_starters(problems, world);
        for (index, worker) in self.activity_workers.iter().enumerate() {
            if !(0.0..=1.0).contains(&worker.failure_share) {
                let message = format!("activity_worker `{}`: failure_share must be 0 to 1", worker.name);
                problems.of("activity_worker", index, message);
            }
        }
    }

    fn has_domain(&self, world: Option<&World>, name: &str) -> bool {
        self.domains.iter().any(|domain| domain.name == name)
            || world.is_some_and(|world| world.swf.domain(name).is_ok())
    }

    fn check_steps(&self, problems: &mut Problems<'_>, world: Option<&World>) {
        for (index, workflow) in self.workflows.iter().enumerate() {
            for (number, step) in workflow.steps.iter().enumerate() {
                let place = format!("workflow `{}`, step {}", workflow.name, number + 1);
                match (&step.activity, step.timer_s) {
                    (Some(name), None) if self.activity(world, &workflow.domain, name).is_none() => {
                        let message = format!("{place}: activity `{name}` is not an [[activity]] of its domain here");
                        problems.of("workflow", index, message);
                    }
                    (Some(_), None) | (None, Some(_)) => {}
                    _ => problems.of("workflow", index, format!("{place}: needs either activity or timer_s")),
                }
            }
        }
    }

    /// The activity type of this name in the file or, in its newest version, in the world.
    pub(super) fn activity(&self, world: Option<&World>, domain: &str, name: &str) -> Option<TypeRef> {
        let here = self.activities.iter().find(|of| of.name == name && of.domain == domain);
        here.map(|of| TypeRef::new(&of.name, &of.version)).or_else(|| {
            let types = &world?.swf.domain(domain).ok()?.types;
            types.activities().map(|(of, _)| of).filter(|of| &*of.name == name).last().cloned()
        })
    }

    /// The workflow type of this name, likewise.
    pub(super) fn workflow(&self, world: Option<&World>, domain: &str, name: &str) -> Option<TypeRef> {
        let here = self.workflows.iter().find(|of| of.name == name && of.domain == domain);
        here.map(|of| TypeRef::new(&of.name, &of.version)).or_else(|| {
            let types = &world?.swf.domain(domain).ok()?.types;
            types.workflows().map(|(of, _)| of).filter(|of| &*of.name == name).last().cloned()
        })
    }

    fn check_starters(&self, problems: &mut Problems<'_>, world: Option<&World>) {
        for (index, starter) in self.starters.iter().enumerate() {
            let name = &starter.name;
            if self.workflow(world, &starter.domain, &starter.workflow).is_none() {
                let workflow = &starter.workflow;
                let message =
                    format!("starter `{name}`: workflow `{workflow}` is not a [[workflow]] of its domain here");
                problems.of("starter", index, message);
            }
            if let Some(template) = starter.template.as_ref().filter(|template| !self.has_template(world, template)) {
                let message = format!("starter `{name}`: template `{template}` is not a [[template]] here");
                problems.of("starter", index, message);
            }
            if !(starter.per_s >= 0.0 && starter.per_s <= 1000.0) {
                problems.of("starter", index, format!("starter `{name}`: per_s must be 0 to 1,000"));
            }
        }
    }
}

const fn one() -> u32 {
    1
}
const fn four() -> u32 {
    4
}
fn version() -> String {
    "1".to_owned()
}
const fn an_hour_s() -> u32 {
    3600
}
const fn half_a_minute_s() -> u32 {
    30
}
const fn decision_time() -> Spread {
    Spread { p50_ms: 40.0, p99_ms: 150.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::scenario::build;
    use crate::sim::swf::CloseStatus;
    use std::collections::BTreeMap;

    const SHOP: &str = r#"
        name = "shop"
        title = "A shop"
        start = "2026-11-27T18:00:00Z"
        warm_up = "2m"
        [[template]]
        name = "order"
        text = '{"order":"{key}"}'
        [[domain]]
        name = "checkout"
        [[workflow]]
        domain = "checkout"
        name = "order"
        task_list = "deciders"
        execution_timeout_s = 300
        steps = [{ activity = "charge", retries = 1 }, { timer_s = 10 }, { activity = "ship", retries = 3 }]
        [[activity]]
        domain = "checkout"
        name = "charge"
        task_list = "cards"
        schedule_to_start_s = 30
        start_to_close_s = 20
        [[activity]]
        domain = "checkout"
        name = "ship"
        task_list = "trucks"
        start_to_close_s = 60
        heartbeat_s = 8
        [[decider]]
        name = "brain"
        domain = "checkout"
        task_list = "deciders"
        [[activity_worker]]
        name = "hands"
        domain = "checkout"
        task_list = "cards"
        slots = 20
        service = { p50_ms = 400, p99_ms = 900 }
        [[activity_worker]]
        name = "feet"
        domain = "checkout"
        task_list = "trucks"
        slots = 40
        service = { p50_ms = 15000, p99_ms = 16000 }
        heartbeat_s = 5
        [[starter]]
        name = "shop"
        domain = "checkout"
        workflow = "order"
        per_s = 1.0
        id_prefix = "order-"
        template = "order"
    "#;

    /// How many executions ended how, a quarter of an hour into the story.
    fn ends(faults: &str) -> (BTreeMap<String, usize>, usize) {
        let scenario = Scenario::parse(&format!("{SHOP}\n{faults}")).unwrap();
        let mut world = build(&scenario, 3).unwrap();
        world.advance_to(scenario.start + Duration::from_secs(900));
        let domain = world.swf.domain("checkout").unwrap();
        let mut ends = BTreeMap::new();
        for closed in domain.executions().filter_map(|(_, execution)| execution.closed) {
            *ends.entry(format!("{:?}", closed.status)).or_default() += 1;
        }
        (ends, domain.open_count())
    }

    fn count(ends: &BTreeMap<String, usize>, status: CloseStatus) -> usize {
        ends.get(&format!("{status:?}")).copied().unwrap_or(0)
    }

    #[test]
    fn a_healthy_shop_completes_what_it_starts_and_a_run_is_a_function_of_its_seed() {
        let (first, open) = ends("");
        assert_eq!(first.len(), 1, "{first:?}");
        assert!(count(&first, CloseStatus::Completed) > 800 && open < 60, "{first:?} {open}");
        assert_eq!(ends(""), (first, open));
    }

    #[test]
    fn a_dead_decider_is_silent_until_executions_time_out() {
        let (ends, _) = ends("[[fault]]\nat = \"1m\"\nkind = \"stop\"\ntarget = \"brain\"");
        assert_eq!(count(&ends, CloseStatus::Failed), 0);
        assert!(count(&ends, CloseStatus::TimedOut) > 400, "{ends:?}");
    }

    #[test]
    fn workers_at_the_wrong_list_let_activities_time_out_on_start() {
        let fault = "[[fault]]\nat = \"1m\"\nkind = \"wrong-task-list\"\ntarget = \"hands\"\ntask_list = \"crads\"";
        let (ends, _) = ends(fault);
        assert!(count(&ends, CloseStatus::Failed) > 500, "{ends:?}");
    }

    #[test]
    fn slow_workers_without_room_fail_by_their_timeout() {
        let (ends, _) = ends("[[fault]]\nat = \"1m\"\nkind = \"slow\"\ntarget = \"hands\"\nfactor = 200");
        assert!(count(&ends, CloseStatus::Failed) > 200, "{ends:?}");
    }

    #[test]
    fn hosts_that_die_lose_their_tasks_and_their_successors_go_on() {
        let mortal = SHOP.replace("slots = 40", "slots = 20\nhosts = 3\nhost_life = \"5m\"\nhost_boot = \"30s\"");
        let scenario = Scenario::parse(&mortal).unwrap();
        let mut world = build(&scenario, 3).unwrap();
        world.advance_to(scenario.start + Duration::from_secs(900));
        let domain = world.swf.domain("checkout").unwrap();
        let timed_out = domain.executions().flat_map(|(_, execution)| &execution.history);
        let timed_out = timed_out.filter(|event| event.kind.name() == "ActivityTaskTimedOut").count();
        let completed = domain
            .executions()
            .filter(|(_, execution)| execution.closed.is_some_and(|closed| closed.status == CloseStatus::Completed));
        assert!(timed_out > 2, "{timed_out}");
        assert!(completed.count() > 600);
    }

    #[test]
    fn broken_references_are_reported() {
        let text = SHOP
            .replace("activity = \"ship\"", "activity = \"fly\"")
            .replace("workflow = \"order\"", "workflow = \"offer\"")
            .replace("name = \"checkout\"", "name = \"till\"");
        let errors = Scenario::parse(&text).unwrap_err().to_string();
        for part in ["activity `fly`", "workflow `offer`", "domain `checkout` is not a [[domain]]"] {
            assert!(errors.contains(part), "{part} is not in {errors}");
        }
    }
}
