//! Operations on tables.

use super::describe;
use super::input::{Input, Violations, check_name, table_name, table_of};
use crate::sim::dynamodb::capacity::Billing;
use crate::sim::dynamodb::create::{IndexSpec, TableSpec};
use crate::sim::dynamodb::fault;
use crate::sim::dynamodb::table::{KeySchema, KeyType, Projection};
use crate::sim::dynamodb::tables::{IndexUpdate, TableUpdate};
use crate::sim::error::ApiError;
use crate::sim::world::World;
use serde_json::{Value as Json, json};

/// ListTables answers at most so many names.
const PAGE: usize = 100;

pub fn create(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let name = table_of(input)?;
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
        for index in given {
            indexes.push(index_spec(index, is_global)?);
        }
    }
    let spec = TableSpec {
        name,
        attributes: attributes(input)?,
        keys: key_schema(input)?,
        indexes,
        billing,
        throughput: throughput(input)?,
        tags: input.tags("Tags")?,
        is_protected: input.boolean("DeletionProtectionEnabled")?.unwrap_or(false),
        class: input.text("TableClass")?.map(str::to_owned),
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
    let each = input.structures("AttributeDefinitions")?.unwrap_or_default().into_iter().map(|definition| {
        let mut violations = Violations::default();
        violations.required(definition, "AttributeName");
        violations.required(definition, "AttributeType");
        violations.one_of(definition, "AttributeType", &["B", "N", "S"]);
        violations.finish()?;
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

fn key_schema(input: Input<'_>) -> Result<KeySchema, ApiError> {
    let elements = input.structures("KeySchema")?.unwrap_or_default();
    let mut violations = Violations::default();
    if elements.is_empty() {
        violations.add("'[]'", "KeySchema", "Member must have length greater than or equal to 1");
    } else if elements.len() > 2 {
        violations.add("'[...]'", "KeySchema", "Member must have length less than or equal to 2");
    }
    for element in &elements {
        violations.required(*element, "AttributeName");
        violations.required(*element, "KeyType");
        violations.one_of(*element, "KeyType", &["HASH", "RANGE"]);
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

fn index_spec(input: Input<'_>, is_global: bool) -> Result<IndexSpec, ApiError> {
    let mut violations = Violations::default();
    for member in ["IndexName", "KeySchema", "Projection"] {
        violations.required(input, member);
    }
    violations.finish()?;
    let name = input.text("IndexName")?.unwrap_or_default();
    check_name("IndexName", name)?;
    Ok(IndexSpec {
        name: name.to_owned(),
        is_global,
        keys: key_schema(input)?,
        projection: projection(input.structure("Projection")?.unwrap_or(input))?,
        throughput: throughput(input)?,
    })
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
    let name = table_of(input)?;
    Ok(json!({"Table": describe::table(world.dynamodb.describe(&name)?, &world.place)}))
}

pub fn delete(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let name = table_of(input)?;
    let place = world.place.clone();
    let (service, mut cx) = world.dynamodb_cx();
    let table = service.delete_table(&mut cx, &name)?;
    Ok(json!({"TableDescription": describe::table(table, &place)}))
}

pub fn list(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let mut violations = Violations::default();
    violations.at_least(input, "Limit", 1);
    violations.at_most(input, "Limit", 100);
    violations.finish()?;
    let after = input.text("ExclusiveStartTableName")?;
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
    let name = table_of(input)?;
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
    };
    let place = world.place.clone();
    let (service, mut cx) = world.dynamodb_cx();
    let table = service.update_table(&mut cx, &name, update)?;
    Ok(json!({"TableDescription": describe::table(table, &place)}))
}

fn index_update(update: Input<'_>) -> Result<IndexUpdate, ApiError> {
    let name = |of: Input<'_>| Ok::<String, ApiError>(of.text("IndexName")?.unwrap_or_default().to_owned());
    if let Some(create) = update.structure("Create")? {
        return index_spec(create, true).map(IndexUpdate::Create);
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
    let table = world.dynamodb.describe(&table_of(input)?)?;
    Ok(json!({"TimeToLiveDescription": match &table.time_to_live {
        Some(attribute) => json!({"TimeToLiveStatus": "ENABLED", "AttributeName": attribute}),
        None => json!({"TimeToLiveStatus": "DISABLED"}),
    }}))
}

/// Items are not removed by it: AWS takes its time, too, up to days.
pub fn update_time_to_live(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let name = table_of(input)?;
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
    let name = table_of(input)?;
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

pub fn list_tags(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let (arn, table) = resource(input)?;
    let tags = world.dynamodb.tags(arn, &table)?;
    Ok(json!({"Tags": tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect::<Vec<_>>()}))
}
