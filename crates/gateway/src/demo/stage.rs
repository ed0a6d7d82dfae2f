//! Everything that the demonstration starts, on loopback and in a folder that goes with it.

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use protocol::{Api, Caller};
use simulator::{Biller, BillerOptions, Kakao, KakaoOptions, SimulatedParty};
use tempfile::TempDir;

use super::gateway_thread::GatewayThread;
use super::request::BILLER;
use super::settings;
use crate::config::Config;

/// Kakao Pay, a biller and the gateway between them. Dropped in the order of its fields: the gateway
/// drains before its parties and its ledger go.
#[derive(Debug)]
pub(super) struct Stage {
    gateway: GatewayThread,
    kakao: Kakao,
    biller: Biller,
    folder: TempDir,
    budget: Duration,
}

impl Stage {
    /// Starts everything.
    pub(super) fn build() -> Result<Self, Box<dyn Error>> {
        let kakao = Kakao::start(KakaoOptions::default())?;
        let biller = Biller::start(BillerOptions {
            code: BILLER.to_owned(),
            ..BillerOptions::default()
        })?;
        let folder = tempfile::Builder::new().prefix("gateway-demo-").tempdir()?;
        let main = settings::write(folder.path(), &kakao.base_url(), &biller.base_url())?;
        let loaded = Config::load(&main)?;
        let budget = loaded.config.budget.total;
        Ok(Self {
            gateway: GatewayThread::start(loaded)?,
            kakao,
            biller,
            folder,
            budget,
        })
    }

    /// The gateway's public listener.
    pub(super) const fn public(&self) -> SocketAddr {
        self.gateway.public()
    }

    /// The gateway's ops listener.
    pub(super) const fn ops(&self) -> SocketAddr {
        self.gateway.ops()
    }

    /// How long a call may take.
    pub(super) const fn budget(&self) -> Duration {
        self.budget
    }

    /// Kakao Pay.
    pub(super) const fn kakao(&self) -> &Kakao {
        &self.kakao
    }

    /// The biller.
    pub(super) const fn biller(&self) -> &Biller {
        &self.biller
    }

    /// The party that an API is relayed to.
    pub(super) fn upstream(&self, api: Api) -> &SimulatedParty {
        match api.caller() {
            Caller::Biller => &self.kakao,
            Caller::KakaoPay => &self.biller,
        }
    }

    /// Calls that came to Kakao Pay and the biller together.
    pub(super) fn calls_total(&self) -> u64 {
        self.kakao.calls_total() + self.biller.calls_total()
    }

    /// Configuration and ledger; removed at the end.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Whether somebody wants the demonstration to end.
    pub(super) fn is_interrupted(&self) -> bool {
        self.gateway.is_interrupted()
    }

    /// Waits until somebody wants the demonstration to end.
    pub(super) fn wait_for_interruption(&self) {
        self.gateway.wait_for_interruption();
    }

    /// Stops everything and removes the folder.
    pub(super) fn strike(self) -> std::io::Result<()> {
        let Self {
            gateway, folder, ..
        } = self;
        drop(gateway);
        folder.close()
    }
}
