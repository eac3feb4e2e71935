//! The operations on aliases.

use super::input::{FunctionRef, Members, Violations};
use super::{Answer, Route, page};
use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::lambda::alias::{Alias, AliasChange, alias_not_found};
use crate::sim::lambda::function::function_not_found;
use crate::sim::lambda::version::VersionNumber;
use crate::sim::world::World;
use serde_json::{Map, Value, json};

/// Aliases on one page, at most [ListAliases].
const PAGE: i64 = 50;
const NAME_PATTERN: &str = "(?!^[0-9]+$)([a-zA-Z0-9-_]+)";
const VERSION_PATTERN: &str = "(\\$LATEST|[0-9]+)";

/// An alias's name is not a number, which a version would have.
fn check_name(name: &str, violations: &mut Violations) {
    let is_fit = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        && !name.bytes().all(|b| b.is_ascii_digit());
    violations.pattern(is_fit, name, "name", NAME_PATTERN);
    violations.length(Some(name), "name", 128);
}

fn arn_of(place: &Place, function: &str) -> String {
    place.arn("lambda", &format!("function:{function}"))
}

fn show(place: &Place, function: &str, alias: &Alias) -> Value {
    let mut value = json!({
        "AliasArn": format!("{}:{}", arn_of(place, function), alias.name),
        "Name": &*alias.name,
        "FunctionVersion": alias.version.to_string(),
        "Description": alias.description,
    });
    if let Some((version, weight)) = alias.additional {
        value["RoutingConfig"] = json!({"AdditionalVersionWeights": {version.to_string(): weight}});
    }
    value["RevisionId"] = json!(alias.revision.text());
    value
}

/// The weights as Java prints a map: what AWS quotes where one is wrong.
fn quoted(weights: &Map<String, Value>) -> String {
    let entry = |(version, weight): (&String, &Value)| format!("{version}={:?}", weight.as_f64().unwrap_or_default());
    let entries: Vec<String> = weights.iter().map(entry).collect();
    format!("'{{{}}}'", entries.join(", "))
}

fn read_weights(
    input: Members<'_>,
    violations: &mut Violations,
) -> Result<Option<Vec<(VersionNumber, f64)>>, ApiError> {
    let Some(routing) = input.object("RoutingConfig")? else { return Ok(None) };
    let Some(weights) = routing.object("AdditionalVersionWeights")? else { return Ok(Some(Vec::new())) };
    let mut read = Vec::new();
    for version in weights.0.keys() {
        let weight = weights.number(version)?.unwrap_or_default();
        read.push((VersionNumber(version.parse().unwrap_or_default()), weight));
    }
    let member = "routingConfig.additionalVersionWeights";
    if weights.0.keys().any(|version| version.is_empty() || !version.bytes().all(|b| b.is_ascii_digit())) {
        violations.add_map(
            &quoted(weights.0),
            member,
            "Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have \
             length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+, Member must \
             not be null]",
        );
    }
    if read.iter().any(|(_, weight)| !(0.0..=1.0).contains(weight)) {
        violations.add_map(
            &quoted(weights.0),
            member,
            "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have \
             value greater than or equal to 0.0, Member must not be null]",
        );
    }
    Ok(Some(read))
}

fn read_version(input: Members<'_>, violations: &mut Violations) -> Result<Option<VersionNumber>, ApiError> {
    let Some(text) = input.text("FunctionVersion")? else { return Ok(None) };
    let is_digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    violations.pattern(text == "$LATEST" || is_digits, text, "functionVersion", VERSION_PATTERN);
    // A number that no version can have is one that is not there.
    Ok(Some(VersionNumber::parse(text).unwrap_or(VersionNumber(u32::MAX))))
}

fn read(input: Members<'_>, violations: &mut Violations) -> Result<AliasChange, ApiError> {
    let description = input.text("Description")?;
    violations.length(description, "description", 256);
    Ok(AliasChange {
        version: read_version(input, violations)?,
        description: description.map(str::to_owned),
        weights: read_weights(input, violations)?,
        if_revision: input.text("RevisionId")?.filter(|text| !text.is_empty()).map(str::to_owned),
    })
}

pub fn create(world: &mut World, route: &Route, input: Members<'_>) -> Result<Answer, ApiError> {
    let mut violations = Violations::default();
    let name = input.text("Name")?;
    if name.is_none() {
        violations.missing("name");
    }
    if !input.has("FunctionVersion") {
        violations.missing("functionVersion");
    }
    let change = read(input, &mut violations)?;
    let name = name.unwrap_or_default();
    if input.has("Name") {
        check_name(name, &mut violations);
    }
    let (function, _) = violations.check_with(FunctionRef::of(world, route))?.named(None)?;
    let (lambda, mut cx) = world.lambda_cx();
    let version = change.version.unwrap_or_default();
    let alias = lambda.create_alias(&mut cx, &function, name, version, &change)?;
    Ok(Answer::json(201, &show(&world.place, &function, &alias)))
}

pub fn update(world: &mut World, route: &Route, input: Members<'_>) -> Result<Answer, ApiError> {
    let mut violations = Violations::default();
    let change = read(input, &mut violations)?;
    let (function, _) = violations.check_with(FunctionRef::of(world, route))?.named(None)?;
    let (lambda, mut cx) = world.lambda_cx();
    let alias = lambda.update_alias(&mut cx, &function, &route.part, &change)?;
    Ok(Answer::json(200, &show(&world.place, &function, &alias)))
}

pub fn get(world: &World, route: &Route) -> Result<Answer, ApiError> {
    let (function, _) = FunctionRef::of(world, route)?.named(None)?;
    let found = world.lambda.named(&function).and_then(|found| found.aliases.get(&route.part));
    let alias = found.ok_or_else(|| alias_not_found(&arn_of(&world.place, &function), &route.part))?;
    Ok(Answer::json(200, &show(&world.place, &function, alias)))
}

pub fn delete(world: &mut World, route: &Route) -> Result<Answer, ApiError> {
    let mut violations = Violations::default();
    check_name(&route.part, &mut violations);
    let (function, _) = violations.check_with(FunctionRef::of(world, route))?.named(None)?;
    world.lambda.delete_alias(&function, &route.part);
    Ok(Answer::empty(204))
}

pub fn list(world: &World, route: &Route) -> Result<Answer, ApiError> {
    let name = FunctionRef::of(world, route)?.whole(world)?;
    let function = world.lambda.named(&name).ok_or_else(|| function_not_found(&name))?;
    let version = route.parameter("FunctionVersion").filter(|text| !text.is_empty());
    let is_wanted = |alias: &&Alias| version.is_none_or(|version| alias.version.to_string() == version);
    let aliases = function.aliases.values().filter(is_wanted).map(|alias| (alias.name.as_ref().to_owned(), alias));
    let (found, next) = page(route, PAGE, aliases)?;
    let shown: Vec<Value> = found.into_iter().map(|alias| show(&world.place, &name, alias)).collect();
    Ok(Answer::json(200, &json!({"Aliases": shown, "NextMarker": next})))
}
