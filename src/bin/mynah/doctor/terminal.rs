//! Whether the terminal can show captions that are redrawn in place.

use std::env;

use console::Term;

use super::finding::Finding;

/// Room for a caption.
const LEAST_COLUMNS: u16 = 40;

/// What standard output is.
#[derive(Clone, Debug)]
pub struct Terminal {
    /// `None` where it is not a terminal.
    columns: Option<u16>,
    is_dumb: bool,
    is_utf8: bool,
}

impl Terminal {
    /// Asks the environment.
    pub fn this() -> Self {
        let term = Term::stdout();
        let set = |name: &&str| env::var(name).ok().filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set).unwrap_or_default();
        let locale = locale.to_lowercase();
        Self {
            columns: term.is_term().then(|| term.size().1),
            is_dumb: env::var("TERM").is_ok_and(|name| name == "dumb"),
            is_utf8: !cfg!(unix) || locale.contains("utf-8") || locale.contains("utf8"),
        }
    }
}

/// What the terminal is good for.
pub fn check(terminal: &Terminal) -> Finding {
    const CHECK: &str = "terminal";
    let encoding = if terminal.is_utf8 { "UTF-8" } else { "not UTF-8" };
    match terminal.columns {
        None => Finding::ok(CHECK, "standard output is none: captions are written as lines"),
        Some(_) if terminal.is_dumb => {
            Finding::warning(CHECK, "TERM=dumb: partial results can't be redrawn")
                .advice("use another terminal, or `mynah listen --partials`")
        }
        Some(columns) if columns < LEAST_COLUMNS => {
            Finding::warning(CHECK, format!("{columns} columns"))
                .advice("make it wider: captions need room")
        }
        Some(columns) if !terminal.is_utf8 => {
            Finding::warning(CHECK, format!("{columns} columns, {encoding}"))
                .advice("set a locale with UTF-8: `export LANG=C.UTF-8`")
        }
        Some(columns) => Finding::ok(CHECK, format!("{columns} columns, {encoding}")),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Status, *};

    #[test]
    fn a_terminal_needs_room_cursor_and_characters() {
        let good = Terminal { columns: Some(80), is_dumb: false, is_utf8: true };
        for (terminal, expected) in [
            (good.clone(), Status::Ok),
            (Terminal { columns: None, is_utf8: false, ..good }, Status::Ok),
            (Terminal { columns: Some(20), ..good }, Status::Warning),
            (Terminal { is_dumb: true, ..good }, Status::Warning),
            (Terminal { is_utf8: false, ..good }, Status::Warning),
        ] {
            assert_eq!(check(&terminal).status, expected, "{terminal:?}");
        }
    }
}
