//! `GET /healthz`, `/readyz`, `/metrics`.
//!
//! `healthz` says that the process answers; `readyz` that it can take work: the store answers and,
//! where it listens, Slack is connected.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::protocol::Door;
use crate::store::{Claimable, Store};

/// What readiness is judged by.
pub(super) struct Health {
    pub(super) store: Arc<dyn Store>,
    /// Whether events can reach us; true where this process does not listen.
    pub(super) connected: Box<dyn Fn() -> bool + Send + Sync>,
    /// Whether the process is on its way out.
    pub(super) stopping: tokio_util::sync::CancellationToken,
}

/// The recorder of this process: metrics are global, so it is installed once.
pub(super) fn recorder() -> Option<&'static PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    HANDLE.get_or_init(|| PrometheusBuilder::new().install_recorder().ok()).as_ref()
}

pub(super) fn routes(health: Arc<Health>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(render))
        .with_state(health)
}

async fn ready(State(health): State<Arc<Health>>) -> impl IntoResponse {
    if health.stopping.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned());
    }
    if let Err(error) = health.store.busy(&Claimable::Behind(Door::Slack)).await {
        return (StatusCode::SERVICE_UNAVAILABLE, format!("the store does not answer: {error}\n"));
    }
    if !(health.connected)() {
        return (StatusCode::SERVICE_UNAVAILABLE, "not connected to Slack\n".to_owned());
    }
    (StatusCode::OK, "ready\n".to_owned())
}

async fn render(State(health): State<Arc<Health>>) -> impl IntoResponse {
    if let Ok(busy) = health.store.busy(&Claimable::Behind(Door::Slack)).await {
        #[expect(clippy::cast_precision_loss, reason = "a gauge of sessions")]
        metrics::gauge!("ml_intern_sessions_busy").set(busy as f64);
    }
    recorder().map(PrometheusHandle::render).unwrap_or_default()
}
