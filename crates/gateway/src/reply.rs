//! The mapping of every outcome to code, HTTP status and body (contract sections 2 and 3).

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use bytes::Bytes;
use ledger::{KeptAnswer, LinkRefusal};
use metrics::ResCodeLabel;
use protocol::{AnswerCode, Check, Refusal, ResCode};

use crate::logging::Outcome;
use crate::request_id::X_REQUEST_ID;
use crate::server::EarlyFault;
use crate::upstream::Answer;

/// `Content-Type` of the gateway's own answers, and of relayed ones that had none.
pub const JSON_UTF8: HeaderValue = HeaderValue::from_static("application/json;charset=utf-8");

/// The scheme of the `Authorization` values that Kakao Pay issues to billers (the guide, sections 3 and 4).
const CHALLENGE: HeaderValue = HeaderValue::from_static("KakaoAK realm=\"relay\"");

/// Marks a replayed answer (contract section 4).
const X_RELAY_REPLAYED: HeaderName = HeaderName::from_static("x-relay-replayed");

/// The cause of an answer that the gateway gives itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The source address is not in the caller's `allow_from`.
    AddressNotAllowed,
    /// The client certificate is missing or not the pinned one.
    CertificateNotPinned,
    /// The connection would no longer pass the TLS handshake: its client certificate has expired, or a reload removed
    /// the authority of it or requires one.
    CertificateWithdrawn,
    /// No `Authorization` header.
    AuthorizationMissing,
    /// `Authorization` wrong or twice, or the biller suspended.
    AuthorizationWrong,
    /// Kakao Pay named no registered, active biller.
    UnknownBiller,
    /// The biller exceeded its rate limit.
    RateLimited {
        /// Time until the next call is admitted.
        retry_after: Duration,
    },
    /// The body is larger than `limits.request_body`.
    BodyTooLarge,
    /// The body did not arrive within the budget.
    BodyLate,
    /// The body ended early, or its framing is malformed.
    BodyBroken,
    /// The body violates a rule of the guide.
    Body(Refusal),
    /// The ledger refused a link call.
    Link(LinkRefusal),
    /// The bill is classified as an error bill.
    ErrorBill,
    /// The bill is paid.
    Paid,
    /// The biller's `max_in_flight` is reached.
    Overload,
    /// The upstream's circuit is open.
    CircuitOpen {
        /// Time until the upstream is probed.
        retry_after: Duration,
    },
    /// No answer within the budget.
    TimedOut,
    /// Connection refused, reset or closed, or the answer was cut short.
    NoAnswer,
    /// An answer with an empty body.
    EmptyAnswer {
        /// The upstream's status.
        status: StatusCode,
    },
    /// An answer that is no UTF-8 JSON object, or too large.
    BadAnswer {
        /// The upstream's status.
        status: StatusCode,
    },
    /// No such route.
    UnknownRoute,
    /// A known route, not by POST.
    WrongMethod,
    /// The bytes on the connection were no unambiguous request.
    EarlyFault(EarlyFault),
    /// A fault of the gateway.
    Internal,
}

impl Problem {
    /// Returns code and HTTP status (contract sections 2 and 3).
    pub fn answer(&self) -> (ResCode, StatusCode) {
        match self {
            Self::AddressNotAllowed => (ResCode::E003, StatusCode::FORBIDDEN),
            Self::CertificateNotPinned | Self::CertificateWithdrawn | Self::AuthorizationWrong => {
                (ResCode::E003, StatusCode::UNAUTHORIZED)
            }
            Self::AuthorizationMissing => (ResCode::E001, StatusCode::UNAUTHORIZED),
            Self::UnknownBiller => (ResCode::E003, StatusCode::NOT_FOUND),
            Self::RateLimited { .. } => (ResCode::E801, StatusCode::TOO_MANY_REQUESTS),
            Self::BodyTooLarge => (ResCode::E006, StatusCode::PAYLOAD_TOO_LARGE),
            Self::BodyLate => (ResCode::E801, StatusCode::REQUEST_TIMEOUT),
            Self::BodyBroken => (ResCode::E801, StatusCode::BAD_REQUEST),
            Self::Body(refusal) => match refusal.check {
                Check::Parse => (refusal.code, StatusCode::BAD_REQUEST),
                Check::Required | Check::Width | Check::Parameters => {
                    (refusal.code, StatusCode::OK)
                }
            },
            Self::Link(LinkRefusal::Unavailable) | Self::Overload => {
                (ResCode::E801, StatusCode::SERVICE_UNAVAILABLE)
            }
            Self::Link(refusal) => (refusal.res_code(), StatusCode::OK),
            Self::ErrorBill => (ResCode::E817, StatusCode::OK),
            Self::Paid => (ResCode::E403, StatusCode::OK),
            Self::CircuitOpen { .. } => (ResCode::E809, StatusCode::SERVICE_UNAVAILABLE),
            Self::TimedOut => (ResCode::E806, StatusCode::GATEWAY_TIMEOUT),
            Self::NoAnswer => (ResCode::E809, StatusCode::BAD_GATEWAY),
            Self::EmptyAnswer { status } => (ResCode::E809, status_for_a_body(*status)),
            Self::BadAnswer { status } => (ResCode::E808, status_for_a_body(*status)),
            Self::UnknownRoute => (ResCode::E801, StatusCode::NOT_FOUND),
            Self::WrongMethod => (ResCode::E801, StatusCode::METHOD_NOT_ALLOWED),
            Self::EarlyFault(fault) => (ResCode::E801, early_status(*fault)),
            Self::Internal => (ResCode::E801, StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    /// Returns the value of `Retry-After`, for problems whose answer carries it.
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } | Self::CircuitOpen { retry_after } => {
                Some(*retry_after)
            }
            Self::Overload => Some(Duration::from_secs(1)),
            _ => None,
        }
    }

    /// Returns whether the connection must be closed after this answer.
    const fn ends_connection(&self) -> bool {
        matches!(
            self,
            // The client can present another certificate on a new connection only.
            Self::CertificateNotPinned
                | Self::CertificateWithdrawn
                | Self::BodyTooLarge
                | Self::BodyLate
                | Self::BodyBroken
                | Self::EarlyFault(_)
        )
    }

    /// Returns the `outcome` of the log line.
    const fn outcome(&self) -> Outcome {
        match self {
            Self::Paid => Outcome::ShortCircuit,
            Self::TimedOut => Outcome::Timeout,
            Self::NoAnswer | Self::EmptyAnswer { .. } => Outcome::NoAnswer,
            Self::BadAnswer { .. } => Outcome::BadAnswer,
            Self::Overload | Self::RateLimited { .. } => Outcome::Overload,
            Self::CircuitOpen { .. } => Outcome::Circuit,
            Self::Link(LinkRefusal::Unavailable) | Self::Internal => Outcome::Error,
            _ => Outcome::Refused,
        }
    }
}

/// A complete answer of an upstream whose body is a JSON object.
#[derive(Clone, Debug)]
pub struct CheckedAnswer {
    /// The answer as received.
    pub answer: Answer,
    /// The answer's `res_code`.
    pub res_code: AnswerCode,
}

impl CheckedAnswer {
    /// Returns whether the upstream accepted the call: 2xx and `OK`.
    pub fn is_accepted(&self) -> bool {
        self.answer.status.is_success() && self.res_code == AnswerCode::Ok
    }

    /// Returns whether the upstream refused the call: a `res_code` other than `OK`, with any status.
    pub const fn is_refused(&self) -> bool {
        matches!(self.res_code, AnswerCode::Other(_))
    }

    /// Returns the answer in the form that is kept for later copies of the same pay-result.
    pub fn kept(&self) -> KeptAnswer {
        let content_type = self.answer.content_type.as_ref();
        KeptAnswer {
            status: self.answer.status.as_u16(),
            content_type: Bytes::copy_from_slice(
                content_type.map_or(JSON_UTF8.as_bytes(), HeaderValue::as_bytes),
            ),
            body: self.answer.body.clone(),
        }
    }
}

/// An answer to the caller.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: StatusCode,
    /// For the metrics and the log.
    pub res_code: ResCodeLabel,
    /// For the log.
    pub outcome: Outcome,
    content_type: HeaderValue,
    retry_after: Option<HeaderValue>,
    body: Bytes,
    ends_connection: bool,
}

impl Reply {
    /// Relays an upstream's answer unchanged.
    pub fn relayed(checked: CheckedAnswer) -> Self {
        let answer = checked.answer;
        Self {
            status: answer.status,
            res_code: ResCodeLabel::from(checked.res_code),
            outcome: Outcome::Relayed,
            content_type: answer.content_type.unwrap_or(JSON_UTF8),
            retry_after: answer.retry_after,
            body: answer.body,
            ends_connection: false,
        }
    }

    /// Replays the kept answer of the biller that accepted the same pay-result before.
    pub fn replayed(kept: &KeptAnswer) -> Self {
        Self {
            // Only 2xx answers are kept.
            status: StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK),
            res_code: ResCodeLabel::from(AnswerCode::Ok),
            outcome: Outcome::Replayed,
            content_type: HeaderValue::from_bytes(&kept.content_type).unwrap_or(JSON_UTF8),
            retry_after: None,
            body: kept.body.clone(),
            ends_connection: false,
        }
    }

    /// Returns the HTTP response, with the request id as `X-Request-Id`.
    pub fn into_response(self, request_id: HeaderValue) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        response.insert_header((header::CONTENT_TYPE, self.content_type));
        response.insert_header((X_REQUEST_ID, request_id));
        if let Some(retry_after) = self.retry_after {
            response.insert_header((header::RETRY_AFTER, retry_after));
        }
        if self.outcome == Outcome::Replayed {
            response.insert_header((X_RELAY_REPLAYED, HeaderValue::from_static("true")));
        }
        if self.status == StatusCode::METHOD_NOT_ALLOWED && self.outcome == Outcome::Refused {
            response.insert_header((header::ALLOW, HeaderValue::from_static("POST")));
        }
        if self.status == StatusCode::UNAUTHORIZED && self.outcome == Outcome::Refused {
            response.insert_header((header::WWW_AUTHENTICATE, CHALLENGE));
        }
        if self.ends_connection {
            response.force_close();
        }
        response.body(self.body)
    }
}

impl From<&Problem> for Reply {
    fn from(problem: &Problem) -> Self {
        let (res_code, status) = problem.answer();
        Self {
            status,
            res_code: ResCodeLabel::from(res_code),
            outcome: problem.outcome(),
            content_type: JSON_UTF8,
            retry_after: problem.retry_after().map(in_whole_seconds),
            body: body(res_code),
            ends_connection: problem.ends_connection(),
        }
    }
}

/// Returns `{"res_code":…,"message":…,"data":null}` with the guide's exact message.
fn body(code: ResCode) -> Bytes {
    Bytes::from(format!(
        r#"{{"res_code":"{}","message":"{}","data":null}}"#,
        code.code(),
        code.message()
    ))
}

/// Returns whole seconds, rounded up, at least one: a caller that waits this long is not too early.
fn in_whole_seconds(span: Duration) -> HeaderValue {
    let seconds = span.as_secs() + u64::from(span.subsec_nanos() > 0);
    HeaderValue::from(seconds.max(1))
}

fn early_status(fault: EarlyFault) -> StatusCode {
    // Each fault's status is a valid one.
    StatusCode::from_u16(fault.status()).unwrap_or(StatusCode::BAD_REQUEST)
}

/// Returns the upstream's status, or 502 if that status cannot carry a body.
fn status_for_a_body(status: StatusCode) -> StatusCode {
    match status.as_u16() {
        100..=199 | 204 | 205 | 304 => StatusCode::BAD_GATEWAY,
        _ => status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_bodies_are_valid_json_with_the_guides_message() {
        for code in ResCode::ALL.iter().copied() {
            let parsed: serde_json::Value = serde_json::from_slice(&body(code)).unwrap();
            assert_eq!(parsed["res_code"], code.code());
            assert_eq!(parsed["message"], code.message());
            assert!(parsed["data"].is_null());
        }
    }

    #[test]
    fn retry_after_is_never_zero_and_never_too_early() {
        for (millis, seconds) in [(0, "1"), (1, "1"), (1_000, "1"), (1_001, "2"), (4_999, "5")] {
            assert_eq!(in_whole_seconds(Duration::from_millis(millis)), seconds);
        }
    }
}
