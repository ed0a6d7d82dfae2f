//! The gateway, the simulated parties and the temporary folder of one demonstration.

mod configuration;
mod gateway_thread;
mod token;

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway::config::Config;
use protocol::{Api, Caller};
use simulator::{Biller, BillerOptions, Call, Kakao, KakaoOptions};
use tempfile::TempDir;

use self::configuration::{FREE_PORT, MAIN_FILE, MainFile};
use self::gateway_thread::GatewayThread;
use crate::institution::OTHERS;
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
    /// The simulated biller of the scenarios.
    pub(crate) biller: Biller,
    /// The simulated billers that only a day's data needs.
    others: Vec<Biller>,
    /// The time that one call may take.
    pub(crate) budget: Duration,
    /// The admin token.
    pub(crate) token: String,
    folder: TempDir,
}

impl Environment {
    /// Starts everything.
    ///
    /// # Errors
    /// When a listener cannot be bound, or the folder or a file in it cannot be written.
    pub(crate) fn start() -> Result<Self, Box<dyn Error>> {
        let kakao = Kakao::start(KakaoOptions::default())?;
        let biller = start_biller(BILLER)?;
        let others = OTHERS.map(|institution| start_biller(institution.code));
        let others = others.into_iter().collect::<io::Result<Vec<_>>>()?;
        let folder = tempfile::Builder::new().prefix("relay-demo-").tempdir()?;
        let token = token::random()?;
        let main = MainFile {
            kakao_url: kakao.base_url(),
            token: token.clone(),
        };
        let billers = std::iter::once(&biller).chain(&others);
        configuration::write_billers(folder.path(), billers)?;
        let file = main.write(folder.path(), [FREE_PORT; 2])?;
        let loaded = Config::load(&file)?;
        let budget = loaded.config.budget.total;
        let gateway = GatewayThread::start(loaded)?;
        // Operators' commands read the address of the ops listener from the file.
        main.write(folder.path(), [gateway.public, gateway.ops])?;
        Ok(Self {
            gateway,
            kakao,
            biller,
            others,
            budget,
            token,
            folder,
        })
    }

    /// Returns the simulated biller with this code; that of the scenarios if there is none.
    pub(crate) fn biller(&self, code: &str) -> &Biller {
        let other = self.others.iter().find(|biller| biller.code() == code);
        other.unwrap_or(&self.biller)
    }

    /// Returns the configuration file of the gateway.
    pub(crate) fn main_file(&self) -> PathBuf {
        self.folder().join(MAIN_FILE)
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
    pub(crate) fn stop(self) -> io::Result<()> {
        // It writes into the folder until it has stopped.
        drop(self.gateway);
        self.folder.close()
    }
}

fn start_biller(code: &str) -> io::Result<Biller> {
    Biller::start(BillerOptions {
        code: code.to_owned(),
        ..BillerOptions::default()
    })
}
