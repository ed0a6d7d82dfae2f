//! The admin API of the ops listener.

use super::listen::Listen;
use super::parse::section::Section;
use super::parse::sha256::Sha256;

/// The table `[ops]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ops {
    /// The digest of the admin token; `None`: the admin API is off.
    pub admin_token_sha256: Option<Sha256>,
}

impl Ops {
    pub(super) fn read(mut section: Section<'_>, listen: &Listen) -> Self {
        let admin_token_sha256 = section.optional("admin_token_sha256", Sha256::read);
        if admin_token_sha256.is_none() && !listen.ops.ip().is_loopback() {
            section.warn(
                "admin_token_sha256",
                "is missing: `listen.ops` is reachable from outside and the admin API is off",
            );
        }
        section.finish();
        Self { admin_token_sha256 }
    }
}
