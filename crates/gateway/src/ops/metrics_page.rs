//! `GET /metrics`: the text exposition that Prometheus scrapes.

use actix_web::{HttpResponse, web};

use crate::gateway::Shared;

/// Version 0.0.4 of the text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Every series as it stands; what others count is asked for just now.
pub(super) async fn show(shared: web::Data<Shared>) -> HttpResponse {
    let metrics = &shared.metrics;
    metrics.set_payments_undelivered(shared.ledger.undelivered());
    metrics.set_unshared_facts(shared.ledger.unshared());
    let registry = shared.registry();
    let billers = registry.billers().map(|biller| &biller.party);
    for party in billers.chain([&shared.kakao().party]) {
        metrics.set_circuit_state(party.label(), party.circuit().state().gauge());
    }
    HttpResponse::Ok()
        .content_type(TEXT_FORMAT)
        .body(metrics.encode())
}
