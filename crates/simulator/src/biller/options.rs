//! How a biller is started.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::latency::Latency;
use crate::server::{FaultHeader, Settings};

/// Which kind of biller answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Personality {
    /// By the guide.
    #[default]
    Guide,
    /// As a municipality's: no `data` beside a code; an empty body at HTTP 200 where the request lacks
    /// what its code relies on; `E402` where there is no bill (or `parameters` names another biller
    /// in `biller_code`), `E404` where the birth date is not the bill's, `E901` to a cancel of a
    /// payment it never took, `E902` to a payment of a bill it does not have.
    Municipal,
}

/// How a [`crate::Biller`] is started; the default listens on a free port of the loopback.
#[derive(Clone, Debug)]
pub struct BillerOptions {
    /// Its biller code.
    pub code: String,
    /// Which kind of biller.
    pub personality: Personality,
    /// Where it listens; port 0: any free one.
    pub listen: SocketAddr,
    /// What its random numbers begin with.
    pub seed: u64,
    /// How long it thinks.
    pub latency: Latency,
    /// With it, it speaks TLS.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// It closes a connection on which nothing came for so long.
    pub idle_timeout: Duration,
    /// Whether callers may ask for faults.
    pub fault_header: FaultHeader,
}

impl Default for BillerOptions {
    fn default() -> Self {
        Self {
            code: "B0001".to_owned(),
            personality: Personality::Guide,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 0,
            latency: Latency::None,
            tls: None,
            idle_timeout: Duration::from_mins(1),
            fault_header: FaultHeader::Ignored,
        }
    }
}

impl BillerOptions {
    pub(super) fn into_settings(self) -> Settings {
        Settings {
            listen: self.listen,
            seed: self.seed,
            latency: self.latency,
            tls: self.tls,
            idle_timeout: self.idle_timeout,
            fault_header: self.fault_header,
        }
    }
}
