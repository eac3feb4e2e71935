//! Message attributes on the wire: what a sender may send, and which of them a receiver asked for.

use crate::sim::error::ApiError;
use crate::sim::sqs::error;
use crate::sim::sqs::message::{AttributeValue, Content};
use crate::sim::sqs::wire::input::Input;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Attributes of one message, at most.
const ATTRIBUTES_MAX: usize = 10;
/// Characters of an attribute's name, at most.
const NAME_MAX: usize = 256;

/// Reads `MessageAttributes`. Errors: InvalidParameterValue with AWS's text for each rule.
pub fn read(members: &Map<String, Value>) -> Result<BTreeMap<String, AttributeValue>, ApiError> {
    if members.len() > ATTRIBUTES_MAX {
        let message =
            format!("Number of message attributes [{}] exceeds the allowed maximum [{ATTRIBUTES_MAX}].", members.len());
        return Err(error::invalid_parameter(message));
    }
    members.iter().map(|(name, value)| Ok((name.clone(), read_one(name, value)?))).collect()
}

fn read_one(name: &str, value: &Value) -> Result<AttributeValue, ApiError> {
    check_name(name)?;
    let value = Input::of(value)?;
    let data_type = value.text("DataType")?.unwrap_or("");
    if data_type.is_empty() {
        let message =
            format!("The message (user) attribute '{name}' must contain a non-empty message attribute value.");
        return Err(error::invalid_parameter(message));
    }
    if data_type.len() > NAME_MAX {
        return Err(error::invalid_parameter("Message (user) attribute type must be shorter than 256 bytes."));
    }
    if value.list("StringListValues")?.is_some_and(|list| !list.is_empty())
        || value.list("BinaryListValues")?.is_some_and(|list| !list.is_empty())
    {
        return Err(error::unsupported_operation(
            "Message attribute list values in SendMessage operation are not supported.",
        ));
    }
    let logical = data_type.split('.').next().unwrap_or(data_type);
    let empty = || {
        error::invalid_parameter(format!(
            "Message (user) attribute '{name}' must contain a non-empty value of type '{data_type}'."
        ))
    };
    let content = match logical {
        "String" | "Number" => {
            let text = value.text("StringValue")?.filter(|text| !text.is_empty()).ok_or_else(empty)?;
            if logical == "Number" && text.trim().parse::<f64>().is_err() {
                let message = format!("Can't cast the value of message (user) attribute '{name}' to a number.");
                return Err(error::invalid_parameter(message));
            }
            if !is_legal_text(text) {
                return Err(error::invalid_attribute_contents(name));
            }
            Content::Text(text.to_owned())
        }
        "Binary" => {
            let text = value.text("BinaryValue")?.filter(|text| !text.is_empty()).ok_or_else(empty)?;
            let bytes = STANDARD
                .decode(text)
                .map_err(|_| ApiError::client("SerializationException", "Invalid base64 in BinaryValue"))?;
            Content::Binary(Bytes::from(bytes))
        }
        _ => {
            return Err(error::invalid_parameter(format!(
                "The type of message (user) attribute '{name}' is invalid. You must use only the following supported \
                 type prefixes: Binary, Number, String."
            )));
        }
    };
    Ok(AttributeValue { data_type: data_type.to_owned(), value: content })
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let refuse = |message: &str| Err(error::invalid_parameter(message));
    let lower = name.to_ascii_lowercase();
    if name.is_empty() {
        return refuse("The request must contain non-empty message (user) attribute names.");
    }
    if name.len() > NAME_MAX {
        return refuse("Message (user) attribute name must be shorter than 256 bytes.");
    }
    if lower.starts_with("aws.") || lower.starts_with("amazon.") {
        return refuse(
            "You can't use message attribute names beginning with 'AWS.' or 'Amazon'. These strings are reserved for \
             internal use.",
        );
    }
    // AWS takes Latin letters with accents, too, which its text does not say.
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '\u{c0}'..='\u{17f}');
    if !name.chars().all(legal) || name.starts_with('.') || name.ends_with('.') || name.contains("..") {
        return refuse(
            "Message (user) attribute name is invalid. It can contain only A-Z, a-z, 0-9, underscores (_), \
             hyphens (-), and periods (.), and can't start or end with a period or have periods in succession.",
        );
    }
    Ok(())
}

/// Reads `MessageSystemAttributes`: only `AWSTraceHeader`, a String.
pub fn read_trace_header(members: &Map<String, Value>) -> Result<Option<String>, ApiError> {
    let mut header = None;
    for (name, value) in members {
        let value = Input::of(value)?;
        if name != "AWSTraceHeader" {
            return Err(error::invalid_parameter(format!("Message system attribute name '{name}' is invalid.")));
        }
        if value.text("DataType")? != Some("String") {
            let message = "The type of message system attribute 'AWSTraceHeader' is invalid. You must use only the \
                 following supported data type: String.";
            return Err(error::invalid_parameter(message));
        }
        header = value.text("StringValue")?.filter(|text| !text.is_empty()).map(str::to_owned);
        if header.is_none() {
            let message = "Message system attribute 'AWSTraceHeader' must contain a non-empty value of type 'String'.";
            return Err(error::invalid_parameter(message));
        }
    }
    Ok(header)
}

/// Whether a body or a text value holds only what it may (SendMessage).
pub fn is_legal_text(text: &str) -> bool {
    // Nearly all texts have no control character and nothing beyond ASCII, which is seen without taking them apart.
    text.bytes().all(|byte| matches!(byte, b' '..=b'~')) || text.chars().all(is_legal)
}

fn is_legal(c: char) -> bool {
    matches!(c, '\u{9}' | '\u{a}' | '\u{d}' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Whether a receiver asked for the attribute: by its name, by a prefix `bar.*`, or by `All` or `.*`.
pub fn asked_for(name: &str, asked: &[&str]) -> bool {
    asked.iter().any(|pattern| match pattern.strip_suffix(".*") {
        Some(prefix) => name.starts_with(prefix),
        None => *pattern == "All" || *pattern == name || pattern.strip_suffix('*').is_some_and(|p| name.starts_with(p)),
    })
}

/// `MessageAttributes` of a received message.
pub fn write<'a>(attributes: impl Iterator<Item = (&'a String, &'a AttributeValue)>) -> Map<String, Value> {
    attributes
        .map(|(name, attribute)| {
            let value = match &attribute.value {
                Content::Text(text) => json!({ "StringValue": text, "DataType": attribute.data_type }),
                Content::Binary(bytes) => {
                    json!({ "BinaryValue": STANDARD.encode(bytes), "DataType": attribute.data_type })
                }
            };
            (name.clone(), value)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_prefixes_and_all_choose_attributes() {
        let chosen =
            |asked: &[&str]| ["Hello", "Help.Me", "General"].iter().filter(|name| asked_for(name, asked)).count();
        assert_eq!(chosen(&["All"]), 3);
        assert_eq!(chosen(&[".*"]), 3);
        assert_eq!(chosen(&["Hel.*"]), 2);
        assert_eq!(chosen(&["Hello", "Foo"]), 1);
        assert_eq!(chosen(&[]), 0);
    }

    #[test]
    fn an_empty_text_and_an_unknown_type_are_refused_in_awss_words() {
        let read_text = |json: Value| read(json.as_object().unwrap()).unwrap_err().message;
        let empty = read_text(json!({ "ErrorDetails": { "DataType": "String", "StringValue": "" } }));
        assert_eq!(empty, "Message (user) attribute 'ErrorDetails' must contain a non-empty value of type 'String'.");
        let odd = read_text(json!({ "a": { "DataType": "Boolean", "StringValue": "x" } }));
        assert!(odd.starts_with("The type of message (user) attribute 'a' is invalid."));
        let number = read_text(json!({ "n": { "DataType": "Number", "StringValue": "ten" } }));
        assert!(number.starts_with("Can't cast the value"));
        assert!(read(json!({ "n": { "DataType": "Number.int", "StringValue": "10" } }).as_object().unwrap()).is_ok());
    }
}
