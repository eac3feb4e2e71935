//! Reads a theme's TOML: a palette, roles, and what it inherits. All mistakes are told at once, with their lines.

use super::{BUILT_IN, Look, Paint, Role};
use crate::mistakes::{Mistake, Mistakes, unknown};
use ratatui::style::{Color, Modifier};
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;
use toml::de::DeValue;

type Looks = [Look; Role::ALL.len()];

/// How every role looks by this text.
pub(super) fn looks(text: &str) -> Result<Looks, Vec<Mistake>> {
    let mut reader = Reader { mistakes: Mistakes::of(text), palette: BTreeMap::new(), looks: BTreeMap::new() };
    reader.read(true);
    let Reader { mistakes, looks, .. } = reader;
    let mut errors = mistakes.into_found();
    if let Some(role) = Role::ALL.into_iter().find(|role| errors.is_empty() && !looks.contains_key(role.word())) {
        let word = role.word();
        let sentence = format!("the role `{word}` is not said; `inherits = \"night\"` would give it");
        errors.push(Mistake::of_file(sentence));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(Role::ALL.map(|role| {
        let look = looks.get(role.word()).copied().unwrap_or_default();
        Look { raised: role != Role::Base, ..look }
    }))
}

struct Reader<'t> {
    mistakes: Mistakes<'t>,
    palette: BTreeMap<String, Paint>,
    looks: BTreeMap<&'static str, Look>,
}

impl Reader<'_> {
    fn fail(&mut self, span: Range<usize>, sentence: String) {
        self.mistakes.note(span, sentence);
    }

    /// Takes over what the text says. Only the theme asked for may inherit: built-in themes stand alone.
    fn read(&mut self, may_inherit: bool) {
        let table = self.mistakes.parse();
        for (key, value) in &table {
            match key.get_ref().as_ref() {
                "palette" => self.palette_table(value),
                // Read below, in this order: a colour changed in this palette changes inherited roles too.
                "inherits" | "roles" => {}
                other => self.mistakes.note_unknown(key.span(), other, &["inherits", "palette", "roles"]),
            }
        }
        if let Some(parent) = table.get("inherits") {
            self.inherit(parent, may_inherit);
        }
        if let Some(roles) = table.get("roles") {
            self.roles_table(roles);
        }
    }

    fn inherit(&mut self, parent: &Spanned<DeValue<'_>>, may_inherit: bool) {
        let names = BUILT_IN.map(|(name, _)| name).join(" or ");
        let found = BUILT_IN.iter().find(|(name, _)| Some(*name) == parent.get_ref().as_str());
        match found {
            Some((_, text)) if may_inherit => {
                let own = std::mem::replace(&mut self.mistakes, Mistakes::of(text));
                self.read(false);
                self.mistakes = own;
            }
            _ => self.fail(parent.span(), format!("`inherits` names a built-in theme: {names}")),
        }
    }

    fn palette_table(&mut self, value: &Spanned<DeValue<'_>>) {
        let Some(table) = value.get_ref().as_table() else {
            return self.fail(value.span(), "[palette] is a table of colours".into());
        };
        for (name, value) in table {
            if let Some(paint) = self.paint(value, false) {
                self.palette.entry(name.get_ref().to_string()).or_insert(paint);
            }
        }
    }

    fn roles_table(&mut self, value: &Spanned<DeValue<'_>>) {
        let Some(table) = value.get_ref().as_table() else {
            return self.fail(value.span(), "[roles] is a table of roles".into());
        };
        for (name, value) in table {
            let Some(role) = Role::from_word(name.get_ref()) else {
                let said = format!("`{}` is no role", name.get_ref());
                self.fail(name.span(), unknown(&said, name.get_ref(), &Role::ALL.map(Role::word)));
                continue;
            };
            if let Some(look) = self.look(value) {
                self.looks.insert(role.word(), look);
            }
        }
    }

    fn look(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Look> {
        let Some(table) = value.get_ref().as_table() else {
            return self.paint(value, true).map(|paint| Look { fg: Some(paint), ..Look::default() });
        };
        let mut look = Look::default();
        for (key, value) in table {
            let flag = value.get_ref().as_bool();
            match (key.get_ref().as_ref(), flag) {
                ("fg", _) => look.fg = self.paint(value, true),
                ("bg", _) => look.bg = self.paint(value, true),
                (word, Some(on)) if modifier(word).is_some() => {
                    look.modifiers.set(modifier(word).unwrap_or_default(), on);
                }
                (word, None) if modifier(word).is_some() => {
                    self.fail(value.span(), format!("`{word}` is true or false"));
                }
                (other, _) => self.mistakes.note_unknown(key.span(), other, &LOOK_KEYS),
            }
        }
        Some(look)
    }

    /// A colour: text, or `[truecolor, 16-colour fallback]`. Names of the palette count only in roles.
    fn paint(&mut self, value: &Spanned<DeValue<'_>>, by_palette: bool) -> Option<Paint> {
        if let Some(pair) = value.get_ref().as_array() {
            let colors: Vec<Option<Color>> =
                pair.iter().map(|one| self.color(one, by_palette).map(|paint| paint.full)).collect();
            return match colors[..] {
                [Some(full), ansi @ Some(_)] => Some(Paint { full, ansi }),
                [_, _] => None,
                _ => {
                    self.fail(value.span(), "a pair is [truecolor, 16-colour fallback]".into());
                    None
                }
            };
        }
        self.color(value, by_palette)
    }

    fn color(&mut self, value: &Spanned<DeValue<'_>>, by_palette: bool) -> Option<Paint> {
        let Some(word) = value.get_ref().as_str() else {
            self.fail(value.span(), "a colour is text: \"#rrggbb\", \"208\", an ANSI name or a palette's name".into());
            return None;
        };
        if by_palette && let Some(paint) = self.palette.get(word) {
            return Some(*paint);
        }
        if let Some(full) = plain_color(word) {
            return Some(Paint { full, ansi: None });
        }
        let place = if by_palette { ", nor in [palette]" } else { "" };
        self.fail(value.span(), format!("`{word}` is no colour (\"#rrggbb\", 0-255 or an ANSI name){place}"));
        None
    }
}

const LOOK_KEYS: [&str; 7] = ["fg", "bg", "bold", "dim", "italic", "underline", "reverse"];

fn modifier(word: &str) -> Option<Modifier> {
    Some(match word {
        "bold" => Modifier::BOLD,
        "dim" => Modifier::DIM,
        "italic" => Modifier::ITALIC,
        "underline" => Modifier::UNDERLINED,
        "reverse" => Modifier::REVERSED,
        _ => return None,
    })
}

fn plain_color(word: &str) -> Option<Color> {
    if let Some(hex) = word.strip_prefix('#') {
        let number = u32::from_str_radix(hex, 16).ok().filter(|_| hex.len() == 6)?;
        return Some(Color::Rgb((number >> 16) as u8, (number >> 8) as u8, number as u8));
    }
    if let Ok(index) = word.parse::<u8>() {
        return Some(Color::Indexed(index));
    }
    Some(match word {
        "default" => Color::Reset,
        "black" => Color::Black,
        "red" => Color::Red,
        "green" => Color::Green,
        "yellow" => Color::Yellow,
        "blue" => Color::Blue,
        "magenta" => Color::Magenta,
        "cyan" => Color::Cyan,
        "white" => Color::Gray,
        "bright-black" => Color::DarkGray,
        "bright-red" => Color::LightRed,
        "bright-green" => Color::LightGreen,
        "bright-yellow" => Color::LightYellow,
        "bright-blue" => Color::LightBlue,
        "bright-magenta" => Color::LightMagenta,
        "bright-cyan" => Color::LightCyan,
        "bright-white" => Color::White,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Depth, Glyphs, Role, Theme};
    use ratatui::style::{Color, Modifier};

    fn read(text: &str) -> Result<Theme, Vec<String>> {
        Theme::from_toml(text, Depth::TrueColor, Glyphs::Braille)
            .map_err(|errors| errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_theme_may_change_a_built_in_one_in_part() {
        let text =
            "inherits = \"night\"\n[palette]\nfire = \"#ff0000\"\n[roles]\ncrit = { fg = \"fire\", reverse = true }";
        let theme = read(text).unwrap();
        assert_eq!(theme.style(Role::Crit).fg, Some(Color::Rgb(255, 0, 0)));
        assert!(theme.style(Role::Crit).add_modifier.contains(Modifier::REVERSED));
        let night = Theme::built_in("night", Depth::TrueColor, Glyphs::Braille).unwrap();
        assert_eq!(theme.style(Role::Warn), night.style(Role::Warn));
        let greener = read("inherits = \"night\"\n[palette]\ngreen = \"#00ff00\"").unwrap();
        assert_eq!(greener.style(Role::Ok).fg, Some(Color::Rgb(0, 255, 0)));
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let text = "inherits = \"night\"\nfont = 3\n[palette]\nfire = \"#ff00\"\n[roles]\nloud = \"red\"\nok = \"grren\"\nwarn = { bold = 1, blink = true }\n";
        let errors = read(text).unwrap_err();
        let starts = [
            "line 2: `font`",
            "line 4: `#ff00`",
            "line 6: `loud`",
            "line 7: `grren`",
            "line 8: `bold`",
            "line 8: `blink`",
        ];
        for start in starts {
            assert!(errors.iter().any(|error| error.starts_with(start)), "{start} is missing in {errors:#?}");
        }
        assert_eq!(errors.len(), starts.len(), "{errors:#?}");
    }

    #[test]
    fn broken_toml_and_missing_roles_are_sentences() {
        assert!(read("[roles\n").unwrap_err()[0].starts_with("line 1: "));
        assert!(read("[roles]\ntext = \"red\"").unwrap_err()[0].contains("the role `base` is not said"));
        assert!(read("inherits = \"noon\"").unwrap_err()[0].contains("night or day"));
    }
}
