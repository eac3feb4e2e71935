//! The signs that a terminal can show: braille and arrows, what the Linux console has, or ASCII alone.

use crate::domain::row::Health;

/// Which signs to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Glyphs {
    /// ASCII alone: no UTF-8, or a terminal that promises nothing.
    Ascii,
    /// Lines and half blocks, as in the Linux console's font.
    Block,
    /// Everything: braille charts, eighth blocks.
    Braille,
}

impl Glyphs {
    /// Decides from the locale (the first of `LC_ALL`, `LC_CTYPE`, `LANG` that is set) and `TERM`.
    pub fn decide(locale: Option<&str>, term: Option<&str>) -> Self {
        let locale = locale.unwrap_or_default().to_ascii_lowercase();
        let utf8 = locale.contains("utf-8") || locale.contains("utf8");
        match term.unwrap_or_default() {
            "" | "dumb" => Self::Ascii,
            _ if !utf8 => Self::Ascii,
            "linux" => Self::Block,
            _ => Self::Braille,
        }
    }

    pub const fn set(self) -> &'static GlyphSet {
        match self {
            Self::Ascii => &ASCII,
            Self::Block => &BLOCK,
            Self::Braille => &BRAILLE,
        }
    }
}

/// One sign for each purpose; every sign is one column wide.
#[derive(Debug, PartialEq, Eq)]
pub struct GlyphSet {
    pub ok: char,
    pub unknown: char,
    pub warn: char,
    pub crit: char,
    pub ellipsis: char,
    /// Stands for a character that must not reach the terminal.
    pub replaced: char,
    pub horizontal: char,
    pub vertical: char,
    /// Top left, top right, bottom left, bottom right.
    pub corners: [char; 4],
    pub ascending: char,
    pub descending: char,
    pub pointer: char,
    pub arrow: char,
    /// Between things on one line.
    pub between: char,
    /// Times, as in `×10`.
    pub times: char,
    /// From nothing measured as zero (first) to the greatest (last).
    pub spark: [char; 9],
    pub full: char,
    pub empty: char,
    /// Stands where a number is not final.
    pub open: char,
    /// More of a list above or below.
    pub more_up: char,
    pub more_down: char,
    /// Whether charts are drawn in braille dots.
    pub dots: bool,
    /// Steps of a chart's column within one cell, lowest first; the last is the full cell.
    pub column: &'static [char],
}

impl GlyphSet {
    pub const fn health(&self, health: Health) -> char {
        match health {
            Health::Ok => self.ok,
            Health::Unknown => self.unknown,
            Health::Warn => self.warn,
            Health::Crit => self.crit,
        }
    }
}

const BRAILLE: GlyphSet = GlyphSet {
    ok: '●',
    unknown: '?',
    warn: '▲',
    crit: '✖',
    ellipsis: '…',
    replaced: '�',
    horizontal: '─',
    vertical: '│',
    corners: ['╭', '╮', '╰', '╯'],
    ascending: '↑',
    descending: '↓',
    pointer: '▸',
    arrow: '→',
    between: '·',
    times: '×',
    spark: ['▁', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
    full: '█',
    empty: '░',
    open: '▒',
    more_up: '↑',
    more_down: '↓',
    dots: true,
    column: &['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
};

const BLOCK: GlyphSet = GlyphSet {
    ok: '•',
    unknown: '?',
    warn: '▲',
    crit: 'X',
    ellipsis: '~',
    replaced: '?',
    horizontal: '─',
    vertical: '│',
    corners: ['┌', '┐', '└', '┘'],
    ascending: '↑',
    descending: '↓',
    pointer: '►',
    arrow: '→',
    between: '·',
    times: 'x',
    spark: ['_', '_', '_', '▄', '▄', '▄', '█', '█', '█'],
    full: '█',
    empty: '░',
    open: '▒',
    more_up: '↑',
    more_down: '↓',
    dots: false,
    column: &['▄', '█'],
};

const ASCII: GlyphSet = GlyphSet {
    ok: 'o',
    unknown: '?',
    warn: '!',
    crit: 'X',
    ellipsis: '~',
    replaced: '?',
    horizontal: '-',
    vertical: '|',
    corners: ['+', '+', '+', '+'],
    ascending: '^',
    descending: 'v',
    pointer: '>',
    arrow: '>',
    between: '-',
    times: 'x',
    spark: ['_', '.', '.', ':', '-', '=', '+', '*', '#'],
    full: '#',
    empty: '.',
    open: '%',
    more_up: '^',
    more_down: 'v',
    dots: false,
    column: &['.', ':', '#'],
};

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthChar;

    fn every_sign(set: &GlyphSet) -> Vec<char> {
        let mut signs = vec![set.ok, set.unknown, set.warn, set.crit, set.ellipsis, set.replaced, set.horizontal];
        signs.extend([set.vertical, set.ascending, set.descending, set.pointer, set.arrow, set.between, set.times]);
        signs.extend([set.full, set.empty, set.more_up, set.more_down]);
        signs.extend(set.corners.iter().chain(&set.spark).chain(set.column));
        signs
    }

    #[test]
    fn every_sign_takes_one_column_and_ascii_is_ascii() {
        for glyphs in [Glyphs::Ascii, Glyphs::Block, Glyphs::Braille] {
            for sign in every_sign(glyphs.set()) {
                assert_eq!(sign.width(), Some(1), "{sign}");
                assert!(glyphs != Glyphs::Ascii || sign.is_ascii(), "{sign} is not ASCII");
            }
        }
    }

    #[test]
    fn severities_differ_by_sign_in_every_set() {
        for glyphs in [Glyphs::Ascii, Glyphs::Block, Glyphs::Braille] {
            let set = glyphs.set();
            let signs = [set.ok, set.unknown, set.warn, set.crit];
            for (n, sign) in signs.iter().enumerate() {
                assert!(!signs[n + 1..].contains(sign), "{glyphs:?} uses {sign} twice");
            }
        }
    }

    #[test]
    fn the_locale_and_the_terminal_decide() {
        let cases = [
            (Some("en_GB.UTF-8"), Some("xterm-256color"), Glyphs::Braille),
            (Some("C.utf8"), Some("tmux-256color"), Glyphs::Braille),
            (Some("en_GB.UTF-8"), Some("linux"), Glyphs::Block),
            (Some("C"), Some("xterm"), Glyphs::Ascii),
            (None, Some("xterm"), Glyphs::Ascii),
            (Some("en_GB.UTF-8"), Some("dumb"), Glyphs::Ascii),
        ];
        for (locale, term, glyphs) in cases {
            assert_eq!(Glyphs::decide(locale, term), glyphs, "{locale:?} {term:?}");
        }
    }
}
