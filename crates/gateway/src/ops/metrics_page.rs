//! `GET /metrics`: the text exposition that Prometheus scrapes.

use actix_web::{HttpResponse, web};

use super::status::{StatusQuery, gather};
use crate::state::GatewayState;

/// Version 0.0.4 of the text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Serves every series; gauges that no call updates are read now.
pub(super) async fn show(
    shared: web::Data<GatewayState>,
    query: web::Data<StatusQuery>,
) -> HttpResponse {
    let metrics = &shared.metrics;
    let parties = shared.parties();
    let registry = &parties.registry;
    let billers = registry.billers().map(|biller| &biller.upstream.party);
    for party in billers.chain([&parties.kakao.upstream.party]) {
        metrics.set_circuit_state(party.label(), party.circuit().state().gauge());
    }
    let status = gather(&shared, &parties, &query).await;
    HttpResponse::Ok()
        .content_type(TEXT_FORMAT)
        .body(metrics.encode(&status))
}
