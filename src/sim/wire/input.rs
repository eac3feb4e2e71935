//! Reading the members of a JSON request: their types first, then the model's constraints, with AWS's words.

use crate::sim::error::ApiError;
use crate::sim::wire::serialization_error;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The members of one JSON object.
#[derive(Clone, Copy)]
pub struct Input<'a>(pub &'a Map<String, Value>);

impl<'a> Input<'a> {
    pub fn of(value: &'a Value) -> Result<Self, ApiError> {
        match value {
            Value::Object(members) => Ok(Self(members)),
            Value::Array(_) => Err(serialization_error("Start of list found where not expected")),
            _ => Err(serialization_error("Unexpected value type in payload")),
        }
    }

    /// The member, if it is there and not null.
    pub fn get(self, name: &str) -> Option<&'a Value> {
        member(self.0, name)
    }

    pub fn has(self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub fn text(self, name: &str) -> Result<Option<&'a str>, ApiError> {
        self.get(name).map(as_text).transpose()
    }

    pub fn boolean(self, name: &str) -> Result<Option<bool>, ApiError> {
        self.get(name)
            .map(|value| match value {
                Value::Bool(truth) => Ok(*truth),
                Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
                Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
                other => Err(unexpected(other, "Boolean")),
            })
            .transpose()
    }

    pub fn integer(self, name: &str) -> Result<Option<i64>, ApiError> {
        self.get(name)
            .map(|value| match value {
                Value::Number(number) => {
                    Ok(number.as_i64().unwrap_or_else(|| number.as_f64().unwrap_or_default() as i64))
                }
                other => Err(unexpected(other, "Integer")),
            })
            .transpose()
    }

    pub fn list(self, name: &str) -> Result<Option<&'a [Value]>, ApiError> {
        self.get(name)
            .map(|value| match value {
                Value::Array(items) => Ok(items.as_slice()),
                Value::Object(_) => Err(serialization_error("Start of structure or map found where not expected.")),
                _ => Err(serialization_error("Unexpected field type")),
            })
            .transpose()
    }

    /// Each member of a list as an object.
    pub fn structures(self, name: &str) -> Result<Option<Vec<Input<'a>>>, ApiError> {
        self.list(name)?.map(|items| items.iter().map(Input::of).collect()).transpose()
    }

    pub fn texts(self, name: &str) -> Result<Option<Vec<&'a str>>, ApiError> {
        self.list(name)?.map(|items| items.iter().map(as_text).collect()).transpose()
    }

    pub fn structure(self, name: &str) -> Result<Option<Input<'a>>, ApiError> {
        self.get(name).map(Input::of).transpose()
    }

    pub fn text_map(self, name: &str) -> Result<Option<BTreeMap<String, String>>, ApiError> {
        let Some(members) = self.structure(name)? else { return Ok(None) };
        members
            .0
            .iter()
            .map(|(key, value)| Ok((key.clone(), as_text(value)?.to_owned())))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// `Tags`, or another list of `Key` and `Value`.
    pub fn tags(self, name: &str) -> Result<BTreeMap<String, String>, ApiError> {
        let tags = self.structures(name)?.unwrap_or_default();
        let pair = |tag: Input<'_>| {
            Ok((tag.text("Key")?.unwrap_or_default().to_owned(), tag.text("Value")?.unwrap_or_default().to_owned()))
        };
        tags.into_iter().map(pair).collect()
    }
}

/// Of maps that are no longer than this, each member's name is compared, which costs less than to hash the one that is
/// looked for.
const COMPARED_MAX: usize = 8;

/// The member of an object, if it is there and not null.
pub fn member<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let found = if members.len() <= COMPARED_MAX {
        members.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    } else {
        members.get(name)
    };
    found.filter(|value| !value.is_null())
}

fn as_text(value: &Value) -> Result<&str, ApiError> {
    value.as_str().ok_or_else(|| unexpected(value, "String"))
}

fn unexpected(value: &Value, wanted: &str) -> ApiError {
    serialization_error(match value {
        Value::Object(_) => "Start of structure or map found where not expected.".to_owned(),
        Value::Array(_) => "Start of list found where not expected".to_owned(),
        Value::Bool(true) => format!("TRUE_VALUE cannot be converted to {wanted}"),
        Value::Bool(false) => format!("FALSE_VALUE cannot be converted to {wanted}"),
        Value::Number(number) if number.is_f64() => format!("DECIMAL_VALUE cannot be converted to {wanted}"),
        Value::Number(_) => format!("NUMBER_VALUE cannot be converted to {wanted}"),
        Value::String(_) => format!("STRING_VALUE cannot be converted to {wanted}"),
        Value::Null => format!("NULL_VALUE cannot be converted to {wanted}"),
    })
}

/// Constraints of the model that a request does not meet; AWS reports up to ten at once.
#[derive(Default)]
pub struct Violations(Vec<String>);

impl Violations {
    pub fn add(&mut self, shown: &str, member: &str, constraint: &str) {
        let mut letters = member.chars();
        let path: String = letters.next().into_iter().flat_map(char::to_lowercase).chain(letters).collect();
        self.0.push(format!("Value {shown} at '{path}' failed to satisfy constraint: {constraint}"));
    }

    /// As [`Violations::add`], for what is not shown.
    pub fn add_unseen(&mut self, path: &str, constraint: &str) {
        self.0.push(format!("Value at '{path}' failed to satisfy constraint: {constraint}"));
    }

    pub fn required(&mut self, input: Input<'_>, member: &str) {
        if !input.has(member) {
            self.add("null", member, "Member must not be null");
        }
    }

    pub fn one_of(&mut self, input: Input<'_>, member: &str, words: &[&str]) {
        if let Some(Value::String(text)) = input.get(member)
            && !words.contains(&text.as_str())
        {
            let constraint = format!("Member must satisfy enum value set: [{}]", words.join(", "));
            self.add(&format!("'{text}'"), member, &constraint);
        }
    }

    pub fn at_least(&mut self, input: Input<'_>, member: &str, least: i64) {
        if let Some(value) = input.get(member).and_then(Value::as_i64).filter(|value| *value < least) {
            let constraint = format!("Member must have value greater than or equal to {least}");
            self.add(&format!("'{value}'"), member, &constraint);
        }
    }

    pub fn at_most(&mut self, input: Input<'_>, member: &str, most: i64) {
        if let Some(value) = input.get(member).and_then(Value::as_i64).filter(|value| *value > most) {
            let constraint = format!("Member must have value less than or equal to {most}");
            self.add(&format!("'{value}'"), member, &constraint);
        }
    }

    /// Errors: `ValidationException` naming all of them.
    pub fn finish(mut self) -> Result<(), ApiError> {
        self.0.truncate(10);
        match self.0.len() {
            0 => Ok(()),
            1 => Err(ApiError::client("ValidationException", format!("1 validation error detected: {}", self.0[0]))),
            count => Err(ApiError::client(
                "ValidationException",
                format!("{count} validation errors detected: {}", self.0.join("; ")),
            )),
        }
    }
}
