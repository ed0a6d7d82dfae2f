//! The admin API (contract sections 5 and 7): JSON under `/admin`, documented in `docs/operations.md`.
//!
//! Bills are named in POST bodies, so that no user key appears in a URL.

mod bills;
mod close_payment;
mod context;
mod ledger;
mod ledger_upkeep;
mod log_filter;
mod login_attempts;
mod named_bill;
mod nodes;
mod payments;
mod refusal;
mod refused;
mod shown;
mod token;
mod turn;

use actix_web::middleware::from_fn;
use actix_web::{Resource, Route, Scope, web};

pub(super) use context::AdminContext;
pub(crate) use ledger::audit_as_json;
pub(super) use login_attempts::LoginAttempts;
pub(super) use refusal::Refusal;

/// The largest request body.
const BODY_BYTES: usize = 16 * 1024;

/// Returns the routes under `/admin`. The token is checked before anything else is read.
pub(super) fn scope() -> Scope<
    impl actix_web::dev::ServiceFactory<
        actix_web::dev::ServiceRequest,
        Config = (),
        Response = actix_web::dev::ServiceResponse<impl actix_web::body::MessageBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    web::scope("/admin")
        .app_data(
            web::JsonConfig::default()
                .limit(BODY_BYTES)
                .content_type_required(false)
                .content_type(|_| true)
                .error_handler(|error, _| Refusal::of_body(&error).into()),
        )
        .app_data(
            web::QueryConfig::default().error_handler(|error, _| Refusal::of_query(&error).into()),
        )
        .service(resource("/bills/show", web::post().to(bills::show)))
        .service(resource("/bills/classify", web::post().to(bills::classify)))
        .service(resource("/bills/clear", web::post().to(bills::clear)))
        .service(resource("/payments", web::get().to(payments::list)))
        .service(resource(
            "/payments/redeliver",
            web::post().to(payments::redeliver),
        ))
        .service(resource(
            "/payments/close",
            web::post().to(close_payment::close),
        ))
        .service(resource("/payments/refused", web::get().to(refused::list)))
        .service(resource(
            "/payments/refused/show",
            web::post().to(refused::show),
        ))
        .service(resource(
            "/payments/refused/deliver",
            web::post().to(refused::deliver),
        ))
        .service(resource(
            "/payments/refused/close",
            web::post().to(refused::close),
        ))
        .service(
            resource("/log-filter", web::get().to(log_filter::show))
                .route(web::put().to(log_filter::change)),
        )
        .service(resource("/nodes", web::get().to(nodes::list)))
        .service(resource("/nodes/forget", web::post().to(nodes::forget)))
        .service(resource("/ledger", web::get().to(ledger::status)))
        .service(resource("/ledger/verify", web::post().to(ledger::verify)))
        .service(resource("/ledger/rebuild", web::post().to(ledger::rebuild)))
        .service(resource(
            "/ledger/backup",
            web::post().to(ledger_upkeep::backup),
        ))
        .service(resource(
            "/ledger/retention",
            web::get().to(ledger_upkeep::retention),
        ))
        .default_service(web::to(unknown))
        .wrap(from_fn(token::require))
}

fn resource(path: &str, route: Route) -> Resource {
    web::resource(path)
        .route(route)
        .default_service(web::to(wrong_method))
}

async fn unknown() -> Refusal {
    Refusal::not_found("unknown_route", "there is no such route under /admin")
}

async fn wrong_method() -> Refusal {
    Refusal::wrong_method()
}
