//! The web page of live captions, which is part of the program.

use axum::{
    Router,
    http::{HeaderName, header},
    response::{IntoResponse, Response},
    routing::get,
};

/// Nothing but the page's own files is loaded or connected to, and no other site frames it.
const POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; \
    connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// The files beside the page.
pub fn files<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let script = |text: &'static str| get(move || async move { file(SCRIPT, text) });
    Router::new()
        .route("/app.js", script(include_str!("web/app.js")))
        .route("/capture.js", script(include_str!("web/capture.js")))
        .route("/style.css", get(|| async { file(STYLE, include_str!("web/style.css")) }))
}

/// The page.
pub fn index() -> Response {
    file(HTML, include_str!("web/index.html"))
}

fn file(kind: &'static str, text: &'static str) -> Response {
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
}
