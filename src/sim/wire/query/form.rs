//! A form's parameters as the input that the JSON protocol would have given: `A.member.1.B=x` becomes
//! `{"A": [{"B": "x"}]}`, and texts become numbers, flags and times where the service has them.

use crate::domain::time::Timestamp;
use crate::sim::error::ApiError;
use crate::sim::wire::query::dialect::{Dialect, Flat, Kind};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// Parts of one parameter's name, at most; no AWS shape comes near it, and the stack is finite.
const DEPTH_MAX: usize = 32;

/// The name and the value of each parameter, decoded, in the form's order.
pub fn parameters(form: &str) -> impl Iterator<Item = (String, String)> {
    form.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// The input of `operation`. Errors: MalformedInput for a name that is both a value and a structure, for an index that
/// is no number, and for one that is nested too deeply.
pub fn input(
    dialect: &Dialect,
    operation: &str,
    parameters: impl Iterator<Item = (String, String)>,
) -> Result<Value, ApiError> {
    let mut tree = Map::new();
    for (name, value) in parameters {
        let is_of_request = matches!(name.as_str(), "Action" | "Version") || name.starts_with("X-Amz-");
        if !is_of_request {
            plant(&mut tree, &name, value)?;
        }
    }
    let reader = Reader { dialect, operation };
    reader.structure(tree, "")
}

/// Puts one value where its dotted name says.
fn plant(mut tree: &mut Map<String, Value>, name: &str, value: String) -> Result<(), ApiError> {
    let mut parts = name.split('.').peekable();
    let mut depth = 0;
    while let Some(part) = parts.next() {
        depth += 1;
        if depth > DEPTH_MAX {
            return Err(malformed(format!("The parameter {} is nested too deeply", start_of(name))));
        }
        if parts.peek().is_none() {
            // Of a parameter that is given twice the first counts.
            tree.entry(part).or_insert(Value::String(value));
            return Ok(());
        }
        tree = match tree.entry(part).or_insert_with(|| Value::Object(Map::new())) {
            Value::Object(below) => below,
            _ => return Err(malformed(format!("The parameter {} is both a value and a structure", start_of(name)))),
        };
    }
    Ok(())
}

/// Enough of a name to find it by.
fn start_of(name: &str) -> String {
    name.chars().take(60).collect()
}

fn malformed(message: impl Into<String>) -> ApiError {
    ApiError::client("MalformedInput", message)
}

struct Reader<'a> {
    dialect: &'a Dialect,
    operation: &'a str,
}

impl Reader<'_> {
    fn structure(&self, tree: Map<String, Value>, parent: &str) -> Result<Value, ApiError> {
        let mut members = Map::new();
        for (name, node) in tree {
            let (name, value) = match self.dialect.flat_element(self.operation, &name) {
                // `QueueUrl` is an element of answers and a plain member of requests.
                Some(flat) if !(flat.pair.is_none() && node.is_string() && name == "QueueUrl") => {
                    (flat.member.to_owned(), self.flattened(flat, node)?)
                }
                _ => {
                    let value = match self.dialect.flat_member(self.operation, &name) {
                        // An empty list has no elements to be named after.
                        Some(flat) if node == "" => self.flattened(flat, node)?,
                        _ => self.member(parent, &name, node)?,
                    };
                    (name, value)
                }
            };
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }

    fn member(&self, parent: &str, name: &str, node: Value) -> Result<Value, ApiError> {
        match node {
            Value::String(text) => Ok(read(self.dialect.kind(parent, name), text)),
            Value::Object(mut tree) if tree.len() == 1 => {
                let wrapped =
                    ["member", "entry"].into_iter().find(|word| tree.get(*word).is_some_and(Value::is_object));
                match wrapped.and_then(|word| Some((word, tree.remove(word)?))) {
                    Some(("member", Value::Object(items))) => self.list(parent, name, items),
                    Some((_, Value::Object(entries))) => self.map(name, self.pair(parent, name), entries),
                    _ => self.structure(tree, name),
                }
            }
            Value::Object(tree) => self.structure(tree, name),
            other => Ok(other),
        }
    }

    fn pair(&self, parent: &str, name: &str) -> (&'static str, &'static str) {
        match self.dialect.kind(parent, name) {
            Some(Kind::Map(key, value)) => (key, value),
            _ => ("key", "value"),
        }
    }

    fn list(&self, parent: &str, name: &str, items: Map<String, Value>) -> Result<Value, ApiError> {
        let items = in_order(name, items)?;
        items.into_iter().map(|item| self.member(parent, name, item)).collect::<Result<Vec<_>, _>>().map(Value::Array)
    }

    fn map(&self, name: &str, pair: (&str, &str), entries: Map<String, Value>) -> Result<Value, ApiError> {
        let mut members = Map::new();
        for entry in in_order(name, entries)? {
            let Value::Object(mut entry) = entry else {
                return Err(malformed(format!("The entries of {name} must have a {} and a {}", pair.0, pair.1)));
            };
            let Some(Value::String(key)) = entry.remove(pair.0) else {
                return Err(malformed(format!("An entry of {name} lacks its {}", pair.0)));
            };
            let value = match entry.remove(pair.1) {
                Some(Value::Object(tree)) => self.structure(tree, name)?,
                Some(text) => text,
                None => Value::String(String::new()),
            };
            members.insert(key, value);
        }
        Ok(Value::Object(members))
    }

    /// A list or a map without `member` or `entry`; one element may stand without its number.
    fn flattened(&self, flat: &Flat, node: Value) -> Result<Value, ApiError> {
        let name = flat.element;
        let numbered = match node {
            Value::Object(tree) if flat.pair.is_some_and(|(key, _)| tree.contains_key(key)) => {
                Map::from_iter([("1".to_owned(), Value::Object(tree))])
            }
            Value::Object(tree) => tree,
            Value::String(text) if text.is_empty() => Map::new(),
            text => Map::from_iter([("1".to_owned(), text)]),
        };
        match flat.pair {
            Some(pair) => self.map(name, pair, numbered),
            None => self.list("", name, numbered),
        }
    }
}

/// The items by their numbers, which may have gaps.
fn in_order(name: &str, items: Map<String, Value>) -> Result<Vec<Value>, ApiError> {
    let number = |index: String| {
        index.parse::<u32>().map_err(|_| malformed(format!("{} is no index of {name}", start_of(&index))))
    };
    let mut numbered =
        items.into_iter().map(|(index, item)| Ok((number(index)?, item))).collect::<Result<Vec<_>, ApiError>>()?;
    numbered.sort_by_key(|(index, _)| *index);
    Ok(numbered.into_iter().map(|(_, item)| item).collect())
}

/// A text as what the service takes it for; what cannot be read so stays a text, and the service refuses it.
fn read(kind: Option<Kind>, text: String) -> Value {
    let read = match kind {
        None => None,
        Some(Kind::Integer) => text.trim().parse::<i64>().ok().map(Value::from),
        Some(Kind::Number) => text.trim().parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from),
        Some(Kind::Flag) => text.to_ascii_lowercase().parse::<bool>().ok().map(Value::from),
        Some(Kind::Time) => Timestamp::parse_rfc3339(&text)
            .map(Timestamp::secs_f64)
            .ok()
            .or_else(|| text.parse().ok().filter(|seconds: &f64| seconds.is_finite()))
            .map(Value::from),
        Some(Kind::List) => text.is_empty().then(|| Value::Array(vec![])),
        Some(Kind::Map(..)) => text.is_empty().then(|| Value::Object(Map::new())),
    };
    read.unwrap_or(Value::String(text))
}
