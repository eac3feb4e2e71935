//! `midwatch scenarios`: lists the built-in scenarios and checks a file; and how every face finds the scenario it plays.

use crate::cli::{ScenariosArgs, ScenariosWhat};
use crate::domain::counted::counted_all;
use crate::faces::say;
use crate::failure::{Failure, nearest};
use crate::sim::scenario::{self, Scenario};
use std::fmt::Write;
use std::path::Path;

/// Larger files are no scenarios.
const FILE_BYTES_MAX: u64 = 4 << 20;

pub fn run(arguments: &ScenariosArgs) -> Result<u8, Failure> {
    match &arguments.what {
        None => list().map(|()| 0),
        Some(ScenariosWhat::Check { file }) => {
            let scenario = from_file(file)?;
            say(&format!("{}: a good scenario, `{}`: {}.\n", file.display(), scenario.name, contents(&scenario)))?;
            Ok(0)
        }
    }
}

/// The built-in scenario of this name, or the one in this `.toml` file.
pub fn load(word: &str) -> Result<Scenario, Failure> {
    if let Some(builtin) = scenario::builtin(word) {
        return Scenario::parse(builtin.text).map_err(|error| Failure::new(format!("The scenario {word}: {error}")));
    }
    let path = Path::new(word);
    if path.extension().is_some_and(|end| end == "toml") || word.contains('/') {
        return from_file(path);
    }
    let known: Vec<&str> = scenario::BUILTIN.iter().map(|builtin| builtin.name).collect();
    let meant = nearest(word, known.iter().copied()).map_or(String::new(), |name| format!(" Did you mean {name}?"));
    Err(Failure::new(format!(
        "There is no scenario `{word}`.{meant} Known: {}; or give a .toml file.",
        known.join(", ")
    )))
}

fn from_file(path: &Path) -> Result<Scenario, Failure> {
    let shown = path.display();
    let unreadable = |error: &dyn std::fmt::Display| Failure::new(format!("{shown} cannot be read: {error}."));
    let size = std::fs::metadata(path).map_err(|error| unreadable(&error))?.len();
    if size > FILE_BYTES_MAX {
        return Err(Failure::new(format!("{shown} has {size} bytes; a scenario has at most {FILE_BYTES_MAX}.")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(&error))?;
    let scenario = Scenario::parse(&text).map_err(|error| Failure::new(format!("{shown} is no scenario: {error}")))?;
    // What the services themselves refuse (a name, a shard count) shows only when the world is built.
    scenario::build(&scenario, 0).map_err(|error| Failure::new(format!("{shown} is no scenario: {error}")))?;
    Ok(scenario)
}

fn list() -> Result<(), Failure> {
    let mut text = String::new();
    for builtin in scenario::BUILTIN {
        let scenario = load(builtin.name)?;
        let _ = writeln!(text, "{}: {}\n", builtin.name, scenario.title);
        for line in scenario.about.trim().lines() {
            let _ = writeln!(text, "  {line}");
        }
        let _ = writeln!(text, "\n  {}\n  midwatch --demo {}\n", contents(&scenario), builtin.name);
    }
    say(&text)
}

/// `3 streams, 4 queues, …; begins 2026-11-27T17:58:00Z`
fn contents(scenario: &Scenario) -> String {
    let counts = [
        (scenario.streams.len(), "stream"),
        (scenario.queues.len(), "queue"),
        (scenario.topics.len(), "topic"),
        (scenario.functions.len(), "function"),
        (scenario.producers.len(), "producer"),
        (scenario.workers.len() + scenario.fleets.len(), "worker group"),
        (scenario.faults.len(), "fault"),
    ];
    let counts: Vec<String> = counts.iter().map(|(count, what)| counted_all(*count, what)).collect();
    format!("{}; begins {}", counts.join(", "), scenario.start.rfc3339())
}
