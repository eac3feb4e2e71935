//! What a person sees: a pure function from the state to cells.
//!
//! ```text
//! header    where we look, what it costs, the time              1 line
//! tabs      the lists and how each of them is                   1 line
//! body      a list, a detail or something to read
//! status    what just happened, or why the selected is unwell   1 line
//! keys      what can be done here, from the command table       1 line
//! ```
//! Dialogs lie over the body. Any size from 1×1 up can be drawn: what does not fit is left out, the header last.

mod cell;
mod changes;
mod chart;
mod contexts;
mod detail;
mod dialog;
mod executions;
mod fields;
mod footer;
mod header;
mod history;
mod input;
mod log;
mod overview;
mod panels;
mod pen;
mod reading;
mod table;
mod text;
mod throttled;
mod waiting;

use crate::app::list::{List, ListId};
use crate::app::screen::Screen;
use crate::app::state::State;
use crate::domain::finding::by_cause;
use crate::domain::row::KindId;
use crate::kinds;
use crate::theme::{Role, Theme};
use pen::Pen;
use ratatui::Frame;
use ratatui::layout::Rect;

/// Paints the state. Cost grows with the screen, not with the estate.
pub fn draw(frame: &mut Frame, state: &State, theme: &Theme) {
    let area = frame.area();
    let mut pen = Pen::new(frame.buffer_mut(), theme);
    pen.paint(area, theme.style(Role::Base));
    let line = |y: u16| Rect { y: area.y + y, height: 1, ..area }.intersection(area);
    header::draw(&mut pen, line(0), state);
    header::draw_tabs(&mut pen, line(1), state);
    let body = Rect { y: area.y + 2, height: area.height.saturating_sub(4), ..area }.intersection(area);
    let mut place = None;
    if !body.is_empty() {
        place = draw_body(&mut pen, body, state);
        // Only the dialog that takes the keys is drawn: what lies under it would peek out.
        if let Some(dialog) = state.dialogs.last() {
            dialog::draw(&mut pen, body, state, dialog);
        }
    }
    if area.height >= 4 {
        footer::draw_status(&mut pen, line(area.height - 2), state, place, body.height);
    }
    if area.height >= 3 {
        footer::draw_keys(&mut pen, line(area.height - 1), state);
    }
}

/// Draws the screen on top; says where in it we are when it can be scrolled.
fn draw_body(pen: &mut Pen, area: Rect, state: &State) -> Option<String> {
    match state.screen() {
        Screen::List(id) => {
            let list = state.lists.get(id)?;
            draw_list(pen, area, state, *id, list);
            Some(footer::place_in_list(list))
        }
        Screen::Detail(detail) => detail::draw(pen, area, state, detail),
        Screen::Log(open) => log::draw(pen, area, open),
        Screen::Throttled(open) => throttled::draw(pen, area, state, open),
        Screen::Executions(open) => executions::draw(pen, area, state, open),
        Screen::History(open) => history::draw(pen, area, open, state.now),
        Screen::Help { scroll } => reading::draw_help(pen, area, *scroll),
        Screen::Problems { scroll } => reading::draw_problems(pen, area, state, *scroll),
        Screen::Contexts { index, marked } => contexts::draw(pen, area, state, *index, marked),
        Screen::Changes(cursor) => changes::draw(pen, area, state, cursor),
        Screen::Answer { job, scroll } => reading::draw_answer(pen, area, state, *job, *scroll),
    }
}

fn draw_list(pen: &mut Pen, area: Rect, state: &State, id: ListId, list: &List) {
    match id.kind() {
        None => overview::draw(pen, area, state, list),
        Some(kind) => table::draw(pen, area, state, kinds::kind(kind), list),
    }
    if list.ids.is_empty() {
        let said = empty(state, id, list);
        let width = area.width.saturating_sub(4);
        let lines = text::wrap(&said, width, usize::from(area.height.saturating_sub(2)));
        let y = area.y + (area.height.saturating_sub(lines.len() as u16)) / 2;
        for (n, line) in lines.iter().enumerate() {
            pen.text(area.x + 2, y + n as u16, width, line, pen.style(Role::Dim));
        }
    }
}

/// Why a list is empty: filtered, not asked yet, not to be seen, or really nothing there.
fn empty(state: &State, id: ListId, list: &List) -> String {
    if !list.filter.is_empty() {
        return format!("Nothing matches /{} (esc takes the filter away).", list.filter.text);
    }
    let what = id.kind().map_or("resources", |kind| kinds::kind(kind).title);
    let kinds = || KindId::ALL.into_iter().filter(|kind| id.kind().is_none_or(|only| only == *kind));
    if !state.problems.is_empty() && !kinds().all(|kind| state.schedule.is_listed(kind)) {
        let why = match by_cause(state.problems.values()).as_slice() {
            [cause] => cause.first().map_or("", |problem| problem.sentence.as_str()),
            _ => "p shows what could not be looked at.",
        };
        return format!("No {what} can be seen. {why}");
    }
    let is_answered = kinds().all(|kind| state.schedule.inventory_answered(kind));
    if is_answered { format!("There are no {what} here.") } else { "Asking AWS what there is…".to_owned() }
}
