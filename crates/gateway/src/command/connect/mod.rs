//! `gateway check --connect`: tries Redis and every upstream, layer by layer.

mod layers;
mod redis;

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::runtime;
use tokio::time::{Instant, timeout_at};

use self::layers::{Attempted, Layers};
use crate::config::{BaseUrl, Loaded, Scheme, UpstreamTls};
use crate::tls::{ClientFiles, ClientTls};

/// The longest time for one server.
const SERVER_MAX: Duration = Duration::from_secs(5);

/// The longest time for all servers.
const ALL_MAX: Duration = Duration::from_mins(1);

/// The most servers that are tried at once.
const AT_ONCE: usize = 64;

/// The most parties that a line names.
const PARTIES_MAX: usize = 3;

/// A server of one or more parties.
struct Server {
    parties: Vec<String>,
    base_url: BaseUrl,
    tls: UpstreamTls,
}

/// Tries every server, prints a line for each layer, and returns the number of servers with a fault.
pub(super) fn run(loaded: &Loaded, out: &mut impl Write) -> Result<usize, Box<dyn Error>> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let end = Instant::now() + ALL_MAX;
    runtime.block_on(async {
        let mut faulty = 0;
        if let Some(settings) = &loaded.config.ledger.redis {
            for outcome in redis::attempt(settings, end.min(Instant::now() + SERVER_MAX)).await {
                faulty += usize::from(print(&outcome, out)?);
            }
        }
        let attempts = stream::iter(servers(loaded)).map(|server| attempt(server, end));
        let mut outcomes = attempts.buffered(AT_ONCE);
        while let Some(outcome) = outcomes.next().await {
            faulty += usize::from(print(&outcome, out)?);
        }
        Ok(faulty)
    })
}

/// Returns the servers of Kakao Pay and the billers, each once with the parties that share it.
fn servers(loaded: &Loaded) -> Vec<Server> {
    let kakao = &loaded.config.kakao;
    let mut servers: Vec<Server> = Vec::new();
    let mut known = std::collections::HashMap::new();
    let billers = loaded.billers.iter();
    let billers = billers.map(|biller| (biller.code.to_string(), &biller.base_url, &biller.tls));
    for (party, base_url, tls) in
        std::iter::once(("kakao".to_owned(), &kakao.base_url, &kakao.tls)).chain(billers)
    {
        let key = (base_url.scheme(), base_url.endpoint().clone(), files(tls));
        let at = *known.entry(key).or_insert_with(|| {
            servers.push(Server {
                parties: Vec::new(),
                base_url: base_url.clone(),
                tls: tls.clone(),
            });
            servers.len() - 1
        });
        servers[at].parties.push(party);
    }
    servers
}

fn files(tls: &UpstreamTls) -> [Option<std::path::PathBuf>; 3] {
    [
        tls.ca.clone(),
        tls.certificate.clone(),
        tls.private_key.clone(),
    ]
}

/// Tries one server: its name, TCP, and for https TLS and the certificate. Nothing is sent.
async fn attempt(server: Server, end: Instant) -> Attempted {
    let named = server.parties.iter().take(PARTIES_MAX).map(String::as_str);
    let mut label = named.collect::<Vec<_>>().join(", ");
    if let Some(more) = server.parties.len().checked_sub(PARTIES_MAX + 1) {
        // Writing into a string never fails.
        let _ = write!(label, " and {} more", more + 1);
    }
    let mut layers = Layers::of(label);
    let end = end.min(Instant::now() + SERVER_MAX);
    let endpoint = server.base_url.endpoint();
    let is_https = server.base_url.scheme() == Scheme::Https;
    let within = timeout_at(end, async {
        let tcp = layers.connect(endpoint).await?;
        if is_https {
            let tls = layers.load(|| client_tls(&server.tls))?;
            layers.handshake(&tls, endpoint.host(), tcp).await?;
        }
        Some(())
    });
    let is_over = within.await.is_err();
    layers.finish(is_over)
}

fn client_tls(files: &UpstreamTls) -> Result<ClientTls, String> {
    let files = ClientFiles {
        ca: files.ca.as_deref(),
        certificate: files.certificate.as_deref(),
        private_key: files.private_key.as_deref(),
    };
    let tls = files.read().and_then(|pems| pems.tls());
    tls.map_err(|fault| fault.to_string())
}

/// Prints the lines of one server and returns whether it has a fault.
fn print(outcome: &Attempted, out: &mut impl Write) -> std::io::Result<bool> {
    for line in &outcome.lines {
        let word = if line.is_fault { "fault" } else { "ok" };
        writeln!(
            out,
            "{word:<5} {}: {}: {}",
            outcome.label, line.layer, line.text
        )?;
    }
    Ok(outcome.lines.iter().any(|line| line.is_fault))
}
