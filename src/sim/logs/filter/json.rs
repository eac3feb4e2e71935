//! Patterns for JSON events: `{ $.status = 5* && $.user.id != 7 }`.

use super::condition::{Comparison, Tree};
use serde_json::Value;

/// What stands between the braces.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonFilter {
    tree: Tree<Condition>,
}

#[derive(Clone, Debug, PartialEq)]
struct Condition {
    /// As written.
    text: String,
    selector: Vec<Step>,
    test: Test,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Member(String),
    Element(usize),
    /// Every member or element.
    Any,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Compares(Comparison),
    IsNull,
    IsTrue,
    IsFalse,
    NotExists,
}

impl JsonFilter {
    pub fn parse(text: &str) -> Result<Self, String> {
        let (tree, rest) = Tree::parse(text, 0, &condition)?;
        if rest.trim().is_empty() { Ok(Self { tree }) } else { Err(format!("unexpected '{}'", rest.trim())) }
    }

    /// Events that are no JSON object match nothing.
    pub fn is_match(&self, message: &str) -> bool {
        let Ok(value @ Value::Object(_)) = serde_json::from_str::<Value>(message) else { return false };
        self.tree.holds(&|condition: &Condition| condition.is_met(&value))
    }

    /// (selector, what it leads to) for each condition's selector.
    pub fn selected(&self, message: &str) -> Vec<(String, String)> {
        let Ok(value) = serde_json::from_str::<Value>(message) else { return Vec::new() };
        let mut all = Vec::new();
        self.tree.each(&mut |condition: &Condition| {
            let text = found(&value, &condition.selector).first().and_then(|value| text_of(value));
            all.extend(text.map(|text| (condition.text.clone(), text)));
        });
        all
    }
}

/// What a selector leads to in a message that is JSON, as text; nothing for structures.
pub fn select(message: &str, text: &str) -> Option<String> {
    let (steps, rest) = selector(text).ok()?;
    let value: Value = serde_json::from_str(message).ok()?;
    if rest.trim().is_empty() { text_of(found(&value, &steps).first()?) } else { None }
}

fn found<'a>(value: &'a Value, steps: &[Step]) -> Vec<&'a Value> {
    steps.iter().fold(vec![value], |found, step| found.into_iter().flat_map(|value| step.of(value)).collect())
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn condition(text: &str) -> Result<(Condition, &str), String> {
    let (selector, rest) = selector(text)?;
    let text = text[..text.len() - rest.len()].trim_end().to_owned();
    let rest = rest.trim_start();
    for (words, test) in [
        ("IS NULL", Test::IsNull),
        ("IS TRUE", Test::IsTrue),
        ("IS FALSE", Test::IsFalse),
        ("NOT EXISTS", Test::NotExists),
    ] {
        if let Some(rest) = rest.strip_prefix(words) {
            return Ok((Condition { text, selector, test }, rest));
        }
    }
    let (comparison, rest) = Comparison::parse(rest)?;
    Ok((Condition { text, selector, test: Test::Compares(comparison) }, rest))
}

/// `$.a.b[0]`, `$.a[*]`, `$.*`, `$.['a.b']`
fn selector(text: &str) -> Result<(Vec<Step>, &str), String> {
    let mut rest = text.strip_prefix('$').ok_or("a selector begins with '$.'")?;
    let mut steps = Vec::new();
    loop {
        let tail = rest.strip_prefix('.').unwrap_or(rest);
        if let Some(inner) = tail.strip_prefix('[') {
            let (index, after) = inner.split_once(']').ok_or("expected ']'")?;
            let quoted = |quote: char| index.strip_prefix(quote)?.strip_suffix(quote);
            steps.push(match quoted('\'').or_else(|| quoted('"')) {
                Some(name) => Step::Member(name.to_owned()),
                None if index == "*" => Step::Any,
                None => Step::Element(index.parse().map_err(|_| format!("'{index}' is no element"))?),
            });
            rest = after;
        } else if rest.starts_with('.') {
            if let Some(after) = tail.strip_prefix('*') {
                steps.push(Step::Any);
                rest = after;
                continue;
            }
            let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '@' | ':');
            let end = tail.find(|c| !is_name(c)).unwrap_or(tail.len());
            if end == 0 {
                return Err("a property's name is empty".into());
            }
            steps.push(Step::Member(tail[..end].to_owned()));
            rest = &tail[end..];
        } else if steps.is_empty() {
            return Err("a selector begins with '$.'".into());
        } else {
            return Ok((steps, rest));
        }
    }
}

impl Condition {
    fn is_met(&self, value: &Value) -> bool {
        let found = found(value, &self.selector);
        match &self.test {
            Test::NotExists => found.is_empty(),
            Test::IsNull => found.iter().any(|value| value.is_null()),
            Test::IsTrue => found.iter().any(|value| **value == Value::Bool(true)),
            Test::IsFalse => found.iter().any(|value| **value == Value::Bool(false)),
            Test::Compares(comparison) => found.iter().any(|value| match value {
                Value::String(text) => comparison.is_met(text, None),
                Value::Number(number) => comparison.is_met(&number.to_string(), number.as_f64()),
                Value::Bool(flag) => comparison.is_met(&flag.to_string(), None),
                Value::Null | Value::Array(_) | Value::Object(_) => false,
            }),
        }
    }
}

impl Step {
    fn of<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        match (self, value) {
            (Self::Member(name), Value::Object(members)) => members.get(name).into_iter().collect(),
            (Self::Element(index), Value::Array(items)) => items.get(*index).into_iter().collect(),
            (Self::Any, Value::Object(members)) => members.values().collect(),
            (Self::Any, Value::Array(items)) => items.iter().collect(),
            _ => Vec::new(),
        }
    }
}
