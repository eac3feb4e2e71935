//! A kind's table: only the rows on screen are formatted, so its cost does not grow with the rows that there are.
//!
//! ```text
//!   HEALTH    NAME                      LAG   W-THR     USE  SHARDS  …   WHY
//! ▸✖ crit     bids                    3m20s  1.2k/m     96%       4      readers are 3m20s behind
//! ```

use super::cell::{age, cell, is_right, width};
use super::pen::Pen;
use super::text::columns as columns_of;
use crate::app::list::{List, SortBy};
use crate::app::state::State;
use crate::domain::field::Field;
use crate::domain::row::{Health, Row};
use crate::kinds::Kind;
use crate::theme::Role;
use ratatui::layout::Rect;

/// The pointer, the sign, a space, the longest word, a space.
pub const HEALTH_COLUMNS: u16 = 11;
const NAME_MIN: u16 = 16;
const NAME_MAX: u16 = 40;
/// On a wide terminal names may take this part of it.
const NAME_SHARE: u16 = 4;
/// Room after a name for how old a row that is not seen any more is: `59m old`.
pub const STALE_COLUMNS: u16 = 9;
/// Less than this is no room for a reason.
const WHY_MIN: u16 = 16;

/// A column of the table with its place.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub field: &'static Field,
    pub x: u16,
    pub width: u16,
}

/// The columns that fit into `room`, most important first; a narrower one may take the place of one that is too wide.
/// Gives the columns from `x` on, each with one blank before it, and the room that is left.
pub fn fit(fields: &[&'static Field], x: u16, room: u16, width: impl Fn(&Field) -> u16) -> (Vec<Column>, u16) {
    let (mut columns, mut used) = (Vec::with_capacity(fields.len()), 0u16);
    for field in fields {
        let width = width(field);
        if used + width < room {
            columns.push(Column { field, x: x + used + 1, width });
            used += width + 1;
        }
    }
    (columns, room - used)
}

pub fn draw(pen: &mut Pen, area: Rect, state: &State, kind: &Kind, list: &List) {
    if area.is_empty() {
        return;
    }
    let room = area.width.saturating_sub(HEALTH_COLUMNS);
    let (columns, left) = fit(kind.columns, 0, room.saturating_sub(NAME_MIN), width);
    let head = heads_rows(area);
    let rows = area.height - head;
    // What is left goes to the names on screen first, then to the reason.
    let longest =
        list.on_screen(usize::from(rows)).iter().map(|id| columns_of(&id.name_among_places())).max().unwrap_or(0);
    let name_width =
        (longest + STALE_COLUMNS).clamp(NAME_MIN, NAME_MAX.max(area.width / NAME_SHARE)).min(NAME_MIN + left).min(room);
    let name_x = area.x + HEALTH_COLUMNS;
    let columns: Vec<Column> =
        columns.into_iter().map(|column| Column { x: name_x + name_width + column.x, ..column }).collect();
    let end = columns.last().map_or(name_x + name_width, |column| column.x + column.width);
    let why = Rect { x: end + 2, width: area.right().saturating_sub(end + 2), ..area };

    if head > 0 {
        heads(pen, Rect { height: head, ..area }, name_x, &columns, list);
        if why.width >= WHY_MIN {
            pen.text(why.x, area.y, why.width, "WHY", pen.style(Role::Header));
        }
    }
    for (n, id) in list.on_screen(usize::from(rows)).iter().enumerate() {
        let Some(row) = state.rows.get(id) else { continue };
        let line = Rect { y: area.y + head + n as u16, height: 1, ..area };
        let selected = list.selected.as_ref() == Some(id);
        health(pen, line, row.health, selected);
        name(pen, Rect { x: name_x, width: name_width, ..line }, state, row, &row.id.name_among_places());
        for column in &columns {
            let (text, role) = cell(column.field, row.fields.get(column.field), state.now);
            let role = if row.stale.is_some() { Role::Stale } else { role };
            aligned(pen, *column, line.y, &text, role);
        }
        if why.width >= WHY_MIN {
            reason(pen, Rect { y: line.y, height: 1, ..why }, row);
        }
        if selected {
            // Not the whole line: every cell of it would be sent anew at each key.
            let name = Rect { x: name_x, width: name_width, ..line };
            pen.paint(name.intersection(line), pen.style(Role::Selection));
        }
    }
}

/// How many lines of a list's area its column heads take: none where the one line is needed for a row.
pub fn heads_rows(area: Rect) -> u16 {
    u16::from(area.height > 1)
}

fn heads(pen: &mut Pen, line: Rect, name_x: u16, columns: &[Column], list: &List) {
    let style = pen.style(Role::Header);
    let sorted = pen.style(Role::Accent);
    let sign = if list.sort.reverse { pen.glyph().ascending } else { pen.glyph().descending };
    let used = pen.text(line.x + 2, line.y, HEALTH_COLUMNS, "HEALTH", style);
    if list.sort.by == SortBy::Rank {
        pen.sign(line.x + 2 + used, line.y, sign, sorted);
    }
    let used = pen.text(name_x, line.y, line.right().saturating_sub(name_x), "NAME", style);
    if list.sort.by == SortBy::Name {
        pen.sign(name_x + used, line.y, sign, sorted);
    }
    for column in columns {
        column_head(pen, *column, line.y, list.sort.by == SortBy::Field(column.field), sign);
    }
}

fn column_head(pen: &mut Pen, column: Column, y: u16, sorted: bool, sign: char) {
    if !sorted {
        return aligned(pen, column, y, column.field.title, Role::Header);
    }
    let mut text = column.field.title.to_owned();
    text.push(sign);
    aligned(pen, column, y, &text, Role::Accent);
}

/// Text in its column: numbers at the right, words at the left.
pub fn aligned(pen: &mut Pen, column: Column, y: u16, text: &str, role: Role) {
    let style = pen.style(role);
    if is_right(column.field) {
        pen.right(column.x, y, column.width, text, style);
    } else {
        pen.text(column.x, y, column.width, text, style);
    }
}

/// The pointer of the selected row, and its health by sign and word.
pub fn health(pen: &mut Pen, line: Rect, health: Health, selected: bool) {
    if selected {
        pen.pointer(line);
    }
    let mut words = pen.line(Rect { x: line.x + 1, width: line.width.min(HEALTH_COLUMNS).saturating_sub(1), ..line });
    words.health(health);
}

/// The name, with how long ago it was last seen when that is too long.
pub fn name(pen: &mut Pen, place: Rect, state: &State, row: &Row, text: &str) {
    let Some(stale) = &row.stale else {
        pen.name(place.x, place.y, place.width, text, pen.style(Role::Strong));
        return;
    };
    let old = match age(state.now, row.as_of.min(stale.since)).as_str() {
        "now" => "stale".to_owned(),
        age => format!("{age} old"),
    };
    let room = place.width.saturating_sub(columns_of(&old) + 1);
    pen.name(place.x, place.y, room, text, pen.style(Role::Stale));
    pen.right(place.x, place.y, place.width, &old, pen.style(Role::Stale));
}

/// Why a row is not well, and after that why it is not seen any more: that is often the same for all rows.
pub fn reason(pen: &mut Pen, place: Rect, row: &Row) {
    let mut line = pen.line(place);
    let role = if row.stale.is_some() { Role::Stale } else { Role::Text };
    for (n, reason) in
        row.reasons.iter().map(String::as_str).chain(row.stale.as_ref().map(|s| &*s.sentence)).enumerate()
    {
        if n > 0 {
            line.put("; ", Role::Dim);
        }
        line.put(reason, role);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::state::{Context, Settings, Source};
    use crate::domain::refresh::Refresh;
    use crate::domain::row::{KindId, ResourceId, Stale};
    use crate::domain::time::Timestamp;
    use crate::kinds::threshold::Thresholds;
    use crate::kinds::{KINDS, sqs};
    use crate::theme::{Depth, Glyphs, Theme};
    use ratatui::buffer::Buffer;
    use std::time::Duration;

    #[test]
    fn columns_fit_by_importance() {
        let (columns, left) = fit(sqs::KIND.columns, 0, 30, width);
        let titles: Vec<_> = columns.iter().map(|column| column.field.title).collect();
        assert_eq!(titles, ["VISIBLE", "IN FLIGHT", "OLDEST"]);
        let last = columns.last().unwrap();
        assert_eq!(last.x + last.width + left, 30);
        assert!(fit(sqs::KIND.columns, 0, 0, width).0.is_empty());
    }

    #[test]
    fn eighty_columns_show_at_least_four_numbers_of_each_kind() {
        for kind in KINDS {
            let (columns, _) = fit(kind.columns, 0, 80 - HEALTH_COLUMNS - NAME_MIN, width);
            assert!(columns.len() >= 4, "{} shows {}", kind.title, columns.len());
        }
    }

    /// What was last seen two minutes ago says so beside its name, and the name gives way.
    #[test]
    fn a_name_in_a_list_bears_the_age_of_what_is_not_seen_any_more() {
        let now = Timestamp::from_millis(1_000_000_000);
        let state = State::new(settings(), now);
        let mut row = Row::new(ResourceId::new(KindId::Sqs, "orders-of-the-day"), now - Duration::from_secs(125));
        let theme = Theme::built_in("night", Depth::TrueColor, Glyphs::Ascii).unwrap();
        let drawn = |row: &Row| {
            let place = Rect::new(0, 0, 20, 1);
            let mut buffer = Buffer::empty(place);
            name(&mut Pen::new(&mut buffer, &theme), place, &state, row, &row.id.name);
            let text: String = (0..20).map(|x| buffer[(x, 0)].symbol().to_owned()).collect();
            (text, buffer[(0, 0)].fg)
        };
        let role = |role: Role| theme.style(role).fg.unwrap();
        assert_eq!(drawn(&row), ("orders-of-the-day   ".to_owned(), role(Role::Strong)), "seen in its turn");
        let since = |seconds| Some(Stale { since: now - Duration::from_secs(seconds), sentence: String::new() });
        row.stale = since(30);
        assert_eq!(drawn(&row), ("orders~he-day 2m old".to_owned(), role(Role::Stale)), "its last answer counts");
        row.stale = since(3700);
        assert_eq!(drawn(&row).0, "orders~he-day 1h old", "other answers about it came since");
    }

    fn settings() -> Settings {
        Settings {
            source: Source::Live,
            source_label: String::new(),
            contexts: vec![Context::default()],
            known: Vec::new(),
            budget_usd_per_h: 0.15,
            refresh: Refresh::default(),
            thresholds: Thresholds::default(),
            speed: 1.0,
        }
    }
}
