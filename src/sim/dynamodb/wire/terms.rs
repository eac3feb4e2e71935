//! What requests about items have in common: substitutes, conditions in their new and old form, projections, and how
//! consumed capacity is reported.

use super::attribute;
use super::input::{Input, Violations};
use crate::sim::dynamodb::DynamoDb;
use crate::sim::dynamodb::capacity::Consumed;
use crate::sim::dynamodb::expression::{self, Bindings, Condition, Entry, Parameter};
use crate::sim::dynamodb::fault;
use crate::sim::dynamodb::items::Change;
use crate::sim::dynamodb::path::Path;
use crate::sim::dynamodb::table::KeyValue;
use crate::sim::dynamodb::value::Value;
use crate::sim::error::ApiError;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

const OPERATORS: &str = "IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS";

/// The enumerations that every request about items has.
pub fn check_enumerations(input: Input<'_>) -> Result<(), ApiError> {
    let mut violations = Violations::default();
    violations.one_of(input, "ReturnConsumedCapacity", &["INDEXES", "TOTAL", "NONE"]);
    violations.one_of(input, "ReturnItemCollectionMetrics", &["SIZE", "NONE"]);
    violations.one_of(input, "ReturnValues", &["ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"]);
    violations.one_of(input, "ReturnValuesOnConditionCheckFailure", &["ALL_OLD", "NONE"]);
    violations.one_of(input, "ConditionalOperator", &["OR", "AND"]);
    violations.one_of(input, "Select", &["SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"]);
    violations.at_least(input, "Limit", 1);
    violations.at_least(input, "TotalSegments", 1);
    violations.at_most(input, "TotalSegments", 1_000_000);
    violations.at_least(input, "Segment", 0);
    if matches!(input.get("AttributesToGet"), Some(Json::Array(names)) if names.is_empty()) {
        violations.add("'[]'", "AttributesToGet", "Member must have length greater than or equal to 1");
    }
    violations.finish()
}

/// The comparison operator of one attribute's entry in `parameter`. Errors: `ValidationException` for one that there is
/// not, or for none where there must be one.
fn operator<'a>(parameter: &str, name: &str, entry: Input<'a>, is_needed: bool) -> Result<Option<&'a str>, ApiError> {
    let path = format!("{parameter}.{name}.member.comparisonOperator");
    let operator = entry.text("ComparisonOperator")?;
    let mut violations = Violations::default();
    match operator {
        None if is_needed => violations.add("null", &path, "Member must not be null"),
        Some(word) if !OPERATORS.split(", ").any(|known| known == word) => {
            let set = format!("Member must satisfy enum value set: [{OPERATORS}]");
            violations.add(&format!("'{word}'"), &path, &set);
        }
        _ => {}
    }
    violations.finish()?;
    Ok(operator)
}

/// The substitutes. `old` are the parameters from before expressions, `new` the expressions that the operation has.
///
/// Errors: `ValidationException` for a mixture of both, and for substitutes without an expression.
pub fn bindings(input: Input<'_>, old: &[&str], new: &[&str]) -> Result<Bindings, ApiError> {
    let given = |names: &[&str]| -> Vec<String> {
        names.iter().filter(|name| input.has(name)).map(|name| (*name).to_owned()).collect()
    };
    let (old_given, new_given) = (given(old), given(new));
    if !old_given.is_empty() && !new_given.is_empty() {
        return Err(fault::validation(format!(
            "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: \
             {{{}}} Expression parameters: {{{}}}",
            old_given.join(", "),
            new_given.join(", ")
        )));
    }
    let names = input.text_map("ExpressionAttributeNames")?;
    let values = input.structure("ExpressionAttributeValues")?;
    if names.is_some() && new_given.is_empty() {
        return Err(fault::validation("ExpressionAttributeNames can only be specified when using expressions"));
    }
    let with_values: Vec<&str> = new.iter().copied().filter(|name| *name != "ProjectionExpression").collect();
    if values.is_some() && given(&with_values).is_empty() {
        let verb = if with_values.len() > 1 { "are" } else { "is" };
        let names = with_values.join(" and ");
        return Err(fault::validation(format!(
            "ExpressionAttributeValues can only be specified when using expressions: {names} {verb} null"
        )));
    }
    for (member, is_empty) in [
        ("ExpressionAttributeNames", names.as_ref().is_some_and(BTreeMap::is_empty)),
        ("ExpressionAttributeValues", values.is_some_and(|values| values.0.is_empty())),
    ] {
        if is_empty {
            return Err(fault::validation(format!("{member} must not be empty")));
        }
    }
    let mut substitutes = BTreeMap::new();
    for (key, value) in values.into_iter().flat_map(|values| values.0) {
        let value = attribute::value(value).map_err(|error| match error.code {
            "ValidationException" => fault::validation(format!(
                "ExpressionAttributeValues contains invalid value: {} for key {key}",
                error.message
            )),
            _ => error,
        })?;
        substitutes.insert(key.clone(), value);
    }
    Bindings::new(names.unwrap_or_default(), substitutes)
}

/// ConditionExpression, or Expected and its ConditionalOperator. Errors: `ValidationException`.
pub fn condition(input: Input<'_>, bindings: &mut Bindings) -> Result<Option<Condition>, ApiError> {
    if let Some(text) = input.text("ConditionExpression")? {
        return expression::condition(Parameter::Condition, text, bindings).map(Some);
    }
    let Some(expected) = input.structure("Expected")? else {
        return match input.text("ConditionalOperator")? {
            Some(_) => Err(fault::invalid("ConditionalOperator cannot be used without Filter or Expected")),
            None => Ok(None),
        };
    };
    let entries = expected.0.iter().map(|(name, entry)| expected_entry(name, Input::of(entry)?));
    let entries = entries.collect::<Result<Vec<_>, ApiError>>()?;
    expression::condition_of(&entries, input.text("ConditionalOperator")? == Some("OR"))
}

fn expected_entry(name: &str, entry: Input<'_>) -> Result<Entry, ApiError> {
    let value = entry.get("Value").map(attribute::value).transpose()?;
    let exists = entry.boolean("Exists")?;
    let entry_of = |operator: &str, values: Vec<Value>| Entry {
        attribute: name.to_owned(),
        operator: operator.to_owned(),
        values,
    };
    if let Some(operator) = operator("Expected", name, entry, false)? {
        if exists.is_some() {
            let words = "Exists and ComparisonOperator cannot be used together for Attribute";
            return Err(fault::invalid(format!("{words}: {name}")));
        }
        let values = values_of(entry)?;
        if values.is_some() && value.is_some() {
            let words = "Value and AttributeValueList cannot be used together for Attribute";
            return Err(fault::invalid(format!("{words}: {name}")));
        }
        if values.is_none() && value.is_none() && !operator.ends_with("NULL") {
            let words = "Value or AttributeValueList must be used with ComparisonOperator";
            return Err(fault::invalid(format!("{words}: {operator} for Attribute: {name}")));
        }
        return Ok(entry_of(operator, values.unwrap_or_else(|| value.into_iter().collect())));
    }
    if entry.has("AttributeValueList") {
        let words = match value {
            Some(_) => "Value and AttributeValueList cannot be used together for Attribute",
            None => "AttributeValueList can only be used with a ComparisonOperator for Attribute",
        };
        return Err(fault::invalid(format!("{words}: {name}")));
    }
    match (exists, value) {
        (Some(false), None) => Ok(entry_of("NULL", vec![])),
        (Some(false), Some(_)) => {
            Err(fault::invalid(format!("Value cannot be used when Exists is false for Attribute: {name}")))
        }
        (_, Some(value)) => Ok(entry_of("EQ", vec![value])),
        (exists, None) => {
            let exists = exists.map_or("null", |_| "true");
            Err(fault::invalid(format!("Value must be provided when Exists is {exists} for Attribute: {name}")))
        }
    }
}

fn values_of(entry: Input<'_>) -> Result<Option<Vec<Value>>, ApiError> {
    entry.list("AttributeValueList")?.map(|values| values.iter().map(attribute::value).collect()).transpose()
}

/// KeyConditions, QueryFilter or ScanFilter as one condition. Errors: `ValidationException`.
pub fn old_filter(input: Input<'_>, member: &str) -> Result<Option<Condition>, ApiError> {
    let Some(filter) = input.structure(member)? else { return Ok(None) };
    let mut entries = Vec::new();
    for (name, entry) in filter.0 {
        let entry = Input::of(entry)?;
        entries.push(Entry {
            attribute: name.clone(),
            operator: operator(member, name, entry, true)?.unwrap_or_default().to_owned(),
            values: values_of(entry)?.unwrap_or_default(),
        });
    }
    let is_any = member != "KeyConditions" && input.text("ConditionalOperator")? == Some("OR");
    expression::condition_of(&entries, is_any)
}

/// ProjectionExpression or AttributesToGet; `None` is everything. Errors: `ValidationException`.
pub fn projection(input: Input<'_>, bindings: &mut Bindings) -> Result<Option<Vec<Path>>, ApiError> {
    if let Some(text) = input.text("ProjectionExpression")? {
        return expression::projection(text, bindings).map(Some);
    }
    let names = input.texts("AttributesToGet")?;
    if let Some(names) = &names {
        let mut sorted = names.clone();
        sorted.sort_unstable();
        if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(fault::invalid(format!("Duplicate value in attribute name: {}", twice[0])));
        }
    }
    Ok(names.map(|names| names.into_iter().map(Path::of).collect()))
}

/// How a consumed capacity is reported.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Units {
    Plain,
    /// Transactions say which kind of units they are.
    Read,
    Write,
}

/// ConsumedCapacity as the request wants it; `None` where it does not.
pub fn consumed(input: Input<'_>, table: &str, consumed: &Consumed, units: Units) -> Option<Json> {
    let wanted = input.get("ReturnConsumedCapacity").and_then(Json::as_str).filter(|wanted| *wanted != "NONE")?;
    let amount = |value: f64| {
        let mut members = Map::new();
        members.insert("CapacityUnits".into(), json!(value));
        match units {
            Units::Plain => {}
            Units::Read => drop(members.insert("ReadCapacityUnits".into(), json!(value))),
            Units::Write => drop(members.insert("WriteCapacityUnits".into(), json!(value))),
        }
        members
    };
    let mut report = amount(consumed.total());
    report.insert("TableName".into(), json!(table));
    if wanted == "INDEXES" {
        report.insert("Table".into(), Json::Object(amount(consumed.table)));
        for (member, indexes) in
            [("GlobalSecondaryIndexes", &consumed.global), ("LocalSecondaryIndexes", &consumed.local)]
        {
            if !indexes.is_empty() {
                let each = indexes.iter().map(|(name, units)| (name.clone(), Json::Object(amount(*units))));
                report.insert(member.into(), Json::Object(each.collect()));
            }
        }
    }
    Some(Json::Object(report))
}

/// The item collection that a change touched, where that is wanted and the table has such: its partition key, and between
/// how many gigabytes it is large.
pub fn collection(input: Input<'_>, service: &DynamoDb, table: &str, change: &Change) -> Option<Json> {
    input.get("ReturnItemCollectionMetrics").and_then(Json::as_str).filter(|wanted| *wanted == "SIZE")?;
    let table = service.table(table)?;
    let value = change.place().get(&table.keys.hash)?;
    let bytes = table.collection_bytes(&KeyValue::of(value)?)?;
    let least = (bytes >> 30) as f64;
    let key = json!({ table.keys.hash.clone(): attribute::json_value(value) });
    Some(json!({"ItemCollectionKey": key, "SizeEstimateRangeGB": [least, least + 1.0]}))
}

/// The same of many changes, by their tables.
pub fn collections<'a>(
    input: Input<'_>,
    service: &DynamoDb,
    changes: impl Iterator<Item = (&'a str, &'a Change)>,
) -> Option<Json> {
    let mut by_table: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    for (table, change) in changes {
        let Some(collection) = collection(input, service, table, change) else { continue };
        let known = by_table.entry(table.to_owned()).or_default();
        if !known.contains(&collection) {
            known.push(collection);
        }
    }
    (!by_table.is_empty()).then(|| json!(by_table))
}
