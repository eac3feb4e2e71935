//! The operations on the settings of asynchronous invocation.

use super::input::{FunctionRef, Members, Violations};
use super::{Answer, Route, page};
use crate::sim::error::ApiError;
use crate::sim::lambda::event_config::{EventConfig, no_event_config};
use crate::sim::lambda::function::invalid_parameter;
use crate::sim::lambda::version::{Qualifier, VersionNumber};
use crate::sim::world::World;
use serde_json::{Value, json};

const PAGE: i64 = 50;
const DESTINATION_PATTERN: &str = "$|kafka://([^.]([a-zA-Z0-9\\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1})?:(\\d{12})?:(.*)";

/// Whether a text has an ARN's form, as far as the pattern checks it.
fn is_destination(text: &str) -> bool {
    if let Some(topic) = text.strip_prefix("kafka://") {
        return !topic.is_empty() && !topic.starts_with('.');
    }
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, service, region, account, _] = parts.as_slice() else { return text.is_empty() };
    let is_region = region.is_empty() || (region.contains('-') && region.ends_with(|c: char| c.is_ascii_digit()));
    let is_account = account.is_empty() || (account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()));
    *arn == "arn"
        && partition.starts_with("aws")
        && !service.is_empty()
        && service.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && is_region
        && is_account
}

fn show(arn: &str, config: &EventConfig) -> Value {
    let destination = |target: &Option<String>| match target {
        Some(target) => json!({ "Destination": target }),
        None => json!({}),
    };
    let mut value = json!({
        "LastModified": config.last_modified.secs_f64(),
        "FunctionArn": arn,
        "DestinationConfig": {
            "OnSuccess": destination(&config.on_success),
            "OnFailure": destination(&config.on_failure),
        },
    });
    if let Some(retries) = config.maximum_retry_attempts {
        value["MaximumRetryAttempts"] = json!(retries);
    }
    if let Some(age_s) = config.maximum_event_age_s {
        value["MaximumEventAgeInSeconds"] = json!(age_s);
    }
    value
}

/// What a request names: the function, the key of its settings, and their ARN.
struct Place {
    function: String,
    qualifier: Qualifier,
    arn: String,
}

impl Place {
    fn of(world: &World, route: &Route) -> Result<Self, ApiError> {
        let (function, qualifier) = FunctionRef::of(world, route)?.named(route.parameter("Qualifier"))?;
        let qualifier = match qualifier {
            Qualifier::Unqualified => Qualifier::Version(VersionNumber::LATEST),
            other => other,
        };
        let arn = qualifier.arn(&world.place.arn("lambda", &format!("function:{function}")));
        Ok(Self { function, qualifier, arn })
    }

    fn config<'w>(&self, world: &'w World) -> Option<&'w EventConfig> {
        world.lambda.named(&self.function)?.event_configs.get(&self.qualifier.text_or_latest())
    }

    fn must_exist(&self, world: &World) -> Result<(), ApiError> {
        let found = world.lambda.named(&self.function).and_then(|function| function.qualified(&self.qualifier));
        found.map(|_| ()).ok_or_else(function_missing)
    }

    fn keep(&self, world: &mut World, config: &EventConfig) -> Result<Answer, ApiError> {
        let function = world.lambda.named_mut(&self.function).ok_or_else(function_missing)?;
        function.event_configs.insert(self.qualifier.text_or_latest(), config.clone());
        Ok(Answer::json(200, &show(&self.arn, config)))
    }
}

fn function_missing() -> ApiError {
    ApiError::client("ResourceNotFoundException", "The function doesn't exist.").with_status(404)
}

/// One side of `DestinationConfig`: `None` where it is not spoken of, an empty text where it is taken away.
fn read_destination<'a>(input: Members<'a>, side: &str) -> Result<Option<&'a str>, ApiError> {
    let Some(config) = input.object("DestinationConfig")? else { return Ok(None) };
    let Some(side) = config.object(side)? else { return Ok(None) };
    Ok(Some(side.text("Destination")?.unwrap_or_default()))
}

/// Reads the members into `config`; those that are absent stay as they are.
fn read(world: &World, place: &Place, input: Members<'_>, config: &mut EventConfig) -> Result<(), ApiError> {
    let retries = input.integer("MaximumRetryAttempts")?;
    let age_s = input.integer("MaximumEventAgeInSeconds")?;
    let sides = [read_destination(input, "OnSuccess")?, read_destination(input, "OnFailure")?];
    let mut violations = Violations::default();
    violations.range(retries, "maximumRetryAttempts", 0, 2);
    violations.range(age_s, "maximumEventAgeInSeconds", 60, 21_600);
    for (target, member) in sides.iter().zip(["onSuccess", "onFailure"]) {
        let text = target.unwrap_or_default();
        let member = format!("destinationConfig.{member}.destination");
        violations.pattern(is_destination(text), text, &member, DESTINATION_PATTERN);
    }
    violations.check()?;
    if retries.is_none() && age_s.is_none() && !input.has("DestinationConfig") {
        return Err(invalid_parameter("You must specify at least one of error handling or destination setting."));
    }
    for target in sides.iter().flatten().filter(|target| !target.is_empty()) {
        check_destination(world, place, target, sides)?;
    }
    config.maximum_retry_attempts =
        retries.and_then(|value| u32::try_from(value).ok()).or(config.maximum_retry_attempts);
    config.maximum_event_age_s = age_s.and_then(|value| u32::try_from(value).ok()).or(config.maximum_event_age_s);
    for (target, slot) in sides.into_iter().zip([&mut config.on_success, &mut config.on_failure]) {
        if let Some(target) = target {
            *slot = Some(target.to_owned()).filter(|target| !target.is_empty());
        }
    }
    config.last_modified = world.now;
    Ok(())
}

fn check_destination(world: &World, place: &Place, target: &str, sides: [Option<&str>; 2]) -> Result<(), ApiError> {
    let service = target.split(':').nth(2).unwrap_or_default();
    if !["sqs", "sns", "lambda", "events", "s3"].contains(&service) {
        let side = |name: &str, class: &str, target: Option<&str>| match target {
            Some(target) => format!("{name}={class}(destination={target})"),
            None => format!("{name}=null"),
        };
        return Err(invalid_parameter(format!(
            "The provided destination config DestinationConfig({}, {}) is invalid.",
            side("onSuccess", "OnSuccess", sides[0]),
            side("onFailure", "OnFailure", sides[1]),
        )));
    }
    if service == "lambda" {
        let name = target.split(':').nth(6).unwrap_or_default();
        if name == place.function {
            return Err(invalid_parameter("You can't specify the function as a destination for itself."));
        }
        let prefix = world.place.arn("lambda", "function:");
        if !target.starts_with(&prefix) || world.lambda.named(name).is_none() {
            return Err(invalid_parameter(format!("The destination ARN {target} is invalid.")));
        }
    }
    Ok(())
}

pub fn put(world: &mut World, route: &Route, input: Members<'_>) -> Result<Answer, ApiError> {
    let place = Place::of(world, route)?;
    let mut config = EventConfig::default();
    read(world, &place, input, &mut config)?;
    place.must_exist(world)?;
    place.keep(world, &config)
}

pub fn update(world: &mut World, route: &Route, input: Members<'_>) -> Result<Answer, ApiError> {
    let place = Place::of(world, route)?;
    place.must_exist(world)?;
    let mut config = place.config(world).cloned().ok_or_else(|| no_event_config(&place.arn))?;
    read(world, &place, input, &mut config)?;
    place.keep(world, &config)
}

pub fn get(world: &World, route: &Route) -> Result<Answer, ApiError> {
    let place = Place::of(world, route)?;
    let config = place.config(world).ok_or_else(|| no_event_config(&place.arn))?;
    Ok(Answer::json(200, &show(&place.arn, config)))
}

pub fn delete(world: &mut World, route: &Route) -> Result<Answer, ApiError> {
    let place = Place::of(world, route)?;
    let function = world.lambda.named_mut(&place.function);
    let removed = function.and_then(|function| function.event_configs.remove(&place.qualifier.text_or_latest()));
    removed.ok_or_else(|| no_event_config(&place.arn))?;
    Ok(Answer::empty(204))
}

pub fn list(world: &World, route: &Route) -> Result<Answer, ApiError> {
    let place = Place::of(world, route)?;
    let function = world.lambda.named(&place.function).ok_or_else(function_missing)?;
    let entries = function
        .event_configs
        .iter()
        .map(|(qualifier, config)| (qualifier.clone(), show(&format!("{}:{qualifier}", function.arn), config)));
    let (configs, next) = page(route, PAGE, entries)?;
    Ok(Answer::json(200, &json!({"FunctionEventInvokeConfigs": configs, "NextMarker": next})))
}
