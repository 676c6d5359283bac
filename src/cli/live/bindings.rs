//! What each key means.
//!
//! Owns the table from keys to [`Command`]s: those of emacs, as shells have them. Never acts.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::buffer::Edit;

/// What a key asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A change to the text.
    Edit(Edit),
    /// Enter.
    Submit,
    /// Tab.
    Complete,
    /// Shift+Tab.
    CompleteBack,
    /// Ctrl+R.
    Search,
    /// The line before in history.
    Earlier,
    /// The line after in history.
    Later,
    /// Ctrl+C.
    Interrupt,
    /// Ctrl+D.
    End,
    /// Ctrl+L.
    Redraw,
    /// Ctrl+Z.
    Suspend,
    /// Escape.
    Escape,
}

/// What this key asks for.
#[must_use]
pub fn command(key: KeyEvent) -> Option<Command> {
    let alt = key.modifiers.contains(KeyModifiers::ALT);
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let edit = match key.code {
        KeyCode::Char(letter) if control && !alt => return controlled(letter.to_ascii_lowercase()),
        KeyCode::Char(letter) if alt => match letter {
            'b' => Edit::WordLeft,
            'f' => Edit::WordRight,
            'd' => Edit::CutWordRight,
            _ => return None,
        },
        KeyCode::Char(letter) => Edit::Insert(letter.to_string()),
        KeyCode::Enter if alt || key.modifiers.contains(KeyModifiers::SHIFT) => Edit::Insert("\n".to_owned()),
        KeyCode::Enter => return Some(Command::Submit),
        KeyCode::Tab => return Some(Command::Complete),
        KeyCode::BackTab => return Some(Command::CompleteBack),
        KeyCode::Esc => return Some(Command::Escape),
        KeyCode::Left if alt || control => Edit::WordLeft,
        KeyCode::Right if alt || control => Edit::WordRight,
        KeyCode::Left => Edit::Left,
        KeyCode::Right => Edit::Right,
        KeyCode::Up => Edit::Up,
        KeyCode::Down => Edit::Down,
        KeyCode::Home => Edit::Home,
        KeyCode::End => Edit::End,
        KeyCode::Backspace if alt || control => Edit::CutWordLeft,
        KeyCode::Backspace => Edit::Backspace,
        KeyCode::Delete => Edit::Delete,
        _ => return None,
    };
    Some(Command::Edit(edit))
}

fn controlled(letter: char) -> Option<Command> {
    Some(Command::Edit(match letter {
        'a' => Edit::Home,
        'b' => Edit::Left,
        'e' => Edit::End,
        'f' => Edit::Right,
        'h' => Edit::Backspace,
        'j' => Edit::Insert("\n".to_owned()),
        'k' => Edit::CutToEnd,
        't' => Edit::Swap,
        'u' => Edit::CutToStart,
        'w' => Edit::CutBack,
        'y' => Edit::Paste,
        'c' => return Some(Command::Interrupt),
        'd' => return Some(Command::End),
        'l' => return Some(Command::Redraw),
        'n' => return Some(Command::Later),
        'p' => return Some(Command::Earlier),
        'r' => return Some(Command::Search),
        'z' => return Some(Command::Suspend),
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_mean_what_they_mean_in_a_shell() {
        let control = KeyModifiers::CONTROL;
        let table = [
            (KeyCode::Char('ä'), KeyModifiers::NONE, Some(Command::Edit(Edit::Insert("ä".into())))),
            (KeyCode::Char('W'), control, Some(Command::Edit(Edit::CutBack))),
            (KeyCode::Char('c'), control, Some(Command::Interrupt)),
            (KeyCode::Char('q'), control, None),
            (KeyCode::Enter, KeyModifiers::NONE, Some(Command::Submit)),
            (KeyCode::Enter, KeyModifiers::ALT, Some(Command::Edit(Edit::Insert("\n".into())))),
            (KeyCode::Left, control, Some(Command::Edit(Edit::WordLeft))),
            (KeyCode::Char('f'), KeyModifiers::ALT, Some(Command::Edit(Edit::WordRight))),
            (KeyCode::BackTab, KeyModifiers::SHIFT, Some(Command::CompleteBack)),
            (KeyCode::F(5), KeyModifiers::NONE, None),
        ];
        for (code, modifiers, expected) in table {
            assert_eq!(command(KeyEvent::new(code, modifiers)), expected, "{code:?} {modifiers:?}");
        }
    }
}
