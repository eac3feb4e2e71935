//! awsQuery: form-encoded in, XML out. STS, IAM and SNS speak nothing else; SQS and CloudWatch spoke it first and still do.

mod dialect;
mod form;
mod xml;

use crate::sim::error::ApiError;
use crate::sim::wire::{self, Call, Reply, Request, Response, Service};
use crate::sim::world::World;
use bytes::Bytes;
use dialect::{Dialect, Flat};
pub use form::parameters as form_parameters;
use quick_xml::escape::escape;
use serde_json::{Map, Value, json};

const IAM_VERSION: &str = "2010-05-08";

/// Whether the request names its operation as a form parameter, in the body or in the query.
pub fn is_query(request: &Request) -> bool {
    form_parameter(request, "Action").is_some()
}

/// Answers a query request. Its version says whose it is, else its signature, else its address.
pub fn handle(world: &mut World, call: &mut Call) -> Reply<Response> {
    let request_id = wire::request_id(world);
    let operation = form_parameter(&call.request, "Action").unwrap_or_default();
    let found = service_of(&call.request, &operation).and_then(|service| Some((service, Dialect::of(service)?)));
    let Some((service, dialect)) = found else {
        wire::note_unknown(world, "");
        let error = invalid_action(None, &operation, &call.request);
        return Reply::Done(error_response(None, &request_id, &error));
    };
    let input = input(service, dialect, &call.request, &operation);
    match wire::answer(world, call, service, &operation, input) {
        Ok(Reply::Later(at)) => Reply::Later(at),
        Ok(Reply::Done(value)) if wants_json(&call.request) => {
            Reply::Done(as_json(200, &request_id, &json_answer(dialect, &operation, value, &request_id)))
        }
        Ok(Reply::Done(value)) => {
            Reply::Done(as_xml(200, &request_id, answer_body(dialect, &operation, &value, &request_id)))
        }
        Err(error) => {
            let error = in_query(service, &operation, &call.request, error);
            if wants_json(&call.request) {
                return Reply::Done(as_json(error.status, &request_id, &json_error(&error, &request_id)));
            }
            Reply::Done(error_response(Some(dialect), &request_id, &error))
        }
    }
}

/// Whether the request is for IAM, whichever region it is signed for. `service` is that of its signature.
pub fn is_of_iam(request: &Request, service: Option<&str>) -> bool {
    service.map_or_else(
        || form_parameter(request, "Version").as_deref() == Some(IAM_VERSION),
        |service| service == Service::Iam.name(),
    )
}

/// Account and region of the topic that a link in one of SNS's messages is about (`SubscribeURL`, `UnsubscribeURL`).
pub fn owner_of_link(request: &Request) -> Option<(String, String)> {
    let member = match form_parameter(request, "Action")?.as_str() {
        "ConfirmSubscription" => "TopicArn",
        "Unsubscribe" => "SubscriptionArn",
        _ => return None,
    };
    let arn = form_parameter(request, member)?;
    let mut parts = arn.strip_prefix("arn:")?.split(':').skip(1);
    let (service, region, account) = (parts.next()?, parts.next()?, parts.next()?);
    (service == "sns").then(|| (account.to_owned(), region.to_owned()))
}

/// Whether the caller asks for its subscriptions, which are kept with their topics, wherever those are.
pub fn is_list_of_subscriptions(request: &Request) -> bool {
    form_parameter(request, "Action").is_some_and(|action| action == "ListSubscriptions")
}

/// Whether the caller would rather have JSON than XML.
fn wants_json(request: &Request) -> bool {
    request.header("accept").is_some_and(|kinds| kinds.starts_with("application/json"))
}

/// The answer as the XML would be, in JSON: maps that the XML writes in pairs are lists of pairs here too.
fn json_answer(dialect: &Dialect, operation: &str, value: Value, request_id: &str) -> Value {
    let mut answer = Map::new();
    if let (Value::Object(members), false) = (value, dialect.silent.contains(&operation)) {
        let in_pairs = |(name, value): (String, Value)| match (dialect.flat_member(operation, &name), value) {
            (Some(Flat { pair: Some((key_name, value_name)), .. }), Value::Object(entries)) => {
                let pair = |(key, value)| json!({ *key_name: Value::String(key), *value_name: value });
                (name, entries.into_iter().map(pair).collect())
            }
            (_, value) => (name, value),
        };
        answer.insert(format!("{operation}Result"), members.into_iter().map(in_pairs).collect());
    }
    answer.insert("ResponseMetadata".to_owned(), json!({ "RequestId": request_id }));
    json!({ format!("{operation}Response"): answer })
}

fn json_error(error: &ApiError, request_id: &str) -> Value {
    let fault = if error.is_sender_fault() { "Sender" } else { "Receiver" };
    let code = error.query_code.unwrap_or(error.code);
    json!({ "Error": { "Code": code, "Message": error.message, "Type": fault }, "RequestId": request_id })
}

/// The service that a request is for. Confirmation links of SNS carry neither version nor signature.
fn service_of(request: &Request, operation: &str) -> Option<Service> {
    let of_version = match form_parameter(request, "Version").as_deref() {
        Some("2011-06-15") => Some(Service::Sts),
        Some(IAM_VERSION) => Some(Service::Iam),
        Some("2010-03-31") => Some(Service::Sns),
        Some("2012-11-05" | "2011-10-01" | "2009-02-01") => Some(Service::Sqs),
        Some("2010-08-01") => Some(Service::CloudWatch),
        _ => None,
    };
    let of_scope = || {
        let scope = wire::caller(request).service?;
        [Service::Sts, Service::Iam, Service::Sns, Service::Sqs, Service::CloudWatch]
            .into_iter()
            .find(|one| one.name() == scope)
    };
    let of_address = || match operation {
        "ConfirmSubscription" | "Unsubscribe" => Some(Service::Sns),
        _ => queue_path(request).map(|_| Service::Sqs),
    };
    of_version.or_else(of_scope).or_else(of_address)
}

/// The path, if it is a queue's: its last two parts are an account and a name.
fn queue_path(request: &Request) -> Option<&str> {
    let (before, name) = request.path.trim_end_matches('/').rsplit_once('/')?;
    let account = before.rsplit('/').next()?;
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    (is_account && !name.is_empty()).then_some(request.path.as_str())
}

/// The operation's input. A queue that is not named in the form is the one whose address the request was sent to; the
/// operations that are not about a queue are not valid there.
fn input(service: Service, dialect: &Dialect, request: &Request, operation: &str) -> Result<Value, ApiError> {
    let parameters = form::parameters(&request.query).chain(form::parameters(form_body(request)));
    let mut input = form::input(dialect, operation, parameters)?;
    if let (Service::Sqs, Some(path), Value::Object(members)) = (service, queue_path(request), &mut input) {
        if matches!(operation, "CreateQueue" | "ListQueues") {
            return Err(wire::unknown_operation());
        }
        members.entry("QueueUrl").or_insert_with(|| path.into());
    }
    Ok(input)
}

fn answer_body(dialect: &Dialect, operation: &str, value: &Value, request_id: &str) -> String {
    let mut body = format!("<{operation}Response xmlns=\"{}\">", dialect.namespace);
    let members = value.as_object().filter(|_| !dialect.silent.contains(&operation));
    match members {
        Some(members) if members.is_empty() => body.push_str(&format!("<{operation}Result/>")),
        Some(members) => {
            body.push_str(&format!("<{operation}Result>"));
            xml::write(&mut body, dialect, operation, members);
            body.push_str(&format!("</{operation}Result>"));
        }
        None => {}
    }
    body.push_str(&format!(
        "<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
    ));
    body
}

/// An error as this protocol says it: in the older codes, and some in other words.
fn in_query(service: Service, operation: &str, request: &Request, mut error: ApiError) -> ApiError {
    match (service, error.code) {
        (_, "UnknownOperationException" | "InvalidAction") => return invalid_action(Some(service), operation, request),
        (_, "SerializationException") => error.code = "MalformedInput",
        (Service::Sqs, "QueueDoesNotExist") => {
            error.message = "The specified queue does not exist for this wsdl version.".to_owned();
        }
        _ => {}
    }
    error
}

fn invalid_action(service: Option<Service>, operation: &str, request: &Request) -> ApiError {
    let message = match service {
        Some(Service::Sqs) => format!("The action {operation} is not valid for this endpoint."),
        _ => {
            let version = form_parameter(request, "Version");
            let version = version.as_deref().unwrap_or("NO_VERSION_SPECIFIED");
            format!("Could not find operation {operation} for version {version}")
        }
    };
    ApiError::client("InvalidAction", message)
}

fn error_response(dialect: Option<&Dialect>, request_id: &str, error: &ApiError) -> Response {
    let fault = if error.is_sender_fault() { "Sender" } else { "Receiver" };
    let namespace = dialect.map_or("http://webservices.amazon.com/AWSFault/2005-15-09", |dialect| dialect.namespace);
    let detail = if dialect.is_some_and(|dialect| dialect.has_detail) { "<Detail/>" } else { "" };
    let body = format!(
        "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{fault}</Type><Code>{code}</Code>\
         <Message>{message}</Message>{detail}</Error><RequestId>{request_id}</RequestId></ErrorResponse>",
        code = error.query_code.unwrap_or(error.code),
        message = escape(error.message.as_str()),
    );
    as_xml(error.status, request_id, body)
}

fn as_xml(status: u16, request_id: &str, body: String) -> Response {
    framed(status, "text/xml", request_id, format!("<?xml version=\"1.0\"?>{body}"))
}

fn as_json(status: u16, request_id: &str, value: &Value) -> Response {
    framed(status, "application/json", request_id, value.to_string())
}

fn framed(status: u16, kind: &str, request_id: &str, body: String) -> Response {
    let headers =
        vec![("content-type".to_owned(), kind.to_owned()), ("x-amzn-requestid".to_owned(), request_id.to_owned())];
    Response { status, headers, body: Bytes::from(body) }
}

/// The form in the body, empty when it is none.
fn form_body(request: &Request) -> &str {
    let is_form = request.header("content-type").is_some_and(|t| t.starts_with("application/x-www-form-urlencoded"));
    std::str::from_utf8(&request.body).ok().filter(|_| is_form).unwrap_or_default()
}

/// A parameter of the form in the body, else of the query.
fn form_parameter(request: &Request, name: &str) -> Option<String> {
    parameter(form_body(request), name).or_else(|| parameter(&request.query, name))
}

/// The first value of `name` in a form, decoded.
pub fn parameter(form: &str, name: &str) -> Option<String> {
    form::parameters(form).find_map(|(key, value)| (key == name).then_some(value))
}

#[cfg(test)]
mod tests;
