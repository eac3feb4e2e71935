//! The leases of an application: who holds each, whether it is renewed, how far its checkpoint is.
//!
//! ```text
//! LEASES 4 held by 2 workers  by shard
//!  SHARD                STATE    LAG   OWNER
//! ▸shardId-000000000000 held   340ms   board-1
//! ```

use super::parts::{self, Parts};
use crate::app::screen::Detail;
use crate::app::state::State;
use crate::domain::counted::counted;
use crate::domain::field::Field;
use crate::domain::row::{Part, Row};
use crate::kinds::kcl::{FREE, GONE, HELD, LEASE_STATE, LOOK_UNITS, WORKERS};
use crate::theme::Role;
use crate::view::pen::Pen;
use ratatui::layout::Rect;

/// A lease key that names its stream too is long; its end says most.
const KEY_COLUMNS: usize = 32;

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
    let table = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
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
