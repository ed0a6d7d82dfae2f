//! The configuration. It is read completely before anything binds, and all its faults are reported at once.
//!
//! One TOML file and a directory with one file per biller. The keys are in contract section 6, an
//! example with comments in `config/`. Nothing here opens a socket or writes a file; the files that it names are
//! read, so that a fault in one of them is told with the key that names it.

mod biller;
mod billers;
mod consistency;
mod contents;
mod identity_change;
mod kakao;
mod ledger;
mod limits;
mod listen;
mod operator;
mod ops;
mod parse;
mod redis;
mod reload;
mod tls;
mod traces;
mod upstream;

#[cfg(test)]
mod tests;

use std::path::Path;

pub use biller::{Biller, Redeliver, Status};
pub use billers::BillersDirectory;
pub use contents::ExpiryNotice;
pub use identity_change::IdentityChange;
pub use kakao::Kakao;
pub use ledger::LedgerSettings;
pub use limits::{Budget, CircuitLimits, Limits};
pub use listen::{ClientAuth, Listen, ListenTls};
pub use operator::OperatorSettings;
pub use ops::Ops;
pub use parse::base_url::{BaseUrl, Scheme};
pub use parse::diagnostics::{Diagnostic, Faults, Places};
pub use parse::host_port::HostPort;
pub use parse::redis_url::Topology;
pub use parse::secret::Secret;
pub use parse::sha256::Sha256;
pub use redis::RedisSettings;
pub use reload::list_biller_files;
pub use tls::UpstreamTls;
pub use traces::Traces;

use biller::BillerFile;
use parse::diagnostics::Diagnostics;
use parse::document::{Document, Source};
use parse::section::Section;

/// The main file: each key's value or default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The listeners.
    pub listen: Listen,
    /// The admin API of the ops listener.
    pub ops: Ops,
    /// The time budget of a call.
    pub budget: Budget,
    /// Bounds of the public listener.
    pub limits: Limits,
    /// The circuit breakers of the upstreams.
    pub circuit: CircuitLimits,
    /// Kakao Pay.
    pub kakao: Kakao,
    /// The ledger's storage.
    pub ledger: LedgerSettings,
    /// The export of traces.
    pub tracing: Traces,
    /// The directory of the billers' files.
    pub billers: BillersDirectory,
}

/// A configuration without a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The main file.
    pub config: Config,
    /// The billers, sorted by file name; each code is unique.
    pub billers: Vec<Biller>,
    /// Settings that are allowed but probably unintended, sorted like faults.
    pub warnings: Vec<Diagnostic>,
    /// Certificates of files that have expired or will soon.
    pub expiring: Vec<ExpiryNotice>,
    /// Where the keys of the main file are.
    pub places: Places,
}

impl Config {
    /// Reads the main file and every biller's file.
    ///
    /// # Errors
    /// All faults of all files, and of the contents of the certificates and keys that they name. A file with syntax
    /// faults reports only these; the other files are still read.
    pub fn load(path: &Path) -> Result<Loaded, Faults> {
        let source = Source::read(path)?;
        let document = Document::parse(&source);
        let mut diagnostics = Diagnostics::default();
        let directory = billers_directory(&document);
        let files = directory.as_ref().map_or_else(Vec::new, |directory| {
            biller_files(&document, directory, &mut diagnostics)
        });
        let config = document
            .is_well_formed()
            .then(|| Self::read(&document, directory))
            .flatten();
        let places = document.places();
        diagnostics.append(document.into_diagnostics());
        let tls_tables = std::mem::take(&mut diagnostics.tls_tables);
        let expiring = contents::check(&tls_tables, &mut diagnostics);
        if let Some(config) = &config {
            consistency::warn_of_unrequested_certificates(
                path,
                &config.listen,
                &config.kakao,
                &files,
                &mut diagnostics,
            );
            consistency::warn_of_twins(&files, &mut diagnostics);
        }
        let billers = files.into_iter().filter_map(|file| file.biller).collect();
        let (config, warnings) = diagnostics.into_result(config)?;
        Ok(Loaded {
            config,
            billers,
            warnings,
            expiring,
            places,
        })
    }

    fn read(document: &Document<'_>, billers: Option<BillersDirectory>) -> Option<Self> {
        let mut root = Section::root(document);
        let listen = Listen::read(root.table("listen"));
        let ops = Ops::read(root.table("ops"), &listen);
        let budget = Budget::read(root.table("budget"));
        let limits = Limits::read(root.table("limits"), &budget);
        let circuit = CircuitLimits::read(root.table("circuit"));
        let kakao = Kakao::read(root.table("kakao"));
        let ledger = LedgerSettings::read(root.table("ledger"));
        let tracing = Traces::read(root.table("tracing"));
        root.allow("billers");
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

/// Returns the billers' directory. It is read from a file with syntax faults too, so that the faults of the
/// billers' files are reported as well.
fn billers_directory(document: &Document<'_>) -> Option<BillersDirectory> {
    if document.is_well_formed() {
        BillersDirectory::read(Section::root(document).table("billers"))
    } else {
        Some(BillersDirectory::recover(document))
    }
}

fn biller_files(
    document: &Document<'_>,
    directory: &BillersDirectory,
    diagnostics: &mut Diagnostics,
) -> Vec<BillerFile> {
    match billers::list(&directory.directory) {
        Ok(files) if files.is_empty() => {
            let message = "contains no biller's file: every call will be answered E003";
            diagnostics.warn(document.path(), "billers.directory", message);
            Vec::new()
        }
        Ok(files) => billers::read_files(&files, diagnostics),
        // With syntax faults, the directory may not be the one that the file means.
        Err(message) if document.is_well_formed() => {
            Section::root(document)
                .table("billers")
                .fault("directory", message);
            Vec::new()
        }
        Err(_) => Vec::new(),
    }
}
