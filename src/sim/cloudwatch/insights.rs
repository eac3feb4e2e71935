//! Metrics Insights: queries in SQL's words that find metrics by themselves and put their samples together ("Metrics
//! Insights query components and syntax").

use crate::domain::time::Timestamp;
use crate::sim::cloudwatch::math::{Found, Line};
use crate::sim::cloudwatch::{Metric, Metrics, Statistic, wire};
use std::collections::BTreeMap;

/// Series of one answer, at most ("Metrics Insights quotas"), and without a LIMIT.
const SERIES_MAX: usize = 500;
/// Metrics that one query looks at, at most.
const METRICS_MAX: usize = 10_000;
/// What metrics are called that have none of the dimensions to group by.
const OTHER: &str = "Other";

/// `SELECT FUNCTION(metric) FROM … WHERE … GROUP BY … ORDER BY … LIMIT …`.
#[derive(Debug, PartialEq)]
pub struct Query {
    function: Function,
    metric: String,
    namespace: String,
    /// `SCHEMA`: of metrics with just these dimensions.
    schema: Option<Vec<String>>,
    conditions: Vec<Condition>,
    group_by: Vec<String>,
    order: Option<(Function, Direction)>,
    limit: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Avg,
    Count,
    Max,
    Min,
    Sum,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Ascending,
    Descending,
}

/// `dimension = 'value'`, or `!=`.
#[derive(Debug, PartialEq)]
struct Condition {
    dimension: String,
    value: String,
    is_equal: bool,
}

/// Whether an expression is such a query, and no metric math.
pub fn is_query(expression: &str) -> bool {
    let first = expression.split_whitespace().next();
    first.is_some_and(|word| word.eq_ignore_ascii_case("SELECT"))
}

impl Function {
    fn named(word: &str) -> Option<Self> {
        Some(match word.to_ascii_uppercase().as_str() {
            "AVG" => Self::Avg,
            "COUNT" => Self::Count,
            "MAX" => Self::Max,
            "MIN" => Self::Min,
            "SUM" => Self::Sum,
            _ => return None,
        })
    }

    /// Of the samples of a period.
    const fn statistic(self) -> Statistic {
        match self {
            Self::Avg => Statistic::Average,
            Self::Count => Statistic::SampleCount,
            Self::Max => Statistic::Maximum,
            Self::Min => Statistic::Minimum,
            Self::Sum => Statistic::Sum,
        }
    }

    /// Of the datapoints of a series: what series are put in order by.
    fn of(self, points: &[(Timestamp, f64)]) -> f64 {
        let values = points.iter().map(|(_, value)| *value);
        match self {
            Self::Avg => values.sum::<f64>() / points.len().max(1) as f64,
            Self::Count => points.len() as f64,
            Self::Max => values.fold(f64::NEG_INFINITY, f64::max),
            Self::Min => values.fold(f64::INFINITY, f64::min),
            Self::Sum => values.sum(),
        }
    }
}

impl Condition {
    fn holds(&self, metric: &Metric) -> bool {
        let is_there = metric.dimensions.iter().any(|(name, value)| *name == self.dimension && *value == self.value);
        is_there == self.is_equal
    }
}

impl Query {
    fn finds(&self, metric: &Metric) -> bool {
        let is_of = |schema: &Vec<String>| {
            metric.dimensions.len() == schema.len() && metric.dimensions.iter().all(|(name, _)| schema.contains(name))
        };
        metric.namespace == self.namespace
            && metric.name == self.metric
            && self.schema.as_ref().is_none_or(is_of)
            && self.conditions.iter().all(|condition| condition.holds(metric))
    }

    /// The values of the dimensions that are grouped by, as a series' name.
    fn group_of(&self, metric: &Metric) -> String {
        let value = |name: &String| metric.dimensions.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        let values: Option<Vec<&str>> = self.group_by.iter().map(|name| value(name).map(String::as_str)).collect();
        values.map_or_else(|| OTHER.to_owned(), |values| values.join(" "))
    }

    /// The series in the order that is asked for; one alone where nothing is grouped by. A group without a datapoint
    /// makes none.
    pub fn run(&self, metrics: &Metrics, span: (Timestamp, Timestamp), now: Timestamp, period_s: i64) -> Found {
        let mut groups: BTreeMap<String, Vec<_>> = BTreeMap::new();
        let live = metrics.list(now, None, None).filter(|metric| self.finds(metric));
        for metric in live.take(METRICS_MAX) {
            groups.entry(self.group_of(metric)).or_default().extend(metrics.find(metric, None));
        }
        let statistic = self.function.statistic();
        let from = wire::rounded_start(span.0, now, period_s);
        let line = |(label, series): (String, Vec<_>)| {
            let periods = metrics.read(&series, (from?, span.1), period_s, now, statistic.needs_values());
            let points: Vec<_> =
                periods.iter().filter_map(|period| Some((period.start, statistic.of(period)?))).collect();
            (!points.is_empty()).then_some(Line { label, period_s, points, origin: None })
        };
        let mut lines: Vec<Line> = groups.into_iter().filter_map(line).collect();
        if let Some((function, direction)) = self.order {
            lines.sort_by(|one, other| {
                let order = function.of(&one.points).total_cmp(&function.of(&other.points));
                if direction == Direction::Ascending { order } else { order.reverse() }
            });
        }
        lines.truncate(self.limit);
        Found { lines, is_array: !self.group_by.is_empty() }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    /// A keyword, or a name that needs no quotes.
    Word(String),
    /// In double quotes.
    Name(String),
    /// In single quotes.
    Text(String),
    Sign(&'static str),
}

/// Reads a query; says what is wrong with it otherwise.
pub fn parse(text: &str) -> Result<Query, String> {
    let mut parser = Parser { pieces: pieces(text)?, at: 0 };
    parser.keyword("SELECT")?;
    let function = parser.function()?;
    parser.sign("(")?;
    let metric = parser.name()?;
    parser.sign(")")?;
    parser.keyword("FROM")?;
    let (namespace, schema) = parser.source()?;
    let conditions = if parser.takes("WHERE") { parser.conditions()? } else { Vec::new() };
    let group_by = if parser.takes("GROUP") { parser.group_by()? } else { Vec::new() };
    let order = if parser.takes("ORDER") { Some(parser.order()?) } else { None };
    let limit = if parser.takes("LIMIT") { parser.limit()? } else { SERIES_MAX };
    match parser.pieces.get(parser.at) {
        None => Ok(Query { function, metric, namespace, schema, conditions, group_by, order, limit }),
        Some(piece) => Err(format!("Unexpected {}", shown(piece))),
    }
}

fn shown(piece: &Piece) -> String {
    match piece {
        Piece::Word(text) => format!("'{text}'"),
        Piece::Name(text) => format!("'\"{text}\"'"),
        Piece::Text(text) => format!("\"'{text}'\""),
        Piece::Sign(sign) => format!("'{sign}'"),
    }
}

fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    const SIGNS: [&str; 5] = ["!=", "(", ")", ",", "="];
    let mut pieces = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            pieces.push(Piece::Sign(sign));
            sign.len()
        } else if first == '"' || first == '\'' {
            let inner = rest[1..].find(first).ok_or("Unterminated string")?;
            let text = rest[1..=inner].to_owned();
            pieces.push(if first == '"' { Piece::Name(text) } else { Piece::Text(text) });
            inner + 2
        } else {
            let ends = |c: char| c.is_whitespace() || "\"'(),=!".contains(c);
            let length = rest.find(ends).unwrap_or(rest.len());
            if length == 0 {
                return Err(format!("Unexpected '{first}'"));
            }
            pieces.push(Piece::Word(rest[..length].to_owned()));
            length
        };
        rest = rest[length..].trim_start();
    }
    Ok(pieces)
}

struct Parser {
    pieces: Vec<Piece>,
    at: usize,
}

impl Parser {
    fn next(&mut self) -> Result<Piece, String> {
        let piece = self.pieces.get(self.at).cloned().ok_or("Unexpected end of the query")?;
        self.at += 1;
        Ok(piece)
    }

    /// Keywords may be written in letters of any size.
    fn takes(&mut self, keyword: &str) -> bool {
        let found = matches!(self.pieces.get(self.at), Some(Piece::Word(word)) if word.eq_ignore_ascii_case(keyword));
        self.at += usize::from(found);
        found
    }

    fn takes_sign(&mut self, sign: &'static str) -> bool {
        let found = self.pieces.get(self.at) == Some(&Piece::Sign(sign));
        self.at += usize::from(found);
        found
    }

    fn keyword(&mut self, keyword: &str) -> Result<(), String> {
        if self.takes(keyword) { Ok(()) } else { Err(self.expected(keyword)) }
    }

    fn sign(&mut self, sign: &'static str) -> Result<(), String> {
        if self.takes_sign(sign) { Ok(()) } else { Err(self.expected(sign)) }
    }

    fn expected(&self, what: &str) -> String {
        match self.pieces.get(self.at) {
            Some(piece) => format!("Expected '{what}' before {}", shown(piece)),
            None => format!("Expected '{what}' at the end of the query"),
        }
    }

    fn function(&mut self) -> Result<Function, String> {
        match self.next()? {
            Piece::Word(word) => Function::named(&word).ok_or_else(|| format!("Unknown function '{word}'")),
            piece => Err(format!("Expected a function before {}", shown(&piece))),
        }
    }

    /// A metric, a namespace or a dimension; in double quotes where it has other signs than letters, digits and `_`.
    fn name(&mut self) -> Result<String, String> {
        match self.next()? {
            Piece::Name(name) => Ok(name),
            Piece::Word(word) if word.chars().all(|c| c.is_alphanumeric() || c == '_') => Ok(word),
            piece => Err(format!("Expected an identifier before {}", shown(&piece))),
        }
    }

    fn names(&mut self) -> Result<Vec<String>, String> {
        let mut names = vec![self.name()?];
        while self.takes_sign(",") {
            names.push(self.name()?);
        }
        Ok(names)
    }

    fn source(&mut self) -> Result<(String, Option<Vec<String>>), String> {
        if !self.takes("SCHEMA") {
            return Ok((self.name()?, None));
        }
        self.sign("(")?;
        let mut names = self.names()?;
        self.sign(")")?;
        let namespace = names.remove(0);
        Ok((namespace, Some(names)))
    }

    fn conditions(&mut self) -> Result<Vec<Condition>, String> {
        let mut conditions = Vec::new();
        loop {
            let dimension = self.name()?;
            let is_equal = self.takes_sign("=");
            if !is_equal {
                self.sign("!=")?;
            }
            let value = match self.next()? {
                Piece::Text(value) => value,
                piece => return Err(format!("Expected a value in single quotes before {}", shown(&piece))),
            };
            conditions.push(Condition { dimension, value, is_equal });
            if !self.takes("AND") {
                return Ok(conditions);
            }
        }
    }

    fn group_by(&mut self) -> Result<Vec<String>, String> {
        self.keyword("BY")?;
        self.names()
    }

    fn order(&mut self) -> Result<(Function, Direction), String> {
        self.keyword("BY")?;
        let function = self.function()?;
        self.sign("(")?;
        self.sign(")")?;
        let is_descending = self.takes("DESC");
        if !is_descending {
            self.takes("ASC");
        }
        Ok((function, if is_descending { Direction::Descending } else { Direction::Ascending }))
    }

    fn limit(&mut self) -> Result<usize, String> {
        let wrong = || format!("LIMIT must be a number from 1 to {SERIES_MAX}");
        match self.next()? {
            Piece::Word(word) => word.parse().ok().filter(|limit| (1..=SERIES_MAX).contains(limit)).ok_or_else(wrong),
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_millis(1_795_802_400_000 + minute * 60_000)
    }

    /// Two queues with samples in two minutes each, and a metric of the namespace without dimensions.
    fn metrics() -> Metrics {
        let mut metrics = Metrics::default();
        for (dimensions, values) in [
            (&[("QueueName", "orders")][..], [4.0, 6.0]),
            (&[("QueueName", "bids")][..], [1.0, 3.0]),
            (&[("QueueName", "bids"), ("Stage", "test")][..], [50.0, 70.0]),
            (&[][..], [100.0, 100.0]),
        ] {
            let series = metrics.series("Shop/Queues", "Depth", dimensions, "Count");
            for (minute, value) in (0..).zip(values) {
                metrics.add(series, at(minute), value);
            }
        }
        metrics
    }

    /// Each series' name and values.
    fn found(query: &str) -> Vec<(String, Vec<f64>)> {
        let found = parse(query).unwrap().run(&metrics(), (at(0), at(5)), at(5), 60);
        let values = |line: &Line| line.points.iter().map(|(_, value)| *value).collect();
        found.lines.iter().map(|line| (line.label.clone(), values(line))).collect()
    }

    fn named(list: &[(&str, [f64; 2])]) -> Vec<(String, Vec<f64>)> {
        list.iter().map(|(name, values)| ((*name).to_owned(), values.to_vec())).collect()
    }

    #[test]
    fn samples_of_all_metrics_that_are_found_are_put_together() {
        let of = |query: &str| found(query).remove(0).1;
        assert_eq!(of(r#"SELECT SUM(Depth) FROM SCHEMA("Shop/Queues", QueueName)"#), [5.0, 9.0]);
        assert_eq!(of(r#"select avg(Depth) from schema("Shop/Queues", QueueName)"#), [2.5, 4.5]);
        assert_eq!(of(r#"SELECT COUNT(Depth) FROM "Shop/Queues""#), [4.0, 4.0]);
        assert_eq!(of(r#"SELECT MAX("Depth") FROM "Shop/Queues" WHERE QueueName = 'bids'"#), [50.0, 70.0]);
        assert_eq!(
            of(r#"SELECT MIN(Depth) FROM "Shop/Queues" WHERE QueueName != 'bids' AND Stage != 'x'"#),
            [4.0, 6.0]
        );
        assert_eq!(found(r#"SELECT SUM(Depth) FROM "Shop/queues""#), [], "names know capitals");
        assert_eq!(found(r#"SELECT SUM(Depth) FROM SCHEMA("Shop/Queues", Stage)"#), []);
    }

    #[test]
    fn series_are_grouped_put_in_order_and_counted() {
        let grouped = r#"SELECT AVG(Depth) FROM SCHEMA("Shop/Queues", QueueName) GROUP BY QueueName"#;
        let (bids, orders) = (("bids", [1.0, 3.0]), ("orders", [4.0, 6.0]));
        assert_eq!(found(grouped), named(&[bids, orders]));
        assert_eq!(found(&format!("{grouped} ORDER BY MAX() DESC")), named(&[orders, bids]));
        assert_eq!(found(&format!("{grouped} ORDER BY MAX()")), named(&[bids, orders]), "ascending, unless it says so");
        assert_eq!(found(&format!("{grouped} ORDER BY SUM() DESC LIMIT 1")), named(&[orders]));
        let all = r#"SELECT MAX(Depth) FROM "Shop/Queues" GROUP BY QueueName, Stage ORDER BY AVG() ASC"#;
        assert_eq!(found(all), named(&[("bids test", [50.0, 70.0]), ("Other", [100.0, 100.0])]));
        assert!(parse(grouped).unwrap().run(&metrics(), (at(0), at(5)), at(5), 60).is_array);
    }

    #[test]
    fn broken_queries_are_refused_and_never_panic() {
        for (query, why) in [
            ("SELECT", "Unexpected end of the query"),
            ("SELECT MEDIAN(x) FROM y", "Unknown function 'MEDIAN'"),
            ("SELECT AVG x FROM y", "Expected '(' before 'x'"),
            ("SELECT AVG(x) FROM AWS/SQS", "Expected an identifier before 'AWS/SQS'"),
            ("SELECT AVG(x) FROM y WHERE a > 'b'", "Expected '!=' before '>'"),
            ("SELECT AVG(x) FROM y WHERE a = b", "Expected a value in single quotes before 'b'"),
            ("SELECT AVG(x) FROM y WHERE a = 'b' OR c = 'd'", "Unexpected 'OR'"),
            ("SELECT AVG(x) FROM y GROUP a", "Expected 'BY' before 'a'"),
            ("SELECT AVG(x) FROM y ORDER BY AVG(", "Expected ')' at the end of the query"),
            ("SELECT AVG(x) FROM y LIMIT 501", "LIMIT must be a number from 1 to 500"),
            ("SELECT AVG(x) FROM \"y", "Unterminated string"),
            ("SELECT AVG(x) FROM y !", "Unexpected '!'"),
            ("SELECT AVG(x) FROM SCHEMA()", "Expected an identifier before ')'"),
            ("SELECT AVG(é) FROM 'é", "Unterminated string"),
        ] {
            assert_eq!(parse(query).unwrap_err(), why, "{query}");
        }
        assert!(is_query(" \n select x") && !is_query("selected + 1") && !is_query(""));
    }
}
