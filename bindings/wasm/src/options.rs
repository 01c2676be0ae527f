//! What a recognizer is made with.

use std::time::Duration;

use mynah::{Chunk, Finals, LoadOptions, decode};
use serde::Deserialize;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPESCRIPT: &str = r#"
/** What a recognizer is made with. */
export interface RecognizerOptions {
  /** Finals of the streaming pass, the default, or of a second pass, which computes more and makes fewer errors. */
  finals?: "first-pass" | "second-pass";
  /** The search: of words by their phones, the default, or of the likeliest letters, which are no words of a lexicon. */
  decoding?: "words" | "greedy";
  /** The audio of one call of the encoder: 320, 640 (the default), 1280 or 5120 ms. */
  chunkMilliseconds?: number;
}
"#;

/// `RecognizerOptions`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Options {
    finals: Pass,
    decoding: Decoding,
    chunk_milliseconds: Option<u32>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Pass {
    #[default]
    FirstPass,
    SecondPass,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Decoding {
    #[default]
    Words,
    Greedy,
}

impl Options {
    pub fn loading(&self) -> LoadOptions {
        let finals = match self.finals {
            Pass::FirstPass => Finals::FirstPass,
            Pass::SecondPass => Finals::SecondPass,
        };
        let length = |milliseconds| Duration::from_millis(u64::from(milliseconds));
        let chunk =
            self.chunk_milliseconds.map_or(Chunk::Streaming, |ms| Chunk::Length(length(ms)));
        LoadOptions { finals, chunk, ..LoadOptions::default() }
    }

    /// The search; none for the model's own.
    pub fn decoding(&self) -> Option<decode::Decoding> {
        match self.decoding {
            Decoding::Words => None,
            Decoding::Greedy => Some(decode::Decoding::Greedy),
        }
    }
}
