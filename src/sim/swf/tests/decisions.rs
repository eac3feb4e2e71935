//! Decision tasks and what deciders may say.

use super::*;

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
fn a_thousand_timers_are_open_and_no_more() {
    let mut bench = Bench::new();
    let run = bench.start("order-1");
    bench.decide((0..1001).map(|n| timer(&n.to_string(), 100)).collect());
    assert_eq!(bench.run(&run).open_counts().timers, 1000);
    assert_eq!(bench.attributes(&run, "StartTimerFailed")["cause"], "OPEN_TIMERS_LIMIT_EXCEEDED");
}
