//! One execution's history: what it waits for in words, then its events, the newest last, trouble marked.
//!
//! ```text
//!  HISTORY order-7  process-order/1.0  following
//!  Open for 2h13m, times out in 21h47m.
//!  It waits for activity charge-card/1.0 7, scheduled 41m00s ago, that nobody has taken.
//!  18:12:01   +2.0s   DecisionTaskStarted by decider-1, waited 2.0s
//!  18:12:04   +3.1s ✖ ActivityTaskFailed charge-card/1.0 7, after 3.1s: card declined
//! ```

use super::pen::Pen;
use super::text::wrap;
use super::waiting::{self, span};
use crate::app::workflow::HistoryScreen;
use crate::domain::history::{Event, History, Item, Mark, Step};
use crate::domain::row::Health;
use crate::domain::time::Timestamp;
use crate::domain::value::Unit;
use crate::theme::Role;
use ratatui::layout::Rect;
use std::time::Duration;

/// An event longer than so many rows is cut.
const ROWS_MAX: usize = 4;
/// The sentences above the events take at most this part of the screen, and each so many rows.
const WORDS_SHARE: u16 = 2;
const SENTENCE_ROWS_MAX: usize = 3;
/// Columns of a time of today, and of one with its day.
const CLOCK_COLUMNS: u16 = 8;
const DAY_COLUMNS: u16 = 14;
const ELAPSED_COLUMNS: u16 = 8;
/// From this width on the events' numbers are shown.
const NUMBERS_FROM: u16 = 120;

pub fn draw(pen: &mut Pen, area: Rect, screen: &HistoryScreen, now: Timestamp) -> Option<String> {
    let history = &screen.history;
    draw_title(pen, Rect { height: 1, ..area }, screen);
    let mut rest = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let words_end = area.y + 1 + (area.height / WORDS_SHARE).min(rest.height);
    if let Some(trouble) = &history.trouble {
        // Told whole where no event needs the room: its end says what to ask for.
        let height = if history.is_empty() { rest.height } else { words_end.saturating_sub(rest.y) };
        let place = Rect { x: rest.x + 1, width: rest.width.saturating_sub(2), height, ..rest };
        let used = pen.paragraph(place, trouble, Role::Crit);
        rest = Rect { y: rest.y + used, height: rest.height - used, ..rest };
    }
    let reading = (!history.is_read()).then(|| (Role::Dim, "Reading…".to_owned()));
    for (role, said) in reading.into_iter().chain(waiting::sentences(history, now)) {
        for line in wrap(&said, rest.width.saturating_sub(2), SENTENCE_ROWS_MAX) {
            if rest.y < words_end {
                pen.text(rest.x + 1, rest.y, rest.width.saturating_sub(1), line, pen.style(role));
                rest = Rect { y: rest.y + 1, height: rest.height - 1, ..rest };
            }
        }
    }
    draw_events(pen, rest, screen, now);
    let place = history.index(screen.end) as u64 + history.missing() + 1;
    (!history.is_empty()).then(|| format!("{place} of {}", history.newest()))
}

fn draw_title(pen: &mut Pen, area: Rect, screen: &HistoryScreen) {
    let history = &screen.history;
    let mut title = pen.line(area);
    title.gap(1).put("HISTORY", Role::Header).gap(1).put(&screen.execution.workflow_id, Role::Strong).gap(2);
    if let Some(described) = &history.described {
        title.put(&described.execution.workflow_type, Role::Text).gap(2);
        if let Some(parent) = &described.execution.parent {
            title.put("child of ", Role::Dim).put(parent, Role::Text).gap(2);
        }
    }
    match (screen.end, history.is_over()) {
        (Some(_), _) => title.put("held (G goes to the end)", Role::Warn),
        (None, true) => title.put("whole", Role::Dim),
        (None, false) => title.put("following", Role::Accent),
    };
    if history.missing() > 0 {
        let missing = Unit::Count.short_number(history.missing() as f64);
        title.gap(2).put(&format!("the oldest {missing} events are not shown"), Role::Warn);
    }
}

/// From the last event upwards until the area is full: the rest of the history costs nothing.
fn draw_events(pen: &mut Pen, area: Rect, screen: &HistoryScreen, now: Timestamp) {
    let history = &screen.history;
    let is_today = |at: Timestamp| at.floor_to(86_400) == now.floor_to(86_400);
    let has_days = history.up_to(None).last().is_some_and(|oldest| !is_today(oldest.at));
    let clock = if has_days { DAY_COLUMNS } else { CLOCK_COLUMNS };
    let margin = 1 + clock + 1 + ELAPSED_COLUMNS + 3;
    let width = area.width.saturating_sub(margin);
    let numbered = area.width >= NUMBERS_FROM;
    let mut rows: Vec<(Option<&Event>, Mark, String)> = Vec::new();
    for event in history.up_to(screen.end) {
        if rows.len() >= usize::from(area.height) {
            break;
        }
        let said = told(history, event, numbered);
        let pieces = wrap(&said, width, ROWS_MAX);
        let first = |n: usize| (n == 0).then_some(event);
        rows.extend(pieces.iter().enumerate().rev().map(|(n, piece)| (first(n), event.mark(), (*piece).to_owned())));
    }
    rows.truncate(usize::from(area.height));
    for (n, (event, mark, piece)) in rows.into_iter().rev().enumerate() {
        let y = area.y + n as u16;
        if let Some(event) = event {
            let at = if has_days { day_and_clock(event.at) } else { event.at.clock_hms() };
            pen.text(area.x + 1, y, clock.min(area.width.saturating_sub(1)), &at, pen.style(Role::Dim));
            if let Some(before) = history.spans(event).0 {
                draw_elapsed(pen, Rect { x: area.x + 2 + clock, y, width: area.width, height: 1 }, before);
            }
        }
        let mut line = pen.line(Rect { y, height: 1, ..area });
        line.to(area.x + margin - 2);
        match (mark, event) {
            (Mark::Trouble, Some(_)) => line.health_sign(Health::Crit),
            (Mark::Warning, Some(_)) => line.health_sign(Health::Warn),
            _ => &mut line,
        };
        line.to(area.x + margin).put(&piece, role(mark));
    }
}

/// A long silence stands out.
fn draw_elapsed(pen: &mut Pen, place: Rect, elapsed: Duration) {
    let role = if elapsed >= Duration::from_secs(60) { Role::Warn } else { Role::Dim };
    let text = if elapsed.is_zero() { String::new() } else { format!("+{}", span(elapsed)) };
    pen.right(place.x, place.y, ELAPSED_COLUMNS.min(place.width), &text, pen.style(role));
}

/// `11-24 18:02:11`.
fn day_and_clock(at: Timestamp) -> String {
    let text = at.rfc3339();
    format!("{} {}", text.get(5..10).unwrap_or_default(), at.clock_hms())
}

const fn role(mark: Mark) -> Role {
    match mark {
        Mark::Trouble => Role::Crit,
        Mark::Warning => Role::Warn,
        Mark::Milestone => Role::Accent,
        Mark::Quiet => Role::Dim,
        Mark::Plain => Role::Text,
    }
}

/// What happened, to what, by whom, how long it had waited or run, and what was said of it.
fn told(history: &History, event: &Event, numbered: bool) -> String {
    let mut said = event.kind.clone();
    let opened = event.opened_by.and_then(|by| history.get(by));
    let step = event.step();
    let by = matches!(step, Step::Starts(Item::Activity | Item::Decision));
    let about = match opened {
        Some(opened) if by || event.about.is_empty() => &opened.about,
        _ => &event.about,
    };
    if !about.is_empty() {
        said.push_str(&format!(" {about}"));
    }
    if let Some(list) = event.list.as_ref().filter(|_| matches!(step, Step::Opens(_))) {
        said.push_str(&format!(" on {list}"));
    }
    if by && !event.about.is_empty() {
        said.push_str(&format!(" by {}", event.about));
    }
    let took = history.spans(event).1.map(span);
    match (step, took) {
        (Step::Starts(_), Some(took)) => said.push_str(&format!(", waited {took}")),
        (Step::Ends(_), Some(took)) => said.push_str(&format!(", after {took}")),
        _ => {}
    }
    if let (Step::Opens(Item::Timer), Some(seconds)) = (step, event.end_within_s) {
        said.push_str(&format!(" for {}", span(Duration::from_secs(seconds))));
    }
    if !event.said.is_empty() {
        said.push_str(&format!(": {}", event.said));
    }
    if numbered {
        let because = event.opened_by.or(event.decided_by);
        let because = because.map(|because| format!(" of #{because}")).unwrap_or_default();
        said.push_str(&format!("  (#{}{because})", event.id));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::execution::HistoryAnswer;

    #[test]
    fn an_event_tells_whom_it_is_about_and_how_long_it_took() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
        let event = |id: u64, seconds, kind: &str, about: &str, opened_by| {
            let (kind, about) = (kind.to_owned(), about.to_owned());
            Event { id, at: at(seconds), kind, about, opened_by, ..Event::default() }
        };
        let scheduled =
            Event { list: Some("chargers".into()), ..event(1, 0, "ActivityTaskScheduled", "charge/1 7", None) };
        let failed = Event { said: "declined".into(), ..event(3, 12, "ActivityTaskFailed", "", Some(1)) };
        let events = vec![scheduled, event(2, 4, "ActivityTaskStarted", "worker-3", Some(1)), failed];
        let mut history = History::default();
        history.take(Ok(HistoryAnswer { described: Err(String::new()), events, waiting: Vec::new() }));
        let told: Vec<String> = history.up_to(None).map(|event| told(&history, event, event.id == 1)).collect();
        assert_eq!(
            told,
            [
                "ActivityTaskFailed charge/1 7, after 12s: declined",
                "ActivityTaskStarted charge/1 7 by worker-3, waited 4.0s",
                "ActivityTaskScheduled charge/1 7 on chargers  (#1)",
            ]
        );
    }

    #[test]
    fn a_day_is_told_where_it_is_not_today() {
        let at = Timestamp::parse_rfc3339("2026-11-24T18:02:11Z").unwrap();
        assert_eq!(day_and_clock(at), "11-24 18:02:11");
    }
}
