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

fn world() -> World {
    let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
    World::new(3, Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap(), place)
}

fn send(world: &mut World, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
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

fn ask(world: &mut World, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let response = send(world, method, path, &[], &body);
    (response.status, serde_json::from_slice(&response.body).unwrap_or(Value::Null))
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}

const ROLE: &str = "arn:aws:iam::123456789012:role/lambda-execution";

fn create(world: &mut World, name: &str) -> (u16, Value) {
    let zip = base64::engine::general_purpose::STANDARD.encode(b"PK\x03\x04 code");
    let input = json!({
        "FunctionName": name, "Runtime": "python3.13", "Role": ROLE, "Handler": "app.handler",
        "Code": {"ZipFile": zip}, "Timeout": 5, "Environment": {"Variables": {"STAGE": "sale"}},
    });
    ask(world, "POST", "/2015-03-31/functions", &input)
}

fn queue(world: &mut World, name: &str) {
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
    create(&mut world, "settle-bid");
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
    create(&mut world, "task");
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
    create(&mut world, "task");
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
    create(&mut world, "task");
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
fn a_queue_mapping_is_created_listed_stopped_and_deleted() {
    let mut world = world();
    create(&mut world, "task");
    queue(&mut world, "orders");
    let arn = "arn:aws:sqs:eu-west-1:123456789012:orders";
    let input = json!({"EventSourceArn": arn, "FunctionName": "task", "BatchSize": 5});
    let (status, made) = ask(&mut world, "POST", "/2015-03-31/event-source-mappings/", &input);
    assert_eq!(
        (status, &made["State"], &made["StateTransitionReason"]),
        (202, &json!("Creating"), &json!("USER_INITIATED"))
    );
    let (status, twin) = ask(&mut world, "POST", "/2015-03-31/event-source-mappings", &input);
    assert_eq!(status, 409);
    assert!(twin["message"].as_str().unwrap().ends_with(made["UUID"].as_str().unwrap()));
    world.advance_to(world.now + Duration::from_secs(5));
    let path = format!("/2015-03-31/event-source-mappings/{}", made["UUID"].as_str().unwrap());
    assert_eq!(ask(&mut world, "GET", &path, &Value::Null).1["State"], "Enabled");
    let listed = format!("/2015-03-31/event-source-mappings?EventSourceArn={}", arn.replace(':', "%3A"));
    assert_eq!(ask(&mut world, "GET", &listed, &Value::Null).1["EventSourceMappings"][0]["BatchSize"], 5);
    assert_eq!(ask(&mut world, "PUT", &path, &json!({"Enabled": false})).1["State"], "Disabling");
    assert_eq!(ask(&mut world, "PUT", &path, &json!({"Enabled": true})).0, 400);
    world.advance_to(world.now + Duration::from_secs(5));
    assert_eq!(ask(&mut world, "GET", &path, &Value::Null).1["State"], "Disabled");
    assert_eq!(ask(&mut world, "DELETE", &path, &Value::Null).1["State"], "Deleting");
    world.advance_to(world.now + Duration::from_secs(5));
    let (status, gone) = ask(&mut world, "GET", &path, &Value::Null);
    assert_eq!((status, &gone["Message"]), (404, &json!("The resource you requested does not exist.")));
}

#[test]
fn a_mapping_that_cannot_work_is_refused() {
    let mut world = world();
    world.place.limits = false;
    create(&mut world, "task");
    queue(&mut world, "orders");
    let sqs = "arn:aws:sqs:eu-west-1:123456789012:orders";
    let kinesis = "arn:aws:kinesis:eu-west-1:123456789012:stream/bids";
    let refused = [
        (json!({"FunctionName": "task"}), "Unrecognized event source."),
        (json!({"FunctionName": "none", "EventSourceArn": sqs}), "Function does not exist"),
        (
            json!({"FunctionName": "task", "EventSourceArn": sqs, "StartingPosition": "LATEST"}),
            "StartingPosition is not valid for SQS event sources.",
        ),
        (
            json!({"FunctionName": "task", "EventSourceArn": sqs, "ParallelizationFactor": 2}),
            "Unsupported ParallelizationFactor parameter for given event source mapping type.",
        ),
        (
            json!({"FunctionName": "task", "EventSourceArn": sqs, "BatchSize": 11}),
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
        ),
        (
            json!({"FunctionName": "task", "EventSourceArn": kinesis, "StartingPosition": "LATEST"}),
            "Stream not found: arn:aws:kinesis:eu-west-1:123456789012:stream/bids",
        ),
    ];
    for (input, message) in refused {
        let (status, body) = ask(&mut world, "POST", "/2015-03-31/event-source-mappings", &input);
        assert_eq!((status, &body["message"]), (400, &json!(message)), "{input}");
    }
    ask(&mut world, "PUT", "/2015-03-31/functions/task/configuration", &json!({"Timeout": 60}));
    let input = json!({"FunctionName": "task", "EventSourceArn": sqs});
    let (_, body) = ask(&mut world, "POST", "/2015-03-31/event-source-mappings", &input);
    let message = "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds";
    assert_eq!(body["message"], message);
}

#[test]
fn what_lambda_does_not_have_is_an_unknown_operation() {
    let mut world = world();
    let response = send(&mut world, "PATCH", "/2015-03-31/functions/task", &[], b"");
    assert_eq!((response.status, header(&response, "x-amzn-errortype")), (404, Some("UnknownOperationException")));
}

const FUNCTIONS: &str = "/2015-03-31/functions";

fn publish(world: &mut World, name: &str, input: &Value) -> (u16, Value) {
    ask(world, "POST", &format!("{FUNCTIONS}/{name}/versions"), input)
}

fn pass(world: &mut World, seconds: u64) {
    world.advance_to(world.now + Duration::from_secs(seconds));
}

/// A function with versions 1 and 2, which differ in their timeouts.
fn two_versions(world: &mut World, name: &str) {
    create(world, name);
    pass(world, 1);
    assert_eq!(publish(world, name, &json!({})).1["Version"], "1");
    ask(world, "PUT", &format!("{FUNCTIONS}/{name}/configuration"), &json!({"Timeout": 9}));
    pass(world, 1);
    assert_eq!(publish(world, name, &json!({"Description": "second"})).1["Version"], "2");
    pass(world, 1);
}

#[test]
fn a_version_keeps_what_was_published_and_the_same_is_not_published_twice() {
    let mut world = world();
    two_versions(&mut world, "task");
    let (status, again) = publish(&mut world, "task", &json!({}));
    assert_eq!((status, &again["Version"], &again["Description"]), (201, &json!("2"), &json!("second")));
    let (_, first) = ask(&mut world, "GET", &format!("{FUNCTIONS}/task/configuration?Qualifier=1"), &Value::Null);
    assert_eq!((&first["Timeout"], &first["State"]), (&json!(5), &json!("Active")));
    assert_eq!(first["FunctionArn"], "arn:aws:lambda:eu-west-1:123456789012:function:task:1");
    let (_, listed) = ask(&mut world, "GET", &format!("{FUNCTIONS}/task/versions"), &Value::Null);
    let shown: Vec<(&Value, &Value)> =
        listed["Versions"].as_array().unwrap().iter().map(|v| (&v["Version"], &v["Timeout"])).collect();
    let version = |text: &str| json!(text);
    assert_eq!(shown, [(&version("$LATEST"), &json!(9)), (&version("1"), &json!(5)), (&version("2"), &json!(9))]);
    assert_eq!(listed["Versions"][0]["FunctionArn"].as_str().unwrap().rsplit(':').next(), Some("$LATEST"));
    let (_, wrong) = publish(&mut world, "task", &json!({"CodeSha256": "none"}));
    let text = wrong["message"].as_str().unwrap();
    assert!(text.starts_with("CodeSHA256 (none) is different from current CodeSHA256 in $LATEST ("), "{text}");
    pass(&mut world, 1);
    let (status, stale) = publish(&mut world, "task", &json!({"RevisionId": "old"}));
    assert_eq!(status, 412);
    assert!(stale["message"].as_str().unwrap().contains("Call the GetFunction/GetAlias API"), "{stale}");
    let (status, changed) =
        ask(&mut world, "PUT", &format!("{FUNCTIONS}/task:1/configuration"), &json!({"Timeout": 7}));
    assert_eq!(status, 400);
    assert!(changed["message"].as_str().unwrap().starts_with("This operation is permitted on Lambda functions only."));
}

#[test]
fn settling_makes_another_revision() {
    let mut world = world();
    let (_, made) = create(&mut world, "task");
    pass(&mut world, 1);
    let (_, active) = ask(&mut world, "GET", &format!("{FUNCTIONS}/task/configuration"), &Value::Null);
    assert_ne!(made["RevisionId"], active["RevisionId"]);
    let (_, version) = publish(&mut world, "task", &json!({"RevisionId": active["RevisionId"]}));
    let (_, after) = ask(&mut world, "GET", &format!("{FUNCTIONS}/task/configuration"), &Value::Null);
    assert_ne!(after["RevisionId"], active["RevisionId"], "publishing counts as a change of $LATEST");
    assert_ne!(after["RevisionId"], version["RevisionId"]);
}

#[test]
fn an_alias_splits_its_invocations_by_weight_and_answers_which_version_ran() {
    let mut world = world();
    world.place.limits = false;
    two_versions(&mut world, "task");
    let input = json!({
        "Name": "live", "FunctionVersion": "1", "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.25}},
    });
    let (status, alias) = ask(&mut world, "POST", &format!("{FUNCTIONS}/task/aliases"), &input);
    assert_eq!((status, &alias["RoutingConfig"]), (201, &input["RoutingConfig"]));
    let mut second = 0;
    for _ in 0..400 {
        let path = format!("{FUNCTIONS}/task:live/invocations");
        let answer = send(&mut world, "POST", &path, &[], b"{}");
        second += usize::from(header(&answer, "x-amz-executed-version") == Some("2"));
    }
    assert!((70..130).contains(&second), "{second}");
    let back = json!({"RoutingConfig": {"AdditionalVersionWeights": {}}, "RevisionId": alias["RevisionId"]});
    let path = format!("{FUNCTIONS}/task/aliases/live");
    let (status, mended) = ask(&mut world, "PUT", &path, &back);
    assert_eq!((status, &mended["RoutingConfig"], &mended["FunctionVersion"]), (200, &Value::Null, &json!("1")));
    assert_eq!(ask(&mut world, "PUT", &path, &back).0, 412, "the revision has changed");
    let answer = send(&mut world, "POST", &format!("{FUNCTIONS}/task/invocations?Qualifier=live"), &[], b"{}");
    assert_eq!(header(&answer, "x-amz-executed-version"), Some("1"));
    let (status, body) = ask(&mut world, "DELETE", &format!("{FUNCTIONS}/task?Qualifier=1"), &Value::Null);
    let message = "Unable to delete version because the following aliases reference it: [live]";
    assert_eq!((status, &body["message"]), (409, &json!(message)));
    assert_eq!(ask(&mut world, "DELETE", &format!("{FUNCTIONS}/task?Qualifier=2"), &Value::Null).0, 204);
    let (status, gone) = ask(&mut world, "GET", &format!("{FUNCTIONS}/task?Qualifier=2"), &Value::Null);
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:task:2";
    assert_eq!((status, &gone["Message"]), (404, &json!(format!("Function not found: {arn}"))));
}

#[test]
fn an_alias_that_cannot_be_is_refused_in_aws_words() {
    let mut world = world();
    world.place.limits = false;
    two_versions(&mut world, "task");
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:task";
    let weights = |weights: Value| json!({"AdditionalVersionWeights": weights});
    let map_value = "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must \
                     have value greater than or equal to 0.0, Member must not be null]";
    let cases = [
        (
            json!({"Name": "a", "FunctionVersion": "1", "RoutingConfig": weights(json!({"1": 0.5, "2": 0.5}))}),
            400,
            "Number of items in AdditionalVersionWeights cannot be greater than 1".to_owned(),
        ),
        (
            json!({"Name": "a", "FunctionVersion": "1", "RoutingConfig": weights(json!({"2": 2.0}))}),
            400,
            format!(
                "1 validation error detected: Value '{{2=2.0}}' at 'routingConfig.additionalVersionWeights' failed to \
                 satisfy constraint: {map_value}"
            ),
        ),
        (
            json!({"Name": "a", "FunctionVersion": "1", "RoutingConfig": weights(json!({"1": 0.5}))}),
            400,
            "Invalid function version 1. Function version 1 is already included in routing configuration.".to_owned(),
        ),
        (json!({"Name": "a", "FunctionVersion": "10"}), 404, format!("Function not found: {arn}:10")),
        (
            json!({"Name": "a", "FunctionVersion": "$LATEST", "RoutingConfig": weights(json!({"1": 0.5}))}),
            400,
            "$LATEST is not supported for an alias pointing to more than 1 version".to_owned(),
        ),
    ];
    for (input, wanted, message) in cases {
        let (status, body) = ask(&mut world, "POST", &format!("{FUNCTIONS}/task/aliases"), &input);
        let told = if wanted == 404 { &body["Message"] } else { &body["message"] };
        assert_eq!((status, told), (wanted, &json!(message)), "{input}");
    }
    let input = json!({"Name": "live", "FunctionVersion": "1"});
    assert_eq!(ask(&mut world, "POST", &format!("{FUNCTIONS}/task/aliases"), &input).0, 201);
    let (status, twin) = ask(&mut world, "POST", &format!("{FUNCTIONS}/task/aliases"), &input);
    assert_eq!((status, &twin["message"]), (409, &json!(format!("Alias already exists: {arn}:live"))));
    let (status, none) = ask(&mut world, "GET", &format!("{FUNCTIONS}/task/aliases/none"), &Value::Null);
    assert_eq!((status, &none["Message"]), (404, &json!(format!("Cannot find alias arn: {arn}:none"))));
    let (_, both) = ask(&mut world, "GET", &format!("{FUNCTIONS}/task:live?Qualifier=1"), &Value::Null);
    let message = "The derived qualifier from the function name does not match the specified qualifier.";
    assert_eq!(both["message"], message);
}

#[test]
fn provisioned_concurrency_is_ready_after_a_while() {
    let mut world = world();
    world.place.limits = false;
    two_versions(&mut world, "task");
    let alias = json!({"Name": "live", "FunctionVersion": "1"});
    ask(&mut world, "POST", &format!("{FUNCTIONS}/task/aliases"), &alias);
    let path = |qualifier: &str| format!("/2019-09-30/functions/task/provisioned-concurrency?Qualifier={qualifier}");
    let wanted = json!({"ProvisionedConcurrentExecutions": 3});
    let (status, put) = ask(&mut world, "PUT", &path("live"), &wanted);
    assert_eq!((status, &put["Status"]), (202, &json!("IN_PROGRESS")));
    assert_eq!(put["AllocatedProvisionedConcurrentExecutions"], 0);
    pass(&mut world, 90);
    let (_, ready) = ask(&mut world, "GET", &path("live"), &Value::Null);
    assert_eq!((&ready["Status"], &ready["AvailableProvisionedConcurrentExecutions"]), (&json!("READY"), &json!(3)));
    let (status, conflict) = ask(&mut world, "PUT", &path("1"), &wanted);
    let message = "Version is pointed by a Provisioned Concurrency alias";
    assert_eq!((status, &conflict["message"]), (409, &json!(message)));
    let (status, latest) = ask(&mut world, "GET", &path("%24LATEST"), &Value::Null);
    let message = "The function resource provided must be an alias or a published version.";
    assert_eq!((status, &latest["message"]), (400, &json!(message)));
    let list = "/2019-09-30/functions/task/provisioned-concurrency?List=ALL";
    let (_, listed) = ask(&mut world, "GET", list, &Value::Null);
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:task:live";
    assert_eq!(listed["ProvisionedConcurrencyConfigs"][0]["FunctionArn"], arn);
    assert_eq!(ask(&mut world, "DELETE", &format!("{FUNCTIONS}/task/aliases/live"), &Value::Null).0, 204);
    let (status, gone) = ask(&mut world, "GET", &path("live"), &Value::Null);
    assert_eq!((status, &gone["Message"]), (404, &json!(format!("Cannot find alias arn: {arn}"))));
    let (status, none) = ask(&mut world, "GET", &path("2"), &Value::Null);
    assert_eq!((status, &none["message"]), (404, &json!("No Provisioned Concurrency Config found for this function")));
}

#[test]
fn settings_of_asynchronous_invocation_are_put_updated_listed_and_deleted() {
    let mut world = world();
    world.place.limits = false;
    create(&mut world, "task");
    let path = "/2019-09-25/functions/task/event-invoke-config";
    let (status, none) = ask(&mut world, "GET", path, &Value::Null);
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:task:$LATEST";
    let missing = format!("The function {arn} doesn't have an EventInvokeConfig");
    assert_eq!((status, &none["Message"]), (404, &json!(missing)));
    let empty = "You must specify at least one of error handling or destination setting.";
    assert_eq!(ask(&mut world, "PUT", path, &json!({})).1["message"], empty);
    let (status, put) =
        ask(&mut world, "PUT", path, &json!({"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 60}));
    assert_eq!((status, &put["FunctionArn"]), (200, &json!(arn)));
    assert_eq!(put["DestinationConfig"], json!({"OnSuccess": {}, "OnFailure": {}}));
    let (_, updated) = ask(&mut world, "POST", path, &json!({"MaximumRetryAttempts": 0}));
    assert_eq!((&updated["MaximumRetryAttempts"], &updated["MaximumEventAgeInSeconds"]), (&json!(0), &json!(60)));
    let (_, overwritten) = ask(&mut world, "PUT", path, &json!({"MaximumRetryAttempts": 1}));
    assert_eq!(overwritten["MaximumEventAgeInSeconds"], Value::Null);
    let target = json!({"DestinationConfig": {"OnSuccess": {"Destination": "arn:aws:iam:eu-west-1:123456789012:x"}}});
    let (_, wrong) = ask(&mut world, "PUT", path, &target);
    let message = "The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=arn:aws:iam:\
                   eu-west-1:123456789012:x), onFailure=null) is invalid.";
    assert_eq!(wrong["message"], message);
    let itself = json!({"DestinationConfig": {"OnFailure": {"Destination": arn.trim_end_matches(":$LATEST")}}});
    let message = "You can't specify the function as a destination for itself.";
    assert_eq!(ask(&mut world, "PUT", path, &itself).1["message"], message);
    let (_, listed) = ask(&mut world, "GET", &format!("{path}/list"), &Value::Null);
    assert_eq!(listed["FunctionEventInvokeConfigs"][0]["FunctionArn"], arn);
    assert_eq!(ask(&mut world, "DELETE", path, &Value::Null).0, 204);
    assert_eq!(ask(&mut world, "DELETE", path, &Value::Null).1["Message"], missing);
    let unknown = "/2019-09-25/functions/nobody/event-invoke-config";
    let (status, gone) = ask(&mut world, "PUT", unknown, &json!({"MaximumRetryAttempts": 1}));
    assert_eq!((status, &gone["Message"]), (404, &json!("The function doesn't exist.")));
}

#[test]
fn a_policy_is_told_statement_by_statement_and_its_revision_is_the_functions() {
    let mut world = world();
    world.place.limits = false;
    create(&mut world, "task");
    pass(&mut world, 1);
    let path = format!("{FUNCTIONS}/task/policy");
    let (status, none) = ask(&mut world, "GET", &path, &Value::Null);
    assert_eq!((status, &none["Message"]), (404, &json!("The resource you requested does not exist.")));
    let bucket = json!({
        "StatementId": "s3", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com",
        "SourceArn": "arn:aws:s3:::uploads", "SourceAccount": "123456789012",
    });
    let (status, added) = ask(&mut world, "POST", &path, &bucket);
    assert_eq!(status, 201);
    let statement: Value = serde_json::from_str(added["Statement"].as_str().unwrap()).unwrap();
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:task";
    let wanted = json!({
        "Sid": "s3", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction", "Resource": arn,
        "Condition": {
            "StringEquals": {"AWS:SourceAccount": "123456789012"},
            "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::uploads"},
        },
    });
    assert_eq!(statement, wanted);
    let (status, twin) = ask(&mut world, "POST", &path, &bucket);
    assert_eq!(status, 409);
    assert!(twin["message"].as_str().unwrap().starts_with("The statement id (s3) provided already exists."), "{twin}");
    let (_, policy) = ask(&mut world, "GET", &path, &Value::Null);
    let (_, configured) = ask(&mut world, "GET", &format!("{FUNCTIONS}/task/configuration"), &Value::Null);
    assert_eq!(policy["RevisionId"], configured["RevisionId"]);
    let text: Value = serde_json::from_str(policy["Policy"].as_str().unwrap()).unwrap();
    assert_eq!(text, json!({"Version": "2012-10-17", "Id": "default", "Statement": [wanted]}));
    let account = json!({"StatementId": "a", "Action": "lambda:*", "Principal": "111122223333"});
    let (_, added) = ask(&mut world, "POST", &path, &account);
    assert!(added["Statement"].as_str().unwrap().contains("arn:aws:iam::111122223333:root"));
    let (status, none) = ask(&mut world, "DELETE", &format!("{path}/no-such"), &Value::Null);
    assert_eq!((status, &none["Message"]), (404, &json!("Statement no-such is not found in resource policy.")));
    assert_eq!(ask(&mut world, "DELETE", &format!("{path}/a?RevisionId=old"), &Value::Null).0, 412);
    assert_eq!(ask(&mut world, "DELETE", &format!("{path}/s3"), &Value::Null).0, 204);
    assert_eq!(ask(&mut world, "DELETE", &format!("{path}/a"), &Value::Null).0, 204);
    assert_eq!(ask(&mut world, "GET", &path, &Value::Null).0, 404);
}

#[test]
fn tags_are_set_read_and_taken_away() {
    let mut world = world();
    world.place.limits = false;
    create(&mut world, "task");
    let arn = "arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Atask";
    let path = format!("/2017-03-31/tags/{arn}");
    assert_eq!(ask(&mut world, "POST", &path, &json!({"Tags": {"team": "hotel", "stage": "sale"}})).0, 204);
    assert_eq!(ask(&mut world, "DELETE", &format!("{path}?tagKeys=stage&tagKeys=none"), &Value::Null).0, 204);
    assert_eq!(ask(&mut world, "GET", &path, &Value::Null), (200, json!({"Tags": {"team": "hotel"}})));
    let (_, got) = ask(&mut world, "GET", &format!("{FUNCTIONS}/task"), &Value::Null);
    assert_eq!(got["Tags"], json!({"team": "hotel"}));
    let (_, qualified) = ask(&mut world, "POST", &format!("{path}%3A1"), &json!({"Tags": {"a": "b"}}));
    let message = "Tags on function aliases and versions are not supported. Please specify a function ARN.";
    assert_eq!(qualified["message"], message);
}

#[test]
fn all_versions_are_listed_over_pages() {
    let mut world = world();
    world.place.limits = false;
    two_versions(&mut world, "one");
    create(&mut world, "two");
    let mut shown = Vec::new();
    let mut marker = String::new();
    loop {
        let path = format!("{FUNCTIONS}?FunctionVersion=ALL&MaxItems=2&Marker={}", marker.replace('=', "%3D"));
        let (_, page) = ask(&mut world, "GET", &path, &Value::Null);
        let arn = |f: &Value| f["FunctionArn"].as_str().unwrap().split_once("function:").unwrap().1.to_owned();
        shown.extend(page["Functions"].as_array().unwrap().iter().map(arn));
        match page["NextMarker"].as_str() {
            Some(next) => marker = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(shown, ["one:$LATEST", "one:1", "one:2", "two:$LATEST"]);
}

#[test]
fn members_that_change_nothing_are_answered_as_they_were_sent() {
    let mut world = world();
    create(&mut world, "task");
    let input = json!({
        "Layers": ["arn:aws:lambda:eu-west-1:123456789012:layer:base:3"],
        "VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        "LoggingConfig": {"LogFormat": "JSON", "LogGroup": "/hotel/task"},
    });
    let (status, body) = ask(&mut world, "PUT", &format!("{FUNCTIONS}/task/configuration"), &input);
    assert_eq!(status, 200);
    assert_eq!(body["Layers"][0]["Arn"], input["Layers"][0]);
    assert_eq!(body["VpcConfig"]["SubnetIds"], json!(["subnet-1"]));
    let logging = json!({
        "LogFormat": "JSON", "LogGroup": "/hotel/task", "ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO",
    });
    assert_eq!(body["LoggingConfig"], logging);
    let large = json!({"Environment": {"Variables": {"LARGE": "x".repeat(5_000)}}});
    let (_, refused) = ask(&mut world, "PUT", &format!("{FUNCTIONS}/task/configuration"), &large);
    let text = refused["message"].as_str().unwrap();
    assert!(text.starts_with("Lambda was unable to configure your environment variables because"), "{text}");
}

#[test]
fn a_function_url_is_made_read_changed_and_deleted() {
    let mut world = world();
    world.place.limits = false;
    two_versions(&mut world, "task");
    let path = "/2021-10-31/functions/task/url";
    let (status, made) = ask(&mut world, "POST", path, &json!({"AuthType": "NONE"}));
    assert_eq!(status, 201);
    assert!(made["FunctionUrl"].as_str().unwrap().ends_with(".lambda-url.eu-west-1.on.aws/"), "{made}");
    let (status, twin) = ask(&mut world, "POST", path, &json!({"AuthType": "NONE"}));
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:task";
    let message = format!(
        "Failed to create function url config for [functionArn = {arn}]. Error message:  FunctionUrlConfig exists for \
         this Lambda function"
    );
    assert_eq!((status, &twin["message"]), (409, &json!(message)));
    let (_, updated) = ask(&mut world, "PUT", path, &json!({"AuthType": "AWS_IAM", "Cors": {"AllowOrigins": ["*"]}}));
    assert_eq!((&updated["AuthType"], &updated["Cors"]["AllowOrigins"]), (&json!("AWS_IAM"), &json!(["*"])));
    assert_eq!(ask(&mut world, "GET", path, &Value::Null).1["InvokeMode"], "BUFFERED");
    let (status, version) = ask(&mut world, "GET", &format!("{path}?Qualifier=1"), &Value::Null);
    let message = "1 validation error detected: Value '1' at 'qualifier' failed to satisfy constraint: Member must \
                   satisfy regular expression pattern: ((?!^\\d+$)^[0-9a-zA-Z-_]+$)";
    assert_eq!((status, &version["message"]), (400, &json!(message)));
    let (_, listed) = ask(&mut world, "GET", "/2021-10-31/functions/task/urls", &Value::Null);
    assert_eq!(listed["FunctionUrlConfigs"][0]["FunctionArn"], arn);
    assert_eq!(ask(&mut world, "DELETE", path, &Value::Null).0, 204);
    let (status, gone) = ask(&mut world, "GET", path, &Value::Null);
    assert_eq!((status, &gone["Message"]), (404, &json!("The resource you requested does not exist.")));
    let (_, nobody) = ask(&mut world, "POST", "/2021-10-31/functions/nobody/url", &json!({"AuthType": "NONE"}));
    assert_eq!(nobody["Message"], "Function does not exist");
}

#[test]
fn retired_runtimes_and_other_regions_are_refused_in_aws_words() {
    let mut world = world();
    let zip = base64::engine::general_purpose::STANDARD.encode(b"PK\x03\x04 code");
    let input = json!({
        "FunctionName": "old", "Runtime": "go1.x", "Role": ROLE, "Handler": "main", "Code": {"ZipFile": zip},
    });
    let (status, body) = ask(&mut world, "POST", FUNCTIONS, &input);
    let message = "The runtime parameter of go1.x is no longer supported for creating or updating AWS Lambda functions. \
                   We recommend you use the new runtime (provided.al2023) while creating or updating functions.";
    assert_eq!((status, &body["message"]), (400, &json!(message)));
    let elsewhere = "arn:aws:lambda:us-east-1:123456789012:function:old";
    let (status, body) = ask(&mut world, "GET", &format!("{FUNCTIONS}/{elsewhere}"), &Value::Null);
    let message = "Functions from 'us-east-1' are not reachable in this region ('eu-west-1')";
    assert_eq!((status, &body["Message"]), (404, &json!(message)));
}

#[test]
fn without_delays_functions_and_mappings_are_ready_in_the_answer() {
    let mut world = world();
    world.delays = false;
    let (_, made) = create(&mut world, "resize");
    assert_eq!((&made["State"], &made["LastUpdateStatus"]), (&json!("Active"), &json!("Successful")));
    queue(&mut world, "orders");
    let source = json!({"FunctionName": "resize", "EventSourceArn": "arn:aws:sqs:eu-west-1:123456789012:orders"});
    let (status, mapping) = ask(&mut world, "POST", "/2015-03-31/event-source-mappings", &source);
    assert_eq!((status, &mapping["State"]), (202, &json!("Enabled")));
    let path = format!("/2015-03-31/event-source-mappings/{}", mapping["UUID"].as_str().unwrap());
    assert_eq!(ask(&mut world, "PUT", &path, &json!({"Enabled": false})).1["State"], "Disabled");
    assert_eq!(ask(&mut world, "DELETE", &path, &Value::Null).1["State"], "Deleting");
    let now = world.now;
    world.advance_to(now);
    assert_eq!(ask(&mut world, "GET", &path, &Value::Null).0, 404);
}
