//! The fields of a detail, each with its title, value and age: short values side by side, longer ones over several cells
//! or lines after them.

use super::cell::{cell, provenance};
use super::pen::Pen;
use super::text::{columns, wrap};
use crate::app::state::State;
use crate::domain::field::Field;
use crate::domain::row::Row;
use crate::domain::time::Timestamp;
use crate::domain::value::{Datum, Unit};
use crate::kinds::Kind;
use crate::theme::Role;
use ratatui::layout::Rect;

/// A field with its title, value and age takes at least this.
const FIELD_COLUMNS: u16 = 26;
const TITLE_COLUMNS: u16 = 12;
/// What is not the value's in its cells: a blank before the title and one after it, and one before the next cell.
const FRAME_COLUMNS: u16 = TITLE_COLUMNS + 3;

/// How many lines the fields may take.
#[derive(Clone, Copy)]
pub struct Room {
    /// All of them.
    pub rows: u16,
    /// Those with values that are too long for a cell, beyond the lines of the others.
    pub long_rows: u16,
    /// One value.
    pub text_rows: u16,
}

/// Where a field stands: its first cell, how many cells it takes of its line, and how many lines.
#[derive(Clone, Copy, Debug)]
struct Place {
    field: &'static Field,
    column: u16,
    line: u16,
    cells: u16,
    lines: u16,
}

/// Draws them; gives the lines that they took, and how many are not shown whole.
pub fn draw(pen: &mut Pen, area: Rect, state: &State, row: &Row, kind: &Kind, room: Room) -> (u16, usize) {
    let (places, hidden) = lay_out(area.width, row, kind, room, state.now);
    let (_, width) = grid(area.width);
    for place in &places {
        let (x, y) = (area.x + place.column * width, area.y + place.line);
        let is_whole_line = place.column == 0 && place.cells == grid(area.width).0;
        let columns = if is_whole_line { area.width } else { place.cells * width };
        let cells = Rect { x, y, width: columns.saturating_sub(1), height: place.lines };
        draw_field(pen, cells, state, row, place.field);
    }
    let used = places.iter().map(|place| place.line + place.lines).max().unwrap_or(0);
    (used, hidden)
}

/// Cells of a line, and columns of each.
fn grid(width: u16) -> (u16, u16) {
    let across = (width / FIELD_COLUMNS).clamp(1, 5);
    (across, width / across)
}

/// The short ones first, then the longer ones, both in the kind's order. Counts those that are left out or cut.
fn lay_out(width: u16, row: &Row, kind: &Kind, room: Room, now: Timestamp) -> (Vec<Place>, usize) {
    let (across, cell_width) = grid(width);
    let wanted = |field: &'static Field| {
        let (text, _) = cell(field, row.fields.get(field), now);
        let fits = |cells: &u16| columns(&text) + FRAME_COLUMNS <= cells * cell_width;
        let is_text = field.unit == Unit::Text;
        match (1..=across).find(fits) {
            Some(cells) if is_text => (cells, 1),
            _ if !is_text => (1, 1),
            _ => (across, (wrap(&text, width.saturating_sub(FRAME_COLUMNS), usize::MAX).len() as u16).max(1)),
        }
    };
    let (mut short, mut long) = (Vec::new(), Vec::new());
    for field in kind.detail {
        let (cells, lines) = wanted(field);
        let list = if (cells, lines) == (1, 1) { &mut short } else { &mut long };
        list.push(Place { field, column: 0, line: 0, cells, lines });
    }
    let short_rows = (short.len() as u16).div_ceil(across);
    let long_rows = if long.iter().all(|place| is_address(place.field)) { room.long_rows / 2 } else { room.long_rows };
    let rows = room.rows.min(short_rows.saturating_add(long_rows));
    let (mut placed, mut hidden) = (Vec::new(), 0);
    let (mut column, mut line) = (0, 0);
    for place in short.into_iter().chain(long) {
        if column > 0 && column + place.cells > across && line + 1 < rows {
            (column, line) = (0, line + 1);
        }
        if line >= rows || column >= across {
            hidden += 1;
            continue;
        }
        // In the last line a long one has what is left of it.
        let cells = place.cells.min(across - column);
        let lines = place.lines.min(room.text_rows).min(rows - line);
        hidden += usize::from(cells < place.cells || lines < place.lines);
        placed.push(Place { column, line, cells, lines, ..place });
        column += cells;
        if lines > 1 || column >= across && line + lines < rows {
            (column, line) = (0, line + lines);
        }
    }
    (placed, hidden)
}

/// What somebody copies who needs it, and nobody reads.
fn is_address(field: &Field) -> bool {
    matches!(field.id, "arn" | "url")
}

fn draw_field(pen: &mut Pen, place: Rect, state: &State, row: &Row, field: &Field) {
    let value = row.fields.get(field);
    let (text, role) = cell(field, value, state.now);
    let role = if role == Role::Text { Role::Strong } else { role };
    let from = value.filter(|value| !matches!(value.datum, Datum::Missing(_)));
    let from = from.map(|value| provenance(value, state.now)).filter(|text| text != "now").unwrap_or_default();
    pen.text(place.x + 1, place.y, TITLE_COLUMNS, field.title, pen.style(Role::Dim));
    let x = place.x + TITLE_COLUMNS + 2;
    let room = place.right().saturating_sub(x);
    if place.height > 1 {
        pen.paragraph(Rect { x, width: room, ..place }, &text, role);
        return;
    }
    let used = pen.text(x, place.y, room, &text, pen.style(role));
    if columns(&from) + used < room {
        pen.text(x + used + 1, place.y, room - used - 1, &from, pen.style(Role::Stale));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::row::{KindId, ResourceId};
    use crate::domain::value::Value;
    use crate::kinds::{alarm, kinesis};

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn row(kind: KindId, texts: &[(&'static Field, &str)]) -> Row {
        let mut row = Row::new(ResourceId::new(kind, "x"), NOW);
        for (field, text) in texts {
            row.fields.set(field, Value::text(*text, NOW));
        }
        row
    }

    fn place_of(places: &[Place], field: &Field) -> Option<(u16, u16, u16, u16)> {
        let place = places.iter().find(|place| place.field.id == field.id)?;
        Some((place.column, place.line, place.cells, place.lines))
    }

    #[test]
    fn a_long_text_is_wrapped_where_there_is_room_and_counted_where_there_is_not() {
        let reason = "word ".repeat(40);
        let row = row(KindId::Alarm, &[(&alarm::STATE, "OK"), (&alarm::REASON, &reason)]);
        let all = Room { rows: 20, long_rows: 20, text_rows: 20 };
        let (places, hidden) = lay_out(80, &row, &alarm::KIND, all, NOW);
        assert_eq!((place_of(&places, &alarm::REASON), hidden), (Some((0, 2, 3, 4)), 0));
        let (places, hidden) = lay_out(80, &row, &alarm::KIND, Room { rows: 4, ..all }, NOW);
        assert_eq!((place_of(&places, &alarm::REASON), hidden), (Some((0, 2, 3, 2)), 1));
        let (_, hidden) = lay_out(80, &row, &alarm::KIND, Room { rows: 1, ..all }, NOW);
        assert_eq!(hidden, alarm::KIND.detail.len() - 3);
    }

    #[test]
    fn a_longer_text_takes_the_cells_beside_it() {
        let row = row(KindId::Kinesis, &[(&kinesis::FANOUT_LAGS, "board 420ms, audit 3m20s")]);
        let short = Room { rows: 8, long_rows: 1, text_rows: 1 };
        let (places, hidden) = lay_out(80, &row, &kinesis::KIND, short, NOW);
        assert_eq!((place_of(&places, &kinesis::FANOUT_LAGS), hidden), (Some((0, 6, 2, 1)), 0));
    }
}
