//! The result of a call: an answer, or why there is none.

use std::fmt;
use std::time::Duration;

use actix_http::StatusCode;
use actix_http::header::HeaderValue;
use bytes::Bytes;
use tokio::time::Instant;

use super::malformed::Malformed;

/// A whole answer: the head is complete, and the body was read to its end and is within the limit.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Any status of three digits, including redirects.
    pub status: StatusCode,
    /// The first `Content-Type` value.
    pub content_type: Option<HeaderValue>,
    /// The first `Retry-After` value.
    pub retry_after: Option<HeaderValue>,
    /// The body without its framing; empty for a status without a body.
    pub body: Bytes,
}

/// Why a call has no whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpstreamFault {
    /// The deadline passed.
    TimedOut {
        /// Whether the request may have been sent by then.
        sent: Sent,
    },
    /// No connection could be opened, so nothing was sent.
    NotReached(ConnectFailure),
    /// The connection was closed or reset before the answer's head was complete.
    Closed {
        /// Whether the request may have been sent by then.
        sent: Sent,
    },
    /// The party ended the TLS connection with an alert in place of an answer. A server of TLS 1.3 refuses a client
    /// certificate so, after the handshake.
    RefusedByTls {
        /// The alert in words.
        what: String,
        /// Whether the request may have been sent by then.
        sent: Sent,
    },
    /// The connection ended before the body did.
    CutShort {
        /// The status of the answer's head.
        status: StatusCode,
    },
    /// The body is larger than the party's limit.
    TooLarge {
        /// The status of the answer's head.
        status: StatusCode,
    },
    /// The answer is no HTTP, or its framing is ambiguous.
    Malformed(Malformed),
}

impl UpstreamFault {
    /// Whether the party may have received the request.
    pub fn sent(&self) -> Sent {
        match self {
            Self::NotReached(_) => Sent::NotSent,
            Self::TimedOut { sent } | Self::Closed { sent } | Self::RefusedByTls { sent, .. } => {
                *sent
            }
            Self::CutShort { .. } | Self::TooLarge { .. } | Self::Malformed(_) => Sent::MaybeSent,
        }
    }
}

/// The text for logs, without anything from the party's answer.
impl fmt::Display for UpstreamFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut { .. } => f.write_str("no answer in time"),
            Self::NotReached(failure) => failure.fmt(f),
            Self::Closed { .. } => f.write_str("closed before an answer"),
            Self::RefusedByTls { what, .. } => write!(f, "closed before an answer: {what}"),
            Self::CutShort { .. } => f.write_str("answer cut short"),
            Self::TooLarge { .. } => f.write_str("answer too large"),
            Self::Malformed(rule) => write!(f, "malformed answer: {rule}"),
        }
    }
}

/// Whether the party may have received the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// No byte of the request was written.
    NotSent,
    /// Some or all of the request was written.
    MaybeSent,
}

/// Why no connection could be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectFailure {
    /// The step that failed.
    pub step: ConnectStep,
    /// The error text of the system or the TLS library, for the log.
    pub detail: String,
}

impl fmt::Display for ConnectFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.step.as_str(), self.detail)
    }
}

/// The steps of opening a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectStep {
    /// The look-up of the host's addresses.
    Resolve,
    /// The TCP connection to one of the addresses.
    Connect,
    /// The TLS handshake.
    Handshake,
}

impl ConnectStep {
    /// The text for logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resolve => "host name not found",
            Self::Connect => "connection failed",
            Self::Handshake => "TLS handshake failed",
        }
    }
}

/// The result of a call with its times.
#[derive(Clone, Debug)]
pub struct CallReport {
    /// The whole answer or the fault.
    pub result: Result<Answer, UpstreamFault>,
    /// The time from the begin of the call to its end, with the time to connect.
    pub duration: Duration,
    /// When the call ended.
    pub ended_at: Instant,
    /// The time to open a connection, with the look-up and TLS, even if it failed; `None` if no new connection
    /// was opened.
    pub connect_duration: Option<Duration>,
    /// The number of attempts to send the request: 2 if the first one failed on a pooled connection that was
    /// closed, 0 if the deadline had passed before the call.
    pub attempts: u8,
}
