//! GetMetricData: up to 500 queries at once, in either order of time, in pages.

use crate::domain::time::Timestamp;
use crate::sim::cloudwatch::input::{Input, as_validation, invalid_token, missing, validation};
use crate::sim::cloudwatch::{Metric, Metrics, Statistic, wire};
use crate::sim::error::ApiError;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

const QUERIES_MAX: usize = 500;

/// The most datapoints of one page (`MaxDatapoints`).
const PAGE_MAX: i64 = 100_800;

struct Query<'a> {
    id: &'a str,
    label: String,
    is_returned: bool,
    source: Source<'a>,
}

enum Source<'a> {
    Metric { metric: Metric, period_s: i64, statistic: Statistic, unit: Option<&'static str> },
    Expression(&'a str),
}

/// A query's answer in order of time.
type Points = Vec<(Timestamp, f64)>;

pub fn get_metric_data(metrics: &Metrics, now: Timestamp, input: &Input<'_>) -> Result<Value, ApiError> {
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
    let mut results = Vec::new();
    for query in queries.iter().filter(|query| query.is_returned) {
        let mut points = points_of(metrics, query, span, now)?;
        if !is_ascending {
            points.reverse();
        }
        results.push((query, points));
    }
    Ok(paged(&results, skipped, page as usize, |offset| write_token(offset, now, digest)))
}

fn read_request<'a>(input: &Input<'a>) -> Result<(Vec<Query<'a>>, (Timestamp, Timestamp)), ApiError> {
    let items = input.structures("MetricDataQueries")?.ok_or_else(|| missing("MetricDataQueries"))?;
    let start = input.time("StartTime")?.ok_or_else(|| missing("StartTime"))?;
    let end = input.time("EndTime")?.ok_or_else(|| missing("EndTime"))?;
    if items.is_empty() {
        return Err(validation("The collection MetricDataQueries must not have a size less than 1."));
    }
    input.check_size("MetricDataQueries", items.len(), QUERIES_MAX)?;
    if start == end {
        return Err(validation("The parameter StartTime must not equal parameter EndTime."));
    }
    if start > end {
        return Err(validation("The parameter StartTime must be less than the parameter EndTime."));
    }
    let queries = items.iter().map(read_query).collect::<Result<Vec<_>, _>>()?;
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
    let (source, default_label) = match (item.structure("MetricStat")?, expression) {
        (Some(stat), None) => {
            let source = read_metric_stat(&stat)?;
            let label = if let Source::Metric { metric, .. } = &source { metric.name.clone() } else { id.to_owned() };
            (source, label)
        }
        (None, Some(expression)) => (Source::Expression(expression), id.to_owned()),
        _ => {
            let (stat, expression) = (item.name("MetricStat"), item.name("Expression"));
            return Err(validation(format!(
                "Exactly one of the parameters {stat} and {expression} must be specified."
            )));
        }
    };
    if let Some(period_s) = item.integer("Period")? {
        wire::check_period(&item.name("Period"), period_s)?;
    }
    let label = item.text("Label")?.map_or(default_label, str::to_owned);
    Ok(Query { id, label, is_returned: item.flag("ReturnData")?.unwrap_or(true), source })
}

fn read_metric_stat<'a>(stat: &Input<'a>) -> Result<Source<'a>, ApiError> {
    let metric = stat.structure("Metric")?.ok_or_else(|| missing(&stat.name("Metric")))?.metric()?;
    let period_s = stat.integer("Period")?.ok_or_else(|| missing(&stat.name("Period")))?;
    wire::check_period(&stat.name("Period"), period_s)?;
    let text = stat.text("Stat")?.ok_or_else(|| missing(&stat.name("Stat")))?;
    let refusal = || validation(format!("The value {text} for parameter {} is not supported.", stat.name("Stat")));
    let statistic = Statistic::parse(text).ok_or_else(refusal)?;
    Ok(Source::Metric { metric, period_s, statistic, unit: wire::unit(stat)? })
}

fn points_of(
    metrics: &Metrics,
    query: &Query<'_>,
    (start, end): (Timestamp, Timestamp),
    now: Timestamp,
) -> Result<Points, ApiError> {
    let (metric, period_s, statistic, unit) = match &query.source {
        Source::Metric { metric, period_s, statistic, unit } => (metric, *period_s, *statistic, *unit),
        Source::Expression(text) => {
            return Err(validation(format!("Error in expression '{}': {text} is not supported.", query.id)));
        }
    };
    let Some(from) = wire::rounded_start(start, now, period_s) else { return Ok(vec![]) };
    let series = metrics.find(metric, unit);
    let periods = metrics.read(&series, (from, end), period_s, now, statistic.needs_values());
    Ok(periods.iter().filter_map(|period| Some((period.start, statistic.of(period)?))).collect())
}

/// Datapoints are counted through all results in their order. A result that does not end on this page is partial; one
/// that ended on an earlier page is not repeated.
fn paged(results: &[(&Query<'_>, Points)], skipped: usize, page: usize, token: impl Fn(usize) -> String) -> Value {
    let (mut before, mut room, mut sent) = (0, page, skipped);
    let mut shown = Vec::new();
    for (query, points) in results {
        let first = skipped.saturating_sub(before).min(points.len());
        before += points.len();
        if first == points.len() && before <= skipped && skipped > 0 {
            continue;
        }
        let here = &points[first..points.len().min(first + room)];
        room -= here.len();
        sent += here.len();
        let is_complete = first + here.len() == points.len();
        shown.push(json!({
            "Id": query.id,
            "Label": query.label,
            "Timestamps": here.iter().map(|(at, _)| at.secs_f64()).collect::<Vec<_>>(),
            "Values": here.iter().map(|(_, value)| *value).collect::<Vec<_>>(),
            "StatusCode": if is_complete { "Complete" } else { "PartialData" },
        }));
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
            Source::Metric { metric, period_s, statistic, unit } => {
                text.push_str(&format!("{metric:?} {period_s} {statistic:?} {unit:?}"));
            }
        }
    }
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
