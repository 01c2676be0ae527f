//! What clients of the server send: Vosk's JSON, Wyoming's messages, and the forms of OpenAI's API, read by the
//! program's own modules.
//!
//! Input: a byte of the protocol and the messages.

use std::cell::Cell;
use std::sync::LazyLock;
use std::time::Duration;

use crate::input::Input;
use crate::serve::openai::form::Form;
use crate::serve::vosk::request::{Request as VoskRequest, Settings};
use crate::serve::wyoming::{audio::AudioFormat, message::Message};
use crate::tiny_model::TinyModel;
use axum::body::Body;
use axum::extract::{FromRequest as _, Multipart, Request};
use mynah::{Recognizer, RecognizerConfig};
use tokio::runtime::{Builder, Runtime};

/// Bytes of a message; the program's default is larger.
const MOST_BYTES: usize = 1 << 16;
/// The boundary of forms in the corpus.
const FORM: &str = "multipart/form-data; boundary=X";

static MODEL: LazyLock<TinyModel> = LazyLock::new(TinyModel::load);

thread_local! {
    static RUNTIME: Runtime =
        Builder::new_current_thread().enable_time().build().expect("a runtime");
}

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    match input.byte() % 4 {
        0 => vosk(&mut input),
        1 => RUNTIME.with(|runtime| runtime.block_on(wyoming(input.rest()))),
        kind => RUNTIME.with(|runtime| runtime.block_on(form(&mut input, kind == 3))),
    }
}

/// Messages of text, each up to a zero.
fn vosk(input: &mut Input) {
    let mut settings = Settings::new(false);
    while !input.is_empty() {
        let Ok(VoskRequest::Config(config)) = VoskRequest::parse(&input.text()) else {
            settings.receive(input.below(3));
            settings.end_utterance();
            continue;
        };
        if settings.apply(*config).is_err() {
            continue;
        }
        let model = MODEL.by_tokens.model();
        let config = settings.stream.configure(&RecognizerConfig::default(), model);
        if let Ok(config) = config {
            let _ = Recognizer::with_config(model.clone(), config);
        }
        let _ = mynah::audio::Resampler::new(settings.stream.sample_rate, 16_000);
    }
}

async fn wyoming(mut bytes: &[u8]) {
    while let Ok(Some(message)) = Message::read(&mut bytes, MOST_BYTES).await {
        let mut written = Vec::new();
        message.write(&mut written).await.expect("a vector takes all");
        let read = Message::read(&mut &written[..], MOST_BYTES * 2).await;
        assert_eq!(read.expect("what was written can be read").as_ref(), Some(&message));
        let _ = (message.texts("transcript_names"), message.text("language"));
        if let Ok(format) = AudioFormat::of(&message) {
            let mixed = format.mixed_down(message.payload.clone());
            assert!(mixed.len() <= message.payload.len());
        }
    }
}

async fn form(input: &mut Input<'_>, has_own_boundary: bool) {
    let kind = if has_own_boundary { input.text() } else { FORM.to_owned() };
    let request = Request::post("/").header("content-type", kind);
    let Ok(request) = request.body(Body::from(input.rest().to_vec())) else { return };
    let Ok(multipart) = Multipart::from_request(request, &()).await else { return };
    let received = Cell::new(0);
    let count = |bytes| received.set(received.get() + bytes);
    if let Ok(form) = Form::read(multipart, count, Duration::from_secs(1)).await {
        assert!(received.get() >= form.file.len());
    }
}
