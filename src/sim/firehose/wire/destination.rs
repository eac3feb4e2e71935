//! Destinations as requests give them: which members there must be, their bounds and their defaults.

use super::members;
use crate::sim::error::ApiError;
use crate::sim::firehose::destination::{Destination, Kind};
use crate::sim::firehose::fault;
use crate::sim::wire::input::{Input, Violations};
use serde_json::{Map, Value as Json, json};

/// The one destination of a new stream. Errors: `ValidationException`, `InvalidArgumentException`.
pub fn of_creation(input: Input<'_>) -> Result<Destination, ApiError> {
    let (kind, member) = chosen(input, "Configuration")?;
    let given = input.structure(&member)?.unwrap_or(input);
    let mut violations = Violations::default();
    missing(given, &member, required(kind), &mut violations);
    let storage = given.structure("S3Configuration")?;
    if let Some(storage) = storage {
        missing(storage, &path(&member, "S3Configuration"), required(Kind::S3), &mut violations);
    }
    violations.finish()?;
    check(given, &member)?;
    check_hints(given)?;
    if let Some(storage) = storage {
        check(storage, &path(&member, "S3Configuration"))?;
        check_hints(storage)?;
    }
    let mut destination = Destination { kind, settings: defaults(kind) };
    destination.merge(described(given));
    Ok(destination)
}

/// The changes of UpdateDestination. Errors: `ValidationException`, `InvalidArgumentException`.
pub fn of_update(input: Input<'_>) -> Result<Destination, ApiError> {
    let (kind, member) = chosen(input, "Update")?;
    let given = input.structure(&member)?.unwrap_or(input);
    check(given, &member)?;
    for storage in ["S3Update", "S3Configuration"] {
        if let Some(update) = given.structure(storage)? {
            check(update, &path(&member, storage))?;
        }
    }
    Ok(Destination { kind, settings: described(given) })
}

/// The kind of destination that a request speaks of, and the member that it speaks in.
fn chosen(input: Input<'_>, suffix: &str) -> Result<(Kind, String), ApiError> {
    let named = |kind: &Kind| format!("{}Destination{suffix}", kind.stem());
    let mut found = Kind::ALL.into_iter().filter(|kind| input.has(&named(kind)));
    match (found.next(), found.next()) {
        (Some(kind), None) => Ok((kind, named(&kind))),
        _ => Err(fault::invalid_argument("Exactly one destination configuration is supported for a Firehose")),
    }
}

/// Members that a configuration must have [CreateDeliveryStream].
const fn required(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::S3 | Kind::ExtendedS3 => &["RoleARN", "BucketARN"],
        Kind::Redshift => &["RoleARN", "ClusterJDBCURL", "CopyCommand", "S3Configuration"],
        Kind::Elasticsearch | Kind::OpenSearch | Kind::OpenSearchServerless => {
            &["RoleARN", "IndexName", "S3Configuration"]
        }
        Kind::Splunk => &["HECEndpoint", "HECEndpointType", "S3Configuration"],
        Kind::HttpEndpoint => &["EndpointConfiguration", "S3Configuration"],
        Kind::Snowflake => &["AccountUrl", "Database", "Schema", "Table", "RoleARN", "S3Configuration"],
        Kind::Iceberg => &["RoleARN", "CatalogConfiguration", "S3Configuration"],
    }
}

fn missing(given: Input<'_>, member: &str, required: &[&str], violations: &mut Violations) {
    for required in required.iter().filter(|required| !given.has(required)) {
        violations.add("null", &path(member, required), "Member must not be null");
    }
}

/// What a destination has where nobody says anything [CreateDeliveryStream].
fn defaults(kind: Kind) -> Map<String, Json> {
    let hints = |seconds: u64| json!({"SizeInMBs": 5, "IntervalInSeconds": seconds});
    let storage = [
        ("BufferingHints", hints(300)),
        ("CompressionFormat", json!("UNCOMPRESSED")),
        ("EncryptionConfiguration", json!({"NoEncryptionConfig": "NoEncryption"})),
        ("CloudWatchLoggingOptions", json!({"Enabled": false})),
    ];
    let storage: Map<String, Json> = storage.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let retries = |seconds: u64| ("RetryOptions", json!({ "DurationInSeconds": seconds }));
    let backup = |mode: &str| ("S3BackupMode", json!(mode));
    let own = match kind {
        Kind::S3 => return storage,
        Kind::ExtendedS3 => vec![backup("Disabled")],
        Kind::Redshift => vec![retries(3600), backup("Disabled")],
        Kind::Elasticsearch | Kind::OpenSearch => {
            let rotation = ("IndexRotationPeriod", json!("OneDay"));
            vec![("BufferingHints", hints(300)), retries(300), backup("FailedDocumentsOnly"), rotation]
        }
        Kind::OpenSearchServerless => {
            vec![("BufferingHints", hints(300)), retries(300), backup("FailedDocumentsOnly")]
        }
        Kind::Splunk => vec![("BufferingHints", hints(60)), retries(3600), backup("FailedEventsOnly")],
        Kind::HttpEndpoint => vec![("BufferingHints", hints(300)), retries(300), backup("FailedDataOnly")],
        Kind::Snowflake => vec![
            ("BufferingHints", json!({"SizeInMBs": 1, "IntervalInSeconds": 0})),
            retries(60),
            backup("FailedDataOnly"),
        ],
        Kind::Iceberg => vec![("BufferingHints", hints(300)), retries(300), backup("FailedDataOnly")],
    };
    let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
    if kind.is_storage() {
        return storage.into_iter().chain(own).collect();
    }
    let logging = ("CloudWatchLoggingOptions".to_owned(), json!({"Enabled": false}));
    own.chain([logging, ("S3DestinationDescription".to_owned(), Json::Object(storage))]).collect()
}

/// `extendedS3DestinationConfiguration.roleARN`
fn path(member: &str, inner: &str) -> String {
    format!("{member}.{}{}", inner[..1].to_lowercase(), &inner[1..])
}

fn check(given: Input<'_>, member: &str) -> Result<(), ApiError> {
    let mut violations = Violations::default();
    let at = |inner: &str| path(member, inner);
    if let Some(hints) = given.structure("BufferingHints")? {
        for (name, least, most) in [("SizeInMBs", 1, 128), ("IntervalInSeconds", 0, 900)] {
            let inner = path(&at("BufferingHints"), name);
            members::integer(hints, name, &inner, (least, most), &mut violations)?;
        }
    }
    let formats = ["UNCOMPRESSED", "GZIP", "ZIP", "Snappy", "HADOOP_SNAPPY"];
    members::one_of(given, "CompressionFormat", &at("CompressionFormat"), &formats, &mut violations)?;
    for (name, is_right) in [("RoleARN", is_role as fn(&str) -> bool), ("BucketARN", is_bucket)] {
        if let Some(arn) = given.text(name)?.filter(|arn| !is_right(arn)) {
            let pattern = if name == "RoleARN" {
                r"arn:.*:iam::\d{12}:role/[a-zA-Z_0-9+=,.@\-_/]+"
            } else {
                r"arn:.*:s3:::[\w\.\-]{1,255}"
            };
            let rule = format!("Member must satisfy regular expression pattern: {pattern}");
            violations.add(&format!("'{arn}'"), &at(name), &rule);
        }
    }
    check_storage(given, member, &mut violations)?;
    violations.finish()
}

/// A new destination is given both hints or none; a change may be of one.
fn check_hints(given: Input<'_>) -> Result<(), ApiError> {
    let hints = given.structure("BufferingHints")?;
    if hints.is_some_and(|hints| hints.has("SizeInMBs") != hints.has("IntervalInSeconds")) {
        let message = "BufferingHints must specify both SizeInMBs and IntervalInSeconds, or neither";
        return Err(fault::invalid_argument(message));
    }
    Ok(())
}

/// The members that only destinations in S3 have, at any depth [ExtendedS3DestinationConfiguration].
fn check_storage(given: Input<'_>, member: &str, violations: &mut Violations) -> Result<(), ApiError> {
    let at = |inner: &str| path(member, inner);
    for (name, most, pattern) in [
        ("Prefix", 1024, ".*"),
        ("ErrorOutputPrefix", 1024, ".*"),
        ("FileExtension", 128, r"^$|\.[0-9a-z!\-_.*'()]+"),
        ("CustomTimeZone", 50, "^$|[a-zA-Z/_]+"),
    ] {
        members::text(given, name, &at(name), (0, most, pattern), violations)?;
    }
    if member.starts_with("ExtendedS3") {
        members::one_of(given, "S3BackupMode", &at("S3BackupMode"), &["Disabled", "Enabled"], violations)?;
    }
    if let Some(encryption) = given.structure("EncryptionConfiguration")? {
        let at = |inner: &str| path(&at("EncryptionConfiguration"), inner);
        members::one_of(encryption, "NoEncryptionConfig", &at("NoEncryptionConfig"), &["NoEncryption"], violations)?;
        if let Some(key) = encryption.structure("KMSEncryptionConfig")? {
            let at = path(&at("KMSEncryptionConfig"), "AWSKMSKeyARN");
            if !key.has("AWSKMSKeyARN") {
                violations.add("null", &at, "Member must not be null");
            }
            members::text(key, "AWSKMSKeyARN", &at, (1, 512, KEY_PATTERN), violations)?;
        }
    }
    if let Some(logging) = given.structure("CloudWatchLoggingOptions")? {
        for (name, pattern) in [("LogGroupName", r"[\.\-_/#A-Za-z0-9]*"), ("LogStreamName", "[^:*]*")] {
            let at = path(&at("CloudWatchLoggingOptions"), name);
            members::text(logging, name, &at, (0, 512, pattern), violations)?;
        }
    }
    if let Some(processing) = given.structure("ProcessingConfiguration")? {
        let at = path(&at("ProcessingConfiguration"), "Processors");
        for (index, processor) in processing.structures("Processors")?.unwrap_or_default().into_iter().enumerate() {
            let at = format!("{at}.{}.member.type", index + 1);
            if !processor.has("Type") {
                violations.add("null", &at, "Member must not be null");
            }
            members::one_of(processor, "Type", &at, &PROCESSORS, violations)?;
        }
    }
    if let Some(partitioning) = given.structure("DynamicPartitioningConfiguration")?
        && let Some(retries) = partitioning.structure("RetryOptions")?
    {
        let at = path(&path(&at("DynamicPartitioningConfiguration"), "RetryOptions"), "DurationInSeconds");
        members::integer(retries, "DurationInSeconds", &at, (0, 7200), violations)?;
    }
    Ok(())
}

/// What a processor may be [Processor].
const PROCESSORS: [&str; 6] = [
    "RecordDeAggregation",
    "Decompression",
    "CloudWatchLogProcessing",
    "Lambda",
    "MetadataExtraction",
    "AppendDelimiterToRecord",
];
/// `AWSKMSKeyARN`'s pattern [KMSEncryptionConfig].
const KEY_PATTERN: &str = r"arn:.*:kms:[a-zA-Z0-9\-]+:\d{12}:(key|alias)/[a-zA-Z_0-9+=,.@\-_/]+";

/// `arn:…:iam::123456789012:role/NAME`, with a path.
fn is_role(arn: &str) -> bool {
    let role = arn.strip_prefix("arn:").and_then(|rest| rest.split_once(":iam::")?.1.split_once(":role/"));
    role.is_some_and(|(account, name)| {
        let is_legal = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-/".contains(c);
        account.len() == 12
            && account.bytes().all(|b| b.is_ascii_digit())
            && !name.is_empty()
            && name.chars().all(is_legal)
    })
}

/// `arn:…:s3:::BUCKET`, and nothing behind the bucket.
fn is_bucket(arn: &str) -> bool {
    let bucket = arn.strip_prefix("arn:").and_then(|rest| rest.rsplit_once(":s3:::"));
    bucket.is_some_and(|(_, name)| {
        (1..=255).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
    })
}

/// Members that AWS keeps to itself.
const SECRETS: [&str; 4] = ["Password", "PrivateKey", "KeyPassphrase", "AccessKey"];

/// Members as they are described: some have another name there, and secrets are not told.
fn described(given: Input<'_>) -> Map<String, Json> {
    let there = given.0.iter().filter(|(name, value)| !value.is_null() && !SECRETS.contains(&name.as_str()));
    there
        .map(|(name, value)| match (name.as_str(), value) {
            ("S3BackupConfiguration" | "S3BackupUpdate", _) => ("S3BackupDescription".to_owned(), value.clone()),
            ("S3Configuration" | "S3Update", _) => ("S3DestinationDescription".to_owned(), value.clone()),
            ("VpcConfiguration", _) => ("VpcConfigurationDescription".to_owned(), value.clone()),
            ("EndpointConfiguration", Json::Object(endpoint)) => {
                let told = endpoint.iter().filter(|(name, _)| !SECRETS.contains(&name.as_str()));
                (name.clone(), Json::Object(told.map(|(name, value)| (name.clone(), value.clone())).collect()))
            }
            _ => (name.clone(), value.clone()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_are_matched_as_a_whole() {
        assert!(is_bucket("arn:aws:s3:::archive.2026") && is_bucket("arn:aws-cn:s3:::a"));
        for wrong in ["arn:aws:s3:::archive/path", "arn:aws:s3:::", "archive", "aws:s3:::archive"] {
            assert!(!is_bucket(wrong), "{wrong}");
        }
        assert!(is_role("arn:aws:iam::123456789012:role/service/deliver"));
        for wrong in
            ["arn:aws:iam::1234:role/deliver", "arn:aws:iam::123456789012:role/", "arn:aws:iam::123456789012:user/x"]
        {
            assert!(!is_role(wrong), "{wrong}");
        }
    }
}
