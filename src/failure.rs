//! A failure that ends the program: one sentence with its cure, and the exit code. Anything less is a problem on screen.

use std::fmt;

/// What to say at the end, where, and how to exit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What happened and what to do about it.
    pub sentence: String,
    /// The process's exit code; 0 when the text was asked for (help, version) and goes to the standard output.
    pub exit: u8,
}

impl Failure {
    /// Exits with 1.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), exit: 1 }
    }

    /// No failure at all: text that was asked for.
    pub fn wanted(text: impl Into<String>) -> Self {
        Self { sentence: text.into(), exit: 0 }
    }

    pub fn with_exit(mut self, exit: u8) -> Self {
        self.exit = exit;
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Failure {}

/// The known word that `word` was probably meant to be: at most a third of its letters (and at least two) are wrong.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(2);
    known
        .into_iter()
        .map(|candidate| (edits(word, candidate), candidate))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= limit)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance in characters.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (row, x) in a.chars().enumerate() {
        let mut line = vec![row + 1];
        for (column, y) in b.iter().enumerate() {
            let swapped = above[column] + usize::from(x != *y);
            line.push(swapped.min(above[column + 1] + 1).min(line[column] + 1));
        }
        above = line;
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_finds_its_word() {
        let known = ["flash-sale", "quiet-night"];
        assert_eq!(nearest("flashsale", known), Some("flash-sale"));
        assert_eq!(nearest("flash-slae", known), Some("flash-sale"));
        assert_eq!(nearest("thunder", known), None);
    }
}
