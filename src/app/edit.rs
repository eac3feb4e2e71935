//! A small text editor as plain data: lines and a cursor, for filters, the palette and payloads.

use crate::app::event::{Key, KeyCode};

/// The most text that one editor takes, in bytes: Lambda's limit for an asynchronous payload is 1 MiB, a person's is
/// far less.
pub const TEXT_MAX_BYTES: usize = 256 * 1024;

/// Text under edit. There is always at least one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Editor {
    lines: Vec<String>,
    /// The cursor's line.
    row: usize,
    /// The cursor's place in its line, in characters.
    col: usize,
    one_line: bool,
}

impl Editor {
    pub fn one_line(text: &str) -> Self {
        let mut editor = Self { lines: vec![String::new()], row: 0, col: 0, one_line: true };
        editor.insert(text);
        editor
    }

    /// An editor of several lines with the cursor at the start.
    pub fn many_lines(text: &str) -> Self {
        let mut editor = Self { lines: vec![String::new()], row: 0, col: 0, one_line: false };
        editor.insert(text);
        (editor.row, editor.col) = (0, 0);
        editor
    }

    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Line and column of the cursor, from 0, the column in characters.
    pub fn cursor(&self) -> (usize, usize) {
        (self.row, self.col)
    }

    pub fn is_one_line(&self) -> bool {
        self.one_line
    }

    pub fn text(&self) -> String {
        self.lines.join("\n")
    }

    pub fn is_empty(&self) -> bool {
        self.lines.iter().all(String::is_empty)
    }

    /// Puts text in at the cursor. A one-line editor reads line breaks as spaces; control characters are dropped;
    /// what goes over [`TEXT_MAX_BYTES`] is dropped.
    pub fn insert(&mut self, text: &str) {
        let clean = self.clean(text);
        let byte = self.byte_at(self.col);
        let after = self.line().split_off(byte);
        let mut pieces = clean.split('\n');
        let first = pieces.next().unwrap_or_default();
        self.line().push_str(first);
        self.col += first.chars().count();
        let more: Vec<String> = pieces.map(str::to_owned).collect();
        if let Some(last) = more.last() {
            self.col = last.chars().count();
            let at = self.row + 1;
            self.row += more.len();
            self.lines.splice(at..at, more);
        }
        self.line().push_str(&after);
    }

    /// What of a text this editor takes, and has room for.
    fn clean(&self, text: &str) -> String {
        let mut room = TEXT_MAX_BYTES.saturating_sub(self.lines.iter().map(|line| line.len() + 1).sum());
        let mut clean = String::new();
        for c in text.replace("\r\n", "\n").replace('\r', "\n").chars() {
            let before = clean.len();
            match c {
                '\n' if self.one_line => clean.push(' '),
                '\n' => clean.push('\n'),
                '\t' => clean.push_str("  "),
                c if c.is_control() => {}
                c => clean.push(c),
            }
            let taken = clean.len() - before;
            if taken > room {
                clean.truncate(before);
                break;
            }
            room -= taken;
        }
        clean
    }

    /// Takes an editing key; says whether it meant anything here.
    pub fn key(&mut self, key: Key) -> bool {
        if let Some(c) = key.typed() {
            self.insert(c.encode_utf8(&mut [0; 4]));
            return true;
        }
        match (key.code, key.ctrl) {
            (KeyCode::Enter, false) if !self.one_line => self.insert("\n"),
            (KeyCode::Backspace, false) => self.delete_before(),
            (KeyCode::Char('h'), true) => self.delete_before(),
            (KeyCode::Delete, false) => self.delete_after(),
            (KeyCode::Left, false) => self.left(),
            (KeyCode::Right, false) => self.right(),
            (KeyCode::Up, false) if !self.one_line => self.go_to_line(self.row.saturating_sub(1)),
            (KeyCode::Down, false) if !self.one_line => self.go_to_line(self.row + 1),
            (KeyCode::Home, false) | (KeyCode::Char('a'), true) => self.col = 0,
            (KeyCode::End, false) | (KeyCode::Char('e'), true) => self.col = self.line_len(),
            (KeyCode::Char('u'), true) => self.delete_to_start(),
            (KeyCode::Char('k'), true) => self.delete_to_end(),
            (KeyCode::Char('w'), true) => self.delete_word(),
            _ => return false,
        }
        true
    }

    fn line(&mut self) -> &mut String {
        // The cursor's line always exists; the fallback keeps this free of panics.
        if self.row >= self.lines.len() {
            self.row = self.lines.len().saturating_sub(1);
        }
        if self.lines.is_empty() {
            self.lines.push(String::new());
        }
        &mut self.lines[self.row]
    }

    fn line_len(&self) -> usize {
        self.lines.get(self.row).map_or(0, |line| line.chars().count())
    }

    /// The byte that the cursor's column starts at.
    fn byte_at(&self, col: usize) -> usize {
        let Some(line) = self.lines.get(self.row) else { return 0 };
        line.char_indices().nth(col).map_or(line.len(), |(byte, _)| byte)
    }

    fn delete_before(&mut self) {
        if self.col > 0 {
            let byte = self.byte_at(self.col - 1);
            self.line().remove(byte);
            self.col -= 1;
        } else if self.row > 0 {
            let rest = self.lines.remove(self.row);
            self.row -= 1;
            self.col = self.line_len();
            self.line().push_str(&rest);
        }
    }

    fn delete_after(&mut self) {
        if self.col < self.line_len() {
            let byte = self.byte_at(self.col);
            self.line().remove(byte);
        } else if self.row + 1 < self.lines.len() {
            let rest = self.lines.remove(self.row + 1);
            self.line().push_str(&rest);
        }
    }

    fn delete_to_start(&mut self) {
        let byte = self.byte_at(self.col);
        self.line().replace_range(..byte, "");
        self.col = 0;
    }

    fn delete_to_end(&mut self) {
        let byte = self.byte_at(self.col);
        self.line().truncate(byte);
    }

    fn delete_word(&mut self) {
        let byte = self.byte_at(self.col);
        let before: Vec<char> = self.line()[..byte].chars().collect();
        let words_end = before.iter().rposition(|c| !c.is_whitespace()).map_or(0, |at| at + 1);
        let start = before[..words_end].iter().rposition(|c| c.is_whitespace()).map_or(0, |at| at + 1);
        let from = self.byte_at(start);
        self.line().replace_range(from..byte, "");
        self.col = start;
    }

    fn left(&mut self) {
        if self.col > 0 {
            self.col -= 1;
        } else if self.row > 0 {
            self.row -= 1;
            self.col = self.line_len();
        }
    }

    fn right(&mut self) {
        if self.col < self.line_len() {
            self.col += 1;
        } else if self.row + 1 < self.lines.len() {
            (self.row, self.col) = (self.row + 1, 0);
        }
    }

    fn go_to_line(&mut self, row: usize) {
        self.row = row.min(self.lines.len().saturating_sub(1));
        self.col = self.col.min(self.line_len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(mut editor: Editor, keys: &str) -> (String, (usize, usize)) {
        for key in Key::parse_run(keys).unwrap() {
            editor.key(key);
        }
        (editor.text(), editor.cursor())
    }

    #[test]
    fn a_line_is_edited_as_in_a_shell() {
        let cases = [
            ("", "visiblé", "visiblé", 7),
            ("visible", "<backspace><backspace>", "visib", 5),
            ("visible", "<home>!<end>?", "!visible?", 9),
            ("one two", "<ctrl-w>three", "one three", 9),
            ("one two", "<ctrl-u>", "", 0),
            ("one two", "<ctrl-a><right><ctrl-k>", "o", 1),
            ("é", "<left><delete>x", "x", 1),
            ("a", "<enter>", "a", 1),
        ];
        for (before, keys, text, col) in cases {
            assert_eq!(after(Editor::one_line(before), keys), (text.to_owned(), (0, col)), "{before} {keys}");
        }
    }

    #[test]
    fn a_text_is_edited_over_lines() {
        let cases = [
            ("{}", "<right><enter><enter>", "{\n\n}", (2, 0)),
            ("ab\ncd", "<down><backspace>", "abcd", (0, 2)),
            ("ab\ncd", "<end><delete>", "abcd", (0, 2)),
            ("abc\nd", "<end><down>x", "abc\ndx", (1, 2)),
            ("a\nb", "<down><left><left>x", "xa\nb", (0, 1)),
        ];
        for (before, keys, text, cursor) in cases {
            assert_eq!(after(Editor::many_lines(before), keys), (text.to_owned(), cursor), "{before} {keys}");
        }
    }

    #[test]
    fn a_paste_is_cleaned_and_bounded() {
        let mut editor = Editor::one_line("");
        editor.insert("a\r\nb\u{7}\tc");
        assert_eq!(editor.text(), "a b  c");
        editor.insert(&"x".repeat(TEXT_MAX_BYTES * 2));
        assert!(editor.text().len() <= TEXT_MAX_BYTES);
        let mut editor = Editor::many_lines("ab");
        editor.key(Key::parse_run("<right>").unwrap()[0]);
        editor.insert("1\n\n2\r\n3");
        assert_eq!((editor.text().as_str(), editor.cursor()), ("a1\n\n2\n3b", (3, 1)));
    }
}
