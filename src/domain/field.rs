//! A field: one named property of a kind of resource. Sorting, filtering, tables, charts and JSON are written once
//! over fields.

use crate::domain::value::{NoData, Unit, Value};
use std::collections::BTreeMap;

/// Declared as a `const` by a kind.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// The name in JSON and filters; ends with the unit: `oldest_age_s`.
    pub id: &'static str,
    /// The column's head.
    pub title: &'static str,
    pub unit: Unit,
    /// One sentence for help and docs, with the source (operation or metric).
    pub doc: &'static str,
}

/// A resource's values by field id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields(BTreeMap<&'static str, Value>);

impl Fields {
    pub fn set(&mut self, field: &Field, value: Value) {
        self.0.insert(field.id, value);
    }

    pub fn get(&self, field: &Field) -> Option<&Value> {
        self.0.get(field.id)
    }

    pub fn by_id(&self, id: &str) -> Option<&Value> {
        self.0.get(id)
    }

    /// The number, when there is one.
    pub fn number(&self, field: &Field) -> Option<f64> {
        self.get(field).and_then(Value::as_number)
    }

    pub fn text(&self, field: &Field) -> Option<&str> {
        self.get(field).and_then(Value::as_text)
    }

    /// Why there is no datum, when there is none.
    pub fn why_missing(&self, field: &Field) -> Option<NoData> {
        match self.get(field) {
            None => Some(NoData::NotYet),
            Some(Value { datum: crate::domain::value::Datum::Missing(why), .. }) => Some(*why),
            Some(_) => None,
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|(id, value)| (*id, value))
    }

    /// Takes over every value of `newer`.
    pub fn merge(&mut self, newer: Fields) {
        self.0.extend(newer.0);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
