use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::bail;
use mynah::decode::Word;

use super::*;
use crate::dictate::commands;

/// A text field, and what was done to it.
#[derive(Clone, Default)]
struct Field(Arc<Mutex<Typed>>);

#[derive(Default)]
struct Typed {
    text: String,
    erased: usize,
    cannot_erase: bool,
}

impl Output for Field {
    fn insert(&mut self, text: &str) -> Result<()> {
        self.0.lock().unwrap().text += text;
        Ok(())
    }

    fn erase(&mut self, characters: usize) -> Result<()> {
        let mut typed = self.0.lock().unwrap();
        if typed.cannot_erase {
            bail!("it stays");
        }
        typed.erased += characters;
        for _ in 0..characters {
            typed.text.pop().expect("more is erased than was typed");
        }
        Ok(())
    }

    fn can_erase(&self) -> bool {
        !self.0.lock().unwrap().cannot_erase
    }

    fn press(&mut self, chord: &Chord) -> Result<()> {
        self.insert(&format!("<{}>", chord.keysyms()))
    }
}

impl Field {
    fn text(&self) -> String {
        self.0.lock().unwrap().text.clone()
    }
}

/// Words at one a second, each half a second long; `|` is a pause of half a second more.
fn hypothesis(text: &str, stable: &str) -> Hypothesis {
    let (mut words, mut at) = (Vec::new(), Duration::ZERO);
    for word in text.split_whitespace() {
        if word == "|" {
            at += Duration::from_millis(500);
            continue;
        }
        let end = at + Duration::from_millis(900);
        words.push(Word::new(word, at, end, 1.0));
        at += Duration::from_secs(1);
    }
    let text = text.replace(" |", "");
    assert!(text.starts_with(stable));
    let mut hypothesis = Hypothesis::default();
    (hypothesis.text, hypothesis.stable) = (text, stable.len());
    (hypothesis.words, hypothesis.end) = (words, at);
    hypothesis
}

/// The segments, and the field that they are written into.
struct Fixture {
    segments: Segments,
    field: Field,
}

impl Fixture {
    fn new(as_you_speak: bool) -> Self {
        let field = Field::default();
        let commands = "smile = \":-)\"\nnext item = \"\\n- \"\nsend = key Return\n";
        let commands = Commands::parse(&format!("{}{commands}", commands::DEFAULTS)).unwrap();
        let formatter = Some(TextFormatter::default());
        let segments = Segments::new(formatter, commands, Box::new(field.clone()), as_you_speak);
        Self { segments, field }
    }

    fn finals(&mut self, finals: &[&str]) -> String {
        for text in finals {
            self.finalize(0, text);
        }
        self.field.text()
    }

    fn finalize(&mut self, utterance: u64, text: &str) -> Asked {
        self.segments.finalize(utterance, &hypothesis(text, "")).unwrap()
    }

    fn partial(&mut self, utterance: u64, text: &str, stable: &str) -> String {
        self.segments.show(utterance, &hypothesis(text, stable)).unwrap();
        self.field.text()
    }
}

#[test]
fn segments_are_joined_with_right_spaces_and_capitals() {
    let finals = [
        "GOOD MORNING FULL STOP",
        "I AM HERE COMMA",
        "AND SO ARE YOU",
        "FULL STOP",
        "NEW PARAGRAPH",
        "NEXT WEEK QUESTION MARK",
    ];
    let expected = "Good morning. I am here, and so are you.\n\nNext week?";
    assert_eq!(Fixture::new(false).finals(&finals), expected);
}

#[test]
fn scratch_that_removes_segment_by_segment_and_goes_on_as_before_it() {
    let mut fixture = Fixture::new(false);
    fixture.finals(&["ONE COMMA", "TWO FULL STOP", "THREE"]);
    assert_eq!(fixture.finals(&["SCRATCH THAT"]), "One, two.");
    assert_eq!(fixture.finals(&["SCRATCH THAT", "OTHERS"]), "One, others");
    assert_eq!(fixture.finals(&["SCRATCH THAT", "SCRATCH THAT", "SCRATCH THAT"]), "");
    assert_eq!(fixture.finals(&["AGAIN"]), "Again");
}

#[test]
fn at_a_segments_end_it_takes_the_segment_back_unwritten() {
    let mut fixture = Fixture::new(false);
    fixture.field.0.lock().unwrap().cannot_erase = true;
    let text = fixture.finals(&["ONE COMMA", "OH NO FULL STOP | SCRATCH THAT", "TWO"]);
    assert_eq!(text, "One, two");
    assert_eq!(fixture.finals(&["SCRATCH THAT", "THREE"]), "One, two Three");
    assert_eq!(fixture.field.0.lock().unwrap().erased, 0);
}

#[test]
fn in_running_speech_a_command_is_text() {
    assert_eq!(Fixture::new(false).finals(&["DO NOT SCRATCH THAT"]), "Do not scratch that");
}

#[test]
fn commands_insert_press_and_stop() {
    let mut fixture = Fixture::new(false);
    let text = fixture.finals(&["ONE | SMILE", "TWO COMMA", "NEXT ITEM", "THREE", "SEND", "FOUR"]);
    assert_eq!(text, "One :-) Two,\n- Three<Return>Four");
    assert_eq!(fixture.finalize(0, "STOP DICTATION"), Asked::ToStop);
    // What was typed before a key stays.
    assert_eq!(fixture.finals(&["SCRATCH THAT", "SCRATCH THAT"]), "One :-) Two,\n- Three<Return>");
}

#[test]
fn settled_words_are_written_before_their_final() {
    let mut fixture = Fixture::new(true);
    assert_eq!(fixture.partial(0, "GOOD MORNING", "GOOD MORNING"), "");
    let said = "GOOD MORNING TO YOU ALL";
    assert_eq!(fixture.partial(0, said, said), "Good morning");
    assert_eq!(fixture.partial(0, "GOOD MORNING TO YOU ALL MY", said), "Good morning");
    assert_eq!(fixture.finals(&["GOOD MORNING TO YOU ALL FULL STOP"]), "Good morning to you all.");
    let next = "THIS IS THE NEXT ONE";
    assert_eq!(fixture.partial(1, next, next), "Good morning to you all. This is");
    fixture.finalize(1, next);
    assert_eq!(fixture.field.0.lock().unwrap().erased, 0);
    assert_eq!(fixture.finals(&["SCRATCH THAT"]), "Good morning to you all.");
}

#[test]
fn what_the_final_formats_otherwise_is_corrected() {
    let (said, more) = ("I PAID TWENTY ONE TWO THREE", "I PAID TWENTY ONE TWO THREE FOUR");
    let mut fixture = Fixture::new(true);
    let shown = fixture.partial(0, said, said);
    assert!(shown.starts_with("I paid"), "{shown}");
    let whole = Fixture::new(false).finals(&[more]);
    assert_eq!(fixture.finals(&[more]), whole);
    // Where nothing can be erased no word is lost.
    let mut fixture = Fixture::new(true);
    fixture.field.0.lock().unwrap().cannot_erase = true;
    fixture.partial(0, "ONE OF US AND SO ON", "ONE OF US AND SO ON");
    assert_eq!(fixture.finals(&["ONE OFF US AND SO ON"]), "One of us and so on");
}

#[test]
fn utterances_are_written_in_their_order() {
    let mut fixture = Fixture::new(true);
    let (first, second) = ("THE FIRST OF THEM ALL", "THE SECOND OF THEM ALL");
    fixture.partial(0, first, "");
    assert_eq!(fixture.partial(1, second, second), "");
    fixture.finalize(0, first);
    assert_eq!(fixture.partial(1, second, second), "The first of them all The second");
    fixture.finalize(1, second);
    assert_eq!(fixture.field.text(), "The first of them all The second of them all");
}

#[test]
fn a_command_is_not_written_while_it_is_said() {
    let mut fixture = Fixture::new(true);
    let said = "THIS IS NOT WHAT I MEAN SCRATCH THAT";
    assert_eq!(fixture.partial(0, said, said), "This is not what I");
    assert_eq!(fixture.finals(&["THIS IS NOT WHAT I MEAN | SCRATCH THAT"]), "");
}

#[test]
fn without_a_formatter_words_stay_as_recognized() {
    let mut fixture = Fixture::new(false);
    fixture.segments.cursor.formatter = None;
    assert_eq!(fixture.finals(&["GOOD MORNING", "ALL"]), "GOOD MORNING ALL");
}
