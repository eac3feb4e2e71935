//! One resource, near: how it is and why, its fields with their age, charts of the last hour, neighbours, parts.
//!
//! ```text
//! ✖ crit  kinesis/bids   Kinesis streams   seen now
//!   readers are 3m20s behind
//! LAG         3m20s cw 1m   IN        1.4MB/s cw 1m   STATUS      ACTIVE
//! LAG 3m20s                        IN 1.4MB/s
//! 5m12s       ⢀⡠⠤⠒⠉                1.6MB/s     ⢀⡠⠤⠒⠉
//! SHARDS 4 …
//! ```

use super::cell::{age, cell, provenance};
use super::changes;
use super::chart::{self, Chart, Curve};
use super::panels;
use super::pen::Pen;
use super::text::{columns, wrap};
use crate::app::screen::Detail;
use crate::app::state::State;
use crate::domain::field::Field;
use crate::domain::row::{Link, Row};
use crate::domain::value::{Datum, NoData};
use crate::kinds::{self, Kind, SeriesOf};
use crate::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::borrow::Cow;

/// A field with its title, value and age takes at least this.
const FIELD_COLUMNS: u16 = 26;
const FIELD_TITLE_COLUMNS: u16 = 12;
/// On a screen that is not tall the fields have at most so many lines.
const FIELD_ROWS_SHORT: u16 = 8;
/// The gravest finding may take so many lines where the detail has at least [`FIRST_REASON_PLACE`].
const FIRST_REASON_ROWS: u16 = 4;
const FIRST_REASON_PLACE: u16 = 16;
/// A chart narrower than this says little.
const CHART_COLUMNS: u16 = 34;
const CHART_ROWS_MIN: u16 = 5;

/// How many lines each part of a detail may take.
struct Limits {
    reasons: u16,
    fields: u16,
    /// A value too long for a cell gets a line to itself.
    long_fields: bool,
    links: u16,
    changes: u16,
    chart: u16,
}

const SHORT: Limits =
    Limits { reasons: 2, fields: FIELD_ROWS_SHORT, long_fields: false, links: 2, changes: 2, chart: 8 };
const TALL: Limits = Limits { reasons: 6, fields: u16::MAX, long_fields: true, links: 6, changes: 5, chart: 14 };
/// Where it can be scrolled, all of it.
const WHOLE: Limits =
    Limits { reasons: 100, fields: u16::MAX, long_fields: true, links: 100, changes: 20, chart: CHART_ROWS_MIN };
/// No detail is longer: its parts are the most of it, and beyond these the part table is paged.
const WHOLE_ROWS_MAX: u16 = 400;

/// Draws as much of it as there is room for, or the part of the whole that it is scrolled to: then it says which.
pub fn draw(pen: &mut Pen, area: Rect, state: &State, detail: &Detail) -> Option<String> {
    let Some(row) = state.rows.get(&detail.id) else {
        let text = format!("{} is not there any more.", detail.id);
        pen.text(area.x, area.y, area.width, &text, pen.style(Role::Warn));
        return None;
    };
    let Some(scroll) = detail.whole else {
        lay_out(pen, area, state, row, detail, if area.height >= 30 { &TALL } else { &SHORT });
        return None;
    };
    let page = Rect { x: 0, y: 0, width: area.width, height: WHOLE_ROWS_MAX };
    let mut buffer = Buffer::empty(page);
    let mut tall = Pen::new(&mut buffer, pen.theme);
    tall.paint(page, tall.style(Role::Base));
    lay_out(&mut tall, page, state, row, detail, &WHOLE);
    let is_blank = |y: &u16| (0..page.width).all(|x| buffer[(x, *y)].symbol() == " ");
    let rows = (0..page.height).rev().find(|y| !is_blank(y)).map_or(0, |last| last + 1);
    let top = u16::try_from(scroll).unwrap_or(u16::MAX).min(rows.saturating_sub(area.height));
    pen.copy(&buffer, top, Rect { height: area.height.min(rows), ..area });
    Some(format!("{}-{} of {rows}", top + 1, (top + area.height).min(rows)))
}

fn lay_out(pen: &mut Pen, area: Rect, state: &State, row: &Row, detail: &Detail, limits: &Limits) {
    let kind = kinds::kind(row.id.kind);
    let mut rest = area;
    take(&mut rest, |place| head(pen, place, state, row, kind));
    take(&mut rest, |place| reasons(pen, place, state, row, limits.reasons));
    take(&mut rest, |place| fields(pen, place, state, row, kind, limits));
    take(&mut rest, |place| links(pen, place, state, row, limits.links));
    take(&mut rest, |place| changes::draw_of(pen, place, state, row, limits.changes));
    // Charts stay readable at five lines; the parts have the rest when they need it.
    let parts_rows =
        panels::rows_wanted(row, rest.width).min(rest.height.saturating_sub(CHART_ROWS_MIN)).max(rest.height.min(4));
    let chart_rows = rest.height.saturating_sub(parts_rows).min(limits.chart);
    if chart_rows >= CHART_ROWS_MIN {
        let place = Rect { height: chart_rows, ..rest };
        charts(pen, place, state, row, kind);
        take(&mut rest, |_| chart_rows);
    }
    panels::draw(pen, rest, state, row, detail);
}

/// Lets `draw` have the top of what is left; it says how many lines it took.
fn take(rest: &mut Rect, draw: impl FnOnce(Rect) -> u16) {
    let used = draw(*rest).min(rest.height);
    *rest = Rect { y: rest.y + used, height: rest.height - used, ..*rest };
}

fn head(pen: &mut Pen, place: Rect, state: &State, row: &Row, kind: &Kind) -> u16 {
    let mut line = pen.line(Rect { height: place.height.min(1), ..place });
    line.gap(1).health(row.health).gap(2).put(&row.id.to_string(), Role::Strong);
    line.gap(2).put(kind.title, Role::Dim).gap(2);
    match &row.stale {
        Some(stale) => {
            let text = format!("last seen {} ago: {}", age(state.now, row.as_of), stale.sentence);
            line.put(&text, Role::Warn);
        }
        None => {
            line.put(&format!("seen {}", age(state.now, row.as_of)), Role::Dim);
        }
    }
    1
}

/// The findings about it, or else its reasons; each on lines of its own.
fn reasons(pen: &mut Pen, place: Rect, state: &State, row: &Row, rows_max: u16) -> u16 {
    let found: Vec<(Role, &str)> = state
        .findings_of(&row.id)
        .map(|finding| (Role::health(finding.severity), finding.sentence.as_str()))
        .chain(row.reasons.iter().map(|reason| (Role::Text, reason.as_str())))
        .collect();
    let width = place.width.saturating_sub(4);
    // The gravest is told whole where that leaves room for the numbers.
    let first = found.first().map_or(0, |(_, text)| wrap(text, width, usize::from(FIRST_REASON_ROWS)).len() as u16);
    let rows = if place.height >= FIRST_REASON_PLACE { rows_max.max(first) } else { rows_max }.min(place.height);
    let ellipsis = pen.glyph().ellipsis;
    let mut used = 0;
    for (role, sentence) in found {
        // One more line than there is room for tells that something is cut.
        let lines = wrap(sentence, width, usize::from(rows - used) + 1);
        for (n, line) in lines.iter().take(usize::from(rows - used)).enumerate() {
            let is_cut = n + 1 == usize::from(rows - used) && lines.len() > n + 1;
            let line = if is_cut { Cow::Owned(format!("{line}{ellipsis}")) } else { Cow::Borrowed(*line) };
            pen.text(place.x + 3, place.y + used + n as u16, width + 1, &line, pen.style(role));
        }
        used += (lines.len() as u16).min(rows - used);
    }
    used
}

fn fields(pen: &mut Pen, place: Rect, state: &State, row: &Row, kind: &Kind, limits: &Limits) -> u16 {
    let across = (place.width / FIELD_COLUMNS).clamp(1, 5);
    let width = place.width / across;
    // A value too long for a cell gets a line to itself where there are lines to spare.
    let room = width.saturating_sub(FIELD_TITLE_COLUMNS + 2);
    let is_long = |field: &&'static Field| row.fields.text(field).is_some_and(|text| columns(text) > room);
    let (long, short): (Vec<&'static Field>, Vec<&'static Field>) = kind.detail.iter().copied().partition(is_long);
    // Charts and parts keep some of a short screen; what is left out comes last in the kind's order.
    let rows_max = place.height.min(limits.fields);
    let rows = (short.len() as u16).div_ceil(across).min(rows_max);
    let shown = usize::from(rows * across).min(short.len());
    let hidden = short.len() - shown;
    for (n, field) in short.iter().take(shown).enumerate() {
        let (column, line) = (n as u16 % across, n as u16 / across);
        let cell = Rect { x: place.x + column * width, y: place.y + line, width: width.saturating_sub(1), height: 1 };
        match hidden > 0 && n + 1 == shown {
            true => {
                let more = format!("and {} more: w", hidden + 1);
                pen.text(cell.x + 1, cell.y, cell.width.saturating_sub(1), &more, pen.style(Role::Dim));
            }
            false => draw_field(pen, cell, state, row, field),
        }
    }
    let mut used = rows;
    for field in long.iter().filter(|_| limits.long_fields) {
        if used < place.height {
            draw_field(pen, Rect { y: place.y + used, height: 1, ..place }, state, row, field);
            used += 1;
        }
    }
    used + u16::from(limits.long_fields)
}

fn draw_field(pen: &mut Pen, place: Rect, state: &State, row: &Row, field: &Field) {
    let value = row.fields.get(field);
    let (text, role) = cell(field, value, state.now);
    let role = if role == Role::Text { Role::Strong } else { role };
    let from = value.filter(|value| !matches!(value.datum, Datum::Missing(_)));
    let from = from.map(|value| provenance(value, state.now)).filter(|text| text != "now").unwrap_or_default();
    pen.text(place.x + 1, place.y, FIELD_TITLE_COLUMNS, field.title, pen.style(Role::Dim));
    let x = place.x + FIELD_TITLE_COLUMNS + 2;
    let room = place.right().saturating_sub(x);
    let used = pen.text(x, place.y, room, &text, pen.style(role));
    if columns(&from) + used < room {
        pen.text(x + used + 1, place.y, room - used - 1, &from, pen.style(Role::Stale));
    }
}

/// The resources that it is tied to, with their health and first numbers.
fn links(pen: &mut Pen, place: Rect, state: &State, row: &Row, rows_max: u16) -> u16 {
    let rows = rows_max.min(place.height).min(row.links.len() as u16);
    for (n, link) in row.links.iter().take(usize::from(rows)).enumerate() {
        let hidden = if n as u16 + 1 == rows { row.links.len() - usize::from(rows) } else { 0 };
        draw_link(pen, Rect { y: place.y + n as u16, height: 1, ..place }, state, link, hidden);
    }
    rows
}

fn draw_link(pen: &mut Pen, place: Rect, state: &State, link: &Link, hidden: usize) {
    let arrow = pen.glyph().arrow;
    let mut line = pen.line(place);
    line.gap(1).put(link.relation.word(), Role::Dim).to(place.x + 17).sign(arrow, Role::Dim).gap(1);
    let other = state.rows.get(&link.to);
    match other {
        Some(other) => line.health(other.health),
        None => line.put("not watched", Role::Unknown),
    };
    line.gap(1).put(&link.to.to_string(), Role::Strong).gap(1);
    if other.is_none() {
        let why = if !state.lets_through(&link.to) { "hidden by the config" } else { "not listed here" };
        line.put(why, Role::Dim);
    }
    if let Some(other) = other {
        for field in kinds::kind(other.id.kind).columns.iter().take(3) {
            let (text, role) = cell(field, other.fields.get(field), state.now);
            line.gap(1).put(field.title, Role::Dim).gap(1).put(&text, role);
        }
    }
    if hidden > 0 {
        line.gap(1).put(&format!("and {hidden} more"), Role::Dim);
    }
}

fn charts(pen: &mut Pen, place: Rect, state: &State, row: &Row, kind: &Kind) {
    let across = (place.width / CHART_COLUMNS).clamp(1, kind.charts.len().max(1) as u16);
    let width = place.width / across;
    for (n, field) in kind.charts.iter().take(usize::from(across)).enumerate() {
        let area = Rect { x: place.x + n as u16 * width, width: width.saturating_sub(2), ..place };
        draw_chart(pen, Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area }, state, row, field, n);
    }
}

fn draw_chart(pen: &mut Pen, area: Rect, state: &State, row: &Row, field: &'static Field, n: usize) {
    let series = SeriesOf { all: &state.series, row };
    let empty = match row.fields.why_missing(field) {
        Some(NoData::NoDatapoints) | None => "no data in the last hour",
        Some(why) => why.phrase(),
    };
    let several = panels::curves(row.id.kind, field);
    let alone = [Curve { label: "", series: series.get(field), role: Role::series(n) }];
    let curves: Vec<Curve> = several
        .iter()
        .enumerate()
        .map(|(n, (label, field))| Curve { label, series: series.get(field), role: Role::series(n) })
        .collect();
    let (title, curves) = if curves.is_empty() { (field.title, &alone[..]) } else { ("DURATION", &curves[..]) };
    let limit = panels::limit(row, field);
    chart::draw(pen, area, &Chart { title, unit: field.unit, curves, now: state.now, limit, empty });
}
