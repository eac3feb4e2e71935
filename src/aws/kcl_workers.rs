//! Which workers of a KCL application live and hold no lease. The lease table does not know them, so others are asked, the
//! best first: what workers of version 3 report of themselves, among the leases (version 3.5 and later) or in a table
//! beside them; else the numbers that each worker of any version publishes to CloudWatch unless that is switched off. Where
//! none of these speaks, it is not known.

use crate::aws::clients::Clients;
use crate::aws::draft::Draft;
use crate::aws::errors::{Trouble, trouble};
use crate::aws::kcl::{LEASE_KEY, scan};
use crate::aws::operations::{GET_METRIC_DATA, METRIC_USD, Operation, READ_UNIT_USD, SCAN};
use crate::domain::poll::RowUpdate;
use crate::domain::time::Timestamp;
use crate::domain::value::{NoData, Origin, Value};
use crate::kinds::kcl;
use aws_sdk_cloudwatch::types::{MetricDataQuery, MetricDataResult};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_types::DateTime;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

/// The table of reports is named for the application, unless it was given another name.
pub(super) const TABLE_END: &str = "-WorkerMetricStats";
/// Workers report each half minute or, where they are told so, each minute; who has missed that is gone.
const REPORTED_WITHIN: Duration = Duration::from_secs(75);
/// A number of CloudWatch's speaks of a worker's life while it is no older: it comes up to three minutes late.
const PUBLISHED_WITHIN: Duration = Duration::from_secs(4 * 60);
const PERIOD_S: i32 = 60;
/// A page holds 500 workers.
const PAGES_MAX: usize = 2;
/// Each worker that is found is charged as a metric; more than these each minute are too dear.
const CHEAP_MAX: usize = 32;

/// A worker's report of itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Report {
    worker: String,
    at: Timestamp,
}

impl Report {
    /// Among leases it says what it is, for its key is theirs.
    pub fn within_leases(item: &HashMap<String, AttributeValue>) -> Option<Self> {
        text(item, "entityType").filter(|kind| *kind == "WORKER_METRIC_STATS")?;
        Self::read(item, LEASE_KEY)
    }

    fn read(item: &HashMap<String, AttributeValue>, key: &str) -> Option<Self> {
        let second: i64 = item.get("lut")?.as_n().ok()?.parse().ok()?;
        let at = Timestamp::from_millis(second.checked_mul(1000)?);
        Some(Self { worker: text(item, key)?.to_owned(), at })
    }
}

fn text<'i>(item: &'i HashMap<String, AttributeValue>, name: &str) -> Option<&'i str> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str)
}

/// Tells the workers that report among the leases, if any does: then nobody else need be asked.
pub(super) fn tell_reports(clients: &Clients, update: &mut RowUpdate, reports: Vec<Report>, now: Timestamp) {
    if let Some(living) = living(reports, now) {
        clients.lease_tables().counted(&update.id.name, false, now);
        tell(clients, update, living, (now, Origin::Api));
    }
}

/// Finds out which workers live, and tells those without a lease.
pub(super) async fn count(clients: &Clients, draft: &mut Draft, update: &mut RowUpdate, now: Timestamp) {
    let application = update.id.name.clone();
    if clients.lease_tables().has_reports(&application) {
        match scan(clients, &format!("{application}{TABLE_END}")).await {
            Ok((items, units)) => {
                draft.charge(units * READ_UNIT_USD);
                let reports = items.iter().filter_map(|item| Report::read(item, "wid")).collect();
                if let Some(living) = living(reports, now) {
                    clients.lease_tables().counted(&application, false, now);
                    return tell(clients, update, living, (now, Origin::Api));
                }
            }
            // It was listed a while ago.
            Err(trouble) if trouble.resource_gone => {}
            Err(trouble) => return cannot(draft, &SCAN, trouble, update),
        }
    }
    match published(clients, draft, &application, now).await {
        Ok(found) => {
            clients.lease_tables().counted(&application, found.len() > CHEAP_MAX, now);
            match newest(&found, now) {
                Some((idle, as_of)) => tell(clients, update, idle, (as_of, Origin::CloudWatch)),
                None => set_missing(update, NoData::NoDatapoints, now, Origin::CloudWatch),
            }
        }
        Err(trouble) => cannot(draft, &GET_METRIC_DATA, trouble, update),
    }
}

/// Says why it is not known, where that is for good; else what was known last stands.
fn cannot(draft: &mut Draft, operation: &Operation, trouble: Trouble, update: &mut RowUpdate) {
    if let Some(why) = trouble.no_data {
        let at = update.at;
        set_missing(update, why, at, Origin::Api);
    }
    draft.whole(operation, trouble);
}

fn set_missing(update: &mut RowUpdate, why: NoData, at: Timestamp, origin: Origin) {
    for field in [&kcl::IDLE, &kcl::IDLE_WORKERS] {
        update.fields.set(field, Value::missing(why, at, origin));
    }
}

/// The workers that have reported lately; `None` where none has.
fn living(reports: Vec<Report>, now: Timestamp) -> Option<BTreeSet<String>> {
    let lately = reports.into_iter().filter(|report| now.since(report.at) <= REPORTED_WITHIN);
    let living: BTreeSet<String> = lately.map(|report| report.worker).collect();
    (!living.is_empty()).then_some(living)
}

/// Of these workers those that hold no lease.
fn tell(clients: &Clients, update: &mut RowUpdate, workers: BTreeSet<String>, (as_of, origin): (Timestamp, Origin)) {
    let owners = clients.lease_tables().owners(&update.id.name);
    let idle: Vec<&str> = workers.iter().filter(|worker| !owners.contains(*worker)).map(String::as_str).collect();
    update.fields.set(&kcl::IDLE, Value::number(idle.len() as f64, as_of, origin));
    update.fields.set(&kcl::IDLE_WORKERS, Value { origin, ..Value::text(idle.join(", "), as_of) });
}

/// How many leases each worker says it holds, by its name: only workers that have published within three hours are found.
/// A search names no worker, so it needs not to know any.
async fn published(
    clients: &Clients,
    draft: &mut Draft,
    application: &str,
    now: Timestamp,
) -> Result<Vec<MetricDataResult>, Trouble> {
    let search = format!(
        r#"SEARCH('{{"{application}",Operation,WorkerIdentifier}} Operation="RenewAllLeases" MetricName="CurrentLeases"', 'Maximum', {PERIOD_S})"#
    );
    let query = MetricDataQuery::builder().id("leases").expression(search).label("${PROP('Dim.WorkerIdentifier')}");
    let query = query.return_data(true).build();
    let to = now.floor_to(i64::from(PERIOD_S));
    let from = to - PUBLISHED_WITHIN;
    let (mut found, mut token) = (Vec::new(), None);
    for _ in 0..PAGES_MAX {
        clients.turn(&GET_METRIC_DATA).await;
        let request = clients.cloudwatch.get_metric_data().metric_data_queries(query.clone());
        let request = request.start_time(DateTime::from_millis(from.millis()));
        match request.end_time(DateTime::from_millis(to.millis())).set_next_token(token).send().await {
            Ok(page) => {
                token = page.next_token.filter(|token| !token.is_empty());
                found.extend(page.metric_data_results.unwrap_or_default());
            }
            Err(error) => return Err(trouble(&error, &GET_METRIC_DATA, clients.place())),
        }
        if token.is_none() {
            break;
        }
    }
    let workers: BTreeSet<&str> = found.iter().filter_map(MetricDataResult::label).collect();
    draft.charge(workers.len() as f64 * METRIC_USD);
    Ok(found)
}

/// The workers whose newest number is 0, and as of when; `None` where no worker has published lately.
fn newest(found: &[MetricDataResult], now: Timestamp) -> Option<(BTreeSet<String>, Timestamp)> {
    let mut newest: BTreeMap<&str, (Timestamp, f64)> = BTreeMap::new();
    for result in found {
        let Some(worker) = result.label() else { continue };
        for (time, leases) in result.timestamps().iter().zip(result.values()) {
            let Ok(ms) = time.to_millis() else { continue };
            let point = (Timestamp::from_millis(ms) + Duration::from_secs(PERIOD_S as u64), *leases);
            let known = newest.entry(worker).or_insert(point);
            if known.0 < point.0 {
                *known = point;
            }
        }
    }
    newest.retain(|_, (at, _)| now.since(*at) <= PUBLISHED_WITHIN);
    let as_of = newest.values().map(|(at, _)| *at).max()?;
    let idle = newest.into_iter().filter(|(_, (_, leases))| *leases == 0.0);
    Some((idle.map(|(worker, _)| worker.to_owned()).collect(), as_of))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1000)
    }

    fn item(members: &[(&str, AttributeValue)]) -> HashMap<String, AttributeValue> {
        members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn a_report_is_known_by_its_attributes_and_among_leases_by_its_type() {
        let (s, n) = (|text: &str| AttributeValue::S(text.into()), |text: &str| AttributeValue::N(text.into()));
        let report = Some(Report { worker: "board-3".into(), at: at(1700) });
        assert_eq!(Report::read(&item(&[("wid", s("board-3")), ("lut", n("1700"))]), "wid"), report);
        assert_eq!(Report::read(&item(&[("wid", s("board-3"))]), "wid"), None);
        let among = |kind: &str| item(&[("leaseKey", s("board-3")), ("entityType", s(kind)), ("lut", n("1700"))]);
        assert_eq!(Report::within_leases(&among("WORKER_METRIC_STATS")), report);
        assert_eq!(Report::within_leases(&among("LEADER")), None);
        let lease = item(&[("leaseKey", s("shardId-000000000000")), ("leaseCounter", n("7"))]);
        assert_eq!(Report::within_leases(&lease), None);
    }

    #[test]
    fn who_has_not_reported_lately_is_gone() {
        let report = |worker: &str, second| Report { worker: worker.into(), at: at(second) };
        let reports = vec![report("a", 1000), report("b", 1150), report("c", 1300)];
        assert_eq!(
            living(reports.clone(), at(1220)),
            Some(["b".to_owned(), "c".to_owned()].into()),
            "c's clock is ahead"
        );
        assert_eq!(living(reports, at(9000)), None, "left from long ago");
    }

    #[test]
    fn a_worker_that_publishes_no_lease_is_idle_and_one_that_fell_silent_is_not_told() {
        let result = |worker: &str, points: &[(i64, f64)]| {
            let times = points.iter().map(|(minute, _)| DateTime::from_secs(minute * 60)).collect();
            let values = points.iter().map(|(_, leases)| *leases).collect();
            MetricDataResult::builder().label(worker).set_timestamps(Some(times)).set_values(Some(values)).build()
        };
        let found = [
            result("a", &[(19, 2.0), (18, 0.0)]),
            result("b", &[(17, 1.0), (18, 0.0)]),
            result("c", &[(12, 0.0)]),
            result("d", &[]),
        ];
        assert_eq!(newest(&found, at(20 * 60 + 10)), Some((["b".to_owned()].into(), at(20 * 60))));
        assert_eq!(newest(&found[2..], at(20 * 60)), None);
    }
}
