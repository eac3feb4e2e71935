//! Lambda's API as a client meets it, as examples.

use crate::domain::time::Timestamp;
use crate::sim::cx::Place;
use crate::sim::lambda::{Behaviour, ErrorRule};
use crate::sim::wire::{self, Call, Reply, Request, Response};
use crate::sim::world::World;
use base64::Engine;
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

pub(super) fn world() -> World {
    let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
    World::new(3, Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap(), place)
}

pub(super) fn send(world: &mut World, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let request = Request {
        method: method.into(),
        path: path.into(),
        query: query.into(),
        headers: headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
        body: Bytes::copy_from_slice(body),
    };
    let mut call = Call::new(request, world.now);
    loop {
        match wire::handle(world, &mut call) {
            Reply::Done(response) => return response,
            Reply::Later(at) => world.advance_to(at),
        }
    }
}

pub(super) fn ask(world: &mut World, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let response = send(world, method, path, &[], &body);
    (response.status, serde_json::from_slice(&response.body).unwrap_or(Value::Null))
}

pub(super) fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}

pub(super) const ROLE: &str = "arn:aws:iam::123456789012:role/lambda-execution";

pub(super) fn create(world: &mut World, name: &str) -> (u16, Value) {
    let zip = base64::engine::general_purpose::STANDARD.encode(b"PK\x03\x04 code");
    let input = json!({
        "FunctionName": name, "Runtime": "python3.13", "Role": ROLE, "Handler": "app.handler",
        "Code": {"ZipFile": zip}, "Timeout": 5, "Environment": {"Variables": {"STAGE": "sale"}},
    });
    ask(world, "POST", "/2015-03-31/functions", &input)
}

/// Makes a function that can be invoked.
pub(super) fn create_active(world: &mut World, name: &str) {
    assert_eq!(create(world, name).0, 201);
    world.advance_to(world.now + Duration::from_secs(1));
}

pub(super) fn queue(world: &mut World, name: &str) {
    let (sqs, mut cx) = world.sqs_cx();
    sqs.create_queue(&mut cx, name, &BTreeMap::new(), &BTreeMap::new()).unwrap();
}

#[test]
fn a_function_is_created_pending_and_read_back_active() {
    let mut world = world();
    let (status, made) = create(&mut world, "settle-bid");
    assert_eq!((status, &made["State"], &made["StateReasonCode"]), (201, &json!("Pending"), &json!("Creating")));
    assert_eq!(made["LastModified"], "2026-11-27T18:00:00.000+0000");
    assert_eq!(made["FunctionArn"], "arn:aws:lambda:eu-west-1:123456789012:function:settle-bid");
    world.advance_to(world.now + Duration::from_secs(1));
    let (status, got) = ask(&mut world, "GET", "/2015-03-31/functions/settle-bid", &Value::Null);
    assert_eq!((status, &got["Configuration"]["State"]), (200, &json!("Active")));
    assert_eq!(got["Configuration"]["CodeSha256"], made["CodeSha256"]);
    assert_eq!(got["Configuration"]["Environment"]["Variables"]["STAGE"], "sale");
    let (status, twin) = create(&mut world, "settle-bid");
    assert_eq!((status, &twin["message"]), (409, &json!("Function already exist: settle-bid")));
}

#[test]
fn an_unknown_function_is_not_found_under_its_arn() {
    let mut world = world();
    let response = send(&mut world, "GET", "/2015-03-31/functions/nobody", &[], b"");
    assert_eq!(response.status, 404);
    assert_eq!(header(&response, "x-amzn-errortype"), Some("ResourceNotFoundException"));
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:nobody";
    assert_eq!(body, json!({"Type": "User", "Message": format!("Function not found: {arn}")}));
}

#[test]
fn an_invocation_answers_with_version_and_log() {
    let mut world = world();
    create_active(&mut world, "settle-bid");
    let path =
        "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Asettle-bid/invocations";
    let response = send(&mut world, "POST", path, &[("X-Amz-Log-Type", "Tail")], br#"{"bid": 7}"#);
    assert_eq!((response.status, &response.body[..]), (200, &br#"{"bid": 7}"#[..]));
    assert_eq!(header(&response, "x-amz-executed-version"), Some("$LATEST"));
    assert_eq!(header(&response, "x-amz-function-error"), None);
    let log = base64::engine::general_purpose::STANDARD.decode(header(&response, "x-amz-log-result").unwrap());
    let log = String::from_utf8(log.unwrap()).unwrap();
    let id = header(&response, "x-amzn-requestid").unwrap();
    assert!(log.starts_with(&format!("START RequestId: {id} Version: $LATEST\n")), "{log}");
}

#[test]
fn a_function_error_is_http_200_with_a_header() {
    let mut world = world();
    create(&mut world, "settle-bid");
    let (lambda, mut cx) = world.lambda_cx();
    let rule = ErrorRule::new("gift", "KeyError", "'gift_wrap'");
    let behaviour = Behaviour { errors: vec![rule], ..Behaviour::default() };
    lambda.deploy(&mut cx, "settle-bid", b"bad", behaviour).unwrap();
    let response = send(&mut world, "POST", "/2015-03-31/functions/settle-bid/invocations", &[], br#""gift""#);
    assert_eq!((response.status, header(&response, "x-amz-function-error")), (200, Some("Unhandled")));
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!((&body["errorType"], &body["errorMessage"]), (&json!("KeyError"), &json!("'gift_wrap'")));
}

#[test]
fn events_and_dry_runs_answer_without_a_body() {
    let mut world = world();
    create_active(&mut world, "task");
    let path = "/2015-03-31/functions/task/invocations";
    let event = send(&mut world, "POST", path, &[("x-amz-invocation-type", "Event")], b"{}");
    assert_eq!((event.status, event.body.len()), (202, 0));
    let dry = send(&mut world, "POST", path, &[("x-amz-invocation-type", "DryRun")], b"");
    assert_eq!((dry.status, dry.body.len()), (204, 0));
    world.advance_to(world.now + Duration::from_secs(2));
    assert_eq!(world.lambda.named("task").unwrap().log.len(), 1);
}

#[test]
fn payloads_must_be_json_and_not_too_large() {
    let mut world = world();
    create_active(&mut world, "task");
    let path = "/2015-03-31/functions/task/invocations";
    let bad = send(&mut world, "POST", path, &[], b"not json");
    assert_eq!((bad.status, header(&bad, "x-amzn-errortype")), (400, Some("InvalidRequestContentException")));
    let large = format!("\"{}\"", "x".repeat(1_048_576));
    let large = send(&mut world, "POST", path, &[("x-amz-invocation-type", "Event")], large.as_bytes());
    assert_eq!((large.status, header(&large, "x-amzn-errortype")), (413, Some("RequestEntityTooLargeException")));
    let odd = send(&mut world, "POST", path, &[("x-amz-invocation-type", "Soon")], b"{}");
    assert_eq!(header(&odd, "x-amzn-errortype"), Some("ValidationException"));
}

#[test]
fn a_throttled_invocation_says_why() {
    let mut world = world();
    create_active(&mut world, "task");
    let set = json!({"ReservedConcurrentExecutions": 0});
    assert_eq!(ask(&mut world, "PUT", "/2017-10-31/functions/task/concurrency", &set), (200, set.clone()));
    assert_eq!(ask(&mut world, "GET", "/2019-09-30/functions/task/concurrency", &Value::Null), (200, set));
    let (status, body) = ask(&mut world, "POST", "/2015-03-31/functions/task/invocations", &json!({}));
    assert_eq!(status, 429);
    let reason = "ReservedFunctionConcurrentInvocationLimitExceeded";
    assert_eq!(body, json!({"Reason": reason, "Type": "User", "message": "Rate Exceeded."}));
    assert_eq!(ask(&mut world, "DELETE", "/2017-10-31/functions/task/concurrency", &Value::Null).0, 204);
    assert_eq!(ask(&mut world, "POST", "/2015-03-31/functions/task/invocations", &json!({})).0, 200);
}

#[test]
fn functions_are_listed_in_pages() {
    let mut world = world();
    world.place.limits = false;
    for n in 0..55 {
        create(&mut world, &format!("f-{n:02}"));
    }
    let (_, first) = ask(&mut world, "GET", "/2015-03-31/functions/", &Value::Null);
    assert_eq!(first["Functions"].as_array().unwrap().len(), 50);
    let next = format!("/2015-03-31/functions?Marker={}&MaxItems=3", first["NextMarker"].as_str().unwrap());
    let (_, second) = ask(&mut world, "GET", &next, &Value::Null);
    let names: Vec<&Value> = second["Functions"].as_array().unwrap().iter().map(|f| &f["FunctionName"]).collect();
    assert_eq!(names, ["f-50", "f-51", "f-52"]);
}

#[test]
fn the_control_plane_takes_fifteen_calls_a_second() {
    let mut world = world();
    let mut ok = 0;
    for _ in 0..20 {
        ok += usize::from(ask(&mut world, "GET", "/2015-03-31/functions", &Value::Null).0 == 200);
    }
    assert_eq!(ok, 15);
    let (status, body) = ask(&mut world, "GET", "/2016-08-19/account-settings", &Value::Null);
    assert_eq!((status, &body["Reason"]), (429, &json!("CallerRateLimitExceeded")));
}

#[test]
fn values_out_of_bounds_are_told_together() {
    let mut world = world();
    create(&mut world, "task");
    let input = json!({"Timeout": 901, "MemorySize": 64});
    let (status, body) = ask(&mut world, "PUT", "/2015-03-31/functions/task/configuration", &input);
    assert_eq!(status, 400);
    assert_eq!(
        body["message"],
        "2 validation errors detected: Value '901' at 'timeout' failed to satisfy constraint: Member must have value \
         less than or equal to 900; Value '64' at 'memorySize' failed to satisfy constraint: Member must have value \
         greater than or equal to 128"
    );
    let (status, body) = ask(&mut world, "PUT", "/2015-03-31/functions/task/configuration", &json!({"Timeout": "9"}));
    assert_eq!((status, &body["Message"]), (400, &json!("STRING_VALUE can not be converted to an Integer")));
    let (_, body) = ask(&mut world, "PUT", "/2015-03-31/functions/task/configuration", &json!({"Timeout": 9}));
    assert_eq!((&body["Timeout"], &body["LastUpdateStatus"]), (&json!(9), &json!("InProgress")));
}

#[test]
fn what_lambda_does_not_have_is_an_unknown_operation() {
    let mut world = world();
    let response = send(&mut world, "PATCH", "/2015-03-31/functions/task", &[], b"");
    assert_eq!((response.status, header(&response, "x-amzn-errortype")), (404, Some("UnknownOperationException")));
}

pub(super) const FUNCTIONS: &str = "/2015-03-31/functions";

pub(super) fn publish(world: &mut World, name: &str, input: &Value) -> (u16, Value) {
    ask(world, "POST", &format!("{FUNCTIONS}/{name}/versions"), input)
}

pub(super) fn pass(world: &mut World, seconds: u64) {
    world.advance_to(world.now + Duration::from_secs(seconds));
}

/// A function with versions 1 and 2, which differ in their timeouts.
pub(super) fn two_versions(world: &mut World, name: &str) {
    create(world, name);
    pass(world, 1);
    assert_eq!(publish(world, name, &json!({})).1["Version"], "1");
    ask(world, "PUT", &format!("{FUNCTIONS}/{name}/configuration"), &json!({"Timeout": 9}));
    pass(world, 1);
    assert_eq!(publish(world, name, &json!({"Description": "second"})).1["Version"], "2");
    pass(world, 1);
}

#[test]
fn a_payload_that_is_no_json_is_refused_in_the_parsers_words() {
    let mut world = world();
    world.place.limits = false;
    create_active(&mut world, "task");
    let place = |column: u32| {
        format!(
            "\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: {column}]"
        )
    };
    let expected = "JSON String, Number, Array, Object or token 'null', 'true' or 'false'";
    let within = "Unexpected end-of-input within/between Object entries";
    let open = format!("expected close marker for Array (start marker at {})", &place(1)["\n at ".len()..]);
    let cases: [(&[u8], String, u32); 10] = [
        (b"{\"a\":", within.into(), 6),
        (b" [1", format!("Unexpected end-of-input: {}", open.replace("column: 1", "column: 2")), 4),
        (b"{a:1}", "Unexpected character ('a' (code 97)): was expecting double-quote to start field name".into(), 2),
        (b"[\"\xff\"]", "Invalid UTF-8 start byte 0xff".into(), 4),
        (
            b"{\"a\" 1}",
            "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value".into(),
            6,
        ),
        (b"{} x", format!("Unrecognized token 'x': was expecting ({expected})"), 5),
        (b"n\x87r\x9e", "Invalid UTF-8 start byte 0x87".into(), 3),
        (b"hello", format!("Unrecognized token 'hello': was expecting ({expected})"), 6),
        (
            b"\x99\xeb,j",
            format!("Unexpected character ((CTRL-CHAR, code 153)): expected a valid value ({expected})"),
            1,
        ),
        (b"=", format!("Unexpected character ('=' (code 61)): expected a valid value ({expected})"), 1),
    ];
    for (payload, words, column) in cases {
        let response = send(&mut world, "POST", &format!("{FUNCTIONS}/task/invocations"), &[], payload);
        let body: Value = serde_json::from_slice(&response.body).unwrap();
        let wanted = format!("Could not parse request body into json: Could not parse payload into json: {words}");
        assert_eq!((response.status, &body["message"]), (400, &json!(wanted + &place(column))), "{payload:?}");
    }
    let response = send(&mut world, "POST", &format!("{FUNCTIONS}/nobody/invocations"), &[], b"{}");
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:nobody:$LATEST";
    assert_eq!((response.status, &body["Message"]), (404, &json!(format!("Function not found: {arn}"))));
}

#[test]
fn what_is_created_is_not_invoked_before_it_is_active() {
    let mut world = world();
    create(&mut world, "settle-bid");
    let invoke = |world: &mut World, kind: &str| {
        let kind = [("x-amz-invocation-type", kind)];
        send(world, "POST", "/2015-03-31/functions/settle-bid/invocations", &kind, b"{}")
    };
    for kind in ["RequestResponse", "Event", "DryRun"] {
        let refused = invoke(&mut world, kind);
        assert_eq!((refused.status, header(&refused, "x-amzn-errortype")), (409, Some("ResourceConflictException")));
        let said: Value = serde_json::from_slice(&refused.body).unwrap();
        let message = "The operation cannot be performed at this time. The function is currently in the following \
                       state: Pending";
        assert_eq!(said["message"], message, "{kind}");
    }
    world.advance_to(world.now + Duration::from_secs(1));
    assert_eq!(invoke(&mut world, "RequestResponse").status, 200);
    let update = json!({ "Timeout": 7 });
    let (status, updated) = ask(&mut world, "PUT", "/2015-03-31/functions/settle-bid/configuration", &update);
    assert_eq!((status, &updated["LastUpdateStatus"]), (200, &json!("InProgress")));
    assert_eq!(invoke(&mut world, "RequestResponse").status, 200, "an update keeps nobody waiting");
}
