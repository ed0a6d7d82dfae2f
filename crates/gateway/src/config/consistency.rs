//! What only shows when several tables or files are seen together.

use std::path::Path;

use super::biller::BillerFile;
use super::finding::Findings;
use super::kakao::Kakao;
use super::listen::Listen;

/// A pinned certificate is never seen where no certificate is asked for.
pub(super) fn warn_of_unseen_certificates(
    file: &Path,
    listen: &Listen,
    kakao: &Kakao,
    billers: &[BillerFile],
    findings: &mut Findings,
) {
    const WHAT: &str = "pins certificates that `listen.tls` never asks for: \
        every call of this party will be refused with E003";
    if listen.asks_for_certificates() {
        return;
    }
    if !kakao.client_certificates.is_empty() {
        findings.warn(file, "kakao.client_certificates", WHAT);
    }
    for biller_file in billers {
        let pins = |biller: &super::Biller| !biller.client_certificates.is_empty();
        if biller_file.biller.as_ref().is_some_and(pins) {
            findings.warn(&biller_file.path, "client_certificates", WHAT);
        }
    }
}
