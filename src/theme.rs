//! What colours and signs mean: semantic roles from `themes/*.toml`, fitted once to what the terminal can show.
//! Views ask for a role or a glyph; no other file names a colour.

mod glyphs;
mod read;

pub use glyphs::{GlyphSet, Glyphs};

use crate::domain::row::Health;
use crate::mistakes::Mistake;
use ratatui::style::{Color, Modifier, Style};

/// What a piece of the screen means. The word is the key under `[roles]` in a theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The whole screen's ground and ink; every other role lies on it.
    Base,
    Text,
    Dim,
    /// Names and numbers that a reader looks for.
    Strong,
    Accent,
    /// The header line and other bars.
    Bar,
    Border,
    /// The border and title of what takes the keys.
    Focus,
    Selection,
    /// Heads of columns and sections.
    Header,
    Ok,
    Warn,
    Crit,
    Unknown,
    /// Values older than they should be.
    Stale,
    /// A key that can be pressed.
    Key,
    /// Text that is being typed.
    Input,
    /// What a search found.
    Match,
    /// Something that a reader must not overlook: paused, read-only refused, a failed action.
    Notice,
    Series1,
    Series2,
    Series3,
    Series4,
    Series5,
    Series6,
}

impl Role {
    pub const ALL: [Self; 25] = [
        Self::Base,
        Self::Text,
        Self::Dim,
        Self::Strong,
        Self::Accent,
        Self::Bar,
        Self::Border,
        Self::Focus,
        Self::Selection,
        Self::Header,
        Self::Ok,
        Self::Warn,
        Self::Crit,
        Self::Unknown,
        Self::Stale,
        Self::Key,
        Self::Input,
        Self::Match,
        Self::Notice,
        Self::Series1,
        Self::Series2,
        Self::Series3,
        Self::Series4,
        Self::Series5,
        Self::Series6,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Text => "text",
            Self::Dim => "dim",
            Self::Strong => "strong",
            Self::Accent => "accent",
            Self::Bar => "bar",
            Self::Border => "border",
            Self::Focus => "focus",
            Self::Selection => "selection",
            Self::Header => "header",
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Crit => "crit",
            Self::Unknown => "unknown",
            Self::Stale => "stale",
            Self::Key => "key",
            Self::Input => "input",
            Self::Match => "match",
            Self::Notice => "notice",
            Self::Series1 => "series1",
            Self::Series2 => "series2",
            Self::Series3 => "series3",
            Self::Series4 => "series4",
            Self::Series5 => "series5",
            Self::Series6 => "series6",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }

    /// The role of the `n`th line of a chart, counted from 0.
    pub const fn series(n: usize) -> Self {
        match n % 6 {
            0 => Self::Series1,
            1 => Self::Series2,
            2 => Self::Series3,
            3 => Self::Series4,
            4 => Self::Series5,
            _ => Self::Series6,
        }
    }

    pub const fn health(health: Health) -> Self {
        match health {
            Health::Ok => Self::Ok,
            Health::Unknown => Self::Unknown,
            Health::Warn => Self::Warn,
            Health::Crit => Self::Crit,
        }
    }
}

/// How many colours the terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// None at all: bold, underline and reverse carry the meaning.
    None,
    Ansi16,
    Ansi256,
    TrueColor,
}

impl Depth {
    /// Decides from the values of `COLORTERM`, `TERM` and `NO_COLOR` (<https://no-color.org>: any non-empty value).
    pub fn decide(colorterm: Option<&str>, term: Option<&str>, no_color: Option<&str>) -> Self {
        let term = term.unwrap_or_default();
        if no_color.is_some_and(|value| !value.is_empty()) || term.is_empty() || term == "dumb" {
            return Self::None;
        }
        if matches!(colorterm, Some("truecolor" | "24bit")) || term.ends_with("-direct") {
            return Self::TrueColor;
        }
        if term.contains("256color") {
            return Self::Ansi256;
        }
        Self::Ansi16
    }
}

/// A theme as one terminal shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Theme {
    styles: [Style; Role::ALL.len()],
    pub depth: Depth,
    pub glyphs: Glyphs,
}

/// The themes inside the program, by name.
pub const BUILT_IN: [(&str, &str); 2] =
    [("night", include_str!("../themes/night.toml")), ("day", include_str!("../themes/day.toml"))];

impl Theme {
    /// A theme of [`BUILT_IN`]; the error names those that there are.
    pub fn built_in(name: &str, depth: Depth, glyphs: Glyphs) -> Result<Self, Vec<Mistake>> {
        match BUILT_IN.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => Self::from_toml(text, depth, glyphs),
            None => {
                let known = BUILT_IN.map(|(name, _)| name).join(", ");
                let sentence = format!("there is no theme `{name}`: use one of {known}, or the path of a .toml file");
                Err(vec![Mistake::of_file(sentence)])
            }
        }
    }

    /// Reads a theme's text. Every mistake in it is reported, not only the first.
    pub fn from_toml(text: &str, depth: Depth, glyphs: Glyphs) -> Result<Self, Vec<Mistake>> {
        let looks = read::looks(text)?;
        Ok(Self { styles: looks.map(|look| look.style(depth)), depth, glyphs })
    }

    pub fn style(&self, role: Role) -> Style {
        self.styles[role as usize]
    }

    pub fn health(&self, health: Health) -> Style {
        self.style(Role::health(health))
    }

    /// The signs of this terminal.
    pub fn glyph(&self) -> &'static GlyphSet {
        self.glyphs.set()
    }
}

/// What a theme says of a role, before it is fitted to a terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Look {
    fg: Option<Paint>,
    bg: Option<Paint>,
    modifiers: Modifier,
    /// Whether the role lies on top of others (all but the ground itself): without colour its ground is shown reversed.
    raised: bool,
}

impl Look {
    fn style(self, depth: Depth) -> Style {
        let mut style = Style::new().add_modifier(self.modifiers);
        if depth == Depth::None {
            if self.raised && self.bg.is_some() {
                style = style.add_modifier(Modifier::REVERSED);
            }
            return style;
        }
        if let Some(paint) = self.fg {
            style = style.fg(paint.at(depth));
        }
        if let Some(paint) = self.bg {
            style = style.bg(paint.at(depth));
        }
        style
    }
}

/// A colour with what stands for it where only 16 are shown.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Paint {
    full: Color,
    ansi: Option<Color>,
}

impl Paint {
    fn at(self, depth: Depth) -> Color {
        match (depth, self.full) {
            (Depth::TrueColor, color) => color,
            (Depth::Ansi256, Color::Rgb(r, g, b)) => Color::Indexed(nearest_256(r, g, b)),
            (Depth::Ansi256, color) => color,
            (_, color) => self.ansi.unwrap_or_else(|| nearest_16(color)),
        }
    }
}

/// The nearest of xterm's colour cube (16–231) and grey ramp (232–255).
fn nearest_256(r: u8, g: u8, b: u8) -> u8 {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let step = |c: u8| (0..6).min_by_key(|i| STEPS[*i].abs_diff(c)).unwrap_or(0);
    let (ri, gi, bi) = (step(r), step(g), step(b));
    let cube = (STEPS[ri], STEPS[gi], STEPS[bi]);
    let mean = (u16::from(r) + u16::from(g) + u16::from(b)) / 3;
    let grey_index = (mean.saturating_sub(3) / 10).min(23) as u8;
    let grey = 8 + 10 * grey_index;
    if distance((r, g, b), (grey, grey, grey)) < distance((r, g, b), cube) {
        232 + grey_index
    } else {
        16 + (36 * ri + 6 * gi + bi) as u8
    }
}

const ANSI: [(Color, (u8, u8, u8)); 16] = [
    (Color::Black, (0, 0, 0)),
    (Color::Red, (205, 0, 0)),
    (Color::Green, (0, 205, 0)),
    (Color::Yellow, (205, 205, 0)),
    (Color::Blue, (0, 0, 238)),
    (Color::Magenta, (205, 0, 205)),
    (Color::Cyan, (0, 205, 205)),
    (Color::Gray, (229, 229, 229)),
    (Color::DarkGray, (127, 127, 127)),
    (Color::LightRed, (255, 0, 0)),
    (Color::LightGreen, (0, 255, 0)),
    (Color::LightYellow, (255, 255, 0)),
    (Color::LightBlue, (92, 92, 255)),
    (Color::LightMagenta, (255, 0, 255)),
    (Color::LightCyan, (0, 255, 255)),
    (Color::White, (255, 255, 255)),
];

fn nearest_16(color: Color) -> Color {
    match color {
        Color::Rgb(r, g, b) => {
            ANSI.iter().min_by_key(|(_, rgb)| distance((r, g, b), *rgb)).map_or(Color::Reset, |(color, _)| *color)
        }
        Color::Indexed(n) => ANSI.get(usize::from(n)).map_or(Color::Reset, |(color, _)| *color),
        named => named,
    }
}

fn distance(a: (u8, u8, u8), b: (u8, u8, u8)) -> u32 {
    let square = |x: u8, y: u8| u32::from(x.abs_diff(y)).pow(2);
    square(a.0, b.0) + square(a.1, b.1) + square(a.2, b.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_built_in_themes_say_every_role_at_every_depth() {
        for (name, _) in BUILT_IN {
            for depth in [Depth::None, Depth::Ansi16, Depth::Ansi256, Depth::TrueColor] {
                let theme = Theme::built_in(name, depth, Glyphs::Braille).unwrap();
                for role in Role::ALL {
                    let style = theme.style(role);
                    let colourless = style.fg.is_none() && style.bg.is_none();
                    assert_eq!(colourless, depth == Depth::None, "{name} {} at {depth:?}", role.word());
                }
            }
        }
    }

    #[test]
    fn depth_follows_the_terminal_and_no_color_wins() {
        let cases = [
            ((Some("truecolor"), Some("xterm-256color"), None), Depth::TrueColor),
            ((None, Some("xterm-256color"), None), Depth::Ansi256),
            ((None, Some("linux"), None), Depth::Ansi16),
            ((None, Some("vt100"), None), Depth::Ansi16),
            ((Some("truecolor"), Some("xterm"), Some("1")), Depth::None),
            ((None, Some("xterm"), Some("")), Depth::Ansi16),
            ((Some("truecolor"), Some("dumb"), None), Depth::None),
            ((None, None, None), Depth::None),
        ];
        for ((colorterm, term, no_color), depth) in cases {
            assert_eq!(Depth::decide(colorterm, term, no_color), depth, "{colorterm:?} {term:?} {no_color:?}");
        }
    }

    #[test]
    fn colours_degrade_to_their_neighbours() {
        assert_eq!(nearest_256(255, 0, 0), 196);
        assert_eq!(nearest_256(8, 8, 8), 232);
        assert_eq!(nearest_256(0x12, 0x15, 0x1c), 233);
        assert_eq!(nearest_16(Color::Rgb(250, 5, 5)), Color::LightRed);
        let paint = Paint { full: Color::Rgb(1, 2, 3), ansi: Some(Color::Blue) };
        assert_eq!(paint.at(Depth::Ansi16), Color::Blue);
        assert_eq!(paint.at(Depth::TrueColor), Color::Rgb(1, 2, 3));
    }

    #[test]
    fn without_colour_what_lies_on_top_is_reversed() {
        let theme = Theme::built_in("night", Depth::None, Glyphs::Ascii).unwrap();
        assert!(theme.style(Role::Selection).add_modifier.contains(Modifier::REVERSED));
        assert!(!theme.style(Role::Base).add_modifier.contains(Modifier::REVERSED));
        assert!(theme.style(Role::Crit).add_modifier.contains(Modifier::BOLD));
    }
}
