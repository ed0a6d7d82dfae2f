//! Changes of the configuration that a reload applies.

use std::path::{Path, PathBuf};

use super::{Biller, Config, UpstreamTls, billers};

impl Config {
    /// Returns this configuration with the settings of `new` that a reload applies (Kakao Pay, the billers, the
    /// certificates, the trusted proxies and their protocol), and the changed keys that need a restart.
    pub fn reloaded_with(&self, new: Self) -> (Self, Vec<&'static str>) {
        let has_tls = |config: &Self| config.listen.tls.is_some();
        let differences = [
            ("listen.public", self.listen.public != new.listen.public),
            ("listen.ops", self.listen.ops != new.listen.ops),
            ("listen.tls", has_tls(self) != has_tls(&new)),
            ("ops", self.ops != new.ops),
            ("budget", self.budget != new.budget),
            ("limits", self.limits != new.limits),
            ("circuit", self.circuit != new.circuit),
            ("tracing", self.tracing != new.tracing),
        ];
        let of_ledger = self.ledger.differences(&new.ledger);
        let changed = differences.into_iter().chain(of_ledger);
        let keys = changed.filter(|(_, differs)| *differs);
        let keys = keys.map(|(key, _)| key).collect();
        let mut reloaded = self.clone();
        if has_tls(self) && has_tls(&new) {
            reloaded.listen.tls = new.listen.tls;
        }
        reloaded.listen.trusted_proxies = new.listen.trusted_proxies;
        reloaded.listen.proxy_protocol = new.listen.proxy_protocol;
        reloaded.kakao = new.kakao;
        reloaded.billers = new.billers;
        (reloaded, keys)
    }

    /// Returns the main file `file`, the billers' directory, and all files that the main file and `billers` name.
    /// [`list_biller_files`] lists the billers' files.
    pub fn named_files<'a>(
        &self,
        file: &Path,
        billers: impl IntoIterator<Item = &'a Biller>,
    ) -> Vec<PathBuf> {
        let mut files = vec![file.to_owned(), self.billers.directory.clone()];
        if let Some(tls) = &self.listen.tls {
            files.extend([tls.certificate.clone(), tls.private_key.clone()]);
            files.extend(tls.client_ca.clone());
        }
        files.extend(upstream_files(&self.kakao.tls));
        for biller in billers {
            files.extend(upstream_files(&biller.tls));
        }
        files
    }
}

/// Returns the billers' files that the directory contains now; none if it cannot be read.
pub fn list_biller_files(directory: &Path) -> Vec<PathBuf> {
    billers::list(directory).unwrap_or_default()
}

fn upstream_files(tls: &UpstreamTls) -> impl Iterator<Item = PathBuf> {
    let files = [&tls.ca, &tls.certificate, &tls.private_key];
    files.into_iter().flatten().cloned()
}
