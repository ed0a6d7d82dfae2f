//! The HTTP/1.1 server of both simulated parties: one thread, one runtime, one task per connection.
//!
//! It uses sockets directly, because most faults cannot be produced with an HTTP framework.

mod answer_writer;
mod connection;
mod listener;
mod request_reader;
mod state;
mod transport;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use state::ServerState;
pub(crate) use state::Service;

use crate::call::Call;
use crate::fault::Rule;
use crate::latency::Latency;

/// Whether the faults in the request header `X-Simulator-Fault` are used. They are in their text form,
/// separated by spaces, and take precedence over all rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FaultHeader {
    /// The header has no effect.
    #[default]
    Ignored,
    /// The header's faults are used. An invalid header is answered with a 400 and the reason.
    Obeyed,
}

/// The settings of a simulated party's server.
pub(crate) struct Settings {
    pub(crate) listen: SocketAddr,
    pub(crate) seed: u64,
    pub(crate) latency: Latency,
    pub(crate) tls: Option<Arc<rustls::ServerConfig>>,
    pub(crate) idle_timeout: Duration,
    pub(crate) fault_header: FaultHeader,
}

/// A listening simulated party, with the calls that it received and the rules of its faults. It stops and
/// closes its connections when it is dropped.
#[derive(Debug)]
pub struct SimulatedParty {
    address: SocketAddr,
    scheme: &'static str,
    state: Arc<ServerState>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl SimulatedParty {
    pub(crate) fn start(settings: Settings, service: Arc<dyn Service>) -> std::io::Result<Self> {
        let scheme = if settings.tls.is_some() {
            "https"
        } else {
            "http"
        };
        let state = Arc::new(ServerState::new(&settings, service));
        let (stop, stopped) = oneshot::channel();
        let (address, thread) = listener::spawn(settings, Arc::clone(&state), stopped)?;
        Ok(Self {
            address,
            scheme,
            state,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Returns the address on which it listens, with the actual port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns its URL without a path: `http://127.0.0.1:9002`.
    pub fn base_url(&self) -> String {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        format!("{}://{address}", self.scheme)
    }

    /// Returns the received calls in order: the newest 100,000, with at most 256 MiB of bodies.
    pub fn calls(&self) -> Vec<Call> {
        self.state.calls.since(0)
    }

    /// Returns the stored calls after the call with this number.
    pub fn calls_since(&self, sequence: u64) -> Vec<Call> {
        self.state.calls.since(sequence)
    }

    /// Returns the number of stored calls with exactly this path.
    pub fn calls_to(&self, api_path: &str) -> usize {
        self.state.calls.count(api_path)
    }

    /// Returns the number of all calls, including removed ones.
    pub fn calls_total(&self) -> u64 {
        self.state.calls.total()
    }

    /// Waits until this many calls have been received in total. Returns false after the timeout. A call
    /// counts when its last byte is read, before it is answered.
    pub fn wait_for_calls(&self, total: u64, timeout: Duration) -> bool {
        self.state.calls.wait_for(total, timeout)
    }

    /// Adds a rule after the existing ones.
    pub fn inject(&self, rule: Rule) {
        self.state.rules.inject(rule);
    }

    /// Removes all rules. Calls that already hang continue to hang.
    pub fn clear_rules(&self) {
        self.state.rules.clear();
    }
}

impl Drop for SimulatedParty {
    fn drop(&mut self) {
        // Sending fails if the thread has already ended.
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        // A panic of the thread was already printed; a second panic here would abort the test.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
