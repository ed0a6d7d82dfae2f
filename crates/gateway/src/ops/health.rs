//! Liveness and readiness (contract section 7).

use actix_web::{HttpResponse, web};

use crate::state::GatewayState;

/// Answers 200 while the process runs.
pub(super) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "status": "live" }))
}

/// Answers 200 if the gateway takes traffic, 503 while it drains or cannot write its journal.
pub(super) async fn ready(shared: web::Data<GatewayState>) -> HttpResponse {
    match shared.unready() {
        None => HttpResponse::Ok().json(serde_json::json!({ "status": "ready" })),
        Some(reason) => HttpResponse::ServiceUnavailable()
            .json(serde_json::json!({ "status": "not ready", "reason": reason })),
    }
}
