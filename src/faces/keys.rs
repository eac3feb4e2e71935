//! `midwatch keys`: the key table, made of the command table. README holds a copy that a test compares.

use crate::app::command::{COMMANDS, Scope};
use crate::faces::say;
use crate::failure::Failure;

pub fn run() -> Result<u8, Failure> {
    say(&table()).map(|()| 0)
}

/// A Markdown table with its columns aligned, so that it reads the same in a terminal.
pub fn table() -> String {
    let mut rows = vec![["Where", "Keys", "Command", "What it does"].map(str::to_owned)];
    for scope in Scope::ALL {
        for command in COMMANDS.iter().filter(|command| command.scope == scope) {
            let keys: Vec<String> = command.chords.iter().map(|chord| format!("`{chord}`")).collect();
            rows.push([scope.title().into(), keys.join(" "), command.title.into(), command.doc.into()]);
        }
    }
    let widths = [0, 1, 2, 3].map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    rows.insert(1, widths.map(|width| "-".repeat(width)));
    let line = |row: &[String; 4]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    rows.iter().map(line).collect()
}
