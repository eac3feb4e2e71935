//! Executions: their start, their end, their children and what others do to them.

use super::*;

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
