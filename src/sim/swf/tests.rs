//! SWF's rules, each as an example through the typed functions.

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

#[test]
fn a_workflow_of_one_activity_has_the_history_that_aws_documents() {
    let mut bench = Bench::new();
    let run = bench.start("order-1");
    bench.decide(vec![charge("c1")]);
    let task = bench.work().unwrap();
    assert_eq!((task.started_event_id, &*task.activity_id), (6, "c1"));
    bench.answer(task.token, ActivityAnswer::Completed { result: text("paid") }).unwrap();
    bench.decide(vec![complete()]);
    assert_eq!(
        bench.events(&run),
        [
            "WorkflowExecutionStarted",
            "DecisionTaskScheduled",
            "DecisionTaskStarted",
            "DecisionTaskCompleted",
            "ActivityTaskScheduled",
            "ActivityTaskStarted",
            "ActivityTaskCompleted",
            "DecisionTaskScheduled",
            "DecisionTaskStarted",
            "DecisionTaskCompleted",
            "WorkflowExecutionCompleted",
        ]
    );
    assert_eq!(bench.run(&run).closed.unwrap().status, CloseStatus::Completed);
    let started = bench.attributes(&run, "WorkflowExecutionStarted");
    assert_eq!(
        started,
        serde_json::json!({
            "executionStartToCloseTimeout": "3600",
            "taskStartToCloseTimeout": "10",
            "childPolicy": "TERMINATE",
            "taskList": { "name": "deciders" },
            "workflowType": { "name": "booking", "version": "1" },
            "parentInitiatedEventId": 0,
        })
    );
    let closed = bench.attributes(&run, "ActivityTaskCompleted");
    assert_eq!(closed, serde_json::json!({ "result": "paid", "scheduledEventId": 5, "startedEventId": 6 }));
}

#[test]
fn one_run_of_a_workflow_id_is_open_at_a_time() {
    let mut bench = Bench::new();
    let first = bench.start("order-1");
    assert_eq!(
        bench.start_with("order-1", StartOptions::default()).unwrap_err().code,
        "WorkflowExecutionAlreadyStartedFault"
    );
    bench.decide(vec![complete()]);
    let second = bench.start("order-1");
    assert_ne!(first, second);
    assert!(!bench.run(&first).is_open() && bench.run(&second).is_open());
    assert_eq!(first.len(), 46, "{first}");
}

#[test]
fn what_neither_the_start_nor_the_type_says_is_a_default_undefined_fault_in_awss_order() {
    let mut bench = Bench::new();
    let (swf, mut cx) = bench.world.swf_cx();
    let bare = TypeRef::new("bare", "1");
    swf.register_workflow_type(&cx, "hotel", bare.clone(), None, WorkflowDefaults::default()).unwrap();
    let mut options = StartOptions::default();
    let fault = swf.start_workflow_execution(&mut cx, "hotel", "x", &bare, options.clone()).unwrap_err();
    assert_eq!((fault.code, fault.message.as_str()), ("DefaultUndefinedFault", "executionStartToCloseTimeout"));
    options.execution_start_to_close_timeout = Some(Timeout::AfterS(1));
    let fault = swf.start_workflow_execution(&mut cx, "hotel", "x", &bare, options).unwrap_err();
    assert_eq!(fault.message, "taskList");
}

#[test]
fn only_one_decision_task_runs_and_what_comes_meanwhile_is_kept_for_the_next() {
    let mut bench = Bench::new();
    let run = bench.start("order-1");
    let task = bench.poll();
    bench.signal("order-1", "hurry").unwrap();
    bench.signal("order-1", "faster").unwrap();
    assert!(bench.poll_list("deciders").is_none());
    assert_eq!(bench.run(&run).open_counts().decision_tasks, 1);
    bench.try_decide(task.token, vec![]).unwrap();
    assert_eq!(
        bench.events(&run)[2..],
        [
            "DecisionTaskStarted",
            "WorkflowExecutionSignaled",
            "DecisionTaskScheduled",
            "WorkflowExecutionSignaled",
            "DecisionTaskCompleted"
        ]
    );
    let next = bench.poll();
    assert_eq!(next.previous_started_event_id, task.started_event_id);
}

#[test]
fn a_close_decision_with_unhandled_events_fails_and_the_decider_is_asked_again() {
    let mut bench = Bench::new();
    let run = bench.start("order-1");
    let task = bench.poll();
    bench.signal("order-1", "hurry").unwrap();
    bench.try_decide(task.token, vec![complete()]).unwrap();
    let failed = bench.attributes(&run, "CompleteWorkflowExecutionFailed");
    assert_eq!(failed["cause"], "UNHANDLED_DECISION");
    assert_eq!(failed["decisionTaskCompletedEventId"], 6);
    bench.decide(vec![complete()]);
    assert!(!bench.run(&run).is_open());
}

#[test]
fn a_close_decision_must_be_the_last_and_nothing_of_a_bad_list_is_done() {
    let mut bench = Bench::new();
    let run = bench.start("order-1");
    let task = bench.poll();
    let fault = bench.try_decide(task.token, vec![complete(), charge("c1")]).unwrap_err();
    assert_eq!(fault.message, "Close must be last decision in list");
    assert_eq!(bench.events(&run).len(), 3);
    bench.try_decide(task.token, vec![charge("c1"), complete()]).unwrap();
    assert!(bench.work().is_none(), "the execution is closed, its open activities are gone");
    let late = bench.try_decide(task.token, vec![]).unwrap_err();
    assert_eq!(late.message, format!("Unknown execution: WorkflowExecution=[workflowId=order-1, runId={run}]"));
}

#[test]
fn a_task_that_is_closed_answers_with_its_scheduled_event() {
    let mut bench = Bench::new();
    bench.start("order-1");
    let task = bench.poll();
    bench.try_decide(task.token, vec![charge("c1")]).unwrap();
    let late = bench.try_decide(task.token, vec![]).unwrap_err();
    assert_eq!(late.message, "Unknown decision task, scheduledEventId = 2");
    let work = bench.work().unwrap();
    bench.answer(work.token, ActivityAnswer::Completed { result: None }).unwrap();
    let late = bench.answer(work.token, ActivityAnswer::Completed { result: None }).unwrap_err();
    assert_eq!((late.code, late.message.as_str()), ("UnknownResourceFault", "Unknown activity, scheduledEventId = 5"));
}

#[test]
fn each_activity_timeout_has_its_type_and_its_time() {
    let cases = [
        (TimeoutType::ScheduleToStart, 30, false, None),
        (TimeoutType::Heartbeat, 20, true, None),
        (TimeoutType::StartToClose, 60, true, Some(15)),
        (TimeoutType::ScheduleToClose, 80, true, Some(15)),
    ];
    for (what, after_s, is_started, beats_every_s) in cases {
        let mut bench = Bench::new();
        let run = bench.start("order-1");
        let mut asked = ScheduleActivity::new(TypeRef::new("charge", "1"), "c1");
        if what == TimeoutType::ScheduleToClose {
            asked.start_to_close_timeout = Some(Timeout::Never);
        }
        bench.decide(vec![Decision::ScheduleActivityTask(Box::new(asked))]);
        let scheduled_at = bench.world.now;
        let task = is_started.then(|| bench.work().unwrap());
        while bench.run(&run).activities.len() == 1 {
            let step = beats_every_s.unwrap_or(after_s);
            bench.wait_s(step);
            if let (Some(task), Some(_)) = (&task, beats_every_s) {
                let (swf, mut cx) = bench.world.swf_cx();
                let _ = swf.record_activity_task_heartbeat(&mut cx, task.token, text("half"));
            }
        }
        let history = &bench.run(&run).history;
        let timed_out = history.iter().find(|event| event.kind.name() == "ActivityTaskTimedOut").unwrap();
        assert_eq!(timed_out.at, scheduled_at + Duration::from_secs(after_s), "{what:?}");
        let attributes = bench.attributes(&run, "ActivityTaskTimedOut");
        assert_eq!(attributes["timeoutType"], serde_json::to_value(what).unwrap());
        assert_eq!(attributes["startedEventId"], if is_started { 6 } else { 0 });
        assert_eq!(attributes.get("details").is_some(), beats_every_s.is_some(), "{what:?}");
        bench.poll();
    }
}

#[test]
fn a_decision_task_that_times_out_is_scheduled_again() {
    let mut bench = Bench::new();
    let run = bench.start("order-1");
    let task = bench.poll();
    bench.wait_s(10);
    assert_eq!(bench.events(&run)[3..], ["DecisionTaskTimedOut", "DecisionTaskScheduled"]);
    let again = bench.poll();
    assert_eq!(again.previous_started_event_id, 0, "no decider has handled anything yet");
    assert_eq!(bench.try_decide(task.token, vec![]).unwrap_err().code, "UnknownResourceFault");
}

#[test]
fn an_override_of_the_task_list_ends_when_nobody_takes_the_task() {
    let mut bench = Bench::new();
    let run = bench.start("order-1");
    let task = bench.poll();
    let decided = Decided {
        task_list: text("host-7"),
        task_list_schedule_to_start: Some(Timeout::AfterS(5)),
        ..Decided::default()
    };
    let (swf, mut cx) = bench.world.swf_cx();
    swf.respond_decision_task_completed(&mut cx, task.token, decided).unwrap();
    bench.signal("order-1", "hurry").unwrap();
    assert_eq!(bench.attributes(&run, "DecisionTaskScheduled")["scheduleToStartTimeout"], "5");
    assert!(bench.poll_list("deciders").is_none());
    bench.wait_s(5);
    assert_eq!(bench.attributes(&run, "DecisionTaskTimedOut")["timeoutType"], "SCHEDULE_TO_START");
    assert!(bench.poll_list("host-7").is_none() && bench.poll_list("deciders").is_some());
}

#[test]
fn a_run_times_out_and_its_children_with_it() {
    let mut bench = Bench::new();
    let run = bench.start("order-1");
    bench.decide(vec![child("email-1")]);
    bench.wait_s(3600);
    assert_eq!(bench.run(&run).closed.unwrap().status, CloseStatus::TimedOut);
    let domain = bench.world.swf.domain("hotel").unwrap();
    let (_, email) = domain.executions().last().unwrap();
    let last = &email.history.last().unwrap().kind;
    assert!(
        matches!(last, EventKind::WorkflowExecutionTerminated { cause: Some(Cause::ChildPolicyApplied), .. }),
        "{last:?}"
    );
    assert_eq!(domain.open_count(), 0);
}

#[test]
fn timers_fire_once_and_can_be_cancelled() {
    let mut bench = Bench::new();
    let run = bench.start("order-1");
    bench.decide(vec![timer("soon", 5), timer("never", 50), timer("soon", 9)]);
    assert_eq!(bench.attributes(&run, "StartTimerFailed")["cause"], "TIMER_ID_ALREADY_IN_USE");
    bench.decide(vec![
        Decision::CancelTimer { timer_id: "never".into() },
        Decision::CancelTimer { timer_id: "ghost".into() },
    ]);
    assert_eq!(bench.attributes(&run, "TimerCanceled")["startedEventId"], 6);
    assert_eq!(bench.attributes(&run, "CancelTimerFailed")["cause"], "TIMER_ID_UNKNOWN");
    bench.decide(vec![]);
    bench.wait_s(100);
    let fired = bench.events(&run).iter().filter(|name| *name == "TimerFired").count();
    assert_eq!((fired, bench.run(&run).open_counts().timers), (1, 0));
    assert_eq!(bench.attributes(&run, "TimerFired")["timerId"], "soon");
}

#[test]
fn an_activity_that_no_worker_has_is_cancelled_at_once_and_a_running_one_hears_of_it() {
    let mut bench = Bench::new();
    let run = bench.start("order-1");
    let cancel = |id: &str| Decision::RequestCancelActivityTask { activity_id: id.into() };
    bench.decide(vec![charge("c1"), charge("c2")]);
    let running = bench.work().unwrap();
    bench.signal("order-1", "stop").unwrap();
    bench.decide(vec![cancel("c1"), cancel("c2"), cancel("c3")]);
    assert!(bench.work().is_none());
    assert_eq!(bench.attributes(&run, "ActivityTaskCanceled")["startedEventId"], 0);
    assert_eq!(bench.attributes(&run, "RequestCancelActivityTaskFailed")["cause"], "ACTIVITY_ID_UNKNOWN");
    let (swf, mut cx) = bench.world.swf_cx();
    assert!(swf.record_activity_task_heartbeat(&mut cx, running.token, None).unwrap());
    bench.answer(running.token, ActivityAnswer::Canceled { details: text("stopped") }).unwrap();
    let canceled = bench.attributes(&run, "ActivityTaskCanceled");
    assert_eq!(canceled["details"], "stopped");
    assert!(canceled["latestCancelRequestedEventId"].as_u64().unwrap() > 0);
}

#[test]
fn activities_that_cannot_be_scheduled_say_why() {
    let mut bench = Bench::new();
    let run = bench.start("order-1");
    let of = |name: &str, id: &str| {
        Decision::ScheduleActivityTask(Box::new(ScheduleActivity::new(TypeRef::new(name, "1"), id)))
    };
    let (swf, cx) = bench.world.swf_cx();
    let bare =
        ActivityDefaults { default_task_list: Some(TaskList { name: "w".into() }), ..ActivityDefaults::default() };
    swf.register_activity_type(&cx, "hotel", TypeRef::new("bare", "1"), None, bare).unwrap();
    swf.register_activity_type(&cx, "hotel", TypeRef::new("old", "1"), None, ActivityDefaults::default()).unwrap();
    swf.deprecate_type(&cx, "hotel", Family::Activity, &TypeRef::new("old", "1")).unwrap();
    bench.decide(vec![of("ghost", "a"), of("old", "b"), charge("c"), charge("c"), of("bare", "d")]);
    let causes: Vec<String> = bench
        .run(&run)
        .history
        .iter()
        .filter(|event| event.kind.name() == "ScheduleActivityTaskFailed")
        .map(|event| {
            event.to_json(1)["scheduleActivityTaskFailedEventAttributes"]["cause"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(
        causes,
        [
            "ACTIVITY_TYPE_DOES_NOT_EXIST",
            "ACTIVITY_TYPE_DEPRECATED",
            "ACTIVITY_ID_ALREADY_IN_USE",
            "DEFAULT_SCHEDULE_TO_START_TIMEOUT_UNDEFINED"
        ]
    );
    bench.poll();
}

#[test]
fn a_child_reports_to_its_parent_and_continues_as_the_same_child() {
    let mut bench = Bench::new();
    let parent = bench.start("order-1");
    bench.decide(vec![child("email-1"), child("email-1")]);
    assert_eq!(
        bench.events(&parent)[4..],
        [
            "StartChildWorkflowExecutionInitiated",
            "StartChildWorkflowExecutionInitiated",
            "ChildWorkflowExecutionStarted",
            "DecisionTaskScheduled",
            "StartChildWorkflowExecutionFailed",
        ]
    );
    let failed = bench.attributes(&parent, "StartChildWorkflowExecutionFailed");
    assert_eq!((&failed["cause"], &failed["initiatedEventId"]), (&"WORKFLOW_ALREADY_RUNNING".into(), &6.into()));
    assert_eq!(bench.run(&parent).open_counts().children, 1);
    let next = ContinueAsNew { options: StartOptions::default(), workflow_type_version: None };
    let task = bench.poll();
    assert_eq!(&*task.workflow_execution.workflow_id, "email-1");
    bench.try_decide(task.token, vec![Decision::ContinueAsNewWorkflowExecution(Box::new(next))]).unwrap();
    let continued = bench.attributes(&task.workflow_execution.run_id, "WorkflowExecutionContinuedAsNew");
    let second: Text = continued["newExecutionRunId"].as_str().unwrap().into();
    let started = bench.attributes(&second, "WorkflowExecutionStarted");
    assert_eq!(started["continuedExecutionRunId"], *task.workflow_execution.run_id);
    assert_eq!(started["parentWorkflowExecution"]["workflowId"], "order-1");
    assert_eq!(started["parentInitiatedEventId"], 5);
    bench.decide(vec![]);
    bench.decide(vec![complete()]);
    let heard = bench.attributes(&parent, "ChildWorkflowExecutionCompleted");
    assert_eq!(heard["workflowExecution"]["runId"], *second);
    assert_eq!((&heard["initiatedEventId"], &heard["startedEventId"]), (&5.into(), &7.into()));
    assert_eq!(heard["result"], "done");
    assert_eq!(bench.run(&parent).open_counts().children, 0);
}

#[test]
fn signals_and_cancel_requests_reach_other_executions() {
    let mut bench = Bench::new();
    let sender = bench.start("order-1");
    let task = bench.poll();
    let receiver = bench.start("order-2");
    let signal = |id: &str| Decision::SignalExternalWorkflowExecution {
        workflow_id: id.into(),
        run_id: None,
        signal_name: "paid".into(),
        input: text("42"),
        control: text("c"),
    };
    let cancel =
        Decision::RequestCancelExternalWorkflowExecution { workflow_id: "order-2".into(), run_id: None, control: None };
    bench.try_decide(task.token, vec![signal("order-2"), signal("ghost"), cancel]).unwrap();
    let signaled = bench.attributes(&receiver, "WorkflowExecutionSignaled");
    assert_eq!((&signaled["input"], &signaled["externalInitiatedEventId"]), (&"42".into(), &5.into()));
    assert_eq!(signaled["externalWorkflowExecution"]["workflowId"], "order-1");
    assert!(bench.run(&receiver).cancel_requested);
    let failed = bench.attributes(&sender, "SignalExternalWorkflowExecutionFailed");
    assert_eq!(failed["cause"], "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION");
    assert_eq!(bench.attributes(&sender, "ExternalWorkflowExecutionCancelRequested")["initiatedEventId"], 7);
}

#[test]
fn a_terminated_run_says_who_did_it_and_its_tasks_are_gone() {
    let mut bench = Bench::new();
    let run = bench.start("order-1");
    bench.decide(vec![charge("c1")]);
    let work = bench.work().unwrap();
    let (swf, mut cx) = bench.world.swf_cx();
    let why = (text("wrong"), None);
    swf.terminate_workflow_execution(&mut cx, "hotel", ("order-1", None), None, why).unwrap();
    let last = bench.attributes(&run, "WorkflowExecutionTerminated");
    assert_eq!(
        last,
        serde_json::json!({ "reason": "wrong", "childPolicy": "TERMINATE", "cause": "OPERATOR_INITIATED" })
    );
    let fault = bench.answer(work.token, ActivityAnswer::Completed { result: None }).unwrap_err();
    assert!(fault.message.starts_with("Unknown execution: WorkflowExecution=["), "{}", fault.message);
    assert_eq!(bench.signal("order-1", "x").unwrap_err().message, "Unknown execution, workflowId = order-1");
}

#[test]
fn a_higher_priority_is_handed_out_first() {
    let mut bench = Bench::new();
    bench.start("order-1");
    let urgent = StartOptions { task_priority: Some(Priority(5)), ..StartOptions::default() };
    bench.start_with("order-2", urgent).unwrap();
    assert_eq!(&*bench.poll().workflow_execution.workflow_id, "order-2");
    assert_eq!(&*bench.poll().workflow_execution.workflow_id, "order-1");
}

#[test]
fn closed_runs_are_forgotten_when_their_retention_ends_and_leave_nothing_behind() {
    let mut bench = Bench::seeded(1, "2");
    for n in 0..50 {
        bench.start(&format!("order-{n}"));
        bench.decide(vec![timer("t", 600), charge("c")]);
        bench.signal(&format!("order-{n}"), "x").unwrap();
        bench.decide(vec![complete()]);
        bench.wait_s(1);
    }
    let domain = bench.world.swf.domain("hotel").unwrap();
    assert_eq!((domain.executions.len(), domain.open_count()), (50, 0));
    assert_eq!(domain.activity_lists.iter().count() + domain.decision_lists.iter().count(), 0);
    bench.wait_s(2 * 86_400);
    let domain = bench.world.swf.domain("hotel").unwrap();
    assert_eq!((domain.executions.len(), domain.runs.len(), domain.closed.len()), (0, 0, 0));
    assert!(bench.world.agenda.len() <= 2, "{} entries", bench.world.agenda.len());
}

#[test]
fn a_history_that_is_full_ends_its_execution() {
    let mut bench = Bench::new();
    let run = bench.start("order-1");
    let marker = || Decision::RecordMarker { marker_name: "m".into(), details: None };
    bench.decide((0..30_000).map(|_| marker()).collect());
    assert_eq!(bench.events(&run).len(), 25_000);
    let last = bench.last(&run);
    assert!(matches!(last, EventKind::WorkflowExecutionTerminated { cause: Some(Cause::EventLimitExceeded), .. }));
}

#[test]
fn a_thousand_timers_are_open_and_no_more() {
    let mut bench = Bench::new();
    let run = bench.start("order-1");
    bench.decide((0..1001).map(|n| timer(&n.to_string(), 100)).collect());
    assert_eq!(bench.run(&run).open_counts().timers, 1000);
    assert_eq!(bench.attributes(&run, "StartTimerFailed")["cause"], "OPEN_TIMERS_LIMIT_EXCEEDED");
}

#[test]
fn every_end_counts_one_for_itself_and_zero_for_the_others() {
    let mut bench = Bench::new();
    bench.start("order-1");
    bench.decide(vec![charge("c1")]);
    bench.wait_s(3);
    let work = bench.work().unwrap();
    bench.wait_s(4);
    bench.answer(work.token, ActivityAnswer::Failed { reason: text("card"), details: None }).unwrap();
    bench.decide(vec![Decision::FailWorkflowExecution { reason: text("card"), details: None }]);
    bench.start("order-2");
    bench.wait_s(60);
    let activity = [("Domain", "hotel"), ("ActivityTypeName", "charge"), ("ActivityTypeVersion", "1")];
    assert_eq!(bench.sum("ActivityTasksFailed", &activity, "Count"), (1.0, 1.0));
    assert_eq!(bench.sum("ActivityTasksCompleted", &activity, "Count"), (0.0, 1.0));
    assert_eq!(bench.sum("ActivityTaskScheduleToStartTime", &activity, "Milliseconds"), (3000.0, 1.0));
    assert_eq!(bench.sum("ActivityTaskStartToCloseTime", &activity, "Milliseconds"), (4000.0, 1.0));
    let workflow = [("Domain", "hotel"), ("WorkflowTypeName", "booking"), ("WorkflowTypeVersion", "1")];
    assert_eq!(bench.sum("WorkflowsFailed", &workflow, "Count"), (1.0, 1.0));
    assert_eq!(bench.sum("WorkflowsTimedOut", &workflow, "Count"), (0.0, 1.0));
    assert_eq!(bench.sum("DecisionTasksCompleted", &workflow, "Count"), (2.0, 2.0));
    let list = [("Domain", "hotel"), ("TaskListName", "deciders"), ("TaskListClassification", "D")];
    assert_eq!(bench.sum("PendingTasks", &list, "Count"), (1.0, 1.0));
}

#[test]
fn used_quotas_are_published_with_what_was_refused() {
    let mut bench = Bench::new();
    let (swf, cx) = bench.world.swf_cx();
    let refused = (0..230).filter(|_| swf.admit(&cx, "DescribeDomain").is_err()).count();
    assert_eq!(refused, 30);
    bench.wait_s(60);
    let name = [("APIName", "DescribeDomain")];
    assert_eq!(bench.sum("ConsumedCapacity", &name, "Count"), (200.0, 1.0));
    assert_eq!(bench.sum("ThrottledEvents", &name, "Count"), (30.0, 1.0));
    assert_eq!(bench.sum("ProvisionedRefillRate", &name, "Count"), (6.0, 1.0));
}

#[test]
fn children_are_created_at_a_rate_that_refills_slowly() {
    let mut bench = Bench::new();
    let run = bench.start("order-1");
    bench.decide((0..600).map(|n| child(&format!("email-{n}"))).collect());
    assert_eq!(bench.run(&run).open_counts().children, 500);
    let causes = bench.run(&run).history.iter().filter(|event| {
        matches!(
            &event.kind,
            EventKind::StartChildWorkflowExecutionFailed { cause: Cause::ChildCreationRateExceeded, .. }
        )
    });
    assert_eq!(causes.count(), 100);
}

#[test]
fn a_lambda_task_needs_a_role_and_answers_with_what_the_function_said() {
    let mut bench = Bench::new();
    let call = || Decision::ScheduleLambdaFunction {
        id: "l1".into(),
        name: "ghost".into(),
        control: None,
        input: None,
        start_to_close_timeout: None,
    };
    let run = bench.start("order-1");
    bench.decide(vec![call()]);
    assert_eq!(bench.attributes(&run, "StartLambdaFunctionFailed")["cause"], "ASSUME_ROLE_FAILED");
    bench.decide(vec![complete()]);
    let role = StartOptions { lambda_role: text("arn:aws:iam::123456789012:role/swf"), ..StartOptions::default() };
    let run = bench.start_with("order-2", role).unwrap();
    bench.decide(vec![call()]);
    assert_eq!(bench.run(&run).open_counts().lambda_functions, 1);
    crate::sim::workflow::call_functions(&mut bench.world);
    assert_eq!(bench.attributes(&run, "LambdaFunctionFailed")["reason"], "ResourceNotFoundException");
    bench.poll();
}
