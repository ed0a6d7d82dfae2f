//! Tests of the listener through sockets, and of its framing against the HTTP library's decoder.
#![allow(clippy::too_many_lines, clippy::unwrap_used)]

mod agreement;
mod certificates;
mod closing;
mod limits;
mod refusals;
mod requests;

use std::future::Future;
use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use bytes::BytesMut;
use futures_core::Stream;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{IncomingRequest, PublicServer, ServerOptions, TrustedProxies};

/// Far longer than any step takes that does not hang.
const TEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The handler of the tests, which records its requests.
#[derive(Clone)]
struct RecordingHandler {
    /// `METHOD path body` of every request, and `fault STATUS REASON` of every synthetic one.
    records: Arc<Mutex<Vec<String>>>,
    /// Calls of `/wait` that have begun.
    begun: Arc<Semaphore>,
    /// Calls of `/wait` that may end.
    may_end: Arc<Semaphore>,
}

impl RecordingHandler {
    fn new() -> Self {
        Self {
            records: Arc::default(),
            begun: Arc::new(Semaphore::new(0)),
            may_end: Arc::new(Semaphore::new(0)),
        }
    }

    fn records(&self) -> Vec<String> {
        self.records.lock().unwrap().clone()
    }

    fn record(&self, what: String) {
        self.records.lock().unwrap().push(what);
    }

    async fn until_call_begins(&self) {
        in_time(self.begun.acquire()).await.unwrap().forget();
    }

    /// Echoes the request. `/early` answers without reading the body, `/wait` when a permit allows it, `/task` at
    /// once with registered work that ends when a permit allows it.
    async fn answer(self, incoming: IncomingRequest) -> HttpResponse {
        if let Some(fault) = incoming.fault {
            self.record(format!("fault {} {}", fault.status(), fault.reason()));
            return refusal(fault.status());
        }
        let method = incoming.request.method().clone();
        let path = incoming.request.path().to_owned();
        if path == "/early" {
            self.record(format!("{method} {path}"));
            return HttpResponse::Unauthorized().body("early");
        }
        let Ok(body) = whole(incoming.payload).await else {
            let fault = incoming.connection.fault();
            let reason = fault.map_or("off", super::EarlyFault::reason);
            self.record(format!("{method} {path} cut {reason}"));
            return refusal(fault.map_or(400, super::EarlyFault::status));
        };
        let text = String::from_utf8_lossy(&body).into_owned();
        self.record(format!("{method} {path} {text}"));
        if path == "/wait" {
            self.begun.add_permits(1);
            self.may_end.acquire().await.unwrap().forget();
        }
        if path == "/task" {
            let work = incoming.connection.begin_work();
            actix_rt::spawn(async move {
                self.may_end.acquire().await.unwrap().forget();
                self.record("task done".to_owned());
                drop(work);
            });
        }
        HttpResponse::Ok().body(format!("{method} {path} {text}"))
    }
}

fn refusal(status: u16) -> HttpResponse {
    HttpResponse::build(StatusCode::from_u16(status).unwrap()).body("refused")
}

async fn whole(
    payload: actix_web::dev::Payload,
) -> Result<BytesMut, actix_web::error::PayloadError> {
    let mut payload = std::pin::pin!(payload);
    let mut body = BytesMut::new();
    while let Some(chunk) = std::future::poll_fn(|cx| payload.as_mut().poll_next(cx)).await {
        body.extend_from_slice(&chunk?);
    }
    Ok(body)
}

fn options() -> ServerOptions {
    ServerOptions {
        listener: TcpListener::bind("127.0.0.1:0").unwrap(),
        workers: NonZeroUsize::MIN,
        tls: None,
        trusted_proxies: TrustedProxies::default(),
        head_timeout: Duration::from_secs(20),
        idle_timeout: Duration::from_secs(20),
        connections: 100,
        connections_per_address: 100,
    }
}

fn start(options: ServerOptions) -> (PublicServer, RecordingHandler) {
    let handler = RecordingHandler::new();
    let for_workers = handler.clone();
    let server = PublicServer::start(options, move || {
        let handler = for_workers.clone();
        move |incoming| handler.clone().answer(incoming)
    })
    .unwrap();
    (server, handler)
}

async fn in_time<F: Future>(future: F) -> F::Output {
    timeout(TEST_TIMEOUT, future).await.expect("hangs")
}

async fn connect(server: &PublicServer) -> TcpStream {
    let socket = TcpStream::connect(server.address()).await.unwrap();
    socket.set_nodelay(true).unwrap();
    socket
}

async fn send(socket: &mut TcpStream, bytes: impl AsRef<[u8]>) {
    socket.write_all(bytes.as_ref()).await.unwrap();
}

/// Returns all bytes up to the close, which must not be a reset.
async fn until_closed(socket: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    in_time(socket.read_to_end(&mut bytes)).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Reads one answer with a `content-length`.
async fn one_answer(socket: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    in_time(async {
        while !bytes.ends_with(b"\r\n\r\n") {
            let seen = String::from_utf8_lossy(&bytes).into_owned();
            let byte = socket.read_u8().await;
            bytes.push(byte.unwrap_or_else(|error| panic!("{error} after {seen:?}")));
        }
        let head = String::from_utf8(bytes.clone()).unwrap();
        let length = head.split("content-length: ").nth(1).unwrap();
        let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
        let mut body = vec![0; length];
        socket.read_exact(&mut body).await.unwrap();
        head + std::str::from_utf8(&body).unwrap()
    })
    .await
}

/// Sends these bytes and returns what arrives before the close.
async fn exchange(server: &PublicServer, bytes: impl AsRef<[u8]>) -> String {
    let mut socket = connect(server).await;
    send(&mut socket, bytes).await;
    until_closed(&mut socket).await
}

/// Returns the statuses of the answers in order.
fn statuses(answers: &str) -> Vec<u16> {
    answers
        .split("HTTP/1.1 ")
        .skip(1)
        .map(|answer| answer[..3].parse().unwrap())
        .collect()
}
