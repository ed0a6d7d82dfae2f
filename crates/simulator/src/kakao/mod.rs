//! A simulated Kakao Pay, which creates links for billers.

mod link;
mod service;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

pub use link::{Link, LinkKind};
use service::KakaoService;

use crate::latency::Latency;
use crate::server::{FaultHeader, Settings, SimulatedParty};

/// The options of a [`Kakao`]. The default listens on a free port of the loopback address.
#[derive(Clone, Debug)]
pub struct KakaoOptions {
    /// The address to listen on; port 0 is any free port.
    pub listen: SocketAddr,
    /// The seed of its random numbers and links.
    pub seed: u64,
    /// The wait before its answers.
    pub latency: Latency,
    /// The TLS configuration; without it, it uses plain HTTP.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// The time after which it closes an idle connection.
    pub idle_timeout: Duration,
    /// Whether it uses the faults in a header of its callers.
    pub fault_header: FaultHeader,
    /// The `Authorization` that it requires (else it answers 401 with `E003`); `None` accepts all calls.
    pub authorization: Option<String>,
}

impl Default for KakaoOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 0,
            latency: Latency::None,
            tls: None,
            idle_timeout: Duration::from_mins(1),
            fault_header: FaultHeader::Ignored,
            authorization: None,
        }
    }
}

/// A listening Kakao Pay. It answers the two link APIs, with any path before them. It stops when it is
/// dropped. See [`SimulatedParty`] for its calls and faults.
#[derive(Debug)]
pub struct Kakao {
    party: SimulatedParty,
    service: Arc<KakaoService>,
}

impl Kakao {
    /// Starts Kakao Pay and listens.
    ///
    /// # Errors
    /// If the address cannot be bound or the thread cannot be created.
    pub fn start(options: KakaoOptions) -> io::Result<Self> {
        let service = Arc::new(KakaoService::new(options.seed, options.authorization));
        let settings = Settings {
            listen: options.listen,
            seed: options.seed,
            latency: options.latency,
            tls: options.tls,
            idle_timeout: options.idle_timeout,
            fault_header: options.fault_header,
        };
        let party = SimulatedParty::start(settings, Arc::clone(&service) as Arc<_>)?;
        Ok(Self { party, service })
    }

    /// Returns the created links in order: the newest 1,000,000.
    pub fn links(&self) -> Vec<Link> {
        self.service.links()
    }
}

impl Deref for Kakao {
    type Target = SimulatedParty;

    fn deref(&self) -> &SimulatedParty {
        &self.party
    }
}
