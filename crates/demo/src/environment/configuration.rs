//! The configuration files of the demonstration.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use gateway::config::Sha256;

use crate::scenario::{AUTHORIZATION, BILLER};

/// Writes the main file and the biller's file into the folder and returns the main file's path.
pub(super) fn write(folder: &Path, kakao_url: &str, biller_url: &str) -> io::Result<PathBuf> {
    let main = folder.join("gateway.toml");
    fs::write(&main, main_file(kakao_url))?;
    let billers = folder.join("billers");
    fs::create_dir(&billers)?;
    fs::write(
        billers.join(format!("{BILLER}.toml")),
        biller_file(biller_url),
    )?;
    Ok(main)
}

/// The system chooses the ports; every other key that is not here has its default.
fn main_file(kakao_url: &str) -> String {
    format!(
        r#"[listen]
public = "127.0.0.1:0"
ops = "127.0.0.1:0"

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

fn biller_file(biller_url: &str) -> String {
    let mut digest = String::new();
    for byte in Sha256::of(AUTHORIZATION.as_bytes()).as_bytes() {
        // Writing to a string cannot fail.
        let _ = write!(digest, "{byte:02x}");
    }
    format!(
        r#"code = "{BILLER}"
name = "테스트 아파트 관리비"
base_url = "{biller_url}"
authorization_sha256 = ["{digest}"]
allow_from = ["127.0.0.0/8"]
"#
    )
}

#[cfg(test)]
mod tests {
    use gateway::config::Config;

    use super::*;

    #[test]
    fn the_configuration_has_neither_faults_nor_warnings() {
        let folder = tempfile::tempdir().unwrap();
        let url = "http://127.0.0.1:9001";
        let main = write(folder.path(), url, url).unwrap();
        let loaded = Config::load(&main).unwrap();
        assert_eq!(loaded.warnings, []);
        assert_eq!(loaded.config.budget.total.as_secs(), 3);
        assert!(loaded.config.ledger.path.starts_with(folder.path()));
        assert_eq!(loaded.billers[0].code.as_str(), BILLER);
        assert_eq!(
            loaded.billers[0].authorization_sha256,
            [Sha256::of(AUTHORIZATION.as_bytes())]
        );
    }
}
