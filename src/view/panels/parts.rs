//! The table of a resource's parts: as many as there is room for around the selected one.

use crate::app::screen::Detail;
use crate::app::state::State;
use crate::domain::field::Field;
use crate::domain::row::{Part, Row};
use crate::kinds;
use crate::theme::Role;
use crate::view::cell::{cell, is_right, width};
use crate::view::pen::Pen;
use crate::view::table::{aligned, fit};
use crate::view::text::columns;
use ratatui::layout::Rect;

/// A text column of parts takes what its texts take, up to this.
const TEXT_MAX: u16 = 80;

/// How a kind shows its parts.
pub struct Parts<'p> {
    /// The head of the first column.
    pub head: &'static str,
    /// What names a part there.
    pub name: &'p dyn Fn(&Part) -> String,
    /// A role for a value that stands out.
    pub role: &'p dyn Fn(&Field, &Part) -> Option<Role>,
    /// What is said where there are none.
    pub none: &'static str,
}

/// Draws the heads and the parts around the selected one.
pub fn draw(pen: &mut Pen, area: Rect, state: &State, row: &Row, detail: &Detail, show: &Parts) {
    if area.height == 0 {
        return;
    }
    if row.parts.is_empty() {
        pen.text(area.x + 1, area.y, area.width.saturating_sub(1), show.none, pen.style(Role::Dim));
        return;
    }
    let rows = usize::from(area.height.saturating_sub(1));
    let top = first_shown(row.parts.len(), rows, detail.part_index);
    let shown: Vec<(&Part, String)> =
        row.parts.iter().skip(top).take(rows).map(|part| (part, (show.name)(part))).collect();
    let widest = shown.iter().map(|(_, name)| columns(name)).max().unwrap_or(0);
    let name_width = widest.max(columns(show.head)).min(area.width / 2);
    let text_width = |field: &Field| {
        let texts = shown.iter().map(|(part, _)| columns(&cell(field, part.fields.get(field), state.now).0));
        texts.max().unwrap_or(0).max(columns(field.title)).min(TEXT_MAX) + 1
    };
    let widths = |field: &Field| if is_right(field) { width(field) } else { text_width(field) };
    let x = area.x + 2 + name_width;
    let (columns, _) = fit(kinds::kind(row.id.kind).part_columns, x, area.right().saturating_sub(x), widths);

    pen.text(area.x + 1, area.y, name_width, show.head, pen.style(Role::Header));
    for column in &columns {
        aligned(pen, *column, area.y, column.field.title, Role::Header);
    }
    for (n, (part, name)) in shown.iter().enumerate() {
        let line = Rect { y: area.y + 1 + n as u16, height: 1, ..area };
        pen.text(line.x + 1, line.y, name_width, name, pen.style(Role::Strong));
        for column in &columns {
            let (text, role) = cell(column.field, part.fields.get(column.field), state.now);
            aligned(pen, *column, line.y, &text, (show.role)(column.field, part).unwrap_or(role));
        }
        if detail.part.as_ref() == Some(&part.id) {
            selected(pen, line);
        }
    }
    more(pen, area, top, row.parts.len() - top - shown.len());
}

/// Marks the line of the selected part.
pub fn selected(pen: &mut Pen, line: Rect) {
    pen.sign(line.x, line.y, pen.glyph().pointer, pen.style(Role::Focus));
    pen.paint(line, pen.style(Role::Selection));
}

/// Says how many parts are above and below what is shown.
fn more(pen: &mut Pen, area: Rect, above: usize, below: usize) {
    let (up, down) = (pen.glyph().more_up, pen.glyph().more_down);
    let text = match (above, below) {
        (0, 0) => return,
        (0, below) => format!("{down}{below}"),
        (above, 0) => format!("{up}{above}"),
        (above, below) => format!("{up}{above} {down}{below}"),
    };
    pen.right(area.x, area.y, area.width, &text, pen.style(Role::Dim));
}

/// The first part on screen so that the selected one is there, in the middle when it can be.
fn first_shown(total: usize, rows: usize, selected: usize) -> usize {
    selected.saturating_sub(rows / 2).min(total.saturating_sub(rows))
}

#[cfg(test)]
mod tests {
    use super::first_shown;

    #[test]
    fn the_selected_part_is_always_shown() {
        for rows in 1..8 {
            for selected in 0..20 {
                let top = first_shown(20, rows, selected);
                assert!((top..top + rows).contains(&selected), "{selected} of 20 in {rows} from {top}");
            }
        }
        assert_eq!(first_shown(3, 9, 2), 0);
    }
}
