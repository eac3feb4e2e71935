//! A row becomes what a poll asks about: its address, its parts, and whether somebody looks at it.

use crate::domain::poll::Target;
use crate::domain::row::{KindId, Part, Row};
use crate::kinds;

/// How many metrics are asked for of it.
pub fn metric_count(row: &Row, is_near: bool) -> usize {
    let kind = kinds::kind(row.id.kind);
    kind.metrics_of(is_near).count() + kind.part_metrics.len() * metric_parts(row).count()
}

/// The parts that have metrics of their own: open shards of a stream with shard-level metrics, workflow types.
fn metric_parts(row: &Row) -> impl Iterator<Item = &str> {
    let kind = kinds::kind(row.id.kind);
    let wanted = (kind.has_part_metrics)(row);
    let measured = move |part: &&Part| wanted && (kind.is_part_measured)(part);
    row.parts.iter().filter(measured).map(|part| part.id.as_str())
}

pub fn target(row: &Row, with_parts: bool, is_near: bool) -> Target {
    let address = kinds::kind(row.id.kind).address.and_then(|field| row.fields.text(field));
    let parts = if with_parts { metric_parts(row).map(str::to_owned).collect() } else { Vec::new() };
    let move_tasks = row.id.kind == KindId::Sqs && kinds::sqs::is_dead_letter_queue(row);
    Target { id: row.id.clone(), address: address.map(str::to_owned), parts, move_tasks, is_near }
}
