//! The tools that type, and how each is asked to.

use std::{
    env,
    ffi::OsString,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::ValueEnum;

use super::process;
use crate::dictate::chord::Chord;

/// How long a tool may take, and how much longer for each character.
const LIMIT: Duration = Duration::from_secs(5);
const LIMIT_PER_CHARACTER: Duration = Duration::from_millis(100);

/// Between xdotool's keystrokes, in milliseconds.
const XDOTOOL_DELAY: &str = "4";

/// The same for characters beyond ASCII, which xdotool maps to a spare key as long as one keystroke lasts: the window
/// must read the key's meaning before it is gone.
const XDOTOOL_MAPPED_DELAY: &str = "120";

/// How long wtype's new keyboard waits for the compositor, in milliseconds: the first character is lost without.
const WTYPE_START: &str = "150";

/// A tool that types text into the focused window, or puts it where it can be pasted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Tool {
    /// Wayland, by the virtual keyboard protocol: Sway, Hyprland and others, not GNOME or KDE
    Wtype,
    /// Any session, by the kernel's uinput
    Dotool,
    /// Any session, by ydotoold
    Ydotool,
    /// X11
    Xdotool,
    /// Wayland's clipboard
    WlCopy,
    /// X11's clipboard
    Xclip,
    /// X11's clipboard
    Xsel,
}

/// What of the environment decides which tools can work.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    pub path: OsString,
    pub wayland_display: Option<OsString>,
    pub display: Option<OsString>,
    pub ydotool_sockets: Vec<PathBuf>,
}

/// A tool that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundTool {
    pub tool: Tool,
    program: PathBuf,
}

impl Environment {
    /// That of this process.
    pub fn of_process() -> Self {
        let variable = |name| env::var_os(name).filter(|value| !value.is_empty());
        let ydotool_sockets = match variable("YDOTOOL_SOCKET") {
            Some(socket) => vec![PathBuf::from(socket)],
            None => {
                let runtime = variable("XDG_RUNTIME_DIR").map(PathBuf::from);
                let folders = runtime.into_iter().chain([PathBuf::from("/tmp")]);
                folders.map(|folder| folder.join(".ydotool_socket")).collect()
            }
        };
        Self {
            path: env::var_os("PATH").unwrap_or_default(),
            wayland_display: variable("WAYLAND_DISPLAY"),
            display: variable("DISPLAY"),
            ydotool_sockets,
        }
    }
}

impl Tool {
    /// All of them, in the order in which they are tried.
    pub const ALL: [Self; 7] = [
        Self::Wtype,
        Self::Dotool,
        Self::Ydotool,
        Self::Xdotool,
        Self::WlCopy,
        Self::Xclip,
        Self::Xsel,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Wtype => "wtype",
            Self::Dotool => "dotool",
            Self::Ydotool => "ydotool",
            Self::Xdotool => "xdotool",
            Self::WlCopy => "wl-copy",
            Self::Xclip => "xclip",
            Self::Xsel => "xsel",
        }
    }

    /// Whether it fills the clipboard instead of typing.
    pub fn is_clipboard(self) -> bool {
        matches!(self, Self::WlCopy | Self::Xclip | Self::Xsel)
    }

    /// Finds the tool, and what it needs of the session; `is_forced` where no other one is to be tried.
    ///
    /// # Errors
    ///
    /// Why it can't work.
    pub fn find(self, environment: &Environment, is_forced: bool) -> Result<FoundTool, String> {
        let program = find_program(self.name(), &environment.path)
            .ok_or_else(|| "not installed".to_owned())?;
        let needs_wayland = matches!(self, Self::Wtype | Self::WlCopy);
        let needs_x11 = matches!(self, Self::Xdotool | Self::Xclip | Self::Xsel);
        if needs_wayland && environment.wayland_display.is_none() {
            return Err("WAYLAND_DISPLAY is not set: no Wayland session".to_owned());
        }
        if needs_x11 && environment.display.is_none() {
            return Err("DISPLAY is not set: no X11 session".to_owned());
        }
        if self == Self::Xdotool && environment.wayland_display.is_some() && !is_forced {
            return Err("in a Wayland session it reaches no other windows than those of XWayland"
                .to_owned());
        }
        if self == Self::Ydotool && !environment.ydotool_sockets.iter().any(|path| path.exists()) {
            let sockets: Vec<_> =
                environment.ydotool_sockets.iter().map(|path| path.display().to_string()).collect();
            return Err(format!("no socket of ydotoold at {}", sockets.join(" or ")));
        }
        Ok(FoundTool { tool: self, program })
    }
}

impl FoundTool {
    /// Types a text, or makes it the clipboard's.
    ///
    /// # Errors
    ///
    /// Why it failed.
    pub fn insert(&self, text: &str) -> Result<(), String> {
        if self.tool == Tool::Xdotool {
            return runs(text).into_iter().try_for_each(|run| self.insert_run(run));
        }
        self.insert_run(text)
    }

    fn insert_run(&self, text: &str) -> Result<(), String> {
        let xdotool_delay = if text.is_ascii() { XDOTOOL_DELAY } else { XDOTOOL_MAPPED_DELAY };
        let (arguments, input): (&[&str], String) = match self.tool {
            Tool::Wtype => (&["-s", WTYPE_START, "-"], text.to_owned()),
            Tool::Dotool => (&[], dotool_actions(text)),
            Tool::Ydotool => (&["type", "--file", "-"], ascii(text)?),
            Tool::Xdotool => (
                &["type", "--clearmodifiers", "--delay", xdotool_delay, "--file", "-"],
                text.to_owned(),
            ),
            Tool::WlCopy => (&["--type", "text/plain;charset=utf-8"], text.to_owned()),
            Tool::Xclip => (&["-selection", "clipboard", "-in"], text.to_owned()),
            Tool::Xsel => (&["--clipboard", "--input"], text.to_owned()),
        };
        let arguments: Vec<_> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        self.run(&arguments, &input, text.chars().count())
    }

    /// Presses keys, so many times.
    ///
    /// # Errors
    ///
    /// Why it failed; a clipboard has no keys.
    pub fn press(&self, chord: &Chord, times: usize) -> Result<(), String> {
        let repeated = |arguments: Vec<String>| -> Vec<String> {
            (0..times).flat_map(|_| arguments.clone()).collect()
        };
        let leading = |leading: &[&str], arguments: Vec<String>| -> Vec<String> {
            leading.iter().map(|&argument| argument.to_owned()).chain(repeated(arguments)).collect()
        };
        let (arguments, input) = match self.tool {
            Tool::Wtype => (leading(&["-s", WTYPE_START], chord.wtype()), String::new()),
            Tool::Dotool => (Vec::new(), format!("key {}\n", chord.dotool()).repeat(times)),
            Tool::Ydotool => (leading(&["key"], chord.ydotool()), String::new()),
            Tool::Xdotool => {
                let options = ["key", "--clearmodifiers", "--delay", XDOTOOL_DELAY];
                (leading(&options, vec![chord.keysyms()]), String::new())
            }
            Tool::WlCopy | Tool::Xclip | Tool::Xsel => {
                return Err("the clipboard has no keys to press".to_owned());
            }
        };
        self.run(&arguments, &input, times)
    }

    fn run(&self, arguments: &[String], input: &str, characters: usize) -> Result<(), String> {
        let characters = u32::try_from(characters).unwrap_or(u32::MAX);
        let limit = LIMIT + LIMIT_PER_CHARACTER.saturating_mul(characters);
        process::run(&self.program, arguments, input, limit)
    }
}

/// The text as dotool's actions, one a line.
fn dotool_actions(text: &str) -> String {
    let lines = text.split('\n').map(|line| match line {
        "" => String::new(),
        line => format!("type {line}\n"),
    });
    lines.collect::<Vec<_>>().join("key enter\n")
}

/// The text in pieces of ASCII and of other characters.
fn runs(text: &str) -> Vec<&str> {
    let (mut runs, mut rest) = (Vec::new(), text);
    while let Some(first) = rest.chars().next() {
        let is_other = |character: char| character.is_ascii() != first.is_ascii();
        let (run, after) = rest.split_at(rest.find(is_other).unwrap_or(rest.len()));
        runs.push(run);
        rest = after;
    }
    runs
}

/// The text as ydotool can type it, which has the keys of an American keyboard.
fn ascii(text: &str) -> Result<String, String> {
    let text = text.replace(['“', '”'], "\"").replace(['‘', '’'], "'").replace(['–', '—'], "-");
    match text.chars().find(|character| !character.is_ascii()) {
        Some(character) => Err(format!("it can't type {character:?}")),
        None => Ok(text),
    }
}

/// Finds an executable file in the folders of a PATH.
fn find_program(name: &str, path: &OsString) -> Option<PathBuf> {
    let is_executable = |file: &Path| {
        file.metadata()
            .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    env::split_paths(path).map(|folder| folder.join(name)).find(|file| is_executable(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotool_types_lines_and_presses_enter_between_them() {
        assert_eq!(dotool_actions("One.\nkey two"), "type One.\nkey enter\ntype key two\n");
        assert_eq!(dotool_actions("\n\n"), "key enter\nkey enter\n");
        assert_eq!(dotool_actions(" so"), "type  so\n");
    }

    #[test]
    fn xdotool_types_ascii_and_the_rest_apart() {
        assert_eq!(runs("a “b” é"), ["a ", "“", "b", "”", " ", "é"]);
        assert_eq!(runs("ab"), ["ab"]);
        assert!(runs("").is_empty());
    }

    #[test]
    fn ydotool_has_ascii_alone() {
        assert_eq!(ascii("“It’s – so”").as_deref(), Ok("\"It's - so\""));
        assert_eq!(ascii("café"), Err("it can't type 'é'".to_owned()));
    }
}
