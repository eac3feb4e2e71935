//! The overview: what is wrong and why first, then every resource, the worst on top.
//!
//! ```text
//! WHAT IS WRONG
//! 1 ✖ crit    kinesis/bids  shardId-000000000003 takes 71% of the writes: one
//!             partition key is hot.  → reshard
//!   HEALTH    RESOURCE         WHY                                           LAST HOUR
//! ▸✖ crit     kinesis/bids     readers are 3m20s behind       LAG 3m20s  W-THR 1.2k/m  ▁▁▂▅▇█
//! ```

use super::cell::cell;
use super::chart::{spark, spark_legend};
use super::pen::Pen;
use super::table::{HEALTH_COLUMNS, STALE_COLUMNS, heads_rows, health, name, reason};
use super::text::{columns, wrap};
use crate::app::list::{List, SortBy};
use crate::app::state::State;
use crate::domain::field::Field;
use crate::domain::finding::Finding;
use crate::domain::row::Row;
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
    let head = heads_rows(area);
    let shown = list.on_screen(usize::from(area.height - head));
    let longest = shown.iter().map(|id| id.kind.word().len() as u16 + 1 + columns(&id.name_among_places()));
    let rows: Vec<&Row> = shown.iter().filter_map(|id| state.rows.get(id)).collect();
    let is_stale = rows.iter().any(|row| row.stale.is_some());
    let places = Places::of(area.width, longest.max().unwrap_or(0), if is_stale { STALE_COLUMNS } else { 0 });
    if head > 0 {
        heads(pen, area, places, list);
    }
    for (n, row) in rows.into_iter().enumerate() {
        let line = Rect { y: area.y + head + n as u16, height: 1, ..area };
        let selected = list.selected.as_ref() == Some(&row.id);
        draw_row(pen, line, places, state, row, selected);
        if selected {
            let name = Rect { x: area.x + HEALTH_COLUMNS, width: places.id, ..line };
            pen.paint(name.intersection(line), pen.style(Role::Selection));
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
    /// For ids of at most `longest` columns, with room for how old they are.
    fn of(width: u16, longest: u16, age: u16) -> Self {
        let (id_max, numbers, spark) = match width {
            0..60 => (20, 0, 0),
            60..100 => (26, 0, 10),
            100..130 => (32, 1, 14),
            130..170 => (40, 2, 20),
            _ => (48, 3, 30),
        };
        let id = (longest + age).clamp(18, id_max + age);
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
    let legend = spark_legend(pen);
    let whole = format!("LAST HOUR  {legend}");
    let head = if columns(&whole) <= places.spark { whole.as_str() } else { "LAST HOUR" };
    pen.text(x + places.numbers * NUMBER_COLUMNS + 1, area.y, places.spark, head, style);
}

fn draw_row(pen: &mut Pen, line: Rect, places: Places, state: &State, row: &Row, selected: bool) {
    health(pen, line, row.health, selected);
    let mut x = line.x + HEALTH_COLUMNS;
    name(pen, Rect { x, width: places.id, ..line }, state, row, &row.id.to_string());
    x += places.id + 1;
    reason(pen, Rect { x, width: places.why.saturating_sub(1), ..line }, row);
    let free = places.why.saturating_sub(reason_columns(row) + 1);
    x += places.why;
    let kind = kinds::kind(row.id.kind);
    let numbers: Vec<_> = kind.columns.iter().take(usize::from(places.numbers)).collect();
    let said = |field: &'static Field| cell(field, row.fields.get(field), state.now);
    // What is longer than its place begins further left, as far as the reason leaves that free.
    let beyond = |field: &&&'static Field| (columns(field.title) + columns(&said(field).0) + 2).max(NUMBER_COLUMNS);
    let wanted: u16 = numbers.iter().map(|field| beyond(field) - NUMBER_COLUMNS).fold(0, u16::saturating_add);
    let mut spare = wanted.min(free);
    x -= spare;
    for field in &numbers {
        let more = (beyond(field) - NUMBER_COLUMNS).min(spare);
        spare -= more;
        let (text, role) = said(field);
        let role = if row.stale.is_some() { Role::Stale } else { role };
        let mut number = pen.line(Rect { x, width: NUMBER_COLUMNS + more - 1, ..line });
        number.put(field.title, Role::Dim).gap(1).put(&text, role);
        x += NUMBER_COLUMNS + more;
    }
    if places.spark > 0
        && let Some(field) = kind.charts.first()
        && let Some(series) = kinds::history(field, row, &state.rows, &state.series)
    {
        let role = if row.stale.is_some() { Role::Stale } else { Role::Series1 };
        spark(pen, x + 1, line.y, places.spark, &series, state.now, role);
    }
}

/// What [`reason`] takes.
fn reason_columns(row: &Row) -> u16 {
    let stale = row.stale.as_ref().map(|stale| stale.sentence.as_str());
    stale
        .into_iter()
        .chain(row.reasons.iter().map(String::as_str))
        .map(|text| columns(text) + 2)
        .fold(0, u16::saturating_add)
}

fn draw_findings(pen: &mut Pen, area: Rect, state: &State) {
    if area.height < 2 {
        return;
    }
    let lines = state.finding_lines();
    let shown = (area.height.saturating_sub(2) / lines).max(1);
    let mut head = pen.line(Rect { height: 1, ..area });
    head.gap(2).put("WHAT IS WRONG", Role::Header);
    if state.findings.len() > usize::from(shown) {
        head.gap(2).put(&format!("the gravest {shown} of {}", state.findings.len()), Role::Dim);
    }
    for (n, finding) in state.findings.iter().take(usize::from(shown)).enumerate() {
        let place = Rect { y: area.y + 1 + n as u16 * lines, height: lines, ..area }.intersection(area);
        draw_finding(pen, place, n + 1, finding);
    }
    let style = pen.style(Role::Border);
    pen.repeat(area.x, area.bottom() - 1, area.width, pen.glyph().horizontal, style);
}

/// Rank, health, resource and sentence; the cures stand at the right of the last line where there is room for them.
fn draw_finding(pen: &mut Pen, place: Rect, rank: usize, finding: &Finding) {
    let mut text = pen.line(Rect { height: place.height.min(1), ..place });
    text.put(&rank.to_string(), Role::Dim).to(place.x + 2).health(finding.severity).to(place.x + HEALTH_COLUMNS);
    text.put(&finding.resource.to_string(), Role::Strong).gap(2);
    let x = text.x;
    let room = place.right().saturating_sub(x);
    let first = wrap(&finding.sentence, room, 1).first().map_or("", |first| *first);
    let whole = place.height < 2 || first.len() >= finding.sentence.len();
    let sentence = if whole { finding.sentence.as_str() } else { first };
    let mut end = x + pen.text(x, place.y, room, sentence, pen.style(Role::Text));
    if !whole {
        let rest = finding.sentence.get(first.len()..).unwrap_or_default().trim_start();
        let x = place.x + HEALTH_COLUMNS;
        end = x + pen.text(x, place.y + 1, place.right().saturating_sub(x), rest, pen.style(Role::Text));
    }
    let cures: Vec<&str> = finding.actions.iter().map(|action| action.word()).collect();
    let cures = cures.join(", ");
    let y = place.bottom().saturating_sub(1);
    // With the sentence on one line, the second line of the place is free for the cures.
    let end = if whole && place.height > 1 { place.x + HEALTH_COLUMNS } else { end };
    if !cures.is_empty() && columns(&cures) + 4 <= place.right().saturating_sub(end) {
        let arrow = pen.glyph().arrow;
        pen.line(Rect { x: end + 2, y, width: place.right().saturating_sub(end + 2), height: 1 })
            .sign(arrow, Role::Dim)
            .gap(1)
            .put(&cures, Role::Key);
    }
}
