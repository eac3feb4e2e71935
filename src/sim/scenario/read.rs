//! Reads a scenario's text into its tables: what is not TOML, not a member, or not of a member's kind is named with its
//! line, in the words of the file and all at once.

use super::file::{Scenario, ScenarioError};
use crate::failure::nearest;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, Deserializer, Error};

/// After so many mistakes the rest of a file is not looked at.
const MISTAKES_MAX: usize = 50;

/// What could be read.
pub struct Read {
    /// Without the tables that could not be.
    pub scenario: Scenario,
    pub mistakes: Vec<String>,
    /// Whether tables are missing, so that who names one is not wrong.
    pub lacks_tables: bool,
}

/// Reads the text without looking at whether its names are names of something. Errors: it is no TOML.
pub fn read(text: &str) -> Result<Read, ScenarioError> {
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let lines = errors.iter().take(MISTAKES_MAX).map(|error| match error.span() {
            Some(span) => format!("line {}: this is no TOML: {}", line_of(text, span.start), error.message()),
            None => format!("this is no TOML: {}", error.message()),
        });
        return Err(ScenarioError(lines.collect()));
    }
    let starts = document.get_ref().iter().map(|(key, value)| {
        let tables = value.get_ref().as_array().into_iter().flat_map(|tables| tables.iter());
        (key.get_ref().to_string(), tables.map(|table| table.span().start).collect())
    });
    let (starts, taken) = (starts.collect(), BTreeSet::new());
    let mut reader = Reader { text, document, mistakes: Vec::new(), starts, taken, lacks_tables: false };
    for _ in 0..MISTAKES_MAX {
        match Scenario::deserialize(Deserializer::from(reader.document.clone())) {
            Ok(scenario) => {
                let lacks_tables = reader.lacks_tables;
                return Ok(Read { scenario, mistakes: reader.in_order(), lacks_tables });
            }
            Err(error) if reader.take_out(&error) => {}
            Err(error) => {
                reader.mistakes.push((0, error.message().to_owned()));
                break;
            }
        }
    }
    Err(ScenarioError(reader.in_order()))
}

/// The line (from 1) of a place in a text.
pub fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// Takes out of a document what cannot be read, so that the rest can.
struct Reader<'a> {
    text: &'a str,
    document: Spanned<DeTable<'a>>,
    /// By their lines.
    mistakes: Vec<(usize, String)>,
    /// Where the file's tables begin, by their names.
    starts: BTreeMap<String, Vec<usize>>,
    /// Members that were taken out, by where their tables begin.
    taken: BTreeSet<(usize, String)>,
    lacks_tables: bool,
}

/// Where a mistake is.
enum Place {
    /// Of the whole file.
    Top {
        key: String,
    },
    /// A table, such as the second `[[fault]]` (index 1).
    Table {
        key: String,
        index: usize,
    },
    Member {
        key: String,
        index: usize,
        member: String,
    },
}

impl Reader<'_> {
    /// What was found, from the first line to the last.
    fn in_order(mut self) -> Vec<String> {
        self.mistakes.sort();
        self.mistakes.into_iter().map(|(_, mistake)| mistake).collect()
    }

    /// Notes the mistake. False where nothing can be taken out for it.
    fn take_out(&mut self, error: &Error) -> bool {
        let Some(span) = error.span() else { return false };
        let Some(place) = self.place(&span) else { return false };
        let line = line_of(self.text, span.start);
        let root = self.document.get_mut();
        let starts = &self.starts;
        let wrong = in_plain_words(error.message());
        let number =
            |start: usize| 1 + starts.values().flat_map(|all| all.iter().position(|at| *at == start)).sum::<usize>();
        match place {
            Place::Top { key } => {
                self.mistakes.push((line, format!("line {line}: {key}: {wrong}")));
                self.lacks_tables = true;
                root.remove(key.as_str());
            }
            Place::Table { key, index } => {
                let DeValue::Array(tables) = root[key.as_str()].get_mut() else { return false };
                let start = tables[index].span().start;
                let missing = error.message().strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
                // A member that was taken out has had its line.
                if missing.is_none_or(|name| !self.taken.contains(&(start, name.to_owned()))) {
                    self.mistakes.push((line, format!("line {line}: {key} {}: {wrong}", number(start))));
                }
                self.lacks_tables = true;
                let all = std::mem::replace(tables, DeArray::new()).into_iter().enumerate();
                *tables = all.filter(|(number, _)| *number != index).map(|(_, table)| table).collect();
            }
            Place::Member { key, index, member } => {
                let DeValue::Array(tables) = root[key.as_str()].get_mut() else { return false };
                let start = tables[index].span().start;
                let Some(DeValue::Table(table)) = tables.get_mut(index).map(Spanned::get_mut) else { return false };
                self.mistakes.push((line, format!("line {line}: {key} {}: {member}: {wrong}", number(start))));
                table.remove(member.as_str());
                self.taken.insert((start, member));
                self.taken.extend(meant(error.message()).map(|meant| (start, meant)));
            }
        }
        true
    }

    fn place(&self, span: &Range<usize>) -> Option<Place> {
        let holds = |outer: Range<usize>| outer.start <= span.start && span.end <= outer.end;
        for (key, value) in self.document.get_ref() {
            let name = key.get_ref().to_string();
            // The name of a list of tables stands inside the first of them.
            if holds(key.span()) {
                return Some(Place::Top { key: name });
            }
            if let DeValue::Array(tables) = value.get_ref() {
                for (index, table) in tables.iter().enumerate() {
                    let members = table.get_ref().as_table().into_iter().flatten();
                    for (member, value) in members {
                        if holds(member.span()) || holds(value.span()) {
                            let member = member.get_ref().to_string();
                            return Some(Place::Member { key: name, index, member });
                        }
                    }
                    if holds(table.span()) {
                        return Some(Place::Table { key: name, index });
                    }
                }
            }
            if holds(value.span()) {
                return Some(Place::Top { key: name });
            }
        }
        None
    }
}

/// The member that a misspelt one was meant to be.
fn meant(message: &str) -> Option<String> {
    let mut words = message.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2);
    let wrong = words.next()?;
    nearest(wrong, words).map(str::to_owned)
}

/// What the reader says, for one who writes files and no programs.
fn in_plain_words(message: &str) -> String {
    let quoted = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    if let Some(rest) = message.strip_prefix("missing field ") {
        return format!("needs {}", rest.trim_matches('`'));
    }
    for (start, what) in [("unknown field ", "no such member"), ("unknown variant ", "no such word")] {
        if message.starts_with(start) {
            let mut words = quoted(message).into_iter();
            let wrong = words.next().unwrap_or_default();
            let known: Vec<String> = words.collect();
            let meant = nearest(&wrong, known.iter().map(String::as_str));
            return match meant {
                Some(meant) => format!("there is {what} as `{wrong}`: did you mean `{meant}`?"),
                None => format!("there is {what} as `{wrong}`: it may be {}", known.join(", ")),
            };
        }
    }
    let of_a_kind = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    if let Some((found, wanted)) = of_a_kind.and_then(|rest| rest.rsplit_once(", expected ")) {
        return format!("must be {}, not {}", kind_wanted(wanted), kind_found(found));
    }
    message.to_owned()
}

fn kind_wanted(wanted: &str) -> &str {
    match wanted {
        "f64" | "f32" => "a number",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i32" | "i64" => "a whole number",
        "a boolean" => "true or false",
        "a string" => "text in quotes",
        "a sequence" => "a list, as [\"…\"]",
        "a map" => "a table of names and values",
        _ if wanted.starts_with("struct ") => "a table, as { … }",
        _ if wanted.contains("enum ") => "one of its words in quotes",
        _ => "something else",
    }
}

fn kind_found(found: &str) -> String {
    let (kind, value) = found.split_once(' ').unwrap_or((found, ""));
    match kind {
        "string" => format!("the text {value}"),
        "integer" | "boolean" => value.trim_matches('`').to_owned(),
        "floating" => value.trim_start_matches("point ").trim_matches('`').to_owned(),
        "sequence" => "a list".to_owned(),
        "map" => "a table".to_owned(),
        _ => "this".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> Vec<String> {
        match read(text) {
            Ok(read) => read.mistakes,
            Err(ScenarioError(errors)) => errors,
        }
    }

    #[test]
    fn each_mistake_has_the_line_of_its_member_and_plain_words() {
        let text = "warmup = \"1h\"\n\
                    [[queue]]\nnmae = \"orders\"\n\
                    [[worker]]\nname = \"packers\"\nqueue = \"orders\"\nconcurrency = -3\n\
                    service = { p50_ms = \"fast\", p99_ms = 9.0 }\n\
                    [[fault]]\nkind = \"surg\"\ntarget = \"shop\"\n\
                    [[fault]]\nkind = \"surge\"\ntarget = [\"shop\"]\nat = \"soon\"\noperations = \"SendMessage\"\n\
                    [[topic]]\n";
        assert_eq!(
            mistakes(text),
            [
                "line 1: warmup: there is no such member as `warmup`: did you mean `warm_up`?",
                "line 3: queue 1: nmae: there is no such member as `nmae`: did you mean `name`?",
                "line 7: worker 1: concurrency: must be a whole number, 0 or more, not -3",
                "line 8: worker 1: service: must be a number, not the text \"fast\"",
                "line 10: fault 1: kind: there is no such word as `surg`: did you mean `surge`?",
                "line 14: fault 2: target: must be text in quotes, not a list",
                "line 15: fault 2: at: `soon` is no duration: write 90s, 10m, 24h, 4d or 1h30m",
                "line 16: fault 2: operations: must be a list, as [\"…\"], not the text \"SendMessage\"",
                "line 17: topic 1: needs name",
            ]
        );
    }

    #[test]
    fn a_misspelt_table_is_named_once_however_often_it_stands_there() {
        let text = "[[faults]]\nkind = \"stop\"\n[[queue]]\nname = \"q\"\n[[faults]]\nkind = \"stop\"\n";
        let once = "line 1: faults: there is no such member as `faults`: did you mean `fault`?";
        assert_eq!(mistakes(text), [once]);
    }

    #[test]
    fn what_is_no_toml_is_named_by_its_lines() {
        let found = mistakes("[[queue]\nname = \"a\"\n[[queue]]\nname = \n");
        assert!(found.len() >= 2 && found[0].starts_with("line 1: this is no TOML: "), "{found:?}");
        assert!(found.iter().any(|line| line.starts_with("line 4: ")), "{found:?}");
    }
}
