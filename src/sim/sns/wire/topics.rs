//! Operations on topics as AWS's members.

use crate::sim::error::ApiError;
use crate::sim::sns::arn::{topic_name, topic_named};
use crate::sim::sns::error;
use crate::sim::sns::wire::input::{Input, missing};
use crate::sim::sns::wire::{PAGE, list_of, nothing, read_token};
use crate::sim::wire::page_token;
use crate::sim::world::World;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub fn create(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = input.required("Name")?;
    let attributes = input.text_map("Attributes")?;
    let tags = read_tags(input)?;
    let (sns, mut cx) = world.sns_cx();
    sns.create_topic(&mut cx, name, &attributes, &tags)?;
    if let Some(policy) = input.text("DataProtectionPolicy")? {
        sns.set_data_protection(&mut cx, name, policy)?;
    }
    Ok(json!({ "TopicArn": world.place.arn("sns", name) }))
}

pub fn delete(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    match topic_of(world, input) {
        Ok(name) => {
            let (sns, mut cx) = world.sns_cx();
            sns.delete_topic(&mut cx, &name)?;
        }
        Err(error) if error.code == "NotFound" => {}
        Err(error) => return Err(error),
    }
    Ok(nothing())
}

pub fn list(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let of = list_of(&world.place, "topics");
    let after = read_token(input, &of)?;
    let mut page = world.sns.topics_after(after.as_deref(), PAGE + 1);
    let is_last = page.len() <= PAGE;
    page.truncate(PAGE);
    let topics: Vec<Value> =
        page.iter().map(|topic| json!({ "TopicArn": world.place.arn("sns", &topic.name) })).collect();
    let mut answer = Map::from_iter([("Topics".to_owned(), Value::from(topics))]);
    if let (false, Some(last)) = (is_last, page.last()) {
        answer.insert("NextToken".into(), page_token::seal(&of, &last.name).into());
    }
    Ok(Value::Object(answer))
}

pub fn get_attributes(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = topic_of(world, input)?;
    let (sns, mut cx) = world.sns_cx();
    Ok(json!({ "Attributes": sns.attributes(&mut cx, &name)? }))
}

pub fn set_attributes(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = topic_of(world, input)?;
    let attribute = input.required("AttributeName")?;
    let value = input.text("AttributeValue")?.unwrap_or("");
    let (sns, mut cx) = world.sns_cx();
    sns.set_attribute(&mut cx, &name, attribute, value)?;
    Ok(nothing())
}

pub fn add_permission(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = topic_of(world, input)?;
    let label = input.required("Label")?;
    let (accounts, actions) = (input.texts("AWSAccountId")?, input.texts("ActionName")?);
    for (list, member) in [(&accounts, "AWSAccountId"), (&actions, "ActionName")] {
        if list.is_empty() {
            return Err(missing(member));
        }
    }
    let (sns, mut cx) = world.sns_cx();
    sns.add_permission(&mut cx, &name, label, &accounts, &actions)?;
    Ok(nothing())
}

pub fn remove_permission(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = topic_of(world, input)?;
    let label = input.required("Label")?;
    let (sns, mut cx) = world.sns_cx();
    sns.remove_permission(&mut cx, &name, label)?;
    Ok(nothing())
}

pub fn tag(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = resource_of(world, input)?;
    let tags = read_tags(input)?;
    let (sns, mut cx) = world.sns_cx();
    sns.tag(&mut cx, &name, tags)?;
    Ok(nothing())
}

pub fn untag(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = resource_of(world, input)?;
    let keys = input.texts("TagKeys")?;
    let (sns, mut cx) = world.sns_cx();
    sns.untag(&mut cx, &name, &keys)?;
    Ok(nothing())
}

pub fn list_tags(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = resource_of(world, input)?;
    let (sns, mut cx) = world.sns_cx();
    let tags = sns.tags(&mut cx, &name)?;
    let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    Ok(json!({ "Tags": tags }))
}

pub fn get_data_protection(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = topic_at(world, input, "ResourceArn")?;
    let topic = world.sns.topic(&name).ok_or_else(error::topic_does_not_exist)?;
    let policy = topic.data_protection.as_ref();
    Ok(policy.map_or_else(nothing, |policy| json!({ "DataProtectionPolicy": policy })))
}

pub fn put_data_protection(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = topic_at(world, input, "ResourceArn")?;
    let policy = input.required("DataProtectionPolicy")?;
    let (sns, mut cx) = world.sns_cx();
    sns.set_data_protection(&mut cx, &name, policy).map(|()| nothing())
}

/// The topic that `TopicArn` names.
pub fn topic_of(world: &World, input: Input<'_>) -> Result<String, ApiError> {
    topic_at(world, input, "TopicArn")
}

fn topic_at(world: &World, input: Input<'_>, member: &str) -> Result<String, ApiError> {
    topic_named(&world.place, member, input.required(member)?).map(str::to_owned)
}

/// The topic that `ResourceArn` names; to tags, whatever is no topic of this account and region is one that is not there.
fn resource_of(world: &World, input: Input<'_>) -> Result<String, ApiError> {
    let named = topic_name(&world.place, input.required("ResourceArn")?);
    named.map(str::to_owned).map_err(|_| error::resource_does_not_exist())
}

/// Tags: keys of 1 to 128 characters, values of up to 256, no key twice.
fn read_tags(input: Input<'_>) -> Result<BTreeMap<String, String>, ApiError> {
    let mut tags = BTreeMap::new();
    for tag in input.list("Tags")? {
        let tag = Input::of(tag)?;
        let (key, value) = (tag.required("Key")?, tag.required("Value")?);
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 || key.starts_with("aws:") {
            return Err(error::invalid_parameter("Tags Reason: Invalid tag key or value"));
        }
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(error::invalid_parameter("Duplicated keys are not allowed."));
        }
    }
    Ok(tags)
}
