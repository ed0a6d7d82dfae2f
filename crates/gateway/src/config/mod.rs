//! The configuration: read whole before anything binds, and every fault told at once.
//!
//! One TOML file and a directory with one file per biller. The keys are in contract section 6, an
//! example with comments in `config/`. Nothing here opens a socket or writes a file.

mod base_url;
mod biller;
mod billers;
mod bounds;
mod consistency;
mod document;
mod duration;
mod endpoint;
mod finding;
mod kakao;
mod ledger;
mod limits;
mod listen;
mod named_file;
mod operators;
mod ops;
mod redis;
mod redis_url;
mod renewal;
mod secret;
mod section;
mod sha256;
mod size;
mod spelling;
mod tls;
mod traces;
mod upstream;
mod value;

#[cfg(test)]
mod tests;

use std::path::Path;

pub use base_url::{BaseUrl, Scheme};
pub use biller::{Biller, Redeliver, Status};
pub use billers::BillersDirectory;
pub use endpoint::Endpoint;
pub use finding::{Fault, Faults, Warning};
pub use kakao::Kakao;
pub use ledger::LedgerSettings;
pub use limits::{Budget, CircuitLimits, Limits};
pub use listen::{ClientAuth, Listen, ListenTls};
pub use operators::OperatorsView;
pub use ops::Ops;
pub use redis::RedisSettings;
pub use redis_url::Topology;
pub use renewal::listed_billers;
pub use secret::Secret;
pub use sha256::Sha256;
pub use tls::UpstreamTls;
pub use traces::Traces;

use biller::BillerFile;
use document::{Document, Source};
use finding::Findings;

/// The main file, every key with its value or its default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where the gateway listens.
    pub listen: Listen,
    /// The ops listener's own keys.
    pub ops: Ops,
    /// The time for one call.
    pub budget: Budget,
    /// Bounds of the public listener.
    pub limits: Limits,
    /// When an upstream counts as down.
    pub circuit: CircuitLimits,
    /// Kakao Pay.
    pub kakao: Kakao,
    /// The ledger's storage.
    pub ledger: LedgerSettings,
    /// To whom traces go.
    pub tracing: Traces,
    /// Where the billers' files are.
    pub billers: BillersDirectory,
}

/// A configuration without a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The main file.
    pub config: Config,
    /// The billers, in the order of their files' names; no code twice.
    pub billers: Vec<Biller>,
    /// What is allowed but hardly meant, sorted like faults.
    pub warnings: Vec<Warning>,
}

impl Config {
    /// Reads the main file and every biller's file.
    ///
    /// # Errors
    ///
    /// All faults of all files at once. Of a file with a syntax fault only that is told; the other
    /// files are read all the same.
    pub fn load(path: &Path) -> Result<Loaded, Faults> {
        let source = Source::read(path)?;
        let document = Document::parse(&source);
        let mut findings = Findings::default();
        let directory = billers_directory(&document);
        let files = directory.as_ref().map_or_else(Vec::new, |directory| {
            biller_files(&document, directory, &mut findings)
        });
        let config = document
            .intact()
            .then(|| Self::read(&document, directory))
            .flatten();
        findings.append(document.into_findings());
        if let Some(config) = &config {
            consistency::warn_of_unseen_certificates(
                path,
                &config.listen,
                &config.kakao,
                &files,
                &mut findings,
            );
        }
        let billers = files.into_iter().filter_map(|file| file.biller).collect();
        let (config, warnings) = findings.settle(config)?;
        Ok(Loaded {
            config,
            billers,
            warnings,
        })
    }

    fn read(document: &Document<'_>, billers: Option<BillersDirectory>) -> Option<Self> {
        let mut root = document.root();
        let listen = Listen::read(root.table("listen"));
        let ops = Ops::read(root.table("ops"), &listen);
        let budget = Budget::read(root.table("budget"));
        let limits = Limits::read(root.table("limits"), &budget);
        let circuit = CircuitLimits::read(root.table("circuit"));
        let kakao = Kakao::read(root.table("kakao"));
        let ledger = LedgerSettings::read(root.table("ledger"));
        let tracing = Traces::read(root.table("tracing"));
        root.knows("billers");
        root.finish();
        Some(Self {
            listen,
            ops,
            budget,
            limits,
            circuit,
            kakao: kakao?,
            ledger: ledger?,
            tracing,
            billers: billers?,
        })
    }
}

/// Where the billers are: also asked of a file with a syntax fault, so that it hides no others'.
fn billers_directory(document: &Document<'_>) -> Option<BillersDirectory> {
    if document.intact() {
        BillersDirectory::read(document.root().table("billers"))
    } else {
        Some(BillersDirectory::salvage(document))
    }
}

fn biller_files(
    document: &Document<'_>,
    directory: &BillersDirectory,
    findings: &mut Findings,
) -> Vec<BillerFile> {
    match billers::list(&directory.directory) {
        Ok(files) if files.is_empty() => {
            let what = "holds no biller's file: every call will be answered E003";
            findings.warn(document.path(), "billers.directory", what);
            Vec::new()
        }
        Ok(files) => billers::read_files(&files, findings),
        // A file that is not intact may name another directory where nobody can see it.
        Err(what) if document.intact() => {
            document.root().table("billers").fault("directory", what);
            Vec::new()
        }
        Err(_) => Vec::new(),
    }
}
