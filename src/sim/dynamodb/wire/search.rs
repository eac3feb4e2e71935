//! Query and Scan.

use super::attribute::{self, json_item};
use super::input::{Input, check_name, table_of};
use super::terms::{self, Units};
use crate::sim::dynamodb::expression::{self, Bindings, Condition, Parameter};
use crate::sim::dynamodb::fault;
use crate::sim::dynamodb::path::{Path, project};
use crate::sim::dynamodb::search::Search;
use crate::sim::dynamodb::table::Projection;
use crate::sim::dynamodb::value::Item;
use crate::sim::error::ApiError;
use crate::sim::world::World;
use serde_json::{Map, Value as Json, json};

pub fn query(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    terms::check_enumerations(input)?;
    let table = table_of(input)?;
    let old = ["AttributesToGet", "QueryFilter", "ConditionalOperator", "KeyConditions"];
    let new = ["ProjectionExpression", "FilterExpression", "KeyConditionExpression"];
    let mut bindings = terms::bindings(input, &old, &new)?;
    let keys = match input.text("KeyConditionExpression")? {
        Some(text) => Some(expression::condition(Parameter::KeyCondition, text, &mut bindings)?),
        None => terms::old_filter(input, "KeyConditions")?,
    };
    let Some(keys) = keys else {
        return Err(fault::validation(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
        ));
    };
    let filter = filter(input, &mut bindings, "QueryFilter")?;
    let mut search = search(input, &table, filter)?;
    search.is_backward = !input.boolean("ScanIndexForward")?.unwrap_or(true);
    let paths = terms::projection(input, &mut bindings)?;
    bindings.check_all_used()?;
    let (service, _) = world.dynamodb_cx();
    let table_now = service.open_table(&table)?;
    table_now.check_whole_keys(paths.as_deref())?;
    let index = table_now.searched(search.index.as_deref())?;
    let schema = index.map_or(&table_now.keys, |index| &index.keys);
    search.keys = Some(expression::key_condition(&keys, schema, |name| table_now.type_of(name))?);
    let attributes = search.filter.as_ref().map(Condition::attributes).unwrap_or_default();
    if let Some(key) = attributes.iter().find(|name| schema.names().any(|key| key == *name)) {
        let (kind, words) = match input.has("QueryFilter") {
            true => ("QueryFilter", "can only contain non-primary key attributes: Primary key attribute"),
            false => ("Filter Expression", "can only contain non-primary key attributes: Primary key attribute"),
        };
        return Err(fault::validation(format!("{kind} {words}: {key}")));
    }
    run(world, input, &mut search, paths)
}

pub fn scan(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    terms::check_enumerations(input)?;
    let table = table_of(input)?;
    let old = ["AttributesToGet", "ScanFilter", "ConditionalOperator"];
    let mut bindings = terms::bindings(input, &old, &["ProjectionExpression", "FilterExpression"])?;
    let filter = filter(input, &mut bindings, "ScanFilter")?;
    let mut search = search(input, &table, filter)?;
    search.segment = segment(input)?;
    let paths = terms::projection(input, &mut bindings)?;
    bindings.check_all_used()?;
    let (service, _) = world.dynamodb_cx();
    service.open_table(&table)?.check_whole_keys(paths.as_deref())?;
    run(world, input, &mut search, paths)
}

fn filter(input: Input<'_>, bindings: &mut Bindings, old: &str) -> Result<Option<Condition>, ApiError> {
    match input.text("FilterExpression")? {
        Some(text) => expression::condition(Parameter::Filter, text, bindings).map(Some),
        None => terms::old_filter(input, old),
    }
}

fn search(input: Input<'_>, table: &str, filter: Option<Condition>) -> Result<Search, ApiError> {
    let index = input.text("IndexName")?;
    if let Some(index) = index {
        check_name("IndexName", index)?;
    }
    Ok(Search {
        table: table.to_owned(),
        index: index.map(str::to_owned),
        filter,
        limit: input.integer("Limit")?.and_then(|limit| usize::try_from(limit).ok()),
        start: input.structure("ExclusiveStartKey")?.map(starting_key).transpose()?,
        is_consistent: input.boolean("ConsistentRead")?.unwrap_or(false),
        ..Search::default()
    })
}

/// What AWS says of a value in the same words wherever it is.
const SAID_ALIKE: [&str; 5] =
    ["contains duplicates", "number set", "numeric value", "significant digits", "number with magnitude"];

fn starting_key(key: Input<'_>) -> Result<Item, ApiError> {
    attribute::item(key).map_err(|error| {
        if error.code != "ValidationException" || SAID_ALIKE.iter().any(|words| error.message.contains(words)) {
            return error;
        }
        fault::validation(format!("The provided starting key is invalid: {}", error.message))
    })
}

fn segment(input: Input<'_>) -> Result<Option<(u64, u64)>, ApiError> {
    let missing = |one: &str, other: &str| {
        let words = format!("The {one} parameter is required but was not present in the request when");
        Err(fault::validation(format!("{words} {other} is present")))
    };
    match (input.integer("Segment")?, input.integer("TotalSegments")?) {
        (None, None) => Ok(None),
        (Some(_), None) => missing("TotalSegments", "Segment parameter"),
        (None, Some(_)) => missing("Segment", "parameter TotalSegments"),
        (Some(segment), Some(of)) if segment >= of => {
            let words = "The Segment parameter is zero-based and must be less than parameter TotalSegments";
            Err(fault::validation(words))
        }
        (Some(segment), Some(of)) => Ok(Some((segment as u64, of as u64))),
    }
}

/// Whether the answer has items, and which part of them. Errors: `ValidationException`.
fn check_select(world: &mut World, input: Input<'_>, search: &mut Search, has_paths: bool) -> Result<bool, ApiError> {
    let select = input.text("Select")?;
    let (service, _) = world.dynamodb_cx();
    let index = service.open_table(&search.table)?.searched(search.index.as_deref())?;
    match select {
        Some("SPECIFIC_ATTRIBUTES") if !has_paths => Err(fault::detected(
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
        )),
        Some(select @ ("COUNT" | "ALL_ATTRIBUTES" | "ALL_PROJECTED_ATTRIBUTES")) if has_paths => {
            let given = if input.has("ProjectionExpression") { "ProjectionExpression" } else { "AttributesToGet" };
            let wanted = if select == "COUNT" { "only the Count" } else { select };
            Err(fault::detected(format!("Cannot specify the {given} when choosing to get {wanted}")))
        }
        Some("ALL_PROJECTED_ATTRIBUTES") if index.is_none() => {
            Err(fault::detected("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"))
        }
        Some("ALL_ATTRIBUTES") => {
            if let Some(index) = index.filter(|index| index.is_global && index.projection != Projection::All) {
                return Err(fault::invalid(format!(
                    "Select type ALL_ATTRIBUTES is not supported for global secondary index {} because its projection \
                     type is not ALL",
                    index.name
                )));
            }
            search.wants_all = true;
            Ok(true)
        }
        Some("COUNT") => Ok(false),
        _ => {
            search.wants_all = has_paths;
            Ok(true)
        }
    }
}

fn run(world: &mut World, input: Input<'_>, search: &mut Search, paths: Option<Vec<Path>>) -> Result<Json, ApiError> {
    let has_items = check_select(world, input, search, paths.is_some())?;
    let (service, mut cx) = world.dynamodb_cx();
    let found = service.find(&mut cx, search)?;
    world.ledger.read_units += found.consumed.total();
    let mut output = Map::new();
    if has_items {
        let item = |item| paths.as_ref().map_or_else(|| json_item(item), |paths| json_item(&project(item, paths)));
        output.insert("Items".into(), found.items.iter().map(item).collect());
    }
    output.insert("Count".into(), json!(found.items.len()));
    output.insert("ScannedCount".into(), json!(found.scanned));
    if let Some(key) = &found.last_key {
        output.insert("LastEvaluatedKey".into(), json_item(key));
    }
    let consumed = terms::consumed(input, &search.table, &found.consumed, Units::Plain);
    output.extend(consumed.map(|consumed| ("ConsumedCapacity".to_owned(), consumed)));
    Ok(Json::Object(output))
}
