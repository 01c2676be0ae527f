//! A transcript in the form that was asked for.

use std::{
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::{
    Transcript,
    error::error,
    form::{Options, ResponseFormat},
};
use crate::{
    format::{FileNames, Format},
    utterance::{Utterance, Word, seconds},
};

const TEXT: &str = "text/plain; charset=utf-8";
const SRT: &str = "application/x-subrip; charset=utf-8";
const VTT: &str = "text/vtt; charset=utf-8";

/// A piece of a text that is recognized.
#[derive(Serialize)]
pub struct TextDelta<'a> {
    r#type: &'static str,
    delta: &'a str,
}

/// The whole text, last.
#[derive(Serialize)]
pub struct Done<'a> {
    r#type: &'static str,
    text: &'a str,
    usage: Usage,
}

/// What was recognized, in audio.
#[derive(Serialize)]
struct Usage {
    r#type: &'static str,
    /// Rounded up.
    seconds: u64,
}

#[derive(Serialize)]
struct Plain<'a> {
    text: &'a str,
    usage: Usage,
}

#[derive(Serialize)]
struct Verbose<'a> {
    task: &'static str,
    language: &'static str,
    #[serde(serialize_with = "seconds")]
    duration: Duration,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    segments: Option<Vec<Segment<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<Vec<TimedWord<'a>>>,
    usage: Usage,
}

/// What OpenAI's segments have; `seek`, `tokens`, `temperature` and `compression_ratio` are of Whisper, and
/// have no meaning here.
#[derive(Serialize)]
struct Segment<'a> {
    id: usize,
    seek: u32,
    #[serde(serialize_with = "seconds")]
    start: Duration,
    #[serde(serialize_with = "seconds")]
    end: Duration,
    text: &'a str,
    tokens: [u32; 0],
    temperature: f32,
    /// The mean of the words' log-probabilities.
    avg_logprob: f32,
    compression_ratio: f32,
    no_speech_prob: f32,
}

#[derive(Serialize)]
struct TimedWord<'a> {
    word: &'a str,
    #[serde(serialize_with = "seconds")]
    start: Duration,
    #[serde(serialize_with = "seconds")]
    end: Duration,
}

impl<'a> TextDelta<'a> {
    pub fn new(delta: &'a str) -> Self {
        Self { r#type: "transcript.text.delta", delta }
    }
}

impl<'a> Done<'a> {
    pub fn new(text: &'a str, audio: Duration) -> Self {
        Self { r#type: "transcript.text.done", text, usage: Usage::of(audio) }
    }
}

impl Usage {
    fn of(audio: Duration) -> Self {
        Self { r#type: "duration", seconds: audio.as_secs_f64().ceil() as u64 }
    }
}

/// Appends an utterance to a text; gives what was appended.
pub fn joined(text: &mut String, utterance: &str) -> String {
    let space = if text.is_empty() || utterance.is_empty() { "" } else { " " };
    let delta = format!("{space}{utterance}");
    text.push_str(&delta);
    delta
}

/// The response to a request.
pub fn answer(options: &Options, transcript: &Transcript) -> Response {
    let mut text = String::new();
    for utterance in &transcript.utterances {
        joined(&mut text, utterance.shown());
    }
    let usage = Usage::of(transcript.audio);
    match options.format {
        ResponseFormat::Json => Json(Plain { text: &text, usage }).into_response(),
        ResponseFormat::Text => of_kind(TEXT, format!("{text}\n").into_bytes()),
        ResponseFormat::Srt => subtitles(Format::Srt, SRT, transcript),
        ResponseFormat::Vtt => subtitles(Format::Vtt, VTT, transcript),
        ResponseFormat::VerboseJson => Json(verbose(options, transcript, &text)).into_response(),
    }
}

fn verbose<'a>(options: &Options, transcript: &'a Transcript, text: &'a str) -> Verbose<'a> {
    let utterances = &transcript.utterances;
    let segments = || utterances.iter().enumerate().map(segment).collect();
    let words = || utterances.iter().flat_map(Utterance::shown_words).map(timed_word).collect();
    Verbose {
        task: "transcribe",
        language: "english",
        duration: transcript.audio,
        text,
        segments: options.has_segments.then(segments),
        words: options.has_words.then(words),
        usage: Usage::of(transcript.audio),
    }
}

fn segment((id, utterance): (usize, &Utterance)) -> Segment<'_> {
    let log_probs = utterance.words.iter().map(|word| word.confidence.max(f32::MIN_POSITIVE).ln());
    Segment {
        id,
        seek: 0,
        start: utterance.start,
        end: utterance.end,
        text: utterance.shown(),
        tokens: [],
        temperature: 0.0,
        avg_logprob: log_probs.sum::<f32>() / utterance.words.len().max(1) as f32,
        compression_ratio: 1.0,
        no_speech_prob: 0.0,
    }
}

fn timed_word(word: &Word) -> TimedWord<'_> {
    TimedWord { word: &word.text, start: word.start, end: word.end }
}

fn subtitles(format: Format, kind: &'static str, transcript: &Transcript) -> Response {
    match written(format, transcript) {
        Ok(bytes) => of_kind(kind, bytes),
        Err(cause) => error(StatusCode::INTERNAL_SERVER_ERROR, &cause.to_string(), None),
    }
}

fn written(format: Format, transcript: &Transcript) -> io::Result<Vec<u8>> {
    let (buffer, file) = (Buffer::default(), Path::new(""));
    let mut writer = format.writer(Box::new(buffer.clone()), FileNames::Hidden);
    for utterance in &transcript.utterances {
        writer.utterance(file, utterance)?;
    }
    writer.end_file(file, transcript.audio, None)?;
    writer.finish()?;
    drop(writer);
    Ok(buffer.take())
}

fn of_kind(kind: &'static str, bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, kind)], bytes).into_response()
}

/// What a writer has written, for its owner.
#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::format::samples::utterance;

    #[test]
    fn verbose_json_has_segments_and_words() {
        let utterances = vec![utterance(1_000, "YES"), utterance(2_000, "NO")];
        let transcript = Transcript { utterances, audio: Duration::from_millis(2_500) };
        let options = Options { has_words: true, has_segments: true, ..Options::default() };
        let json = serde_json::to_string(&verbose(&options, &transcript, "YES NO")).unwrap();
        assert_snapshot!(json, @r#"{"task":"transcribe","language":"english","duration":2.5,"text":"YES NO","segments":[{"id":0,"seek":0,"start":1.0,"end":1.3,"text":"YES","tokens":[],"temperature":0.0,"avg_logprob":-0.2876821,"compression_ratio":1.0,"no_speech_prob":0.0},{"id":1,"seek":0,"start":2.0,"end":2.3,"text":"NO","tokens":[],"temperature":0.0,"avg_logprob":-0.2876821,"compression_ratio":1.0,"no_speech_prob":0.0}],"words":[{"word":"YES","start":1.0,"end":1.3},{"word":"NO","start":2.0,"end":2.3}],"usage":{"type":"duration","seconds":3}}"#);
    }

    #[test]
    fn subtitles_are_those_of_the_command() {
        let utterances = vec![utterance(1_000, "YES")];
        let transcript = Transcript { utterances, audio: Duration::from_millis(2_500) };
        let text = String::from_utf8(written(Format::Srt, &transcript).unwrap()).unwrap();
        assert!(text.starts_with("1\n00:00:01,000 --> 00:00:02,000\nYES\n"), "{text}");
    }

    #[test]
    fn utterances_are_joined_by_spaces() {
        let mut text = String::new();
        let deltas: Vec<_> = ["Yes.", "", "No."].map(|u| joined(&mut text, u)).into();
        assert_eq!((text.as_str(), deltas.concat().as_str()), ("Yes. No.", "Yes. No."));
    }
}
