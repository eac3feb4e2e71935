//! awsQuery: form-encoded in, XML out. STS speaks nothing else.

use crate::sim::error::ApiError;
use crate::sim::wire::{self, Call, Reply, Request, Response, Service};
use crate::sim::world::World;
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use quick_xml::escape::escape;
use serde_json::Value;

/// Whether the request names its operation as a form parameter, in the body or in the query.
pub fn is_query(request: &Request) -> bool {
    action(request).is_some()
}

/// Answers a query request. The action's version says whose it is.
pub fn handle(world: &mut World, call: &mut Call) -> Reply<Response> {
    let request_id = wire::request_id(world);
    let operation = action(&call.request).unwrap_or_default();
    let version = form_parameter(&call.request, "Version").unwrap_or_default();
    if version != sts_version() {
        let error =
            ApiError::client("InvalidAction", format!("Could not find operation {operation} for version {version}"));
        wire::note_unknown(world, "");
        return Reply::Done(error_response(&request_id, &error));
    }
    match wire::answer(world, call, Service::Sts, &operation, Ok(Value::Null)) {
        Ok(Reply::Later(at)) => Reply::Later(at),
        Ok(Reply::Done(value)) => Reply::Done(xml(200, &request_id, answer_body(&operation, &value, &request_id))),
        Err(error) => Reply::Done(error_response(&request_id, &error)),
    }
}

const fn sts_version() -> &'static str {
    "2011-06-15"
}

fn answer_body(operation: &str, value: &Value, request_id: &str) -> String {
    let mut members = String::new();
    write_members(&mut members, value);
    format!(
        "<{operation}Response xmlns=\"https://sts.amazonaws.com/doc/{version}/\">\n  \
         <{operation}Result>{members}</{operation}Result>\n  \
         <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>\n</{operation}Response>\n",
        version = sts_version()
    )
}

fn write_members(out: &mut String, value: &Value) {
    let Value::Object(members) = value else { return };
    for (name, member) in members {
        out.push_str(&format!("<{name}>"));
        match member {
            Value::Object(_) => write_members(out, member),
            Value::String(text) => out.push_str(&escape(text.as_str())),
            other => out.push_str(&escape(other.to_string().as_str())),
        }
        out.push_str(&format!("</{name}>"));
    }
}

fn error_response(request_id: &str, error: &ApiError) -> Response {
    let fault = if error.is_sender_fault() { "Sender" } else { "Receiver" };
    let body = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/{version}/\">\n  <Error>\n    <Type>{fault}</Type>\n    \
         <Code>{code}</Code>\n    <Message>{message}</Message>\n  </Error>\n  \
         <RequestId>{request_id}</RequestId>\n</ErrorResponse>\n",
        version = sts_version(),
        code = error.query_code.unwrap_or(error.code),
        message = escape(error.message.as_str()),
    );
    xml(error.status, request_id, body)
}

fn xml(status: u16, request_id: &str, body: String) -> Response {
    let headers = vec![
        ("content-type".to_owned(), "text/xml".to_owned()),
        ("x-amzn-requestid".to_owned(), request_id.to_owned()),
    ];
    Response { status, headers, body: Bytes::from(body) }
}

fn action(request: &Request) -> Option<String> {
    form_parameter(request, "Action")
}

/// A parameter of the form in the body, else of the query.
fn form_parameter(request: &Request, name: &str) -> Option<String> {
    let is_form = request.header("content-type").is_some_and(|t| t.starts_with("application/x-www-form-urlencoded"));
    let body = std::str::from_utf8(&request.body).ok().filter(|_| is_form);
    body.and_then(|form| parameter(form, name)).or_else(|| parameter(&request.query, name))
}

/// The first value of `name` in a form, decoded.
pub fn parameter(form: &str, name: &str) -> Option<String> {
    form.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key) == name).then(|| decode(value))
    })
}

fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}
