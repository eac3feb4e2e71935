//! The metric batcher: many resources' CloudWatch numbers in as few GetMetricData calls as there can be.
//!
//! A field takes the newest complete minute as its value, as of the end of that minute. Where that minute is more than
//! [`FRESH_MIN`] minutes past, or there is none, the value is "no datapoints", never 0; the series keeps the history.
//! That holds for counters too: CloudWatch leaves out what did not happen, and also what nobody measured, so only a
//! zero that was published counts as one.

use crate::aws::clients::Clients;
use crate::aws::draft::{Draft, blank};
use crate::aws::errors::{Trouble, trouble};
use crate::aws::operations::{GET_METRIC_DATA, METRIC_USD};
use crate::aws::readers;
use crate::domain::field::Fields;
use crate::domain::finding::ErrorClass;
use crate::domain::poll::{RowUpdate, Target};
use crate::domain::row::{KindId, ResourceId};
use crate::domain::series::SeriesKey;
use crate::domain::time::Timestamp;
use crate::domain::value::{NoData, Origin, Value, short_duration_ms};
use crate::kinds::{self, Metric, kinesis};
use aws_sdk_cloudwatch::types::{
    Dimension, Metric as CloudWatchMetric, MetricDataQuery, MetricDataResult, MetricStat, ScanBy, StatusCode,
};
use aws_smithy_types::DateTime;
use std::collections::BTreeMap;
use std::time::Duration;

/// GetMetricData takes at most so many queries a call.
const QUERIES_MAX: usize = 500;
/// Pages of one call's answer: 500 queries of a day's minutes are 8.
const PAGES_MAX: usize = 16;
const PERIOD_S: i64 = 60;
/// A datapoint that ended longer ago than this says nothing about now. Minutes.
pub const FRESH_MIN: u32 = 5;
/// CloudWatch shows points minutes late, so a shorter window would lose some. It is charged by metrics, not by points.
const WINDOW_MIN_MIN: u32 = FRESH_MIN + 3;
/// One-minute points are kept 15 days; midwatch keeps an hour.
const WINDOW_MIN_MAX: u32 = 24 * 60;

/// One metric of one resource or part: one query.
#[derive(Clone)]
struct Wanted<'a> {
    target: usize,
    part: Option<&'a str>,
    /// A fan-out consumer of the stream.
    consumer: Option<&'a str>,
    metric: &'static Metric,
}

pub type Points = Vec<(Timestamp, f64)>;

/// What CloudWatch said to one query.
enum Told {
    Points(Points),
    Failed(Trouble),
}

/// All metrics of the kind for these resources over the last `window_min` complete minutes.
pub async fn metrics(clients: &Clients, kind: KindId, targets: &[Target], window_min: u32, now: Timestamp) -> Draft {
    let mut draft = Draft::default();
    let mut updates: Vec<RowUpdate> = targets.iter().map(|target| blank(&target.id, now)).collect();
    let wanted = wanted(kind, targets);
    let (from, to) = window(now, window_min);
    let mut consumers: BTreeMap<usize, Vec<(&str, Points)>> = BTreeMap::new();
    for batch in wanted.chunks(QUERIES_MAX) {
        let answers = fetch(clients, targets, batch, from, to).await;
        draft.charge(batch.len() as f64 * METRIC_USD);
        for (wanted, told) in batch.iter().zip(answers) {
            let Some(update) = updates.get_mut(wanted.target) else { continue };
            match told {
                Told::Points(points) => match wanted.consumer {
                    Some(name) => consumers.entry(wanted.target).or_default().push((name, points)),
                    None => take_points(update, wanted, points, now),
                },
                Told::Failed(trouble) => {
                    let fields = [wanted.metric.field];
                    let of_row: &[_] = if wanted.part.is_none() { &fields } else { &[] };
                    draft.resource(&GET_METRIC_DATA, trouble, update, of_row);
                }
            }
        }
    }
    if let Some(trouble) = clocks_apart(clients) {
        draft.whole(&GET_METRIC_DATA, trouble);
    }
    for (index, mut update) in updates.into_iter().enumerate() {
        if kind == KindId::Kinesis {
            readers::complete(&mut update, &consumers.remove(&index).unwrap_or_default(), now);
        }
        draft.update(update);
    }
    draft
}

/// AWS takes no request that was signed further than this from its own time; an endpoint that checks no signature does
/// (Signature Version 4, "Troubleshooting": five minutes).
const APART_MAX_MS: u64 = 5 * 60 * 1000;

/// What to say where numbers were asked for by a clock that is not the endpoint's.
fn clocks_apart(clients: &Clients) -> Option<Trouble> {
    let ahead_ms = clients.meter().ahead_ms();
    if ahead_ms.unsigned_abs() <= APART_MAX_MS {
        return None;
    }
    let by = short_duration_ms(ahead_ms.unsigned_abs() as f64);
    let side = if ahead_ms > 0 { "ahead of" } else { "behind" };
    let sentence = format!(
        "The clock of {} is {by} {side} this machine's, by which cloudwatch:GetMetricData is asked: numbers may be missing, \
         and are not as old as they are said to be. Set the clock that is wrong.",
        clients.place().name()
    );
    let class = ErrorClass::Other;
    Some(Trouble { class, sentence, no_data: None, of_place: false, resource_gone: false, maybe_done: false })
}

/// Complete minutes only: the minute that runs is left out. The end is exclusive.
fn window(now: Timestamp, window_min: u32) -> (Timestamp, Timestamp) {
    let minutes = window_min.clamp(WINDOW_MIN_MIN, WINDOW_MIN_MAX);
    let to = now.floor_to(PERIOD_S);
    (to - Duration::from_secs(u64::from(minutes) * 60), to)
}

fn wanted(kind: KindId, targets: &[Target]) -> Vec<Wanted<'_>> {
    let kind = kinds::kind(kind);
    let mut all = Vec::new();
    for (index, target) in targets.iter().enumerate() {
        let of_row = |metric| Wanted { target: index, part: None, consumer: None, metric };
        all.extend(kind.metrics_of(target.is_near).map(of_row));
        let of_consumer = |name| Wanted { consumer: Some(name), ..of_row(&kinesis::CONSUMER_METRIC) };
        all.extend(target.consumers.iter().map(|name| of_consumer(name.as_str())));
        for part in &target.parts {
            all.extend(kind.part_metrics.iter().map(|metric| Wanted { part: Some(part), ..of_row(metric) }));
        }
    }
    all
}

/// One call, with its pages. The answers stand in the order of the batch.
async fn fetch(
    clients: &Clients,
    targets: &[Target],
    batch: &[Wanted<'_>],
    from: Timestamp,
    to: Timestamp,
) -> Vec<Told> {
    let queries: Vec<MetricDataQuery> =
        batch.iter().enumerate().map(|(index, wanted)| query(index, &targets[wanted.target].id, wanted)).collect();
    let mut results: BTreeMap<usize, Vec<MetricDataResult>> = BTreeMap::new();
    let mut token: Option<String> = None;
    for _ in 0..PAGES_MAX {
        clients.turn(&GET_METRIC_DATA).await;
        let request = clients
            .cloudwatch
            .get_metric_data()
            .set_metric_data_queries(Some(queries.clone()))
            .start_time(DateTime::from_millis(from.millis()))
            .end_time(DateTime::from_millis(to.millis()))
            .scan_by(ScanBy::TimestampAscending)
            .set_next_token(token);
        match request.send().await {
            Ok(page) => {
                token = page.next_token.filter(|token| !token.is_empty());
                for result in page.metric_data_results.unwrap_or_default() {
                    if let Some(index) = result.id.as_deref().and_then(query_index) {
                        results.entry(index).or_default().push(result);
                    }
                }
            }
            Err(error) => {
                let trouble = trouble(&error, &GET_METRIC_DATA, clients.place());
                return batch.iter().map(|_| Told::Failed(trouble.clone())).collect();
            }
        }
        if token.is_none() {
            break;
        }
    }
    batch
        .iter()
        .enumerate()
        .map(|(index, wanted)| told(&results.remove(&index).unwrap_or_default(), wanted.metric.scale))
        .collect()
}

/// An id begins with a small letter (GetMetricData).
fn query_id(index: usize) -> String {
    format!("m{index}")
}

fn query_index(id: &str) -> Option<usize> {
    id.strip_prefix('m')?.parse().ok()
}

fn query(index: usize, id: &ResourceId, wanted: &Wanted<'_>) -> MetricDataQuery {
    let part_dimensions = kinds::kind(id.kind).part_dimensions;
    let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
    let namespace = if wanted.metric.namespace.is_empty() { &id.name } else { wanted.metric.namespace };
    let (name, value) = wanted.metric.dimension.split_once('=').unwrap_or((wanted.metric.dimension, &id.name));
    let metric = CloudWatchMetric::builder()
        .namespace(namespace)
        .metric_name(wanted.metric.name)
        .dimensions(dimension(name, value));
    let metric = wanted.consumer.into_iter().fold(metric, |m, name| m.dimensions(dimension("ConsumerName", name)));
    let of_part = wanted.part.into_iter().flat_map(|part| part_dimensions.iter().zip(part.split('/')));
    let metric = of_part.fold(metric, |metric, (name, value)| metric.dimensions(dimension(name, value)));
    let stat = MetricStat::builder().metric(metric.build()).period(PERIOD_S as i32).stat(wanted.metric.statistic);
    MetricDataQuery::builder().id(query_id(index)).metric_stat(stat.build()).return_data(true).build()
}

/// Joins the pages of one query's answer.
fn told(results: &[MetricDataResult], scale: f64) -> Told {
    let failed = |status: &StatusCode| match status {
        StatusCode::Forbidden => {
            Some((ErrorClass::Denied, Some(NoData::Denied), "CloudWatch forbids this metric to these credentials."))
        }
        StatusCode::InternalError => Some((
            ErrorClass::Other,
            None,
            "CloudWatch failed inside. Nothing here can mend it; the AWS Health Dashboard tells of outages.",
        )),
        _ => None,
    };
    if let Some((class, no_data, sentence)) = results.iter().filter_map(|r| r.status_code.as_ref()).find_map(failed) {
        let sentence = sentence.to_owned();
        return Told::Failed(Trouble {
            class,
            sentence,
            no_data,
            of_place: false,
            resource_gone: false,
            maybe_done: false,
        });
    }
    let mut points: BTreeMap<Timestamp, f64> = BTreeMap::new();
    for result in results {
        let times = result.timestamps.as_deref().unwrap_or_default();
        let values = result.values.as_deref().unwrap_or_default();
        for (time, value) in times.iter().zip(values).filter(|(_, value)| value.is_finite()) {
            if let Ok(ms) = time.to_millis() {
                points.insert(Timestamp::from_millis(ms), value * scale);
            }
        }
    }
    Told::Points(points.into_iter().collect())
}

fn take_points(update: &mut RowUpdate, wanted: &Wanted<'_>, points: Points, now: Timestamp) {
    let value = newest(&points, now);
    match wanted.part {
        None => update.fields.set(wanted.metric.field, value),
        Some(part) => match update.part_fields.iter_mut().find(|(id, _)| id == part) {
            Some((_, fields)) => fields.set(wanted.metric.field, value),
            None => {
                let mut fields = Fields::default();
                fields.set(wanted.metric.field, value);
                update.part_fields.push((part.to_owned(), fields));
            }
        },
    }
    if !points.is_empty() {
        let key = SeriesKey {
            resource: update.id.clone(),
            part: wanted.part.unwrap_or_default().to_owned(),
            field: wanted.metric.field.id,
        };
        update.series.push((key, points));
    }
}

/// The newest point, as of the end of its minute, if that is fresh.
pub fn newest(points: &Points, now: Timestamp) -> Value {
    let fresh = Duration::from_secs(u64::from(FRESH_MIN) * 60);
    let newest = points.last().map(|(start, number)| (*start + Duration::from_secs(PERIOD_S as u64), *number));
    match newest {
        Some((end, number)) if now.since(end) <= fresh => Value::number(number, end, Origin::CloudWatch),
        _ => Value::missing(NoData::NoDatapoints, now, Origin::CloudWatch),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    fn minute(n: i64) -> Timestamp {
        Timestamp::from_millis(n * 60_000)
    }

    fn result(points: &[(i64, f64)], status: StatusCode) -> MetricDataResult {
        MetricDataResult::builder()
            .id("m0")
            .set_timestamps(Some(points.iter().map(|(n, _)| DateTime::from_secs(n * 60)).collect()))
            .set_values(Some(points.iter().map(|(_, value)| *value).collect()))
            .status_code(status)
            .build()
    }

    #[test]
    fn every_metric_of_every_target_is_one_query_and_parts_add_theirs() {
        let mut bids = Target::new(ResourceId::new(KindId::Kinesis, "bids"), None);
        bids.parts = vec!["shardId-000000000000".into(), "shardId-000000000001".into()];
        let targets = [bids, Target::new(ResourceId::new(KindId::Kinesis, "audit"), None)];
        let wanted = wanted(KindId::Kinesis, &targets);
        let kind = kinds::kind(KindId::Kinesis);
        assert_eq!(wanted.len(), 2 * kind.metrics.len() + 2 * kind.part_metrics.len());
        let of_shard = wanted.iter().find(|wanted| wanted.part.is_some()).unwrap();
        let query = query(7, &targets[0].id, of_shard);
        let stat = query.metric_stat.unwrap();
        let dimensions: Vec<(String, String)> =
            stat.metric.unwrap().dimensions.unwrap().into_iter().map(|d| (d.name.unwrap(), d.value.unwrap())).collect();
        assert_eq!(
            dimensions,
            [("StreamName".into(), "bids".into()), ("ShardId".into(), "shardId-000000000000".into())]
        );
        assert_eq!((query.id.as_deref(), stat.period), (Some("m7"), Some(60)));
    }

    #[test]
    fn a_fan_out_consumer_is_asked_of_by_its_name() {
        let mut bids = Target::new(ResourceId::new(KindId::Kinesis, "bids"), None);
        bids.consumers = vec!["ledger".into()];
        let targets = [bids];
        let wanted = wanted(KindId::Kinesis, &targets);
        let of_consumer = wanted.iter().find(|wanted| wanted.consumer.is_some()).unwrap();
        let metric = query(0, &targets[0].id, of_consumer).metric_stat.unwrap().metric.unwrap();
        assert_eq!(metric.metric_name.as_deref(), Some("SubscribeToShardEvent.MillisBehindLatest"));
        let names: Vec<String> = metric.dimensions.unwrap().into_iter().map(|d| d.name.unwrap()).collect();
        assert_eq!(names, ["StreamName", "ConsumerName"]);
    }

    #[test]
    fn the_window_is_of_whole_minutes_and_never_shorter_than_the_delay() {
        let now = Timestamp::parse_rfc3339("2026-11-27T18:02:40Z").unwrap();
        let (from, to) = window(now, 60);
        assert_eq!((from.rfc3339().as_str(), to.rfc3339().as_str()), ("2026-11-27T17:02:00Z", "2026-11-27T18:02:00Z"));
        assert_eq!(window(now, 1).0.rfc3339(), "2026-11-27T17:54:00Z");
    }

    #[test]
    fn pages_are_joined_in_order_of_time_and_scaled() {
        let pages =
            [result(&[(11, 60.0), (12, 120.0)], StatusCode::Complete), result(&[(10, 600.0)], StatusCode::PartialData)];
        let Told::Points(points) = told(&pages, 1.0 / 60.0) else { panic!("points were expected") };
        assert_eq!(points, [(minute(10), 10.0), (minute(11), 1.0), (minute(12), 2.0)]);
    }

    #[test]
    fn a_forbidden_metric_is_denied_and_not_empty() {
        let Told::Failed(trouble) = told(&[result(&[], StatusCode::Forbidden)], 1.0) else {
            panic!("a trouble was expected")
        };
        assert_eq!((trouble.class, trouble.no_data), (ErrorClass::Denied, Some(NoData::Denied)));
    }

    #[test]
    fn the_value_is_the_newest_minute_while_it_is_fresh() {
        let points = vec![(minute(10), 4.0), (minute(11), 5.0)];
        let value = newest(&points, minute(14));
        assert_eq!((value.as_number(), value.as_of), (Some(5.0), minute(12)));
        assert_eq!(newest(&points, minute(17)).as_number(), Some(5.0));
        let old = newest(&points, minute(18));
        assert_eq!(old.datum, crate::domain::value::Datum::Missing(NoData::NoDatapoints));
        assert_eq!(newest(&Vec::new(), minute(18)).as_number(), None);
    }
}
