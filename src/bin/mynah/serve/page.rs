//! The web page of live captions, which is part of the program.

use axum::{
    Router,
    http::{HeaderName, header},
    response::{IntoResponse, Response},
    routing::get,
};

/// Nothing but the page's own files is loaded or connected to, and no other site frames it.
const POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; \
    connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const PICTURE: &str = "image/svg+xml";

/// A file of the page.
struct File {
    path: &'static str,
    kind: &'static str,
    text: &'static str,
}

/// Makes [`File`]s of names in `web/`.
macro_rules! files {
    ($($name:literal: $kind:expr,)*) => {
        &[$(File { path: concat!("/", $name), kind: $kind, text: include_str!(concat!("web/", $name)) }),*]
    };
}

/// What is served beside the page.
const FILES: &[File] = files! {
    "access.js": SCRIPT,
    "app.js": SCRIPT,
    "backlog.js": SCRIPT,
    "captions.js": SCRIPT,
    "capture.js": SCRIPT,
    "connection.js": SCRIPT,
    "icon.svg": PICTURE,
    "messages.js": SCRIPT,
    "microphone.js": SCRIPT,
    "panel.js": SCRIPT,
    "preferences.js": SCRIPT,
    "session.js": SCRIPT,
    "style.css": STYLE,
    "subtitles.js": SCRIPT,
    "toolbar.js": SCRIPT,
    "transcript.js": SCRIPT,
};

/// The files beside the page.
pub fn files<S: Clone + Send + Sync + 'static>() -> Router<S> {
    FILES.iter().fold(Router::new(), |router, file| {
        router.route(file.path, get(|| async { response(file.kind, file.text) }))
    })
}

/// The page.
pub fn index() -> Response {
    response(HTML, include_str!("web/index.html"))
}

fn response(kind: &'static str, text: &'static str) -> Response {
    let headers: [(HeaderName, &str); 6] = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("permissions-policy"), "microphone=(self)"),
    ];
    (headers, text).into_response()
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn the_page_loads_nothing_from_elsewhere() {
        let response = index();
        let header = |name| response.headers()[name].to_str().unwrap();
        assert_eq!(header("content-type"), HTML);
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert!(header("content-security-policy").starts_with("default-src 'none'"));
        let page = include_str!("web/index.html");
        assert!(!page.contains("http://") && !page.contains("https://"));
    }

    #[test]
    fn every_file_of_the_page_is_served() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin/mynah/serve/web");
        for entry in fs::read_dir(folder).unwrap() {
            let path = format!("/{}", entry.unwrap().file_name().to_str().unwrap());
            assert!(path == "/index.html" || FILES.iter().any(|file| file.path == path), "{path}");
        }
    }
}
