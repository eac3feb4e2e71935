//! GetMetricData: up to 500 queries at once, in either order of time, in pages.

use crate::domain::time::Timestamp;
use crate::sim::cloudwatch::input::{Input, as_validation, invalid_token, missing, validation};
use crate::sim::cloudwatch::label::{self, Told};
use crate::sim::cloudwatch::math::{self, Found, Line, Origin, Scope};
use crate::sim::cloudwatch::{Metric, Metrics, Statistic, expression, insights, search, wire};
use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::BTreeMap;

const QUERIES_MAX: usize = 500;

/// The period in seconds of a search that names none.
const SEARCH_PERIOD_S: i64 = 300;

/// Queries of one alarm, at most.
const ALARM_QUERIES_MAX: usize = 20;

/// Of several units a query without one is answered in the first of this order, as observed of CloudWatch.
const UNIT_ORDER: [&str; 27] = [
    "Megabits",
    "Terabits",
    "Gigabits",
    "Count",
    "Bytes",
    "Gigabytes",
    "Gigabytes/Second",
    "Kilobytes",
    "Kilobits/Second",
    "Terabytes",
    "Terabits/Second",
    "Bytes/Second",
    "Percent",
    "Megabytes",
    "Megabits/Second",
    "Milliseconds",
    "Microseconds",
    "Kilobytes/Second",
    "Gigabits/Second",
    "Megabytes/Second",
    "Bits",
    "Bits/Second",
    "Count/Second",
    "Seconds",
    "Kilobits",
    "Terabytes/Second",
    "None",
];

/// The most datapoints of one page (`MaxDatapoints`).
const PAGE_MAX: i64 = 100_800;

struct Query<'a> {
    id: &'a str,
    /// As given; `None` leaves it to CloudWatch.
    label: Option<String>,
    /// What CloudWatch calls a metric's series by itself.
    automatic: String,
    is_returned: bool,
    /// In seconds, where the query itself names it.
    wanted_period_s: Option<i64>,
    source: Source<'a>,
}

enum Source<'a> {
    Metric { metric: Metric, period_s: i64, statistic: Statistic, text: &'a str, unit: Option<&'static str> },
    Expression(&'a str),
}

/// One series of the answer, in the order that was asked for.
struct Returned<'a> {
    id: &'a str,
    label: String,
    points: Vec<(Timestamp, f64)>,
    /// The units in which the metric was reported, where the query names none and they are several.
    units: Vec<&'static str>,
}

/// The answer, and how many metrics are charged for: those that are asked for and those that a search finds; other
/// expressions cost nothing (aws.amazon.com/cloudwatch/pricing).
pub fn get_metric_data(
    metrics: &Metrics,
    place: &Place,
    now: Timestamp,
    input: &Input<'_>,
) -> Result<(Value, u64), ApiError> {
    let (queries, span) = read_request(input).map_err(as_validation)?;
    let is_ascending = match input.text("ScanBy")? {
        None | Some("TimestampDescending") => false,
        Some("TimestampAscending") => true,
        Some(other) => {
            let set = "[ TimestampDescending, TimestampAscending ]";
            return Err(validation(format!("The value {other} for parameter ScanBy must be in the set {set}.")));
        }
    };
    let page = input.integer("MaxDatapoints")?.unwrap_or(PAGE_MAX);
    if !(1..=PAGE_MAX).contains(&page) {
        return Err(validation(format!("The parameter MaxDatapoints must be between 1 and {PAGE_MAX}.")));
    }
    let digest = digest(&queries, span, is_ascending);
    // A later page sees what the first page saw, however much virtual time lies between them.
    let (skipped, now) = match input.text("NextToken")? {
        Some(token) => read_token(token, digest).ok_or_else(invalid_token)?,
        None => (0, now),
    };
    let searched = Cell::new(0);
    let mut found = evaluate_all(metrics, &queries, span, now, &searched)?;
    let mut results = Vec::new();
    for query in queries.iter().filter(|query| query.is_returned) {
        let Found { lines, is_array } = found.remove(query.id).unwrap_or_default();
        for mut line in lines {
            let label = query.label_of(place, &line, is_array);
            if !is_ascending {
                line.points.reverse();
            }
            let units = units_of(metrics, query, span, now);
            results.push(Returned { id: query.id, label, points: line.points, units });
        }
    }
    let asked = queries.iter().filter(|query| matches!(query.source, Source::Metric { .. })).count();
    let page = paged(&results, skipped, page as usize, |offset| write_token(offset, now, digest));
    Ok((page, (asked + searched.get()) as u64))
}

fn read_request<'a>(input: &Input<'a>) -> Result<(Vec<Query<'a>>, (Timestamp, Timestamp)), ApiError> {
    let items = input.structures("MetricDataQueries")?.ok_or_else(|| missing("MetricDataQueries"))?;
    let start = input.time("StartTime")?.ok_or_else(|| missing("StartTime"))?;
    let end = input.time("EndTime")?.ok_or_else(|| missing("EndTime"))?;
    if items.is_empty() {
        return Err(validation("The collection MetricDataQueries must not have a size less than 1."));
    }
    input.check_size("MetricDataQueries", items.len(), QUERIES_MAX)?;
    // CloudWatch knows both times to the second.
    if start.secs() == end.secs() {
        return Err(validation("The parameter StartTime must not equal parameter EndTime."));
    }
    if start > end {
        return Err(validation("The parameter EndTime must be greater than StartTime."));
    }
    let mut queries = items.iter().map(read_query).collect::<Result<Vec<_>, _>>()?;
    name_automatically(&mut queries);
    let mut ids: Vec<&str> = queries.iter().map(|query| query.id).collect();
    ids.sort_unstable();
    if let Some(twice) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
        let id = twice[0];
        return Err(validation(format!("The values for parameter id in MetricDataQueries are not unique: {id}.")));
    }
    if !queries.iter().any(|query| query.is_returned) {
        return Err(validation("At least one of the MetricDataQueries must have ReturnData true."));
    }
    Ok((queries, (start, end)))
}

/// Labels tell metrics apart by statistic and period where the request has several of them.
fn name_automatically(queries: &mut [Query<'_>]) {
    let metrics = queries.iter().filter_map(|query| match &query.source {
        Source::Metric { text, period_s, .. } => Some((*text, *period_s)),
        Source::Expression(_) => None,
    });
    let asked: Vec<(&str, i64)> = metrics.collect();
    let several_statistics = asked.iter().any(|(text, _)| *text != asked[0].0);
    let several_periods = asked.iter().any(|(_, period_s)| *period_s != asked[0].1);
    for query in queries {
        if let Source::Metric { metric, text, period_s, .. } = &query.source {
            let (statistic, period_s) = (several_statistics.then_some(*text), several_periods.then_some(*period_s));
            query.automatic = label::automatic(&metric.name, statistic, period_s);
        }
    }
}

fn read_query<'a>(item: &Input<'a>) -> Result<Query<'a>, ApiError> {
    let id = item.required_text("Id", 255)?;
    let is_name =
        id.starts_with(|c: char| c.is_ascii_lowercase()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !is_name {
        let name = item.name("Id");
        return Err(validation(format!(
            "The value {id} for parameter {name} is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."
        )));
    }
    let expression = item.bounded_text("Expression", 2048)?;
    let source = match (item.structure("MetricStat")?, expression) {
        (Some(stat), None) => read_metric_stat(&stat)?,
        (None, Some(expression)) => Source::Expression(expression),
        (None, None) => return Err(validation(format!("The parameter {} is required.\n", item.name("MetricStat")))),
        _ => {
            let (stat, expression) = (item.name("MetricStat"), item.name("Expression"));
            return Err(validation(format!(
                "Exactly one of the parameters {stat} and {expression} must be specified."
            )));
        }
    };
    let wanted_period_s = item.integer("Period")?;
    if let Some(period_s) = wanted_period_s {
        wire::check_period(&item.name("Period"), period_s)?;
    }
    let label = item.text("Label")?.map(str::to_owned);
    let automatic = match &source {
        Source::Metric { metric, .. } => metric.name.clone(),
        Source::Expression(_) => id.to_owned(),
    };
    let is_returned = item.flag("ReturnData")?.unwrap_or(true);
    Ok(Query { id, label, automatic, is_returned, wanted_period_s, source })
}

fn read_metric_stat<'a>(stat: &Input<'a>) -> Result<Source<'a>, ApiError> {
    let metric = stat.structure("Metric")?.ok_or_else(|| missing(&stat.name("Metric")))?.metric()?;
    let period_s = stat.integer("Period")?.ok_or_else(|| missing(&stat.name("Period")))?;
    wire::check_period(&stat.name("Period"), period_s)?;
    let text = stat.text("Stat")?.ok_or_else(|| missing(&stat.name("Stat")))?;
    let refusal = || validation(format!("The value {text} for parameter {} is not supported.", stat.name("Stat")));
    let statistic = Statistic::parse(text).ok_or_else(refusal)?;
    Ok(Source::Metric { metric, period_s, statistic, text, unit: wire::unit(stat)? })
}

/// Checks the `Metrics` of PutMetricAlarm: as GetMetricData would, and that one of them returns data. Gives that one's
/// id and the period of its datapoints in seconds.
pub fn check_alarm_queries(queries: &Value) -> Result<(String, i64), ApiError> {
    let wrapped = json!({ "Metrics": queries });
    let input = Input::new(&wrapped)?;
    let items = input.structures("Metrics")?.unwrap_or_default();
    if items.len() > ALARM_QUERIES_MAX {
        return Err(validation(format!(
            "The collection Metrics must not have a size greater than {ALARM_QUERIES_MAX}."
        )));
    }
    let read = items.iter().map(read_query).collect::<Result<Vec<_>, _>>().map_err(as_validation)?;
    let mut ids: Vec<&str> = read.iter().map(|query| query.id).collect();
    ids.sort_unstable();
    if ids.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(validation("The values for parameter id in Metrics are not unique."));
    }
    let returned: Vec<usize> = (0..read.len()).filter(|index| read[*index].is_returned).collect();
    let [index] = returned[..] else {
        return Err(validation("Exactly one element of the metrics list should return data."));
    };
    let is_search = |query: &Query<'_>| match query.source {
        Source::Expression(text) => expression::parse(text).is_ok_and(|ast| ast.calls("SEARCH")),
        Source::Metric { .. } => false,
    };
    if read.iter().any(is_search) {
        return Err(validation("SEARCH is not supported on Metric Alarms."));
    }
    let span = (Timestamp::from_millis(0), Timestamp::from_millis(60_000));
    evaluate_all(&Metrics::default(), &read, span, span.1, &Cell::default())?;
    let longest = read.iter().filter_map(Query::period_s).max();
    let period_s = read[index].period_s().or(items[index].integer("Period")?).or(longest);
    let period_s = period_s.ok_or_else(|| validation("Period must not be null"))?;
    Ok((read[index].id.to_owned(), period_s))
}

/// The datapoints of one of an alarm's queries, oldest first.
pub fn line_of_queries(
    metrics: &Metrics,
    queries: &Value,
    returned: &str,
    span: (Timestamp, Timestamp),
    now: Timestamp,
) -> Vec<(Timestamp, f64)> {
    let wrapped = json!({ "Metrics": queries });
    let Ok(items) = Input::new(&wrapped).and_then(|input| input.structures("Metrics")) else { return vec![] };
    let items = items.unwrap_or_default();
    let Ok(read) = items.iter().map(read_query).collect::<Result<Vec<_>, _>>() else { return vec![] };
    let found = evaluate_all(metrics, &read, span, now, &Cell::default()).ok();
    let line = found.and_then(|mut found| found.remove(returned)?.lines.into_iter().next());
    line.map_or_else(Vec::new, |line| line.points)
}

impl Query<'_> {
    /// Of an array each series has the query's label before its own ("Using metric math", the labels of a graph), unless
    /// that one says by `${…}` what it tells of a series.
    fn label_of(&self, place: &Place, line: &Line, is_array: bool) -> String {
        let Some(label) = &self.label else { return line.label.clone() };
        if is_array && !label.contains("${") {
            return format!("{label} {}", line.label).trim_start().to_owned();
        }
        let metric = line.origin.as_ref().map(|of| (&of.metric, of.statistic.as_str(), line.period_s));
        label::fill(label, &Told { place, automatic: &line.label, metric, points: &line.points })
    }

    /// The period of a metric's datapoints.
    fn period_s(&self) -> Option<i64> {
        match self.source {
            Source::Metric { period_s, .. } => Some(period_s),
            Source::Expression(_) => None,
        }
    }
}

/// Every query's series by its id. Expressions may name expressions, in any order of the request, but not in a circle.
fn evaluate_all<'a>(
    metrics: &Metrics,
    queries: &'a [Query<'a>],
    span: (Timestamp, Timestamp),
    now: Timestamp,
    searched: &Cell<usize>,
) -> Result<BTreeMap<&'a str, Found>, ApiError> {
    let mut found = BTreeMap::new();
    let (mut waiting, mut metric_ids) = (Vec::new(), Vec::new());
    for query in queries {
        match &query.source {
            Source::Metric { .. } => {
                metric_ids.push(query.id);
                let lines = vec![line_of(metrics, query, span, now)];
                found.insert(query.id, Found { lines, is_array: false });
            }
            Source::Expression(text) if insights::is_query(text) => {
                let query_of = insights::parse(text).map_err(|why| refuse_expression(query.id, &why))?;
                let period_s = query.wanted_period_s.unwrap_or(SEARCH_PERIOD_S);
                let mut made = query_of.run(metrics, span, now, period_s);
                if !made.is_array {
                    made.lines.iter_mut().for_each(|line| line.label = query.id.to_owned());
                }
                found.insert(query.id, made);
            }
            Source::Expression(text) => {
                waiting.push((query, expression::parse(text).map_err(|why| refuse_expression(query.id, &why))?));
            }
        }
    }
    while !waiting.is_empty() {
        let before = waiting.len();
        let mut postponed = Vec::new();
        for (query, ast) in waiting {
            let mut needed = Vec::new();
            ast.ids(&mut needed);
            if let Some(unknown) = needed.iter().find(|id| queries.iter().all(|query| query.id != **id)) {
                return Err(refuse_expression(query.id, &format!("Unknown id '{unknown}'")));
            }
            if needed.iter().all(|id| found.contains_key(*id)) {
                let search = |text: &str, statistic: &str, period_s: Option<i64>| {
                    let period_s = period_s.or(query.wanted_period_s).unwrap_or(SEARCH_PERIOD_S);
                    let lines = search_lines(metrics, (text, statistic, period_s), span, now)?;
                    searched.set(searched.get() + lines.len());
                    Ok(lines)
                };
                // What has not happened yet is not filled.
                let filled = (wire::rounded_start(span.0, now, 3600).unwrap_or(span.0), span.1.min(now));
                let scope = Scope { found: &found, metrics: &metric_ids, span: filled, search: &search };
                let mut made = math::evaluate(&ast, &scope).map_err(|why| refuse_expression(query.id, &why))?;
                // A series takes the query's name; each of an array keeps its own.
                if !made.is_array {
                    made.lines.iter_mut().for_each(|line| line.label = query.id.to_owned());
                }
                found.insert(query.id, made);
            } else {
                postponed.push((query, ast));
            }
        }
        if postponed.len() == before {
            let (query, _) = &postponed[0];
            return Err(refuse_expression(query.id, "The expression depends on itself"));
        }
        waiting = postponed;
    }
    Ok(found)
}

fn refuse_expression(id: &str, why: &str) -> ApiError {
    validation(format!("Error in expression '{id}': {why}"))
}

/// The series of a search, a statistic and a period in seconds.
fn search_lines(
    metrics: &Metrics,
    (text, statistic, period_s): (&str, &str, i64),
    span: (Timestamp, Timestamp),
    now: Timestamp,
) -> Result<Vec<Line>, String> {
    let search = search::parse(text)?;
    let parsed = Statistic::parse(statistic).ok_or_else(|| format!("Unsupported statistic '{statistic}'"))?;
    if wire::check_period("Period", period_s).is_err() {
        return Err(format!("Invalid period '{period_s}'"));
    }
    let live = metrics.list(now, None, None).filter(|metric| search.finds(metric));
    let found: Vec<&Metric> = live.take(search::FOUND_MAX).collect();
    let line = |(metric, automatic): (&&Metric, String)| {
        let metric = (*metric).clone();
        let source = Source::Metric { metric, period_s, statistic: parsed, text: statistic, unit: None };
        let query = Query { id: "", label: None, automatic, is_returned: true, wanted_period_s: None, source };
        line_of(metrics, &query, span, now)
    };
    Ok(found.iter().zip(search::labels(&found)).map(line).collect())
}

fn line_of(metrics: &Metrics, query: &Query<'_>, (start, end): (Timestamp, Timestamp), now: Timestamp) -> Line {
    let Source::Metric { metric, period_s, statistic, unit, text } = &query.source else {
        return Line { label: query.id.to_owned(), period_s: 60, points: vec![], origin: None };
    };
    let origin = Some(Origin { metric: metric.clone(), statistic: (*text).to_owned() });
    let mut line = Line { label: query.automatic.clone(), period_s: *period_s, points: vec![], origin };
    if let Some(from) = wire::rounded_start(start, now, *period_s) {
        let mut series = metrics.find(metric, *unit);
        if let [first, _, ..] = units_of(metrics, query, (start, end), now)[..] {
            // Of several units CloudWatch answers with one, and says so.
            series.retain(|(_, unit)| *unit == first);
        }
        let periods = metrics.read(&series, (from, end), *period_s, now, statistic.needs_values());
        line.points = periods.iter().filter_map(|period| Some((period.start, statistic.of(period)?))).collect();
    }
    line
}

/// The units that a metric without a wanted unit has data in, the one that CloudWatch answers with first.
fn units_of(
    metrics: &Metrics,
    query: &Query<'_>,
    (start, end): (Timestamp, Timestamp),
    now: Timestamp,
) -> Vec<&'static str> {
    let Source::Metric { metric, period_s, unit: None, .. } = &query.source else { return vec![] };
    let series = metrics.find(metric, None);
    let Some(from) = wire::rounded_start(start, now, *period_s).filter(|_| series.len() > 1) else { return vec![] };
    let has_data = |series| !metrics.read(&[series], (from, end), *period_s, now, false).is_empty();
    let mut units: Vec<&str> = series.into_iter().filter(|series| has_data(*series)).map(|(_, unit)| unit).collect();
    units.sort_by_key(|unit| UNIT_ORDER.iter().position(|known| known == unit));
    units
}

/// Datapoints are counted through all results in their order. A result that does not end on this page is partial; one
/// that ended on an earlier page is not repeated.
fn paged(results: &[Returned<'_>], skipped: usize, page: usize, token: impl Fn(usize) -> String) -> Value {
    let (mut before, mut room, mut sent) = (0, page, skipped);
    let mut shown = Vec::new();
    for Returned { id, label, points, units } in results {
        let first = skipped.saturating_sub(before).min(points.len());
        before += points.len();
        if first == points.len() && before <= skipped && skipped > 0 {
            continue;
        }
        let here = &points[first..points.len().min(first + room)];
        room -= here.len();
        sent += here.len();
        let is_complete = first + here.len() == points.len();
        let mut result = json!({
            "Id": id,
            "Label": label,
            "Timestamps": here.iter().map(|(at, _)| at.secs_f64()).collect::<Vec<_>>(),
            "Values": here.iter().map(|(_, value)| *value).collect::<Vec<_>>(),
            "StatusCode": if is_complete { "Complete" } else { "PartialData" },
        });
        if units.len() > 1 {
            let value = format!("Multiple units returned: '[{}]'", units.join(", "));
            result["Messages"] = json!([{ "Code": "MultipleUnits", "Value": value }]);
        }
        shown.push(result);
    }
    let mut answer = json!({ "MetricDataResults": shown, "Messages": [] });
    if sent < before {
        answer["NextToken"] = token(sent).into();
    }
    answer
}

fn write_token(offset: usize, now: Timestamp, digest: u64) -> String {
    BASE64_STANDARD.encode(format!("{offset}:{}:{digest:x}", now.millis()))
}

/// (datapoints already sent, the first page's time); `None` for a token of another request or of nobody's.
fn read_token(token: &str, digest: u64) -> Option<(usize, Timestamp)> {
    let text = String::from_utf8(BASE64_STANDARD.decode(token).ok()?).ok()?;
    let mut parts = text.split(':');
    let (offset, now, own) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?);
    (u64::from_str_radix(own, 16).ok()? == digest).then_some((offset, Timestamp::from_millis(now)))
}

/// FNV-1a over what decides the order of datapoints.
fn digest(queries: &[Query<'_>], (start, end): (Timestamp, Timestamp), is_ascending: bool) -> u64 {
    let mut text = format!("{} {} {is_ascending}", start.millis(), end.millis());
    for query in queries {
        text.push_str(&format!(" {} {}", query.id, query.is_returned));
        match &query.source {
            Source::Expression(expression) => text.push_str(expression),
            Source::Metric { metric, period_s, statistic, unit, .. } => {
                text.push_str(&format!("{metric:?} {period_s} {statistic:?} {unit:?}"));
            }
        }
    }
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
