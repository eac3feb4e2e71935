//! What is wrong with a domain's workflows: decisions that nobody takes.

use super::{Estate, evidence, finding};
use crate::domain::counted::counted_that;
use crate::domain::finding::{Cause, Confidence, Finding};
use crate::domain::row::{Health, Row};
use crate::kinds::swf;

pub fn look<'a>(estate: &Estate<'a>, row: &'a Row, findings: &mut Vec<Finding>) {
    let Some(waiting) = swf::untaken(row, &estate.series_of(row)) else { return };
    let name = &row.id.name;
    let lists = row.fields.text(&swf::TASK_LISTS).unwrap_or_default();
    let decisions = lists.split(" / ").filter_map(|list| list.strip_prefix("D ")).collect::<Vec<_>>().join(", ");
    let count = counted_that(waiting, "decision", "wait");
    let sentence = format!(
        "Nobody decides for {name}: {count} on {decisions} and none was taken in 5 minutes. \
         Start its deciders, or see which task list they poll."
    );
    let severity = row.health.max(Health::Warn);
    let mut found = finding(row, Cause::DeciderDown, severity, Confidence::Likely, sentence);
    found.evidence.extend(evidence(row, &swf::PENDING_DECISIONS, "decisions that wait"));
    found.evidence.extend(evidence(row, &swf::OPEN, "open executions"));
    findings.push(found);
}
