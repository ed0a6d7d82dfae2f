//! The admin token, read from a file or the environment and never printed.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

use super::Failure;

/// The variable that holds the token if no file is named.
const VARIABLE: &str = "GATEWAY_ADMIN_TOKEN";

/// Largest token file.
const FILE_BYTES_MAX: u64 = 4096;

/// The token; overwritten when dropped.
pub(super) struct Token(Zeroizing<String>);

impl Token {
    /// Reads the token from the file, or without one from the environment.
    pub(super) fn find(file: Option<&Path>) -> Result<Self, Failure> {
        let (text, place) = match file {
            Some(file) => (read(file)?, file.display().to_string()),
            None => (from_environment()?, VARIABLE.to_owned()),
        };
        let token = text.trim();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::Usage(format!(
                "{place}: holds no token: one word of visible ASCII characters"
            )));
        }
        Ok(Self(Zeroizing::new(token.to_owned())))
    }

    #[cfg(test)]
    pub(super) fn of(token: &str) -> Self {
        Self(Zeroizing::new(token.to_owned()))
    }

    /// Returns the token, for the request's head only.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

fn read(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    File::open(file)
        .and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text))
        .map_err(|error| Failure::Usage(format!("{}: cannot be read: {error}", file.display())))?;
    Ok(text)
}

fn from_environment() -> Result<Zeroizing<String>, Failure> {
    std::env::var(VARIABLE).map(Zeroizing::new).map_err(|_| {
        Failure::Usage(format!(
            "no admin token: name a file with --token-file, or set {VARIABLE}"
        ))
    })
}
