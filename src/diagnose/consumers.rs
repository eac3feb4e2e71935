//! What is wrong with a KCL application: a lease table that refuses its workers, a fleet that has stopped, an instance
//! that is lost and whose leases nobody has taken yet.

use super::{Estate, evidence, finding};
use crate::domain::counted::{counted, counted_all};
use crate::domain::finding::{Cause, Confidence, Evidence, Finding};
use crate::domain::row::{Health, Part, Relation, Row};
use crate::domain::value::short_duration_ms;
use crate::kinds::kcl::{self, Silence};
use crate::kinds::kinesis;
use std::collections::BTreeSet;

const LOOK_BACK_MIN: u64 = 5;
/// With this much lag already, the leases that wait make it worse than a change of owner should.
const LAG_CRIT_MS: f64 = 300_000.0;
/// Leases that are named one by one.
const NAMED_MAX: usize = 4;

pub fn look<'a>(estate: &Estate<'a>, row: &'a Row, findings: &mut Vec<Finding>) {
    let silence = kcl::silence(row, &estate.series_of(row));
    let found = throttled(estate, row, silence).or_else(|| stopped(estate, row, silence)).or_else(|| lost(row));
    findings.extend(found);
}

/// A worker that cannot write to the table cannot renew: it gives its leases up, though it works.
fn throttled<'a>(estate: &Estate<'a>, row: &'a Row, silence: Silence) -> Option<Finding> {
    let series = estate.series_of(row);
    let refused = series.sum(&kcl::WRITE_THROTTLED_PER_MIN, "", LOOK_BACK_MIN);
    let expired = row.fields.number(&kcl::EXPIRED).unwrap_or(0.0);
    if refused < 1.0 || (silence != Silence::Stopped && expired < 1.0) {
        return None;
    }
    let capacity = match row.fields.text(&kcl::CAPACITY) {
        Some("on demand") | None => "Its table is on demand: it grows by itself, or a quota holds it.".to_owned(),
        Some(units) => format!("Its table has {units}: give it more, or make it on demand."),
    };
    let sentence = format!(
        "{} cannot renew its leases: DynamoDB refused {} of its lease table in {LOOK_BACK_MIN} minutes. {capacity}",
        row.id.name,
        counted(refused, "write")
    );
    let severity = if silence == Silence::Stopped { Health::Crit } else { Health::Warn };
    let mut found = finding(row, Cause::LeaseTableThrottled, severity, Confidence::Certain, sentence);
    found.evidence.extend(evidence(row, &kcl::WRITE_THROTTLED_PER_MIN, "writes refused"));
    found.evidence.extend(evidence(row, &kcl::READ_THROTTLED_PER_MIN, "reads refused"));
    found.evidence.extend(evidence(row, &kcl::EXPIRED, "leases that are not renewed"));
    Some(found)
}

/// No lease is renewed by anybody.
fn stopped<'a>(estate: &Estate<'a>, row: &'a Row, silence: Silence) -> Option<Finding> {
    let name = &row.id.name;
    let arriving = row.linked(Relation::Reads).filter_map(|id| estate.rows.get(id));
    let arriving = arriving.filter(|stream| stream.fields.number(&kinesis::IN_RECORDS_PER_S).is_some_and(|n| n > 0.0));
    let stream = arriving.into_iter().next();
    let has_looked_twice = row.fields.number(&kcl::EXPIRED).is_some();
    let (severity, confidence, sentence) = match (silence, stream) {
        (Silence::Stopped, _) => {
            let last = estate.series_of(row).get(&kcl::RENEWALS_PER_MIN).and_then(|series| series.last());
            let since = last.filter(|_| row.fields.number(&kcl::RENEWALS_PER_MIN).is_none());
            let since = since.map(|(at, _)| format!(" since {}", at.clock_hms())).unwrap_or_default();
            let confidence = if has_looked_twice { Confidence::Certain } else { Confidence::Likely };
            (
                Health::Crit,
                confidence,
                format!("No worker of {name} renews a lease{since}: the whole fleet has stopped."),
            )
        }
        (Silence::Old, Some(stream)) => {
            let said = format!(
                "No worker of {name} has renewed a lease for an hour, and records arrive in {}: it has stopped, or its \
                 lease table was left behind.",
                stream.id.name
            );
            (Health::Warn, Confidence::Possible, said)
        }
        (Silence::Old, None) | (Silence::No, _) => return None,
    };
    let mut found = finding(row, Cause::FleetStopped, severity, confidence, sentence);
    found.evidence.extend(evidence(row, &kcl::EXPIRED, "leases that are not renewed"));
    found.evidence.extend(evidence(row, &kcl::LAG_MS, "lag of the slowest lease"));
    found.evidence.extend(stream.and_then(|stream| evidence(stream, &kinesis::IN_RECORDS_PER_S, "records in")));
    Some(found)
}

/// Leases that stand still while others are renewed: all those of some workers, so these are gone.
fn lost(row: &Row) -> Option<Finding> {
    let owners = |state: &str| -> BTreeSet<&str> {
        let of_state = row.parts.iter().filter(|part| part.fields.text(&kcl::LEASE_STATE) == Some(state));
        of_state.filter_map(|part| part.fields.text(&kcl::OWNER)).collect()
    };
    let living = owners(kcl::HELD);
    let gone: Vec<&str> = owners(kcl::GONE).difference(&living).copied().collect();
    if gone.is_empty() || living.is_empty() {
        return None;
    }
    let is_of_gone = |part: &&Part| {
        let owner = part.fields.text(&kcl::OWNER).filter(|owner| gone.contains(owner));
        owner.is_some() && part.fields.text(&kcl::LEASE_STATE) == Some(kcl::GONE)
    };
    let leases: Vec<&Part> = row.parts.iter().filter(is_of_gone).collect();
    let still = leases.iter().filter_map(|part| part.fields.number(&kcl::UNRENEWED_S)).fold(0.0, f64::max);
    let sentence = format!(
        "{} of {} no longer renews {}: its instance is lost. Nobody reads {} for {} by now, until another worker takes over.",
        gone.join(", "),
        row.id.name,
        if leases.len() == 1 { "its lease".to_owned() } else { format!("its {}", counted_all(leases.len(), "lease")) },
        if leases.len() == 1 { "its shard" } else { "their shards" },
        short_duration_ms(still * 1000.0)
    );
    let is_late = row.fields.number(&kcl::LAG_MS).is_some_and(|ms| ms >= LAG_CRIT_MS);
    let severity = if is_late { Health::Crit } else { Health::Warn };
    let mut found = finding(row, Cause::WorkerLost, severity, Confidence::Likely, sentence);
    for lease in leases.iter().take(NAMED_MAX) {
        let still = lease.fields.number(&kcl::UNRENEWED_S).unwrap_or(0.0);
        found.evidence.push(Evidence {
            resource: row.id.clone(),
            field: kcl::UNRENEWED_S.id,
            sentence: format!("{}: its counter stands still for {}", lease.id, short_duration_ms(still * 1000.0)),
            at: row.as_of,
        });
    }
    found.evidence.extend(evidence(row, &kcl::LAG_MS, "lag of the slowest lease"));
    Some(found)
}
