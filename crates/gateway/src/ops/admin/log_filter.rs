//! The log filter, which can be changed while the gateway runs (`docs/logging.md`).

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::bills::answer;
use super::refusal::Refusal;
use crate::logging;

/// Body of `PUT /admin/log-filter`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with filter")]
pub(super) struct FilterChange {
    filter: String,
}

/// `GET /admin/log-filter`.
pub(super) async fn show() -> Result<HttpResponse, Refusal> {
    let now = logging::current_filter().ok_or_else(not_logging)?;
    Ok(answer(&json!({
        "filter": now.in_force,
        "at_start": now.at_start,
    })))
}

/// `PUT /admin/log-filter`: until the next change, or the end of the process.
pub(super) async fn change(wanted: web::Json<FilterChange>) -> Result<HttpResponse, Refusal> {
    let before = logging::current_filter().ok_or_else(not_logging)?;
    // Said under the old filter: under the new one perhaps nothing is said any more.
    let parsed = logging::Filter::parse(&wanted.filter).map_err(|fault| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            "bad_filter",
            format!("the filter cannot be used, nothing changed: {fault}"),
        )
    })?;
    tracing::info!(
        before = before.in_force,
        after = parsed.text(),
        "the log's filter was changed by an operator"
    );
    logging::set_filter(parsed).map_err(|fault| {
        tracing::error!(fault, "the log's filter could not be changed");
        Refusal::internal()
    })?;
    show().await
}

fn not_logging() -> Refusal {
    Refusal::conflict("not_logging", "nothing is logged in this process")
}
