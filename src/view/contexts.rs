//! The contexts that could be watched, which of them are, and who one is there.
//!
//! ```text
//! CONTEXT        WHAT                                   NOW
//! ▸[x] prod      profile prod, eu-west-1  PRODUCTION    watched as 123456789012 acme-prod night-watch
//!  [ ] staging   profile staging, eu-west-1           NOT SEEN
//! ```

use super::pen::Pen;
use super::text::{columns, wrap};
use crate::app::contexts::why_dark;
use crate::app::state::{Context, Known, State};
use crate::theme::Role;
use ratatui::layout::Rect;

const NAME_MIN: u16 = 12;
const NAME_MAX: u16 = 32;

/// Draws those around the cursor; says which one that is of how many.
pub fn draw(pen: &mut Pen, area: Rect, state: &State, index: usize, marked: &[String]) -> Option<String> {
    let known = &state.settings.known;
    let longest = known.iter().map(|known| columns(&known.name)).max().unwrap_or(0);
    let name_width = longest.clamp(NAME_MIN, NAME_MAX).min(area.width.saturating_sub(6));
    let mut head = pen.line(Rect { height: area.height.min(1), ..area });
    head.gap(5).put("CONTEXT", Role::Header).gap(name_width.saturating_sub(7) + 2).put("WHAT", Role::Header);
    let area = draw_why(pen, area, state, known.get(index));
    let rows = usize::from(area.height.saturating_sub(1));
    let top = index.saturating_sub(rows.saturating_sub(1));
    for (n, context) in known.iter().enumerate().skip(top).take(rows) {
        let line = Rect { y: area.y + 1 + (n - top) as u16, height: 1, ..area };
        draw_one(pen, line, state, context, marked, name_width);
        if n == index {
            pen.chosen(line);
        }
    }
    (!known.is_empty()).then(|| format!("{}/{}", index + 1, known.len()))
}

/// Below the list, in full, why nothing is seen of the one under the cursor. Gives what room is left.
fn draw_why(pen: &mut Pen, area: Rect, state: &State, known: Option<&Known>) -> Rect {
    let why = known.and_then(|known| watched(state, known)).and_then(|context| why_dark(state, context));
    let Some(why) = why else { return area };
    let lines = wrap(why, area.width.saturating_sub(2), usize::from(area.height / 2));
    let height = area.height.saturating_sub(lines.len() as u16);
    for (n, line) in lines.iter().enumerate() {
        pen.text(area.x + 1, area.y + height + n as u16, area.width.saturating_sub(2), line, pen.style(Role::Crit));
    }
    Rect { height, ..area }
}

fn watched<'s>(state: &'s State, known: &Known) -> Option<&'s Context> {
    state.settings.contexts.iter().find(|context| context.name.as_deref() == Some(&known.name))
}

fn draw_one(pen: &mut Pen, line: Rect, state: &State, known: &Known, marked: &[String], name_width: u16) {
    let mark = if marked.contains(&known.name) { "[x]" } else { "[ ]" };
    pen.text(line.x + 1, line.y, 3, mark, pen.style(Role::Key));
    let x = line.x + 5;
    pen.text(x, line.y, name_width, &known.name, pen.style(Role::Strong));
    let x = x + name_width + 2;
    let mut rest = pen.line(Rect { x, width: line.right().saturating_sub(x), ..line });
    if known.production {
        rest.put(" PRODUCTION ", Role::Notice).gap(1);
    }
    rest.put(&known.what, Role::Dim);
    if let Some(context) = watched(state, known) {
        if why_dark(state, context).is_some() {
            rest.gap(2).put("NOT SEEN", Role::Crit);
            return;
        }
        let identity = state.identities.get(&context.place);
        rest.gap(2).put("watched", Role::Ok);
        if let Some(account) = identity.and_then(|identity| identity.account.as_deref()) {
            rest.put(" as ", Role::Dim).put(account, Role::Text);
        }
        if let Some(alias) = identity.and_then(|identity| identity.alias.as_deref()) {
            rest.gap(1).put(alias, Role::Text);
        }
        if let Some(principal) = identity.and_then(|identity| identity.principal.as_deref()) {
            rest.gap(1).put(principal, Role::Dim);
        }
    }
}
