//! A row becomes what a poll asks about: its address, its parts, and whether somebody looks at it.

use crate::domain::poll::Target;
use crate::domain::row::{KindId, Part, Row};
use crate::kinds::{self, kinesis, sns};
use std::time::Duration;

/// ListStreamConsumers has five calls a second of a stream, which its consumers need for themselves when they start
/// (Kinesis "Quotas and limits"); they seldom change.
const CONSUMERS_EVERY: Duration = Duration::from_secs(15 * 60);
const CONSUMERS_NEAR_EVERY: Duration = Duration::from_secs(60);

/// How many metrics are asked for of it.
pub fn metric_count(row: &Row, is_near: bool) -> usize {
    let kind = kinds::kind(row.id.kind);
    let of_parts = kind.part_metrics.len() * metric_parts(row).count();
    kind.metrics_of(is_near).count() + of_parts + kinesis::consumers(row).count()
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
    let parts = match (with_parts, row.id.kind) {
        (true, _) => metric_parts(row).map(str::to_owned).collect(),
        (false, KindId::Sns) => sns::unread(row).map(|part| part.id.clone()).collect(),
        (false, _) => Vec::new(),
    };
    let move_tasks = row.id.kind == KindId::Sqs && kinds::sqs::is_dead_letter_queue(row);
    Target {
        parts,
        move_tasks,
        consumers: kinesis::consumers(row).map(str::to_owned).collect(),
        lists_consumers: lists_consumers(row, is_near),
        is_near,
        ..Target::new(row.id.clone(), address.map(str::to_owned))
    }
}

fn lists_consumers(row: &Row, is_near: bool) -> bool {
    let every = if is_near { CONSUMERS_NEAR_EVERY } else { CONSUMERS_EVERY };
    let is_old = || row.fields.get(&kinesis::CONSUMERS).is_none_or(|known| row.as_of.since(known.as_of) >= every);
    row.id.kind == KindId::Kinesis && is_old()
}
