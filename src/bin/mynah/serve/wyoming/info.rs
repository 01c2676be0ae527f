//! What the server is, for clients that ask.

use serde_json::{Value, json};

/// As the package names it.
const HOMEPAGE: &str = env!("CARGO_PKG_REPOSITORY");

/// The data of `info`.
pub fn info() -> Value {
    let version = env!("CARGO_PKG_VERSION");
    let attribution = json!({ "name": "Mynah", "url": HOMEPAGE });
    let model = json!({
        "name": "mynah",
        "description": "English",
        "attribution": attribution,
        "installed": true,
        "version": version,
        "languages": ["en"],
    });
    let program = json!({
        "name": "mynah",
        "description": env!("CARGO_PKG_DESCRIPTION"),
        "attribution": attribution,
        "installed": true,
        "version": version,
        "models": [model],
        "supports_transcript_streaming": true,
    });
    json!({
        "asr": [program], "tts": [], "handle": [], "intent": [], "wake": [], "mic": [], "snd": [],
    })
}
