//! What a model's `config.json` says of an encoder.

use std::path::PathBuf;

use serde::Deserialize;

/// More values than this in all caches, or more caches, are taken for a mistake.
const MOST_CACHE_VALUES: usize = 1 << 26;
const MOST_CACHES: usize = 1_000;

/// An encoder's files and geometry.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct EncoderConfig {
    /// The file of the 32-bit floating-point encoder, in the model's folder. May be left out: then the
    /// model runs in int8 only.
    #[serde(default)]
    pub f32: Option<PathBuf>,
    /// The file of the int8 encoder, in the model's folder.
    pub int8: PathBuf,
    /// The frames by which one call moves on; a multiple of `subsampling_factor`.
    pub chunk_frames: usize,
    /// The values of `chunk_frames` that the encoder was trained for and its files can take; if
    /// left out, the one value.
    #[serde(default)]
    pub chunk_choices: Vec<usize>,
    /// The one of `chunk_choices` for audio that is at hand as a whole; if left out,
    /// `chunk_frames`.
    #[serde(default)]
    pub offline_chunk_frames: Option<usize>,
    /// The frames after the chunk that one call needs too.
    pub lookahead_frames: usize,
    /// The frames in one encoder frame.
    pub subsampling_factor: usize,
    /// The frames before the chunk that attention reads.
    pub left_context_frames: usize,
    /// What is carried from chunk to chunk.
    pub caches: Vec<CacheConfig>,
}

/// A tensor that one call of the encoder leaves to the next.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct CacheConfig {
    /// The graph's input; its output is called the same with `new_` before it.
    pub name: String,
    /// Its dimensions.
    pub shape: Vec<usize>,
    /// Its every value at a stream's start.
    pub initial: f32,
}

impl EncoderConfig {
    /// A chunk and its lookahead of more frames than this is taken for a mistake.
    const MAX_FRAMES: usize = 100_000;

    /// The encoder frames that one call gives.
    pub fn chunk_encoder_frames(&self) -> usize {
        self.chunk_frames / self.subsampling_factor
    }

    /// The frames that one call takes: the chunk and its lookahead.
    pub fn input_frames(&self) -> usize {
        self.chunk_frames + self.lookahead_frames
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        let Self { chunk_frames: chunk, lookahead_frames, subsampling_factor: factor, .. } = *self;
        let max = Self::MAX_FRAMES;
        if !(1..=max).contains(&factor) {
            return Err(format!("subsampling_factor is {factor}; it must be from 1 to {max}"));
        }
        if !(1..=max).contains(&chunk) {
            return Err(format!("chunk_frames is {chunk}; it must be from 1 to {max}"));
        }
        if !chunk.is_multiple_of(factor) {
            let reason = "it must be a multiple of subsampling_factor, which is";
            return Err(format!("chunk_frames is {chunk}; {reason} {factor}"));
        }
        if lookahead_frames > max {
            return Err(format!(
                "lookahead_frames is {lookahead_frames}; it must be at most {max}"
            ));
        }
        let is_choice =
            |frames: &usize| frames.is_multiple_of(factor) && (1..=max).contains(frames);
        if let Some(choice) = self.chunk_choices.iter().find(|frames| !is_choice(frames)) {
            return Err(format!(
                "chunk_choices has {choice}; it must be a multiple of subsampling_factor, from {factor} to {max}"
            ));
        }
        if !self.chunk_choices.is_empty() && !self.chunk_choices.contains(&chunk) {
            return Err(format!("chunk_frames is {chunk}; chunk_choices lacks it"));
        }
        if let Some(offline) = self.offline_chunk_frames
            && !self.chunk_choices.contains(&offline)
        {
            return Err(format!("offline_chunk_frames is {offline}; chunk_choices lacks it"));
        }
        CacheConfig::check(&self.caches)
    }
}

impl CacheConfig {
    /// Refuses two of a name, and more than a stream is to hold.
    ///
    /// # Errors
    ///
    /// What is wrong, with the limit.
    pub(crate) fn check(caches: &[Self]) -> Result<(), String> {
        if caches.len() > MOST_CACHES {
            return Err(format!("has {} caches; at most {MOST_CACHES} are taken", caches.len()));
        }
        let mut all = 0_usize;
        for (index, Self { name, shape, .. }) in caches.iter().enumerate() {
            if caches[..index].iter().any(|other| other.name == *name) {
                return Err(format!("two caches are called {name}"));
            }
            let values = shape.iter().try_fold(1_usize, |all, &size| all.checked_mul(size));
            all = all.saturating_add(values.unwrap_or(usize::MAX));
            if all > MOST_CACHE_VALUES {
                return Err(format!(
                    "cache {name} of {shape:?} has more than {MOST_CACHE_VALUES} values, with the caches before it"
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoder() -> EncoderConfig {
        EncoderConfig {
            f32: Some("encoder.onnx".into()),
            int8: "encoder.int8.onnx".into(),
            chunk_frames: 64,
            chunk_choices: vec![32, 64],
            offline_chunk_frames: None,
            lookahead_frames: 1,
            subsampling_factor: 4,
            left_context_frames: 256,
            caches: vec![CacheConfig { name: "a".into(), shape: vec![1, 2], initial: 0.0 }],
        }
    }

    #[test]
    fn geometry_follows_from_the_configuration() {
        assert_eq!(encoder().check(), Ok(()));
        assert_eq!(encoder().chunk_encoder_frames(), 16);
        assert_eq!(encoder().input_frames(), 65);
    }

    #[test]
    fn refuses_contradictions_with_both_numbers() {
        type Edit = fn(&mut EncoderConfig);
        let cases: [(Edit, &str); 9] = [
            (
                |c| c.caches[0].shape = vec![usize::MAX, 2],
                "cache a of [18446744073709551615, 2] has more than 67108864 values, with the caches before it",
            ),
            (
                |c| c.chunk_frames = 66,
                "chunk_frames is 66; it must be a multiple of subsampling_factor, which is 4",
            ),
            (|c| c.chunk_frames = 0, "chunk_frames is 0; it must be from 1 to 100000"),
            (|c| c.subsampling_factor = 0, "subsampling_factor is 0; it must be from 1 to 100000"),
            (
                |c| c.lookahead_frames = 100_001,
                "lookahead_frames is 100001; it must be at most 100000",
            ),
            (|c| c.caches.push(c.caches[0].clone()), "two caches are called a"),
            (
                |c| c.chunk_choices.push(30),
                "chunk_choices has 30; it must be a multiple of subsampling_factor, from 4 to 100000",
            ),
            (|c| c.chunk_choices = vec![32], "chunk_frames is 64; chunk_choices lacks it"),
            (
                |c| c.offline_chunk_frames = Some(128),
                "offline_chunk_frames is 128; chunk_choices lacks it",
            ),
        ];
        for (edit, expected) in cases {
            let mut config = encoder();
            edit(&mut config);
            assert_eq!(config.check(), Err(expected.to_owned()));
        }
    }
}
