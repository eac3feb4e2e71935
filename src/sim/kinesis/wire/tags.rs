//! Operations on tags and resource policies.

use super::consumers::consumer_of_arn;
use super::{Input, stream_of_arn};
use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::kinesis::{Resource, Tags};
use crate::sim::world::World;
use serde_json::{Value, json};

/// ListTagsForStream answers at most so many where Limit is absent.
const PAGE: i64 = 50;

pub(super) fn add_to_stream(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let stream = Resource::Stream(input.stream(cx.place)?.to_owned());
    kinesis.add_tags(&mut cx, &stream, &input.tags())?;
    Ok(Value::Null)
}

pub(super) fn remove_from_stream(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let stream = Resource::Stream(input.stream(cx.place)?.to_owned());
    kinesis.remove_tags(&mut cx, &stream, &input.texts("TagKeys"))?;
    Ok(Value::Null)
}

pub(super) fn list_for_stream(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let stream = Resource::Stream(input.stream(cx.place)?.to_owned());
    let mut tags = kinesis.tags(&mut cx, &stream)?.clone();
    if let Some(after) = input.optional_text("ExclusiveStartTagKey") {
        tags.retain(|key, _| key.as_str() > after);
    }
    let limit = input.integer("Limit").unwrap_or(PAGE) as usize;
    let has_more = tags.len() > limit;
    Ok(json!({ "Tags": tags_json(&tags, limit), "HasMoreTags": has_more }))
}

pub(super) fn tag_resource(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let resource = resource(cx.place, input)?;
    kinesis.add_tags(&mut cx, &resource, &input.tags())?;
    Ok(Value::Null)
}

pub(super) fn untag_resource(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let resource = resource(cx.place, input)?;
    kinesis.remove_tags(&mut cx, &resource, &input.texts("TagKeys"))?;
    Ok(Value::Null)
}

pub(super) fn list_for_resource(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let resource = resource(cx.place, input)?;
    let tags = kinesis.tags(&mut cx, &resource)?;
    Ok(json!({ "Tags": tags_json(tags, usize::MAX) }))
}

fn tags_json(tags: &Tags, limit: usize) -> Value {
    tags.iter().take(limit).map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}

pub(super) fn put_policy(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let resource = resource(cx.place, input)?;
    kinesis.put_policy(&mut cx, &resource, input.text("Policy"))?;
    Ok(Value::Null)
}

/// A resource without a policy has an empty one.
pub(super) fn get_policy(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let resource = resource(cx.place, input)?;
    let policy = kinesis.policy(&mut cx, &resource)?;
    Ok(json!({ "Policy": policy.unwrap_or_else(|| "{}".to_owned()) }))
}

pub(super) fn delete_policy(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let resource = resource(cx.place, input)?;
    kinesis.delete_policy(&mut cx, &resource)?;
    Ok(Value::Null)
}

/// The stream or consumer that ResourceARN names.
fn resource(place: &Place, input: &Input<'_>) -> Result<Resource, ApiError> {
    let arn = input.text("ResourceARN");
    if arn.contains("/consumer/") {
        return consumer_of_arn(place, arn).map(Resource::Consumer);
    }
    Ok(Resource::Stream(stream_of_arn(place, arn)?.to_owned()))
}
