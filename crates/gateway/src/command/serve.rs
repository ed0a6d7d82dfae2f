//! `gateway serve`: run until SIGTERM or SIGINT, then drain.

use std::error::Error;
use std::path::Path;

use rustix::process::{Resource, Rlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::Config;
use crate::lifecycle::{FileWatch, Gateway, Inherited};
use crate::logging;

/// Runs the gateway of this configuration.
pub(super) fn run(file: &Path) -> Result<(), Box<dyn Error>> {
    forbid_core_dumps();
    let inherited = Inherited::from_environment()?;
    let loaded = Config::load(file)?;
    let log = logging::init(&logging::LogOptions::from_environment())?;
    for warning in &loaded.warnings {
        tracing::warn!(%warning, "configuration");
    }
    actix_web::rt::System::new().block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        let mut gateway = Gateway::start(loaded, inherited)?;
        let mut watch = FileWatch::of(gateway.files(file)).await;
        tracing::info!(public = %gateway.public(), ops = %gateway.ops(), "the gateway serves");
        let mut failed = false;
        loop {
            tokio::select! {
                _ = hang_up.recv() => watch.take_note().await,
                () = watch.changed() => tracing::info!("files of the configuration have changed"),
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                error = gateway.ended() => {
                    tracing::error!(%error, "the public listener has ended");
                    failed = true;
                    break;
                }
            }
            gateway.reload(file).await;
            watch.follow(gateway.files(file)).await;
        }
        tracing::info!("draining");
        let stopped = gateway.stop().await;
        tracing::info!("stopped");
        drop(log);
        // Not by returning: what is dropped then would wait for a disk that hangs.
        std::process::exit(i32::from(failed || stopped.is_err()))
    })
}

/// A dump of the process's memory would hold keys, passwords and people's bills.
fn forbid_core_dumps() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    // To lower a limit needs no privilege; where it fails all the same, nothing is worse than before.
    let _ = setrlimit(Resource::Core, none);
}
