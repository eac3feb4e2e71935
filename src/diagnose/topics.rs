//! What is wrong with a topic: deliveries that its subscribers do not take.

use super::{Estate, changes, evidence, finding};
use crate::domain::finding::{Cause, Confidence, Evidence, Finding};
use crate::domain::row::{Health, KindId, Place, Relation, Row};
use crate::domain::time::Timestamp;
use crate::domain::value::Unit;
use crate::kinds::sns;
use std::collections::BTreeSet;
use std::time::Duration;

const LOOK_BACK_MIN: u64 = 5;
/// With this share of the deliveries of before, some are missed.
const FEWER: f64 = 0.9;
/// The minutes that are compared: those before a change, and the newest.
const BEFORE: Duration = Duration::from_secs(15 * 60);
const NEWEST: Duration = Duration::from_secs(2 * 60);

pub fn look<'a>(estate: &Estate<'a>, row: &'a Row, findings: &mut Vec<Finding>) {
    findings.extend(filtered(estate, row));
    let series = estate.series_of(row);
    let failed = series.sum(&sns::FAILED_PER_MIN, "", LOOK_BACK_MIN);
    if failed <= 0.0 {
        return;
    }
    let delivered = series.sum(&sns::DELIVERED_PER_MIN, "", LOOK_BACK_MIN);
    let name = &row.id.name;
    let share = Unit::Percent.short_number(failed / (failed + delivered) * 100.0);
    let kept: Vec<&str> = row.linked(Relation::DeadLettersTo).map(|queue| queue.name.as_str()).collect();
    let then = match kept.as_slice() {
        [] => "what SNS gives up is lost where a subscription has no dead-letter queue".to_owned(),
        kept => format!("what SNS gives up goes to {}", kept.join(", ")),
    };
    // Which subscription fails is known where there is one that can: SNS counts by topic alone.
    let (confidence, who) = match suspects(row).as_slice() {
        [one] => (Confidence::Likely, format!("{one} does not take")),
        _ => (Confidence::Certain, "subscribers do not take".to_owned()),
    };
    let sentence = format!("{who} {share} of the deliveries of {name}: {then}.");
    let mut found = finding(row, Cause::DeliveriesFail, row.health.max(Health::Warn), confidence, sentence);
    found.evidence.extend(evidence(row, &sns::FAILED_PER_MIN, "failed"));
    found.evidence.extend(evidence(row, &sns::DELIVERED_PER_MIN, "delivered"));
    findings.push(found);
}

/// A queue from which nobody receives may be where a topic's dead letters lie. While that is not known of every topic,
/// nobody can be sure that its consumer has stopped.
pub fn doubt(estate: &Estate<'_>, of_queues: &mut [Finding]) {
    let topics = estate.rows.values().filter(|row| row.id.kind == KindId::Sns);
    let places: BTreeSet<&Place> =
        topics.filter(|row| sns::may_have_other_dead_letter_queues(row)).map(|row| &row.id.place).collect();
    for found in of_queues.iter_mut().filter(|found| found.cause == Cause::StalledConsumer) {
        if places.contains(&found.resource.place) {
            found.confidence = found.confidence.min(Confidence::Likely);
        }
    }
}

/// Fewer are delivered and more is filtered out than before somebody changed a filter policy. Filters are there to keep
/// things out, so without a change nothing is told. A new one takes up to 15 minutes to hold everywhere
/// (SetSubscriptionAttributes), so the newest minutes are compared with those before it.
fn filtered(estate: &Estate<'_>, row: &Row) -> Option<Finding> {
    let change = changes::filter_change(estate, row)?;
    let all = estate.series_of(row);
    let mean = |field, from: Timestamp, until: Timestamp| {
        let points = all.get(field)?.since(from).filter(|(at, _)| *at < until);
        let numbers: Vec<f64> = points.map(|(_, number)| number).collect();
        (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64)
    };
    let minute = change.at.floor_to(60);
    let (newest, _) = all.get(&sns::DELIVERED_PER_MIN)?.last()?;
    let recent = (newest - NEWEST).max(minute + Duration::from_secs(60));
    let before = |field| mean(field, minute - BEFORE, minute);
    let now = |field| mean(field, recent, newest + Duration::from_secs(60));
    let (had, has) = (before(&sns::DELIVERED_PER_MIN)?, now(&sns::DELIVERED_PER_MIN)?);
    let (kept_out, keeps_out) = (before(&sns::FILTERED_PER_MIN).unwrap_or(0.0), now(&sns::FILTERED_PER_MIN)?);
    if had <= 0.0 || has > had * FEWER || keeps_out < kept_out + (had - has) / 2.0 {
        return None;
    }
    let fewer = Unit::Percent.short_number((1.0 - has / had) * 100.0);
    let changed = format!("{} by {} at {}", change.what(), change.whom(), change.at.clock_hms());
    let name = &row.id.name;
    let sentence = format!("{name} delivers {fewer} less since {changed}: it filters out what it delivered before.");
    let mut found = finding(row, Cause::FilterPolicy, Health::Warn, Confidence::Certain, sentence);
    let (resource, sentence) = (row.id.clone(), change.sentence());
    found.evidence.push(Evidence { resource, field: changes::CHANGE, sentence, at: change.at });
    found.evidence.extend(evidence(row, &sns::FILTERED_PER_MIN, "filtered out"));
    found.evidence.extend(evidence(row, &sns::DELIVERED_PER_MIN, "delivered"));
    Some(found)
}

/// Web hooks are what fails; queues and functions of the same account rarely do.
fn suspects(row: &Row) -> Vec<&str> {
    let is_hook = |text: &str| text.starts_with("http");
    let hooks = row.parts.iter().filter(|part| part.fields.text(&sns::PROTOCOL).is_some_and(is_hook));
    hooks.filter_map(|part| part.fields.text(&sns::ENDPOINT)).collect()
}
