//! The operations on function URLs. They are kept and answered; nothing listens at the addresses.

use super::input::{FunctionRef, Members, Violations};
use super::{Answer, Route, page};
use crate::sim::error::ApiError;
use crate::sim::lambda::function::{conflict, invalid_parameter};
use crate::sim::lambda::log::iso_millis;
use crate::sim::lambda::policy::no_policy;
use crate::sim::lambda::url::FunctionUrl;
use crate::sim::lambda::version::{Qualifier, VersionNumber};
use crate::sim::world::World;
use serde_json::{Value, json};

const PAGE: i64 = 50;
const QUALIFIER_PATTERN: &str = "((?!^\\d+$)^[0-9a-zA-Z-_]+$)";

/// What an answer tells beside the address itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    Created,
    Updated,
    Read,
}

fn show(arn: &str, url: &FunctionUrl, detail: Detail) -> Value {
    let mut value = json!({
        "FunctionUrl": url.address,
        "FunctionArn": arn,
        "AuthType": url.auth_type,
        "CreationTime": iso_millis(url.created),
    });
    if let Some(cors) = &url.cors {
        value["Cors"] = cors.clone();
    }
    if detail != Detail::Created {
        value["LastModifiedTime"] = json!(iso_millis(url.last_modified));
    }
    // A mode that nobody has set is told only when reading.
    let unset = Some("BUFFERED").filter(|_| detail == Detail::Read);
    if let Some(mode) = url.invoke_mode.as_deref().or(unset) {
        value["InvokeMode"] = json!(mode);
    }
    value
}

/// The function and the alias that a request names: versions have no addresses.
fn find(world: &World, route: &Route) -> Result<(String, Qualifier), ApiError> {
    let asked = route.parameter("Qualifier").filter(|text| !text.is_empty());
    if let Some(text) = asked {
        let is_fit = VersionNumber::parse(text).is_none()
            && !text.bytes().all(|b| b.is_ascii_digit())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        let mut violations = Violations::default();
        violations.pattern(is_fit, text, "qualifier", QUALIFIER_PATTERN);
        violations.check()?;
    }
    FunctionRef::of(world, route)?.named(asked)
}

fn function_missing() -> ApiError {
    ApiError::client("ResourceNotFoundException", "Function does not exist").with_status(404)
}

fn key(qualifier: &Qualifier) -> String {
    qualifier.text().unwrap_or_default()
}

fn arn_of(world: &World, name: &str, qualifier: &Qualifier) -> String {
    qualifier.arn(&world.place.arn("lambda", &format!("function:{name}")))
}

/// Reads what create and update set. Absent members stay.
fn read(input: Members<'_>, url: &mut FunctionUrl) -> Result<(), ApiError> {
    let (auth_type, mode) = (input.text("AuthType")?, input.text("InvokeMode")?);
    let mut violations = Violations::default();
    violations.one_of(auth_type, "authType", &["NONE", "AWS_IAM"]);
    violations.one_of(mode, "invokeMode", &["RESPONSE_STREAM", "BUFFERED"]);
    violations.check()?;
    if let Some(auth_type) = auth_type {
        auth_type.clone_into(&mut url.auth_type);
    }
    if let Some(mode) = mode {
        url.invoke_mode = Some(mode.to_owned());
    }
    if let Some(cors) = input.object("Cors")? {
        url.cors = Some(Value::Object(cors.0.clone())).filter(|_| !cors.0.is_empty());
    }
    Ok(())
}

pub fn create(world: &mut World, route: &Route, input: Members<'_>) -> Result<Answer, ApiError> {
    let mut violations = Violations::default();
    if !input.has("AuthType") {
        violations.missing("authType");
    }
    violations.check()?;
    let (name, qualifier) = find(world, route)?;
    let arn = arn_of(world, &name, &qualifier);
    let (lambda, mut cx) = world.lambda_cx();
    let function = lambda.named_mut(&name).filter(|function| function.qualified(&qualifier).is_some());
    let function = function.ok_or_else(function_missing)?;
    if matches!(qualifier, Qualifier::Version(_)) {
        return Err(invalid_parameter("Function URLs are not supported for versions."));
    }
    if function.urls.contains_key(&key(&qualifier)) {
        return Err(conflict(format!(
            "Failed to create function url config for [functionArn = {arn}]. Error message:  FunctionUrlConfig exists \
             for this Lambda function"
        )));
    }
    let mut url = FunctionUrl::new(&mut cx);
    read(input, &mut url)?;
    let shown = show(&arn, &url, Detail::Created);
    function.urls.insert(key(&qualifier), url);
    Ok(Answer::json(201, &shown))
}

pub fn get(world: &World, route: &Route) -> Result<Answer, ApiError> {
    let (name, qualifier) = find(world, route)?;
    let url = world.lambda.named(&name).and_then(|function| function.urls.get(&key(&qualifier)));
    let url = url.ok_or_else(no_policy)?;
    Ok(Answer::json(200, &show(&arn_of(world, &name, &qualifier), url, Detail::Read)))
}

pub fn update(world: &mut World, route: &Route, input: Members<'_>) -> Result<Answer, ApiError> {
    let (name, qualifier) = find(world, route)?;
    let arn = arn_of(world, &name, &qualifier);
    let now = world.now;
    let function = world.lambda.named_mut(&name).filter(|function| function.qualified(&qualifier).is_some());
    let function = function.ok_or_else(function_missing)?;
    let found = function.urls.get_mut(&key(&qualifier)).ok_or_else(no_policy)?;
    let mut url = found.clone();
    read(input, &mut url)?;
    url.last_modified = now;
    found.clone_from(&url);
    Ok(Answer::json(200, &show(&arn, &url, Detail::Updated)))
}

pub fn delete(world: &mut World, route: &Route) -> Result<Answer, ApiError> {
    let (name, qualifier) = find(world, route)?;
    let function = world.lambda.named_mut(&name);
    function.and_then(|function| function.urls.remove(&key(&qualifier))).ok_or_else(no_policy)?;
    Ok(Answer::empty(204))
}

pub fn list(world: &World, route: &Route) -> Result<Answer, ApiError> {
    let (name, _) = FunctionRef::of(world, route)?.named(None)?;
    let function = world.lambda.named(&name).ok_or_else(function_missing)?;
    let entries = function.urls.iter().map(|(key, url)| {
        let arn = Qualifier::parse(Some(key)).arn(&function.arn);
        (key.clone(), show(&arn, url, Detail::Read))
    });
    let (configs, next) = page(route, PAGE, entries)?;
    Ok(Answer::json(200, &json!({"FunctionUrlConfigs": configs, "NextMarker": next})))
}
