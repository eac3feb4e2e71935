//! The operations on provisioned concurrency.

use super::configuration::last_modified;
use super::input::{FunctionRef, Members, Violations};
use super::{Answer, Route, page};
use crate::sim::error::ApiError;
use crate::sim::lambda::FunctionId;
use crate::sim::lambda::alias::alias_not_found;
use crate::sim::lambda::function::{function_not_found, invalid_parameter};
use crate::sim::lambda::provisioned::{Provisioned, no_provisioned};
use crate::sim::lambda::version::{Qualifier, VersionNumber};
use crate::sim::world::World;
use serde_json::{Value, json};

const PAGE: i64 = 50;

fn show(provisioned: &Provisioned) -> Value {
    json!({
        "RequestedProvisionedConcurrentExecutions": provisioned.requested,
        "AvailableProvisionedConcurrentExecutions": provisioned.told().saturating_sub(provisioned.in_use),
        "AllocatedProvisionedConcurrentExecutions": provisioned.told(),
        "Status": if provisioned.is_ready() { "READY" } else { "IN_PROGRESS" },
        "LastModified": last_modified(provisioned.last_modified),
    })
}

/// The version or alias that a request names. `of_latest` is what AWS says where it is `$LATEST`.
fn find(world: &World, route: &Route, of_latest: &str) -> Result<(FunctionId, Qualifier), ApiError> {
    let mut violations = Violations::default();
    if route.parameter("Qualifier").is_none_or(str::is_empty) {
        violations.missing("qualifier");
    }
    let (name, qualifier) =
        violations.check_with(FunctionRef::of(world, route))?.named(route.parameter("Qualifier"))?;
    if matches!(qualifier, Qualifier::Unqualified | Qualifier::Version(VersionNumber::LATEST)) {
        return Err(invalid_parameter(of_latest));
    }
    let arn = world.place.arn("lambda", &format!("function:{name}"));
    match (world.lambda.named(&name), &qualifier) {
        (Some(function), _) if function.qualified(&qualifier).is_some() => Ok((function.id, qualifier)),
        (_, Qualifier::Alias(alias)) => Err(alias_not_found(&arn, alias)),
        _ => Err(function_not_found(&qualifier.arn(&arn))),
    }
}

const NOT_PUBLISHED: &str = "The function resource provided must be an alias or a published version.";

fn found(world: &World, id: FunctionId, qualifier: &Qualifier) -> Result<Value, ApiError> {
    let function = world.lambda.function(id).ok_or_else(no_provisioned)?;
    let provisioned = qualifier.text().and_then(|key| function.provisioned.get(&key)).ok_or_else(no_provisioned)?;
    Ok(show(provisioned))
}

pub fn put(world: &mut World, route: &Route, input: Members<'_>) -> Result<Answer, ApiError> {
    let requested = input.integer("ProvisionedConcurrentExecutions")?;
    let mut violations = Violations::default();
    if requested.is_none() {
        violations.missing("provisionedConcurrentExecutions");
    }
    violations.range(requested, "provisionedConcurrentExecutions", 1, i64::from(i32::MAX));
    violations.check()?;
    let of_latest = "Provisioned Concurrency Configs cannot be applied to unpublished function versions.";
    let (id, qualifier) = find(world, route, of_latest)?;
    let requested = requested.and_then(|value| u32::try_from(value).ok()).unwrap_or(u32::MAX);
    let (lambda, mut cx) = world.lambda_cx();
    lambda.put_provisioned(&mut cx, id, &qualifier, requested)?;
    Ok(Answer::json(202, &found(world, id, &qualifier)?))
}

pub fn get(world: &World, route: &Route) -> Result<Answer, ApiError> {
    let (id, qualifier) = find(world, route, NOT_PUBLISHED)?;
    Ok(Answer::json(200, &found(world, id, &qualifier)?))
}

pub fn delete(world: &mut World, route: &Route) -> Result<Answer, ApiError> {
    let (id, qualifier) = find(world, route, NOT_PUBLISHED)?;
    world.lambda.delete_provisioned(id, &qualifier);
    Ok(Answer::empty(204))
}

pub fn list(world: &World, route: &Route) -> Result<Answer, ApiError> {
    let name = FunctionRef::of(world, route)?.whole(world)?;
    let function = world.lambda.named(&name).ok_or_else(|| function_not_found(&name))?;
    let entries = function.provisioned.iter().map(|(qualifier, provisioned)| {
        let mut value = show(provisioned);
        value["FunctionArn"] = json!(format!("{}:{qualifier}", function.arn));
        (qualifier.clone(), value)
    });
    let (configs, next) = page(route, PAGE, entries)?;
    Ok(Answer::json(200, &json!({"ProvisionedConcurrencyConfigs": configs, "NextMarker": next})))
}
