//! SQS on the wire: each operation's JSON members in, typed calls, AWS's members out.

mod abroad;
mod address;
mod attributes;
mod batch;
mod input;
mod messages;
mod queues;
mod tasks;

use crate::sim::error::ApiError;
use crate::sim::wire::{Answer, Call, Reply};
use crate::sim::world::World;
use input::Input;
use serde_json::{Map, Value};

/// Answers one operation of SQS; UnknownOperationException for those that it does not have.
pub fn answer(world: &mut World, call: &mut Call, operation: &str, input: &Value) -> Answer {
    let input = Input::of(input)?;
    if abroad::leaves(world, call, operation, input) {
        return Ok(Reply::Later(world.now));
    }
    abroad::judge(world, call, operation, input)?;
    let output = match operation {
        "ReceiveMessage" => return messages::receive(world, call, input),
        "SendMessage" => messages::send(world, call, input)?,
        "DeleteMessage" => messages::delete(world, input)?,
        "ChangeMessageVisibility" => messages::change_visibility(world, input)?,
        "SendMessageBatch" => batch::send(world, call, input)?,
        "DeleteMessageBatch" => batch::delete(world, input)?,
        "ChangeMessageVisibilityBatch" => batch::change_visibility(world, input)?,
        "CreateQueue" => queues::create(world, call, input)?,
        "DeleteQueue" => queues::delete(world, input)?,
        "ListQueues" => queues::list(world, call, input)?,
        "GetQueueUrl" => queues::url(world, call, input)?,
        "GetQueueAttributes" => queues::get_attributes(world, input)?,
        "SetQueueAttributes" => queues::set_attributes(world, input)?,
        "PurgeQueue" => queues::purge(world, input)?,
        "ListDeadLetterSourceQueues" => queues::list_dead_letter_sources(world, call, input)?,
        "AddPermission" => queues::add_permission(world, input)?,
        "RemovePermission" => queues::remove_permission(world, input)?,
        "TagQueue" => queues::tag(world, input)?,
        "UntagQueue" => queues::untag(world, input)?,
        "ListQueueTags" => queues::list_tags(world, input)?,
        "StartMessageMoveTask" => tasks::start(world, input)?,
        "ListMessageMoveTasks" => tasks::list(world, input)?,
        "CancelMessageMoveTask" => tasks::cancel(world, input)?,
        _ => return Err(ApiError::client("UnknownOperationException", "")),
    };
    Ok(Reply::Done(output))
}

/// The answer of operations that have no members.
fn nothing() -> Value {
    Value::Object(Map::new())
}

#[cfg(test)]
mod tests;
