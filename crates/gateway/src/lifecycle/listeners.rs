//! The sockets that the gateway listens on: its own, or those that whoever started it holds for it.
//!
//! A socket that systemd holds (`LISTEN_FDS`) outlives the process: while one gateway drains and the next
//! one starts, callers wait in its queue and nobody is refused.

use std::error::Error;
use std::net::{SocketAddr, TcpListener};

use listenfd::ListenFd;

use crate::config::Listen;

/// Sockets that whoever started the process holds for it.
#[derive(Debug, Default)]
pub struct Inherited(Vec<(SocketAddr, TcpListener)>);

/// The two listeners.
pub(super) struct Listeners {
    pub(super) public: TcpListener,
    pub(super) ops: TcpListener,
}

impl Inherited {
    /// Takes them out of the environment; to be called before there is a second thread.
    ///
    /// # Errors
    /// When what was handed over is no listening TCP socket.
    pub fn from_environment() -> Result<Self, Box<dyn Error>> {
        let mut handed_over = ListenFd::from_env();
        let mut listeners = Vec::new();
        for place in 0..handed_over.len() {
            let listener = handed_over
                .take_tcp_listener(place)
                .map_err(|error| format!("socket {place} that was handed over: {error}"))?;
            if let Some(listener) = listener {
                listeners.push((listener.local_addr()?, listener));
            }
        }
        Ok(Self(listeners))
    }

    fn take_or_bind(&mut self, address: SocketAddr) -> Result<TcpListener, Box<dyn Error>> {
        if let Some(place) = self.0.iter().position(|(held, _)| *held == address) {
            let (_, listener) = self.0.swap_remove(place);
            tracing::info!(%address, "listening on a socket that was handed over");
            return Ok(listener);
        }
        TcpListener::bind(address)
            .map_err(|error| format!("cannot listen on {address}: {error}").into())
    }
}

impl Listeners {
    /// Takes what is held for the configured addresses, and binds the rest.
    ///
    /// # Errors
    /// When an address cannot be bound, or a socket is held for an address that nobody configured.
    pub(super) fn open(listen: &Listen, mut inherited: Inherited) -> Result<Self, Box<dyn Error>> {
        let listeners = Self {
            public: inherited.take_or_bind(listen.public)?,
            ops: inherited.take_or_bind(listen.ops)?,
        };
        if let Some((address, _)) = inherited.0.first() {
            // Callers would wait for ever in the queue of a socket that nobody serves.
            return Err(format!(
                "a socket on {address} was handed over, and is neither listen.public ({}) nor \
                 listen.ops ({})",
                listen.public, listen.ops
            )
            .into());
        }
        Ok(listeners)
    }
}
