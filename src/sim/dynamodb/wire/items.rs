//! GetItem, PutItem, UpdateItem, DeleteItem.

use super::attribute::{self, json_item};
use super::input::{Input, Violations, table_and};
use super::terms::{self, Units};
use crate::sim::dynamodb::expression::{self, Action, Condition, LegacyUpdate, updated_paths};
use crate::sim::dynamodb::fault;
use crate::sim::dynamodb::items::{Change, WriteError, Written};
use crate::sim::dynamodb::path::{Path, project};
use crate::sim::dynamodb::value::Item;
use crate::sim::error::ApiError;
use crate::sim::world::World;
use serde_json::{Map, Value as Json};

fn item_of(input: Input<'_>, member: &str) -> Result<Item, ApiError> {
    attribute::item(input.structure(member)?.unwrap_or(input))
}

pub fn get(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    terms::check_enumerations(input)?;
    let table = table_and(input, "Key")?;
    let mut bindings = terms::bindings(input, &["AttributesToGet"], &["ProjectionExpression"])?;
    let key = item_of(input, "Key")?;
    let paths = terms::projection(input, &mut bindings)?;
    bindings.check_all_used()?;
    let is_consistent = input.boolean("ConsistentRead")?.unwrap_or(false);
    let (service, mut cx) = world.dynamodb_cx();
    service.open_table(&table)?.check_whole_keys(paths.as_deref())?;
    let (item, consumed) = service.get(&mut cx, &table, &key, is_consistent)?;
    let units = consumed.total();
    let mut output = Map::new();
    if let Some(item) = item {
        let item = paths.map_or_else(|| item.clone(), |paths| project(&item, &paths));
        output.insert("Item".into(), json_item(&item));
    }
    world.ledger.read_units += units;
    output.extend(terms::consumed(input, &table, &consumed, Units::Plain).map(|c| ("ConsumedCapacity".to_owned(), c)));
    Ok(Json::Object(output))
}

/// PutItem and DeleteItem answer only the item before, or nothing. Errors: `ValidationException`.
fn check_return_values(input: Input<'_>) -> Result<(), ApiError> {
    match input.text("ReturnValues")? {
        None | Some("NONE" | "ALL_OLD") => Ok(()),
        Some(_) => Err(fault::validation("Return values set to invalid value")),
    }
}

/// What a write's expressions say: the change and its condition.
type Wanted = (String, Change, Option<Condition>);

/// What the writes of single items refuse as detected by a check, in AWS's words.
const DETECTED: [&str; 6] = [
    "section can only be used once",
    "Two document paths overlap",
    "The expression can not be empty",
    "unused in expressions: keys",
    "must not be empty",
    "may not be empty",
];

fn detected(error: ApiError) -> ApiError {
    if !DETECTED.iter().any(|words| error.message.contains(words)) {
        return error;
    }
    let inner = error.message.strip_prefix("ExpressionAttributeValues contains invalid value: ");
    let inner = inner.map(|inner| inner.rsplit_once(" for key ").map_or(inner, |(why, _)| why));
    fault::detected(inner.unwrap_or(&error.message))
}

pub fn put(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let read = || -> Result<Wanted, ApiError> {
        terms::check_enumerations(input)?;
        let table = table_and(input, "Item")?;
        let mut bindings = terms::bindings(input, &["Expected"], &["ConditionExpression"])?;
        let item = item_of(input, "Item")?;
        check_return_values(input)?;
        let condition = terms::condition(input, &mut bindings)?;
        bindings.check_all_used()?;
        Ok((table, Change::Put(item), condition))
    };
    let wanted = read().map_err(detected)?;
    write(world, input, "PutItem", &wanted)
}

pub fn delete(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let read = || -> Result<Wanted, ApiError> {
        terms::check_enumerations(input)?;
        let table = table_and(input, "Key")?;
        let mut bindings = terms::bindings(input, &["Expected"], &["ConditionExpression"])?;
        let key = item_of(input, "Key")?;
        check_return_values(input)?;
        let condition = terms::condition(input, &mut bindings)?;
        bindings.check_all_used()?;
        Ok((table, Change::Delete { key }, condition))
    };
    let wanted = read().map_err(detected)?;
    write(world, input, "DeleteItem", &wanted)
}

pub fn update(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let read = || -> Result<Wanted, ApiError> {
        terms::check_enumerations(input)?;
        let table = table_and(input, "Key")?;
        let old = ["AttributeUpdates", "Expected"];
        let mut bindings = terms::bindings(input, &old, &["UpdateExpression", "ConditionExpression"])?;
        let key = item_of(input, "Key")?;
        let actions = match input.text("UpdateExpression")? {
            Some(text) => expression::update(text, &mut bindings)?,
            None => attribute_updates(input)?,
        };
        let condition = terms::condition(input, &mut bindings)?;
        bindings.check_all_used()?;
        Ok((table, Change::Update { key, actions }, condition))
    };
    let wanted = read().map_err(detected)?;
    write(world, input, "UpdateItem", &wanted)
}

fn attribute_updates(input: Input<'_>) -> Result<Vec<Action>, ApiError> {
    let Some(updates) = input.structure("AttributeUpdates")? else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for (name, update) in updates.0 {
        let update = Input::of(update)?;
        let mut violations = Violations::default();
        violations.one_of(update, "Action", &["ADD", "PUT", "DELETE"]);
        violations.finish()?;
        all.push(LegacyUpdate {
            attribute: name.clone(),
            action: update.text("Action")?.unwrap_or("PUT").to_owned(),
            value: update.get("Value").map(attribute::value).transpose()?,
        });
    }
    expression::actions_of(&all)
}

fn write(
    world: &mut World,
    input: Input<'_>,
    operation: &'static str,
    (table, change, condition): &Wanted,
) -> Result<Json, ApiError> {
    let (service, mut cx) = world.dynamodb_cx();
    let written = match service.write(&mut cx, table, change, condition.as_ref(), operation) {
        Ok(written) => written,
        Err(WriteError::ConditionFailed { item: Some(item) })
            if input.text("ReturnValuesOnConditionCheckFailure")? == Some("ALL_OLD") =>
        {
            return Err(fault::condition_failed().with_member("Item", json_item(&item)));
        }
        Err(error) => return Err(error.into_answer()),
    };
    let mut output = Map::new();
    if let Some(attributes) = returned(input.text("ReturnValues")?, change, &written) {
        output.insert("Attributes".into(), json_item(&attributes));
    }
    let consumed = terms::consumed(input, table, &written.consumed, Units::Plain);
    output.extend(consumed.map(|consumed| ("ConsumedCapacity".to_owned(), consumed)));
    let metrics = terms::collection(input, service, table, change);
    output.extend(metrics.map(|metrics| ("ItemCollectionMetrics".to_owned(), metrics)));
    Ok(Json::Object(output))
}

fn returned(wanted: Option<&str>, change: &Change, written: &Written) -> Option<Item> {
    let updated = |item: &Option<Item>| -> Option<Item> {
        let Change::Update { actions, .. } = change else { return None };
        let paths: Vec<Path> = updated_paths(actions);
        item.as_ref().map(|item| project(item, &paths)).filter(|picked| !picked.is_empty())
    };
    match wanted? {
        "ALL_OLD" => written.old.clone(),
        "ALL_NEW" => written.new.clone(),
        "UPDATED_OLD" => updated(&written.old),
        "UPDATED_NEW" => updated(&written.new),
        _ => None,
    }
}
