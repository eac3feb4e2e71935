//! The wire layer as a client sees it.

use super::*;
use crate::sim::cx::Place;
use crate::sim::wire::cbor::Flavour;
use serde_json::json;

pub(super) fn world() -> World {
    let start = Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap();
    let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
    World::new(1, start, place)
}

pub(super) fn call(path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Call {
    let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let request =
        Request { method: "POST".into(), path: path.into(), query: String::new(), headers, body: body.into() };
    Call::new(request, Timestamp::default())
}

fn done(world: &mut World, mut call: Call) -> Response {
    match handle(world, &mut call) {
        Reply::Done(response) => response,
        Reply::Later(at) => panic!("waits until {at}"),
    }
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
}

pub(super) fn json_call(world: &mut World, target: &str, body: &str) -> (Response, Value) {
    let response = done(world, call("/", &[("x-amz-target", target)], body.to_owned()));
    let value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
    (response, value)
}

fn cbor_call(world: &mut World, operation: &str, input: &Value) -> (Response, Value) {
    let path = format!("/service/GraniteServiceVersion20100801/operation/{operation}");
    let response = done(world, call(&path, &[("smithy-protocol", "rpc-v2-cbor")], cbor::encode(input, Flavour::Rpc)));
    let value = cbor::decode(&response.body, Flavour::Rpc).unwrap();
    (response, value)
}

#[test]
fn cloudwatch_over_cbor_puts_and_gets() {
    let mut world = world();
    let at = world.now.secs_f64();
    let datum = json!({"MetricName": "Sold", "Timestamp": at, "Value": 2.5, "Unit": "Count"});
    let (put, _) = cbor_call(&mut world, "PutMetricData", &json!({"Namespace": "App", "MetricData": [datum]}));
    assert_eq!((put.status, header(&put, "smithy-protocol")), (200, Some("rpc-v2-cbor")));
    let query = json!({"Id": "a", "MetricStat":
        {"Metric": {"Namespace": "App", "MetricName": "Sold"}, "Period": 60, "Stat": "Sum"}});
    let input = json!({"MetricDataQueries": [query], "StartTime": at - 60.0, "EndTime": at + 60.0});
    let (got, value) = cbor_call(&mut world, "GetMetricData", &input);
    assert_eq!(got.status, 200);
    let result = &value["MetricDataResults"][0];
    assert_eq!((&result["Timestamps"], &result["Values"]), (&json!([at]), &json!([2.5])));
    assert_eq!(world.ledger.requests[&("monitoring", "GetMetricData".into(), String::new())], 1);
}

#[test]
fn a_compressed_body_is_inflated_and_a_bomb_is_refused() {
    let mut world = world();
    let pack = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let put = r#"{"Namespace":"App","MetricData":[{"MetricName":"Sold","Value":1}]}"#;
    let bomb = format!("{{{}}}", " ".repeat(INFLATED_MAX as usize));
    for (body, status) in [(pack(put), 200), (pack(&bomb), 400), (b"not gzip".to_vec(), 400)] {
        let headers = [("x-amz-target", "GraniteServiceVersion20100801.PutMetricData"), ("content-encoding", "gzip")];
        assert_eq!(done(&mut world, call("/", &headers, body)).status, status);
    }
}

#[test]
fn errors_carry_both_names_where_the_service_has_two() {
    let mut world = world();
    let (response, value) = cbor_call(&mut world, "PutMetricData", &json!({}));
    assert_eq!(response.status, 400);
    assert_eq!(header(&response, "x-amzn-query-error"), Some("MissingParameter;Sender"));
    assert_eq!(value["__type"], "com.amazonaws.cloudwatch#MissingRequiredParameterException");
    assert_eq!(value["message"], "The parameter Namespace is required.");
    let (response, _) = json_call(&mut world, "GraniteServiceVersion20100801.PutMetricData", "{}");
    assert_eq!(header(&response, "x-amzn-query-error"), Some("MissingParameter;Sender"));
    assert_eq!(header(&response, "content-type"), Some("application/x-amz-json-1.0"));
}

#[test]
fn an_error_of_cloudwatch_has_the_query_protocols_status_for_who_asks_for_it() {
    let mut world = world();
    let body = r#"{"AlarmName":"ghost","StateValue":"OK","StateReason":"test"}"#;
    let mut status = |headers: &[(&str, &str)]| {
        let target = [("x-amz-target", "GraniteServiceVersion20100801.SetAlarmState")];
        done(&mut world, call("/", &[&target, headers].concat(), body)).status
    };
    assert_eq!(status(&[]), 400);
    assert_eq!(status(&[("x-amzn-query-mode", "true")]), 404);
}

#[test]
fn malformed_bodies_and_unknown_targets_get_awss_errors() {
    let mut world = world();
    for body in ["{", "[]", "\"text\"", "{\"a\":", "nul", "{}{}"] {
        let (response, value) = json_call(&mut world, "GraniteServiceVersion20100801.ListMetrics", body);
        assert_eq!(response.status, 400, "{body}");
        assert_eq!(value["__type"], "com.amazon.coral.service#SerializationException", "{body}");
    }
    for target in ["Kinesis_20131202.Fly", "AmazonSQS.Fly", "GraniteServiceVersion20100801.Fly", "X.Y", ""] {
        let (response, value) = json_call(&mut world, target, "{}");
        assert_eq!(response.status, 400, "{target}");
        assert!(value["__type"].as_str().unwrap().ends_with("UnknownOperationException"), "{target}: {value}");
    }
    assert_eq!(done(&mut world, call("/", &[], "")).status, 404);
}

#[test]
fn cbor_of_every_width_and_of_no_stated_length_is_read() {
    let cases: [(&[u8], Value); 10] = [
        (&[0x17], json!(23)),
        (&[0x38, 0x63], json!(-100)),
        (&[0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], json!(u64::MAX)),
        (&[0x1b, 0, 0, 0, 0, 0, 0, 0, 9], json!(9)),
        (&[0xf9, 0x3e, 0x00], json!(1.5)),
        (&[0xfa, 0x3f, 0xc0, 0, 0], json!(1.5)),
        (&[0xc1, 0x1a, 0x6a, 0, 0, 0], json!(0x6a00_0000)),
        (&[0xbf, 0x61, b'a', 0x9f, 0x01, 0xff, 0xff], json!({"a": [1]})),
        (&[0x7f, 0x61, b'a', 0x61, b'b', 0xff], json!("ab")),
        (&[0x43, 1, 2, 3], json!("AQID")),
    ];
    for (bytes, expected) in cases {
        assert_eq!(cbor::decode(bytes, Flavour::Rpc).unwrap(), expected, "{bytes:x?}");
    }
    let broken: [&[u8]; 7] = [
        &[0x9b, 255, 255, 255, 255, 255, 255, 255, 255],
        &[0xff],
        &[0xbf],
        &[0xa1, 1, 1],
        &[0x1b, 1],
        &[0xc2, 1],
        &[1, 1],
    ];
    for bytes in broken {
        assert!(cbor::decode(bytes, Flavour::Rpc).is_err(), "{bytes:x?}");
    }
    assert!(cbor::decode(&[0x81; 100_000], Flavour::Rpc).is_err(), "nesting is bounded");
}

#[test]
fn sts_answers_in_xml_for_the_worlds_account() {
    let mut world = world();
    let headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
    let response = done(&mut world, call("/", &headers, "Action=GetCallerIdentity&Version=2011-06-15"));
    let body = String::from_utf8(response.body.to_vec()).unwrap();
    assert_eq!(response.status, 200);
    assert!(body.contains("<Account>123456789012</Account>"), "{body}");
    let response = done(&mut world, call("/", &headers, "Action=Fly&Version=2011-06-15"));
    let body = String::from_utf8(response.body.to_vec()).unwrap();
    assert_eq!(response.status, 400);
    assert!(body.contains("<Code>InvalidAction</Code>"), "{body}");
}

#[test]
fn the_account_is_an_access_key_of_twelve_digits() {
    let scope = "AWS4-HMAC-SHA256 Credential=111122223333/20261127/eu-west-1/sqs/aws4_request, SignedHeaders=host";
    let request = call("/", &[("authorization", scope)], "").request;
    let caller = caller(&request);
    assert_eq!(caller.account().as_deref(), Some("111122223333"));
    assert_eq!((caller.region.as_deref(), caller.service.as_deref()), (Some("eu-west-1"), Some("sqs")));
    assert_eq!(super::caller(&call("/", &[("authorization", "Bearer x")], "").request), Caller::default());
}

#[test]
fn invented_names_do_not_make_the_ledger_grow() {
    let mut world = world();
    for i in 0..100 {
        json_call(&mut world, &format!("AmazonSQS.Fly{i}"), "{}");
        json_call(&mut world, &format!("AmazonSQS.Fly{i}"), "{");
        json_call(&mut world, &format!("Nobody{i}.Fly"), "{}");
        let path = format!("/service/Nobody{i}/operation/Fly");
        assert_eq!(done(&mut world, call(&path, &[], "")).status, 404);
    }
    assert_eq!(world.ledger.requests.len(), 3, "{:?}", world.ledger.requests);
    assert_eq!(world.ledger.answered, 400);
}

#[test]
fn kinesis_is_served_in_cbor_as_the_java_sdks_speak_it() {
    let mut world = world();
    let ask = |world: &mut World, operation: &str, body: Vec<u8>| {
        let target = format!("Kinesis_20131202.{operation}");
        let headers = [("x-amz-target", target.as_str()), ("content-type", "application/x-amz-cbor-1.1")];
        let response = done(world, call("/", &headers, body));
        assert_eq!(header(&response, "content-type"), Some("application/x-amz-cbor-1.1"));
        (response.status, response.body)
    };
    let encode = |value: &Value| cbor::encode(value, Flavour::Amz);
    let decode = |body: &[u8]| cbor::decode(body, Flavour::Amz).unwrap();
    ask(&mut world, "CreateStream", encode(&json!({ "StreamName": "s", "ShardCount": 1 })));
    world.advance_to(world.now + std::time::Duration::from_secs(60));
    let put = json!({ "StreamName": "s", "PartitionKey": "k", "Data": "AAEC/w==" });
    assert!(encode(&put).windows(5).any(|bytes| bytes == [0x44, 0, 1, 2, 0xff]), "data travels in bytes");
    assert_eq!(ask(&mut world, "PutRecord", encode(&put)).0, 200);
    let mut at = encode(&json!({
        "StreamName": "s", "ShardId": "shardId-000000000000", "ShardIteratorType": "AT_TIMESTAMP",
        "ApproximateArrivalTimestamp": 0.0,
    }));
    // The member's own name is no timestamp's elsewhere, so it is put in by hand: tag 1 and milliseconds.
    let from = at.windows(27).position(|bytes| bytes == b"ApproximateArrivalTimestamp").unwrap();
    at.splice(from - 2.., [b"\x69Timestamp\xc1\x1b", &world.now.millis().to_be_bytes()[..]].concat());
    let (status, body) = ask(&mut world, "GetShardIterator", at);
    assert_eq!(status, 200, "{}", decode(&body));
    let iterator = decode(&body)["ShardIterator"].clone();
    let (_, body) = ask(&mut world, "GetRecords", encode(&json!({ "ShardIterator": iterator })));
    let record = &decode(&body)["Records"][0];
    assert_eq!(
        (&record["Data"], record["ApproximateArrivalTimestamp"].as_f64()),
        (&json!("AAEC/w=="), Some(world.now.secs_f64()))
    );
    let stamp = [&[0xc1, 0x1b][..], &world.now.millis().to_be_bytes()].concat();
    assert!(body.windows(stamp.len()).any(|bytes| bytes == stamp), "times are whole milliseconds");
    let (status, body) = ask(&mut world, "GetRecords", vec![0xff]);
    assert_eq!((status, &decode(&body)["__type"]), (400, &json!("SerializationException")));
}

#[test]
fn methods_and_content_types_that_are_none_get_awss_answers() {
    let mut world = world();
    let target = ("x-amz-target", "Kinesis_20131202.ListStreams");
    for method in ["GET", "PUT", "DELETE", "HEAD", "PATCH"] {
        let mut call = call("/", &[target], "{}");
        call.request.method = method.to_owned();
        let response = done(&mut world, call);
        assert_eq!(response.status, 403, "{method}");
        assert!(response.body.starts_with(b"<AccessDeniedException>\n  <Message>Unable to determine"), "{method}");
    }
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/xml"] {
        let response = done(&mut world, call("/", &[target, ("content-type", kind)], "{}"));
        assert_eq!((response.status, &response.body[..]), (404, &b"<UnknownOperationException/>\n"[..]), "{kind}");
    }
    for kind in ["application/x-amz-json-1.1; charset=utf-8", "application/x-amz-json-1.0", "application/json", ""] {
        assert_eq!(done(&mut world, call("/", &[target, ("content-type", kind)], "{}")).status, 200, "{kind}");
    }
    let twice = [target, target, ("content-type", "application/x-amz-json-1.1"), ("content-type", "text/plain")];
    assert_eq!(done(&mut world, call("/", &twice, "{}")).status, 200, "of a header that comes twice the first counts");
}

#[test]
fn a_presigned_query_is_its_signers() {
    let mut world = world();
    let mut call = call("/", &[], "");
    call.request.method = "GET".into();
    call.request.query = "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256\
                          &X-Amz-Credential=AKID%2F20261127%2Feu-west-1%2Fsts%2Faws4_request&X-Amz-Signature=0"
        .into();
    let caller = caller(&call.request);
    assert_eq!((caller.access_key.as_deref(), caller.service.as_deref()), (Some("AKID"), Some("sts")));
    assert_eq!(done(&mut world, call).status, 200);
}
