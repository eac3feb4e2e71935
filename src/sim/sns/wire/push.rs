//! Operations on platform applications and devices as AWS's members.

use crate::sim::error::ApiError;
use crate::sim::sns::wire::input::Input;
use crate::sim::sns::wire::{PAGE, list_of, nothing, read_token};
use crate::sim::wire::page_token;
use crate::sim::world::World;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub fn create_application(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let (name, platform) = (input.required("Name")?, input.required("Platform")?);
    let attributes = input.text_map("Attributes")?;
    let (sns, cx) = world.sns_cx();
    Ok(json!({ "PlatformApplicationArn": sns.create_application(&cx, name, platform, attributes)? }))
}

pub fn delete_application(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let arn = input.required("PlatformApplicationArn")?;
    let (sns, cx) = world.sns_cx();
    sns.delete_application(&cx, arn).map(|()| nothing())
}

pub fn get_application(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let arn = input.required("PlatformApplicationArn")?;
    let (sns, cx) = world.sns_cx();
    Ok(json!({ "Attributes": sns.application_attributes(&cx, arn)? }))
}

pub fn set_application(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let arn = input.required("PlatformApplicationArn")?;
    let changes = input.text_map("Attributes")?;
    let (sns, cx) = world.sns_cx();
    sns.set_application_attributes(&cx, arn, changes).map(|()| nothing())
}

pub fn list_applications(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let of = list_of(&world.place, "applications");
    let after = read_token(input, &of)?;
    let page = world.sns.applications_after(&world.place, after.as_deref(), PAGE + 1);
    let last = |arn: &str| arn.split_once(":app/").map(|(_, key)| key.to_owned());
    Ok(answer(page, &of, ("PlatformApplications", "PlatformApplicationArn"), last))
}

pub fn create_endpoint(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let arn = input.required("PlatformApplicationArn")?;
    let mut attributes = input.text_map("Attributes")?;
    if let Some(data) = input.text("CustomUserData")? {
        attributes.entry("CustomUserData".to_owned()).or_insert_with(|| data.to_owned());
    }
    attributes.insert("Token".to_owned(), input.required("Token")?.to_owned());
    let (sns, mut cx) = world.sns_cx();
    Ok(json!({ "EndpointArn": sns.create_endpoint(&mut cx, arn, attributes)? }))
}

pub fn delete_endpoint(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let arn = input.required("EndpointArn")?;
    let (sns, cx) = world.sns_cx();
    sns.delete_endpoint(&cx, arn).map(|()| nothing())
}

pub fn get_endpoint(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let arn = input.required("EndpointArn")?;
    let (sns, cx) = world.sns_cx();
    Ok(json!({ "Attributes": sns.endpoint_attributes(&cx, arn)? }))
}

pub fn set_endpoint(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let arn = input.required("EndpointArn")?;
    let changes = input.text_map("Attributes")?;
    let (sns, cx) = world.sns_cx();
    sns.set_endpoint_attributes(&cx, arn, changes).map(|()| nothing())
}

pub fn list_endpoints(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let arn = input.required("PlatformApplicationArn")?;
    let of = list_of(&world.place, &format!("endpoints {arn}"));
    let after = read_token(input, &of)?;
    let (sns, cx) = world.sns_cx();
    let page = sns.endpoints_after(&cx, arn, after.as_deref(), PAGE + 1)?;
    let last = |arn: &str| arn.rsplit_once('/').map(|(_, id)| id.to_owned());
    Ok(answer(page, &of, ("Endpoints", "EndpointArn"), last))
}

/// One page under its list's and its ARNs' names.
fn answer(
    mut page: Vec<(String, BTreeMap<String, String>)>,
    of: &str,
    (list, member): (&str, &str),
    key: impl Fn(&str) -> Option<String>,
) -> Value {
    let is_last = page.len() <= PAGE;
    page.truncate(PAGE);
    let last = page.last().and_then(|(arn, _)| key(arn)).filter(|_| !is_last);
    let items: Vec<Value> =
        page.into_iter().map(|(arn, attributes)| json!({ member: arn, "Attributes": attributes })).collect();
    let mut answer = Map::from_iter([(list.to_owned(), Value::from(items))]);
    if let Some(last) = last {
        answer.insert("NextToken".into(), page_token::seal(of, &last).into());
    }
    Value::Object(answer)
}
