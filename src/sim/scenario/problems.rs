//! What is wrong with a scenario's text, with the lines where to look.

use super::file::ScenarioError;
use super::read::line_of;
use std::cell::OnceCell;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Collects everything that is wrong, so that it is reported at once.
pub struct Problems<'a> {
    text: &'a str,
    /// The text's tables and where they are; read when the first line is asked for.
    document: OnceCell<Spanned<DeTable<'a>>>,
    found: Vec<String>,
}

impl<'a> Problems<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, document: OnceCell::new(), found: Vec::new() }
    }

    /// What reading the file has found, before anything else.
    pub fn with(text: &'a str, found: Vec<String>) -> Self {
        Self { found, ..Self::new(text) }
    }

    /// Something about the file as a whole.
    pub fn of_file(&mut self, message: String) {
        self.found.push(message);
    }

    /// Something about a table, such as the third `[[queue]]` (index 2).
    pub fn of(&mut self, table: &str, index: usize, message: String) {
        let line = self.table(table, index).map(|table| table.span().start);
        self.note(line, message);
    }

    /// Something about a member of a table; of a list, about its `nth` value (from 0). A member that is not there has
    /// its table's line.
    pub fn of_member(&mut self, (table, index): (&str, usize), member: &str, nth: Option<usize>, message: String) {
        let line = self.table(table, index).map(|table| {
            let value = table.get_ref().as_table().and_then(|table| table.get(member));
            let of_list = value.and_then(|value| value.get_ref().as_array()?.get(nth?));
            of_list.or(value).unwrap_or(table).span().start
        });
        self.note(line, message);
    }

    fn table(&self, table: &str, index: usize) -> Option<&Spanned<DeValue<'a>>> {
        let document = self.document.get_or_init(|| DeTable::parse_recoverable(self.text).0);
        document.get_ref().get(table)?.get_ref().as_array()?.get(index)
    }

    fn note(&mut self, at: Option<usize>, message: String) {
        self.found.push(match at {
            Some(at) => format!("line {}: {message}", line_of(self.text, at)),
            None => message,
        });
    }

    pub fn into_result(self) -> Result<(), ScenarioError> {
        if self.found.is_empty() { Ok(()) } else { Err(ScenarioError(self.found)) }
    }
}
