//! An utterance that is being formatted.

use super::SpokenWord;
use super::abbreviations::{self, Letter};
use super::casing::{self, raised};
use super::line::{FormattedWord, Join, Line};
use super::numbers::{self, Rewrite};
use super::spoken_marks::{self, SpokenMark};
use crate::lexicon::UserWord;
use crate::text::punctuation::{Case, Punctuation, PunctuationModel, Tag};

/// The words of an utterance, and what is known of them.
pub(super) struct Draft<'a> {
    words: Vec<&'a str>,
    /// The words in lower case.
    pub keys: Vec<String>,
    /// Whether the words have their case, and are not to be given one.
    is_cased: bool,
    /// A user word's form, by word.
    forms: Vec<Option<&'a str>>,
    pub marks: Vec<SpokenMark>,
    /// By word; none without a model and for spoken marks.
    pub tags: Vec<Option<Tag>>,
}

impl<'a> Draft<'a> {
    pub fn new(words: &[SpokenWord<'a>], user_words: &'a [UserWord]) -> Self {
        let words: Vec<_> = words.iter().map(|word| word.text).collect();
        let form = |word: &&str| {
            let is_it = |user: &&UserWord| user.written() == *word || user.spelled() == *word;
            user_words.iter().find(is_it).map(UserWord::written)
        };
        let forms: Vec<_> = words.iter().map(form).collect();
        let others = || words.iter().zip(&forms).filter(|(_, form)| form.is_none());
        let keys = words.iter().map(|word| word.replace('’', "'").to_lowercase()).collect();
        let letters = others().filter(|(word, _)| word.chars().any(char::is_alphabetic)).count();
        let lower = others().filter(|(word, _)| casing::has_lower(word)).count();
        let is_cased = lower > 0 && 2 * lower >= letters;
        Self { words, keys, is_cased, forms, marks: Vec::new(), tags: Vec::new() }
    }

    /// What may be spoken marks.
    pub fn candidates(&self) -> Vec<SpokenMark> {
        spoken_marks::find(&self.keys())
    }

    /// Whether a word belongs to a spoken mark.
    pub fn is_in_mark(&self, at: usize) -> bool {
        self.marks.iter().any(|mark| mark.words.contains(&at))
    }

    /// Writes the utterance; `begins` is whether a sentence begins with it, and then with the next one.
    pub fn write(&self, model: Option<&PunctuationModel>, begins: &mut bool) -> Vec<FormattedWord> {
        let keys = self.keys();
        let mut line = Line::default();
        let mut rewrites = numbers::find(&keys).into_iter().peekable();
        let mut marks = self.marks.iter().peekable();
        let mut last = None;
        let mut at = 0;
        while at < keys.len() {
            let rewrite = rewrites.next_if(|rewrite| rewrite.words.start == at);
            let limit = rewrites.peek().map_or(keys.len(), |rewrite| rewrite.words.start);
            if let Some(spoken) = marks.next_if(|mark| mark.words.start == at) {
                line.mark(spoken.mark, spoken.words.clone());
                *begins = spoken.mark.begins_sentence().unwrap_or(*begins);
                last = Some(spoken.mark);
                at = spoken.words.end;
                continue;
            }
            let Rewrite { words, text } = rewrite
                .inspect(|_| *begins = false)
                .or_else(|| self.abbreviation(at, limit))
                .unwrap_or_else(|| Rewrite { words: at..at + 1, text: self.cased(at, model) });
            let is_own = words.len() == 1 && self.forms[at].is_some();
            at = words.end;
            let text = if std::mem::take(begins) && !is_own { raised(&text) } else { text };
            line.push(text, words, Join::Space);
            last = None;
            if let Some(mark) = self.mark_after(at - 1) {
                line.punctuate(mark);
                *begins = mark != Punctuation::Comma;
            }
        }
        if !keys.is_empty() && (model.is_none() || !self.marks.is_empty()) {
            *begins = last.is_none_or(|mark| !mark.goes_on());
        }
        line.finish()
    }

    /// Writes the words with their case alone.
    pub fn write_case(&self, model: Option<&PunctuationModel>, begins: bool) -> String {
        let words = (0..self.keys.len()).map(|at| match self.cased(at, model) {
            word if at == 0 && begins && self.forms[at].is_none() => raised(&word),
            word => word,
        });
        words.collect::<Vec<_>>().join(" ")
    }

    fn keys(&self) -> Vec<&str> {
        self.keys.iter().map(String::as_str).collect()
    }

    fn tag(&self, at: usize) -> Option<&Tag> {
        self.tags.get(at)?.as_ref()
    }

    /// The mark that the model gives after a word. Who speaks marks, or has written some, wants no others.
    fn mark_after(&self, at: usize) -> Option<Punctuation> {
        let is_marked = |word: &&str| word.ends_with(['.', ',', '?', '!', ';', ':']);
        if !self.marks.is_empty() || self.is_cased && self.words.iter().any(is_marked) {
            return None;
        }
        self.tag(at)?.mark()
    }

    /// An initialism or a title, which ends before `limit`.
    fn abbreviation(&self, at: usize, limit: usize) -> Option<Rewrite> {
        if self.is_cased {
            return None;
        }
        let letter = |at: usize| match self.tag(at) {
            Some(tag) if tag.case() == Case::Upper => Letter::OfInitialism,
            Some(_) => Letter::Word,
            None => Letter::Unknown,
        };
        let keys = self.keys();
        let joins = |at: usize| self.mark_after(at).is_none() && !self.is_in_mark(at + 1);
        let is_name = |at: usize| self.tag(at).is_some_and(|tag| tag.case() == Case::Capital);
        abbreviations::initialism(&keys[..limit], at, letter, joins).or_else(|| {
            let text = abbreviations::title(keys[at]).filter(|_| joins(at) && is_name(at + 1))?;
            Some(Rewrite { words: at..at + 1, text: text.to_owned() })
        })
    }

    /// A word in its case.
    fn cased(&self, at: usize, model: Option<&PunctuationModel>) -> String {
        if let Some(form) = self.forms[at] {
            return form.to_owned();
        }
        if self.is_cased || casing::has_lower(self.words[at]) {
            return self.words[at].to_owned();
        }
        let key = self.keys[at].as_str();
        if let Some(form) = model.and_then(|model| model.form(key)) {
            return form.to_owned();
        }
        casing::cased(key, self.tag(at).map(Tag::case))
    }
}
