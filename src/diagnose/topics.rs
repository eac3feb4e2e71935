//! What is wrong with a topic: deliveries that its subscribers do not take.

use super::{Estate, evidence, finding};
use crate::domain::finding::{Cause, Confidence, Finding};
use crate::domain::row::{Health, Relation, Row};
use crate::domain::value::Unit;
use crate::kinds::sns;

const LOOK_BACK_MIN: u64 = 5;

pub fn look<'a>(estate: &Estate<'a>, row: &'a Row, findings: &mut Vec<Finding>) {
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

/// Web hooks are what fails; queues and functions of the same account rarely do.
fn suspects(row: &Row) -> Vec<&str> {
    let is_hook = |text: &str| text.starts_with("http");
    let hooks = row.parts.iter().filter(|part| part.fields.text(&sns::PROTOCOL).is_some_and(is_hook));
    hooks.filter_map(|part| part.fields.text(&sns::ENDPOINT)).collect()
}
