//! From an accepted socket to the HTTP library's dispatcher.

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
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::arrival::{Arrival, answer};
use super::connection::{Caller, Connection};
use super::doorway::Doorway;
use super::drain::Drain;
use super::guard::{GuardedStream, Patience};
use super::roster::Roster;
use super::stream;
use crate::tls::{ServerTls, Stream, Trust, Wire};

/// What all workers of the listener share.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) doorway: Arc<Doorway>,
    pub(super) tls: Option<Arc<ServerTls>>,
    pub(super) patience: Patience,
    pub(super) drain: Drain,
}

/// The factory of one worker's service, which takes sockets and has the handler answer what comes on them.
pub(super) fn worker_service<H, Fut>(
    shared: Shared,
    handler: H,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = (), InitError = ()>
where
    H: Fn(Arrival) -> Fut + 'static,
    Fut: Future<Output = HttpResponse> + 'static,
{
    let dispatcher = dispatcher(Rc::new(handler));
    fn_factory(move || {
        let dispatcher = dispatcher.new_service(());
        let shared = shared.clone();
        async move {
            let worker = Rc::new(Worker {
                dispatcher: dispatcher.await?,
                roster: Rc::default(),
                shared,
            });
            actix_rt::spawn(drain_roster(
                worker.shared.drain.clone(),
                Rc::clone(&worker.roster),
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

async fn drain_roster(drain: Drain, roster: Rc<Roster>) {
    roster.drain(drain.begins().await);
}

/// The HTTP library with its own timers off: the guard and the handler's budget know better.
fn dispatcher<H, Fut>(
    handler: Rc<H>,
) -> impl ServiceFactory<
    (GuardedStream, Option<SocketAddr>),
    Config = (),
    Response = (),
    Error = DispatchError,
    InitError = (),
>
where
    H: Fn(Arrival) -> Fut + 'static,
    Fut: Future<Output = HttpResponse> + 'static,
{
    // There is one handler, so nothing is routed here. Its future is boxed: a connection without a call
    // is not to hold the room for one.
    let calls = fn_service(move |request: Request| {
        let answer = Box::pin(answer(Rc::clone(&handler), request));
        answer.map(Ok::<_, actix_http::Error>)
    });
    HttpService::build()
        .keep_alive(KeepAlive::Os)
        .client_request_timeout(Duration::ZERO)
        // Zero: a connection that ends is left to the guard's farewell at once.
        .client_disconnect_timeout(Duration::ZERO)
        .h1_allow_half_closed(true)
        .on_connect_ext(|stream: &GuardedStream, extensions: &mut Extensions| {
            extensions.insert(Rc::clone(stream.connection()));
        })
        .h1(calls)
}

/// A worker's part of the listener.
struct Worker<S> {
    dispatcher: S,
    roster: Rc<Roster>,
    shared: Shared,
}

impl<S> Worker<S>
where
    S: Service<(GuardedStream, Option<SocketAddr>), Response = ()>,
    S::Error: fmt::Display,
{
    /// Serves one socket to its end, and to the end of the work that its calls have begun.
    async fn serve(&self, socket: TcpStream) {
        let Ok(peer) = socket.peer_addr() else {
            return; // closed before it was its turn
        };
        let Some(_permit) = self.shared.doorway.admit(peer.ip()) else {
            return;
        };
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%peer, %error, "no TCP_NODELAY");
        }
        let Some((stream, trust)) = self.greet(socket, peer).await else {
            return;
        };
        let connection = Rc::new(Connection::new(
            peer,
            Caller {
                certificate: stream::client_certificate(&stream),
                trust,
            },
            self.roster.idle_ends_at(),
        ));
        let enrolment = self.roster.enrol(&connection);
        let guarded = GuardedStream::new(stream, Rc::clone(&connection), self.shared.patience);
        if let Err(error) = self.dispatcher.call((guarded, Some(peer))).await {
            tracing::debug!(%peer, %error, "connection ended early");
        }
        drop(enrolment);
        connection.until_work_is_done().await;
    }

    /// Speaks TLS first where the listener does; `None` where the caller does not, or not in time.
    async fn greet(&self, socket: TcpStream, peer: SocketAddr) -> Option<(Stream, Option<Trust>)> {
        let Some(tls) = &self.shared.tls else {
            return Some((Stream::Left(socket), None));
        };
        let side = tls.current();
        let handshake = TlsAcceptor::from(side.config()).accept(Wire(socket));
        let in_time = timeout(self.shared.patience.head, handshake);
        let greeted = tokio::select! {
            greeted = in_time => greeted,
            () = self.shared.drain.idle_ends() => return None,
        };
        match greeted {
            Ok(Ok(stream)) => {
                let stream = Stream::Right(Box::new(stream.into()));
                let chain = stream::client_chain(&stream).into();
                let trust = Trust::new(Arc::clone(tls), side, chain);
                Some((stream, Some(trust)))
            }
            Ok(Err(error)) => {
                tracing::debug!(%peer, %error, "TLS handshake failed");
                None
            }
            Err(_elapsed) => {
                tracing::debug!(%peer, "TLS handshake not in time");
                None
            }
        }
    }
}
