//! Log-probabilities in, keywords out, one encoder frame at a time.

use std::collections::VecDeque;
use std::time::Duration;

use super::graph::{Frame, PhraseGraph, WordStart};
use super::picker::{Candidate, Picker};
use super::{Keyword, KeywordHit, check_threshold};
use crate::error::{Error, Result};
use crate::lexicon::Lexicon;
use crate::lexicon::speller::Speller;
use crate::lexicon::tokens::{TokenId, TokenTable};

/// Finds phrases in log-probabilities; what it is given in pieces makes no difference.
///
/// A hit is given once the word has ended, by a boundary token or four encoder frames of
/// blanks, and no better end of it has come for four more. Phrases don't know of one
/// another: where one contains another, both are given.
///
/// A [`Stream`](crate::session::stream::Stream) whose configuration has keywords does all this by itself.
///
/// ```
/// use mynah::{Keyword, KeywordSpotter, TokenId, TokenTable};
///
/// let tokens = TokenTable::parse("<blank>\n▁\nH\nI\n", TokenId(0))?;
/// let mut spotter = KeywordSpotter::new(&[Keyword::new("hi")], &tokens)?;
/// // Ten encoder frames in which blank, H and I are likeliest in turn.
/// for (frame, likeliest) in [0, 2, 3, 0, 0, 0, 0, 0, 0, 0].into_iter().enumerate() {
///     let mut log_probs = [-6.0; 4];
///     log_probs[likeliest] = -0.1;
///     spotter.accept(frame as u64, &log_probs);
/// }
/// spotter.finish();
/// let hit = spotter.next_hit().expect("it was said");
/// assert_eq!((hit.index, hit.start_frame, hit.end_frame), (0, 1, 2));
/// # Ok::<(), mynah::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct KeywordSpotter {
    keywords: Vec<Listening>,
    tokens: usize,
    /// The number of phones whose log-probabilities follow the tokens', if phrases are searched by phones.
    phones: Option<usize>,
    blank: TokenId,
    boundary: Option<TokenId>,
    word_start: WordStart,
    hits: VecDeque<FrameHit>,
}

/// A hit in encoder frames.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrameHit {
    /// The position of the keyword in the list that the spotter was made from.
    pub index: usize,
    /// The first token's first frame.
    pub start_frame: u64,
    /// The last token's last frame.
    pub end_frame: u64,
    /// See [`KeywordHit::confidence`].
    pub confidence: f32,
}

#[derive(Clone, Debug)]
struct Listening {
    threshold: f32,
    /// One for each way in which the phrase may be said.
    graphs: Vec<PhraseGraph>,
    picker: Picker,
}

/// The ways to say a phrase that are searched at most.
const MOST_VARIANTS: usize = 16;

impl KeywordSpotter {
    /// Spells the phrases with the tokens.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] with the phrase if it is empty or the tokens can't spell it, or if its
    /// threshold is out of range.
    pub fn new(keywords: &[Keyword], tokens: &TokenTable) -> Result<Self> {
        let speller = Speller::new(tokens);
        let boundary = speller.boundary();
        Self::with(keywords, tokens, None, |phrase| {
            let mut spelled = speller.spell(phrase)?;
            spelled.retain(|&id| Some(id) != boundary);
            Ok(vec![spelled])
        })
    }

    /// Takes the phrases by the phones of their words: by the lexicon, or by its rules.
    ///
    /// # Errors
    ///
    /// As [`KeywordSpotter::new`], and for a word that nothing pronounces.
    pub fn with_pronunciations(
        keywords: &[Keyword],
        tokens: &TokenTable,
        lexicon: &Lexicon,
    ) -> Result<Self> {
        let speller = Speller::new(tokens);
        Self::with(keywords, tokens, Some(lexicon.phone_count()), |phrase| {
            let ids = speller.spell(phrase)?;
            let mut variants = vec![Vec::new()];
            for word in tokens.text(ids).split_whitespace() {
                let said = lexicon.of_word(word);
                if said.is_empty() {
                    return Err(format!("no rule pronounces the word {word:?}"));
                }
                let longer = |before: &Vec<TokenId>| {
                    let before = before.clone();
                    said.iter().map(move |phones| {
                        let phones = phones.iter().map(|&phone| TokenId(phone.into()));
                        before.iter().copied().chain(phones).collect()
                    })
                };
                variants = variants.iter().flat_map(longer).take(MOST_VARIANTS).collect();
            }
            Ok(variants)
        })
    }

    /// By phones if there are pronunciations, else by tokens.
    pub(crate) fn of(
        keywords: &[Keyword],
        tokens: &TokenTable,
        lexicon: Option<&Lexicon>,
    ) -> Result<Self> {
        match lexicon {
            Some(said) => Self::with_pronunciations(keywords, tokens, said),
            None => Self::new(keywords, tokens),
        }
    }

    /// `labels` gives the ways to say a phrase, none of them empty.
    fn with(
        keywords: &[Keyword],
        tokens: &TokenTable,
        phones: Option<usize>,
        labels: impl Fn(&str) -> Result<Vec<Vec<TokenId>>, String>,
    ) -> Result<Self> {
        let boundary = Speller::new(tokens).boundary();
        let listen = |Keyword { phrase, threshold }: &Keyword| {
            let wrong = |reason| Error::Config(format!("keyword {phrase:?}: {reason}"));
            check_threshold(*threshold).map_err(wrong)?;
            let graphs = labels(phrase).map_err(wrong)?.into_iter().map(PhraseGraph::new).collect();
            Ok(Listening { threshold: *threshold, graphs, picker: Picker::default() })
        };
        Ok(Self {
            keywords: keywords.iter().map(listen).collect::<Result<_>>()?,
            tokens: tokens.len(),
            phones,
            blank: tokens.blank(),
            boundary,
            word_start: WordStart::new(),
            hits: VecDeque::new(),
        })
    }

    /// Takes the natural log-probabilities of one encoder frame, `[tokens]` or, with pronunciations,
    /// `[tokens + phones]`, and its place in time.
    ///
    /// A frame with another number of values, or with one that is no number, is taken for the end
    /// of what was said, as in [`KeywordSpotter::finish`].
    pub fn accept(&mut self, place: u64, log_probs: &[f32]) {
        let sound = !log_probs.iter().any(|value| value.is_nan());
        if !sound || log_probs.len() != self.tokens + self.phones.unwrap_or(0) {
            return self.finish();
        }
        let likeliest = |row: &[f32]| row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let (letters, phones) = log_probs.split_at(self.tokens);
        let (log_probs, blank) =
            if self.phones.is_some() { (phones, TokenId(0)) } else { (letters, self.blank) };
        let (best, best_letter) = (likeliest(log_probs), likeliest(letters));
        if !best.is_finite() || !best_letter.is_finite() {
            return self.finish();
        }
        let blank = log_probs[blank.0 as usize] - best;
        // Phones have no boundary token; words end where the letters' boundary is.
        let boundary =
            self.boundary.map_or(f32::NEG_INFINITY, |id| letters[id.0 as usize] - best_letter);
        let entry = self.word_start.entry();
        // A boundary within the phrase costs nothing: the model splits and joins words at will.
        let gap = if self.phones.is_some() { blank } else { blank.max(boundary) };
        let frame = Frame { place, log_probs, best, blank, boundary, gap, entry };
        for (index, keyword) in self.keywords.iter_mut().enumerate() {
            let settled = keyword.accept(&frame);
            self.hits.extend(settled.map(|candidate| FrameHit::new(index, candidate)));
        }
        self.word_start.accept(blank, boundary);
    }

    /// Gives the oldest hit not yet given.
    pub fn next_hit(&mut self) -> Option<FrameHit> {
        self.hits.pop_front()
    }

    /// Settles the hits that a better one was waited for, and begins anew: what comes next does
    /// not follow what came before. Hits not yet given stay.
    pub fn finish(&mut self) {
        for (index, keyword) in self.keywords.iter_mut().enumerate() {
            let settled = keyword.picker.finish();
            self.hits.extend(settled.map(|candidate| FrameHit::new(index, candidate)));
            keyword.graphs.iter_mut().for_each(PhraseGraph::clear);
        }
        self.word_start = WordStart::new();
    }
}

impl Listening {
    fn accept(&mut self, frame: &Frame) -> Option<Candidate> {
        let mut best = Candidate { confidence: 0.0, start: 0, end: 0 };
        for graph in &mut self.graphs {
            let path = graph.accept(frame);
            let confidence = (path.score / graph.len() as f32).exp();
            if confidence > best.confidence {
                best = Candidate { confidence, start: path.start, end: path.end };
            }
        }
        self.picker.accept((best.confidence >= self.threshold).then_some(best))
    }
}

impl FrameHit {
    fn new(index: usize, Candidate { confidence, start, end }: Candidate) -> Self {
        Self { index, start_frame: start, end_frame: end, confidence }
    }
}

impl KeywordHit {
    /// `time_of` gives the audio time at which an encoder frame begins.
    pub(crate) fn new(
        hit: FrameHit,
        keywords: &[Keyword],
        time_of: impl Fn(u64) -> Duration,
    ) -> Self {
        Self {
            index: hit.index,
            phrase: keywords[hit.index].phrase.clone(),
            start: time_of(hit.start_frame),
            end: time_of(hit.end_frame + 1),
            confidence: hit.confidence,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKENS: &str = "<blank>\n▁\nA\nB\nC\nL\n";

    fn spotter(keywords: &[&str]) -> KeywordSpotter {
        let tokens = TokenTable::parse(TOKENS, TokenId(0)).unwrap();
        let keywords: Vec<Keyword> = keywords.iter().map(|text| text.parse().unwrap()).collect();
        KeywordSpotter::new(&keywords, &tokens).unwrap()
    }

    /// The log-probabilities of a frame in which the token is likeliest; `.` is the blank.
    fn row(likeliest: char, confident: f32) -> [f32; 6] {
        let id = ".▁ABCL".chars().position(|c| c == likeliest).unwrap();
        let rest = ((1.0 - confident) / 5.0).ln();
        std::array::from_fn(|i| if i == id { confident.ln() } else { rest })
    }

    fn hits(spotter: &mut KeywordSpotter) -> Vec<FrameHit> {
        std::iter::from_fn(|| spotter.next_hit()).collect()
    }

    /// Hears a frame per character, then the end.
    fn spot(keywords: &[&str], frames: &str) -> Vec<FrameHit> {
        let mut spotter = spotter(keywords);
        for (frame, likeliest) in (0..).zip(frames.chars()) {
            spotter.accept(frame, &row(likeliest, 0.9));
        }
        spotter.finish();
        hits(&mut spotter)
    }

    /// Index, first and last frame of each hit.
    fn places(hits: &[FrameHit]) -> Vec<(usize, u64, u64)> {
        hits.iter().map(|hit| (hit.index, hit.start_frame, hit.end_frame)).collect()
    }

    /// Accepts a frame per pair of a letter and a phone, then the end.
    fn spotted_by_phones(keyword: &str, frames: &[(char, u32)]) -> Vec<FrameHit> {
        let tokens = TokenTable::parse(TOKENS, TokenId(0)).unwrap();
        let text = "AB\tAB BA\nC\tC";
        let lexicon = Lexicon::parse("<blank>\nP\nQ\nR", text).unwrap();
        let keywords = [keyword.parse().unwrap()];
        let mut spotter =
            KeywordSpotter::with_pronunciations(&keywords, &tokens, &lexicon).unwrap();
        for (frame, &(letter, phone)) in (0..).zip(frames) {
            let phones: [f32; 4] =
                std::array::from_fn(|id| if id as u32 == phone { -0.1 } else { -4.0 });
            spotter.accept(frame, &[&row(letter, 0.9)[..], &phones].concat());
        }
        spotter.finish();
        hits(&mut spotter)
    }

    #[test]
    fn phrases_are_found_by_the_phones_of_any_pronunciation() {
        let after = [('.', 0); 8];
        for said in
            [[('.', 0), ('.', 1), ('.', 2), ('.', 3)], [('.', 0), ('.', 2), ('.', 1), ('.', 3)]]
        {
            let found = spotted_by_phones("ab c:0.5", &[&said[..], &after].concat());
            assert_eq!(places(&found), [(0, 1, 3)], "{said:?}");
        }
        let other = [('.', 0), ('.', 1), ('.', 1), ('.', 3)];
        assert_eq!(spotted_by_phones("ab c:0.5", &[&other[..], &after].concat()), []);
    }

    #[test]
    fn the_boundary_of_letters_ends_words_of_phones() {
        let within = [('.', 0), ('.', 3), ('A', 1), ('A', 1), ('.', 0)];
        assert_eq!(spotted_by_phones("c:0.5", &within), []);
        let before_a_word = [('.', 0), ('.', 3), ('▁', 0), ('A', 1), ('.', 0)];
        assert_eq!(places(&spotted_by_phones("c:0.5", &before_a_word)), [(0, 1, 1)]);
    }

    #[test]
    fn a_word_that_nothing_pronounces_is_named() {
        let tokens = TokenTable::parse(TOKENS, TokenId(0)).unwrap();
        let lexicon = Lexicon::parse("<blank>\nP", "A\tA").unwrap();
        let keywords = [Keyword::new("a ball")];
        let error = KeywordSpotter::with_pronunciations(&keywords, &tokens, &lexicon);
        let expected = "keyword \"a ball\": no rule pronounces the word \"BALL\"";
        assert_eq!(error.map(|_| ()).unwrap_err().to_string(), expected);
    }

    #[test]
    fn tokens_repeat_and_have_blanks_between_them() {
        for frames in ["..ABC.......", "..ABC▁......", "▁▁ABC▁C▁"] {
            let found = spot(&["abc"], frames);
            assert_eq!(places(&found), [(0, 2, 4)], "{frames}");
            assert!(found[0].confidence > 0.99, "{frames}: {found:?}");
        }
        let found = spot(&["abc:0.5"], "...A..BB.....C.........");
        assert_eq!(places(&found), [(0, 3, 13)]);
    }

    #[test]
    fn a_likely_substitute_lowers_the_confidence_and_can_fall_below_the_threshold() {
        // One of three tokens has 0.02 of probability beside 0.9.
        let expected = (0.02f32 / 0.9).powf(1.0 / 3.0);
        let found = spot(&["abc"], "..ALC.......");
        assert_eq!(places(&found), [(0, 2, 4)]);
        assert!((found[0].confidence - expected).abs() < 1e-4, "{found:?}, {expected}");
        assert_eq!(spot(&["abc:0.3"], "..ALC......."), []);
    }

    #[test]
    fn words_begin_and_end_where_the_phrase_does() {
        assert_eq!(spot(&["abc:0.5"], "..ABCA▁....."), []);
        assert_eq!(spot(&["abc:0.5"], "..BABC......"), []);
        assert_eq!(spot(&["abc:0.5"], "..A.ABC.A..."), []);
        assert_eq!(places(&spot(&["abc:0.5"], "▁B▁ABC▁A....")), [(0, 3, 5)]);
    }

    #[test]
    fn the_space_between_words_may_be_spoken_or_not() {
        for frames in ["..AB▁C......", "..AB.C......", "..A▁BC......"] {
            assert_eq!(places(&spot(&["ab c:0.9"], frames)), [(0, 2, 5)], "{frames}");
            assert_eq!(places(&spot(&["abc:0.9"], frames)), [(0, 2, 5)], "{frames}");
        }
    }

    #[test]
    fn doubled_letters_need_something_between_them() {
        assert_eq!(places(&spot(&["all:0.5"], "..AL.L......")), [(0, 2, 5)]);
        assert_eq!(places(&spot(&["al l:0.5"], "..AL▁L......")), [(0, 2, 5)]);
        assert_eq!(spot(&["all:0.5"], "..ALLLL....."), []);
        assert_eq!(places(&spot(&["al:0.5", "all:0.5"], "..ALLLL.....")), [(0, 2, 6)]);
    }

    #[test]
    fn each_occurrence_is_given_once() {
        let found = spot(&["abc"], "..ABCC......ABC▁ABC....ABBBC.......");
        assert_eq!(places(&found), [(0, 2, 5), (0, 12, 14), (0, 16, 18), (0, 23, 27)]);
    }

    #[test]
    fn phrases_that_overlap_are_both_given() {
        let found = spot(&["a b", "b c", "a b c"], "..A▁B▁C......");
        let mut found = places(&found);
        found.sort_unstable();
        assert_eq!(found, [(0, 2, 4), (1, 4, 6), (2, 2, 6)]);
    }

    #[test]
    fn hits_come_when_the_word_has_ended_and_carry_the_places_given() {
        let mut spotter = spotter(&["ab"]);
        for (place, likeliest) in (100..).zip("..AB..........".chars()) {
            spotter.accept(place, &row(likeliest, 0.9));
            let found = hits(&mut spotter);
            if place < 107 {
                assert_eq!(found, [], "{place}");
            } else if !found.is_empty() {
                assert_eq!(places(&found), [(0, 102, 103)]);
                return assert!(place <= 111, "{place}");
            }
        }
        panic!("no hit");
    }

    #[test]
    fn what_follows_finish_does_not_follow_what_came_before() {
        let mut spotter = spotter(&["abc"]);
        "..AB".chars().for_each(|likeliest| spotter.accept(0, &row(likeliest, 0.9)));
        spotter.finish();
        "C.......".chars().for_each(|likeliest| spotter.accept(0, &row(likeliest, 0.9)));
        spotter.finish();
        assert_eq!(spotter.next_hit(), None);
    }

    #[test]
    fn frames_without_sense_end_what_was_said_and_do_no_harm() {
        let broken: [&[f32]; 5] =
            [&[], &[0.0; 5], &[f32::NAN; 6], &[f32::NEG_INFINITY; 6], &[f32::INFINITY; 6]];
        for row_without_sense in broken {
            let mut spotter = spotter(&["abc:0.5"]);
            "..AB".chars().for_each(|likeliest| spotter.accept(0, &row(likeliest, 0.9)));
            spotter.accept(0, row_without_sense);
            "C.......".chars().for_each(|likeliest| spotter.accept(0, &row(likeliest, 0.9)));
            assert_eq!(spotter.next_hit(), None, "{row_without_sense:?}");
            for (place, likeliest) in (20..).zip("▁ABC▁......".chars()) {
                spotter.accept(place, &row(likeliest, 0.9));
            }
            spotter.finish();
            assert_eq!(places(&hits(&mut spotter)), [(0, 21, 23)], "{row_without_sense:?}");
        }
    }

    #[test]
    fn tokens_that_can_not_occur_are_no_numbers_to_stumble_over() {
        let mut spotter = spotter(&["abc"]);
        let sure = |likeliest| row(likeliest, 1.0);
        for (place, likeliest) in (0..).zip("..ABL.......ABC.......".chars()) {
            spotter.accept(place, &sure(likeliest));
        }
        spotter.finish();
        let found = hits(&mut spotter);
        assert_eq!(places(&found), [(0, 12, 14)]);
        assert_eq!(found[0].confidence, 1.0);
    }

    #[test]
    fn refuses_what_can_not_be_found() {
        let tokens = TokenTable::parse(TOKENS, TokenId(0)).unwrap();
        let error = |phrase: &str, threshold| {
            let keyword = Keyword { phrase: phrase.to_owned(), threshold };
            KeywordSpotter::new(&[keyword], &tokens).unwrap_err().to_string()
        };
        let no = "the model has no token for";
        assert_eq!(
            error("ab 7", 0.5),
            format!("keyword \"ab 7\": {no} '7'; write words in its letters")
        );
        assert_eq!(error(" ", 0.5), "keyword \" \": it is empty; write words, as in `lights off`");
        assert!(error("▁", 0.5).contains("stands for a space"), "{}", error("▁", 0.5));
        let range = "it must be above 0 and at most 1";
        assert_eq!(error("a", 1.5), format!("keyword \"a\": the threshold is 1.5; {range}"));
        assert_eq!(error("a", f32::NAN), format!("keyword \"a\": the threshold is NaN; {range}"));
    }
}
