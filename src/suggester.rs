//! What an attention decoder hears in an utterance, as hotwords for the search that decides.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use crate::Result;
use crate::ctc::Hotword;
use crate::decoder::Memory;
use crate::encoder::EncoderState;
use crate::model::AttentionModel;
use crate::spelling::Speller;
use crate::tokens::TokenTable;

/// A pair that adds less to each letter, in natural logarithm, is left out.
const LEAST_BOOST: f32 = 0.01;

/// A word that the decoder heard.
#[derive(Clone, Debug, Default, PartialEq)]
struct Word {
    text: String,
    /// The natural log-probability of its pieces.
    log_prob: f32,
}

/// Hears one utterance after the other through an [`AttentionModel`].
///
/// Its text would do as a final, were it not that such decoders leave out and repeat; a search that
/// only prefers its words can't.
pub(crate) struct Suggester {
    model: Arc<AttentionModel>,
    encoder: EncoderState,
    memory: Memory,
    /// Frames not encoded yet, `[frames, mel]`.
    waiting: Vec<f32>,
    /// The frames of the utterance so far.
    heard: usize,
    mel_bins: usize,
    /// What fills up the last chunk.
    silence: f32,
}

impl Suggester {
    pub fn new(model: &Arc<AttentionModel>) -> Self {
        let config = &model.config;
        Self {
            encoder: model.encoder.state(),
            memory: Memory::new(model.columns, model.decoder.blocks(), config.decoder.heads),
            waiting: Vec::new(),
            heard: 0,
            mel_bins: config.features.mel_bins,
            silence: config.features.energy_floor.ln(),
            model: model.clone(),
        }
    }

    /// Takes frames of the utterance and encodes the chunks that they complete. What comes after the
    /// longest that the decoder can hear is left out.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Encoder`] if a chunk can't be encoded.
    pub fn hear(&mut self, frames: &[f32]) -> Result<()> {
        self.heard += frames.len() / self.mel_bins;
        if self.is_too_long() {
            return Ok(());
        }
        self.waiting.extend_from_slice(frames);
        while self.waiting.len() >= self.input_values() {
            self.encode()?;
        }
        Ok(())
    }

    /// Whether the utterance is longer than the decoder can hear.
    pub fn is_too_long(&self) -> bool {
        self.heard > self.model.config.decoder.longest_frames
    }

    /// Ends the utterance: gives the pairs of neighbouring words that it was heard to have, or its
    /// only word, boosted by how sure the decoder is of them.
    ///
    /// # Errors
    ///
    /// Those of [`Suggester::hear`], and [`crate::Error::Encoder`] if the decoder can't be run.
    pub fn suggest(&mut self, tokens: &TokenTable) -> Result<Vec<Hotword>> {
        let config = &self.model.config;
        let seconds = self.heard * config.features.frame_shift_samples;
        let seconds = seconds.div_ceil(config.features.sample_rate as usize);
        let most = config.most_pieces(seconds);
        let silent = config.decoder.silent_chunks;
        let chunk = config.encoder.chunk_frames * self.mel_bins;
        let chunks = self.waiting.len().div_ceil(chunk) + silent;
        for _ in 0..chunks {
            let filled = self.waiting.len().max(self.input_values());
            self.waiting.resize(filled, self.silence);
            self.encode()?;
        }
        let began = Instant::now();
        let pieces = self.model.decoder.write(&self.memory, most)?;
        log::debug!("the decoder wrote {} pieces in {:.0?}", pieces.len(), began.elapsed());
        self.reset();
        let pieces =
            pieces.iter().map(|&(piece, log_prob)| (self.model.pieces.text(piece), log_prob));
        let words = Word::all(pieces, &self.model.config.decoder.spoken);
        log::debug!("the decoder heard {}", Word::text(&words));
        let speller = Speller::new(tokens);
        let mut hotwords = pairs(&words, self.model.config.decoder.boost);
        hotwords.retain(|hotword| speller.spell(&hotword.phrase).is_ok());
        Ok(hotwords)
    }

    /// Forgets the utterance.
    pub fn reset(&mut self) {
        self.encoder.reset();
        self.memory.clear();
        self.waiting.clear();
        self.heard = 0;
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

impl Word {
    /// The words of a text that is in pieces, in upper case and as they are spoken.
    fn all<'a>(
        pieces: impl Iterator<Item = (&'a str, f32)>,
        spoken: &BTreeMap<String, String>,
    ) -> Vec<Self> {
        let (mut words, mut word) = (Vec::new(), Self::default());
        for (piece, log_prob) in pieces {
            for character in piece.chars() {
                match character {
                    '’' => word.text.push('\''),
                    c if c.is_alphanumeric() || c == '\'' => word.text.extend(c.to_uppercase()),
                    _ => words.push(std::mem::take(&mut word)),
                }
            }
            if piece.contains(char::is_alphanumeric) {
                word.log_prob += log_prob;
            }
        }
        words.push(word);
        for word in &mut words {
            let text = word.text.trim_matches('\'');
            word.text = spoken.get(text).map_or(text, String::as_str).to_owned();
        }
        words.retain(|word| !word.text.is_empty());
        words
    }

    fn text(words: &[Self]) -> String {
        words.iter().map(|word| &*word.text).collect::<Vec<_>>().join(" ")
    }
}

/// Each pair of neighbours, or the word if it has none, with `boost` times its probability.
fn pairs(words: &[Word], boost: f32) -> Vec<Hotword> {
    let hotword = |words: &[Word]| {
        let log_prob: f32 = words.iter().map(|word| word.log_prob).sum();
        Hotword { phrase: Word::text(words), boost: boost * log_prob.exp() }
    };
    let mut hotwords: Vec<_> = words.windows(words.len().clamp(1, 2)).map(hotword).collect();
    hotwords.retain(|hotword| hotword.boost > LEAST_BOOST);
    hotwords
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{AudioFile, Read, Source};
    use crate::features::Fbank;
    use crate::{LoadOptions, Model, Precision};

    fn hotwords(pieces: &[(&str, f32)]) -> Vec<(String, f32)> {
        let spoken = BTreeMap::from([("MR".to_owned(), "MISTER".to_owned())]);
        let pieces = pieces.iter().map(|&(piece, probability)| (piece, f32::ln(probability)));
        let words = Word::all(pieces, &spoken);
        let round = |boost: f32| (boost * 1000.0).round() / 1000.0;
        pairs(&words, 0.8).into_iter().map(|h| (h.phrase, round(h.boost))).collect()
    }

    #[test]
    fn pairs_are_of_words_as_they_are_spoken() {
        let pieces = [(" Mr", 1.0), (".", 0.1), (" Bro", 0.5), ("wn", 0.5), ("’s", 1.0)];
        assert_eq!(hotwords(&pieces), [("MISTER BROWN'S".to_owned(), 0.2)]);
        let pieces =
            [(" \"", 0.9), ("well", 1.0), ("-", 1.0), ("known", 1.0), ("\",", 1.0), (" dogs", 0.5)];
        let expected = [("WELL KNOWN".to_owned(), 0.8), ("KNOWN DOGS".to_owned(), 0.4)];
        assert_eq!(hotwords(&pieces), expected);
    }

    #[test]
    fn a_word_alone_is_a_hotword_and_what_is_unlikely_is_none() {
        assert_eq!(hotwords(&[(" 'Yes", 0.5), (".'", 1.0)]), [("YES".to_owned(), 0.4)]);
        assert_eq!(hotwords(&[(" Yes", 0.0001), (" no", 0.01)]), []);
        assert_eq!(hotwords(&[(" ...", 0.5)]), []);
    }

    /// What the shipped decoder hears in the example, in one piece and in small ones.
    #[test]
    fn the_shipped_decoder_hears_the_example() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/");
        let second_model = Some(format!("{root}models/en-decoder").into());
        let options = LoadOptions {
            second_pass: true,
            second_model,
            precision: Precision::Int8,
            ..LoadOptions::default()
        };
        let model = Model::load(format!("{root}models/en-small"), options).unwrap();
        let attention = model.second_encoder().unwrap().attention.as_ref().unwrap();
        let mut suggester = Suggester::new(attention);

        let (mut samples, mut frames) = (vec![0.0; 1_000], Vec::new());
        let mut file = AudioFile::open(format!("{root}examples/speech.flac")).unwrap();
        let mut fbank = Fbank::new(&model.config().features).unwrap();
        while let Read::Samples(count @ 1..) = file.read(&mut samples).unwrap() {
            fbank.accept(&samples[..count], &mut frames);
        }

        suggester.hear(&frames).unwrap();
        let hotwords = suggester.suggest(model.tokens()).unwrap();
        let sure: Vec<_> = hotwords.iter().filter(|h| h.boost > 0.5).map(|h| &*h.phrase).collect();
        for pair in ["NOTHING IN", "THE WORLD", "LIKE BETTER", "SEE YOU"] {
            assert!(sure.contains(&pair), "{pair}: {hotwords:?}");
        }
        for few in frames.chunks(7 * 80) {
            suggester.hear(few).unwrap();
        }
        assert_eq!(suggester.suggest(model.tokens()).unwrap(), hotwords);
    }
}
