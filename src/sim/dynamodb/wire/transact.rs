//! TransactWriteItems and TransactGetItems: all or nothing.

use super::attribute::{self, json_item};
use super::input::{Input, Violations, table_name, table_of};
use super::terms::{self, Units};
use crate::sim::dynamodb::DynamoDb;
use crate::sim::dynamodb::capacity::Consumed;
use crate::sim::dynamodb::expression::{self, Condition};
use crate::sim::dynamodb::fault;
use crate::sim::dynamodb::items::{Change, WriteError};
use crate::sim::dynamodb::path::project;
use crate::sim::error::ApiError;
use crate::sim::world::World;
use serde_json::{Map, Value as Json, json};
use std::hash::{DefaultHasher, Hash, Hasher};

const ITEMS_MAX: usize = 100;

/// Characters of a client request token.
const TOKEN_MAX: usize = 36;

fn items(input: Input<'_>) -> Result<Vec<Input<'_>>, ApiError> {
    terms::check_enumerations(input)?;
    let mut violations = Violations::default();
    violations.required(input, "TransactItems");
    let items = input.structures("TransactItems")?.unwrap_or_default();
    if input.has("TransactItems") && items.is_empty() {
        violations.add("'[]'", "TransactItems", "Member must have length greater than or equal to 1");
    }
    if items.len() > ITEMS_MAX {
        violations.add("'[...]'", "TransactItems", "Member must have length less than or equal to 100");
    }
    for token in input.text("ClientRequestToken")?.into_iter() {
        let size = token.chars().count();
        if size == 0 || size > TOKEN_MAX {
            let bound = if size == 0 { "greater than or equal to 1" } else { "less than or equal to 36" };
            let rule = format!("Member must have length {bound}");
            violations.add(&format!("'{token}'"), "ClientRequestToken", &rule);
        }
    }
    violations.finish()?;
    Ok(items)
}

pub fn write(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let items = items(input)?;
    let changes = items.iter().map(|item| change(*item)).collect::<Result<Vec<_>, _>>()?;
    let token = input.text("ClientRequestToken")?.map(|token| (token, digest(input)));
    let (service, mut cx) = world.dynamodb_cx();
    if let Some((token, digest)) = token
        && service.tokens.is_known(cx.now, token, digest)?
    {
        let done = changes.iter().filter_map(|(table, change, _)| service.read_again(&mut cx, table, change));
        let reports = reports(input, done.collect(), Units::Read);
        return Ok(written(input, service, &changes, reports));
    }
    match service.write_all(&mut cx, &changes)? {
        Ok(done) => {
            if let Some((token, digest)) = token {
                service.tokens.note(cx.now, token, digest);
            }
            let reports = reports(input, done, Units::Write);
            Ok(written(input, service, &changes, reports))
        }
        Err(failures) => Err(cancelled(&items, &failures)),
    }
}

/// What the transaction is, whatever the order of its members; what it wants to be told is no part of it.
fn digest(input: Input<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    input.get("TransactItems").map(Json::to_string).hash(&mut hasher);
    hasher.finish()
}

fn written(
    input: Input<'_>,
    service: &DynamoDb,
    changes: &[(String, Change, Option<Condition>)],
    reports: Vec<Json>,
) -> Json {
    let mut output = Map::new();
    if !reports.is_empty() {
        output.insert("ConsumedCapacity".into(), Json::Array(reports));
    }
    let touched = changes.iter().filter(|(_, change, _)| !matches!(change, Change::Check { .. }));
    let metrics = terms::collections(input, service, touched.map(|(table, change, _)| (table.as_str(), change)));
    output.extend(metrics.map(|metrics| ("ItemCollectionMetrics".to_owned(), metrics)));
    Json::Object(output)
}

/// What each table's requests consumed, in the order in which the request names the tables.
fn reports(input: Input<'_>, done: Vec<(String, Consumed)>, units: Units) -> Vec<Json> {
    let mut by_table: Vec<(String, Consumed)> = Vec::new();
    for (table, consumed) in done {
        match by_table.iter_mut().find(|(known, _)| *known == table) {
            Some((_, sum)) => sum.add(&consumed),
            None => by_table.push((table, consumed)),
        }
    }
    by_table.iter().filter_map(|(table, consumed)| terms::consumed(input, table, consumed, units)).collect()
}

fn change(item: Input<'_>) -> Result<(String, Change, Option<Condition>), ApiError> {
    const KINDS: [&str; 4] = ["ConditionCheck", "Put", "Update", "Delete"];
    let given: Vec<&str> = KINDS.into_iter().filter(|kind| item.has(kind)).collect();
    let [kind] = given[..] else {
        return Err(fault::validation("TransactItems can only contain one of Check, Put, Update or Delete"));
    };
    let part = item.structure(kind)?.unwrap_or(item);
    let table = table_of(part)?;
    let expressions: &[&str] =
        if kind == "Update" { &["UpdateExpression", "ConditionExpression"] } else { &["ConditionExpression"] };
    let mut bindings = terms::bindings(part, &[], expressions)?;
    let read = |member: &str| attribute::item(part.structure(member)?.unwrap_or(Input(&Map::new())));
    let change = match kind {
        "Put" => Change::Put(read("Item")?),
        "Delete" => Change::Delete { key: read("Key")? },
        "ConditionCheck" => Change::Check { key: read("Key")? },
        _ => {
            let text = part.text("UpdateExpression")?.unwrap_or_default();
            Change::Update { key: read("Key")?, actions: expression::update(text, &mut bindings)? }
        }
    };
    let condition = terms::condition(part, &mut bindings)?;
    bindings.check_all_used()?;
    Ok((table, change, condition))
}

fn cancelled(items: &[Input<'_>], failures: &[Option<WriteError>]) -> ApiError {
    let wants_item = |at: usize| {
        let part = items.get(at).and_then(|item| item.0.values().next());
        part.is_some_and(|part| part["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD")
    };
    let reasons: Vec<Json> = failures
        .iter()
        .enumerate()
        .map(|(at, failure)| match failure {
            None => json!({"Code": "None"}),
            Some(WriteError::ConditionFailed { item }) => {
                let mut reason = json!({"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"});
                if let Some(item) = item.as_ref().filter(|_| wants_item(at)) {
                    reason["Item"] = json_item(item);
                }
                reason
            }
            Some(WriteError::Refused(error)) => {
                json!({"Code": error.code.trim_end_matches("Exception").replace("Validation", "ValidationError"), "Message": error.message})
            }
        })
        .collect();
    let codes: Vec<&str> = reasons.iter().filter_map(|reason| reason["Code"].as_str()).collect();
    let message =
        format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{}]", codes.join(", "));
    ApiError::client("TransactionCanceledException", message).with_member("CancellationReasons", Json::Array(reasons))
}

pub fn get(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let (mut responses, mut done) = (Vec::new(), Vec::new());
    for item in items(input)? {
        let part = item.structure("Get")?.unwrap_or(item);
        let table = table_name(part.text("TableName")?.unwrap_or_default())?;
        let mut bindings = terms::bindings(part, &[], &["ProjectionExpression"])?;
        let paths = terms::projection(part, &mut bindings)?;
        bindings.check_all_used()?;
        let key = attribute::item(part.structure("Key")?.unwrap_or(Input(&Map::new())))?;
        let (service, mut cx) = world.dynamodb_cx();
        let (found, units) = service.get_for(&mut cx, &table, &key, true, "TransactGetItems")?;
        done.push((table, units.doubled()));
        responses.push(match (found, &paths) {
            (None, _) => json!({}),
            (Some(found), None) => json!({"Item": json_item(&found)}),
            (Some(found), Some(paths)) => json!({"Item": json_item(&project(&found, paths))}),
        });
    }
    let mut output = json!({"Responses": responses});
    let reports = reports(input, done, Units::Read);
    if !reports.is_empty() {
        output["ConsumedCapacity"] = Json::Array(reports);
    }
    Ok(output)
}
