//! `gateway serve`: runs until SIGTERM or SIGINT, then drains.

use std::error::Error;
use std::fmt::Display;
use std::path::Path;

use rustix::process::{Resource, Rlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{Config, Faults};
use crate::lifecycle::{FileWatch, Gateway, Inherited};
use crate::logging::{self, FlushGuard};

/// Runs the gateway of this configuration. A fault at the start is returned, and logged too: whoever reads the log
/// only must find why there is no gateway.
pub(super) fn run(file: &Path) -> Result<(), Box<dyn Error>> {
    forbid_core_dumps();
    // Before the log, which starts a thread.
    let inherited = Inherited::from_environment();
    let mut log = Some(logging::init(&logging::LogOptions::from_environment())?);
    let served = inherited.and_then(|inherited| serve(file, inherited, &mut log));
    if let Err(fault) = &served {
        log_start_faults(fault.as_ref());
    }
    served
}

/// Logs each fault that kept the gateway from starting as a line of its own.
fn log_start_faults(fault: &(dyn Error + 'static)) {
    let log = |fault: &dyn Display| tracing::error!(%fault, "the gateway does not start");
    match fault.downcast_ref::<Faults>() {
        Some(faults) => faults.into_iter().for_each(|fault| log(fault)),
        None => log(&fault),
    }
}

/// Serves until a signal, then ends the process; returns only if the gateway cannot start.
fn serve(
    file: &Path,
    inherited: Inherited,
    log: &mut Option<FlushGuard>,
) -> Result<(), Box<dyn Error>> {
    let loaded = Config::load(file)?;
    // The log tells of certificates that end soon while the gateway runs, too; these lines name the keys.
    let expiring = loaded.expiring.iter().map(|notice| &notice.diagnostic);
    for warning in loaded.warnings.iter().chain(expiring) {
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
                _ = hang_up.recv() => watch.acknowledge().await,
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
        drop(log.take());
        // Exits here: dropping the ledger could wait for a disk that hangs.
        std::process::exit(i32::from(failed || stopped.is_err()))
    })
}

/// Forbids core dumps: they would hold keys, passwords and billing data.
fn forbid_core_dumps() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    // Lowering a limit needs no privilege; a failure leaves the previous limit.
    let _ = setrlimit(Resource::Core, none);
}
