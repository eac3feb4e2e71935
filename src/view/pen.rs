//! The pen: writes cleaned, clipped text and lines into the frame's buffer. Nothing else in the view touches cells.
//!
//! Coordinates are of the frame. Whatever lies outside the buffer is not drawn, so no size can make it panic.

use super::text::{columns, cut_middle, shown, wrap};
use crate::domain::row::Health;
use crate::theme::{GlyphSet, Glyphs, Role, Theme};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::Style;

pub struct Pen<'a> {
    buffer: &'a mut Buffer,
    pub theme: &'a Theme,
}

impl<'a> Pen<'a> {
    pub fn new(buffer: &'a mut Buffer, theme: &'a Theme) -> Self {
        Self { buffer, theme }
    }

    pub fn glyph(&self) -> &'static GlyphSet {
        self.theme.glyph()
    }

    pub fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    /// Writes text into at most `width` columns from `(x, y)`, with an ellipsis where it does not fit; gives the columns
    /// that it took.
    pub fn text(&mut self, x: u16, y: u16, width: u16, text: &str, style: Style) -> u16 {
        let area = self.buffer.area;
        if y < area.top() || y >= area.bottom() || x < area.left() || x >= area.right() || width == 0 {
            return 0;
        }
        let width = width.min(area.right() - x);
        let glyph = self.theme.glyph();
        let ascii = self.theme.glyphs == Glyphs::Ascii;
        let cut = columns_exceed(text, width);
        let room = usize::from(if cut { width - 1 } else { width });
        let start = self.buffer.index_of(x, y);
        let Some(cells) = self.buffer.content.get_mut(start..start + usize::from(width)) else { return 0 };
        let mut used = 0;
        for c in text.chars() {
            let Some((c, wide)) = shown(c, ascii, glyph.replaced) else { continue };
            let end = used + usize::from(wide);
            if end > room {
                break;
            }
            cells[used].set_char(c).set_style(style);
            if wide == 2 {
                // The second half of a wide character must stay blank for the terminal's sake.
                cells[used + 1].set_char(' ').set_style(style);
            }
            used = end;
        }
        if cut {
            cells[used].set_char(glyph.ellipsis).set_style(style);
            used += 1;
        }
        used as u16
    }

    /// Writes a text into an area, wrapped, with an ellipsis where even so it does not fit; gives the lines that it took.
    pub fn paragraph(&mut self, area: Rect, text: &str, role: Role) -> u16 {
        let style = self.style(role);
        // One more line than there is room for tells that something is cut.
        let lines = wrap(text, area.width, usize::from(area.height) + 1);
        let shown = lines.len().min(usize::from(area.height));
        for (n, line) in lines.iter().take(shown).enumerate() {
            let y = area.y + n as u16;
            let used = self.text(area.x, y, area.width, line, style);
            if n + 1 == shown && lines.len() > shown {
                let ellipsis = self.glyph().ellipsis;
                self.sign(area.x + used.min(area.width.saturating_sub(1)), y, ellipsis, style);
            }
        }
        shown as u16
    }

    /// Writes text so that it ends at the right edge of `width` columns from `x`.
    pub fn right(&mut self, x: u16, y: u16, width: u16, text: &str, style: Style) -> u16 {
        let pad = width.saturating_sub(columns(text));
        self.text(x.saturating_add(pad), y, width - pad, text, style)
    }

    /// Writes a name: one that does not fit loses its middle.
    pub fn name(&mut self, x: u16, y: u16, width: u16, text: &str, style: Style) -> u16 {
        let ellipsis = self.glyph().ellipsis;
        self.text(x, y, width, &cut_middle(text, width, ellipsis), style)
    }

    /// The pointer of the line under the cursor, at its left.
    pub fn pointer(&mut self, line: Rect) {
        self.text(line.x, line.y, 1, self.glyph().pointer.encode_utf8(&mut [0; 4]), self.style(Role::Focus));
    }

    /// The line under the cursor: its pointer, and the whole of it marked.
    pub fn chosen(&mut self, line: Rect) {
        self.pointer(line);
        self.paint(line, self.style(Role::Selection));
    }

    /// Column heads, each at its place.
    pub fn heads(&mut self, line: Rect, heads: &[(u16, &str)]) {
        for (x, head) in heads {
            self.text(*x, line.y, line.right().saturating_sub(*x), head, self.style(Role::Header));
        }
    }

    /// One character of one column.
    pub fn sign(&mut self, x: u16, y: u16, c: char, style: Style) {
        self.cell(x, y, c, style);
    }

    /// `count` times the same character.
    pub fn repeat(&mut self, x: u16, y: u16, count: u16, c: char, style: Style) {
        for n in 0..count {
            let Some(x) = x.checked_add(n) else { return };
            self.cell(x, y, c, style);
        }
    }

    /// Lays a style over an area and leaves its characters.
    pub fn paint(&mut self, area: Rect, style: Style) {
        self.each(area, |cell| {
            cell.set_style(style);
        });
    }

    /// Copies the lines of another buffer from `top` on into an area.
    pub fn copy(&mut self, from: &Buffer, top: u16, area: Rect) {
        for y in 0..area.height {
            for x in 0..area.width {
                if let (Some(cell), Some(here)) =
                    (from.cell((x, top.saturating_add(y))), self.buffer.cell_mut((area.x + x, area.y + y)))
                {
                    here.clone_from(cell);
                }
            }
        }
    }

    /// Blanks an area in a role.
    pub fn fill(&mut self, area: Rect, role: Role) {
        let style = self.style(Role::Base).patch(self.style(role));
        self.each(area, |cell| {
            cell.reset();
            cell.set_style(style);
        });
    }

    /// Line by line, so that a whole screen costs one bounds check a line.
    fn each(&mut self, area: Rect, change: impl Fn(&mut Cell)) {
        let area = area.intersection(self.buffer.area);
        if area.is_empty() {
            return;
        }
        for y in area.top()..area.bottom() {
            let start = self.buffer.index_of(area.x, y);
            let cells = self.buffer.content.get_mut(start..start + usize::from(area.width));
            cells.unwrap_or_default().iter_mut().for_each(&change);
        }
    }

    fn cell(&mut self, x: u16, y: u16, c: char, style: Style) {
        if let Some(cell) = self.buffer.cell_mut((x, y)) {
            cell.set_char(c).set_style(style);
        }
    }

    /// A run of text on one line, piece by piece.
    pub fn line(&mut self, area: Rect) -> Line<'_, 'a> {
        Line { x: area.x, y: area.y, right: area.right(), hidden: area.is_empty(), pen: self }
    }
}

/// Writes pieces one after the other until the line is full.
pub struct Line<'p, 'a> {
    pen: &'p mut Pen<'a>,
    pub x: u16,
    y: u16,
    right: u16,
    hidden: bool,
}

impl Line<'_, '_> {
    pub fn put(&mut self, text: &str, role: Role) -> &mut Self {
        let style = self.pen.style(role);
        self.styled(text, style)
    }

    pub fn styled(&mut self, text: &str, style: Style) -> &mut Self {
        if !self.hidden {
            self.x += self.pen.text(self.x, self.y, self.right.saturating_sub(self.x), text, style);
        }
        self
    }

    /// A name, which loses its middle where it does not fit.
    pub fn name(&mut self, text: &str, role: Role) -> &mut Self {
        let ellipsis = self.pen.glyph().ellipsis;
        self.put(&cut_middle(text, self.room(), ellipsis), role)
    }

    pub fn sign(&mut self, c: char, role: Role) -> &mut Self {
        self.put(c.encode_utf8(&mut [0; 4]), role)
    }

    /// A health by its sign and its word: never by colour alone.
    pub fn health(&mut self, health: Health) -> &mut Self {
        let role = Role::health(health);
        self.sign(self.pen.glyph().health(health), role).gap(1).put(health.word(), role)
    }

    /// A health's sign alone, where its word stands nearby or a count says what it is.
    pub fn health_sign(&mut self, health: Health) -> &mut Self {
        self.sign(self.pen.glyph().health(health), Role::health(health))
    }

    /// The sign of everything well.
    pub fn all_well(&mut self) -> &mut Self {
        self.sign(self.pen.glyph().ok, Role::Ok)
    }

    /// A rule between two things.
    pub fn rule(&mut self, role: Role) -> &mut Self {
        self.sign(self.pen.glyph().vertical, role)
    }

    /// Goes on at column `x`, or stays when it is past it.
    pub fn to(&mut self, x: u16) -> &mut Self {
        self.x = self.x.max(x).min(self.right.max(self.x));
        self
    }

    pub fn gap(&mut self, columns: u16) -> &mut Self {
        self.x = self.x.saturating_add(columns).min(self.right);
        self
    }

    /// Columns that are left.
    pub fn room(&self) -> u16 {
        if self.hidden { 0 } else { self.right.saturating_sub(self.x) }
    }
}

/// Whether a text takes more than `width` columns; looks no further than it must.
fn columns_exceed(text: &str, width: u16) -> bool {
    if text.len() <= usize::from(width) {
        return false;
    }
    if text.is_ascii() {
        return true;
    }
    let mut used = 0u16;
    text.chars().filter_map(|c| shown(c, false, '?')).any(|(_, wide)| {
        used = used.saturating_add(wide);
        used > width
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::Depth;

    fn drawn(width: u16, glyphs: Glyphs, draw: impl Fn(&mut Pen)) -> String {
        let theme = Theme::built_in("night", Depth::None, glyphs).unwrap();
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, 1));
        draw(&mut Pen::new(&mut buffer, &theme));
        buffer.content.iter().map(|cell| cell.symbol()).collect()
    }

    #[test]
    fn text_is_cut_with_an_ellipsis_by_columns() {
        let cut = |width, text: &'static str| {
            drawn(8, Glyphs::Braille, move |pen| {
                pen.text(0, 0, width, text, Style::new());
            })
        };
        assert_eq!(cut(8, "orders"), "orders  ");
        assert_eq!(cut(4, "orders"), "ord…    ");
        assert_eq!(cut(5, "予約係"), "予 約 …   ");
        assert_eq!(cut(4, "予約"), "予 約     ");
        assert_eq!(cut(1, "orders"), "…       ");
        assert_eq!(cut(0, "orders"), "        ");
    }

    #[test]
    fn a_paragraph_that_is_cut_says_so() {
        let told = |width, height, text: &'static str| {
            drawn(16, Glyphs::Braille, move |pen| {
                let used = pen.paragraph(Rect { x: 0, y: 0, width, height }, text, Role::Text);
                assert_eq!(used, 1);
            })
        };
        assert_eq!(told(16, 1, "ask for it"), "ask for it      ");
        assert_eq!(told(10, 1, "ask for logs:Get"), "ask for…        ");
        assert_eq!(told(7, 1, "ask for logs:Get"), "ask fo…         ");
    }

    #[test]
    fn numbers_end_at_the_right() {
        let line = drawn(8, Glyphs::Braille, |pen| {
            pen.right(0, 0, 6, "412", Style::new());
        });
        assert_eq!(line, "   412  ");
    }

    #[test]
    fn ascii_terminals_get_ascii() {
        let line = drawn(8, Glyphs::Ascii, |pen| {
            pen.text(0, 0, 4, "café au", Style::new());
        });
        assert_eq!(line, "caf~    ");
        let line = drawn(8, Glyphs::Ascii, |pen| {
            pen.text(0, 0, 8, "é予", Style::new());
        });
        assert_eq!(line, "??      ");
    }

    #[test]
    fn nothing_outside_the_buffer_is_drawn() {
        let line = drawn(2, Glyphs::Braille, |pen| {
            pen.text(5, 0, 9, "x", Style::new());
            pen.text(0, 7, 9, "x", Style::new());
            pen.text(1, 0, 9, "ab", Style::new());
            pen.repeat(u16::MAX - 1, 0, 9, 'x', Style::new());
            pen.fill(Rect::new(1, 1, 500, 500), Role::Bar);
        });
        assert_eq!(line, " …");
    }
}
