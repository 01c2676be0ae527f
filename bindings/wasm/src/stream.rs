//! Samples in, events out.

use mynah::audio::{Resampler, check_samples};
use mynah::{Recognizer, TextFormatter};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::event::Event;
use crate::object::object_of;

#[wasm_bindgen(typescript_custom_section)]
const TYPESCRIPT: &str = r#"
/** How many seconds each stage of a stream has computed. */
export interface StageTimes {
  features: number;
  encoder: number;
  search: number;
  finals: number;
}
"#;

/// The samples of one source on their way through a recognizer.
#[wasm_bindgen]
pub struct Stream {
    stream: mynah::Stream,
    resampler: Resampler,
    resampled: Vec<f32>,
    formatter: TextFormatter,
}

/// `StageTimes`.
#[derive(Serialize)]
struct StageTimes {
    features: f64,
    encoder: f64,
    search: f64,
    finals: f64,
}

impl Stream {
    pub(crate) fn new(
        recognizer: &Recognizer,
        formatter: TextFormatter,
        sample_rate: u32,
    ) -> Result<Self, JsError> {
        Ok(Self {
            stream: recognizer.stream(),
            resampler: Resampler::new(sample_rate, recognizer.sample_rate())?,
            resampled: Vec::new(),
            formatter,
        })
    }

    fn events(&mut self) -> Result<JsValue, JsError> {
        let mut events = Vec::new();
        while let Some(event) = self.stream.next_event() {
            events.push(Event::new(&event, &mut self.formatter));
        }
        object_of(&events)
    }
}

#[wasm_bindgen]
impl Stream {
    /// Recognizes samples in [-1, 1], any number of them, and gives the events that they complete. Throws an error for
    /// a sample that is not finite.
    #[wasm_bindgen(unchecked_return_type = "Event[]")]
    pub fn accept(&mut self, samples: &[f32]) -> Result<JsValue, JsError> {
        check_samples(samples)?;
        self.resampled.clear();
        self.resampler.process(samples, &mut self.resampled);
        self.stream.accept_waveform(&self.resampled)?;
        self.events()
    }

    /// Ends the utterance. Samples may follow.
    #[wasm_bindgen(unchecked_return_type = "Event[]")]
    pub fn flush(&mut self) -> Result<JsValue, JsError> {
        self.resampled.clear();
        self.resampler.finish(&mut self.resampled);
        self.stream.accept_waveform(&self.resampled)?;
        self.stream.finish()?;
        self.events()
    }

    /// How long each stage has computed.
    #[wasm_bindgen(js_name = stageTimes, unchecked_return_type = "StageTimes")]
    pub fn stage_times(&self) -> Result<JsValue, JsError> {
        let times = self.stream.stage_times();
        object_of(&StageTimes {
            features: times.features.as_secs_f64(),
            encoder: times.encoder.as_secs_f64(),
            search: times.search.as_secs_f64(),
            finals: times.finals.as_secs_f64(),
        })
    }
}
