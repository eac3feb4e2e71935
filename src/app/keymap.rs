//! The keymap: which command a key means where the person is, and which hints the footer shows.

use crate::app::command::{COMMANDS, Command, CommandId, Scope};
use crate::app::dialog::{Dialog, Input};
use crate::app::event::Key;
use crate::app::screen::Screen;
use crate::app::state::State;

/// The scope that takes keys first.
pub fn scope(state: &State) -> Scope {
    match (state.dialogs.last(), state.screen()) {
        (Some(Dialog::Confirm(_) | Dialog::Probe(_)), _) => Scope::Confirm,
        (Some(Dialog::Form(_)), _) => Scope::Form,
        (Some(Dialog::Palette(_)), _) => Scope::Palette,
        (Some(Dialog::Filter(_)), _) => Scope::Filter,
        (None, Screen::List(_)) => Scope::List,
        (None, Screen::Detail(_)) => Scope::Detail,
        (None, Screen::Changes(_)) => Scope::Changes,
        (None, Screen::Contexts { .. }) => Scope::Contexts,
        (None, Screen::Executions(_)) => Scope::Executions,
        (None, _) => Scope::Screen,
    }
}

/// The scopes whose keys are live, the nearest first.
fn live(state: &State) -> impl Iterator<Item = Scope> {
    let scope = scope(state);
    std::iter::once(scope).chain(scope.with().iter().copied())
}

/// The command that a key means now.
pub fn find(state: &State, key: Key) -> Option<&'static Command> {
    live(state).find_map(|scope| COMMANDS.iter().find(|command| command.scope == scope && has_chord(command, key)))
}

fn has_chord(command: &Command, key: Key) -> bool {
    command.chords.iter().any(|chord| Key::parse(chord) == Ok(key))
}

/// A command worth showing in the footer: its key, its title, and whether it can be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hint {
    pub chord: &'static str,
    pub title: &'static str,
    pub available: bool,
}

/// The footer's hints, most important first. Actions that are not for the selected resource are left out.
pub fn hints(state: &State) -> Vec<Hint> {
    let mut commands: Vec<&Command> = live(state)
        .flat_map(|scope| COMMANDS.iter().filter(move |command| command.scope == scope && command.hint > 0))
        .filter(|command| is_in_place(state, command))
        .collect();
    commands.sort_by_key(|command| command.hint);
    let hint = |command: &&Command| Hint {
        chord: chord_here(state, command).unwrap_or_default(),
        title: command.title,
        available: (command.available)(state).is_ok(),
    };
    commands.iter().map(hint).collect()
}

/// The chord to show for a command: its first, but in a text of several lines enter breaks the line.
fn chord_here(state: &State, command: &Command) -> Option<&'static str> {
    let in_text = match state.dialogs.last() {
        Some(Dialog::Form(form)) => form.fields.get(form.focus).is_some_and(|field| match &field.input {
            Input::Text(editor) => !editor.is_one_line(),
            Input::Choice { .. } => false,
        }),
        _ => false,
    };
    let mut chords = command.chords.iter().copied();
    if in_text && command.id == CommandId::FormSubmit { chords.next_back() } else { chords.next() }
}

/// Actions belong to kinds: others do not crowd the footer. What is out of place is still in the help.
fn is_in_place(state: &State, command: &Command) -> bool {
    use crate::domain::row::KindId;
    let kind = state.target().map(|id| id.kind);
    match command.id {
        CommandId::Reshard => kind == Some(KindId::Kinesis),
        CommandId::Redrive => kind == Some(KindId::Sqs),
        CommandId::CancelRedrive | CommandId::Back | CommandId::Log | CommandId::Executions => {
            (command.available)(state).is_ok()
        }
        CommandId::Invoke => kind == Some(KindId::Lambda),
        CommandId::Probe => kind == Some(KindId::Kcl),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_listed_twice_where_it_is_live() {
        for scope in Scope::ALL {
            let mut seen = std::collections::BTreeMap::new();
            let live = std::iter::once(scope).chain(scope.with().iter().copied());
            for command in live.flat_map(|scope| COMMANDS.iter().filter(move |command| command.scope == scope)) {
                for chord in command.chords {
                    let key = Key::parse(chord).unwrap();
                    let before = seen.insert(key, command.title);
                    assert_eq!(before, None, "{chord} means `{}` too {}", command.title, scope.title());
                }
            }
        }
    }

    #[test]
    fn every_command_is_documented_in_a_sentence() {
        for command in COMMANDS {
            assert!(command.doc.ends_with('.') && command.doc.starts_with(char::is_uppercase), "{}", command.title);
            assert!(!command.chords.is_empty(), "{} has no key", command.title);
            assert_eq!(crate::app::command::entry(command.id).id, command.id);
        }
    }
}
