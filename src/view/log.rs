//! A function's log: the newest line last, what failed marked, and how many invocations started cold.
//!
//! ```text
//!  LOG /aws/lambda/settle-bid  following  412 lines  3 of 120 invocations started cold
//!  18:12:01   REPORT RequestId: 6f2c…  Duration: 26.73 ms …
//!  18:12:04 ✖ Task timed out after 3.00 seconds
//! ```

use super::pen::Pen;
use super::text::wrap;
use crate::app::log::LogScreen;
use crate::domain::counted::counted_all;
use crate::domain::log::LineKind;
use crate::domain::row::Health;
use crate::theme::Role;
use ratatui::layout::Rect;

/// A line longer than so many rows is cut.
const ROWS_MAX: usize = 8;
/// What is wrong takes at most so many rows above lines.
const TROUBLE_ROWS_MAX: u16 = 8;
/// Columns before a line's text: the time, a sign, and what is between.
const MARGIN: u16 = 12;

pub fn draw(pen: &mut Pen, area: Rect, screen: &LogScreen) -> Option<String> {
    let log = &screen.log;
    let mut title = pen.line(Rect { height: 1, ..area });
    title.gap(1).put("LOG", Role::Header).gap(1).put(&screen.group, Role::Strong).gap(2);
    match screen.end {
        None => title.put("following", Role::Accent),
        Some(_) => title.put("held (G follows)", Role::Warn),
    };
    let (runs, cold) = log.runs();
    if runs > 0 {
        title.gap(2).put(&format!("{cold} of {} started cold", counted_all(runs, "invocation")), Role::Text);
    }
    if log.has_gap {
        title.gap(2).put("more is written than read: lines are missing", Role::Warn);
    }
    let mut rest = Rect { y: area.y + 1, height: area.height - 1, ..area };
    if let Some(trouble) = &log.trouble {
        // Told whole where no line needs the room: its end says what to ask for.
        let height = if log.is_empty() { rest.height } else { rest.height.min(TROUBLE_ROWS_MAX) };
        let place = Rect { x: rest.x + 1, width: rest.width.saturating_sub(2), height, ..rest };
        let used = pen.paragraph(place, trouble, Role::Crit);
        rest = Rect { y: rest.y + used, height: rest.height - used, ..rest };
    } else if log.is_empty() {
        let said = if log.is_read() { "Nothing was written in the last three hours." } else { "Reading…" };
        pen.text(rest.x + 1, rest.y, rest.width.saturating_sub(1), said, pen.style(Role::Dim));
    }
    draw_lines(pen, rest, screen);
    (!log.is_empty()).then(|| format!("{} of {}", log.index(screen.end.as_ref()) + 1, log.len()))
}

/// From the last line upwards until the area is full: the rest of the log costs nothing.
fn draw_lines(pen: &mut Pen, area: Rect, screen: &LogScreen) {
    let width = area.width.saturating_sub(MARGIN);
    let mut rows: Vec<(Option<String>, LineKind, &str)> = Vec::new();
    for (place, text) in screen.log.up_to(screen.end.as_ref()) {
        if rows.len() >= usize::from(area.height) {
            break;
        }
        let kind = LineKind::of(text);
        let pieces = wrap(text, width, ROWS_MAX);
        let time = |n: usize| (n == 0).then(|| place.0.clock_hms());
        rows.extend(pieces.iter().enumerate().rev().map(|(n, piece)| (time(n), kind, *piece)));
    }
    rows.truncate(usize::from(area.height));
    for (n, (time, kind, piece)) in rows.into_iter().rev().enumerate() {
        let role = match kind {
            LineKind::Error => Role::Crit,
            LineKind::Report => Role::Accent,
            LineKind::Frame => Role::Dim,
            LineKind::Plain => Role::Text,
        };
        let mut line = pen.line(Rect { y: area.y + n as u16, height: 1, ..area });
        line.gap(1);
        if let Some(time) = &time {
            line.put(time, Role::Dim);
        }
        line.to(area.x + 10);
        if time.is_some() && kind == LineKind::Error {
            line.health_sign(Health::Crit);
        }
        line.to(area.x + MARGIN).put(piece, role);
    }
}
