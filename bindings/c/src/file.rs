//! A file to text in one call.

use std::ffi::c_char;

use crate::argument::{Output, reference, text};
use crate::call::call;
use crate::recognizer::MynahRecognizer;
use crate::status::{Failure, MynahStatus};

/// Recognizes an audio file of any common kind, and gives its text at `*transcript`: an utterance a line, formatted as the
/// recognizer's streams are.
///
/// A model in the chunks of `MYNAH_CHUNK_OFFLINE` makes the fewest errors in files. Errors: `MYNAH_ERROR_IO` if the file
/// can't be read, `MYNAH_ERROR_AUDIO` if it is no audio or breaks off, `MYNAH_ERROR_UNSUPPORTED` if the library was built
/// without the feature files. After an error the text is what was recognized before it, or NULL. The caller frees it by
/// `mynah_string_free`, after an error too.
///
/// # Safety
///
/// `recognizer` is not freed. `path` is text. `transcript` may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_transcribe_file(
    recognizer: *const MynahRecognizer,
    path: *const c_char,
    transcript: *mut *mut c_char,
) -> MynahStatus {
    call(|| {
        // SAFETY: as the caller says.
        let (place, recognizer, path) = unsafe {
            let recognizer = reference(recognizer, "recognizer");
            (Output::new(transcript, "transcript")?, recognizer?, text(path, "path")?)
        };
        let mut lines = Vec::new();
        let outcome = transcribe(recognizer, path, &mut lines);
        if outcome.is_ok() || !lines.is_empty() {
            place.give_text(lines.join("\n"));
        }
        outcome
    })
}

/// Appends the text of each utterance.
#[cfg(feature = "files")]
fn transcribe(
    recognizer: &MynahRecognizer,
    path: &str,
    lines: &mut Vec<String>,
) -> Result<(), Failure> {
    use mynah::audio::AudioFile;
    use mynah::{Session, Step};

    let mut formatting = recognizer.formatting.clone();
    let mut session = Session::new(&recognizer.recognizer, AudioFile::open(path)?)?;
    loop {
        let step = session.advance();
        while let Some(event) = session.next_event() {
            let Some(hypothesis) = event.into_final() else { continue };
            let text = match &mut formatting {
                Some(formatting) => formatting.of_final(&hypothesis.words).0,
                None => hypothesis.text,
            };
            if !text.is_empty() {
                lines.push(text);
            }
        }
        if step? == Step::Ended {
            return Ok(());
        }
    }
}

#[cfg(not(feature = "files"))]
fn transcribe(_: &MynahRecognizer, _: &str, _: &mut Vec<String>) -> Result<(), Failure> {
    Err(Failure::unsupported("files"))
}
