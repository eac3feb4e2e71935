//! SWF on the wire: each operation's JSON members in, typed calls, AWS's members out.

mod executions;
mod listing;
mod members;
mod registry;
mod schema;
mod tasks;
mod token;

use crate::domain::time::Timestamp;
use crate::sim::error::ApiError;
use crate::sim::swf::Text;
use crate::sim::wire::{Answer, Call, Reply, unknown_operation};
use crate::sim::world::World;
use members as is;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// What carries out an operation whose members have been checked.
type Perform = fn(&mut World, &Input<'_>) -> Result<Value, ApiError>;

/// A request may have at most 1 MB, "including the request header and all other associated request data" (SWF "Quotas").
const REQUEST_BYTES_MAX: usize = 1 << 20;

/// Answers one operation; UnknownOperationException for those that SWF does not have.
pub fn answer(world: &mut World, call: &mut Call, operation: &str, input: &Value) -> Answer {
    let headers: usize = call.request.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if headers + call.request.body.len() > REQUEST_BYTES_MAX {
        return Err(ApiError::client("RequestEntityTooLargeException", "").with_status(413));
    }
    match operation {
        "PollForDecisionTask" => return tasks::poll_for_decision_task(world, call, input),
        "PollForActivityTask" => return tasks::poll_for_activity_task(world, call, input),
        _ => {}
    }
    let Some((name, members, perform)) = operations().find(|(name, ..)| *name == operation) else {
        return Err(unknown_operation());
    };
    if name == "RespondDecisionTaskCompleted" {
        tasks::check_order(input)?;
    }
    schema::check(input, members)?;
    admit(world, name)?;
    perform(world, &Input::of(input)).map(Reply::Done)
}

/// Every operation that is answered at once.
fn operations() -> impl Iterator<Item = (&'static str, &'static [schema::Member], Perform)> {
    let table: [(&'static str, &'static [schema::Member], Perform); 37] = [
        ("RegisterDomain", is::REGISTER_DOMAIN, registry::register_domain),
        ("DescribeDomain", is::ONLY_DOMAIN, registry::describe_domain),
        ("ListDomains", is::LIST_DOMAINS, registry::list_domains),
        ("DeprecateDomain", is::ONLY_DOMAIN, registry::deprecate_domain),
        ("UndeprecateDomain", is::ONLY_DOMAIN, registry::undeprecate_domain),
        ("RegisterWorkflowType", is::REGISTER_WORKFLOW_TYPE, registry::register_workflow_type),
        ("RegisterActivityType", is::REGISTER_ACTIVITY_TYPE, registry::register_activity_type),
        ("DescribeWorkflowType", is::WORKFLOW_TYPE, registry::describe_workflow_type),
        ("DescribeActivityType", is::ACTIVITY_TYPE, registry::describe_activity_type),
        ("ListWorkflowTypes", is::LIST_TYPES, registry::list_workflow_types),
        ("ListActivityTypes", is::LIST_TYPES, registry::list_activity_types),
        ("DeprecateWorkflowType", is::WORKFLOW_TYPE, registry::deprecate_workflow_type),
        ("DeprecateActivityType", is::ACTIVITY_TYPE, registry::deprecate_activity_type),
        ("UndeprecateWorkflowType", is::WORKFLOW_TYPE, registry::undeprecate_workflow_type),
        ("UndeprecateActivityType", is::ACTIVITY_TYPE, registry::undeprecate_activity_type),
        ("DeleteWorkflowType", is::WORKFLOW_TYPE, registry::delete_workflow_type),
        ("DeleteActivityType", is::ACTIVITY_TYPE, registry::delete_activity_type),
        ("TagResource", is::TAG_RESOURCE, registry::tag_resource),
        ("UntagResource", is::UNTAG_RESOURCE, registry::untag_resource),
        ("ListTagsForResource", is::LIST_TAGS, registry::list_tags),
        ("StartWorkflowExecution", is::START, executions::start),
        ("SignalWorkflowExecution", is::SIGNAL, executions::signal),
        ("RequestCancelWorkflowExecution", is::REQUEST_CANCEL, executions::request_cancel),
        ("TerminateWorkflowExecution", is::TERMINATE, executions::terminate),
        ("DescribeWorkflowExecution", is::DESCRIBE_EXECUTION, executions::describe),
        ("GetWorkflowExecutionHistory", is::HISTORY, executions::history),
        ("CountOpenWorkflowExecutions", is::COUNT_OPEN, listing::count_open),
        ("CountClosedWorkflowExecutions", is::COUNT_CLOSED, listing::count_closed),
        ("ListOpenWorkflowExecutions", is::LIST_OPEN, listing::list_open),
        ("ListClosedWorkflowExecutions", is::LIST_CLOSED, listing::list_closed),
        ("CountPendingDecisionTasks", is::COUNT_PENDING, listing::count_pending_decision_tasks),
        ("CountPendingActivityTasks", is::COUNT_PENDING, listing::count_pending_activity_tasks),
        ("RespondDecisionTaskCompleted", is::DECISION_COMPLETED, tasks::decision_completed),
        ("RecordActivityTaskHeartbeat", is::HEARTBEAT, tasks::heartbeat),
        ("RespondActivityTaskCompleted", is::ACTIVITY_COMPLETED, tasks::activity_completed),
        ("RespondActivityTaskFailed", is::ACTIVITY_FAILED, tasks::activity_failed),
        ("RespondActivityTaskCanceled", is::ACTIVITY_CANCELED, tasks::activity_canceled),
    ];
    table.into_iter()
}

/// Counts one request against its operation's published rate.
fn admit(world: &mut World, operation: &'static str) -> Result<(), ApiError> {
    let (swf, cx) = world.swf_cx();
    swf.admit(&cx, operation)
}

/// Pages have at most so many entries, and so many when the request does not say.
const PAGE_MAX: usize = 1000;

/// A request whose members have been checked.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    value: &'a Value,
}

impl<'a> Input<'a> {
    fn of(value: &'a Value) -> Self {
        Self { value }
    }

    fn get(self, name: &str) -> Option<&'a Value> {
        self.value.get(name).filter(|value| !value.is_null())
    }

    /// The text, or an empty one where a required member was checked to be there.
    fn text(self, name: &str) -> &'a str {
        self.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// An empty text counts as absent.
    fn optional_text(self, name: &str) -> Option<&'a str> {
        self.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    fn optional(self, name: &str) -> Option<Text> {
        self.optional_text(name).map(Text::from)
    }

    /// A free text, which may be empty and is then kept so.
    fn data(self, name: &str) -> Option<Text> {
        self.get(name)?.as_str().map(Text::from)
    }

    fn structure(self, name: &str) -> Option<Input<'a>> {
        self.get(name).map(Input::of)
    }

    fn time(self, name: &str) -> Option<Timestamp> {
        self.get(name)?.as_f64().map(Timestamp::from_secs_f64)
    }

    fn is_on(self, name: &str) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    fn page_size(self) -> usize {
        let asked = self.get("maximumPageSize").and_then(Value::as_u64).unwrap_or(0) as usize;
        if asked == 0 { PAGE_MAX } else { asked.min(PAGE_MAX) }
    }

    /// The members, or one of them, as a typed value. They have been checked, so nothing is left to fail.
    fn read<T: DeserializeOwned>(self) -> Result<T, ApiError> {
        serde_json::from_value(self.value.clone())
            .map_err(|error| crate::sim::wire::serialization_error(error.to_string()))
    }
}

/// A typed value as JSON.
fn json_of(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// A structure of the members that are there.
fn structure<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let there = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(there.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests;
