//! Carrying out a parsed query over events.

use super::functions;
use super::parse::{Command, Expr, Named, Needle, name_of};
use super::pattern::Pattern;
use super::value::{Value, compare, flag, of_json, text_of};
use crate::domain::time::Timestamp;
use serde_json::Value as Json;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

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

/// What a row knows: the event and what earlier commands named.
struct Row<'a> {
    source: Option<Source<'a>>,
    /// Members of a message that is JSON, by their paths.
    found: BTreeMap<String, Value>,
    named: Vec<(String, Option<Value>)>,
    /// When the query was started.
    now: Timestamp,
}

/// The rows of an answer, and how many events matched.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    pub rows: Vec<Vec<(String, String)>>,
    pub matched: usize,
}

/// The columns of an answer: what `fields`, `display` or `stats` named, and what `parse` took out of the events.
#[derive(Default)]
struct Columns {
    named: Vec<String>,
    extracted: Vec<String>,
}

impl Columns {
    fn only(named: Vec<String>) -> Self {
        Self { named, extracted: Vec::new() }
    }

    fn all(mut self) -> Vec<String> {
        if self.named.is_empty() {
            self.named = vec!["@timestamp".into(), "@message".into()];
        }
        self.named.append(&mut self.extracted);
        self.named
    }
}

/// Runs the commands one after another. Without `sort` or `stats` the newest come first.
pub fn run(commands: &[Command], sources: Vec<Source<'_>>, most: usize, now: Timestamp) -> Outcome {
    let mut rows: Vec<Row<'_>> = sources.into_iter().map(|source| Row::of(source, now)).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.source.as_ref().map(|source| source.at_ms)));
    let (mut shown, mut limit) = (Columns::default(), most);
    let mut matched = None;
    for command in commands {
        match command {
            Command::Filter(expr) => {
                rows.retain(|row| row.value(expr).is_some_and(|value| value.is_true()));
                matched = Some(rows.len());
            }
            Command::Fields(list) | Command::Display(list) => {
                if matches!(command, Command::Display(_)) {
                    shown = Columns::default();
                }
                for Named { expr, name } in list {
                    for row in &mut rows {
                        let value = row.value(expr);
                        row.named.push((name.clone(), value));
                    }
                    shown.named.push(name.clone());
                }
            }
            Command::Parse(expr, pattern) => {
                rows.iter_mut().for_each(|row| row.extract(expr, pattern));
                shown.extracted.extend(pattern.names().map(str::to_owned));
            }
            Command::Sort(by) => rows.sort_by(|a, b| by_all(by, a, b)),
            Command::Limit(count) => limit = *count,
            Command::Dedup(list) => dedup(&mut rows, list),
            Command::Stats { of, by } => {
                matched = matched.or(Some(rows.len()));
                rows = grouped(&rows, of, by, now);
                shown = Columns::only(by.iter().chain(of).map(|one| one.name.clone()).collect());
            }
        }
    }
    let (shown, matched) = (shown.all(), matched.unwrap_or(rows.len()));
    rows.truncate(limit.min(most));
    Outcome { rows: rows.iter().map(|row| row.shown(&shown)).collect(), matched }
}

/// Keeps the first of the rows that agree in all values. A row that lacks one of them is like no other and stays.
fn dedup(rows: &mut Vec<Row<'_>>, list: &[Named]) {
    let mut seen: BTreeSet<Vec<String>> = BTreeSet::new();
    rows.retain(|row| {
        let key: Option<Vec<String>> = list.iter().map(|one| Some(row.value(&one.expr)?.shown())).collect();
        key.is_none_or(|key| seen.insert(key))
    });
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

/// The values that a group's rows have in common, and which rows they are.
type Group = (Vec<Option<Value>>, Vec<usize>);

fn grouped<'a>(rows: &[Row<'a>], of: &[Named], by: &[Named], now: Timestamp) -> Vec<Row<'a>> {
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
        Row { source: None, found: BTreeMap::new(), named: keys.chain(sums).collect(), now }
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
            let all: BTreeSet<String> = values().map(|value| value.shown()).collect();
            Some(Value::Number(all.len() as f64))
        }
        "sum" => Some(Value::Number(sum)),
        "avg" => (!numbers.is_empty()).then(|| Value::Number(sum / numbers.len() as f64)),
        "min" => values().min_by(|a, b| compare(Some(a), Some(b))),
        "max" => values().max_by(|a, b| compare(Some(a), Some(b))),
        "earliest" => rows.iter().min_by_key(|row| row.at_ms()).and_then(|row| row.value(first?)),
        "sortsfirst" => values().min_by_key(Value::shown),
        "sortslast" => values().max_by_key(Value::shown),
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
        name => {
            let values: Vec<Option<Value>> = arguments.iter().map(|one| aggregate(one, rows)).collect();
            let row = rows.first()?;
            functions::call(name, &values, (row.at_ms(), row.now))
        }
    }
}

fn arithmetic(operator: &str, left: f64, right: f64) -> Option<Value> {
    let value = match operator {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" => left / right,
        "%" => left % right,
        _ => left.powf(right),
    };
    value.is_finite().then_some(Value::Number(value))
}

impl<'a> Row<'a> {
    fn of(source: Source<'a>, now: Timestamp) -> Self {
        let mut found = BTreeMap::new();
        if source.message.trim_start().starts_with('{')
            && let Ok(json) = serde_json::from_str::<Json>(source.message)
        {
            flatten("", &json, &mut found);
        }
        Self { source: Some(source), found, named: Vec::new(), now }
    }

    fn at_ms(&self) -> i64 {
        self.source.as_ref().map_or(0, |source| source.at_ms)
    }

    fn field(&self, name: &str) -> Option<Value> {
        if let Some((_, value)) = self.named.iter().rev().find(|(known, _)| known == name) {
            return value.clone();
        }
        if let Some(value) = self.member(name) {
            return Some(value);
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

    /// A member of a map or a list that has a name: `map.member`, `list[0]`.
    fn member(&self, name: &str) -> Option<Value> {
        let of_row = |known: &str, json: &Json| {
            let path = name.strip_prefix(known).filter(|path| path.starts_with(['.', '[']))?;
            let mut steps = path.split(['.', '[']).skip(1).map(|step| step.trim_end_matches(']'));
            let found = steps.try_fold(json, |json, step| match json {
                Json::Array(items) => items.get(step.parse::<usize>().ok()?),
                json => json.get(step),
            });
            of_json(found?)
        };
        self.named.iter().rev().find_map(|(known, value)| match value {
            Some(Value::Json(json)) => of_row(known, json),
            _ => None,
        })
    }

    /// Names what the pattern finds in a value; a row in which it finds nothing stays as it is.
    fn extract(&mut self, expr: &Expr, pattern: &Pattern) {
        let text = text_of(self.value(expr));
        let found = pattern.extract(&text).map(|(name, value)| (name, Some(Value::Text(value))));
        self.named.extend(found);
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
            // What `stats` reckoned is a field of its rows.
            Expr::Call(name, _) if functions::is_aggregate(name) => self.field(&name_of(expr)),
            Expr::Call(name, arguments) => {
                let values: Vec<Option<Value>> = arguments.iter().map(|one| self.value(one)).collect();
                functions::call(&name.to_ascii_lowercase(), &values, (self.at_ms(), self.now))
            }
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
}

/// `{"a": {"b": [1]}}` has `a.b.0`.
fn flatten(path: &str, json: &Json, found: &mut BTreeMap<String, Value>) {
    let under = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match json {
        Json::Object(members) => members.iter().for_each(|(name, value)| flatten(&under(name), value, found)),
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| flatten(&under(&index.to_string()), value, found));
        }
        json => {
            if let Some(value) = of_json(json) {
                found.insert(path.to_owned(), value);
            }
        }
    }
}
