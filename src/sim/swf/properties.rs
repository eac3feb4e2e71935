//! What holds after every step of any run: ids without gaps, causes before effects, one decision task at a time.

use super::tests::{Bench, charge, child, complete, text, timer};
use super::*;
use crate::domain::time::Timestamp;
use proptest::prelude::*;
use std::time::Duration;

/// Few workflow ids, so that they collide.
const IDS: [&str; 3] = ["order-1", "order-2", "order-3"];

#[derive(Clone, Debug)]
enum Step {
    Start {
        id: usize,
        list: bool,
    },
    PollDecision,
    /// Answers one of the decision tasks ever handed out, current or not.
    Decide {
        task: usize,
        decisions: Vec<u8>,
    },
    PollActivity,
    Beat {
        task: usize,
    },
    Answer {
        task: usize,
        how: u8,
    },
    Signal {
        id: usize,
    },
    Cancel {
        id: usize,
    },
    Terminate {
        id: usize,
        policy: u8,
    },
    Wait {
        ms: u64,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let id = 0..IDS.len();
    let step = prop_oneof![
        3 => (id.clone(), any::<bool>()).prop_map(|(id, list)| Step::Start { id, list }),
        8 => Just(Step::PollDecision),
        8 => (0..4_usize, prop::collection::vec(any::<u8>(), 0..5))
            .prop_map(|(task, decisions)| Step::Decide { task, decisions }),
        6 => Just(Step::PollActivity),
        2 => (0..6_usize).prop_map(|task| Step::Beat { task }),
        4 => (0..6_usize, 0..3_u8).prop_map(|(task, how)| Step::Answer { task, how }),
        2 => id.clone().prop_map(|id| Step::Signal { id }),
        1 => id.clone().prop_map(|id| Step::Cancel { id }),
        1 => (id, 0..3_u8).prop_map(|(id, policy)| Step::Terminate { id, policy }),
        5 => prop_oneof![Just(0_u64), 1..5_000_u64, 5_000..90_000_u64, Just(4_000_000)]
            .prop_map(|ms| Step::Wait { ms }),
    ];
    prop::collection::vec(step, 1..120)
}

/// Some decision for each number; close decisions are rarer than the others.
fn decision(code: u8) -> Decision {
    let id = IDS[usize::from(code) % IDS.len()];
    match code % 23 {
        0..=4 => charge(["a", "b", "c", "d"][usize::from(code) % 4]),
        5 => Decision::RequestCancelActivityTask { activity_id: "a".into() },
        6..=8 => timer(["t", "u"][usize::from(code) % 2], u32::from(code % 5)),
        9 => Decision::CancelTimer { timer_id: "t".into() },
        10 => Decision::RecordMarker { marker_name: "m".into(), details: text("d") },
        11..=13 => child(id),
        14 | 15 => Decision::SignalExternalWorkflowExecution {
            workflow_id: id.into(),
            run_id: None,
            signal_name: "s".into(),
            input: None,
            control: None,
        },
        16 => Decision::RequestCancelExternalWorkflowExecution { workflow_id: id.into(), run_id: None, control: None },
        17 => Decision::ScheduleLambdaFunction {
            id: "l".into(),
            name: "f".into(),
            control: None,
            input: None,
            start_to_close_timeout: Some(Timeout::AfterS(3)),
        },
        18 | 19 => complete(),
        20 => Decision::FailWorkflowExecution { reason: None, details: None },
        21 => Decision::CancelWorkflowExecution { details: None },
        _ => Decision::ContinueAsNewWorkflowExecution(Box::new(ContinueAsNew {
            options: StartOptions { lambda_role: text("arn:aws:iam::1:role/r"), ..StartOptions::default() },
            workflow_type_version: None,
        })),
    }
}

struct Run {
    bench: Bench,
    decisions: Vec<TaskToken>,
    activities: Vec<TaskToken>,
}

/// The token from the end of the list.
fn recent(tokens: &[TaskToken], back: usize) -> Option<TaskToken> {
    tokens.len().checked_sub(back + 1).map(|at| tokens[at])
}

fn take(run: &mut Run, step: &Step) {
    match step {
        Step::Start { id, list } => {
            let task_list = list.then(|| TaskList { name: "others".into() });
            let _ = run.bench.start_with(IDS[*id], StartOptions { task_list, ..StartOptions::default() });
        }
        Step::PollDecision => {
            let task = run.bench.poll_list("deciders").or_else(|| run.bench.poll_list("others"));
            run.decisions.extend(task.map(|task| task.token));
        }
        Step::Decide { task, decisions } => {
            if let Some(token) = recent(&run.decisions, *task) {
                let _ = run.bench.try_decide(token, decisions.iter().map(|code| decision(*code)).collect());
                crate::sim::workflow::call_functions(&mut run.bench.world);
            }
        }
        Step::PollActivity => run.activities.extend(run.bench.work().map(|task| task.token)),
        Step::Beat { task } => {
            if let Some(token) = recent(&run.activities, *task) {
                let (swf, mut cx) = run.bench.world.swf_cx();
                let _ = swf.record_activity_task_heartbeat(&mut cx, token, text("half"));
            }
        }
        Step::Answer { task, how } => {
            let answer = match how {
                0 => ActivityAnswer::Completed { result: None },
                1 => ActivityAnswer::Failed { reason: None, details: None },
                _ => ActivityAnswer::Canceled { details: None },
            };
            if let Some(token) = recent(&run.activities, *task) {
                let _ = run.bench.answer(token, answer);
            }
        }
        Step::Signal { id } => drop(run.bench.signal(IDS[*id], "s")),
        Step::Cancel { id } => {
            let (swf, mut cx) = run.bench.world.swf_cx();
            let _ = swf.request_cancel_workflow_execution(&mut cx, "hotel", (IDS[*id], None));
        }
        Step::Terminate { id, policy } => {
            let policies = [ChildPolicy::Terminate, ChildPolicy::RequestCancel, ChildPolicy::Abandon];
            let policy = policies[usize::from(*policy)];
            let (swf, mut cx) = run.bench.world.swf_cx();
            let _ = swf.terminate_workflow_execution(&mut cx, "hotel", (IDS[*id], None), Some(policy), (None, None));
        }
        Step::Wait { ms } => run.bench.wait(Duration::from_millis(*ms)),
    }
}

fn new_run(seed: u64) -> Run {
    Run { bench: Bench::seeded(seed, "30"), decisions: Vec::new(), activities: Vec::new() }
}

/// Every history of the domain, as AWS would answer it.
fn histories(bench: &Bench) -> Vec<(Text, Vec<serde_json::Value>)> {
    let domain = bench.world.swf.domain("hotel").unwrap();
    let json = |execution: &Execution| {
        let events = execution.history.iter().enumerate();
        events.map(|(at, event)| event.to_json(at as u64 + 1)).collect()
    };
    domain.executions().map(|(_, execution)| (execution.run_id.clone(), json(execution))).collect()
}

/// The kind of event that each member of an event refers to.
fn referred(kind: &str, member: &str) -> Option<&'static [&'static str]> {
    Some(match (member, kind) {
        ("decisionTaskCompletedEventId", _) => &["DecisionTaskCompleted"],
        ("scheduledEventId", kind) if kind.starts_with("DecisionTask") => &["DecisionTaskScheduled"],
        ("scheduledEventId", kind) if kind.starts_with("Activity") => &["ActivityTaskScheduled"],
        ("scheduledEventId", _) => &["LambdaFunctionScheduled"],
        ("startedEventId", kind) if kind.starts_with("DecisionTask") => &["DecisionTaskStarted"],
        ("startedEventId", kind) if kind.starts_with("Activity") => &["ActivityTaskStarted"],
        ("startedEventId", kind) if kind.starts_with("Timer") => &["TimerStarted"],
        ("startedEventId", kind) if kind.starts_with("Child") => &["ChildWorkflowExecutionStarted"],
        ("startedEventId", _) => &["LambdaFunctionStarted"],
        ("latestCancelRequestedEventId", _) => &["ActivityTaskCancelRequested"],
        ("initiatedEventId", kind) if kind.contains("Child") => &["StartChildWorkflowExecutionInitiated"],
        ("initiatedEventId", _) => {
            &["SignalExternalWorkflowExecutionInitiated", "RequestCancelExternalWorkflowExecutionInitiated"]
        }
        _ => return None,
    })
}

pub(crate) fn check_history(events: &[serde_json::Value]) -> Result<(), TestCaseError> {
    let kind_of = |id: u64| events[id as usize - 1]["eventType"].as_str().unwrap();
    let mut running = 0_i32;
    let mut last_at = 0.0;
    for (at, event) in events.iter().enumerate() {
        let id = at as u64 + 1;
        let kind = kind_of(id);
        prop_assert_eq!(event["eventId"].as_u64(), Some(id));
        let seconds = event["eventTimestamp"].as_f64().unwrap();
        prop_assert!(seconds >= last_at);
        last_at = seconds;
        let attributes = event.as_object().unwrap().values().next_back().unwrap().as_object().unwrap();
        for (member, value) in attributes {
            let (Some(kinds), Some(cause)) = (referred(kind, member), value.as_u64()) else { continue };
            if cause > 0 {
                prop_assert!(cause < id, "{kind} {id} refers to {cause}, which is later");
                prop_assert!(kinds.contains(&kind_of(cause)), "{kind} {id}: {member} is a {}", kind_of(cause));
            }
        }
        let from_start = kind == "DecisionTaskTimedOut" && attributes["startedEventId"] == 0;
        running += match kind {
            "DecisionTaskStarted" => 1,
            "DecisionTaskCompleted" => -1,
            "DecisionTaskTimedOut" if !from_start => -1,
            _ => 0,
        };
        prop_assert!((0..=1).contains(&running), "{running} decision tasks run after event {id}");
        let is_last = id == events.len() as u64;
        let closes = kind.starts_with("WorkflowExecution")
            && !["Started", "Signaled", "CancelRequested"].iter().any(|end| kind.ends_with(end));
        prop_assert!(!closes || is_last, "{kind} is not the last event");
    }
    Ok(())
}

/// What is open agrees with itself.
fn check_domain(bench: &Bench, now: Timestamp) -> Result<(), TestCaseError> {
    let domain = bench.world.swf.domain("hotel").unwrap();
    let (mut decisions, mut activities) = (0, 0);
    for (id, execution) in domain.executions() {
        prop_assert_eq!(execution.is_open(), domain.open.get(&execution.workflow_id) == Some(&id));
        prop_assert_eq!(execution.is_open(), domain.open_ids.contains(&id));
        let counts = execution.open_counts();
        if !execution.is_open() {
            prop_assert_eq!(counts, OpenCounts::default());
        }
        decisions += usize::from(execution.scheduled_decision.as_ref().is_some_and(|task| task.place.is_some()));
        let is_waiting = |activity: &&execution::Activity| activity.started() == 0;
        activities += execution.activities.values().filter(is_waiting).count();
        for child in execution.children.values() {
            let run = domain.execution(child.id).unwrap();
            prop_assert!(run.is_open(), "a child that is known to be open is open");
            prop_assert_eq!(run.parent.as_ref().map(|parent| parent.id), Some(id));
        }
        let (at, _) = execution.next_deadline().unwrap();
        prop_assert_eq!(execution.registered_deadline, Some(at));
        prop_assert!(at > now || execution.timers.values().any(|timer| timer.fires_at <= now), "{at} is due");
    }
    prop_assert_eq!(domain.decision_lists.iter().map(|(_, waiting)| waiting).sum::<usize>(), decisions);
    prop_assert_eq!(domain.activity_lists.iter().map(|(_, waiting)| waiting).sum::<usize>(), activities);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn histories_have_no_gaps_and_nothing_comes_before_its_cause(steps in steps()) {
        let mut run = new_run(7);
        let mut closed: Vec<(Text, usize)> = Vec::new();
        for step in &steps {
            take(&mut run, step);
            check_domain(&run.bench, run.bench.world.now)?;
            for (run_id, length) in &closed {
                prop_assert_eq!(run.bench.run(run_id).history.len(), *length, "a closed execution got an event");
            }
            let domain = run.bench.world.swf.domain("hotel").unwrap();
            let ended = domain.executions().filter(|(_, execution)| !execution.is_open());
            closed = ended.map(|(_, execution)| (execution.run_id.clone(), execution.history.len())).collect();
        }
        for (_, events) in histories(&run.bench) {
            check_history(&events)?;
        }
    }

    #[test]
    fn two_runs_of_one_seed_are_equal(steps in steps(), seed in 0..1000_u64) {
        let play = || {
            let mut run = new_run(seed);
            for step in &steps {
                take(&mut run, step);
            }
            histories(&run.bench)
        };
        prop_assert_eq!(play(), play());
    }
}
