//! What may not be: the crate's invariants about its own sources. `src/lib.rs` lists them.

use crate::source::{self, Source};
use std::collections::BTreeMap;

/// Rooms without IO, clock, chance or environment.
const PURE: [&str; 7] = ["domain", "kinds", "diagnose", "actions", "app", "view", "status"];
const LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

/// Fails with every fault at once.
fn expect_none(faults: Vec<String>) {
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// Every place outside tests where one of the words stands in the code of the chosen files.
fn places(sources: &[Source], chosen: impl Fn(&Source) -> bool, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| chosen(source)) {
        for (number, line) in source.lines() {
            for word in words.iter().filter(|word| holds(line, word)) {
                found.push(format!("{}:{number}: {word}", source.path));
            }
        }
    }
    found
}

/// Whether the word stands there on its own, not as the end of a longer name.
fn holds(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back().unwrap_or(' ');
        !(before.is_alphanumeric() || before == '_' || word.starts_with('.') && before == ' ')
    })
}

#[test]
fn rooms_see_only_what_the_map_allows() {
    let sources = source::all();
    let map = map(&sources);
    let mut faults = Vec::new();
    for source in sources.iter().filter(|source| !source.is_test_file) {
        let Some(room) = source.room().filter(|room| *room != "lib" && *room != "main") else { continue };
        let Some(allowed) = map.get(room) else {
            faults.push(format!("{}: the map in src/lib.rs has no line for `{room}`", source.path));
            continue;
        };
        for (number, used) in used_paths(source) {
            let seen = used.split("::").next() == Some(room)
                || allowed.iter().any(|path| path == "*" || used == *path || used.starts_with(&format!("{path}::")));
            if !seen {
                faults.push(format!("{}:{number}: `{room}` may not use crate::{used}", source.path));
            }
        }
    }
    expect_none(faults);
}

/// Room → what it may use, from the table in `src/lib.rs`.
fn map(sources: &[Source]) -> BTreeMap<String, Vec<String>> {
    let lib = sources.iter().find(|source| source.path == "src/lib.rs").unwrap();
    let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let rows = lib.text.lines().filter_map(|line| line.strip_prefix("//! | `"));
    let map: BTreeMap<_, _> = rows
        .map(|row| {
            let cells: Vec<&str> = row.split('|').collect();
            (cells[0].trim().trim_end_matches('`').to_owned(), quoted(cells[1]))
        })
        .collect();
    assert!(map.len() > 10, "the map was not found");
    map
}

/// `a::b` for each `crate::a::b` in the code, groups (`crate::{a::b, c}`) taken apart.
fn used_paths(source: &Source) -> Vec<(usize, String)> {
    let code: String = source.lines().map(|(_, line)| format!("{line}\n")).collect();
    let mut used = Vec::new();
    for (at, _) in code.match_indices("crate::").filter(|(at, _)| !code[..*at].ends_with('$')) {
        let number = code[..at].matches('\n').count() + 1;
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => used.extend(group_members(group).into_iter().map(|path| (number, path))),
            None => used.push((number, leading_path(rest))),
        }
    }
    used
}

fn leading_path(text: &str) -> String {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len());
    text[..end].trim_end_matches(':').to_owned()
}

/// The first path of each member at the top of a `use` group.
fn group_members(group: &str) -> Vec<String> {
    let (mut depth, mut members, mut start) = (1, Vec::new(), 0);
    for (at, c) in group.char_indices() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if depth == 0 || (c == ',' && depth == 1) {
            members.push(leading_path(group[start..at].trim()));
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    members.retain(|member| !member.is_empty());
    members
}

#[test]
fn pure_rooms_do_no_io_and_read_no_clock_or_chance() {
    let sources = source::all();
    let pure = |source: &Source| source.room().is_some_and(|room| PURE.contains(&room));
    let banned = [
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "std::io",
        "std::thread",
        "Instant",
        "SystemTime",
        "Timestamp::now",
        "tokio",
        "futures",
        "rand::",
        "rand_pcg",
        "rand_distr",
        "aws_sdk",
        "aws_config",
        "aws_smithy",
        "aws_types",
        "libc::",
        "println!",
        "eprintln!",
        "print!",
        "option_env!",
        "thread_local!",
        "static mut",
    ];
    let mut faults = places(&sources, pure, &banned);
    let unpainted = |source: &Source| pure(source) && source.room() != Some("view");
    faults.extend(places(&sources, unpainted, &["ratatui::", "crossterm::"]));
    expect_none(faults);
}

#[test]
fn the_engine_is_ordered_and_seeded() {
    let sources = source::all();
    let engine = |source: &Source| source.room() == Some("sim");
    let banned =
        ["HashMap", "HashSet", "rand::rng", "thread_rng", "SystemTime::now", "std::env", "std::fs", "from_os_rng"];
    let mut faults = places(&sources, engine, &banned);
    let io = ["clock.rs", "connector.rs", "server.rs", "engine.rs", "poster.rs", "realm.rs", "watched.rs"];
    let inner = |source: &Source| engine(source) && !io.iter().any(|file| source.path == format!("src/sim/{file}"));
    faults.extend(places(&sources, inner, &["tokio", "std::net", "hyper", "aws_smithy_runtime", "Instant"]));
    expect_none(faults);
}

#[test]
fn the_real_clock_is_read_in_clock_files_only() {
    let sources = source::all();
    let elsewhere = |source: &Source| !source.path.ends_with("/clock.rs");
    expect_none(places(&sources, elsewhere, &["Instant::now", "SystemTime::now", "Timestamp::now", "Zoned::now"]));
}

#[test]
fn colours_are_named_only_in_the_theme() {
    let sources = source::all();
    let elsewhere = |source: &Source| source.room() != Some("theme");
    expect_none(places(&sources, elsewhere, &["Color::", "Stylize"]));
}

#[test]
fn files_open_with_their_purpose_and_stay_short() {
    let mut faults = Vec::new();
    for source in source::all() {
        if !source.text.starts_with("//! ") {
            faults.push(format!("{}: does not open with `//! ` and its purpose", source.path));
        }
        let most = if source.is_test_file { usize::MAX } else { LINES_MAX };
        if source.lines_before_tests > most {
            faults.push(format!("{}: {} lines before its tests", source.path, source.lines_before_tests));
        }
        if source.path == "src/main.rs" && source.text.lines().count() > 60 {
            faults.push("src/main.rs: more than 60 lines".into());
        }
    }
    expect_none(faults);
}

#[test]
fn functions_stay_short() {
    let mut faults = Vec::new();
    for source in source::all() {
        for (name, number, lines) in functions(&source.code) {
            if lines > FUNCTION_LINES_MAX {
                faults.push(format!("{}:{number}: fn {name} has {lines} lines", source.path));
            }
        }
    }
    expect_none(faults);
}

/// Name, first line and length of every function with a body.
fn functions(code: &str) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ").filter(|(at, _)| holds(&code[at.saturating_sub(1)..at + 3], "fn ")) {
        let rest = &code[at + 3..];
        let name = leading_path(rest);
        let Some(open) = rest.find(['{', ';']).filter(|open| rest[*open..].starts_with('{') && !name.is_empty()) else {
            continue;
        };
        let mut depth = 0;
        let end = rest[open..].char_indices().find_map(|(n, c)| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            (depth == 0).then_some(open + n)
        });
        let lines = rest[..end.unwrap_or(rest.len())].matches('\n').count() + 1;
        found.push((name, code[..at].matches('\n').count() + 1, lines));
    }
    found
}

#[test]
fn names_say_what_they_are() {
    let empty = ["util", "utils", "helper", "helpers", "manager", "misc", "common", "stuff", "shared"];
    let sources = source::all();
    let folders = sources
        .iter()
        .filter(|source| source.path.trim_end_matches(".rs").split(['/', '_']).any(|word| empty.contains(&word)));
    expect_none(folders.map(|source| format!("{}: says nothing", source.path)).collect());
}

#[test]
fn no_test_is_off_and_nothing_is_left_to_do() {
    let words =
        ["#[ignore", "#[should_panic", "todo!", "unimplemented!", "dbg!", "Arc<Mutex", "Rc<RefCell", "macro_rules!"];
    let mut faults = Vec::new();
    for source in source::all() {
        for (number, line) in source.code.lines().enumerate() {
            let found = words.iter().filter(|word| holds(line, word));
            faults.extend(found.map(|word| format!("{}:{}: {word}", source.path, number + 1)));
        }
    }
    expect_none(faults);
}

#[test]
fn nothing_outside_tests_unwraps() {
    let everywhere = |_: &Source| true;
    expect_none(places(&source::all(), everywhere, &[".unwrap()"]));
}

/// AWS is changed in one file, by operations that say so, and its clients are made in another; what is performed is a
/// `Confirmed` plan, which `Plan::confirm` alone can make, and only where actions are unlocked.
#[test]
fn only_confirmed_plans_change_aws() {
    let sources = source::all();
    let calls: Vec<String> = midwatch::aws::operations::OPERATIONS
        .iter()
        .filter(|operation| operation.changes)
        .map(|operation| format!("{}()", snake(operation.name)))
        .collect();
    let calls: Vec<&str> = calls.iter().map(String::as_str).collect();
    let in_perform = places(&sources, |source| source.path == "src/aws/perform.rs", &calls);
    assert_eq!(in_perform.len(), calls.len(), "each is called once, there: {in_perform:?}");
    let elsewhere = |source: &Source| source.path.starts_with("src/") && source.path != "src/aws/perform.rs";
    let outside = |source: &Source| elsewhere(source) && source.room() != Some("sim");
    let mut faults = places(&sources, outside, &calls);
    let clients = |source: &Source| outside(source) && source.path != "src/aws/clients.rs";
    faults.extend(places(&sources, clients, &["Client::from_conf", "Client::new"]));
    faults.extend(places(&sources, |source| outside(source) && source.room() != Some("aws"), &["aws_sdk_"]));
    faults.extend(places(
        &sources,
        |source| elsewhere(source) && !source.path.starts_with("src/actions/"),
        &["Confirmed("],
    ));
    expect_none(faults);
}

/// `StartMessageMoveTask` → `start_message_move_task`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[test]
fn every_invariant_names_tests_that_exist() {
    let sources = source::all();
    let lib = sources.iter().find(|source| source.path == "src/lib.rs").unwrap();
    let (_, invariants) = lib.text.split_once("//! # Invariants").expect("lib.rs lists its invariants");
    let named: Vec<&str> = invariants
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with("//!") || line.is_empty())
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .filter(|word| word.matches('_').count() >= 2)
        .collect();
    assert!(named.len() >= 8, "{named:?}");
    let exists = |name: &str| sources.iter().any(|source| source.code.contains(&format!("fn {name}(")));
    expect_none(named.into_iter().filter(|name| !exists(name)).map(|name| format!("no test {name}")).collect());
}
