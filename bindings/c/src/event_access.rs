//! What C reads of an event.

use std::ffi::c_char;
use std::ptr;

use crate::call::value;
use crate::event::MynahEventKind::MYNAH_EVENT_NONE;
use crate::event::MynahGrammarMatch::MYNAH_GRAMMAR_UNRESTRICTED;
use crate::event::{MynahEvent, MynahEventKind, MynahGrammarMatch};
use crate::event_words::{MynahHypothesis, MynahWord};
use crate::object;

/// Reads an event; `fallback` of null.
///
/// # Safety
///
/// `event` is null, or from `mynah_stream_next_event` and not freed.
unsafe fn read<T>(event: *const MynahEvent, fallback: T, get: impl FnOnce(&MynahEvent) -> T) -> T {
    // SAFETY: as the caller says.
    value(fallback, || unsafe { event.as_ref() }.map(get))
}

/// What the event is; `MYNAH_EVENT_NONE` of NULL.
///
/// # Safety
///
/// `event` is NULL, or from `mynah_stream_next_event` and not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_event_kind(event: *const MynahEvent) -> MynahEventKind {
    // SAFETY: as the caller says.
    unsafe { read(event, MYNAH_EVENT_NONE, |event| event.kind) }
}

/// The number of the utterance, from 0 on; 0 of a keyword. Finals come in the order of their utterances.
///
/// # Safety
///
/// `event` is NULL, or from `mynah_stream_next_event` and not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_event_utterance(event: *const MynahEvent) -> u64 {
    // SAFETY: as the caller says.
    unsafe { read(event, 0, |event| event.utterance) }
}

/// The text as recognized, in UTF-8: for `en-small` in capitals, without punctuation. A keyword's phrase. NULL of NULL.
///
/// # Safety
///
/// `event` is NULL, or from `mynah_stream_next_event` and not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_event_text(event: *const MynahEvent) -> *const c_char {
    // SAFETY: as the caller says.
    unsafe { read(event, ptr::null(), |event| event.text.as_ptr()) }
}

/// The text as people read it, in UTF-8: a final with punctuation, case and numbers in digits, a partial with case alone.
/// The same as `mynah_event_text` where text is not formatted. NULL of NULL.
///
/// # Safety
///
/// `event` is NULL, or from `mynah_stream_next_event` and not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_event_formatted_text(event: *const MynahEvent) -> *const c_char {
    // SAFETY: as the caller says.
    unsafe {
        read(event, ptr::null(), |event| event.formatted.as_ref().unwrap_or(&event.text).as_ptr())
    }
}

/// How many bytes of `mynah_event_text`, from its start on, no later event of the utterance changes: whole words.
///
/// # Safety
///
/// `event` is NULL, or from `mynah_stream_next_event` and not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_event_stable_length(event: *const MynahEvent) -> usize {
    // SAFETY: as the caller says.
    unsafe { read(event, 0, |event| event.stable_length) }
}

/// The audio time in seconds at which the first word begins.
///
/// # Safety
///
/// `event` is NULL, or from `mynah_stream_next_event` and not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_event_start(event: *const MynahEvent) -> f64 {
    // SAFETY: as the caller says.
    unsafe { read(event, 0.0, |event| event.start.as_secs_f64()) }
}

/// The audio time in seconds at which the last word ends.
///
/// # Safety
///
/// `event` is NULL, or from `mynah_stream_next_event` and not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_event_end(event: *const MynahEvent) -> f64 {
    // SAFETY: as the caller says.
    unsafe { read(event, 0.0, |event| event.end.as_secs_f64()) }
}

/// The geometric mean of the words' confidences. Of a keyword how likely the phrase is beside the likeliest tokens, per token,
/// from 0 to 1. NaN without words.
///
/// # Safety
///
/// `event` is NULL, or from `mynah_stream_next_event` and not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_event_confidence(event: *const MynahEvent) -> f32 {
    // SAFETY: as the caller says.
    unsafe { read(event, f32::NAN, |event| event.confidence) }
}

/// How the utterance matches the grammar.
///
/// # Safety
///
/// `event` is NULL, or from `mynah_stream_next_event` and not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_event_grammar_match(event: *const MynahEvent) -> MynahGrammarMatch {
    // SAFETY: as the caller says.
    unsafe { read(event, MYNAH_GRAMMAR_UNRESTRICTED, |event| event.grammar_match) }
}

/// How well the likeliest phrase of the grammar fits, from 0 to 1; NaN without a grammar. Not a probability of being right.
///
/// # Safety
///
/// `event` is NULL, or from `mynah_stream_next_event` and not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_event_grammar_fit(event: *const MynahEvent) -> f32 {
    // SAFETY: as the caller says.
    unsafe { read(event, f32::NAN, |event| event.fit) }
}

/// The position of a keyword in its list, from 0 on; lines that are empty or comments are not counted.
///
/// # Safety
///
/// `event` is NULL, or from `mynah_stream_next_event` and not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_event_keyword(event: *const MynahEvent) -> usize {
    // SAFETY: as the caller says.
    unsafe { read(event, 0, |event| event.keyword) }
}

/// The words of `mynah_event_text`. None of a keyword.
///
/// # Safety
///
/// `event` is NULL, or from `mynah_stream_next_event` and not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_event_word_count(event: *const MynahEvent) -> usize {
    // SAFETY: as the caller says.
    unsafe { read(event, 0, |event| event.words.len()) }
}

/// A word of `mynah_event_text`; NULL from `mynah_event_word_count` on.
///
/// # Safety
///
/// `event` is NULL, or from `mynah_stream_next_event` and not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_event_word(
    event: *const MynahEvent,
    index: usize,
) -> *const MynahWord {
    // SAFETY: as the caller says.
    unsafe { read(event, ptr::null(), |event| pointer(event.words.get(index))) }
}

/// The words of a final's `mynah_event_formatted_text`: a number in digits is one word. Of a partial those of its text.
///
/// # Safety
///
/// `event` is NULL, or from `mynah_stream_next_event` and not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_event_formatted_word_count(event: *const MynahEvent) -> usize {
    // SAFETY: as the caller says.
    unsafe { read(event, 0, |event| event.formatted_words().len()) }
}

/// A word of a final's `mynah_event_formatted_text`; NULL from `mynah_event_formatted_word_count` on. Its confidence is the
/// least of the words that it stands for.
///
/// # Safety
///
/// `event` is NULL, or from `mynah_stream_next_event` and not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_event_formatted_word(
    event: *const MynahEvent,
    index: usize,
) -> *const MynahWord {
    // SAFETY: as the caller says.
    unsafe { read(event, ptr::null(), |event| pointer(event.formatted_words().get(index))) }
}

/// The hypotheses of the utterance, the event's own included; see `mynah_recognizer_options_set_nbest`.
///
/// # Safety
///
/// `event` is NULL, or from `mynah_stream_next_event` and not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_event_hypothesis_count(event: *const MynahEvent) -> usize {
    // SAFETY: as the caller says.
    unsafe { read(event, 0, |event| event.hypotheses.len()) }
}

/// A hypothesis, the best first; NULL from `mynah_event_hypothesis_count` on.
///
/// # Safety
///
/// `event` is NULL, or from `mynah_stream_next_event` and not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_event_hypothesis(
    event: *const MynahEvent,
    index: usize,
) -> *const MynahHypothesis {
    // SAFETY: as the caller says.
    unsafe { read(event, ptr::null(), |event| pointer(event.hypotheses.get(index))) }
}

/// Frees an event, and all that its functions gave. NULL is nothing.
///
/// # Safety
///
/// `event` is NULL, or from `mynah_stream_next_event` and not freed, and no other call uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_event_free(event: *mut MynahEvent) {
    // SAFETY: as the caller says.
    unsafe { object::free(event) }
}

fn pointer<T>(item: Option<&T>) -> *const T {
    item.map_or(ptr::null(), ptr::from_ref)
}
