//! Batches of up to ten: SendMessageBatch, DeleteMessageBatch, ChangeMessageVisibilityBatch. Each entry succeeds or
//! fails for itself; the batch as a whole must be well formed.

use crate::sim::error::ApiError;
use crate::sim::sqs::attributes::MESSAGE_BYTES_MAX;
use crate::sim::sqs::error;
use crate::sim::sqs::queue::Action;
use crate::sim::sqs::wire::address::queue_of;
use crate::sim::sqs::wire::input::Input;
use crate::sim::sqs::wire::messages;
use crate::sim::wire::Call;
use crate::sim::world::World;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

const ENTRIES_MAX: usize = 10;

pub fn send(world: &mut World, call: &Call, input: Input<'_>) -> Result<Value, ApiError> {
    let (queue, entries) = read(world, input, "SendMessageBatchRequestEntry")?;
    messages::admit(world, &queue, Action::Send)?;
    let mut bytes = 0;
    for (index, (_, entry)) in entries.iter().enumerate() {
        bytes += bytes_of(*entry)?;
        check_fifo(world, &queue, *entry, index)?;
    }
    if bytes > MESSAGE_BYTES_MAX as usize {
        return Err(error::batch_request_too_long(bytes));
    }
    each(entries, |index, entry| {
        body_given(entry, index)?;
        let outgoing = messages::read_outgoing(entry)?;
        let bytes_max = world.sqs.queue(&queue).map_or(MESSAGE_BYTES_MAX, |queue| queue.attributes.message_bytes_max);
        if bytes_of(entry)? > bytes_max as usize {
            return Err(error::entry_too_long(bytes_max));
        }
        messages::send_one(world, call, &queue, outgoing)
    })
}

pub fn delete(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let (queue, entries) = read(world, input, "DeleteMessageBatchRequestEntry")?;
    messages::admit(world, &queue, Action::Delete)?;
    each(entries, |_, entry| messages::delete_one(world, &queue, entry).map(|()| json!({})))
}

pub fn change_visibility(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let (queue, entries) = read(world, input, "ChangeMessageVisibilityBatchRequestEntry")?;
    messages::admit(world, &queue, Action::ChangeVisibility)?;
    each(entries, |_, entry| messages::change_visibility_one(world, &queue, entry).map(|()| json!({})))
}

type Entries<'a> = Vec<(&'a str, Input<'a>)>;

/// The queue and the entries with their ids. Errors: EmptyBatchRequest, TooManyEntriesInBatchRequest,
/// InvalidBatchEntryId, BatchEntryIdsNotDistinct.
fn read<'a>(world: &World, input: Input<'a>, shape: &str) -> Result<(String, Entries<'a>), ApiError> {
    let queue = queue_of(world, input)?;
    if world.sqs.queue(&queue).is_none() {
        return Err(error::queue_does_not_exist());
    }
    let list = input.list("Entries")?.ok_or_else(|| error::missing_parameter("Entries"))?;
    if list.is_empty() {
        return Err(error::empty_batch(shape));
    }
    if list.len() > ENTRIES_MAX {
        return Err(error::too_many_entries(list.len()));
    }
    let mut entries: Entries<'a> = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        let entry = Input::of(value)?;
        let missing = || error::missing_parameter(&format!("{shape}.{}.Id", index + 1));
        let id = entry.text("Id")?.ok_or_else(missing)?;
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if id.is_empty() || id.len() > 80 || !id.chars().all(legal) {
            return Err(error::invalid_batch_entry_id());
        }
        entries.push((id, entry));
    }
    for (i, (id, _)) in entries.iter().enumerate() {
        if entries.iter().take(i).any(|(earlier, _)| earlier == id) {
            return Err(error::batch_entry_ids_not_distinct(id));
        }
    }
    Ok((queue, entries))
}

/// Does one after the other; `Successful` and `Failed` are left out when empty.
fn each(
    entries: Entries<'_>,
    mut one: impl FnMut(usize, Input<'_>) -> Result<Value, ApiError>,
) -> Result<Value, ApiError> {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (index, (id, entry)) in entries.into_iter().enumerate() {
        match one(index, entry) {
            Ok(Value::Object(mut members)) => {
                members.insert("Id".into(), id.into());
                successful.push(Value::Object(members));
            }
            Ok(_) => successful.push(json!({ "Id": id })),
            // A member of the wrong type spoils the request, not the entry.
            Err(error) if error.code == "SerializationException" => return Err(error),
            Err(error) => failed.push(json!({
                "Id": id,
                "SenderFault": error.is_sender_fault(),
                "Code": error.query_code.unwrap_or(error.code),
                "Message": error.message,
            })),
        }
    }
    let mut answer = Map::new();
    for (name, list) in [("Successful", successful), ("Failed", failed)] {
        if !list.is_empty() {
            answer.insert(name.into(), list.into());
        }
    }
    Ok(Value::Object(answer))
}

/// What a FIFO queue needs of every entry; without it the whole batch is refused, as AWS does.
fn check_fifo(world: &World, queue: &str, entry: Input<'_>, index: usize) -> Result<(), ApiError> {
    let fifo = world.sqs.queue(queue).and_then(|queue| queue.attributes.fifo.as_ref());
    let Some(fifo) = fifo else { return Ok(()) };
    body_given(entry, index)?;
    if entry.text("MessageGroupId")?.is_none() {
        return Err(error::invalid_parameter("The request must contain the parameter MessageGroupId."));
    }
    if entry.text("MessageDeduplicationId")?.is_none() && !fifo.content_based_deduplication {
        return Err(error::deduplication_id_missing());
    }
    Ok(())
}

fn body_given(entry: Input<'_>, index: usize) -> Result<(), ApiError> {
    let body = entry.text("MessageBody")?.filter(|body| !body.is_empty());
    let member = || format!("SendMessageBatchRequestEntry.{}.MessageBody", index + 1);
    body.map(|_| ()).ok_or_else(|| error::missing_parameter(&member()))
}

/// Bytes of an entry's body and attributes.
fn bytes_of(entry: Input<'_>) -> Result<usize, ApiError> {
    let mut bytes = entry.text("MessageBody")?.map_or(0, str::len);
    for (name, value) in entry.map("MessageAttributes")?.into_iter().flatten() {
        let value = Input::of(value)?;
        let binary = value.text("BinaryValue")?.and_then(|text| STANDARD.decode(text).ok()).map_or(0, |b| b.len());
        let text = |member: &str| value.text(member).map(|text| text.map_or(0, str::len));
        bytes += name.len() + text("DataType")? + text("StringValue")? + binary;
    }
    Ok(bytes)
}
