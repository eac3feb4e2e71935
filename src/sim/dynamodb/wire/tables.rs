//! Operations on tables.

use super::describe;
use super::input::{Input, Violations, check_name, named_table, table_name};
use crate::sim::cx::Place;
use crate::sim::dynamodb::capacity::Billing;
use crate::sim::dynamodb::create::{IndexSpec, TableSpec, WARM};
use crate::sim::dynamodb::fault;
use crate::sim::dynamodb::table::{KeySchema, KeyType, Projection};
use crate::sim::dynamodb::tables::{IndexUpdate, TableUpdate};
use crate::sim::error::ApiError;
use crate::sim::payload::uuid_text;
use crate::sim::world::World;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

/// ListTables answers at most so many names.
const PAGE: usize = 100;
/// ListTagsOfResource answers at most so many tags.
const TAGS_PAGE: usize = 10;

pub fn create(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let name = named_table(input)?;
    let mut violations = Violations::default();
    violations.required(input, "KeySchema");
    violations.required(input, "AttributeDefinitions");
    violations.one_of(input, "BillingMode", &["PROVISIONED", "PAY_PER_REQUEST"]);
    violations.one_of(input, "TableClass", &["STANDARD", "STANDARD_INFREQUENT_ACCESS"]);
    violations.finish()?;
    let billing = billing(input)?.unwrap_or(Billing::Provisioned);
    let mut indexes = Vec::new();
    for (member, is_global) in [("LocalSecondaryIndexes", false), ("GlobalSecondaryIndexes", true)] {
        let Some(given) = input.structures(member)? else { continue };
        if given.is_empty() {
            return Err(fault::invalid(format!("List of {member} is empty")));
        }
        for (at, index) in given.into_iter().enumerate() {
            indexes.push(index_spec(index, &format!("{member}.{}.member.", at + 1), is_global)?);
        }
    }
    let spec = TableSpec {
        name,
        attributes: attributes(input)?,
        keys: key_schema(input, "")?,
        indexes,
        billing,
        throughput: throughput(input)?,
        tags: input.tags("Tags")?,
        is_protected: input.boolean("DeletionProtectionEnabled")?.unwrap_or(false),
        class: input.text("TableClass")?.map(str::to_owned),
        encryption: encryption(input, &world.place)?.filter(|key| !key.is_empty()),
        warm: warm(input)?,
    };
    let place = world.place.clone();
    let (service, mut cx) = world.dynamodb_cx();
    let table = service.create_table(&mut cx, spec)?;
    Ok(json!({"TableDescription": describe::table(table, &place)}))
}

fn billing(input: Input<'_>) -> Result<Option<Billing>, ApiError> {
    Ok(input.text("BillingMode")?.map(|mode| match mode {
        "PAY_PER_REQUEST" => Billing::PayPerRequest,
        _ => Billing::Provisioned,
    }))
}

fn attributes(input: Input<'_>) -> Result<Vec<(String, KeyType)>, ApiError> {
    let definitions = input.structures("AttributeDefinitions")?.unwrap_or_default();
    let mut violations = Violations::default();
    for (at, definition) in definitions.iter().enumerate() {
        let path = format!("attributeDefinitions.{}.member", at + 1);
        if !definition.has("AttributeName") {
            violations.add("null", &format!("{path}.attributeName"), "Member must not be null");
        }
        match definition.text("AttributeType")? {
            None => violations.add("null", &format!("{path}.attributeType"), "Member must not be null"),
            Some("B" | "N" | "S") => {}
            Some(kind) => {
                let set = "Member must satisfy enum value set: [B, N, S]";
                violations.add(&format!("'{kind}'"), &format!("{path}.attributeType"), set);
            }
        }
    }
    violations.finish()?;
    let each = definitions.into_iter().map(|definition| {
        let kind = match definition.text("AttributeType")? {
            Some("N") => KeyType::N,
            Some("B") => KeyType::B,
            _ => KeyType::S,
        };
        Ok((definition.text("AttributeName")?.unwrap_or_default().to_owned(), kind))
    });
    let all: Vec<(String, KeyType)> = each.collect::<Result<_, ApiError>>()?;
    let twice = all.iter().enumerate().find(|(at, (name, _))| all[..*at].iter().any(|(other, _)| other == name));
    match twice {
        Some((_, (name, _))) => Err(fault::invalid(format!("Duplicate AttributeName in AttributeDefinitions: {name}"))),
        None => Ok(all),
    }
}

/// `parent` leads to the structure that the schema is in: `GlobalSecondaryIndexes.1.member.`
fn key_schema(input: Input<'_>, parent: &str) -> Result<KeySchema, ApiError> {
    let elements = input.structures("KeySchema")?.unwrap_or_default();
    let path = match parent {
        "" => "keySchema".to_owned(),
        parent => format!("{parent}keySchema"),
    };
    let mut violations = Violations::default();
    if elements.is_empty() {
        violations.add("'[]'", &path, "Member must have length greater than or equal to 1");
    } else if elements.len() > 2 {
        let said = |element: &Input<'_>, member: &str| element.text(member).ok().flatten().unwrap_or("null").to_owned();
        let shown = elements.iter().map(|element| {
            let (name, kind) = (said(element, "AttributeName"), said(element, "KeyType"));
            format!("KeySchemaElement(attributeName={name}, keyType={kind})")
        });
        let shown = format!("'[{}]'", shown.collect::<Vec<_>>().join(", "));
        violations.add(&shown, &path, "Member must have length less than or equal to 2");
    }
    for (at, element) in elements.iter().enumerate() {
        let path = format!("{path}.{}.member", at + 1);
        for member in ["attributeName", "keyType"] {
            let name = if member == "keyType" { "KeyType" } else { "AttributeName" };
            if !element.has(name) {
                violations.add("null", &format!("{path}.{member}"), "Member must not be null");
            }
        }
        if let Some(kind) = element.text("KeyType")?.filter(|kind| !["HASH", "RANGE"].contains(kind)) {
            let set = "Member must satisfy enum value set: [HASH, RANGE]";
            violations.add(&format!("'{kind}'"), &format!("{path}.keyType"), set);
        }
    }
    violations.finish()?;
    let name = |at: usize| -> Result<Option<String>, ApiError> {
        elements.get(at).map(|element| Ok(element.text("AttributeName")?.unwrap_or_default().to_owned())).transpose()
    };
    if elements[0].text("KeyType")? != Some("HASH") {
        return Err(fault::validation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type"));
    }
    if elements.len() == 2 && elements[1].text("KeyType")? != Some("RANGE") {
        return Err(fault::validation("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"));
    }
    Ok(KeySchema { hash: name(0)?.unwrap_or_default(), range: name(1)? })
}

fn throughput(input: Input<'_>) -> Result<Option<(u64, u64)>, ApiError> {
    let Some(given) = input.structure("ProvisionedThroughput")? else { return Ok(None) };
    let mut violations = Violations::default();
    for member in ["WriteCapacityUnits", "ReadCapacityUnits"] {
        let path = format!("provisionedThroughput.{}{}", member[..1].to_lowercase(), &member[1..]);
        match given.integer(member)? {
            None => violations.add("null", &path, "Member must not be null"),
            Some(units) if units < 1 => {
                violations.add(&format!("'{units}'"), &path, "Member must have value greater than or equal to 1");
            }
            Some(_) => {}
        }
    }
    violations.finish()?;
    let units = |member: &str| Ok::<u64, ApiError>(given.integer(member)?.unwrap_or_default().unsigned_abs());
    Ok(Some((units("ReadCapacityUnits")?, units("WriteCapacityUnits")?)))
}

fn index_spec(input: Input<'_>, path: &str, is_global: bool) -> Result<IndexSpec, ApiError> {
    let mut violations = Violations::default();
    for (member, shown) in [("IndexName", "indexName"), ("KeySchema", "keySchema"), ("Projection", "projection")] {
        if !input.has(member) {
            violations.add("null", &format!("{path}{shown}"), "Member must not be null");
        }
    }
    violations.finish()?;
    let name = input.text("IndexName")?.unwrap_or_default();
    check_name("IndexName", name)?;
    Ok(IndexSpec {
        name: name.to_owned(),
        is_global,
        keys: key_schema(input, path)?,
        projection: projection(input.structure("Projection")?.unwrap_or(input))?,
        throughput: throughput(input)?,
        warm: warm(input)?,
    })
}

/// Units a second of `WarmThroughput`; what is not said is a new table's.
fn warm(input: Input<'_>) -> Result<Option<(u64, u64)>, ApiError> {
    let Some(given) = input.structure("WarmThroughput")? else { return Ok(None) };
    let units = |member: &str, least: u64| {
        Ok::<u64, ApiError>(given.integer(member)?.map_or(least, |units| u64::try_from(units).unwrap_or(0)))
    };
    Ok(Some((units("ReadUnitsPerSecond", WARM.0)?, units("WriteUnitsPerSecond", WARM.1)?)))
}

/// The ARN of the key that `SSESpecification` names, or of the account's key for DynamoDB; empty where it is off.
fn encryption(input: Input<'_>, place: &Place) -> Result<Option<String>, ApiError> {
    let Some(given) = input.structure("SSESpecification")? else { return Ok(None) };
    let key = given.text("KMSMasterKeyId")?;
    let mut violations = Violations::default();
    violations.one_of(given, "SSEType", &["AES256", "KMS"]);
    violations.finish()?;
    if given.boolean("Enabled")? == Some(false) || (key.is_none() && !given.has("Enabled") && !given.has("SSEType")) {
        return Ok(Some(String::new()));
    }
    Ok(Some(match key {
        Some(arn) if arn.starts_with("arn:") => arn.to_owned(),
        Some(alias) if alias.starts_with("alias/") => place.arn("kms", alias),
        Some(id) => place.arn("kms", &format!("key/{id}")),
        None => place.arn("kms", &format!("key/{}", account_key(place))),
    }))
}

/// The id of the key that AWS keeps for an account's tables: one for each account and region.
fn account_key(place: &Place) -> String {
    let digest = Sha256::digest(format!("aws/dynamodb {} {}", place.account, place.region));
    let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    uuid_text(number(&digest[..8]), number(&digest[8..16]))
}

fn projection(input: Input<'_>) -> Result<Projection, ApiError> {
    let mut violations = Violations::default();
    violations.one_of(input, "ProjectionType", &["ALL", "INCLUDE", "KEYS_ONLY"]);
    violations.finish()?;
    let more = input.texts("NonKeyAttributes")?;
    match (input.text("ProjectionType")?, more) {
        (None, _) => Err(fault::invalid("Unknown ProjectionType: null")),
        (Some("INCLUDE"), Some(names)) => Ok(Projection::Include(names.into_iter().map(str::to_owned).collect())),
        (Some("INCLUDE"), None) => {
            Err(fault::invalid("ProjectionType is INCLUDE, but NonKeyAttributes is not specified"))
        }
        (Some(kind), Some(_)) => {
            Err(fault::invalid(format!("ProjectionType is {kind}, but NonKeyAttributes is specified")))
        }
        (Some("ALL"), None) => Ok(Projection::All),
        (Some(_), None) => Ok(Projection::KeysOnly),
    }
}

pub fn describe(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let name = named_table(input)?;
    Ok(json!({"Table": describe::table(world.dynamodb.describe(&name)?, &world.place)}))
}

pub fn delete(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let name = named_table(input)?;
    let place = world.place.clone();
    let (service, mut cx) = world.dynamodb_cx();
    let table = service.delete_table(&mut cx, &name)?;
    Ok(json!({"TableDescription": describe::table(table, &place)}))
}

pub fn list(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let mut violations = Violations::default();
    violations.at_least(input, "Limit", 1);
    violations.at_most(input, "Limit", 100);
    let after = input.text("ExclusiveStartTableName")?;
    if let Some(name) = after {
        let mut refuse = |constraint: &str| violations.add(&format!("'{name}'"), "ExclusiveStartTableName", constraint);
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b)) {
            refuse("Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+");
        }
        match name.len() {
            0..=2 => refuse("Member must have length greater than or equal to 3"),
            256.. => refuse("Member must have length less than or equal to 255"),
            _ => {}
        }
    }
    violations.finish()?;
    let limit = input.integer("Limit")?.map_or(PAGE, |limit| limit.clamp(1, 100) as usize);
    let mut names: Vec<&str> =
        world.dynamodb.names().filter(|name| after.is_none_or(|after| *name > after)).take(limit + 1).collect();
    let has_more = names.len() > limit;
    names.truncate(limit);
    let mut output = json!({"TableNames": names});
    if has_more {
        output["LastEvaluatedTableName"] = json!(names.last());
    }
    Ok(output)
}

pub fn update(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let name = named_table(input)?;
    let mut violations = Violations::default();
    violations.one_of(input, "BillingMode", &["PROVISIONED", "PAY_PER_REQUEST"]);
    violations.one_of(input, "TableClass", &["STANDARD", "STANDARD_INFREQUENT_ACCESS"]);
    violations.finish()?;
    let wishes = [
        "ProvisionedThroughput",
        "BillingMode",
        "GlobalSecondaryIndexUpdates",
        "DeletionProtectionEnabled",
        "TableClass",
        "SSESpecification",
        "WarmThroughput",
    ];
    if !wishes.iter().any(|member| input.has(member)) {
        return Err(fault::validation(
            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or \
             SSESpecification or ReplicaUpdates is required",
        ));
    }
    let updates = input.structures("GlobalSecondaryIndexUpdates")?.unwrap_or_default();
    if updates.len() > 1 {
        return Err(ApiError::client(
            "LimitExceededException",
            "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
        ));
    }
    let update = TableUpdate {
        billing: billing(input)?,
        throughput: throughput(input)?,
        attributes: attributes(input)?,
        index: updates.first().map(|update| index_update(*update)).transpose()?,
        is_protected: input.boolean("DeletionProtectionEnabled")?,
        class: input.text("TableClass")?.map(str::to_owned),
        encryption: encryption(input, &world.place)?,
        warm: warm(input)?,
    };
    let place = world.place.clone();
    let (service, mut cx) = world.dynamodb_cx();
    let table = service.update_table(&mut cx, &name, update)?;
    Ok(json!({"TableDescription": describe::table(table, &place)}))
}

fn index_update(update: Input<'_>) -> Result<IndexUpdate, ApiError> {
    let name = |of: Input<'_>| Ok::<String, ApiError>(of.text("IndexName")?.unwrap_or_default().to_owned());
    if let Some(create) = update.structure("Create")? {
        let path = "globalSecondaryIndexUpdates.1.member.create.";
        return index_spec(create, path, true).map(IndexUpdate::Create);
    }
    if let Some(delete) = update.structure("Delete")? {
        return Ok(IndexUpdate::Delete { name: name(delete)? });
    }
    match update.structure("Update")? {
        Some(change) => {
            Ok(IndexUpdate::Update { name: name(change)?, throughput: throughput(change)?.unwrap_or((1, 1)) })
        }
        None => Err(fault::invalid(
            "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, \
             GlobalSecondaryIndexUpdate.Delete must not be null",
        )),
    }
}

pub fn limits(_world: &mut World, _input: Input<'_>) -> Result<Json, ApiError> {
    Ok(json!({
        "AccountMaxReadCapacityUnits": 80_000,
        "AccountMaxWriteCapacityUnits": 80_000,
        "TableMaxReadCapacityUnits": 40_000,
        "TableMaxWriteCapacityUnits": 40_000,
    }))
}

pub fn endpoints(world: &mut World, _input: Input<'_>) -> Result<Json, ApiError> {
    let address = format!("dynamodb.{}.amazonaws.com", world.place.region);
    Ok(json!({"Endpoints": [{"Address": address, "CachePeriodInMinutes": 1440}]}))
}

pub fn time_to_live(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let table = world.dynamodb.describe(&named_table(input)?)?;
    Ok(json!({"TimeToLiveDescription": match &table.time_to_live {
        Some(attribute) => json!({"TimeToLiveStatus": "ENABLED", "AttributeName": attribute}),
        None => json!({"TimeToLiveStatus": "DISABLED"}),
    }}))
}

/// Items are not removed by it: AWS takes its time, too, up to days.
pub fn update_time_to_live(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let name = named_table(input)?;
    let mut violations = Violations::default();
    violations.required(input, "TimeToLiveSpecification");
    violations.finish()?;
    let given = input.structure("TimeToLiveSpecification")?.unwrap_or(input);
    let is_on = given.boolean("Enabled")?.unwrap_or(false);
    let attribute = given.text("AttributeName")?.unwrap_or_default();
    let table = world.dynamodb.described(&name)?;
    match (&table.time_to_live, is_on) {
        (Some(_), true) => return Err(fault::validation("TimeToLive is already enabled")),
        (None, false) => return Err(fault::validation("TimeToLive is already disabled")),
        (Some(old), false) if old != attribute => {
            let words = "TimeToLive is active on a different AttributeName: current AttributeName is";
            return Err(fault::validation(format!("{words} {old}")));
        }
        _ => table.time_to_live = is_on.then(|| attribute.to_owned()),
    }
    Ok(json!({"TimeToLiveSpecification": {"Enabled": is_on, "AttributeName": attribute}}))
}

pub fn continuous_backups(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let name = named_table(input)?;
    if world.dynamodb.table(&name).is_none() {
        return Err(ApiError::client("TableNotFoundException", format!("Table not found: {name}")));
    }
    Ok(json!({"ContinuousBackupsDescription": {
        "ContinuousBackupsStatus": "ENABLED",
        "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"},
    }}))
}

/// The ARN of a table, and the table's name.
fn resource(input: Input<'_>) -> Result<(&str, String), ApiError> {
    let mut violations = Violations::default();
    violations.required(input, "ResourceArn");
    violations.finish()?;
    let arn = input.text("ResourceArn")?.unwrap_or_default();
    if !arn.starts_with("arn:") || !arn.contains(":table/") {
        return Err(fault::validation(format!("Invalid TableArn: Invalid ResourceArn provided as input {arn}")));
    }
    Ok((arn, table_name(arn)?))
}

pub fn tag(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let (arn, table) = resource(input)?;
    world.dynamodb.tag(arn, &table, input.tags("Tags")?)?;
    Ok(Json::Null)
}

pub fn untag(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let (arn, table) = resource(input)?;
    world.dynamodb.untag(arn, &table, &input.texts("TagKeys")?.unwrap_or_default())?;
    Ok(Json::Null)
}

/// Ten at a time; the token is the last key of the page before.
pub fn list_tags(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let (arn, table) = resource(input)?;
    let after = input.text("NextToken")?;
    let tags = world.dynamodb.tags(arn, &table)?;
    let mut rest = tags.iter().filter(|(key, _)| after.is_none_or(|after| key.as_str() > after));
    let page: Vec<(&String, &String)> = rest.by_ref().take(TAGS_PAGE).collect();
    let shown = page.iter().map(|(key, value)| json!({"Key": key, "Value": value}));
    let mut output = json!({"Tags": shown.collect::<Vec<_>>()});
    if let (Some((last, _)), Some(_)) = (page.last(), rest.next()) {
        output["NextToken"] = json!(last);
    }
    Ok(output)
}
