//! Cuts utterances into subtitle cues that can be read: at most two lines of 42 characters, as a
//! rule 17 characters in a second, cut where phrases end.
//!
//! The figures are those of the guidelines of Netflix and the BBC. An utterance's words are cut where
//! the sum of all cues' costs is least.

use std::time::Duration;

use super::phrasing::break_cost;
use crate::utterance::{Utterance, Word};

/// Characters in a line.
const LINE_CHARS: usize = 42;
const LONGEST: Duration = Duration::from_secs(7);
/// A cue stays at least so long, where the next one leaves it the time.
const SHORTEST: Duration = Duration::from_secs(1);
/// Characters that are read in a second.
const READ_PER_SECOND: f64 = 17.0;
/// Between two cues the screen is empty for two frames of film.
const GAP: Duration = Duration::from_millis(83);
/// A longer pause leaves the screen empty; a shorter one would flicker.
const FLICKER: Duration = Duration::from_millis(500);

/// The costs of a cue, of one of few characters, of one word alone, and of each character in a second
/// too many.
const CUE: f64 = 2.0;
const FEW: f64 = 2.0;
const ORPHAN: f64 = 5.0;
const HURRY: f64 = 0.3;
/// The cost of lines whose lengths differ by a whole line.
const UNEVEN: f64 = 2.0;

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

/// Keeps a cue on the screen until it can be read, but not into the gap before the next.
fn linger(mut cue: Cue, next: Option<Duration>) -> Cue {
    let chars: usize = cue.lines.iter().map(|line| line.chars().count()).sum();
    let reading = Duration::from_secs_f64(chars as f64 / READ_PER_SECOND).min(LONGEST);
    cue.end = cue.end.max(cue.start + SHORTEST.max(reading));
    let Some(next) = next else { return cue };
    let latest = next.saturating_sub(GAP);
    if latest <= cue.start {
        cue.end = next.max(cue.start);
    } else if cue.end + FLICKER > latest {
        let is_near = latest.saturating_sub(cue.start) <= LONGEST;
        cue.end = if is_near { latest } else { cue.end.min(latest) };
    }
    cue
}

/// Cuts words into the cues that cost least together.
fn cut(words: &[Word]) -> Vec<Cue> {
    // The least cost of the words before each place, and where the last of their cues begins.
    let mut best: Vec<(f64, usize)> = vec![(0.0, 0)];
    for to in 1..=words.len() {
        let from = (0..to).rev().take_while(|&from| from + 1 == to || fits(&words[from..to]));
        let costs = from.map(|from| (best[from].0 + cost(words, from, to), from));
        best.push(costs.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((0.0, to - 1)));
    }
    let mut cues = Vec::new();
    let mut to = words.len();
    while to > 0 {
        let from = best[to].1;
        cues.push(Cue {
            start: words[from].start,
            end: words[to - 1].end.min(words[from].start + LONGEST),
            lines: wrap(&words[from..to]),
        });
        to = from;
    }
    cues.reverse();
    cues
}

/// What the cue of these words costs, the break before it included.
fn cost(words: &[Word], from: usize, to: usize) -> f64 {
    let cue = &words[from..to];
    let chars = width(cue);
    let next = words.get(to).map_or(cue[cue.len() - 1].end + SHORTEST, |next| next.start);
    let seconds = next.saturating_sub(cue[0].start).as_secs_f64().max(0.1);
    let hurry = (chars as f64 / seconds - READ_PER_SECOND).max(0.0) * HURRY;
    let shortness = (1.0 - chars as f64 / LINE_CHARS as f64).max(0.0).powi(2) * FEW;
    let orphan = if cue.len() == 1 && words.len() > 1 { ORPHAN } else { 0.0 };
    let before = if from == 0 { 0.0 } else { break_cost(&words[from - 1], &words[from]) };
    CUE + hurry + shortness + orphan + before + line_cost(cue)
}

fn fits(words: &[Word]) -> bool {
    words[words.len() - 1].end.saturating_sub(words[0].start) <= LONGEST && split(words).is_some()
}

/// Characters of the words with spaces between.
fn width(words: &[Word]) -> usize {
    words.iter().map(|word| word.text.chars().count() + 1).sum::<usize>().saturating_sub(1)
}

/// What the break of the lines costs.
fn line_cost(words: &[Word]) -> f64 {
    match split(words) {
        Some(at) if at < words.len() => split_cost(words, at),
        _ => 0.0,
    }
}

/// Where the second line begins; behind the words if there is one line, none if two do not suffice.
fn split(words: &[Word]) -> Option<usize> {
    if width(words) <= LINE_CHARS {
        return Some(words.len());
    }
    let is_line = |words: &[Word]| width(words) <= LINE_CHARS;
    let places = (1..words.len()).filter(|&at| is_line(&words[..at]) && is_line(&words[at..]));
    places.min_by(|&a, &b| split_cost(words, a).total_cmp(&split_cost(words, b)))
}

fn split_cost(words: &[Word], at: usize) -> f64 {
    let (first, second) = (width(&words[..at]) as f64, width(&words[at..]) as f64);
    let orphan = if at == 1 || at + 1 == words.len() { 1.0 } else { 0.0 };
    break_cost(&words[at - 1], &words[at])
        + UNEVEN * (first - second).abs() / LINE_CHARS as f64
        + orphan
}

/// The lines of a cue. A word longer than a line has a line of its own.
fn wrap(words: &[Word]) -> Vec<String> {
    let line =
        |words: &[Word]| words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
    match split(words) {
        Some(at) if at < words.len() => vec![line(&words[..at]), line(&words[at..])],
        _ => vec![line(words)],
    }
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

    fn lines(text: &str) -> Vec<Vec<String>> {
        cues(&[utterance(0, text)]).into_iter().map(|cue| cue.lines).collect()
    }

    #[test]
    fn a_long_utterance_is_cut_where_lines_or_time_run_out() {
        let text = ["WORD"; 61].join(" ");
        let cues = cues(&[utterance(500, &text)]);
        assert!(cues.len() > 1);
        for cue in &cues {
            assert!(cue.lines.len() <= 2, "{cue:?}");
            assert!(cue.lines.iter().all(|line| line.len() <= LINE_CHARS), "{cue:?}");
            assert!(cue.end - cue.start <= LONGEST, "{cue:?}");
            assert!(cue.lines.concat().len() > 20, "{cue:?}");
        }
        assert!(cues.windows(2).all(|pair| pair[0].end + GAP <= pair[1].start));
        let lines: Vec<_> = cues.into_iter().flat_map(|cue| cue.lines).collect();
        assert_eq!(lines.join(" "), text);
    }

    #[test]
    fn no_word_is_left_alone() {
        for count in 2..40 {
            let text = ["letters"; 40][..count].join(" ");
            for cue in lines(&text) {
                assert!(cue.join(" ").contains(' '), "{count}: {cue:?}");
            }
        }
    }

    #[test]
    fn cues_end_with_phrases() {
        let text = "There is nothing in the world that I should like better than to see you happy. \
                    She left the old house, and nobody knew where she had gone.";
        let found = lines(text);
        assert!(found.iter().flatten().all(|line| line.len() <= LINE_CHARS), "{found:?}");
        for boundary in ["happy.", "house,"] {
            assert!(found.iter().flatten().any(|line| line.ends_with(boundary)), "{found:?}");
        }
        assert_eq!(found.last().unwrap(), &["and nobody knew where she had gone."]);
    }

    #[test]
    fn lines_do_not_end_with_words_that_belong_to_the_next() {
        let text = "We walked along the river to the bridge at the end of the old town and back";
        for line in lines(text).into_iter().flatten() {
            let last = line.rsplit(' ').next().unwrap();
            assert!(!["the", "to", "at", "of", "and"].contains(&last), "{line}");
        }
    }

    #[test]
    fn wide_words_fill_two_lines_before_time_runs_out() {
        let found = lines(&["EXTRAORDINARILY"; 5].join(" "));
        assert!(
            found.iter().all(|lines| lines.len() <= 2 && lines.concat().len() >= 30),
            "{found:?}"
        );
    }

    #[test]
    fn a_word_longer_than_a_line_is_kept_whole() {
        let word = "A".repeat(100);
        assert_eq!(cues(&[utterance(0, &word)])[0].lines, std::slice::from_ref(&word));
        let found = lines(&format!("yes {word} no"));
        assert!(found.iter().flatten().any(|line| *line == word), "{found:?}");
    }

    #[test]
    fn a_short_cue_lingers_until_the_gap_before_the_next() {
        let ends = |utterances: &[Utterance]| -> Vec<_> {
            cues(utterances).iter().map(|cue| cue.end.as_millis()).collect()
        };
        assert_eq!(ends(&[utterance(0, "YES"), utterance(600, "NO")]), [517, 1_600]);
        // Less than half a second of empty screen would flicker; more is left empty.
        assert_eq!(ends(&[utterance(0, "YES"), utterance(1_400, "NO")]), [1_317, 2_400]);
        assert_eq!(ends(&[utterance(0, "YES"), utterance(3_000, "NO")]), [1_000, 4_000]);
    }

    #[test]
    fn a_cue_stays_until_it_can_be_read() {
        let mut quick = utterance(0, &["letters"; 5].join(" "));
        quick
            .words
            .iter_mut()
            .for_each(|word| (word.start, word.end) = (word.start / 4, word.end / 4));
        let cue = &cues(&[quick])[0];
        let chars = cue.lines.concat().len() as f64;
        assert!(chars / (cue.end - cue.start).as_secs_f64() <= READ_PER_SECOND + 0.01, "{cue:?}");
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
