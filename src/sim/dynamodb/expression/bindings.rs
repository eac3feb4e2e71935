//! ExpressionAttributeNames and ExpressionAttributeValues: what stands for `#name` and `:value`, and what was used.

use crate::sim::dynamodb::fault;
use crate::sim::dynamodb::value::Value;
use crate::sim::error::ApiError;
use std::collections::{BTreeMap, BTreeSet};

/// The substitutes of one request.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    names: BTreeMap<String, String>,
    values: BTreeMap<String, Value>,
    used: BTreeSet<String>,
}

impl Bindings {
    /// Errors: `ValidationException` for keys that do not begin as they must.
    pub fn new(names: BTreeMap<String, String>, values: BTreeMap<String, Value>) -> Result<Self, ApiError> {
        check_keys("ExpressionAttributeNames", '#', names.keys())?;
        check_keys("ExpressionAttributeValues", ':', values.keys())?;
        Ok(Self { names, values, used: BTreeSet::new() })
    }

    pub(super) fn name(&mut self, token: &str) -> Option<String> {
        self.used.insert(token.to_owned());
        self.names.get(token).cloned()
    }

    pub(super) fn value(&mut self, token: &str) -> Option<Value> {
        self.used.insert(token.to_owned());
        self.values.get(token).cloned()
    }

    /// Errors: `ValidationException` when a substitute stands in no expression.
    pub fn check_all_used(&self) -> Result<(), ApiError> {
        let unused = |all: Vec<&String>| -> Vec<String> {
            all.into_iter().filter(|key| !self.used.contains(*key)).cloned().collect()
        };
        for (parameter, keys) in [
            ("ExpressionAttributeNames", unused(self.names.keys().collect())),
            ("ExpressionAttributeValues", unused(self.values.keys().collect())),
        ] {
            if !keys.is_empty() {
                let keys = keys.join(", ");
                return Err(fault::validation(format!(
                    "Value provided in {parameter} unused in expressions: keys: {{{keys}}}"
                )));
            }
        }
        Ok(())
    }
}

fn check_keys<'a>(parameter: &str, sign: char, mut keys: impl Iterator<Item = &'a String>) -> Result<(), ApiError> {
    let fits = |key: &String| {
        key.strip_prefix(sign)
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
    };
    match keys.find(|key| !fits(key)) {
        Some(key) => Err(fault::validation(format!("{parameter} contains invalid key: Syntax error; key: \"{key}\""))),
        None => Ok(()),
    }
}
