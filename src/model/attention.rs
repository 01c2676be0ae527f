//! A folder with an encoder and an attention decoder, which rescore the finals of a CTC model.

use std::path::Path;

use serde::Deserialize;

use super::config::{check_file, check_format};
use super::unknown_keys::parse_json;
use super::{PrimaryModel, guard, read_graph, read_text};
use crate::acoustic::decoder::DecoderConfig;
use crate::acoustic::decoder::{Decoder, PieceTable};
use crate::acoustic::encoder::{CacheConfig, Encoder, EncoderConfig, EncoderOutput};
use crate::error::{Error, Result};
use crate::features::FbankConfig;

/// What the `config.json` of such a folder says.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct AttentionConfig {
    pub name: String,
    pub language: String,
    pub features: FbankConfig,
    pub encoder: EncoderConfig,
    pub decoder: DecoderConfig,
}

/// An encoder and the decoder that reads it.
pub(crate) struct AttentionModel {
    pub config: AttentionConfig,
    pub encoder: Encoder,
    pub decoder: Decoder,
    pub pieces: PieceTable,
    /// The values that the encoder gives for each of its frames.
    pub columns: usize,
}

impl AttentionModel {
    /// Loads the folder `dir`, whose `config.json` is at `path`.
    ///
    /// # Errors
    ///
    /// Those of [`super::Model::load`]; [`Error::Model`] also if its frames are not those of the first.
    pub(super) fn load(dir: &Path, json: &str, path: &Path, first: &PrimaryModel) -> Result<Self> {
        check_format(json, path)?;
        let config: AttentionConfig = parse_json(json, path)?;
        let files = [&config.decoder.pieces, &config.decoder.int8, &config.encoder.int8];
        for file in files {
            check_file(file).map_err(|reason| Error::model(path, reason))?;
        }
        config.check(first).map_err(|reason| Error::model(path, reason))?;
        let pieces_path = dir.join(&config.decoder.pieces);
        let pieces = PieceTable::parse(&read_text(&pieces_path)?);
        let pieces = pieces.map_err(|reason| Error::model(&pieces_path, reason))?;
        config.check_pieces(&pieces).map_err(|reason| Error::model(path, reason))?;
        let read = |file: &Path| {
            let path = dir.join(file);
            read_graph(&path).map(|onnx| (onnx.into(), path.clone()))
        };
        let (onnx, decoder_path) = read(&config.decoder.int8)?;
        let decoder =
            guard(&decoder_path, || Decoder::new(onnx, &config.decoder, &pieces, &decoder_path))?;
        let (onnx, encoder_path) = read(&config.encoder.int8)?;
        let columns = config.columns(decoder.blocks());
        let reason = "keys and values of the decoder's blocks";
        let output = EncoderOutput { name: "memory", columns, reason };
        let sizes = (&config.encoder, config.features.mel_bins);
        let encoder =
            guard(&encoder_path, || Encoder::new(onnx, sizes, output, &encoder_path, None, None))?;
        Ok(Self { config, encoder, decoder, pieces, columns })
    }
}

impl AttentionConfig {
    fn check(&self, first: &PrimaryModel) -> Result<(), String> {
        let Self { features, encoder, decoder, .. } = self;
        if *features != first.config.features {
            return Err(format!("its features are not those of {}", first.config.name));
        }
        encoder.check().map_err(|reason| format!("encoder: {reason}"))?;
        CacheConfig::check(&decoder.caches).map_err(|reason| format!("decoder: {reason}"))?;
        let (weight, bonus) = (decoder.weight, decoder.word_insertion_bonus);
        if !(weight > 0.0 && weight.is_finite()) {
            return Err(format!("decoder: weight is {weight}; it must be a number above 0"));
        }
        if !bonus.is_finite() {
            return Err(format!(
                "decoder: word_insertion_bonus is {bonus}; it must be a finite number"
            ));
        }
        let limits = [
            ("longest_rows", decoder.longest_rows, 1..=100_000),
            ("padding_chunks", decoder.padding_chunks, 0..=100),
            ("pieces_per_second", decoder.pieces_per_second, 1..=100),
        ];
        for (name, value, range) in limits {
            if !range.contains(&value) {
                let (from, to) = range.into_inner();
                return Err(format!("decoder: {name} is {value}; it must be from {from} to {to}"));
            }
        }
        let (heads, (_, dim)) = (decoder.heads, decoder.looks_back());
        if dim == 0 {
            return Err(
                "decoder: no cache of three dimensions; those of its attention have".to_owned()
            );
        }
        if heads == 0 || !dim.is_multiple_of(heads) {
            return Err(format!(
                "decoder: heads is {heads}; it must divide the caches' {dim} values"
            ));
        }
        if decoder.start.is_empty() {
            return Err(
                "decoder: start is empty; name the piece that every text begins with".to_owned()
            );
        }
        Ok(())
    }

    fn check_pieces(&self, pieces: &PieceTable) -> Result<(), String> {
        let DecoderConfig { start, end, .. } = &self.decoder;
        match start.iter().chain([end]).find(|&&piece| piece >= pieces.len()) {
            Some(piece) => Err(format!("decoder: piece {piece}; pieces.txt has {}", pieces.len())),
            None => Ok(()),
        }
    }

    /// The most pieces that are written for so many seconds of audio: no more than the decoder can look
    /// back on.
    pub fn max_pieces(&self, seconds: usize) -> usize {
        self.longest_text()
            .min(self.decoder.pieces_per_second.saturating_mul(seconds.saturating_add(1)))
    }

    /// The most pieces of a text that the decoder can look back on.
    pub fn longest_text(&self) -> usize {
        let DecoderConfig { start, .. } = &self.decoder;
        self.decoder.looks_back().0.saturating_sub(start.len())
    }

    fn columns(&self, blocks: usize) -> usize {
        2 * blocks * self.decoder.looks_back().1
    }
}
