//! The operations on layers, and how functions name theirs.

use super::configuration::{last_modified, runtimes_listed};
use super::function::package;
use super::input::{Members, Violations};
use super::{Answer, Route, page};
use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::lambda::function::invalid_parameter;
use crate::sim::lambda::layer::{LayerSpec, LayerVersion};
use crate::sim::lambda::policy::no_statements;
use crate::sim::wire::serialization_error;
use crate::sim::world::World;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Layers, or versions of one, on one page, at most [ListLayers].
const PAGE: i64 = 50;
/// Layers of one function [Lambda quotas].
const LAYERS_MAX: usize = 5;
const NAME_PATTERN: &str = "(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:layer:[a-zA-Z0-9-_]+)|[a-zA-Z0-9-_]+";
const VERSION_PATTERN: &str = "(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)";
const PRINCIPAL_PATTERN: &str = "\\d{12}|\\*|arn:(aws[a-zA-Z-]*):iam::\\d{12}:root";
/// Every runtime that a layer may be compatible with, retired ones among them, as AWS lists them [ListLayers].
const LAYER_RUNTIMES: &str = "ruby3.5, ruby2.6, dotnetcore1.0, python3.7, nodejs8.10, nasa, ruby2.7, python2.7-greengrass, dotnetcore2.0, python3.8, java21, dotnet6, dotnetcore2.1, python3.9, java11, nodejs6.10, provided, dotnetcore3.1, dotnet8, java25, java17, nodejs, nodejs4.3, java8.al2, go1.x, dotnet10, nodejs20.x, go1.9, byol, nodejs10.x, provided.al2023, nodejs22.x, python3.10, java8, nodejs12.x, python3.11, nodejs24.x, nodejs8.x, python3.12, nodejs14.x, nodejs8.9, nodejs26.x, python3.13, python3.14, nodejs16.x, python3.15, provided.al2, nodejs4.3-edge, nodejs18.x, ruby3.2, python3.4, ruby3.3, ruby3.4, ruby2.5, python3.6, python2.7";
/// Runtimes that came after that list.
const NEWER_RUNTIMES: &[&str] = &["ruby4.0", "java8.al2023", "java11.al2023", "java17.al2023"];
const ARCHITECTURES: &[&str] = &["x86_64", "arm64"];

fn is_runtime(text: &str) -> bool {
    LAYER_RUNTIMES.split(", ").chain(NEWER_RUNTIMES.iter().copied()).any(|known| known == text)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn not_found() -> ApiError {
    ApiError::client("ResourceNotFoundException", "The resource you requested does not exist.").with_status(404)
}

fn version_not_found(arn: &str) -> ApiError {
    ApiError::client("ResourceNotFoundException", format!("Layer version {arn} does not exist.")).with_status(404)
}

/// A layer's ARN in its parts: region, account, name, and the version where it bears one. `None` for what is none.
fn parse_arn(text: &str) -> Option<(&str, &str, &str, Option<u64>)> {
    let parts: Vec<&str> = text.split(':').collect();
    let (region, account, name, version) = match parts.as_slice() {
        ["arn", partition, "lambda", region, account, "layer", name, version @ ..] if partition.starts_with("aws") => {
            (*region, *account, *name, version)
        }
        _ => return None,
    };
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    let number = match version {
        [] => None,
        [digits] if digits.bytes().all(|b| b.is_ascii_digit()) => Some(digits.parse().ok()?),
        _ => return None,
    };
    (is_account && is_name(name) && !region.is_empty()).then_some((region, account, name, number))
}

/// The name of the layer in the path; `None` for one of another account or region, which nobody here can see.
fn named(place: &Place, text: &str) -> Result<Option<String>, ApiError> {
    let arn = parse_arn(text).filter(|(_, _, _, version)| version.is_none());
    let mut violations = Violations::default();
    violations.pattern(arn.is_some() || is_name(text), text, "layerName", NAME_PATTERN);
    violations.length(Some(text), "layerName", 140);
    violations.check()?;
    Ok(match arn {
        Some((region, account, name, _)) => {
            (region == place.region && account == place.account).then(|| name.to_owned())
        }
        None => Some(text.to_owned()),
    })
}

fn layer_arn(place: &Place, name: &str) -> String {
    place.arn("lambda", &format!("layer:{name}"))
}

fn number(route: &Route) -> Result<i64, ApiError> {
    let wrong = || serialization_error("VersionNumber can not be converted to a Long");
    route.number.parse().map_err(|_| wrong())
}

/// One version in a list.
fn show_listed(place: &Place, name: &str, version: &LayerVersion) -> Map<String, Value> {
    let mut shown = Map::new();
    let mut put = |member: &str, value: Value| shown.insert(member.to_owned(), value);
    put("LayerVersionArn", json!(format!("{}:{}", layer_arn(place, name), version.number)));
    put("Version", json!(version.number));
    put("Description", json!(version.spec.description));
    put("CreatedDate", json!(last_modified(version.created)));
    if let Some(runtimes) = &version.spec.runtimes {
        put("CompatibleRuntimes", json!(runtimes));
    }
    if let Some(license) = &version.spec.license {
        put("LicenseInfo", json!(license));
    }
    if let Some(architectures) = &version.spec.architectures {
        put("CompatibleArchitectures", json!(architectures));
    }
    shown
}

fn show(place: &Place, name: &str, version: &LayerVersion) -> Value {
    let mut shown = show_listed(place, name, version);
    let location = format!(
        "https://awslambda-{0}-layers.s3.{0}.amazonaws.com/snapshots/{1}/{name}-{2}",
        place.region, place.account, version.number
    );
    let code = &version.code;
    let content = json!({"Location": location, "CodeSha256": code.sha256, "CodeSize": code.size_bytes});
    shown.insert("Content".to_owned(), content);
    shown.insert("LayerArn".to_owned(), json!(layer_arn(place, name)));
    Value::Object(shown)
}

fn texts(input: Members<'_>, member: &str) -> Result<Option<Vec<String>>, ApiError> {
    Ok(input.texts(member)?.map(|list| list.into_iter().map(str::to_owned).collect()))
}

fn read_spec(input: Members<'_>) -> Result<LayerSpec, ApiError> {
    let runtimes = texts(input, "CompatibleRuntimes")?;
    let architectures = texts(input, "CompatibleArchitectures")?;
    let (description, license) = (input.text("Description")?, input.text("LicenseInfo")?);
    let mut violations = Violations::default();
    if !input.has("Content") {
        violations.missing("content");
    }
    if let Some(list) = runtimes.as_ref().filter(|list| !list.iter().all(|runtime| is_runtime(runtime))) {
        let constraint = format!("satisfy enum value set: {}", runtimes_listed());
        violations.add(&format!("'[{}]'", list.join(", ")), "compatibleRuntimes", &constraint);
    }
    let is_known = |architecture: &String| ARCHITECTURES.contains(&architecture.as_str());
    if let Some(list) = architectures.as_ref().filter(|list| !list.iter().all(is_known)) {
        violations.add(
            &format!("'[{}]'", list.join(", ")),
            "compatibleArchitectures",
            "satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]",
        );
    }
    violations.length(description, "description", 256);
    violations.length(license, "licenseInfo", 512);
    violations.check()?;
    let description = description.unwrap_or_default().to_owned();
    Ok(LayerSpec { description, license: license.map(str::to_owned), runtimes, architectures })
}

pub fn publish(world: &mut World, route: &Route, input: Members<'_>) -> Result<Answer, ApiError> {
    let name = named(&world.place, &route.target)?;
    let spec = read_spec(input)?;
    let name = name.ok_or_else(not_found)?;
    let content = input.object("Content")?.filter(|content| !content.0.is_empty());
    let package = package(content.ok_or_else(|| invalid_parameter("Missing Content"))?)?;
    let (lambda, mut cx) = world.lambda_cx();
    let version = lambda.publish_layer(&mut cx, &name, spec, &package);
    Ok(Answer::json(201, &show(cx.place, &name, version)))
}

/// A version of a layer, as the request names it.
fn found<'w>(world: &'w World, name: Option<&str>, number: i64) -> Result<(&'w str, &'w LayerVersion), ApiError> {
    if number < 1 {
        return Err(invalid_parameter("Layer Version Cannot be less than 1"));
    }
    let number = u64::try_from(number).unwrap_or_default();
    let layer = name.and_then(|name| world.lambda.layers().find(|(known, _)| *known == name)).ok_or_else(not_found)?;
    Ok((layer.0, layer.1.versions.get(&number).ok_or_else(not_found)?))
}

pub fn get(world: &World, route: &Route) -> Result<Answer, ApiError> {
    let name = named(&world.place, &route.target)?;
    let (name, version) = found(world, name.as_deref(), number(route)?)?;
    Ok(Answer::json(200, &show(&world.place, name, version)))
}

pub fn get_by_arn(world: &World, route: &Route) -> Result<Answer, ApiError> {
    let text = route.parameter("Arn").unwrap_or_default();
    let parsed = parse_arn(text);
    let mut violations = Violations::default();
    let is_version = parsed.is_some_and(|(_, _, _, number)| number.is_some());
    violations.pattern(is_version, text, "arn", VERSION_PATTERN);
    violations.check()?;
    let Some((region, account, name, Some(number))) = parsed else { return Err(not_found()) };
    let is_here = region == world.place.region && account == world.place.account;
    let (name, version) = found(world, is_here.then_some(name), i64::try_from(number).unwrap_or(i64::MAX))?;
    Ok(Answer::json(200, &show(&world.place, name, version)))
}

pub fn delete(world: &mut World, route: &Route) -> Result<Answer, ApiError> {
    let number = number(route)?;
    if number < 1 {
        return Err(invalid_parameter("Layer Version Cannot be less than 1"));
    }
    if let Some(name) = named(&world.place, &route.target)? {
        world.lambda.delete_layer_version(&name, u64::try_from(number).unwrap_or_default());
    }
    Ok(Answer::empty(204))
}

fn read_filter(route: &Route) -> Result<(Option<&str>, Option<&str>), ApiError> {
    let parameter = |name| route.parameter(name).filter(|text: &&str| !text.is_empty());
    let (runtime, architecture) = (parameter("CompatibleRuntime"), parameter("CompatibleArchitecture"));
    let mut violations = Violations::default();
    violations.one_of(architecture, "compatibleArchitecture", ARCHITECTURES);
    if let Some(unknown) = runtime.filter(|runtime| !is_runtime(runtime)) {
        let constraint = format!("satisfy enum value set: [{LAYER_RUNTIMES}]");
        violations.add(&format!("'{unknown}'"), "compatibleRuntime", &constraint);
    }
    violations.check()?;
    Ok((runtime, architecture))
}

fn listed(member: &str, page: Vec<Value>, next: Option<String>) -> Answer {
    let mut value = Map::from_iter([(member.to_owned(), Value::Array(page))]);
    if let Some(next) = next {
        value.insert("NextMarker".to_owned(), next.into());
    }
    Answer::json(200, &Value::Object(value))
}

pub fn list(world: &World, route: &Route) -> Result<Answer, ApiError> {
    let (runtime, architecture) = read_filter(route)?;
    let place = &world.place;
    let entries = world.lambda.layers().filter_map(|(name, layer)| {
        let latest = layer.versions.values().rev().find(|version| version.fits(runtime, architecture))?;
        let latest = Value::Object(show_listed(place, name, latest));
        let shown = json!({"LayerName": name, "LayerArn": layer_arn(place, name), "LatestMatchingVersion": latest});
        Some((name.to_owned(), shown))
    });
    let (page, next) = page(route, PAGE, entries)?;
    Ok(listed("Layers", page, next))
}

pub fn list_versions(world: &World, route: &Route) -> Result<Answer, ApiError> {
    let name = named(&world.place, &route.target)?;
    let (runtime, architecture) = read_filter(route)?;
    let layer = name.as_ref().and_then(|name| world.lambda.layers().find(|(known, _)| known == name));
    let versions = layer.into_iter().flat_map(|(name, layer)| {
        let fitting = layer.versions.values().rev().filter(|version| version.fits(runtime, architecture));
        fitting
            .map(move |version| (version.number.to_string(), Value::Object(show_listed(&world.place, name, version))))
    });
    let (page, next) = page(route, PAGE, versions)?;
    Ok(listed("LayerVersions", page, next))
}

/// The version whose policy a request is about, by its layer's name, its number and its ARN.
fn policed(world: &World, route: &Route) -> Result<(String, u64, String), ApiError> {
    let name = named(&world.place, &route.target)?;
    let number = number(route)?;
    let layer = match &name {
        Some(name) => layer_arn(&world.place, name),
        None => route.target.clone(),
    };
    let arn = format!("{layer}:{number}");
    let number = u64::try_from(number).unwrap_or_default();
    let name = name.filter(|name| world.lambda.layer_version(name, number).is_some());
    Ok((name.ok_or_else(|| version_not_found(&arn))?, number, arn))
}

/// Everybody, an account, or an account's root by its ARN.
fn principal(place: &Place, text: &str) -> Value {
    if text == "*" {
        return json!("*");
    }
    let partition = place.arn("", "").split(':').nth(1).unwrap_or("aws").to_owned();
    let arn = if text.starts_with("arn:") { text.to_owned() } else { format!("arn:{partition}:iam::{text}:root") };
    json!({ "AWS": arn })
}

fn is_principal(text: &str) -> bool {
    let account = text.strip_prefix("arn:aws").and_then(|rest| rest.split_once(":iam::")).map(|(_, rest)| rest);
    let account = account.map_or(Some(text), |rest| rest.strip_suffix(":root"));
    text == "*" || account.is_some_and(|digits| digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_digit()))
}

pub fn add_permission(world: &mut World, route: &Route, input: Members<'_>) -> Result<Answer, ApiError> {
    let (sid, action) = (input.text("StatementId")?, input.text("Action")?);
    let whom = input.text("Principal")?;
    let mut violations = Violations::default();
    for (member, shown) in [("StatementId", "statementId"), ("Action", "action"), ("Principal", "principal")] {
        if !input.has(member) {
            violations.missing(shown);
        }
    }
    if let Some(sid) = sid {
        violations.pattern(is_name(sid), sid, "statementId", "([a-zA-Z0-9-_]+)");
        violations.length(Some(sid), "statementId", 100);
    }
    if let Some(action) = action {
        violations.pattern(action == "lambda:GetLayerVersion", action, "action", "lambda:GetLayerVersion");
    }
    if let Some(whom) = whom {
        violations.pattern(is_principal(whom), whom, "principal", PRINCIPAL_PATTERN);
    }
    violations.check()?;
    let (name, number, arn) = policed(world, route)?;
    let sid = sid.unwrap_or_default();
    let mut statement = json!({
        "Sid": sid,
        "Effect": "Allow",
        "Principal": principal(&world.place, whom.unwrap_or_default()),
        "Action": action,
        "Resource": arn,
    });
    if let Some(organization) = input.text("OrganizationId")? {
        statement["Condition"] = json!({"StringEquals": {"aws:PrincipalOrgID": organization}});
    }
    let text = statement.to_string();
    let revision = route.parameter("RevisionId").filter(|text| !text.is_empty());
    let (lambda, mut cx) = world.lambda_cx();
    let version = lambda.layer_version_mut(&name, number).ok_or_else(not_found)?;
    let revision = version.let_in(&mut cx, sid, statement, revision)?;
    Ok(Answer::json(201, &json!({"Statement": text, "RevisionId": revision})))
}

pub fn get_policy(world: &World, route: &Route) -> Result<Answer, ApiError> {
    let (name, number, _) = policed(world, route)?;
    let version = world.lambda.layer_version(&name, number).ok_or_else(not_found)?;
    let (policy, revision) = version.policy().ok_or_else(no_statements)?;
    Ok(Answer::json(200, &json!({"Policy": policy, "RevisionId": revision})))
}

pub fn remove_permission(world: &mut World, route: &Route) -> Result<Answer, ApiError> {
    let (name, number, _) = policed(world, route)?;
    let revision = route.parameter("RevisionId").filter(|text| !text.is_empty());
    let (lambda, mut cx) = world.lambda_cx();
    let version = lambda.layer_version_mut(&name, number).ok_or_else(not_found)?;
    version.shut_out(&mut cx, &route.part, revision)?;
    Ok(Answer::empty(204))
}

/// A function's `Layers`, in the form in which they are answered. Those of other accounts are taken as they are.
///
/// Errors: `InvalidParameterValueException` for too many, for one that does not exist or lies in another region, and for
/// one layer twice.
pub fn read_layers(world: &World, input: Members<'_>, echoed: &mut BTreeMap<String, Value>) -> Result<(), ApiError> {
    let Some(layers) = input.texts("Layers")? else { return Ok(()) };
    if layers.len() > LAYERS_MAX {
        return Err(invalid_parameter(format!("Cannot reference more than {LAYERS_MAX} layers.")));
    }
    let mut shown = Vec::new();
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for arn in layers {
        let Some((region, account, name, Some(number))) = parse_arn(arn) else { return Err(no_version(arn)) };
        if region != world.place.region {
            return Err(invalid_parameter(format!(
                "Layers are not in the same region as the function. Layers are expected to be in region {}.",
                world.place.region
            )));
        }
        let own = (account == world.place.account).then(|| world.lambda.layer_version(name, number));
        if own == Some(None) {
            return Err(invalid_parameter(format!("Layer version {arn} does not exist.")));
        }
        if let Some(other) = seen.insert(format!("{account}:{name}"), arn) {
            return Err(invalid_parameter(format!(
                "Two different versions of the same layer are not allowed to be referenced in the same function. {other} \
                 and {arn} are versions of the same layer."
            )));
        }
        let bytes = own.flatten().map_or(0, |version| version.code.size_bytes);
        shown.push(json!({"Arn": arn, "CodeSize": bytes}));
    }
    if shown.is_empty() {
        echoed.remove("Layers");
    } else {
        echoed.insert("Layers".to_owned(), Value::Array(shown));
    }
    Ok(())
}

fn no_version(arn: &str) -> ApiError {
    let constraint = format!(
        "satisfy constraint: [Member must have length less than or equal to 2048, Member must have length greater than \
         or equal to 1, Member must satisfy regular expression pattern: {VERSION_PATTERN}, Member must not be null]"
    );
    let mut violations = Violations::default();
    violations.add(&format!("'[{arn}]'"), "layers", &constraint);
    violations.check().err().unwrap_or_else(not_found)
}
