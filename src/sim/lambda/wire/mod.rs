//! Lambda's operations as a client calls them: input read and checked, typed functions called, answers put together.

mod function;
mod input;
mod invoke;
mod mapping;

#[cfg(test)]
mod tests;

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
    /// The function's name, or the mapping's UUID; empty where the path has none.
    pub target: String,
    pub query: Vec<(String, String)>,
}

impl Route {
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
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
    match route.operation {
        "Invoke" => return invoke::invoke(world, call, route),
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
        "GetAccountSettings" => Ok(function::account_settings(&world.lambda)),
        "CreateEventSourceMapping" => mapping::create(world, input),
        "ListEventSourceMappings" => mapping::list(world, route),
        "GetEventSourceMapping" => mapping::get(world, route),
        "UpdateEventSourceMapping" => mapping::update(world, route, input),
        "DeleteEventSourceMapping" => mapping::delete(world, route),
        _ => Err(unknown_operation()),
    };
    answer.map(Reply::Done)
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
