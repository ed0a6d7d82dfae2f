//! The mapping of every outcome to code, HTTP status and body (contract sections 2 and 3).

mod problem;
mod reason;

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use bytes::Bytes;
use ledger::{AnswerSummary, KeptAnswer};
use metrics::ResCodeLabel;
use protocol::{AnswerCode, AnswerDetail, ResCode};

use crate::logging::Outcome;
use crate::request_id::X_REQUEST_ID;
use crate::upstream::Answer;

pub use problem::{Problem, RefusedSource, UnknownBiller};
pub use reason::Reason;

/// `Content-Type` of the gateway's own answers, and of relayed ones that had none.
pub const JSON_UTF8: HeaderValue = HeaderValue::from_static("application/json;charset=utf-8");

/// The scheme of the `Authorization` values that Kakao Pay issues to billers (the guide, sections 3 and 4).
const CHALLENGE: HeaderValue = HeaderValue::from_static("KakaoAK realm=\"relay\"");

/// Marks a replayed answer (contract section 4).
const X_RELAY_REPLAYED: HeaderName = HeaderName::from_static("x-relay-replayed");

/// The body of a replayed answer whose own body was too large to be kept (contract section 4).
const ACCEPTED_BODY: &str = r#"{"res_code":"OK","message":"성공","data":null}"#;

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

    /// Returns what the answer said, for operators.
    pub fn summary(&self) -> AnswerSummary {
        let AnswerDetail { res_code, message } = AnswerDetail::read(&self.answer.body);
        AnswerSummary {
            status: self.answer.status.as_u16(),
            res_code,
            message,
        }
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
    /// For the log: why the gateway answered itself. `None` for relayed and replayed answers.
    pub reason: Option<Reason>,
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
            reason: None,
        }
    }

    /// Replays the kept answer of the biller that accepted the same pay-result before. Instead of a body that was too
    /// large to be kept it has one of the gateway's own.
    pub fn replayed(kept: &KeptAnswer) -> Self {
        let (content_type, body) = if kept.body.is_empty() {
            (JSON_UTF8, Bytes::from_static(ACCEPTED_BODY.as_bytes()))
        } else {
            let content_type = HeaderValue::from_bytes(&kept.content_type);
            (content_type.unwrap_or(JSON_UTF8), kept.body.clone())
        };
        Self {
            // Only 2xx answers are kept.
            status: StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK),
            res_code: ResCodeLabel::from(AnswerCode::Ok),
            outcome: Outcome::Replayed,
            content_type,
            retry_after: None,
            body,
            ends_connection: false,
            reason: None,
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
            reason: Some(problem.reason()),
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
