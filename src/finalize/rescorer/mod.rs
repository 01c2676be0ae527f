//! Attention rescoring: an attention decoder scores the hypotheses of an utterance (arXiv 1609.06773,
//! U2 in arXiv 2012.05481).
//!
//! ```text
//! N-best of the CTC search ─┐
//! text of the decoder ──────┼→ the decoder's log-probabilities ─→ ranking
//! each where they differ ───┘
//! ```
//!
//! A hypothesis scores as in the search, plus the decoder's weighted log-probability of its text and a bonus
//! for each word. A text that is not of the search has the score that the search would give it, by a forced
//! alignment. So what the decoder repeats, leaves out or invents costs what it does not fit the audio.

mod regions;
mod transcript;

use std::sync::Arc;

use web_time::Instant;

use crate::acoustic::decoder::CrossAttentionCache;
use crate::acoustic::encoder::EncoderState;
use crate::decode::Path;
use crate::error::Result;
use crate::lexicon::tokens::TokenTable;
use crate::model::AttentionModel;

use regions::{Part, exchanges, parts};
use transcript::Transcript;

/// As many hypotheses of the search are scored.
const HYPOTHESES: usize = 12;
/// As many texts are made of two hypotheses.
const EXCHANGES: usize = 16;
/// As many hypotheses are combined with the best.
const COMBINED: usize = 4;
/// So many pieces after a difference the log-probabilities of a text are those of the decoder's own.
const TAIL: usize = 8;

/// Gives the path of words as the search would score it; `None` for what can't be spelled or aligned.
pub(crate) type Align<'a> = dyn Fn(&[String]) -> Option<Path> + 'a;

/// Scores one utterance after the other by an [`AttentionModel`].
pub(crate) struct AttentionRescorer {
    model: Arc<AttentionModel>,
    encoder: EncoderState,
    memory: CrossAttentionCache,
    /// Frames not encoded yet, `[frames, mel]`.
    waiting: Vec<f32>,
    /// The frames of the utterance so far.
    frames: usize,
    mel_bins: usize,
    /// What fills up the last chunk.
    silence: f32,
}

/// A text, and what is known of it.
struct Candidate {
    words: Vec<String>,
    path: Path,
    /// With the decoder's part.
    score: f64,
}

impl AttentionRescorer {
    pub fn new(model: &Arc<AttentionModel>) -> Self {
        let config = &model.config;
        Self {
            encoder: model.encoder.state(),
            memory: CrossAttentionCache::new(
                model.columns,
                model.decoder.blocks(),
                config.decoder.heads,
            ),
            waiting: Vec::new(),
            frames: 0,
            mel_bins: config.features.mel_bins,
            silence: config.features.energy_floor.ln(),
            model: model.clone(),
        }
    }

    /// Takes frames of the utterance and encodes the chunks that they complete. What comes after the
    /// longest that the decoder attends to is left out.
    ///
    /// # Errors
    ///
    /// [`crate::error::Error::Encoder`] if a chunk can't be encoded.
    pub fn accept(&mut self, frames: &[f32]) -> Result<()> {
        self.frames += frames.len() / self.mel_bins;
        if self.is_too_long() {
            return Ok(());
        }
        self.waiting.extend_from_slice(frames);
        while self.waiting.len() >= self.input_values() {
            self.encode()?;
        }
        Ok(())
    }

    /// Whether the utterance is longer than the decoder attends to.
    pub fn is_too_long(&self) -> bool {
        self.frames > self.model.config.decoder.longest_frames
    }

    /// Ends the utterance: ranks what it may have been, the best first, its scores with the decoder's part.
    ///
    /// # Errors
    ///
    /// Those of [`AttentionRescorer::accept`], and [`crate::error::Error::Encoder`] if the decoder can't be run.
    pub fn rescore(
        &mut self,
        paths: Vec<Path>,
        tokens: &TokenTable,
        align: &Align,
    ) -> Result<Vec<Path>> {
        let mut transcript = self.transcribe()?;
        let began = Instant::now();
        let mut candidates: Vec<Candidate> = Vec::new();
        for path in paths {
            let text = tokens.text(path.tokens.iter().map(|token| token.id));
            let words: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
            if candidates.len() < HYPOTHESES && !has(&candidates, &words) {
                candidates.push(Candidate { words, path, score: 0.0 });
            }
        }
        let mut texts = vec![transcript.words()];
        let best = candidates.first().map(|best| exchanges(&best.words, &texts[0]));
        texts.extend(best.into_iter().flatten());
        add(&mut candidates, texts, align);
        self.score(&mut candidates, &mut transcript)?;
        let (texts, scored) = (combinations(&candidates), candidates.len());
        add(&mut candidates, texts, align);
        self.score(&mut candidates[scored..], &mut transcript)?;
        candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
        log::debug!("the decoder scored {} texts in {:.0?}", candidates.len(), began.elapsed());
        self.reset();
        let path = |candidate: Candidate| Path { score: candidate.score, ..candidate.path };
        Ok(candidates.into_iter().map(path).collect())
    }

    /// Forgets the utterance.
    pub fn reset(&mut self) {
        self.encoder.reset();
        self.memory.clear();
        self.waiting.clear();
        self.frames = 0;
    }

    /// Encodes the rest of the utterance; gives the decoder's own text of it.
    fn transcribe(&mut self) -> Result<Transcript> {
        let config = &self.model.config;
        let samples = self.frames * config.features.frame_shift_samples;
        let most = config.max_pieces(samples.div_ceil(config.features.sample_rate as usize));
        let chunk = config.encoder.chunk_frames * self.mel_bins;
        let chunks = self.waiting.len().div_ceil(chunk) + config.decoder.padding_chunks;
        for _ in 0..chunks {
            let filled = self.waiting.len().max(self.input_values());
            self.waiting.resize(filled, self.silence);
            self.encode()?;
        }
        let began = Instant::now();
        let pieces = self.model.decoder.write(&self.memory, most)?;
        log::debug!("the decoder wrote {} pieces in {:.0?}", pieces.len(), began.elapsed());
        let pieces = pieces.into_iter().map(|(piece, _)| piece).collect();
        let spoken = &self.model.config.decoder.spoken;
        let transcript = Transcript::new(pieces, &self.model.pieces, spoken);
        log::debug!("the decoder's text: {}", transcript.words().join(" "));
        Ok(transcript)
    }

    /// Gives candidates their scores, the best first.
    ///
    /// A text has the log-probabilities of the decoder's own, but for the parts that differ: each of these is
    /// scored after what the decoder's text has before it, so that texts with the same part share it.
    fn score(&self, candidates: &mut [Candidate], transcript: &mut Transcript) -> Result<()> {
        let AttentionModel { config, decoder, pieces, .. } = &*self.model;
        let own = self.whole(transcript.pieces());
        let mut texts = vec![];
        if transcript.log_probs.is_empty() {
            texts.push(own.clone());
        }
        let first = texts.len();
        // Of each candidate the parts of its text and the decoder's.
        let mut all_parts = Vec::with_capacity(candidates.len());
        for candidate in candidates.iter() {
            let text = self.whole(transcript.pieces_of(&candidate.words, pieces));
            let parts = parts(&text, &own, TAIL);
            let with_context = |(of_text, of_own): &Part| {
                let mut text = [&own[..of_own.start], &text[of_text.clone()]].concat();
                text.truncate(config.longest_text() + 1);
                text
            };
            texts.extend(parts.iter().map(with_context));
            all_parts.push(parts);
        }
        let mut scores = decoder.score(&self.memory, &texts)?.into_iter();
        if first > 0 {
            transcript.log_probs = scores.next().unwrap_or_default();
        }
        let of_own = &transcript.log_probs;
        let sum = |log_probs: &[f32]| log_probs.iter().map(|&p| f64::from(p)).sum::<f64>();
        let [weight, bonus] =
            [config.decoder.weight, config.decoder.word_insertion_bonus].map(f64::from);
        for (candidate, parts) in candidates.iter_mut().zip(all_parts) {
            let mut log_prob = sum(of_own);
            for ((_, own), log_probs) in parts.into_iter().zip(&mut scores) {
                log_prob += sum(&log_probs[own.start..]) - sum(&of_own[own]);
            }
            let words = candidate.words.len() as f64;
            candidate.score = candidate.path.score + weight * log_prob + bonus * words;
            let (search, text) = (candidate.path.score, &candidate.words);
            log::trace!("hypothesis {search:.2} {log_prob:.2} {}", text.join(" "));
        }
        candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
        Ok(())
    }

    /// The pieces of a text, no more than the decoder looks back on, and the end.
    fn whole(&self, mut text: Vec<usize>) -> Vec<usize> {
        text.truncate(self.model.config.longest_text());
        text.push(self.model.decoder.end());
        text
    }

    /// The values of a chunk and its lookahead.
    fn input_values(&self) -> usize {
        self.model.config.encoder.input_frames() * self.mel_bins
    }

    fn encode(&mut self) -> Result<()> {
        let input = &self.waiting[..self.input_values()];
        self.memory.extend(self.encoder.encode_chunk(input)?);
        self.memory.truncate(self.model.config.decoder.longest_rows);
        let chunk = self.model.config.encoder.chunk_frames * self.mel_bins;
        self.waiting.drain(..chunk.min(self.waiting.len()));
        Ok(())
    }
}

fn has(candidates: &[Candidate], words: &[String]) -> bool {
    candidates.iter().any(|candidate| candidate.words == words)
}

/// The best candidate with what others have in one place, and the others so.
fn combinations(ranked: &[Candidate]) -> Vec<Vec<String>> {
    let Some((best, others)) = ranked.split_first() else { return Vec::new() };
    let others = others.iter().take(COMBINED);
    others.flat_map(|other| exchanges(&best.words, &other.words)).collect()
}

/// Adds texts that are new, as far as they can be aligned and are not too many.
fn add(candidates: &mut Vec<Candidate>, texts: Vec<Vec<String>>, align: &Align) {
    let most = candidates.len() + EXCHANGES;
    for words in texts {
        if candidates.len() == most || has(candidates, &words) {
            continue;
        }
        if let Some(path) = align(&words) {
            candidates.push(Candidate { words, path, score: 0.0 });
        }
    }
}

#[cfg(all(test, repository, feature = "files"))]
mod tests {
    use super::*;
    use crate::audio::{AudioFile, ReadOutcome, Source};
    use crate::decode::{GrammarMatch, Token};
    use crate::features::Fbank;
    use crate::lexicon::speller::Speller;
    use crate::model::{LoadOptions, Model, Precision};

    fn model() -> Model {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/");
        let options = LoadOptions {
            precision: Precision::Int8,
            ..LoadOptions::accurate(format!("{root}models/en-decoder"))
        };
        Model::load(format!("{root}models/en-small"), options).unwrap()
    }

    fn example_frames(model: &Model) -> Vec<f32> {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/");
        let (mut samples, mut frames) = (vec![0.0; 1_000], Vec::new());
        let mut file = AudioFile::open(format!("{root}examples/speech.flac")).unwrap();
        let mut fbank = Fbank::new(&model.config().features).unwrap();
        while let ReadOutcome::Samples(count @ 1..) = file.read(&mut samples).unwrap() {
            fbank.accept(&samples[..count], &mut frames);
        }
        frames
    }

    /// A path of the text that scores as if the search had no preference, but for the longest.
    fn path(text: &str, tokens: &TokenTable) -> Path {
        let ids = Speller::new(tokens).spell(text).unwrap();
        let token = |id| Token { id, frame: 0, log_prob: 0.0 };
        let tokens = ids.into_iter().map(token).collect();
        Path { tokens, stable: 0, score: 0.0, outcome: GrammarMatch::Unrestricted }
    }

    /// What the shipped decoder prefers in the example, in one piece and in small ones.
    #[test]
    fn the_decoders_text_and_the_searchs_are_combined() {
        let model = model();
        let attention = model.final_pass_encoder().unwrap().attention.as_ref().unwrap();
        let tokens = model.tokens();
        let mut rescorer = AttentionRescorer::new(attention);
        let frames = example_frames(&model);
        // The decoder alone decides.
        let align = |words: &[String]| Some(path(&words.join(" "), tokens));
        let wrong = "NOTHING IN THE WHIRLED LIKE BUTTER";
        let mut rank = |split: usize| {
            for few in frames.chunks(split * 80) {
                rescorer.accept(few).unwrap();
            }
            let ranked = rescorer.rescore(vec![path(wrong, tokens)], tokens, &align).unwrap();
            let text = |path: &Path| tokens.text(path.tokens.iter().map(|token| token.id));
            ranked.iter().map(|path| (text(path), path.score)).collect::<Vec<_>>()
        };
        let ranked = rank(frames.len());
        let best = &ranked[0].0;
        for words in ["NOTHING IN THE WORLD", "LIKE BETTER", "SEE YOU"] {
            assert!(best.contains(words), "{words}: {best}");
        }
        assert!(ranked.is_sorted_by(|a, b| a.1 >= b.1));
        let found = ranked.iter().find(|(text, _)| text == wrong).unwrap();
        assert!(found.1 < ranked[0].1 - 20.0, "{found:?}");
        assert_eq!(rank(7), ranked);
    }

    #[test]
    fn texts_that_can_not_be_aligned_or_are_too_long_do_no_harm() {
        let model = model();
        let attention = model.final_pass_encoder().unwrap().attention.as_ref().unwrap();
        let tokens = model.tokens();
        let mut rescorer = AttentionRescorer::new(attention);
        rescorer.accept(&example_frames(&model)).unwrap();
        let ranked = rescorer.rescore(vec![path("YES", tokens)], tokens, &|_| None).unwrap();
        assert_eq!(ranked.len(), 1);

        // Texts that are longer than what the decoder looks back on, before and after its own words.
        let (own, more) = ("NOTHING IN THE WORLD", "YES ".repeat(300));
        let align = |words: &[String]| Some(path(&words.join(" "), tokens));
        for text in [format!("{own} {more}"), format!("{more} {own}"), more.clone()] {
            rescorer.accept(&example_frames(&model)).unwrap();
            let paths = vec![path(&text, tokens), path(own, tokens)];
            let ranked = rescorer.rescore(paths, tokens, &align).unwrap();
            assert!(ranked.len() > 2);
        }
    }
}
