//! The ops listener: console, metrics, health and admin API, on its own server.

pub(crate) mod admin;
mod console;
mod health;
mod host;
mod metrics_page;
mod status;

use std::io;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::http::header::ALLOW;
use actix_web::middleware::from_fn;
use actix_web::{App, FromRequest, Handler, HttpResponse, HttpServer, Resource, Responder, web};

use self::admin::LoginAttempts;
use self::host::AllowedHosts;
use crate::state::{GatewayState, Worker};
use crate::upstream::Clients;

/// Serves the ops listener with one worker. `hosts` are the names by which it may be reached.
///
/// # Errors
/// If the server cannot be started.
pub fn serve(
    listener: TcpListener,
    hosts: Vec<String>,
    shared: Arc<GatewayState>,
) -> io::Result<Server> {
    let shared = web::Data::from(shared);
    let query = web::Data::new(status::StatusQuery::default());
    let hosts = web::Data::new(AllowedHosts(hosts));
    let attempts = web::Data::new(LoginAttempts::default());
    let server = HttpServer::new(move || {
        let worker = Worker::new(shared.clone().into_inner(), Clients::new());
        App::new()
            .app_data(shared.clone())
            .app_data(query.clone())
            .app_data(hosts.clone())
            .app_data(attempts.clone())
            .app_data(admin::AdminContext(Rc::new(worker)))
            .service(admin::scope())
            .service(page("/", console::show))
            .service(page("/metrics", metrics_page::show))
            .service(page("/health/live", health::live))
            .service(page("/health/ready", health::ready))
            .wrap(from_fn(host::require))
    })
    .workers(1)
    .disable_signals()
    .shutdown_timeout(1)
    .listen(listener)?;
    Ok(server.run())
}

/// Returns a path that is read: by `GET`, or by `HEAD`, as some balancers do.
fn page<F, Args>(path: &str, show: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::resource(path)
        .route(web::get().to(show.clone()))
        .route(web::head().to(show))
        .default_service(web::to(wrong_method))
}

async fn wrong_method() -> HttpResponse {
    HttpResponse::MethodNotAllowed()
        .insert_header((ALLOW, "GET, HEAD"))
        .finish()
}
