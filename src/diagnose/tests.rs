//! Each rule speaks where its cause is, and is silent where it is not.

use super::*;
use crate::domain::change::Change;
use crate::domain::row::{Link, Part, Relation};
use crate::domain::value::{Datum, NoData, Origin, Value};
use crate::kinds::{kcl, kind, kinesis, lambda, sns, sqs};

const MINUTE_MS: i64 = 60_000;

/// An estate under construction; its time is minute 60.
#[derive(Default)]
pub(super) struct Case {
    rows: BTreeMap<ResourceId, Row>,
    pub(super) series: BTreeMap<SeriesKey, Series>,
    changes: Changes,
}

pub(super) fn minute(n: i64) -> Timestamp {
    Timestamp::from_millis(n * MINUTE_MS)
}

impl Case {
    pub(super) fn row(&mut self, kind: KindId, name: &str) -> &mut Row {
        let id = ResourceId::new(kind, name);
        self.rows.entry(id.clone()).or_insert_with(|| Row::new(id, minute(60)))
    }

    /// Numbers of the last minutes, oldest first; the last one is the row's value.
    pub(super) fn history(&mut self, kind: KindId, name: &str, field: &Field, numbers: &[f64]) {
        let resource = self.row(kind, name).id.clone();
        if let Some(last) = numbers.last() {
            self.row(kind, name).fields.set(field, Value::number(*last, minute(60), Origin::CloudWatch));
        }
        let first = 60 - numbers.len() as i64;
        let points = numbers.iter().enumerate().map(|(index, number)| (minute(first + index as i64), *number));
        let key = SeriesKey { resource, part: String::new(), field: field.id };
        self.series.entry(key).or_default().merge(points);
    }

    pub(super) fn set(&mut self, kind: KindId, name: &str, field: &Field, number: f64) {
        self.row(kind, name).fields.set(field, Value::number(number, minute(60), Origin::Api));
    }

    pub(super) fn link(&mut self, from: (KindId, &str), relation: Relation, to: (KindId, &str)) {
        let to = ResourceId::new(to.0, to.1);
        self.row(from.0, from.1).links.push(Link { to, relation });
    }

    fn shard(&mut self, stream: &str, number: u32, used_percent: f64, refused_per_min: f64) {
        let mut part = Part { id: format!("shardId-{number:012}"), fields: Default::default() };
        part.fields.set(&kinesis::SHARD_STATE, Value::text("open", minute(60)));
        let number = |n| Value::number(n, minute(60), Origin::CloudWatch);
        part.fields.set(&kinesis::SHARD_USE_PERCENT, number(used_percent));
        part.fields.set(&kinesis::WRITE_THROTTLED_PER_MIN, number(refused_per_min));
        self.row(KindId::Kinesis, stream).parts.push(part);
    }

    pub(super) fn changed(&mut self, change: Change) {
        self.changes.merge(&Default::default(), minute(0), [change], minute(60));
    }

    /// What the diagnosis says, as (cause, severity, resource).
    fn says(&mut self) -> Vec<(Cause, Health, String)> {
        self.findings().into_iter().map(|f| (f.cause, f.severity, f.resource.to_string())).collect()
    }

    pub(super) fn findings(&mut self) -> Vec<Finding> {
        let ids: Vec<ResourceId> = self.rows.keys().cloned().collect();
        for id in ids {
            let verdict =
                (kind(id.kind).health)(&self.rows[&id], &SeriesOf { all: &self.series, row: &self.rows[&id] });
            self.rows.get_mut(&id).unwrap().health = verdict.told().0;
        }
        let estate = Estate { rows: &self.rows, series: &self.series, changes: &self.changes, now: minute(60) };
        diagnose(&estate)
    }
}

#[test]
fn one_full_shard_among_idle_ones_is_a_hot_key() {
    let mut case = Case::default();
    case.history(KindId::Kinesis, "bids", &kinesis::WRITE_THROTTLED_PER_MIN, &[0.0, 90.0, 80.0, 85.0, 70.0]);
    case.set(KindId::Kinesis, "bids", &kinesis::UTILISATION_PERCENT, 55.0);
    case.shard("bids", 0, 40.0, 0.0);
    case.shard("bids", 1, 99.0, 70.0);
    case.shard("bids", 2, 42.0, 0.0);
    assert_eq!(case.says(), [(Cause::HotKey, Health::Crit, "kinesis/bids".into())]);
}

#[test]
fn full_shards_everywhere_are_too_few_shards_and_no_hot_key() {
    let mut case = Case::default();
    case.history(KindId::Kinesis, "bids", &kinesis::WRITE_THROTTLED_PER_MIN, &[90.0, 80.0, 85.0, 70.0, 60.0]);
    case.set(KindId::Kinesis, "bids", &kinesis::UTILISATION_PERCENT, 97.0);
    case.shard("bids", 0, 97.0, 30.0);
    case.shard("bids", 1, 98.0, 30.0);
    assert_eq!(case.says(), [(Cause::UnderProvisioned, Health::Crit, "kinesis/bids".into())]);
}

#[test]
fn a_stream_that_throttled_some_minutes_ago_and_no_more_is_silent() {
    let mut case = Case::default();
    case.history(KindId::Kinesis, "bids", &kinesis::WRITE_THROTTLED_PER_MIN, &[90.0, 80.0, 0.0, 0.0, 0.0]);
    case.set(KindId::Kinesis, "bids", &kinesis::UTILISATION_PERCENT, 40.0);
    assert_eq!(case.says(), []);
}

#[test]
fn errors_that_begin_with_a_deploy_are_a_bad_deploy_and_explain_the_dead_letters() {
    let mut case = Case::default();
    let quiet_then_bad = [&[0.0; 20][..], &[12.0, 14.0, 15.0, 13.0, 12.0]].concat();
    case.history(KindId::Lambda, "fulfil-order", &lambda::ERRORS_PER_MIN, &quiet_then_bad);
    case.history(KindId::Lambda, "fulfil-order", &lambda::INVOCATIONS_PER_MIN, &[100.0; 25]);
    let deployed = Value { datum: Datum::Time(minute(55)), as_of: minute(60), origin: Origin::Api };
    case.row(KindId::Lambda, "fulfil-order").fields.set(&lambda::LAST_MODIFIED, deployed);
    case.link((KindId::Lambda, "fulfil-order"), Relation::FedBy, (KindId::Sqs, "orders"));
    case.link((KindId::Sqs, "orders-dlq"), Relation::DeadLettersOf, (KindId::Sqs, "orders"));
    case.set(KindId::Sqs, "orders-dlq", &sqs::VISIBLE, 412.0);
    case.history(KindId::Sqs, "orders-dlq", &sqs::VISIBLE_HISTORY, &[0.0, 100.0, 200.0, 300.0, 400.0]);
    assert_eq!(
        case.says(),
        [
            (Cause::BadDeploy, Health::Crit, "lambda/fulfil-order".into()),
            (Cause::DeadLetters, Health::Crit, "sqs/orders-dlq".into())
        ]
    );
}

#[test]
fn errors_without_a_deploy_blame_no_deploy() {
    let mut case = Case::default();
    case.history(KindId::Lambda, "fulfil-order", &lambda::ERRORS_PER_MIN, &[12.0; 25]);
    case.history(KindId::Lambda, "fulfil-order", &lambda::INVOCATIONS_PER_MIN, &[100.0; 25]);
    let deployed = Value { datum: Datum::Time(minute(50)), as_of: minute(60), origin: Origin::Api };
    case.row(KindId::Lambda, "fulfil-order").fields.set(&lambda::LAST_MODIFIED, deployed);
    assert_eq!(case.says(), [(Cause::FunctionErrors, Health::Crit, "lambda/fulfil-order".into())]);
}

#[test]
fn old_dead_letters_with_a_well_consumer_only_warn() {
    let mut case = Case::default();
    case.set(KindId::Sqs, "orders-dlq", &sqs::VISIBLE, 5.0);
    case.history(KindId::Sqs, "orders-dlq", &sqs::VISIBLE_HISTORY, &[5.0; 10]);
    case.link((KindId::Sqs, "orders-dlq"), Relation::DeadLettersOf, (KindId::Sqs, "orders"));
    assert_eq!(case.says(), [(Cause::DeadLetters, Health::Warn, "sqs/orders-dlq".into())]);
}

/// What the errors of the last minutes say, and the depths of the dead-letter queue, the last of them now.
#[test]
fn a_redrive_is_spoken_of_when_the_consumer_is_known_to_be_well_since_the_last_dead_letter() {
    let says = |depths: &[f64], now: f64, errors: &[f64]| {
        let mut case = Case::default();
        case.history(KindId::Sqs, "orders-dlq", &sqs::VISIBLE_HISTORY, depths);
        case.set(KindId::Sqs, "orders-dlq", &sqs::VISIBLE, now);
        case.history(KindId::Lambda, "fulfil-order", &lambda::ERRORS_PER_MIN, errors);
        case.link((KindId::Lambda, "fulfil-order"), Relation::FedBy, (KindId::Sqs, "orders"));
        case.link((KindId::Sqs, "orders-dlq"), Relation::DeadLettersOf, (KindId::Sqs, "orders"));
        let found = case.findings().into_iter().find(|found| found.cause == Cause::DeadLetters).unwrap();
        (found.sentence.contains("a redrive may do"), found.confidence)
    };
    let well = (true, Confidence::Certain);
    let not_known = (false, Confidence::Likely);
    assert_eq!(says(&[0.0, 9.0, 9.0, 9.0], 9.0, &[0.0; 20]), well);
    assert_eq!(says(&[9.0; 4], 9.0, &[0.0; 20]), well, "they were there before");
    assert_eq!(says(&[0.0, 9.0, 9.0, 9.0], 66.0, &[0.0; 20]), not_known, "they come faster than CloudWatch tells");
    assert_eq!(says(&[0.0, 9.0, 9.0, 9.0], 9.0, &[]), not_known, "no news is not good news");
    assert_eq!(says(&[], 9.0, &[0.0; 20]), not_known, "nobody knows when they came");
}

#[test]
fn a_backlog_is_told_from_a_stopped_consumer() {
    let mut case = Case::default();
    for (queue, received) in [("slow", 50.0), ("dead", 0.0)] {
        case.set(KindId::Sqs, queue, &sqs::VISIBLE, 900.0);
        case.set(KindId::Sqs, queue, &sqs::OLDEST_AGE_S, 700.0);
        case.history(KindId::Sqs, queue, &sqs::RECEIVED_PER_MIN, &[received; 5]);
        case.history(KindId::Sqs, queue, &sqs::DELETED_PER_MIN, &[received; 5]);
    }
    assert_eq!(
        case.says(),
        [(Cause::StalledConsumer, Health::Warn, "sqs/dead".into()), (Cause::Backlog, Health::Warn, "sqs/slow".into())]
    );
}

/// A stream of which this fan-out consumer is so late, and those who share its reads so.
fn fanned_out(fanout_ms: f64, shared_ms: Option<f64>) -> Case {
    let mut case = Case::default();
    case.history(KindId::Kinesis, "bids", &kinesis::IN_RECORDS_PER_S, &[40.0; 5]);
    case.history(KindId::Kinesis, "bids", &kinesis::IN_BYTES_PER_S, &[40_000.0; 5]);
    case.set(KindId::Kinesis, "bids", &kinesis::FANOUT_LAG_MS, fanout_ms);
    case.row(KindId::Kinesis, "bids").fields.set(&kinesis::FANOUT_LATEST, Value::text("ledger", minute(60)));
    if let Some(shared_ms) = shared_ms {
        case.set(KindId::Kinesis, "bids", &kinesis::GETRECORDS_AGE_MS, shared_ms);
    }
    case.history(KindId::Kinesis, "bids", &kinesis::ITERATOR_AGE_MS, &[shared_ms.unwrap_or(0.0).max(fanout_ms); 5]);
    case
}

#[test]
fn a_late_fan_out_consumer_is_named_and_is_silent_while_it_is_not_late() {
    let sentence = |case: &mut Case| {
        let estate = Estate { rows: &case.rows, series: &case.series, changes: &case.changes, now: minute(60) };
        diagnose(&estate).first().map(|found| (found.cause, found.sentence.clone()))
    };
    let said = |sentence: &str| Some((Cause::SlowConsumer, sentence.to_owned()));
    let late = "Fan-out consumer ledger reads bids 2m00s late and not falling further behind";
    let alone = format!("{late}; those who share the shards' reads are not late.");
    assert_eq!(sentence(&mut fanned_out(120_000.0, Some(300.0))), said(&alone));
    assert_eq!(sentence(&mut fanned_out(120_000.0, None)), said(&format!("{late}.")), "nobody else reads");
    assert_eq!(sentence(&mut fanned_out(400.0, Some(300.0))), None);
    let other = sentence(&mut fanned_out(400.0, Some(120_000.0))).unwrap().1;
    assert!(!other.contains("ledger"), "{other}");
}

#[test]
fn a_function_that_reads_by_fan_out_alone_is_no_silent_stream() {
    let mut case = fanned_out(400.0, None);
    case.link((KindId::Lambda, "settle"), Relation::FedBy, (KindId::Kinesis, "bids"));
    assert_eq!(case.says(), []);
}

#[test]
fn a_quiet_estate_has_no_findings() {
    let mut case = Case::default();
    case.history(KindId::Kinesis, "page-views", &kinesis::WRITE_THROTTLED_PER_MIN, &[0.0; 5]);
    case.history(KindId::Kinesis, "page-views", &kinesis::ITERATOR_AGE_MS, &[200.0; 5]);
    case.history(KindId::Lambda, "count-views", &lambda::INVOCATIONS_PER_MIN, &[60.0; 5]);
    case.history(KindId::Lambda, "count-views", &lambda::ERRORS_PER_MIN, &[0.0; 5]);
    case.set(KindId::Sqs, "emails", &sqs::VISIBLE, 3.0);
    case.set(KindId::Sqs, "emails", &sqs::OLDEST_AGE_S, 2.0);
    assert_eq!(case.says(), []);
}

/// An application with this many leases: each worker's state, once for each lease.
fn application(leases: &[(&str, &str)]) -> Case {
    let mut case = Case::default();
    let row = case.row(KindId::Kcl, "board");
    for (n, (owner, state)) in leases.iter().enumerate() {
        let mut part = Part { id: format!("shardId-{n:012}"), fields: Default::default() };
        part.fields.set(&kcl::OWNER, Value::text(*owner, minute(60)));
        part.fields.set(&kcl::LEASE_STATE, Value::text(*state, minute(60)));
        let still = if *state == kcl::GONE { 35.0 } else { 2.0 };
        part.fields.set(&kcl::UNRENEWED_S, Value::number(still, minute(60), Origin::Derived));
        row.parts.push(part);
    }
    let expired = leases.iter().filter(|(_, state)| *state == kcl::GONE).count() as f64;
    case.set(KindId::Kcl, "board", &kcl::LEASES, leases.len() as f64);
    case.set(KindId::Kcl, "board", &kcl::EXPIRED, expired);
    case.history(KindId::Kcl, "board", &kcl::RENEWALS_PER_MIN, &[70.0, 72.0, 71.0, 72.0]);
    case
}

#[test]
fn leases_that_only_one_worker_does_not_renew_are_a_lost_instance() {
    let mut case = application(&[("a", kcl::GONE), ("a", kcl::GONE), ("b", kcl::HELD)]);
    assert_eq!(case.says(), [(Cause::WorkerLost, Health::Warn, "kcl/board".into())]);
    let estate = Estate { rows: &case.rows, series: &case.series, changes: &case.changes, now: minute(60) };
    let found = &diagnose(&estate)[0];
    assert!(found.sentence.starts_with("a of board no longer renews its 2 leases"), "{}", found.sentence);
    assert_eq!(found.evidence.len(), 2, "each lease speaks");
    let mut well = application(&[("a", kcl::HELD), ("a", kcl::HELD), ("b", kcl::HELD)]);
    assert_eq!(well.says(), []);
    let mut one_slow_lease = application(&[("a", kcl::GONE), ("a", kcl::HELD)]);
    assert_eq!(one_slow_lease.says(), [], "its owner lives");
}

#[test]
fn no_renewal_at_all_is_a_stopped_fleet_at_once_or_after_five_minutes() {
    let mut two_looks = application(&[("a", kcl::GONE), ("b", kcl::GONE)]);
    assert_eq!(two_looks.says(), [(Cause::FleetStopped, Health::Crit, "kcl/board".into())]);
    let nothing = Value::missing(NoData::NoDatapoints, minute(60), Origin::CloudWatch);
    let mut one_look = application(&[("a", kcl::SEEN_ONCE)]);
    one_look.row(KindId::Kcl, "board").fields.set(&kcl::RENEWALS_PER_MIN, nothing.clone());
    let not_yet = Value::missing(NoData::NotYet, minute(60), Origin::Api);
    one_look.row(KindId::Kcl, "board").fields.set(&kcl::EXPIRED, not_yet);
    assert_eq!(one_look.says(), [(Cause::FleetStopped, Health::Crit, "kcl/board".into())]);
    let mut left_behind = application(&[("a", kcl::GONE)]);
    left_behind.series.clear();
    left_behind.row(KindId::Kcl, "board").fields.set(&kcl::RENEWALS_PER_MIN, nothing);
    assert_eq!(left_behind.says(), [], "a table of long ago");
    left_behind.set(KindId::Kinesis, "bids", &kinesis::IN_RECORDS_PER_S, 40.0);
    left_behind.link((KindId::Kcl, "board"), Relation::Reads, (KindId::Kinesis, "bids"));
    assert_eq!(left_behind.says(), [(Cause::FleetStopped, Health::Warn, "kcl/board".into())], "records arrive");
}

#[test]
fn refused_writes_are_the_cause_of_leases_that_are_not_renewed() {
    let mut case = application(&[("a", kcl::GONE), ("b", kcl::HELD)]);
    case.history(KindId::Kcl, "board", &kcl::WRITE_THROTTLED_PER_MIN, &[0.0, 12.0, 14.0]);
    assert_eq!(case.says(), [(Cause::LeaseTableThrottled, Health::Warn, "kcl/board".into())]);
    let mut renewed = application(&[("a", kcl::HELD), ("b", kcl::HELD)]);
    renewed.history(KindId::Kcl, "board", &kcl::WRITE_THROTTLED_PER_MIN, &[0.0, 12.0, 14.0]);
    assert_eq!(renewed.says(), [], "a retry did it");
}

#[test]
fn a_late_application_is_named_as_the_slow_reader() {
    let mut case = application(&[("a", kcl::HELD)]);
    case.set(KindId::Kcl, "board", &kcl::LAG_MS, 90_000.0);
    case.history(KindId::Kinesis, "bids", &kinesis::ITERATOR_AGE_MS, &[70_000.0, 80_000.0, 90_000.0]);
    case.link((KindId::Kinesis, "bids"), Relation::ReadBy, (KindId::Kcl, "board"));
    assert_eq!(case.says(), [(Cause::SlowConsumer, Health::Warn, "kinesis/bids".into())]);
    let estate = Estate { rows: &case.rows, series: &case.series, changes: &case.changes, now: minute(60) };
    assert!(diagnose(&estate)[0].sentence.starts_with("kcl/board reads bids 1m30s late"));
}

#[test]
fn nobody_is_sure_of_a_queue_that_may_hold_a_topics_dead_letters() {
    let mut case = Case::default();
    case.set(KindId::Sqs, "crm-dlq", &sqs::VISIBLE, 40.0);
    case.set(KindId::Sqs, "crm-dlq", &sqs::OLDEST_AGE_S, 4000.0);
    let stalled = |case: &mut Case| {
        let found = case.findings().into_iter().find(|found| found.cause == Cause::StalledConsumer).unwrap();
        found.confidence
    };
    assert_eq!(stalled(&mut case), Confidence::Certain);
    let mut subscription = Part { id: "1-2".into(), fields: Default::default() };
    subscription.fields.set(&sns::SUBSCRIPTION_STATE, Value::text(sns::CONFIRMED, minute(60)));
    case.row(KindId::Sns, "order-events").parts.push(subscription);
    case.set(KindId::Sns, "order-events", &sns::SUBSCRIPTIONS, 1.0);
    assert_eq!(stalled(&mut case), Confidence::Likely, "its dead-letter queue is not known yet");
    let mut told = |why| {
        let part = &mut case.row(KindId::Sns, "order-events").parts[0];
        part.fields.set(&sns::SUBSCRIPTION_DLQ, Value::missing(why, minute(60), Origin::Api));
        stalled(&mut case)
    };
    assert_eq!(told(NoData::Denied), Confidence::Likely);
    assert_eq!(told(NoData::NotApplicable), Confidence::Certain, "it has none");
}
