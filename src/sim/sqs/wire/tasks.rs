//! Message move tasks as AWS's members: StartMessageMoveTask, ListMessageMoveTasks, CancelMessageMoveTask.

use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::sqs::error;
use crate::sim::sqs::move_task::{MoveTask, Status};
use crate::sim::sqs::wire::input::Input;
use crate::sim::world::World;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

pub fn start(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let source = source_of(world, input)?;
    let destination = match input.text("DestinationArn")? {
        Some(arn) => Some(queue_of_arn(&world.place, arn, "DestinationArn")?),
        None => None,
    };
    let rate = match input.integer("MaxNumberOfMessagesPerSecond")? {
        Some(rate) => Some(u32::try_from(rate).map_err(|_| error::move_rate_out_of_range())?),
        None => None,
    };
    let (sqs, mut cx) = world.sqs_cx();
    let task = sqs.start_message_move_task(&mut cx, &source, destination.as_deref(), rate)?;
    let handle = handle_of(&world.place, world.sqs.move_task(task).ok_or_else(error::task_does_not_exist)?);
    Ok(json!({ "TaskHandle": handle }))
}

pub fn list(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let source = source_of(world, input)?;
    let max = input.integer("MaxResults")?.unwrap_or(1);
    if !(1..=10).contains(&max) {
        let reason = "MaxResults must be an integer between 1 and 10.";
        return Err(error::invalid_value(max, "MaxResults", reason));
    }
    let (sqs, mut cx) = world.sqs_cx();
    let tasks = sqs.list_message_move_tasks(&mut cx, &source)?;
    let results: Vec<Value> = tasks.into_iter().take(max as usize).map(|task| write(&world.place, &task)).collect();
    Ok(json!({ "Results": results }))
}

pub fn cancel(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let handle = input.required_text("TaskHandle")?;
    let (id, source_arn) = read_handle(handle).ok_or_else(error::task_handle_is_invalid)?;
    let source = queue_of_arn(&world.place, &source_arn, "SourceArn")?;
    let (sqs, mut cx) = world.sqs_cx();
    let moved = sqs.cancel_message_move_task(&mut cx, &source, &id)?;
    Ok(json!({ "ApproximateNumberOfMessagesMoved": moved }))
}

fn write(place: &Place, task: &MoveTask) -> Value {
    let mut members = Map::new();
    let running = task.status == Status::Running;
    if running {
        members.insert("TaskHandle".into(), handle_of(place, task).into());
    }
    members.insert("Status".into(), task.status.text().into());
    members.insert("SourceArn".into(), place.arn("sqs", &task.source).into());
    if let Some(destination) = &task.destination {
        members.insert("DestinationArn".into(), place.arn("sqs", destination).into());
    }
    if let Some(rate) = task.rate_per_s {
        members.insert("MaxNumberOfMessagesPerSecond".into(), rate.into());
    }
    members.insert("ApproximateNumberOfMessagesMoved".into(), task.moved.into());
    members.insert("ApproximateNumberOfMessagesToMove".into(), task.to_move.into());
    if let Some(reason) = task.failure {
        members.insert("FailureReason".into(), reason.into());
    }
    members.insert("StartedTimestamp".into(), task.started_at.millis().into());
    Value::Object(members)
}

/// A handle is the base64 of a small JSON text, as AWS's is.
fn handle_of(place: &Place, task: &MoveTask) -> String {
    STANDARD.encode(json!({ "taskId": task.id, "sourceArn": place.arn("sqs", &task.source) }).to_string())
}

fn read_handle(handle: &str) -> Option<(String, String)> {
    let value: Value = serde_json::from_slice(&STANDARD.decode(handle).ok()?).ok()?;
    let member = |name: &str| value.get(name)?.as_str().map(str::to_owned);
    Some((member("taskId")?, member("sourceArn")?))
}

fn source_of(world: &World, input: Input<'_>) -> Result<String, ApiError> {
    let arn = input.text("SourceArn")?.ok_or_else(|| error::missing_parameter("SourceArn"))?;
    queue_of_arn(&world.place, arn, "SourceArn")
}

fn queue_of_arn(place: &Place, arn: &str, member: &str) -> Result<String, ApiError> {
    let parts: Vec<&str> = arn.split(':').collect();
    match parts.as_slice() {
        ["arn", _, "sqs", region, account, name] if !name.is_empty() => {
            let here = *region == place.region && *account == place.account;
            here.then(|| (*name).to_owned()).ok_or_else(|| error::move_resource_not_found(member))
        }
        _ => Err(error::invalid_parameter(format!(
            "You must use this format to specify the {member}: arn:<partition>:<service>:<region>:<account-id>:<resource-id>"
        ))),
    }
}
