//! A model and how it is decoded.

use mynah::{Model, RecognizerConfig, TextFormatter, TextFormatterConfig};
use wasm_bindgen::prelude::*;

use crate::object::value_of;
use crate::options::Options;
use crate::stream::Stream;

/// A model and how it is decoded, for any number of streams.
#[wasm_bindgen]
pub struct Recognizer {
    recognizer: mynah::Recognizer,
    formatter: TextFormatter,
}

#[wasm_bindgen]
impl Recognizer {
    /// Loads the model inside the module. Throws an error for an option that it does not have.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_optional_param_type = "RecognizerOptions")] options: JsValue,
    ) -> Result<Recognizer, JsError> {
        let options = match options.is_undefined() {
            true => Options::default(),
            false => value_of(&options)?,
        };
        let model = Model::builtin_with(&options.loading())?;
        model.finish_loading()?;
        let punctuation = model.punctuation().cloned();
        let config =
            RecognizerConfig { decoding: options.decoding(), ..RecognizerConfig::default() };
        Ok(Self {
            recognizer: mynah::Recognizer::with_config(model, config)?,
            formatter: TextFormatter::new(TextFormatterConfig {
                punctuation,
                ..TextFormatterConfig::default()
            }),
        })
    }

    /// Begins a stream of mono samples at a rate of 4000 to 384000 Hz.
    pub fn stream(
        &self,
        #[wasm_bindgen(js_name = sampleRate)] sample_rate: u32,
    ) -> Result<Stream, JsError> {
        Stream::new(&self.recognizer, self.formatter.clone(), sample_rate)
    }
}
