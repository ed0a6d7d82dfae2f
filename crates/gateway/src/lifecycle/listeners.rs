//! The listening sockets, bound here or inherited from the service manager (`LISTEN_FDS`).
//!
//! An inherited socket outlives the process: while one gateway drains and the next one starts, new
//! connections wait in the socket's queue and none is refused.

use std::error::Error;
use std::net::{SocketAddr, TcpListener};

use listenfd::ListenFd;

use crate::config::Listen;

/// Listening sockets that the process inherited.
#[derive(Debug, Default)]
pub struct Inherited(Vec<(SocketAddr, TcpListener)>);

/// The two listeners.
pub(super) struct Listeners {
    pub(super) public: TcpListener,
    pub(super) ops: TcpListener,
}

impl Inherited {
    /// Takes the sockets named by the environment. Call it before a second thread exists.
    ///
    /// # Errors
    /// If an inherited descriptor is no listening TCP socket.
    pub fn from_environment() -> Result<Self, Box<dyn Error>> {
        let mut handed_over = ListenFd::from_env();
        let mut listeners = Vec::new();
        for index in 0..handed_over.len() {
            let listener = handed_over
                .take_tcp_listener(index)
                .map_err(|error| format!("inherited socket {index}: {error}"))?;
            if let Some(listener) = listener {
                listeners.push((listener.local_addr()?, listener));
            }
        }
        Ok(Self(listeners))
    }

    fn take_or_bind(&mut self, address: SocketAddr) -> Result<TcpListener, Box<dyn Error>> {
        if let Some(index) = self.0.iter().position(|(bound, _)| *bound == address) {
            let (_, listener) = self.0.swap_remove(index);
            tracing::info!(%address, "listening on an inherited socket");
            return Ok(listener);
        }
        TcpListener::bind(address)
            .map_err(|error| format!("cannot listen on {address}: {error}").into())
    }
}

impl Listeners {
    /// Uses inherited sockets for the configured addresses and binds the others.
    ///
    /// # Errors
    /// If an address cannot be bound, or an inherited socket has an address that is not configured.
    pub(super) fn open(listen: &Listen, mut inherited: Inherited) -> Result<Self, Box<dyn Error>> {
        let listeners = Self {
            public: inherited.take_or_bind(listen.public)?,
            ops: inherited.take_or_bind(listen.ops)?,
        };
        if let Some((address, _)) = inherited.0.first() {
            // Connections to a socket that is not served would wait in its queue for ever.
            return Err(format!(
                "the inherited socket on {address} is neither listen.public ({}) nor \
                 listen.ops ({})",
                listen.public, listen.ops
            )
            .into());
        }
        Ok(listeners)
    }
}
