//! Quotas and the metrics of executions.

use super::*;

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

/// How many decisions of a run failed for this cause.
fn failed(bench: &Bench, run: &Text, cause: Cause) -> usize {
    let is_meant = |event: &&Event| match &event.kind {
        EventKind::ScheduleActivityTaskFailed { cause: found, .. }
        | EventKind::StartTimerFailed { cause: found, .. }
        | EventKind::StartChildWorkflowExecutionFailed { cause: found, .. } => *found == cause,
        _ => false,
    };
    bench.run(run).history.iter().filter(is_meant).count()
}

#[test]
fn a_run_has_a_thousand_open_activities_timers_and_children_at_most() {
    let mut bench = Bench::new();
    let run = bench.start("order-1");
    bench.decide((0..1_002).map(|n| charge(&format!("c{n}"))).collect());
    assert_eq!(failed(&bench, &run, Cause::OpenActivitiesLimitExceeded), 2);
    bench.decide((0..1_003).map(|n| timer(&format!("t{n}"), 3_000)).collect());
    assert_eq!(failed(&bench, &run, Cause::OpenTimersLimitExceeded), 3);
    let run = bench.start("order-2");
    // Children come slowly: 500 at once, and then twelve a second.
    for round in 0..3 {
        let mut children: Vec<Decision> = (0..500).map(|n| child(&format!("email-{round}-{n}"))).collect();
        while let Some(task) = bench.poll_list("deciders") {
            let is_ours = task.workflow_execution.run_id == run;
            let decisions = if is_ours { std::mem::take(&mut children) } else { vec![] };
            bench.try_decide(task.token, decisions).unwrap();
        }
        bench.wait_s(60);
        bench.signal("order-2", "go on").unwrap();
    }
    assert_eq!(bench.run(&run).open_counts().children, 1_000);
    assert_eq!(failed(&bench, &run, Cause::OpenChildrenLimitExceeded), 500);
}

#[test]
fn a_domain_has_ten_thousand_types_of_each_kind_at_most() {
    let mut bench = Bench::new();
    let (swf, cx) = bench.world.swf_cx();
    let mut register = |name: &str| {
        swf.register_activity_type(&cx, "hotel", TypeRef::new(name, "1"), None, ActivityDefaults::default())
    };
    (1..10_000).for_each(|n| register(&format!("a{n}")).unwrap());
    assert_eq!(register("one more").unwrap_err().code, "LimitExceededFault");
}
