//! `GET /metrics`: the text exposition that Prometheus scrapes.

use actix_web::{HttpResponse, web};

use crate::gateway::Shared;

/// Version 0.0.4 of the text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Every series as it stands; what others count is asked for just now.
pub(super) async fn show(shared: web::Data<Shared>) -> HttpResponse {
    shared.metrics.set_payments_undelivered(shared.ledger.undelivered());
    HttpResponse::Ok().content_type(TEXT_FORMAT).body(shared.metrics.encode())
}
