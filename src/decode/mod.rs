//! From log-probabilities to tokens and text (connectionist temporal classification, Graves 2006).

mod arena;
mod beam_entry;
mod context;
#[cfg(test)]
mod exactness;
mod forced_alignment;
mod fusion;
mod given_text;
mod grammar_constraint;
mod grammar_graph;
mod greedy;
mod hotword_vocabulary;
pub(crate) mod keyword;
mod lattice;
mod lexicon_tree;
mod path_scores;
mod prefix_beam;
mod prefix_beam_config;
mod prefix_tree;
mod ranking;
mod rescoring;
mod search;
mod splice;
mod token_passing;
mod word;

pub use context::Hotword;
pub use fusion::LmFusion;
pub use grammar_constraint::{GrammarConstraint, GrammarMatch};
pub use prefix_beam_config::PrefixBeamConfig;
pub use rescoring::Rescoring;
pub use word::{Word, WordCalibration};

pub(crate) use search::Search;

use greedy::Greedy;
use prefix_beam::PrefixBeam;
use token_passing::TokenPassing;

use std::time::Duration;

use crate::lexicon::Lexicon;
use crate::lexicon::tokens::{TokenId, TokenTable};

/// How the best token sequence is searched.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Decoding {
    /// The best path: the likeliest token of each encoder frame, repeats collapsed, blanks dropped.
    #[default]
    Greedy,
    /// The sequence whose alignments together, and whose words, are likeliest.
    PrefixBeam(PrefixBeamConfig),
}

impl Decoding {
    /// How words are said, if they are searched by their phones.
    pub(crate) fn lexicon(&self) -> Option<&Lexicon> {
        match self {
            Self::Greedy => None,
            Self::PrefixBeam(config) => config.lexicon.as_ref(),
        }
    }
}

/// A token sequence and its score.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path {
    pub tokens: Vec<Token>,
    /// How many tokens, from the first on, all that may still become of the utterance begins with.
    pub stable: usize,
    pub score: f64,
    /// Out of the grammar, the tokens are those of the free search.
    pub outcome: GrammarMatch,
}

/// An utterance's log-probabilities, a row for each encoder frame, and the frames' places in the stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frames<'a> {
    pub log_probs: &'a [f32],
    pub places: &'a [u64],
}

impl<'a> Frames<'a> {
    fn rows(self) -> impl Iterator<Item = &'a [f32]> {
        let columns = self.log_probs.len() / self.places.len().max(1);
        self.log_probs.chunks_exact(columns.max(1))
    }
}

/// A token and where it was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Token {
    /// Which token.
    pub id: TokenId,
    /// The encoder frame that it began in, counted from the stream's start; lost audio counts.
    pub frame: u64,
    /// Its natural log-probability in that frame.
    pub log_prob: f32,
}

/// What is recognized of an utterance.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Hypothesis {
    /// The tokens as text.
    pub text: String,
    /// The bytes of the text, from its start on, that no later event of the utterance changes: whole
    /// words. In a final it counts those that were known to be before it. With a second pass these are
    /// words that it has decoded and that all likely hypotheses begin with. There are none where an attention
    /// decoder rescores hypotheses, or with a grammar.
    pub stable: usize,
    /// The tokens, in time order; in a final empty only if it is out of the grammar.
    pub tokens: Vec<Token>,
    /// The words that the tokens spell.
    pub words: Vec<Word>,
    /// The audio time at which the first token's encoder frame begins.
    pub start: Duration,
    /// The audio time at which the last token's encoder frame ends.
    pub end: Duration,
    /// What it was ranked by, in natural logarithm: by greedy decoding the log-probability of the
    /// best path, by prefix beam search that of all paths and what the words add.
    pub score: f64,
    /// Others of the same audio with other text, the next best first; only in finals, and as many as
    /// [`PrefixBeamConfig::nbest`] asks for.
    pub alternatives: Vec<Hypothesis>,
    /// Whether it is of the grammar, if there is one.
    pub outcome: GrammarMatch,
}

impl Hypothesis {
    /// The words that no later event of the utterance changes.
    pub fn stable_text(&self) -> &str {
        self.text.get(..self.stable).unwrap_or_default()
    }

    /// The words that may still change, with the space before them.
    pub fn unstable_text(&self) -> &str {
        self.text.get(self.stable..).unwrap_or_default()
    }

    /// Whether something was said that is not in the grammar.
    pub fn is_out_of_grammar(&self) -> bool {
        matches!(self.outcome, GrammarMatch::OutOfGrammar { .. })
    }

    /// Whether nothing was said.
    pub(crate) fn is_nothing(&self) -> bool {
        self.text.is_empty() && !self.is_out_of_grammar()
    }

    /// `time_of` gives the audio time at which an encoder frame begins.
    pub(crate) fn new(
        path: Path,
        table: &TokenTable,
        calibration: &WordCalibration,
        time_of: impl Fn(u64) -> Duration,
    ) -> Self {
        let Path { mut tokens, stable, score, outcome } = path;
        let start = tokens.first().map_or(Duration::ZERO, |token| time_of(token.frame));
        let end = tokens.last().map_or(Duration::ZERO, |token| time_of(token.frame + 1));
        if let GrammarMatch::OutOfGrammar { .. } = outcome {
            tokens.clear();
        }
        Self {
            stable: word::finished(&tokens[..stable], table),
            words: word::words(&tokens, table, calibration, &time_of),
            text: table.written(table.text(tokens.iter().map(|token| token.id))),
            start,
            end,
            tokens,
            score,
            alternatives: Vec::new(),
            outcome,
        }
    }

    /// The first of `paths`, which come best first, with up to `nbest - 1` alternatives.
    pub(crate) fn best_of(
        paths: impl IntoIterator<Item = Path>,
        nbest: usize,
        table: &TokenTable,
        calibration: &WordCalibration,
        time_of: impl Fn(u64) -> Duration,
    ) -> Self {
        let new = |path| Self::new(path, table, calibration, &time_of);
        let mut paths = paths.into_iter().map(new);
        let nothing = || {
            new(Path {
                tokens: Vec::new(),
                stable: 0,
                score: 0.0,
                outcome: GrammarMatch::Unrestricted,
            })
        };
        let mut best = paths.next().unwrap_or_else(nothing);
        for other in paths {
            if best.is_out_of_grammar() || best.alternatives.len() + 1 >= nbest {
                break;
            }
            let is_listed = |listed: &Self| listed.text == other.text;
            if !other.is_out_of_grammar()
                && !is_listed(&best)
                && !best.alternatives.iter().any(is_listed)
            {
                best.alternatives.push(other);
            }
        }
        best
    }
}
