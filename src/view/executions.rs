//! A workflow domain's executions: those that are open, the oldest first, and those that closed lately, the newest first.
//!
//! ```text
//!  EXECUTIONS orders
//!  OPEN 41, the oldest first
//! ▸  order-7    process-order/1.0  18:02:11  open for 2h13m
//!  CLOSED in the last day 100 and more: 3 failed, 2 timed out
//!  ✖ order-6    process-order/1.0  18:12:11  timed out 3m ago after 31m00s
//! ```

use super::cell::age;
use super::pen::Pen;
use super::text::{columns, wrap};
use super::waiting::span;
use crate::app::state::State;
use crate::app::workflow::ExecutionsScreen;
use crate::domain::execution::{Ended, Execution, Listed};
use crate::domain::row::Health;
use crate::domain::time::Timestamp;
use crate::domain::value::Unit;
use crate::kinds::swf;
use crate::theme::Role;
use ratatui::layout::Rect;

const NAME_MIN: u16 = 12;
const NAME_MAX: u16 = 36;
const TYPE_MIN: u16 = 8;
const TYPE_MAX: u16 = 28;
const AT_COLUMNS: u16 = 8;
/// Where what is said of a part begins, under that of the other.
const SAID_COLUMNS: u16 = 8;

/// Draws both parts around the cursor; says which one that is of how many.
pub fn draw(pen: &mut Pen, area: Rect, state: &State, screen: &ExecutionsScreen) -> Option<String> {
    let listed = &screen.listed;
    let mut title = pen.line(Rect { height: 1, ..area });
    title.gap(1).put("EXECUTIONS", Role::Header).gap(1).put(&screen.domain.name, Role::Strong);
    if let Some(waiting) = state.rows.get(&screen.domain).and_then(|row| row.fields.text(&swf::WAITING)) {
        let waiting = if waiting.is_empty() { "none" } else { waiting };
        title.gap(2).put("waiting ", Role::Dim).put(waiting, Role::Text);
    }
    if !screen.is_read {
        let y = area.y + 1;
        pen.text(area.x + 1, y, area.width.saturating_sub(1), "Reading…", pen.style(Role::Dim));
        return None;
    }
    let (open_head_rows, closed_head_rows) = (head_rows(&listed.open, area), head_rows(&listed.closed, area));
    let rows = area.height.saturating_sub(1 + open_head_rows + closed_head_rows);
    let lines =
        |part: &Listed| u16::try_from(part.executions.len()).unwrap_or(u16::MAX).max(u16::from(part.trouble.is_none()));
    let (open, closed) = (lines(&listed.open), lines(&listed.closed));
    let open_rows = open.min((rows / 2).max(rows.saturating_sub(closed)));
    let widths = Widths::of(screen, area.width);
    let top = Rect { y: area.y + 1, height: (open_rows + open_head_rows).min(area.height - 1), ..area };
    let count = listed.open.executions.len();
    draw_head(pen, Rect { height: open_head_rows.min(top.height), ..top }, &open_head(state, screen), &listed.open);
    draw_part(pen, below(top, open_head_rows), &listed.open, Some(screen.index), &widths, state.now);
    let bottom = Rect { y: top.bottom(), height: area.bottom().saturating_sub(top.bottom()), ..area };
    let head = Rect { height: closed_head_rows.min(bottom.height), ..bottom };
    draw_head(pen, head, &closed_head(&listed.closed), &listed.closed);
    draw_part(
        pen,
        below(bottom, closed_head_rows),
        &listed.closed,
        screen.index.checked_sub(count),
        &widths,
        state.now,
    );
    (!listed.is_empty()).then(|| format!("{}/{}", screen.index + 1, listed.len()))
}

fn below(area: Rect, head_rows: u16) -> Rect {
    Rect { y: area.y + head_rows, height: area.height.saturating_sub(head_rows), ..area }
}

/// Lines of a part's head: what is wrong is told whole, for its end says what to ask for, but a third of the screen is
/// the other part's.
fn head_rows(part: &Listed, area: Rect) -> u16 {
    let width = area.width.saturating_sub(SAID_COLUMNS + 1);
    let rows_max = (area.height * 2 / 3).max(1);
    let rows = |trouble: &String| wrap(trouble, width, usize::from(rows_max)).len() as u16;
    part.trouble.as_ref().map_or(1, rows).max(1)
}

/// Columns of names and types, as wide as what is listed.
struct Widths {
    name: u16,
    of: u16,
}

impl Widths {
    fn of(screen: &ExecutionsScreen, width: u16) -> Self {
        let longest = |text: fn(&Execution) -> &str| screen.listed.iter().map(|e| columns(text(e))).max().unwrap_or(0);
        Self {
            name: longest(|e| &e.of.workflow_id).clamp(NAME_MIN, NAME_MAX.min(width / 3).max(NAME_MIN)),
            of: longest(|e| &e.workflow_type).clamp(TYPE_MIN, TYPE_MAX.min(width / 4).max(TYPE_MIN)),
        }
    }
}

fn open_head(state: &State, screen: &ExecutionsScreen) -> (&'static str, String) {
    let part = &screen.listed.open;
    let count = Unit::Count.short_number(part.executions.len() as f64);
    let all = state.rows.get(&screen.domain).and_then(|row| row.fields.number(&swf::OPEN));
    let said = match all.filter(|_| !part.is_whole) {
        None if part.is_whole => format!("{count}, the oldest first"),
        None => format!("the oldest and the newest, {count} together"),
        Some(all) => {
            let all = Unit::Count.short_number(all);
            format!("the oldest and the newest of {all}, {count} together")
        }
    };
    ("OPEN", said)
}

fn closed_head(part: &Listed) -> (&'static str, String) {
    let ended = |wanted: &Ended| {
        part.executions.iter().filter(|e| e.closed.as_ref().is_some_and(|(_, ended)| ended == wanted)).count()
    };
    let troubles = [Ended::Failed, Ended::TimedOut, Ended::Terminated];
    let troubles = troubles.iter().map(|status| (ended(status), status.word())).filter(|(count, _)| *count > 0);
    let troubles: Vec<String> = troubles.map(|(count, word)| format!("{count} {word}")).collect();
    let troubles = if troubles.is_empty() { String::new() } else { format!(": {}", troubles.join(", ")) };
    let more = if part.is_whole { "" } else { " of more" };
    ("CLOSED", format!("in the last day, {}{more}{troubles}", part.executions.len()))
}

fn draw_head(pen: &mut Pen, area: Rect, (head, said): &(&str, String), part: &Listed) {
    let mut line = pen.line(Rect { height: area.height.min(1), ..area });
    line.gap(1).put(head, Role::Header).gap(1);
    match &part.trouble {
        None => {
            line.put(said, Role::Dim);
        }
        Some(trouble) => {
            let width = area.width.saturating_sub(SAID_COLUMNS + 1);
            pen.paragraph(Rect { x: area.x + SAID_COLUMNS, width, ..area }, trouble, Role::Crit);
        }
    }
}

fn draw_part(pen: &mut Pen, area: Rect, part: &Listed, cursor: Option<usize>, widths: &Widths, now: Timestamp) {
    if part.executions.is_empty() && part.trouble.is_none() {
        for line in wrap("There are none.", area.width.saturating_sub(3), 1).into_iter().take(usize::from(area.height))
        {
            pen.text(area.x + 3, area.y, area.width.saturating_sub(3), line, pen.style(Role::Dim));
        }
    }
    let rows = usize::from(area.height);
    let last = part.executions.len().saturating_sub(1);
    let top = cursor.map_or(0, |cursor| cursor.min(last).saturating_sub(rows.saturating_sub(1)));
    for (n, execution) in part.executions.iter().enumerate().skip(top).take(rows) {
        let line = Rect { y: area.y + (n - top) as u16, height: 1, ..area };
        draw_one(pen, line, execution, widths, now);
        if cursor == Some(n) {
            pen.chosen(line);
        }
    }
}

fn draw_one(pen: &mut Pen, area: Rect, execution: &Execution, widths: &Widths, now: Timestamp) {
    let is_trouble = execution.closed.as_ref().is_some_and(|(_, ended)| ended.is_trouble());
    if is_trouble {
        pen.line(area).gap(1).health_sign(Health::Crit);
    }
    let room = |x: u16| area.right().saturating_sub(x);
    let x = area.x + 3;
    pen.text(x, area.y, widths.name.min(room(x)), &execution.of.workflow_id, pen.style(Role::Strong));
    let x = x + widths.name + 1;
    pen.text(x, area.y, widths.of.min(room(x)), &execution.workflow_type, pen.style(Role::Text));
    let x = x + widths.of + 1;
    let at = execution.closed.as_ref().map_or(execution.started, |(at, _)| *at);
    pen.text(x, area.y, AT_COLUMNS.min(room(x)), &at.clock_hms(), pen.style(Role::Dim));
    let x = x + AT_COLUMNS + 2;
    let mut line = pen.line(Rect { x, width: room(x), ..area });
    match &execution.closed {
        None => {
            line.put("open for ", Role::Dim).put(&span(now.since(execution.started)), Role::Text);
        }
        Some((at, ended)) => {
            let role = if is_trouble { Role::Crit } else { Role::Text };
            line.put(ended.word(), role).gap(1).put(&ago(now, *at), Role::Dim);
            line.put(" after ", Role::Dim).put(&span(at.since(execution.started)), Role::Text);
        }
    }
    if execution.cancel_requested && execution.closed.is_none() {
        line.put(", to be canceled", Role::Warn);
    }
    if let Some(parent) = &execution.parent {
        line.put(", child of ", Role::Dim).put(parent, Role::Dim);
    }
}

fn ago(now: Timestamp, at: Timestamp) -> String {
    match age(now, at) {
        now if now == "now" => "just now".to_owned(),
        age => format!("{age} ago"),
    }
}
