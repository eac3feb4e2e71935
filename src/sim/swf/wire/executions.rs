//! Operations on one execution: start, signal, cancel, terminate, describe, history.

use super::{Input, json_of, structure, token};
use crate::sim::error::ApiError;
use crate::sim::swf::{ChildPolicy, Execution, StartOptions, TypeRef};
use crate::sim::world::World;
use serde_json::{Value, json};

pub(super) fn start(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let of: TypeRef = input.structure("workflowType").map_or_else(|| Ok(TypeRef::new("", "")), Input::read)?;
    let options: StartOptions = input.read()?;
    let (swf, mut cx) = world.swf_cx();
    let (domain, id) = (input.text("domain"), input.text("workflowId"));
    let run_id = swf.start_workflow_execution(&mut cx, domain, id, &of, options)?;
    Ok(json!({ "runId": run_id }))
}

/// The workflow id and, if the request names one, the run.
fn target<'a>(input: &Input<'a>) -> (&'a str, Option<&'a str>) {
    (input.text("workflowId"), input.optional_text("runId"))
}

pub(super) fn signal(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (swf, mut cx) = world.swf_cx();
    let (domain, signal) = (input.text("domain"), input.text("signalName").into());
    swf.signal_workflow_execution(&mut cx, domain, target(input), signal, input.optional("input"))?;
    Ok(Value::Null)
}

pub(super) fn request_cancel(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (swf, mut cx) = world.swf_cx();
    swf.request_cancel_workflow_execution(&mut cx, input.text("domain"), target(input))?;
    Ok(Value::Null)
}

pub(super) fn terminate(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let policy: Option<ChildPolicy> = input.structure("childPolicy").map(Input::read).transpose()?;
    let why = (input.optional("reason"), input.optional("details"));
    let (swf, mut cx) = world.swf_cx();
    swf.terminate_workflow_execution(&mut cx, input.text("domain"), target(input), policy, why)?;
    Ok(Value::Null)
}

/// `WorkflowExecutionInfo`.
pub(super) fn info(execution: &Execution) -> Value {
    let closed = execution.closed;
    structure([
        ("execution", Some(json_of(&execution.reference()))),
        ("workflowType", Some(json_of(&execution.of))),
        ("startTimestamp", Some(execution.started_at.secs_f64().into())),
        ("closeTimestamp", closed.map(|closed| closed.at.secs_f64().into())),
        ("executionStatus", Some(if closed.is_some() { "CLOSED" } else { "OPEN" }.into())),
        ("closeStatus", closed.map(|closed| json_of(&closed.status))),
        ("parent", execution.parent.as_ref().map(|parent| json_of(&parent.execution))),
        ("tagList", (!execution.tags.is_empty()).then(|| json_of(&execution.tags))),
        ("cancelRequested", Some(execution.cancel_requested.into())),
    ])
}

fn run<'a>(world: &'a World, input: &Input<'_>) -> Result<&'a Execution, ApiError> {
    let named = input.structure("execution").unwrap_or(*input);
    let domain = world.swf.domain(input.text("domain"))?;
    domain.run(named.text("workflowId"), named.text("runId")).map(|(_, execution)| execution)
}

pub(super) fn describe(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let execution = run(world, input)?;
    let (config, open) = (&execution.config, execution.open_counts());
    let configuration = structure([
        ("taskStartToCloseTimeout", Some(json_of(&config.task_timeout))),
        ("executionStartToCloseTimeout", Some(json_of(&config.execution_timeout))),
        ("taskList", Some(json!({ "name": config.task_list }))),
        ("taskPriority", config.task_priority.as_ref().map(json_of)),
        ("childPolicy", Some(json_of(&config.child_policy))),
        ("lambdaRole", config.lambda_role.as_ref().map(json_of)),
    ]);
    let counts = json!({
        "openActivityTasks": open.activity_tasks,
        "openDecisionTasks": open.decision_tasks,
        "openTimers": open.timers,
        "openChildWorkflowExecutions": open.children,
        "openLambdaFunctions": open.lambda_functions,
    });
    Ok(structure([
        ("executionInfo", Some(info(execution))),
        ("executionConfiguration", Some(configuration)),
        ("openCounts", Some(counts)),
        ("latestActivityTaskTimestamp", execution.latest_activity_at.map(|at| at.secs_f64().into())),
        ("latestExecutionContext", execution.latest_context.as_ref().map(json_of)),
    ]))
}

/// A stretch of a history, in either order.
#[derive(Clone, Copy)]
pub(super) struct Stretch {
    /// The first and last event of it, in the order of events.
    pub first: usize,
    pub last: usize,
    pub is_reversed: bool,
    /// How many events of it were on earlier pages.
    pub skip: usize,
    pub size: usize,
}

impl Stretch {
    /// The events of this page, and how many events of the stretch come before the next page.
    pub fn page(self, execution: &Execution) -> (Vec<Value>, Option<usize>) {
        let length = (self.last + 1).saturating_sub(self.first);
        let end = (self.skip + self.size).min(length);
        let ids = (self.skip..end).map(|nth| if self.is_reversed { self.last - nth } else { self.first + nth });
        let events = ids.filter_map(|id| Some(execution.event(id as u64)?.to_json(id as u64))).collect();
        (events, (end < length).then_some(end))
    }
}

pub(super) fn history(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let execution = run(world, input)?;
    let is_reversed = input.is_on("reverseOrder");
    let listing = format!("history|{}|{}|{is_reversed}", input.text("domain"), execution.run_id);
    // A history that grows while it is read backwards would shift: its end at the first page is kept in the token.
    let (skip, last) = match input.optional_text("nextPageToken") {
        None => (0, execution.history.len()),
        Some(text) => {
            let place = token::page(&listing, world.now, text)?;
            let (skip, last) = place.split_once('/').unwrap_or((&place, "0"));
            (skip.parse().unwrap_or(0), last.parse().unwrap_or(0))
        }
    };
    let last = if is_reversed { last } else { execution.history.len() };
    let stretch = Stretch { first: 1, last, is_reversed, skip, size: input.page_size() };
    let (events, next) = stretch.page(execution);
    let next = next.map(|next| token::of_page(&listing, world.now, &format!("{next}/{last}")));
    Ok(structure([("events", Some(events.into())), ("nextPageToken", next.map(Value::from))]))
}
