//! An [`Inquiry`] tries one server step by step and says how far that came.

use std::fmt;
use std::sync::Arc;
use std::thread;

use futures_util::future::join_all;
use redis::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::redis::commands::key::Keyspace;
use crate::redis::connection::dialer::{Dialer, Stream};
use crate::redis::connection::reply::Reply;
use crate::redis::connection::wake::Wake;
use crate::redis::settings::address::ServerAddress;
use crate::redis::settings::{Settings, Topology};
use crate::redis::topology::sentinel::Sentinels;

/// An answer to one of the commands has so many bytes at most.
const ANSWER_MAX_BYTES: usize = 64 * 1024;

/// A `Step` is one step on the way to a server that serves the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The Sentinels name the primary.
    Sentinel,
    /// The name has an address.
    Name,
    /// The server takes a connection.
    Connect,
    /// The certificate is right.
    Tls,
    /// User and password are right, and the user may read the ledger's keys.
    LogIn,
}

impl Step {
    /// Returns the name for operators.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sentinel => "Sentinel",
            Self::Name => "name",
            Self::Connect => "TCP",
            Self::Tls => "TLS",
            Self::LogIn => "log-in",
        }
    }
}

/// An `Inquiry` says how far the steps to one server came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inquiry {
    /// The server.
    pub server: ServerAddress,
    /// The step that failed, and why; `None`: it serves.
    pub fault: Option<(Step, String)>,
    /// Whether the server is there and refuses the user or the password.
    pub is_refused: bool,
}

impl fmt::Display for Inquiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fault {
            None => write!(f, "{}: serves", self.server),
            Some((step, why)) => write!(f, "{}: {}: {why}", self.server, step.name()),
        }
    }
}

/// Tries the servers that the settings name, and with Sentinels the primary that these name, each once and all at the
/// same time. Takes a second at most where no server answers. Blocks; may be called from anywhere.
pub fn inquire(settings: &Settings) -> Vec<Inquiry> {
    let asked = thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .max_blocking_threads(2)
                .build();
            let runtime = runtime.ok()?;
            let inquiries = runtime.block_on(all(settings));
            runtime.shutdown_background();
            Some(inquiries)
        });
        asking.join()
    });
    asked.ok().flatten().unwrap_or_default()
}

async fn all(settings: &Settings) -> Vec<Inquiry> {
    let wake = Arc::new(Wake::default());
    let dialer = Dialer::to_servers(settings, &wake);
    let nodes = match &settings.topology {
        Topology::Standalone(address) => vec![address.clone()],
        Topology::Cluster { nodes } => nodes.clone(),
        Topology::Sentinel { service, nodes } => {
            let mut sentinels = Sentinels::new(service, nodes, settings, &wake);
            match sentinels.primaries().await {
                Ok(primaries) => primaries,
                Err(fault) => return unnamed(nodes, &fault.to_string()),
            }
        }
    };
    let key = Keyspace::of(settings).epoch(None).today;
    join_all(nodes.iter().map(|address| one(&dialer, address, &key))).await
}

/// Returns the result for a service whose Sentinels name no primary.
fn unnamed(sentinels: &[ServerAddress], fault: &str) -> Vec<Inquiry> {
    let first = sentinels.first().cloned();
    let inquiry = |server| Inquiry {
        server,
        fault: Some((Step::Sentinel, fault.to_owned())),
        is_refused: fault.contains("another user or password"),
    };
    first.into_iter().map(inquiry).collect()
}

async fn one(dialer: &Dialer, address: &ServerAddress, key: &str) -> Inquiry {
    let result = try_steps(dialer, address, key).await;
    Inquiry {
        server: address.clone(),
        is_refused: matches!(&result, Err((Step::LogIn, why)) if is_refusal(why)),
        fault: result.err(),
    }
}

/// Returns whether an answer says that user or password are wrong, or that the user may not do this.
fn is_refusal(answer: &str) -> bool {
    let codes = ["WRONGPASS", "NOAUTH", "NOPERM"];
    codes.iter().any(|code| answer.starts_with(code)) || answer.contains("AUTH")
}

async fn try_steps(
    dialer: &Dialer,
    address: &ServerAddress,
    key: &str,
) -> Result<(), (Step, String)> {
    let named = tokio::net::lookup_host((address.host.as_str(), address.port));
    match timeout(dialer.step(), named).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => return Err((Step::Name, error.to_string())),
        Err(_) => return Err((Step::Name, "no answer in time".to_owned())),
    }
    let stream = dialer.stream(address).await.map_err(|fault| {
        let fault = fault.to_string();
        let why = fault
            .strip_prefix(&format!("{address}: "))
            .unwrap_or(&fault);
        match why.strip_prefix("connect ") {
            Some(why) => (Step::Connect, why.to_owned()),
            None => (Step::Tls, why.to_owned()),
        }
    })?;
    let asked = async {
        match stream {
            Stream::Clear(stream) => log_in(dialer, stream, key).await,
            Stream::Tls(stream) => log_in(dialer, stream, key).await,
        }
    };
    match timeout(2 * dialer.step(), asked).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(why)) => Err((Step::LogIn, why)),
        Err(_) => Err((Step::LogIn, "no answer in time".to_owned())),
    }
}

/// Logs in and reads a key of the ledger's: a server that needs a password refuses that without one.
async fn log_in<S>(dialer: &Dialer, mut stream: S, key: &str) -> Result<(), String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut question = redis::cmd("GET");
    question.arg(key);
    for command in dialer.setup_commands().into_iter().chain([question]) {
        let packed = command.get_packed_command();
        let sent = stream.write_all(&packed).await;
        sent.map_err(|error| error.to_string())?;
        if let Value::ServerError(error) = answer(&mut stream).await? {
            let code = error.code().to_owned();
            // In a Cluster, a key that is another server's says that the log-in succeeded.
            if matches!(code.as_str(), "MOVED" | "ASK" | "LOADING" | "MASTERDOWN") {
                return Ok(());
            }
            let details = error.details().unwrap_or_default();
            return Err(format!("{code} {details}").trim_end().to_owned());
        }
    }
    Ok(())
}

async fn answer(stream: &mut (impl AsyncRead + Unpin)) -> Result<Value, String> {
    let mut bytes = Vec::new();
    loop {
        match Reply::read(&bytes) {
            Ok(Reply::Whole(value, _)) => return Ok(value),
            Ok(Reply::Partial) if bytes.len() <= ANSWER_MAX_BYTES => {}
            _ => return Err("the answer is none of a Redis".to_owned()),
        }
        match stream.read_buf(&mut bytes).await {
            Ok(0) => return Err("the connection was closed".to_owned()),
            Ok(_) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
}
