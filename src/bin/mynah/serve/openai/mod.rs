//! Transcription of files as OpenAI's API has it.

mod answer;
mod error;
mod form;

use std::convert::Infallible;

use axum::{
    Json,
    extract::{Multipart, Path, State},
    http::StatusCode,
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
};
use futures_util::stream;
use serde_json::json;
use tokio::{select, sync::watch, time::timeout};

pub use self::error::{error, not_found, unavailable};
use self::{
    answer::{Done, TextDelta, answer},
    error::failed,
    form::Form,
};
use super::{
    engine::{Failure, Protocol, Upload, UploadOutput},
    http::App,
};
use crate::utterance::Utterance;

/// The model's name here. Requests may name any other, as clients have OpenAI's names built in.
const MODEL: &str = "mynah";

/// `GET /v1/models`
pub async fn models() -> Response {
    Json(json!({ "object": "list", "data": [described()] })).into_response()
}

/// `GET /v1/models/NAME`
pub async fn model(Path(name): Path<String>) -> Response {
    if name == MODEL {
        return Json(described()).into_response();
    }
    let reason = format!("there is no model {name:?} here; the only one is {MODEL:?}");
    error(StatusCode::NOT_FOUND, &reason, Some("model"))
}

fn described() -> serde_json::Value {
    json!({ "id": MODEL, "object": "model", "created": 0, "owned_by": "mynah" })
}

/// `POST /v1/audio/transcriptions`
pub async fn transcribe(State(app): State<App>, multipart: Multipart) -> Response {
    let admission = match app.engine.admit(Protocol::upload) {
        Ok(admission) => admission,
        Err(refusal) => return unavailable(&refusal.to_string()),
    };
    let limits = &app.engine.limits;
    let form = Form::read(multipart, |bytes| admission.receive(bytes), limits.idle);
    let form = match timeout(limits.time, form).await {
        Ok(Ok(form)) => form,
        Ok(Err(response)) => return *response,
        Err(_) => {
            return error(StatusCode::REQUEST_TIMEOUT, "the form did not arrive in time", None);
        }
    };
    let mut stopping = app.stopping.subscribe();
    let upload = admission.file(form.file, form.name, form.options.is_formatted);
    if form.options.is_stream {
        return events(upload, stopping);
    }
    let time = app.engine.limits.time;
    let whole = select! {
        whole = timeout(time, gather(upload)) => whole,
        _ = stopping.changed() => return unavailable("the server is stopping"),
    };
    match whole {
        Ok(Ok(transcript)) => answer(&form.options, &transcript),
        Ok(Err(failure)) => failed(&failure),
        Err(_) => {
            let seconds = time.as_secs_f64();
            failed(&Failure::limit(format!("the file was not recognized within {seconds} s")))
        }
    }
}

/// All of a file.
pub struct Transcript {
    pub utterances: Vec<Utterance>,
    pub audio: std::time::Duration,
}

async fn gather(mut upload: Upload) -> Result<Transcript, Failure> {
    let mut utterances = Vec::new();
    while let Some(output) = upload.next().await {
        match output {
            UploadOutput::Final(utterance) => utterances.push(*utterance),
            UploadOutput::Ended(audio) => return Ok(Transcript { utterances, audio }),
            UploadOutput::Failed(failure) => return Err(failure),
        }
    }
    Err(Failure::panicked())
}

/// Server-sent events: the text of each utterance as it is recognized, then all of it.
fn events(upload: Upload, stopping: watch::Receiver<bool>) -> Response {
    struct Sending {
        upload: Option<Upload>,
        stopping: watch::Receiver<bool>,
        text: String,
    }
    let next = |mut sending: Sending| async move {
        let output = select! {
            output = sending.upload.as_mut()?.next() => output,
            _ = sending.stopping.changed() => {
                Some(UploadOutput::Failed(Failure::limit("the server is stopping")))
            }
        };
        let event = match output? {
            UploadOutput::Final(utterance) => {
                let delta = answer::joined(&mut sending.text, utterance.shown());
                Event::default().json_data(TextDelta::new(&delta))
            }
            UploadOutput::Ended(audio) => {
                sending.upload = None;
                Event::default().json_data(Done::new(&sending.text, audio))
            }
            UploadOutput::Failed(failure) => {
                sending.upload = None;
                Event::default().json_data(error::body(&failure))
            }
        };
        let event = event.unwrap_or_else(|_| Event::default().comment("not to be written"));
        Some((Ok::<_, Infallible>(event), sending))
    };
    let sending = Sending { upload: Some(upload), stopping, text: String::new() };
    Sse::new(stream::unfold(sending, next)).into_response()
}
