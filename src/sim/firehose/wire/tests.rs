//! Firehose on the wire, by example: refusals in AWS's words.

use crate::domain::time::Timestamp;
use crate::sim::cx::Place;
use crate::sim::wire::{Call, Reply, Request, handle};
use crate::sim::world::World;
use bytes::Bytes;
use serde_json::{Value, json};

fn ask(world: &mut World, operation: &str, body: &Value) -> (u16, Value) {
    let request = Request {
        method: "POST".into(),
        path: "/".into(),
        query: String::new(),
        headers: vec![("x-amz-target".into(), format!("Firehose_20150804.{operation}"))],
        body: Bytes::from(body.to_string()),
    };
    let mut call = Call::new(request, world.now);
    match handle(world, &mut call) {
        Reply::Done(response) => (response.status, serde_json::from_slice(&response.body).unwrap()),
        Reply::Later(at) => panic!("{operation} waits until {at}"),
    }
}

#[test]
fn refusals_are_in_the_words_of_aws() {
    let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
    let mut world = World::new(7, Timestamp::from_millis(1_800_000_000_000), place);
    let s3 = json!({"RoleARN": "arn:aws:iam::123456789012:role/r", "BucketARN": "arn:aws:s3:::b"});
    let large = json!({"RoleARN": "arn:aws:iam::123456789012:role/r", "BucketARN": "arn:aws:s3:::b", "BufferingHints": {"SizeInMBs": 200}});
    for (operation, body, code, words) in [
        (
            "DescribeDeliveryStream",
            json!({"DeliveryStreamName": "x"}),
            "ResourceNotFoundException",
            "Firehose x under account 123456789012 not found.",
        ),
        (
            "DescribeDeliveryStream",
            json!({}),
            "ValidationException",
            "1 validation error detected: Value null at 'deliveryStreamName' failed to satisfy constraint: Member must not be null",
        ),
        (
            "CreateDeliveryStream",
            json!({"DeliveryStreamName": "x"}),
            "InvalidArgumentException",
            "Exactly one destination configuration is supported for a Firehose",
        ),
        (
            "CreateDeliveryStream",
            json!({"DeliveryStreamName": "x", "ExtendedS3DestinationConfiguration": large}),
            "ValidationException",
            "1 validation error detected: Value '200' at 'extendedS3DestinationConfiguration.bufferingHints.sizeInMBs' failed to satisfy constraint: Member must have value less than or equal to 128",
        ),
        (
            "CreateDeliveryStream",
            json!({"DeliveryStreamName": "x", "DeliveryStreamType": "KinesisStreamAsSource", "S3DestinationConfiguration": s3}),
            "InvalidArgumentException",
            "KinesisSourceStreamConfig is required for KinesisStreamAsSource stream type",
        ),
        ("Invent", json!({}), "com.amazon.coral.service#UnknownOperationException", ""),
    ] {
        let (status, answer) = ask(&mut world, operation, &body);
        assert_eq!(status, 400);
        assert_eq!(
            (answer["__type"].as_str(), answer["message"].as_str().unwrap_or_default()),
            (Some(code), words),
            "{body}"
        );
    }
}

#[test]
fn other_destinations_are_described_with_their_storage_and_without_their_secrets() {
    let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
    let mut world = World::new(7, Timestamp::from_millis(1_800_000_000_000), place);
    world.delays = false;
    let storage =
        json!({"RoleARN": "arn:aws:iam::123456789012:role/r", "BucketARN": "arn:aws:s3:::backup", "Prefix": "failed/"});
    let endpoint = json!({"Url": "https://collector.example/v1", "Name": "collector", "AccessKey": "hush"});
    let configuration = json!({"EndpointConfiguration": endpoint, "S3Configuration": storage});
    let input = json!({"DeliveryStreamName": "h", "HttpEndpointDestinationConfiguration": configuration});
    let (status, answer) = ask(&mut world, "CreateDeliveryStream", &input);
    assert_eq!(status, 200, "{answer}");
    let described = |world: &mut World| {
        let answer = ask(world, "DescribeDeliveryStream", &json!({"DeliveryStreamName": "h"})).1;
        answer["DeliveryStreamDescription"]["Destinations"][0].clone()
    };
    let destination = described(&mut world);
    let http = &destination["HttpEndpointDestinationDescription"];
    assert_eq!(http["EndpointConfiguration"], json!({"Url": "https://collector.example/v1", "Name": "collector"}));
    assert_eq!(http["S3DestinationDescription"]["Prefix"], "failed/");
    assert_eq!(http["S3DestinationDescription"]["CompressionFormat"], "UNCOMPRESSED", "a default");
    assert!(destination.get("S3DestinationDescription").is_none() && http.get("S3Configuration").is_none());
    let update = json!({
        "DeliveryStreamName": "h", "CurrentDeliveryStreamVersionId": "1", "DestinationId": "destinationId-000000000001",
        "HttpEndpointDestinationUpdate": {"S3Update": {"Prefix": "lost/"}},
    });
    assert_eq!(ask(&mut world, "UpdateDestination", &update).0, 200);
    let updated = described(&mut world)["HttpEndpointDestinationDescription"].clone();
    assert_eq!(updated["S3DestinationDescription"]["Prefix"], "lost/");
    assert_eq!(updated["S3DestinationDescription"]["BucketARN"], "arn:aws:s3:::backup", "what is not said stays");
    let missing = json!({"DeliveryStreamName": "x", "SplunkDestinationConfiguration": {"HECEndpoint": "https://x"}});
    let (status, error) = ask(&mut world, "CreateDeliveryStream", &missing);
    let member = "Value null at 'splunkDestinationConfiguration.hECEndpointType'";
    assert!(status == 400 && error["message"].as_str().unwrap().contains(member), "{error}");
}

#[test]
fn members_out_of_their_bounds_are_refused() {
    let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
    let mut world = World::new(7, Timestamp::from_millis(1_800_000_000_000), place);
    let mut words = |operation: &str, more: Value| {
        let mut input = json!({"DeliveryStreamName": "x"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (status, answer) = ask(&mut world, operation, &input);
        assert_eq!(status, 400, "{input}");
        let message = answer["message"].as_str().unwrap().replace("1 validation error detected: Value ", "");
        message.replace(" failed to satisfy constraint: Member must", "")
    };
    let s3 = |name: &str, value: Value| {
        let mut s3 = json!({"RoleARN": "arn:aws:iam::123456789012:role/r", "BucketARN": "arn:aws:s3:::b"});
        s3[name] = value;
        json!({ "ExtendedS3DestinationConfiguration": s3 })
    };
    let set = "satisfy enum value set";
    for (operation, input, expected) in [
        ("CreateDeliveryStream", json!({"Tags": []}), "at 'tags' have length greater than or equal to 1".to_owned()),
        (
            "TagDeliveryStream",
            json!({"Tags": [{"Key": "aws:a"}]}),
            r"'aws:a' at 'tags.1.member.key' satisfy regular expression pattern: ^(?!aws:)[\p{L}\p{Z}\p{N}_.:\/=+\-@%]*$".to_owned(),
        ),
        (
            "CreateDeliveryStream",
            json!({"DirectPutSourceConfiguration": {"ThroughputHintInMBs": 101}}),
            "'101' at 'directPutSourceConfiguration.throughputHintInMBs' have value less than or equal to 100".to_owned(),
        ),
        (
            "StartDeliveryStreamEncryption",
            json!({"DeliveryStreamEncryptionConfigurationInput": {}}),
            "null at 'deliveryStreamEncryptionConfigurationInput.keyType' not be null".to_owned(),
        ),
        ("ListDeliveryStreams", json!({"DeliveryStreamType": "Any"}), format!("'Any' at 'deliveryStreamType' {set}: [DirectPut, KinesisStreamAsSource, MSKAsSource, DatabaseAsSource]")),
        (
            "CreateDeliveryStream",
            s3("S3BackupMode", json!("On")),
            format!("'On' at 'extendedS3DestinationConfiguration.s3BackupMode' {set}: [Disabled, Enabled]"),
        ),
        (
            "CreateDeliveryStream",
            s3("DynamicPartitioningConfiguration", json!({"RetryOptions": {"DurationInSeconds": 7201}})),
            "'7201' at 'extendedS3DestinationConfiguration.dynamicPartitioningConfiguration.retryOptions.durationInSeconds' \
             have value less than or equal to 7200"
                .to_owned(),
        ),
        (
            "CreateDeliveryStream",
            s3("ProcessingConfiguration", json!({"Processors": [{}]})),
            "null at 'extendedS3DestinationConfiguration.processingConfiguration.processors.1.member.type' not be null"
                .to_owned(),
        ),
        (
            "CreateDeliveryStream",
            s3("BufferingHints", json!({"SizeInMBs": 5})),
            "BufferingHints must specify both SizeInMBs and IntervalInSeconds, or neither".to_owned(),
        ),
    ] {
        let found = words(operation, input).replace("1 validation error detected: Value ", "");
        assert_eq!(found, expected, "{operation}");
    }
}
