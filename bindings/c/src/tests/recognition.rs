//! Recognition through the boundary, by the model inside the library.

#![cfg(all(feature = "builtin-model", feature = "files", feature = "itn"))]

use std::ffi::{CStr, CString};
use std::ptr::null;
use std::thread;

use mynah::audio::{AudioFile, ReadOutcome, Source};

use super::{MYNAH_ERROR_AUDIO, MYNAH_ERROR_IO, MYNAH_OK, output, recognizer_with};
use crate::event::MynahEventKind::*;
use crate::event::*;
use crate::event_access::*;
use crate::file::mynah_transcribe_file;
use crate::formatter::*;
use crate::model::{MynahModel, mynah_model_builtin, mynah_model_name};
use crate::object::mynah_string_free;
use crate::recognizer::{MynahRecognizer, mynah_recognizer_free};
use crate::recognizer_setters::*;
use crate::stream::*;

const SPEECH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/speech.flac");
const TEXT: &str = include_str!("../../../../examples/speech.txt");

fn builtin() -> *mut MynahModel {
    // SAFETY: the arguments are what the call asks for.
    output(|model| unsafe { mynah_model_builtin(null(), model) }).unwrap()
}

fn samples() -> Vec<i16> {
    let mut file = AudioFile::open(SPEECH).unwrap();
    let (mut samples, mut block) = (Vec::new(), [0.0; 4096]);
    loop {
        match file.read(&mut block).unwrap() {
            ReadOutcome::Samples(count) => {
                samples.extend(block[..count].iter().map(|sample| (sample * 32_768.0) as i16));
            }
            ReadOutcome::Gap(_) => {}
            ReadOutcome::End => return samples,
        }
    }
}

fn text(pointer: *const std::ffi::c_char) -> String {
    // SAFETY: it is text of an object that is not freed yet.
    unsafe { CStr::from_ptr(pointer) }.to_str().unwrap().to_owned()
}

/// Gives samples in pieces from one thread, and takes events on another; returns these.
fn recognize(recognizer: *const MynahRecognizer, samples: &[i16]) -> Vec<*mut MynahEvent> {
    // SAFETY: the stream outlives both threads.
    unsafe {
        let stream = output(|stream| mynah_stream_new(recognizer, 16_000, stream)).unwrap();
        let place = stream as usize;
        let mut events = Vec::new();
        thread::scope(|scope| {
            let feeding = scope.spawn(move || {
                for piece in samples.chunks(3_000) {
                    let stream = place as *mut MynahStream;
                    assert_eq!(
                        mynah_stream_accept_i16(stream, piece.as_ptr(), piece.len()),
                        MYNAH_OK
                    );
                }
                assert_eq!(mynah_stream_finish(place as *mut MynahStream), MYNAH_OK);
            });
            loop {
                let has_ended = feeding.is_finished();
                let event = output(|event| mynah_stream_next_event(stream, event)).unwrap();
                match (event.is_null(), has_ended) {
                    (true, true) => break,
                    (true, false) => thread::yield_now(),
                    (false, _) => events.push(event),
                }
            }
        });
        mynah_stream_free(stream);
        events
    }
}

#[test]
fn two_streams_on_four_threads_give_the_words_of_the_recording() {
    let configure = |options| {
        // SAFETY: the options are valid.
        unsafe {
            assert_eq!(mynah_recognizer_options_set_nbest(options, 3), MYNAH_OK);
            let list = c"nothing in the world\nhappy".as_ptr();
            assert_eq!(mynah_recognizer_options_set_keywords(options, list), MYNAH_OK);
        }
    };
    let recognizer = recognizer_with(builtin(), configure).unwrap();
    let (place, samples) = (recognizer as usize, samples());
    thread::scope(|scope| {
        for _ in 0..2 {
            let samples = &samples;
            scope.spawn(move || check(recognize(place as *const MynahRecognizer, samples)));
        }
    });
    // SAFETY: no stream uses it any more.
    unsafe { mynah_recognizer_free(recognizer) };
}

/// The events of the recording, which are freed.
fn check(events: Vec<*mut MynahEvent>) {
    let of_kind = |kind| {
        // SAFETY: no event is freed yet.
        events.iter().copied().filter(move |&event| unsafe { mynah_event_kind(event) } == kind)
    };
    // SAFETY: no event is freed before its last use.
    unsafe {
        let partials: Vec<_> = of_kind(MYNAH_EVENT_PARTIAL).collect();
        assert!(partials.len() > 2 && mynah_event_word_count(partials[partials.len() - 1]) > 5);
        let keywords: Vec<_> = of_kind(MYNAH_EVENT_KEYWORD)
            .map(|event| (mynah_event_keyword(event), text(mynah_event_text(event))))
            .collect();
        assert_eq!(keywords, [(0, "nothing in the world".to_owned()), (1, "happy".to_owned())]);
        let finals: Vec<_> = of_kind(MYNAH_EVENT_FINAL).collect();
        let &[last] = &finals[..] else { panic!("{} finals", finals.len()) };
        check_final(last);
        events.into_iter().for_each(|event| mynah_event_free(event));
    }
}

/// # Safety
///
/// The event is not freed.
unsafe fn check_final(event: *const MynahEvent) {
    // SAFETY: as the caller says.
    unsafe {
        assert_eq!(text(mynah_event_formatted_text(event)), TEXT.trim());
        let words: Vec<_> =
            (0..mynah_event_word_count(event)).map(|at| &*mynah_event_word(event, at)).collect();
        let texts: Vec<_> = words.iter().map(|word| text(word.text)).collect();
        assert_eq!(texts.join(" "), text(mynah_event_text(event)));
        assert!(words.iter().all(|word| word.start < word.end && word.confidence > 0.0));
        assert!(words.is_sorted_by(|word, next| word.end <= next.start));
        assert!(mynah_event_word(event, words.len()).is_null());
        let last = &*mynah_event_formatted_word(event, mynah_event_formatted_word_count(event) - 1);
        assert_eq!((text(last.text).as_str(), last.end), ("happy.", words[words.len() - 1].end));
        assert!(mynah_event_start(event) < mynah_event_end(event));
        assert!((0.3..=1.0).contains(&mynah_event_confidence(event)));
        assert!(mynah_event_grammar_fit(event).is_nan());
        let hypotheses = mynah_event_hypothesis_count(event);
        let score = |at| (*mynah_event_hypothesis(event, at)).score;
        assert!(hypotheses > 1 && (1..hypotheses).all(|at| score(at) <= score(at - 1)));
        let best = text((*mynah_event_hypothesis(event, 0)).text);
        assert_eq!(best, text(mynah_event_text(event)));
    }
}

#[test]
fn a_file_becomes_text_in_one_call_and_keeps_what_came_before_an_error() {
    let recognizer = recognizer_with(builtin(), |_| ()).unwrap();
    let transcribe = |path: &str| {
        let (path, mut place) = (CString::new(path).unwrap(), std::ptr::null_mut());
        // SAFETY: the arguments are what the call asks for, and the text is freed once.
        unsafe {
            let status = mynah_transcribe_file(recognizer, path.as_ptr(), &mut place);
            let transcript = (!place.is_null()).then(|| text(place));
            mynah_string_free(place);
            (status, transcript)
        }
    };
    assert_eq!(transcribe(SPEECH), (MYNAH_OK, Some(TEXT.trim().to_owned())));
    assert_eq!(transcribe("no/such.wav"), (MYNAH_ERROR_IO, None));
    assert_eq!(
        transcribe(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")),
        (MYNAH_ERROR_AUDIO, None)
    );
    // SAFETY: nothing uses it any more.
    unsafe { mynah_recognizer_free(recognizer) };
}

#[test]
fn a_formatter_goes_on_from_one_utterance_to_the_next() {
    let model = builtin();
    // SAFETY: all objects are new and freed once.
    unsafe {
        assert_eq!(text(mynah_model_name(model)), "en-small");
        let formatter = output(|formatter| mynah_formatter_new(null(), formatter)).unwrap();
        crate::model::mynah_model_free(model);
        let format = |words: &CStr| {
            let made =
                output(|place| mynah_formatter_format(formatter, words.as_ptr(), place)).unwrap();
            let formatted = text(made);
            mynah_string_free(made);
            formatted
        };
        assert_eq!(format(c"AT HALF PAST SEVEN COMMA"), "At 7:30,");
        assert_eq!(format(c"I PAID TWENTY DOLLARS"), "I paid $20");
        assert_eq!(mynah_formatter_begin_sentence(formatter), MYNAH_OK);
        assert_eq!(format(c"ONE OF THEM"), "One of them");
        mynah_formatter_free(formatter);
    }
}
