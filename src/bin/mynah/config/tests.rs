use std::{ffi::OsString, path::PathBuf};

use super::{example, file::ConfigFile, merge::*, schema, setting::*, *};

/// The problems of a file, its arguments for a command line, and what was left out.
fn merged(text: &str, line: &[&str]) -> (Vec<String>, Vec<String>, Vec<String>) {
    let mut command = built_command();
    let ConfigFile { settings, mut problems } =
        ConfigFile::parse(text, Some(PathBuf::from("/folder"))).unwrap();
    problems.extend(schema::unknown_options(&command, &settings));
    problems.extend(wrong_values(&mut command, &settings));
    problems.sort();
    problems.dedup();
    let argv = ["mynah"].iter().chain(line).map(OsString::from).collect();
    let merged = merge(&mut command, &Invocation::of(argv), &settings);
    let name = |(setting, reason): (Setting, String)| format!("{}: {reason}", setting.key);
    let argv = merged.argv.into_iter().skip(1).map(|argument| argument.into_string().unwrap());
    let problems = problems.iter().map(|problem| problem.named(None)).collect();
    (problems, argv.collect(), merged.left_out.into_iter().map(name).collect())
}

#[track_caller]
fn assert_argv(text: &str, line: &[&str], expected: &[&str]) {
    let (problems, argv, left_out) = merged(text, line);
    assert_eq!(problems, [""; 0]);
    assert_eq!(argv, expected, "{left_out:?}");
}

#[track_caller]
fn assert_problem(text: &str, expected: &str) {
    assert_eq!(merged(text, &["listen"]).0, [expected]);
}

#[test]
fn a_section_holds_for_its_command_and_defaults_for_all() {
    let text = "[defaults]\nbeam = 100\nnbest = 2\n[listen]\nearly-final = 0.3\nbeam = 200\n[lm.build]\norder = 2";
    assert_argv(text, &["listen"], &["listen", "--early-final=0.3", "--beam=200"]);
    assert_argv(text, &["transcribe", "a"], &["transcribe", "--nbest=2", "--beam=100", "a"]);
    let build = ["lm", "build", "a", "-o", "b"];
    assert_argv(text, &build, &["lm", "build", "--order=2", "a", "-o", "b"]);
}

#[test]
fn the_command_line_comes_first() {
    assert_argv("[listen]\nbeam = 9", &["listen", "--beam", "4"], &["listen", "--beam", "4"]);
    // A value equal to the command's name does not hide where its arguments begin.
    let line = ["--config", "listen", "-v", "listen"];
    assert_argv("[listen]\nbeam = 9", &line, &["--config", "listen", "-v", "listen", "--beam=9"]);
}

#[test]
fn an_option_that_conflicts_with_one_that_comes_first_is_left_out() {
    let text = "[defaults]\nno-endpoint = true\nlm = \"/a.lm\"\n[listen]\nendpoint-silence = 2";
    let (problems, argv, left_out) = merged(text, &["listen", "--grammar", "g"]);
    assert_eq!((problems, left_out.len()), (vec![], 2), "{left_out:?}");
    assert_eq!(argv, ["listen", "--endpoint-silence=2", "--grammar", "g"]);
}

#[test]
fn two_options_of_a_section_that_exclude_one_another_are_a_problem() {
    assert_problem(
        "[listen]\nno-endpoint = true\nendpoint-silence = 2",
        "line 2: `no-endpoint` can't stand beside `endpoint-silence` of line 3",
    );
}

#[test]
fn an_option_whose_companion_is_absent_waits_for_it() {
    let text = "[listen]\nrealtime = true\ngrammar-threshold = 0.5\ngrammar = \"g\"";
    let (problems, argv, left_out) = merged(text, &["listen"]);
    assert_eq!(problems, [""; 0]);
    assert_eq!(left_out, ["realtime: needs --file <FILE>"]);
    assert!(argv.contains(&"--grammar-threshold=0.5".to_owned()), "{argv:?}");
    let (_, argv, _) = merged(text, &["listen", "--file", "a"]);
    assert!(argv.contains(&"--realtime".to_owned()), "{argv:?}");
}

#[test]
fn a_required_option_may_be_configured() {
    let text = "[spot]\nkeyword = [\"one\", \"two:0.5\"]";
    assert_argv(text, &["spot", "a"], &["spot", "--keyword=one", "--keyword=two:0.5", "a"]);
}

#[test]
fn flags_are_booleans_with_or_without_no() {
    for (text, expected) in [
        ("gate = true", &["listen", "--gate"][..]),
        ("gate = false", &["listen", "--no-gate"]),
        ("no-gate = true", &["listen", "--no-gate"]),
        ("no-gate = false", &["listen", "--gate"]),
        ("endpoint = false", &["listen", "--no-endpoint"]),
        ("endpoint = true", &["listen"]),
        ("raw = false", &["listen"]),
        ("early-final = true", &["listen", "--early-final"]),
        ("early-final = false", &["listen", "--no-early-final"]),
        ("verbose = 2", &["listen", "--verbose", "--verbose"]),
    ] {
        assert_argv(&format!("[listen]\n{text}"), &["listen"], expected);
    }
    // The section's value hides that of all commands, and the command line overrides both.
    assert_argv("[defaults]\nraw = true\n[listen]\nraw = false", &["listen"], &["listen"]);
    assert_argv(
        "[listen]\ngate = true",
        &["listen", "--no-gate"],
        &["listen", "--gate", "--no-gate"],
    );
}

#[test]
fn paths_begin_at_the_files_folder_or_at_home() {
    let home = std::env::home_dir().unwrap();
    let expected = format!("--hotwords={}", home.join("b/c").display());
    for (path, expected) in
        [("a", "--hotwords=/folder/a"), ("/a", "--hotwords=/a"), ("~/b/c", expected.as_str())]
    {
        let text = format!("[listen]\nhotwords = \"{path}\"\ndevice = \"~x\"");
        assert_argv(&text, &["listen"], &["listen", expected, "--device=~x"]);
    }
    assert_argv("[listen]\nfile = \"-\"", &["listen"], &["listen", "--file=-"]);
}

#[test]
fn what_is_wrong_is_named_with_its_line_and_what_would_be_right() {
    for (text, expected) in [
        (
            "[listen]\nerly-final = 1",
            "line 2: `listen` has no option `erly-final`; did you mean `early-final`?",
        ),
        (
            "[defaults]\n\nhotword = \"a\"",
            "line 3: no command has an option `hotword`; did you mean `hotwords`?",
        ),
        (
            "[lissen]\nraw = true",
            "line 2: there is no command for [lissen]; did you mean `listen`?",
        ),
        (
            "raw = true",
            "line 1: `raw` stands outside of a section; move it below [defaults] or [COMMAND]",
        ),
        ("[listen]\nraw = 1", "line 2: `raw` takes true or false"),
        ("[listen]\nbeam = true", "line 2: `beam` takes a number or a text in quotes"),
        ("[listen]\nbeam = [1]", "line 2: `beam` takes one value, not a list"),
        ("[listen]\nbeam = 1979-05-27", "line 2: `beam` is a datetime, which no option takes"),
        (
            "[listen]\nendpoint-silence = -1",
            "line 2: `endpoint-silence` can't be `-1`: expected a positive number of seconds",
        ),
        (
            "[listen]\nformat = \"jsonk\"",
            "line 2: `format` can't be `jsonk`: expected one of text, jsonl; did you mean `jsonl`?",
        ),
        // The value is right for `transcribe` alone.
        (
            "[transcribe]\nnbest = 0",
            "line 2: `nbest` can't be `0`: number would be zero for non-zero type",
        ),
    ] {
        assert_problem(text, expected);
    }
}

#[test]
fn text_that_is_not_toml_is_named_with_its_line() {
    let problem = ConfigFile::parse("[listen]\nbeam = \n", None).unwrap_err();
    assert!(problem.named(None).starts_with("line 2: "), "{}", problem.named(None));
}

#[test]
fn requests_for_help_stay_as_they_are() {
    for line in [&["listen", "--help"][..], &["--version"], &[], &["lm"], &["listen", "--nonsense"]]
    {
        assert_argv("[listen]\nbeam = 9", line, line);
    }
}

#[test]
fn the_example_has_every_option_and_its_keys_are_valid() {
    let command = built_command();
    let text = example::text(&command);
    let settings: String = text
        .lines()
        .map(|line| match line.strip_prefix("# ").and_then(|line| line.split_once(" = ")) {
            Some((key, value)) if !key.contains(' ') => format!("{key} = {value}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let file = ConfigFile::parse(&settings, None).unwrap();
    assert_eq!(file.problems, []);
    assert_eq!(schema::unknown_options(&command, &file.settings), []);
    let keys: Vec<_> = file.settings.iter().map(|setting| setting.key.as_str()).collect();
    for (_, leaf) in schema::leaves(&command) {
        for option in schema::options(leaf) {
            assert!(keys.contains(&option.get_long().unwrap()), "{option}");
        }
    }
}
