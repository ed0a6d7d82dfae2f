//! Check 2: the SHA-256 of the `Authorization` value, compared in constant time (contract section 2).

use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use sha2::{Digest, Sha256 as Hasher};
use subtle::{Choice, ConstantTimeEq};

use crate::config::Sha256;
use crate::reply::Problem;

/// Returns the caller's `Authorization` value if its digest is accepted.
///
/// # Errors
/// [`Problem::AuthorizationMissing`] without the header, [`Problem::AuthorizationTwice`] with two,
/// [`Problem::AuthorizationWrong`] if its digest is not accepted.
pub fn authorize<'a>(
    headers: &'a HeaderMap,
    accepted: &[Sha256],
) -> Result<&'a HeaderValue, Problem> {
    let mut values = headers.get_all(AUTHORIZATION);
    let value = values.next().ok_or(Problem::AuthorizationMissing)?;
    if values.next().is_some() {
        return Err(Problem::AuthorizationTwice);
    }
    if is_one_of(value.as_bytes(), accepted) {
        Ok(value)
    } else {
        Err(Problem::AuthorizationWrong)
    }
}

/// Returns whether the digest of a secret is accepted. Every digest is compared, each in constant time.
pub fn is_one_of(secret: &[u8], accepted: &[Sha256]) -> bool {
    let digest: [u8; 32] = Hasher::digest(secret).into();
    let found = accepted.iter().fold(Choice::from(0), |found, known| {
        found | known.as_bytes().ct_eq(&digest)
    });
    found.into()
}
