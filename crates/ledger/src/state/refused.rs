//! Refused pay-results: what is kept of one.

use std::net::IpAddr;

use bytes::Bytes;
use protocol::BillerCode;

use crate::{MessageDigest, Timestamp};

/// A refused pay-result as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedPayResult {
    /// The biller that the call named, registered or not; `None` where it named none that could be one.
    pub biller: Option<BillerCode>,
    /// The bytes, as far as they came.
    pub body: Bytes,
    /// Whether these are all the bytes of it.
    pub is_whole: bool,
    /// The `res_code` of the answer.
    pub res_code: String,
    /// Why it was refused; nothing of the bytes.
    pub reason: String,
    /// The source address.
    pub source: IpAddr,
    /// The request id of the call.
    pub request_id: String,
}

/// How a refused pay-result ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedOutcome {
    /// An operator delivered it, and its biller accepted it; or it turned out to be accepted.
    Delivered,
    /// The same bytes came again and passed the checks.
    Passed,
    /// An operator closed it.
    Closed,
}

impl RefusedOutcome {
    /// Returns the name in the journal and for operators.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Passed => "passed",
            Self::Closed => "closed",
        }
    }

    /// Returns the outcome with this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Delivered, Self::Passed, Self::Closed]
            .into_iter()
            .find(|outcome| outcome.name() == name)
    }
}

/// The end of a refused pay-result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedClosing {
    /// How it ended.
    pub outcome: RefusedOutcome,
    /// The reason that was given.
    pub reason: String,
    /// The name of the operator, or `gateway`.
    pub operator: String,
}

/// A refused pay-result in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedEntry {
    /// The digest of the bytes; there is one entry per digest.
    pub message: MessageDigest,
    /// As it came the last time.
    pub last: RefusedPayResult,
    /// How many bytes there are.
    pub size_bytes: u64,
    /// How often it came.
    pub count: u64,
    /// When it came first.
    pub first_at: Timestamp,
    /// When it came last.
    pub last_at: Timestamp,
    /// When and how it ended; `None` while it is open.
    pub closed: Option<(Timestamp, RefusedClosing)>,
}
