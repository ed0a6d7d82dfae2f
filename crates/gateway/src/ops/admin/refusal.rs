//! The error answers of the admin API, one JSON object each.

use std::fmt;
use std::time::Duration;

use actix_web::error::{JsonPayloadError, QueryPayloadError};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, Responder, ResponseError};
use ledger::JournalError;
use serde_json::{Value, json};

/// What a client must send (RFC 6750 section 3).
const CHALLENGE: &str = "Bearer realm=\"admin\"";

/// An error answer: `{"error":{"code":…,"message":…},…}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ops) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    retry_after: Option<Duration>,
    /// More members beside `error`.
    more: serde_json::Map<String, Value>,
}

impl Refusal {
    pub(in crate::ops) fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            retry_after: None,
            more: serde_json::Map::new(),
        }
    }

    pub(super) fn not_found(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    pub(super) fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    pub(super) fn wrong_method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "wrong_method",
            "this route takes another method",
        )
    }

    pub(super) fn journal_not_writable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "journal_not_writable",
            "it holds until the next stop, but the journal cannot be written",
        )
    }

    pub(super) fn out_of_reach(message: &'static str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "out_of_reach", message)
    }

    pub(in crate::ops) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "a fault of the gateway; its log tells more",
        )
    }

    /// Describes the fault of a body in full: the caller is an authenticated operator.
    pub(super) fn of_body(error: &JsonPayloadError) -> Self {
        match error {
            JsonPayloadError::OverflowKnownLength { .. } | JsonPayloadError::Overflow { .. } => {
                Self::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "body_too_large",
                    format!("a body has at most {} bytes", super::BODY_BYTES),
                )
            }
            JsonPayloadError::Deserialize(error) => {
                Self::bad_request(format!("the body cannot be used: {error}"))
            }
            _ => Self::bad_request("the body did not arrive whole"),
        }
    }

    pub(super) fn of_query(error: &QueryPayloadError) -> Self {
        match error {
            QueryPayloadError::Deserialize(error) => {
                Self::bad_request(format!("the query cannot be used: {error}"))
            }
            _ => Self::bad_request("the query cannot be used"),
        }
    }

    /// Refuses a caller that may try again after this time.
    pub(super) fn too_many_attempts(wait: Duration) -> Self {
        let mut refusal = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_attempts",
            "too many log-ins from this address have failed; Retry-After tells when to try again",
        );
        refusal.retry_after = Some(wait);
        refusal
    }

    /// Adds a member beside `error`.
    pub(super) fn with(mut self, name: &str, value: Value) -> Self {
        self.more.insert(name.to_owned(), value);
        self
    }
}

impl From<JournalError> for Refusal {
    fn from(error: JournalError) -> Self {
        tracing::error!(%error, "the journal cannot be read for an operator");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "journal_unreadable",
            format!("the journal cannot be read: {error}"),
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut body = self.more.clone();
        body.insert(
            "error".to_owned(),
            json!({ "code": self.code, "message": self.message }),
        );
        let mut response = HttpResponse::build(self.status);
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, CHALLENGE));
        }
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        response.json(body)
    }
}

impl Responder for Refusal {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.error_response()
    }
}
