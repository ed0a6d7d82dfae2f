//! What of a configuration can change while the gateway serves.

use std::path::{Path, PathBuf};

use super::{Biller, Config, UpstreamTls, billers};

impl Config {
    /// This configuration with everything of `new` that can change while the gateway serves: Kakao Pay, the
    /// billers, the certificates, the trusted proxies. Also answers the keys that have changed and stay as
    /// they were until the next start.
    pub fn renewed_by(&self, new: Self) -> (Self, Vec<&'static str>) {
        let has_tls = |config: &Self| config.listen.tls.is_some();
        let fixed = [
            ("listen.public", self.listen.public != new.listen.public),
            ("listen.ops", self.listen.ops != new.listen.ops),
            ("listen.tls", has_tls(self) != has_tls(&new)),
            ("ops", self.ops != new.ops),
            ("budget", self.budget != new.budget),
            ("limits", self.limits != new.limits),
            ("circuit", self.circuit != new.circuit),
            ("ledger", self.ledger != new.ledger),
            ("tracing", self.tracing != new.tracing),
        ];
        let changed = fixed.into_iter().filter(|(_, differs)| *differs);
        let keys = changed.map(|(key, _)| key).collect();
        let mut renewed = self.clone();
        if has_tls(self) && has_tls(&new) {
            renewed.listen.tls = new.listen.tls;
        }
        renewed.listen.trusted_proxies = new.listen.trusted_proxies;
        renewed.kakao = new.kakao;
        renewed.billers = new.billers;
        (renewed, keys)
    }

    /// The files that the main file `file` and these billers' files name, and these files themselves; what
    /// is in the billers' directory is listed anew by [`listed_billers`].
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
        files.extend(of_upstream(&self.kakao.tls));
        for biller in billers {
            files.extend(of_upstream(&biller.tls));
        }
        files
    }
}

/// The billers' files that are in the directory now; none where it cannot be read.
pub fn listed_billers(directory: &Path) -> Vec<PathBuf> {
    billers::list(directory).unwrap_or_default()
}

fn of_upstream(tls: &UpstreamTls) -> impl Iterator<Item = PathBuf> {
    let files = [&tls.ca, &tls.certificate, &tls.private_key];
    files
        .into_iter()
        .flatten()
        .cloned()
        .collect::<Vec<_>>()
        .into_iter()
}
