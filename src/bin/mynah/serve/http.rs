//! The ways over HTTP, and who may take them.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{
        DefaultBodyLimit, Request, State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{StatusCode, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::json;
use tokio::sync::watch;

use super::{
    access::{Access, Denial},
    door,
    engine::{Engine, Protocol},
    openai, page, vosk,
};

/// What every request shares.
#[derive(Clone)]
pub struct App {
    pub engine: Arc<Engine>,
    pub access: Arc<Access>,
    /// Changes when the server stops; a stream has ended when it has dropped its receiver.
    pub stopping: Arc<watch::Sender<bool>>,
    /// Whether the WebSocket's clients get formatted text unless they choose.
    pub formatted: bool,
}

type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// All routes.
pub fn router(app: App) -> Router {
    let most_bytes = app.engine.limits.upload_bytes;
    let guarded = Router::new()
        .route("/ws", get(websocket))
        .route("/metrics", get(metrics))
        .route("/v1/models", get(openai::models))
        .route("/v1/models/{model}", get(openai::model))
        .route("/v1/audio/transcriptions", post(openai::transcribe))
        .layer(DefaultBodyLimit::max(most_bytes))
        .layer(from_fn_with_state(app.clone(), guard));
    Router::new()
        .route("/", get(root))
        .route("/health", get(health))
        .merge(page::files())
        .merge(guarded)
        .fallback(|| async { openai::not_found() })
        .layer(from_fn(door::greet))
        .with_state(app)
}

/// The page, or a WebSocket as Vosk's clients open it.
async fn root(State(app): State<App>, upgrade: Upgrade, request: Request) -> Response {
    if upgrade.is_err() {
        return page::index();
    }
    match check(&app, &request) {
        Ok(()) => websocket(State(app), upgrade).await,
        Err(denial) => denial.into_response(),
    }
}

async fn websocket(State(app): State<App>, upgrade: Upgrade) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let admission = match app.engine.admit(Protocol::websocket) {
        Ok(admission) => admission,
        Err(refusal) => return openai::unavailable(&refusal.to_string()),
    };
    let (limits, formatted) = (app.engine.limits.clone(), app.formatted);
    let stopping = app.stopping.subscribe();
    // A little more is read than taken, so that the client of a message that is too long is answered.
    let most_bytes = limits.message_bytes.saturating_mul(4);
    upgrade.max_message_size(most_bytes).max_frame_size(most_bytes).on_upgrade(move |socket| {
        vosk::Connection::new(socket, admission, limits, formatted).run(stopping)
    })
}

async fn health(State(app): State<App>) -> Response {
    let is_stopping = *app.stopping.borrow();
    let status = if is_stopping { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let text = if is_stopping { "stopping" } else { "ok" };
    (status, Json(json!({ "status": text }))).into_response()
}

async fn metrics(State(app): State<App>) -> Response {
    const KIND: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match app.engine.metrics.encode() {
        Ok(text) => ([(header::CONTENT_TYPE, KIND)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    match check(&app, &request) {
        Ok(()) => next.run(request).await,
        Err(denial) => denial.into_response(),
    }
}

fn check(app: &App, request: &Request) -> Result<(), Denial> {
    app.access.check_origin(request.headers())?;
    app.access.check_token(request.headers(), request.uri())
}

impl IntoResponse for Denial {
    fn into_response(self) -> Response {
        match self {
            Self::Token => {
                let reason = "a valid token is needed: send `Authorization: Bearer TOKEN`";
                let response = openai::error(StatusCode::UNAUTHORIZED, reason, None);
                ([(header::WWW_AUTHENTICATE, "Bearer")], response).into_response()
            }
            Self::Origin => {
                let reason = "web pages of other sites are not served; see --allow-origin";
                openai::error(StatusCode::FORBIDDEN, reason, None)
            }
        }
    }
}
