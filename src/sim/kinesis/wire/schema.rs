//! What a request's members must be: their types and constraints, checked with AWS's words before anything is done.

use crate::sim::error::ApiError;
use crate::sim::kinesis::ConsumerId;
use crate::sim::wire::serialization_error;
use serde_json::{Map, Value};

/// AWS reports at most so many violations at once.
const MAX_VIOLATIONS: usize = 10;

/// One member of a request, in the order in which the service reports violations.
pub(super) struct Member {
    pub name: &'static str,
    pub shape: Shape,
    pub rules: &'static [Rule],
}

pub(super) enum Shape {
    Text,
    Integer,
    Boolean,
    Blob,
    /// Seconds since the Unix epoch.
    Time,
    Texts,
    Structure(&'static [Member]),
    Structures(&'static [Member]),
    TextMap,
}

pub(super) enum Rule {
    NotNull,
    /// Must be there unless the other member is.
    NotNullWithout(&'static str),
    AtLeast(i64),
    AtMost(i64),
    Like(Pattern),
    /// Characters or members.
    Shortest(usize),
    Longest(usize),
    /// Bytes of a blob.
    LongestBlob(usize),
    OneOf(&'static [&'static str]),
    EachOneOf(&'static [&'static str]),
    EachOfLength {
        shortest: usize,
        longest: usize,
    },
    MapKeys {
        shortest: usize,
        longest: usize,
    },
    MapValues {
        longest: usize,
    },
}

/// The regular expressions of the service's model, each with the check that it stands for.
#[derive(Clone, Copy)]
pub(super) enum Pattern {
    Name,
    HashKey,
    SequenceNumber,
    StreamArn,
    ConsumerArn,
    ResourceArn,
}

impl Pattern {
    fn text(self) -> &'static str {
        match self {
            Self::Name => "[a-zA-Z0-9_.-]+",
            Self::HashKey => r"0|([1-9]\d{0,38})",
            Self::SequenceNumber => r"0|([1-9]\d{0,128})",
            Self::StreamArn => r"arn:aws.*:kinesis:.*:\d{12}:stream/\S+",
            Self::ConsumerArn => {
                r"^(arn):aws.*:kinesis:.*:\d{12}:.*stream\/[a-zA-Z0-9_.-]+\/consumer\/[a-zA-Z0-9_.-]+:[0-9]+"
            }
            Self::ResourceArn => r"arn:aws.*:kinesis:.*:\d{12}:.*stream/\S+",
        }
    }

    fn admits(self, text: &str) -> bool {
        match self {
            Self::Name => {
                !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
            }
            Self::HashKey => is_number(text, 39),
            Self::SequenceNumber => is_number(text, 129),
            Self::StreamArn | Self::ResourceArn => is_stream_arn(text),
            Self::ConsumerArn => {
                is_stream_arn(text) && ConsumerId::parse(text).is_some_and(|id| id.created_s.is_some())
            }
        }
    }
}

fn is_number(text: &str, longest: usize) -> bool {
    let digits = !text.is_empty() && text.len() <= longest && text.bytes().all(|b| b.is_ascii_digit());
    digits && (text == "0" || !text.starts_with('0'))
}

fn is_stream_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, service, _, account, resource] = parts[..] else { return false };
    let name = resource.strip_prefix("stream/").unwrap_or_default();
    arn == "arn"
        && partition.starts_with("aws")
        && service == "kinesis"
        && account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && !name.is_empty()
        && !name.contains(char::is_whitespace)
}

/// Checks types, then constraints.
///
/// Errors: `SerializationException` for the first member of a wrong type, `ValidationException` listing up to ten
/// violations.
pub(super) fn check(input: &Value, members: &'static [Member]) -> Result<(), ApiError> {
    let empty = Map::new();
    let input = input.as_object().unwrap_or(&empty);
    check_types(input, members)?;
    let mut violations = vec![];
    check_rules(input, members, "", &mut violations);
    if violations.is_empty() {
        return Ok(());
    }
    let count = violations.len();
    let errors = if count == 1 { "error" } else { "errors" };
    let message = format!("{count} validation {errors} detected: {}", violations.join("; "));
    Err(ApiError::client("ValidationException", message))
}

fn check_types(input: &Map<String, Value>, members: &[Member]) -> Result<(), ApiError> {
    for member in members {
        if let Some(value) = input.get(member.name).filter(|value| !value.is_null()) {
            check_type(value, &member.shape)?;
        }
    }
    Ok(())
}

fn check_type(value: &Value, shape: &Shape) -> Result<(), ApiError> {
    match (shape, value) {
        (Shape::Text, Value::String(_))
        | (Shape::Integer | Shape::Time, Value::Number(_))
        | (Shape::Boolean, Value::Bool(_)) => Ok(()),
        (Shape::Boolean, Value::String(text)) if truth(text).is_some() => Ok(()),
        (Shape::Blob, Value::String(text)) => check_base64(text),
        (Shape::Structure(members), Value::Object(value)) => check_types(value, members),
        (Shape::TextMap, Value::Object(value)) => value.values().try_for_each(|v| check_type(v, &Shape::Text)),
        (Shape::Texts, Value::Array(values)) => values.iter().try_for_each(|value| check_type(value, &Shape::Text)),
        (Shape::Structures(members), Value::Array(values)) => values.iter().try_for_each(|value| match value {
            Value::Object(value) => check_types(value, members),
            _ => Err(wrong_type(value, &Shape::Structure(&[]))),
        }),
        _ => Err(wrong_type(value, shape)),
    }
}

fn wrong_type(value: &Value, shape: &Shape) -> ApiError {
    let wanted = match shape {
        Shape::Text => "an String",
        Shape::Integer => "an Integer",
        Shape::Boolean => "an Boolean",
        Shape::Blob => "a Blob",
        Shape::Time => "milliseconds since epoch",
        Shape::Texts | Shape::Structures(_) => "list",
        Shape::TextMap => "map",
        Shape::Structure(_) => "structure",
    };
    let class = match (shape, value) {
        (Shape::Texts | Shape::Structures(_), Value::Object(_)) => {
            return serialization_error("Start of structure or map found where not expected.");
        }
        (Shape::Structure(_) | Shape::TextMap, Value::Array(_)) => {
            return serialization_error("Start of list found where not expected");
        }
        (Shape::Texts | Shape::Structures(_), _) => return serialization_error("Expected list or null"),
        (Shape::TextMap, _) => return serialization_error("Expected map or null"),
        (Shape::Structure(_), _) => return serialization_error("Expected null"),
        (_, Value::Array(_)) => return serialization_error("Start of list found where not expected"),
        (_, Value::Object(_)) => {
            return serialization_error("Start of structure or map found where not expected.");
        }
        (Shape::Boolean, Value::String(text)) => {
            return serialization_error(format!("'{}' can not be converted to an Boolean", text.to_uppercase()));
        }
        (_, Value::Bool(_)) => "java.lang.Boolean",
        (_, Value::Number(_)) => "com.amazon.coral.value.json.numbers.TruncatingBigNumber",
        _ => "java.lang.String",
    };
    serialization_error(format!("class {class} can not be converted to {wanted}"))
}

/// Texts that the service takes for booleans.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Some(true),
        "false" | "0" | "no" => Some(false),
        _ => None,
    }
}

fn check_base64(text: &str) -> Result<(), ApiError> {
    let fail = |why: String| Err(serialization_error(format!("'{text}' can not be converted to a Blob: {why}")));
    if !text.len().is_multiple_of(4) {
        let length = text.len();
        return fail(format!("Base64 encoded length is expected a multiple of 4 bytes but found: {length}"));
    }
    let digits = text.trim_end_matches('=');
    let wrong = digits.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '/'));
    match wrong {
        Some(wrong) => fail(format!("Invalid Base64 character: '{wrong}'")),
        None if text.len() - digits.len() > 2 => fail("Invalid Base64 character: '='".into()),
        // The spelling of the last word is the service's own.
        None if has_stray_bits(digits) => fail("Invalid last non-pad Base64 character dectected".into()),
        None => Ok(()),
    }
}

/// Whether the last digit before padding carries bits that no byte holds.
fn has_stray_bits(digits: &str) -> bool {
    let value = match digits.bytes().last() {
        Some(digit @ b'A'..=b'Z') => digit - b'A',
        Some(digit @ b'a'..=b'z') => digit - b'a' + 26,
        Some(digit @ b'0'..=b'9') => digit - b'0' + 52,
        Some(b'+') => 62,
        Some(_) => 63,
        None => 0,
    };
    match digits.len() % 4 {
        2 => value & 0b1111 != 0,
        3 => value & 0b11 != 0,
        _ => false,
    }
}

fn check_rules(input: &Map<String, Value>, members: &[Member], parent: &str, violations: &mut Vec<String>) {
    for member in members {
        let value = input.get(member.name).filter(|value| !value.is_null());
        let path = format!("{parent}{}", lower_first(member.name));
        for rule in member.rules {
            if violations.len() >= MAX_VIOLATIONS {
                return;
            }
            if matches!(rule, Rule::NotNullWithout(other) if input.get(*other).is_some_and(|value| !value.is_null())) {
                continue;
            }
            if let Some(constraint) = violated(value, rule) {
                let shown = shown(value, &member.shape);
                violations.push(format!("Value{shown} at '{path}' failed to satisfy constraint: {constraint}"));
            }
        }
        match (&member.shape, value) {
            (Shape::Structure(members), Some(Value::Object(value))) => {
                check_rules(value, members, &format!("{path}."), violations);
            }
            (Shape::Structures(members), Some(Value::Array(values))) => {
                for (index, value) in values.iter().enumerate() {
                    if let Value::Object(value) = value {
                        check_rules(value, members, &format!("{path}.{}.member.", index + 1), violations);
                    }
                }
            }
            _ => {}
        }
    }
}

/// The constraint's sentence when the value does not meet it. An absent value violates only `NotNull`.
fn violated(value: Option<&Value>, rule: &Rule) -> Option<String> {
    let Some(value) = value else {
        let required = matches!(rule, Rule::NotNull | Rule::NotNullWithout(_));
        return required.then(|| "Member must not be null".to_owned());
    };
    match rule {
        Rule::NotNull | Rule::NotNullWithout(_) => None,
        Rule::AtLeast(least) => {
            (integer(value) < *least).then(|| format!("Member must have value greater than or equal to {least}"))
        }
        Rule::AtMost(most) => {
            (integer(value) > *most).then(|| format!("Member must have value less than or equal to {most}"))
        }
        Rule::Like(pattern) => (!pattern.admits(value.as_str().unwrap_or_default()))
            .then(|| format!("Member must satisfy regular expression pattern: {}", pattern.text())),
        Rule::Shortest(least) => {
            (length(value) < *least).then(|| format!("Member must have length greater than or equal to {least}"))
        }
        Rule::Longest(most) => {
            (length(value) > *most).then(|| format!("Member must have length less than or equal to {most}"))
        }
        Rule::LongestBlob(most) => {
            (blob_length(value) > *most).then(|| format!("Member must have length less than or equal to {most}"))
        }
        Rule::OneOf(words) => (!words.contains(&value.as_str().unwrap_or_default()))
            .then(|| format!("Member must satisfy enum value set: [{}]", words.join(", "))),
        Rule::EachOfLength { shortest, longest } => {
            let lengths = value.as_array().into_iter().flatten().map(length);
            let sentence = within(lengths, *shortest, *longest)?;
            Some(format!("Member must satisfy constraint: [{sentence}]"))
        }
        Rule::MapKeys { shortest, longest } => {
            let lengths = value.as_object().into_iter().flatten().map(|(key, _)| key.chars().count());
            let sentence = within(lengths, *shortest, *longest)?;
            Some(format!("Map keys must satisfy constraint: [{sentence}]"))
        }
        Rule::MapValues { longest } => {
            let lengths = value.as_object().into_iter().flatten().map(|(_, value)| length(value));
            let sentence = within(lengths, 0, *longest)?;
            Some(format!("Map value must satisfy constraint: [{sentence}]"))
        }
        Rule::EachOneOf(words) => {
            let fine = |value: &Value| value.as_str().is_some_and(|text| words.contains(&text));
            let all_fine = value.as_array().is_none_or(|values| values.iter().all(fine));
            (!all_fine).then(|| {
                let words = words.join(", ");
                format!("Member must satisfy constraint: [Member must satisfy enum value set: [{words}]]")
            })
        }
    }
}

/// The sentence about a collection of which a member is too short or too long.
fn within(mut lengths: impl Iterator<Item = usize>, shortest: usize, longest: usize) -> Option<String> {
    lengths.any(|length| !(shortest..=longest).contains(&length)).then(|| {
        format!(
            "Member must have length less than or equal to {longest}, Member must have length greater than or equal to \
             {shortest}"
        )
    })
}

/// Numbers lose their fraction, as AWS's parser drops it, and what is beyond 32 bits is the last that is not.
pub(super) fn integer(value: &Value) -> i64 {
    let whole = value.as_i64().unwrap_or_else(|| value.as_f64().unwrap_or_default() as i64);
    whole.clamp(i32::MIN.into(), i32::MAX.into())
}

fn length(value: &Value) -> usize {
    match value {
        Value::Array(values) => values.len(),
        Value::Object(members) => members.len(),
        Value::String(text) => text.chars().count(),
        _ => 0,
    }
}

/// Bytes that base64 text stands for.
fn blob_length(value: &Value) -> usize {
    let text = value.as_str().unwrap_or_default();
    let padding = text.bytes().rev().take_while(|b| *b == b'=').count();
    (text.len() / 4 * 3).saturating_sub(padding)
}

fn shown(value: Option<&Value>, shape: &Shape) -> String {
    match (shape, value) {
        (_, None) => " null".to_owned(),
        (Shape::Blob | Shape::Structures(_), Some(Value::Array(values))) if values.is_empty() => " '[]'".to_owned(),
        (Shape::Blob | Shape::Structures(_), _) => String::new(),
        (Shape::Integer, Some(number @ Value::Number(_))) => format!(" '{}'", integer(number)),
        (_, Some(Value::String(text))) => format!(" '{text}'"),
        (_, Some(Value::Array(values))) => {
            let texts: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
            format!(" '[{}]'", texts.join(", "))
        }
        (_, Some(Value::Object(members))) => {
            let pairs: Vec<_> =
                members.iter().map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default())).collect();
            format!(" '{{{}}}'", pairs.join(", "))
        }
        (_, Some(value)) => format!(" '{value}'"),
    }
}

fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
