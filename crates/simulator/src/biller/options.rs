//! The options of a simulated biller.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::latency::Latency;
use crate::server::{FaultHeader, Settings};

/// The kind of biller that is simulated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Personality {
    /// Answers by the guide.
    #[default]
    Guide,
    /// Answers like a municipality: a code without `data`, an empty body at HTTP 200 if a required member is
    /// missing, `E402` if there is no bill or `parameters` has another `biller_code`, `E404` if the birth date
    /// is wrong, `E901` to a cancel of an unknown payment, `E902` to a payment of an unknown bill.
    Municipal,
}

/// The options of a [`crate::Biller`]. The default listens on a free port of the loopback address.
#[derive(Clone, Debug)]
pub struct BillerOptions {
    /// The biller's code.
    pub code: String,
    /// The kind of biller.
    pub personality: Personality,
    /// The address to listen on; port 0 is any free port.
    pub listen: SocketAddr,
    /// The seed of its random numbers.
    pub seed: u64,
    /// The wait before its answers.
    pub latency: Latency,
    /// The TLS configuration; without it, it uses plain HTTP.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// The time after which it closes an idle connection.
    pub idle_timeout: Duration,
    /// Whether it uses the faults in a header of its callers.
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
