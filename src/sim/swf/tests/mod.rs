//! SWF's rules, each as an example through the typed functions.

mod activities;
mod decisions;
mod executions;
mod quotas;

use super::*;
use crate::domain::time::Timestamp;
use crate::sim::cx::Place;
use crate::sim::world::World;
use std::time::Duration;

/// A world with a domain, a workflow type and an activity type, both with every default.
pub(super) struct Bench {
    pub world: World,
}

pub(super) fn text(text: &str) -> Option<Text> {
    Some(text.into())
}

impl Bench {
    pub fn new() -> Self {
        Self::seeded(1, "7")
    }

    pub fn seeded(seed: u64, retention: &str) -> Self {
        let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
        let start = Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap();
        let mut bench = Self { world: World::new(seed, start, place) };
        let registration = Registration {
            name: "hotel".into(),
            description: None,
            retention: retention.into(),
            tags: BTreeMap::new(),
        };
        let (swf, mut cx) = bench.world.swf_cx();
        swf.register_domain(&mut cx, registration).unwrap();
        let workflow = WorkflowDefaults {
            default_task_start_to_close_timeout: Some(Timeout::AfterS(10)),
            default_execution_start_to_close_timeout: Some(Timeout::AfterS(3600)),
            default_task_list: Some(TaskList { name: "deciders".into() }),
            default_child_policy: Some(ChildPolicy::Terminate),
            ..WorkflowDefaults::default()
        };
        swf.register_workflow_type(&cx, "hotel", TypeRef::new("booking", "1"), None, workflow).unwrap();
        let activity = ActivityDefaults {
            default_task_start_to_close_timeout: Some(Timeout::AfterS(60)),
            default_task_heartbeat_timeout: Some(Timeout::AfterS(20)),
            default_task_list: Some(TaskList { name: "workers".into() }),
            default_task_schedule_to_start_timeout: Some(Timeout::AfterS(30)),
            default_task_schedule_to_close_timeout: Some(Timeout::AfterS(80)),
            default_task_priority: None,
        };
        swf.register_activity_type(&cx, "hotel", TypeRef::new("charge", "1"), None, activity).unwrap();
        bench
    }

    pub fn wait(&mut self, duration: Duration) {
        self.world.advance_to(self.world.now + duration);
    }

    pub fn wait_s(&mut self, s: u64) {
        self.wait(Duration::from_secs(s));
    }

    pub fn start_with(&mut self, id: &str, options: StartOptions) -> Result<Text, ApiError> {
        let (swf, mut cx) = self.world.swf_cx();
        swf.start_workflow_execution(&mut cx, "hotel", id, &TypeRef::new("booking", "1"), options)
    }

    pub fn start(&mut self, id: &str) -> Text {
        self.start_with(id, StartOptions::default()).unwrap()
    }

    pub fn poll_list(&mut self, list: &str) -> Option<DecisionTask> {
        let (swf, mut cx) = self.world.swf_cx();
        swf.poll_for_decision_task(&mut cx, "hotel", list, text("decider-1")).unwrap()
    }

    pub fn poll(&mut self) -> DecisionTask {
        self.poll_list("deciders").expect("a decision task waits")
    }

    pub fn try_decide(&mut self, token: TaskToken, decisions: Vec<Decision>) -> Result<(), ApiError> {
        let (swf, mut cx) = self.world.swf_cx();
        swf.respond_decision_task_completed(&mut cx, token, decisions.into())
    }

    /// Polls and answers.
    pub fn decide(&mut self, decisions: Vec<Decision>) {
        let task = self.poll();
        self.try_decide(task.token, decisions).unwrap();
    }

    pub fn work(&mut self) -> Option<ActivityTask> {
        let (swf, mut cx) = self.world.swf_cx();
        swf.poll_for_activity_task(&mut cx, "hotel", "workers", text("worker-1")).unwrap()
    }

    pub fn answer(&mut self, token: TaskToken, answer: ActivityAnswer) -> Result<(), ApiError> {
        let (swf, mut cx) = self.world.swf_cx();
        swf.respond_activity_task(&mut cx, token, answer)
    }

    pub fn signal(&mut self, id: &str, name: &str) -> Result<(), ApiError> {
        let (swf, mut cx) = self.world.swf_cx();
        swf.signal_workflow_execution(&mut cx, "hotel", (id, None), name.into(), None)
    }

    pub fn run(&self, run_id: &Text) -> &Execution {
        let domain = self.world.swf.domain("hotel").unwrap();
        domain.execution(domain.runs[run_id]).unwrap()
    }

    /// The names of a run's events.
    pub fn events(&self, run_id: &Text) -> Vec<String> {
        self.run(run_id).history.iter().map(|event| event.kind.name()).collect()
    }

    pub fn last(&self, run_id: &Text) -> &EventKind {
        &self.run(run_id).history.last().unwrap().kind
    }

    /// The attributes of the last event of that name, as AWS answers them.
    pub fn attributes(&self, run_id: &Text, name: &str) -> serde_json::Value {
        let history = &self.run(run_id).history;
        let (at, event) = history.iter().enumerate().rfind(|(_, event)| event.kind.name() == name).unwrap();
        let json = event.to_json(at as u64 + 1);
        json.as_object().unwrap().values().next_back().unwrap().clone()
    }

    pub fn sum(&mut self, metric: &str, dimensions: &[(&str, &str)], unit: &'static str) -> (f64, f64) {
        let id = self.world.metrics.series("AWS/SWF", metric, dimensions, unit);
        let from = self.world.now - Duration::from_secs(7200);
        let window = (from.floor_to(60), self.world.now);
        let seen_at = self.world.now + Duration::from_secs(600);
        let data = self.world.metrics.read(&[(id, unit)], window, 60, seen_at, false);
        let stats = data.iter().map(|period| period.stats);
        stats.fold((0.0, 0.0), |(sum, count), stats| (sum + stats.sum, count + stats.count))
    }
}

pub(super) fn charge(id: &str) -> Decision {
    Decision::ScheduleActivityTask(Box::new(ScheduleActivity::new(TypeRef::new("charge", "1"), id)))
}

pub(super) fn complete() -> Decision {
    Decision::CompleteWorkflowExecution { result: text("done") }
}

pub(super) fn timer(id: &str, s: u32) -> Decision {
    let start_to_fire_timeout = Some(Timeout::AfterS(s));
    Decision::StartTimer { timer_id: id.into(), control: None, start_to_fire_timeout }
}

pub(super) fn child(id: &str) -> Decision {
    Decision::StartChildWorkflowExecution(Box::new(StartChild {
        workflow_type: TypeRef::new("booking", "1"),
        workflow_id: id.into(),
        control: None,
        options: StartOptions::default(),
    }))
}
