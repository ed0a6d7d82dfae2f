//! Serves an accepted socket: limits, TLS, then the HTTP library's dispatcher.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{Extensions, HttpService, KeepAlive, Request};
use actix_service::{IntoService as _, Service, ServiceFactory, fn_factory, fn_service};
use actix_web::HttpResponse;
use futures_util::FutureExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;

use super::connection::{ClientConnection, ClientIdentity};
use super::connection_limits::ConnectionLimits;
use super::connection_registry::ConnectionRegistry;
use super::drain::Drain;
use super::incoming_request::{IncomingRequest, answer};
use super::proxy_header;
use super::stream;
use super::validated_stream::{StreamTimeouts, ValidatedStream};
use crate::tls::{ClientTrust, HandshakeFailure, Peer, ServerTls, Stream, Wire};

/// The state that all workers of the listener share.
#[derive(Clone, Debug)]
pub(super) struct ListenerState {
    pub(super) limits: Arc<ConnectionLimits>,
    pub(super) tls: Option<Arc<ServerTls>>,
    pub(super) timeouts: StreamTimeouts,
    pub(super) drain: Drain,
}

/// Returns the factory of one worker's service, which serves sockets with `handler`.
pub(super) fn worker_service<H, Fut>(
    state: ListenerState,
    handler: H,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = (), InitError = ()>
where
    H: Fn(IncomingRequest) -> Fut + 'static,
    Fut: Future<Output = HttpResponse> + 'static,
{
    let dispatcher = dispatcher(Rc::new(handler));
    fn_factory(move || {
        let dispatcher = dispatcher.new_service(());
        let state = state.clone();
        async move {
            let worker = Rc::new(Worker {
                dispatcher: dispatcher.await?,
                registry: Rc::default(),
                header_faults: Cell::new(0),
                state,
            });
            actix_rt::spawn(drain_registry(
                worker.state.drain.clone(),
                Rc::clone(&worker.registry),
            ));
            let serve = move |socket| {
                let worker = Rc::clone(&worker);
                async move {
                    worker.serve(socket).await;
                    Ok(())
                }
            };
            Ok(serve.into_service())
        }
    })
}

async fn drain_registry(drain: Drain, registry: Rc<ConnectionRegistry>) {
    registry.drain(drain.until_begun().await);
}

/// Returns the HTTP library's dispatcher. Its timers are off: the validated stream and the handler's budget have
/// stricter ones.
fn dispatcher<H, Fut>(
    handler: Rc<H>,
) -> impl ServiceFactory<
    (ValidatedStream, Option<SocketAddr>),
    Config = (),
    Response = (),
    Error = DispatchError,
    InitError = (),
>
where
    H: Fn(IncomingRequest) -> Fut + 'static,
    Fut: Future<Output = HttpResponse> + 'static,
{
    // One handler serves all paths, so nothing is routed here. Its future is boxed, so that a connection
    // without a call does not hold memory for one.
    let calls = fn_service(move |request: Request| {
        let answer = Box::pin(answer(Rc::clone(&handler), request));
        answer.map(Ok::<_, actix_http::Error>)
    });
    HttpService::build()
        .keep_alive(KeepAlive::Os)
        .client_request_timeout(Duration::ZERO)
        // Zero hands a connection that ends to the stream's lingering close at once.
        .client_disconnect_timeout(Duration::ZERO)
        .h1_allow_half_closed(true)
        .on_connect_ext(|stream: &ValidatedStream, extensions: &mut Extensions| {
            extensions.insert(Rc::clone(stream.connection()));
        })
        .h1(calls)
}

/// One worker of the listener.
struct Worker<S> {
    dispatcher: S,
    registry: Rc<ConnectionRegistry>,
    /// Connections of proxies that ended for want of a PROXY header.
    header_faults: Cell<u64>,
    state: ListenerState,
}

impl<S> Worker<S>
where
    S: Service<(ValidatedStream, Option<SocketAddr>), Response = ()>,
    S::Error: fmt::Display,
{
    /// Serves one socket until it is closed and the work that its calls have begun is done.
    async fn serve(&self, mut socket: TcpStream) {
        let Ok(peer) = socket.peer_addr() else {
            return; // The client closed the socket before it reached this worker.
        };
        let Some(mut permit) = self.state.limits.admit(peer.ip()) else {
            return;
        };
        let deadline = Instant::now() + self.state.timeouts.head;
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%peer, %error, "TCP_NODELAY not set");
        }
        let mut client = peer;
        if permit.has_proxy_header() {
            // Boxed, so that the header's bytes are no part of every connection's future.
            let named = Box::pin(self.read_proxy_header(&mut socket, peer, deadline));
            match named.await {
                None => return,
                Some(Some(named)) if !permit.count_for(named.ip()) => return,
                Some(named) => client = named.unwrap_or(peer),
            }
        }
        let Some((stream, trust)) = self.accept_tls(socket, peer, deadline).await else {
            return;
        };
        let connection = Rc::new(ClientConnection::new(
            client,
            ClientIdentity {
                certificate: stream::client_certificate(&stream),
                trust,
            },
            self.registry.idle_deadline(),
        ));
        let registration = self.registry.register(&connection);
        let stream = ValidatedStream::new(stream, Rc::clone(&connection), self.state.timeouts);
        if let Err(error) = self.dispatcher.call((stream, Some(peer))).await {
            tracing::debug!(%peer, %error, "connection ended early");
        }
        drop(registration);
        connection.until_work_is_done().await;
    }

    /// Returns the client that the proxy's header names, if it names one. `None` without a valid header in time.
    async fn read_proxy_header(
        &self,
        socket: &mut TcpStream,
        proxy: SocketAddr,
        deadline: Instant,
    ) -> Option<Option<SocketAddr>> {
        let read = timeout_at(deadline, proxy_header::read(socket));
        let read = tokio::select! {
            read = read => read,
            () = self.state.drain.until_idle_deadline() => return None,
        };
        let fault = match read {
            Ok(Ok(named)) => return Some(named),
            Ok(Err(fault)) => fault.what(),
            Err(_elapsed) => "no PROXY header in time",
        };
        // Only counts that are powers of two are logged, so that connections cannot flood the log.
        let faults = self.header_faults.get() + 1;
        self.header_faults.set(faults);
        if faults.is_power_of_two() {
            tracing::warn!(%proxy, fault, faults, "a trusted proxy's connection is closed");
        }
        None
    }

    /// Returns the client's stream, after the handshake if the listener has TLS. `None` if the handshake fails or
    /// exceeds its time limit.
    async fn accept_tls(
        &self,
        socket: TcpStream,
        peer: SocketAddr,
        deadline: Instant,
    ) -> Option<(Stream, Option<ClientTrust>)> {
        let Some(tls) = &self.state.tls else {
            return Some((Stream::Left(socket), None));
        };
        let loaded = tls.current();
        let handshake = TlsAcceptor::from(loaded.config()).accept(Wire(socket));
        let handshake = timeout_at(deadline, handshake);
        let accepted = tokio::select! {
            accepted = handshake => accepted,
            () = self.state.drain.until_idle_deadline() => return None,
        };
        match accepted {
            Ok(Ok(stream)) => {
                let stream = Stream::Right(Box::new(stream.into()));
                let chain = stream::client_chain(&stream).into();
                let trust = ClientTrust::new(Arc::clone(tls), loaded, chain);
                Some((stream, Some(trust)))
            }
            Ok(Err(error)) => {
                let failure = HandshakeFailure::of(&error, Peer::Caller);
                tls.handshakes().failed(peer, &failure);
                None
            }
            Err(_elapsed) => {
                tls.handshakes()
                    .failed(peer, &HandshakeFailure::timed_out());
                None
            }
        }
    }
}
