//! The overview: what is wrong and why first, then every resource, the worst on top.
//!
//! ```text
//! FINDINGS
//! 1 ✖ crit    kinesis/bids     one key takes 71% of shardId-…0003            S reshard
//!   HEALTH    RESOURCE         WHY                                           LAST HOUR
//! ▸✖ crit     kinesis/bids     readers are 3m20s behind       LAG 3m20s  W-THR 1.2k/m  ▁▁▂▅▇█
//! ```

use super::cell::cell;
use super::chart::spark;
use super::pen::Pen;
use super::table::{HEALTH_COLUMNS, health, name, reason};
use super::text::columns;
use crate::app::list::{List, SortBy};
use crate::app::state::State;
use crate::domain::finding::Finding;
use crate::domain::row::Row;
use crate::domain::series::SeriesKey;
use crate::kinds;
use crate::theme::Role;
use ratatui::layout::Rect;

pub fn draw(pen: &mut Pen, area: Rect, state: &State, list: &List) {
    let findings = state.findings_rows().min(area.height);
    draw_findings(pen, Rect { height: findings, ..area }, state);
    let area = Rect { y: area.y + findings, height: area.height - findings, ..area };
    if area.is_empty() {
        return;
    }
    let places = Places::of(area.width);
    heads(pen, area, places, list);
    let rows = usize::from(area.height - 1);
    for (n, id) in list.on_screen(rows).iter().enumerate() {
        let Some(row) = state.rows.get(id) else { continue };
        let line = Rect { y: area.y + 1 + n as u16, height: 1, ..area };
        let selected = list.selected.as_ref() == Some(id);
        draw_row(pen, line, places, state, row, selected);
        if selected {
            pen.paint(line, pen.style(Role::Selection));
        }
    }
}

/// Which parts of a row there is room for, in columns.
#[derive(Clone, Copy)]
struct Places {
    id: u16,
    why: u16,
    /// How many numbers.
    numbers: u16,
    spark: u16,
}

/// A number with its head: `W-THR 1.2k/m` and a blank.
const NUMBER_COLUMNS: u16 = 16;

impl Places {
    fn of(width: u16) -> Self {
        let (id, numbers, spark) = match width {
            0..60 => (18, 0, 0),
            60..100 => (19, 0, 10),
            100..130 => (24, 1, 14),
            130..170 => (30, 2, 20),
            _ => (36, 3, 30),
        };
        let spent = HEALTH_COLUMNS + id + 1 + numbers * NUMBER_COLUMNS + if spark > 0 { spark + 1 } else { 0 };
        Self { id, why: width.saturating_sub(spent), numbers, spark }
    }
}

fn heads(pen: &mut Pen, area: Rect, places: Places, list: &List) {
    let sorted = if list.sort.reverse { pen.glyph().ascending } else { pen.glyph().descending };
    let style = pen.style(Role::Header);
    let x = area.x + HEALTH_COLUMNS;
    let used = pen.text(area.x + 2, area.y, HEALTH_COLUMNS, "HEALTH", style);
    let id = pen.text(x, area.y, places.id, "RESOURCE", style);
    let at = if list.sort.by == SortBy::Rank { area.x + 2 + used } else { x + id };
    pen.sign(at, area.y, sorted, pen.style(Role::Accent));
    let x = x + places.id + 1;
    pen.text(x, area.y, places.why, "WHY", style);
    let x = x + places.why;
    if places.numbers > 0 {
        pen.text(x, area.y, places.numbers * NUMBER_COLUMNS, "NUMBERS", style);
    }
    pen.text(x + places.numbers * NUMBER_COLUMNS + 1, area.y, places.spark, "LAST HOUR", style);
}

fn draw_row(pen: &mut Pen, line: Rect, places: Places, state: &State, row: &Row, selected: bool) {
    health(pen, line, row.health, selected);
    let mut x = line.x + HEALTH_COLUMNS;
    name(pen, Rect { x, width: places.id, ..line }, state, row, &row.id.to_string());
    x += places.id + 1;
    reason(pen, Rect { x, width: places.why.saturating_sub(1), ..line }, row);
    x += places.why;
    let kind = kinds::kind(row.id.kind);
    for field in kind.columns.iter().take(usize::from(places.numbers)) {
        let (text, role) = cell(field, row.fields.get(field), state.now);
        let role = if row.stale.is_some() { Role::Stale } else { role };
        let mut number = pen.line(Rect { x, width: NUMBER_COLUMNS - 1, ..line });
        number.put(field.title, Role::Dim).gap(1).put(&text, role);
        x += NUMBER_COLUMNS;
    }
    if places.spark > 0
        && let Some(field) = kind.charts.first()
    {
        let key = SeriesKey { resource: row.id.clone(), part: String::new(), field: field.id };
        if let Some(series) = state.series.get(&key) {
            let role = if row.stale.is_some() { Role::Stale } else { Role::Series1 };
            spark(pen, x + 1, line.y, places.spark, series, state.now, role);
        }
    }
}

fn draw_findings(pen: &mut Pen, area: Rect, state: &State) {
    if area.height < 2 {
        return;
    }
    let shown = usize::from(area.height).saturating_sub(2).max(1);
    let mut head = pen.line(Rect { height: 1, ..area });
    head.gap(2).put("WHAT IS WRONG", Role::Header);
    let hidden = state.findings.len().saturating_sub(shown);
    if hidden > 0 {
        head.gap(2).put(&format!("the gravest {shown} of {}", state.findings.len()), Role::Dim);
    }
    for (n, finding) in state.findings.iter().take(shown).enumerate() {
        draw_finding(pen, Rect { y: area.y + 1 + n as u16, height: 1, ..area }, n + 1, finding);
    }
    if usize::from(area.height) > shown + 1 {
        let style = pen.style(Role::Border);
        pen.repeat(area.x, area.bottom() - 1, area.width, pen.glyph().horizontal, style);
    }
}

fn draw_finding(pen: &mut Pen, line: Rect, rank: usize, finding: &Finding) {
    // The cures stand at the right where there is room for them beside the sentence.
    let cures: Vec<&str> = finding.actions.iter().map(|action| action.word()).collect();
    let cures = cures.join(", ");
    let id = finding.resource.to_string();
    let wanted = HEALTH_COLUMNS + columns(&id).max(18) + columns(&finding.sentence) + columns(&cures) + 6;
    let with_cures = !cures.is_empty() && line.width >= wanted.min(110);
    let room = if with_cures { line.width.saturating_sub(columns(&cures) + 4) } else { line.width };
    let mut text = pen.line(Rect { width: room, ..line });
    text.put(&rank.to_string(), Role::Dim).to(line.x + 2).health(finding.severity).to(line.x + HEALTH_COLUMNS + 1);
    text.put(&id, Role::Strong).gap(2).put(&finding.sentence, Role::Text);
    if with_cures {
        let arrow = pen.glyph().arrow;
        let mut right = pen.line(Rect { x: line.x + room, width: line.width - room, ..line });
        right.gap(1).sign(arrow, Role::Dim).gap(1).put(&cures, Role::Key);
    }
}
