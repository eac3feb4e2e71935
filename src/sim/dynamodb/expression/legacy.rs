//! The parameters from before expressions: `Expected`, filters and key conditions by operator, `AttributeUpdates`.
//! Consumer libraries of the 1.x line still send them.
//! Source: DynamoDB "Legacy conditional parameters".

use super::evaluate::order;
use super::{Action, Comparator, Condition, Operand};
use crate::sim::dynamodb::fault;
use crate::sim::dynamodb::path::Path;
use crate::sim::dynamodb::value::Value;
use crate::sim::error::ApiError;
use std::cmp::Ordering;

/// What one attribute must be.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub attribute: String,
    /// `EQ`, `NOT_NULL`, `BETWEEN` …
    pub operator: String,
    pub values: Vec<Value>,
}

/// One entry of `AttributeUpdates`.
#[derive(Clone, Debug, PartialEq)]
pub struct LegacyUpdate {
    pub attribute: String,
    /// `PUT`, `ADD` or `DELETE`.
    pub action: String,
    pub value: Option<Value>,
}

/// The entries as one condition, joined by AND or by OR; `None` when there are none. Errors: `ValidationException`.
pub fn condition_of(entries: &[Entry], is_any: bool) -> Result<Option<Condition>, ApiError> {
    let mut all: Option<Condition> = None;
    for entry in entries {
        let next = one(entry)?;
        all = Some(match all {
            None => next,
            Some(before) if is_any => Condition::Or(Box::new(before), Box::new(next)),
            Some(before) => Condition::And(Box::new(before), Box::new(next)),
        });
    }
    Ok(all)
}

fn one(entry: &Entry) -> Result<Condition, ApiError> {
    let operator = entry.operator.as_str();
    let fits = match operator {
        "NULL" | "NOT_NULL" => entry.values.is_empty(),
        "IN" => !entry.values.is_empty(),
        "BETWEEN" => entry.values.len() == 2,
        _ => entry.values.len() == 1,
    };
    if !fits {
        return Err(fault::invalid(format!("Invalid number of argument(s) for the {operator} ComparisonOperator")));
    }
    check_values(operator, &entry.values)?;
    let path = Path::of(&entry.attribute);
    let left = Operand::Path(path.clone());
    let mut values = entry.values.iter().map(|value| Operand::Value(value.clone()));
    let compare = |comparator, right| Condition::Compare(comparator, left.clone(), right);
    Ok(match (operator, values.next(), values.next()) {
        ("NULL", ..) => Condition::NotExists(path),
        ("NOT_NULL", ..) => Condition::Exists(path),
        ("EQ", Some(value), _) => compare(Comparator::Eq, value),
        ("NE", Some(value), _) => compare(Comparator::Ne, value),
        ("LT", Some(value), _) => compare(Comparator::Lt, value),
        ("LE", Some(value), _) => compare(Comparator::Le, value),
        ("GT", Some(value), _) => compare(Comparator::Gt, value),
        ("GE", Some(value), _) => compare(Comparator::Ge, value),
        ("BEGINS_WITH", Some(value), _) => Condition::BeginsWith(left, value),
        ("CONTAINS", Some(value), _) => Condition::Contains(left, value),
        // An attribute that is not there does not meet it.
        ("NOT_CONTAINS", Some(value), _) => Condition::And(
            Box::new(Condition::Exists(path)),
            Box::new(Condition::Not(Box::new(Condition::Contains(left, value)))),
        ),
        ("BETWEEN", Some(low), Some(high)) => Condition::Between(left, low, high),
        _ => Condition::In(left, entry.values.iter().map(|value| Operand::Value(value.clone())).collect()),
    })
}

/// The values are of one type, which the operator has, and a range is not upside down. Errors: `ValidationException`.
fn check_values(operator: &str, values: &[Value]) -> Result<(), ApiError> {
    if values.windows(2).any(|pair| pair[0].kind() != pair[1].kind()) {
        return Err(fault::invalid("AttributeValues inside AttributeValueList must be of same type"));
    }
    let fits = |value: &Value| match operator {
        "NULL" | "NOT_NULL" | "EQ" | "NE" => true,
        "BEGINS_WITH" => matches!(value, Value::S(_) | Value::B(_)),
        _ => matches!(value, Value::S(_) | Value::N(_) | Value::B(_)),
    };
    if let Some(value) = values.iter().find(|value| !fits(value)) {
        let kind = value.kind();
        return Err(fault::invalid(format!(
            "ComparisonOperator {operator} is not valid for {kind} AttributeValue type"
        )));
    }
    match (operator, values) {
        ("BETWEEN", [low, high]) if order(low, high) == Some(Ordering::Greater) => Err(fault::validation(
            "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound",
        )),
        _ => Ok(()),
    }
}

/// The updates as actions. Errors: `ValidationException`.
pub fn actions_of(updates: &[LegacyUpdate]) -> Result<Vec<Action>, ApiError> {
    updates.iter().map(action).collect()
}

fn action(update: &LegacyUpdate) -> Result<Action, ApiError> {
    let path = Path::of(&update.attribute);
    let Some(value) = update.value.clone() else {
        return match update.action.as_str() {
            "DELETE" => Ok(Action::Remove(path)),
            _ => Err(fault::invalid("Only DELETE action is allowed when no attribute value is specified")),
        };
    };
    let is_set = matches!(value, Value::Ss(_) | Value::Ns(_) | Value::Bs(_));
    let kind = value.kind();
    match update.action.as_str() {
        "ADD" if is_set || matches!(value, Value::N(_) | Value::L(_)) => Ok(Action::Add(path, value)),
        "ADD" => Err(fault::invalid(format!("ADD action is not supported for the type {kind}"))),
        "DELETE" if is_set => Ok(Action::Delete(path, value)),
        "DELETE" => Err(fault::invalid(format!("DELETE action is not supported for the type {kind}"))),
        _ => Ok(Action::Set(path, Operand::Value(value))),
    }
}
