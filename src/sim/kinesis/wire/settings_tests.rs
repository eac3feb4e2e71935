//! Tags, policies and settings as clients see them.

use super::tests::{ask, iterator, refused, wait, with_stream};
use super::*;
use crate::sim::kinesis::{PutKey, PutRecord};
use crate::sim::payload::Payload;
use serde_json::json;

const STREAM: &str = "arn:aws:kinesis:eu-west-1:123456789012:stream/bids";

#[test]
fn tags_are_set_replaced_listed_in_pages_and_removed() {
    let mut world = with_stream(false, 1);
    let tags = json!({ "StreamName": "bids", "Tags": { "a": "1", "ü0 _.": "2", "/=+-@:": "" } });
    assert_eq!(ask(&mut world, "AddTagsToStream", tags).unwrap(), Value::Null);
    ask(&mut world, "TagResource", json!({ "ResourceARN": STREAM, "Tags": { "a": "3" } })).unwrap();
    let page = ask(&mut world, "ListTagsForStream", json!({ "StreamARN": STREAM, "Limit": 2 })).unwrap();
    assert_eq!(
        page,
        json!({ "Tags": [{ "Key": "/=+-@:", "Value": "" }, { "Key": "a", "Value": "3" }], "HasMoreTags": true })
    );
    let rest = json!({ "StreamName": "bids", "ExclusiveStartTagKey": "a" });
    let rest = ask(&mut world, "ListTagsForStream", rest).unwrap();
    assert_eq!(rest, json!({ "Tags": [{ "Key": "ü0 _.", "Value": "2" }], "HasMoreTags": false }));
    ask(&mut world, "RemoveTagsFromStream", json!({ "StreamName": "bids", "TagKeys": ["a", "nobody"] })).unwrap();
    ask(&mut world, "UntagResource", json!({ "ResourceARN": STREAM, "TagKeys": ["ü0 _."] })).unwrap();
    let left = ask(&mut world, "ListTagsForResource", json!({ "ResourceARN": STREAM })).unwrap();
    assert_eq!(left, json!({ "Tags": [{ "Key": "/=+-@:", "Value": "" }] }));
}

#[test]
fn tags_are_refused_in_the_services_words() {
    let mut world = with_stream(false, 1);
    let mut add = |tags: Value| refused(&mut world, "AddTagsToStream", json!({ "StreamName": "bids", "Tags": tags }));
    let words = "Some tags contain invalid characters. Valid characters: Unicode letters, digits, white space, _ . / = \
                 + - % @ :.";
    for tags in [json!({ "abc;def": "1" }), json!({ "a": "b\tc" }), json!({ "a": "b,c" })] {
        assert_eq!(add(tags), ("InvalidArgumentException", words.to_owned()));
    }
    assert_eq!(
        add(json!({ "abc%def": "1" })).1,
        "Failed to add tags to stream bids under account 123456789012 because some tags contained illegal characters. \
         The allowed characters are Unicode letters, white-spaces, '_',',','/','=','+','-','@',':'."
    );
    let many: Map<String, Value> = (0..51).map(|n| (format!("k{n}"), json!(""))).collect();
    assert_eq!(
        add(Value::Object(many)).1,
        "Failed to add tags to stream bids under account 123456789012 because a given stream cannot have more than 50 \
         tags associated with it."
    );
    let long = "k".repeat(129);
    assert_eq!(
        add(json!({ &long: "3" })),
        (
            "ValidationException",
            format!(
                "1 validation error detected: Value '{{{long}=3}}' at 'tags' failed to satisfy constraint: Map keys must \
                 satisfy constraint: [Member must have length less than or equal to 128, Member must have length \
                 greater than or equal to 1]"
            )
        )
    );
    assert_eq!(
        refused(&mut world, "RemoveTagsFromStream", json!({ "StreamName": "", "TagKeys": [] })).1,
        "3 validation errors detected: Value '[]' at 'tagKeys' failed to satisfy constraint: Member must have length \
         greater than or equal to 1; Value '' at 'streamName' failed to satisfy constraint: Member must satisfy regular \
         expression pattern: [a-zA-Z0-9_.-]+; Value '' at 'streamName' failed to satisfy constraint: Member must have \
         length greater than or equal to 1"
    );
    let gone = refused(&mut world, "AddTagsToStream", json!({ "StreamName": "gone", "Tags": { "a": "b" } }));
    assert_eq!(gone.1, "Stream gone under account 123456789012 not found.");
}

#[test]
fn a_policy_is_put_read_and_deleted() {
    let mut world = with_stream(false, 1);
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    let only = json!({ "ResourceARN": STREAM });
    assert_eq!(ask(&mut world, "GetResourcePolicy", only.clone()).unwrap(), json!({ "Policy": "{}" }));
    ask(&mut world, "PutResourcePolicy", json!({ "ResourceARN": STREAM, "Policy": policy })).unwrap();
    assert_eq!(ask(&mut world, "GetResourcePolicy", only.clone()).unwrap(), json!({ "Policy": policy }));
    ask(&mut world, "DeleteResourcePolicy", only.clone()).unwrap();
    let none = format!("No resource policy found for resource ARN {STREAM}.");
    assert_eq!(refused(&mut world, "DeleteResourcePolicy", only), ("ResourceNotFoundException", none));
    let no_json = json!({ "ResourceARN": STREAM, "Policy": "allow all" });
    assert_eq!(refused(&mut world, "PutResourcePolicy", no_json).0, "InvalidArgumentException");
}

#[test]
fn a_stream_changes_its_mode_twice_a_day() {
    let mut world = with_stream(true, 1);
    let mode = |mode: &str| json!({ "StreamARN": STREAM, "StreamModeDetails": { "StreamMode": mode } });
    ask(&mut world, "UpdateStreamMode", mode("ON_DEMAND")).unwrap();
    assert_eq!(refused(&mut world, "UpdateStreamMode", mode("PROVISIONED")).0, "ResourceInUseException");
    wait(&mut world, 10);
    let summary = ask(&mut world, "DescribeStreamSummary", json!({ "StreamARN": STREAM })).unwrap();
    let summary = &summary["StreamDescriptionSummary"];
    assert_eq!(
        (&summary["StreamModeDetails"]["StreamMode"], &summary["OpenShardCount"]),
        (&json!("ON_DEMAND"), &json!(1))
    );
    let (code, message) = refused(
        &mut world,
        "UpdateShardCount",
        json!({ "StreamName": "bids", "TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING" }),
    );
    assert_eq!(code, "ValidationException");
    assert!(message.contains("is in On-Demand mode"), "{message}");
    ask(&mut world, "UpdateStreamMode", mode("PROVISIONED")).unwrap();
    wait(&mut world, 10);
    assert_eq!(refused(&mut world, "UpdateStreamMode", mode("ON_DEMAND")).0, "LimitExceededException");
    wait(&mut world, 86_400);
    ask(&mut world, "UpdateStreamMode", mode("ON_DEMAND")).unwrap();
}

#[test]
fn an_encrypted_stream_says_so_and_its_records_too() {
    let mut world = with_stream(false, 1);
    let put = json!({ "StreamName": "bids", "PartitionKey": "k", "Data": "AAAA" });
    assert!(ask(&mut world, "PutRecord", put.clone()).unwrap().get("EncryptionType").is_none());
    let key = json!({ "StreamName": "bids", "EncryptionType": "KMS", "KeyId": "alias/aws/kinesis" });
    ask(&mut world, "StartStreamEncryption", key.clone()).unwrap();
    wait(&mut world, 10);
    assert_eq!(ask(&mut world, "PutRecord", put.clone()).unwrap()["EncryptionType"], "KMS");
    let described = ask(&mut world, "DescribeStream", json!({ "StreamName": "bids" })).unwrap();
    let described = &described["StreamDescription"];
    assert_eq!((&described["EncryptionType"], &described["KeyId"]), (&json!("KMS"), &json!("alias/aws/kinesis")));
    ask(&mut world, "StopStreamEncryption", key).unwrap();
    wait(&mut world, 10);
    ask(&mut world, "PutRecord", put).unwrap();
    let from = iterator(&mut world, "shardId-000000000000", "TRIM_HORIZON");
    let got = ask(&mut world, "GetRecords", json!({ "ShardIterator": from })).unwrap();
    let kinds: Vec<_> = got["Records"].as_array().unwrap().iter().map(|r| r.get("EncryptionType").is_some()).collect();
    assert_eq!(kinds, [false, true, false]);
    let wrong = json!({ "StreamName": "bids", "EncryptionType": "NONE", "KeyId": "k" });
    assert_eq!(refused(&mut world, "StartStreamEncryption", wrong).0, "InvalidArgumentException");
}

#[test]
fn a_larger_record_size_takes_effect_after_updating() {
    let mut world = with_stream(false, 1);
    let large = json!({ "StreamName": "bids", "PartitionKey": "k", "Data": "A".repeat(2_000_000) });
    assert_eq!(refused(&mut world, "PutRecord", large.clone()).0, "ValidationException");
    ask(&mut world, "UpdateMaxRecordSize", json!({ "StreamARN": STREAM, "MaxRecordSizeInKiB": 2048 })).unwrap();
    wait(&mut world, 10);
    ask(&mut world, "PutRecord", large).unwrap();
    let (_, message) =
        refused(&mut world, "UpdateMaxRecordSize", json!({ "StreamARN": STREAM, "MaxRecordSizeInKiB": 20_000 }));
    assert!(message.ends_with("Member must have value less than or equal to 10240"), "{message}");
}

#[test]
fn an_on_demand_stream_grows_with_its_writers() {
    let mut world = with_stream(true, 1);
    ask(
        &mut world,
        "CreateStream",
        json!({ "StreamName": "free", "StreamModeDetails": { "StreamMode": "ON_DEMAND" } }),
    )
    .unwrap();
    wait(&mut world, 10);
    let open = |world: &mut World| world.kinesis.stream("free").unwrap().open_shards();
    assert_eq!(open(&mut world), 4);
    let records: Vec<PutRecord<'_>> = (0..500)
        .map(|n| PutRecord {
            key: PutKey::Text("spread"),
            explicit_hash: Some(u128::MAX / 500 * n),
            data: Payload::Sent(vec![0; 7000].into()),
        })
        .collect();
    for _ in 0..70 {
        let (kinesis, mut cx) = world.kinesis_cx();
        kinesis.put_records(&mut cx, "free", &records).unwrap();
        wait(&mut world, 1);
    }
    wait(&mut world, 600);
    assert!(open(&mut world) >= 6, "3 MiB/s want capacity for 6, and not {}", open(&mut world));
}

#[test]
fn the_accounts_commitment_lasts_a_day() {
    let mut world = with_stream(true, 1);
    let is = |answer: Value| answer["MinimumThroughputBillingCommitment"]["Status"].as_str().unwrap().to_owned();
    assert_eq!(is(ask(&mut world, "DescribeAccountSettings", json!({})).unwrap()), "DISABLED");
    let set = |status: &str| json!({ "MinimumThroughputBillingCommitment": { "Status": status } });
    assert_eq!(is(ask(&mut world, "UpdateAccountSettings", set("ENABLED")).unwrap()), "ENABLED");
    let ending = ask(&mut world, "UpdateAccountSettings", set("DISABLED")).unwrap();
    assert_eq!(is(ending), "ENABLED_UNTIL_EARLIEST_ALLOWED_END");
    let warm = json!({ "StreamARN": STREAM, "WarmThroughputMiBps": 8 });
    assert_eq!(refused(&mut world, "UpdateStreamWarmThroughput", warm.clone()).0, "ValidationException");
    let mode = json!({ "StreamARN": STREAM, "StreamModeDetails": { "StreamMode": "ON_DEMAND" } });
    ask(&mut world, "UpdateStreamMode", mode).unwrap();
    wait(&mut world, 10);
    let too_much = json!({ "StreamARN": STREAM, "WarmThroughputMiBps": 10_241 });
    assert_eq!(refused(&mut world, "UpdateStreamWarmThroughput", too_much).0, "ValidationException");
    let answer = ask(&mut world, "UpdateStreamWarmThroughput", warm).unwrap();
    assert_eq!(answer["WarmThroughput"], json!({ "TargetMiBps": 8, "CurrentMiBps": 1 }));
    wait(&mut world, 10);
    assert_eq!(world.kinesis.stream("bids").unwrap().open_shards(), 8);
    wait(&mut world, 86_400);
    assert_eq!(is(ask(&mut world, "DescribeAccountSettings", json!({})).unwrap()), "DISABLED");
}

#[test]
fn tags_of_aws_are_not_for_others() {
    let mut world = with_stream(false, 1);
    let words = "because some tags contained keys with the reserved prefix aws:.";
    let tags = json!({ "StreamName": "bids", "Tags": { "aws:team": "x" } });
    let (code, message) = refused(&mut world, "AddTagsToStream", tags);
    assert!(code == "InvalidArgumentException" && message.ends_with(words), "{code}: {message}");
    let input = json!({ "StreamName": "asks", "ShardCount": 1, "Tags": { "aws:team": "x" } });
    let (code, message) = refused(&mut world, "CreateStream", input);
    assert!(code == "InvalidArgumentException" && message.ends_with(words), "{code}: {message}");
    let described = ask(&mut world, "DescribeStreamSummary", json!({ "StreamName": "asks" }));
    assert_eq!(described.unwrap_err().code, "ResourceNotFoundException");
}

#[test]
fn records_are_distributed_in_one_of_two_ways() {
    let mut world = with_stream(false, 1);
    let input = json!({ "StreamName": "asks", "ShardCount": 1, "RecordDistributionStrategy": "random" });
    let message = "1 validation error detected: Value 'random' at 'recordDistributionStrategy' failed to satisfy \
                   constraint: Member must satisfy enum value set: [AUTO, USER_PARTITION_KEY]";
    assert_eq!(refused(&mut world, "CreateStream", input), ("ValidationException", message.to_owned()));
}

#[test]
fn rules_hold_where_limits_are_lifted() {
    let mut world = with_stream(false, 1);
    for target in [2, 1, 2, 1, 2, 1, 2, 1, 2, 1] {
        let resize = json!({ "StreamName": "bids", "TargetShardCount": target, "ScalingType": "UNIFORM_SCALING" });
        ask(&mut world, "UpdateShardCount", resize).unwrap();
        wait(&mut world, 300);
    }
    let resize = json!({ "StreamName": "bids", "TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING" });
    let (code, message) = refused(&mut world, "UpdateShardCount", resize);
    assert!(code == "LimitExceededException" && message.contains("within the last 24 hours"), "{code}: {message}");
}
