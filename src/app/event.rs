//! Events: everything that can change the state, as plain data. Each carries the time it happened at.

use crate::actions::{CallOutcome, Plan};
use crate::app::job::PlanId;
use crate::domain::poll::{Poll, Reading};
use crate::domain::time::Timestamp;
use std::fmt;

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub at: Timestamp,
    pub what: What,
}

/// What happened. The list is closed: whatever is not here cannot change the screen.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    Key(Key),
    /// Text pasted in one piece (bracketed paste): never read as keys.
    Paste(String),
    /// The terminal has this size now, in cells.
    Resize {
        width: u16,
        height: u16,
    },
    /// A poll came back.
    Polled {
        poll: Poll,
        reading: Box<Reading>,
    },
    /// A person has agreed to this plan outside the terminal UI: `midwatch do`.
    Agreed(Plan),
    /// One call of a confirmed plan came back. `call` is its index in the plan.
    Performed {
        plan_id: PlanId,
        call: usize,
        outcome: CallOutcome,
    },
    /// Something of a plan could not be journalled; nothing was sent when `call_sent` is false.
    NotJournalled {
        plan_id: PlanId,
        sentence: String,
        call_sent: bool,
    },
    /// The contexts that were wished for cannot be watched; those of before still are.
    NotWatched {
        sentence: String,
    },
    /// The time that an [`Effect::WakeAt`](crate::app::effect::Effect::WakeAt) asked for has come.
    Wake,
}

/// A key with its modifiers, free of any terminal library's types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub code: KeyCode,
    pub ctrl: bool,
    pub alt: bool,
}

/// Which key. Shift is part of the character; shift-tab is `BackTab`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyCode {
    Char(char),
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
    PageUp,
    PageDown,
    F(u8),
}

/// The names of keys that are no characters, as chords and help write them.
const NAMED: [(KeyCode, &str); 15] = [
    (KeyCode::Enter, "enter"),
    (KeyCode::Esc, "esc"),
    (KeyCode::Tab, "tab"),
    (KeyCode::BackTab, "shift-tab"),
    (KeyCode::Backspace, "backspace"),
    (KeyCode::Delete, "delete"),
    (KeyCode::Left, "left"),
    (KeyCode::Right, "right"),
    (KeyCode::Up, "up"),
    (KeyCode::Down, "down"),
    (KeyCode::Home, "home"),
    (KeyCode::End, "end"),
    (KeyCode::PageUp, "pageup"),
    (KeyCode::PageDown, "pagedown"),
    (KeyCode::Char(' '), "space"),
];

impl Key {
    pub const fn plain(code: KeyCode) -> Self {
        Self { code, ctrl: false, alt: false }
    }

    /// Reads a chord as it is written in the command table: `j`, `G`, `ctrl-d`, `enter`, `space`, `f1`.
    pub fn parse(chord: &str) -> Result<Self, String> {
        let (ctrl, rest) = match chord.strip_prefix("ctrl-") {
            Some(rest) if !rest.is_empty() => (true, rest),
            _ => (false, chord),
        };
        let (alt, rest) = match rest.strip_prefix("alt-") {
            Some(rest) if !rest.is_empty() => (true, rest),
            _ => (false, rest),
        };
        let mut chars = rest.chars();
        let code = match (chars.next(), chars.next()) {
            (Some(one), None) => KeyCode::Char(one),
            _ => Self::named(rest).ok_or_else(|| format!("`{chord}` is no key"))?,
        };
        Ok(Self { code, ctrl, alt })
    }

    fn named(name: &str) -> Option<KeyCode> {
        if let Some((code, _)) = NAMED.iter().find(|(_, word)| *word == name) {
            return Some(*code);
        }
        let number: u8 = name.strip_prefix('f')?.parse().ok()?;
        (1..=12).contains(&number).then_some(KeyCode::F(number))
    }

    /// Reads a run of keys as tests and drills write them: characters stand for themselves, other keys are in angle
    /// brackets: `:sqs<enter>jj<ctrl-d><lt>` (`<lt>` is the character `<`).
    pub fn parse_run(run: &str) -> Result<Vec<Self>, String> {
        let mut keys = Vec::new();
        let mut rest = run;
        while let Some(first) = rest.chars().next() {
            if first == '<' {
                let end = rest.find('>').ok_or_else(|| format!("`{rest}` opens a key name and does not close it"))?;
                let name = &rest[1..end];
                keys.push(if name == "lt" { Self::plain(KeyCode::Char('<')) } else { Self::parse(name)? });
                rest = &rest[end + 1..];
            } else {
                keys.push(Self::plain(KeyCode::Char(first)));
                rest = &rest[first.len_utf8()..];
            }
        }
        Ok(keys)
    }

    /// The character that this key types into a text, if it types one.
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if !self.ctrl && !self.alt => Some(c),
            _ => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("ctrl-")?;
        }
        if self.alt {
            f.write_str("alt-")?;
        }
        match (NAMED.iter().find(|(code, _)| *code == self.code), self.code) {
            (Some((_, name)), _) => f.write_str(name),
            (None, KeyCode::Char(c)) => write!(f, "{c}"),
            (None, KeyCode::F(n)) => write!(f, "f{n}"),
            (None, _) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chords_are_read_and_written_the_same() {
        for chord in ["j", "G", ":", "-", "ctrl-d", "alt-x", "enter", "shift-tab", "space", "f1", "f12"] {
            assert_eq!(Key::parse(chord).unwrap().to_string(), chord);
        }
        for wrong in ["", "f13", "ctrl-", "entre"] {
            assert!(Key::parse(wrong).is_err(), "{wrong} is no key");
        }
    }

    #[test]
    fn runs_of_keys_mix_characters_and_names() {
        let run = Key::parse_run(":sqs<enter>a<lt><ctrl-d>").unwrap();
        let text: Vec<String> = run.iter().map(Key::to_string).collect();
        assert_eq!(text, [":", "s", "q", "s", "enter", "a", "<", "ctrl-d"]);
        assert!(Key::parse_run("<enter").is_err());
    }
}
