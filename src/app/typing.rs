//! Keys in dialogs: what types into an editor, and what is a command.

use crate::app::dialog::{Dialog, Form, Input};
use crate::app::edit::Editor;
use crate::app::event::{Key, KeyCode};
use crate::app::filter::Filter;
use crate::app::palette;
use crate::app::state::State;

/// Whether the dialog on top takes this key as text before any command sees it.
pub fn takes_first(state: &State, key: Key) -> bool {
    match state.dialogs.last() {
        Some(Dialog::Confirm(confirm)) => {
            confirm.asks_name && (key.typed().is_some() || key.code == KeyCode::Backspace)
        }
        Some(Dialog::Form(form)) => match form.focused() {
            Some(Input::Text(editor)) => key.typed().is_some() || (!editor.is_one_line() && key.code == KeyCode::Enter),
            _ => false,
        },
        Some(Dialog::Palette(_) | Dialog::Filter(_)) => key.typed().is_some(),
        Some(Dialog::Probe(_)) | None => false,
    }
}

/// Gives a key to the editor or choice of the dialog on top.
pub fn key(state: &mut State, key: Key) {
    if let Some(Dialog::Form(form)) = state.dialogs.last_mut()
        && let Some(Input::Choice { options, chosen }) = form.focused_mut()
    {
        choose(key, options.len(), chosen);
        form.error = None;
        return;
    }
    if with_editor(state, |editor| editor.key(key)).unwrap_or(false) {
        after_edit(state);
    }
}

/// Puts a paste into the editor that has the cursor.
pub fn paste(state: &mut State, text: &str) {
    if with_editor(state, |editor| editor.insert(text)).is_some() {
        after_edit(state);
    }
}

fn choose(key: Key, options: usize, chosen: &mut usize) {
    match key.code {
        KeyCode::Right | KeyCode::Down | KeyCode::Char('l' | 'j' | ' ') => *chosen = (*chosen + 1) % options.max(1),
        KeyCode::Left | KeyCode::Up | KeyCode::Char('h' | 'k') => {
            *chosen = (*chosen + options.saturating_sub(1)) % options.max(1);
        }
        _ => {}
    }
}

/// Calls `f` with the editor that has the cursor, if any.
fn with_editor<T>(state: &mut State, f: impl FnOnce(&mut Editor) -> T) -> Option<T> {
    match state.dialogs.last_mut()? {
        Dialog::Confirm(confirm) if confirm.asks_name => {
            confirm.error = None;
            Some(f(&mut confirm.typed))
        }
        Dialog::Confirm(_) | Dialog::Probe(_) => None,
        Dialog::Form(form) => {
            form.error = None;
            match form.focused_mut()? {
                Input::Text(editor) => Some(f(editor)),
                Input::Choice { .. } => None,
            }
        }
        Dialog::Palette(palette) => Some(f(&mut palette.input)),
        Dialog::Filter(line) => Some(f(&mut line.input)),
    }
}

/// The palette and the filter answer at once to what is typed.
fn after_edit(state: &mut State) {
    match state.dialogs.pop() {
        Some(Dialog::Palette(mut open)) => {
            palette::find(state, &mut open);
            state.dialogs.push(Dialog::Palette(open));
        }
        Some(Dialog::Filter(mut line)) => {
            line.error = apply_filter(state, &line.input.text()).err();
            state.dialogs.push(Dialog::Filter(line));
        }
        Some(other) => state.dialogs.push(other),
        None => {}
    }
}

/// Puts a filter on the list on screen; a wrong one leaves the list as it is.
pub fn apply_filter(state: &mut State, text: &str) -> Result<(), String> {
    let id = state.list_id();
    let filter = Filter::parse(text, id.kind())?;
    if let Some(list) = state.lists.get_mut(&id) {
        list.filter = filter;
        state.memory.list_changed = true;
    }
    Ok(())
}

impl Form {
    /// The field that has the cursor.
    pub fn focused(&self) -> Option<&Input> {
        self.fields.get(self.focus).map(|field| &field.input)
    }

    fn focused_mut(&mut self) -> Option<&mut Input> {
        self.fields.get_mut(self.focus).map(|field| &mut field.input)
    }
}
