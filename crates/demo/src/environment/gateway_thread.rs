//! The gateway on its own runtime thread, and the signals that end the demonstration.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use actix_rt::System;
use gateway::config::Loaded;
use gateway::lifecycle::{Gateway, Inherited};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// A gateway that serves until it is dropped.
#[derive(Debug)]
pub(crate) struct GatewayThread {
    /// The address of the public listener.
    pub(crate) public: SocketAddr,
    /// The address of the ops listener.
    pub(crate) ops: SocketAddr,
    interruptions: mpsc::Receiver<()>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// The public and the ops address, or why the gateway did not start.
type Started = Result<(SocketAddr, SocketAddr), String>;

impl GatewayThread {
    /// Starts the gateway and returns when it listens.
    ///
    /// # Errors
    /// When the thread or the gateway cannot be started.
    pub(super) fn start(loaded: Loaded) -> Result<Self, Box<dyn Error>> {
        let (report, started) = mpsc::channel();
        let (interrupt, interruptions) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("gateway".to_owned())
            .spawn(move || {
                let serving = serve(loaded, &report, &interrupt, stopped);
                if let Err(error) = System::new().block_on(serving) {
                    // The receiver is gone only when the starting thread has ended.
                    let _ = report.send(Err(error.to_string()));
                }
            })?;
        let (public, ops) = started.recv()??;
        Ok(Self {
            public,
            ops,
            interruptions,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Returns whether SIGINT or SIGTERM has come, or the thread has ended.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interruptions.try_recv() != Err(mpsc::TryRecvError::Empty)
    }

    /// Waits for SIGINT or SIGTERM, or until the thread has ended.
    pub(crate) fn wait_for_interruption(&self) {
        // An error means that the thread has ended.
        let _ = self.interruptions.recv();
    }
}

impl Drop for GatewayThread {
    fn drop(&mut self) {
        // A closed channel stops the gateway as a message does.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic was printed when it happened.
            let _ = thread.join();
        }
    }
}

async fn serve(
    loaded: Loaded,
    report: &mpsc::Sender<Started>,
    interrupt: &mpsc::Sender<()>,
    mut stop: oneshot::Receiver<()>,
) -> Result<(), Box<dyn Error>> {
    // From here on these signals do not end the process by themselves.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interactive = signal(SignalKind::interrupt())?;
    let gateway = Gateway::start(loaded, Inherited::default())?;
    // The receivers of both channels are gone only when `stop` is closed too.
    let _ = report.send(Ok((gateway.public(), gateway.ops())));
    loop {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interactive.recv() => {}
            _ = &mut stop => break,
        }
        let _ = interrupt.send(());
    }
    // The ledger is removed with its folder, so facts that the journal did not take are no loss.
    let _ = gateway.stop().await;
    Ok(())
}
