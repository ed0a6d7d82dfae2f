//! The admin API of the ops listener.

use super::listen::Listen;
use super::parse::section::Section;
use super::parse::sha256::{Digested, Sha256};

/// The table `[ops]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ops {
    /// The digest of the admin token; `None`: the admin API is off.
    pub admin_token_sha256: Option<Sha256>,
}

impl Ops {
    pub(super) fn read(mut section: Section<'_>, listen: &Listen) -> Self {
        let admin_token_sha256 = section.optional("admin_token_sha256", |value| {
            Sha256::read(value, Digested::AdminToken)
        });
        if admin_token_sha256.is_none() && !listen.ops.ip().is_loopback() {
            section.warn(
                "admin_token_sha256",
                "is missing: `listen.ops` is reachable from outside and the admin API is off",
            );
        }
        if admin_token_sha256.is_some() && !listen.ops.ip().is_loopback() {
            section.warn(
                "admin_token_sha256",
                "is used over plain HTTP beyond loopback (`listen.ops`): who listens on that network reads the \
                 token; use a loopback address, and a tunnel or a TLS proxy to it",
            );
        }
        section.finish();
        Self { admin_token_sha256 }
    }
}
