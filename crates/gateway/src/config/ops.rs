//! The ops listener: its names and its admin API.

use super::listen::Listen;
use super::parse::bounds;
use super::parse::section::Section;
use super::parse::sha256::{Digested, Sha256};
use super::parse::value;

/// The table `[ops]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ops {
    /// Names by which the listener may be reached, in small letters. Addresses and `localhost` always may.
    pub hosts: Vec<String>,
    /// The digest of the admin token; `None`: the admin API is off.
    pub admin_token_sha256: Option<Sha256>,
}

impl Ops {
    pub(super) fn read(mut section: Section<'_>, listen: &Listen) -> Self {
        let hosts = section.list("hosts", bounds::HOSTS, value::host_name);
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
        Self {
            hosts,
            admin_token_sha256,
        }
    }
}
