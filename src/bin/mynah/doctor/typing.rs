//! The programs through which dictation types into other programs.

use std::{env, ffi::OsString, fs::File, path::Path};

use super::finding::Finding;

/// Which kind of desktop session this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Wayland,
    X11,
    /// A text console, or another system than Linux.
    None,
}

/// The session that this process belongs to, as far as typing goes.
#[derive(Debug)]
pub struct Session {
    kind: Kind,
    /// The folders of programs.
    path: OsString,
    /// Whether virtual keyboards can be made, which dotool and ydotool do.
    has_uinput: bool,
}

impl Session {
    /// Asks the environment.
    pub fn this() -> Self {
        let has = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let kind = match (has("WAYLAND_DISPLAY"), has("DISPLAY")) {
            (true, _) => Kind::Wayland,
            (false, true) => Kind::X11,
            (false, false) => Kind::None,
        };
        let has_uinput = File::options().write(true).open("/dev/uinput").is_ok();
        Self { kind, path: env::var_os("PATH").unwrap_or_default(), has_uinput }
    }

    fn finds(&self, program: &str) -> bool {
        env::split_paths(&self.path).any(|folder| is_executable(&folder.join(program)))
    }

    fn found<'a>(&self, programs: &[&'a str]) -> Vec<&'a str> {
        programs.iter().copied().filter(|program| self.finds(program)).collect()
    }
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.with_extension("exe").is_file() || path.is_file()
}

/// The typing programs and the clipboard's.
pub fn check(session: &Session) -> Vec<Finding> {
    vec![typing(session), clipboard(session)]
}

fn typing(session: &Session) -> Finding {
    const CHECK: &str = "typing";
    let (name, by_display, install) = match session.kind {
        Kind::Wayland => (
            "Wayland",
            &["wtype"][..],
            "`wtype` (Sway, KDE and others of wlroots' protocol) or `dotool`",
        ),
        Kind::X11 => ("X11", &["xdotool"][..], "`xdotool`"),
        Kind::None => ("no graphical session", &[][..], "`dotool`"),
    };
    let by_display = session.found(by_display);
    let by_uinput = session.found(&["dotool", "ydotool"]);
    let usable =
        if session.has_uinput { [by_display, by_uinput.clone()].concat() } else { by_display };
    let detail = |programs: &[&str]| format!("{name}: {}", programs.join(", "));
    match (usable.as_slice(), by_uinput.as_slice()) {
        ([], []) => Finding::warning(CHECK, format!("{name}: no program that types"))
            .advice(format!("for dictation into other programs install {install}")),
        ([], blocked) => Finding::warning(
            CHECK,
            format!("{}, which may not write to /dev/uinput", detail(blocked)),
        )
        .advice("sudo usermod -aG input $USER, then log in again; see the program's udev rule"),
        (usable, _) => Finding::ok(CHECK, detail(usable)),
    }
}

fn clipboard(session: &Session) -> Finding {
    const CHECK: &str = "clipboard";
    let (programs, install) = match session.kind {
        Kind::Wayland => (&["wl-copy"][..], "`wl-clipboard`"),
        Kind::X11 => (&["xclip", "xsel"][..], "`xclip`"),
        Kind::None => return Finding::ok(CHECK, "none without a graphical session"),
    };
    match session.found(programs).as_slice() {
        [] => Finding::warning(CHECK, "no program that reaches it")
            .advice(format!("to paste dictated text install {install}")),
        found => Finding::ok(CHECK, found.join(", ")),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::{super::finding::Status, *};

    /// A session with these programs; one with `-` before it is not executable.
    fn statuses(kind: Kind, programs: &[&str], has_uinput: bool) -> (Status, Status) {
        let folder = tempfile::tempdir().unwrap();
        for program in programs {
            let path = folder.path().join(program.trim_start_matches('-'));
            fs::write(&path, "").unwrap();
            let mode = if program.starts_with('-') { 0o644 } else { 0o755 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
        let session = Session { kind, path: folder.path().into(), has_uinput };
        let found = check(&session);
        (found[0].status, found[1].status)
    }

    #[test]
    fn a_session_is_served_by_its_own_programs() {
        use Status::{Ok, Warning};
        for (kind, programs, has_uinput, expected) in [
            (Kind::Wayland, &["wtype", "wl-copy"][..], false, (Ok, Ok)),
            (Kind::Wayland, &["xdotool", "xclip"], true, (Warning, Warning)),
            (Kind::Wayland, &["dotool"], true, (Ok, Warning)),
            (Kind::Wayland, &["dotool"], false, (Warning, Warning)),
            (Kind::X11, &["xdotool", "xsel"], false, (Ok, Ok)),
            (Kind::X11, &["-xdotool", "-xclip"], false, (Warning, Warning)),
            (Kind::None, &["ydotool"], true, (Ok, Ok)),
            (Kind::None, &[], true, (Warning, Ok)),
        ] {
            assert_eq!(statuses(kind, programs, has_uinput), expected, "{kind:?} {programs:?}");
        }
    }
}
