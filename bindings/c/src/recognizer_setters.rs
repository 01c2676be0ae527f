//! The functions of a recognizer's options.

use std::ffi::c_char;

use mynah::{EarlyEndpoint, EndpointConfig, GateConfig};

use crate::argument::{duration, optional_text, reference_mut};
use crate::call::{call, value};
use crate::formatting::Formatting;
use crate::object;
use crate::recognizer_options::MynahRecognizerOptions;
use crate::status::{Failure, MynahStatus};

/// Makes options with the defaults. The caller frees them by `mynah_recognizer_options_free`.
#[unsafe(no_mangle)]
pub extern "C" fn mynah_recognizer_options_new() -> *mut MynahRecognizerOptions {
    value(std::ptr::null_mut(), || Some(Box::into_raw(Box::default())))
}

/// Frees options. NULL is nothing.
///
/// # Safety
///
/// `options` is NULL, or from `mynah_recognizer_options_new` and not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_recognizer_options_free(options: *mut MynahRecognizerOptions) {
    // SAFETY: as the caller says.
    unsafe { object::free(options) }
}

/// Sets whether utterances end before the audio does or a minute has passed. By default they do.
///
/// # Safety
///
/// `options` is from `mynah_recognizer_options_new`, not freed, and not used by another thread meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_recognizer_options_set_endpoint(
    options: *mut MynahRecognizerOptions,
    enabled: bool,
) -> MynahStatus {
    call(|| {
        // SAFETY: as the caller says.
        let options = unsafe { reference_mut(options, "options") }?;
        options.endpoint.enabled = enabled;
        Ok(())
    })
}

/// Sets the silence after words that ends an utterance, in seconds. By default 1.2.
///
/// # Safety
///
/// `options` is from `mynah_recognizer_options_new`, not freed, and not used by another thread meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_recognizer_options_set_endpoint_silence(
    options: *mut MynahRecognizerOptions,
    seconds: f64,
) -> MynahStatus {
    call(|| {
        // SAFETY: as the caller says.
        let options = unsafe { reference_mut(options, "options") }?;
        let silence = duration(seconds, "the endpoint's silence")?;
        let EndpointConfig { rule1, rule2, .. } = &mut options.endpoint;
        rule2.trailing_silence = silence;
        // Rule 1 holds with words as well, and must not come before rule 2.
        rule1.trailing_silence = EndpointConfig::default().rule1.trailing_silence.max(silence);
        Ok(())
    })
}

/// Ends an utterance early, after so many seconds of silence that the model is sure of: finals come sooner, and pauses
/// inside sentences end them too. 0 switches it off, the default; 0.64 suits live captions.
///
/// # Safety
///
/// `options` is from `mynah_recognizer_options_new`, not freed, and not used by another thread meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_recognizer_options_set_early_endpoint(
    options: *mut MynahRecognizerOptions,
    seconds: f64,
) -> MynahStatus {
    call(|| {
        // SAFETY: as the caller says.
        let options = unsafe { reference_mut(options, "options") }?;
        let trailing_silence = duration(seconds, "the early endpoint's silence")?;
        let early = EarlyEndpoint { trailing_silence, ..EarlyEndpoint::default() };
        options.endpoint.early = (!trailing_silence.is_zero()).then_some(early);
        Ok(())
    })
}

/// Sets the length in seconds at which an utterance ends at the next pause. By default 60.
///
/// # Safety
///
/// `options` is from `mynah_recognizer_options_new`, not freed, and not used by another thread meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_recognizer_options_set_longest_utterance(
    options: *mut MynahRecognizerOptions,
    seconds: f64,
) -> MynahStatus {
    call(|| {
        // SAFETY: as the caller says.
        let options = unsafe { reference_mut(options, "options") }?;
        options.endpoint.longest_utterance = duration(seconds, "the longest utterance")?;
        Ok(())
    })
}

/// Sets whether silence is kept from the encoder, which saves computing where a microphone is open all day. By default
/// all is encoded.
///
/// # Safety
///
/// `options` is from `mynah_recognizer_options_new`, not freed, and not used by another thread meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_recognizer_options_set_gate(
    options: *mut MynahRecognizerOptions,
    enabled: bool,
) -> MynahStatus {
    call(|| {
        // SAFETY: as the caller says.
        let options = unsafe { reference_mut(options, "options") }?;
        options.gate = enabled.then(GateConfig::default);
        Ok(())
    })
}

/// Sets how many hypotheses a final has at most, the best included. By default 1.
///
/// # Safety
///
/// `options` is from `mynah_recognizer_options_new`, not freed, and not used by another thread meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_recognizer_options_set_nbest(
    options: *mut MynahRecognizerOptions,
    hypotheses: u32,
) -> MynahStatus {
    call(|| {
        // SAFETY: as the caller says.
        let options = unsafe { reference_mut(options, "options") }?;
        if hypotheses == 0 {
            return Err(Failure::config("an N-best list of 0 hypotheses; it must be at least 1"));
        }
        options.nbest = hypotheses as usize;
        Ok(())
    })
}

/// Adds words to the lexicon: one a line in the form in which it is to be written, after `=` English words that sound so or
/// phones between slashes: "k8s = kubernetes". NULL stands for none.
///
/// # Safety
///
/// `options` is from `mynah_recognizer_options_new`, not freed, and not used by another thread meanwhile. `list` is NULL
/// or text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_recognizer_options_set_words(
    options: *mut MynahRecognizerOptions,
    list: *const c_char,
) -> MynahStatus {
    // SAFETY: as the caller says.
    unsafe { set_text(options, list, "list", |options| &mut options.words) }
}

/// Prefers phrases: one a line, after a colon its boost if it is not to be 1: "Kew Gardens:1.5". NULL stands for none.
///
/// # Safety
///
/// `options` is from `mynah_recognizer_options_new`, not freed, and not used by another thread meanwhile. `list` is NULL
/// or text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_recognizer_options_set_hotwords(
    options: *mut MynahRecognizerOptions,
    list: *const c_char,
) -> MynahStatus {
    // SAFETY: as the caller says.
    unsafe { set_text(options, list, "list", |options| &mut options.hotwords) }
}

/// Restricts utterances to a grammar: phrases, one a line, or JSGF where the text begins with `#JSGF`. NULL stands for none.
///
/// # Safety
///
/// `options` is from `mynah_recognizer_options_new`, not freed, and not used by another thread meanwhile. `grammar` is
/// NULL or text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_recognizer_options_set_grammar(
    options: *mut MynahRecognizerOptions,
    grammar: *const c_char,
) -> MynahStatus {
    // SAFETY: as the caller says.
    unsafe { set_text(options, grammar, "grammar", |options| &mut options.grammar) }
}

/// Sets how well an utterance must fit a phrase of the grammar, from 0 to 1. By default 0.2.
///
/// # Safety
///
/// `options` is from `mynah_recognizer_options_new`, not freed, and not used by another thread meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_recognizer_options_set_grammar_threshold(
    options: *mut MynahRecognizerOptions,
    threshold: f32,
) -> MynahStatus {
    call(|| {
        // SAFETY: as the caller says.
        let options = unsafe { reference_mut(options, "options") }?;
        options.grammar_threshold = threshold;
        Ok(())
    })
}

/// Spots keywords besides: one a line, after a colon its threshold if it is not to be 0.2: "hey mynah:0.4". NULL stands for
/// none.
///
/// # Safety
///
/// `options` is from `mynah_recognizer_options_new`, not freed, and not used by another thread meanwhile. `list` is NULL
/// or text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_recognizer_options_set_keywords(
    options: *mut MynahRecognizerOptions,
    list: *const c_char,
) -> MynahStatus {
    // SAFETY: as the caller says.
    unsafe { set_text(options, list, "list", |options| &mut options.keywords) }
}

/// Sets whether text is formatted: punctuation, case and numbers in digits. By default it is if the model has a punctuation
/// model and there is no grammar.
///
/// Errors: `MYNAH_ERROR_UNSUPPORTED` for true if the library was built without the feature itn.
///
/// # Safety
///
/// `options` is from `mynah_recognizer_options_new`, not freed, and not used by another thread meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_recognizer_options_set_formatting(
    options: *mut MynahRecognizerOptions,
    enabled: bool,
) -> MynahStatus {
    call(|| {
        // SAFETY: as the caller says.
        let options = unsafe { reference_mut(options, "options") }?;
        if enabled {
            Formatting::check()?;
        }
        options.formatting = Some(enabled);
        Ok(())
    })
}

/// Sets whether the names of marks, such as "full stop", are written as marks. By default they are.
///
/// # Safety
///
/// `options` is from `mynah_recognizer_options_new`, not freed, and not used by another thread meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_recognizer_options_set_spoken_punctuation(
    options: *mut MynahRecognizerOptions,
    enabled: bool,
) -> MynahStatus {
    call(|| {
        // SAFETY: as the caller says.
        let options = unsafe { reference_mut(options, "options") }?;
        options.spoken_punctuation = enabled;
        Ok(())
    })
}

/// Sets one of the texts; what is wrong in it is found with the model.
///
/// # Safety
///
/// `options` is from `mynah_recognizer_options_new`, not freed, and not used by another thread meanwhile. `text` is null
/// or text.
unsafe fn set_text(
    options: *mut MynahRecognizerOptions,
    text: *const c_char,
    name: &str,
    field: fn(&mut MynahRecognizerOptions) -> &mut Option<String>,
) -> MynahStatus {
    call(|| {
        // SAFETY: as the caller says.
        let (options, text) =
            unsafe { (reference_mut(options, "options")?, optional_text(text, name)?) };
        *field(options) = text.map(str::to_owned);
        Ok(())
    })
}
