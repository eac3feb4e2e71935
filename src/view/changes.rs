//! What was changed lately, by whom: all of it newest first, and in a resource's detail what was done to it.
//!
//! ```text
//!   AT        AGE  RESOURCE             WHO         WHAT
//! ▸ 18:04:00   8m  lambda/fulfil-order  ci-deploy   UpdateFunctionCode s3Key=fulfil-order/7.zip
//! ```

use super::cell::age;
use super::pen::Pen;
use super::text::{columns, wrap};
use crate::app::screen::Cursor;
use crate::app::state::State;
use crate::domain::change::{Change, IAM_REGION};
use crate::domain::row::Row;
use crate::theme::Role;
use ratatui::layout::Rect;
use std::collections::BTreeSet;

const AT_COLUMNS: u16 = 8;
const AGE_COLUMNS: u16 = 4;
const RESOURCE_MIN: u16 = 12;
const RESOURCE_MAX: u16 = 32;
const WHO_MIN: u16 = 8;
const WHO_MAX: u16 = 24;
/// Where the text of a change begins in a detail, under that of the links.
const DETAIL_COLUMNS: u16 = 17;

/// Draws those around the cursor; says which one that is of how many.
pub fn draw(pen: &mut Pen, area: Rect, state: &State, cursor: &Cursor) -> Option<String> {
    if state.changes.is_empty() {
        draw_none(pen, area, state);
        return None;
    }
    let rows = usize::from(area.height.saturating_sub(1));
    let top = cursor.index.saturating_sub(rows.saturating_sub(1));
    let shown = || state.changes.iter().skip(top).take(rows);
    let longest = |text: fn(&Change) -> String| shown().map(|change| columns(&text(change))).max().unwrap_or(0);
    let resource_width = longest(resource).clamp(RESOURCE_MIN, RESOURCE_MAX);
    let who_width = longest(Change::whom).clamp(WHO_MIN, WHO_MAX).min(area.width / 5);
    let at = area.x + 2;
    let age_x = at + AT_COLUMNS + 1;
    let resource_x = age_x + AGE_COLUMNS + 2;
    let who_x = resource_x + resource_width + 2;
    let what_x = who_x + who_width + 2;
    let room = |x: u16| area.right().saturating_sub(x);
    pen.heads(area, &[(at, "AT"), (age_x + 1, "AGE"), (resource_x, "RESOURCE"), (who_x, "WHO"), (what_x, "WHAT")]);
    for (n, change) in shown().enumerate() {
        let y = area.y + 1 + n as u16;
        pen.text(at, y, AT_COLUMNS.min(room(at)), &change.at.clock_hms(), pen.style(Role::Text));
        pen.right(age_x, y, AGE_COLUMNS.min(room(age_x)), &age(state.now, change.at), pen.style(Role::Dim));
        pen.text(resource_x, y, resource_width.min(room(resource_x)), &resource(change), pen.style(Role::Strong));
        pen.text(who_x, y, who_width.min(room(who_x)), &change.whom(), pen.style(Role::Text));
        draw_what(pen, Rect { x: what_x, y, width: room(what_x), height: 1 }, change);
        if top + n == cursor.index {
            pen.chosen(Rect { y, height: 1, ..area });
        }
    }
    let below = area.y + 1 + u16::try_from(state.changes.len() - top).unwrap_or(u16::MAX).min(area.height);
    if let Some(said) = unseen(state).filter(|_| below < area.bottom()) {
        pen.text(at, area.bottom() - 1, room(at), &said, pen.style(Role::Dim));
    }
    Some(format!("{}/{}", cursor.index + 1, state.changes.len()))
}

/// What is done to roles shows in one region only: what of it is not seen here.
fn unseen(state: &State) -> Option<String> {
    let regions = state.settings.contexts.iter().filter_map(|context| context.region.as_deref());
    let elsewhere: BTreeSet<&str> = regions.filter(|region| *region != IAM_REGION).collect();
    let elsewhere: Vec<&str> = elsewhere.into_iter().collect();
    (!elsewhere.is_empty()).then(|| {
        format!("IAM's changes are recorded in {IAM_REGION} alone and not seen from {}.", elsewhere.join(", "))
    })
}

/// The first resource that it names, and how many more.
fn resource(change: &Change) -> String {
    match change.resources.as_slice() {
        [] => change.service.clone(),
        [one] => one.to_string(),
        [first, rest @ ..] => format!("{first} +{}", rest.len()),
    }
}

/// What was refused changed nothing, and says so first.
fn draw_what(pen: &mut Pen, place: Rect, change: &Change) {
    let mut line = pen.line(place);
    if let Some(code) = &change.error_code {
        line.put("refused, ", Role::Warn).put(code, Role::Warn).put(": ", Role::Warn);
    }
    line.put(&change.what(), Role::Text);
}

/// Why there is nothing: not to be seen, not asked yet, or nobody has changed anything.
fn draw_none(pen: &mut Pen, area: Rect, state: &State) {
    let problem = state.problems.values().find(|problem| problem.operation == "LookupEvents");
    let said = match (problem, state.changes.known_from()) {
        (Some(problem), _) => problem.sentence.clone(),
        (None, None) => "Asking CloudTrail what was changed…".to_owned(),
        (None, Some(from)) => format!(
            "Nothing that is watched here was changed since {}. CloudTrail shows a change some five minutes after it.",
            from.clock_hms()
        ),
    };
    let said = [Some(said), unseen(state)].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let width = area.width.saturating_sub(4);
    for (n, line) in wrap(&said, width, usize::from(area.height)).iter().enumerate() {
        pen.text(area.x + 2, area.y + 1 + n as u16, width, line, pen.style(Role::Dim));
    }
}

/// The whole of the change under the cursor, on the status line: in the table its end may not fit.
pub fn draw_selected(pen: &mut Pen, area: Rect, state: &State, cursor: &Cursor) {
    let Some(change) = state.changes.get(cursor.index) else { return };
    let from = change.source_ip.as_ref().map(|ip| format!(" from {ip}")).unwrap_or_default();
    pen.line(area).put(&change.sentence(), Role::Text).put(&from, Role::Dim);
}

/// The newest changes of a resource, a line each; says how many lines it took.
pub fn draw_of(pen: &mut Pen, place: Rect, state: &State, row: &Row, rows_max: u16) -> u16 {
    let rows = rows_max.min(place.height);
    let mut used = 0;
    for change in state.changes.of(&row.id).take(usize::from(rows)) {
        let mut line = pen.line(Rect { y: place.y + used, height: 1, ..place });
        line.gap(1).put("changed ", Role::Dim).put(&age(state.now, change.at), Role::Strong);
        line.to(place.x + DETAIL_COLUMNS);
        line.put(&change.event, Role::Text).put(" by ", Role::Dim).put(&change.whom(), Role::Text);
        if let Some(code) = &change.error_code {
            line.put(", refused: ", Role::Warn).put(code, Role::Warn);
        }
        line.gap(1).put(&change.set(), Role::Dim);
        used += 1;
    }
    used
}
