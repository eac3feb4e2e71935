//! PublishVersion and ListVersionsByFunction.

use super::configuration::{show, show_listed};
use super::function::{check_revision, check_settled};
use super::input::{FunctionRef, Members, Violations};
use super::{Answer, Route, page};
use crate::sim::error::ApiError;
use crate::sim::lambda::function::{RuntimeUpdates, function_not_found, invalid_parameter};
use crate::sim::lambda::version::Qualifier;
use crate::sim::world::World;
use serde_json::json;

/// Versions on one page, at most [ListVersionsByFunction].
const PAGE: i64 = 50;

pub fn publish(world: &mut World, route: &Route, input: Members<'_>) -> Result<Answer, ApiError> {
    let description = input.text("Description")?;
    let mut violations = Violations::default();
    violations.length(description, "description", 256);
    let name = violations.check_with(FunctionRef::of(world, route))?.whole(world)?;
    check_revision(world, &name, input)?;
    check_settled(world, &name)?;
    let wanted = input.text("CodeSha256")?.filter(|sha| !sha.is_empty());
    let current = world.lambda.named(&name).map(|function| function.latest.code.sha256.clone()).unwrap_or_default();
    if let Some(wanted) = wanted.filter(|wanted| *wanted != current) {
        return Err(invalid_parameter(format!(
            "CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST ({current}). Please try again with \
             the CodeSHA256 in $LATEST."
        )));
    }
    let (lambda, mut cx) = world.lambda_cx();
    let number = lambda.publish_version(&mut cx, &name, description).ok_or_else(|| function_not_found(&name))?;
    let function = world.lambda.named(&name).ok_or_else(|| function_not_found(&name))?;
    let version = function.version(number).ok_or_else(|| function_not_found(&function.arn))?;
    let shown = show(&world.place, world.now, function, version, &Qualifier::Version(number));
    Ok(Answer::json(201, &shown))
}

pub fn list(world: &World, route: &Route) -> Result<Answer, ApiError> {
    let name = FunctionRef::of(world, route)?.whole(world)?;
    let function = world.lambda.named(&name).ok_or_else(|| function_not_found(&name))?;
    let versions = std::iter::once(&function.latest).chain(function.versions.values());
    let keyed = versions.map(|version| (version.number.0.to_string(), version));
    let (found, next) = page(route, PAGE, keyed)?;
    let shown: Vec<_> = found
        .into_iter()
        .map(|v| show_listed(&world.place, world.now, function, v, &Qualifier::Version(v.number)))
        .collect();
    Ok(Answer::json(200, &json!({"Versions": shown, "NextMarker": next})))
}

/// The version that runtime updates are set on, with the text under which they are kept.
fn updated(world: &World, route: &Route) -> Result<(String, Qualifier), ApiError> {
    FunctionRef::of(world, route)?.resolve(world, route.parameter("Qualifier"))
}

pub fn get_runtime_updates(world: &World, route: &Route) -> Result<Answer, ApiError> {
    let (name, qualifier) = updated(world, route)?;
    let function = world.lambda.named(&name).ok_or_else(|| function_not_found(&name))?;
    let updates = function.runtime_updates.get(&qualifier.text_or_latest()).cloned().unwrap_or_default();
    Ok(Answer::json(
        200,
        &json!({
            "UpdateRuntimeOn": updates.on,
            "RuntimeVersionArn": updates.arn,
            "FunctionArn": qualifier.arn(&function.arn),
        }),
    ))
}

pub fn put_runtime_updates(world: &mut World, route: &Route, input: Members<'_>) -> Result<Answer, ApiError> {
    let (on, arn) = (input.text("UpdateRuntimeOn")?, input.text("RuntimeVersionArn")?);
    let mut violations = Violations::default();
    if on.is_none() {
        violations.missing("updateRuntimeOn");
    }
    violations.one_of(on, "updateRuntimeOn", &["Auto", "Manual", "FunctionUpdate"]);
    violations.check()?;
    let (name, qualifier) = updated(world, route)?;
    if (on == Some("Manual")) != arn.is_some() {
        return Err(invalid_parameter(
            "You must specify a Runtime Version ARN to update a function's runtime version manually, and only then.",
        ));
    }
    if let Some(function) = world.lambda.named_mut(&name) {
        let updates = RuntimeUpdates { on: on.unwrap_or_default().to_owned(), arn: arn.map(str::to_owned) };
        function.runtime_updates.insert(qualifier.text_or_latest(), updates);
    }
    get_runtime_updates(world, route)
}
