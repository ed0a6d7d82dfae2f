//! A configuration in a temporary folder.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::config::{Config, Diagnostic, Faults, Loaded};

/// The table that every main file needs.
pub(super) const KAKAO: &str =
    "[kakao]\nbase_url = 'http://127.0.0.1:9001'\nallow_from = ['127.0.0.0/8']\n";

/// A folder with a main file and two billers' files, without faults and warnings.
pub(super) struct Folder(TempDir);

impl Folder {
    pub(super) fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::create_dir(folder.path("billers")).unwrap();
        folder.write("gateway.toml", KAKAO);
        folder.write("billers/B0001.toml", biller("B0001"));
        folder.write("billers/B0002.toml", biller("B0002"));
        folder
    }

    /// Returns a folder with this main file.
    pub(super) fn with_main(toml: &str) -> Self {
        let folder = Self::new();
        folder.write("gateway.toml", toml);
        folder
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
        self.set_mode(name, 0o600);
    }

    pub(super) fn set_mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(super) fn load(&self) -> Result<Loaded, Faults> {
        Config::load(&self.path("gateway.toml"))
    }

    /// Returns the displayed faults, with paths relative to the folder.
    pub(super) fn faults(&self) -> String {
        self.relative(&self.load().unwrap_err().to_string())
    }

    /// Returns the displayed warnings, one per line.
    pub(super) fn warnings(&self) -> String {
        let warnings = self.load().unwrap().warnings;
        let lines: Vec<String> = warnings.iter().map(Diagnostic::to_string).collect();
        self.relative(&lines.join("\n"))
    }

    /// Returns the text with paths relative to the folder.
    pub(super) fn relative(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.0.path().display()), "")
    }
}

/// Returns a biller's file without faults and warnings.
pub(super) fn biller(code: &str) -> String {
    // Billers that share a digest or a URL are warned of.
    let (digest, path) = match code {
        "B0001" => ("0f".repeat(32), ""),
        code => (format!("{:0<64}", hexadecimal(code)), code),
    };
    format!(
        "code = '{code}'\nbase_url = 'http://127.0.0.1:9002/{path}'\n\
         authorization_sha256 = ['{digest}']\nallow_from = ['127.0.0.0/8']\n"
    )
}

fn hexadecimal(text: &str) -> String {
    text.bytes()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// Returns a certificate and its key in one text, which serves for every TLS file.
pub(super) fn pem() -> &'static str {
    static PEM: OnceLock<String> = OnceLock::new();
    PEM.get_or_init(|| {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        made.cert.pem() + &made.signing_key.serialize_pem()
    })
}
