//! Operations on tasks: long polls, a decider's decisions, a worker's heartbeats and answers.

use super::executions::Stretch;
use super::token;
use super::{Input, admit, json_of, members as is, schema, structure};
use crate::sim::error::ApiError;
use crate::sim::swf::{
    ActivityAnswer, ActivityTask, Decided, Decision, DecisionTask, TaskKind, TaskToken, Timeout, error,
};
use crate::sim::waits::Awaited;
use crate::sim::wire::{Answer, Call, Reply, serialization_error};
use crate::sim::workflow;
use crate::sim::world::World;
use serde_json::{Value, json};
use std::time::Duration;

/// A poll waits so long for a task.
const LONG_POLL: Duration = Duration::from_secs(60);

fn list<'a>(input: &Input<'a>) -> &'a str {
    input.structure("taskList").map_or("", |list| list.text("name"))
}

/// Checks and counts a poll when it is asked for the first time; its ticket is its number among the pollers.
fn begin(
    world: &mut World,
    call: &mut Call,
    (operation, kind): (&'static str, TaskKind),
    input: &Value,
    members: &'static [schema::Member],
) -> Result<u64, ApiError> {
    if let Some(number) = call.ticket {
        return Ok(number);
    }
    schema::check(input, members)?;
    admit(world, operation)?;
    let input = Input::of(input);
    let now = world.now;
    let number = world.swf.begin_to_poll(now, input.text("domain"), kind, list(&input))?;
    call.ticket = Some(number);
    Ok(number)
}

/// What a poll says when it has looked for a task: the task, a wish to be asked again, or that there was none. The
/// answer that there was none has no task token at all: AWS's own Flow Framework and many deciders test for that,
/// though the guide speaks of an empty text.
fn found(
    world: &mut World,
    call: &Call,
    (kind, number): (TaskKind, u64),
    input: &Input<'_>,
    task: Result<Option<Value>, ApiError>,
    none: Value,
) -> Answer {
    let until = call.arrived + LONG_POLL;
    let (now, domain, list) = (world.now, input.text("domain"), list(input));
    if matches!(task, Ok(None)) && now < until {
        world.swf.keep_polling(now, domain, kind, list, number);
        if let Ok(domain) = world.swf.domain(domain) {
            world.waits.wait_for(Awaited::Task(domain.id, kind, list.into()));
        }
        return Ok(Reply::Later(until));
    }
    world.swf.end_poll(domain, kind, list, number);
    task.map(|task| Reply::Done(task.unwrap_or(none)))
}

pub(super) fn poll_for_activity_task(world: &mut World, call: &mut Call, input: &Value) -> Answer {
    let kind = TaskKind::Activity;
    let number = begin(world, call, ("PollForActivityTask", kind), input, is::POLL_ACTIVITY)?;
    let input = Input::of(input);
    let (swf, mut cx) = world.swf_cx();
    let task = swf.poll_for_activity_task(&mut cx, input.text("domain"), list(&input), input.optional("identity"));
    let task = task.map(|task| task.as_ref().map(activity_task));
    found(world, call, (kind, number), &input, task, json!({ "startedEventId": 0 }))
}

fn activity_task(task: &ActivityTask) -> Value {
    structure([
        ("taskToken", Some(token::of_task(TaskKind::Activity, task.token).into())),
        ("activityId", Some(json_of(&task.activity_id))),
        ("startedEventId", Some(task.started_event_id.into())),
        ("workflowExecution", Some(json_of(&task.workflow_execution))),
        ("activityType", Some(json_of(&task.activity_type))),
        ("input", task.input.as_ref().map(json_of)),
    ])
}

pub(super) fn poll_for_decision_task(world: &mut World, call: &mut Call, input: &Value) -> Answer {
    let kind = TaskKind::Decision;
    let number = begin(world, call, ("PollForDecisionTask", kind), input, is::POLL_DECISION)?;
    let input = Input::of(input);
    let none = json!({ "startedEventId": 0, "previousStartedEventId": 0 });
    let task = if let Some(text) = input.optional_text("nextPageToken") {
        further_page(world, &input, text).map(Some)
    } else {
        let (swf, mut cx) = world.swf_cx();
        let identity = input.optional("identity");
        let task = swf.poll_for_decision_task(&mut cx, input.text("domain"), list(&input), identity);
        task.map(|task| task.map(|task| decision_task(world, &input, &task, 0)))
    };
    found(world, call, (kind, number), &input, task, none)
}

/// A page token belongs to the poll's domain and list.
fn listing(input: &Input<'_>) -> String {
    format!("poll|{}|{}", input.text("domain"), list(input))
}

/// A poll with a page token hands out no other task: it goes on with the history of the one that it is of.
fn further_page(world: &mut World, input: &Input<'_>, text: &str) -> Result<Value, ApiError> {
    let place = token::page(&listing(input), world.now, text)?;
    let (skip, task) = place.split_once('/').ok_or_else(error::invalid_token)?;
    let task: TaskToken = token::task(TaskKind::Decision, task)?;
    let skip = skip.parse().map_err(|_| error::invalid_token())?;
    let running = world.swf.decision_task(task).ok_or_else(|| error::unknown_decision_task(task.scheduled))?;
    Ok(decision_task(world, input, &running, skip))
}

fn decision_task(world: &World, input: &Input<'_>, task: &DecisionTask, skip: usize) -> Value {
    let domain = world.swf.domain(input.text("domain")).ok();
    let execution = domain.and_then(|domain| domain.execution(task.token.execution));
    let starts_at_previous = input.is_on("startAtPreviousStartedEvent");
    let stretch = Stretch {
        first: if starts_at_previous { (task.previous_started_event_id as usize).max(1) } else { 1 },
        last: task.started_event_id as usize,
        is_reversed: input.is_on("reverseOrder"),
        skip,
        size: input.page_size(),
    };
    let (events, next) = execution.map_or_else(Default::default, |execution| stretch.page(execution));
    let text = token::of_task(TaskKind::Decision, task.token);
    let next = next.map(|next| token::of_page(&listing(input), world.now, &format!("{next}/{text}")));
    structure([
        ("taskToken", Some(text.into())),
        ("startedEventId", Some(task.started_event_id.into())),
        ("workflowExecution", Some(json_of(&task.workflow_execution))),
        ("workflowType", Some(json_of(&task.workflow_type))),
        ("events", Some(events.into())),
        ("nextPageToken", next.map(Value::from)),
        ("previousStartedEventId", Some(task.previous_started_event_id.into())),
    ])
}

/// Errors: `ValidationException` when a closing decision is not the last. This is looked at before all else.
pub(super) fn check_order(input: &Value) -> Result<(), ApiError> {
    let decisions = input.get("decisions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let kinds = decisions.iter().rev().skip(1).filter_map(|decision| decision.get("decisionType")?.as_str());
    if kinds.into_iter().any(|kind| CLOSING.contains(&kind)) {
        return Err(error::close_must_be_last());
    }
    Ok(())
}

const CLOSING: [&str; 4] =
    ["CompleteWorkflowExecution", "FailWorkflowExecution", "CancelWorkflowExecution", "ContinueAsNewWorkflowExecution"];

pub(super) fn decision_completed(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let task = token::task(TaskKind::Decision, input.text("taskToken"))?;
    let decisions = input.get("decisions").and_then(Value::as_array);
    let decisions: Result<Vec<Decision>, ApiError> = decisions.into_iter().flatten().map(decision).collect();
    let decided = Decided {
        decisions: decisions?,
        execution_context: input.data("executionContext"),
        task_list: input.structure("taskList").map(|list| list.text("name").into()),
        task_list_schedule_to_start: input.optional_text("taskListScheduleToStartTimeout").and_then(Timeout::parse),
    };
    let (swf, mut cx) = world.swf_cx();
    swf.respond_decision_task_completed(&mut cx, task, decided)?;
    workflow::call_functions(world);
    Ok(Value::Null)
}

/// AWS writes the kind beside its attributes; here it stands around them.
fn decision(value: &Value) -> Result<Decision, ApiError> {
    let kind = value.get("decisionType").and_then(Value::as_str).unwrap_or_default();
    let attributes = value.get(schema::attributes_name(kind)).filter(|attributes| !attributes.is_null());
    let attributes = attributes.cloned().unwrap_or_else(|| json!({}));
    serde_json::from_value(json!({ kind: attributes })).map_err(|error| serialization_error(error.to_string()))
}

pub(super) fn heartbeat(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let task = token::task(TaskKind::Activity, input.text("taskToken"))?;
    let (swf, mut cx) = world.swf_cx();
    let cancel_requested = swf.record_activity_task_heartbeat(&mut cx, task, input.optional("details"))?;
    Ok(json!({ "cancelRequested": cancel_requested }))
}

fn respond(world: &mut World, input: &Input<'_>, answer: ActivityAnswer) -> Result<Value, ApiError> {
    let task = token::task(TaskKind::Activity, input.text("taskToken"))?;
    let (swf, mut cx) = world.swf_cx();
    swf.respond_activity_task(&mut cx, task, answer)?;
    Ok(Value::Null)
}

pub(super) fn activity_completed(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    respond(world, input, ActivityAnswer::Completed { result: input.optional("result") })
}

pub(super) fn activity_failed(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (reason, details) = (input.optional("reason"), input.optional("details"));
    respond(world, input, ActivityAnswer::Failed { reason, details })
}

pub(super) fn activity_canceled(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    respond(world, input, ActivityAnswer::Canceled { details: input.optional("details") })
}
