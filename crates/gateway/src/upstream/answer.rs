//! What a call came to.

use std::fmt;
use std::time::Duration;

use actix_http::StatusCode;
use actix_http::header::HeaderValue;
use bytes::Bytes;
use tokio::time::Instant;

/// A whole answer: head complete, body read to its end and within the limit.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Any status of three digits, redirects included.
    pub status: StatusCode,
    /// The first `Content-Type`.
    pub content_type: Option<HeaderValue>,
    /// The first `Retry-After`.
    pub retry_after: Option<HeaderValue>,
    /// The body without its framing; empty where the status carries none.
    pub body: Bytes,
}

/// Why there is no whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpstreamFault {
    /// The deadline came first.
    TimedOut {
        /// Whether the request can have been sent by then.
        sent: Sent,
    },
    /// No connection: nothing was sent.
    NotReached(ConnectFailure),
    /// Reset or closed before an answer's head was complete.
    Closed {
        /// Whether the request can have been sent by then.
        sent: Sent,
    },
    /// The body ended before its end, or has no end that can be known.
    CutShort {
        /// The status of the answer's head.
        status: StatusCode,
    },
    /// The body is larger than the party may answer.
    TooLarge {
        /// The status of the answer's head.
        status: StatusCode,
    },
    /// What came is no HTTP, or framed so that two clients could read it differently.
    Unreadable,
}

impl UpstreamFault {
    /// Whether the party can have got the request.
    pub fn sent(&self) -> Sent {
        match self {
            Self::NotReached(_) => Sent::NotSent,
            Self::TimedOut { sent } | Self::Closed { sent } => *sent,
            Self::CutShort { .. } | Self::TooLarge { .. } | Self::Unreadable => Sent::MaybeSent,
        }
    }
}

/// For logs; says nothing of what the party answered.
impl fmt::Display for UpstreamFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut { .. } => f.write_str("no answer in time"),
            Self::NotReached(unreached) => unreached.fmt(f),
            Self::Closed { .. } => f.write_str("closed before an answer"),
            Self::CutShort { .. } => f.write_str("answer cut short"),
            Self::TooLarge { .. } => f.write_str("answer too large"),
            Self::Unreadable => f.write_str("answer that is no HTTP"),
        }
    }
}

/// Whether the party can have got the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Not one byte of it was written.
    NotSent,
    /// Some or all of it was written.
    MaybeSent,
}

/// Why there was no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectFailure {
    /// Which step failed.
    pub step: ConnectStep,
    /// The system's or the TLS library's words, for an operator.
    pub detail: String,
}

impl fmt::Display for ConnectFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.step.as_str(), self.detail)
    }
}

/// The steps to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectStep {
    /// From the host's name to its addresses.
    Resolve,
    /// To one of the addresses.
    Connect,
    /// The TLS handshake.
    Handshake,
}

impl ConnectStep {
    /// A few words for a log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resolve => "name not found",
            Self::Connect => "not connected",
            Self::Handshake => "TLS handshake failed",
        }
    }
}

/// A call's result and its times.
#[derive(Clone, Debug)]
pub struct Report {
    /// The whole answer, or why there is none.
    pub result: Result<Answer, UpstreamFault>,
    /// From the call's begin to its end, connecting included.
    pub upstream: Duration,
    /// When it ended.
    pub ended: Instant,
    /// How long connecting took, name and TLS included, whether or not it came to a connection;
    /// `None` where a pooled one served.
    pub connect: Option<Duration>,
    /// How often the request was begun to be sent: 1, or 2 where a pooled connection was closed.
    pub attempts: u8,
}
