//! The gateway, the simulated parties and the temporary folder of one demonstration.

mod configuration;
mod gateway_thread;

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use gateway::config::Config;
use protocol::{Api, Caller};
use simulator::{Biller, BillerOptions, Call, Kakao, KakaoOptions};
use tempfile::TempDir;

use self::gateway_thread::GatewayThread;
use crate::scenario::BILLER;

/// Everything that the demonstration starts.
///
/// The fields are dropped in their order: the gateway drains before its parties stop and its ledger is removed.
#[derive(Debug)]
pub(crate) struct Environment {
    /// The gateway.
    pub(crate) gateway: GatewayThread,
    /// The simulated Kakao Pay.
    pub(crate) kakao: Kakao,
    /// The simulated biller.
    pub(crate) biller: Biller,
    /// The time that one call may take.
    pub(crate) budget: Duration,
    folder: TempDir,
}

impl Environment {
    /// Starts everything.
    ///
    /// # Errors
    /// When a listener cannot be bound, or the folder or a file in it cannot be written.
    pub(crate) fn start() -> Result<Self, Box<dyn Error>> {
        let kakao = Kakao::start(KakaoOptions::default())?;
        let biller = Biller::start(BillerOptions {
            code: BILLER.to_owned(),
            ..BillerOptions::default()
        })?;
        let folder = tempfile::Builder::new().prefix("relay-demo-").tempdir()?;
        let main = configuration::write(folder.path(), &kakao.base_url(), &biller.base_url())?;
        let loaded = Config::load(&main)?;
        Ok(Self {
            budget: loaded.config.budget.total,
            gateway: GatewayThread::start(loaded)?,
            kakao,
            biller,
            folder,
        })
    }

    /// Returns the folder of the configuration and the ledger.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the number of calls to the upstream of an API; to both parties for an unknown route.
    pub(crate) fn upstream_calls(&self, api: Option<Api>) -> u64 {
        let (kakao, biller) = (self.kakao.calls_total(), self.biller.calls_total());
        match api.map(Api::caller) {
            Some(Caller::Biller) => kakao,
            Some(Caller::KakaoPay) => biller,
            None => kakao + biller,
        }
    }

    /// Returns the calls to the upstream of an API after its first `count`.
    pub(crate) fn upstream_calls_after(&self, api: Api, count: u64) -> Vec<Call> {
        match api.caller() {
            Caller::Biller => self.kakao.calls_since(count),
            Caller::KakaoPay => self.biller.calls_since(count),
        }
    }

    /// Stops everything and removes the folder.
    ///
    /// # Errors
    /// When the folder cannot be removed.
    pub(crate) fn stop(self) -> std::io::Result<()> {
        // It writes into the folder until it has stopped.
        drop(self.gateway);
        self.folder.close()
    }
}
