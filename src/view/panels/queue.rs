//! What a queue's numbers do not say by themselves, and its move tasks (redrives): how far each is, where it goes and
//! how fast.
//!
//! ```text
//! It is never done: more is sent than deleted, so it grows.
//! MOVE TASKS 2, the newest first
//! ▸RUNNING    ████████░░░░░░ 120 of 412 29% at most 50/s to each original source 2m ago
//! ```

use super::parts::selected;
use crate::app::screen::Detail;
use crate::app::state::State;
use crate::domain::row::{Part, Row};
use crate::domain::value::{Datum, Unit};
use crate::kinds::sqs::{
    TASK_DESTINATION, TASK_FAILURE, TASK_MOVED, TASK_RATE_PER_S, TASK_STARTED, TASK_STATUS, TASK_TO_MOVE, VISIBLE,
    is_dead_letter_queue, notes,
};
use crate::theme::Role;
use crate::view::cell::age;
use crate::view::chart::gauge;
use crate::view::pen::Pen;
use crate::view::text::wrap;
use ratatui::layout::Rect;

/// A note has at most so many lines.
const NOTE_ROWS_MAX: usize = 3;
/// The move tasks keep at least so many.
const TASK_ROWS_MIN: u16 = 2;

/// How many lines the notes take.
pub fn note_rows(row: &Row, width: u16) -> u16 {
    let lines = |note: String| wrap(&note, width.saturating_sub(2), NOTE_ROWS_MAX).len() as u16;
    notes(row).into_iter().map(lines).sum()
}

pub fn draw(pen: &mut Pen, area: Rect, state: &State, row: &Row, detail: &Detail) {
    let used = draw_notes(pen, Rect { height: area.height.saturating_sub(TASK_ROWS_MIN), ..area }, row);
    draw_tasks(pen, Rect { y: area.y + used, height: area.height - used, ..area }, state, row, detail);
}

fn draw_notes(pen: &mut Pen, area: Rect, row: &Row) -> u16 {
    let mut used = 0;
    for note in notes(row) {
        for line in wrap(&note, area.width.saturating_sub(2), NOTE_ROWS_MAX) {
            if used < area.height {
                pen.text(area.x + 1, area.y + used, area.width.saturating_sub(1), line, pen.style(Role::Text));
                used += 1;
            }
        }
    }
    used
}

fn draw_tasks(pen: &mut Pen, area: Rect, state: &State, row: &Row, detail: &Detail) {
    let mut title = pen.line(Rect { height: 1, ..area });
    title.gap(1).put("MOVE TASKS", Role::Header).gap(1);
    if row.parts.is_empty() {
        let none = match row.fields.why_missing(&VISIBLE) {
            // Whether it is a dead-letter queue is not known either, where queues may not be read.
            Some(why) => why.phrase(),
            None if is_dead_letter_queue(row) => {
                "none yet: a redrive moves the dead letters back to where they came from"
            }
            None => "none: only a dead-letter queue can be redriven",
        };
        title.put(none, Role::Dim);
        return;
    }
    title.put(&row.parts.len().to_string(), Role::Strong).put(", the newest first", Role::Dim);
    for (n, part) in row.parts.iter().take(usize::from(area.height.saturating_sub(1))).enumerate() {
        let line = Rect { y: area.y + 1 + n as u16, height: 1, ..area };
        draw_task(pen, line, state, part);
        if detail.part.as_ref() == Some(&part.id) {
            selected(pen, line);
        }
    }
}

fn draw_task(pen: &mut Pen, line: Rect, state: &State, part: &Part) {
    let status = part.fields.text(&TASK_STATUS).unwrap_or("unknown");
    let role = match status {
        "RUNNING" | "CANCELLING" => Role::Accent,
        "COMPLETED" => Role::Ok,
        "FAILED" => Role::Crit,
        _ => Role::Unknown,
    };
    let mut text = pen.line(line);
    text.gap(1).put(status, role).to(line.x + 12);
    let x = text.x;
    let x = draw_progress(pen, Rect { x, width: line.right().saturating_sub(x), ..line }, part, status, role);
    let mut text = pen.line(Rect { x, width: line.right().saturating_sub(x), ..line });
    match part.fields.number(&TASK_RATE_PER_S) {
        Some(rate) => text.put("at most ", Role::Dim).put(&Unit::PerSecond.short_number(rate), Role::Text),
        None => text.put("at SQS's own pace", Role::Dim),
    };
    text.gap(1);
    if let Some(destination) = part.fields.text(&TASK_DESTINATION) {
        text.put("to ", Role::Dim).put(destination, Role::Text).gap(1);
    }
    if let Some(Datum::Time(started)) = part.fields.get(&TASK_STARTED).map(|value| &value.datum) {
        text.put(&format!("{} ago", age(state.now, *started)), Role::Dim).gap(1);
    }
    if let Some(failure) = part.fields.text(&TASK_FAILURE) {
        text.put(failure, Role::Crit);
    }
}

/// A bar and its numbers; gives the column after them.
fn draw_progress(pen: &mut Pen, place: Rect, part: &Part, status: &str, role: Role) -> u16 {
    let said = |number: f64| Unit::Count.short_number(number);
    let moved = part.fields.number(&TASK_MOVED);
    let mut x = place.x;
    let mut share = None;
    if let (Some(moved), Some(to_move)) = (moved, part.fields.number(&TASK_TO_MOVE)) {
        // A task that had nothing to move is whole once it has completed.
        let done = if to_move > 0.0 { moved / to_move } else { f64::from(u8::from(status == "COMPLETED")) };
        let width = (place.width / 6).clamp(6, 30).min(place.width);
        gauge(pen, x, place.y, width, done, role);
        x += width + 1;
        share = Some((done, to_move));
    }
    let mut text = pen.line(Rect { x, width: place.right().saturating_sub(x), ..place });
    match (moved, share) {
        (Some(moved), Some((done, to_move))) => {
            text.put(&said(moved), Role::Strong).put(" of ", Role::Dim).put(&said(to_move), Role::Strong).gap(1);
            text.put(&Unit::Percent.short_number(done * 100.0), Role::Dim).gap(1);
        }
        (Some(moved), None) => {
            text.put(&said(moved), Role::Strong).put(" moved", Role::Dim).gap(1);
        }
        (None, _) => {}
    }
    text.x
}
