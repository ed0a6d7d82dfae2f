//! The causes of the answers that the gateway gives itself, with code and HTTP status (contract sections 2 and 3).

use std::net::IpAddr;
use std::time::Duration;

use actix_web::http::StatusCode;
use ledger::LinkRefusal;
use protocol::{Refusal, ResCode};

use crate::logging::Outcome;
use crate::server::EarlyFault;

/// The cause of an answer that the gateway gives itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The source address is not in the caller's `allow_from`.
    AddressNotAllowed(RefusedSource),
    /// The client certificate is missing or not the pinned one.
    CertificateNotPinned,
    /// The connection would no longer pass the TLS handshake: its client certificate has expired, or a reload removed
    /// the authority of it or requires one.
    CertificateWithdrawn,
    /// No `Authorization` header.
    AuthorizationMissing,
    /// `Authorization` is none of the accepted values.
    AuthorizationWrong,
    /// More than one `Authorization` header.
    AuthorizationTwice,
    /// A suspended biller calls.
    Suspended,
    /// Kakao Pay named no registered, active biller.
    UnknownBiller(UnknownBiller),
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
            Self::AddressNotAllowed(_) => (ResCode::E003, StatusCode::FORBIDDEN),
            Self::CertificateNotPinned
            | Self::CertificateWithdrawn
            | Self::AuthorizationWrong
            | Self::AuthorizationTwice
            | Self::Suspended => (ResCode::E003, StatusCode::UNAUTHORIZED),
            Self::AuthorizationMissing => (ResCode::E001, StatusCode::UNAUTHORIZED),
            Self::UnknownBiller(_) => (ResCode::E003, StatusCode::NOT_FOUND),
            Self::RateLimited { .. } => (ResCode::E801, StatusCode::TOO_MANY_REQUESTS),
            Self::BodyTooLarge => (ResCode::E006, StatusCode::PAYLOAD_TOO_LARGE),
            Self::BodyLate => (ResCode::E801, StatusCode::REQUEST_TIMEOUT),
            Self::BodyBroken => (ResCode::E801, StatusCode::BAD_REQUEST),
            // `E807` is 400 in every check.
            Self::Body(refusal) if refusal.code == ResCode::E807 => {
                (refusal.code, StatusCode::BAD_REQUEST)
            }
            Self::Body(refusal) => (refusal.code, StatusCode::OK),
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

    /// Returns the upstream's status, for problems of an answer that came.
    pub const fn upstream_status(&self) -> Option<StatusCode> {
        match self {
            Self::EmptyAnswer { status } | Self::BadAnswer { status } => Some(*status),
            _ => None,
        }
    }

    /// Returns the value of `Retry-After`, for problems whose answer carries it.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } | Self::CircuitOpen { retry_after } => {
                Some(*retry_after)
            }
            Self::Overload => Some(Duration::from_secs(1)),
            _ => None,
        }
    }

    /// Returns whether the connection must be closed after this answer.
    pub(super) const fn ends_connection(&self) -> bool {
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
    pub(super) const fn outcome(&self) -> Outcome {
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

/// Why a call's source address is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedSource {
    /// This address is not in `allow_from`.
    NotAllowed(IpAddr),
    /// The trusted proxy at this address sent a malformed `X-Forwarded-For`.
    Malformed(IpAddr),
    /// No biller has the code of the path, so no address is allowed.
    NoSuchBiller(IpAddr),
}

/// Why a call of Kakao Pay names no biller that it can be relayed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownBiller {
    /// No biller is named, or none is registered under the code.
    NotRegistered,
    /// The biller is suspended.
    Suspended,
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
