//! Filter patterns of event source mappings: which records reach the function (`FilterCriteria`).
//!
//! A pattern is an object whose leaves are lists of tests [Filter rule syntax]: a value, `null`, `{"prefix": …}`,
//! `{"suffix": …}`, `{"equals-ignore-case": …}`, `{"anything-but": …}`, `{"numeric": […]}`, `{"exists": …}`; all of an
//! object's members must match, one test of a leaf suffices, and `$or` lists objects of which one suffices.

use serde_json::{Map, Value};

/// The filters of one mapping: a record that matches one of them is for the function. Without filters all are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filters {
    all: Vec<(String, Pattern)>,
}

/// Filters of one mapping, at most [CreateEventSourceMapping].
pub const FILTERS_MAX: usize = 5;

impl Filters {
    /// Reads the patterns; the first one that is none makes it `None`.
    pub fn parse<'a>(patterns: impl Iterator<Item = &'a str>) -> Option<Self> {
        let all = patterns.map(|text| Some((text.to_owned(), Pattern::parse(text)?))).collect::<Option<_>>()?;
        Some(Self { all })
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The patterns as they were sent.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|(text, _)| text.as_str())
    }

    /// Whether a record matches. `payload` names the member that holds what was sent (`body`, `data`): a pattern that
    /// looks into it wants it to be JSON, one that compares it as a whole takes it as text.
    pub fn pass(&self, record: &Map<String, Value>, payload: &str) -> bool {
        self.all.is_empty() || self.all.iter().any(|(_, pattern)| pattern.fits_record(record, payload))
    }
}

/// A pattern, or a part of one.
#[derive(Clone, Debug, PartialEq)]
enum Pattern {
    All { members: Vec<(String, Pattern)>, any_of: Vec<Pattern> },
    OneOf(Vec<Test>),
}

/// What a leaf asks of a value.
#[derive(Clone, Debug, PartialEq)]
enum Test {
    Equals(Value),
    Prefix(String),
    Suffix(String),
    EqualsIgnoreCase(String),
    AnythingBut(Vec<Value>),
    AnythingButPrefix(String),
    /// Bounds that must all hold.
    Numeric(Vec<(Comparison, f64)>),
    Exists(bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Less,
    AtMost,
    Equal,
    AtLeast,
    More,
}

impl Comparison {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "<" => Some(Self::Less),
            "<=" => Some(Self::AtMost),
            "=" => Some(Self::Equal),
            ">=" => Some(Self::AtLeast),
            ">" => Some(Self::More),
            _ => None,
        }
    }

    fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::Less => value < bound,
            Self::AtMost => value <= bound,
            Self::Equal => value == bound,
            Self::AtLeast => value >= bound,
            Self::More => value > bound,
        }
    }
}

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        Self::of_object(value.as_object()?)
    }

    fn of_object(object: &Map<String, Value>) -> Option<Self> {
        let mut members = Vec::new();
        let mut any_of = Vec::new();
        for (name, value) in object {
            match (name.as_str(), value) {
                ("$or", Value::Array(choices)) => {
                    any_of = choices.iter().map(|c| Self::of_object(c.as_object()?)).collect::<Option<Vec<_>>>()?;
                }
                (_, Value::Object(inner)) => members.push((name.clone(), Self::of_object(inner)?)),
                (_, Value::Array(tests)) if !tests.is_empty() => {
                    let tests = tests.iter().map(Test::parse).collect::<Option<_>>()?;
                    members.push((name.clone(), Self::OneOf(tests)));
                }
                _ => return None,
            }
        }
        (!members.is_empty() || !any_of.is_empty()).then_some(Self::All { members, any_of })
    }

    /// As `fits`, with the payload read as what the pattern takes it for.
    fn fits_record(&self, record: &Map<String, Value>, payload: &str) -> bool {
        let Self::All { members, any_of } = self else { return false };
        let fits = |(name, pattern): &(String, Self)| {
            let value = record.get(name);
            if name == payload
                && matches!(pattern, Self::All { .. })
                && let Some(text) = value.and_then(Value::as_str)
            {
                let parsed: Option<Value> = serde_json::from_str(text).ok();
                return parsed.is_some_and(|parsed| pattern.fits(Some(&parsed)));
            }
            pattern.fits(value)
        };
        members.iter().all(fits)
            && (any_of.is_empty() || any_of.iter().any(|choice| choice.fits_record(record, payload)))
    }

    fn fits(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Self::OneOf(tests), value) => tests.iter().any(|test| test.holds(value)),
            (Self::All { .. }, Some(Value::Array(items))) => items.iter().any(|item| self.fits(Some(item))),
            (Self::All { members, any_of }, value) => {
                let inside = value.and_then(Value::as_object);
                members.iter().all(|(name, pattern)| pattern.fits(inside.and_then(|inside| inside.get(name))))
                    && (any_of.is_empty() || any_of.iter().any(|choice| choice.fits(value)))
            }
        }
    }
}

impl Test {
    fn parse(value: &Value) -> Option<Self> {
        let Value::Object(rule) = value else {
            return (!value.is_array()).then(|| Self::Equals(value.clone()));
        };
        let (name, argument) = rule.iter().next().filter(|_| rule.len() == 1)?;
        match name.as_str() {
            "prefix" => argument.as_str().map(|text| Self::Prefix(text.to_owned())),
            "suffix" => argument.as_str().map(|text| Self::Suffix(text.to_owned())),
            "equals-ignore-case" => argument.as_str().map(|text| Self::EqualsIgnoreCase(text.to_lowercase())),
            "exists" => argument.as_bool().map(Self::Exists),
            "anything-but" => match argument {
                Value::Array(values) => Some(Self::AnythingBut(values.clone())),
                Value::Object(rule) => {
                    rule.get("prefix")?.as_str().map(|text| Self::AnythingButPrefix(text.to_owned()))
                }
                single => Some(Self::AnythingBut(vec![single.clone()])),
            },
            "numeric" => {
                let parts = argument.as_array().filter(|parts| !parts.is_empty() && parts.len() % 2 == 0)?;
                let bound = |pair: &[Value]| Some((Comparison::parse(pair[0].as_str()?)?, pair[1].as_f64()?));
                parts.chunks(2).map(bound).collect::<Option<_>>().map(Self::Numeric)
            }
            _ => None,
        }
    }

    /// A list holds what one of its items holds.
    fn holds(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Self::Exists(wanted), value) => value.is_some() == *wanted,
            (_, None) => false,
            (Self::AnythingBut(_) | Self::AnythingButPrefix(_), Some(Value::Array(items))) => {
                items.iter().all(|item| self.holds(Some(item)))
            }
            (_, Some(Value::Array(items))) => items.iter().any(|item| self.holds(Some(item))),
            (Self::Equals(wanted), Some(value)) => is_equal(wanted, value),
            (Self::AnythingBut(unwanted), Some(value)) => !unwanted.iter().any(|other| is_equal(other, value)),
            (Self::Numeric(bounds), Some(value)) => {
                value.as_f64().is_some_and(|n| bounds.iter().all(|(comparison, bound)| comparison.holds(n, *bound)))
            }
            (text_test, Some(value)) => value.as_str().is_some_and(|text| text_test.holds_text(text)),
        }
    }

    fn holds_text(&self, text: &str) -> bool {
        match self {
            Self::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Self::Suffix(suffix) => text.ends_with(suffix.as_str()),
            Self::EqualsIgnoreCase(wanted) => text.to_lowercase() == *wanted,
            Self::AnythingButPrefix(prefix) => !text.starts_with(prefix.as_str()),
            Self::Equals(_) | Self::AnythingBut(_) | Self::Numeric(_) | Self::Exists(_) => false,
        }
    }
}

/// Numbers are equal by value: `100` is `100.0`.
fn is_equal(wanted: &Value, value: &Value) -> bool {
    match (wanted.as_f64(), value.as_f64()) {
        (Some(wanted), Some(value)) => wanted == value,
        _ => wanted == value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn passes(pattern: &Value, record: &Value) -> bool {
        let text = pattern.to_string();
        Filters::parse([text.as_str()].into_iter()).unwrap().pass(record.as_object().unwrap(), "body")
    }

    #[test]
    fn a_filter_looks_into_a_json_body() {
        let record = json!({"body": r#"{"room":"suite","nights":3,"guest":{"country":"IT"},"tags":["vip","late"]}"#});
        for fits in [
            json!({"body": {"room": ["double", "suite"]}}),
            json!({"body": {"nights": [{"numeric": [">", 2, "<=", 3]}]}}),
            json!({"body": {"guest": {"country": [{"prefix": "I"}]}, "tags": ["vip"]}}),
            json!({"body": {"room": [{"anything-but": ["single"]}], "discount": [{"exists": false}]}}),
            json!({"body": {"room": [{"equals-ignore-case": "SUITE"}]}}),
            json!({"body": {"$or": [{"room": ["single"]}, {"nights": [3.0]}]}}),
        ] {
            assert!(passes(&fits, &record), "{fits}");
        }
        for misses in [
            json!({"body": {"room": ["double"]}}),
            json!({"body": {"nights": [{"numeric": ["<", 3]}]}}),
            json!({"body": {"guest": {"country": [{"suffix": "R"}]}}}),
            json!({"body": {"discount": [{"exists": true}]}}),
            json!({"body": {"room": [null]}}),
        ] {
            assert!(!passes(&misses, &record), "{misses}");
        }
    }

    #[test]
    fn a_text_body_matches_only_patterns_that_take_it_as_a_whole() {
        let record = json!({"body": "plain", "messageAttributes": {"kind": {"stringValue": "order"}}});
        assert!(passes(&json!({"body": ["plain"]}), &record));
        assert!(!passes(&json!({"body": {"room": ["suite"]}}), &record));
        assert!(passes(&json!({"messageAttributes": {"kind": {"stringValue": ["order"]}}}), &record));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for wrong in ["", "[]", "{}", r#"{"body":"text"}"#, r#"{"body":[]}"#, r#"{"body":[{"like":"x"}]}"#] {
            assert_eq!(Filters::parse([wrong].into_iter()), None, "{wrong}");
        }
    }
}
