//! A fleet of deciders: polls a task list of SWF and leads each execution through the steps of its workflow.

use super::admit_swf;
use super::hosts::{HostPlan, Hosts};
use crate::domain::time::Timestamp;
use crate::sim::lambda::Spread;
use crate::sim::swf::{
    Decided, Decision, Event, EventKind, Execution, ScheduleActivity, TaskToken, Text, Timeout, TypeRef,
};
use crate::sim::workflow;
use crate::sim::world::World;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

/// Between two polls that found nothing: a long poll answers soon after a task arrives.
const POLL: Duration = Duration::from_millis(500);

/// What a workflow does, step after step.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// An activity that must succeed; it is tried again so many times.
    Activity {
        of: TypeRef,
        retries: u32,
    },
    Timer {
        s: u32,
    },
}

pub struct Decider {
    pub name: String,
    pub domain: String,
    /// The list that it should poll.
    pub task_list: String,
    /// The list that it polls by mistake.
    pub wrong_list: Option<String>,
    /// The steps of each workflow type that it knows.
    pub plans: BTreeMap<TypeRef, Vec<Step>>,
    /// How long a decision takes.
    pub service: Spread,
    /// Multiplies that.
    pub slow_down: f64,
    pub is_stopped: bool,
    hosts: Hosts,
    at_work: BinaryHeap<Reverse<(Timestamp, TaskToken, usize)>>,
}

impl Decider {
    pub fn new(name: &str, domain: &str, task_list: &str, service: Spread, hosts: HostPlan) -> Self {
        Self {
            name: name.to_owned(),
            domain: domain.to_owned(),
            task_list: task_list.to_owned(),
            wrong_list: None,
            plans: BTreeMap::new(),
            service,
            slow_down: 1.0,
            is_stopped: false,
            hosts: Hosts::new(hosts),
            at_work: BinaryHeap::new(),
        }
    }

    /// One of its machines (from 0) is lost, with what it works on; another takes its place.
    pub fn lose_host(&mut self, number: u32, now: Timestamp) {
        self.hosts.lose(number, now);
    }

    pub fn act(&mut self, world: &mut World) -> Timestamp {
        let now = world.now;
        if self.is_stopped {
            self.at_work.clear();
            self.hosts.drop_work();
            return now + POLL;
        }
        let died = self.hosts.step(world);
        self.at_work.retain(|Reverse((.., host))| !died.contains(host));
        while self.at_work.peek().is_some_and(|Reverse((ends, ..))| *ends <= now) {
            let Some(Reverse((_, task, host))) = self.at_work.pop() else { break };
            self.hosts.end(host);
            self.answer(world, task);
        }
        self.poll(world);
        let ends = self.at_work.peek().map(|Reverse((ends, ..))| *ends);
        ends.into_iter().chain([now + POLL]).min().unwrap_or(now + POLL)
    }

    fn poll(&mut self, world: &mut World) {
        let list = self.wrong_list.as_ref().unwrap_or(&self.task_list);
        while let Some(host) = self.hosts.free(world.now) {
            let waiting = world.swf.count_pending_decision_tasks(&self.domain, list);
            if waiting.is_ok_and(|waiting| waiting == 0) {
                return;
            }
            let identity = Some(Text::from(Hosts::identity(&self.name, host)));
            if admit_swf(world, &self.name, "PollForDecisionTask", &self.domain).is_err() {
                return;
            }
            let (swf, mut cx) = world.swf_cx();
            let Ok(Some(task)) = swf.poll_for_decision_task(&mut cx, &self.domain, list, identity) else {
                return;
            };
            let service_ms = self.service.draw_sum_ms(&mut cx, 1) * self.slow_down;
            let ends = cx.now + Duration::from_millis(service_ms as u64);
            self.hosts.begin(host);
            self.at_work.push(Reverse((ends, task.token, host)));
        }
    }

    /// Decides by the history that there was when the task began. A refusal means that the task is no longer there.
    fn answer(&self, world: &mut World, task: TaskToken) {
        let Some(running) = world.swf.decision_task(task) else { return };
        let domain = world.swf.domain(&self.domain).ok();
        let Some(execution) = domain.and_then(|domain| domain.execution(task.execution)) else { return };
        let seen = execution.history.get(..running.started_event_id as usize).unwrap_or_default();
        let decisions = match self.plans.get(&running.workflow_type) {
            Some(steps) => decide(steps, seen),
            None => vec![fail(execution)],
        };
        if admit_swf(world, &self.name, "RespondDecisionTaskCompleted", &self.domain).is_ok() {
            let (swf, mut cx) = world.swf_cx();
            let _ = swf.respond_decision_task_completed(&mut cx, task, Decided::from(decisions));
        }
        workflow::call_functions(world);
    }
}

fn fail(execution: &Execution) -> Decision {
    let reason = format!("no decider knows {}", execution.of.name);
    Decision::FailWorkflowExecution { reason: Some(reason.into()), details: None }
}

/// What is to be done next, by a history: a pure function, as a decider must be.
pub fn decide(steps: &[Step], history: &[Event]) -> Vec<Decision> {
    let (mut done, mut failures, mut waits, mut cancels) = (0_usize, 0_u32, false, false);
    for event in history {
        match &event.kind {
            EventKind::ActivityTaskScheduled(_) | EventKind::TimerStarted { .. } => waits = true,
            EventKind::ActivityTaskCompleted { .. } | EventKind::TimerFired { .. } => {
                (done, failures, waits) = (done + 1, 0, false);
            }
            EventKind::ActivityTaskFailed { .. }
            | EventKind::ActivityTaskTimedOut { .. }
            | EventKind::ActivityTaskCanceled { .. }
            | EventKind::ScheduleActivityTaskFailed { .. }
            | EventKind::StartTimerFailed { .. } => (failures, waits) = (failures + 1, false),
            EventKind::WorkflowExecutionCancelRequested { .. } => cancels = true,
            _ => {}
        }
    }
    if cancels {
        return vec![Decision::CancelWorkflowExecution { details: None }];
    }
    if waits {
        return Vec::new();
    }
    let id = format!("{}.{}", done + 1, failures + 1);
    vec![match steps.get(done) {
        None => Decision::CompleteWorkflowExecution { result: None },
        Some(Step::Activity { of, retries }) if failures > *retries => {
            let reason = format!("{} failed {failures} times", of.name);
            Decision::FailWorkflowExecution { reason: Some(reason.into()), details: None }
        }
        Some(Step::Activity { of, .. }) => {
            Decision::ScheduleActivityTask(Box::new(ScheduleActivity::new(of.clone(), &id)))
        }
        Some(Step::Timer { s }) => {
            let start_to_fire_timeout = Some(Timeout::AfterS(*s));
            Decision::StartTimer { timer_id: id.into(), control: None, start_to_fire_timeout }
        }
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::swf::TimeoutType;

    fn steps() -> Vec<Step> {
        vec![Step::Activity { of: TypeRef::new("charge", "1"), retries: 1 }, Step::Timer { s: 30 }]
    }

    fn history(kinds: Vec<EventKind>) -> Vec<Event> {
        kinds.into_iter().map(|kind| Event { at: Timestamp::default(), kind }).collect()
    }

    fn scheduled(decisions: &[Decision]) -> Option<String> {
        match decisions {
            [Decision::ScheduleActivityTask(asked)] => Some(asked.activity_id.to_string()),
            _ => None,
        }
    }

    fn failed() -> EventKind {
        let (scheduled_event_id, started_event_id) = (5, 0);
        let timeout_type = TimeoutType::ScheduleToStart;
        EventKind::ActivityTaskTimedOut { timeout_type, scheduled_event_id, started_event_id, details: None }
    }

    #[test]
    fn steps_follow_each_other_and_a_failed_one_is_tried_again() {
        let done = || EventKind::ActivityTaskCompleted { result: None, scheduled_event_id: 5, started_event_id: 6 };
        let fired = EventKind::TimerFired { timer_id: "2.1".into(), started_event_id: 9 };
        assert_eq!(scheduled(&decide(&steps(), &[])).as_deref(), Some("1.1"));
        assert_eq!(scheduled(&decide(&steps(), &history(vec![failed()]))).as_deref(), Some("1.2"));
        let given_up = decide(&steps(), &history(vec![failed(), failed()]));
        assert!(matches!(&given_up[..], [Decision::FailWorkflowExecution { .. }]), "{given_up:?}");
        let timer = decide(&steps(), &history(vec![failed(), done()]));
        assert!(matches!(&timer[..], [Decision::StartTimer { timer_id, .. }] if &**timer_id == "2.1"), "{timer:?}");
        let all = decide(&steps(), &history(vec![done(), fired]));
        assert!(matches!(&all[..], [Decision::CompleteWorkflowExecution { .. }]), "{all:?}");
    }

    #[test]
    fn nothing_is_decided_while_a_step_is_under_way_and_a_cancel_request_ends_it() {
        let started = EventKind::TimerStarted {
            timer_id: "2.1".into(),
            control: None,
            start_to_fire_timeout: Timeout::AfterS(30),
            decision_task_completed_event_id: 4,
        };
        assert_eq!(decide(&steps(), &history(vec![started.clone()])), []);
        let cancel = EventKind::WorkflowExecutionCancelRequested {
            external_workflow_execution: None,
            external_initiated_event_id: 0,
            cause: None,
        };
        let canceled = decide(&steps(), &history(vec![started, cancel]));
        assert!(matches!(&canceled[..], [Decision::CancelWorkflowExecution { .. }]), "{canceled:?}");
    }
}
