//! The leases of an application: who holds each, whether it is renewed, how far its checkpoint is.
//!
//! ```text
//! LEASES 4, held by 2 workers
//! WORKERS board-1 3, board-2 1; idle: board-3
//!  SHARD                STATE    LAG   OWNER
//! ▸shardId-000000000000 held   340ms   board-1
//! ```

use super::parts::{self, Parts};
use crate::app::screen::Detail;
use crate::app::state::State;
use crate::domain::counted::counted;
use crate::domain::field::Field;
use crate::domain::row::{Part, Row};
use crate::kinds::kcl::{FREE, GONE, HELD, LEASE_STATE, LOOK_UNITS, WORKERS, workers_told};
use crate::theme::Role;
use crate::view::pen::Pen;
use crate::view::text::wrap;
use ratatui::layout::Rect;

/// A lease key that names its stream too is long; its end says most.
const KEY_COLUMNS: usize = 32;
/// The workers have at most so many lines.
const WORKER_ROWS_MAX: usize = 4;
/// The leases keep at least so many, and their heads one.
const LEASES_MIN: usize = 3;
const WORKERS_HEAD: &str = "WORKERS ";

/// How many lines the workers take.
pub fn worker_rows(row: &Row, width: u16) -> u16 {
    if row.parts.is_empty() { 0 } else { worker_lines(&workers(row), width).len() as u16 }
}

fn workers(row: &Row) -> String {
    format!("{WORKERS_HEAD}{}", workers_told(row))
}

fn worker_lines(told: &str, width: u16) -> Vec<&str> {
    wrap(told, width.saturating_sub(2), WORKER_ROWS_MAX)
}

/// Draws the workers and gives the lines that they took.
fn draw_workers(pen: &mut Pen, area: Rect, row: &Row) -> u16 {
    let kept = row.parts.len().min(LEASES_MIN) as u16 + 1;
    let rows = worker_rows(row, area.width).min(area.height.saturating_sub(kept));
    let text = Rect { x: area.x + 1, width: area.width.saturating_sub(2), height: rows, ..area };
    if rows > 0 {
        pen.paragraph(text, &workers(row), Role::Text);
        pen.text(text.x, text.y, text.width.min(WORKERS_HEAD.len() as u16), WORKERS_HEAD, pen.style(Role::Header));
    }
    rows
}

pub fn draw(pen: &mut Pen, area: Rect, state: &State, row: &Row, detail: &Detail) {
    let mut title = pen.line(Rect { height: area.height.min(1), ..area });
    title.gap(1).put("LEASES", Role::Header).gap(1).put(&row.parts.len().to_string(), Role::Strong);
    if let Some(workers) = row.fields.number(&WORKERS) {
        title.put(&format!(", {HELD} by {}", counted(workers, "worker")), Role::Dim);
    }
    if let Some(units) = row.fields.number(&LOOK_UNITS) {
        title.gap(2).put(&format!("a look takes {} of the table", counted(units, "read unit")), Role::Dim);
    }
    let show = Parts { head: "SHARD", name: &short_key, role: &stands_out, none: "the leases are not read yet" };
    let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let used = draw_workers(pen, below, row);
    let table = Rect { y: below.y + used, height: below.height - used, ..below };
    parts::draw(pen, table, state, row, detail, &show);
}

fn short_key(part: &Part) -> String {
    let surplus = part.id.chars().count().saturating_sub(KEY_COLUMNS);
    part.id.chars().skip(surplus).collect()
}

fn stands_out(field: &Field, part: &Part) -> Option<Role> {
    match part.fields.text(&LEASE_STATE).filter(|_| field.id == LEASE_STATE.id)? {
        GONE => Some(Role::Crit),
        FREE => Some(Role::Warn),
        _ => None,
    }
}
