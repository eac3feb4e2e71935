//! Reading an operation's input: members by name and type, with the service's words for what is wrong with them.

use crate::sim::error::ApiError;
use crate::sim::wire::{pattern, serialization_error};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The patterns of the service's model.
pub const GROUP_PATTERN: &str = "[\\.\\-_/#A-Za-z0-9]+";
pub const STREAM_PATTERN: &str = "[^:*]*";

/// The members of a request.
#[derive(Clone, Copy)]
pub struct Input<'a>(&'a Map<String, Value>);

/// `InvalidParameterException`
pub fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidParameterException", message)
}

/// A member that does not fit its shape, in the words of AWS's request checks.
pub fn constraint(value: Option<&str>, member: &str, constraint: &str) -> ApiError {
    let value = value.map_or("null".to_owned(), |value| format!("'{value}'"));
    invalid(format!(
        "1 validation error detected: Value {value} at '{member}' failed to satisfy constraint: {constraint}"
    ))
}

impl<'a> Input<'a> {
    pub fn of(value: &'a Value) -> Result<Self, ApiError> {
        value.as_object().map(Self).ok_or_else(|| serialization_error("Expected null"))
    }

    fn get(self, member: &str) -> Option<&'a Value> {
        self.0.get(member).filter(|value| !value.is_null())
    }

    fn typed<T>(
        self,
        member: &str,
        wanted: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        let refusal = |value: &Value| {
            let class = match value {
                Value::String(_) => "java.lang.String",
                Value::Bool(_) => "java.lang.Boolean",
                Value::Number(_) => "com.amazon.coral.value.json.numbers.TruncatingBigNumber",
                Value::Array(_) => return serialization_error("Start of list found where not expected"),
                _ => return serialization_error("Start of structure or map found where not expected."),
            };
            serialization_error(format!("class {class} can not be converted to {wanted}"))
        };
        self.get(member).map(|value| read(value).ok_or_else(|| refusal(value))).transpose()
    }

    pub fn text(self, member: &str) -> Result<Option<&'a str>, ApiError> {
        self.typed(member, "an String", Value::as_str)
    }

    pub fn flag(self, member: &str) -> Result<Option<bool>, ApiError> {
        self.typed(member, "an Boolean", Value::as_bool)
    }

    pub fn integer(self, member: &str) -> Result<Option<i64>, ApiError> {
        self.typed(member, "a Long", |value| value.as_i64().or_else(|| value.as_f64().map(|x| x as i64)))
    }

    pub fn number(self, member: &str) -> Result<Option<f64>, ApiError> {
        self.typed(member, "a Double", Value::as_f64)
    }

    pub fn required_text(self, member: &str) -> Result<&'a str, ApiError> {
        self.text(member)?.ok_or_else(|| constraint(None, member, "Member must not be null"))
    }

    /// An integer between two bounds.
    pub fn bounded(self, member: &str, least: i64, most: i64) -> Result<Option<i64>, ApiError> {
        let Some(n) = self.integer(member)? else { return Ok(None) };
        let out = if n < least {
            format!("Member must have value greater than or equal to {least}")
        } else if n > most {
            format!("Member must have value less than or equal to {most}")
        } else {
            return Ok(Some(n));
        };
        Err(constraint(Some(&n.to_string()), member, &out))
    }

    /// Milliseconds since the Unix epoch.
    pub fn time(self, member: &str) -> Result<Option<i64>, ApiError> {
        self.bounded(member, 0, i64::MAX)
    }

    pub fn list(self, member: &str) -> Result<Option<&'a Vec<Value>>, ApiError> {
        self.typed(member, "list", Value::as_array)
    }

    pub fn texts(self, member: &str) -> Result<Option<Vec<&'a str>>, ApiError> {
        self.typed(member, "list", |value| value.as_array()?.iter().map(Value::as_str).collect())
    }

    pub fn text_map(self, member: &str) -> Result<Option<BTreeMap<String, String>>, ApiError> {
        self.typed(member, "map", |value| {
            let entry = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
            value.as_object()?.iter().map(entry).collect()
        })
    }

    /// `nextToken`, which is never empty.
    pub fn token(self) -> Result<Option<&'a str>, ApiError> {
        let token = self.text("nextToken")?;
        token.map_or(Ok(()), |token| check_length(token, "nextToken", 1, usize::MAX))?;
        Ok(token)
    }

    /// A text that fits the model's pattern as a whole and has so many characters.
    pub fn fitting(
        self,
        member: &str,
        pattern: &str,
        (least, most): (usize, usize),
    ) -> Result<Option<&'a str>, ApiError> {
        let Some(text) = self.text(member)? else { return Ok(None) };
        check_length(text, member, least, most)?;
        if !pattern::fits(pattern, text) {
            let words = format!("Member must satisfy regular expression pattern: {pattern}");
            return Err(constraint(Some(text), member, &words));
        }
        Ok(Some(text))
    }

    /// One of a closed set of texts.
    pub fn one_of(self, member: &str, choices: &[&'static str]) -> Result<Option<&'static str>, ApiError> {
        let Some(text) = self.text(member)? else { return Ok(None) };
        let found = choices.iter().copied().find(|choice| *choice == text);
        let set = || format!("Member must satisfy enum value set: [{}]", choices.join(", "));
        found.map(Some).ok_or_else(|| constraint(Some(text), member, &set()))
    }

    /// A group's or a stream's name: its length, then its characters.
    pub fn name(self, member: &str, pattern: &str) -> Result<Option<&'a str>, ApiError> {
        let Some(name) = self.text(member)? else { return Ok(None) };
        check_name(name, member, pattern)?;
        Ok(Some(name))
    }

    pub fn required_name(self, member: &str, pattern: &str) -> Result<&'a str, ApiError> {
        self.name(member, pattern)?.ok_or_else(|| constraint(None, member, "Member must not be null"))
    }
}

pub fn check_name(name: &str, member: &str, pattern: &str) -> Result<(), ApiError> {
    if name.is_empty() {
        return Err(constraint(Some(name), member, "Member must have length greater than or equal to 1"));
    }
    if name.chars().count() > 512 {
        return Err(constraint(Some(name), member, "Member must have length less than or equal to 512"));
    }
    let is_legal = |c: char| match pattern {
        STREAM_PATTERN => !matches!(c, ':' | '*'),
        _ => c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | '#'),
    };
    if !name.chars().all(is_legal) {
        let words = format!("Member must satisfy regular expression pattern: {pattern}");
        return Err(constraint(Some(name), member, &words));
    }
    Ok(())
}

/// A text's length, in characters.
pub fn check_length(text: &str, member: &str, least: usize, most: usize) -> Result<(), ApiError> {
    let words = match text.chars().count() {
        count if count < least => format!("greater than or equal to {least}"),
        count if count > most => format!("less than or equal to {most}"),
        _ => return Ok(()),
    };
    Err(constraint(Some(text), member, &format!("Member must have length {words}")))
}

/// A list's length.
pub fn check_size(size: usize, member: &str, least: usize, most: usize) -> Result<(), ApiError> {
    if size > most {
        return Err(too_many(member, most));
    }
    if size < least {
        let words = format!("Member must have length greater than or equal to {least}");
        let message = format!("1 validation error detected: Value at '{member}' failed to satisfy constraint: {words}");
        return Err(invalid(message));
    }
    Ok(())
}

/// A list's refusal when it has too many members.
pub fn too_many(member: &str, most: usize) -> ApiError {
    let words = format!("Member must have length less than or equal to {most}");
    invalid(format!("1 validation error detected: Value at '{member}' failed to satisfy constraint: {words}"))
}
