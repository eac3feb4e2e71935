//! A delivery stream's description.

use super::DESTINATION_ID;
use crate::sim::cx::Place;
use crate::sim::firehose::destination::Kind;
use crate::sim::firehose::stream::{DeliveryStream, Encryption, Source};
use serde_json::{Map, Value as Json, json};

pub fn stream(stream: &DeliveryStream, place: &Place) -> Json {
    let mut members = json!({
        "DeliveryStreamName": stream.name,
        "DeliveryStreamARN": stream.arn(place),
        "DeliveryStreamStatus": stream.status.name(),
        "DeliveryStreamType": stream.kind(),
        "VersionId": stream.version.to_string(),
        "CreateTimestamp": stream.created.secs_f64(),
        "Destinations": [destination(stream)],
        "HasMoreDestinations": false,
    });
    if let Some(at) = stream.updated {
        members["LastUpdateTimestamp"] = json!(at.secs_f64());
    }
    match &stream.source {
        Source::DirectPut => members["DeliveryStreamEncryptionConfiguration"] = encryption(&stream.encryption),
        Source::Kinesis { arn, role, .. } => {
            members["Source"] = json!({"KinesisStreamSourceDescription": {
                "KinesisStreamARN": arn,
                "RoleARN": role,
                "DeliveryStartTimestamp": stream.created.secs_f64(),
            }});
        }
    }
    members
}

fn encryption(encryption: &Encryption) -> Json {
    let mut members = json!({"Status": encryption.status});
    if let Some(kind) = &encryption.key_type {
        members["KeyType"] = json!(kind);
    }
    if let Some(arn) = &encryption.key_arn {
        members["KeyARN"] = json!(arn);
    }
    members
}

/// Storage in the extended form is described in the older form, too.
fn destination(stream: &DeliveryStream) -> Json {
    const OLD: [&str; 8] = [
        "RoleARN",
        "BucketARN",
        "Prefix",
        "ErrorOutputPrefix",
        "BufferingHints",
        "CompressionFormat",
        "EncryptionConfiguration",
        "CloudWatchLoggingOptions",
    ];
    let (kind, settings) = (stream.destination.kind, &stream.destination.settings);
    let member = format!("{}DestinationDescription", kind.stem());
    if !kind.is_storage() {
        return json!({"DestinationId": DESTINATION_ID, member: settings});
    }
    let old: Map<String, Json> =
        settings.iter().filter(|(name, _)| OLD.contains(&name.as_str())).map(|(n, v)| (n.clone(), v.clone())).collect();
    let mut members = json!({"DestinationId": DESTINATION_ID, "S3DestinationDescription": old});
    if kind == Kind::ExtendedS3 {
        members[member] = Json::Object(settings.clone());
    }
    members
}
