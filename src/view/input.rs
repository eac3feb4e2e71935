//! A text under edit: the part around the cursor, and the cursor as a reversed cell.

use super::pen::Pen;
use super::text::columns;
use crate::app::edit::Editor;
use crate::theme::Role;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

pub fn draw(pen: &mut Pen, area: Rect, editor: &Editor, focused: bool) {
    if area.is_empty() {
        return;
    }
    let (row, col) = editor.cursor();
    let rows = usize::from(area.height);
    let top = row.saturating_sub(rows - 1);
    let style = pen.style(if focused { Role::Input } else { Role::Text });
    // All lines move together to the side, so that they stay aligned.
    let before = |text: &str| columns(&text.chars().take(col).collect::<String>());
    let cursor_x = editor.lines().get(row).map_or(0, |line| before(line));
    let shift = cursor_x.saturating_sub(area.width - 1);
    for (n, line) in editor.lines().iter().skip(top).take(rows).enumerate() {
        let y = area.y + n as u16;
        pen.text(area.x, y, area.width, skip_columns(line, shift), style);
    }
    if focused {
        let under = editor.lines().get(row).and_then(|line| line.chars().nth(col)).unwrap_or(' ');
        let cursor = pen.style(Role::Input).add_modifier(Modifier::REVERSED);
        let (x, y) = (area.x + (cursor_x - shift), area.y + (row - top) as u16);
        if pen.text(x, y, area.right().saturating_sub(x), under.encode_utf8(&mut [0; 4]), cursor) == 0 {
            pen.sign(x, y, ' ', cursor);
        }
    }
}

/// The text from the first character on that starts at or after this column.
fn skip_columns(text: &str, skip: u16) -> &str {
    let mut used = 0;
    for (byte, c) in text.char_indices() {
        if used >= skip {
            return &text[byte..];
        }
        used += columns(c.encode_utf8(&mut [0; 4]));
    }
    if used >= skip && skip == 0 { text } else { "" }
}
