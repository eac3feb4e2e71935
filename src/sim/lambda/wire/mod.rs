//! Lambda's operations as a client calls them: input read and checked, typed functions called, answers put together.

mod abroad;
mod alias;
mod configuration;
mod event_config;
mod function;
mod input;
mod invoke;
mod layer;
mod mapping;
mod policy;
mod provisioned;
mod resource_policy;
mod signing;
mod tag;
mod url;
mod version;

#[cfg(test)]
mod abroad_tests;
#[cfg(test)]
mod layer_tests;
#[cfg(test)]
mod mapping_tests;
#[cfg(test)]
mod setting_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod version_tests;

use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::lambda::Lambda;
use crate::sim::rate::TokenBucket;
use crate::sim::wire::{Call, Reply, unknown_operation};
use crate::sim::world::World;
use bytes::Bytes;
use input::Members;
use serde_json::{Map, Value};

/// What a path and its query say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub operation: &'static str,
    /// The function's name, the mapping's UUID or the tagged ARN; empty where the path has none.
    pub target: String,
    /// What else the path names: an alias, or a statement.
    pub part: String,
    /// The version's number in a layer's path; empty in all others.
    pub number: String,
    pub query: Vec<(String, String)>,
}

impl Route {
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a parameter that may be repeated.
    pub fn parameters<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.query.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    fn integer(&self, name: &str) -> Result<Option<i64>, ApiError> {
        let wrong = || crate::sim::wire::serialization_error(format!("{name} can not be converted to an Integer"));
        self.parameter(name).map(|text| text.parse().map_err(|_| wrong())).transpose()
    }
}

/// An answer with its own status and headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Bytes,
}

impl Answer {
    fn json(status: u16, value: &Value) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::from(value.to_string()) }
    }

    fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }
}

/// Answers one request. Errors carry Lambda's codes and texts.
pub fn answer(world: &mut World, call: &mut Call, route: &Route) -> Result<Reply<Answer>, ApiError> {
    if abroad::leaves(world, call, route) || mapping::looks_abroad(world, call, route) {
        return Ok(Reply::Later(world.now));
    }
    abroad::judge(world, call, route)?;
    match route.operation {
        "Invoke" => return invoke::invoke(world, call, route),
        "InvokeWithResponseStream" => return invoke::invoke_with_stream(world, call, route),
        "InvokeAsync" => return invoke::invoke_async(world, call, route),
        _ => {}
    }
    let (lambda, cx) = world.lambda_cx();
    lambda.control.admit(&cx, route.operation)?;
    let members = parse(&call.request.body)?;
    let input = Members(&members);
    let answer = match route.operation {
        "CreateFunction" => function::create(world, input),
        "GetFunction" => function::get(world, route),
        "GetFunctionConfiguration" => function::get_configuration(world, route),
        "ListFunctions" => function::list(world, route),
        "DeleteFunction" => function::delete(world, route),
        "UpdateFunctionConfiguration" => function::update_configuration(world, route, input),
        "UpdateFunctionCode" => function::update_code(world, route, input),
        "PutFunctionConcurrency" => function::put_concurrency(world, route, input),
        "GetFunctionConcurrency" => function::get_concurrency(world, route),
        "DeleteFunctionConcurrency" => function::delete_concurrency(world, route),
        "GetFunctionRecursionConfig" => function::get_recursion(world, route),
        "PutFunctionRecursionConfig" => function::put_recursion(world, route, input),
        "GetRuntimeManagementConfig" => version::get_runtime_updates(world, route),
        "PutRuntimeManagementConfig" => version::put_runtime_updates(world, route, input),
        "GetAccountSettings" => Ok(function::account_settings(&world.lambda)),
        _ => return qualified(world, call, route, input).map(Reply::Done),
    };
    answer.map(Reply::Done)
}

/// The operations on versions, aliases and what is set on them, on tags, and on mappings.
fn qualified(world: &mut World, call: &Call, route: &Route, input: Members<'_>) -> Result<Answer, ApiError> {
    match route.operation {
        "PublishVersion" => version::publish(world, route, input),
        "ListVersionsByFunction" => version::list(world, route),
        "CreateAlias" => alias::create(world, route, input),
        "GetAlias" => alias::get(world, route),
        "UpdateAlias" => alias::update(world, route, input),
        "DeleteAlias" => alias::delete(world, route),
        "ListAliases" => alias::list(world, route),
        "PutProvisionedConcurrencyConfig" => provisioned::put(world, route, input),
        "ListProvisionedConcurrencyConfigs" => provisioned::list(world, route),
        "GetProvisionedConcurrencyConfig" => provisioned::get(world, route),
        "DeleteProvisionedConcurrencyConfig" => provisioned::delete(world, route),
        "PutFunctionEventInvokeConfig" => event_config::put(world, route, input),
        "UpdateFunctionEventInvokeConfig" => event_config::update(world, route, input),
        "GetFunctionEventInvokeConfig" => event_config::get(world, route),
        "DeleteFunctionEventInvokeConfig" => event_config::delete(world, route),
        "ListFunctionEventInvokeConfigs" => event_config::list(world, route),
        "AddPermission" => policy::add(world, route, input),
        "RemovePermission" => policy::remove(world, route),
        "GetPolicy" => policy::get(world, route),
        "PutResourcePolicy" => resource_policy::put(world, route, input),
        "GetResourcePolicy" => resource_policy::get(world, route),
        "DeleteResourcePolicy" => resource_policy::delete(world, route),
        "CreateFunctionUrlConfig" => url::create(world, route, input),
        "GetFunctionUrlConfig" => url::get(world, route),
        "UpdateFunctionUrlConfig" => url::update(world, route, input),
        "DeleteFunctionUrlConfig" => url::delete(world, route),
        "ListFunctionUrlConfigs" => url::list(world, route),
        "TagResource" => tag::tag(world, route, input),
        "UntagResource" => tag::untag(world, route),
        "ListTags" => tag::list(world, route),
        "CreateEventSourceMapping" => mapping::create(world, call, input),
        "ListEventSourceMappings" => mapping::list(world, route),
        "GetEventSourceMapping" => mapping::get(world, route),
        "UpdateEventSourceMapping" => mapping::update(world, route, input),
        "DeleteEventSourceMapping" => mapping::delete(world, route),
        _ => shared(world, route, input),
    }
}

/// The operations on layers and code signing configurations, which functions share.
fn shared(world: &mut World, route: &Route, input: Members<'_>) -> Result<Answer, ApiError> {
    match route.operation {
        "PublishLayerVersion" => layer::publish(world, route, input),
        "ListLayers" => layer::list(world, route),
        "ListLayerVersions" => layer::list_versions(world, route),
        "GetLayerVersion" => layer::get(world, route),
        "GetLayerVersionByArn" => layer::get_by_arn(world, route),
        "DeleteLayerVersion" => layer::delete(world, route),
        "AddLayerVersionPermission" => layer::add_permission(world, route, input),
        "GetLayerVersionPolicy" => layer::get_policy(world, route),
        "RemoveLayerVersionPermission" => layer::remove_permission(world, route),
        "CreateCodeSigningConfig" => signing::create(world, input),
        "GetCodeSigningConfig" => signing::get(world, route),
        "UpdateCodeSigningConfig" => signing::update(world, route, input),
        "DeleteCodeSigningConfig" => signing::delete(world, route),
        "ListCodeSigningConfigs" => signing::list(world, route),
        "ListFunctionsByCodeSigningConfig" => signing::list_functions(world, route),
        "PutFunctionCodeSigningConfig" => signing::put_function(world, route, input),
        "GetFunctionCodeSigningConfig" => signing::get_function(world, route),
        "DeleteFunctionCodeSigningConfig" => signing::delete_function(world, route),
        _ => Err(unknown_operation()),
    }
}

/// One page of a list: from the key that the marker names on, at most `most` (MaxItems bounds it further). Answers
/// the entries and the next marker. Keys rise.
fn page<T>(
    route: &Route,
    most: i64,
    entries: impl Iterator<Item = (String, T)>,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let wanted = route.integer("MaxItems")?;
    let mut violations = input::Violations::default();
    violations.range(wanted, "maxItems", 1, if most == 50 { 50 } else { 10_000 });
    violations.check()?;
    let marker = route.parameter("Marker").filter(|marker| !marker.is_empty());
    let from = marker.map(Lambda::read_marker).transpose()?;
    let mut rest = entries.skip_while(|(key, _)| from.as_ref().is_some_and(|from| key != from));
    let page = rest.by_ref().take(wanted.unwrap_or(most).min(most) as usize).map(|(_, entry)| entry).collect();
    Ok((page, rest.next().map(|(key, _)| Lambda::marker(&key))))
}

/// The body as a JSON object; an empty one counts as `{}`.
fn parse(body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(crate::sim::wire::serialization_error("Start of structure or map found where not expected.")),
        Err(_) => Err(ApiError::client("InvalidRequestContentException", "Could not parse request body into json")),
    }
}

/// The control plane's published rates: 100 a second for GetFunction, 15 a second for all others together
/// [Lambda quotas].
#[derive(Debug, Default)]
pub struct ControlRates {
    get_function: Option<TokenBucket>,
    others: Option<TokenBucket>,
}

impl ControlRates {
    fn admit(&mut self, cx: &Cx<'_>, operation: &str) -> Result<(), ApiError> {
        let (bucket, per_second) = match operation {
            "GetFunction" => (&mut self.get_function, 100.0),
            _ => (&mut self.others, 15.0),
        };
        let bucket = bucket.get_or_insert_with(|| TokenBucket::new(per_second, per_second, cx.now));
        if !cx.place.limits || bucket.take(1.0, cx.now) {
            return Ok(());
        }
        let error = ApiError::client("TooManyRequestsException", "Rate exceeded").with_status(429);
        Err(error.with_member("Reason", "CallerRateLimitExceeded"))
    }
}

impl Lambda {
    /// The text that goes on a list after this key.
    fn marker(key: &str) -> String {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.encode(key)
    }

    /// The key of a list's marker; a marker that no list gave out is an InvalidParameterValueException.
    fn read_marker(marker: &str) -> Result<String, ApiError> {
        use base64::Engine;
        let bytes = base64::engine::general_purpose::STANDARD.decode(marker).ok();
        let key = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        key.ok_or_else(|| super::function::invalid_parameter("Invalid Marker"))
    }
}
