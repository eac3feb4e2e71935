//! Operations on queues as AWS's members: CreateQueue, ListQueues, GetQueueAttributes, tags and kin.

use crate::sim::error::ApiError;
use crate::sim::sqs::error;
use crate::sim::sqs::wire::address::{queue_of, url_for};
use crate::sim::sqs::wire::input::Input;
use crate::sim::sqs::wire::nothing;
use crate::sim::wire::{Call, page_token};
use crate::sim::world::World;
use serde_json::{Map, Value, json};

/// Every attribute that GetQueueAttributes knows.
const ATTRIBUTE_NAMES: [&str; 22] = [
    "All",
    "Policy",
    "VisibilityTimeout",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
    "ApproximateNumberOfMessagesDelayed",
    "DelaySeconds",
    "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy",
    "FifoQueue",
    "ContentBasedDeduplication",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "DeduplicationScope",
    "FifoThroughputLimit",
    "RedriveAllowPolicy",
    "SqsManagedSseEnabled",
];
/// Results of one page, at most.
const PAGE_MAX: i64 = 1000;

pub fn create(world: &mut World, call: &Call, input: Input<'_>) -> Result<Value, ApiError> {
    let name = queue_name(input)?;
    let attributes = input.text_map("Attributes")?;
    let tags = input.text_map("tags")?;
    let (sqs, mut cx) = world.sqs_cx();
    sqs.create_queue(&mut cx, name, &attributes, &tags)?;
    Ok(json!({ "QueueUrl": url_for(&world.place, &call.request, name) }))
}

pub fn queue_name(input: Input<'_>) -> Result<&str, ApiError> {
    match input.text("QueueName")? {
        Some("") => Err(error::queue_name_missing()),
        Some(name) => Ok(name),
        None => Err(error::missing_parameter("QueueName")),
    }
}

pub fn delete(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = queue_of(world, input)?;
    let (sqs, mut cx) = world.sqs_cx();
    sqs.delete_queue(&mut cx, &name)?;
    Ok(nothing())
}

pub fn purge(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = queue_of(world, input)?;
    let (sqs, mut cx) = world.sqs_cx();
    sqs.purge(&mut cx, &name)?;
    Ok(nothing())
}

pub fn url(world: &mut World, call: &Call, input: Input<'_>) -> Result<Value, ApiError> {
    let name = queue_name(input)?;
    let owner = input.text("QueueOwnerAWSAccountId")?;
    if owner.is_some_and(|owner| owner != world.place.account) || world.sqs.queue(name).is_none() {
        return Err(error::queue_does_not_exist());
    }
    Ok(json!({ "QueueUrl": url_for(&world.place, &call.request, name) }))
}

pub fn list(world: &mut World, call: &Call, input: Input<'_>) -> Result<Value, ApiError> {
    let prefix = input.text("QueueNamePrefix")?.unwrap_or("");
    let names: Vec<String> = world.sqs.names().filter(|name| name.starts_with(prefix)).map(str::to_owned).collect();
    page(world, call, input, names, ("QueueUrls", prefix))
}

pub fn list_dead_letter_sources(world: &mut World, call: &Call, input: Input<'_>) -> Result<Value, ApiError> {
    let name = queue_of(world, input)?;
    let (sqs, mut cx) = world.sqs_cx();
    let names = sqs.list_dead_letter_source_queues(&mut cx, &name)?;
    let mut answer = page(world, call, input, names, ("queueUrls", &name))?;
    // This member is required where that of ListQueues is left out when empty.
    if let Value::Object(members) = &mut answer {
        members.entry("queueUrls").or_insert_with(|| json!([]));
    }
    Ok(answer)
}

/// URLs of the names, a page of them where `MaxResults` asks for pages. The token is the last name given, of the list
/// under this member and with this prefix or dead-letter queue.
fn page(
    world: &World,
    call: &Call,
    input: Input<'_>,
    names: Vec<String>,
    (member, only): (&str, &str),
) -> Result<Value, ApiError> {
    let of = format!("sqs {} {} {member} {only}", world.place.account, world.place.region);
    let asked = input.integer("MaxResults")?;
    if asked.is_some_and(|asked| !(1..=PAGE_MAX).contains(&asked)) {
        let reason = "MaxResults must be an integer between 1 and 1000.";
        return Err(error::invalid_value(asked.unwrap_or_default(), "MaxResults", reason));
    }
    let after = match input.text("NextToken")? {
        Some(token) => {
            Some(page_token::open(&of, token).ok_or_else(|| error::invalid_parameter("Invalid or expired token."))?)
        }
        None => None,
    };
    let size = asked.unwrap_or(PAGE_MAX) as usize;
    let rest: Vec<String> = names.into_iter().filter(|name| after.as_ref().is_none_or(|after| name > after)).collect();
    let shown = &rest[..rest.len().min(size)];
    let mut answer = Map::new();
    if !shown.is_empty() {
        let urls: Vec<String> = shown.iter().map(|name| url_for(&world.place, &call.request, name)).collect();
        answer.insert(member.to_owned(), urls.into());
    }
    if let (Some(last), true, true) = (shown.last(), asked.is_some(), rest.len() > size) {
        answer.insert("NextToken".to_owned(), page_token::seal(&of, last).into());
    }
    Ok(Value::Object(answer))
}

pub fn get_attributes(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = queue_of(world, input)?;
    let asked = input.texts("AttributeNames")?;
    let (sqs, mut cx) = world.sqs_cx();
    let texts = sqs.attributes(&mut cx, &name)?;
    if let Some(unknown) = asked.iter().find(|name| !ATTRIBUTE_NAMES.contains(name)) {
        return Err(error::invalid_attribute_name(unknown));
    }
    let all = asked.contains(&"All");
    let shown: Map<String, Value> = texts
        .into_iter()
        .filter(|(name, _)| all || asked.contains(name))
        .map(|(name, text)| (name.to_owned(), text.into()))
        .collect();
    Ok(if shown.is_empty() { nothing() } else { json!({ "Attributes": shown }) })
}

pub fn set_attributes(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = queue_of(world, input)?;
    if input.map("Attributes")?.is_none() {
        return Err(error::missing_parameter("Attributes"));
    }
    let changes = input.text_map("Attributes")?;
    let (sqs, mut cx) = world.sqs_cx();
    sqs.set_attributes(&mut cx, &name, &changes)?;
    Ok(nothing())
}

pub fn add_permission(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = queue_of(world, input)?;
    let label = input.required_text("Label")?;
    let (accounts, actions) = (input.texts("AWSAccountIds")?, input.texts("Actions")?);
    let (sqs, mut cx) = world.sqs_cx();
    sqs.add_permission(&mut cx, &name, label, &accounts, &actions)?;
    Ok(nothing())
}

pub fn remove_permission(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = queue_of(world, input)?;
    let label = input.required_text("Label")?;
    let (sqs, mut cx) = world.sqs_cx();
    sqs.remove_permission(&mut cx, &name, label)?;
    Ok(nothing())
}

pub fn tag(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = queue_of(world, input)?;
    if input.map("Tags")?.is_none_or(serde_json::Map::is_empty) {
        return Err(error::missing_parameter("Tags"));
    }
    let tags = input.text_map("Tags")?;
    let (sqs, mut cx) = world.sqs_cx();
    sqs.tag(&mut cx, &name, tags)?;
    Ok(nothing())
}

pub fn untag(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = queue_of(world, input)?;
    let keys = input.texts("TagKeys")?;
    if keys.is_empty() || keys.iter().any(|key| !(1..=128).contains(&key.chars().count())) {
        return Err(error::tag_key_length());
    }
    let (sqs, mut cx) = world.sqs_cx();
    sqs.untag(&mut cx, &name, &keys)?;
    Ok(nothing())
}

pub fn list_tags(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = queue_of(world, input)?;
    let (sqs, mut cx) = world.sqs_cx();
    let tags = sqs.tags(&mut cx, &name)?;
    Ok(if tags.is_empty() { nothing() } else { json!({ "Tags": tags }) })
}
