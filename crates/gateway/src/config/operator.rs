//! The part of the main file that operators' commands read to find the running gateway.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use super::ledger::LedgerSettings;
use super::listen::Listen;
use super::parse::diagnostics::{Diagnostic, Faults};
use super::parse::document::{Document, Source};
use super::parse::section::Section;

/// Two keys of the main file.
///
/// Other keys and files are not read: an operator may not be allowed to read private keys, and a fault in a biller's
/// file must not prevent access to the running gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorSettings {
    /// The address of the ops listener for clients on this machine.
    pub ops: SocketAddr,
    /// The directory of this node's journal.
    pub ledger_path: PathBuf,
}

impl OperatorSettings {
    /// Reads the main file.
    ///
    /// # Errors
    /// If it cannot be read, is no TOML, or one of the two keys is faulty.
    pub fn load(path: &Path) -> Result<Self, Faults> {
        let source = Source::read(path)?;
        let document = Document::parse(&source);
        let settings = document.is_well_formed().then(|| {
            let mut root = Section::root(&document);
            Self {
                ops: reachable_address(Listen::read_ops(&mut root.table("listen"))),
                ledger_path: LedgerSettings::read_path(&mut root.table("ledger")),
            }
        });
        let (settings, _) = document.into_diagnostics().into_result(settings)?;
        if settings.ops.port() == 0 {
            let message = "has port 0, so the running gateway cannot be found";
            return Err(Diagnostic::new(path, "listen.ops", None, message).into());
        }
        Ok(settings)
    }
}

/// Returns an address to connect to; loopback for a listener on all addresses.
fn reachable_address(ops: SocketAddr) -> SocketAddr {
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

    fn load(text: &str) -> Result<OperatorSettings, String> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("gateway.toml");
        std::fs::write(&file, text).unwrap();
        OperatorSettings::load(&file)
            .map(|settings| OperatorSettings {
                ledger_path: settings
                    .ledger_path
                    .strip_prefix(directory.path())
                    .unwrap()
                    .to_path_buf(),
                ..settings
            })
            .map_err(|faults| faults.to_string())
    }

    #[test]
    fn only_the_two_keys_are_read() {
        let settings = |ops: &str, path: &str| OperatorSettings {
            ops: ops.parse().unwrap(),
            ledger_path: path.into(),
        };
        let table = [
            ("", settings("127.0.0.1:9464", "data/ledger")),
            (
                "[listen]\nops = '0.0.0.0:1'\n[kakao]\nbase_url = 7\n[ledger]\npath = 'j'",
                settings("127.0.0.1:1", "j"),
            ),
            (
                "[listen]\nops = '[::]:2'\n[listen.tls]\ncertificate = 'missing.pem'",
                settings("[::1]:2", "data/ledger"),
            ),
        ];
        for (text, expected) in table {
            assert_eq!(load(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_fault_names_its_key() {
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
