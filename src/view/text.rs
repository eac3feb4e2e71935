//! Text on its way to cells: how wide it is once it is cleaned, where it breaks and what is left out of it.

pub use crate::domain::legible::shown;
use std::borrow::Cow;

/// How many columns a text takes once it is cleaned.
pub fn columns(text: &str) -> u16 {
    if text.is_ascii() {
        return text.len().min(usize::from(u16::MAX)) as u16;
    }
    text.chars().filter_map(|c| shown(c, false, '?')).fold(0u16, |sum, (_, width)| sum.saturating_add(width))
}

/// Breaks a text into lines of at most `width` columns, at spaces where there are any; keeps its own line breaks.
/// At most `lines_max` lines come back, so that a huge text costs what is shown of it.
pub fn wrap(text: &str, width: u16, lines_max: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    if width == 0 {
        return lines;
    }
    for line in text.lines() {
        let mut rest = line;
        loop {
            if lines.len() >= lines_max {
                return lines;
            }
            let cut = break_at(rest, width);
            let (head, tail) = rest.split_at(cut);
            lines.push(head.trim_end());
            if tail.is_empty() {
                break;
            }
            rest = tail.trim_start();
            if rest.is_empty() {
                break;
            }
        }
    }
    lines
}

/// A name in at most `width` columns: where it is longer, `ellipsis` stands for its middle, since names that begin alike
/// end otherwise.
pub fn cut_middle(text: &str, width: u16, ellipsis: char) -> Cow<'_, str> {
    if columns(text) <= width {
        return Cow::Borrowed(text);
    }
    let room = width.saturating_sub(1);
    let mut end = fitting(text.chars().rev(), room / 2);
    end.reverse();
    let begin = fitting(text.chars(), room - room / 2);
    Cow::Owned(begin.into_iter().chain([ellipsis]).chain(end).collect())
}

/// The first characters that fit into so many columns.
fn fitting(chars: impl Iterator<Item = char>, room: u16) -> Vec<char> {
    let mut used = 0;
    let fits = |c: &char| {
        used += shown(*c, false, '?').map_or(0, |(_, wide)| wide);
        used <= room
    };
    chars.take_while(fits).collect()
}

/// The byte to break a line at so that what is before it fits into `width` columns; at least one character goes before.
fn break_at(line: &str, width: u16) -> usize {
    let mut used = 0u16;
    let mut after_space = None;
    for (byte, c) in line.char_indices() {
        let wide = shown(c, false, '?').map_or(0, |(_, width)| width);
        if used + wide > width && byte > 0 {
            return if c == ' ' { byte } else { after_space.unwrap_or(byte) };
        }
        used += wide;
        if c == ' ' {
            after_space = Some(byte + 1);
        }
    }
    line.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_as_terminals_count_them() {
        for (text, width) in [("orders", 6), ("予約", 4), ("café", 4), ("\u{1b}", 1), ("", 0), ("e\u{301}", 1)] {
            assert_eq!(columns(text), width, "{text:?}");
        }
    }

    #[test]
    fn names_that_begin_alike_stay_apart() {
        let cut = |text, width| cut_middle(text, width, '~').into_owned();
        assert_eq!(cut("orders-eu-payments", 18), "orders-eu-payments");
        assert_eq!(cut("orders-eu-payments", 11), "order~ments");
        assert_eq!(cut("orders-eu-payments-dlq", 11), "order~s-dlq");
        assert_eq!(cut("予約予約予約", 6), "予~約");
        assert_eq!((cut("orders", 1), cut("orders", 0)), ("~".to_owned(), "~".to_owned()));
    }

    #[test]
    fn lines_break_at_spaces_and_never_get_wider() {
        assert_eq!(wrap("one two three", 7, 9), ["one two", "three"]);
        assert_eq!(wrap("a  b\n\nc", 9, 9), ["a  b", "", "c"]);
        assert_eq!(wrap("abcdefgh", 3, 9), ["abc", "def", "gh"]);
        assert_eq!(wrap("予約予", 3, 9), ["予", "約", "予"]);
        assert_eq!(wrap("aaaa", 1, 2), ["a", "a"]);
        assert!(wrap("x", 0, 9).is_empty());
    }
}
