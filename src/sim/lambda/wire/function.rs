//! The operations on functions and their concurrency.

use super::input::{FunctionRef, Members, Violations};
use super::{Answer, Route};
use crate::domain::time::Timestamp;
use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::lambda::behaviour::Behaviour;
use crate::sim::lambda::environment::ACCOUNT_CONCURRENCY;
use crate::sim::lambda::function::{Config, Function, function_not_found, invalid_parameter};
use crate::sim::lambda::log::iso_millis;
use crate::sim::lambda::{Lambda, MappingSource};
use crate::sim::world::World;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Functions on one page, at most [ListFunctions].
const PAGE: i64 = 50;
const ROLE_PATTERN: &str = "arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+";
/// What a client may still choose [CreateFunction, Runtime].
const RUNTIMES: &[&str] = &[
    "nodejs20.x",
    "nodejs22.x",
    "nodejs24.x",
    "nodejs26.x",
    "python3.9",
    "python3.10",
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.14",
    "python3.15",
    "java8.al2",
    "java11",
    "java17",
    "java21",
    "java25",
    "dotnet8",
    "dotnet10",
    "ruby3.2",
    "ruby3.3",
    "ruby3.4",
    "ruby4.0",
    "provided.al2",
    "provided.al2023",
    "nodejs18.x",
    "nodejs16.x",
    "python3.8",
    "dotnet6",
    "java8",
    "go1.x",
];

/// What a function is doing while its answer is put together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Created,
    Updated,
    Settled,
}

/// Lambda writes the time of the last change as text: `2026-11-27T18:02:00.000+0000`.
fn last_modified(at: Timestamp) -> String {
    format!("{}+0000", iso_millis(at).trim_end_matches('Z'))
}

fn configuration(place: &Place, function: &Function, phase: Phase) -> Value {
    let config = &function.config;
    let mut value = json!({
        "FunctionName": function.name,
        "FunctionArn": function.arn,
        "Role": config.role,
        "CodeSize": function.code.size_bytes,
        "Description": config.description,
        "Timeout": config.timeout_s,
        "MemorySize": config.memory_mb,
        "LastModified": last_modified(function.last_modified),
        "CodeSha256": function.code.sha256,
        "Version": "$LATEST",
        "TracingConfig": {"Mode": config.tracing_mode},
        "RevisionId": function.revision.text(),
        "PackageType": config.package_type,
        "Architectures": [config.architecture],
        "EphemeralStorage": {"Size": config.ephemeral_mb},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": format!("/aws/lambda/{}", function.name)},
    });
    let Some(members) = value.as_object_mut() else { return value };
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    if config.package_type == "Zip" {
        put("Runtime", json!(&*config.runtime));
        put("Handler", json!(config.handler));
        let arn = format!("arn:aws:lambda:{}::runtime:{}", place.region, runtime_version(&config.runtime));
        put("RuntimeVersionConfig", json!({"RuntimeVersionArn": arn}));
    }
    if !config.environment.is_empty() {
        put("Environment", json!({"Variables": config.environment}));
    }
    if let Some(target) = &config.dead_letter_arn {
        put("DeadLetterConfig", json!({"TargetArn": target}));
    }
    put("State", json!(if phase == Phase::Created { "Pending" } else { "Active" }));
    match phase {
        Phase::Created => {
            put("StateReason", json!("The function is being created."));
            put("StateReasonCode", json!("Creating"));
        }
        Phase::Updated => {
            put("LastUpdateStatus", json!("InProgress"));
            put("LastUpdateStatusReason", json!("The function is being created."));
            put("LastUpdateStatusReasonCode", json!("Creating"));
        }
        Phase::Settled => {
            put("LastUpdateStatus", json!("Successful"));
        }
    }
    value
}

/// A runtime version's name is a digest; one for each runtime is enough here.
fn runtime_version(runtime: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(runtime.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn resolve(world: &World, route: &Route) -> Result<String, ApiError> {
    FunctionRef::parse(world, &route.target)?.resolve(world, route.parameter("Qualifier"))
}

fn named<'w>(world: &'w World, name: &str) -> Result<&'w Function, ApiError> {
    world.lambda.named(name).ok_or_else(|| function_not_found(name))
}

/// Reads what CreateFunction and UpdateFunctionConfiguration share into `config`.
fn read_config(place: &Place, input: Members<'_>, config: &mut Config) -> Result<(), ApiError> {
    let (timeout, memory) = (input.integer("Timeout")?, input.integer("MemorySize")?);
    let (role, handler) = (input.text("Role")?, input.text("Handler")?);
    let description = input.text("Description")?;
    let storage = input.object("EphemeralStorage")?;
    let ephemeral = storage.map(|storage| storage.integer("Size")).transpose()?.flatten();
    let tracing = input.object("TracingConfig")?;
    let tracing_mode = tracing.map(|tracing| tracing.text("Mode")).transpose()?.flatten();
    let mut violations = Violations::default();
    violations.range(timeout, "timeout", 1, 900);
    violations.range(memory, "memorySize", 128, 10_240);
    violations.range(ephemeral, "ephemeralStorage.size", 512, 10_240);
    violations.length(description, "description", 256);
    violations.length(handler, "handler", 128);
    violations.one_of(tracing_mode, "tracingConfig.mode", &["Active", "PassThrough"]);
    if let Some(role) = role {
        violations.pattern(is_role(role), role, "role", ROLE_PATTERN);
    }
    violations.check()?;
    if let Some(runtime) = input.text("Runtime")? {
        if !RUNTIMES.contains(&runtime) {
            return Err(invalid_parameter(format!(
                "Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [{}] \
                 or be a valid ARN",
                RUNTIMES.join(", ")
            )));
        }
        config.runtime = runtime.into();
    }
    let whole = |value: Option<i64>, old: u32| value.and_then(|value| u32::try_from(value).ok()).unwrap_or(old);
    config.timeout_s = whole(timeout, config.timeout_s);
    config.memory_mb = whole(memory, config.memory_mb);
    config.ephemeral_mb = whole(ephemeral, config.ephemeral_mb);
    let set = |target: &mut String, value: Option<&str>| {
        if let Some(value) = value {
            value.clone_into(target);
        }
    };
    set(&mut config.role, role);
    set(&mut config.handler, handler);
    set(&mut config.description, description);
    set(&mut config.tracing_mode, tracing_mode);
    if let Some(environment) = input.object("Environment")? {
        config.environment = environment.text_map("Variables")?.unwrap_or_default();
    }
    if let Some(dead_letter) = input.object("DeadLetterConfig")? {
        let target = dead_letter.text("TargetArn")?.filter(|target| !target.is_empty());
        let is_target = |arn: &str| {
            arn.starts_with("arn:aws:sns:") || MappingSource::of_arn(place, arn).is_some_and(|source| source.is_queue())
        };
        if let Some(arn) = target.filter(|arn| !is_target(arn)) {
            return Err(invalid_parameter(format!("The provided TargetArn {arn} is invalid.")));
        }
        config.dead_letter_arn = target.map(str::to_owned);
    }
    Ok(())
}

fn is_role(role: &str) -> bool {
    let Some(rest) = role.strip_prefix("arn:aws") else { return false };
    let Some((partition, rest)) = rest.split_once(":iam::") else { return false };
    let Some((account, name)) = rest.split_once(":role") else { return false };
    partition.bytes().all(|b| b == b'-' || b.is_ascii_alphabetic())
        && account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && name.len() > 1
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"+=,.@-_/".contains(&b))
}

/// The package of CreateFunction's `Code` or of UpdateFunctionCode's own members. What lies in S3 stands for itself
/// by its address, since the code is never run.
fn package(code: Members<'_>) -> Result<Vec<u8>, ApiError> {
    if let Some(zip) = code.text("ZipFile")? {
        let bytes = STANDARD.decode(zip).map_err(|_| crate::sim::wire::serialization_error(""))?;
        if bytes.is_empty() {
            return Err(invalid_parameter("Uploaded file must be a non-empty zip"));
        }
        if !bytes.starts_with(b"PK") {
            return Err(invalid_parameter(
                "Could not unzip uploaded file. Please check your file, then try to upload again.",
            ));
        }
        return Ok(bytes);
    }
    if let Some(image) = code.text("ImageUri")? {
        return Ok(image.as_bytes().to_vec());
    }
    match (code.text("S3Bucket")?, code.text("S3Key")?) {
        (Some(bucket), Some(key)) => {
            let version = code.text("S3ObjectVersion")?.unwrap_or_default();
            Ok(format!("s3://{bucket}/{key}?{version}").into_bytes())
        }
        _ => Err(invalid_parameter("Please provide a source for function code.")),
    }
}

pub fn create(world: &mut World, input: Members<'_>) -> Result<Answer, ApiError> {
    let mut violations = Violations::default();
    for (member, shown) in [("FunctionName", "functionName"), ("Role", "role"), ("Code", "code")] {
        if !input.has(member) {
            violations.missing(shown);
        }
    }
    let (package_type, architectures) = (input.text("PackageType")?, input.texts("Architectures")?);
    let architecture = architectures.as_ref().and_then(|list| list.first().copied());
    violations.one_of(package_type, "packageType", &["Zip", "Image"]);
    violations.one_of(architecture, "architectures", &["x86_64", "arm64"]);
    violations.check()?;
    let named = FunctionRef::parse(world, input.text("FunctionName")?.unwrap_or_default())?;
    if let Some(arn) = &named.foreign {
        return Err(function_not_found(arn));
    }
    if named.name.len() > 64 {
        let mut violations = Violations::default();
        violations.length(Some(&named.name), "functionName", 64);
        violations.check()?;
    }
    let mut config = Config { handler: String::new(), runtime: "".into(), ..Config::default() };
    config.package_type = package_type.unwrap_or("Zip").to_owned();
    config.architecture = architecture.unwrap_or("x86_64").to_owned();
    config.tags = input.text_map("Tags")?.unwrap_or_default();
    read_config(&world.place, input, &mut config)?;
    if config.package_type == "Zip" && (config.runtime.is_empty() || config.handler.is_empty()) {
        return Err(invalid_parameter(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
        ));
    }
    let package = match input.object("Code")? {
        Some(code) => package(code)?,
        None => Vec::new(),
    };
    let (lambda, mut cx) = world.lambda_cx();
    lambda.create_function(&mut cx, &named.name, config, &package, Behaviour::default())?;
    let function = self::named(world, &named.name)?;
    Ok(Answer::json(201, &configuration(&world.place, function, Phase::Created)))
}

pub fn get(world: &World, route: &Route) -> Result<Answer, ApiError> {
    let name = resolve(world, route)?;
    let function = named(world, &name)?;
    let repository = if function.config.package_type == "Zip" { "S3" } else { "ECR" };
    let location = format!(
        "https://awslambda-{0}-tasks.s3.{0}.amazonaws.com/snapshots/{1}/{name}-{2}",
        world.place.region,
        world.place.account,
        function.revision.text()
    );
    let mut value = json!({
        "Configuration": configuration(&world.place, function, Phase::Settled),
        "Code": {"RepositoryType": repository, "Location": location},
    });
    if let Some(reserved) = function.reserved {
        value["Concurrency"] = json!({"ReservedConcurrentExecutions": reserved});
    }
    if !function.config.tags.is_empty() {
        value["Tags"] = json!(function.config.tags);
    }
    Ok(Answer::json(200, &value))
}

pub fn get_configuration(world: &World, route: &Route) -> Result<Answer, ApiError> {
    let name = resolve(world, route)?;
    Ok(Answer::json(200, &configuration(&world.place, named(world, &name)?, Phase::Settled)))
}

pub fn list(world: &World, route: &Route) -> Result<Answer, ApiError> {
    let most = route.integer("MaxItems")?;
    let mut violations = Violations::default();
    violations.range(most, "maxItems", 1, 10_000);
    violations.one_of(route.parameter("FunctionVersion"), "functionVersion", &["ALL"]);
    violations.check()?;
    let page = most.unwrap_or(PAGE).min(PAGE) as usize;
    let after = route.parameter("Marker").filter(|m| !m.is_empty()).map(Lambda::read_marker).transpose()?;
    let found: Vec<&Function> =
        world.lambda.functions_after(after.as_deref().unwrap_or_default()).take(page + 1).collect();
    let shown = found.get(..page).unwrap_or(&found);
    let listed: Vec<Value> = shown
        .iter()
        .map(|function| {
            let mut value = configuration(&world.place, function, Phase::Settled);
            // A list leaves out what has to be looked up for each function [ListFunctions].
            if let Some(members) = value.as_object_mut() {
                for name in ["State", "LastUpdateStatus", "RuntimeVersionConfig"] {
                    members.shift_remove(name);
                }
            }
            value
        })
        .collect();
    let next = (found.len() > page).then(|| shown.last().map(|function| Lambda::marker(&function.name))).flatten();
    let mut value = json!({ "Functions": listed });
    value["NextMarker"] = json!(next);
    Ok(Answer::json(200, &value))
}

pub fn delete(world: &mut World, route: &Route) -> Result<Answer, ApiError> {
    let name = resolve(world, route)?;
    world.lambda.delete_function(&name).ok_or_else(|| function_not_found(&name))?;
    Ok(Answer::empty(204))
}

/// The optimistic lock of the updates.
fn check_revision(function: &Function, input: Members<'_>) -> Result<(), ApiError> {
    match input.text("RevisionId")? {
        Some(revision) if revision != function.revision.text() => Err(ApiError::client(
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to \
             retrieve the latest Revision Id",
        )
        .with_status(412)),
        _ => Ok(()),
    }
}

pub fn update_configuration(world: &mut World, route: &Route, input: Members<'_>) -> Result<Answer, ApiError> {
    let name = resolve(world, route)?;
    let function = named(world, &name)?;
    check_revision(function, input)?;
    let mut config = function.config.clone();
    read_config(&world.place, input, &mut config)?;
    let (lambda, mut cx) = world.lambda_cx();
    lambda.configure(&mut cx, &name, config);
    Ok(Answer::json(200, &configuration(&world.place, named(world, &name)?, Phase::Updated)))
}

pub fn update_code(world: &mut World, route: &Route, input: Members<'_>) -> Result<Answer, ApiError> {
    let name = resolve(world, route)?;
    let function = named(world, &name)?;
    check_revision(function, input)?;
    let package = package(input)?;
    if input.flag("DryRun")? == Some(true) {
        return Ok(Answer::json(200, &configuration(&world.place, function, Phase::Settled)));
    }
    let behaviour = function.behaviour.clone();
    let (lambda, mut cx) = world.lambda_cx();
    lambda.deploy(&mut cx, &name, &package, behaviour);
    Ok(Answer::json(200, &configuration(&world.place, named(world, &name)?, Phase::Updated)))
}

pub fn put_concurrency(world: &mut World, route: &Route, input: Members<'_>) -> Result<Answer, ApiError> {
    let reserved = input.integer("ReservedConcurrentExecutions")?;
    let mut violations = Violations::default();
    if reserved.is_none() {
        violations.missing("reservedConcurrentExecutions");
    }
    violations.range(reserved, "reservedConcurrentExecutions", 0, i64::from(i32::MAX));
    violations.check()?;
    let name = resolve(world, route)?;
    let reserved = reserved.and_then(|value| u32::try_from(value).ok());
    world.lambda.set_reserved_concurrency(&name, reserved)?;
    Ok(Answer::json(200, &json!({"ReservedConcurrentExecutions": reserved})))
}

pub fn get_concurrency(world: &World, route: &Route) -> Result<Answer, ApiError> {
    let name = resolve(world, route)?;
    Ok(Answer::json(
        200,
        &match named(world, &name)?.reserved {
            Some(reserved) => json!({"ReservedConcurrentExecutions": reserved}),
            None => json!({}),
        },
    ))
}

pub fn delete_concurrency(world: &mut World, route: &Route) -> Result<Answer, ApiError> {
    let name = resolve(world, route)?;
    world.lambda.set_reserved_concurrency(&name, None)?;
    Ok(Answer::empty(204))
}

pub fn account_settings(lambda: &Lambda) -> Answer {
    let (count, size) = lambda.functions().fold((0_u64, 0), |(n, size), f| (n + 1, size + f.code.size_bytes));
    Answer::json(
        200,
        &json!({
            "AccountLimit": {
                "TotalCodeSize": 80_530_636_800_u64,
                "CodeSizeUnzipped": 262_144_000,
                "CodeSizeZipped": 52_428_800,
                "ConcurrentExecutions": ACCOUNT_CONCURRENCY,
                "UnreservedConcurrentExecutions": lambda.unreserved_concurrency(),
            },
            "AccountUsage": {"TotalCodeSize": size, "FunctionCount": count},
        }),
    )
}
