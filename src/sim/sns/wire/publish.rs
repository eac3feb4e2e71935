//! Publish and PublishBatch as AWS's members.

use crate::sim::error::ApiError;
use crate::sim::fanout;
use crate::sim::lambda::Lineage;
use crate::sim::payload::Payload;
use crate::sim::sns::arn::{Arn, topic_name};
use crate::sim::sns::wire::attributes;
use crate::sim::sns::wire::input::{Input, missing_at};
use crate::sim::sns::wire::topics::topic_of;
use crate::sim::sns::{BATCH_MAX, Publication, Published, error, is_phone_number};
use crate::sim::wire::{Call, Request};
use crate::sim::world::World;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

pub fn one(world: &mut World, call: &Call, input: Input<'_>) -> Result<Value, ApiError> {
    let publication = read(&call.request, input, None)?;
    if let Some(number) = input.text("PhoneNumber")? {
        return text_message(world, number);
    }
    let target = input.text("TopicArn")?.or(input.text("TargetArn")?);
    let Some(target) = target else {
        return Err(error::invalid_parameter("TopicArn or TargetArn Reason: no value for required parameter"));
    };
    if Arn::parse(target).is_some_and(|arn| arn.resource.starts_with("endpoint/")) {
        let (sns, mut cx) = world.sns_cx();
        return Ok(json!({ "MessageId": sns.push(&mut cx, target)? }));
    }
    let topic = topic_name(&world.place, target)?;
    let (sns, mut cx) = world.sns_cx();
    let (published, deliveries) = sns.publish(&mut cx, topic, publication)?;
    fanout::deliver(world, deliveries);
    Ok(members(&published))
}

/// A text message to one phone: taken, and nobody's topic.
fn text_message(world: &mut World, number: &str) -> Result<Value, ApiError> {
    if !number.starts_with('+') || !is_phone_number(number) {
        return Err(error::invalid_parameter(format!("PhoneNumber Reason: {number} is not valid to publish to")));
    }
    let (_, mut cx) = world.sns_cx();
    Ok(json!({ "MessageId": cx.uuid() }))
}

pub fn batch(world: &mut World, call: &Call, input: Input<'_>) -> Result<Value, ApiError> {
    let entries = input.list("PublishBatchRequestEntries")?;
    if entries.len() > BATCH_MAX {
        let message = "The batch request contains more entries than permissible.";
        return Err(ApiError::client("TooManyEntriesInBatchRequest", message));
    }
    let topic = topic_of(world, input)?;
    if world.sns.topic(&topic).is_none() {
        return Err(error::topic_does_not_exist());
    }
    if entries.is_empty() {
        let message = "The batch request doesn't contain any entries.";
        return Err(ApiError::client("EmptyBatchRequest", message));
    }
    let mut ids = Vec::with_capacity(entries.len());
    for (number, entry) in (1..).zip(entries) {
        let id = Input::of(entry)?.text("Id")?;
        ids.push(id.ok_or_else(|| missing_at(&format!("publishBatchRequestEntries.{number}.member.id")))?);
    }
    check_ids(&ids)?;
    let mut publications = Vec::with_capacity(entries.len());
    for (number, entry) in (1..).zip(entries) {
        publications.push(read(&call.request, Input::of(entry)?, Some(number))?);
    }
    let (sns, mut cx) = world.sns_cx();
    let (outcomes, deliveries) = sns.publish_batch(&mut cx, &topic, publications)?;
    fanout::deliver(world, deliveries);
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (id, outcome) in ids.into_iter().zip(outcomes) {
        match outcome {
            Ok(published) => {
                let mut members = members(&published);
                members["Id"] = id.into();
                successful.push(members);
            }
            Err(error) => failed.push(json!({
                "Id": id,
                "Code": error.code,
                "Message": error.message,
                "SenderFault": error.is_sender_fault(),
            })),
        }
    }
    Ok(json!({ "Failed": failed, "Successful": successful }))
}

fn check_ids(ids: &[&str]) -> Result<(), ApiError> {
    let distinct: BTreeSet<&str> = ids.iter().copied().collect();
    if distinct.len() < ids.len() {
        let message = "Two or more batch entries in the request have the same Id.";
        return Err(ApiError::client("BatchEntryIdsNotDistinct", message));
    }
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    for id in ids {
        let complaint = if id.chars().count() > 80 {
            "is too long"
        } else if id.is_empty() || !id.chars().all(legal) {
            "contains an impermissible character"
        } else {
            continue;
        };
        let message = format!("The Id of a batch entry in the batch request {complaint}: {id}");
        return Err(ApiError::client("InvalidBatchEntryId", message));
    }
    Ok(())
}

/// Reads what Publish and an entry of PublishBatch (its number) have in common.
fn read(request: &Request, input: Input<'_>, entry: Option<usize>) -> Result<Publication, ApiError> {
    let prefix = entry.map_or_else(String::new, |number| format!("publishBatchRequestEntries.{number}.member."));
    let message = input.text("Message")?.ok_or_else(|| missing_at(&format!("{prefix}message")))?;
    let by_protocol = match input.text("MessageStructure")?.filter(|structure| !structure.is_empty()) {
        None => false,
        Some("json") => true,
        Some(_) => return Err(error::invalid_parameter("MessageStructure")),
    };
    let attributes = input.map("MessageAttributes")?.map(|members| attributes::read(members, &prefix)).transpose()?;
    let own = |name| input.text(name).map(|text| text.map(str::to_owned));
    Ok(Publication {
        message: Payload::Sent(Bytes::copy_from_slice(message.as_bytes())),
        subject: own("Subject")?,
        by_protocol,
        attributes: attributes.unwrap_or_default(),
        group: own("MessageGroupId")?,
        dedup: own("MessageDeduplicationId")?,
        trace_header: request.header("x-amzn-trace-id").map(str::to_owned),
        lineage: Lineage::default(),
    })
}

fn members(published: &Published) -> Value {
    let mut members = Map::from_iter([("MessageId".to_owned(), Value::from(published.message_id.as_str()))]);
    if let Some(sequence) = published.sequence {
        members.insert("SequenceNumber".into(), sequence.to_string().into());
    }
    Value::Object(members)
}
