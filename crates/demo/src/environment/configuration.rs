//! The configuration files of the demonstration.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::{fs, io};

use gateway::config::Sha256;
use simulator::Biller;

use super::token::hex;
use crate::institution::institution;

/// The name of the main file.
pub(super) const MAIN_FILE: &str = "gateway.toml";

/// An address whose port the system chooses.
pub(super) const FREE_PORT: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));

/// The main file. Every key that is not in it has its default.
#[derive(Clone, Debug)]
pub(super) struct MainFile {
    /// Kakao Pay's `base_url`.
    pub(super) kakao_url: String,
    /// The admin token.
    pub(super) token: String,
}

impl MainFile {
    /// Writes the file with the addresses of the public and the ops listener, and returns its path.
    pub(super) fn write(&self, folder: &Path, addresses: [SocketAddr; 2]) -> io::Result<PathBuf> {
        let file = folder.join(MAIN_FILE);
        fs::write(&file, self.text(addresses))?;
        Ok(file)
    }

    fn text(&self, [public, ops]: [SocketAddr; 2]) -> String {
        let (kakao_url, digest) = (&self.kakao_url, digest(&self.token));
        format!(
            r#"[listen]
public = "{public}"
ops = "{ops}"

[ops]
admin_token_sha256 = "{digest}"

[budget]
total = "3s"

[kakao]
base_url = "{kakao_url}"
allow_from = ["127.0.0.0/8"]

[ledger]
path = "ledger"

[billers]
directory = "billers"
"#
        )
    }
}

/// Writes a file for each biller.
pub(super) fn write_billers<'a>(
    folder: &Path,
    billers: impl IntoIterator<Item = &'a Biller>,
) -> io::Result<()> {
    let billers_folder = folder.join("billers");
    fs::create_dir(&billers_folder)?;
    for biller in billers {
        let file = billers_folder.join(format!("{}.toml", biller.code()));
        fs::write(file, biller_file(biller.code(), &biller.base_url()))?;
    }
    Ok(())
}

fn biller_file(code: &str, url: &str) -> String {
    let institution = institution(code);
    let (name, digest) = (institution.name, digest(institution.authorization));
    format!(
        r#"code = "{code}"
name = "{name}"
base_url = "{url}"
authorization_sha256 = ["{digest}"]
allow_from = ["127.0.0.0/8"]
"#
    )
}

fn digest(text: &str) -> String {
    hex(Sha256::of(text.as_bytes()).as_bytes())
}

#[cfg(test)]
mod tests {
    use gateway::config::Config;
    use simulator::BillerOptions;

    use super::*;
    use crate::scenario::{AUTHORIZATION, BILLER};

    #[test]
    fn the_configuration_has_neither_faults_nor_warnings() {
        let folder = tempfile::tempdir().unwrap();
        let main = MainFile {
            kakao_url: "http://127.0.0.1:9001".to_owned(),
            token: "0123456789abcdef".to_owned(),
        };
        let billers = [BILLER, "T0001", "W0001"].map(|code| {
            let code = code.to_owned();
            let options = BillerOptions {
                code,
                ..BillerOptions::default()
            };
            Biller::start(options).unwrap()
        });
        write_billers(folder.path(), &billers).unwrap();
        let file = main.write(folder.path(), [FREE_PORT; 2]).unwrap();
        let loaded = Config::load(&file).unwrap();
        assert_eq!(loaded.warnings, []);
        assert_eq!(loaded.config.budget.total.as_secs(), 3);
        assert!(loaded.config.ledger.path.starts_with(folder.path()));
        let codes: Vec<_> = loaded.billers.iter().map(|biller| biller.code).collect();
        assert_eq!(codes.len(), billers.len());
        assert_eq!(loaded.billers[0].code.as_str(), BILLER);
        assert_eq!(
            loaded.billers[0].authorization_sha256,
            [Sha256::of(AUTHORIZATION.as_bytes())]
        );
    }
}
