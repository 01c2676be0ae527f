//! Streams: samples in, events out.

use std::ffi::c_char;
use std::sync::{Mutex, MutexGuard};

use mynah::audio::check_samples;
use mynah::decode::{GrammarConstraint, Hotword};

use crate::argument::{Output, optional_text, reference, slice};
use crate::call::{call, value};
use crate::event::MynahEvent;
use crate::object;
use crate::recognizer::MynahRecognizer;
use crate::recognizer_options::{constraint, keywords, within};
use crate::status::MynahStatus::MYNAH_ERROR_INTERNAL;
use crate::status::{Failure, MynahStatus};
use crate::stream_state::StreamState;

/// One microphone's, call's or file's way through a recognizer: samples in, events out.
///
/// Threads: any number at once. Calls of one stream wait for each other, so that one thread may give samples while
/// another takes events; streams don't wait for each other. The order of samples is that of the calls.
pub struct MynahStream(Mutex<StreamState>);

impl MynahStream {
    /// # Errors
    ///
    /// A call has panicked.
    fn lock(&self) -> Result<MutexGuard<'_, StreamState>, Failure> {
        self.0.lock().map_err(|_| {
            let reason =
                "an earlier call of this stream met a defect of Mynah; free it and make another";
            Failure::new(MYNAH_ERROR_INTERNAL, reason)
        })
    }
}

/// # Safety
///
/// `stream` is null, or not freed.
unsafe fn with(
    stream: *const MynahStream,
    body: impl FnOnce(&mut StreamState) -> Result<(), Failure>,
) -> MynahStatus {
    call(|| {
        // SAFETY: as the caller says.
        let stream = unsafe { reference(stream, "stream") }?;
        body(&mut *stream.lock()?)
    })
}

/// Makes a stream of a recognizer, at `*stream`; NULL if it fails. It takes mono samples of `sample_rate` Hz, from 4000 to
/// 384000, and resamples them to the model's rate.
///
/// Errors: `MYNAH_ERROR_CONFIG` for another rate. The caller frees it by `mynah_stream_free`.
///
/// # Safety
///
/// `recognizer` is not freed. `stream` may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_stream_new(
    recognizer: *const MynahRecognizer,
    sample_rate: u32,
    stream: *mut *mut MynahStream,
) -> MynahStatus {
    call(|| {
        // SAFETY: as the caller says.
        let (place, recognizer) =
            unsafe { (Output::new(stream, "stream")?, reference(recognizer, "recognizer")?) };
        place.give(MynahStream(Mutex::new(StreamState::new(recognizer, sample_rate)?)));
        Ok(())
    })
}

/// Frees a stream. NULL is nothing. Its events live on.
///
/// # Safety
///
/// `stream` is NULL, or from `mynah_stream_new` and not freed, and no other call uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_stream_free(stream: *mut MynahStream) {
    // SAFETY: as the caller says.
    unsafe { object::free(stream) }
}

/// Accepts samples from -1 to 1, and decodes the chunks that they complete. Splitting the samples differently between calls
/// gives the same events. The final of an utterance that ends is computed by this call.
///
/// Errors: `MYNAH_ERROR_SAMPLES` for a sample that is no finite number, `MYNAH_ERROR_STATE` after `mynah_stream_finish`; no
/// sample has been accepted then. `MYNAH_ERROR_ENCODER` if a chunk can't be encoded. Events of before stay.
///
/// # Safety
///
/// `stream` is not freed. `samples` points to `count` values, and may be NULL if these are none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_stream_accept_f32(
    stream: *mut MynahStream,
    samples: *const f32,
    count: usize,
) -> MynahStatus {
    let accept = |state: &mut StreamState| {
        // SAFETY: as the caller says.
        let samples = unsafe { slice(samples, count, "samples") }?;
        check_samples(samples)?;
        state.accept(samples.iter().copied())
    };
    // SAFETY: as the caller says.
    unsafe { with(stream, accept) }
}

/// Accepts samples of 16 bits in the machine's byte order; see `mynah_stream_accept_f32`.
///
/// # Safety
///
/// `stream` is not freed. `samples` points to `count` values, and may be NULL if these are none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_stream_accept_i16(
    stream: *mut MynahStream,
    samples: *const i16,
    count: usize,
) -> MynahStatus {
    let accept = |state: &mut StreamState| {
        // SAFETY: as the caller says.
        let samples = unsafe { slice(samples, count, "samples") }?;
        state.accept(samples.iter().map(|&sample| f32::from(sample) / 32_768.0))
    };
    // SAFETY: as the caller says.
    unsafe { with(stream, accept) }
}

/// Moves the clock over `count` samples that were lost, at the stream's rate: what comes later has later times. More than
/// 0.2 s end the utterance.
///
/// Errors: those of `mynah_stream_flush`; the clock has moved even so. `MYNAH_ERROR_STATE` after `mynah_stream_finish`.
///
/// # Safety
///
/// `stream` is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_stream_skip(stream: *mut MynahStream, count: u64) -> MynahStatus {
    // SAFETY: as the caller says.
    unsafe { with(stream, |state| state.skip(count)) }
}

/// Decodes all samples accepted so far and ends the utterance. Samples may follow, which begin another one.
///
/// Errors: `MYNAH_ERROR_ENCODER` if a chunk can't be encoded.
///
/// # Safety
///
/// `stream` is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_stream_flush(stream: *mut MynahStream) -> MynahStatus {
    // SAFETY: as the caller says.
    unsafe { with(stream, |state| Ok(state.session.finish()?)) }
}

/// Ends the stream: as `mynah_stream_flush`, and no samples may follow but after `mynah_stream_reset`. All events are there
/// then. A second call does nothing.
///
/// Errors: those of `mynah_stream_flush`.
///
/// # Safety
///
/// `stream` is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_stream_finish(stream: *mut MynahStream) -> MynahStatus {
    // SAFETY: as the caller says.
    unsafe { with(stream, StreamState::finish) }
}

/// Forgets everything, events not yet given included: what follows is as in a new stream of the same recognizer and rate.
///
/// # Safety
///
/// `stream` is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_stream_reset(stream: *mut MynahStream) -> MynahStatus {
    // SAFETY: as the caller says.
    unsafe { with(stream, StreamState::reset) }
}

/// Gives the oldest event not yet given, at `*event`; NULL if there is none, or if it fails. Never waits for audio. Keywords
/// come before the other events that are there.
///
/// The caller frees it by `mynah_event_free`.
///
/// # Safety
///
/// `stream` is not freed. `event` may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_stream_next_event(
    stream: *mut MynahStream,
    event: *mut *mut MynahEvent,
) -> MynahStatus {
    call(|| {
        // SAFETY: as the caller says.
        let (place, stream) =
            unsafe { (Output::new(event, "event")?, reference(stream, "stream")?) };
        if let Some(event) = stream.lock()?.next_event() {
            place.give(event);
        }
        Ok(())
    })
}

/// The audio time in seconds that has been accepted and skipped since the stream's start; 0 of NULL.
///
/// # Safety
///
/// `stream` is NULL, or not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_stream_position(stream: *const MynahStream) -> f64 {
    value(0.0, || {
        // SAFETY: as the caller says.
        let stream = unsafe { stream.as_ref() }?;
        Some(stream.lock().ok()?.session.audio_position().as_secs_f64())
    })
}

/// Prefers other hotwords from the next utterance on: one a line, "PHRASE" or "PHRASE:BOOST", in words that the model's
/// tokens can spell. NULL stands for none. They hold until the stream is reset.
///
/// Errors: `MYNAH_ERROR_CONFIG` with the lines that can't be used; those before stay then.
///
/// # Safety
///
/// `stream` is not freed. `list` is NULL or text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_stream_set_hotwords(
    stream: *mut MynahStream,
    list: *const c_char,
) -> MynahStatus {
    let set = |state: &mut StreamState| {
        // SAFETY: as the caller says.
        let list = unsafe { optional_text(list, "list") }?.unwrap_or_default();
        let tokens = state.recognizer.model().tokens();
        let hotwords = Hotword::parse_list(list, tokens).map_err(|e| within("hotwords", e))?;
        Ok(state.session.stream_mut().set_hotwords(&hotwords)?)
    };
    // SAFETY: as the caller says.
    unsafe { with(stream, set) }
}

/// Restricts text to another grammar from the next utterance on, with the threshold 0.2; see
/// `mynah_recognizer_options_set_grammar`. NULL stands for none. It holds until the stream is reset.
///
/// Errors: `MYNAH_ERROR_CONFIG` with line and column; the grammar before stays then.
///
/// # Safety
///
/// `stream` is not freed. `grammar` is NULL or text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_stream_set_grammar(
    stream: *mut MynahStream,
    grammar: *const c_char,
) -> MynahStatus {
    let set = |state: &mut StreamState| {
        // SAFETY: as the caller says.
        let grammar = unsafe { optional_text(grammar, "grammar") }?;
        let model = state.recognizer.model();
        let threshold = GrammarConstraint::DEFAULT_THRESHOLD;
        let constraint = grammar.map(|text| constraint(text, threshold, model)).transpose()?;
        Ok(state.session.stream_mut().set_grammar(constraint.as_ref())?)
    };
    // SAFETY: as the caller says.
    unsafe { with(stream, set) }
}

/// Spots other keywords from now on; see `mynah_recognizer_options_set_keywords`. NULL stands for none. They hold until the
/// stream is reset.
///
/// Errors: `MYNAH_ERROR_CONFIG` with the line; those before stay then.
///
/// # Safety
///
/// `stream` is not freed. `list` is NULL or text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_stream_set_keywords(
    stream: *mut MynahStream,
    list: *const c_char,
) -> MynahStatus {
    let set = |state: &mut StreamState| {
        // SAFETY: as the caller says.
        let list = unsafe { optional_text(list, "list") }?.unwrap_or_default();
        Ok(state.session.stream_mut().set_keywords(&keywords(list)?)?)
    };
    // SAFETY: as the caller says.
    unsafe { with(stream, set) }
}

/// Panics inside a call.
///
/// # Safety
///
/// `stream` is not freed.
#[cfg(test)]
pub unsafe fn panic_in(stream: *mut MynahStream) -> MynahStatus {
    // SAFETY: as the caller says.
    unsafe { with(stream, |_| panic!("as a test does")) }
}
