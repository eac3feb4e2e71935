//! BatchGetItem and BatchWriteItem: many items in one request, each on its own.

use super::attribute::{self, json_item};
use super::input::{Input, Violations, table_name};
use super::terms::{self, Units};
use crate::sim::dynamodb::capacity::Consumed;
use crate::sim::dynamodb::fault;
use crate::sim::dynamodb::items::{Change, WriteError};
use crate::sim::dynamodb::path::project;
use crate::sim::dynamodb::value::{Item, item_size};
use crate::sim::error::ApiError;
use crate::sim::world::World;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

const GETS_MAX: usize = 100;
/// The items of one answer, at most.
const GETS_BYTES_MAX: usize = 16 << 20;
const WRITES_MAX: usize = 25;

/// RequestItems, which must be there and name a table. Errors: `ValidationException`.
fn request_items(input: Input<'_>) -> Result<Input<'_>, ApiError> {
    terms::check_enumerations(input)?;
    let mut violations = Violations::default();
    violations.required(input, "RequestItems");
    violations.finish()?;
    let items = input.structure("RequestItems")?.unwrap_or(input);
    if items.0.is_empty() {
        let mut violations = Violations::default();
        violations.add("'{}'", "RequestItems", "Member must have length greater than or equal to 1");
        violations.finish()?;
    }
    Ok(items)
}

/// At most so many keys, of each table and of all. Errors: `ValidationException`.
fn check_counts(tables: Input<'_>) -> Result<(), ApiError> {
    let mut total = 0;
    let mut violations = Violations::default();
    for (name, of_table) in tables.0 {
        let path = format!("requestItems.{name}.member.keys");
        let keys = Input::of(of_table)?.list("Keys")?.map(<[Json]>::len);
        match keys {
            None => violations.add("null", &path, "Member must not be null"),
            Some(0) => violations.add("'[]'", &path, "Member must have length greater than or equal to 1"),
            Some(count) if count > GETS_MAX => {
                violations.add_unseen(&path, "Member must have length less than or equal to 100");
            }
            Some(_) => {}
        }
        total += keys.unwrap_or_default();
    }
    violations.finish()?;
    if total > GETS_MAX {
        return Err(fault::validation("Too many items requested for the BatchGetItem call"));
    }
    Ok(())
}

pub fn get(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let tables = request_items(input)?;
    check_counts(tables)?;
    let (mut responses, mut unprocessed, mut reports) = (Map::new(), Map::new(), Vec::new());
    let (mut done, mut refused, mut bytes) = (0, None, 0);
    for (given, of_table) in tables.0 {
        let table = table_name(given)?;
        let of_table = Input::of(of_table)?;
        let mut bindings = terms::bindings(of_table, &["AttributesToGet"], &["ProjectionExpression"])?;
        let paths = terms::projection(of_table, &mut bindings)?;
        bindings.check_all_used()?;
        let is_consistent = of_table.boolean("ConsistentRead")?.unwrap_or(false);
        let keys: Vec<Input<'_>> = of_table.structures("Keys")?.unwrap_or_default();
        let mut seen: Vec<Item> = Vec::new();
        let (mut items, mut left, mut consumed) = (Vec::new(), Vec::new(), Consumed::default());
        for key in keys {
            let read = attribute::item(key)?;
            if seen.contains(&read) {
                return Err(fault::validation("Provided list of item keys contains duplicates"));
            }
            let (service, mut cx) = world.dynamodb_cx();
            if bytes >= GETS_BYTES_MAX {
                left.push(Json::Object(key.0.clone()));
                continue;
            }
            match service.get_for(&mut cx, &table, &read, is_consistent, "BatchGetItem") {
                Ok((item, units)) => {
                    consumed.add(&units);
                    done += 1;
                    bytes += item.as_ref().map_or(0, item_size);
                    if bytes > GETS_BYTES_MAX {
                        left.push(Json::Object(key.0.clone()));
                        continue;
                    }
                    items.extend(item.map(|item| match &paths {
                        Some(paths) => json_item(&project(&item, paths)),
                        None => json_item(&item),
                    }));
                }
                Err(error) if fault::is_throttling(&error) => {
                    left.push(Json::Object(key.0.clone()));
                    refused = Some(error);
                }
                Err(error) => return Err(error),
            }
            seen.push(read);
        }
        if !left.is_empty() {
            let mut again = of_table.0.clone();
            again.insert("Keys".into(), Json::Array(left));
            unprocessed.insert(given.clone(), Json::Object(again));
        }
        responses.insert(given.clone(), Json::Array(items));
        reports.extend(terms::consumed(input, &table, &consumed, Units::Plain));
    }
    finish(done, refused)?;
    let mut output = json!({"Responses": responses, "UnprocessedKeys": unprocessed});
    if !reports.is_empty() {
        output["ConsumedCapacity"] = Json::Array(reports);
    }
    Ok(output)
}

/// A batch of which nothing could be done is refused as a whole.
fn finish(done: usize, refused: Option<ApiError>) -> Result<(), ApiError> {
    match refused {
        Some(error) if done == 0 => Err(error),
        _ => Ok(()),
    }
}

pub fn write(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let tables = request_items(input)?;
    let mut all: Vec<(&String, &Json, Change)> = Vec::new();
    for (given, requests) in tables.0 {
        let table = table_name(given)?;
        let requests = requests.as_array().map(Vec::as_slice).unwrap_or_default();
        if requests.len() > WRITES_MAX || requests.is_empty() {
            let mut violations = Violations::default();
            violations.add(
                &format!("'{{{table}=[{} requests]}}'", requests.len()),
                "RequestItems",
                "Map value must satisfy constraint: [Member must have length less than or equal to 25, Member must have \
                 length greater than or equal to 1]",
            );
            violations.finish()?;
        }
        check_requests(given, requests)?;
        for request in requests {
            all.push((given, request, change(Input::of(request)?)?));
        }
    }
    if all.len() > WRITES_MAX {
        return Err(fault::validation("Too many items requested for the BatchWriteItem call"));
    }
    check_batch(world, &all)?;
    let mut consumed: BTreeMap<String, Consumed> = BTreeMap::new();
    let mut unprocessed = Map::new();
    let (mut done, mut refused, mut touched) = (0, None, Vec::new());
    for (given, request, change) in all {
        let table = table_name(given)?;
        let (service, mut cx) = world.dynamodb_cx();
        match service.write(&mut cx, &table, &change, None, "BatchWriteItem").map_err(WriteError::into_answer) {
            Ok(written) => {
                consumed.entry(table.clone()).or_default().add(&written.consumed);
                touched.push((table, change));
                done += 1;
            }
            Err(error) if fault::is_throttling(&error) => {
                refused = Some(error);
                let left = unprocessed.entry(given.clone()).or_insert_with(|| json!([]));
                left.as_array_mut().map(|left| left.push(request.clone())).unwrap_or_default();
            }
            Err(error) => return Err(error),
        }
    }
    finish(done, refused)?;
    let mut output = json!({"UnprocessedItems": unprocessed});
    let reports: Vec<Json> =
        consumed.iter().filter_map(|(table, units)| terms::consumed(input, table, units, Units::Plain)).collect();
    let (service, _) = world.dynamodb_cx();
    let touched = touched.iter().map(|(table, change)| (table.as_str(), change));
    if let Some(metrics) = terms::collections(input, service, touched) {
        output["ItemCollectionMetrics"] = metrics;
    }
    if !reports.is_empty() {
        output["ConsumedCapacity"] = Json::Array(reports);
    }
    Ok(output)
}

/// Each request says what is put or deleted. Errors: `ValidationException`.
fn check_requests(table: &str, requests: &[Json]) -> Result<(), ApiError> {
    let mut violations = Violations::default();
    for (at, request) in requests.iter().enumerate() {
        let request = Input::of(request)?;
        for (member, path, inner) in
            [("DeleteRequest", "deleteRequest.key", "Key"), ("PutRequest", "putRequest.item", "Item")]
        {
            if request.structure(member)?.is_some_and(|given| !given.has(inner)) {
                let path = format!("requestItems.{table}.member.{}.member.{path}", at + 1);
                violations.add("null", &path, "Member must not be null");
            }
        }
    }
    violations.finish()
}

fn change(request: Input<'_>) -> Result<Change, ApiError> {
    match (request.structure("PutRequest")?, request.structure("DeleteRequest")?) {
        (Some(put), None) => Ok(Change::Put(attribute::item(put.structure("Item")?.unwrap_or(put))?)),
        (None, Some(delete)) => {
            Ok(Change::Delete { key: attribute::item(delete.structure("Key")?.unwrap_or(delete))? })
        }
        // What neither puts nor deletes is refused in the words for one that does both.
        _ => Err(fault::validation(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
        )),
    }
}

/// Every request is looked at before the first is carried out. Errors: `ValidationException`,
/// `ResourceNotFoundException`.
fn check_batch(world: &mut World, all: &[(&String, &Json, Change)]) -> Result<(), ApiError> {
    let (service, _) = world.dynamodb_cx();
    let mut places = Vec::new();
    for (given, _, change) in all {
        let table = service.open_table(&table_name(given)?)?;
        let key = match change {
            Change::Put(item) => {
                let is_whole = table.keys.names().all(|name| item.contains_key(name));
                if is_whole { table.key_of_item(item)? } else { return Err(fault::key_mismatch()) }
            }
            Change::Update { key, .. } | Change::Delete { key } | Change::Check { key } => table.key_exactly(key)?,
        };
        if places.contains(&(*given, key.clone())) {
            return Err(fault::validation("Provided list of item keys contains duplicates"));
        }
        places.push((*given, key));
    }
    Ok(())
}
