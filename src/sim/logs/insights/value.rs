//! The values that a query reckons with.

use crate::domain::time::Timestamp;
use serde_json::Value as Json;
use std::cmp::Ordering;

/// A value within a query; `None` is an absent one.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Number(f64),
    /// Milliseconds since the Unix epoch, shown as a time.
    Time(i64),
    /// A map or a list that `jsonParse` made.
    Json(Json),
}

impl Value {
    pub fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            // No result is a negative zero.
            Self::Number(number) => (number + 0.0).to_string(),
            Self::Json(json) => json.to_string(),
            Self::Time(ms) => {
                let text = Timestamp::from_millis(*ms).rfc3339();
                let (date, time) = text.split_once('T').unwrap_or((&text, "00:00:00"));
                let time = time.trim_end_matches('Z').split('.').next().unwrap_or_default().to_owned();
                format!("{date} {time}.{:03}", ms.rem_euclid(1000))
            }
        }
    }

    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Text(text) => text.trim().parse().ok(),
            Self::Number(number) => Some(*number),
            Self::Time(ms) => Some(*ms as f64),
            Self::Json(_) => None,
        }
    }

    pub fn is_true(&self) -> bool {
        match self {
            Self::Text(text) => text == "true",
            Self::Number(number) => *number != 0.0,
            Self::Time(_) | Self::Json(_) => true,
        }
    }
}

/// What holds is 1, what does not is 0.
pub(super) fn flag(truth: bool) -> Option<Value> {
    Some(Value::Number(if truth { 1.0 } else { 0.0 }))
}

pub(super) fn text_of(value: Option<Value>) -> String {
    value.map_or_else(String::new, |value| value.shown())
}

/// Numbers by their size, others as texts; what is absent is least.
pub(super) fn compare(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => match (a.number(), b.number()) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => a.shown().cmp(&b.shown()),
        },
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// The value that a member of a JSON text is; `null` is none.
pub(super) fn of_json(json: &Json) -> Option<Value> {
    match json {
        Json::Null => None,
        Json::String(text) => Some(Value::Text(text.clone())),
        Json::Number(number) => Some(Value::Number(number.as_f64().unwrap_or_default())),
        Json::Bool(truth) => Some(Value::Text(truth.to_string())),
        Json::Object(_) | Json::Array(_) => Some(Value::Json(json.clone())),
    }
}
