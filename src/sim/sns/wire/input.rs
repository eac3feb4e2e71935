//! Reading the members of a request.

use crate::sim::error::ApiError;
use crate::sim::sns::error;
use crate::sim::wire::serialization_error;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The members of one structure.
#[derive(Clone, Copy)]
pub struct Input<'a>(&'a Map<String, Value>);

impl<'a> Input<'a> {
    pub fn of(value: &'a Value) -> Result<Self, ApiError> {
        value.as_object().map(Self).ok_or_else(|| serialization_error("A structure was expected."))
    }

    fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub fn text(self, name: &str) -> Result<Option<&'a str>, ApiError> {
        self.get(name).map(|value| as_text(name, value)).transpose()
    }

    /// A text that must be there; it may be empty.
    pub fn required(self, name: &str) -> Result<&'a str, ApiError> {
        self.text(name)?.ok_or_else(|| missing(name))
    }

    pub fn flag(self, name: &str) -> Result<bool, ApiError> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::String(text)) if text.is_empty() => Ok(false),
            Some(_) => Err(serialization_error(format!("{name} is no boolean"))),
        }
    }

    pub fn list(self, name: &str) -> Result<&'a [Value], ApiError> {
        match self.get(name) {
            None => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(serialization_error(format!("{name} is no list"))),
        }
    }

    pub fn texts(self, name: &str) -> Result<Vec<&'a str>, ApiError> {
        self.list(name)?.iter().map(|item| as_text(name, item)).collect()
    }

    pub fn map(self, name: &str) -> Result<Option<&'a Map<String, Value>>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(members)),
            Some(_) => Err(serialization_error(format!("{name} is no map"))),
        }
    }

    /// A map of texts; empty when it is not there.
    pub fn text_map(self, name: &str) -> Result<BTreeMap<String, String>, ApiError> {
        let members = self.map(name)?.into_iter().flatten();
        members.map(|(key, value)| Ok((key.clone(), as_text(key, value)?.to_owned()))).collect()
    }
}

fn as_text<'a>(name: &str, value: &'a Value) -> Result<&'a str, ApiError> {
    value.as_str().ok_or_else(|| serialization_error(format!("{name} is no string")))
}

/// What the framework says to a missing member; it writes names with a small first letter.
pub fn missing(name: &str) -> ApiError {
    let mut letters = name.chars();
    let first = letters.next().map(|c| c.to_ascii_lowercase()).into_iter();
    missing_at(&first.chain(letters).collect::<String>())
}

pub fn missing_at(path: &str) -> ApiError {
    error::validation_error(format!(
        "1 validation error detected: Value null at '{path}' failed to satisfy constraint: Member must not be null"
    ))
}
