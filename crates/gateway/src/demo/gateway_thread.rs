//! The gateway on a runtime thread of its own, and the signals that end the demonstration.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use crate::config::Loaded;
use crate::lifecycle::{Gateway, Inherited};

/// A gateway that serves until this is stopped or dropped.
#[derive(Debug)]
pub(super) struct GatewayThread {
    public: SocketAddr,
    ops: SocketAddr,
    interrupted: mpsc::Receiver<()>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread needs and tells.
struct Inside {
    loaded: Loaded,
    started: mpsc::Sender<Result<(SocketAddr, SocketAddr), String>>,
    interrupt: mpsc::Sender<()>,
    stop: oneshot::Receiver<()>,
}

impl GatewayThread {
    /// Starts the gateway; ready when it listens.
    pub(super) fn start(loaded: Loaded) -> Result<Self, Box<dyn Error>> {
        let (started, has_started) = mpsc::channel();
        let (interrupt, interrupted) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let inside = Inside {
            loaded,
            started,
            interrupt,
            stop: stopped,
        };
        let thread = thread::Builder::new()
            .name("gateway".to_owned())
            .spawn(move || run(inside))?;
        let (public, ops) = has_started.recv()??;
        Ok(Self {
            public,
            ops,
            interrupted,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// The public listener.
    pub(super) const fn public(&self) -> SocketAddr {
        self.public
    }

    /// The ops listener.
    pub(super) const fn ops(&self) -> SocketAddr {
        self.ops
    }

    /// Whether SIGINT or SIGTERM came, or the gateway is gone.
    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted.try_recv() != Err(mpsc::TryRecvError::Empty)
    }

    /// Waits for SIGINT or SIGTERM, or until the gateway is gone.
    pub(super) fn wait_for_interruption(&self) {
        // A sender that is gone ends the wait too.
        let _ = self.interrupted.recv();
    }
}

impl Drop for GatewayThread {
    fn drop(&mut self) {
        // Nobody listens where the thread has ended already; a panic of it was told when it happened.
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(inside: Inside) {
    let Inside {
        loaded,
        started,
        interrupt,
        mut stop,
    } = inside;
    actix_web::rt::System::new().block_on(async move {
        let begun = signals()
            .and_then(|signals| Ok((signals, Gateway::start(loaded, Inherited::default())?)));
        let ((mut terminate, mut interactive), gateway) = match begun {
            Ok(begun) => begun,
            Err(fault) => {
                let _ = started.send(Err(fault.to_string()));
                return;
            }
        };
        // The starter waits for this; where it is gone, `stop` is too.
        let _ = started.send(Ok((gateway.public(), gateway.ops())));
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interactive.recv() => {}
                _ = &mut stop => break,
            }
            let _ = interrupt.send(());
        }
        // The demonstration's ledger goes with its folder; nothing is lost that anybody wants.
        let _ = gateway.stop().await;
    });
}

/// SIGTERM and SIGINT: from here on they no longer end the process by themselves.
fn signals() -> Result<(Signal, Signal), Box<dyn Error>> {
    Ok((
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    ))
}
