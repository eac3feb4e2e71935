//! Carrying out a parsed query over events.

use super::parse::{Command, Expr, Named, Needle};
use crate::domain::time::Timestamp;
use serde_json::Value as Json;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// One event as a query sees it.
#[derive(Clone, Debug)]
pub struct Source<'a> {
    /// `account:group`
    pub log: &'a str,
    pub stream: &'a str,
    pub at_ms: i64,
    pub ingested_ms: i64,
    pub message: &'a str,
    pub pointer: String,
}

/// A value within a query; `None` is an absent one.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Text(String),
    Number(f64),
    /// Milliseconds since the Unix epoch, shown as a time.
    Time(i64),
}

impl Value {
    fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Time(ms) => {
                let text = Timestamp::from_millis(*ms).rfc3339();
                let (date, time) = text.split_once('T').unwrap_or((&text, "00:00:00"));
                let time = time.trim_end_matches('Z').split('.').next().unwrap_or_default().to_owned();
                format!("{date} {time}.{:03}", ms.rem_euclid(1000))
            }
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Self::Text(text) => text.trim().parse().ok(),
            Self::Number(number) => Some(*number),
            Self::Time(ms) => Some(*ms as f64),
        }
    }

    fn is_true(&self) -> bool {
        match self {
            Self::Text(text) => text == "true",
            Self::Number(number) => *number != 0.0,
            Self::Time(_) => true,
        }
    }
}

fn flag(truth: bool) -> Option<Value> {
    Some(Value::Number(if truth { 1.0 } else { 0.0 }))
}

/// What a row knows: the event and what earlier commands named.
struct Row<'a> {
    source: Option<Source<'a>>,
    /// Members of a message that is JSON, by their paths.
    found: BTreeMap<String, Value>,
    named: Vec<(String, Option<Value>)>,
}

/// The rows of an answer, and how many events matched.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    pub rows: Vec<Vec<(String, String)>>,
    pub matched: usize,
}

/// Runs the commands one after another. Without `sort` or `stats` the newest come first.
pub fn run(commands: &[Command], sources: Vec<Source<'_>>, most: usize) -> Outcome {
    let mut rows: Vec<Row<'_>> = sources.into_iter().map(Row::of).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.source.as_ref().map(|source| source.at_ms)));
    let (mut shown, mut limit): (Vec<String>, usize) = (Vec::new(), most);
    let mut matched = None;
    for command in commands {
        match command {
            Command::Filter(expr) => {
                rows.retain(|row| row.value(expr).is_some_and(|value| value.is_true()));
                matched = Some(rows.len());
            }
            Command::Fields(list) | Command::Display(list) => {
                if matches!(command, Command::Display(_)) {
                    shown.clear();
                }
                for Named { expr, name } in list {
                    for row in &mut rows {
                        let value = row.value(expr);
                        row.named.push((name.clone(), value));
                    }
                    shown.push(name.clone());
                }
            }
            Command::Sort(by) => rows.sort_by(|a, b| by_all(by, a, b)),
            Command::Limit(count) => limit = *count,
            Command::Dedup(list) => {
                let mut seen: Vec<Vec<String>> = Vec::new();
                rows.retain(|row| {
                    let key: Vec<String> = list.iter().map(|one| text_of(row.value(&one.expr))).collect();
                    let is_new = !seen.contains(&key);
                    seen.push(key);
                    is_new
                });
            }
            Command::Stats { of, by } => {
                matched = matched.or(Some(rows.len()));
                rows = grouped(&rows, of, by);
                shown = by.iter().chain(of).map(|one| one.name.clone()).collect();
            }
        }
    }
    if shown.is_empty() {
        shown = vec!["@timestamp".into(), "@message".into()];
    }
    let matched = matched.unwrap_or(rows.len());
    rows.truncate(limit.min(most));
    Outcome { rows: rows.iter().map(|row| row.shown(&shown)).collect(), matched }
}

fn text_of(value: Option<Value>) -> String {
    value.map_or_else(String::new, |value| value.shown())
}

fn by_all(by: &[(Expr, bool)], a: &Row<'_>, b: &Row<'_>) -> Ordering {
    for (expr, is_descending) in by {
        let (a, b) = (a.value(expr), b.value(expr));
        let order = compare(a.as_ref(), b.as_ref());
        // What is absent comes last either way.
        let is_reversed = *is_descending || a.is_some() != b.is_some();
        let order = if is_reversed { order.reverse() } else { order };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

/// Numbers by their size, others as texts; what is absent is least.
fn compare(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => match (a.number(), b.number()) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => a.shown().cmp(&b.shown()),
        },
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// The values that a group's rows have in common, and which rows they are.
type Group = (Vec<Option<Value>>, Vec<usize>);

fn grouped<'a>(rows: &[Row<'a>], of: &[Named], by: &[Named]) -> Vec<Row<'a>> {
    let mut groups: BTreeMap<Vec<String>, Group> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        let values: Vec<Option<Value>> = by.iter().map(|one| row.value(&one.expr)).collect();
        let key: Vec<String> = values.iter().map(|value| text_of(value.clone())).collect();
        groups.entry(key).or_insert_with(|| (values, Vec::new())).1.push(index);
    }
    let row_of = |(values, indexes): Group| {
        let members: Vec<&Row<'_>> = indexes.iter().map(|index| &rows[*index]).collect();
        let keys = by.iter().map(|one| one.name.clone()).zip(values);
        let sums = of.iter().map(|one| (one.name.clone(), aggregate(&one.expr, &members)));
        Row { source: None, found: BTreeMap::new(), named: keys.chain(sums).collect() }
    };
    groups.into_values().map(row_of).collect()
}

fn aggregate(expr: &Expr, rows: &[&Row<'_>]) -> Option<Value> {
    let Expr::Call(name, arguments) = expr else {
        if let Expr::Binary(operator, left, right) = expr {
            return arithmetic(operator, aggregate(left, rows)?.number()?, aggregate(right, rows)?.number()?);
        }
        return rows.first().and_then(|row| row.value(expr));
    };
    let first = arguments.first();
    let values = || rows.iter().filter_map(|row| first.and_then(|expr| row.value(expr)));
    let numbers: Vec<f64> = values().filter_map(|value| value.number()).collect();
    let sum = numbers.iter().sum::<f64>();
    match name.to_ascii_lowercase().as_str() {
        "count" => match first {
            None | Some(Expr::Field(_)) if first.is_none_or(|expr| *expr == Expr::Field("*".into())) => {
                Some(Value::Number(rows.len() as f64))
            }
            _ => Some(Value::Number(values().count() as f64)),
        },
        "count_distinct" => {
            let all: std::collections::BTreeSet<String> = values().map(|value| value.shown()).collect();
            Some(Value::Number(all.len() as f64))
        }
        "sum" => Some(Value::Number(sum)),
        "avg" => (!numbers.is_empty()).then(|| Value::Number(sum / numbers.len() as f64)),
        "min" => values().min_by(|a, b| compare(Some(a), Some(b))),
        "max" => values().max_by(|a, b| compare(Some(a), Some(b))),
        "earliest" => rows.iter().min_by_key(|row| row.at_ms()).and_then(|row| row.value(first?)),
        "latest" => rows.iter().max_by_key(|row| row.at_ms()).and_then(|row| row.value(first?)),
        "stddev" => {
            let mean = sum / numbers.len().max(1) as f64;
            let spread = numbers.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
            (!numbers.is_empty()).then(|| Value::Number((spread / numbers.len() as f64).sqrt()))
        }
        "pct" | "percentile" => {
            let Some(Expr::Number(percent)) = arguments.get(1) else { return None };
            let mut sorted = numbers;
            sorted.sort_by(f64::total_cmp);
            let index = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
            sorted.get(index.clamp(1, sorted.len().max(1)) - 1).copied().map(Value::Number)
        }
        _ => rows.first().and_then(|row| row.value(expr)),
    }
}

fn arithmetic(operator: &str, left: f64, right: f64) -> Option<Value> {
    let value = match operator {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" => left / right,
        _ => left.powf(right),
    };
    value.is_finite().then_some(Value::Number(value))
}

impl<'a> Row<'a> {
    fn of(source: Source<'a>) -> Self {
        let mut found = BTreeMap::new();
        if source.message.trim_start().starts_with('{')
            && let Ok(json) = serde_json::from_str::<Json>(source.message)
        {
            flatten("", &json, &mut found);
        }
        Self { source: Some(source), found, named: Vec::new() }
    }

    fn at_ms(&self) -> i64 {
        self.source.as_ref().map_or(0, |source| source.at_ms)
    }

    fn field(&self, name: &str) -> Option<Value> {
        if let Some((_, value)) = self.named.iter().rev().find(|(known, _)| known == name) {
            return value.clone();
        }
        let source = self.source.as_ref()?;
        match name {
            "@timestamp" => Some(Value::Time(source.at_ms)),
            "@ingestionTime" => Some(Value::Time(source.ingested_ms)),
            "@message" => Some(Value::Text(source.message.to_owned())),
            "@logStream" => Some(Value::Text(source.stream.to_owned())),
            "@log" => Some(Value::Text(source.log.to_owned())),
            "@ptr" => Some(Value::Text(source.pointer.clone())),
            other => self.found.get(other).cloned(),
        }
    }

    /// The fields that have a value, and the pointer of an event.
    fn shown(&self, names: &[String]) -> Vec<(String, String)> {
        let mut out: Vec<(String, String)> = Vec::new();
        for name in names {
            if let Some(value) = self.field(name).filter(|_| !out.iter().any(|(known, _)| known == name)) {
                out.push((name.clone(), value.shown()));
            }
        }
        if let Some(source) = &self.source {
            out.push(("@ptr".into(), source.pointer.clone()));
        }
        out
    }

    fn value(&self, expr: &Expr) -> Option<Value> {
        match expr {
            Expr::Number(number) => Some(Value::Number(*number)),
            Expr::Period(ms) => Some(Value::Number(*ms as f64)),
            Expr::Text(text) => Some(Value::Text(text.clone())),
            Expr::Field(name) => self.field(name),
            Expr::Not(inner) => flag(!self.value(inner).is_some_and(|value| value.is_true())),
            Expr::Like(inner, needle) => {
                let text = text_of(self.value(inner));
                flag(match needle {
                    Needle::Text(part) => text.contains(part.as_str()),
                    Needle::Regex(regex) => regex.is_match(&text),
                })
            }
            Expr::In(inner, all) => {
                let value = self.value(inner)?;
                flag(all.iter().any(|one| compare(self.value(one).as_ref(), Some(&value)) == Ordering::Equal))
            }
            Expr::Binary(operator, left, right) => self.binary(operator, left, right),
            Expr::Call(name, arguments) => self.call(&name.to_ascii_lowercase(), arguments),
        }
    }

    fn binary(&self, operator: &str, left: &Expr, right: &Expr) -> Option<Value> {
        let truth = |expr: &Expr| self.value(expr).is_some_and(|value| value.is_true());
        match operator {
            "and" => return flag(truth(left) && truth(right)),
            "or" => return flag(truth(left) || truth(right)),
            _ => {}
        }
        let (left, right) = (self.value(left), self.value(right));
        let order = compare(left.as_ref(), right.as_ref());
        let both = left.is_some() && right.is_some();
        match operator {
            "=" => flag(both && order == Ordering::Equal),
            "!=" => flag(!both || order != Ordering::Equal),
            "<" => flag(both && order == Ordering::Less),
            "<=" => flag(both && order != Ordering::Greater),
            ">" => flag(both && order == Ordering::Greater),
            ">=" => flag(both && order != Ordering::Less),
            _ => arithmetic(operator, left?.number()?, right?.number()?),
        }
    }

    fn call(&self, name: &str, arguments: &[Expr]) -> Option<Value> {
        let value = |index: usize| arguments.get(index).and_then(|expr| self.value(expr));
        let text = |index: usize| value(index).map(|value| value.shown());
        let number = |index: usize| value(index).and_then(|value| value.number());
        let numbers = || (0..arguments.len()).filter_map(number);
        match name {
            "ispresent" => flag(value(0).is_some()),
            "isempty" => flag(text(0).is_none_or(|text| text.is_empty())),
            "isblank" => flag(text(0).is_none_or(|text| text.trim().is_empty())),
            "coalesce" => (0..arguments.len()).find_map(value),
            "strlen" => Some(Value::Number(text(0)?.chars().count() as f64)),
            "strcontains" => flag(text(0)?.contains(&text(1)?)),
            "toupper" => Some(Value::Text(text(0)?.to_uppercase())),
            "tolower" => Some(Value::Text(text(0)?.to_lowercase())),
            "trim" => Some(Value::Text(text(0)?.trim().to_owned())),
            "concat" => Some(Value::Text((0..arguments.len()).filter_map(text).collect())),
            "substr" => {
                let (from, most) = (number(1)? as usize, number(2).map_or(usize::MAX, |most| most as usize));
                Some(Value::Text(text(0)?.chars().skip(from).take(most).collect()))
            }
            "abs" => Some(Value::Number(number(0)?.abs())),
            "ceil" => Some(Value::Number(number(0)?.ceil())),
            "floor" => Some(Value::Number(number(0)?.floor())),
            "sqrt" => Some(Value::Number(number(0)?.sqrt())),
            "log" => Some(Value::Number(number(0)?.ln())),
            "greatest" => numbers().max_by(f64::total_cmp).map(Value::Number),
            "least" => numbers().min_by(f64::total_cmp).map(Value::Number),
            "tomillis" => Some(Value::Number(number(0)?)),
            "frommillis" => Some(Value::Time(number(0)? as i64)),
            "bin" => {
                let period = (number(0)? as i64).max(1);
                Some(Value::Time(self.at_ms().div_euclid(period) * period))
            }
            "datefloor" | "dateceil" => {
                let (at, period) = (number(0)? as i64, (number(1)? as i64).max(1));
                let floor = at.div_euclid(period) * period;
                Some(Value::Time(if name == "dateceil" && floor < at { floor + period } else { floor }))
            }
            _ => None,
        }
    }
}

/// `{"a": {"b": [1]}}` has `a.b.0`.
fn flatten(path: &str, json: &Json, found: &mut BTreeMap<String, Value>) {
    let under = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match json {
        Json::Object(members) => members.iter().for_each(|(name, value)| flatten(&under(name), value, found)),
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| flatten(&under(&index.to_string()), value, found));
        }
        Json::String(text) => {
            found.insert(path.to_owned(), Value::Text(text.clone()));
        }
        Json::Number(number) => {
            found.insert(path.to_owned(), Value::Number(number.as_f64().unwrap_or_default()));
        }
        Json::Bool(truth) => {
            found.insert(path.to_owned(), Value::Text(truth.to_string()));
        }
        Json::Null => {}
    }
}
