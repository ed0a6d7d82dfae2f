//! The listeners and their TLS.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;

use super::parse::bounds;
use super::parse::diagnostics::TlsTable;
use super::parse::named_file;
use super::parse::section::Section;
use super::parse::value;

/// The table `[listen]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// The address for billers and Kakao Pay.
    pub public: SocketAddr,
    /// The address for metrics, health, the admin API and the console.
    pub ops: SocketAddr,
    /// Proxies that are believed about a caller's address, by `X-Forwarded-For` or by the PROXY protocol.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether every connection from a trusted proxy begins with a PROXY header; `X-Forwarded-For` is then not read.
    pub proxy_protocol: bool,
    /// TLS of the public listener; `None`: plain HTTP, allowed on loopback addresses only.
    pub tls: Option<ListenTls>,
}

/// The table `[listen.tls]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenTls {
    /// The certificate chain, PEM.
    pub certificate: PathBuf,
    /// The certificate's key, PEM.
    pub private_key: PathBuf,
    /// Whether client certificates are requested.
    pub client_auth: ClientAuth,
    /// Root certificates of client certificates, PEM; always `Some` unless `client_auth` is off.
    pub client_ca: Option<PathBuf>,
}

/// Whether the public listener requests client certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// It requests none.
    Off,
    /// It requests one; callers without one may connect.
    Optional,
    /// It requests one; callers without one cannot connect.
    Required,
}

impl Listen {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let listen = Self {
            public: section.or("public", loopback(8080), value::listen_address),
            ops: Self::read_ops(&mut section),
            trusted_proxies: section.list("trusted_proxies", bounds::NETWORKS, value::network),
            proxy_protocol: section.or("proxy_protocol", false, value::boolean),
            tls: section.optional_table("tls").and_then(ListenTls::read),
        };
        if !listen.public.ip().is_loopback() && !section.has("tls") {
            let message = format!(
                "`{}` is not a loopback address: the table [listen.tls] is needed",
                listen.public
            );
            section.fault("public", message);
        }
        if conflict(listen.public, listen.ops) {
            let message = format!(
                "`{}` conflicts with `public` `{}`",
                listen.ops, listen.public
            );
            section.fault("ops", message);
        }
        if listen
            .trusted_proxies
            .iter()
            .any(|net| net.prefix_len() == 0)
        {
            section.warn(
                "trusted_proxies",
                "trusts every address: any caller can claim any source address",
            );
        }
        if listen.proxy_protocol && listen.trusted_proxies.is_empty() {
            section.warn(
                "proxy_protocol",
                "has no effect: `trusted_proxies` is empty, and a PROXY header is read from these only",
            );
        }
        section.finish();
        listen
    }

    /// Reads the address of the ops listener.
    pub(super) fn read_ops(section: &mut Section<'_>) -> SocketAddr {
        section.or("ops", loopback(9464), value::listen_address)
    }

    /// Returns the proxies whose `X-Forwarded-For` is read.
    pub fn forwarded_for_from(&self) -> &[IpNet] {
        if self.proxy_protocol {
            &[]
        } else {
            &self.trusted_proxies
        }
    }

    /// Returns whether callers can present client certificates.
    pub fn requests_certificates(&self) -> bool {
        self.tls
            .as_ref()
            .is_some_and(|tls| tls.client_auth != ClientAuth::Off)
    }
}

impl ListenTls {
    fn read(mut section: Section<'_>) -> Option<Self> {
        let certificate = named_file::required(&mut section, "certificate");
        let private_key = named_file::required(&mut section, "private_key");
        if let Some(path) = &private_key {
            named_file::warn_if_readable_by_others(&section, "private_key", path);
        }
        let client_auth = section.or("client_auth", ClientAuth::Off, |value| {
            value::choice(
                value,
                &[
                    ("off", ClientAuth::Off),
                    ("optional", ClientAuth::Optional),
                    ("required", ClientAuth::Required),
                ],
            )
        });
        let client_ca = named_file::readable(&mut section, "client_ca");
        if client_auth != ClientAuth::Off && !section.has("client_ca") {
            section.fault("client_ca", "is missing: `client_auth` needs it");
        }
        section.document().name_tls_files(TlsTable {
            certificate: section.named_file("certificate", certificate.as_ref()),
            private_key: section.named_file("private_key", private_key.as_ref()),
            authorities: section.named_file("client_ca", client_ca.as_ref()),
        });
        section.finish();
        Some(Self {
            certificate: certificate?,
            private_key: private_key?,
            client_auth,
            client_ca,
        })
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Returns whether only one of the two addresses can be bound. Port 0 stands for any free port.
fn conflict(a: SocketAddr, b: SocketAddr) -> bool {
    let same_port = a.port() == b.port() && a.port() != 0;
    same_port && (a.ip() == b.ip() || a.ip().is_unspecified() || b.ip().is_unspecified())
}
