//! What is wrong with a stream: writes refused by one hot shard or by all, reads refused, readers slow or gone.

use super::{Estate, evidence, finding};
use crate::domain::counted::{counted, counted_that};
use crate::domain::field::Field;
use crate::domain::finding::{Cause, Confidence, Evidence, Finding};
use crate::domain::row::{Health, Part, Row};
use crate::domain::value::{Datum, NoData, Unit, short_duration_ms};
use crate::kinds::{kcl, kinesis, lambda};

/// Minutes that the rules look back over.
const LOOK_BACK_MIN: usize = 5;
/// Refusals in so many of those minutes are a state and no burst.
const SUSTAINED_MIN: usize = 3;
/// A shard that takes so much of its limits is full: the minute's mean hides full seconds.
const FULL_PERCENT: f64 = 80.0;
/// With the other shards below this, capacity is not what is missing.
const SPARE_PERCENT: f64 = 75.0;
const LAG_MS: f64 = 60_000.0;
const LAG_CRIT_MS: f64 = 300_000.0;

pub fn look<'a>(estate: &Estate<'a>, row: &'a Row, findings: &mut Vec<Finding>) {
    let series = estate.series_of(row);
    let refused = series.recent(&kinesis::WRITE_THROTTLED_PER_MIN, LOOK_BACK_MIN);
    let refused_now = row.fields.number(&kinesis::WRITE_THROTTLED_PER_MIN).is_some_and(|n| n >= 1.0);
    let minutes = refused.iter().filter(|n| **n >= 1.0).count();
    if refused_now && minutes >= 1 {
        findings.push(writes_refused(row, minutes));
    }
    let reads_refused = series.recent(&kinesis::READ_THROTTLED_PER_MIN, LOOK_BACK_MIN);
    if reads_refused.iter().filter(|n| **n >= 1.0).count() >= SUSTAINED_MIN {
        findings.push(reads(row));
    }
    if let Some(lag) = lagging(estate, row) {
        findings.push(lag);
    } else if let Some(unread) = unread(estate, row) {
        findings.push(unread);
    }
}

fn open_shards(row: &Row) -> Vec<(&Part, f64, f64)> {
    let open = row.parts.iter().filter(|part| part.fields.text(&kinesis::SHARD_STATE) == Some("open"));
    open.filter_map(|part| {
        let used = part.fields.number(&kinesis::SHARD_USE_PERCENT)?;
        let refused = part.fields.number(&kinesis::WRITE_THROTTLED_PER_MIN).unwrap_or(0.0);
        Some((part, used, refused))
    })
    .collect()
}

fn writes_refused(row: &Row, minutes: usize) -> Finding {
    let name = &row.id.name;
    let severity = if minutes >= SUSTAINED_MIN { Health::Crit } else { Health::Warn };
    let used = row.fields.number(&kinesis::UTILISATION_PERCENT);
    let shards = open_shards(row);
    let hot: Vec<_> = shards.iter().filter(|(_, used, refused)| *refused >= 1.0 && *used >= FULL_PERCENT).collect();
    let spare = shards.iter().filter(|(_, used, refused)| *refused < 1.0 && *used < SPARE_PERCENT).count();
    let mut found = match (&hot[..], used) {
        ([(shard, shard_used, _)], _) if spare + 1 == shards.len() && shards.len() > 1 => finding(
            row,
            Cause::HotKey,
            severity,
            Confidence::Certain,
            format!(
                "{name} refuses writes on one shard: {} takes {shard_used:.0}% of its limit, the others have room.",
                short_shard(&shard.id)
            ),
        ),
        (_, Some(used)) if used >= FULL_PERCENT || (!hot.is_empty() && spare * 2 < shards.len()) => finding(
            row,
            Cause::UnderProvisioned,
            severity,
            Confidence::Likely,
            format!("{name} refuses writes: it takes {used:.0}% of its write capacity. It needs more shards."),
        ),
        (_, Some(used)) => finding(
            row,
            Cause::HotKey,
            severity,
            if minutes >= SUSTAINED_MIN { Confidence::Likely } else { Confidence::Possible },
            format!(
                "{name} refuses writes with only {used:.0}% of its capacity in use: load sits on few keys, or comes in bursts."
            ),
        ),
        (_, None) => finding(
            row,
            Cause::HotKey,
            severity,
            Confidence::Possible,
            format!("{name} refuses writes; its load is not known."),
        ),
    };
    found.evidence.extend(evidence(row, &kinesis::WRITE_THROTTLED_PER_MIN, "records refused"));
    found.evidence.extend(evidence(row, &kinesis::UTILISATION_PERCENT, "write capacity in use, whole stream"));
    for (shard, used, refused) in shards.iter().filter(|(_, _, refused)| *refused >= 1.0) {
        let refused = Unit::PerMinute.short_number(*refused);
        found.evidence.push(Evidence {
            resource: row.id.clone(),
            field: kinesis::SHARD_USE_PERCENT.id,
            sentence: format!("{}: {used:.0}% of its limit, {refused} refused", short_shard(&shard.id)),
            at: row.as_of,
        });
    }
    found
}

/// `shard 3` for `shardId-000000000003`.
fn short_shard(id: &str) -> String {
    match id.strip_prefix("shardId-").and_then(|digits| digits.parse::<u64>().ok()) {
        Some(number) => format!("shard {number}"),
        None => id.to_owned(),
    }
}

fn reads(row: &Row) -> Finding {
    let sentence = format!(
        "{} refuses reads: its consumers together ask more than 5 times or 2 MB a second of a shard.",
        row.id.name
    );
    let mut found = finding(row, Cause::ReadThrottled, Health::Warn, Confidence::Certain, sentence);
    found.evidence.extend(evidence(row, &kinesis::READ_THROTTLED_PER_MIN, "reads refused"));
    found
}

/// Readers that are late. Which, is looked for in the functions that the stream feeds, in the applications that read it,
/// and among its fan-out consumers.
fn lagging<'a>(estate: &Estate<'a>, row: &'a Row) -> Option<Finding> {
    let lag_ms = row.fields.number(&kinesis::ITERATOR_AGE_MS).filter(|lag| *lag >= LAG_MS)?;
    let lag = short_duration_ms(lag_ms);
    let severity = if lag_ms >= LAG_CRIT_MS { Health::Crit } else { Health::Warn };
    let history = estate.series_of(row).recent(&kinesis::ITERATOR_AGE_MS, LOOK_BACK_MIN);
    let rising = history.first().is_some_and(|first| lag_ms > first + 5_000.0);
    let trend = if rising { "and falling further behind" } else { "and not falling further behind" };
    let is_late = |row: &Row, field: &Field| row.fields.number(field).is_some_and(|ms| ms >= LAG_MS);
    let function = estate.fed_by(&row.id).find(|function| is_late(function, &lambda::ITERATOR_AGE_MS));
    let application = estate.readers(row).find(|found| is_late(found, &kcl::LAG_MS)).filter(|_| function.is_none());
    let consumer = row.fields.text(&kinesis::FANOUT_LATEST).filter(|_| is_late(row, &kinesis::FANOUT_LAG_MS));
    let (name, out) = (&row.id.name, row.fields.number(&kinesis::OUT_BYTES_PER_S).unwrap_or(0.0));
    let arriving = row.fields.number(&kinesis::IN_BYTES_PER_S).unwrap_or(0.0);
    let slow = |confidence, sentence| finding(row, Cause::SlowConsumer, severity, confidence, sentence);
    let mut found = match (function.or(application), consumer) {
        (Some(reader), _) => slow(Confidence::Likely, format!("{} reads {name} {lag} late {trend}.", reader.id)),
        (None, Some(consumer)) => {
            let shared = row.fields.number(&kinesis::GETRECORDS_AGE_MS).filter(|ms| *ms < LAG_MS);
            let shared = shared.map_or("", |_| "; those who share the shards' reads are not late");
            slow(Confidence::Certain, format!("Fan-out consumer {consumer} reads {name} {lag} late {trend}{shared}."))
        }
        (None, None) if out < arriving * 0.02 && arriving > 0.0 => {
            let sentence = format!("A reader of {name} is {lag} late and next to nothing is read: it has stopped.");
            finding(row, Cause::StalledConsumer, severity, Confidence::Likely, sentence)
        }
        (None, None) => slow(
            Confidence::Possible,
            format!("A reader of {name} is {lag} late {trend}; no function here is, so it is another consumer."),
        ),
    };
    found.evidence.extend(evidence(row, &kinesis::ITERATOR_AGE_MS, "age of the last record read"));
    if consumer.is_some() {
        found.evidence.extend(evidence(row, &kinesis::FANOUT_LAG_MS, "lag of the latest fan-out consumer"));
        found.evidence.extend(evidence(row, &kinesis::GETRECORDS_AGE_MS, "lag of those who share the reads"));
    }
    if let Some(application) = application {
        found.evidence.extend(evidence(application, &kcl::LAG_MS, "lag of its slowest lease"));
        found.evidence.extend(idle_workers(application));
    }
    if let Some(function) = function {
        found.evidence.extend(evidence(function, &lambda::ITERATOR_AGE_MS, "age of its batches"));
        found.evidence.extend(evidence(function, &lambda::DURATION_P99_MS, "its p99 duration"));
    }
    Some(found)
}

/// That an application has workers to spare: it is no more of them that it lacks, for a shard is read by one alone.
fn idle_workers(application: &Row) -> Option<Evidence> {
    let idle = application.fields.number(&kcl::IDLE).filter(|idle| *idle > 0.0)?;
    let is_shared_out =
        [&kcl::UNOWNED, &kcl::EXPIRED].iter().all(|field| application.fields.number(field) == Some(0.0));
    let sentence =
        format!("{} no lease: more workers do not help, more shards may", counted_that(idle, "worker", "hold"));
    is_shared_out.then(|| Evidence {
        resource: application.id.clone(),
        field: kcl::IDLE.id,
        sentence,
        at: application.as_of,
    })
}

/// Records arrive, functions are mapped, and CloudWatch has no iterator age at all: nobody reads.
fn unread<'a>(estate: &Estate<'a>, row: &'a Row) -> Option<Finding> {
    let arriving = row.fields.number(&kinesis::IN_RECORDS_PER_S).filter(|n| *n > 0.0)?;
    let silent = matches!(row.fields.get(&kinesis::ITERATOR_AGE_MS)?.datum, Datum::Missing(NoData::NoDatapoints));
    let function = estate.fed_by(&row.id).next().filter(|_| silent)?;
    let state = mapping_state(function, &row.id.name).unwrap_or("not known");
    let sentence = format!(
        "{} a second arrive in {} and nobody reads it; the mapping to {} is {state}.",
        counted(arriving, "record"),
        row.id.name,
        function.id
    );
    let confidence = if state == "Enabled" { Confidence::Possible } else { Confidence::Certain };
    let mut found = finding(row, Cause::StalledConsumer, Health::Crit, confidence, sentence);
    found.evidence.extend(evidence(row, &kinesis::IN_RECORDS_PER_S, "records in"));
    Some(found)
}

fn mapping_state<'a>(function: &'a Row, source: &str) -> Option<&'a str> {
    let mapping = function.parts.iter().find(|part| {
        part.fields
            .text(&lambda::MAPPING_SOURCE)
            .is_some_and(|text| text == source || text.ends_with(&format!("/{source}")))
    })?;
    mapping.fields.text(&lambda::MAPPING_STATE)
}
