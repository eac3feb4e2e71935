//! What AWS throttled lately, most often first.
//!
//! ```text
//!  THROTTLED  since 17:32:00, 412 events looked through
//!   TIMES  LAST  OPERATION               BY          CODE
//! ▸    41    2m  kinesis:DescribeStream  dashboards  LimitExceededException
//! ```

use super::cell::age;
use super::pen::Pen;
use super::text::{columns, wrap};
use crate::app::contexts;
use crate::app::state::State;
use crate::app::throttled::ThrottledScreen;
use crate::domain::counted::counted;
use crate::domain::throttled::{Throttled, ThrottledCalls};
use crate::domain::value::Unit;
use crate::theme::Role;
use ratatui::layout::Rect;

const TIMES_COLUMNS: u16 = 5;
const AGE_COLUMNS: u16 = 4;
const OPERATION_MIN: u16 = 9;
const OPERATION_MAX: u16 = 44;
const WHO_MIN: u16 = 8;
const WHO_MAX: u16 = 40;
/// What this list cannot hold, so that nobody takes its silence for theirs.
const NOT_HERE: &str = "Only management calls are in CloudTrail's event history, some five minutes after they were made. \
                        Throttled GetRecords, PutRecords, Invoke and messages are numbers of their stream, function or queue.";

/// Draws the lines around the cursor; says which one that is of how many.
pub fn draw(pen: &mut Pen, area: Rect, state: &State, screen: &ThrottledScreen) -> Option<String> {
    let mut title = pen.line(Rect { height: area.height.min(1), ..area });
    title.gap(1).put("THROTTLED", Role::Header).gap(2);
    if state.settings.contexts.len() > 1 {
        title.put(&contexts::described(state, &screen.place), Role::Strong).gap(2);
    }
    let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    match &screen.answer {
        None => {
            say(pen, below, "Asking CloudTrail which calls were throttled…");
            None
        }
        Some(Err(sentence)) => {
            say(pen, below, sentence);
            None
        }
        Some(Ok(found)) => {
            let events = if found.events == 1 { "event" } else { "events" };
            let count = Unit::Count.short_number(found.events as f64);
            title.put(&format!("since {}, {count} {events} looked through", found.from.clock_hms()), Role::Dim);
            if found.calls.is_empty() {
                say(pen, below, &format!("{} {}{NOT_HERE}", none(found), own(state)));
                return None;
            }
            draw_calls(pen, below, state, found, screen.index);
            Some(format!("{}/{}", screen.index + 1, found.calls.len()))
        }
    }
}

/// That there are none, and how far that is known.
fn none(found: &Throttled) -> String {
    let since = found.from.clock_hms();
    match found.is_cut {
        false => format!("No call was throttled since {since}."),
        true => format!(
            "No call since {since} was throttled. So much is called here that no more of the history was read: what came \
             before is not known."
        ),
    }
}

/// What this program knows of itself, at once and whatever the history holds.
fn own(state: &State) -> String {
    match state.meter.calls.throttled {
        0 => String::new(),
        n => format!("This program's own reads met {} since it began. ", counted(n as f64, "throttle")),
    }
}

fn draw_calls(pen: &mut Pen, area: Rect, state: &State, found: &Throttled, index: usize) {
    let note = wrap(NOT_HERE, area.width.saturating_sub(4), usize::from(area.height));
    let note_rows = u16::try_from(note.len() + 1).unwrap_or(u16::MAX);
    let wanted = u16::try_from(found.calls.len() + 1).unwrap_or(u16::MAX);
    let rows = area.height.min(wanted.min(area.height.saturating_sub(note_rows)).max(2));
    let lines = usize::from(rows.saturating_sub(1));
    let top = index.saturating_sub(lines.saturating_sub(1));
    let shown = || found.calls.iter().skip(top).take(lines);
    let longest = |text: fn(&ThrottledCalls) -> String| shown().map(|calls| columns(&text(calls))).max().unwrap_or(0);
    let operation_width = longest(operation).clamp(OPERATION_MIN, OPERATION_MAX.min(area.width / 3).max(OPERATION_MIN));
    let who_width = longest(|calls| calls.who.clone()).clamp(WHO_MIN, WHO_MAX.min(area.width / 4).max(WHO_MIN));
    let times_x = area.x + 2;
    let age_x = times_x + TIMES_COLUMNS + 2;
    let operation_x = age_x + AGE_COLUMNS + 2;
    let who_x = operation_x + operation_width + 2;
    let code_x = who_x + who_width + 2;
    let room = |x: u16| area.right().saturating_sub(x);
    let heads = [(times_x, "TIMES"), (age_x, "LAST"), (operation_x, "OPERATION"), (who_x, "BY"), (code_x, "CODE")];
    pen.heads(area, &heads);
    for (n, calls) in shown().enumerate() {
        let y = area.y + 1 + n as u16;
        let times = Unit::Count.short_number(calls.count as f64);
        pen.right(times_x, y, TIMES_COLUMNS.min(room(times_x)), &times, pen.style(Role::Strong));
        pen.right(age_x, y, AGE_COLUMNS.min(room(age_x)), &age(state.now, calls.newest), pen.style(Role::Dim));
        pen.text(operation_x, y, operation_width.min(room(operation_x)), &operation(calls), pen.style(Role::Text));
        pen.text(who_x, y, who_width.min(room(who_x)), &calls.who, pen.style(Role::Strong));
        pen.text(code_x, y, room(code_x), &calls.code, pen.style(Role::Warn));
        if top + n == index {
            pen.chosen(Rect { y, height: 1, ..area });
        }
    }
    let below = Rect { y: area.y + rows + 1, height: area.height.saturating_sub(rows + 1), ..area };
    say(pen, below, NOT_HERE);
}

fn operation(calls: &ThrottledCalls) -> String {
    // CloudWatch's event source has another name than its permissions, which every other screen says.
    let service = if calls.service == "monitoring" { "cloudwatch" } else { &calls.service };
    format!("{service}:{}", calls.operation)
}

fn say(pen: &mut Pen, area: Rect, sentence: &str) {
    let width = area.width.saturating_sub(4);
    for (n, line) in wrap(sentence, width, usize::from(area.height)).iter().enumerate() {
        pen.text(area.x + 2, area.y + n as u16, width, line, pen.style(Role::Dim));
    }
}
