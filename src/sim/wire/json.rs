//! awsJson 1.0 and 1.1: one path, the operation in `X-Amz-Target`, JSON in and out; and CBOR 1.1, which is the same in
//! another coat.

use crate::sim::error::ApiError;
use crate::sim::wire::cbor::{self, Flavour};
use crate::sim::wire::{self, Call, Reply, Request, Response, Service, event_stream};
use crate::sim::world::World;
use bytes::Bytes;
use flate2::Crc;
use serde_json::Value;

/// What a body is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coat {
    Json,
    Cbor,
}

/// Answers a request whose `X-Amz-Target` header is `target`.
pub fn handle(world: &mut World, call: &mut Call, target: &str) -> Reply<Response> {
    if call.request.method != "POST" {
        return Reply::Done(no_operation(world));
    }
    let Some(coat) = coat(&call.request) else {
        wire::note_unknown(world, "");
        return Reply::Done(wire::unknown_in_xml());
    };
    let (prefix, operation) = target.rsplit_once('.').unwrap_or((target, ""));
    // Some SDKs write the target's package before the name, some do not.
    let name = prefix.rsplit('.').next().unwrap_or(prefix);
    let request_id = wire::request_id(world);
    let Some(service) = Service::of_target(name) else {
        wire::note_unknown(world, "");
        let value = serde_json::json!({ "__type": "com.amazon.coral.service#UnknownOperationException" });
        return Reply::Done(frame("1.1", coat, &request_id, 400, &value, vec![]));
    };
    let input = match coat {
        Coat::Json => parse(&call.request.body),
        Coat::Cbor => parse_cbor(&call.request.body),
    };
    let version = service.json_version();
    match wire::answer(world, call, service, operation, input) {
        Ok(Reply::Later(at)) => Reply::Later(at),
        Ok(Reply::Done(value)) if service.answers_with_events(operation) => {
            Reply::Done(event_stream::head(&call.request, version, request_id, value))
        }
        Ok(Reply::Done(value)) => Reply::Done(checked(service, frame(version, coat, &request_id, 200, &value, vec![]))),
        Err(error) => {
            let mut headers: Vec<_> = error.headers.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
            headers.extend(wire::compatible::query_error_header(service, &error));
            let value = wire::error_value(service, &error);
            let status = wire::compatible::error_status(service, &error, &call.request);
            Reply::Done(checked(service, frame(version, coat, &request_id, status, &value, headers)))
        }
    }
}

/// What the content type says the body is written in; without one it is JSON. `None` for what these protocols are not.
fn coat(request: &Request) -> Option<Coat> {
    let kind = request.header("content-type").unwrap_or_default();
    match kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "" | "application/json" | "application/x-amz-json-1.0" | "application/x-amz-json-1.1" => Some(Coat::Json),
        "application/x-amz-cbor-1.1" => Some(Coat::Cbor),
        _ => None,
    }
}

/// What AWS says to a method that its protocols do not use.
fn no_operation(world: &mut World) -> Response {
    let body = "<AccessDeniedException>\n  <Message>Unable to determine service/operation name to be authorized</Message>\n\
                </AccessDeniedException>\n";
    let headers = vec![("x-amzn-requestid".to_owned(), wire::request_id(world))];
    wire::note_unknown(world, "");
    Response { status: 403, headers, body: Bytes::from_static(body.as_bytes()) }
}

/// DynamoDB's answers carry a checksum of their body, and its clients check it.
fn checked(service: Service, mut response: Response) -> Response {
    if service == Service::DynamoDb {
        let mut crc = Crc::new();
        crc.update(&response.body);
        response.headers.push(("x-amz-crc32".into(), crc.sum().to_string()));
    }
    response
}

/// Operations without an answer (`null`) have an empty body, as Kinesis's PutRecord-like controls do.
fn frame(
    version: &str,
    coat: Coat,
    request_id: &str,
    status: u16,
    value: &Value,
    mut headers: Vec<(String, String)>,
) -> Response {
    let (kind, body) = match coat {
        Coat::Json if value.is_null() => (format!("application/x-amz-json-{version}"), Bytes::new()),
        Coat::Json => (format!("application/x-amz-json-{version}"), written(value)),
        Coat::Cbor if value.is_null() => ("application/x-amz-cbor-1.1".to_owned(), Bytes::new()),
        Coat::Cbor => ("application/x-amz-cbor-1.1".to_owned(), Bytes::from(cbor::encode(value, Flavour::Amz))),
    };
    headers.push(("content-type".into(), kind));
    headers.push(("x-amzn-requestid".into(), request_id.to_owned()));
    Response { status, headers, body }
}

/// The value's JSON text.
fn written(value: &Value) -> Bytes {
    // Most answers fit; one that is larger grows.
    let mut text = Vec::with_capacity(2048);
    // A value of maps with text keys, written to memory, cannot fail to be written.
    let _ = serde_json::to_writer(&mut text, value);
    Bytes::from(text)
}

fn parse_cbor(body: &[u8]) -> Result<Value, ApiError> {
    let value = cbor::decode(body, Flavour::Amz).map_err(|_| wire::serialization_error(""))?;
    if value.is_object() { Ok(value) } else { Err(wire::serialization_error("")) }
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
