//! The public listener: everything between an accepted socket and the handler of a request.
//!
//! ```text
//! socket → doorway (caps) → TLS → guard (framing, timers) → HTTP library → handler
//! ```
//!
//! The HTTP library is never given bytes that two servers could read differently: the guard reads
//! every head and every body's framing first and is stricter than the library everywhere. What is refused
//! takes the ordinary way all the same: the library gets a well-formed stand-in, and the handler answers it
//! by [`IncomingRequest::fault`].
//!
//! An empty line before a request line is refused like any other octet that begins no method.

mod byte_class;
mod chunked;
mod connection;
mod connection_limits;
mod connection_registry;
mod deadline_timer;
mod drain;
mod early_fault;
mod framing;
mod head;
mod incoming_request;
mod lingering_close;
mod read_buffer;
mod service;
mod stream;
#[cfg(test)]
mod tests;
mod validated_stream;
mod validation;

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use actix_server::ServerHandle;
use actix_web::HttpResponse;
use ipnet::IpNet;
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub use self::connection::{ClientConnection, WorkGuard};
pub use self::early_fault::EarlyFault;
pub use self::head::{HEAD_MAX_BYTES, HEADERS_MAX, TARGET_MAX_BYTES};
pub use self::incoming_request::IncomingRequest;
pub use self::validation::{Validation, ValidationEnd};

pub use self::connection_limits::ConnectionCounts;
use self::connection_limits::ConnectionLimits;
use self::drain::Drain;
use self::service::{ListenerState, worker_service};
use self::validated_stream::StreamTimeouts;
use crate::tls::ServerTls;

/// Longest time that an answer may stand still because the caller takes none of it.
const ANSWER_STALL_MAX: Duration = Duration::from_secs(10);

/// How long a connection without a call may stay in a drain: a caller that has sent its next call already
/// gets an answer, which says that no further one is wanted.
const LINGER: Duration = Duration::from_millis(500);

/// How long accepted sockets may take to their worker once no more are accepted.
const HAND_OVER: Duration = Duration::from_millis(50);

/// Most connections that a worker may have accepted beyond those it may serve.
const ACCEPTED_MAX: usize = 1024;

/// What the listener needs to know (contract section 6, `[listen]` and `[limits]`).
#[derive(Debug)]
pub struct ServerOptions {
    /// The bound socket.
    pub listener: TcpListener,
    /// Threads that serve; each has a handler of its own.
    pub workers: NonZeroUsize,
    /// `listen.tls`; `None` for plain HTTP.
    pub tls: Option<Arc<ServerTls>>,
    /// `listen.trusted_proxies`: not subject to `connections_per_address`.
    pub trusted_proxies: Vec<IpNet>,
    /// `limits.head_timeout`, for every head and for the TLS handshake.
    pub head_timeout: Duration,
    /// `limits.idle_timeout`.
    pub idle_timeout: Duration,
    /// `limits.connections`, over all workers.
    pub connections: usize,
    /// `limits.connections_per_address`.
    pub connections_per_address: usize,
}

/// The running listener. Dropping it ends it at once; [`drain`](Self::drain) ends it in good order.
#[derive(Debug)]
pub struct PublicServer {
    address: SocketAddr,
    limits: Arc<ConnectionLimits>,
    drain: Drain,
    handle: ServerHandle,
    server: JoinHandle<io::Result<()>>,
}

/// How a drain went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections whose call, or the work of it, was cut off; 0 in good order.
    pub cut_off: usize,
}

impl PublicServer {
    /// Starts serving on the calling thread's runtime. `handlers` is called once on every worker, so what it
    /// makes need not be `Send`.
    ///
    /// # Errors
    ///
    /// When the socket cannot be used.
    pub fn start<F, H, Fut>(options: ServerOptions, handlers: F) -> io::Result<Self>
    where
        F: Fn() -> H + Send + Clone + 'static,
        H: Fn(IncomingRequest) -> Fut + 'static,
        Fut: Future<Output = HttpResponse> + 'static,
    {
        let limits = Arc::new(ConnectionLimits::new(
            options.connections,
            options.connections_per_address,
            options.trusted_proxies,
        ));
        let drain = Drain::default();
        let shared = ListenerState {
            limits: Arc::clone(&limits),
            tls: options.tls,
            timeouts: StreamTimeouts {
                head: options.head_timeout,
                idle: options.idle_timeout,
                answer: options.idle_timeout.min(ANSWER_STALL_MAX),
            },
            drain: drain.clone(),
        };
        let address = options.listener.local_addr()?;
        let server = actix_server::Server::build()
            .workers(options.workers.get())
            // More than the doorway lets in: beyond this the library leaves connections waiting, and they
            // are to be closed.
            .max_concurrent_connections(options.connections.saturating_add(ACCEPTED_MAX))
            // The drain has a time of its own.
            .shutdown_timeout(u64::from(u32::MAX))
            .disable_signals()
            .listen("public", options.listener, move || {
                worker_service(shared.clone(), handlers())
            })?
            .run();
        Ok(Self {
            address,
            limits,
            drain,
            handle: server.handle(),
            server: tokio::spawn(server),
        })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections that are open now.
    pub fn open_connections(&self) -> usize {
        self.limits.open_connections()
    }

    /// Connections that were closed at once because too many were open, since the start.
    pub fn refused_connections(&self) -> u64 {
        self.limits.refused_connections()
    }

    /// The same counts, for others to look at.
    pub fn connections(&self) -> ConnectionCounts {
        ConnectionCounts::of(&self.limits)
    }

    /// Waits for an end that nobody asked for.
    ///
    /// # Errors
    ///
    /// When the workers could not be started or ended by a fault.
    pub async fn ended(&mut self) -> io::Result<()> {
        match (&mut self.server).await {
            Ok(result) => result,
            Err(error) => Err(io::Error::other(error)),
        }
    }

    /// Stops accepting, ends connections after the call under way or the next, whose answer says so with
    /// `ClientConnection: close`, and those without a call after a moment; ready when all of them, and the work
    /// held by [`ClientConnection::enter`], have ended or the time is over. Where somebody else holds the socket
    /// too, callers that come meanwhile wait in its queue for the next process.
    pub async fn drain(mut self, within: Duration) -> Drained {
        self.handle.pause().await;
        // What was accepted before would be thrown away with the workers' queues.
        tokio::time::sleep(HAND_OVER.min(within / 4)).await;
        self.drain.begin(LINGER.min(within / 2));
        // Only its being sent matters; the server would look for the end once a second.
        drop(self.handle.stop(true));
        let emptied = timeout(within, self.limits.until_empty()).await;
        let cut_off = match emptied {
            Ok(()) => 0,
            Err(_elapsed) => self.limits.open_connections(),
        };
        self.server.abort();
        let _ended = (&mut self.server).await;
        Drained { cut_off }
    }
}

impl Drop for PublicServer {
    fn drop(&mut self) {
        self.server.abort();
    }
}
