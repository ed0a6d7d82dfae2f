//! SHA-256 digests of `Authorization` values, of the admin token and of client certificates.

use std::fmt;

use sha2::Digest;
use subtle::ConstantTimeEq;
use toml::de::DeValue;

use super::value;

/// What a digest is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Digested {
    /// The admin token.
    AdminToken,
    /// The value of an `Authorization` header.
    Authorization,
    /// A certificate in DER form.
    Certificate,
}

impl Digested {
    /// Returns how such a digest is made.
    const fn remedy(self) -> &'static str {
        match self {
            Self::AdminToken => {
                "`gateway token` makes a token and its digest, `printf %s \"$TOKEN\" | sha256sum` the digest of one"
            }
            Self::Authorization => {
                "`printf %s 'THE HEADER VALUE' | sha256sum` makes it of the header's whole value"
            }
            Self::Certificate => "`openssl x509 -in FILE -outform DER | sha256sum` makes it",
        }
    }
}

/// A SHA-256 digest. Comparison takes constant time.
#[derive(Clone, Copy)]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// Returns the digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// Parses 64 hexadecimal digits in either case.
    pub fn parse(text: &str) -> Option<Self> {
        let mut digest = [0; 32];
        if text.len() != 64 {
            return None;
        }
        for (byte, pair) in digest.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let high = char::from(pair[0]).to_digit(16)?;
            let low = char::from(pair[1]).to_digit(16)?;
            *byte = u8::try_from(high << 4 | low).ok()?;
        }
        Some(Self(digest))
    }

    /// Returns the digest's bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads a digest.
    ///
    /// # Errors
    /// If it is none. The message never quotes the text, which may be the secret itself.
    pub(in crate::config) fn read(value: &DeValue<'_>, digested: Digested) -> Result<Self, String> {
        let text = value::text(value)?;
        Self::parse(text).ok_or_else(|| {
            let hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
            let found = match (hexadecimal, text.chars().count()) {
                (true, length) => format!("{length} of them"),
                (false, _) if Self::parse(&text.replace(':', "")).is_some() => {
                    "with colons between them".to_owned()
                }
                (false, _) => "other characters".to_owned(),
            };
            let remedy = digested.remedy();
            format!("must be a SHA-256 digest of 64 hexadecimal digits, not {found}: {remedy}")
        })
    }
}

impl PartialEq for Sha256 {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Sha256 {}

/// The first eight digits: enough to distinguish digests, too few to search for the digested text.
impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in &self.0[..4] {
            write!(f, "{byte:02x}")?;
        }
        f.write_str("…")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn digests_are_parsed_in_either_case() {
        assert_eq!(Sha256::parse(EMPTY), Some(Sha256::of(b"")));
        assert_eq!(Sha256::parse(&EMPTY.to_uppercase()), Some(Sha256::of(b"")));
        assert_ne!(Sha256::parse(EMPTY), Some(Sha256::of(b"a")));
        assert_eq!(format!("{:?}", Sha256::of(b"")), "e3b0c442…");
    }

    #[test]
    fn a_fault_never_quotes_a_possible_secret() {
        let must = "must be a SHA-256 digest of 64 hexadecimal digits, not";
        for (text, found) in [
            (&EMPTY[1..], "63 of them"),
            ("", "0 of them"),
            ("KakaoAK s3cret", "other characters"),
            (
                &format!("{}:{}", &EMPTY[..2], &EMPTY[2..]),
                "with colons between them",
            ),
            (&EMPTY.replace('e', "g"), "other characters"),
            (&"가".repeat(64), "other characters"),
            // 64 bytes, but not 64 characters.
            (&format!("{}가", &EMPTY[3..]), "other characters"),
        ] {
            for digested in [
                Digested::AdminToken,
                Digested::Authorization,
                Digested::Certificate,
            ] {
                let value = DeValue::String(text.into());
                let fault = Sha256::read(&value, digested).unwrap_err();
                let remedy = digested.remedy();
                assert!(remedy.contains("sha256sum"), "{remedy}");
                assert_eq!(fault, format!("{must} {found}: {remedy}"));
            }
        }
    }
}
