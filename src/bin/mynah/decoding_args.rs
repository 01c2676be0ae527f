//! How tokens are searched, as typed: the search, its language model, and their weights.

use std::{fs, num::NonZeroUsize, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use mynah::{
    Grammar, Model,
    decode::{Decoding, GrammarConstraint, Hotword, LmFusion},
    lm::NgramModel,
};

use crate::args::{parse_fit, parse_seconds};

/// The search and its language model.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Decoding")]
pub struct DecodingArgs {
    /// How token sequences are searched [default: beam where there is a language model, a list of hotwords or a grammar, else greedy]
    #[arg(long, value_enum)]
    pub decoding: Option<DecodingKind>,

    /// Keep N prefixes [default: the model's, or 64]
    #[arg(long, value_name = "N")]
    pub beam: Option<NonZeroUsize>,

    /// Change no word that began more than this long ago [default: until all hypotheses agree]
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds, allow_negative_numbers = true)]
    pub max_unstable: Option<Duration>,

    /// Use the word n-grams of this file (ARPA, or what `mynah lm build` or `lm convert` made) instead of the
    /// model's
    #[arg(long, value_name = "FILE")]
    pub lm: Option<PathBuf>,

    /// Prefer the phrases in this file, one a line; a number after a colon is what each letter of a
    /// phrase adds to a hypothesis's score [default: 1]; lines that begin with # are comments
    #[arg(long, value_name = "FILE")]
    pub hotwords: Option<PathBuf>,

    /// Write nothing but the phrases in this file, and `[out of grammar]` for what fits none of
    /// them: one phrase a line, or a JSGF grammar (without weights and imports). All phrases are equally
    /// likely
    #[arg(long, value_name = "FILE", conflicts_with_all = ["max_unstable", "lm", "hotwords"])]
    pub grammar: Option<PathBuf>,

    /// The least fit of a phrase, from 0 (take everything for a phrase) to 1 [default: 0.2]
    #[arg(long, value_name = "FIT", value_parser = parse_fit, requires = "grammar")]
    pub grammar_threshold: Option<f32>,

    /// Multiply the language model's log-probabilities by this
    #[arg(long, value_name = "WEIGHT", allow_negative_numbers = true)]
    pub lm_weight: Option<f32>,

    /// Add this to a hypothesis's score for every word
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true)]
    pub word_insertion_bonus: Option<f32>,

    /// Take this from a hypothesis's score for every letter of a word that the language model does not
    /// have
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true)]
    pub oov_penalty: Option<f32>,

    /// Rank the N likeliest hypotheses of a final anew by the model's recurrent language model, where there is a
    /// second pass or a file is transcribed; 0 ranks none [default: the model's]
    #[arg(long, value_name = "N", conflicts_with_all = ["max_unstable", "grammar"])]
    pub rescored: Option<usize>,
}

const NOTHING_RESCORES: &str = "there is no recurrent language model to rank hypotheses by: only a model's folder may have one; \
    leave `--rescored` out";

/// How token sequences are searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DecodingKind {
    /// The likeliest token of each frame
    Greedy,
    /// The likeliest prefixes with all their alignments
    Beam,
}

impl DecodingArgs {
    /// The library's configuration: what was typed, and for the rest what the model says.
    ///
    /// # Errors
    ///
    /// The language model can't be read, or options contradict one another.
    pub fn decoding(
        &self,
        model: &Model,
        nbest: NonZeroUsize,
        hotwords: Arc<[Hotword]>,
    ) -> Result<Decoding> {
        let of_model = match model.default_decoding() {
            Decoding::PrefixBeam(config) => Some(config.clone()),
            _ => None,
        };
        let kind =
            self.decoding.unwrap_or(match (&self.lm, &self.hotwords, &self.grammar, &of_model) {
                (None, None, None, None) => DecodingKind::Greedy,
                _ => DecodingKind::Beam,
            });
        if kind == DecodingKind::Greedy {
            return self.greedy(nbest);
        }
        let mut config = of_model.unwrap_or_default();
        config.nbest = nbest.get();
        config.max_unstable_frames =
            self.max_unstable.map(|age| model.config().encoder_frames(age));
        config.beam = self.beam.map_or(config.beam, NonZeroUsize::get);
        // The model's n-grams are of other texts than a grammar's.
        let of_model = config.language_model.filter(|_| self.grammar.is_none());
        config.language_model = self.language_model(of_model)?;
        config.constraint = self.constraint(model)?;
        config.hotwords = hotwords;
        Ok(Decoding::PrefixBeam(config))
    }

    fn greedy(&self, nbest: NonZeroUsize) -> Result<Decoding> {
        let needs_beam = [
            ("--beam", self.beam.is_some()),
            ("--max-unstable", self.max_unstable.is_some()),
            ("--lm", self.lm.is_some()),
            ("--hotwords", self.hotwords.is_some()),
            ("--grammar", self.grammar.is_some()),
            ("--lm-weight", self.lm_weight.is_some()),
            ("--word-insertion-bonus", self.word_insertion_bonus.is_some()),
            ("--oov-penalty", self.oov_penalty.is_some()),
            ("--rescored", self.rescored.is_some()),
            ("--nbest", nbest.get() > 1),
        ];
        match needs_beam.iter().find(|(_, given)| *given) {
            Some((option, _)) => {
                bail!(
                    "{option} has no effect on greedy decoding; add `--decoding beam` or leave it out"
                )
            }
            None => Ok(Decoding::Greedy),
        }
    }

    /// The hotwords, and the model with the words that they add.
    ///
    /// # Errors
    ///
    /// The list can't be read, or lines of it can't be used.
    pub fn with_hotwords(&self, model: Model) -> Result<(Model, Arc<[Hotword]>)> {
        let Some(file) = &self.hotwords else { return Ok((model, Arc::default())) };
        let name = || file.display().to_string();
        let text = fs::read_to_string(file).with_context(name)?;
        let (model, hotwords) = model.with_hotword_list(&text).with_context(name)?;
        Ok((model, hotwords.into()))
    }

    fn constraint(&self, model: &Model) -> Result<Option<GrammarConstraint>> {
        let Some(file) = &self.grammar else { return Ok(None) };
        let name = || file.display().to_string();
        let text = fs::read_to_string(file).with_context(name)?;
        let grammar = Grammar::parse(&text).with_context(name)?;
        grammar.check_spelling(model.tokens()).with_context(name)?;
        let threshold = self.grammar_threshold.unwrap_or(GrammarConstraint::DEFAULT_THRESHOLD);
        Ok(Some(GrammarConstraint { grammar, threshold }))
    }

    fn language_model(&self, of_model: Option<LmFusion>) -> Result<Option<LmFusion>> {
        let loaded = match &self.lm {
            Some(file) => {
                let ngrams = NgramModel::load(file)?;
                Some(match of_model {
                    // Words that the recurrent model lacks score as in the search.
                    Some(of_model) => LmFusion { ngrams, ..of_model },
                    None => LmFusion::new(ngrams),
                })
            }
            None => of_model,
        };
        let Some(mut model) = loaded else {
            if self.lm_weight.or(self.word_insertion_bonus).or(self.oov_penalty).is_some() {
                bail!("there is no language model to weigh; give one with `--lm FILE`");
            }
            if self.rescored.is_some_and(|hypotheses| hypotheses > 0) {
                bail!(NOTHING_RESCORES);
            }
            return Ok(None);
        };
        model.weight = self.lm_weight.unwrap_or(model.weight);
        model.word_insertion_bonus =
            self.word_insertion_bonus.unwrap_or(model.word_insertion_bonus);
        model.oov_penalty = self.oov_penalty.unwrap_or(model.oov_penalty);
        match (self.rescored, &mut model.rescoring) {
            (Some(0), rescoring) => *rescoring = None,
            (Some(hypotheses), Some(rescoring)) => rescoring.hypotheses = hypotheses,
            (Some(_), None) => bail!(NOTHING_RESCORES),
            (None, _) => {}
        }
        Ok(Some(model))
    }
}

/// A decoding in a few words, for reports.
#[cfg(feature = "measure")]
pub fn describe(decoding: &Decoding) -> String {
    use mynah::decode::PrefixBeamConfig;

    let Decoding::PrefixBeam(PrefixBeamConfig { beam, language_model, constraint, .. }) = decoding
    else {
        return "greedy".to_owned();
    };
    let described = match language_model {
        None => format!("beam {beam}"),
        Some(LmFusion { weight, word_insertion_bonus, oov_penalty, rescoring, .. }) => {
            let rescored = rescoring.as_ref().map_or(String::new(), |rescoring| {
                format!(", {} hypotheses of a second pass ranked anew", rescoring.hypotheses)
            });
            format!(
                "beam {beam}, language model weight {weight}, word bonus {word_insertion_bonus}, OOV penalty \
                 {oov_penalty}{rescored}"
            )
        }
    };
    match constraint {
        None => described,
        Some(GrammarConstraint { threshold, .. }) => {
            format!("{described}, grammar with threshold {threshold}")
        }
    }
}
