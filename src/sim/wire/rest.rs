//! restJson, which Lambda speaks: the operation in method and path, errors named in a header.

use crate::sim::cloudtrail;
use crate::sim::error::ApiError;
use crate::sim::faults::api::{self, Met};
use crate::sim::lambda::wire::{self as lambda, Route};
use crate::sim::wire::{self, Call, Reply, Request, Response};
use crate::sim::world::World;
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// Bytes of a request to Lambda: a package of 50 MiB as base64, and what stands around it (recorded; Lambda "Quotas").
pub const BODY_MAX: usize = 70_167_211;

/// What Lambda says to a larger one.
pub fn too_large(request: &Request) -> Response {
    let operation = route(request).map_or("", |route| route.operation);
    let message = format!("Request must be smaller than {BODY_MAX} bytes for the {operation} operation");
    let error = ApiError::client("RequestEntityTooLargeException", message).with_status(413);
    error_response("", &error)
}

/// Answers a request of Lambda's API.
pub fn handle(world: &mut World, call: &mut Call) -> Reply<Response> {
    let request_id = wire::request_id(world);
    let Some(route) = route(&call.request) else {
        world.ledger.note("lambda", "unknown", "UnknownOperationException");
        return Reply::Done(error_response(&request_id, &wire::unknown_operation().with_status(404)));
    };
    let answer = match api::meet_lambda(world, call, &route) {
        Met::Nothing => lambda::answer(world, call, &route),
        Met::Delay(until) => return Reply::Later(until),
        Met::Refusal(error) => Err(error),
        Met::Cut => return Reply::Done(error_response(&request_id, &wire::unreachable_service())),
    };
    note_event(world, call, &route, &answer);
    match answer {
        Ok(Reply::Later(at)) => Reply::Later(at),
        Ok(Reply::Done(answer)) => {
            world.ledger.note("lambda", route.operation, "");
            let mut headers: Vec<(String, String)> =
                answer.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            if !headers.iter().any(|(name, _)| name == "x-amzn-requestid") {
                headers.push(("x-amzn-requestid".to_owned(), request_id));
            }
            if !headers.iter().any(|(name, _)| name == "content-type") {
                headers.push(("content-type".to_owned(), "application/json".to_owned()));
            }
            Reply::Done(Response { status: answer.status, headers, body: answer.body })
        }
        Err(error) => {
            world.ledger.note("lambda", route.operation, error.code);
            Reply::Done(error_response(&request_id, &error))
        }
    }
}

/// Hands an answered request to CloudTrail: its parameters come from the path, the query and the body.
fn note_event(world: &mut World, call: &Call, route: &Route, answer: &Result<Reply<lambda::Answer>, ApiError>) {
    if !cloudtrail::records("lambda", route.operation) {
        return;
    }
    let answer = match answer {
        Ok(Reply::Later(_)) => return,
        Ok(Reply::Done(answer)) => Ok(Reply::Done(serde_json::from_slice(&answer.body).unwrap_or(Value::Null))),
        Err(error) => Err(error.clone()),
    };
    let mut input: Map<String, Value> = Map::new();
    if !route.target.is_empty() {
        let member = match route.operation {
            "TagResource" | "UntagResource" | "ListTags" => "Resource",
            "PutResourcePolicy" | "GetResourcePolicy" | "DeleteResourcePolicy" => "ResourceArn",
            operation if operation.contains("EventSourceMapping") => "UUID",
            operation if operation.contains("Layer") => "LayerName",
            operation if operation.contains("CodeSigning") && !operation.contains("Function") => "CodeSigningConfigArn",
            _ => "FunctionName",
        };
        input.insert(member.to_owned(), route.target.clone().into());
    }
    if !route.part.is_empty() {
        let is_statement = matches!(route.operation, "RemovePermission" | "RemoveLayerVersionPermission");
        let member = if is_statement { "StatementId" } else { "Name" };
        input.insert(member.to_owned(), route.part.clone().into());
    }
    input.extend(route.query.iter().map(|(name, value)| (name.clone(), value.clone().into())));
    if let Ok(Value::Object(members)) = serde_json::from_slice(&call.request.body) {
        input.extend(members);
    }
    wire::note_event(world, call, ("lambda", route.operation), &Value::Object(input), &answer);
}

/// The error's name goes into a header, its text into the body; which member holds it differs from shape to shape.
fn error_response(request_id: &str, error: &ApiError) -> Response {
    let mut headers: Vec<_> = error.headers.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
    headers.push(("x-amzn-errortype".to_owned(), error.code.to_owned()));
    headers.push(("x-amzn-requestid".to_owned(), request_id.to_owned()));
    headers.push(("content-type".to_owned(), "application/json".to_owned()));
    let mut body = Map::new();
    for (name, value) in &error.members {
        body.insert((*name).to_owned(), value.clone());
    }
    // What the framework refuses before the service sees it says no more than its message.
    let is_framework = matches!(
        error.code,
        "ValidationException"
            | "SerializationException"
            | "AccessDeniedException"
            | "ExpiredTokenException"
            | "InvalidSignatureException"
    );
    let is_silent = body.shift_remove("Type").is_some();
    if !is_framework && !is_silent && error.code != "UnknownOperationException" {
        let kind = if error.is_sender_fault() { "User" } else { "Service" };
        body.insert("Type".to_owned(), kind.into());
    }
    let is_capital = matches!(
        error.code,
        "ResourceNotFoundException"
            | "ResourceInUseException"
            | "ServiceException"
            | "SerializationException"
            | "AccessDeniedException"
            | "CodeSigningConfigNotFoundException"
    );
    if !error.message.is_empty() {
        body.insert(if is_capital { "Message" } else { "message" }.to_owned(), error.message.clone().into());
    }
    Response { status: error.status, headers, body: Bytes::from(Value::Object(body).to_string()) }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The operation that a method and a path mean [Lambda API reference]; `None` for what is not served.
pub fn route(request: &Request) -> Option<Route> {
    let path: Vec<String> = request.path.split('/').filter(|part| !part.is_empty()).map(decode).collect();
    let parts: Vec<&str> = path.iter().map(String::as_str).collect();
    let method = request.method.as_str();
    let (operation, target, part) = function_route(method, &parts)
        .or_else(|| qualified_route(method, &parts, &request.query))
        .or_else(|| layer_route(method, &parts, &request.query))
        .or_else(|| other_route(method, &parts))?;
    let pair = |text: &str| {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        (decode(name), decode(&value.replace('+', " ")))
    };
    let query = request.query.split('&').filter(|text| !text.is_empty()).map(pair).collect();
    let number = match parts.as_slice() {
        ["2018-10-31", "layers", _, "versions", number, ..] => (*number).to_owned(),
        _ => String::new(),
    };
    Some(Route { operation, target: target.to_owned(), part: part.to_owned(), number, query })
}

/// An operation, what it is for, and a part of that.
type Meant<'p> = (&'static str, &'p str, &'p str);

/// The operations on functions as such.
fn function_route<'p>(method: &str, parts: &[&'p str]) -> Option<Meant<'p>> {
    Some(match (method, parts) {
        ("POST", ["2015-03-31", "functions"]) => ("CreateFunction", "", ""),
        ("GET", ["2015-03-31", "functions"]) => ("ListFunctions", "", ""),
        ("GET", ["2015-03-31", "functions", name]) => ("GetFunction", name, ""),
        ("DELETE", ["2015-03-31", "functions", name]) => ("DeleteFunction", name, ""),
        ("GET", ["2015-03-31", "functions", name, "configuration"]) => ("GetFunctionConfiguration", name, ""),
        ("PUT", ["2015-03-31", "functions", name, "configuration"]) => ("UpdateFunctionConfiguration", name, ""),
        ("PUT", ["2015-03-31", "functions", name, "code"]) => ("UpdateFunctionCode", name, ""),
        ("POST", ["2015-03-31", "functions", name, "invocations"]) => ("Invoke", name, ""),
        ("POST", ["2021-11-15", "functions", name, "response-streaming-invocations"]) => {
            ("InvokeWithResponseStream", name, "")
        }
        ("POST", ["2014-11-13", "functions", name, "invoke-async"]) => ("InvokeAsync", name, ""),
        ("PUT", ["2017-10-31", "functions", name, "concurrency"]) => ("PutFunctionConcurrency", name, ""),
        ("DELETE", ["2017-10-31", "functions", name, "concurrency"]) => ("DeleteFunctionConcurrency", name, ""),
        ("GET", ["2019-09-30", "functions", name, "concurrency"]) => ("GetFunctionConcurrency", name, ""),
        (method, ["2020-06-30", "functions", name, "code-signing-config"]) => match method {
            "GET" => ("GetFunctionCodeSigningConfig", name, ""),
            "PUT" => ("PutFunctionCodeSigningConfig", name, ""),
            "DELETE" => ("DeleteFunctionCodeSigningConfig", name, ""),
            _ => return None,
        },
        ("GET", ["2024-08-31", "functions", name, "recursion-config"]) => ("GetFunctionRecursionConfig", name, ""),
        ("PUT", ["2024-08-31", "functions", name, "recursion-config"]) => ("PutFunctionRecursionConfig", name, ""),
        ("GET", ["2021-07-20", "functions", name, "runtime-management-config"]) => {
            ("GetRuntimeManagementConfig", name, "")
        }
        ("PUT", ["2021-07-20", "functions", name, "runtime-management-config"]) => {
            ("PutRuntimeManagementConfig", name, "")
        }
        _ => return None,
    })
}

/// The operations on versions and aliases, and on what is set on them.
fn qualified_route<'p>(method: &str, parts: &[&'p str], query: &str) -> Option<Meant<'p>> {
    let lists_all = query.split('&').any(|pair| pair == "List=ALL");
    Some(match (method, parts) {
        ("POST", ["2015-03-31", "functions", name, "versions"]) => ("PublishVersion", name, ""),
        ("GET", ["2015-03-31", "functions", name, "versions"]) => ("ListVersionsByFunction", name, ""),
        ("POST", ["2015-03-31", "functions", name, "aliases"]) => ("CreateAlias", name, ""),
        ("GET", ["2015-03-31", "functions", name, "aliases"]) => ("ListAliases", name, ""),
        ("GET", ["2015-03-31", "functions", name, "aliases", alias]) => ("GetAlias", name, alias),
        ("PUT", ["2015-03-31", "functions", name, "aliases", alias]) => ("UpdateAlias", name, alias),
        ("DELETE", ["2015-03-31", "functions", name, "aliases", alias]) => ("DeleteAlias", name, alias),
        ("POST", ["2015-03-31", "functions", name, "policy"]) => ("AddPermission", name, ""),
        ("GET", ["2015-03-31", "functions", name, "policy"]) => ("GetPolicy", name, ""),
        ("DELETE", ["2015-03-31", "functions", name, "policy", sid]) => ("RemovePermission", name, sid),
        ("PUT", ["2026-07-09", "resource-policy", arn]) => ("PutResourcePolicy", arn, ""),
        ("GET", ["2026-07-09", "resource-policy", arn]) => ("GetResourcePolicy", arn, ""),
        ("DELETE", ["2026-07-09", "resource-policy", arn]) => ("DeleteResourcePolicy", arn, ""),
        (method, ["2019-09-30", "functions", name, "provisioned-concurrency"]) => match method {
            "PUT" => ("PutProvisionedConcurrencyConfig", name, ""),
            "GET" if lists_all => ("ListProvisionedConcurrencyConfigs", name, ""),
            "GET" => ("GetProvisionedConcurrencyConfig", name, ""),
            "DELETE" => ("DeleteProvisionedConcurrencyConfig", name, ""),
            _ => return None,
        },
        ("GET", ["2021-10-31", "functions", name, "urls"]) => ("ListFunctionUrlConfigs", name, ""),
        (method, ["2021-10-31", "functions", name, "url"]) => match method {
            "POST" => ("CreateFunctionUrlConfig", name, ""),
            "GET" => ("GetFunctionUrlConfig", name, ""),
            "PUT" => ("UpdateFunctionUrlConfig", name, ""),
            "DELETE" => ("DeleteFunctionUrlConfig", name, ""),
            _ => return None,
        },
        ("GET", ["2019-09-25", "functions", name, "event-invoke-config", "list"]) => {
            ("ListFunctionEventInvokeConfigs", name, "")
        }
        (method, ["2019-09-25", "functions", name, "event-invoke-config"]) => match method {
            "PUT" => ("PutFunctionEventInvokeConfig", name, ""),
            "POST" => ("UpdateFunctionEventInvokeConfig", name, ""),
            "GET" => ("GetFunctionEventInvokeConfig", name, ""),
            "DELETE" => ("DeleteFunctionEventInvokeConfig", name, ""),
            _ => return None,
        },
        _ => return None,
    })
}

/// The operations on layers and code signing configurations.
fn layer_route<'p>(method: &str, parts: &[&'p str], query: &str) -> Option<Meant<'p>> {
    let finds_version = query.split('&').any(|pair| pair == "find=LayerVersion");
    Some(match (method, parts) {
        ("GET", ["2018-10-31", "layers"]) if finds_version => ("GetLayerVersionByArn", "", ""),
        ("GET", ["2018-10-31", "layers"]) => ("ListLayers", "", ""),
        ("POST", ["2018-10-31", "layers", name, "versions"]) => ("PublishLayerVersion", name, ""),
        ("GET", ["2018-10-31", "layers", name, "versions"]) => ("ListLayerVersions", name, ""),
        ("GET", ["2018-10-31", "layers", name, "versions", _]) => ("GetLayerVersion", name, ""),
        ("DELETE", ["2018-10-31", "layers", name, "versions", _]) => ("DeleteLayerVersion", name, ""),
        ("POST", ["2018-10-31", "layers", name, "versions", _, "policy"]) => ("AddLayerVersionPermission", name, ""),
        ("GET", ["2018-10-31", "layers", name, "versions", _, "policy"]) => ("GetLayerVersionPolicy", name, ""),
        ("DELETE", ["2018-10-31", "layers", name, "versions", _, "policy", sid]) => {
            ("RemoveLayerVersionPermission", name, sid)
        }
        ("POST", ["2020-04-22", "code-signing-configs"]) => ("CreateCodeSigningConfig", "", ""),
        ("GET", ["2020-04-22", "code-signing-configs"]) => ("ListCodeSigningConfigs", "", ""),
        ("GET", ["2020-04-22", "code-signing-configs", arn, "functions"]) => {
            ("ListFunctionsByCodeSigningConfig", arn, "")
        }
        ("GET", ["2020-04-22", "code-signing-configs", arn]) => ("GetCodeSigningConfig", arn, ""),
        ("PUT", ["2020-04-22", "code-signing-configs", arn]) => ("UpdateCodeSigningConfig", arn, ""),
        ("DELETE", ["2020-04-22", "code-signing-configs", arn]) => ("DeleteCodeSigningConfig", arn, ""),
        _ => return None,
    })
}

/// The operations on mappings, tags and the account.
fn other_route<'p>(method: &str, parts: &[&'p str]) -> Option<Meant<'p>> {
    Some(match (method, parts) {
        ("GET", ["2016-08-19", "account-settings"]) => ("GetAccountSettings", "", ""),
        ("POST", ["2015-03-31", "event-source-mappings"]) => ("CreateEventSourceMapping", "", ""),
        ("GET", ["2015-03-31", "event-source-mappings"]) => ("ListEventSourceMappings", "", ""),
        ("GET", ["2015-03-31", "event-source-mappings", uuid]) => ("GetEventSourceMapping", uuid, ""),
        ("PUT", ["2015-03-31", "event-source-mappings", uuid]) => ("UpdateEventSourceMapping", uuid, ""),
        ("DELETE", ["2015-03-31", "event-source-mappings", uuid]) => ("DeleteEventSourceMapping", uuid, ""),
        ("GET", ["2017-03-31", "tags", arn]) => ("ListTags", arn, ""),
        ("POST", ["2017-03-31", "tags", arn]) => ("TagResource", arn, ""),
        ("DELETE", ["2017-03-31", "tags", arn]) => ("UntagResource", arn, ""),
        _ => return None,
    })
}
