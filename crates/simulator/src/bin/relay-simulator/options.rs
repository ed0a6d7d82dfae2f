//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use simulator::{BillerOptions, FaultHeader, KakaoOptions, Latency, Personality, Rule};

use crate::tls;

/// Simulates a biller or Kakao Pay for the bill relay.
#[derive(Parser)]
#[command(name = "relay-simulator")]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) party: Party,
}

#[derive(Subcommand)]
pub(crate) enum Party {
    /// A biller: /kakao/notice, /kakao/prepay and /kakao/pay-result
    Biller(BillerArguments),
    /// Kakao Pay: the two link APIs
    Kakao(KakaoArguments),
}

#[derive(Args)]
pub(crate) struct BillerArguments {
    /// The biller code
    #[arg(long, default_value = "B0001")]
    code: String,
    /// The kind of biller
    #[arg(long, value_enum, default_value = "guide")]
    personality: Kind,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// Answers by the guide
    Guide,
    /// Answers codes without data, empty bodies and codes that are not in the guide
    Municipal,
}

#[derive(Args)]
pub(crate) struct KakaoArguments {
    /// The required Authorization value [default: any]
    #[arg(long)]
    authorization: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Args)]
pub(crate) struct Common {
    /// The address to listen on; port 0 is any free port
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Conditions and faults, such as "/kakao/prepay key=K1 skip=1 times=2 every=3 delay:1s cut:20"
    #[arg(long = "fault", value_name = "RULE", value_parser = Rule::parse)]
    pub(crate) faults: Vec<Rule>,
    /// none, 80ms, uniform:10ms,50ms or lognormal:80ms,900ms (median and 99th percentile;
    /// a third value is the longest wait)
    #[arg(long, value_name = "DISTRIBUTION", default_value = "none", value_parser = Latency::parse)]
    latency: Latency,
    /// The seed of random numbers
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The seconds after which an idle connection is closed
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    idle_timeout: u64,
    /// Use the faults in the header X-Simulator-Fault of calls
    #[arg(long)]
    fault_header: bool,
    /// The PEM file of the certificate chain; enables TLS
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The PEM file of the private key
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// The PEM file of the root certificates; requires client certificates of these roots
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    client_ca: Option<PathBuf>,
    /// Print every call with its body
    #[arg(long)]
    pub(crate) show_calls: bool,
}

impl BillerArguments {
    /// # Errors
    /// If a TLS file cannot be used.
    pub(crate) fn options(&self) -> Result<BillerOptions, String> {
        Ok(BillerOptions {
            code: self.code.clone(),
            personality: match self.personality {
                Kind::Guide => Personality::Guide,
                Kind::Municipal => Personality::Municipal,
            },
            listen: self.common.listen,
            seed: self.common.seed,
            latency: self.common.latency,
            tls: self.common.tls()?,
            idle_timeout: Duration::from_secs(self.common.idle_timeout),
            fault_header: self.common.fault_header(),
        })
    }
}

impl KakaoArguments {
    /// # Errors
    /// If a TLS file cannot be used.
    pub(crate) fn options(&self) -> Result<KakaoOptions, String> {
        Ok(KakaoOptions {
            listen: self.common.listen,
            seed: self.common.seed,
            latency: self.common.latency,
            tls: self.common.tls()?,
            idle_timeout: Duration::from_secs(self.common.idle_timeout),
            fault_header: self.common.fault_header(),
            authorization: self.authorization.clone(),
        })
    }
}

impl Common {
    fn fault_header(&self) -> FaultHeader {
        if self.fault_header {
            FaultHeader::Obeyed
        } else {
            FaultHeader::Ignored
        }
    }

    fn tls(&self) -> Result<Option<Arc<rustls::ServerConfig>>, String> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => {
                tls::configuration(certificate, key, self.client_ca.as_deref()).map(Some)
            }
            // clap requires both or none.
            _ => Ok(None),
        }
    }
}
