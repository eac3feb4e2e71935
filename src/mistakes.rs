//! What is wrong with a TOML file that a person wrote: all of it at once, each mistake with its line and its cure.

use crate::failure::nearest;
use std::fmt;
use std::ops::Range;
use toml::de::DeTable;

/// A mistake and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Counted from 1; 0 when it is about no line.
    pub line: usize,
    pub sentence: String,
}

impl Mistake {
    pub fn of_file(sentence: impl Into<String>) -> Self {
        Self { line: 0, sentence: sentence.into() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}", self.sentence),
            line => write!(f, "line {line}: {}", self.sentence),
        }
    }
}

/// Collects what is wrong with a text while it is read.
#[derive(Clone, Debug)]
pub struct Mistakes<'t> {
    text: &'t str,
    found: Vec<Mistake>,
    /// Where the text stops being TOML: what was read of the rest is a guess, and its mistakes are not the person's.
    sound_until: Option<usize>,
}

impl<'t> Mistakes<'t> {
    pub fn of(text: &'t str) -> Self {
        Self { text, found: Vec::new(), sound_until: None }
    }

    /// The text as TOML; the first that is broken in it is noted, and the mistakes before the statement that it is in.
    pub fn parse(&mut self) -> DeTable<'t> {
        let (table, broken) = DeTable::parse_recoverable(self.text);
        let place = |error: &toml::de::Error| error.span().map_or(0, |span| span.start);
        if let Some(error) = broken.iter().min_by_key(|error| place(error)) {
            let first = error.message().lines().next().unwrap_or_default();
            self.note(error.span().unwrap_or(0..0), format!("this is no TOML: {first}"));
            self.sound_until = Some(last_key(table.get_ref(), place(error)).unwrap_or(0));
        }
        table.into_inner()
    }

    /// Notes a mistake at this place of the text.
    pub fn note(&mut self, span: Range<usize>, sentence: impl Into<String>) {
        let line = self.text.bytes().take(span.start).filter(|b| *b == b'\n').count() + 1;
        if self.sound_until.is_none_or(|until| span.start < until) {
            self.found.push(Mistake { line, sentence: printable(&sentence.into()) });
        }
    }

    /// Notes a word that is none of those that may stand there.
    pub fn note_unknown(&mut self, span: Range<usize>, word: &str, known: &[&str]) {
        self.note(span, unknown(&format!("`{word}` is not known here"), word, known));
    }

    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub fn into_found(self) -> Vec<Mistake> {
        self.found
    }
}

/// Where the last key before this place begins.
fn last_key(table: &DeTable<'_>, before: usize) -> Option<usize> {
    let here = table.keys().map(|key| key.span().start).filter(|start| *start <= before).max();
    let deeper = table.iter().filter_map(|(_, item)| last_key(item.get_ref().as_table()?, before)).max();
    here.max(deeper)
}

/// Control characters as they are written in quotes: they would do things to the terminal.
fn printable(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        match c.is_control() {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    shown
}

/// A sentence about a word that is not known, with the one that was probably meant, or all that there are.
pub fn unknown(said: &str, word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(meant) => format!("{said}: did you mean `{meant}`?"),
        None if known.is_empty() => said.to_owned(),
        None => format!("{said}: use {}", listed(known)),
    }
}

/// `a`, `a or b`, `a, b or c`.
pub fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}
