//! Metric math: what an expression makes of the series that it names ("Using metric math").

use crate::domain::time::Timestamp;
use crate::sim::cloudwatch::expression::{Ast, Operator};
use crate::sim::cloudwatch::{Metric, array};
use std::collections::BTreeMap;
use std::time::Duration;

/// No series is filled beyond what one page can hold.
const GRID_MAX: usize = 100_800;

/// A series of a request: points in order of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub label: String,
    pub period_s: i64,
    pub points: Vec<(Timestamp, f64)>,
    /// The metric that it is of, for labels.
    pub origin: Option<Origin>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    pub metric: Metric,
    pub statistic: String,
}

/// What a query came to. An array stays one where it holds a single series or none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    pub lines: Vec<Line>,
    pub is_array: bool,
}

/// `SEARCH`: the series of a search and a statistic, of a period in seconds where it names one.
pub type Searching<'a> = &'a dyn Fn(&str, &str, Option<i64>) -> Result<Vec<Line>, String>;

/// What an expression is made of, and what it comes to.
#[derive(Clone, Debug, PartialEq)]
enum Operand {
    Scalar(f64),
    Line(Line),
    Lines(Vec<Line>),
}

/// What an expression can see.
pub struct Scope<'a> {
    /// What other queries came to, by id.
    pub found: &'a BTreeMap<&'a str, Found>,
    /// Ids of the queries that are metrics, in the request's order: what `METRICS()` means.
    pub metrics: &'a [&'a str],
    /// The request's first period and its end, for `FILL` and `TIME_SERIES`.
    pub span: (Timestamp, Timestamp),
    pub search: Searching<'a>,
}

/// The expression's series; says what is wrong with it otherwise.
pub fn evaluate(ast: &Ast, scope: &Scope<'_>) -> Result<Found, String> {
    let (lines, is_array) = match scope.operand(ast)? {
        Operand::Line(line) => (vec![line], false),
        Operand::Lines(lines) => (lines, true),
        Operand::Scalar(_) => return Err("The expression must return a time series".into()),
    };
    Ok(Found { lines: lines.into_iter().map(finite).collect(), is_array })
}

/// A division by zero or the like is no datapoint.
fn finite(mut line: Line) -> Line {
    line.points.retain(|(_, value)| value.is_finite());
    line
}

impl Scope<'_> {
    fn operand(&self, ast: &Ast) -> Result<Operand, String> {
        match ast {
            Ast::Number(number) => Ok(Operand::Scalar(*number)),
            Ast::Id(id) => {
                let found = self.found.get(id.as_str()).ok_or_else(|| format!("Unknown id '{id}'"))?;
                Ok(match &found.lines[..] {
                    [one] if !found.is_array => Operand::Line(one.clone()),
                    lines => Operand::Lines(lines.to_vec()),
                })
            }
            Ast::List(parts) => {
                let parts: Vec<Operand> = parts.iter().map(|part| self.operand(part)).collect::<Result<_, _>>()?;
                parts.into_iter().map(lines_of).collect::<Result<Vec<_>, _>>().map(|all| Operand::Lines(all.concat()))
            }
            Ast::Negated(part) => self.operand(part)?.map(|value| -value),
            Ast::Binary(operator, left, right) => binary(*operator, self.operand(left)?, self.operand(right)?),
            Ast::Call(name, arguments) => self.call(name, arguments),
            Ast::Text(text) | Ast::Keyword(text) => Err(format!("Unexpected '{text}'")),
        }
    }

    fn call(&self, name: &str, arguments: &[Ast]) -> Result<Operand, String> {
        match (name, arguments) {
            ("METRICS", []) => Ok(self.metrics("")),
            ("METRICS", [Ast::Text(part)]) => Ok(self.metrics(part)),
            ("FILL", [series, filling]) => self.fill(series, filling),
            ("IF", [condition, then]) => self.choose(condition, then, None),
            ("IF", [condition, then, otherwise]) => self.choose(condition, then, Some(otherwise)),
            ("TIME_SERIES", [scalar]) => match self.operand(scalar)? {
                Operand::Scalar(value) => {
                    let lines = self.found.values().flat_map(|found| &found.lines);
                    let period_s = lines.map(|line| line.period_s).max().unwrap_or(60);
                    let points = self.grid(period_s).map(|at| (at, value)).collect();
                    Ok(Operand::Line(Line { label: name.to_owned(), period_s, points, origin: None }))
                }
                _ => Err("TIME_SERIES takes a scalar".into()),
            },
            ("SEARCH", [Ast::Text(search), Ast::Text(statistic), period @ ..]) if period.len() <= 1 => {
                let period_s = period.first().map(|period| self.number(name, period)).transpose()?;
                (self.search)(search, statistic, period_s.map(|period_s| period_s as i64)).map(Operand::Lines)
            }
            ("SORT", [series, Ast::Keyword(by), Ast::Keyword(order), limit @ ..]) if limit.len() <= 1 => {
                let mut lines = lines_of(self.operand(series)?)?;
                array::sort(&mut lines, by, order)?;
                let limit = limit.first().map(|limit| self.number(name, limit)).transpose()?;
                Ok(Operand::Lines(array::slice(lines, 0.0, limit)))
            }
            ("SLICE", [series, from, to @ ..]) if to.len() <= 1 => {
                let lines = lines_of(self.operand(series)?)?;
                let to = to.first().map(|to| self.number(name, to)).transpose()?;
                Ok(Operand::Lines(array::slice(lines, self.number(name, from)?, to)))
            }
            (_, [argument]) => one_argument(name, self.operand(argument)?),
            _ => Err(format!("Unsupported function '{name}' with {} arguments", arguments.len())),
        }
    }

    fn metrics(&self, part: &str) -> Operand {
        let ids = self.metrics.iter().filter(|id| id.contains(part));
        Operand::Lines(ids.filter_map(|id| self.found.get(id)).flat_map(|found| &found.lines).cloned().collect())
    }

    /// A scalar argument.
    fn number(&self, function: &str, ast: &Ast) -> Result<f64, String> {
        match self.operand(ast)? {
            Operand::Scalar(number) => Ok(number),
            _ => Err(format!("{function} takes a number here")),
        }
    }

    /// The starts of the request's periods, as many as a page can hold.
    fn grid(&self, period_s: i64) -> impl Iterator<Item = Timestamp> {
        let (from, end) = self.span;
        let step = Duration::from_secs(period_s.max(1) as u64);
        std::iter::successors(Some(from), move |at| Some(*at + step)).take_while(move |at| *at < end).take(GRID_MAX)
    }

    fn fill(&self, series: &Ast, filling: &Ast) -> Result<Operand, String> {
        let filling = match filling {
            Ast::Keyword(word) if word == "REPEAT" => Filling::Repeat,
            Ast::Keyword(word) if word == "LINEAR" => Filling::Linear,
            other => match self.operand(other)? {
                Operand::Scalar(value) => Filling::Constant(value),
                _ => return Err("FILL takes a scalar, REPEAT or LINEAR".into()),
            },
        };
        Ok(match self.operand(series)? {
            Operand::Scalar(_) => return Err("FILL takes a time series".into()),
            Operand::Line(line) => Operand::Line(self.filled(line, filling)),
            Operand::Lines(lines) => Operand::Lines(lines.into_iter().map(|line| self.filled(line, filling)).collect()),
        })
    }

    fn filled(&self, mut line: Line, filling: Filling) -> Line {
        let known: BTreeMap<Timestamp, f64> = line.points.iter().copied().collect();
        let value_at = |at: Timestamp| {
            let before = known.range(..=at).next_back();
            match (before, filling) {
                (Some((exact, value)), _) if *exact == at => Some(*value),
                (_, Filling::Constant(value)) => Some(value),
                (Some((_, value)), Filling::Repeat) => Some(*value),
                (Some((t0, v0)), Filling::Linear) => {
                    let (t1, v1) = known.range(at..).next()?;
                    Some(v0 + (v1 - v0) * at.since(*t0).as_secs_f64() / t1.since(*t0).as_secs_f64())
                }
                (None, _) => None,
            }
        };
        line.points = self.grid(line.period_s).filter_map(|at| Some((at, value_at(at)?))).collect();
        line
    }

    fn choose(&self, condition: &Ast, then: &Ast, otherwise: Option<&Ast>) -> Result<Operand, String> {
        let then = self.operand(then)?;
        let otherwise = otherwise.map(|otherwise| self.operand(otherwise)).transpose()?;
        let mut line = match self.operand(condition)? {
            Operand::Scalar(value) if value != 0.0 => return Ok(then),
            Operand::Scalar(_) => return otherwise.ok_or_else(|| "IF has no value to return".into()),
            Operand::Line(line) => line,
            Operand::Lines(_) => return Err("IF takes a scalar or one time series as its condition".into()),
        };
        let (then, otherwise) = (lookup(&then)?, otherwise.as_ref().map(lookup).transpose()?);
        let pick = |(at, condition): &(Timestamp, f64)| {
            let value = if *condition != 0.0 { then(*at) } else { otherwise.as_ref().and_then(|get| get(*at)) };
            value.map(|value| (*at, value))
        };
        line.points = line.points.iter().filter_map(pick).collect();
        Ok(Operand::Line(line))
    }
}

#[derive(Clone, Copy)]
enum Filling {
    Constant(f64),
    Repeat,
    Linear,
}

/// How an operand is read at a time.
fn lookup(operand: &Operand) -> Result<Box<dyn Fn(Timestamp) -> Option<f64> + '_>, String> {
    match operand {
        Operand::Scalar(value) => Ok(Box::new(move |_| Some(*value))),
        Operand::Line(line) => Ok(Box::new(move |at| {
            line.points.binary_search_by_key(&at, |(t, _)| *t).ok().map(|index| line.points[index].1)
        })),
        Operand::Lines(_) => Err("IF takes scalars or single time series".into()),
    }
}

impl Operand {
    fn map(self, compute: impl Fn(f64) -> f64) -> Result<Self, String> {
        let of_line = |mut line: Line| {
            line.points.iter_mut().for_each(|(_, value)| *value = compute(*value));
            line
        };
        Ok(match self {
            Self::Scalar(value) => Self::Scalar(compute(value)),
            Self::Line(line) => Self::Line(of_line(line)),
            Self::Lines(lines) => Self::Lines(lines.into_iter().map(of_line).collect()),
        })
    }
}

fn lines_of(operand: Operand) -> Result<Vec<Line>, String> {
    match operand {
        Operand::Line(line) => Ok(vec![line]),
        Operand::Lines(lines) => Ok(lines),
        Operand::Scalar(_) => Err("A list takes time series only".into()),
    }
}

fn apply(operator: Operator, a: f64, b: f64) -> f64 {
    let truth = |yes: bool| if yes { 1.0 } else { 0.0 };
    match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide => a / b,
        Operator::Power => a.powf(b),
        Operator::Equal => truth(a == b),
        Operator::NotEqual => truth(a != b),
        Operator::Less => truth(a < b),
        Operator::LessOrEqual => truth(a <= b),
        Operator::Greater => truth(a > b),
        Operator::GreaterOrEqual => truth(a >= b),
        Operator::And => truth(a != 0.0 && b != 0.0),
        Operator::Or => truth(a != 0.0 || b != 0.0),
    }
}

/// Two series meet where both have a datapoint.
fn binary(operator: Operator, left: Operand, right: Operand) -> Result<Operand, String> {
    let join = |a: &Line, b: &Line, named: &Line| {
        let known: BTreeMap<Timestamp, f64> = b.points.iter().copied().collect();
        let points = a.points.iter().filter_map(|(at, x)| Some((*at, apply(operator, *x, *known.get(at)?))));
        Line { period_s: a.period_s.max(b.period_s), points: points.collect(), ..named.clone() }
    };
    Ok(match (left, right) {
        (Operand::Scalar(a), Operand::Scalar(b)) => Operand::Scalar(apply(operator, a, b)),
        (left, Operand::Scalar(b)) => left.map(|a| apply(operator, a, b))?,
        (Operand::Scalar(a), right) => right.map(|b| apply(operator, a, b))?,
        (Operand::Line(a), Operand::Line(b)) => Operand::Line(join(&a, &b, &a)),
        (Operand::Lines(lines), Operand::Line(b)) => Operand::Lines(lines.iter().map(|a| join(a, &b, a)).collect()),
        (Operand::Line(a), Operand::Lines(lines)) => Operand::Lines(lines.iter().map(|b| join(&a, b, b)).collect()),
        (Operand::Lines(_), Operand::Lines(_)) => return Err("Two arrays of time series cannot be combined".into()),
    })
}

fn one_argument(name: &str, argument: Operand) -> Result<Operand, String> {
    if let Some(of_time) = array::calendar(name) {
        return at_times(name, argument, of_time);
    }
    match name {
        "ABS" => argument.map(f64::abs),
        "CEIL" => argument.map(f64::ceil),
        "FLOOR" => argument.map(f64::floor),
        "LOG" => argument.map(f64::ln),
        "LOG10" => argument.map(f64::log10),
        "SUM" | "AVG" | "MIN" | "MAX" | "STDDEV" => reduce(name, argument),
        "REMOVE_EMPTY" => {
            let lines = lines_of(argument)?;
            Ok(Operand::Lines(lines.into_iter().filter(|line| !line.points.is_empty()).collect()))
        }
        "FIRST" | "LAST" => {
            let mut lines = lines_of(argument)?.into_iter();
            let line = if name == "FIRST" { lines.next() } else { lines.next_back() };
            line.map(Operand::Line).ok_or_else(|| format!("{name} takes at least one time series"))
        }
        "METRIC_COUNT" => Ok(Operand::Scalar(lines_of(argument)?.len() as f64)),
        "PERIOD" | "DATAPOINT_COUNT" | "RATE" | "DIFF" | "DIFF_TIME" | "RUNNING_SUM" => match argument {
            Operand::Scalar(_) => Err(format!("{name} takes a time series")),
            Operand::Line(line) => Ok(along(name, line)),
            Operand::Lines(lines) => {
                let each = lines.into_iter().map(|line| match along(name, line) {
                    Operand::Line(line) => Ok(line),
                    _ => Err(format!("{name} takes one time series")),
                });
                each.collect::<Result<_, _>>().map(Operand::Lines)
            }
        },
        _ => Err(format!("Unsupported function '{name}'")),
    }
}

/// Each datapoint's value comes from its time.
fn at_times(name: &str, argument: Operand, of_time: fn(Timestamp) -> f64) -> Result<Operand, String> {
    let timed = |mut line: Line| {
        line.points.iter_mut().for_each(|(at, value)| *value = of_time(*at));
        line
    };
    match argument {
        Operand::Scalar(_) => Err(format!("{name} takes a time series")),
        Operand::Line(line) => Ok(Operand::Line(timed(line))),
        Operand::Lines(lines) => Ok(Operand::Lines(lines.into_iter().map(timed).collect())),
    }
}

/// A series comes to a scalar; several series come to one, time by time.
fn reduce(name: &str, argument: Operand) -> Result<Operand, String> {
    match argument {
        Operand::Scalar(value) => Ok(Operand::Scalar(value)),
        Operand::Line(line) => {
            let values: Vec<f64> = line.points.iter().map(|(_, value)| *value).collect();
            Ok(Operand::Scalar(reduced(name, &values)))
        }
        Operand::Lines(lines) => {
            let mut by_time: BTreeMap<Timestamp, Vec<f64>> = BTreeMap::new();
            for (at, value) in lines.iter().flat_map(|line| &line.points) {
                by_time.entry(*at).or_default().push(*value);
            }
            let points = by_time.iter().map(|(at, values)| (*at, reduced(name, values))).collect();
            let period_s = lines.iter().map(|line| line.period_s).max().unwrap_or(60);
            Ok(Operand::Line(Line { label: name.to_owned(), period_s, points, origin: None }))
        }
    }
}

pub(super) fn reduced(name: &str, values: &[f64]) -> f64 {
    let (sum, count) = (values.iter().sum::<f64>(), values.len() as f64);
    match name {
        "SUM" => sum,
        "AVG" => sum / count,
        "MIN" => values.iter().copied().fold(f64::INFINITY, f64::min),
        "MAX" => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        _ => (values.iter().map(|value| (value - sum / count).powi(2)).sum::<f64>() / count).sqrt(),
    }
}

/// Functions of each datapoint and the one before it.
fn along(name: &str, mut line: Line) -> Operand {
    let pairs = line.points.windows(2);
    line.points = match name {
        "PERIOD" => return Operand::Scalar(line.period_s as f64),
        "DATAPOINT_COUNT" => return Operand::Scalar(line.points.len() as f64),
        "RATE" => pairs.map(|p| (p[1].0, (p[1].1 - p[0].1) / p[1].0.since(p[0].0).as_secs_f64())).collect(),
        "DIFF" => pairs.map(|p| (p[1].0, p[1].1 - p[0].1)).collect(),
        "DIFF_TIME" => pairs.map(|p| (p[1].0, p[1].0.since(p[0].0).as_secs_f64())).collect(),
        _ => {
            let running = |sum: &mut f64, (at, value): &(Timestamp, f64)| {
                *sum += value;
                Some((*at, *sum))
            };
            line.points.iter().scan(0.0, running).collect()
        }
    };
    Operand::Line(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::cloudwatch::expression::parse;

    fn minute(i: i64) -> Timestamp {
        Timestamp::from_millis(i * 60_000)
    }

    /// `a` has minutes 0, 1, 3 of five; `b` has all; `none` has nothing.
    fn of(text: &str) -> Result<Vec<(i64, f64)>, String> {
        let line = |points: &[(i64, f64)]| Line {
            label: "m".into(),
            period_s: 60,
            points: points.iter().map(|(i, v)| (minute(*i), *v)).collect(),
            origin: None,
        };
        let one = |points: &[(i64, f64)]| Found { lines: vec![line(points)], is_array: false };
        let found = BTreeMap::from([
            ("a", one(&[(0, 2.0), (1, 4.0), (3, 8.0)])),
            ("b", one(&[(0, 1.0), (1, 0.0), (2, 3.0), (3, 4.0), (4, 5.0)])),
            ("none", one(&[])),
        ]);
        let search = |_: &str, _: &str, _: Option<i64>| Ok(vec![]);
        let span = (minute(0), minute(5));
        let scope = Scope { found: &found, metrics: &["a", "b", "none"], span, search: &search };
        let found = evaluate(&parse(text)?, &scope)?.lines;
        assert_eq!(found.len(), 1, "{text}");
        Ok(found[0].points.iter().map(|(at, value)| (at.secs() / 60, *value)).collect())
    }

    #[test]
    fn arithmetic_and_functions() {
        let cases: [(&str, &[(i64, f64)]); 23] = [
            ("a + b", &[(0, 3.0), (1, 4.0), (3, 12.0)]),
            ("a / b", &[(0, 2.0), (3, 2.0)]),
            ("100 * a / SUM(b)", &[(0, 200.0 / 13.0), (1, 400.0 / 13.0), (3, 800.0 / 13.0)]),
            ("-a ^ 2 + 1", &[(0, -3.0), (1, -15.0), (3, -63.0)]),
            ("FILL(a, 0)", &[(0, 2.0), (1, 4.0), (2, 0.0), (3, 8.0), (4, 0.0)]),
            ("FILL(a, REPEAT)", &[(0, 2.0), (1, 4.0), (2, 4.0), (3, 8.0), (4, 8.0)]),
            ("FILL(a, LINEAR)", &[(0, 2.0), (1, 4.0), (2, 6.0), (3, 8.0)]),
            ("FILL(none, 0) + a", &[(0, 2.0), (1, 4.0), (3, 8.0)]),
            ("SUM(METRICS())", &[(0, 3.0), (1, 4.0), (2, 3.0), (3, 12.0), (4, 5.0)]),
            ("MAX([a, b])", &[(0, 2.0), (1, 4.0), (2, 3.0), (3, 8.0), (4, 5.0)]),
            ("IF(b > 2, b, 0)", &[(0, 0.0), (1, 0.0), (2, 3.0), (3, 4.0), (4, 5.0)]),
            ("IF(b > 2, a)", &[(3, 8.0)]),
            ("RATE(a) * PERIOD(a)", &[(1, 2.0), (3, 2.0)]),
            ("RUNNING_SUM(a)", &[(0, 2.0), (1, 6.0), (3, 14.0)]),
            ("FIRST(SORT(METRICS(), MAX, DESC))", &[(0, 2.0), (1, 4.0), (3, 8.0)]),
            ("FIRST(SORT(METRICS(), AVG, ASC))", &[(0, 1.0), (1, 0.0), (2, 3.0), (3, 4.0), (4, 5.0)]),
            ("LAST(SORT(METRICS(), AVG, ASC))", &[]),
            ("SORT(METRICS(), SUM, DESC, 1) + 1", &[(0, 3.0), (1, 5.0), (3, 9.0)]),
            ("SLICE(METRICS(), 1, 2) - 0", &[(0, 1.0), (1, 0.0), (2, 3.0), (3, 4.0), (4, 5.0)]),
            ("SLICE([b, none, a], 2)", &[(0, 2.0), (1, 4.0), (3, 8.0)]),
            ("EPOCH(a)", &[(0, 0.0), (1, 60.0), (3, 180.0)]),
            ("MINUTE(a) + 100 * HOUR(a)", &[(0, 0.0), (1, 1.0), (3, 3.0)]),
            // The first of January 1970 was a Thursday.
            ("IF(DAY(a) == 4 AND DATE(a) == 1 AND MONTH(a) == 1, YEAR(a))", &[(0, 1970.0), (1, 1970.0), (3, 1970.0)]),
        ];
        for (text, expected) in cases {
            assert_eq!(of(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_makes_no_series_is_said() {
        for text in [
            "1 + 1",
            "SUM(a)",
            "c",
            "ANOMALY(a)",
            "FILL(a)",
            "METRICS() + METRICS()",
            "a + 'x'",
            "IF(a)",
            "SORT(a, AVG)",
            "SORT(a, P99, ASC)",
            "SLICE(a, b)",
            "SEARCH(a, 'Sum')",
            "FIRST(SLICE(METRICS(), 9))",
            "HOUR(1)",
            "ANOMALY_DETECTION_BAND(a, 2)",
            "SELECT MAX(a) FROM b",
        ] {
            assert!(of(text).is_err(), "{text}");
        }
    }
}
