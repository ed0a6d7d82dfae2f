//! Measures what a call over a fresh connection costs more than one over a pooled connection, plain and with TLS.
//!
//! `cargo run --release -p relay-gateway --example connection_cost`
//!
//! The upstream runs in a thread of its own, whose CPU time is not counted. Everything is on loopback: a real network adds
//! one round trip for TCP and one more for TLS 1.3.
#![allow(clippy::cast_precision_loss, clippy::print_stdout, clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use actix_http::header::HeaderValue;
use gateway::config::BaseUrl;
use gateway::request_id::TraceParent;
use gateway::upstream::{Circuit, Clients, Origin, Party, Repeat, UpstreamRequest};
use rustls::crypto::ring::default_provider;
use rustls::{ClientConfig, HandshakeKind, RootCertStore, ServerConfig};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

/// Calls of a batch.
const CALLS: usize = 300;

/// Rounds of the measurement, each with one batch of every kind.
const ROUNDS: usize = 15;

const BODY: &str = r#"{"data":{"biller_user_key":"u","pay_id":1}}"#;

/// The connection of every call of a batch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Pooled,
    Fresh,
    PooledTls,
    ResumedTls,
    FullTls,
}

impl Kind {
    const ALL: [Self; 5] = [
        Self::Pooled,
        Self::Fresh,
        Self::PooledTls,
        Self::ResumedTls,
        Self::FullTls,
    ];

    const fn label(self) -> &'static str {
        match self {
            Self::Pooled => "plain, pooled",
            Self::Fresh => "plain, fresh",
            Self::PooledTls => "TLS 1.3, pooled",
            Self::ResumedTls => "TLS 1.3, fresh with a resumed session",
            Self::FullTls => "TLS 1.3, fresh with a full handshake",
        }
    }

    const fn is_tls(self) -> bool {
        !matches!(self, Self::Pooled | Self::Fresh)
    }

    const fn closes(self) -> bool {
        !matches!(self, Self::Pooled | Self::PooledTls)
    }
}

/// Microseconds per call.
struct Cost {
    /// CPU time of the thread that calls.
    cpu: f64,
    /// Time to the answer.
    elapsed: f64,
}

fn main() {
    let upstream = start_upstream();
    let runtime = tokio::runtime::LocalRuntime::new().unwrap();
    let mut costs = Kind::ALL.map(|_| Vec::with_capacity(ROUNDS));
    // The first round warms up.
    for round in 0..=ROUNDS {
        for (kind, costs) in Kind::ALL.into_iter().zip(&mut costs) {
            let cost = runtime.block_on(batch(kind, &upstream));
            if round > 0 {
                costs.push(cost);
            }
        }
    }
    println!(
        "Microseconds per call: median of {ROUNDS} batches of {CALLS} calls (lowest to highest)\n"
    );
    println!("| connection | CPU of the gateway | time to the answer |\n|---|---|---|");
    for (kind, costs) in Kind::ALL.into_iter().zip(&costs) {
        let cpu = median_and_range(costs.iter().map(|cost| cost.cpu));
        let elapsed = median_and_range(costs.iter().map(|cost| cost.elapsed));
        println!("| {} | {cpu} | {elapsed} |", kind.label());
    }
}

fn median_and_range(costs: impl Iterator<Item = f64>) -> String {
    let mut costs: Vec<f64> = costs.collect();
    costs.sort_by(f64::total_cmp);
    let (lowest, highest) = (costs[0], costs[costs.len() - 1]);
    let median = costs[costs.len() / 2];
    format!("{median:.0} ({lowest:.0} to {highest:.0})")
}

async fn batch(kind: Kind, upstream: &Upstream) -> Cost {
    let (clients, mut party) = (Clients::new(), upstream.party(kind));
    let request_id = HeaderValue::from_static("r-1");
    let traceparent = TraceParent::unsampled();
    let endpoint = party.endpoint("/kakao/pay-result").unwrap();
    let resumed_before = upstream.resumed.load(Ordering::SeqCst);
    let (mut cpu, mut elapsed) = (0, Duration::ZERO);
    // The first call opens what is pooled or resumed later.
    for call in 0..=CALLS {
        if kind == Kind::FullTls {
            // Another origin has no session to resume.
            party = upstream.party(kind);
        }
        let (cpu_before, begin) = (cpu_nanoseconds(), Instant::now());
        let request = UpstreamRequest {
            endpoint: &endpoint,
            request_id: &request_id,
            traceparent: &traceparent,
            authorization: None,
            body: BODY.as_bytes(),
        };
        let deadline = tokio::time::Instant::now() + Duration::from_secs(3);
        let report = clients.call(&party, request, deadline, Repeat::Safe).await;
        assert_eq!(report.result.unwrap().status, 200);
        assert_eq!(
            report.connect_duration.is_some(),
            kind.closes() || call == 0
        );
        if call > 0 {
            elapsed += begin.elapsed();
            cpu += cpu_nanoseconds() - cpu_before;
        }
    }
    let resumed = upstream.resumed.load(Ordering::SeqCst) - resumed_before;
    assert_eq!(resumed, if kind == Kind::ResumedTls { CALLS } else { 0 });
    Cost {
        cpu: cpu as f64 / 1e3 / CALLS as f64,
        elapsed: elapsed.as_secs_f64() * 1e6 / CALLS as f64,
    }
}

/// CPU time of this thread so far.
fn cpu_nanoseconds() -> u64 {
    // The kernel updates a thread's CPU time when the thread yields.
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}

/// The upstream's ports: for each of plain and TLS, one that keeps connections and one that closes them.
struct Upstream {
    ports: Vec<(bool, bool, u16)>,
    resumed: Arc<AtomicUsize>,
    tls: Arc<ClientConfig>,
}

impl Upstream {
    fn party(&self, kind: Kind) -> Arc<Party> {
        let mut ports = self.ports.iter();
        let wanted = |(tls, closes, _): &&(bool, bool, u16)| {
            (*tls, *closes) == (kind.is_tls(), kind.closes())
        };
        let port = ports.find(wanted).unwrap().2;
        let scheme = if kind.is_tls() { "https" } else { "http" };
        let url = BaseUrl::parse(&format!("{scheme}://localhost:{port}")).unwrap();
        let tls = kind.is_tls().then(|| Arc::clone(&self.tls));
        let origin = Arc::new(Origin::new(&url, tls).unwrap());
        let circuit = Circuit::new(20, Duration::from_secs(5));
        Arc::new(Party::new("B0001", origin, "", 1 << 20, circuit))
    }
}

fn start_upstream() -> Upstream {
    let (server, client) = tls();
    let acceptor = TlsAcceptor::from(server);
    let resumed = Arc::new(AtomicUsize::new(0));
    let mut ports = Vec::new();
    let mut listeners = Vec::new();
    for (is_tls, closes) in [(false, false), (false, true), (true, false), (true, true)] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        ports.push((is_tls, closes, listener.local_addr().unwrap().port()));
        listeners.push((is_tls, closes, listener));
    }
    let counter = Arc::clone(&resumed);
    // It serves to the end of the process.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            for (is_tls, closes, listener) in listeners {
                let acceptor = is_tls.then(|| acceptor.clone());
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                tokio::spawn(accept(listener, acceptor, closes, Arc::clone(&counter)));
            }
            std::future::pending::<()>().await;
        });
    });
    Upstream {
        ports,
        resumed,
        tls: client,
    }
}

async fn accept(
    listener: tokio::net::TcpListener,
    acceptor: Option<TlsAcceptor>,
    closes: bool,
    resumed: Arc<AtomicUsize>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).unwrap();
        let (acceptor, resumed) = (acceptor.clone(), Arc::clone(&resumed));
        tokio::spawn(async move {
            let Some(acceptor) = acceptor else {
                return answer(stream, closes).await;
            };
            let stream = acceptor.accept(stream).await.unwrap();
            let kind = stream.get_ref().1.handshake_kind();
            let is_resumed = kind == Some(HandshakeKind::Resumed);
            resumed.fetch_add(is_resumed.into(), Ordering::SeqCst);
            answer(stream, closes).await;
        });
    }
}

/// Answers requests, which come in one piece each.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, closes: bool) {
    let option = if closes { "Connection: close\r\n" } else { "" };
    let answer =
        format!("HTTP/1.1 200 OK\r\n{option}Content-Length: 17\r\n\r\n{{\"res_code\":\"OK\"}}");
    let mut request = vec![0; 16 * 1024];
    while let Ok(1..) = stream.read(&mut request).await {
        if stream.write_all(answer.as_bytes()).await.is_err() || closes {
            break;
        }
    }
    let _ = stream.shutdown().await;
}

fn tls() -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate: CertificateDer<'static> = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(default_provider());
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(server), Arc::new(client))
}
