//! The wire: AWS's protocols in, typed service calls, AWS's protocols out. Knows HTTP's words, opens no socket.

pub mod cbor;
mod compatible;
pub mod event_stream;
pub mod input;
pub mod json;
pub mod page_token;
pub mod pattern;
pub mod query;
pub mod rest;
pub mod visit;

use crate::domain::time::Timestamp;
use crate::sim::cloudtrail::Other;
use crate::sim::error::ApiError;
use crate::sim::faults::api::{self, Hold, Met};
use crate::sim::world::World;
use crate::sim::{
    cloudtrail, cloudwatch, dynamodb, firehose, iam, kinesis, logs, payload, sns, sqs, sts, swf, tagging,
};
use bytes::Bytes;
use flate2::read::GzDecoder;
use serde_json::Value;
use std::borrow::Cow;
use std::io::Read;
use visit::Visit;

/// A compressed body may not grow beyond this many bytes.
const INFLATED_MAX: u64 = 16 << 20;

/// An HTTP request as the engine sees it. Header names are lower case.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Path as sent, still percent-encoded, without the query.
    pub path: String,
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// An HTTP answer of the engine.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Response {
    /// Whether more of the body follows, as events: see [`events`].
    pub fn is_event_stream(&self) -> bool {
        self.headers.iter().any(|(name, value)| name == "content-type" && value == event_stream::CONTENT_TYPE)
    }
}

/// A request on its way through the engine. A call that has to wait (a long poll, a synchronous invocation) is
/// asked again later with the ticket that it left itself; a call whose answer is an event stream is asked for its
/// next events with it.
pub struct Call {
    pub request: Request,
    /// When its service had it: a fault of the API may have held it before.
    pub arrived: Timestamp,
    pub ticket: Option<u64>,
    pub gate: Gate,
    pub visit: Visit,
}

impl Call {
    pub fn new(request: Request, arrived: Timestamp) -> Self {
        Self { request, arrived, ticket: None, gate: Gate::Unseen, visit: Visit::Home }
    }
}

/// How far a call has come through the faults of the API, which it meets once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    Unseen,
    /// No service has it yet.
    Held(Hold),
    /// Its service has it.
    Passed,
    /// It reached nobody, and no answer comes: its connection ends.
    Cut,
    /// The engine stops before its service has an answer.
    Closed,
}

/// What a call says each time it is asked: an answer, or "ask again, at the latest then".
#[derive(Clone, Debug, PartialEq)]
pub enum Reply<T> {
    Done(T),
    Later(Timestamp),
}

/// What an event stream has to say now, and when to ask again at the latest; `None` where it has ended.
pub struct Events {
    pub messages: Vec<event_stream::Message>,
    pub until: Option<Timestamp>,
}

/// A service operation's outcome before a protocol gives it form. In the value, timestamps are numbers: seconds
/// since the Unix epoch, as in AWS's JSON protocols; blobs are base64 text.
pub type Answer = Result<Reply<Value>, ApiError>;

/// Which service a request is for, and what of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    Kinesis,
    Sqs,
    Lambda,
    CloudWatch,
    CloudTrail,
    Logs,
    Sts,
    Iam,
    Sns,
    Swf,
    DynamoDb,
    Firehose,
    Tagging,
}

impl Service {
    /// The service's name in credential scopes and in the ledger.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kinesis => "kinesis",
            Self::Sqs => "sqs",
            Self::Lambda => "lambda",
            Self::CloudWatch => "monitoring",
            Self::CloudTrail => "cloudtrail",
            Self::Logs => "logs",
            Self::Sts => "sts",
            Self::Iam => "iam",
            Self::DynamoDb => "dynamodb",
            Self::Firehose => "firehose",
            Self::Sns => "sns",
            Self::Swf => "swf",
            Self::Tagging => "tagging",
        }
    }

    /// Every service, by the name that its command line has.
    pub const ALL: [(&'static str, Self); 13] = [
        ("kinesis", Self::Kinesis),
        ("sqs", Self::Sqs),
        ("sns", Self::Sns),
        ("lambda", Self::Lambda),
        ("dynamodb", Self::DynamoDb),
        ("firehose", Self::Firehose),
        ("swf", Self::Swf),
        ("cloudwatch", Self::CloudWatch),
        ("cloudtrail", Self::CloudTrail),
        ("logs", Self::Logs),
        ("sts", Self::Sts),
        ("iam", Self::Iam),
        ("resourcegroupstaggingapi", Self::Tagging),
    ];

    /// The service that a command line calls so.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, service)| *service)
    }

    /// The service of `X-Amz-Target`'s first part.
    fn of_target(prefix: &str) -> Option<Self> {
        match prefix {
            "Kinesis_20131202" => Some(Self::Kinesis),
            "AmazonSQS" => Some(Self::Sqs),
            "GraniteServiceVersion20100801" => Some(Self::CloudWatch),
            "SimpleWorkflowService" => Some(Self::Swf),
            "CloudTrail_20131101" => Some(Self::CloudTrail),
            "DynamoDB_20120810" => Some(Self::DynamoDb),
            "Firehose_20150804" => Some(Self::Firehose),
            "Logs_20140328" => Some(Self::Logs),
            "ResourceGroupsTaggingAPI_20170126" => Some(Self::Tagging),
            _ => None,
        }
    }

    /// The version of AWS's JSON protocol that the service speaks.
    const fn json_version(self) -> &'static str {
        match self {
            Self::Kinesis | Self::CloudTrail | Self::Logs | Self::Firehose | Self::Tagging => "1.1",
            _ => "1.0",
        }
    }

    /// Operations whose answer's body is an event stream.
    fn answers_with_events(self, operation: &str) -> bool {
        self == Self::Kinesis && operation == "SubscribeToShard"
    }

    /// Error codes of query-compatible services also go into a header, in their older form.
    pub(crate) const fn is_query_compatible(self) -> bool {
        matches!(self, Self::Sqs | Self::CloudWatch)
    }
}

/// Larger bodies are refused. The largest of other services is a Kinesis request of 10 MiB, a third longer as base64.
const BODY_MAX: usize = 16 << 20;

/// How many bytes the body of a request may have, by what is known before it is read.
pub fn body_max(request: &Request) -> usize {
    if rest_path(request) { rest::BODY_MAX } else { BODY_MAX }
}

/// What is said to a request whose body is larger.
pub fn too_large(request: &Request, bytes_max: usize) -> Response {
    if rest_path(request) {
        return rest::too_large(request);
    }
    refusal(413, "RequestEntityTooLarge", &format!("The request body must not be larger than {bytes_max} bytes."))
}

/// What is wrong with a request before any service has seen it.
pub fn refusal(status: u16, code: &str, message: &str) -> Response {
    let body = serde_json::json!({ "__type": format!("com.amazon.coral.service#{code}"), "message": message });
    let headers = vec![
        ("content-type".to_owned(), "application/x-amz-json-1.1".to_owned()),
        ("x-amzn-errortype".to_owned(), code.to_owned()),
    ];
    Response { status, headers, body: Bytes::from(body.to_string()) }
}

/// Answers one request, or says when to ask again. No request, however malformed, panics or goes unanswered.
pub fn handle(world: &mut World, call: &mut Call) -> Reply<Response> {
    inflate(&mut call.request);
    if let Some(rest) = call.request.path.strip_prefix("/service/") {
        let rest = rest.to_owned();
        return cbor::handle(world, call, &rest);
    }
    if let Some(target) = call.request.header("x-amz-target") {
        let target = target.to_owned();
        return json::handle(world, call, &target);
    }
    if rest_path(&call.request) {
        return rest::handle(world, call);
    }
    if query::is_query(&call.request) {
        return query::handle(world, call);
    }
    Reply::Done(unknown_in_xml())
}

/// What AWS's front ends say to a request of which they can make nothing.
fn unknown_in_xml() -> Response {
    Response {
        status: 404,
        headers: vec![("content-type".into(), "application/xml".into())],
        body: Bytes::from_static(b"<UnknownOperationException/>\n"),
    }
}

/// The next bytes of a call whose answer was an event stream, and when to ask again; `None` where it has ended.
pub fn events(world: &mut World, call: &Call) -> (Bytes, Option<Timestamp>) {
    // Only a stream of Kinesis's goes on; a streamed answer of Lambda's is whole with its head.
    if call.request.header("x-amz-target").is_none() {
        return (Bytes::new(), None);
    }
    let events = kinesis::wire::events(world, call);
    (event_stream::frames(&call.request, Service::Kinesis.json_version(), &events.messages), events.until)
}

/// SDKs compress large PutMetricData requests. What does not inflate is left as it is, and its service will refuse it
/// as malformed.
fn inflate(request: &mut Request) {
    let is_packed = |(n, v): &(String, String)| n.eq_ignore_ascii_case("content-encoding") && v == "gzip";
    let Some(at) = request.headers.iter().position(is_packed) else { return };
    let mut body = Vec::new();
    let read = GzDecoder::new(&request.body[..]).take(INFLATED_MAX).read_to_end(&mut body);
    if read.is_ok_and(|length| (length as u64) < INFLATED_MAX) {
        request.headers.remove(at);
        request.body = Bytes::from(body);
    }
}

/// Lambda's paths begin with the date of the API's version.
fn rest_path(request: &Request) -> bool {
    let first = request.path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let is_date = first.len() == 10
        && first.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
    is_date || caller(request).service.as_deref() == Some("lambda")
}

/// Carries one operation to its service and notes the outcome.
pub(crate) fn answer(
    world: &mut World,
    call: &mut Call,
    service: Service,
    operation: &str,
    input: Result<Value, ApiError>,
) -> Answer {
    let input = match input {
        Ok(input) => input,
        Err(error) => {
            // Nobody has looked whether the service has such an operation.
            world.ledger.note(service.name(), "", error.code);
            return Err(error);
        }
    };
    let answer = match api::meet(world, call, (service, operation), &input) {
        Met::Nothing => serve(world, call, service, operation, &input),
        Met::Delay(until) => return Ok(Reply::Later(until)),
        Met::Refusal(error) => Err(error),
        Met::Cut => return Err(unreachable_service()),
    };
    note_event(world, call, (service.name(), operation), &input, &answer);
    match &answer {
        Ok(Reply::Later(_)) => {}
        Ok(Reply::Done(_)) => world.ledger.note(service.name(), operation, ""),
        Err(error) if matches!(error.code, UNKNOWN_OPERATION | "InvalidAction") => note_unknown(world, service.name()),
        Err(error) => world.ledger.note(service.name(), operation, error.code),
    }
    answer
}

/// What a protocol makes of a call that is cut; nobody sees it.
pub(crate) fn unreachable_service() -> ApiError {
    ApiError::client("ServiceUnavailable", "").with_status(503)
}

fn serve(world: &mut World, call: &mut Call, service: Service, operation: &str, input: &Value) -> Answer {
    match service {
        Service::CloudWatch => cloudwatch::wire::answer(world, call, operation, input),
        Service::CloudTrail => cloudtrail::answer(world, call, operation, input),
        Service::Logs => logs::wire::answer(world, call, operation, input),
        Service::Sts => sts::answer(world, call, operation, input),
        Service::Iam => iam::answer(world, operation, input),
        Service::Sqs => sqs::wire::answer(world, call, operation, input),
        Service::Swf => swf::wire::answer(world, call, operation, input),
        Service::Kinesis => kinesis::wire::answer(world, call, operation, input),
        Service::DynamoDb => dynamodb::wire::answer(world, call, operation, input),
        Service::Firehose => firehose::wire::answer(world, call, operation, input),
        Service::Sns => sns::wire::answer(world, call, operation, input),
        Service::Tagging => tagging::answer(world, call, operation, input),
        Service::Lambda => Err(unknown_operation()),
    }
}

/// Hands an answered request to CloudTrail. What no service understood is nobody's event.
pub(crate) fn note_event(
    world: &mut World,
    call: &Call,
    (service, operation): (&'static str, &str),
    input: &Value,
    answer: &Answer,
) {
    if !cloudtrail::records(service, operation) {
        return;
    }
    let outcome = match answer {
        Ok(Reply::Later(_)) => return,
        Ok(Reply::Done(output)) => Ok(output),
        Err(error) if matches!(error.code, UNKNOWN_OPERATION | "InvalidAction" | "SerializationException") => return,
        // Whose request it was is not known.
        Err(error) if matches!(error.code, "ExpiredTokenException" | "InvalidSignatureException") => return,
        Err(error) => Err(error),
    };
    let request = &call.request;
    let by = call.visitor().map_or_else(|| sts::identity(world, request), |visitor| visitor.identity.clone());
    let request_id = request_id(world);
    let other = match call.visitor() {
        Some(visitor) => Some(Other::Caller(visitor.account.clone())),
        None if service == "sts" => sts::owner_of_role(&world.place, operation, input).map(Other::Owner),
        None => None,
    };
    let answered = cloudtrail::Answered { service, operation, request, by, request_id, input, outcome, other };
    let is_recorded_elsewhere = service == Service::Iam.name() && world.place.region != iam::RECORDED_IN;
    if is_recorded_elsewhere && world.abroad.is_some() {
        world.cloudtrail.note_abroad(world.now, &answered);
    } else {
        world.cloudtrail.note(world.now, &answered);
    }
}

/// What AWS says to an operation that the service does not have.
pub fn unknown_operation() -> ApiError {
    ApiError::client(UNKNOWN_OPERATION, "")
}

const UNKNOWN_OPERATION: &str = "UnknownOperationException";

/// Names that no service knows are counted together: whoever invents them must not make the ledger grow.
pub(crate) fn note_unknown(world: &mut World, service: &'static str) {
    world.ledger.note(service, "", UNKNOWN_OPERATION);
}

/// What AWS says to a body that does not fit the protocol or a member of the wrong type.
pub fn serialization_error(message: impl Into<String>) -> ApiError {
    ApiError::client("SerializationException", message)
}

/// Who signed a request, as far as it says. Signatures are not checked: the engine is on loopback or in process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller<'a> {
    pub access_key: Option<Cow<'a, str>>,
    pub region: Option<Cow<'a, str>>,
    pub service: Option<Cow<'a, str>>,
}

impl Caller<'_> {
    /// The account: an access key id of twelve digits names it, and so does a temporary key that STS gave out.
    pub fn account(&self) -> Option<String> {
        let key = self.access_key.as_deref()?;
        let is_account = key.len() == 12 && key.bytes().all(|b| b.is_ascii_digit());
        if is_account { Some(key.to_owned()) } else { sts::account_of_key(key) }
    }
}

/// Reads the credential scope `KEY/DATE/REGION/SERVICE/aws4_request` of the `Authorization` header or, of a presigned
/// request, of `X-Amz-Credential`.
pub fn caller(request: &Request) -> Caller<'_> {
    let header = request.header("authorization").and_then(|text| text.split_once("Credential=")).map(|(_, tail)| tail);
    let scope = match header {
        Some(tail) => Cow::Borrowed(tail.split([',', ' ']).next().unwrap_or_default()),
        None => Cow::Owned(query::parameter(&request.query, "X-Amz-Credential").unwrap_or_default()),
    };
    let part = |number: usize| {
        let part = match &scope {
            Cow::Borrowed(scope) => Cow::Borrowed(scope.split('/').nth(number)?),
            Cow::Owned(scope) => Cow::Owned(scope.split('/').nth(number)?.to_owned()),
        };
        Some(part).filter(|part| !part.is_empty())
    };
    Caller { access_key: part(0), region: part(2), service: part(3) }
}

/// The request's id: a function of how many requests were answered before it, so that asking does not disturb chance.
pub(crate) fn request_id(world: &World) -> String {
    let n = world.ledger.answered;
    let mix = |salt: u64| {
        let mut z = (n.wrapping_add(salt)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    payload::uuid_text(mix(1), mix(0x5851_f42d_4c95_7f2d))
}

/// An error as the body of the JSON and CBOR protocols: its type, its message and its further members.
pub(crate) fn error_value(service: Service, error: &ApiError) -> Value {
    let namespace = match (service, error.code) {
        // Kinesis writes bare names.
        (Service::Kinesis, _) => "",
        (_, "UnknownOperationException" | "SerializationException" | "InternalFailure") => "com.amazon.coral.service#",
        (_, "AccessDeniedException" | "ExpiredTokenException" | "InvalidSignatureException") => {
            "com.amazon.coral.service#"
        }
        (_, "ServiceUnavailable") => "com.amazon.coral.availability#",
        (Service::DynamoDb, "ValidationException") => "com.amazon.coral.validate#",
        (Service::DynamoDb, "ThrottlingException") => "com.amazon.coral.availability#",
        (Service::DynamoDb, _) => "com.amazonaws.dynamodb.v20120810#",
        (Service::Sqs, _) => "com.amazonaws.sqs#",
        (Service::CloudWatch, _) => "com.amazonaws.cloudwatch#",
        (Service::Swf, "ValidationException") => "com.amazon.coral.validate#",
        (Service::Swf, "ThrottlingException") => "com.amazon.coral.availability#",
        (Service::Swf, _) => "com.amazonaws.swf.base.model#",
        _ => "",
    };
    let mut body = serde_json::Map::new();
    body.insert("__type".into(), format!("{namespace}{}", error.code).into());
    if !error.message.is_empty() {
        // The framework's own errors capitalise the member, the services' do not, with two exceptions.
        let is_capital = service == Service::Tagging
            || matches!(
                error.code,
                "SerializationException" | "TransactionCanceledException" | "IdempotentParameterMismatchException"
            );
        let member = if is_capital { "Message" } else { "message" };
        body.insert(member.into(), error.message.clone().into());
    }
    for (name, value) in &error.members {
        body.insert((*name).into(), value.clone());
    }
    Value::Object(body)
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
