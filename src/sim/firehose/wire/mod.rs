//! Firehose on the wire: each operation's JSON members in, typed calls, AWS's members out.

mod describe;
mod destination;
mod members;
mod records;
mod streams;

use crate::sim::error::ApiError;
use crate::sim::wire::input::{Input, Violations};
use crate::sim::wire::{Answer, Call, Reply, unknown_operation};
use crate::sim::world::World;
use serde_json::Value;

/// Every stream has one destination.
pub(super) const DESTINATION_ID: &str = "destinationId-000000000001";

/// What carries out one operation.
type Perform = fn(&mut World, Input<'_>) -> Result<Value, ApiError>;

/// Answers one operation of Firehose; unknown to the service are those that the engine does not have.
pub fn answer(world: &mut World, _call: &mut Call, operation: &str, input: &Value) -> Answer {
    let perform: Perform = match operation {
        "CreateDeliveryStream" => streams::create,
        "DeleteDeliveryStream" => streams::delete,
        "DescribeDeliveryStream" => streams::describe,
        "ListDeliveryStreams" => streams::list,
        "UpdateDestination" => streams::update_destination,
        "StartDeliveryStreamEncryption" => streams::start_encryption,
        "StopDeliveryStreamEncryption" => streams::stop_encryption,
        "TagDeliveryStream" => streams::tag,
        "UntagDeliveryStream" => streams::untag,
        "ListTagsForDeliveryStream" => streams::list_tags,
        "PutRecord" => records::put,
        "PutRecordBatch" => records::put_batch,
        _ => return Err(unknown_operation()),
    };
    Input::of(input).and_then(|input| perform(world, input)).map(Reply::Done)
}

/// DeliveryStreamName, and other members that must be there. Errors: `ValidationException`.
fn name<'a>(input: Input<'a>, others: &[&str]) -> Result<&'a str, ApiError> {
    const MEMBER: &str = "DeliveryStreamName";
    let mut violations = Violations::default();
    violations.required(input, MEMBER);
    let name = input.text(MEMBER)?.unwrap_or_default();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if input.has(MEMBER) {
        let shown = format!("'{name}'");
        if !name.bytes().all(fits) || name.is_empty() {
            violations.add(&shown, MEMBER, "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+");
        }
        if name.is_empty() {
            violations.add(&shown, MEMBER, "Member must have length greater than or equal to 1");
        }
        if name.len() > 64 {
            violations.add(&shown, MEMBER, "Member must have length less than or equal to 64");
        }
    }
    for other in others {
        violations.required(input, other);
    }
    violations.finish()?;
    Ok(name)
}

#[cfg(test)]
mod tests;
