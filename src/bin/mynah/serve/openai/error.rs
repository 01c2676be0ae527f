//! Errors in OpenAI's form: `{"error": {"message", "type", "param", "code"}}`.

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::serve::engine::{Failure, FailureKind};

/// In seconds; `Retry-After` of a refusal.
const RETRY_AFTER: &str = "1";

/// An answer with the reason.
pub fn error(status: StatusCode, reason: &str, param: Option<&str>) -> Response {
    (status, Json(json!({ "error": described(status, reason, param) }))).into_response()
}

/// There is no room at the moment.
pub fn unavailable(reason: &str) -> Response {
    let response = error(StatusCode::SERVICE_UNAVAILABLE, reason, None);
    ([(header::RETRY_AFTER, RETRY_AFTER)], response).into_response()
}

/// There is nothing at this path.
pub fn not_found() -> Response {
    error(StatusCode::NOT_FOUND, "there is nothing here; see docs/server.md for the paths", None)
}

/// The file could not be recognized.
pub fn failed(failure: &Failure) -> Response {
    error(status(failure), &failure.reason, param(failure))
}

/// The same as an event.
pub fn body(failure: &Failure) -> Value {
    json!({ "type": "error", "error": described(status(failure), &failure.reason, param(failure)) })
}

fn status(failure: &Failure) -> StatusCode {
    match failure.kind {
        FailureKind::Input => StatusCode::BAD_REQUEST,
        FailureKind::Limit => StatusCode::PAYLOAD_TOO_LARGE,
        FailureKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn param(failure: &Failure) -> Option<&'static str> {
    (failure.kind == FailureKind::Input).then_some("file")
}

fn described(status: StatusCode, reason: &str, param: Option<&str>) -> Value {
    let kind = if status.is_client_error() { "invalid_request_error" } else { "server_error" };
    let code = match status {
        StatusCode::UNAUTHORIZED => Some("invalid_api_key"),
        StatusCode::SERVICE_UNAVAILABLE => Some("overloaded"),
        _ => None,
    };
    json!({ "message": reason, "type": kind, "param": param, "code": code })
}
