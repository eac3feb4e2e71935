//! A function's durations against its timeout, and the mappings that feed it.
//!
//! ```text
//! DURATION against its timeout of 3.0s
//!  p50 ██░░░░░░░░░░░░░░░░░░   340ms   11%
//!  p99 ███████████████████░    2.8s   93%
//! EVENT SOURCE MAPPINGS
//! ```

use super::parts::{self, Parts};
use crate::app::screen::Detail;
use crate::app::state::State;
use crate::domain::field::Field;
use crate::domain::row::{Part, Row};
use crate::domain::value::Unit;
use crate::kinds::lambda::{
    DURATION_MAX_MS, DURATION_P50_MS, DURATION_P95_MS, DURATION_P99_MS, MAPPING_STATE, TIMEOUT_S,
};
use crate::theme::Role;
use crate::view::cell::cell;
use crate::view::chart::gauge;
use crate::view::pen::Pen;
use ratatui::layout::Rect;

const DURATIONS: [(&str, &Field); 4] =
    [("p50", &DURATION_P50_MS), ("p95", &DURATION_P95_MS), ("p99", &DURATION_P99_MS), ("max", &DURATION_MAX_MS)];

/// Shares of the timeout from which a duration is close to it, and at it.
const SHARE_WARN: f64 = 0.8;
const SHARE_CRIT: f64 = 0.98;

pub fn draw(pen: &mut Pen, area: Rect, state: &State, row: &Row, detail: &Detail) {
    let mut used = 0;
    let timeout_s = row.fields.number(&TIMEOUT_S).filter(|s| *s > 0.0);
    // The mappings come first when there is little room: a disabled one must be seen. The slowest durations are the last.
    let below = if row.parts.is_empty() { 1 } else { 2 + row.parts.len().min(2) as u16 };
    let shown = area.height.saturating_sub(1 + below).min(DURATIONS.len() as u16);
    if let Some(timeout_s) = timeout_s.filter(|_| shown > 0) {
        let mut title = pen.line(Rect { height: 1, ..area });
        title.gap(1).put("DURATION", Role::Header).put(" against its timeout of ", Role::Dim);
        title.put(&Unit::Seconds.short_number(timeout_s), Role::Strong);
        let slowest = DURATIONS.into_iter().skip(DURATIONS.len() - usize::from(shown));
        for (n, (name, field)) in slowest.enumerate() {
            let line = Rect { y: area.y + 1 + n as u16, height: 1, ..area };
            let (said, role) = cell(field, row.fields.get(field), state.now);
            match row.fields.number(field) {
                Some(ms) => draw_duration(pen, line, name, &said, ms / 1000.0 / timeout_s),
                None => {
                    pen.line(line).gap(1).put(name, Role::Dim).gap(1).put(&said, role);
                }
            }
        }
        used = 1 + shown;
    }
    let rest = Rect { y: area.y + used, height: area.height.saturating_sub(used), ..area };
    let mut title = pen.line(Rect { height: rest.height.min(1), ..rest });
    title.gap(1).put("EVENT SOURCE MAPPINGS", Role::Header).gap(1);
    if row.parts.is_empty() {
        title.put("none: no stream or queue feeds it", Role::Dim);
        return;
    }
    let name = |part: &Part| part.id.chars().take(8).collect();
    let show = Parts { head: "UUID", name: &name, role: &stands_out, none: "none" };
    let table = Rect { y: rest.y + 1, height: rest.height.saturating_sub(1), ..rest };
    parts::draw(pen, table, state, row, detail, &show);
}

fn stands_out(field: &Field, part: &Part) -> Option<Role> {
    (field.id == MAPPING_STATE.id && part.fields.text(field) != Some("Enabled")).then_some(Role::Warn)
}

/// A bar as long as the duration's share of the timeout, the duration, the share.
fn draw_duration(pen: &mut Pen, line: Rect, name: &str, said: &str, share: f64) {
    let role = match share {
        s if s >= SHARE_CRIT => Role::Crit,
        s if s >= SHARE_WARN => Role::Warn,
        _ => Role::Series1,
    };
    let mut text = pen.line(line);
    text.gap(1).put(name, Role::Dim).gap(1);
    let x = text.x;
    let width = line.right().saturating_sub(x + 15).min(80);
    gauge(pen, x, line.y, width, share, role);
    let after = Rect { x: x + width, width: line.right().saturating_sub(x + width), ..line };
    pen.right(after.x, line.y, 8.min(after.width), said, pen.style(Role::Strong));
    let percent = Unit::Percent.short_number(share * 100.0);
    pen.right(after.x.saturating_add(8), line.y, 6.min(after.width.saturating_sub(8)), &percent, pen.style(Role::Dim));
}
