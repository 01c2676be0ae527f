//! What is wrong with a source that gives no sound, and what to do.

use std::time::Duration;

use crate::live::SourceKind;

/// Microphones hiss: so many zeros mean that one is muted.
const LONG_ZEROS: Duration = Duration::from_secs(3);

/// A device delivers many times a second.
const LONG_IDLE: Duration = Duration::from_secs(3);

/// The warning for a source that has given only zeros, or nothing at all, for so long.
pub fn warning(kind: SourceKind, zeros: Duration, idle: Duration) -> Option<String> {
    if idle >= LONG_IDLE {
        let seconds = idle.as_secs();
        return match kind {
            SourceKind::Microphone => Some(format!(
                "nothing from the microphone for {seconds} s: is it plugged in? `mynah listen \
                 --list-devices` shows others for --device"
            )),
            SourceKind::Stream => Some(format!(
                "nothing on standard input for {seconds} s: is the program that writes to it running?"
            )),
            SourceKind::File => None,
        };
    }
    let seconds = zeros.as_secs();
    (kind == SourceKind::Microphone && zeros >= LONG_ZEROS).then(|| {
        format!(
            "the microphone has been digitally silent for {seconds} s: is it muted? unmute it, or choose \
             another with --device"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_source_has_its_advice() {
        let [none, short, long] = [0, 2, 7].map(Duration::from_secs);
        let says = |kind, zeros, idle| warning(kind, zeros, idle).unwrap_or_default();
        assert!(says(SourceKind::Microphone, long, none).contains("for 7 s: is it muted?"));
        assert!(says(SourceKind::Microphone, none, long).contains("--list-devices"));
        assert!(says(SourceKind::Stream, none, long).contains("standard input for 7 s"));
        for kind in [SourceKind::Microphone, SourceKind::Stream, SourceKind::File] {
            assert_eq!(warning(kind, short, short), None);
        }
        assert_eq!(warning(SourceKind::Stream, long, none), None);
    }
}
