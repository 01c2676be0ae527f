use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
};

use super::*;

/// A PATH with tools that record their arguments and input.
struct Tools(tempfile::TempDir);

/// What was written to standard output.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Tools {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Adds a tool that records, and then does what the script says.
    fn add(&self, name: &str, script: &str) -> &Self {
        let (program, record) = (self.0.path().join(name), self.record(name));
        let record = record.display();
        let text = format!(
            "#!/bin/sh\n{{ printf '<%s>' \"$@\"; printf '|'; cat; echo; }} >>'{record}'\n{script}\n"
        );
        // By another process: one that another test forks meanwhile would hold the file open, and it could not be executed.
        let mut writer = Command::new("sh")
            .args(["-c", "cat >\"$0\" && chmod 755 \"$0\""])
            .arg(&program)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        writer.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(writer.wait().unwrap().success());
        self
    }

    fn record(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(format!("{name}.record"))
    }

    /// What a tool got, a call a line.
    fn recorded(&self, name: &str) -> String {
        fs::read_to_string(self.record(name)).unwrap_or_default()
    }

    fn environment(&self, wayland: bool, x11: bool) -> Environment {
        Environment {
            path: self.0.path().into(),
            wayland_display: wayland.then(|| "wayland-0".into()),
            display: x11.then(|| ":0".into()),
            ydotool_sockets: vec![self.0.path().join(".ydotool_socket")],
        }
    }

    fn typist(&self, wayland: bool, x11: bool) -> (Typist, Kept) {
        let mut typist = Typist::new(&self.environment(wayland, x11), None).unwrap();
        let kept = Kept::default();
        typist.kept = Box::new(kept.clone());
        (typist, kept)
    }
}

impl Kept {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn names(typist: &Typist) -> Vec<&str> {
    typist.tools.iter().map(|found| found.tool.name()).collect()
}

const PROTOCOL: &str = "echo 'Compositor does not support the virtual keyboard protocol' >&2";

#[test]
fn tools_are_tried_in_their_order_where_their_session_is_there() {
    let tools = Tools::new();
    for tool in Tool::ALL {
        tools.add(tool.name(), "");
    }
    assert_eq!(names(&tools.typist(true, true).0), ["wtype", "dotool", "wl-copy", "xclip", "xsel"]);
    assert_eq!(names(&tools.typist(false, true).0), ["dotool", "xdotool", "xclip", "xsel"]);
    assert_eq!(names(&tools.typist(false, false).0), ["dotool"]);
    fs::write(tools.0.path().join(".ydotool_socket"), "").unwrap();
    assert_eq!(names(&tools.typist(false, false).0), ["dotool", "ydotool"]);
    let forced = Typist::new(&tools.environment(true, true), Some(Tool::Xdotool)).unwrap();
    assert_eq!(names(&forced), ["xdotool"]);
}

#[test]
fn without_any_the_error_gives_the_reason_of_each() {
    let tools = Tools::new();
    tools.add("wtype", "").add("xdotool", "").add("ydotool", "");
    let error = Typist::new(&tools.environment(false, false), None).err().unwrap().to_string();
    for reason in [
        "wtype: WAYLAND_DISPLAY is not set",
        "dotool: not installed",
        "ydotool: no socket of ydotoold at ",
        "xdotool: DISPLAY is not set",
        "xsel: not installed",
        "--backend stdout",
    ] {
        assert!(error.contains(reason), "{reason} is not in {error}");
    }
}

#[test]
fn text_comes_on_standard_input_and_can_be_no_option() {
    let tools = Tools::new();
    tools.add("xdotool", "");
    let (mut typist, _) = tools.typist(false, true);
    typist.insert("--help; $(date) 'x'").unwrap();
    assert_eq!(
        tools.recorded("xdotool"),
        "<type><--clearmodifiers><--delay><4><--file><->|--help; $(date) 'x'\n"
    );
    let tools = Tools::new();
    tools.add("wtype", "");
    let (mut typist, _) = tools.typist(true, false);
    typist.insert("-k Return").unwrap();
    typist.press(&"ctrl+z".parse().unwrap()).unwrap();
    let expected = "<-s><150><->|-k Return\n<-s><150><-M><ctrl><-k><z><-m><ctrl>|\n";
    assert_eq!(tools.recorded("wtype"), expected);
}

#[test]
fn the_text_of_a_tool_that_fails_is_the_next_ones() {
    for failure in [format!("{PROTOCOL}; exit 1"), PROTOCOL.to_owned(), "exit 3".to_owned()] {
        let tools = Tools::new();
        tools.add("wtype", &failure).add("dotool", "");
        let (mut typist, kept) = tools.typist(true, false);
        typist.insert("Good morning.").unwrap();
        typist.insert(" All.").unwrap();
        assert_eq!(tools.recorded("wtype").lines().count(), 1, "{failure}");
        assert_eq!(tools.recorded("dotool"), "<>|type Good morning.\n\n<>|type  All.\n\n");
        assert_eq!(kept.text(), "");
    }
}

#[test]
fn in_mid_dictation_the_clipboard_takes_over() {
    let tools = Tools::new();
    let stop = tools.0.path().join("stop");
    tools.add("xdotool", &format!("test ! -e '{}'", stop.display())).add("xclip", "");
    let (mut typist, kept) = tools.typist(false, true);
    typist.insert("One.").unwrap();
    fs::write(stop, "").unwrap();
    typist.insert(" Two.").unwrap();
    typist.insert(" Three.").unwrap();
    typist.erase(7).unwrap();
    assert!(typist.erase(6).is_err());
    typist.begin();
    typist.insert(" Four.").unwrap();
    let option = "<-selection><clipboard><-in>|";
    let contents = ["Two.", "Two. Three.", "Two.", "Four."];
    let expected: String = contents.iter().map(|text| format!("{option}{text}\n")).collect();
    assert_eq!(tools.recorded("xclip"), expected);
    assert_eq!(kept.text(), "");
}

#[test]
fn text_that_nothing_takes_is_kept_and_the_tool_tried_again() {
    let tools = Tools::new();
    let stop = tools.0.path().join("stop");
    tools.add("xdotool", &format!("test ! -e '{}'", stop.display()));
    let (mut typist, kept) = tools.typist(false, true);
    typist.insert("One.").unwrap();
    fs::write(&stop, "").unwrap();
    typist.insert(" Two.").unwrap();
    assert_eq!(kept.text(), "Two.\n");
    fs::remove_file(stop).unwrap();
    typist.insert(" Three.").unwrap();
    assert!(tools.recorded("xdotool").ends_with("| Three.\n"));
    assert_eq!(kept.text(), "Two.\n");
    // What stands before it was typed before the failure.
    assert!(typist.erase(8).is_err());
    typist.erase(7).unwrap();
    let erased = format!("<key><--clearmodifiers><--delay><4>{}|\n", "<BackSpace>".repeat(7));
    assert!(tools.recorded("xdotool").ends_with(&erased));
}

#[test]
fn a_tool_that_does_not_start_is_refused() {
    let tools = Tools::new();
    let program = tools.0.path().join("xdotool");
    fs::write(&program, "#!/no/such/interpreter\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(Path::new(&program).exists());
    let (mut typist, kept) = tools.typist(false, true);
    typist.insert("One.").unwrap();
    assert_eq!(kept.text(), "One.\n");
}
