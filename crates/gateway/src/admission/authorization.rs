//! Check 2: the `Authorization` value, by its SHA-256, compared in constant time.

use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use sha2::{Digest, Sha256 as Hasher};
use subtle::{Choice, ConstantTimeEq};

use crate::config::Sha256;
use crate::reply::Problem;

/// The caller's one `Authorization` value where its digest is among the accepted ones.
///
/// Every digest is compared, and each in constant time: how long it takes says nothing about
/// which one was nearly right.
///
/// # Errors
/// [`Problem::AuthorizationMissing`] without the header, [`Problem::AuthorizationWrong`] where it
/// comes twice or is wrong.
pub fn authorize<'a>(
    headers: &'a HeaderMap,
    accepted: &[Sha256],
) -> Result<&'a HeaderValue, Problem> {
    let mut values = headers.get_all(AUTHORIZATION);
    let value = values.next().ok_or(Problem::AuthorizationMissing)?;
    if values.next().is_some() {
        return Err(Problem::AuthorizationWrong);
    }
    if is_one_of(value.as_bytes(), accepted) {
        Ok(value)
    } else {
        Err(Problem::AuthorizationWrong)
    }
}

/// Whether the digest of a secret is among the accepted ones.
pub fn is_one_of(secret: &[u8], accepted: &[Sha256]) -> bool {
    let digest: [u8; 32] = Hasher::digest(secret).into();
    let found = accepted.iter().fold(Choice::from(0), |found, known| {
        found | known.as_bytes().ct_eq(&digest)
    });
    found.into()
}
