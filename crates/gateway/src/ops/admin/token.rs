//! The check of the admin token (`Authorization: Bearer TOKEN`): its SHA-256 is compared in constant time.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::middleware::Next;
use actix_web::web;
use metrics::LoginFailure;

use super::context::AdminContext;
use super::login_attempts::{Allowance, LoginAttempts};
use super::refusal::Refusal;
use crate::admission::authorization::is_one_of;
use crate::config::Sha256;

/// Middleware that refuses requests without the token, and addresses with too many failures.
pub(super) async fn require(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let context = request
        .app_data::<AdminContext>()
        .ok_or_else(Refusal::internal)?;
    let attempts = request
        .app_data::<web::Data<LoginAttempts>>()
        .ok_or_else(Refusal::internal)?;
    let shared = context.worker().shared();
    // Set on every connection of a socket.
    let address = request.peer_addr().ok_or_else(Refusal::internal)?.ip();
    if let Allowance::Exhausted(wait) = attempts.allowance(address, Instant::now()) {
        shared.metrics.login_failed(LoginFailure::Limited);
        return Err(Refusal::too_many_attempts(wait).into());
    }
    let checked = check(request.headers(), shared.admin_token_sha256);
    if let Err((refusal, failure)) = checked {
        if let Some(failure) = failure {
            shared.metrics.login_failed(failure);
            let allowance = attempts.failed(address, Instant::now());
            let is_last = allowance != Allowance::Left;
            let cause = failure.word();
            tracing::warn!(%address, cause, is_last, "log-in at the admin API failed");
        }
        return Err(refusal.into());
    }
    next.call(request).await
}

/// Checks the token. Beside a refusal stands which failure of a log-in it is, if it is one.
fn check(
    headers: &HeaderMap,
    expected: Option<Sha256>,
) -> Result<(), (Refusal, Option<LoginFailure>)> {
    let Some(expected) = expected else {
        let off = Refusal::new(
            StatusCode::FORBIDDEN,
            "admin_api_off",
            "the admin API is off: the configuration has no ops.admin_token_sha256",
        );
        return Err((off, None));
    };
    let unauthorized = |code, message| Refusal::new(StatusCode::UNAUTHORIZED, code, message);
    let mut values = headers.get_all(AUTHORIZATION);
    let (Some(value), None) = (values.next(), values.next()) else {
        let message = "Authorization: Bearer TOKEN is needed, once";
        let missing = unauthorized("token_missing", message);
        return Err((missing, Some(LoginFailure::Missing)));
    };
    let token = bearer(value.as_bytes()).unwrap_or_default();
    if is_one_of(token, &[expected]) && !token.is_empty() {
        Ok(())
    } else {
        let wrong = unauthorized("token_wrong", "this is not the admin token");
        Err((wrong, Some(LoginFailure::Wrong)))
    }
}

/// Returns the token after the scheme; the scheme's case does not matter.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn only_the_right_token_passes() {
        let right = Some(Sha256::of(b"s3cret"));
        // the digest of | headers | refused as
        let table: [(Option<Sha256>, &[&str], Option<&str>); 10] = [
            (None, &["Bearer s3cret"], Some("admin_api_off")),
            (right, &[], Some("token_missing")),
            (
                right,
                &["Bearer s3cret", "Bearer s3cret"],
                Some("token_missing"),
            ),
            (right, &["Bearer wrong"], Some("token_wrong")),
            (right, &["s3cret"], Some("token_wrong")),
            (right, &["Basic s3cret"], Some("token_wrong")),
            (right, &["Bearer "], Some("token_wrong")),
            (Some(Sha256::of(b"")), &["Bearer "], Some("token_wrong")),
            (right, &["Bearer s3cret"], None),
            (right, &["bearer s3cret"], None),
        ];
        for (expected, values, refused) in table {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            }
            let outcome = check(&headers, expected).map_err(|(refusal, _)| refusal.to_string());
            match refused {
                None => assert_eq!(outcome, Ok(()), "{values:?}"),
                Some(code) => assert!(outcome.unwrap_err().starts_with(code), "{values:?}"),
            }
        }
    }
}
