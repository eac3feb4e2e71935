//! Attribute values in JSON: `{"S": "text"}` in, checked, and out.

use super::input::Input;
use crate::sim::dynamodb::fault;
use crate::sim::dynamodb::number::Number;
use crate::sim::dynamodb::value::{DEPTH_MAX, Item, Value};
use crate::sim::error::ApiError;
use crate::sim::wire::serialization_error;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeSet;

const KINDS: [&str; 10] = ["S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"];

/// A map of attributes. Errors: `SerializationException`, `ValidationException`.
pub fn item(input: Input<'_>) -> Result<Item, ApiError> {
    input.0.iter().map(|(name, value)| Ok((name.clone(), read(value, 0)?))).collect()
}

/// One attribute's value. Errors: `SerializationException`, `ValidationException`.
pub fn value(json: &Json) -> Result<Value, ApiError> {
    read(json, 0)
}

fn read(json: &Json, depth: usize) -> Result<Value, ApiError> {
    if depth > DEPTH_MAX {
        return Err(fault::validation("Nesting Levels have exceeded supported limits"));
    }
    let input = Input::of(json)?;
    let given: Vec<&str> = KINDS.into_iter().filter(|kind| input.has(kind)).collect();
    let kind = match given[..] {
        [kind] => kind,
        [] => {
            let words = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes";
            return Err(fault::validation(words));
        }
        _ => {
            return Err(fault::validation(
                "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported \
                 datatypes",
            ));
        }
    };
    Ok(match kind {
        "S" => Value::S(input.text(kind)?.unwrap_or_default().to_owned()),
        "N" => Value::N(Number::parse(input.text(kind)?.unwrap_or_default())?),
        "B" => Value::B(blob(input.text(kind)?.unwrap_or_default())?),
        "BOOL" => Value::Bool(input.boolean(kind)?.unwrap_or_default()),
        "NULL" if input.boolean(kind)? == Some(true) => Value::Null,
        "NULL" => return Err(fault::invalid("Null attribute value types must have the value of true")),
        "L" => {
            let values = input.list(kind)?.unwrap_or_default();
            Value::L(values.iter().map(|value| read(value, depth + 1)).collect::<Result<_, _>>()?)
        }
        "M" => {
            let Some(members) = input.structure(kind)? else { return Ok(Value::M(Item::new())) };
            let each = members.0.iter().map(|(name, value)| Ok((name.clone(), read(value, depth + 1)?)));
            Value::M(each.collect::<Result<_, ApiError>>()?)
        }
        _ => set(kind, &input.texts(kind)?.unwrap_or_default())?,
    })
}

fn set(kind: &str, texts: &[&str]) -> Result<Value, ApiError> {
    if texts.is_empty() {
        // The words and the two spaces are AWS's.
        return Err(fault::invalid(match kind {
            "SS" => "An string set  may not be empty",
            "NS" => "An number set  may not be empty",
            _ => "Binary sets should not be empty",
        }));
    }
    let shown = texts.join(", ");
    match kind {
        "SS" => {
            let set: BTreeSet<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            if set.len() < texts.len() {
                return Err(fault::invalid(format!("Input collection [{shown}] contains duplicates.")));
            }
            Ok(Value::Ss(set))
        }
        "NS" => {
            let set = texts.iter().map(|text| Number::parse(text)).collect::<Result<BTreeSet<_>, _>>()?;
            if set.len() < texts.len() {
                return Err(fault::validation("Input collection contains duplicates"));
            }
            Ok(Value::Ns(set))
        }
        _ => {
            let set = texts.iter().map(|text| blob(text)).collect::<Result<BTreeSet<_>, _>>()?;
            if set.len() < texts.len() {
                return Err(fault::invalid(format!("Input collection [{shown}]of type BS contains duplicates.")));
            }
            Ok(Value::Bs(set))
        }
    }
}

fn blob(text: &str) -> Result<Bytes, ApiError> {
    STANDARD.decode(text).map(Bytes::from).map_err(|_| {
        let length = text.len();
        serialization_error(if length.is_multiple_of(4) {
            "Invalid Base64 character".to_owned()
        } else {
            format!("Base64 encoded length is expected a multiple of 4 bytes but found: {length}")
        })
    })
}

/// An item as AWS answers it.
pub fn json_item(item: &Item) -> Json {
    Json::Object(item.iter().map(|(name, value)| (name.clone(), json_value(value))).collect::<Map<_, _>>())
}

pub fn json_value(value: &Value) -> Json {
    let kind = value.kind();
    let inner = match value {
        Value::S(text) => json!(text),
        Value::N(number) => json!(number.to_string()),
        Value::B(bytes) => json!(STANDARD.encode(bytes)),
        Value::Bool(truth) => json!(truth),
        Value::Null => json!(true),
        Value::Ss(set) => json!(set),
        Value::Ns(set) => set.iter().map(|number| json!(number.to_string())).collect(),
        Value::Bs(set) => set.iter().map(|bytes| json!(STANDARD.encode(bytes))).collect(),
        Value::L(values) => values.iter().map(json_value).collect(),
        Value::M(members) => json_item(members),
    };
    json!({ kind: inner })
}
