//! Operations on domains, types and tags.

use super::{Input, json_of, structure, token};
use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::swf::error;
use crate::sim::swf::{Domain, Family, Registered, Registration, RegistrationStatus, Text, TypeRef};
use crate::sim::world::World;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) fn register_domain(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let registration = Registration {
        name: input.text("name").into(),
        description: input.optional("description"),
        retention: input.text("workflowExecutionRetentionPeriodInDays").into(),
        tags: tags(*input),
    };
    let (swf, mut cx) = world.swf_cx();
    swf.register_domain(&mut cx, registration)?;
    Ok(Value::Null)
}

fn tags(input: Input<'_>) -> BTreeMap<String, String> {
    let tags = input.get("tags").and_then(Value::as_array).into_iter().flatten().map(Input::of);
    tags.map(|tag| (tag.text("key").to_owned(), tag.text("value").to_owned())).collect()
}

fn domain_info(place: &Place, domain: &Domain) -> Value {
    let registration = &domain.registration;
    structure([
        ("name", Some(json_of(&registration.name))),
        ("status", Some(json_of(&domain.status))),
        ("description", registration.description.as_ref().map(json_of)),
        ("arn", Some(place.arn("swf", &format!("/domain/{}", registration.name)).into())),
    ])
}

pub(super) fn describe_domain(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let domain = world.swf.domain(input.text("name"))?;
    Ok(json!({
        "domainInfo": domain_info(&world.place, domain),
        "configuration": { "workflowExecutionRetentionPeriodInDays": domain.registration.retention },
    }))
}

pub(super) fn list_domains(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let status = input.text("registrationStatus");
    let domains: Vec<_> = world.swf.domains().filter(|domain| json_of(&domain.status) == status).collect();
    let key = |domain: &&Domain| domain.registration.name.to_string();
    let (page, next) = page_of(world, *input, &format!("domains|{status}"), domains, key)?;
    let infos: Vec<Value> = page.into_iter().map(|domain| domain_info(&world.place, domain)).collect();
    Ok(structure([("domainInfos", Some(infos.into())), ("nextPageToken", next.map(Value::from))]))
}

/// One page of things that are sorted by their keys, from the place that the request's token names; and the next
/// page's token.
fn page_of<T>(
    world: &World,
    input: Input<'_>,
    listing: &str,
    mut all: Vec<T>,
    key: impl Fn(&T) -> String,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let is_reversed = input.is_on("reverseOrder");
    let listing = format!("{listing}|{is_reversed}");
    if is_reversed {
        all.reverse();
    }
    let after = input.optional_text("nextPageToken").map(|text| token::page(&listing, world.now, text)).transpose()?;
    let is_later =
        |one: &T| after.as_ref().is_none_or(|after| (key(one) > *after) != is_reversed && key(one) != *after);
    let mut page: Vec<T> = all.into_iter().filter(is_later).take(input.page_size() + 1).collect();
    let has_more = page.len() > input.page_size();
    page.truncate(input.page_size());
    let next = page.last().filter(|_| has_more).map(|last| token::of_page(&listing, world.now, &key(last)));
    Ok((page, next))
}

pub(super) fn deprecate_domain(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (swf, cx) = world.swf_cx();
    swf.deprecate_domain(&cx, input.text("name"))?;
    Ok(Value::Null)
}

pub(super) fn undeprecate_domain(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    world.swf.undeprecate_domain(input.text("name"))?;
    Ok(Value::Null)
}

pub(super) fn register_workflow_type(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let of: TypeRef = input.read()?;
    let defaults = input.read()?;
    let (swf, cx) = world.swf_cx();
    swf.register_workflow_type(&cx, input.text("domain"), of, input.optional("description"), defaults)?;
    Ok(Value::Null)
}

pub(super) fn register_activity_type(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let of: TypeRef = input.read()?;
    let defaults = input.read()?;
    let (swf, cx) = world.swf_cx();
    swf.register_activity_type(&cx, input.text("domain"), of, input.optional("description"), defaults)?;
    Ok(Value::Null)
}

const fn member_of(family: Family) -> &'static str {
    match family {
        Family::Workflow => "workflowType",
        Family::Activity => "activityType",
    }
}

fn type_of(input: &Input<'_>, family: Family) -> Result<TypeRef, ApiError> {
    input.structure(member_of(family)).map_or_else(|| Ok(TypeRef::new("", "")), Input::read)
}

fn type_info<D>(family: Family, of: &TypeRef, registered: &Registered<D>) -> Value {
    structure([
        (member_of(family), Some(json_of(of))),
        ("status", Some(json_of(&registered.status()))),
        ("description", registered.description.as_ref().map(json_of)),
        ("creationDate", Some(registered.created.secs_f64().into())),
        ("deprecationDate", registered.deprecated.map(|at| at.secs_f64().into())),
    ])
}

pub(super) fn describe_workflow_type(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let of = type_of(input, Family::Workflow)?;
    let types = &world.swf.domain(input.text("domain"))?.types;
    let registered = types.workflow(&of).ok_or_else(|| error::unknown_type(Family::Workflow, &of))?;
    let info = type_info(Family::Workflow, &of, registered);
    Ok(json!({ "typeInfo": info, "configuration": registered.defaults }))
}

pub(super) fn describe_activity_type(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let of = type_of(input, Family::Activity)?;
    let types = &world.swf.domain(input.text("domain"))?.types;
    let registered = types.activity(&of).ok_or_else(|| error::unknown_type(Family::Activity, &of))?;
    let info = type_info(Family::Activity, &of, registered);
    Ok(json!({ "typeInfo": info, "configuration": registered.defaults }))
}

pub(super) fn list_workflow_types(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let types = &world.swf.domain(input.text("domain"))?.types;
    let all = types
        .workflows()
        .map(|(of, registered)| (of, registered.status(), type_info(Family::Workflow, of, registered)));
    list_types(world, *input, "workflows", all)
}

pub(super) fn list_activity_types(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let types = &world.swf.domain(input.text("domain"))?.types;
    let all = types
        .activities()
        .map(|(of, registered)| (of, registered.status(), type_info(Family::Activity, of, registered)));
    list_types(world, *input, "activities", all)
}

fn list_types<'a>(
    world: &World,
    input: Input<'_>,
    kind: &str,
    all: impl Iterator<Item = (&'a TypeRef, RegistrationStatus, Value)>,
) -> Result<Value, ApiError> {
    let (status, name) = (input.text("registrationStatus"), input.optional_text("name"));
    let is_wanted =
        |of: &TypeRef, is: RegistrationStatus| json_of(&is) == status && name.is_none_or(|name| &*of.name == name);
    let wanted: Vec<_> = all.filter(|(of, is, _)| is_wanted(of, *is)).collect();
    let listing = format!("{kind}|{}|{status}|{}", input.text("domain"), name.unwrap_or_default());
    // A separator below every character that a name may have keeps the order of names and versions.
    let key = |(of, ..): &(&TypeRef, RegistrationStatus, Value)| format!("{}\u{0}{}", of.name, of.version);
    let (page, next) = page_of(world, input, &listing, wanted, key)?;
    let infos: Vec<Value> = page.into_iter().map(|(_, _, info)| info).collect();
    Ok(structure([("typeInfos", Some(infos.into())), ("nextPageToken", next.map(Value::from))]))
}

pub(super) fn deprecate_workflow_type(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    deprecate(world, input, Family::Workflow)
}

pub(super) fn deprecate_activity_type(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    deprecate(world, input, Family::Activity)
}

fn deprecate(world: &mut World, input: &Input<'_>, family: Family) -> Result<Value, ApiError> {
    let of = type_of(input, family)?;
    let (swf, cx) = world.swf_cx();
    swf.deprecate_type(&cx, input.text("domain"), family, &of)?;
    Ok(Value::Null)
}

pub(super) fn undeprecate_workflow_type(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let of = type_of(input, Family::Workflow)?;
    world.swf.undeprecate_type(input.text("domain"), Family::Workflow, &of)?;
    Ok(Value::Null)
}

pub(super) fn undeprecate_activity_type(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let of = type_of(input, Family::Activity)?;
    world.swf.undeprecate_type(input.text("domain"), Family::Activity, &of)?;
    Ok(Value::Null)
}

pub(super) fn delete_workflow_type(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let of = type_of(input, Family::Workflow)?;
    world.swf.delete_type(input.text("domain"), Family::Workflow, &of)?;
    Ok(Value::Null)
}

pub(super) fn delete_activity_type(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let of = type_of(input, Family::Activity)?;
    world.swf.delete_type(input.text("domain"), Family::Activity, &of)?;
    Ok(Value::Null)
}

/// The domain that the request's ARN names. Errors: `UnknownResourceFault`.
fn tagged(world: &World, input: &Input<'_>) -> Result<Text, ApiError> {
    let arn = input.text("resourceArn");
    let name = arn.strip_prefix(&world.place.arn("swf", "/domain/")).ok_or_else(|| error::unknown_resource(arn))?;
    world.swf.domain(name).map(|domain| domain.registration.name.clone())
}

pub(super) fn tag_resource(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let domain = tagged(world, input)?;
    world.swf.tag_domain(&domain, tags(*input))?;
    Ok(Value::Null)
}

pub(super) fn untag_resource(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let domain = tagged(world, input)?;
    let keys = input.get("tagKeys").and_then(Value::as_array).into_iter().flatten();
    let keys: Vec<&str> = keys.filter_map(Value::as_str).collect();
    world.swf.untag_domain(&domain, &keys)?;
    Ok(Value::Null)
}

pub(super) fn list_tags(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let domain = tagged(world, input)?;
    let tags = &world.swf.domain(&domain)?.registration.tags;
    let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
    Ok(json!({ "tags": tags }))
}
