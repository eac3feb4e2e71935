//! Activity and Lambda tasks: timeouts, cancellation, priorities.

use super::*;

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
fn a_higher_priority_is_handed_out_first() {
    let mut bench = Bench::new();
    bench.start("order-1");
    let urgent = StartOptions { task_priority: Some(Priority(5)), ..StartOptions::default() };
    bench.start_with("order-2", urgent).unwrap();
    assert_eq!(&*bench.poll().workflow_execution.workflow_id, "order-2");
    assert_eq!(&*bench.poll().workflow_execution.workflow_id, "order-1");
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
    bench.decide(vec![call(), call()]);
    assert_eq!(bench.run(&run).open_counts().lambda_functions, 1);
    assert_eq!(bench.attributes(&run, "ScheduleLambdaFunctionFailed")["cause"], "ID_ALREADY_IN_USE");
    crate::sim::workflow::call_functions(&mut bench.world);
    assert_eq!(bench.attributes(&run, "LambdaFunctionFailed")["reason"], "ResourceNotFoundException");
    bench.poll();
}
