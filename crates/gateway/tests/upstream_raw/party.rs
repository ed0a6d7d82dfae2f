//! A party on loopback, and calls to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_http::StatusCode;
use actix_http::header::HeaderValue;
use gateway::config::BaseUrl;
use gateway::request_id::TraceParent;
use gateway::upstream::{
    ApiEndpoint, CallReport, Circuit, Clients, Origin, Party, Repeat, UpstreamFault,
    UpstreamRequest,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

/// The size limit of an answer's body, in bytes.
pub const LIMIT: usize = 100;

/// A budget that a call does not use up.
pub const AMPLE: Duration = Duration::from_secs(5);

/// For how long a connection must be idle to prove that the next one may carry a request that is not sent twice.
pub const PROOF: Duration = Duration::from_millis(500);

/// The time by which a call may miss its deadline.
pub const SLACK: Duration = Duration::from_millis(50);

/// A listening party.
pub struct Upstream {
    pub port: u16,
    pub accepted: Arc<AtomicUsize>,
}

impl Upstream {
    /// Serves each connection, numbered from 0, with `serve`.
    pub async fn serve<S, F>(serve: S) -> Self
    where
        S: Fn(usize, TcpStream) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&accepted);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                tokio::spawn(serve(count.fetch_add(1, Ordering::SeqCst), stream));
            }
        });
        Self { port, accepted }
    }

    /// Answers each connection's first request with `bytes`, then does `then`.
    pub async fn answering(bytes: &'static [u8], then: Then) -> Self {
        Self::serve(move |_, mut stream| async move {
            read_request(&mut stream).await;
            stream.write_all(bytes).await.unwrap();
            then.carry_out(stream).await;
        })
        .await
    }

    pub fn connections(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    pub fn party(&self) -> Arc<Party> {
        self.party_with_limit(LIMIT)
    }

    pub fn party_with_limit(&self, answer_limit_bytes: usize) -> Arc<Party> {
        let url = format!("http://127.0.0.1:{}/base", self.port);
        party_with_limit(&url, answer_limit_bytes)
    }
}

/// The action after an answer.
#[derive(Clone, Copy, Debug)]
pub enum Then {
    /// Closes the connection.
    Close,
    /// Leaves the connection open without a byte.
    Hold,
    /// Resets the connection.
    Reset,
}

impl Then {
    async fn carry_out(self, mut stream: TcpStream) {
        match self {
            Self::Close => stream.shutdown().await.unwrap(),
            Self::Hold => std::future::pending().await,
            Self::Reset => stream.set_zero_linger().unwrap(),
        }
    }
}

/// Reads one request, head and body; returns an empty text if the connection ended.
pub async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte).await {
            Ok(1) => request.push(byte[0]),
            _ => return String::new(),
        }
    }
    let head = String::from_utf8(request).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    head + std::str::from_utf8(&body).unwrap()
}

/// Returns an HTTP/1.1 answer with a length.
pub fn sized(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

pub fn party(base_url: &str) -> Arc<Party> {
    party_with_limit(base_url, LIMIT)
}

fn party_with_limit(base_url: &str, answer_limit_bytes: usize) -> Arc<Party> {
    let url = BaseUrl::parse(base_url).unwrap();
    let origin = Arc::new(Origin::new(&url, None).unwrap());
    let circuit = Circuit::new(20, Duration::from_secs(5));
    let prefix = url.path_prefix();
    let party = Party::new("B0001", origin, prefix, answer_limit_bytes, circuit);
    Arc::new(party)
}

/// Returns a party at this origin, which may have several.
pub fn party_at(origin: &Arc<Origin>, label: &str, path_prefix: &str) -> Arc<Party> {
    let circuit = Circuit::new(20, Duration::from_secs(5));
    let origin = Arc::clone(origin);
    Arc::new(Party::new(label, origin, path_prefix, LIMIT, circuit))
}

/// The parts of an outgoing call.
pub struct OutgoingCall {
    endpoint: ApiEndpoint,
    request_id: HeaderValue,
    pub traceparent: TraceParent,
    pub authorization: Option<HeaderValue>,
}

impl OutgoingCall {
    pub fn request(&self) -> UpstreamRequest<'_> {
        UpstreamRequest {
            endpoint: &self.endpoint,
            request_id: &self.request_id,
            traceparent: &self.traceparent,
            authorization: self.authorization.as_ref(),
            body: b"{\"data\":{}}",
        }
    }
}

pub fn outgoing_call(party: &Party) -> OutgoingCall {
    OutgoingCall {
        endpoint: party.endpoint("/kakao/notice").unwrap(),
        request_id: HeaderValue::from_static("r-1"),
        traceparent: TraceParent::unsampled(),
        authorization: None,
    }
}

/// One call, which is seen to end in time.
pub async fn call(
    clients: &Clients,
    party: &Arc<Party>,
    time: Duration,
    repeat: Repeat,
) -> CallReport {
    let deadline = Instant::now() + time;
    let report = clients
        .call(party, outgoing_call(party).request(), deadline, repeat)
        .await;
    let late = Instant::now().saturating_duration_since(deadline);
    assert!(late < SLACK, "{late:?} late: {report:?}");
    report
}

/// Status and body of a whole answer.
pub fn whole(report: &CallReport) -> Result<(u16, &str), &UpstreamFault> {
    let answer = report.result.as_ref()?;
    Ok((
        answer.status.as_u16(),
        std::str::from_utf8(&answer.body).unwrap(),
    ))
}

pub fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap()
}
