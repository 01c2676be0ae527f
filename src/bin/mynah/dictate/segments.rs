//! Recognized segments as text for an output: formatted, joined, as they settle, with spoken commands obeyed.

use std::{collections::BTreeSet, process, thread};

use anyhow::{Context, Result};
use mynah::{Event, FormattedWord, SpokenWord, TextFormatter, decode::Hypothesis};

use super::{
    chord::Chord,
    commands::{Action, Commands},
    output::Output,
    spacing::Spacing,
};
use crate::failure;

/// The settled words that wait for what follows them, which may still change their marks and numbers.
const HELD_BACK: usize = 3;

/// The segments that can be removed.
const MOST_REMOVABLE: usize = 100;

/// Writes the events of a stream as text.
pub struct Segments {
    cursor: Cursor,
    commands: Commands,
    output: Box<dyn Output>,
    /// Whether settled words are written before their final.
    as_you_speak: bool,
    /// The utterances with a partial and without a final.
    open: BTreeSet<u64>,
    draft: Draft,
    /// The segments that can be removed, the newest last.
    written: Vec<Written>,
}

/// What the form of the next segment depends on.
#[derive(Clone)]
pub struct Cursor {
    formatter: Option<TextFormatter>,
    spacing: Spacing,
}

/// The settled words of an utterance that are written before its final.
#[derive(Default)]
struct Draft {
    utterance: u64,
    text: String,
    /// The spoken words that `text` stands for.
    words: usize,
}

/// A segment that can be removed.
struct Written {
    characters: usize,
    before: Cursor,
}

/// What the speaker asks of dictation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    ToGoOn,
    ToStop,
}

impl Segments {
    /// Begins a text. Without a formatter the words are written as they are recognized.
    pub fn new(
        formatter: Option<TextFormatter>,
        commands: Commands,
        output: Box<dyn Output>,
        as_you_speak: bool,
    ) -> Self {
        Self {
            cursor: Cursor { formatter, spacing: Spacing::default() },
            commands,
            output,
            as_you_speak,
            open: BTreeSet::new(),
            draft: Draft::default(),
            written: Vec::new(),
        }
    }

    /// A dictation begins, after a pause.
    pub fn begin(&mut self) {
        self.output.begin();
    }

    /// Writes what an event adds.
    ///
    /// # Errors
    ///
    /// The output takes no text any more.
    pub fn accept(&mut self, event: &Event) -> Result<Asked> {
        let (utterance, hypothesis) = (event.utterance(), event.hypothesis());
        if event.is_final() {
            return self.finalize(utterance, hypothesis);
        }
        self.show(utterance, hypothesis)?;
        Ok(Asked::ToGoOn)
    }

    /// No event follows.
    ///
    /// # Errors
    ///
    /// The output may have lost text.
    pub fn finish(&mut self) -> Result<()> {
        self.output.finish()
    }

    /// Writes what a partial settles, in the order of the utterances.
    fn show(&mut self, utterance: u64, hypothesis: &Hypothesis) -> Result<()> {
        if hypothesis.text.is_empty() {
            self.open.remove(&utterance);
        } else {
            self.open.insert(utterance);
        }
        if self.as_you_speak && self.open.first() == Some(&utterance) {
            self.settle(utterance, hypothesis)?;
        }
        Ok(())
    }

    /// Writes the words that are settled.
    fn settle(&mut self, utterance: u64, hypothesis: &Hypothesis) -> Result<()> {
        let stable = hypothesis.stable_text().split_whitespace().count();
        let words = spoken_words(hypothesis);
        let words = &words[..stable.min(words.len())];
        let sure = stable.saturating_sub(HELD_BACK.max(self.commands.longest()));
        let mut pieces = self.cursor.clone().pieces(words);
        pieces.retain(|piece| piece.words.end <= sure);
        let is_begun = self.draft.utterance == utterance && self.draft.words > 0;
        if pieces.last().is_some_and(|last| !is_begun || last.words.end > self.draft.words) {
            let draft = self.remove_draft(utterance)?;
            let spacing = self.cursor.spacing.clone();
            let words = pieces.last().map_or(0, |last| last.words.end);
            let text = self.rewrite(draft, &pieces, &spacing)?;
            self.draft = Draft { utterance, text, words };
        }
        Ok(())
    }

    /// Writes a segment, and obeys the commands in it.
    fn finalize(&mut self, utterance: u64, hypothesis: &Hypothesis) -> Result<Asked> {
        self.open.remove(&utterance);
        if hypothesis.is_out_of_grammar() {
            failure::warn(
                "something was said that is not in the grammar; nothing is written for it",
            );
            return Ok(Asked::ToGoOn);
        }
        let draft = self.remove_draft(utterance)?;
        let words = spoken_words(hypothesis);
        let commands = self.commands.clone();
        let (count, mut actions) = commands.split(&words);
        let before = self.cursor.clone();
        let mut pieces = self.cursor.pieces(&words[..count]);
        if count > 0 && actions.first() == Some(&&Action::Undo) {
            // The text is taken back before it is written.
            actions.remove(0);
            log::info!("taken back: {}", FormattedWord::join(&pieces));
            pieces.clear();
            self.cursor = before.clone();
        }
        let text = self.rewrite(draft, &pieces, &before.spacing)?;
        self.cursor.spacing.accept(&text);
        self.remember(&text, before);
        actions.into_iter().try_fold(Asked::ToGoOn, |asked, action| {
            self.perform(action)?;
            Ok(if *action == Action::Stop { Asked::ToStop } else { asked })
        })
    }

    /// The draft of an utterance. That of another one, whose final is late, is withdrawn.
    fn remove_draft(&mut self, utterance: u64) -> Result<Draft> {
        let draft = std::mem::take(&mut self.draft);
        if draft.utterance != utterance && draft.words > 0 {
            let spacing = self.cursor.spacing.clone();
            let left = self.rewrite(draft, &[], &spacing)?;
            self.cursor.spacing.accept(&left);
            return Ok(Draft::default());
        }
        Ok(draft)
    }

    /// Writes an utterance's pieces in place of its draft; returns what is written of it then.
    fn rewrite(
        &mut self,
        draft: Draft,
        pieces: &[FormattedWord],
        before: &Spacing,
    ) -> Result<String> {
        let text = before.joined(&FormattedWord::join(pieces));
        let common = common_prefix(&draft.text, &text);
        let surplus = draft.text[common..].chars().count();
        if surplus == 0 || self.erase(surplus) {
            if text.len() > common {
                self.output.insert(&text[common..])?;
            }
            return Ok(text);
        }
        // What is written stays, and the words behind it follow.
        let follow = pieces.iter().position(|piece| piece.words.end > draft.words);
        let mut spacing = before.clone();
        spacing.accept(&draft.text);
        let rest = follow.map(|first| spacing.joined(&FormattedWord::join(&pieces[first..])));
        let rest = rest.unwrap_or_default();
        if !rest.is_empty() {
            self.output.insert(&rest)?;
        }
        Ok(draft.text + &rest)
    }

    /// Erases the last characters; reports where that can't be done.
    fn erase(&mut self, characters: usize) -> bool {
        if self.as_you_speak && !self.output.can_erase() {
            return false;
        }
        let erased = self.output.erase(characters);
        if let Err(error) = &erased {
            failure::warn(&format!("not removed: {}", failure::one_line(error)));
        }
        erased.is_ok()
    }

    fn remember(&mut self, text: &str, before: Cursor) {
        if !text.is_empty() {
            self.written.push(Written { characters: text.chars().count(), before });
            let surplus = self.written.len().saturating_sub(MOST_REMOVABLE);
            self.written.drain(..surplus);
        }
    }

    fn perform(&mut self, action: &Action) -> Result<()> {
        match action {
            Action::Insert(text) => return self.insert(text),
            Action::Press(chord) => self.press(chord),
            Action::Undo => self.undo(),
            Action::Start(program) => {
                if let Err(error) = start(program) {
                    failure::warn(&failure::one_line(&error));
                }
            }
            Action::Stop => {}
        }
        Ok(())
    }

    /// Writes a command's text.
    fn insert(&mut self, text: &str) -> Result<()> {
        let before = self.cursor.clone();
        let text = before.spacing.joined(text);
        self.output.insert(&text)?;
        self.cursor.accept(&text);
        self.remember(&text, before);
        Ok(())
    }

    /// Presses keys. What is written may then stand elsewhere, and is not removed.
    fn press(&mut self, chord: &Chord) {
        if let Err(error) = self.output.press(chord) {
            failure::warn(&failure::one_line(&error));
            return;
        }
        self.written.clear();
        if chord.is_return() {
            self.cursor.accept("\n");
        }
    }

    /// Removes the last segment.
    fn undo(&mut self) {
        let Some(Written { characters, before }) = self.written.pop() else {
            failure::warn("there is no segment to remove");
            return;
        };
        match self.output.erase(characters) {
            Ok(()) => self.cursor = before,
            Err(error) => {
                failure::warn(&format!("not removed: {}", failure::one_line(&error)));
                self.written.push(Written { characters, before });
            }
        }
    }
}

impl Cursor {
    /// The form of an utterance's words.
    fn pieces(&mut self, words: &[SpokenWord]) -> Vec<FormattedWord> {
        match &mut self.formatter {
            Some(formatter) => formatter.words(words.iter().copied()),
            None => words
                .iter()
                .enumerate()
                .map(|(at, word)| FormattedWord::new(word.text, at..at + 1))
                .collect(),
        }
    }

    /// Goes on behind a text that nobody said.
    fn accept(&mut self, text: &str) {
        self.spacing.accept(text);
        let is_beside = |mark: char| !mark.is_alphanumeric() && !"\n.?!".contains(mark);
        let ends = text.trim_end_matches(is_beside).ends_with(['\n', '.', '?', '!']);
        if let Some(formatter) = self.formatter.as_mut().filter(|_| ends) {
            formatter.begin_sentence();
        }
    }
}

/// The words of a hypothesis, with the pauses between them.
fn spoken_words(hypothesis: &Hypothesis) -> Vec<SpokenWord<'_>> {
    let words = hypothesis.words.iter();
    SpokenWord::timed(words.map(|word| (word.text.as_str(), word.start..word.end)))
}

/// The length in bytes of what two texts begin with.
fn common_prefix(one: &str, other: &str) -> usize {
    let pairs = one.chars().zip(other.chars());
    pairs.take_while(|(one, other)| one == other).map(|(one, _)| one.len_utf8()).sum()
}

/// Starts a program that goes on by itself.
fn start(program: &[String]) -> Result<()> {
    let Some((name, arguments)) = program.split_first() else { return Ok(()) };
    let started = process::Command::new(name).args(arguments).stdin(process::Stdio::null()).spawn();
    let mut child = started.with_context(|| format!("{name}: can't be started"))?;
    // Its exit status is for the system, which keeps the process until it is waited for.
    thread::spawn(move || child.wait());
    Ok(())
}

#[cfg(test)]
mod tests;
