//! Makes the workflows of a scenario: domains and types first, then deciders, workers and starters.

use super::build::named;
use super::file::Scenario;
use super::workflow::Workflow;
use crate::sim::actors::activity_worker::ActivityWorker;
use crate::sim::actors::decider::{Decider, Step};
use crate::sim::actors::hosts::HostPlan;
use crate::sim::actors::starter::Starter;
use crate::sim::actors::{self, Role};
use crate::sim::swf::{ActivityDefaults, ChildPolicy, Registration, TaskList, Timeout, TypeRef, WorkflowDefaults};
use crate::sim::world::World;
use std::collections::BTreeMap;
use std::time::Duration;

/// A dead host's successor takes so long where the scenario says nothing.
const BOOT: Duration = Duration::from_secs(120);

pub(super) fn add_domains(world: &mut World, scenario: &Scenario) -> Result<(), String> {
    for domain in &scenario.domains {
        let registration = Registration {
            name: domain.name.as_str().into(),
            description: None,
            retention: domain.retention_days.to_string().into(),
            tags: BTreeMap::new(),
        };
        let (swf, mut cx) = world.swf_cx();
        named("domain", &domain.name, swf.register_domain(&mut cx, registration))?;
    }
    for of in &scenario.workflows {
        let defaults = WorkflowDefaults {
            default_task_start_to_close_timeout: Some(Timeout::AfterS(of.decision_timeout_s)),
            default_execution_start_to_close_timeout: Some(Timeout::AfterS(of.execution_timeout_s)),
            default_task_list: Some(TaskList { name: of.task_list.as_str().into() }),
            default_child_policy: Some(ChildPolicy::Terminate),
            ..WorkflowDefaults::default()
        };
        let (swf, cx) = world.swf_cx();
        let type_ref = TypeRef::new(&of.name, &of.version);
        let registered = swf.register_workflow_type(&cx, &of.domain, type_ref, None, defaults);
        named("workflow", &of.name, registered)?;
    }
    for of in &scenario.activities {
        let timeout = |s: Option<u32>| Some(s.map_or(Timeout::Never, Timeout::AfterS));
        let defaults = ActivityDefaults {
            default_task_start_to_close_timeout: timeout(of.start_to_close_s),
            default_task_heartbeat_timeout: timeout(of.heartbeat_s),
            default_task_list: Some(TaskList { name: of.task_list.as_str().into() }),
            default_task_priority: None,
            default_task_schedule_to_start_timeout: timeout(of.schedule_to_start_s),
            default_task_schedule_to_close_timeout: timeout(of.schedule_to_close_s),
        };
        let (swf, cx) = world.swf_cx();
        let type_ref = TypeRef::new(&of.name, &of.version);
        let registered = swf.register_activity_type(&cx, &of.domain, type_ref, None, defaults);
        named("activity", &of.name, registered)?;
    }
    Ok(())
}

pub(super) fn add_actors(world: &mut World, scenario: &Scenario) {
    for decider in &scenario.deciders {
        let hosts = host_plan(decider.hosts, decider.slots, decider.host_life, decider.host_boot);
        let mut actor = Decider::new(&decider.name, &decider.domain, &decider.task_list, decider.service.into(), hosts);
        let workflows = scenario.workflows.iter().filter(|workflow| workflow.domain == decider.domain);
        let plans = workflows.map(|of| (TypeRef::new(&of.name, &of.version), steps(world, scenario, of)));
        actor.plans = plans.collect();
        actors::hire(world, &decider.name, Role::Decider(actor));
    }
    for worker in &scenario.activity_workers {
        let hosts = host_plan(worker.hosts, worker.slots, worker.host_life, worker.host_boot);
        let mut actor =
            ActivityWorker::new(&worker.name, &worker.domain, &worker.task_list, worker.service.into(), hosts);
        actor.failure_share = worker.failure_share;
        actor.heartbeat = worker.heartbeat_s.map(|s| Duration::from_secs(s.into()));
        actors::hire(world, &worker.name, Role::ActivityWorker(actor));
    }
    for starter in &scenario.starters {
        let Some(of) = scenario.workflow(Some(world), &starter.domain, &starter.workflow) else { continue };
        let mut actor = Starter::new(&starter.domain, of, starter.per_s, &starter.id_prefix);
        actor.input = starter.template.as_ref().and_then(|name| world.templates.named(name));
        actors::hire(world, &starter.name, Role::Starter(actor));
    }
}

fn host_plan(hosts: u32, slots: u32, life: Option<Duration>, boot: Option<Duration>) -> HostPlan {
    HostPlan { hosts, slots, life, boot: boot.unwrap_or(BOOT) }
}

fn steps(world: &World, scenario: &Scenario, workflow: &Workflow) -> Vec<Step> {
    let step = |step: &super::workflow::Step| match (&step.activity, step.timer_s) {
        (Some(name), _) => {
            let of = scenario.activity(Some(world), &workflow.domain, name)?;
            Some(Step::Activity { of, retries: step.retries })
        }
        (None, s) => s.map(|s| Step::Timer { s }),
    };
    workflow.steps.iter().filter_map(step).collect()
}
