//! Keys to what they ask for.

use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::state::Action;

/// What a terminal's event asks for, if anything.
pub fn action(event: &Event) -> Option<Action> {
    let Event::Key(KeyEvent { code, modifiers, kind, .. }) = event else { return None };
    if *kind == KeyEventKind::Release {
        return None;
    }
    let control = modifiers.contains(KeyModifiers::CONTROL);
    match code {
        KeyCode::Char('c' | 'd' | '\\') if control => Some(Action::Quit),
        KeyCode::Char('z') if control => Some(Action::Suspend),
        KeyCode::Char(_) if control => None,
        KeyCode::Char('q' | 'Q') => Some(Action::Quit),
        KeyCode::Char('c' | 'C') => Some(Action::Clear),
        KeyCode::Char('t' | 'T') => Some(Action::Timestamps),
        KeyCode::Up | KeyCode::Char('k') => Some(Action::Up),
        KeyCode::Down | KeyCode::Char('j') => Some(Action::Down),
        KeyCode::PageUp => Some(Action::PageUp),
        KeyCode::PageDown | KeyCode::Char(' ') => Some(Action::PageDown),
        KeyCode::Home => Some(Action::Home),
        KeyCode::End => Some(Action::End),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_plain_letters_differ() {
        let key = |code, modifiers| action(&Event::Key(KeyEvent::new(code, modifiers)));
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Action::Quit));
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::NONE), Some(Action::Clear));
        assert_eq!(key(KeyCode::Char('z'), KeyModifiers::CONTROL), Some(Action::Suspend));
        assert_eq!(key(KeyCode::Char('z'), KeyModifiers::NONE), None);
        assert_eq!(action(&Event::Resize(60, 10)), None);
    }
}
