//! The boundary as C meets it: nulls, bad text, wrong orders of calls, calls after an error, and threads.

mod recognition;

use std::ffi::{CStr, CString, c_char};
use std::ptr::{null, null_mut};

use crate::event::*;
use crate::event_access::*;
use crate::model::*;
use crate::model_options::*;
use crate::recognizer::*;
use crate::recognizer_options::*;
use crate::recognizer_setters::*;
use crate::status::MynahStatus::{self, *};
use crate::status::mynah_error_message;
use crate::stream::*;

/// A model of random weights.
const RANDOM_MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/random");

/// The message of this thread's last error.
pub fn last_message() -> String {
    // SAFETY: the text is this thread's and valid until its next error.
    unsafe { CStr::from_ptr(mynah_error_message()) }.to_str().unwrap().to_owned()
}

/// What a call leaves at its last argument.
fn output<T>(call: impl FnOnce(*mut *mut T) -> MynahStatus) -> Result<*mut T, MynahStatus> {
    // The call must not leave what was there.
    let mut place = std::ptr::dangling_mut();
    match call(&mut place) {
        MYNAH_OK => Ok(place),
        status => {
            assert!(place.is_null(), "{status:?} left an output");
            Err(status)
        }
    }
}

fn load(folder: &CStr, options: *const MynahModelOptions) -> Result<*mut MynahModel, MynahStatus> {
    // SAFETY: the arguments are what the call asks for.
    output(|model| unsafe { mynah_model_load(folder.as_ptr(), options, model) })
}

fn random_model() -> *mut MynahModel {
    load(&CString::new(RANDOM_MODEL).unwrap(), null()).unwrap()
}

/// A recognizer with options; the model is freed at once.
fn recognizer_with(
    model: *mut MynahModel,
    configure: impl FnOnce(*mut MynahRecognizerOptions),
) -> Result<*mut MynahRecognizer, MynahStatus> {
    let options = mynah_recognizer_options_new();
    configure(options);
    // SAFETY: all are new and freed once.
    unsafe {
        let recognizer = output(|place| mynah_recognizer_new(model, options, place));
        mynah_recognizer_options_free(options);
        mynah_model_free(model);
        recognizer
    }
}

/// A stream of the random model at 16 kHz, whose recognizer is freed at once.
fn random_stream() -> *mut MynahStream {
    let recognizer = recognizer_with(random_model(), |_| ()).unwrap();
    // SAFETY: the recognizer is new and freed once.
    unsafe {
        let stream = output(|stream| mynah_stream_new(recognizer, 16_000, stream)).unwrap();
        mynah_recognizer_free(recognizer);
        stream
    }
}

#[test]
fn null_is_an_argument_error_or_nothing() {
    // SAFETY: null is allowed everywhere, as this tests.
    unsafe {
        let statuses = [
            mynah_model_load(null(), null(), null_mut()),
            mynah_model_builtin(null(), null_mut()),
            mynah_model_finish_loading(null()),
            mynah_model_options_set_preset(null_mut(), 0),
            mynah_recognizer_options_set_gate(null_mut(), true),
            mynah_recognizer_options_set_hotwords(null_mut(), c"a".as_ptr()),
            mynah_stream_new(null(), 16_000, null_mut()),
            mynah_stream_accept_f32(null_mut(), null(), 0),
            mynah_stream_accept_i16(null_mut(), null(), 0),
            mynah_stream_skip(null_mut(), 1),
            mynah_stream_finish(null_mut()),
            mynah_stream_next_event(null_mut(), null_mut()),
        ];
        assert!(statuses.iter().all(|status| *status == MYNAH_ERROR_ARGUMENT), "{statuses:?}");
        assert_eq!(last_message(), "event is NULL");
        let no_folder = output(|model| mynah_model_load(null(), null(), model));
        assert_eq!(no_folder.err(), Some(MYNAH_ERROR_ARGUMENT));
        assert_eq!(last_message(), "folder is NULL");
        assert_eq!(mynah_event_kind(null()), MynahEventKind::MYNAH_EVENT_NONE);
        assert!(mynah_event_text(null()).is_null() && mynah_event_word(null(), 0).is_null());
        assert!(mynah_model_name(null()).is_null() && mynah_stream_position(null()) == 0.0);
        mynah_model_free(null_mut());
        mynah_stream_free(null_mut());
        mynah_event_free(null_mut());
        crate::object::mynah_string_free(null_mut());
    }
}

#[test]
fn text_must_be_utf_8() {
    assert_eq!(load(c"models/\xff", null()).err(), Some(MYNAH_ERROR_ARGUMENT));
    assert_eq!(last_message(), "folder is not UTF-8 from byte 7 on");
    let options = mynah_recognizer_options_new();
    // SAFETY: the options are new and freed once.
    unsafe {
        let list: *const c_char = c"caf\xe9".as_ptr();
        assert_eq!(mynah_recognizer_options_set_words(options, list), MYNAH_ERROR_ARGUMENT);
        mynah_recognizer_options_free(options);
    }
}

#[test]
fn options_refuse_what_they_can_not_be() {
    let options = mynah_model_options_new();
    // SAFETY: the options are new and freed once.
    unsafe {
        assert_eq!(mynah_model_options_set_preset(options, 3), MYNAH_ERROR_ARGUMENT);
        assert_eq!(last_message(), "preset is 3; it must be from 0 to 2");
        assert_eq!(mynah_model_options_set_precision(options, -1), MYNAH_ERROR_ARGUMENT);
        let accurate = MynahPreset::MYNAH_PRESET_ACCURATE as i32;
        assert_eq!(mynah_model_options_set_preset(options, accurate), MYNAH_OK);
        assert_eq!(load(c"models", options).err(), Some(MYNAH_ERROR_CONFIG));
        assert!(last_message().contains("set_second_model"), "{}", last_message());
        mynah_model_options_free(options);
    }
    assert_eq!(load(c"no/such/folder", null()).err(), Some(MYNAH_ERROR_IO));
    assert!(last_message().starts_with("no/such/folder/config.json: "), "{}", last_message());
}

#[test]
fn a_recognizer_refuses_what_its_model_can_not_do() {
    type Set = unsafe extern "C" fn(*mut MynahRecognizerOptions, *const c_char) -> MynahStatus;
    let cases: [(Set, &CStr, &str); 4] = [
        (
            mynah_recognizer_options_set_hotwords,
            c"good\n\xe5\x8c\x97\xe4\xba\xac",
            "hotwords: line 2: ",
        ),
        (mynah_recognizer_options_set_keywords, c"lamp:2", "keywords: line 1: "),
        (
            mynah_recognizer_options_set_grammar,
            c"#JSGF V1.0; grammar g; public <a> = <b>;",
            "grammar: ",
        ),
        (mynah_recognizer_options_set_words, c"a = /Q Q/", "words: "),
    ];
    for (set, text, message) in cases {
        // SAFETY: the options are valid and the text ends with a zero.
        let configure = |options| assert_eq!(unsafe { set(options, text.as_ptr()) }, MYNAH_OK);
        let refused = recognizer_with(random_model(), configure);
        assert_eq!(refused.err(), Some(MYNAH_ERROR_CONFIG), "{text:?}");
        assert!(last_message().starts_with(message), "{}", last_message());
    }
    // SAFETY: the options are valid.
    let endless = |options| unsafe {
        let set = mynah_recognizer_options_set_endpoint_silence;
        assert_eq!(set(options, f64::NAN), MYNAH_ERROR_CONFIG);
        assert_eq!(set(options, -1.0), MYNAH_ERROR_CONFIG);
        assert_eq!(mynah_recognizer_options_set_nbest(options, 0), MYNAH_ERROR_CONFIG);
        assert_eq!(mynah_recognizer_options_set_longest_utterance(options, 0.0), MYNAH_OK);
    };
    assert_eq!(recognizer_with(random_model(), endless).err(), Some(MYNAH_ERROR_CONFIG));
}

#[test]
fn a_stream_keeps_the_order_of_its_calls() {
    let stream = random_stream();
    // SAFETY: the stream is new and freed once.
    unsafe {
        assert_eq!(mynah_stream_accept_i16(stream, [1; 1600].as_ptr(), 1600), MYNAH_OK);
        assert_eq!(mynah_stream_flush(stream), MYNAH_OK);
        assert_eq!(mynah_stream_accept_f32(stream, [0.1; 800].as_ptr(), 800), MYNAH_OK);
        assert_eq!(mynah_stream_skip(stream, 8_000), MYNAH_OK);
        assert_eq!(mynah_stream_position(stream), 0.65);
        assert_eq!(mynah_stream_finish(stream), MYNAH_OK);
        assert_eq!(mynah_stream_finish(stream), MYNAH_OK);
        assert_eq!(mynah_stream_accept_f32(stream, null(), 0), MYNAH_ERROR_STATE);
        assert_eq!(mynah_stream_skip(stream, 1), MYNAH_ERROR_STATE);
        assert!(last_message().contains("reset it"), "{}", last_message());
        assert_eq!(mynah_stream_reset(stream), MYNAH_OK);
        assert_eq!(mynah_stream_position(stream), 0.0);
        assert_eq!(mynah_stream_accept_f32(stream, null(), 0), MYNAH_OK);
        mynah_stream_free(stream);
    }
}

#[test]
fn refused_samples_leave_the_stream_as_it_was() {
    let stream = random_stream();
    // SAFETY: the stream is new and freed once.
    unsafe {
        let samples = [0.0, f32::NAN];
        assert_eq!(mynah_stream_accept_f32(stream, samples.as_ptr(), 2), MYNAH_ERROR_SAMPLES);
        assert!(last_message().starts_with("sample 1 is NaN"), "{}", last_message());
        assert_eq!(mynah_stream_accept_f32(stream, null(), 1), MYNAH_ERROR_ARGUMENT);
        let odd = samples.as_ptr().byte_add(1);
        assert_eq!(mynah_stream_accept_f32(stream, odd, 1), MYNAH_ERROR_ARGUMENT);
        let longest = isize::MAX as usize;
        assert_eq!(
            mynah_stream_accept_f32(stream, samples.as_ptr(), longest),
            MYNAH_ERROR_ARGUMENT
        );
        assert_eq!(mynah_stream_position(stream), 0.0);
        assert_eq!(mynah_stream_set_grammar(stream, c"#JSGF".as_ptr()), MYNAH_ERROR_CONFIG);
        assert_eq!(mynah_stream_set_keywords(stream, c":".as_ptr()), MYNAH_ERROR_CONFIG);
        assert_eq!(mynah_stream_accept_f32(stream, samples.as_ptr(), 1), MYNAH_OK);
        mynah_stream_free(stream);
    }
}

#[test]
fn a_stream_that_panicked_refuses_all_but_its_end() {
    let stream = random_stream();
    // SAFETY: the stream is new and freed once.
    unsafe {
        assert_eq!(panic_in(stream), MYNAH_ERROR_INTERNAL);
        assert!(last_message().contains("a defect of Mynah"), "{}", last_message());
        assert_eq!(mynah_stream_accept_i16(stream, [0].as_ptr(), 1), MYNAH_ERROR_INTERNAL);
        assert_eq!(mynah_stream_reset(stream), MYNAH_ERROR_INTERNAL);
        let event = output(|event| mynah_stream_next_event(stream, event));
        assert_eq!(event.err(), Some(MYNAH_ERROR_INTERNAL));
        assert!(last_message().contains("make another"), "{}", last_message());
        mynah_stream_free(stream);
    }
}

#[test]
fn rates_that_can_not_be_resampled_are_refused() {
    let recognizer = recognizer_with(random_model(), |_| ()).unwrap();
    // SAFETY: the recognizer is new and freed once.
    unsafe {
        for rate in [0, 3_999, 384_001, u32::MAX] {
            let stream = output(|stream| mynah_stream_new(recognizer, rate, stream));
            assert_eq!(stream.err(), Some(MYNAH_ERROR_CONFIG), "{rate}");
        }
        mynah_recognizer_free(recognizer);
    }
}
