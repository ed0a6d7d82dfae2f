//! The admin token of one demonstration.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};

/// Returns a token of 128 random bits.
///
/// # Errors
/// If the system gives no random bytes.
pub(super) fn random() -> io::Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(hex(&bytes))
}

/// Returns bytes as hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
