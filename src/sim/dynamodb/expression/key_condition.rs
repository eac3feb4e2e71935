//! Which items a Query wants: one partition, and a part of its sort keys.

use super::{Comparator, Condition, Operand, Parameter};
use crate::sim::dynamodb::fault;
use crate::sim::dynamodb::path::Path;
use crate::sim::dynamodb::table::{KeySchema, KeyType};
use crate::sim::dynamodb::value::Value;
use crate::sim::error::ApiError;

/// A partition's key, and what its sort keys must be.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyCondition {
    pub hash: Value,
    pub range: Option<RangeCondition>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum RangeCondition {
    Compare(Comparator, Value),
    Between(Value, Value),
    BeginsWith(Value),
}

impl RangeCondition {
    /// The same as a condition on the attribute.
    pub fn on(&self, attribute: &str) -> Condition {
        let path = Operand::Path(Path::of(attribute));
        match self.clone() {
            Self::Compare(comparator, value) => Condition::Compare(comparator, path, Operand::Value(value)),
            Self::Between(low, high) => Condition::Between(path, Operand::Value(low), Operand::Value(high)),
            Self::BeginsWith(prefix) => Condition::BeginsWith(path, Operand::Value(prefix)),
        }
    }

    fn values(&self) -> Vec<&Value> {
        match self {
            Self::Compare(_, value) | Self::BeginsWith(value) => vec![value],
            Self::Between(low, high) => vec![low, high],
        }
    }
}

/// Takes a parsed condition for a key condition on these keys. Errors: `ValidationException`.
pub fn key_condition(
    condition: &Condition,
    keys: &KeySchema,
    type_of: impl Fn(&str) -> Option<KeyType>,
) -> Result<KeyCondition, ApiError> {
    let mut parts = Vec::new();
    flatten(condition, &mut parts)?;
    let mut by_name: Vec<(&str, RangeCondition)> = Vec::new();
    for part in parts {
        let (path, part) = simple(part)?;
        if !path.steps.is_empty() {
            return Err(wrong("KeyConditionExpressions cannot have conditions on nested attributes"));
        }
        if by_name.iter().any(|(name, _)| *name == path.attribute) {
            return Err(wrong("KeyConditionExpressions must only contain one condition per key"));
        }
        by_name.push((&path.attribute, part));
    }
    if by_name.len() > 2 {
        return Err(fault::validation("Conditions can be of length 1 or 2 only"));
    }
    let hash = match by_name.iter().find(|(name, _)| *name == keys.hash) {
        Some((_, RangeCondition::Compare(Comparator::Eq, value))) => value.clone(),
        Some(_) => return Err(fault::validation("Query key condition not supported")),
        None => return Err(missed(&keys.hash)),
    };
    let range = by_name.into_iter().find(|(name, _)| *name != keys.hash);
    let range = match (range, &keys.range) {
        (None, _) => None,
        (Some((name, part)), Some(wanted)) if name == wanted => Some(part),
        (Some(_), Some(wanted)) => return Err(missed(wanted)),
        (Some(_), None) => return Err(fault::validation("Query key condition not supported")),
    };
    let fits = |name: &str, value: &Value| type_of(name).is_none_or(|kind| kind.name() == value.kind());
    let range_fits = |part: &RangeCondition| {
        keys.range.as_ref().is_none_or(|name| part.values().into_iter().all(|value| fits(name, value)))
    };
    if !fits(&keys.hash, &hash) || !range.as_ref().is_none_or(range_fits) {
        return Err(fault::invalid("Condition parameter type does not match schema type"));
    }
    let range_values = range.as_ref().map(RangeCondition::values).unwrap_or_default();
    let of_range = range_values.into_iter().filter_map(|value| Some((keys.range.as_ref()?, value)));
    for (name, value) in std::iter::once((&keys.hash, &hash)).chain(of_range) {
        check_filled(name, value)?;
    }
    Ok(KeyCondition { hash, range })
}

/// Errors: `ValidationException` for an empty value of a key.
fn check_filled(name: &str, value: &Value) -> Result<(), ApiError> {
    let kind = match value {
        Value::S(text) if text.is_empty() => "string",
        Value::B(bytes) if bytes.is_empty() => "binary",
        _ => return Ok(()),
    };
    Err(fault::validation(format!(
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty \
         {kind} value. Key: {name}"
    )))
}

fn missed(key: &str) -> ApiError {
    fault::validation(format!("Query condition missed key schema element: {key}"))
}

fn wrong(what: &str) -> ApiError {
    fault::validation(format!("Invalid {}: {what}", Parameter::KeyCondition.name()))
}

fn flatten<'a>(condition: &'a Condition, parts: &mut Vec<&'a Condition>) -> Result<(), ApiError> {
    let operator = match condition {
        Condition::And(left, right) => {
            flatten(left, parts)?;
            return flatten(right, parts);
        }
        Condition::Compare(Comparator::Ne, ..) => "<>",
        Condition::Or(..) => "OR",
        Condition::Not(_) => "NOT",
        Condition::In(..) => "IN",
        Condition::Exists(_) => "attribute_exists",
        Condition::NotExists(_) => "attribute_not_exists",
        Condition::IsType(..) => "attribute_type",
        Condition::Contains(..) => "contains",
        Condition::Compare(..) | Condition::Between(..) | Condition::BeginsWith(..) => {
            parts.push(condition);
            return Ok(());
        }
    };
    Err(wrong(&format!("Invalid operator used in KeyConditionExpression: {operator}")))
}

fn simple(part: &Condition) -> Result<(&Path, RangeCondition), ApiError> {
    Ok(match part {
        Condition::Compare(comparator, Operand::Path(path), Operand::Value(value)) => {
            (path, RangeCondition::Compare(*comparator, value.clone()))
        }
        Condition::Compare(comparator, Operand::Value(value), Operand::Path(path)) => {
            let mirrored = match comparator {
                Comparator::Lt => Comparator::Gt,
                Comparator::Le => Comparator::Ge,
                Comparator::Gt => Comparator::Lt,
                Comparator::Ge => Comparator::Le,
                same => *same,
            };
            (path, RangeCondition::Compare(mirrored, value.clone()))
        }
        Condition::Between(Operand::Path(path), Operand::Value(low), Operand::Value(high)) => {
            (path, RangeCondition::Between(low.clone(), high.clone()))
        }
        Condition::BeginsWith(Operand::Path(path), Operand::Value(prefix)) => {
            (path, RangeCondition::BeginsWith(prefix.clone()))
        }
        _ => {
            return Err(fault::validation(
                "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
            ));
        }
    })
}
