//! Cuts utterances into subtitle cues that can be read: at most two lines of 42 characters, and
//! between one and seven seconds on the screen.

use std::time::Duration;

use crate::utterance::{Utterance, Word};

/// Characters in a line, as in the BBC's and Netflix's guidelines.
const LINE_CHARS: usize = 42;
const LINES: usize = 2;
const LONGEST: Duration = Duration::from_secs(7);
/// A cue stays at least so long, where the next one leaves it the time.
const SHORTEST: Duration = Duration::from_secs(1);

/// Text to be shown for a span of time, in one or two lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cue {
    pub start: Duration,
    pub end: Duration,
    pub lines: Vec<String>,
}

/// Turns utterances into cues; holds back the last until the start of the next is known.
#[derive(Default)]
pub struct Cues {
    held: Option<Cue>,
}

impl Cues {
    /// Cuts an utterance and returns the cues that are complete.
    pub fn push(&mut self, utterance: &Utterance) -> Vec<Cue> {
        let mut complete = Vec::new();
        for cue in cut(utterance.shown_words()) {
            complete.extend(self.held.take().map(|held| linger(held, Some(cue.start))));
            self.held = Some(cue);
        }
        complete
    }

    /// The last cue as it is if no other follows.
    pub fn last(&self) -> Option<Cue> {
        self.held.clone().map(|held| linger(held, None))
    }

    /// Returns the last cue.
    pub fn finish(&mut self) -> Option<Cue> {
        self.held.take().map(|held| linger(held, None))
    }
}

/// A time of a cue, `HH:MM:SS` and milliseconds after the format's decimal mark.
pub fn timestamp(time: Duration, mark: char) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}{mark}{:03}", time.subsec_millis())
}

/// Keeps a short cue on the screen, but not beyond the start of the next.
fn linger(mut cue: Cue, next: Option<Duration>) -> Cue {
    cue.end = cue.end.max(cue.start + SHORTEST);
    if let Some(next) = next {
        cue.end = cue.end.min(next.max(cue.start));
    }
    cue
}

/// Fills cues with words, each until the next word would make it too large or too long.
fn cut(words: &[Word]) -> Vec<Cue> {
    let mut cues: Vec<Cue> = Vec::new();
    let mut from = 0;
    for to in 1..=words.len() {
        let fits = to < words.len() && fits(&words[from..=to]);
        if !fits {
            let cue = &words[from..to];
            let end = cue[cue.len() - 1].end.min(cue[0].start + LONGEST);
            cues.push(Cue { start: cue[0].start, end, lines: wrap(cue) });
            from = to;
        }
    }
    cues
}

fn fits(words: &[Word]) -> bool {
    words[words.len() - 1].end - words[0].start <= LONGEST && wrap(words).len() <= LINES
}

/// Fills lines with words. A word longer than a line has a line of its own.
fn wrap(words: &[Word]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.text.chars().count() <= LINE_CHARS => {
                line.push(' ');
                line.push_str(&word.text);
            }
            _ => lines.push(word.text.clone()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::samples::utterance;

    fn cues(utterances: &[Utterance]) -> Vec<Cue> {
        let mut cues = Cues::default();
        let mut all: Vec<_> = utterances.iter().flat_map(|u| cues.push(u)).collect();
        all.extend(cues.finish());
        all
    }

    #[test]
    fn a_long_utterance_is_cut_where_lines_or_time_run_out() {
        let text = ["WORD"; 60].join(" ");
        let cues = cues(&[utterance(500, &text)]);
        assert!(cues.len() > 1);
        for cue in &cues {
            assert!(cue.lines.len() <= LINES, "{cue:?}");
            assert!(cue.lines.iter().all(|line| line.len() <= LINE_CHARS), "{cue:?}");
            assert!(cue.end - cue.start <= LONGEST, "{cue:?}");
        }
        assert!(cues.windows(2).all(|pair| pair[0].end <= pair[1].start));
        let lines: Vec<_> = cues.into_iter().flat_map(|cue| cue.lines).collect();
        assert_eq!(lines.join(" "), text);
    }

    #[test]
    fn wide_words_fill_two_lines_before_time_runs_out() {
        let cues = cues(&[utterance(0, &["EXTRAORDINARILY"; 5].join(" "))]);
        let lines: Vec<_> = cues.iter().map(|cue| cue.lines.len()).collect();
        assert_eq!(lines, [2, 1]);
    }

    #[test]
    fn a_word_longer_than_a_line_is_kept_whole() {
        let word = "A".repeat(100);
        assert_eq!(cues(&[utterance(0, &word)])[0].lines, [word]);
    }

    #[test]
    fn a_short_cue_lingers_until_the_next_begins() {
        let cues = cues(&[utterance(0, "YES"), utterance(600, "NO")]);
        let ends: Vec<_> = cues.iter().map(|cue| cue.end.as_millis()).collect();
        assert_eq!(ends, [600, 1600]);
    }

    #[test]
    fn formatted_words_last_as_long_as_what_was_said() {
        let mut utterance = utterance(0, "AT HALF PAST SEVEN COMMA NEW LINE HE SAID");
        utterance.format(&mut mynah::TextFormatter::default());
        let words = utterance.shown_words();
        let times = |word: &Word| (word.start.as_millis(), word.end.as_millis());
        assert_eq!((words[1].text.as_str(), times(&words[1])), ("7:30,", (400, 2_700)));
        assert_eq!(cues(&[utterance])[0].lines, ["At 7:30, He said"]);
    }

    #[test]
    fn times_run_beyond_an_hour() {
        assert_eq!(timestamp(Duration::from_millis(3_723_004), ','), "01:02:03,004");
    }
}
