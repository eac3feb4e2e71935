//! Diagnosis: rules over rows, their series and links become findings with causes, most important first.
//!
//! A rule speaks only when its cause is there to be seen: it needs numbers, and it says which. What could be otherwise
//! is said by the confidence, not by a score.

mod access;
mod changes;
mod consumers;
mod functions;
mod queues;
mod streams;
mod topics;
mod workflows;

use crate::domain::change::Changes;
use crate::domain::field::Field;
use crate::domain::finding::{Cause, Confidence, Evidence, Finding};
use crate::domain::row::{Health, KindId, Relation, ResourceId, Row};
use crate::domain::series::{Series, SeriesKey};
use crate::domain::time::Timestamp;
use crate::domain::verb::ActionId;
use crate::kinds::SeriesOf;
use std::collections::BTreeMap;

/// All that the rules may look at.
pub struct Estate<'a> {
    pub rows: &'a BTreeMap<ResourceId, Row>,
    pub series: &'a BTreeMap<SeriesKey, Series>,
    pub changes: &'a Changes,
    pub now: Timestamp,
}

impl<'a> Estate<'a> {
    fn series_of(&self, row: &'a Row) -> SeriesOf<'a> {
        SeriesOf { all: self.series, row }
    }

    /// The functions that this stream or queue feeds.
    fn fed_by(&self, source: &'a ResourceId) -> impl Iterator<Item = &'a Row> {
        let functions = self.rows.values().filter(|row| row.id.kind == KindId::Lambda);
        functions.filter(move |row| row.linked(Relation::FedBy).any(|from| from == source))
    }

    /// The KCL applications that read this stream.
    fn readers(&self, stream: &'a Row) -> impl Iterator<Item = &'a Row> {
        stream.linked(Relation::ReadBy).filter_map(|id| self.rows.get(id))
    }
}

/// Every finding, most important first: by severity, then causes before their consequences, then by name.
pub fn diagnose(estate: &Estate<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for row in estate.rows.values() {
        match row.id.kind {
            KindId::Kinesis => streams::look(estate, row, &mut findings),
            KindId::Lambda => functions::look(estate, row, &mut findings),
            KindId::Sns => topics::look(estate, row, &mut findings),
            KindId::Swf => workflows::look(estate, row, &mut findings),
            KindId::Kcl => consumers::look(estate, row, &mut findings),
            KindId::Sqs | KindId::Firehose | KindId::Alarm => {}
        }
    }
    changes::explain(estate, &mut findings);
    let explained = findings.len();
    // Queues come last: why letters died is seen in the functions that worked them.
    for row in estate.rows.values().filter(|row| row.id.kind == KindId::Sqs) {
        queues::look(estate, row, &mut findings);
    }
    topics::doubt(estate, findings.get_mut(explained..).unwrap_or_default());
    changes::explain(estate, findings.get_mut(explained..).unwrap_or_default());
    access::tell(estate, &mut findings);
    findings.sort_by(|a, b| {
        (b.severity, rank(a.cause), b.confidence, &a.resource).cmp(&(
            a.severity,
            rank(b.cause),
            a.confidence,
            &b.resource,
        ))
    });
    findings
}

/// Causes before consequences.
const fn rank(cause: Cause) -> u8 {
    match cause {
        Cause::BadDeploy | Cause::HotKey | Cause::UnderProvisioned => 0,
        Cause::FunctionThrottled | Cause::TimeoutClose | Cause::FunctionErrors | Cause::ReadThrottled => 1,
        Cause::DeciderDown | Cause::DeliveriesFail | Cause::FilterPolicy | Cause::FleetStopped => 1,
        Cause::WorkerLost | Cause::LeaseTableThrottled => 1,
        Cause::StalledConsumer | Cause::SlowConsumer => 2,
        Cause::DeadLetters | Cause::Backlog => 3,
    }
}

/// A finding with no evidence yet.
fn finding(row: &Row, cause: Cause, severity: Health, confidence: Confidence, sentence: String) -> Finding {
    let actions: Vec<ActionId> = match cause {
        Cause::HotKey | Cause::UnderProvisioned => vec![ActionId::Reshard],
        Cause::DeadLetters => vec![ActionId::Redrive],
        Cause::BadDeploy | Cause::FunctionErrors | Cause::TimeoutClose => vec![ActionId::Invoke],
        _ => Vec::new(),
    };
    Finding { cause, severity, confidence, resource: row.id.clone(), sentence, evidence: Vec::new(), actions }
}

/// The row's field as evidence, when it has a datum.
fn evidence(row: &Row, field: &Field, what: &str) -> Option<Evidence> {
    let value = row.fields.get(field)?;
    value.as_number()?;
    let sentence = format!("{what}: {}", field.unit.short(&value.datum));
    Some(Evidence { resource: row.id.clone(), field: field.id, sentence, at: value.as_of })
}

#[cfg(test)]
mod changes_tests;
#[cfg(test)]
mod tests;
