//! Kinesis as its clients see it: members in, members out, and AWS's words where something is wrong.

use super::*;
use crate::sim::wire::Request;
use serde_json::json;
use std::time::Duration;

pub(super) fn world(limits: bool) -> World {
    let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits };
    World::new(7, Timestamp::from_millis(1_700_000_000_000), place)
}

pub(super) fn ask(world: &mut World, operation: &str, input: Value) -> Result<Value, ApiError> {
    let request =
        Request { method: "POST".into(), path: "/".into(), query: String::new(), headers: vec![], body: "".into() };
    let mut call = Call::new(request, world.now);
    match answer(world, &mut call, operation, &input)? {
        Reply::Done(value) => Ok(value),
        Reply::Later(_) => panic!("Kinesis never makes a call wait"),
    }
}

pub(super) fn refused(world: &mut World, operation: &str, input: Value) -> (&'static str, String) {
    let error = ask(world, operation, input).unwrap_err();
    (error.code, error.message)
}

pub(super) fn wait(world: &mut World, seconds: u64) {
    world.advance_to(world.now + Duration::from_secs(seconds));
}

pub(super) fn with_stream(limits: bool, shards: u32) -> World {
    let mut world = world(limits);
    ask(&mut world, "CreateStream", json!({ "StreamName": "bids", "ShardCount": shards })).unwrap();
    wait(&mut world, 10);
    world
}

pub(super) fn iterator(world: &mut World, shard: &str, kind: &str) -> String {
    let input = json!({ "StreamName": "bids", "ShardId": shard, "ShardIteratorType": kind });
    ask(world, "GetShardIterator", input).unwrap()["ShardIterator"].as_str().unwrap().to_owned()
}

#[test]
fn a_stream_is_described_as_aws_does() {
    let mut world = world(true);
    let made = ask(&mut world, "CreateStream", json!({ "StreamName": "bids", "ShardCount": 3 })).unwrap();
    assert_eq!(made, Value::Null);
    let arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/bids";
    let described = ask(&mut world, "DescribeStream", json!({ "StreamARN": arn })).unwrap();
    assert_eq!(
        described,
        json!({ "StreamDescription": {
            "StreamName": "bids", "StreamARN": arn, "StreamStatus": "CREATING",
            "StreamModeDetails": { "StreamMode": "PROVISIONED" }, "StreamCreationTimestamp": 1_700_000_000.0,
            "RetentionPeriodHours": 24, "EnhancedMonitoring": [{ "ShardLevelMetrics": [] }],
            "EncryptionType": "NONE", "HasMoreShards": false, "Shards": [],
        }})
    );
    wait(&mut world, 10);
    let described = ask(&mut world, "DescribeStream", json!({ "StreamName": "bids" })).unwrap();
    let shard = &described["StreamDescription"]["Shards"][1];
    assert_eq!(shard["ShardId"], "shardId-000000000001");
    assert_eq!(shard["HashKeyRange"]["StartingHashKey"], "113427455640312821154458202477256070485");
    assert_eq!(shard["SequenceNumberRange"]["StartingSequenceNumber"].as_str().unwrap().len(), 56);
    assert!(shard["SequenceNumberRange"].get("EndingSequenceNumber").is_none());
    let summary = ask(&mut world, "DescribeStreamSummary", json!({ "StreamName": "bids" })).unwrap();
    assert_eq!(summary["StreamDescriptionSummary"]["OpenShardCount"], 3);
}

#[test]
fn what_a_client_puts_it_gets_back() {
    let mut world = with_stream(true, 1);
    let put = json!({ "StreamName": "bids", "PartitionKey": "hotel-17", "Data": "AAEC/w==" });
    let put = ask(&mut world, "PutRecord", put).unwrap();
    let from = iterator(&mut world, "shardId-000000000000", "TRIM_HORIZON");
    let got = ask(&mut world, "GetRecords", json!({ "ShardIterator": from })).unwrap();
    assert_eq!(
        got["Records"],
        json!([{
            "SequenceNumber": put["SequenceNumber"], "ApproximateArrivalTimestamp": world.now.secs_f64(),
            "Data": "AAEC/w==", "PartitionKey": "hotel-17",
        }])
    );
    assert_eq!(got["MillisBehindLatest"], 0);
    let next = ask(&mut world, "GetRecords", json!({ "ShardIterator": got["NextShardIterator"] })).unwrap();
    assert_eq!(next["Records"], json!([]));
    wait(&mut world, 301);
    let (code, _) = refused(&mut world, "GetRecords", json!({ "ShardIterator": got["NextShardIterator"] }));
    assert_eq!(code, "ExpiredIteratorException");
}

#[test]
fn put_records_fails_in_part_with_status_200() {
    let mut world = with_stream(true, 1);
    let record = json!({ "PartitionKey": "k", "Data": "AAAA" });
    let batch = json!({ "StreamName": "bids", "Records": vec![record; 500] });
    for _ in 0..2 {
        assert_eq!(ask(&mut world, "PutRecords", batch.clone()).unwrap()["FailedRecordCount"], 0);
    }
    let answer = ask(&mut world, "PutRecords", batch).unwrap();
    assert_eq!(answer["FailedRecordCount"], 500);
    assert_eq!(
        answer["Records"][499],
        json!({
            "ErrorCode": "ProvisionedThroughputExceededException",
            "ErrorMessage":
                "Rate exceeded for shard shardId-000000000000 in stream bids under account 123456789012.",
        })
    );
}

#[test]
fn a_closed_shard_ends_and_names_its_children() {
    let mut world = with_stream(true, 1);
    ask(&mut world, "PutRecord", json!({ "StreamName": "bids", "PartitionKey": "k", "Data": "" })).unwrap();
    let split = json!({
        "StreamName": "bids", "ShardToSplit": "shardId-000000000000",
        "NewStartingHashKey": "170141183460469231731687303715884105728",
    });
    ask(&mut world, "SplitShard", split.clone()).unwrap();
    let busy = "Stream bids under account 123456789012 not ACTIVE, instead in state UPDATING";
    assert_eq!(refused(&mut world, "SplitShard", split.clone()), ("ResourceInUseException", busy.to_owned()));
    wait(&mut world, 60);
    let from = iterator(&mut world, "shardId-000000000000", "TRIM_HORIZON");
    let got = ask(&mut world, "GetRecords", json!({ "ShardIterator": from })).unwrap();
    assert_eq!(got["Records"].as_array().unwrap().len(), 1);
    assert!(got.get("NextShardIterator").is_none());
    assert_eq!(got["ChildShards"][1]["ShardId"], "shardId-000000000002");
    assert_eq!(got["ChildShards"][1]["ParentShards"], json!(["shardId-000000000000"]));
    let (code, message) = refused(&mut world, "SplitShard", split);
    assert_eq!(code, "InvalidArgumentException");
    assert!(message.contains("has already been merged or split"), "{message}");
    let merge = |a: &str, b: &str| json!({ "StreamName": "bids", "ShardToMerge": a, "AdjacentShardToMerge": b });
    let (_, message) = refused(&mut world, "MergeShards", merge("shardId-2", "shardId-1"));
    assert_eq!(
        message,
        "Shards shardId-000000000002 and shardId-000000000001 in stream bids under account 123456789012 are not an \
         adjacent pair of shards eligible for merging"
    );
    ask(&mut world, "MergeShards", merge("shardId-1", "shardId-2")).unwrap();
    wait(&mut world, 60);
    let shards = ask(&mut world, "ListShards", json!({ "StreamName": "bids" })).unwrap();
    assert_eq!(shards["Shards"][3]["ParentShardId"], "shardId-000000000001");
    assert_eq!(shards["Shards"][3]["AdjacentParentShardId"], "shardId-000000000002");
}

#[test]
fn list_shards_filters_and_pages() {
    let mut world = with_stream(true, 2);
    let resize = json!({ "StreamName": "bids", "TargetShardCount": 4, "ScalingType": "UNIFORM_SCALING" });
    let answer = ask(&mut world, "UpdateShardCount", resize).unwrap();
    assert_eq!((&answer["CurrentShardCount"], &answer["TargetShardCount"]), (&json!(2), &json!(4)));
    wait(&mut world, 120);
    let ids = |answer: &Value| -> Vec<String> {
        let shards = answer["Shards"].as_array().unwrap().iter();
        shards.map(|shard| shard["ShardId"].as_str().unwrap()[18..].to_owned()).collect()
    };
    let mut list = |input: Value| ask(&mut world, "ListShards", input);
    let open = json!({ "StreamName": "bids", "ShardFilter": { "Type": "AT_LATEST" } });
    assert_eq!(ids(&list(open).unwrap()), ["02", "03", "04", "05"]);
    let old = json!({ "StreamName": "bids", "ShardFilter": { "Type": "AT_TRIM_HORIZON" } });
    assert_eq!(ids(&list(old).unwrap()), ["00", "01"]);
    let first = list(json!({ "StreamName": "bids", "MaxResults": 4 })).unwrap();
    assert_eq!(ids(&first), ["00", "01", "02", "03"]);
    let rest = list(json!({ "NextToken": first["NextToken"] })).unwrap();
    assert_eq!((ids(&rest), rest.get("NextToken")), (vec!["04".to_owned(), "05".to_owned()], None));
    let both = list(json!({ "NextToken": first["NextToken"], "StreamName": "bids" })).unwrap_err();
    assert_eq!(both.message, "NextToken and StreamName cannot be provided together.");
    let neither = list(json!({})).unwrap_err();
    assert_eq!(neither.message, "Either NextToken or StreamName should be provided.");
}

#[test]
fn list_streams_pages_by_name() {
    let mut world = world(false);
    for name in ["c", "a", "b"] {
        ask(&mut world, "CreateStream", json!({ "StreamName": name, "ShardCount": 1 })).unwrap();
    }
    let first = ask(&mut world, "ListStreams", json!({ "Limit": 2 })).unwrap();
    assert_eq!((&first["StreamNames"], &first["HasMoreStreams"]), (&json!(["a", "b"]), &json!(true)));
    let rest = ask(&mut world, "ListStreams", json!({ "NextToken": first["NextToken"] })).unwrap();
    assert_eq!((&rest["StreamNames"], &rest["HasMoreStreams"]), (&json!(["c"]), &json!(false)));
    let rest = ask(&mut world, "ListStreams", json!({ "ExclusiveStartStreamName": "b" })).unwrap();
    assert_eq!(rest["StreamSummaries"][0]["StreamStatus"], "CREATING");
}

#[test]
fn violations_are_listed_in_the_services_words() {
    let mut world = world(true);
    let (code, message) = refused(&mut world, "CreateStream", json!({ "StreamName": "", "ShardCount": 0 }));
    assert_eq!(code, "ValidationException");
    assert_eq!(
        message,
        "3 validation errors detected: Value '0' at 'shardCount' failed to satisfy constraint: Member must have value \
         greater than or equal to 1; Value '' at 'streamName' failed to satisfy constraint: Member must satisfy \
         regular expression pattern: [a-zA-Z0-9_.-]+; Value '' at 'streamName' failed to satisfy constraint: Member \
         must have length greater than or equal to 1"
    );
    let (_, message) = refused(&mut world, "GetRecords", json!({}));
    assert_eq!(
        message,
        "1 validation error detected: Value null at 'shardIterator' failed to satisfy constraint: Member must not be \
         null"
    );
    let (_, message) =
        refused(&mut world, "PutRecords", json!({ "StreamName": "s", "Records": [{ "PartitionKey": "" }] }));
    assert_eq!(
        message,
        "2 validation errors detected: Value '' at 'records.1.member.partitionKey' failed to satisfy constraint: \
         Member must have length greater than or equal to 1; Value null at 'records.1.member.data' failed to satisfy \
         constraint: Member must not be null"
    );
    let typed = json!({ "StreamName": "bids", "ShardLevelMetrics": ["IncomingBytes", "Nonsense"] });
    let (_, message) = refused(&mut world, "EnableEnhancedMonitoring", typed);
    assert!(message.starts_with("1 validation error detected: Value '[IncomingBytes, Nonsense]'"), "{message}");
}

#[test]
fn wrong_types_are_serialization_errors() {
    let mut world = world(true);
    let cases = [
        (
            json!({ "Data": 23 }),
            "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to a Blob",
        ),
        (
            json!({ "Data": "23456" }),
            "'23456' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 bytes but found: 5",
        ),
        (json!({ "Data": "=+/=" }), "'=+/=' can not be converted to a Blob: Invalid Base64 character: '='"),
        (
            json!({ "Data": "+/+=" }),
            "'+/+=' can not be converted to a Blob: Invalid last non-pad Base64 character dectected",
        ),
        (json!({ "DryRun": "23" }), "'23' can not be converted to an Boolean"),
        (json!({ "PartitionKey": true }), "class java.lang.Boolean can not be converted to an String"),
        (json!({ "StreamName": [] }), "Start of list found where not expected"),
        (json!({ "StreamName": {} }), "Start of structure or map found where not expected."),
    ];
    for (input, message) in cases {
        assert_eq!(refused(&mut world, "PutRecord", input), ("SerializationException", message.to_owned()));
    }
    let (code, message) = refused(&mut world, "PutRecords", json!({ "Records": "23" }));
    assert_eq!((code, message.as_str()), ("SerializationException", "Expected list or null"));
    let (_, message) = refused(&mut world, "PutRecords", json!({ "Records": ["23"] }));
    assert_eq!(message, "Expected null");
}

#[test]
fn what_is_not_there_is_said_not_to_be() {
    let mut world = with_stream(true, 1);
    let not_found = |message: &str| ("ResourceNotFoundException", message.to_owned());
    let gone = not_found("Stream gone under account 123456789012 not found.");
    for operation in ["DescribeStream", "DescribeStreamSummary", "DeleteStream", "ListShards"] {
        assert_eq!(refused(&mut world, operation, json!({ "StreamName": "gone" })), gone, "{operation}");
    }
    let input = json!({ "StreamName": "bids", "ShardId": "shardId-5", "ShardIteratorType": "LATEST" });
    let message = "Shard shardId-000000000005 in stream bids under account 123456789012 does not exist";
    assert_eq!(refused(&mut world, "GetShardIterator", input), not_found(message));
    let input = json!({ "StreamName": "bids", "ShardToSplit": "x", "NewStartingHashKey": "0" });
    let message = "Could not find shard x in stream bids under account 123456789012.";
    assert_eq!(refused(&mut world, "SplitShard", input), not_found(message));
    assert_eq!(refused(&mut world, "ListenToStream", json!({})).0, "UnknownOperationException");
}

#[test]
fn iterators_by_sequence_number_insist_on_one_of_this_shard() {
    let mut world = with_stream(true, 3);
    let mut get = |shard: &str, kind: &str, number: Option<&str>| {
        let mut input = json!({ "StreamName": "bids", "ShardId": shard, "ShardIteratorType": kind });
        input["StartingSequenceNumber"] = number.into();
        wait(&mut world, 1);
        ask(&mut world, "GetShardIterator", input).map_err(|error| error.message)
    };
    let either = "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or \
                  (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified ";
    let none = format!("{either}AT_SEQUENCE_NUMBER and no StartingSequenceNumber.");
    assert_eq!(get("shardId-0", "AT_SEQUENCE_NUMBER", None), Err(none));
    let also = format!("{either}LATEST and also a StartingSequenceNumber.");
    assert_eq!(get("shardId-0", "LATEST", Some("5")), Err(also));
    let other = "Invalid StartingSequenceNumber. It encodes shardId-000000000005, while it was used in a call to a \
                 shard with shardId-000000000000";
    assert_eq!(get("shardId-0", "AT_SEQUENCE_NUMBER", Some("5")), Err(other.to_owned()));
    let foreign = "StartingSequenceNumber 21267647932558653966460912964485513216 used in GetShardIterator on shard \
                   shardId-000000000000 in stream bids under account 123456789012 is invalid because it did not come \
                   from this stream.";
    assert_eq!(get("shardId-0", "AT_SEQUENCE_NUMBER", Some("0")), Err(foreign.to_owned()));
}

#[test]
fn retention_and_monitoring_change_within_their_rules() {
    let mut world = with_stream(true, 1);
    let hours = |hours: i64| json!({ "StreamName": "bids", "RetentionPeriodHours": hours });
    let (_, message) = refused(&mut world, "IncreaseStreamRetentionPeriod", hours(23));
    assert_eq!(
        message,
        "Minimum allowed retention period is 24 hours. Requested retention period (23 hours) is too short."
    );
    assert_eq!(ask(&mut world, "IncreaseStreamRetentionPeriod", hours(48)).unwrap(), Value::Null);
    let (_, message) = refused(&mut world, "DecreaseStreamRetentionPeriod", hours(49));
    assert_eq!(
        message,
        "Requested retention period (49 hours) for stream bids can not be longer than existing retention period (48 \
         hours). Use IncreaseRetentionPeriod API."
    );
    let on = json!({ "StreamName": "bids", "ShardLevelMetrics": ["ALL"] });
    let answer = ask(&mut world, "EnableEnhancedMonitoring", on).unwrap();
    assert_eq!(answer["CurrentShardLevelMetrics"], json!([]));
    assert_eq!(answer["DesiredShardLevelMetrics"].as_array().unwrap().len(), 7);
    let off = json!({ "StreamName": "bids", "ShardLevelMetrics": ["OutgoingBytes"] });
    let answer = ask(&mut world, "DisableEnhancedMonitoring", off).unwrap();
    assert_eq!(answer["DesiredShardLevelMetrics"].as_array().unwrap().len(), 6);
}

#[test]
fn the_control_plane_has_its_published_rates() {
    let mut world = with_stream(true, 1);
    let limited = |world: &mut World, operation: &str, input: Value| {
        (0..40).filter(|_| ask(world, operation, input.clone()).is_ok()).count()
    };
    let stream = json!({ "StreamName": "bids" });
    assert_eq!(limited(&mut world, "DescribeStream", stream.clone()), 10);
    assert_eq!(limited(&mut world, "DescribeStreamSummary", stream.clone()), 20);
    assert_eq!(limited(&mut world, "ListStreams", json!({})), 5);
    assert_eq!(limited(&mut world, "DescribeLimits", json!({})), 1);
    let message = "Rate exceeded for account 123456789012.".to_owned();
    assert_eq!(refused(&mut world, "DescribeStream", stream.clone()), ("LimitExceededException", message));
    world.place.limits = false;
    assert_eq!(limited(&mut world, "DescribeStream", stream), 40);
}

#[test]
fn records_and_requests_have_their_largest_sizes() {
    let mut world = world(false);
    ask(&mut world, "CreateStream", json!({ "StreamName": "bids", "ShardCount": 1 })).unwrap();
    let wide = json!({ "StreamName": "wide", "ShardCount": 1, "MaxRecordSizeInKiB": 2048 });
    ask(&mut world, "CreateStream", wide).unwrap();
    wait(&mut world, 10);
    let body = |bytes: usize| "AAAA".repeat(bytes / 3);
    let put = |stream: &str, bytes: usize| json!({ "StreamName": stream, "PartitionKey": "k", "Data": body(bytes) });
    assert!(ask(&mut world, "PutRecord", put("bids", 1_048_575)).is_ok());
    let (code, message) = refused(&mut world, "PutRecord", put("bids", 1_048_578));
    assert_eq!(code, "ValidationException");
    assert_eq!(
        message,
        "1 validation error detected: Value at 'data' failed to satisfy constraint: Member must have length less than \
         or equal to 1048576"
    );
    assert!(ask(&mut world, "PutRecord", put("wide", 2_000_001)).is_ok());
    let record = json!({ "PartitionKey": "k", "Data": body(1_000_002) });
    let many = json!({ "StreamName": "bids", "Records": vec![record; 11] });
    let message = "Records size exceeds 10 MB limit".to_owned();
    assert_eq!(refused(&mut world, "PutRecords", many), ("InvalidArgumentException", message));
    let record = json!({ "PartitionKey": "k", "Data": "" });
    let (_, message) = refused(&mut world, "PutRecords", json!({ "StreamName": "bids", "Records": vec![record; 501] }));
    assert_eq!(
        message,
        "1 validation error detected: Value at 'records' failed to satisfy constraint: Member must have length less \
         than or equal to 500"
    );
}

#[test]
fn absurd_numbers_are_refused_like_any_other() {
    let mut world = with_stream(true, 1);
    for count in [json!(1e300), json!(u64::MAX), json!(100_000_000_000_i64)] {
        let (code, _) = refused(&mut world, "CreateStream", json!({ "StreamName": "big", "ShardCount": count }));
        assert_eq!(code, "LimitExceededException");
        let input = json!({ "StreamName": "bids", "ScalingType": "UNIFORM_SCALING", "TargetShardCount": count });
        assert_eq!(refused(&mut world, "UpdateShardCount", input).0, "LimitExceededException");
        let input = json!({ "StreamName": "bids", "RetentionPeriodHours": count });
        assert_eq!(refused(&mut world, "IncreaseStreamRetentionPeriod", input).0, "InvalidArgumentException");
    }
    let hash = "340282366920938463463374607431768211456";
    let input = json!({ "StreamName": "bids", "PartitionKey": "k", "Data": "", "ExplicitHashKey": hash });
    assert_eq!(
        refused(&mut world, "PutRecord", input).1,
        format!(
            "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was {hash}"
        )
    );
    let input = json!({ "StreamName": "bids", "ShardToSplit": "shardId-0", "NewStartingHashKey": hash });
    assert!(refused(&mut world, "SplitShard", input).1.starts_with(&format!("NewStartingHashKey {hash} used in")));
}

#[test]
fn a_stream_of_neither_mode_nor_count_is_on_demand_and_is_not_resharded_by_hand() {
    let mut world = world(true);
    ask(&mut world, "CreateStream", json!({ "StreamName": "bids" })).unwrap();
    wait(&mut world, 10);
    let summary = ask(&mut world, "DescribeStreamSummary", json!({ "StreamName": "bids" })).unwrap();
    let summary = &summary["StreamDescriptionSummary"];
    assert_eq!(summary["StreamModeDetails"]["StreamMode"], "ON_DEMAND");
    assert_eq!(summary["OpenShardCount"], 4);
    let resize = json!({ "StreamName": "bids", "TargetShardCount": 8, "ScalingType": "UNIFORM_SCALING" });
    let message = "Request is invalid. Stream bids under account 123456789012 is in On-Demand mode.".to_owned();
    assert_eq!(refused(&mut world, "UpdateShardCount", resize), ("ValidationException", message));
    let limits = ask(&mut world, "DescribeLimits", json!({})).unwrap();
    assert_eq!((&limits["OnDemandStreamCount"], &limits["OpenShardCount"]), (&json!(1), &json!(0)));
}

#[test]
fn a_number_beyond_32_bits_is_the_last_that_is_not() {
    let mut world = with_stream(true, 1);
    let wanted = "1 validation error detected: Value '2147483647' at 'limit' failed to satisfy constraint: Member must \
                  have value less than or equal to 10000";
    let refused = refused(&mut world, "ListStreams", json!({ "Limit": 100_000_000_000_u64 }));
    assert_eq!(refused, ("ValidationException", wanted.to_owned()));
}

#[test]
fn a_stream_is_named_by_name_or_by_arn() {
    let mut world = with_stream(true, 1);
    let (code, message) = refused(&mut world, "DescribeStreamSummary", json!({}));
    assert_eq!(code, "ValidationException");
    assert_eq!(
        message,
        "1 validation error detected: Value null at 'streamName' failed to satisfy constraint: Member must not be null"
    );
    let arn = |account: &str| json!({ "StreamARN": format!("arn:aws:kinesis:eu-west-1:{account}:stream/bids") });
    assert!(ask(&mut world, "DescribeStreamSummary", arn("123456789012")).is_ok());
    let (code, message) = refused(&mut world, "DescribeStreamSummary", arn("111122223333"));
    assert_eq!(
        (code, message.as_str()),
        ("ResourceNotFoundException", "Stream bids under account 111122223333 not found.")
    );
}
