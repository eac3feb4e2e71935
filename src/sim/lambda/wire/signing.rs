//! The operations on code signing configurations, and on which functions have one.

use super::configuration::last_modified;
use super::input::{FunctionRef, Members, Violations};
use super::{Answer, Route, page};
use crate::domain::time::Timestamp;
use crate::sim::error::ApiError;
use crate::sim::lambda::signing::{SigningConfig, signing_not_found};
use crate::sim::world::World;
use serde_json::{Map, Value, json};

/// Configurations, or functions that have one, on one page, at most [ListCodeSigningConfigs].
const PAGE: i64 = 10_000;
const ARN_PATTERN: &str = "arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:code-signing-config:csc-[a-z0-9]{17}";

/// `CodeSigningConfigNotFoundException`, of the operations on functions.
fn not_known(arn: &str) -> ApiError {
    let message = format!(
        "The code signing configuration cannot be found. Check that the provided configuration is not deleted: {arn}."
    );
    ApiError::client("CodeSigningConfigNotFoundException", message).with_status(404)
}

fn check_arn(arn: &str) -> Result<(), ApiError> {
    let mut violations = Violations::default();
    violations.fits(Some(arn), "codeSigningConfigArn", ARN_PATTERN);
    violations.length(Some(arn), "codeSigningConfigArn", 200);
    violations.check()
}

/// Errors: `CodeSigningConfigNotFoundException`, `ValidationException`.
pub fn check_known(world: &World, arn: &str) -> Result<(), ApiError> {
    check_arn(arn)?;
    if world.lambda.signing_configs().contains_key(arn) { Ok(()) } else { Err(not_known(arn)) }
}

fn show(arn: &str, config: &SigningConfig) -> Value {
    let mut shown = json!({
        "CodeSigningConfigId": config.id,
        "CodeSigningConfigArn": arn,
        "AllowedPublishers": {"SigningProfileVersionArns": config.publishers},
        "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": config.on_untrusted},
        "LastModified": last_modified(config.modified),
    });
    if let Some(description) = &config.description {
        shown["Description"] = json!(description);
    }
    shown
}

/// What Create and Update may say: description, publishers, policy.
struct Given {
    description: Option<String>,
    publishers: Option<Vec<String>>,
    on_untrusted: Option<String>,
}

fn read(input: Members<'_>, needs_publishers: bool) -> Result<Given, ApiError> {
    let publishers = input.object("AllowedPublishers")?;
    let arns = publishers.map(|publishers| publishers.texts("SigningProfileVersionArns")).transpose()?.flatten();
    let policies = input.object("CodeSigningPolicies")?;
    let on_untrusted = policies.map(|policies| policies.text("UntrustedArtifactOnDeployment")).transpose()?.flatten();
    let description = input.text("Description")?;
    let mut violations = Violations::default();
    if publishers.is_none() && needs_publishers {
        violations.missing("allowedPublishers");
    } else if publishers.is_some() && arns.is_none() {
        violations.missing("allowedPublishers.signingProfileVersionArns");
    }
    if let Some(arns) = arns.as_ref().filter(|arns| arns.is_empty() || arns.len() > 20) {
        let bound = if arns.is_empty() { "greater than or equal to 1" } else { "less than or equal to 20" };
        let value = format!("'[{}]'", arns.join(", "));
        violations.add(&value, "allowedPublishers.signingProfileVersionArns", &format!("have length {bound}"));
    }
    let member = "codeSigningPolicies.untrustedArtifactOnDeployment";
    violations.one_of(on_untrusted, member, &["Warn", "Enforce"]);
    violations.length(description, "description", 256);
    violations.check()?;
    Ok(Given {
        description: description.map(str::to_owned),
        publishers: arns.map(|arns| arns.into_iter().map(str::to_owned).collect()),
        on_untrusted: on_untrusted.map(str::to_owned),
    })
}

pub fn create(world: &mut World, input: Members<'_>) -> Result<Answer, ApiError> {
    let given = read(input, true)?;
    let config = SigningConfig {
        id: String::new(),
        description: given.description,
        publishers: given.publishers.unwrap_or_default(),
        on_untrusted: given.on_untrusted.unwrap_or_else(|| "Warn".to_owned()),
        modified: Timestamp::default(),
        tags: input.text_map("Tags")?.unwrap_or_default(),
    };
    let (lambda, mut cx) = world.lambda_cx();
    let arn = lambda.create_signing(&mut cx, config);
    shown(world, 201, &arn)
}

fn shown(world: &World, status: u16, arn: &str) -> Result<Answer, ApiError> {
    let config = world.lambda.signing_configs().get(arn).ok_or_else(|| signing_not_found(arn))?;
    Ok(Answer::json(status, &json!({"CodeSigningConfig": show(arn, config)})))
}

pub fn get(world: &World, route: &Route) -> Result<Answer, ApiError> {
    check_arn(&route.target)?;
    shown(world, 200, &route.target)
}

pub fn update(world: &mut World, route: &Route, input: Members<'_>) -> Result<Answer, ApiError> {
    check_arn(&route.target)?;
    let given = read(input, false)?;
    let now = world.now;
    let config = world.lambda.signing_config_mut(&route.target)?;
    config.modified = now;
    config.description = given.description.or(config.description.take());
    if let Some(publishers) = given.publishers {
        config.publishers = publishers;
    }
    if let Some(on_untrusted) = given.on_untrusted {
        config.on_untrusted = on_untrusted;
    }
    shown(world, 200, &route.target)
}

pub fn delete(world: &mut World, route: &Route) -> Result<Answer, ApiError> {
    check_arn(&route.target)?;
    world.lambda.delete_signing(&route.target)?;
    Ok(Answer::empty(204))
}

fn listed(member: &str, page: Vec<Value>, next: Option<String>) -> Answer {
    let mut value = Map::from_iter([(member.to_owned(), Value::Array(page))]);
    if let Some(next) = next {
        value.insert("NextMarker".to_owned(), next.into());
    }
    Answer::json(200, &Value::Object(value))
}

pub fn list(world: &World, route: &Route) -> Result<Answer, ApiError> {
    let configs = world.lambda.signing_configs().iter().map(|(arn, config)| (arn.clone(), show(arn, config)));
    let (page, next) = page(route, PAGE, configs)?;
    Ok(listed("CodeSigningConfigs", page, next))
}

pub fn list_functions(world: &World, route: &Route) -> Result<Answer, ApiError> {
    let arn = &route.target;
    check_arn(arn)?;
    if !world.lambda.signing_configs().contains_key(arn) {
        return Err(signing_not_found(arn));
    }
    let having = world.lambda.functions().filter(|function| function.signing_config.as_ref() == Some(arn));
    let (page, next) = page(route, PAGE, having.map(|function| (function.name.clone(), json!(function.arn))))?;
    Ok(listed("FunctionArns", page, next))
}

pub fn put_function(world: &mut World, route: &Route, input: Members<'_>) -> Result<Answer, ApiError> {
    let arn = input.text("CodeSigningConfigArn")?;
    let mut violations = Violations::default();
    if arn.is_none() {
        violations.missing("codeSigningConfigArn");
    }
    violations.check()?;
    let arn = arn.unwrap_or_default();
    check_known(world, arn)?;
    let name = FunctionRef::of(world, route)?.whole(world)?;
    if let Some(function) = world.lambda.named_mut(&name) {
        function.signing_config = Some(arn.to_owned());
    }
    Ok(Answer::json(200, &json!({"CodeSigningConfigArn": arn, "FunctionName": name})))
}

/// A function without a configuration is answered with nothing at all.
pub fn get_function(world: &World, route: &Route) -> Result<Answer, ApiError> {
    let name = FunctionRef::of(world, route)?.whole(world)?;
    let arn = world.lambda.named(&name).and_then(|function| function.signing_config.as_ref());
    let shown = arn.map_or_else(|| json!({}), |arn| json!({"CodeSigningConfigArn": arn, "FunctionName": name}));
    Ok(Answer::json(200, &shown))
}

pub fn delete_function(world: &mut World, route: &Route) -> Result<Answer, ApiError> {
    let name = FunctionRef::of(world, route)?.whole(world)?;
    if let Some(function) = world.lambda.named_mut(&name) {
        function.signing_config = None;
    }
    Ok(Answer::empty(204))
}
