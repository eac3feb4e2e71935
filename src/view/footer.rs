//! The two lines at the bottom: what just happened or why the selected one is not well; the keys that work here.

use super::changes;
use super::pen::{Line, Pen};
use super::table::reason;
use super::text::{columns, wrap};
use crate::app::contexts::why_dark;
use crate::app::dialog::{Dialog, FilterLine};
use crate::app::keymap;
use crate::app::list::{List, SortBy};
use crate::app::screen::Screen;
use crate::app::state::{Counts, State, Tone};
use crate::domain::counted::counted_all;
use crate::domain::row::{Health, Row};
use crate::theme::Role;
use ratatui::layout::Rect;

/// A message that is longer than the line grows upward over the body, to at most so many lines.
const TOAST_LINES_MAX: u16 = 6;

/// `place` says where in the screen we are; above the line are so many that it may grow over.
pub fn draw_status(pen: &mut Pen, area: Rect, state: &State, place: Option<String>, above: u16) {
    if area.is_empty() {
        return;
    }
    pen.fill(area, Role::Bar);
    if let Some(Dialog::Filter(filter)) = state.dialogs.last() {
        return draw_filter(pen, area, state, filter);
    }
    let place = place.unwrap_or_default();
    let taken = columns(&place) + 1;
    let left = Rect { x: area.x + 1, width: area.width.saturating_sub(taken + 2), ..area };
    if let Some(toast) = state.toasts.iter().rev().find(|toast| toast.until >= state.now) {
        let (role, sign) = match toast.tone {
            Tone::Info => (Role::Accent, pen.glyph().pointer),
            Tone::Good => (Role::Ok, pen.glyph().ok),
            Tone::Bad | Tone::Refused => (Role::Crit, pen.glyph().crit),
        };
        let width = left.width.saturating_sub(2);
        let lines = wrap(&toast.text, width, usize::from(TOAST_LINES_MAX.min(above + 1)));
        let first = area.y - (lines.len() as u16).saturating_sub(1);
        pen.fill(Rect { y: first, height: area.y - first, ..area }, Role::Bar);
        for (n, line) in lines.iter().enumerate() {
            pen.text(left.x + 2, first + n as u16, width, line, pen.style(role));
        }
        pen.sign(left.x, first, sign, pen.style(role));
    } else if let Some(job) = state.jobs.iter().rev().find(|job| !job.stage.is_over()) {
        let pointer = pen.glyph().pointer;
        pen.line(left).sign(pointer, Role::Accent).gap(1).put(&job.sentence, Role::Accent);
    } else if let Screen::Changes(cursor) = state.screen() {
        changes::draw_selected(pen, left, state, cursor);
    } else if let Screen::List(_) = state.screen() {
        match state.target_row() {
            Some(row) if row.health != Health::Ok || row.stale.is_some() => draw_why(pen, left, row),
            _ => draw_summary(&mut pen.line(left), state),
        }
    }
    pen.right(area.x, area.y, area.width.saturating_sub(1), &place, pen.style(Role::Dim));
}

fn draw_why(pen: &mut Pen, area: Rect, row: &Row) {
    let mut line = pen.line(area);
    line.put(&row.id.name_among_places(), Role::Strong).put(": ", Role::Dim);
    let x = line.x;
    reason(pen, Rect { x, width: area.right().saturating_sub(x), ..area }, row);
}

/// From the counts alone: a walk over the rows would make a frame cost what the estate counts.
fn draw_summary(line: &mut Line, state: &State) {
    let total: usize = state.counts.values().map(Counts::total).sum();
    let ok: usize = state.counts.values().map(|counts| counts.ok).sum();
    match total - ok {
        0 if total == 0 => {}
        0 => {
            line.put(
                &match (total, state.settings.contexts.iter().any(|context| why_dark(state, context).is_some())) {
                    (1, false) => "the one resource is ok".to_owned(),
                    (_, false) => format!("all {total} resources are ok"),
                    (1, true) => "the one that is seen is ok".to_owned(),
                    (_, true) => format!("all {total} that are seen are ok"),
                },
                Role::Ok,
            );
        }
        bad => {
            let are = if bad == 1 { "is" } else { "are" };
            line.put(&format!("{bad} of {} {are} not ok", counted_all(total, "resource")), Role::Dim);
        }
    }
}

/// `3/340 · by LAG · /dlq`: where in the list, how sorted, what filtered.
pub fn place_in_list(list: &List) -> String {
    let at = if list.ids.is_empty() { 0 } else { list.index + 1 };
    let mut place = format!("{at}/{}", list.ids.len());
    if list.ids.len() != list.total {
        place.push_str(&format!(" of {}", list.total));
    }
    if list.sort.by != SortBy::Rank || list.sort.reverse {
        place.push_str(&format!("  by {}", list.sort.by.title()));
    }
    if !list.filter.is_empty() {
        place.push_str(&format!("  /{}", list.filter.text));
    }
    place
}

fn draw_filter(pen: &mut Pen, area: Rect, state: &State, filter: &FilterLine) {
    let found = match (&filter.error, state.list()) {
        (Some(error), _) => error.clone(),
        (None, Some(list)) => format!("{} of {}", list.ids.len(), list.total),
        (None, None) => String::new(),
    };
    let taken = columns(&found).min(area.width / 2);
    let room = area.width.saturating_sub(taken + 3);
    pen.text(area.x, area.y, 1, "/", pen.style(Role::Key));
    super::input::draw(pen, Rect { x: area.x + 1, width: room, height: 1, ..area }, &filter.input, true);
    let role = if filter.error.is_some() { Role::Crit } else { Role::Dim };
    pen.text(area.x + room + 2, area.y, taken, &found, pen.style(role));
}

/// The keys, the most important first, as many as fit.
pub fn draw_keys(pen: &mut Pen, area: Rect, state: &State) {
    if !area.is_empty() {
        hints(&mut pen.line(area), state, usize::MAX);
    }
}

/// Writes the hints of the scope that has the keys.
pub fn hints(line: &mut Line, state: &State, most: usize) {
    line.gap(1);
    for hint in keymap::hints(state).into_iter().take(most) {
        if columns(hint.chord) + columns(hint.title) + 1 > line.room() {
            return;
        }
        let (key, title) = if hint.available { (Role::Key, Role::Text) } else { (Role::Dim, Role::Dim) };
        line.put(hint.chord, key).gap(1).put(hint.title, title).gap(2);
    }
}
