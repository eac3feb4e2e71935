//! What a request's members must be: types first, then constraints, in the words of AWS's framework.

use crate::sim::error::ApiError;
use crate::sim::swf::error::validation;
use crate::sim::swf::execution::RUN_MAX;
use crate::sim::swf::value::Timeout;
use crate::sim::wire::serialization_error;
use serde_json::{Map, Value};

/// One member of a structure.
pub(super) struct Member {
    pub name: &'static str,
    pub is_required: bool,
    pub shape: Shape,
}

pub(super) enum Shape {
    /// Least and most characters.
    Text(usize, usize),
    /// A text of 1 to so many characters that names a resource; some characters are kept for ARNs.
    Name(usize),
    /// Seconds as a text, or `NONE`; an empty text counts as absent.
    MaybeSeconds,
    /// Seconds as a text.
    Seconds,
    /// How long a run may take: seconds as a text, at most a year; an empty text counts as absent.
    MaybeRunSeconds,
    /// Days as a text, or `NONE`.
    Days,
    /// A 32-bit integer as a text.
    Priority,
    OneOf(&'static [&'static str]),
    /// Least and most.
    Integer(i64, i64),
    Boolean,
    /// Seconds since the Unix epoch.
    Time,
    /// Texts of at most 256 characters; at most so many.
    Texts(usize),
    Structure(&'static [Member]),
    Structures(&'static [Member]),
    /// Structures with one structure of attributes each, named after their `decisionType`.
    Decisions(&'static [Member]),
}

/// A domain is kept at most so long (SWF "Quotas").
const DAYS_MAX: u32 = 90;

/// Errors: `SerializationException` for the first member of a wrong type, `ValidationException` with all violations.
pub(super) fn check(input: &Value, members: &'static [Member]) -> Result<(), ApiError> {
    let empty = Map::new();
    let input = input.as_object().unwrap_or(&empty);
    check_types(input, members)?;
    let mut violations = Vec::new();
    check_members(input, members, "", &mut violations);
    let errors = match violations.len() {
        0 => return Ok(()),
        1 => "error",
        _ => "errors",
    };
    Err(validation(format!("{} validation {errors} detected: {}", violations.len(), violations.join("; "))))
}

fn check_types(input: &Map<String, Value>, members: &[Member]) -> Result<(), ApiError> {
    for member in members {
        if let Some(value) = present(input, member.name) {
            check_type(value, &member.shape)?;
        }
    }
    Ok(())
}

fn check_type(value: &Value, shape: &Shape) -> Result<(), ApiError> {
    let as_structure = |value: &Value, members: &[Member]| match value {
        Value::Object(value) => check_types(value, members),
        other => Err(wrong_type(other, "structure")),
    };
    match (shape, value) {
        (Shape::Integer(..) | Shape::Time, Value::Number(_)) | (Shape::Boolean, Value::Bool(_)) => Ok(()),
        (Shape::Integer(..), _) => Err(wrong_type(value, "an Integer")),
        (Shape::Boolean, _) => Err(wrong_type(value, "an Boolean")),
        (Shape::Time, _) => Err(wrong_type(value, "milliseconds since epoch")),
        (Shape::Structure(members), _) => as_structure(value, members),
        (Shape::Structures(members) | Shape::Decisions(members), Value::Array(values)) => {
            values.iter().try_for_each(|value| as_structure(value, members))
        }
        (Shape::Texts(_), Value::Array(values)) => {
            values.iter().try_for_each(|value| check_type(value, &Shape::Text(0, usize::MAX)))
        }
        (Shape::Texts(_) | Shape::Structures(_) | Shape::Decisions(_), _) => Err(wrong_type(value, "list")),
        (_, Value::String(_)) => Ok(()),
        _ => Err(wrong_type(value, "an String")),
    }
}

fn wrong_type(value: &Value, wanted: &str) -> ApiError {
    let class = match value {
        Value::Array(_) => return serialization_error("Start of list found where not expected"),
        Value::Object(_) => return serialization_error("Start of structure or map found where not expected."),
        _ if wanted == "list" => return serialization_error("Expected list or null"),
        _ if wanted == "structure" => return serialization_error("Expected null"),
        Value::Bool(_) => "java.lang.Boolean",
        Value::Number(_) => "com.amazon.coral.value.json.numbers.TruncatingBigNumber",
        _ => "java.lang.String",
    };
    serialization_error(format!("class {class} can not be converted to {wanted}"))
}

fn present<'a>(input: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    input.get(name).filter(|value| !value.is_null())
}

fn check_members(input: &Map<String, Value>, members: &[Member], parent: &str, violations: &mut Vec<String>) {
    for member in members {
        let path = format!("{parent}{}", member.name);
        match present(input, member.name) {
            Some(value) => check_value(value, &member.shape, &path, violations),
            None if member.is_required => violations.push(violation("null", &path, "Member must not be null")),
            None => {}
        }
    }
}

fn violation(shown: &str, path: &str, constraint: &str) -> String {
    format!("Value {shown} at '{path}' failed to satisfy constraint: {constraint}")
}

fn check_value(value: &Value, shape: &Shape, path: &str, violations: &mut Vec<String>) {
    let text = value.as_str().unwrap_or_default();
    let mut violate = |constraint: &str| violations.push(violation(&format!("'{}'", shown(value)), path, constraint));
    match (shape, value) {
        (Shape::Structure(members), Value::Object(value)) => {
            check_members(value, members, &format!("{path}."), violations);
        }
        (Shape::Structures(members) | Shape::Decisions(members), Value::Array(values)) => {
            let objects = values.iter().enumerate().filter_map(|(at, value)| Some((at + 1, value.as_object()?)));
            for (number, object) in objects {
                let path = format!("{path}.{number}.member.");
                check_members(object, members, &path, violations);
                if matches!(shape, Shape::Decisions(_)) {
                    check_decision(object, members, &path, violations);
                }
            }
        }
        (Shape::Texts(most), Value::Array(values)) => {
            if values.len() > *most {
                violate(&format!("Member must have length less than or equal to {most}"));
            }
            if values.iter().filter_map(Value::as_str).any(|text| text.chars().count() > 256) {
                violate("Member must satisfy constraint: [Member must have length less than or equal to 256]");
            }
        }
        (Shape::Integer(least, most), _) => {
            let number = value.as_i64().unwrap_or_else(|| value.as_f64().unwrap_or_default() as i64);
            if number < *least {
                violate(&format!("Member must have value greater than or equal to {least}"));
            }
            if number > *most {
                violate(&format!("Member must have value less than or equal to {most}"));
            }
        }
        (Shape::Boolean | Shape::Time, _) => {}
        (Shape::OneOf(values), _) if values.contains(&text) => {}
        (Shape::OneOf(values), _) => violate(&format!("Member must satisfy enum value set: [{}]", values.join(", "))),
        _ => check_text(text, shape, violate),
    }
}

fn check_text(text: &str, shape: &Shape, mut violate: impl FnMut(&str)) {
    let (least, most) = match shape {
        Shape::Text(least, most) => (*least, *most),
        Shape::Name(most) => (1, *most),
        Shape::MaybeSeconds | Shape::MaybeRunSeconds => (0, 8),
        Shape::Seconds | Shape::Days => (1, 8),
        _ => (0, usize::MAX),
    };
    let length = text.chars().count();
    if length < least {
        return violate(&format!("Member must have length greater than or equal to {least}"));
    }
    if length > most {
        return violate(&format!("Member must have length less than or equal to {most}"));
    }
    match shape {
        Shape::Name(_) if !is_name(text) => {
            violate("Member must not contain ':', '/', '|' or control characters, and must not be 'arn'");
        }
        Shape::MaybeSeconds if !text.is_empty() && Timeout::parse(text).is_none() => {
            violate("Member must be a number of seconds or NONE");
        }
        Shape::MaybeRunSeconds if !text.is_empty() && !is_run_time(text) => {
            violate(&format!("Member must be a number of seconds of at most {}", RUN_MAX.as_secs()));
        }
        Shape::Seconds if !matches!(Timeout::parse(text), Some(Timeout::AfterS(_))) => {
            violate("Member must be a number of seconds");
        }
        Shape::Days if text != "NONE" && !is_days(text) => {
            violate(&format!("Member must be a number of days from 0 to {DAYS_MAX}, or NONE"));
        }
        Shape::Priority if !text.is_empty() && text.parse::<i32>().is_err() => {
            violate("Member must be an integer from -2147483648 to 2147483647");
        }
        _ => {}
    }
}

/// A run has an end: `NONE` is refused (StartWorkflowExecution, `executionStartToCloseTimeout`).
fn is_run_time(text: &str) -> bool {
    Timeout::parse(text).and_then(Timeout::duration).is_some_and(|lasts| lasts <= RUN_MAX)
}

fn is_days(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u32>().is_ok_and(|days| days <= DAYS_MAX)
}

/// The service's rule for names of resources (RegisterDomain, `name`).
fn is_name(text: &str) -> bool {
    text != "arn" && !text.chars().any(|c| matches!(c, ':' | '/' | '|') || c.is_control())
}

/// A decision without the attributes of its type is checked as one with empty attributes.
fn check_decision(decision: &Map<String, Value>, members: &[Member], path: &str, violations: &mut Vec<String>) {
    let Some(kind) = decision.get("decisionType").and_then(Value::as_str) else { return };
    let attributes = attributes_name(kind);
    let known = members.iter().find(|member| member.name == attributes);
    if let Some(Member { shape: Shape::Structure(inner), .. }) = known
        && present(decision, &attributes).is_none()
    {
        check_members(&Map::new(), inner, &format!("{path}{attributes}."), violations);
    }
}

/// `StartTimer` → `startTimerDecisionAttributes`.
pub(super) fn attributes_name(kind: &str) -> String {
    let mut letters = kind.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(letters).chain("DecisionAttributes".chars()).collect()
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            let texts: Vec<String> = values.iter().map(shown).collect();
            format!("[{}]", texts.join(", "))
        }
        other => other.to_string(),
    }
}
