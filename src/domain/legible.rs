//! Text that a person can trust their eyes with: the one sanitiser that every string of AWS, of users and of our own goes
//! through on its way to a screen.
//!
//! A queue's message or a function's log may hold anything: terminal escapes, direction overrides that make a name
//! read as another one, characters of no width that hide. What is shown is always a visible character of one or two
//! columns.

use unicode_width::UnicodeWidthChar;

/// What a character becomes on the screen, and how many columns it takes (1 or 2); `None`: it is left out.
pub fn shown(c: char, ascii: bool, replaced: char) -> Option<(char, u16)> {
    match c {
        ' '..='~' => Some((c, 1)),
        '\t' => Some((' ', 1)),
        c if is_deceptive(c) => Some((replaced, 1)),
        c => match c.width() {
            Some(0) => None,
            Some(1 | 2) if ascii => Some(('?', 1)),
            Some(1) => Some((c, 1)),
            Some(2) => Some((c, 2)),
            _ => Some((replaced, 1)),
        },
    }
}

/// Controls, and what changes the direction or the joining of the text around it: never drawn, and never silently gone.
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{180E}' | '\u{3164}' | '\u{FFA0}'
            | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E007F}')
}

/// A text on one line, as it is shown.
pub fn cleaned(text: &str, replaced: char) -> String {
    text.chars().filter_map(|c| shown(c, false, replaced)).map(|(c, _)| c).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(text: &str) -> String {
        cleaned(text, '\u{FFFD}')
    }

    #[test]
    fn nothing_that_acts_on_a_terminal_or_deceives_an_eye_gets_through() {
        assert_eq!(clean("a\u{1b}[31mred"), "a\u{FFFD}[31mred");
        assert_eq!(clean("gpj.\u{202e}exe"), "gpj.\u{FFFD}exe");
        assert_eq!(clean("or\u{200b}ders"), "or\u{FFFD}ders");
        assert_eq!(clean("a\tb\u{9b}c\u{7f}"), "a b\u{FFFD}c\u{FFFD}");
        assert_eq!(clean("e\u{301}"), "e");
    }

    #[test]
    fn every_character_takes_one_or_two_columns_or_is_left_out() {
        for code in 0..=0x10FFFFu32 {
            let Some(c) = char::from_u32(code) else { continue };
            for ascii in [false, true] {
                if let Some((shown, width)) = shown(c, ascii, '?') {
                    assert_eq!(shown.width(), Some(usize::from(width)), "U+{code:04X}");
                    assert!(!ascii || shown.is_ascii(), "U+{code:04X}");
                }
            }
        }
    }
}
