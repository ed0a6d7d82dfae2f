//! The ops listener: console, metrics, health and admin API, on its own server.

pub(crate) mod admin;
mod console;
mod health;
mod metrics_page;
mod status;

use std::io;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::{App, HttpServer, web};

use crate::state::{GatewayState, Worker};
use crate::upstream::Clients;

/// Serves the ops listener with one worker.
///
/// # Errors
/// If the server cannot be started.
pub fn serve(listener: TcpListener, shared: Arc<GatewayState>) -> io::Result<Server> {
    let shared = web::Data::from(shared);
    let query = web::Data::new(status::StatusQuery::default());
    let server = HttpServer::new(move || {
        let worker = Worker::new(shared.clone().into_inner(), Clients::new());
        App::new()
            .app_data(shared.clone())
            .app_data(query.clone())
            .app_data(admin::AdminContext(Rc::new(worker)))
            .service(admin::scope())
            .route("/", web::get().to(console::show))
            .route("/metrics", web::get().to(metrics_page::show))
            .route("/health/live", web::get().to(health::live))
            .route("/health/ready", web::get().to(health::ready))
    })
    .workers(1)
    .disable_signals()
    .shutdown_timeout(1)
    .listen(listener)?;
    Ok(server.run())
}
