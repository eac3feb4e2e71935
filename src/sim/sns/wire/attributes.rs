//! Message attributes on the wire: what a publisher may send ("Amazon SNS message attributes").

use crate::sim::error::ApiError;
use crate::sim::sns::error;
use crate::sim::sns::wire::input::{Input, missing_at};
use crate::sim::sqs::{AttributeValue, Content};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Bytes of an attribute's name, at most.
const NAME_MAX: usize = 256;

/// Reads `MessageAttributes`. Errors: ParameterValueInvalid with AWS's text for each rule, ValidationError without a
/// data type.
pub fn read(members: &Map<String, Value>, path: &str) -> Result<BTreeMap<String, AttributeValue>, ApiError> {
    members.iter().map(|(name, value)| Ok((name.clone(), read_one(name, value, path)?))).collect()
}

fn read_one(name: &str, value: &Value, path: &str) -> Result<AttributeValue, ApiError> {
    check_name(name)?;
    let no_type = || missing_at(&format!("{path}messageAttributes.{name}.member.dataType"));
    // An attribute without any member reads as an empty text.
    let value = if value.is_object() { Input::of(value)? } else { return Err(no_type()) };
    let data_type = value.text("DataType")?.ok_or_else(no_type)?;
    let logical = data_type.split('.').next().unwrap_or(data_type);
    let is_known = matches!(logical, "String" | "Number" | "Binary") && !data_type.ends_with('.');
    if !is_known {
        return Err(error::parameter_value_invalid(format!(
            "The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes is \
             Binary, Number, and String."
        )));
    }
    let (text, binary) = (value.text("StringValue")?, value.text("BinaryValue")?);
    let empty = || {
        error::parameter_value_invalid(format!(
            "The message attribute '{name}' must contain non-empty message attribute value for message attribute type \
             '{data_type}'."
        ))
    };
    let wrong_field = |field: &str| {
        let message = format!("The message attribute '{name}' with type '{data_type}' must use field '{field}'.");
        error::parameter_value_invalid(message)
    };
    let value = match (logical, text, binary) {
        (_, None, None) => return Err(empty()),
        ("Binary", _, Some(binary)) => {
            let bytes = STANDARD.decode(binary).ok().filter(|bytes| !bytes.is_empty()).ok_or_else(empty)?;
            Content::Binary(Bytes::from(bytes))
        }
        ("Binary", ..) => return Err(wrong_field("Binary")),
        (_, Some(""), _) => return Err(empty()),
        ("Number", Some(text), _) if text.trim().parse::<f64>().is_err() => {
            return Err(error::parameter_value_invalid(format!(
                "Could not cast message attribute '{name}' value to number."
            )));
        }
        (_, Some(text), _) => Content::Text(text.to_owned()),
        _ => return Err(wrong_field("String")),
    };
    Ok(AttributeValue { data_type: data_type.to_owned(), value })
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let refuse = |message: String| Err(error::parameter_value_invalid(message));
    if name.len() > NAME_MAX {
        return refuse("Length of message attribute name must be less than 256 bytes.".to_owned());
    }
    if name.starts_with('.') {
        return refuse("Invalid message attribute name starting with character '.' was found.".to_owned());
    }
    if name.ends_with('.') {
        return refuse("Invalid message attribute name ending with character '.' was found.".to_owned());
    }
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if let Some(odd) = name.chars().find(|c| !legal(*c)) {
        return refuse(format!(
            "Invalid non-alphanumeric character '#x{:X}' was found in the message attribute name. Can only include \
             alphanumeric characters, hyphens, underscores, or dots.",
            u32::from(odd)
        ));
    }
    if name.contains("..") {
        return refuse("Message attribute name can not have successive '.' character.".to_owned());
    }
    Ok(())
}
