//! What an operator's command reads of the main file: where the running gateway is to be found.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use super::document::{Document, Source};
use super::finding::{Fault, Faults};
use super::ledger::LedgerSettings;
use super::listen::Listen;
use super::section::Section;

/// Two keys of the main file. The others are not looked at, nor the files that they name: an
/// operator may lack the right to read a private key, and a biller's faulty file must not keep
/// anybody from the running gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorsView {
    /// Where the ops listener is reached from this machine.
    pub ops: SocketAddr,
    /// The directory of this node's journal.
    pub ledger_path: PathBuf,
}

impl OperatorsView {
    /// Reads the main file.
    ///
    /// # Errors
    /// When it cannot be read, is no TOML, or one of the two keys is faulty.
    pub fn load(path: &Path) -> Result<Self, Faults> {
        let source = Source::read(path)?;
        let document = Document::parse(&source);
        let view = document.intact().then(|| {
            let mut root = Section::root(&document);
            Self {
                ops: from_here(Listen::read_ops(&mut root.table("listen"))),
                ledger_path: LedgerSettings::read_path(&mut root.table("ledger")),
            }
        });
        let (view, _) = document.into_findings().settle(view)?;
        if view.ops.port() == 0 {
            return Err(Faults::from(Fault {
                file: path.to_path_buf(),
                key: "listen.ops".to_owned(),
                line: None,
                what: "has port 0: a running gateway cannot be found by it".to_owned(),
            }));
        }
        Ok(view)
    }
}

/// A listener on every address is reached on loopback.
fn from_here(ops: SocketAddr) -> SocketAddr {
    let address = match ops.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        address => address,
    };
    SocketAddr::new(address, ops.port())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn load(text: &str) -> Result<OperatorsView, String> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("gateway.toml");
        std::fs::write(&file, text).unwrap();
        OperatorsView::load(&file)
            .map(|view| OperatorsView {
                ledger_path: view
                    .ledger_path
                    .strip_prefix(directory.path())
                    .unwrap()
                    .to_path_buf(),
                ..view
            })
            .map_err(|faults| faults.to_string())
    }

    #[test]
    fn only_what_leads_to_the_gateway_is_read() {
        let view = |ops: &str, path: &str| OperatorsView {
            ops: ops.parse().unwrap(),
            ledger_path: path.into(),
        };
        let table = [
            ("", view("127.0.0.1:9464", "data/ledger")),
            (
                "[listen]\nops = '0.0.0.0:1'\n[kakao]\nbase_url = 7\n[ledger]\npath = 'j'",
                view("127.0.0.1:1", "j"),
            ),
            (
                "[listen]\nops = '[::]:2'\n[listen.tls]\ncertificate = 'missing.pem'",
                view("[::1]:2", "data/ledger"),
            ),
        ];
        for (text, expected) in table {
            assert_eq!(load(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_faulty_there_is_told_with_its_key() {
        for (text, expected) in [
            ("[listen]\nops = 'x'", "listen.ops: must be an IP address"),
            ("[listen]\nops = '127.0.0.1:0'", "listen.ops: has port 0"),
            ("[ledger]\npath = 1", "ledger.path: "),
            ("[", "is not TOML"),
        ] {
            let faults = load(text).unwrap_err();
            assert!(faults.contains(expected), "{faults}");
        }
    }
}
