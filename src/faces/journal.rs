//! `midwatch journal`: lists, verifies and exports what was done.

use crate::cli::{JournalArgs, JournalWhat};
use crate::config::{Settings, Source};
use crate::domain::counted::counted_all;
use crate::faces::say;
use crate::failure::Failure;
use crate::journal::{self, Chain, Entry};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Exit code of `verify` for a chain that is broken, or holds a line that was cut off.
const BROKEN: u8 = 1;

pub fn run(arguments: &JournalArgs, settings: &Settings) -> Result<u8, Failure> {
    let path = path(settings)?;
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && settings.journal().is_none() => String::new(),
        Err(error) => return Err(Failure::new(format!("The journal {} cannot be read: {error}", path.display()))),
    };
    let chain = journal::check(&text);
    match arguments.what.unwrap_or(JournalWhat::List) {
        JournalWhat::List => list(&chain, settings).map(|()| 0),
        JournalWhat::Export => export(&chain).map(|()| 0),
        JournalWhat::Verify => verify(&chain, &path),
    }
}

/// Where this run's journal lies.
pub fn path(settings: &Settings) -> Result<PathBuf, Failure> {
    settings.journal().map(Path::to_owned).or_else(|| journal::default_path(&settings.source)).ok_or_else(|| {
        Failure::new("There is no home folder for the journal: set HOME or XDG_STATE_HOME, or give --journal FILE.")
    })
}

fn list(chain: &Chain, settings: &Settings) -> Result<(), Failure> {
    if chain.entries.is_empty() {
        let is_live = matches!(settings.source, Source::Live(_)) && settings.journal().is_none();
        let demo = if is_live { " What was done in the demo: midwatch journal --demo" } else { "" };
        return say(&format!("Nothing has been done yet.{demo}\n"));
    }
    say(&chain.entries.iter().map(|entry| line(entry) + "\n").collect::<String>())?;
    match &chain.broken {
        Some((number, _)) => say(&format!("Line {number} breaks the chain: see `midwatch journal verify`.\n")),
        None => Ok(()),
    }
}

/// `    3  2026-11-27T18:04:11Z  outcome of 2: accepted`
fn line(entry: &Entry) -> String {
    let value = &entry.value;
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or("?").to_owned();
    let intent = value.get("intent").and_then(Value::as_u64).unwrap_or(0);
    let said = match value.get("what").and_then(Value::as_str) {
        Some("intent") => {
            let who = value.pointer("/who/principal").and_then(Value::as_str).unwrap_or("unknown principal");
            let preview = value.pointer("/preview/0").and_then(Value::as_str).unwrap_or("");
            format!("{} {} by {who}: {preview}", text("action"), text("resource"))
        }
        Some("outcome") => {
            let outcomes = value.get("outcomes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let said: Vec<String> = outcomes.iter().map(outcome).collect();
            format!("outcome of {intent}: {}", said.join("; "))
        }
        Some("end") => format!("end of {intent}: {}. {}", text("end"), text("sentence")),
        _ => "an entry of another version".to_owned(),
    };
    format!("{:>5}  {}  {said}", entry.seq, text("at"))
}

fn outcome(outcome: &Value) -> String {
    let text = |name: &str| outcome.get(name).and_then(Value::as_str);
    match text("class") {
        Some("failed") => format!("failed: {}", text("sentence").unwrap_or("?")),
        Some("answered") => match text("function_error") {
            Some(error) => format!("answered with a function error ({error})"),
            None => "answered".to_owned(),
        },
        Some(class) => class.to_owned(),
        None => "?".to_owned(),
    }
}

fn export(chain: &Chain) -> Result<(), Failure> {
    let values: Vec<&Value> = chain.entries.iter().map(|entry| &entry.value).collect();
    let text = serde_json::to_string_pretty(&values).map_err(|error| Failure::new(error.to_string()))?;
    say(&(text + "\n"))
}

fn verify(chain: &Chain, path: &Path) -> Result<u8, Failure> {
    for number in &chain.torn {
        say(&format!("Line {number} was cut off, as by a crash while it was written; the chain goes on around it.\n"))?;
    }
    let count = counted_all(chain.entries.len(), "entry");
    match &chain.broken {
        None => {
            say(&format!("{}: {count}, the chain is whole.\n", path.display()))?;
            Ok(if chain.torn.is_empty() { 0 } else { BROKEN })
        }
        Some((number, why)) => {
            say(&format!("{}: line {number} breaks the chain: {why}.\n", path.display()))?;
            Ok(BROKEN)
        }
    }
}
