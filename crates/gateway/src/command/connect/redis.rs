//! Redis, its Sentinels or its Cluster: connection, log-in and state.

use std::fmt::Write as _;

use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::time::{Instant, timeout_at};
use tokio_util::either::Either;
use zeroize::Zeroizing;

use super::client_tls;
use super::layers::{Attempted, Layers};
use crate::config::{HostPort, RedisSettings, Topology};

/// The longest reply that is read.
const REPLY_MAX_BYTES: u64 = 16 << 10;

const LOG_IN: &str = "log-in";
const STATE: &str = "state";

/// Tries every node that the configuration names, at once, and the primary that the Sentinels name.
pub(super) async fn attempt(settings: &RedisSettings, end: Instant) -> Vec<Attempted> {
    let nodes = settings.nodes.iter();
    let nodes = nodes.map(|node| attempt_node(settings, node, end));
    let answers = futures_util::future::join_all(nodes).await;
    let primary = answers.iter().find_map(|(_, primary)| primary.clone());
    let mut outcomes: Vec<Attempted> = answers.into_iter().map(|(outcome, _)| outcome).collect();
    if let Some(primary) = primary {
        let mut layers = Layers::of(format!("redis primary {primary}"));
        let tried = timeout_at(end, log_in(&mut layers, settings, &primary)).await;
        outcomes.push(layers.finish(tried.is_err()));
    }
    outcomes
}

/// Tries one node; a Sentinel names the primary.
async fn attempt_node(
    settings: &RedisSettings,
    node: &HostPort,
    end: Instant,
) -> (Attempted, Option<HostPort>) {
    let mut layers = Layers::of(format!("redis {node}"));
    let tried = timeout_at(end, async {
        match &settings.topology {
            Topology::Sentinel { service } => {
                ask_sentinel(&mut layers, settings, node, service).await
            }
            Topology::Standalone | Topology::Cluster => {
                log_in(&mut layers, settings, node).await;
                None
            }
        }
    });
    let tried = tried.await;
    let is_over = tried.is_err();
    (layers.finish(is_over), tried.ok().flatten())
}

/// A connection to a Redis server.
type Connection = BufReader<Box<dyn Duplex>>;

/// A byte stream of both directions.
trait Duplex: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Duplex for S {}

async fn open(
    layers: &mut Layers,
    settings: &RedisSettings,
    node: &HostPort,
) -> Option<Connection> {
    let tcp = layers.connect(node).await?;
    let stream: Either<_, _> = match &settings.tls {
        None => Either::Left(tcp),
        Some(files) => {
            let tls = layers.load(|| client_tls(files))?;
            // After a fault of the certificate nothing is sent: the password is not for anyone.
            Either::Right(layers.handshake(&tls, node.host(), tcp).await?)
        }
    };
    Some(BufReader::new(Box::new(stream)))
}

async fn log_in(layers: &mut Layers, settings: &RedisSettings, node: &HostPort) -> Option<()> {
    let mut connection = open(layers, settings, node).await?;
    layers.begin(LOG_IN);
    if let Some(password) = &settings.password {
        let user = settings.username.as_deref();
        let arguments = ["AUTH"].into_iter().chain(user).chain([password.expose()]);
        let arguments: Vec<&str> = arguments.collect();
        if let Err(error) = command(&mut connection, &arguments).await {
            let remedy = "check user and password: `ledger.redis.url`, `username`, `password_file`, `password_env`";
            return layers.fault(LOG_IN, format!("{error}; {remedy}"));
        }
    }
    let database = settings.database.to_string();
    let wanted: [&[&str]; 2] = [&["PING"], &["SELECT", &database]];
    let is_cluster = settings.topology == Topology::Cluster;
    for arguments in &wanted[..if is_cluster { 1 } else { 2 }] {
        if let Err(error) = command(&mut connection, arguments).await {
            return layers.fault(LOG_IN, format!("{}: {error}", arguments[0]));
        }
    }
    let user = settings.username.as_deref().unwrap_or("the default user");
    layers.ok(LOG_IN, format!("as {user}"));
    if is_cluster {
        layers.begin(STATE);
        match command(&mut connection, &["CLUSTER", "INFO"]).await {
            Ok(info) if info.contains("cluster_state:ok") => layers.ok(STATE, "cluster_state:ok"),
            Ok(_) => return layers.fault(STATE, "the Cluster is not in the state ok"),
            Err(error) => return layers.fault(STATE, error),
        }
    }
    Some(())
}

async fn ask_sentinel(
    layers: &mut Layers,
    settings: &RedisSettings,
    node: &HostPort,
    service: &str,
) -> Option<HostPort> {
    let mut connection = open(layers, settings, node).await?;
    layers.begin(STATE);
    let question = ["SENTINEL", "get-master-addr-by-name", service];
    match command(&mut connection, &question).await {
        Ok(answer) => {
            let Some(primary) = primary(&answer) else {
                return layers.fault(STATE, format!("this Sentinel knows no service `{service}`"));
            };
            layers.ok(STATE, format!("the primary of `{service}` is {primary}"));
            Some(primary)
        }
        Err(error) => layers.fault(STATE, error),
    }
}

/// Reads a Sentinel's answer: host and port, one below the other.
fn primary(answer: &str) -> Option<HostPort> {
    let (host, port) = answer.split_once('\n')?;
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    HostPort::parse(&format!("{host}:{port}"), 0).ok()
}

/// Sends a command and returns its reply: the lines of a list, one below the other.
///
/// # Errors
/// The server's error, or that of the connection, in words.
async fn command(connection: &mut Connection, arguments: &[&str]) -> Result<String, String> {
    // Its room is known, so that no copy of a password is left behind by growing.
    let room = arguments
        .iter()
        .map(|argument| argument.len() + 16)
        .sum::<usize>()
        + 16;
    let mut request = Zeroizing::new(String::with_capacity(room));
    let _ = write!(request, "*{}\r\n", arguments.len());
    for argument in arguments {
        // Writing into a string never fails.
        let _ = write!(request, "${}\r\n{argument}\r\n", argument.len());
    }
    let lost = |error: std::io::Error| format!("the connection was lost: {error}");
    connection
        .write_all(request.as_bytes())
        .await
        .map_err(lost)?;
    connection.flush().await.map_err(lost)?;
    let head = line(connection).await?;
    let count = |text: &str| text.parse::<usize>().unwrap_or(0);
    match head.split_at_checked(1) {
        Some(("+" | ":", text)) => Ok(text.to_owned()),
        Some(("-", text)) => Err(text.to_owned()),
        Some(("$", length)) => bulk(connection, count(length)).await,
        Some(("*", length)) => {
            let mut parts = Vec::new();
            for _ in 0..count(length).min(2) {
                let head = line(connection).await?;
                let length = head.strip_prefix('$').map_or(0, count);
                parts.push(bulk(connection, length).await?);
            }
            Ok(parts.join("\n"))
        }
        _ => Err("it is no Redis: its reply is in another protocol".to_owned()),
    }
}

/// Reads a line without its end, with control characters escaped.
async fn line(connection: &mut Connection) -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = connection
        .take(REPLY_MAX_BYTES)
        .read_until(b'\n', &mut bytes)
        .await;
    match read {
        Ok(0) => Err("it closed the connection".to_owned()),
        Ok(_) => Ok(printable(&bytes)),
        Err(error) => Err(format!("the connection was lost: {error}")),
    }
}

async fn bulk(connection: &mut Connection, length: usize) -> Result<String, String> {
    let most = usize::try_from(REPLY_MAX_BYTES).unwrap_or(usize::MAX);
    let mut bytes = vec![0; length.min(most) + 2];
    let read = connection.read_exact(&mut bytes).await;
    read.map_err(|error| format!("the connection was lost: {error}"))?;
    Ok(printable(&bytes))
}

fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end_matches(['\r', '\n']);
    text.replace(|character: char| character.is_control(), " ")
}
