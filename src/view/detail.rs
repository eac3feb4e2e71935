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

use super::cell::{age, cell};
use super::chart::{self, Chart, Curve};
use super::panels;
use super::pen::Pen;
use super::text::{columns, wrap};
use super::{changes, fields};
use crate::app::screen::Detail;
use crate::app::state::State;
use crate::domain::field::Field;
use crate::domain::row::{Link, Row};
use crate::domain::value::NoData;
use crate::kinds::{self, Kind, SeriesOf};
use crate::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::borrow::Cow;

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
    /// On a screen that is not tall, charts and parts keep the room that long values would take.
    is_short: bool,
    /// A value's, in the fields.
    text_rows: u16,
    links: u16,
    changes: u16,
    chart: u16,
}

const SHORT: Limits = Limits { reasons: 2, is_short: true, text_rows: 1, links: 2, changes: 2, chart: 8 };
const TALL: Limits = Limits { reasons: 6, is_short: false, text_rows: 4, links: 6, changes: 5, chart: 14 };
/// Where it can be scrolled, all of it.
const WHOLE: Limits =
    Limits { reasons: 100, is_short: false, text_rows: u16::MAX, links: 100, changes: 20, chart: CHART_ROWS_MIN };
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
    let (mut buffer, mut rows) = whole(pen, area.width, state, row, detail, &WHOLE);
    if rows < area.height {
        // Nothing is below the screen: its charts have what is free.
        let chart = (WHOLE.chart + area.height - rows).min(TALL.chart);
        (buffer, rows) = whole(pen, area.width, state, row, detail, &Limits { chart, ..WHOLE });
    }
    let top = u16::try_from(scroll).unwrap_or(u16::MAX).min(rows.saturating_sub(area.height));
    pen.copy(&buffer, top, Rect { height: area.height.min(rows), ..area });
    Some(format!("{}-{} of {rows}", top + 1, (top + area.height).min(rows)))
}

/// All of it on a page of its own, and how many lines of that are used.
fn whole(pen: &Pen, width: u16, state: &State, row: &Row, detail: &Detail, limits: &Limits) -> (Buffer, u16) {
    let page = Rect { x: 0, y: 0, width, height: WHOLE_ROWS_MAX };
    let mut buffer = Buffer::empty(page);
    let mut tall = Pen::new(&mut buffer, pen.theme);
    tall.paint(page, tall.style(Role::Base));
    lay_out(&mut tall, page, state, row, detail, limits);
    let is_blank = |y: &u16| (0..page.width).all(|x| buffer[(x, *y)].symbol() == " ");
    let rows = (0..page.height).rev().find(|y| !is_blank(y)).map_or(0, |last| last + 1);
    (buffer, rows)
}

fn lay_out(pen: &mut Pen, area: Rect, state: &State, row: &Row, detail: &Detail, limits: &Limits) {
    let kind = kinds::kind(row.id.kind);
    let mut rest = area;
    take(&mut rest, |place| head(pen, place, state, row, kind));
    take(&mut rest, |place| reasons(pen, place, state, row, limits.reasons));
    let mut hidden = 0;
    take(&mut rest, |place| {
        let (used, more) = fields(pen, place, state, row, kind, limits);
        hidden = more;
        used
    });
    if hidden > 0 && detail.whole.is_none() {
        head_with_more(pen, area, state, row, kind, hidden);
    }
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

/// The head again, with how many fields are not shown whole and the key that shows them.
fn head_with_more(pen: &mut Pen, place: Rect, state: &State, row: &Row, kind: &Kind, hidden: usize) {
    let line = Rect { height: place.height.min(1), ..place };
    let more = format!("and {hidden} more: w");
    let width = line.width.saturating_sub(columns(&more) + 2);
    pen.fill(line, Role::Base);
    head(pen, Rect { width, ..line }, state, row, kind);
    pen.right(line.x, line.y, line.width.saturating_sub(1), &more, pen.style(Role::Dim));
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

/// Gives the lines that they took, and how many are not shown whole.
fn fields(pen: &mut Pen, place: Rect, state: &State, row: &Row, kind: &Kind, limits: &Limits) -> (u16, usize) {
    let room = match limits.is_short {
        false => fields::Room { rows: place.height, long_rows: u16::MAX, text_rows: limits.text_rows },
        // Where neither charts nor parts want the room, all of it is the fields', but for what stands below them.
        true if kind.charts.is_empty() && kind.part_columns.is_empty() => {
            let below = (row.links.len() as u16).min(limits.links)
                + (state.changes.of(&row.id).take(usize::from(limits.changes)).count() as u16);
            fields::Room { rows: place.height.saturating_sub(below), long_rows: u16::MAX, text_rows: u16::MAX }
        }
        true => fields::Room { rows: place.height.min(FIELD_ROWS_SHORT), long_rows: 1, text_rows: 1 },
    };
    let (used, hidden) = fields::draw(pen, place, state, row, kind, room);
    (used + u16::from(!limits.is_short), hidden)
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
    let history = kinds::history(field, row, &state.rows, &state.series);
    let alone = [Curve { label: "", series: history.as_deref(), role: Role::series(n) }];
    let curves: Vec<Curve> = several
        .iter()
        .enumerate()
        .map(|(n, (label, field))| Curve { label, series: series.get(field), role: Role::series(n) })
        .collect();
    let (title, curves) = if curves.is_empty() { (field.title, &alone[..]) } else { ("DURATION", &curves[..]) };
    let limit = panels::limit(row, field);
    chart::draw(pen, area, &Chart { title, unit: field.unit, curves, now: state.now, limit, empty });
}
