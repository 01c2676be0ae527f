//! Events: what a stream recognizes.

use mynah::{KeywordHit, TextFormatter};
use mynah_command::{Kind, SOMETHING_ELSE, Utterance};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

const KINDS: [&str; 3] = ["partial", "final", "keyword"];
const PHRASE: &str = "phrase";
const OUT_OF_GRAMMAR: &str = "out_of_grammar";

/// What an object is pickled as: what makes it again, and what that is called with.
pub type Pickled<'py, T> = (Bound<'py, PyAny>, T);
/// The fields of an event that texts and times have, in their order.
type Span = (String, Option<u64>, String, String, String, f64, f64);
/// The other fields of an event, in their order.
type Details =
    (Option<f32>, Option<String>, Option<f32>, Option<usize>, Vec<Word>, Vec<Hypothesis>);

/// A word, when it was spoken, and how sure that is.
#[pyclass(frozen, get_all, eq, from_py_object, module = "mynah")]
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    /// Its characters.
    text: String,
    /// The audio time in seconds at which it begins.
    start: f64,
    /// The audio time in seconds at which it ends.
    end: f64,
    /// The probability that it is right, from 0 to 1.
    confidence: f32,
}

/// One of the likeliest texts of an utterance.
#[pyclass(frozen, get_all, eq, from_py_object, module = "mynah")]
#[derive(Clone, Debug, PartialEq)]
pub struct Hypothesis {
    /// The text as recognized.
    text: String,
    /// What it is ranked by, in natural logarithm.
    score: f64,
}

/// What a stream has recognized: a partial, a final or a keyword. It never changes.
#[pyclass(frozen, from_py_object, module = "mynah")]
#[derive(Clone, Debug)]
pub struct Event {
    /// "partial": the utterance so far, whole, which may change; "final": no event of the utterance follows;
    /// "keyword": a keyword was spotted.
    #[pyo3(get)]
    kind: &'static str,
    /// The utterance's number from 0 on; None of a keyword.
    #[pyo3(get)]
    pub utterance: Option<u64>,
    /// The text as it is to be shown: formatted, unless formatting is off.
    #[pyo3(get)]
    pub text: String,
    /// The text as recognized, in capitals and without punctuation.
    #[pyo3(get)]
    raw_text: String,
    /// The beginning of ``raw_text`` that no later event of the utterance changes.
    #[pyo3(get)]
    stable_text: String,
    /// The audio time in seconds at which it begins.
    #[pyo3(get)]
    start: f64,
    /// The audio time in seconds at which it ends.
    #[pyo3(get)]
    end: f64,
    /// The geometric mean of the words' probabilities, from 0 to 1; of a keyword, its confidence. None without words.
    #[pyo3(get)]
    confidence: Option<f32>,
    /// With a grammar "phrase" or "out_of_grammar", without one None.
    #[pyo3(get)]
    grammar: Option<&'static str>,
    /// How well the grammar's likeliest phrase fits, from 0 to 1; None without a grammar.
    #[pyo3(get)]
    fit: Option<f32>,
    /// The place of the keyword in its list, from 0 on; None of others.
    #[pyo3(get)]
    keyword: Option<usize>,
    words: Vec<Word>,
    nbest: Vec<Hypothesis>,
}

impl Event {
    /// An event of a recognizer. Formatting goes on from one final to the next.
    pub fn new(
        event: &mynah::Event,
        model: &mynah::Model,
        formatter: Option<&mut TextFormatter>,
    ) -> Self {
        let hypothesis = event.hypothesis();
        let is_final = event.is_final();
        let partial = match &formatter {
            Some(formatter) if !is_final => {
                Some(formatter.partial_text(hypothesis.text.split_whitespace()))
            }
            _ => None,
        };
        let utterance = Utterance::of_final(hypothesis, model, formatter.filter(|_| is_final));
        let is_out = hypothesis.is_out_of_grammar();
        Self {
            kind: if is_final { "final" } else { "partial" },
            utterance: Some(event.utterance()),
            text: match partial {
                Some(text) => text,
                None if is_out => String::new(),
                None => utterance.shown().to_owned(),
            },
            raw_text: hypothesis.text.clone(),
            stable_text: hypothesis.stable_text().to_owned(),
            start: hypothesis.start.as_secs_f64(),
            end: hypothesis.end.as_secs_f64(),
            confidence: confidence(&hypothesis.words),
            grammar: utterance.grammar.map(|judgement| match judgement.outcome {
                Kind::Phrase => PHRASE,
                Kind::OutOfGrammar => OUT_OF_GRAMMAR,
            }),
            fit: utterance.grammar.map(|judgement| judgement.fit),
            keyword: None,
            words: utterance.shown_words().iter().map(Word::from).collect(),
            nbest: std::iter::once(hypothesis)
                .chain(&hypothesis.alternatives)
                .map(|hypothesis| Hypothesis {
                    text: hypothesis.text.clone(),
                    score: hypothesis.score,
                })
                .collect(),
        }
    }

    /// What the command writes of it.
    pub fn line(&self) -> &str {
        match self.grammar {
            Some(OUT_OF_GRAMMAR) => SOMETHING_ELSE,
            _ => &self.text,
        }
    }

    /// A keyword that was spotted.
    pub fn of_keyword(hit: KeywordHit) -> Self {
        Self {
            kind: "keyword",
            utterance: None,
            text: hit.phrase.clone(),
            raw_text: hit.phrase.clone(),
            stable_text: hit.phrase,
            start: hit.start.as_secs_f64(),
            end: hit.end.as_secs_f64(),
            confidence: Some(hit.confidence),
            grammar: None,
            fit: None,
            keyword: Some(hit.index),
            words: Vec::new(),
            nbest: Vec::new(),
        }
    }
}

/// The geometric mean of the words' confidences.
fn confidence(words: &[mynah::decode::Word]) -> Option<f32> {
    let logarithm =
        |word: &mynah::decode::Word| f64::from(word.confidence.max(f32::MIN_POSITIVE)).ln();
    let sum: f64 = words.iter().map(logarithm).sum();
    (!words.is_empty()).then(|| (sum / words.len() as f64).exp() as f32)
}

/// The name that a pickle has, of those that there are.
///
/// # Errors
///
/// `ValueError` for another name.
fn one_of(names: &[&'static str], name: &str) -> PyResult<&'static str> {
    let found = names.iter().find(|known| **known == name);
    found.copied().ok_or_else(|| {
        PyValueError::new_err(format!("{name:?} is of no event; it must be one of {names:?}"))
    })
}

impl From<&mynah_command::Word> for Word {
    fn from(word: &mynah_command::Word) -> Self {
        Self {
            text: word.text.clone(),
            start: word.start.as_secs_f64(),
            end: word.end.as_secs_f64(),
            confidence: word.confidence,
        }
    }
}

#[pymethods]
impl Event {
    /// Whether the utterance has ended as this.
    #[getter]
    fn is_final(&self) -> bool {
        self.kind == "final"
    }

    /// The words of ``text``; of a partial, which is formatted as a whole, those of ``raw_text``.
    #[getter]
    fn words<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.words.clone())
    }

    /// The likeliest texts as recognized, this one first; as many as ``nbest`` asks for, at most.
    #[getter]
    fn nbest<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.nbest.clone())
    }

    /// The event as a dictionary that JSON can hold.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("kind", self.kind)?;
        dict.set_item("utterance", self.utterance)?;
        dict.set_item("text", &self.text)?;
        dict.set_item("raw_text", &self.raw_text)?;
        dict.set_item("stable_text", &self.stable_text)?;
        dict.set_item("start", self.start)?;
        dict.set_item("end", self.end)?;
        dict.set_item("confidence", self.confidence)?;
        dict.set_item("grammar", self.grammar)?;
        dict.set_item("fit", self.fit)?;
        dict.set_item("keyword", self.keyword)?;
        let words = self.words.iter().map(|word| word.to_dict(py)).collect::<PyResult<Vec<_>>>();
        dict.set_item("words", words?)?;
        let nbest = self.nbest.iter().map(|one| one.to_dict(py)).collect::<PyResult<Vec<_>>>();
        dict.set_item("nbest", nbest?)?;
        Ok(dict)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Pickled<'py, (Span, Details)>> {
        let Self { kind, utterance, text, raw_text, stable_text, start, end, .. } =
            slf.get().clone();
        let Self { confidence, grammar, fit, keyword, words, nbest, .. } = slf.get().clone();
        let span = (kind.to_owned(), utterance, text, raw_text, stable_text, start, end);
        let details = (confidence, grammar.map(str::to_owned), fit, keyword, words, nbest);
        Ok((slf.get_type().getattr("_restored")?, (span, details)))
    }

    #[staticmethod]
    fn _restored(span: Span, details: Details) -> PyResult<Self> {
        let (kind, utterance, text, raw_text, stable_text, start, end) = span;
        let (confidence, grammar, fit, keyword, words, nbest) = details;
        Ok(Self {
            kind: one_of(&KINDS, &kind)?,
            utterance,
            text,
            raw_text,
            stable_text,
            start,
            end,
            confidence,
            grammar: grammar.map(|name| one_of(&[PHRASE, OUT_OF_GRAMMAR], &name)).transpose()?,
            fit,
            keyword,
            words,
            nbest,
        })
    }

    fn __repr__(&self) -> String {
        format!("<mynah.Event {} {:.2}–{:.2} s {:?}>", self.kind, self.start, self.end, self.text)
    }
}

#[pymethods]
impl Word {
    /// The word as a dictionary.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("text", &self.text)?;
        dict.set_item("start", self.start)?;
        dict.set_item("end", self.end)?;
        dict.set_item("confidence", self.confidence)?;
        Ok(dict)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Pickled<'py, (String, f64, f64, f32)>> {
        let Self { text, start, end, confidence } = slf.get().clone();
        Ok((slf.get_type().getattr("_restored")?, (text, start, end, confidence)))
    }

    #[staticmethod]
    fn _restored(text: String, start: f64, end: f64, confidence: f32) -> Self {
        Self { text, start, end, confidence }
    }

    fn __repr__(&self) -> String {
        let Self { text, start, end, confidence } = self;
        format!("<mynah.Word {text:?} {start:.2}–{end:.2} s, {confidence:.2}>")
    }
}

#[pymethods]
impl Hypothesis {
    /// The hypothesis as a dictionary.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("text", &self.text)?;
        dict.set_item("score", self.score)?;
        Ok(dict)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Pickled<'py, (String, f64)>> {
        let Self { text, score } = slf.get().clone();
        Ok((slf.get_type().getattr("_restored")?, (text, score)))
    }

    #[staticmethod]
    fn _restored(text: String, score: f64) -> Self {
        Self { text, score }
    }

    fn __repr__(&self) -> String {
        format!("<mynah.Hypothesis {:?} {:.2}>", self.text, self.score)
    }
}
