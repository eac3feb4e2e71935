//! Operations on delivery streams.

use super::{describe, destination, members, name};
use crate::sim::error::ApiError;
use crate::sim::firehose::stream::{Encryption, Source};
use crate::sim::firehose::{Spec, fault};
use crate::sim::wire::input::{Input, Violations};
use crate::sim::world::World;
use serde_json::{Value as Json, json};

const KINDS: [&str; 4] = ["DirectPut", "KinesisStreamAsSource", "MSKAsSource", "DatabaseAsSource"];

fn nothing() -> Json {
    json!({})
}

pub fn create(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let name = name(input, &[])?;
    let mut violations = Violations::default();
    violations.one_of(input, "DeliveryStreamType", &KINDS);
    if let Some(direct) = input.structure("DirectPutSourceConfiguration")? {
        let member = "directPutSourceConfiguration.throughputHintInMBs";
        members::integer(direct, "ThroughputHintInMBs", member, (1, 100), &mut violations)?;
        if !direct.has("ThroughputHintInMBs") {
            violations.add("null", member, "Member must not be null");
        }
    }
    members::tags(input, &mut violations)?;
    violations.finish()?;
    let spec = Spec {
        name: name.to_owned(),
        source: source(input)?,
        destination: destination::of_creation(input)?,
        encryption: match input.structure("DeliveryStreamEncryptionConfigurationInput")? {
            Some(given) => encryption(given)?,
            None => Encryption::off(),
        },
        tags: input.tags("Tags")?,
    };
    let (service, mut cx) = world.firehose_cx();
    let arn = service.create(&mut cx, spec)?;
    Ok(json!({"DeliveryStreamARN": arn}))
}

fn source(input: Input<'_>) -> Result<Source, ApiError> {
    let kind = input.text("DeliveryStreamType")?.unwrap_or("DirectPut");
    let configuration = input.structure("KinesisStreamSourceConfiguration")?;
    match (kind, configuration) {
        ("DirectPut", None) => Ok(Source::DirectPut),
        ("KinesisStreamAsSource", Some(given)) => {
            let arn = given.text("KinesisStreamARN")?.unwrap_or_default();
            let Some((_, stream)) = arn.split_once(":stream/").filter(|_| arn.starts_with("arn:")) else {
                let mut violations = Violations::default();
                let rule = r"Member must satisfy regular expression pattern: arn:.*:kinesis:[a-zA-Z0-9\-]+:\d{12}:stream/[a-zA-Z0-9_.-]+";
                violations.add(&format!("'{arn}'"), "kinesisStreamSourceConfiguration.kinesisStreamARN", rule);
                violations.finish()?;
                return Ok(Source::DirectPut);
            };
            Ok(Source::Kinesis {
                stream: stream.to_owned(),
                arn: arn.to_owned(),
                role: given.text("RoleARN")?.unwrap_or_default().to_owned(),
            })
        }
        ("KinesisStreamAsSource", None) => {
            Err(fault::invalid_argument("KinesisSourceStreamConfig is required for KinesisStreamAsSource stream type"))
        }
        (_, Some(_)) => Err(fault::invalid_argument(
            "KinesisSourceStreamConfig is only applicable for KinesisStreamAsSource stream type",
        )),
        (other, None) => Err(fault::invalid_argument(format!("{other} is not available in this region"))),
    }
}

/// `AWSKMSKeyARN`'s pattern [DeliveryStreamEncryptionConfigurationInput].
const KEY_PATTERN: &str = r"arn:.*:kms:[a-zA-Z0-9\-]+:\d{12}:key/[a-zA-Z_0-9+=,.@\-_/]+";

fn encryption(given: Input<'_>) -> Result<Encryption, ApiError> {
    let mut violations = Violations::default();
    let path = |member: &str| format!("deliveryStreamEncryptionConfigurationInput.{member}");
    if !given.has("KeyType") {
        violations.add("null", &path("keyType"), "Member must not be null");
    }
    let types = ["AWS_OWNED_CMK", "CUSTOMER_MANAGED_CMK"];
    members::one_of(given, "KeyType", &path("keyType"), &types, &mut violations)?;
    members::text(given, "KeyARN", &path("keyARN"), (1, 512, KEY_PATTERN), &mut violations)?;
    violations.finish()?;
    let (key_type, key_arn) = (given.text("KeyType")?, given.text("KeyARN")?);
    if key_type == Some("CUSTOMER_MANAGED_CMK") && key_arn.is_none() {
        return Err(fault::invalid_argument("KeyARN is required for KeyType CUSTOMER_MANAGED_CMK"));
    }
    Ok(Encryption { status: "ENABLED", key_type: key_type.map(str::to_owned), key_arn: key_arn.map(str::to_owned) })
}

pub fn delete(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let name = name(input, &[])?;
    let (service, mut cx) = world.firehose_cx();
    service.delete(&mut cx, name).map(|()| nothing())
}

pub fn describe(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let name = name(input, &[])?;
    let place = world.place.clone();
    let (service, cx) = world.firehose_cx();
    let stream = service.describe(&cx, name)?;
    Ok(json!({"DeliveryStreamDescription": describe::stream(stream, &place)}))
}

pub fn list(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let mut violations = Violations::default();
    violations.at_least(input, "Limit", 1);
    violations.at_most(input, "Limit", 10_000);
    violations.one_of(input, "DeliveryStreamType", &KINDS);
    let after = "exclusiveStartDeliveryStreamName";
    let rule = (1, 64, "[a-zA-Z0-9_.-]+");
    members::text(input, "ExclusiveStartDeliveryStreamName", after, rule, &mut violations)?;
    violations.finish()?;
    let limit = input.integer("Limit")?.map_or(10, |limit| limit.max(1) as usize);
    let after = input.text("ExclusiveStartDeliveryStreamName")?;
    let kind = input.text("DeliveryStreamType")?;
    let service = &world.firehose;
    let fits = |name: &&str| {
        after.is_none_or(|after| *name > after)
            && kind.is_none_or(|kind| service.stream(name).is_some_and(|stream| stream.kind() == kind))
    };
    let mut names: Vec<&str> = service.names().filter(fits).take(limit + 1).collect();
    let has_more = names.len() > limit;
    names.truncate(limit);
    Ok(json!({"DeliveryStreamNames": names, "HasMoreDeliveryStreams": has_more}))
}

pub fn update_destination(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let name = name(input, &["CurrentDeliveryStreamVersionId", "DestinationId"])?;
    let version = input.text("CurrentDeliveryStreamVersionId")?.unwrap_or_default();
    let id = input.text("DestinationId")?.unwrap_or_default();
    let change = destination::of_update(input)?;
    let (service, mut cx) = world.firehose_cx();
    service.update_destination(&mut cx, name, version, id, change).map(|()| nothing())
}

pub fn start_encryption(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let name = name(input, &[])?;
    let wanted = match input.structure("DeliveryStreamEncryptionConfigurationInput")? {
        Some(given) => encryption(given)?,
        None => Encryption { status: "ENABLED", key_type: Some("AWS_OWNED_CMK".to_owned()), key_arn: None },
    };
    let (service, mut cx) = world.firehose_cx();
    service.set_encryption(&mut cx, name, wanted).map(|()| nothing())
}

pub fn stop_encryption(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let name = name(input, &[])?;
    let (service, mut cx) = world.firehose_cx();
    service.set_encryption(&mut cx, name, Encryption::off()).map(|()| nothing())
}

pub fn tag(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let name = name(input, &["Tags"])?;
    let mut violations = Violations::default();
    members::tags(input, &mut violations)?;
    violations.finish()?;
    let tags = input.tags("Tags")?;
    let (service, cx) = world.firehose_cx();
    service.tag(&cx, name, tags).map(|()| nothing())
}

pub fn untag(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let name = name(input, &["TagKeys"])?;
    let keys = input.texts("TagKeys")?.unwrap_or_default();
    let (service, cx) = world.firehose_cx();
    service.untag(&cx, name, &keys).map(|()| nothing())
}

pub fn list_tags(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let name = name(input, &[])?;
    let mut violations = Violations::default();
    violations.at_least(input, "Limit", 1);
    violations.at_most(input, "Limit", 50);
    violations.finish()?;
    let limit = input.integer("Limit")?.map_or(50, |limit| limit.max(1) as usize);
    let after = input.text("ExclusiveStartTagKey")?;
    let (service, cx) = world.firehose_cx();
    let tags = &service.describe(&cx, name)?.tags;
    let later: Vec<_> = tags.iter().filter(|(key, _)| after.is_none_or(|after| key.as_str() > after)).collect();
    let page: Vec<Json> = later.iter().take(limit).map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    Ok(json!({"Tags": page, "HasMoreTags": later.len() > limit}))
}
