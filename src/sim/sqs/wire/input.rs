//! Reading the members of a request: strict about JSON types, as AWS's own reader is (SerializationException).

use crate::sim::error::ApiError;
use crate::sim::sqs::error;
use crate::sim::wire::input::member;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The members of one JSON object.
#[derive(Clone, Copy)]
pub struct Input<'a>(&'a Map<String, Value>);

impl<'a> Input<'a> {
    pub fn of(value: &'a Value) -> Result<Self, ApiError> {
        match value {
            Value::Object(members) => Ok(Self(members)),
            other => Err(unexpected(other, "a structure")),
        }
    }

    /// The member, if it is there and not null.
    fn get(self, name: &str) -> Option<&'a Value> {
        member(self.0, name)
    }

    pub fn text(self, name: &str) -> Result<Option<&'a str>, ApiError> {
        self.get(name).map(as_text).transpose()
    }

    /// A text that must be there and not be empty: MissingParameter otherwise.
    pub fn required_text(self, name: &str) -> Result<&'a str, ApiError> {
        self.text(name)?.filter(|text| !text.is_empty()).ok_or_else(|| error::missing_parameter(name))
    }

    pub fn integer(self, name: &str) -> Result<Option<i64>, ApiError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value {
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(integer), _) => Ok(Some(integer)),
                (None, Some(float)) => Ok(Some(float as i64)),
                (None, None) => Err(unexpected(value, "an Integer")),
            },
            other => Err(unexpected(other, "an Integer")),
        }
    }

    pub fn list(self, name: &str) -> Result<Option<&'a [Value]>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(Value::Object(_)) => {
                Err(serialization("Start of structure or map found where not expected.".to_owned()))
            }
            Some(_) => Err(serialization(format!("Unexpected field type in member {name}"))),
        }
    }

    /// A list of texts; empty when it is not there.
    pub fn texts(self, name: &str) -> Result<Vec<&'a str>, ApiError> {
        self.list(name)?.unwrap_or_default().iter().map(as_text).collect()
    }

    pub fn map(self, name: &str) -> Result<Option<&'a Map<String, Value>>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(members)),
            Some(Value::Array(_)) => Err(serialization("Start of list found where not expected".to_owned())),
            Some(_) => Err(serialization(format!("Unexpected field type in member {name}"))),
        }
    }

    /// A map of texts; empty when it is not there.
    pub fn text_map(self, name: &str) -> Result<BTreeMap<String, String>, ApiError> {
        let Some(members) = self.map(name)? else { return Ok(BTreeMap::new()) };
        let entries = members.iter().filter(|(_, value)| !value.is_null());
        entries.map(|(key, value)| Ok((key.clone(), as_text(value)?.to_owned()))).collect()
    }
}

fn as_text(value: &Value) -> Result<&str, ApiError> {
    value.as_str().ok_or_else(|| unexpected(value, "a String"))
}

fn unexpected(value: &Value, wanted: &str) -> ApiError {
    serialization(match value {
        Value::Object(_) => "Start of structure or map found where not expected.".to_owned(),
        Value::Array(_) => "Start of list found where not expected".to_owned(),
        Value::Bool(true) => format!("TRUE_VALUE can not be converted to {wanted}"),
        Value::Bool(false) => format!("FALSE_VALUE can not be converted to {wanted}"),
        Value::Number(_) => format!("NUMBER_VALUE can not be converted to {wanted}"),
        Value::String(_) => format!("STRING_VALUE can not be converted to {wanted}"),
        Value::Null => format!("NULL_VALUE can not be converted to {wanted}"),
    })
}

fn serialization(message: String) -> ApiError {
    ApiError::client("SerializationException", message)
}
