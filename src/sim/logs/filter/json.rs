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
}

fn condition(text: &str) -> Result<(Condition, &str), String> {
    let (selector, rest) = selector(text)?;
    let rest = rest.trim_start();
    for (words, test) in [
        ("IS NULL", Test::IsNull),
        ("IS TRUE", Test::IsTrue),
        ("IS FALSE", Test::IsFalse),
        ("NOT EXISTS", Test::NotExists),
    ] {
        if let Some(rest) = rest.strip_prefix(words) {
            return Ok((Condition { selector, test }, rest));
        }
    }
    let (comparison, rest) = Comparison::parse(rest)?;
    Ok((Condition { selector, test: Test::Compares(comparison) }, rest))
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
        let mut found = vec![value];
        for step in &self.selector {
            found = found.into_iter().flat_map(|value| step.of(value)).collect();
        }
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
