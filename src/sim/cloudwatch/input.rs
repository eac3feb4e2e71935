//! Reading an operation's input: members by name and type, with CloudWatch's words for what is wrong with them.

use crate::domain::time::Timestamp;
use crate::sim::cloudwatch::Metric;
use crate::sim::error::ApiError;
use crate::sim::wire::serialization_error;
use serde_json::{Map, Value};

/// A structure of the input and the path that leads to it, such as `MetricData.member.1.`.
pub struct Input<'a> {
    members: &'a Map<String, Value>,
    path: String,
}

impl<'a> Input<'a> {
    pub fn new(value: &'a Value) -> Result<Self, ApiError> {
        Self::at(value, String::new())
    }

    fn at(value: &'a Value, path: String) -> Result<Self, ApiError> {
        let members = value.as_object().ok_or_else(|| serialization_error(""))?;
        Ok(Self { members, path })
    }

    /// The member's full name, as error messages give it.
    pub fn name(&self, member: &str) -> String {
        format!("{}{member}", self.path)
    }

    /// An absent member and a null one are the same.
    fn get(&self, member: &str) -> Option<&'a Value> {
        self.members.get(member).filter(|value| !value.is_null())
    }

    /// The member as it came.
    pub fn value(&self, member: &str) -> Option<&'a Value> {
        self.get(member)
    }

    pub fn has(&self, member: &str) -> bool {
        self.get(member).is_some()
    }

    fn typed<T>(&self, member: &str, read: impl Fn(&'a Value) -> Option<T>) -> Result<Option<T>, ApiError> {
        self.get(member).map(|value| read(value).ok_or_else(|| serialization_error(""))).transpose()
    }

    pub fn text(&self, member: &str) -> Result<Option<&'a str>, ApiError> {
        self.typed(member, Value::as_str)
    }

    pub fn flag(&self, member: &str) -> Result<Option<bool>, ApiError> {
        self.typed(member, Value::as_bool)
    }

    /// A whole number; one that is written as a double (`60.0`) is taken too, as AWS takes it.
    pub fn integer(&self, member: &str) -> Result<Option<i64>, ApiError> {
        self.typed(member, |value| {
            value.as_i64().or_else(|| value.as_f64().filter(|x| x.fract() == 0.0 && x.abs() < 1e15).map(|x| x as i64))
        })
    }

    pub fn number(&self, member: &str) -> Result<Option<f64>, ApiError> {
        self.typed(member, number)
    }

    pub fn numbers(&self, member: &str) -> Result<Option<Vec<f64>>, ApiError> {
        self.typed(member, |value| value.as_array()?.iter().map(number).collect())
    }

    pub fn texts(&self, member: &str) -> Result<Option<Vec<&'a str>>, ApiError> {
        self.typed(member, |value| value.as_array()?.iter().map(Value::as_str).collect())
    }

    /// Seconds since the Unix epoch.
    pub fn time(&self, member: &str) -> Result<Option<Timestamp>, ApiError> {
        self.typed(member, |value| value.as_f64().filter(|x| x.abs() < 1e12).map(Timestamp::from_secs_f64))
    }

    pub fn structure(&self, member: &str) -> Result<Option<Input<'a>>, ApiError> {
        self.get(member).map(|value| Input::at(value, format!("{}.", self.name(member)))).transpose()
    }

    /// The structures of a list, numbered from 1 as AWS numbers them.
    pub fn structures(&self, member: &str) -> Result<Option<Vec<Input<'a>>>, ApiError> {
        let Some(value) = self.get(member) else { return Ok(None) };
        let items = value.as_array().ok_or_else(|| serialization_error(""))?;
        let at = |(i, item)| Input::at(item, format!("{}.member.{}.", self.name(member), i + 1));
        items.iter().enumerate().map(at).collect::<Result<Vec<_>, _>>().map(Some)
    }

    /// A required text of 1 to `max` characters.
    pub fn required_text(&self, member: &str, max: usize) -> Result<&'a str, ApiError> {
        let text = self.text(member)?.ok_or_else(|| missing(&self.name(member)))?;
        self.check_length(member, text, max)?;
        Ok(text)
    }

    /// An optional text of 1 to `max` characters.
    pub fn bounded_text(&self, member: &str, max: usize) -> Result<Option<&'a str>, ApiError> {
        let text = self.text(member)?;
        text.map_or(Ok(()), |text| self.check_length(member, text, max))?;
        Ok(text)
    }

    /// Texts of 1 to `max` characters each.
    pub fn bounded_texts(&self, member: &str, max: usize) -> Result<Option<Vec<&'a str>>, ApiError> {
        let texts = self.texts(member)?;
        for (index, text) in texts.iter().flatten().enumerate() {
            self.check_length(&format!("{member}.member.{}", index + 1), text, max)?;
        }
        Ok(texts)
    }

    fn check_length(&self, member: &str, text: &str, max: usize) -> Result<(), ApiError> {
        let name = self.name(member);
        match text.chars().count() {
            0 => Err(invalid(format!("The parameter {name} must be longer than 0 characters."))),
            n if n > max => Err(invalid(format!("The parameter {name} must be shorter than {} characters.", max + 1))),
            _ => Ok(()),
        }
    }

    /// `Namespace`, `MetricName` and `Dimensions` of this structure.
    pub fn metric(&self) -> Result<Metric, ApiError> {
        let namespace = self.required_text("Namespace", 255)?;
        self.check_namespace(namespace)?;
        let name = self.required_text("MetricName", 255)?;
        Ok(Metric::new(namespace, name, &self.dimensions()?))
    }

    pub fn check_namespace(&self, namespace: &str) -> Result<(), ApiError> {
        if namespace.starts_with(':') {
            let name = self.name("Namespace");
            return Err(invalid(format!("The value {namespace} for parameter {name} is invalid.")));
        }
        Ok(())
    }

    /// At most 30 dimensions, each with a name and a value.
    pub fn dimensions(&self) -> Result<Vec<(&'a str, &'a str)>, ApiError> {
        let items = self.structures("Dimensions")?.unwrap_or_default();
        self.check_size("Dimensions", items.len(), 30)?;
        items.iter().map(|item| Ok((item.required_text("Name", 255)?, item.required_text("Value", 1024)?))).collect()
    }

    pub fn check_size(&self, member: &str, size: usize, max: usize) -> Result<(), ApiError> {
        let name = self.name(member);
        let message = || format!("The collection {name} must not have a size greater than {max}.");
        if size > max { Err(invalid(message())) } else { Ok(()) }
    }

    /// One of a closed set of texts.
    pub fn one_of(&self, member: &str, values: &[&'static str]) -> Result<Option<&'static str>, ApiError> {
        let Some(text) = self.text(member)? else { return Ok(None) };
        let found = values.iter().copied().find(|value| *value == text);
        let refusal = || {
            invalid(format!(
                "The parameter {} must be a value in the set [ {} ].",
                self.name(member),
                values.join(", ")
            ))
        };
        found.map(Some).ok_or_else(refusal)
    }
}

/// A double; JSON writes the three that it lacks as texts.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        other => other.as_f64(),
    }
}

/// A value that the operation cannot take.
pub fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidParameterValueException", message).with_query_code("InvalidParameterValue")
}

/// Values that do not go together.
pub fn invalid_combination(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidParameterCombinationException", message).with_query_code("InvalidParameterCombination")
}

/// A required member is absent.
pub fn missing(name: &str) -> ApiError {
    ApiError::client("MissingRequiredParameterException", format!("The parameter {name} is required."))
        .with_query_code("MissingParameter")
}

/// GetMetricData's word for whatever is wrong with its input.
pub fn validation(message: impl Into<String>) -> ApiError {
    ApiError::client("ValidationException", message).with_query_code("ValidationError")
}

/// Turns the older operations' refusals into GetMetricData's.
pub fn as_validation(error: ApiError) -> ApiError {
    if error.query_code.is_some() { validation(error.message) } else { error }
}

/// A token that this service did not make, or made for another request.
pub fn invalid_token() -> ApiError {
    ApiError::client("InvalidNextToken", "The next token specified is invalid.")
}
