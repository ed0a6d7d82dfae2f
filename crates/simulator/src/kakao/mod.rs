//! Kakao Pay, where billers have links made.

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
use crate::server::{FaultHeader, Settings, StandIn};

/// How a [`Kakao`] is started; the default listens on a free port of the loopback.
#[derive(Clone, Debug)]
pub struct KakaoOptions {
    /// Where it listens; port 0: any free one.
    pub listen: SocketAddr,
    /// What its random numbers and its links begin with.
    pub seed: u64,
    /// How long it thinks.
    pub latency: Latency,
    /// With it, it speaks TLS.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// It closes a connection on which nothing came for so long.
    pub idle_timeout: Duration,
    /// Whether callers may ask for faults.
    pub fault_header: FaultHeader,
    /// The only `Authorization` it takes (else 401 with `E003`); `None`: any, or none.
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

/// A Kakao Pay that listens. It answers the two link APIs, also below a path of its own, and stops
/// when dropped. See [`StandIn`] for its calls and faults.
#[derive(Debug)]
pub struct Kakao {
    stand_in: StandIn,
    service: Arc<KakaoService>,
}

impl Kakao {
    /// Listens.
    ///
    /// # Errors
    /// If the address cannot be bound, or no thread can be had.
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
        let stand_in = StandIn::start(settings, Arc::clone(&service) as Arc<_>)?;
        Ok(Self { stand_in, service })
    }

    /// The links it made, in order: the newest 1,000,000.
    pub fn links(&self) -> Vec<Link> {
        self.service.links()
    }
}

impl Deref for Kakao {
    type Target = StandIn;

    fn deref(&self) -> &StandIn {
        &self.stand_in
    }
}
