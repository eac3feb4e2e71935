//! A whole policy at once: put, read back, taken away.

use super::input::{FunctionRef, Members, Violations};
use super::{Answer, Route};
use crate::sim::error::ApiError;
use crate::sim::lambda::function::{function_not_found, invalid_parameter};
use crate::sim::lambda::policy::{Policy, no_policy};
use crate::sim::lambda::version::Qualifier;
use crate::sim::world::World;
use serde_json::json;

const ARN_PATTERN: &str = "arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:(function:[a-zA-Z0-9-_]+(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_])+)?|runtime/[a-zA-Z0-9-_./]+)";
const POLICY_MAX: usize = 20_480;

/// The function, and what of it, that `ResourceArn` names. Errors: ValidationException, ResourceNotFoundException.
fn find(world: &World, route: &Route, mut violations: Violations) -> Result<(String, Qualifier), ApiError> {
    let arn = &route.target;
    violations.pattern(arn.starts_with("arn:") && arn.contains(":function:"), arn, "resourceArn", ARN_PATTERN);
    let (name, qualifier) = violations.check_with(FunctionRef::of(world, route))?.named(None)?;
    let found = world.lambda.named(&name).and_then(|function| function.qualified(&qualifier));
    if found.is_some() { Ok((name, qualifier)) } else { Err(function_not_found(arn)) }
}

pub fn put(world: &mut World, route: &Route, input: Members<'_>) -> Result<Answer, ApiError> {
    let mut violations = Violations::default();
    let text = input.text("Policy")?;
    match text {
        None => violations.missing("policy"),
        Some(text) => violations.length(Some(text), "policy", POLICY_MAX),
    }
    let (name, qualifier) = find(world, route, violations)?;
    let policy = Policy::parse(text.unwrap_or_default()).ok_or_else(|| {
        invalid_parameter("The provided policy document is invalid. Please check the policy and try again.")
    })?;
    let revision = input.text("RevisionId")?;
    let (lambda, mut cx) = world.lambda_cx();
    let function = lambda.named_mut(&name).ok_or_else(|| function_not_found(&route.target))?;
    function.put_policy(&mut cx, &qualifier, policy, revision)?;
    get(world, route)
}

pub fn get(world: &mut World, route: &Route) -> Result<Answer, ApiError> {
    let (name, qualifier) = find(world, route, Violations::default())?;
    let (lambda, cx) = world.lambda_cx();
    let function = lambda.named(&name).ok_or_else(|| function_not_found(&route.target))?;
    let policy = function.policy(&qualifier).ok_or_else(no_policy)?;
    let revision = function.policy_revision(&cx, &qualifier);
    Ok(Answer::json(200, &json!({ "Policy": policy.text(), "RevisionId": revision })))
}

pub fn delete(world: &mut World, route: &Route) -> Result<Answer, ApiError> {
    let (name, qualifier) = find(world, route, Violations::default())?;
    let revision = route.parameter("RevisionId").filter(|text| !text.is_empty());
    let (lambda, mut cx) = world.lambda_cx();
    let function = lambda.named_mut(&name).ok_or_else(|| function_not_found(&route.target))?;
    function.delete_policy(&mut cx, &qualifier, revision)?;
    Ok(Answer::empty(204))
}
