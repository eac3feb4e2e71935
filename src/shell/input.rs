//! The terminal's events become the console's: keys, pastes, sizes. Everything else is passed over.

use crate::app::event::{Key, KeyCode, What};
use crossterm::event::{self, Event, KeyEventKind, KeyModifiers};

/// What a terminal's event means to the state; `None`: nothing.
pub fn what(event: Event) -> Option<What> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => self::key(key).map(What::Key),
        Event::Paste(text) => Some(What::Paste(text)),
        Event::Resize(width, height) => Some(What::Resize { width, height }),
        _ => None,
    }
}

fn key(key: event::KeyEvent) -> Option<Key> {
    let shift = key.modifiers.contains(KeyModifiers::SHIFT);
    let code = match key.code {
        event::KeyCode::Char(c) if shift && c.is_lowercase() => KeyCode::Char(c.to_ascii_uppercase()),
        event::KeyCode::Char(c) => KeyCode::Char(c),
        event::KeyCode::Enter => KeyCode::Enter,
        event::KeyCode::Esc => KeyCode::Esc,
        event::KeyCode::Tab if shift => KeyCode::BackTab,
        event::KeyCode::Tab => KeyCode::Tab,
        event::KeyCode::BackTab => KeyCode::BackTab,
        event::KeyCode::Backspace => KeyCode::Backspace,
        event::KeyCode::Delete => KeyCode::Delete,
        event::KeyCode::Left => KeyCode::Left,
        event::KeyCode::Right => KeyCode::Right,
        event::KeyCode::Up => KeyCode::Up,
        event::KeyCode::Down => KeyCode::Down,
        event::KeyCode::Home => KeyCode::Home,
        event::KeyCode::End => KeyCode::End,
        event::KeyCode::PageUp => KeyCode::PageUp,
        event::KeyCode::PageDown => KeyCode::PageDown,
        event::KeyCode::F(number) => KeyCode::F(number),
        _ => return None,
    };
    let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    Some(Key { code, ctrl, alt: key.modifiers.contains(KeyModifiers::ALT) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::KeyEvent;

    #[test]
    fn keys_are_read_with_their_modifiers() {
        let cases = [
            (event::KeyCode::Char('G'), KeyModifiers::SHIFT, "G"),
            (event::KeyCode::Char('g'), KeyModifiers::SHIFT, "G"),
            (event::KeyCode::Char('d'), KeyModifiers::CONTROL, "ctrl-d"),
            (event::KeyCode::Tab, KeyModifiers::SHIFT, "shift-tab"),
            (event::KeyCode::BackTab, KeyModifiers::SHIFT, "shift-tab"),
            (event::KeyCode::Char(' '), KeyModifiers::NONE, "space"),
        ];
        for (code, modifiers, chord) in cases {
            let what = what(Event::Key(KeyEvent::new(code, modifiers)));
            assert_eq!(what, Some(What::Key(Key::parse(chord).unwrap())), "{chord}");
        }
        assert_eq!(what(Event::FocusGained), None);
    }
}
