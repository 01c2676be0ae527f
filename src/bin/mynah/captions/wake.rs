//! Captions that begin with a keyword and end with silence.

use std::time::Duration;

use mynah::{Event, Keyword, KeywordHit, decode::Hypothesis};

/// Decides which words are shown: those between a keyword and the next long silence.
#[derive(Clone, Debug)]
pub struct Wake {
    keyword: Keyword,
    /// The silence that ends captions.
    silence: Duration,
    /// When captions began and ended, in time order; the last may go on.
    spans: Vec<Span>,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    from: Duration,
    /// The end of the last word or keyword so far.
    last: Duration,
    to: Option<Duration>,
}

impl Wake {
    pub fn new(keyword: Keyword, silence: Duration) -> Self {
        Self { keyword, silence, spans: Vec::new() }
    }

    /// What is to be said.
    pub fn phrase(&self) -> &str {
        &self.keyword.phrase
    }

    /// Whether words of now are shown.
    pub fn is_awake(&self) -> bool {
        self.spans.last().is_some_and(|span| span.to.is_none())
    }

    /// Begins captions after a keyword, or keeps them going.
    pub fn hit(&mut self, hit: &KeywordHit) {
        match self.spans.last_mut().filter(|span| span.to.is_none()) {
            Some(span) => span.last = span.last.max(hit.end),
            None => self.spans.push(Span { from: hit.end, last: hit.end, to: None }),
        }
    }

    /// Ends captions once it has been silent for long enough.
    pub fn advance(&mut self, position: Duration) {
        let Some(span) = self.spans.last_mut().filter(|span| span.to.is_none()) else { return };
        if position.saturating_sub(span.last) >= self.silence {
            span.to = Some(position);
        }
    }

    /// Leaves those words of an event that are to be shown; gives whether there is something to show, or to
    /// withdraw.
    pub fn filter(&mut self, event: &mut Event) -> bool {
        let (Event::Partial { hypothesis, .. } | Event::Final { hypothesis, .. }) = event;
        let was_empty = hypothesis.text.is_empty();
        let before = hypothesis.words.len();
        let stable = hypothesis.stable_text().split_whitespace().count();
        let shown: Vec<_> = hypothesis.words.iter().map(|w| self.shows(w.start, w.end)).collect();
        if let Some(word) = hypothesis.words.last()
            && let Some(span) = self.spans.last_mut().filter(|span| span.to.is_none())
        {
            span.last = span.last.max(word.end);
        }
        if shown.iter().any(|shown| !shown) {
            retain(hypothesis, &shown, stable);
        }
        was_empty || before == 0 || !hypothesis.words.is_empty()
    }

    fn shows(&self, start: Duration, end: Duration) -> bool {
        let middle = start + end.saturating_sub(start) / 2;
        let holds = |span: &Span| middle >= span.from && span.to.is_none_or(|to| middle < to);
        self.spans.iter().any(holds)
    }
}

/// Leaves the words that are to be shown, of which `stable` of all come first.
fn retain(hypothesis: &mut Hypothesis, shown: &[bool], stable: usize) {
    let stable = shown.iter().take(stable).filter(|shown| **shown).count();
    let mut keep = shown.iter().copied();
    hypothesis.words.retain(|_| keep.next().unwrap_or(true));
    let texts: Vec<_> = hypothesis.words.iter().map(|word| word.text.as_str()).collect();
    hypothesis.stable = texts[..stable].join(" ").len();
    hypothesis.text = texts.join(" ");
    let (start, end) = match (hypothesis.words.first(), hypothesis.words.last()) {
        (Some(first), Some(last)) => (first.start, last.end),
        _ => (hypothesis.start, hypothesis.start),
    };
    // Alternatives and tokens are of other words.
    hypothesis.alternatives.clear();
    hypothesis.tokens.clear();
    (hypothesis.start, hypothesis.end) = (start, end);
}

#[cfg(test)]
mod tests {
    use mynah::decode::Word;

    use super::*;

    const SILENCE: Duration = Duration::from_secs(5);

    fn hit(end: u64) -> KeywordHit {
        let [start, end] = [Duration::from_secs(end - 1), Duration::from_secs(end)];
        KeywordHit { index: 0, phrase: "mynah".to_owned(), start, end, confidence: 0.9 }
    }

    /// Words of half a second, one each second from `start` on.
    fn hypothesis(start: u64, text: &str, stable: usize) -> Hypothesis {
        let word = |(number, text): (u64, &str)| {
            let start = Duration::from_secs(start + number);
            let end = start + Duration::from_millis(500);
            Word::new(text, start, end, 1.0)
        };
        let words: Vec<_> = (0..).zip(text.split(' ')).map(word).collect();
        let mut hypothesis = Hypothesis::default();
        (hypothesis.start, hypothesis.end) = (words[0].start, words[words.len() - 1].end);
        (hypothesis.text, hypothesis.stable) = (text.to_owned(), stable);
        hypothesis.words = words;
        hypothesis
    }

    /// What is left of words from `start` on.
    fn left(wake: &Wake, start: u64, text: &str, stable: usize) -> (String, String) {
        let mut hypothesis = hypothesis(start, text, stable);
        let shown: Vec<_> = hypothesis.words.iter().map(|w| wake.shows(w.start, w.end)).collect();
        let stable = hypothesis.stable_text().split_whitespace().count();
        retain(&mut hypothesis, &shown, stable);
        (hypothesis.stable_text().to_owned(), hypothesis.text)
    }

    #[test]
    fn words_between_the_keyword_and_silence_are_shown() {
        let mut wake = Wake::new(Keyword::new("mynah"), SILENCE);
        assert_eq!(left(&wake, 0, "ONE TWO", 7).1, "");
        assert!(!wake.is_awake());
        wake.hit(&hit(10));
        assert!(wake.is_awake());
        let (stable, text) = left(&wake, 8, "HEY MYNAH CALL THE DOCTOR", 14);
        assert_eq!((&*stable, &*text), ("CALL", "CALL THE DOCTOR"));
        wake.advance(Duration::from_secs(14));
        assert!(wake.is_awake());
        wake.advance(Duration::from_secs(15));
        assert!(!wake.is_awake());
        assert_eq!(left(&wake, 14, "YES NO", 0).1, "YES");
        wake.hit(&hit(20));
        assert_eq!(left(&wake, 18, "NO MYNAH YES", 0).1, "YES");
    }

    #[test]
    fn a_keyword_amid_captions_keeps_them_going() {
        let mut wake = Wake::new(Keyword::new("mynah"), SILENCE);
        wake.hit(&hit(2));
        wake.hit(&hit(6));
        wake.advance(Duration::from_secs(9));
        assert!(wake.is_awake());
        assert_eq!(left(&wake, 5, "ONE TWO", 0).1, "ONE TWO");
    }
}
