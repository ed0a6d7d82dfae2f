//! Checks that need several tables or files.

use std::path::Path;

use super::biller::{Biller, BillerFile};
use super::kakao::Kakao;
use super::listen::Listen;
use super::parse::diagnostics::Diagnostics;

/// Warns of pinned client certificates where the listener requests none.
pub(super) fn warn_of_unrequested_certificates(
    file: &Path,
    listen: &Listen,
    kakao: &Kakao,
    billers: &[BillerFile],
    diagnostics: &mut Diagnostics,
) {
    const MESSAGE: &str = "pins certificates that `listen.tls` does not request: \
        every call of this party will be refused with E003";
    if listen.requests_certificates() {
        return;
    }
    if !kakao.client_certificates.is_empty() {
        diagnostics.warn(file, "kakao.client_certificates", MESSAGE);
    }
    for biller_file in billers {
        let pins = |biller: &Biller| !biller.client_certificates.is_empty();
        if biller_file.biller.as_ref().is_some_and(pins) {
            diagnostics.warn(&biller_file.path, "client_certificates", MESSAGE);
        }
    }
}
