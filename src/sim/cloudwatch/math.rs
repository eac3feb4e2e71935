//! Metric math: what an expression makes of the series that it names ("Using metric math").

use crate::domain::time::Timestamp;
use crate::sim::cloudwatch::expression::{Ast, Operator};
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
}

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
    pub lines: &'a BTreeMap<&'a str, Vec<Line>>,
    /// Ids of the queries that are metrics, in the request's order: what `METRICS()` means.
    pub metrics: &'a [&'a str],
    /// The request's first period and its end, for `FILL` and `TIME_SERIES`.
    pub span: (Timestamp, Timestamp),
}

/// The expression's series; says what is wrong with it otherwise.
pub fn evaluate(ast: &Ast, scope: &Scope<'_>) -> Result<Vec<Line>, String> {
    let lines = match scope.operand(ast)? {
        Operand::Line(line) => vec![line],
        Operand::Lines(lines) => lines,
        Operand::Scalar(_) => return Err("The expression must return a time series".into()),
    };
    Ok(lines.into_iter().map(finite).collect())
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
                let lines = self.lines.get(id.as_str()).ok_or_else(|| format!("Unknown id '{id}'"))?;
                Ok(match &lines[..] {
                    [one] => Operand::Line(one.clone()),
                    _ => Operand::Lines(lines.clone()),
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
                    let period_s = self.lines.values().flatten().map(|line| line.period_s).max().unwrap_or(60);
                    let points = self.grid(period_s).map(|at| (at, value)).collect();
                    Ok(Operand::Line(Line { label: name.to_owned(), period_s, points }))
                }
                _ => Err("TIME_SERIES takes a scalar".into()),
            },
            (_, [argument]) => one_argument(name, self.operand(argument)?),
            _ => Err(format!("Unsupported function '{name}' with {} arguments", arguments.len())),
        }
    }

    fn metrics(&self, part: &str) -> Operand {
        let ids = self.metrics.iter().filter(|id| id.contains(part));
        Operand::Lines(ids.filter_map(|id| self.lines.get(id)).flatten().cloned().collect())
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
    let join = |a: &Line, b: &Line| {
        let known: BTreeMap<Timestamp, f64> = b.points.iter().copied().collect();
        let points = a.points.iter().filter_map(|(at, x)| Some((*at, apply(operator, *x, *known.get(at)?))));
        Line { label: a.label.clone(), period_s: a.period_s.max(b.period_s), points: points.collect() }
    };
    Ok(match (left, right) {
        (Operand::Scalar(a), Operand::Scalar(b)) => Operand::Scalar(apply(operator, a, b)),
        (left, Operand::Scalar(b)) => left.map(|a| apply(operator, a, b))?,
        (Operand::Scalar(a), right) => right.map(|b| apply(operator, a, b))?,
        (Operand::Line(a), Operand::Line(b)) => Operand::Line(join(&a, &b)),
        (Operand::Lines(lines), Operand::Line(b)) => Operand::Lines(lines.iter().map(|a| join(a, &b)).collect()),
        (Operand::Line(a), Operand::Lines(lines)) => Operand::Lines(lines.iter().map(|b| join(&a, b)).collect()),
        (Operand::Lines(_), Operand::Lines(_)) => return Err("Two arrays of time series cannot be combined".into()),
    })
}

fn one_argument(name: &str, argument: Operand) -> Result<Operand, String> {
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
            Ok(Operand::Line(Line { label: name.to_owned(), period_s, points }))
        }
    }
}

fn reduced(name: &str, values: &[f64]) -> f64 {
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
        };
        let lines = BTreeMap::from([
            ("a", vec![line(&[(0, 2.0), (1, 4.0), (3, 8.0)])]),
            ("b", vec![line(&[(0, 1.0), (1, 0.0), (2, 3.0), (3, 4.0), (4, 5.0)])]),
            ("none", vec![line(&[])]),
        ]);
        let scope = Scope { lines: &lines, metrics: &["a", "b", "none"], span: (minute(0), minute(5)) };
        let found = evaluate(&parse(text)?, &scope)?;
        assert_eq!(found.len(), 1, "{text}");
        Ok(found[0].points.iter().map(|(at, value)| (at.secs() / 60, *value)).collect())
    }

    #[test]
    fn arithmetic_and_functions() {
        let cases: [(&str, &[(i64, f64)]); 14] = [
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
        ];
        for (text, expected) in cases {
            assert_eq!(of(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_makes_no_series_is_said() {
        for text in ["1 + 1", "SUM(a)", "c", "ANOMALY(a)", "FILL(a)", "METRICS() + METRICS()", "a + 'x'", "IF(a)"] {
            assert!(of(text).is_err(), "{text}");
        }
    }
}
