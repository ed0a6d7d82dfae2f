//! The public listener: everything between an accepted socket and the handler of a request.
//!
//! ```text
//! socket → connection limits → PROXY header → TLS → validated stream (framing, timers) → HTTP library → handler
//! ```
//!
//! The HTTP library never receives bytes that two servers could read differently. The validated stream checks
//! every head and the framing of every body first, and is stricter than the library at every point. In place of
//! a refused request the library receives a synthetic request, which is well-formed and carries no client bytes;
//! the handler answers its [`IncomingRequest::fault`].
//!
//! Three things of sane clients are passed on although the gateway does without them: one empty line before a
//! request line, a target with scheme and host, and `Upgrade`, which is overwritten in place.

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
mod proxy_header;
mod read_buffer;
mod service;
mod stream;
mod target;
#[cfg(test)]
mod tests;
mod trusted_proxies;
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
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub use self::connection::{ClientConnection, WorkGuard};
pub use self::connection_limits::{ConnectionCounts, address_or_network};
pub use self::early_fault::EarlyFault;
pub use self::head::{HEAD_MAX_BYTES, HEADERS_MAX, TARGET_MAX_BYTES};
pub use self::incoming_request::IncomingRequest;
pub use self::trusted_proxies::TrustedProxies;
pub use self::validation::{Validation, ValidationEnd};

use self::connection_limits::ConnectionLimits;
use self::drain::Drain;
use self::service::{ListenerState, worker_service};
use self::validated_stream::StreamTimeouts;
use crate::tls::ServerTls;

/// Longest time without progress on an answer because the client reads none of it.
const ANSWER_STALL_MAX: Duration = Duration::from_secs(10);

/// How long a drain keeps connections without a call open. The client may have sent its next call already; the
/// answer to it carries `Connection: close`.
const DRAIN_IDLE_TIME: Duration = Duration::from_millis(500);

/// How long a drain waits for accepted sockets to reach their worker.
const DISPATCH_TIME: Duration = Duration::from_millis(50);

/// Most connections that a worker may accept beyond those it may serve.
const EXCESS_CONNECTIONS_MAX: usize = 1024;

/// The settings of the listener (contract section 6, `[listen]` and `[limits]`).
#[derive(Debug)]
pub struct ServerOptions {
    /// The bound socket.
    pub listener: TcpListener,
    /// Number of worker threads; each has its own handler.
    pub workers: NonZeroUsize,
    /// `listen.tls`; `None` for plain HTTP.
    pub tls: Option<Arc<ServerTls>>,
    /// `listen.trusted_proxies` and `listen.proxy_protocol`; these proxies are exempt from
    /// `connections_per_address`.
    pub trusted_proxies: TrustedProxies,
    /// `limits.head_timeout`: the time limit of every head, and of PROXY header and TLS handshake together.
    pub head_timeout: Duration,
    /// `limits.idle_timeout`.
    pub idle_timeout: Duration,
    /// `limits.connections`: the limit over all workers.
    pub connections: usize,
    /// `limits.connections_per_address`.
    pub connections_per_address: usize,
}

/// The running listener. Dropping it closes it at once; [`drain`](Self::drain) shuts it down gracefully.
#[derive(Debug)]
pub struct PublicServer {
    address: SocketAddr,
    limits: Arc<ConnectionLimits>,
    drain: Drain,
    handle: ServerHandle,
    server: JoinHandle<io::Result<()>>,
}

/// The result of a drain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were closed before their call, or the work it had begun, was finished.
    pub cut_off: usize,
}

impl PublicServer {
    /// Starts serving on the calling thread's runtime. `handler_factory` is called once on every worker, so a
    /// handler need not be `Send`.
    ///
    /// # Errors
    ///
    /// When the socket cannot be used.
    pub fn start<F, H, Fut>(options: ServerOptions, handler_factory: F) -> io::Result<Self>
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
            // The library leaves connections above this number waiting, whereas connections above the limit must
            // be accepted and closed.
            .max_concurrent_connections(options.connections.saturating_add(EXCESS_CONNECTIONS_MAX))
            // `drain` limits the time of a shutdown.
            .shutdown_timeout(u64::from(u32::MAX))
            .disable_signals()
            .listen("public", options.listener, move || {
                worker_service(shared.clone(), handler_factory())
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

    /// The address that the listener is bound to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number of open connections.
    pub fn open_connections(&self) -> usize {
        self.limits.open_connections()
    }

    /// The number of connections since the start that were closed at once because too many were open.
    pub fn refused_connections(&self) -> u64 {
        self.limits.refused_connections()
    }

    /// Replaces the trusted proxies for later connections.
    pub fn trust_proxies(&self, proxies: TrustedProxies) {
        self.limits.trust_proxies(proxies);
    }

    /// A handle to the same counts that outlives the listener.
    pub fn connections(&self) -> ConnectionCounts {
        ConnectionCounts::of(&self.limits)
    }

    /// Waits until the listener ends without a drain.
    ///
    /// # Errors
    ///
    /// When the workers could not be started or failed.
    pub async fn ended(&mut self) -> io::Result<()> {
        match (&mut self.server).await {
            Ok(result) => result,
            Err(error) => Err(io::Error::other(error)),
        }
    }

    /// Shuts the listener down gracefully: stops accepting, then waits until every connection and all work begun
    /// with [`ClientConnection::begin_work`] has ended, but no longer than `within`.
    ///
    /// A connection ends after the present call or the next one, whose answer carries `Connection: close`; one
    /// without a call ends after half a second. Where another process also holds the socket, new connections wait
    /// in its queue for the next process.
    pub async fn drain(mut self, within: Duration) -> Drained {
        self.handle.pause().await;
        // Sockets that were accepted but have not reached a worker would be dropped with the workers' queues.
        tokio::time::sleep(DISPATCH_TIME.min(within / 4)).await;
        self.drain.begin(DRAIN_IDLE_TIME.min(within / 2));
        // The command is sent but not awaited: the server checks for its end only once a second.
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
