//! Visibility on the wire: executions listed and counted by filters, and tasks that wait.

use super::{Input, executions, structure, token};
use crate::sim::error::ApiError;
use crate::sim::swf::error::validation;
use crate::sim::swf::{Execution, ExecutionId, Filter, Narrowing, Order};
use crate::sim::world::World;
use serde_json::{Value, json};

/// Counting stops here, and the answer says so.
const COUNT_MAX: usize = 1_000_000;

const NARROWINGS: [&str; 4] = ["executionFilter", "typeFilter", "tagFilter", "closeStatusFilter"];

/// Errors: `ValidationException` when filters exclude each other, or none says which times are meant.
fn filter(input: &Input<'_>) -> Result<Filter, ApiError> {
    let (order, times) = match (input.structure("startTimeFilter"), input.structure("closeTimeFilter")) {
        (Some(_), Some(_)) => return Err(validation("Cannot specify both a startTimeFilter and a closeTimeFilter")),
        (None, None) => return Err(validation("Must specify time filter")),
        (Some(times), None) => (Order::Start, times),
        (None, Some(times)) => (Order::Close, times),
    };
    let given: Vec<&str> = NARROWINGS.into_iter().filter(|name| input.get(name).is_some()).collect();
    if given.len() > 1 {
        let message =
            format!("Cannot specify more than one exclusive filters in the same query: [{}]", given.join(", "));
        return Err(validation(message));
    }
    let oldest = times.time("oldestDate").unwrap_or_default();
    Ok(Filter { order, oldest, latest: times.time("latestDate"), narrowing: narrowing(input)? })
}

fn narrowing(input: &Input<'_>) -> Result<Narrowing, ApiError> {
    if let Some(filter) = input.structure("executionFilter") {
        return Ok(Narrowing::Workflow(filter.text("workflowId").into()));
    }
    if let Some(filter) = input.structure("typeFilter") {
        return Ok(Narrowing::Type { name: filter.text("name").into(), version: filter.optional("version") });
    }
    if let Some(filter) = input.structure("tagFilter") {
        return Ok(Narrowing::Tag(filter.text("tag").into()));
    }
    let status = input.structure("closeStatusFilter").and_then(|filter| filter.structure("status"));
    status.map_or(Ok(Narrowing::None), |status| status.read().map(Narrowing::Status))
}

fn counted(executions: impl Iterator) -> Value {
    let count = executions.take(COUNT_MAX + 1).count();
    json!({ "count": count.min(COUNT_MAX), "truncated": count > COUNT_MAX })
}

pub(super) fn count_open(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let filter = filter(input)?;
    Ok(counted(world.swf.domain(input.text("domain"))?.open_executions(&filter)))
}

pub(super) fn count_closed(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let filter = filter(input)?;
    Ok(counted(world.swf.domain(input.text("domain"))?.closed_executions(&filter)))
}

pub(super) fn list_open(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let filter = filter(input)?;
    let all = world.swf.domain(input.text("domain"))?.open_executions(&filter);
    page(world, input, "open", &filter, all)
}

pub(super) fn list_closed(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let filter = filter(input)?;
    let all = world.swf.domain(input.text("domain"))?.closed_executions(&filter);
    page(world, input, "closed", &filter, all)
}

/// The time by which a listing is in order.
fn time_of(order: Order, execution: &Execution) -> i64 {
    match order {
        Order::Start => execution.started_at.millis(),
        Order::Close => execution.closed.map_or(0, |closed| closed.at.millis()),
    }
}

/// The newest come first unless the request reverses the order. A page goes on after the last execution of the one
/// before, so executions that begin or end between two pages do not shift it.
fn page<'a>(
    world: &World,
    input: &Input<'_>,
    listing: &str,
    filter: &Filter,
    all: impl DoubleEndedIterator<Item = (ExecutionId, &'a Execution)>,
) -> Result<Value, ApiError> {
    let is_reversed = input.is_on("reverseOrder");
    let listing = format!("{listing}|{}|{filter:?}|{is_reversed}", input.text("domain"));
    let after = match input.optional_text("nextPageToken") {
        None => None,
        Some(text) => {
            let place = token::page(&listing, world.now, text)?;
            place.split_once('/').and_then(|(at, id)| Some((at.parse().ok()?, ExecutionId(id.parse().ok()?))))
        }
    };
    let key = |(id, execution): &(ExecutionId, &Execution)| (time_of(filter.order, execution), *id);
    let is_later = |one: &(ExecutionId, &Execution)| {
        after.is_none_or(|after| if is_reversed { key(one) > after } else { key(one) < after })
    };
    let ordered: Box<dyn Iterator<Item = (ExecutionId, &Execution)>> =
        if is_reversed { Box::new(all) } else { Box::new(all.rev()) };
    let mut page: Vec<_> = ordered.filter(is_later).take(input.page_size() + 1).collect();
    let has_more = page.len() > input.page_size();
    page.truncate(input.page_size());
    let next = page.last().filter(|_| has_more).map(|last| {
        let (at, id) = key(last);
        token::of_page(&listing, world.now, &format!("{at}/{}", id.0))
    });
    let infos: Vec<Value> = page.into_iter().map(|(_, execution)| executions::info(execution)).collect();
    Ok(structure([("executionInfos", Some(infos.into())), ("nextPageToken", next.map(Value::from))]))
}

/// The name in the request's task list.
fn list<'a>(input: &Input<'a>) -> &'a str {
    input.structure("taskList").map_or("", |list| list.text("name"))
}

pub(super) fn count_pending_decision_tasks(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let count = world.swf.count_pending_decision_tasks(input.text("domain"), list(input))?;
    Ok(json!({ "count": count, "truncated": false }))
}

pub(super) fn count_pending_activity_tasks(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let count = world.swf.count_pending_activity_tasks(input.text("domain"), list(input))?;
    Ok(json!({ "count": count, "truncated": false }))
}
