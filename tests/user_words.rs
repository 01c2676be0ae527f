//! Words that a user adds: in the library, and as `--words` of the `mynah` command.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]
#![cfg(all(feature = "cli", feature = "builtin-model"))]

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use mynah::{Model, UserWord};

const SPEECH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/speech.flac");

fn mynah(args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("mynah").unwrap();
    command.args(["transcribe", SPEECH]).args(args);
    command
}

fn printed(args: &[&str]) -> String {
    String::from_utf8(mynah(args).assert().success().get_output().stdout.clone()).unwrap()
}

fn complaint(args: &[&str]) -> String {
    let failed = mynah(args).assert().failure();
    String::from_utf8(failed.get_output().stderr.clone()).unwrap()
}

fn list(name: &str, lines: &str) -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&file, lines).unwrap();
    file
}

#[test]
fn a_word_is_written_in_its_own_form() {
    let words = list("forms.txt", "# mine\nwOrld\nLikE\n");
    let words = words.to_str().unwrap();
    let formatted =
        "There is nothing in the wOrld that I should LikE better than to see you happy.\n";
    assert_eq!(printed(&["--words", words]), formatted);
    let raw = "THERE IS NOTHING IN THE wOrld THAT I SHOULD LikE BETTER THAN TO SEE YOU HAPPY\n";
    assert_eq!(printed(&["--words", words, "--raw"]), raw);
}

/// A word of no lexicon, with a pronunciation of each kind, and a hotword in its written form.
#[test]
fn a_new_word_is_recognized_by_its_pronunciation() {
    let hotwords = list("boosts.txt", "zW8g: 9\n");
    let expected =
        "There is nothing in the zW8g that I should like better than to see you happy.\n";
    for pronunciation in ["world", "/W ER1 L D/", "zebra, world"] {
        let words = list("new.txt", &format!("zW8g = {pronunciation}\n"));
        let [words, hotwords] = [&words, &hotwords].map(|file| file.to_str().unwrap());
        let text = printed(&["--words", words, "--hotwords", hotwords]);
        assert_eq!(text, expected, "{pronunciation}");
    }
}

#[test]
fn a_line_that_cannot_be_used_is_named() {
    let words = list("broken.txt", "fine\n42\n");
    let complaint_of = |file: &Path| complaint(&["--words", file.to_str().unwrap()]);
    let reason = complaint_of(&words);
    assert!(reason.contains("broken.txt: line 2: \"42\" has no letter"), "{reason}");
    let words = list("phones.txt", "fine = /F QQ N/\n");
    let reason = complaint_of(&words);
    assert!(reason.contains("fine: the model has no phone QQ; it has AA AE"), "{reason}");
}

#[test]
fn the_model_that_words_are_added_to_stays_as_it_is() {
    let model = Model::builtin().unwrap();
    let words = [UserWord::new("k8s").unwrap().with_pronunciation("kubernetes").unwrap()];
    let more = model.with_user_words(&words).unwrap();
    assert_eq!(more.user_words(), words);
    assert!(model.user_words().is_empty());
    assert!(more.lexicon().unwrap().len() > model.lexicon().unwrap().len());
}
