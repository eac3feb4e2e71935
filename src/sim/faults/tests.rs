//! Examples of faults, each begun by a scenario's own table and seen by a client or by what the applications do.

use crate::domain::time::Timestamp;
use crate::sim::actors::{self, Role};
use crate::sim::cx::Place;
use crate::sim::faults::record;
use crate::sim::scenario::{self, Fragment};
use crate::sim::wire::{self, Call, Gate, Reply, Request};
use crate::sim::world::World;
use bytes::Bytes;
use std::time::Duration;

pub fn world() -> World {
    world_of(7)
}

pub fn world_of(seed: u64) -> World {
    let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
    World::new(seed, Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap(), place)
}

pub fn add(world: &mut World, toml: &str) {
    let fragment = Fragment::parse(toml).unwrap_or_else(|error| panic!("{error}"));
    scenario::add(world, &fragment).unwrap_or_else(|error| panic!("{error}"));
    pass(world, 0);
}

pub fn pass(world: &mut World, seconds: u64) {
    let until = world.now + Duration::from_secs(seconds);
    world.advance_to(until);
}

pub fn request(target: &str, body: &str) -> Request {
    let headers = [
        ("x-amz-target", target),
        ("authorization", "AWS4-HMAC-SHA256 Credential=AKIATEST/20261127/eu-west-1/x/aws4_request, SignedHeaders=host"),
    ];
    Request {
        method: "POST".into(),
        path: "/".into(),
        query: String::new(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        body: Bytes::from(body.to_owned()),
    }
}

fn form(body: &str) -> Request {
    let headers = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
    Request { headers, ..request("", body) }
}

fn lambda(method: &str, path: &str) -> Request {
    Request { method: method.into(), path: path.into(), headers: vec![], ..request("", "") }
}

/// Status and body of the answer, and what the header of the older codes says.
pub fn ask(world: &mut World, request: Request) -> (u16, String, String) {
    match wire::handle(world, &mut Call::new(request, world.now)) {
        Reply::Done(response) => {
            let header = |name: &str| response.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
            let code = header("x-amzn-query-error").or(header("x-amzn-errortype")).unwrap_or_default();
            (response.status, String::from_utf8_lossy(&response.body).into_owned(), code)
        }
        Reply::Later(until) => (0, until.rfc3339(), String::new()),
    }
}

fn a_request_of(service: &str) -> Request {
    match service {
        "kinesis" => request("Kinesis_20131202.ListShards", r#"{"StreamName":"bids"}"#),
        "sqs" => request("AmazonSQS.ReceiveMessage", r#"{"QueueUrl":"http://x/123456789012/orders"}"#),
        "sns" => form("Action=ListTopics&Version=2010-03-31"),
        "lambda" => lambda("GET", "/2015-03-31/functions/fulfil"),
        "dynamodb" => request("DynamoDB_20120810.Scan", r#"{"TableName":"carts"}"#),
        "firehose" => request("Firehose_20150804.DescribeDeliveryStream", r#"{"DeliveryStreamName":"lake"}"#),
        "swf" => request("SimpleWorkflowService.DescribeDomain", r#"{"name":"shop"}"#),
        "cloudwatch" => request("GraniteServiceVersion20100801.ListMetrics", "{}"),
        "cloudtrail" => request("CloudTrail_20131101.LookupEvents", "{}"),
        "logs" => request("Logs_20140328.FilterLogEvents", r#"{"logGroupName":"/aws/lambda/fulfil"}"#),
        "resourcegroupstaggingapi" => request("ResourceGroupsTaggingAPI_20170126.GetResources", "{}"),
        _ => form("Action=GetCallerIdentity&Version=2011-06-15"),
    }
}

/// One fault of the API for `service` meets one request: status, body, older code.
fn met(service: &str, kind: &str, more: &str) -> (u16, String, String) {
    let mut world = world();
    add(&mut world, &format!("[[fault]]\nkind = \"{kind}\"\ntarget = \"{service}\"\nuntil = \"10m\"\n{more}"));
    let met = ask(&mut world, a_request_of(service));
    pass(&mut world, 600);
    let after = ask(&mut world, a_request_of(service));
    assert_ne!(after, met, "{kind} of {service} is over after its time");
    met
}

#[test]
fn each_service_has_its_own_words_for_too_many_requests() {
    for (service, status, code, words) in [
        ("kinesis", 400, "", r#""LimitExceededException","message":"Rate exceeded for stream bids under account"#),
        ("sqs", 403, "RequestThrottled;Sender", "Request is throttled."),
        ("sns", 429, "", "<Code>Throttled</Code><Message>Rate exceeded</Message>"),
        ("lambda", 429, "TooManyRequestsException", r#""Reason":"CallerRateLimitExceeded""#),
        ("dynamodb", 400, "", "RequestLimitExceeded"),
        ("firehose", 400, "", "LimitExceededException"),
        ("swf", 400, "", r#"availability#ThrottlingException","message":"Rate exceeded"#),
        ("cloudwatch", 400, "Throttling;Sender", "ThrottlingException"),
        ("cloudtrail", 400, "", r#""ThrottlingException","message":"Rate exceeded"#),
        ("logs", 400, "", r#""ThrottlingException","message":"Rate exceeded"#),
        ("sts", 400, "", "<Code>Throttling</Code>"),
        ("resourcegroupstaggingapi", 400, "", r#""ThrottledException","Message":"Rate exceeded"#),
    ] {
        let (got, body, header) = met(service, "api-throttle", "");
        assert!((got, header.as_str()) == (status, code) && body.contains(words), "{service}: {got} {header} {body}");
    }
}

#[test]
fn each_service_fails_in_its_own_words() {
    for (service, words, unavailable) in [
        ("kinesis", r#"{"__type":"InternalFailure"}"#, "ServiceUnavailable"),
        ("sqs", "coral.service#InternalFailure", "ServiceUnavailable"),
        ("sns", "<Code>InternalError</Code>", "<Code>ServiceUnavailable</Code>"),
        ("lambda", r#""Type":"Service""#, r#""Type":"Service""#),
        ("dynamodb", "v20120810#InternalServerError", "ServiceUnavailable"),
        ("swf", "InternalFailure", "ServiceUnavailable"),
        ("cloudwatch", "InternalServiceFault", "ServiceUnavailable"),
        ("logs", "InternalFailure", "ServiceUnavailableException"),
    ] {
        let (status, body, _) = met(service, "api-error", "");
        assert!(status == 500 && body.contains(words), "{service}: {status} {body}");
        let (status, body, _) = met(service, "api-error", "status = 503");
        assert!(status == 503 && body.contains(unavailable), "{service}: {status} {body}");
    }
}

#[test]
fn a_denial_names_who_what_and_on_which_resource() {
    let user = "User: arn:aws:iam::123456789012:user/midwatch is not authorized to perform: ";
    for (service, status, code, words) in [
        (
            "kinesis",
            400,
            "",
            "kinesis:ListShards on resource: arn:aws:kinesis:eu-west-1:123456789012:stream/bids because",
        ),
        (
            "sqs",
            403,
            "AccessDenied;Sender",
            "sqs:receivemessage on resource: arn:aws:sqs:eu-west-1:123456789012:orders because",
        ),
        ("sns", 403, "", "SNS:ListTopics on resource: arn:aws:sns:eu-west-1:123456789012:* because"),
        (
            "lambda",
            403,
            "AccessDeniedException",
            "lambda:GetFunction on resource: arn:aws:lambda:eu-west-1:123456789012:function:fulfil because",
        ),
        ("dynamodb", 400, "", "dynamodb:Scan on resource: arn:aws:dynamodb:eu-west-1:123456789012:table/carts because"),
        ("swf", 400, "", "swf:DescribeDomain on resource: arn:aws:swf:eu-west-1:123456789012:/domain/shop because"),
        ("cloudwatch", 400, "AccessDenied;Sender", "cloudwatch:ListMetrics because"),
        ("resourcegroupstaggingapi", 400, "", "tag:GetResources because"),
        (
            "cloudtrail",
            400,
            "",
            "cloudtrail:LookupEvents because no identity-based policy allows the cloudtrail:LookupEvents action",
        ),
    ] {
        let (got, body, header) = met(service, "api-denied", "");
        assert!((got, header.as_str()) == (status, code), "{service}: {got} {header} {body}");
        assert!(body.contains(user) && body.contains(words), "{service}: {body}");
    }
    let mut world = world();
    add(&mut world, "[[fault]]\nkind = \"api-denied\"\ntarget = \"sts\"");
    let (status, body, _) = ask(&mut world, a_request_of("sts"));
    assert!(status == 200 && body.contains("<Account>"), "nobody needs leave to ask who they are: {body}");
}

#[test]
fn expired_tokens_and_slow_clocks_are_refused_before_anything_else() {
    for (service, status, code) in [
        ("kinesis", 400, "ExpiredTokenException"),
        ("sqs", 403, "ExpiredToken;Sender"),
        ("sns", 403, "<Code>ExpiredToken</Code>"),
        ("lambda", 403, "ExpiredTokenException"),
        ("cloudwatch", 400, "ExpiredToken;Sender"),
        ("sts", 403, "<Code>ExpiredToken</Code>"),
    ] {
        let (got, body, header) = met(service, "expired-credentials", "");
        assert!(body.contains("The security token included in the request is expired"), "{service}: {body}");
        assert!(got == status && format!("{header} {body}").contains(code), "{service}: {got} {header} {body}");
    }
    let words = "Signature expired: 20261127T174000Z is now earlier than 20261127T175500Z (20261127T180000Z - 5 min.)";
    for (service, status, code) in
        [("kinesis", 400, "InvalidSignatureException"), ("sns", 403, "<Code>SignatureDoesNotMatch</Code>")]
    {
        let (got, body, _) = met(service, "clock-skew", "");
        assert!(got == status && body.contains(code) && body.contains(words), "{service}: {got} {body}");
    }
    let mut world = world();
    add(&mut world, "[[fault]]\nkind = \"clock-skew\"\ntarget = \"all\"\nskew = \"4m\"");
    assert_eq!(ask(&mut world, a_request_of("sts")).0, 200, "AWS tolerates five minutes");
}

#[test]
fn a_fault_is_for_its_service_operation_resource_and_callers_alone() {
    let mut world = world();
    add(&mut world, "[[queue]]\nname = \"orders\"\n[[queue]]\nname = \"other\"");
    let fault = |more: &str| format!("[[fault]]\nkind = \"api-denied\"\ntarget = \"sqs/orders\"\n{more}");
    add(&mut world, &fault("until = \"1m\"\noperations = [\"SendMessage\"]\nwho = \"AKIATEST\""));
    let send = |queue: &str| {
        request(
            "AmazonSQS.SendMessage",
            &format!(r#"{{"QueueUrl":"http://x/123456789012/{queue}","MessageBody":"m"}}"#),
        )
    };
    assert_eq!(ask(&mut world, send("orders")).0, 403);
    assert_eq!(ask(&mut world, send("other")).0, 200, "another queue");
    assert_eq!(ask(&mut world, a_request_of("sqs")).0, 200, "another operation");
    assert_eq!(ask(&mut world, a_request_of("sts")).0, 200, "another service");
    let mut stranger = send("orders");
    stranger.headers.retain(|(name, _)| name != "authorization");
    assert_eq!(ask(&mut world, stranger).0, 200, "another caller");
    pass(&mut world, 60);
    assert_eq!(ask(&mut world, send("orders")).0, 200, "it is over");
    add(&mut world, &fault("who = \"actors\""));
    assert_eq!(ask(&mut world, send("orders")).0, 200, "clients are no actors");
    let errors: u64 = world.ledger.requests.iter().filter(|((.., error), _)| !error.is_empty()).map(|(_, n)| n).sum();
    assert_eq!(errors, 1, "{:?}", world.ledger);
}

#[test]
fn a_share_of_requests_is_that_share_and_the_same_each_time() {
    let run = || {
        let mut world = world();
        add(&mut world, "[[fault]]\nkind = \"api-throttle\"\ntarget = \"sts\"\nshare = 0.3");
        (0..500).map(|_| ask(&mut world, a_request_of("sts")).0).collect::<Vec<_>>()
    };
    let first = run();
    let refused = first.iter().filter(|status| **status == 400).count();
    assert!((110..=190).contains(&refused), "{refused}");
    assert_eq!(first, run());
}

#[test]
fn what_hangs_is_held_until_its_time_and_then_served() {
    let mut world = world();
    add(&mut world, "[[fault]]\nkind = \"api-hang\"\ntarget = \"sts\"\nuntil = \"30s\"");
    let mut hung = Call::new(a_request_of("sts"), world.now);
    let ends = world.now + Duration::from_secs(30);
    assert!(matches!(wire::handle(&mut world, &mut hung), Reply::Later(until) if until == ends));
    assert!(world.ledger.requests.is_empty(), "no service has it yet");
    pass(&mut world, 30);
    assert!(matches!(wire::handle(&mut world, &mut hung), Reply::Done(response) if response.status == 200));
    assert_eq!(hung.arrived, world.now);
    add(&mut world, "[[fault]]\nkind = \"api-latency\"\ntarget = \"sts\"\nlatency = { p50_ms = 800, p99_ms = 800 }");
    let mut late = Call::new(a_request_of("sts"), world.now);
    let then = world.now + Duration::from_millis(800);
    assert!(matches!(wire::handle(&mut world, &mut late), Reply::Later(until) if until == then));
    world.advance_to(then);
    assert!(matches!(wire::handle(&mut world, &mut late), Reply::Done(response) if response.status == 200));
}

#[test]
fn a_call_that_is_cut_reaches_nobody() {
    let mut world = world();
    add(&mut world, "[[fault]]\nkind = \"unreachable\"\ntarget = \"sts\"");
    let mut call = Call::new(a_request_of("sts"), world.now);
    wire::handle(&mut world, &mut call);
    assert_eq!((call.gate, world.ledger.answered), (Gate::Cut, 0));
}

#[test]
fn applications_meet_the_faults_of_the_api_and_go_on_when_they_are_over() {
    let mut world = world();
    add(
        &mut world,
        r#"
        [[queue]]
        name = "orders"
        [[template]]
        name = "order"
        text = "an order"
        [[producer]]
        name = "shop"
        target = "sqs/orders"
        per_s = 10.0
        template = "order"
        retries = false
        [[worker]]
        name = "packers"
        queue = "orders"
        concurrency = 20
        service = { p50_ms = 100, p99_ms = 100 }
        "#,
    );
    let lost = |world: &mut World| match actors::named(world, "shop").map(|actor| &actor.role) {
        Some(Role::Producer(shop)) => (shop.counts.stored, shop.counts.lost),
        _ => panic!("no producer"),
    };
    let visible = |world: &mut World| {
        let (sqs, cx) = world.sqs_cx();
        sqs.depth(&cx, "orders").unwrap().visible
    };
    pass(&mut world, 60);
    assert!(visible(&mut world) < 20 && lost(&mut world).1 == 0);
    add(&mut world, "[[fault]]\nkind = \"api-denied\"\ntarget = \"sqs\"\nwho = \"packers\"\nuntil = \"60s\"");
    pass(&mut world, 60);
    assert!(visible(&mut world) > 400, "nobody receives");
    pass(&mut world, 60);
    assert!(visible(&mut world) < 20);
    let before = lost(&mut world);
    add(
        &mut world,
        "[[fault]]\nkind = \"unreachable\"\ntarget = \"sqs\"\noperations = [\"SendMessage\"]\nuntil = \"60s\"",
    );
    pass(&mut world, 60);
    let (stored, lost) = lost(&mut world);
    assert!(stored - before.0 < 30 && lost > 400, "{stored} {lost}");
}

#[test]
fn mistakes_in_a_fault_are_named_with_their_lines_and_cures() {
    let mut world = world();
    add(
        &mut world,
        "[[queue]]\nname = \"orders\"\n[[worker]]\nname = \"packers\"\nqueue = \"orders\"\nconcurrency = 1\nservice = { p50_ms = 1, p99_ms = 1 }",
    );
    for (fault, line, words) in [
        (
            "kind = \"api-throttle\"\ntarget = \"sqqs\"",
            3,
            "target must be all, a service or its resource, such as sqs/NAME: did you mean `sqs`?",
        ),
        (
            "kind = \"api-throttle\"\ntarget = \"sqs/ordres\"",
            3,
            "target `sqs/ordres` is not here: did you mean `sqs/orders`?",
        ),
        ("kind = \"api-error\"\ntarget = \"cloudtrail/x\"", 3, "write `cloudtrail`"),
        ("kind = \"stop\"\ntarget = \"packer\"", 3, "did you mean `packers`?"),
        ("kind = \"api-throttle\"\ntarget = \"sqs\"\nshare = 1.5", 4, "share must be 0 to 1"),
        ("kind = \"api-error\"\ntarget = \"sqs\"\nstatus = 404", 4, "status must be 500 or 503"),
        ("kind = \"api-latency\"\ntarget = \"sqs\"", 1, "fault 1 (api-latency of `sqs`): needs latency"),
        (
            "kind = \"api-denied\"\ntarget = \"sqs\"\noperations = [\n\"SendMessage\",\n\"sqs:SendMesage\"]",
            6,
            "did you mean `SendMessage`?",
        ),
        ("kind = \"api-denied\"\ntarget = \"sqs\"\noperations = [\"PutRecords\"]", 4, "it is of `kinesis`"),
        (
            "kind = \"api-denied\"\ntarget = \"all\"\noperations = [\"Conjure\"]",
            4,
            "no `Conjure` that any service has here",
        ),
        ("kind = \"api-denied\"\ntarget = \"sqs\"\nwho = \"pakcers\"", 4, "did you mean `packers`?"),
        ("kind = \"api-denied\"\ntarget = \"sqs\"\nwho = \"test\"", 4, "as key/test"),
        ("kind = \"stop\"\ntarget = \"packers\"\nwho = \"clients\"", 4, "leave it out"),
        (
            "kind = \"deny\"\ntarget = \"packers\"\naction = \"sqs:RecieveMessage\"",
            4,
            "did you mean `sqs:ReceiveMessage`?",
        ),
    ] {
        let fragment = Fragment::parse(&format!("[[fault]]\n{fault}")).unwrap();
        let error = scenario::add(&mut world, &fragment).unwrap_err().to_string();
        assert!(error.contains(words) && error.starts_with(&format!("line {line}: ")), "{error}");
    }
    let two = "[[fault]]\nkind = \"api-error\"\ntarget = \"sqqs\"\n[[fault]]\nkind = \"stop\"\ntarget = \"nobody\"\nshare = 2.0";
    let error = scenario::add(&mut world, &Fragment::parse(two).unwrap()).unwrap_err();
    assert_eq!(error.errors.len(), 3, "all at once: {error}");
}

#[test]
fn a_request_that_makes_something_may_meet_a_fault_before_it_is_there() {
    let mut world = world();
    add(&mut world, "[[fault]]\nkind = \"api-error\"\ntarget = \"sqs/orders\"\noperations = [\"CreateQueue\"]");
    let create = |name: &str| request("AmazonSQS.CreateQueue", &format!(r#"{{"QueueName":"{name}"}}"#));
    assert_eq!(ask(&mut world, create("orders")).0, 500);
    assert_eq!(ask(&mut world, create("others")).0, 200);
}

#[test]
fn a_key_that_looks_like_none_is_named_as_one() {
    let mut world = world();
    add(&mut world, "[[fault]]\nkind = \"api-denied\"\ntarget = \"sqs\"\nwho = \"key/ci\"");
    let mut list = request("AmazonSQS.ListQueues", "{}");
    assert_eq!(ask(&mut world, list.clone()).0, 200);
    list.headers[1].1 = list.headers[1].1.replace("AKIATEST", "ci");
    assert_eq!(ask(&mut world, list).0, 403);
}

#[test]
fn a_fault_is_ended_before_its_time_or_kept_from_beginning() {
    let mut world = world();
    add(
        &mut world,
        "[[fault]]\nname = \"storm\"\nkind = \"api-error\"\ntarget = \"sqs\"\nuntil = \"10m\"\n\
         [[fault]]\nkind = \"api-denied\"\ntarget = \"sns\"\n\
         [[fault]]\nname = \"later\"\nkind = \"api-error\"\ntarget = \"kinesis\"\nat = \"5m\"",
    );
    let names = |world: &World| record::not_over(world).map(|staged| staged.plan.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&world), ["storm", "api-denied", "later"]);
    let list = || request("AmazonSQS.ListQueues", "{}");
    assert_eq!(ask(&mut world, list()).0, 500);
    assert_eq!(record::end(&mut world, Some("storm")), 1);
    assert_eq!(ask(&mut world, list()).0, 200);
    assert_eq!((record::end(&mut world, Some("storm")), names(&world).len()), (0, 2));
    // Another of the same kind is not ended at the first one's time.
    pass(&mut world, 300);
    add(&mut world, "[[fault]]\nkind = \"api-error\"\ntarget = \"sqs\"");
    pass(&mut world, 600);
    assert_eq!(ask(&mut world, list()).0, 500);
    assert_eq!(record::end(&mut world, None), 3);
    assert_eq!((ask(&mut world, list()).0, names(&world).len()), (200, 0));
    assert_eq!(ask(&mut world, a_request_of("kinesis")).0, 400, "the stream is not there, and nothing worse");
}

#[test]
fn what_somebody_set_is_set_back_when_its_fault_is_ended() {
    let mut world = world();
    add(
        &mut world,
        "[[queue]]\nname = \"orders\"\nvisibility_timeout_s = 77\n[[fault]]\nkind = \"visibility-short\"\ntarget = \"sqs/orders\"\nvisibility_s = 1",
    );
    let visibility = |world: &World| world.sqs.queue("orders").unwrap().attributes.visibility_s;
    assert_eq!(visibility(&world), 1);
    record::end(&mut world, None);
    assert_eq!(visibility(&world), 77);
}
