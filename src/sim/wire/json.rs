//! awsJson 1.0 and 1.1: one path, the operation in `X-Amz-Target`, JSON in and out.

use crate::sim::error::ApiError;
use crate::sim::wire::{self, Call, Reply, Response, Service};
use crate::sim::world::World;
use bytes::Bytes;
use serde_json::Value;

/// Answers a request whose `X-Amz-Target` header is `target`.
pub fn handle(world: &mut World, call: &mut Call, target: &str) -> Reply<Response> {
    let (prefix, operation) = target.rsplit_once('.').unwrap_or((target, ""));
    // Some SDKs write the target's package before the name, some do not.
    let name = prefix.rsplit('.').next().unwrap_or(prefix);
    let Some(service) = Service::of_target(name) else {
        let body = r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#;
        let headers = vec![
            ("content-type".to_owned(), "application/x-amz-json-1.1".to_owned()),
            ("x-amzn-requestid".to_owned(), wire::request_id(world)),
        ];
        wire::note_unknown(world, "");
        return Reply::Done(Response { status: 400, headers, body: Bytes::from_static(body.as_bytes()) });
    };
    let request_id = wire::request_id(world);
    let input = parse(&call.request.body);
    match wire::answer(world, call, service, operation, input) {
        Ok(Reply::Later(at)) => Reply::Later(at),
        Ok(Reply::Done(value)) => Reply::Done(frame(service, &request_id, 200, &value, vec![])),
        Err(error) => Reply::Done(error_response(service, &request_id, &error)),
    }
}

fn error_response(service: Service, request_id: &str, error: &ApiError) -> Response {
    let mut headers: Vec<_> = error.headers.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
    headers.extend(wire::query_error_header(service, error));
    frame(service, request_id, error.status, &wire::error_value(service, error), headers)
}

/// Operations without an answer (`null`) have an empty body, as Kinesis's PutRecord-like controls do.
fn frame(
    service: Service,
    request_id: &str,
    status: u16,
    value: &Value,
    mut headers: Vec<(String, String)>,
) -> Response {
    let version = service.json_version();
    headers.push(("content-type".into(), format!("application/x-amz-json-{version}")));
    headers.push(("x-amzn-requestid".into(), request_id.to_owned()));
    let body = if value.is_null() { Bytes::new() } else { Bytes::from(value.to_string()) };
    Response { status, headers, body }
}

/// The body as a JSON object. An empty body counts as `{}`, as clients send it for operations without input.
fn parse(body: &[u8]) -> Result<Value, ApiError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(Value::Object(members)),
        Ok(_) => Err(wire::serialization_error("Start of structure or map found where not expected.")),
        Err(_) => Err(wire::serialization_error("")),
    }
}
