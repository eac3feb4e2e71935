//! A version's configuration as Lambda answers it, and how the members that set it are read.

use super::input::{Members, Violations};
use crate::domain::time::Timestamp;
use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::lambda::MappingSource;
use crate::sim::lambda::function::{Config, Function, Logging, invalid_parameter, runtime_version_arn};
use crate::sim::lambda::log::iso_millis;
use crate::sim::lambda::version::{Phase, Qualifier, Version, VersionNumber};
use crate::sim::world::World;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const ROLE_PATTERN: &str = "arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+";
/// All environment variables together, as JSON [Lambda quotas].
const ENVIRONMENT_BYTES: usize = 4_096;
/// What a client may still choose, as AWS lists it [CreateFunction, Runtime].
const RUNTIMES: &[&str] = &[
    "nodejs20.x",
    "python3.14",
    "provided.al2023",
    "python3.12",
    "python3.13",
    "nodejs24.x",
    "nodejs22.x",
    "java25",
    "python3.10",
    "python3.11",
    "java21",
    "ruby3.3",
    "ruby3.4",
    "ruby3.2",
    "python3.8",
    "python3.9",
    "java17",
    "nodejs16.x",
    "dotnet10",
    "dotnet8",
    "java11",
    "dotnet6",
    "nodejs18.x",
    "provided.al2",
    "java8.al2",
];
/// Newer ones, which the list does not name yet.
const NEWER_RUNTIMES: &[&str] =
    &["nodejs26.x", "python3.15", "ruby4.0", "java8.al2023", "java11.al2023", "java17.al2023"];
/// What a client may not choose any more.
const RETIRED_RUNTIMES: &[&str] =
    &["java8", "go1.x", "provided", "ruby2.7", "nodejs14.x", "nodejs12.x", "python3.7", "dotnetcore3.1"];

/// What the runtime sets itself [Lambda "Defined runtime environment variables"]. Those that begin with an underscore
/// are no names that a client could give.
const RESERVED_VARIABLES: &[&str] = &[
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

/// Lambda writes the time of the last change as text: `2026-11-27T18:02:00.000+0000`.
pub fn last_modified(at: Timestamp) -> String {
    format!("{}+0000", iso_millis(at).trim_end_matches('Z'))
}

/// `FunctionConfiguration` of one version, under the ARN with `qualifier`.
pub fn show(place: &Place, now: Timestamp, function: &Function, version: &Version, qualifier: &Qualifier) -> Value {
    let config = &version.config;
    let apply_on = if config.is_snap_started { "PublishedVersions" } else { "None" };
    let is_optimized = config.is_snap_started && version.number != VersionNumber::LATEST;
    let mut value = json!({
        "FunctionName": function.name,
        "FunctionArn": function.qualified_arn(qualifier),
        "Role": config.role,
        "CodeSize": version.code.size_bytes,
        "Description": config.description,
        "Timeout": config.timeout_s,
        "MemorySize": config.memory_mb,
        "LastModified": last_modified(version.last_modified),
        "CodeSha256": version.code.sha256,
        "Version": version.number.to_string(),
        "TracingConfig": {"Mode": config.tracing_mode},
        "RevisionId": version.revision(now).text(),
        "PackageType": config.package_type,
        "Architectures": [config.architecture],
        "EphemeralStorage": {"Size": config.ephemeral_mb},
        "SnapStart": {"ApplyOn": apply_on, "OptimizationStatus": if is_optimized { "On" } else { "Off" }},
        "LoggingConfig": show_logging(&config.logging, &function.name),
    });
    let Some(members) = value.as_object_mut() else { return value };
    if config.package_type == "Zip" {
        members.insert("Runtime".to_owned(), json!(&*config.runtime));
        members.insert("Handler".to_owned(), json!(config.handler));
        let arn = runtime_version_arn(&place.region, &config.runtime);
        members.insert("RuntimeVersionConfig".to_owned(), json!({ "RuntimeVersionArn": arn }));
    }
    if let Some(variables) = &config.environment {
        members.insert("Environment".to_owned(), json!({ "Variables": variables }));
    }
    if let Some(target) = &config.dead_letter_arn {
        members.insert("DeadLetterConfig".to_owned(), json!({ "TargetArn": target }));
    }
    members.extend(config.echoed.iter().map(|(name, value)| (name.clone(), value.clone())));
    show_state(members, version.phase(now));
    value
}

fn show_state(members: &mut Map<String, Value>, phase: Phase) {
    let mut put = |name: &str, value: &str| members.insert(name.to_owned(), value.into());
    put("State", if phase == Phase::Creating { "Pending" } else { "Active" });
    match phase {
        Phase::Creating => {
            put("StateReason", "The function is being created.");
            put("StateReasonCode", "Creating");
        }
        Phase::Updating => {
            put("LastUpdateStatus", "InProgress");
            put("LastUpdateStatusReason", "The function is being created.");
            put("LastUpdateStatusReasonCode", "Creating");
        }
        Phase::Settled => {
            put("LastUpdateStatus", "Successful");
        }
    }
}

/// The same in a list, which leaves out what has to be looked up for each function [ListFunctions].
pub fn show_listed(
    place: &Place,
    now: Timestamp,
    function: &Function,
    version: &Version,
    qualifier: &Qualifier,
) -> Value {
    let mut value = show(place, now, function, version, qualifier);
    if let Some(members) = value.as_object_mut() {
        for name in [
            "State",
            "StateReason",
            "StateReasonCode",
            "LastUpdateStatus",
            "LastUpdateStatusReason",
            "LastUpdateStatusReasonCode",
            "RuntimeVersionConfig",
        ] {
            members.shift_remove(name);
        }
    }
    value
}

fn show_logging(logging: &Logging, function: &str) -> Value {
    let group = logging.group.clone().unwrap_or_else(|| format!("/aws/lambda/{function}"));
    let mut value = json!({"LogFormat": logging.format, "LogGroup": group});
    if logging.format == "JSON" {
        value["ApplicationLogLevel"] = json!(logging.application_level.as_deref().unwrap_or("INFO"));
        value["SystemLogLevel"] = json!(logging.system_level.as_deref().unwrap_or("INFO"));
    }
    value
}

/// Reads what CreateFunction and UpdateFunctionConfiguration share into `config`.
pub fn read(world: &World, input: Members<'_>, config: &mut Config) -> Result<(), ApiError> {
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
        check_runtime(runtime)?;
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
    read_environment(input, config)?;
    read_dead_letters(&world.place, input, config)?;
    read_logging(input, &mut config.logging)?;
    read_snap_start(input, config)?;
    super::layer::read_layers(world, input, &mut config.echoed)?;
    read_echoed(input, &mut config.echoed)
}

/// The list of runtimes as AWS's messages write it.
pub fn runtimes_listed() -> String {
    format!("[{}]", RUNTIMES.join(", "))
}

fn check_runtime(runtime: &str) -> Result<(), ApiError> {
    if RETIRED_RUNTIMES.contains(&runtime) {
        return Err(invalid_parameter(format!(
            "The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. \
             We recommend you use a supported runtime while creating or updating functions."
        )));
    }
    if RUNTIMES.contains(&runtime) || NEWER_RUNTIMES.contains(&runtime) {
        return Ok(());
    }
    Err(invalid_parameter(format!(
        "Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: {} or be a \
         valid ARN",
        runtimes_listed()
    )))
}

fn read_environment(input: Members<'_>, config: &mut Config) -> Result<(), ApiError> {
    let Some(environment) = input.object("Environment")? else { return Ok(()) };
    let variables = environment.text_map("Variables")?.unwrap_or_default();
    check_names(&variables)?;
    let text = json!(variables).to_string();
    if text.len() > ENVIRONMENT_BYTES {
        return Err(invalid_parameter(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have \
             provided exceeded the 4KB limit. String measured: {text}"
        )));
    }
    config.environment = Some(variables);
    Ok(())
}

/// A variable's name begins with a letter and is at least two long [Environment]; what the runtime sets itself is
/// reserved. AWS shows no values.
fn check_names(variables: &BTreeMap<String, String>) -> Result<(), ApiError> {
    let is_name = |name: &String| {
        let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        name.len() > 1 && is_word && name.starts_with(|c: char| c.is_ascii_alphabetic())
    };
    let mut violations = Violations::default();
    if !variables.keys().all(is_name) {
        violations.add_secret_map(
            "environment.variables",
            "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: \
             [a-zA-Z]([a-zA-Z0-9_])+]",
        );
    }
    violations.check()?;
    let is_reserved = |name: &&str| RESERVED_VARIABLES.contains(name);
    let reserved: Vec<&str> = variables.keys().map(String::as_str).filter(is_reserved).collect();
    if reserved.is_empty() {
        return Ok(());
    }
    Err(invalid_parameter(format!(
        "Lambda was unable to configure your environment variables because the environment variables you have provided \
         contains reserved keys that are currently not supported for modification. Reserved keys used in this request: {}",
        reserved.join(", ")
    )))
}

fn read_dead_letters(place: &Place, input: Members<'_>, config: &mut Config) -> Result<(), ApiError> {
    let Some(dead_letter) = input.object("DeadLetterConfig")? else { return Ok(()) };
    let target = dead_letter.text("TargetArn")?.filter(|target| !target.is_empty());
    let is_target = |arn: &str| {
        arn.starts_with("arn:aws:sns:") || MappingSource::of_arn(place, arn).is_some_and(|source| source.is_queue())
    };
    if let Some(arn) = target.filter(|arn| !is_target(arn)) {
        return Err(invalid_parameter(format!("The provided TargetArn {arn} is invalid.")));
    }
    config.dead_letter_arn = target.map(str::to_owned);
    Ok(())
}

fn read_logging(input: Members<'_>, logging: &mut Logging) -> Result<(), ApiError> {
    let Some(given) = input.object("LoggingConfig")? else { return Ok(()) };
    let format = given.text("LogFormat")?;
    let levels = ["ApplicationLogLevel", "SystemLogLevel"];
    let mut violations = Violations::default();
    violations.one_of(format, "loggingConfig.logFormat", &["JSON", "Text"]);
    let application = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
    violations.one_of(given.text(levels[0])?, "loggingConfig.applicationLogLevel", &application);
    violations.one_of(given.text(levels[1])?, "loggingConfig.systemLogLevel", &["DEBUG", "INFO", "WARN"]);
    violations.check()?;
    if let Some(format) = format {
        format.clone_into(&mut logging.format);
    }
    if let Some(group) = given.text("LogGroup")? {
        logging.group = Some(group.to_owned()).filter(|group| !group.is_empty());
    }
    if logging.format == "Text" && levels.iter().any(|level| given.has(level)) {
        return Err(invalid_parameter(
            "LogLevel is not supported when LogFormat is set to \"Text\". Remove LogLevel from your request or change the \
             LogFormat to \"JSON\" and try again.",
        ));
    }
    // Text has no levels; those of an earlier time do not come back with JSON.
    let kept = |level: Option<String>| level.filter(|_| logging.format == "JSON");
    let old = [kept(logging.application_level.take()), kept(logging.system_level.take())];
    let [application, system] = old;
    logging.application_level = given.text(levels[0])?.map(str::to_owned).or(application);
    logging.system_level = given.text(levels[1])?.map(str::to_owned).or(system);
    Ok(())
}

fn read_snap_start(input: Members<'_>, config: &mut Config) -> Result<(), ApiError> {
    let Some(given) = input.object("SnapStart")? else { return Ok(()) };
    let apply_on = given.text("ApplyOn")?;
    let mut violations = Violations::default();
    violations.one_of(apply_on, "snapStart.applyOn", &["PublishedVersions", "None"]);
    violations.check()?;
    config.is_snap_started = apply_on == Some("PublishedVersions");
    if config.is_snap_started && !can_snap_start(config) {
        let what = if config.package_type == "Zip" { &*config.runtime } else { "ContainerImage" };
        return Err(invalid_parameter(format!("{what} is not supported for SnapStart enabled functions.")));
    }
    Ok(())
}

/// Java from 11 on, Python from 3.12 on and .NET from 8 on, out of packages [Lambda SnapStart].
fn can_snap_start(config: &Config) -> bool {
    let from = |family: &str, least: u32| {
        let number = config.runtime.strip_prefix(family).map(|rest| rest.split('.').next().unwrap_or(rest));
        number.and_then(|number| number.parse::<u32>().ok()).is_some_and(|number| number >= least)
    };
    config.package_type == "Zip" && (from("java", 11) || from("python3.", 12) || from("dotnet", 8))
}

/// Ids of subnets or security groups: a prefix and letters and digits, of which `class` says which.
fn check_ids(violations: &mut Violations, ids: &[&str], member: &str, prefix: &str, class: &str) {
    let is_letter =
        |b: u8| b.is_ascii_digit() || b.is_ascii_lowercase() || (b.is_ascii_uppercase() && class.contains('A'));
    let is_id = |id: &&str| id.strip_prefix(prefix).is_some_and(|rest| rest.bytes().all(is_letter));
    if !ids.iter().all(is_id) {
        let constraint = format!(
            "satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater \
             than or equal to 0, Member must satisfy regular expression pattern: {prefix}[{class}]*]"
        );
        violations.add(&format!("'[{}]'", ids.join(", ")), member, &constraint);
    }
}

/// Members that change nothing in the engine, in the form in which they are answered.
fn read_echoed(input: Members<'_>, echoed: &mut BTreeMap<String, Value>) -> Result<(), ApiError> {
    let mut put = |name: &str, value: Option<Value>| match value {
        Some(value) => echoed.insert(name.to_owned(), value),
        None => echoed.remove(name),
    };
    if let Some(vpc) = input.object("VpcConfig")? {
        let subnets = vpc.texts("SubnetIds")?.unwrap_or_default();
        let groups = vpc.texts("SecurityGroupIds")?.unwrap_or_default();
        let mut violations = Violations::default();
        check_ids(&mut violations, &subnets, "vpcConfig.subnetIds", "subnet-", "0-9a-z");
        check_ids(&mut violations, &groups, "vpcConfig.securityGroupIds", "sg-", "0-9a-zA-Z");
        violations.check()?;
        let id = subnets.first().map_or_else(String::new, |subnet| subnet.replacen("subnet", "vpc", 1));
        let ipv6 = vpc.flag("Ipv6AllowedForDualStack")?.unwrap_or(false);
        let shown = json!({
            "SubnetIds": subnets, "SecurityGroupIds": groups, "VpcId": id, "Ipv6AllowedForDualStack": ipv6,
        });
        put("VpcConfig", Some(shown));
    }
    if let Some(image) = input.object("ImageConfig")? {
        let shown = json!({"ImageConfig": Value::Object(image.0.clone())});
        put("ImageConfigResponse", Some(shown).filter(|_| !image.0.is_empty()));
    }
    if let Some(systems) = input.0.get("FileSystemConfigs").and_then(Value::as_array) {
        put("FileSystemConfigs", Some(json!(systems)).filter(|_| !systems.is_empty()));
    }
    if let Some(key) = input.text("KMSKeyArn")? {
        put("KMSKeyArn", Some(json!(key)).filter(|_| !key.is_empty()));
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
