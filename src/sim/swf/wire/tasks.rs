//! Operations on tasks: long polls, a decider's decisions, a worker's heartbeats and answers.

use super::executions::Stretch;
use super::token::{self, TaskKind};
use super::{Input, admit, json_of, members as is, schema, structure};
use crate::sim::error::ApiError;
use crate::sim::swf::{ActivityAnswer, ActivityTask, Decided, Decision, DecisionTask, TaskToken, Timeout, error};
use crate::sim::wire::{Answer, Call, Reply, serialization_error};
use crate::sim::workflow;
use crate::sim::world::World;
use serde_json::{Value, json};
use std::time::Duration;

/// A poll waits so long for a task.
const LONG_POLL: Duration = Duration::from_secs(60);

/// What a waiting call leaves itself: only its first asking is checked and counted.
const WAITS: u64 = 1;

fn list<'a>(input: &Input<'a>) -> &'a str {
    input.structure("taskList").map_or("", |list| list.text("name"))
}

/// Checks and counts a poll when it is asked for the first time.
fn begin(
    world: &mut World,
    call: &mut Call,
    operation: &'static str,
    input: &Value,
    members: &'static [schema::Member],
) -> Result<(), ApiError> {
    if call.ticket.is_none() {
        schema::check(input, members)?;
        admit(world, operation)?;
        call.ticket = Some(WAITS);
    }
    Ok(())
}

pub(super) fn poll_for_activity_task(world: &mut World, call: &mut Call, input: &Value) -> Answer {
    begin(world, call, "PollForActivityTask", input, is::POLL_ACTIVITY)?;
    let input = Input::of(input);
    let (swf, mut cx) = world.swf_cx();
    let identity = input.optional("identity");
    let task = swf.poll_for_activity_task(&mut cx, input.text("domain"), list(&input), identity)?;
    let until = call.arrived + LONG_POLL;
    match task {
        Some(task) => Ok(Reply::Done(activity_task(&task))),
        None if world.now < until => Ok(Reply::Later(until)),
        None => Ok(Reply::Done(json!({ "taskToken": "", "startedEventId": 0 }))),
    }
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
    begin(world, call, "PollForDecisionTask", input, is::POLL_DECISION)?;
    let input = Input::of(input);
    if let Some(text) = input.optional_text("nextPageToken") {
        return further_page(world, &input, text).map(Reply::Done);
    }
    let (swf, mut cx) = world.swf_cx();
    let identity = input.optional("identity");
    let task = swf.poll_for_decision_task(&mut cx, input.text("domain"), list(&input), identity)?;
    let until = call.arrived + LONG_POLL;
    match task {
        Some(task) => Ok(Reply::Done(decision_task(world, &input, &task, 0))),
        None if world.now < until => Ok(Reply::Later(until)),
        None => Ok(Reply::Done(json!({ "taskToken": "", "startedEventId": 0, "previousStartedEventId": 0 }))),
    }
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
