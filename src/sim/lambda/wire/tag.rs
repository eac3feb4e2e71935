//! Tags of functions and of event source mappings.

use super::function::TAGS_MAX;
use super::input::{FunctionRef, Members, Violations};
use super::{Answer, Route};
use crate::sim::error::ApiError;
use crate::sim::lambda::function::{function_not_found, invalid_parameter};
use crate::sim::lambda::mapping::mapping_not_found;
use crate::sim::lambda::version::Qualifier;
use crate::sim::world::World;
use serde_json::json;
use std::collections::BTreeMap;

const ARN_PATTERN: &str = "arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:(function:[a-zA-Z0-9-_]+(:(\\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|capacity-provider:[a-zA-Z0-9-_]+)";

/// The tags of the function or mapping that an ARN names.
fn tags<'w>(world: &'w mut World, arn: &str) -> Result<&'w mut BTreeMap<String, String>, ApiError> {
    let mut violations = Violations::default();
    violations.pattern(arn.starts_with("arn:aws") && arn.contains(":lambda:"), arn, "resource", ARN_PATTERN);
    violations.check()?;
    if let Some(uuid) = arn.strip_prefix(world.place.arn("lambda", "event-source-mapping:").as_str()) {
        let mapping = world.lambda.mapping_of_uuid(uuid).ok_or_else(mapping_not_found)?;
        return world.lambda.mapping_mut(mapping).map(|found| &mut found.tags).ok_or_else(mapping_not_found);
    }
    if arn.starts_with(world.place.arn("lambda", "code-signing-config:").as_str()) {
        return world.lambda.signing_config_mut(arn).map(|found| &mut found.tags);
    }
    let (name, qualifier) = FunctionRef::parse(world, arn)?.named(None)?;
    if qualifier != Qualifier::Unqualified {
        return Err(invalid_parameter(
            "Tags on function aliases and versions are not supported. Please specify a function ARN.",
        ));
    }
    world.lambda.named_mut(&name).map(|function| &mut function.tags).ok_or_else(|| function_not_found(arn))
}

/// A function's revision changes with its tags.
fn revise(world: &mut World, arn: &str) {
    let Ok((name, _)) = FunctionRef::parse(world, arn).and_then(|reference| reference.named(None)) else { return };
    let (lambda, mut cx) = world.lambda_cx();
    if let Some(function) = lambda.named_mut(&name) {
        function.latest.revise(&mut cx);
    }
}

pub fn tag(world: &mut World, route: &Route, input: Members<'_>) -> Result<Answer, ApiError> {
    let added = input.text_map("Tags")?;
    let mut violations = Violations::default();
    if added.is_none() {
        violations.missing("tags");
    }
    violations.check()?;
    let added = added.unwrap_or_default();
    if added.is_empty() {
        return Err(invalid_parameter("An error occurred and the request cannot be processed."));
    }
    let tags = tags(world, &route.target)?;
    let fresh = added.keys().filter(|key| !tags.contains_key(*key)).count();
    if tags.len() + fresh > TAGS_MAX {
        return Err(invalid_parameter("Number of tags exceeds resource tag limit."));
    }
    tags.extend(added);
    revise(world, &route.target);
    Ok(Answer::empty(204))
}

pub fn untag(world: &mut World, route: &Route) -> Result<Answer, ApiError> {
    let mut violations = Violations::default();
    if route.parameters("tagKeys").next().is_none() {
        violations.add("null", "tagKeys", "not be null");
    }
    violations.check()?;
    let tags = tags(world, &route.target)?;
    let before = tags.len();
    for key in route.parameters("tagKeys") {
        tags.remove(key);
    }
    if tags.len() < before {
        revise(world, &route.target);
    }
    Ok(Answer::empty(204))
}

pub fn list(world: &mut World, route: &Route) -> Result<Answer, ApiError> {
    let tags = tags(world, &route.target)?;
    Ok(Answer::json(200, &json!({ "Tags": tags })))
}
