//! The listening sockets, bound here or inherited from the service manager (`LISTEN_FDS`).
//!
//! An inherited socket outlives the process: while one gateway drains and the next one starts, new
//! connections wait in the socket's queue and none is refused.

use std::error::Error;
use std::io;
use std::net::{SocketAddr, TcpListener};

use listenfd::ListenFd;
use tokio::net::TcpSocket;

use crate::config::{Listen, Places};

/// Connections that the system completes before a worker accepts them.
const BACKLOG: u32 = 128;

/// Listening sockets that the process inherited.
#[derive(Debug, Default)]
pub struct Inherited(Vec<(SocketAddr, TcpListener)>);

/// The two listeners.
pub(super) struct Listeners {
    pub(super) public: TcpListener,
    pub(super) ops: TcpListener,
}

/// The sockets of the two listeners. Those that are not inherited refuse connections until they listen.
pub(super) struct BoundSockets {
    public: BoundSocket,
    ops: BoundSocket,
}

enum BoundSocket {
    Inherited(TcpListener),
    New(TcpSocket),
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

    fn take_or_bind(&mut self, address: SocketAddr) -> io::Result<BoundSocket> {
        if let Some(index) = self.0.iter().position(|(bound, _)| *bound == address) {
            let (_, listener) = self.0.swap_remove(index);
            tracing::info!(%address, "listening on an inherited socket");
            return Ok(BoundSocket::Inherited(listener));
        }
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        // Connections of the previous process that are still in TIME_WAIT do not hold the port.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(BoundSocket::New(socket))
    }
}

impl BoundSockets {
    /// Uses inherited sockets for the configured addresses and binds the others.
    ///
    /// # Errors
    /// If an address cannot be bound, or an inherited socket has an address that is not configured.
    pub(super) fn bind(
        listen: &Listen,
        mut inherited: Inherited,
        places: &Places,
    ) -> Result<Self, Box<dyn Error>> {
        let mut bind = |key: &str, address: SocketAddr| {
            let bound = inherited.take_or_bind(address);
            bound.map_err(|error| places.fault(key, cannot_listen(address, &error)))
        };
        let sockets = Self {
            public: bind("listen.public", listen.public)?,
            ops: bind("listen.ops", listen.ops)?,
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
        Ok(sockets)
    }

    /// Begins to accept connections.
    ///
    /// # Errors
    /// If another process began to listen on one of the addresses since they were bound.
    pub(super) fn listen(
        self,
        listen: &Listen,
        places: &Places,
    ) -> Result<Listeners, Box<dyn Error>> {
        let begin = |socket, key: &str, address| {
            let listener = match socket {
                BoundSocket::Inherited(listener) => return Ok(listener),
                BoundSocket::New(socket) => TcpSocket::listen(socket, BACKLOG),
            };
            listener
                .and_then(tokio::net::TcpListener::into_std)
                .map_err(|error| places.fault(key, cannot_listen(address, &error)))
        };
        Ok(Listeners {
            public: begin(self.public, "listen.public", listen.public)?,
            ops: begin(self.ops, "listen.ops", listen.ops)?,
        })
    }
}

/// Returns why an address cannot be listened on, and the remedy.
fn cannot_listen(address: SocketAddr, error: &io::Error) -> String {
    let port = address.port();
    let remedy = match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "another process listens there: `ss -ltnp 'sport = :{port}'` names it; stop it, or choose another port"
        ),
        io::ErrorKind::AddrNotAvailable => {
            "no interface of this machine has the address: `ip address` lists them".to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 need a privilege: `AmbientCapabilities=\
             CAP_NET_BIND_SERVICE` in the systemd unit, or choose a port from 1024 on"
                .to_owned()
        }
        _ => "check the address".to_owned(),
    };
    format!("cannot listen on {address}: {error}; {remedy}")
}
