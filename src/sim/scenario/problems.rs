//! What is wrong with a scenario's text, with the lines where to look.

use super::file::ScenarioError;

/// Collects everything that is wrong, so that it is reported at once.
pub struct Problems<'a> {
    text: &'a str,
    found: Vec<String>,
}

impl<'a> Problems<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, found: Vec::new() }
    }

    /// Something about the file as a whole.
    pub fn of_file(&mut self, message: String) {
        self.found.push(message);
    }

    /// Something about a table, such as the third `[[queue]]` (index 2).
    pub fn of(&mut self, table: &str, index: usize, message: String) {
        let header = format!("[[{table}]]");
        let mut lines = self.text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with(&header));
        self.found.push(match lines.nth(index) {
            Some((line, _)) => format!("line {}: {message}", line + 1),
            // Tables may also be written inline; those have no line of their own.
            None => message,
        });
    }

    pub fn into_result(self) -> Result<(), ScenarioError> {
        if self.found.is_empty() { Ok(()) } else { Err(ScenarioError(self.found)) }
    }
}
