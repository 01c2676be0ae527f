//! Keys and their names in the tools that press them.

use std::str::FromStr;

/// A key with the modifiers that are held, such as `ctrl+shift+Return`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chord {
    modifiers: Vec<Key>,
    key: Key,
}

/// A key: its X keysym, its name in dotool, its code in Linux.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    keysym: String,
    dotool: String,
    code: u16,
}

/// Keysym, dotool's name, Linux's code.
const NAMED: [(&str, &str, u16); 17] = [
    ("Return", "enter", 28),
    ("Enter", "enter", 28),
    ("Tab", "tab", 15),
    ("Escape", "esc", 1),
    ("space", "space", 57),
    ("BackSpace", "backspace", 14),
    ("Delete", "delete", 111),
    ("Left", "left", 105),
    ("Right", "right", 106),
    ("Up", "up", 103),
    ("Down", "down", 108),
    ("Home", "home", 102),
    ("End", "end", 107),
    ("Page_Up", "pageup", 104),
    ("Page_Down", "pagedown", 109),
    ("F11", "f11", 87),
    ("F12", "f12", 88),
];

/// The keys with a character, row by row, with the code of the first.
const ROWS: [(&str, u16); 4] =
    [("1234567890", 2), ("qwertyuiop", 16), ("asdfghjkl", 30), ("zxcvbnm", 44)];

const MODIFIERS: [(&str, u16); 4] = [("ctrl", 29), ("shift", 42), ("alt", 56), ("super", 125)];

impl Chord {
    /// The key that erases the character before the cursor.
    pub fn backspace() -> Self {
        Self { modifiers: Vec::new(), key: Key::new("BackSpace", "backspace", 14) }
    }

    /// Whether it begins a line in most programs.
    pub fn is_return(&self) -> bool {
        self.key.keysym == "Return"
    }

    /// As xdotool has it, such as `ctrl+Return`.
    pub fn keysyms(&self) -> String {
        self.joined(|key| &key.keysym)
    }

    /// As dotool has it, such as `ctrl+enter`.
    pub fn dotool(&self) -> String {
        self.joined(|key| &key.dotool)
    }

    /// The arguments of wtype.
    pub fn wtype(&self) -> Vec<String> {
        let held = self.modifiers.iter().map(|key| match key.keysym.as_str() {
            "super" => "logo",
            name => name,
        });
        let press = held.clone().flat_map(|name| ["-M".to_owned(), name.to_owned()]);
        let release = held.rev().flat_map(|name| ["-m".to_owned(), name.to_owned()]);
        press.chain(["-k".to_owned(), self.key.keysym.clone()]).chain(release).collect()
    }

    /// The arguments of `ydotool key`: codes with 1 for down and 0 for up.
    pub fn ydotool(&self) -> Vec<String> {
        let keys: Vec<u16> =
            self.modifiers.iter().map(|key| key.code).chain([self.key.code]).collect();
        let down = keys.iter().map(|code| format!("{code}:1"));
        down.chain(keys.iter().rev().map(|code| format!("{code}:0"))).collect()
    }

    fn joined<'a>(&'a self, name: impl Fn(&'a Key) -> &'a str) -> String {
        let keys = self.modifiers.iter().chain([&self.key]);
        keys.map(name).collect::<Vec<_>>().join("+")
    }
}

impl Key {
    fn new(keysym: &str, dotool: &str, code: u16) -> Self {
        Self { keysym: keysym.to_owned(), dotool: dotool.to_owned(), code }
    }

    fn modifier(name: &str) -> Option<Self> {
        let name = name.to_lowercase();
        let (_, code) = MODIFIERS.iter().find(|(modifier, _)| *modifier == name)?;
        Some(Self::new(&name, &name, *code))
    }

    fn find(name: &str) -> Option<Self> {
        let named = NAMED.iter().find(|(keysym, ..)| keysym.eq_ignore_ascii_case(name));
        if let Some((keysym, dotool, code)) = named {
            return Some(Self::new(
                if *keysym == "Enter" { "Return" } else { keysym },
                dotool,
                *code,
            ));
        }
        if let Some(number @ 1..=10) =
            name.to_uppercase().strip_prefix('F').and_then(|n| n.parse().ok())
        {
            return Some(Self::new(&format!("F{number}"), &format!("f{number}"), 58 + number));
        }
        let name = name.to_lowercase();
        let in_row =
            |(row, first): &(&str, u16)| Some(first + u16::try_from(row.find(&name)?).ok()?);
        let code = ROWS.iter().filter(|_| name.len() == 1).find_map(in_row)?;
        Some(Self::new(&name, &name, code))
    }
}

impl FromStr for Chord {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (held, key) = match text.rsplit_once('+') {
            Some((held, key)) => (held.split('+').collect(), key),
            None => (Vec::new(), text),
        };
        let modifier = |name: &str| {
            Key::modifier(name).ok_or_else(|| {
                format!("there is no modifier {name:?}; use ctrl, shift, alt or super")
            })
        };
        let modifiers = held.into_iter().map(modifier).collect::<Result<_, _>>()?;
        let key = Key::find(key).ok_or_else(|| {
            format!("there is no key {key:?}; use a letter, a digit, Return, Tab, Escape, Left or their like")
        })?;
        Ok(Self { modifiers, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chord_has_its_form_for_each_tool() {
        let chord: Chord = "ctrl+Shift+enter".parse().unwrap();
        assert_eq!(chord.keysyms(), "ctrl+shift+Return");
        assert_eq!(chord.dotool(), "ctrl+shift+enter");
        let wtype = ["-M", "ctrl", "-M", "shift", "-k", "Return", "-m", "shift", "-m", "ctrl"];
        assert_eq!(chord.wtype(), wtype);
        assert_eq!(chord.ydotool(), ["29:1", "42:1", "28:1", "28:0", "42:0", "29:0"]);
    }

    #[test]
    fn letters_digits_and_function_keys_have_their_codes() {
        let code = |text: &str| text.parse::<Chord>().unwrap().key.code;
        let keys = ["1", "0", "q", "A", "m", "F1", "f10", "F12", "page_down"];
        assert_eq!(keys.map(code), [2, 11, 16, 30, 50, 59, 68, 88, 109]);
    }

    #[test]
    fn what_is_no_key_is_named() {
        let error = |text: &str| text.parse::<Chord>().unwrap_err();
        assert!(error("ctrl+Retrun").contains("\"Retrun\""));
        assert!(error("hyper+a").contains("\"hyper\""));
        assert!(error("").contains("no key"));
        assert!(error("F13").contains("no key"));
        assert!(error("qw").contains("no key"));
    }
}
