//! The operations on functions and their concurrency.

use super::configuration::{self, show, show_listed};
use super::input::{FunctionRef, Members, Violations};
use super::{Answer, Route};
use crate::sim::error::ApiError;
use crate::sim::lambda::Lambda;
use crate::sim::lambda::behaviour::Behaviour;
use crate::sim::lambda::environment::ACCOUNT_CONCURRENCY;
use crate::sim::lambda::function::{
    Config, Function, conflict, function_not_found, invalid_parameter, revision_mismatch, without_type,
};
use crate::sim::lambda::version::{Phase, Qualifier, Version, VersionNumber};
use crate::sim::world::World;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Functions on one page, at most [ListFunctions].
const PAGE: i64 = 50;
/// A package that is uploaded with the request [Lambda quotas].
const ZIPPED_BYTES: usize = 52_428_800;
/// Tags of one resource, at most [Lambda tags].
pub const TAGS_MAX: usize = 50;

fn named<'w>(world: &'w World, name: &str) -> Result<&'w Function, ApiError> {
    world.lambda.named(name).ok_or_else(|| function_not_found(name))
}

/// One version under the ARN with a qualifier.
fn shown(world: &World, name: &str, number: VersionNumber, qualifier: &Qualifier) -> Result<Value, ApiError> {
    let function = named(world, name)?;
    let version = function.version(number).ok_or_else(|| function_not_found(&function.arn))?;
    Ok(show(&world.place, world.now, function, version, qualifier))
}

/// Bytes of a package's files together (Lambda "Quotas").
const UNZIPPED_BYTES_MAX: u64 = 262_144_000;

/// What the directory at a package's end says its files have together; `None` where there is no such directory (APPNOTE,
/// sections 4.3.12 and 4.3.16).
fn unzipped_bytes(zip: &[u8]) -> Option<u64> {
    const END: &[u8] = b"PK\x05\x06";
    const ENTRY: &[u8] = b"PK\x01\x02";
    let short = |bytes: &[u8], at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let long = |bytes: &[u8], at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let end = zip.windows(END.len()).rposition(|window| window == END)?;
    let mut rest = zip.get(usize::try_from(long(zip, end + 16)?).ok()?..end)?;
    let mut sum = 0;
    while rest.starts_with(ENTRY) {
        sum += u64::from(long(rest, 24)?);
        let texts = [28, 30, 32].map(|at| short(rest, at).map(usize::from));
        rest = rest.get(46 + texts[0]? + texts[1]? + texts[2]?..)?;
    }
    Some(sum)
}

/// The package of CreateFunction's `Code` or of UpdateFunctionCode's own members. What lies in S3 stands for itself
/// by its address, since the code is never run.
pub fn package(code: Members<'_>) -> Result<Vec<u8>, ApiError> {
    if let Some(zip) = code.text("ZipFile")? {
        let bytes = STANDARD.decode(zip).map_err(|_| crate::sim::wire::serialization_error(""))?;
        if bytes.len() > ZIPPED_BYTES {
            let message = format!("Zipped size must be smaller than {ZIPPED_BYTES} bytes");
            let error = ApiError::client("RequestEntityTooLargeException", message).with_status(413);
            return Err(without_type(error));
        }
        if bytes.is_empty() {
            return Err(invalid_parameter("Uploaded file must be a non-empty zip"));
        }
        if !bytes.starts_with(b"PK") {
            return Err(invalid_parameter(
                "Could not unzip uploaded file. Please check your file, then try to upload again.",
            ));
        }
        if unzipped_bytes(&bytes).is_some_and(|unzipped| unzipped > UNZIPPED_BYTES_MAX) {
            return Err(invalid_parameter(format!("Unzipped size must be smaller than {UNZIPPED_BYTES_MAX} bytes")));
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
    let package_type = input.text("PackageType")?;
    violations.one_of(package_type, "packageType", &["Zip", "Image"]);
    let architecture = read_architecture(input, &mut violations)?;
    violations.check()?;
    let asked = input.text("FunctionName")?.unwrap_or_default();
    let (name, _) = FunctionRef::parse_for(world, asked, "CreateFunction")?.named(None)?;
    let mut config = Config { handler: String::new(), runtime: "".into(), ..Config::default() };
    config.package_type = package_type.unwrap_or("Zip").to_owned();
    config.architecture = architecture.unwrap_or("x86_64").to_owned();
    let tags = input.text_map("Tags")?.unwrap_or_default();
    configuration::read(world, input, &mut config)?;
    if config.package_type == "Zip" && (config.runtime.is_empty() || config.handler.is_empty()) {
        return Err(invalid_parameter(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
        ));
    }
    if config.package_type == "Image" {
        check_image(input)?;
    }
    if tags.len() > TAGS_MAX {
        return Err(invalid_parameter("Number of tags exceeds resource tag limit."));
    }
    let package = match input.object("Code")? {
        Some(code) => {
            config.image_uri = code.text("ImageUri")?.map(str::to_owned);
            package(code)?
        }
        None => Vec::new(),
    };
    let publishes = input.flag("Publish")? == Some(true);
    let signing_config = input.text("CodeSigningConfigArn")?.map(str::to_owned);
    if let Some(arn) = &signing_config {
        super::signing::check_known(world, arn)?;
    }
    let (lambda, mut cx) = world.lambda_cx();
    lambda.create_function(&mut cx, &name, config, &package, Behaviour::default())?;
    if let Some(function) = lambda.named_mut(&name) {
        function.tags = tags;
        function.signing_config = signing_config;
    }
    let published = publishes.then(|| lambda.publish_version(&mut cx, &name, None)).flatten();
    let number = published.unwrap_or(VersionNumber::LATEST);
    Ok(Answer::json(201, &shown(world, &name, number, &Qualifier::Unqualified)?))
}

/// An image brings what a package is told to run, and is told by its address.
fn check_image(input: Members<'_>) -> Result<(), ApiError> {
    if input.has("Handler") || input.has("Runtime") || input.has("Layers") {
        return Err(invalid_parameter(
            "Please don't provide Handler or Runtime or Layer when the intent is to create a function with PackageType \
             Image.",
        ));
    }
    match input.object("Code")?.map(|code| code.text("ImageUri")).transpose()?.flatten() {
        Some(_) => Ok(()),
        None => Err(invalid_parameter("Please provide ImageUri when creating a function with packageType Image.")),
    }
}

/// The one architecture that a function has.
fn read_architecture<'a>(input: Members<'a>, violations: &mut Violations) -> Result<Option<&'a str>, ApiError> {
    let Some(list) = input.texts("Architectures")? else { return Ok(None) };
    let value = format!("'[{}]'", list.join(", "));
    if list.len() > 1 {
        violations.add(&value, "architectures", "have length less than or equal to 1");
    } else if list.iter().any(|name| !["x86_64", "arm64"].contains(name)) {
        violations.add(
            &value,
            "architectures",
            "satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]",
        );
    }
    Ok(list.first().copied())
}

pub fn get(world: &World, route: &Route) -> Result<Answer, ApiError> {
    let (name, qualifier) = FunctionRef::of(world, route)?.resolve(world, route.parameter("Qualifier"))?;
    let function = named(world, &name)?;
    let version = function.qualified(&qualifier).ok_or_else(|| function_not_found(&function.arn))?;
    let code = if version.config.package_type == "Zip" {
        let location = format!(
            "https://awslambda-{0}-tasks.s3.{0}.amazonaws.com/snapshots/{1}/{name}-{2}",
            world.place.region,
            world.place.account,
            version.revision(world.now).text()
        );
        json!({"RepositoryType": "S3", "Location": location})
    } else {
        let uri = version.config.image_uri.as_deref().unwrap_or_default();
        let repository = uri.split_once('@').map_or(uri, |(repository, _)| repository);
        let repository = repository.rsplit_once(':').map_or(repository, |(repository, _)| repository);
        json!({
            "RepositoryType": "ECR",
            "ImageUri": uri,
            "ResolvedImageUri": format!("{repository}@sha256:{}", version.code.sha256),
        })
    };
    let mut value = json!({
        "Configuration": show(&world.place, world.now, function, version, &qualifier),
        "Code": code,
    });
    if let Some(reserved) = function.reserved {
        value["Concurrency"] = json!({"ReservedConcurrentExecutions": reserved});
    }
    if !function.tags.is_empty() {
        value["Tags"] = json!(function.tags);
    }
    Ok(Answer::json(200, &value))
}

pub fn get_configuration(world: &World, route: &Route) -> Result<Answer, ApiError> {
    let (name, qualifier) = FunctionRef::of(world, route)?.resolve(world, route.parameter("Qualifier"))?;
    let function = named(world, &name)?;
    let version = function.qualified(&qualifier).ok_or_else(|| function_not_found(&function.arn))?;
    Ok(Answer::json(200, &show(&world.place, world.now, function, version, &qualifier)))
}

/// A list's place: a function's name and, where all versions are listed, the version.
fn read_place(marker: &str) -> Result<(String, u32), ApiError> {
    let key = Lambda::read_marker(marker)?;
    let (name, version) = key.split_once(':').unwrap_or((&key, "0"));
    let version = version.parse().map_err(|_| invalid_parameter("Invalid Marker"))?;
    Ok((name.to_owned(), version))
}

pub fn list(world: &World, route: &Route) -> Result<Answer, ApiError> {
    let most = route.integer("MaxItems")?;
    let mut violations = Violations::default();
    violations.range(most, "maxItems", 1, 10_000);
    violations.one_of(route.parameter("FunctionVersion"), "functionVersion", &["ALL"]);
    violations.check()?;
    let lists_all = route.parameter("FunctionVersion").is_some();
    let page = most.unwrap_or(PAGE).min(PAGE) as usize;
    let after = route.parameter("Marker").filter(|m| !m.is_empty()).map(read_place).transpose()?;
    let from = after.as_ref().map(|(name, _)| name.as_str()).unwrap_or_default();
    let versions = |function| -> Box<dyn Iterator<Item = (&Function, &Version)>> {
        let function: &Function = function;
        let published = function.versions.values().filter(move |_| lists_all);
        Box::new(std::iter::once(&function.latest).chain(published).map(move |version| (function, version)))
    };
    let is_after = |(function, version): &(&Function, &Version)| {
        after.as_ref().is_none_or(|(name, number)| (&function.name, version.number.0) > (name, *number))
    };
    let found: Vec<(&Function, &Version)> =
        world.lambda.functions_from(from).flat_map(versions).filter(is_after).take(page + 1).collect();
    let listed: Vec<Value> = found
        .iter()
        .take(page)
        .map(|(function, version)| {
            let qualifier = if lists_all { Qualifier::Version(version.number) } else { Qualifier::Unqualified };
            show_listed(&world.place, world.now, function, version, &qualifier)
        })
        .collect();
    let last = (found.len() > page).then(|| found.get(page - 1)).flatten();
    let next = last.map(|(function, version)| Lambda::marker(&format!("{}:{}", function.name, version.number.0)));
    Ok(Answer::json(200, &json!({"Functions": listed, "NextMarker": next})))
}

pub fn delete(world: &mut World, route: &Route) -> Result<Answer, ApiError> {
    let (name, qualifier) = FunctionRef::of(world, route)?.named(route.parameter("Qualifier"))?;
    if world.lambda.named(&name).is_none() {
        let arn = world.place.arn("lambda", &format!("function:{name}"));
        return Err(function_not_found(&qualifier.arn(&arn)));
    }
    if qualifier == Qualifier::Unqualified {
        world.lambda.delete_function(&name).ok_or_else(|| function_not_found(&name))?;
    } else {
        world.lambda.delete_version(&name, &qualifier)?;
    }
    Ok(Answer::empty(204))
}

/// The optimistic lock of the updates.
pub fn check_revision(world: &World, name: &str, input: Members<'_>) -> Result<(), ApiError> {
    match input.text("RevisionId")? {
        Some(revision) if revision != named(world, name)?.latest.revision(world.now).text() => Err(revision_mismatch()),
        _ => Ok(()),
    }
}

/// One change of a function at a time. Errors: `ResourceConflictException` while an update settles.
pub fn check_settled(world: &World, name: &str) -> Result<(), ApiError> {
    let function = named(world, name)?;
    if function.latest.phase(world.now) != Phase::Updating {
        return Ok(());
    }
    Err(conflict(format!(
        "The operation cannot be performed at this time. An update is in progress for resource: {}",
        function.arn
    )))
}

pub fn update_configuration(world: &mut World, route: &Route, input: Members<'_>) -> Result<Answer, ApiError> {
    let name = FunctionRef::of(world, route)?.whole(world)?;
    let mut config = named(world, &name)?.latest.config.clone();
    configuration::read(world, input, &mut config)?;
    check_revision(world, &name, input)?;
    check_settled(world, &name)?;
    let (lambda, mut cx) = world.lambda_cx();
    lambda.configure(&mut cx, &name, config);
    Ok(Answer::json(200, &shown(world, &name, VersionNumber::LATEST, &Qualifier::Unqualified)?))
}

pub fn update_code(world: &mut World, route: &Route, input: Members<'_>) -> Result<Answer, ApiError> {
    let mut violations = Violations::default();
    let architecture = read_architecture(input, &mut violations)?;
    let name = violations.check_with(FunctionRef::of(world, route))?.whole(world)?;
    check_revision(world, &name, input)?;
    let latest = &named(world, &name)?.latest;
    let is_zip = latest.config.package_type == "Zip";
    if is_zip && input.has("ImageUri") {
        return Err(invalid_parameter("Please don't provide ImageUri when updating a function with packageType Zip."));
    }
    if !is_zip && ["ZipFile", "S3Bucket", "S3Key"].iter().any(|member| input.has(member)) {
        return Err(invalid_parameter("Please provide ImageUri when updating a function with packageType Image."));
    }
    let package = package(input)?;
    if input.flag("DryRun")? == Some(true) {
        return Ok(Answer::json(200, &shown(world, &name, VersionNumber::LATEST, &Qualifier::Unqualified)?));
    }
    check_settled(world, &name)?;
    let behaviour = latest.behaviour.clone();
    let publishes = input.flag("Publish")? == Some(true);
    let image = input.text("ImageUri")?;
    let (lambda, mut cx) = world.lambda_cx();
    if let Some(function) = lambda.named_mut(&name) {
        let config = &mut function.latest.config;
        config.image_uri = image.map(str::to_owned);
        config.architecture = architecture.map_or_else(|| config.architecture.clone(), str::to_owned);
    }
    lambda.deploy(&mut cx, &name, &package, behaviour);
    let published = publishes.then(|| lambda.publish_version(&mut cx, &name, None)).flatten();
    let number = published.unwrap_or(VersionNumber::LATEST);
    let qualifier = published.map_or(Qualifier::Unqualified, Qualifier::Version);
    Ok(Answer::json(200, &shown(world, &name, number, &qualifier)?))
}

pub fn put_concurrency(world: &mut World, route: &Route, input: Members<'_>) -> Result<Answer, ApiError> {
    let reserved = input.integer("ReservedConcurrentExecutions")?;
    let mut violations = Violations::default();
    if reserved.is_none() {
        violations.missing("reservedConcurrentExecutions");
    }
    violations.range(reserved, "reservedConcurrentExecutions", 0, i64::from(i32::MAX));
    let reference = violations.check_with(FunctionRef::of(world, route))?;
    // AWS names the unpublished version here, and here alone.
    let latest = Qualifier::Version(VersionNumber::LATEST);
    let latest_arn = latest.arn(&world.place.arn("lambda", &format!("function:{}", reference.name)));
    let name = reference.whole(world).map_err(|error| match error.status {
        404 => function_not_found(&latest_arn),
        _ => error,
    })?;
    let reserved = reserved.and_then(|value| u32::try_from(value).ok());
    world.lambda.set_reserved_concurrency(&name, reserved)?;
    Ok(Answer::json(200, &json!({"ReservedConcurrentExecutions": reserved})))
}

pub fn get_concurrency(world: &World, route: &Route) -> Result<Answer, ApiError> {
    let name = FunctionRef::of(world, route)?.whole(world)?;
    Ok(Answer::json(
        200,
        &match named(world, &name)?.reserved {
            Some(reserved) => json!({"ReservedConcurrentExecutions": reserved}),
            None => json!({}),
        },
    ))
}

pub fn delete_concurrency(world: &mut World, route: &Route) -> Result<Answer, ApiError> {
    let name = FunctionRef::of(world, route)?.whole(world)?;
    world.lambda.set_reserved_concurrency(&name, None)?;
    Ok(Answer::empty(204))
}

/// Whether AWS stops the function when it calls itself through queues and topics: `Terminate` or `Allow`.
pub fn get_recursion(world: &World, route: &Route) -> Result<Answer, ApiError> {
    let name = FunctionRef::of(world, route)?.whole(world)?;
    let word = if named(world, &name)?.allows_recursion { "Allow" } else { "Terminate" };
    Ok(Answer::json(200, &json!({ "RecursiveLoop": word })))
}

pub fn put_recursion(world: &mut World, route: &Route, input: Members<'_>) -> Result<Answer, ApiError> {
    let name = FunctionRef::of(world, route)?.whole(world)?;
    let word = input.text("RecursiveLoop")?;
    let mut violations = Violations::default();
    if word.is_none() {
        violations.missing("recursiveLoop");
    }
    violations.one_of(word, "recursiveLoop", &["Terminate", "Allow"]);
    violations.check()?;
    if let Some(function) = world.lambda.named_mut(&name) {
        function.allows_recursion = word == Some("Allow");
    }
    Ok(Answer::json(200, &json!({ "RecursiveLoop": word })))
}

pub fn account_settings(lambda: &Lambda) -> Answer {
    let stored = |f: &Function| -> u64 {
        f.latest.code.size_bytes + f.versions.values().map(|version| version.code.size_bytes).sum::<u64>()
    };
    let layers = lambda.layers().flat_map(|(_, layer)| layer.versions.values());
    let layered: u64 = layers.map(|version| version.code.size_bytes).sum();
    let (count, size) = lambda.functions().fold((0_u64, 0), |(n, size), f| (n + 1, size + stored(f)));
    Answer::json(
        200,
        &json!({
            "AccountLimit": {
                "TotalCodeSize": 80_530_636_800_u64,
                "CodeSizeUnzipped": 262_144_000,
                "CodeSizeZipped": ZIPPED_BYTES,
                "ConcurrentExecutions": ACCOUNT_CONCURRENCY,
                "UnreservedConcurrentExecutions": lambda.unreserved_concurrency(),
            },
            "AccountUsage": {"TotalCodeSize": size + layered, "FunctionCount": count},
        }),
    )
}
