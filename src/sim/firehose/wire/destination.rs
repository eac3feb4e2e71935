//! Destinations as requests give them: which members there must be, their bounds and their defaults.

use crate::sim::error::ApiError;
use crate::sim::firehose::fault;
use crate::sim::firehose::stream::Destination;
use crate::sim::wire::input::{Input, Violations};
use serde_json::{Map, Value as Json, json};

/// Destinations that AWS has and the engine does not deliver to.
const OTHERS: [&str; 8] = [
    "Redshift",
    "Elasticsearch",
    "Amazonopensearchservice",
    "AmazonOpenSearchServerless",
    "Splunk",
    "HttpEndpoint",
    "Snowflake",
    "Iceberg",
];

/// The one destination of a new stream. Errors: `ValidationException`, `InvalidArgumentException`.
pub fn of_creation(input: Input<'_>) -> Result<Destination, ApiError> {
    let (member, is_extended) = chosen(input, "Configuration")?;
    let given = input.structure(member)?.unwrap_or(input);
    let mut violations = Violations::default();
    for required in ["RoleARN", "BucketARN"] {
        if !given.has(required) {
            violations.add("null", &path(member, required), "Member must not be null");
        }
    }
    violations.finish()?;
    check(given, member)?;
    let mut settings: Map<String, Json> = Map::new();
    for (name, default) in [
        ("BufferingHints", json!({"SizeInMBs": 5, "IntervalInSeconds": 300})),
        ("CompressionFormat", json!("UNCOMPRESSED")),
        ("EncryptionConfiguration", json!({"NoEncryptionConfig": "NoEncryption"})),
        ("CloudWatchLoggingOptions", json!({"Enabled": false})),
    ] {
        settings.insert(name.to_owned(), default);
    }
    if is_extended {
        settings.insert("S3BackupMode".into(), json!("Disabled"));
    }
    let mut destination = Destination { is_extended, settings };
    destination.merge(described(given));
    Ok(destination)
}

/// The changes of UpdateDestination. Errors: `ValidationException`, `InvalidArgumentException`.
pub fn of_update(input: Input<'_>) -> Result<Destination, ApiError> {
    let (member, is_extended) = chosen(input, "Update")?;
    let given = input.structure(member)?.unwrap_or(input);
    check(given, member)?;
    Ok(Destination { is_extended, settings: described(given) })
}

fn chosen(input: Input<'_>, suffix: &str) -> Result<(&'static str, bool), ApiError> {
    let extended =
        if suffix == "Update" { "ExtendedS3DestinationUpdate" } else { "ExtendedS3DestinationConfiguration" };
    let old = if suffix == "Update" { "S3DestinationUpdate" } else { "S3DestinationConfiguration" };
    if let Some(other) = OTHERS.iter().find(|other| input.has(&format!("{other}Destination{suffix}"))) {
        return Err(fault::invalid_argument(format!("{other} destinations are not available in this region")));
    }
    match (input.has(extended), input.has(old)) {
        (true, false) => Ok((extended, true)),
        (false, true) => Ok((old, false)),
        _ => Err(fault::invalid_argument("Exactly one destination configuration is supported for a Firehose")),
    }
}

/// `extendedS3DestinationConfiguration.roleARN`
fn path(member: &str, inner: &str) -> String {
    format!("{member}.{}{}", inner[..1].to_lowercase(), &inner[1..])
}

fn check(given: Input<'_>, member: &str) -> Result<(), ApiError> {
    let mut violations = Violations::default();
    if let Some(hints) = given.structure("BufferingHints")? {
        for (name, least, most) in [("SizeInMBs", 1, 128), ("IntervalInSeconds", 0, 900)] {
            let Some(value) = hints.integer(name)? else { continue };
            let inner = path(&path(member, "BufferingHints"), name);
            if value < least {
                let rule = format!("Member must have value greater than or equal to {least}");
                violations.add(&format!("'{value}'"), &inner, &rule);
            } else if value > most {
                let rule = format!("Member must have value less than or equal to {most}");
                violations.add(&format!("'{value}'"), &inner, &rule);
            }
        }
    }
    if let Some(format) = given.text("CompressionFormat")? {
        let formats = ["UNCOMPRESSED", "GZIP", "ZIP", "Snappy", "HADOOP_SNAPPY"];
        if !formats.contains(&format) {
            let rule = format!("Member must satisfy enum value set: [{}]", formats.join(", "));
            violations.add(&format!("'{format}'"), &path(member, "CompressionFormat"), &rule);
        }
    }
    for (name, marker) in [("RoleARN", ":role/"), ("BucketARN", ":s3:::")] {
        if let Some(arn) = given.text(name)?.filter(|arn| !arn.starts_with("arn:") || !arn.contains(marker)) {
            let pattern = if name == "RoleARN" {
                r"arn:.*:iam::\d{12}:role/[a-zA-Z_0-9+=,.@\-_/]+"
            } else {
                r"arn:.*:s3:::[\w\.\-]{1,255}"
            };
            let rule = format!("Member must satisfy regular expression pattern: {pattern}");
            violations.add(&format!("'{arn}'"), &path(member, name), &rule);
        }
    }
    violations.finish()
}

/// Members as they are described: a backup's configuration has another name there.
fn described(given: Input<'_>) -> Map<String, Json> {
    let there = given.0.iter().filter(|(_, value)| !value.is_null());
    there
        .map(|(name, value)| match name.as_str() {
            "S3BackupConfiguration" | "S3BackupUpdate" => ("S3BackupDescription".to_owned(), value.clone()),
            _ => (name.clone(), value.clone()),
        })
        .collect()
}
