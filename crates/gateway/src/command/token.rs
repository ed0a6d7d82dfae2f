//! `gateway token`: makes an admin token and its digest.

use std::error::Error;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use crate::config::Sha256;
use crate::tls::fill_random;

/// The bytes of chance in a token.
const RANDOM_BYTES: usize = 32;

/// A new secret and its digest.
pub(super) struct NewSecret {
    /// The secret: a word of visible ASCII characters.
    pub(super) text: Zeroizing<String>,
    /// Its SHA-256 in hexadecimal digits, for the configuration.
    pub(super) sha256: String,
}

impl NewSecret {
    /// Makes a secret that begins with `prefix`.
    ///
    /// # Errors
    /// If the system's random source fails.
    pub(super) fn new(prefix: &str) -> Result<Self, Box<dyn Error>> {
        let mut bytes = Zeroizing::new([0; RANDOM_BYTES]);
        fill_random(&mut *bytes)?;
        let text = Zeroizing::new(format!("{prefix}{}", *Zeroizing::new(hexadecimal(&*bytes))));
        let sha256 = hexadecimal(Sha256::of(text.as_bytes()).as_bytes());
        Ok(Self { text, sha256 })
    }

    /// Writes the secret to a new file that only its owner can read.
    ///
    /// # Errors
    /// If the file exists or cannot be written.
    pub(super) fn write(&self, file: &Path) -> Result<(), Box<dyn Error>> {
        let mut options = OpenOptions::new();
        let made = options.write(true).create_new(true).mode(0o600).open(file);
        made.and_then(|mut made| {
            made.write_all(self.text.as_bytes())?;
            made.write_all(b"\n")?;
            made.sync_all()
        })
        .map_err(|error| format!("{}: cannot be written: {error}", file.display()).into())
    }
}

/// Prints a new token, or writes it to `out`, and prints its digest as a line of the configuration.
pub(super) fn run(out: Option<&Path>) -> Result<(), Box<dyn Error>> {
    let token = NewSecret::new("relay_")?;
    let shown = match out {
        Some(file) => {
            token.write(file)?;
            format!("token:  in {} (mode 0600)", file.display())
        }
        None => format!("token:  {}", *token.text),
    };
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{}", *Zeroizing::new(shown))?;
    writeln!(stdout, "sha256: {}", token.sha256)?;
    writeln!(
        stdout,
        "\nIn the configuration:\n\n[ops]\nadmin_token_sha256 = \"{}\"",
        token.sha256
    )?;
    Ok(())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a string never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
