//! The HTTP/1.1 server under both stand-ins: one thread, one runtime, one task per connection.
//!
//! It is written on sockets, because most faults cannot be said through an HTTP framework.

mod connection;
mod delivery;
mod desk;
mod inbound;
mod listener;
mod transport;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use desk::Desk;
pub(crate) use desk::Service;

use crate::call::Call;
use crate::fault::Rule;
use crate::latency::Latency;

/// Whether the request header `X-Simulator-Fault` (faults in their text form, with blanks between) is
/// obeyed, before any rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FaultHeader {
    /// The header is like any other.
    #[default]
    Ignored,
    /// The header's faults are done; if it cannot be read, the answer is a 400 that says why.
    Obeyed,
}

/// Where and how a stand-in listens.
pub(crate) struct Settings {
    pub(crate) listen: SocketAddr,
    pub(crate) seed: u64,
    pub(crate) latency: Latency,
    pub(crate) tls: Option<Arc<rustls::ServerConfig>>,
    pub(crate) idle_timeout: Duration,
    pub(crate) fault_header: FaultHeader,
}

/// A listening stand-in, whichever party it plays: what it was asked, and how to make it fail. It
/// stops, with all its connections, when dropped.
#[derive(Debug)]
pub struct StandIn {
    address: SocketAddr,
    scheme: &'static str,
    desk: Arc<Desk>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl StandIn {
    pub(crate) fn start(settings: Settings, service: Arc<dyn Service>) -> std::io::Result<Self> {
        let scheme = if settings.tls.is_some() {
            "https"
        } else {
            "http"
        };
        let desk = Arc::new(Desk::new(&settings, service));
        let (stop, stopped) = oneshot::channel();
        let (address, thread) = listener::spawn(settings, Arc::clone(&desk), stopped)?;
        Ok(Self {
            address,
            scheme,
            desk,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it listens; the port is known also where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address as a URL without a path: `http://127.0.0.1:9002`.
    pub fn base_url(&self) -> String {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        format!("{}://{address}", self.scheme)
    }

    /// Everything that was received, in order: the newest 100,000 calls, and no more than 256 MiB of
    /// bodies.
    pub fn calls(&self) -> Vec<Call> {
        self.desk.calls.since(0)
    }

    /// The kept calls after the one with this number.
    pub fn calls_since(&self, sequence: u64) -> Vec<Call> {
        self.desk.calls.since(sequence)
    }

    /// How many of the kept calls went to exactly this path.
    pub fn calls_to(&self, api_path: &str) -> usize {
        self.desk.calls.count(api_path)
    }

    /// How many calls came in all, the forgotten ones included.
    pub fn calls_total(&self) -> u64 {
        self.desk.calls.total()
    }

    /// Waits until so many calls have come in all; `false` if they have not within the time. A call
    /// has come when its last byte was read, before it is answered.
    pub fn wait_for_calls(&self, total: u64, timeout: Duration) -> bool {
        self.desk.calls.wait_for(total, timeout)
    }

    /// Adds a rule after those that are there.
    pub fn inject(&self, rule: Rule) {
        self.desk.rules.inject(rule);
    }

    /// Takes all rules away; calls that hang already go on hanging.
    pub fn clear_rules(&self) {
        self.desk.rules.clear();
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // If the thread is gone already, nobody listens for the signal.
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        // A panic of that thread was printed when it happened; a test that drops must not abort.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
