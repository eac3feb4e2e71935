//! Delivery streams of a scenario: what may stand in the file, and how they are made.

use super::file::Scenario;
use super::problems::Problems;
use crate::sim::firehose::{Destination, Encryption, Kind, Source, Spec};
use crate::sim::world::World;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

/// Buffers records and delivers them to storage.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryStream {
    pub name: String,
    /// `kinesis/bids`; without it, records are put to it directly.
    pub source: Option<String>,
    /// The bucket's name.
    pub bucket: String,
    #[serde(default = "interval_s")]
    pub interval_s: u64,
    #[serde(default = "size_mb")]
    pub size_mb: u64,
}

const fn interval_s() -> u64 {
    300
}
const fn size_mb() -> u64 {
    5
}

impl DeliveryStream {
    /// The Kinesis stream that it reads.
    fn source_stream(&self) -> Option<&str> {
        self.source.as_deref()?.strip_prefix("kinesis/")
    }
}

/// Whether `firehose/NAME` is there.
pub fn has(scenario: &Scenario, world: Option<&World>, target: &str) -> bool {
    target.strip_prefix("firehose/").is_some_and(|name| {
        scenario.delivery_streams.iter().any(|stream| stream.name == name)
            || world.is_some_and(|world| world.firehose.stream(name).is_some())
    })
}

/// Finds what cannot be.
pub fn check(scenario: &Scenario, problems: &mut Problems<'_>, world: Option<&World>) {
    for (index, stream) in scenario.delivery_streams.iter().enumerate() {
        let name = &stream.name;
        if let Some(source) = &stream.source
            && !(source.starts_with("kinesis/") && scenario.has_source(world, source))
        {
            let message = format!("delivery_stream `{name}`: source `{source}` is not a [[stream]] here");
            problems.of("delivery_stream", index, message);
        }
        if !(1..=128).contains(&stream.size_mb) || stream.interval_s > 900 {
            let message = format!("delivery_stream `{name}`: size_mb must be 1 to 128, interval_s 0 to 900");
            problems.of("delivery_stream", index, message);
        }
    }
}

/// Makes the delivery streams. Errors: what Firehose says against one.
pub fn add_delivery_streams(world: &mut World, scenario: &Scenario) -> Result<(), String> {
    for stream in &scenario.delivery_streams {
        let role = format!("arn:aws:iam::{}:role/{}", world.place.account, stream.name);
        let source = match stream.source_stream() {
            Some(name) => {
                let arn = world.place.arn("kinesis", &format!("stream/{name}"));
                Source::Kinesis { stream: name.to_owned(), arn, role: role.clone() }
            }
            None => Source::DirectPut,
        };
        let settings = [
            ("RoleARN", json!(role)),
            ("BucketARN", json!(format!("arn:aws:s3:::{}", stream.bucket))),
            ("BufferingHints", json!({"SizeInMBs": stream.size_mb, "IntervalInSeconds": stream.interval_s})),
            ("CompressionFormat", json!("UNCOMPRESSED")),
            ("EncryptionConfiguration", json!({"NoEncryptionConfig": "NoEncryption"})),
            ("CloudWatchLoggingOptions", json!({"Enabled": false})),
            ("S3BackupMode", json!("Disabled")),
        ];
        let spec = Spec {
            name: stream.name.clone(),
            source,
            destination: Destination {
                kind: Kind::ExtendedS3,
                settings: settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            },
            encryption: Encryption::off(),
            tags: BTreeMap::new(),
        };
        let (firehose, mut cx) = world.firehose_cx();
        firehose
            .add_active(&mut cx, spec)
            .map_err(|error| format!("delivery_stream `{}`: {}", stream.name, error.message))?;
    }
    Ok(())
}
