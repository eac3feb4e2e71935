//! Panels: what is special about a kind's parts. The shards of a stream as a map of the key space, a queue's move tasks
//! with their progress, a function's durations against its timeout. All else of a detail is the same for every kind.

mod function;
mod leases;
mod members;
mod parts;
mod queue;
mod shards;

use super::pen::Pen;
use crate::app::screen::Detail;
use crate::app::state::State;
use crate::domain::field::Field;
use crate::domain::row::{KindId, Row};
use crate::kinds::lambda;
use ratatui::layout::Rect;

/// How many lines the panel would like.
pub fn rows_wanted(row: &Row, width: u16) -> u16 {
    let parts = u16::try_from(row.parts.len()).unwrap_or(u16::MAX).min(200);
    match row.id.kind {
        KindId::Kinesis => parts + 3,
        KindId::Sqs => parts + 2 + queue::note_rows(row, width),
        KindId::Lambda => parts + 8,
        KindId::Kcl => parts + 2 + leases::worker_rows(row, width),
        KindId::Sns | KindId::Swf => parts + 2,
        KindId::Firehose | KindId::Alarm => 0,
    }
}

pub fn draw(pen: &mut Pen, area: Rect, state: &State, row: &Row, detail: &Detail) {
    if area.is_empty() {
        return;
    }
    match row.id.kind {
        KindId::Kinesis => shards::draw(pen, area, state, row, detail),
        KindId::Sqs => queue::draw(pen, area, state, row, detail),
        KindId::Lambda => function::draw(pen, area, state, row, detail),
        KindId::Sns => members::draw(pen, area, state, row, detail, "none: what is published goes nowhere"),
        KindId::Swf => members::draw(pen, area, state, row, detail, "none are registered"),
        KindId::Kcl => leases::draw(pen, area, state, row, detail),
        KindId::Firehose | KindId::Alarm => {}
    }
}

/// The curves that are drawn together with this field's, for those that say more in company.
pub fn curves(kind: KindId, field: &Field) -> &'static [(&'static str, &'static Field)] {
    match kind {
        KindId::Lambda if field.id == lambda::DURATION_P99_MS.id => {
            &[("p50", &lambda::DURATION_P50_MS), ("p95", &lambda::DURATION_P95_MS), ("p99", &lambda::DURATION_P99_MS)]
        }
        _ => &[],
    }
}

/// A level to stay below, drawn only where the numbers come near it: else it would press them flat.
pub fn limit(row: &Row, field: &Field) -> Option<(&'static str, f64)> {
    if row.id.kind != KindId::Lambda || field.id != lambda::DURATION_P99_MS.id {
        return None;
    }
    let timeout_ms = row.fields.number(&lambda::TIMEOUT_S)? * 1000.0;
    let near = row.fields.number(&lambda::DURATION_P99_MS)? > timeout_ms * 0.4;
    near.then_some(("timeout", timeout_ms))
}
