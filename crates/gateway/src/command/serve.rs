//! `gateway serve`: run until SIGTERM or SIGINT, then drain.

use std::error::Error;
use std::path::Path;

use tokio::signal::unix::{SignalKind, signal};

use crate::config::Config;
use crate::logging;
use crate::running::Gateway;

/// Runs the gateway of this configuration.
pub(super) fn run(file: &Path) -> Result<(), Box<dyn Error>> {
    let loaded = Config::load(file)?;
    let log = logging::init(&logging::Options::from_environment())?;
    for warning in &loaded.warnings {
        tracing::warn!(%warning, "configuration");
    }
    actix_web::rt::System::new().block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        let gateway = Gateway::start(loaded)?;
        tracing::info!(public = %gateway.public(), ops = %gateway.ops(), "the gateway serves");
        loop {
            tokio::select! {
                _ = hang_up.recv() => gateway.reload(),
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
            }
        }
        tracing::info!("draining");
        let stopped = gateway.stop().await;
        tracing::info!("stopped");
        drop(log);
        // Not by returning: what is dropped then would wait for a disk that hangs.
        std::process::exit(i32::from(stopped.is_err()))
    })
}
