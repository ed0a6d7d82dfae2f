//! What the journal keeps beside a fact for operators.

use protocol::CanonicalDigest;

use crate::{Digests, MessageDigest};

/// The request behind a fact, the digest of its pay-result's canonical form, and the biller's answer. The state of
/// a bill does not depend on it, and it stays in the journal of the node that made the fact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FactContext {
    /// The `X-Request-Id` of the call.
    pub request_id: Option<Box<str>>,
    /// Of payments and deliveries.
    pub canonical: Option<CanonicalDigest>,
    /// Of deliveries that the biller answered.
    pub answer: Option<AnswerSummary>,
}

/// What a biller's answer to a pay-result said. `res_code` and `message` are the biller's own text: bounded, and not
/// for logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerSummary {
    /// The HTTP status.
    pub status: u16,
    /// `res_code`, as far as it can be read.
    pub res_code: Option<String>,
    /// `message`, as far as it can be read.
    pub message: Option<String>,
}

impl FactContext {
    pub(crate) const NONE: Self = Self {
        request_id: None,
        canonical: None,
        answer: None,
    };

    /// Returns the context of a call with this request id.
    pub fn of_request(request_id: &str) -> Self {
        Self {
            request_id: Some(request_id.into()),
            ..Self::NONE
        }
    }
}

/// A pay-result's digest, and what the journal keeps beside its facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The digest of its bytes, which identifies it.
    pub digest: MessageDigest,
    /// What the journal keeps beside its facts.
    pub context: FactContext,
}

impl Message {
    /// Returns the two digests by which copies are recognized.
    pub const fn digests(&self) -> Digests {
        Digests {
            bytes: self.digest,
            canonical: self.context.canonical,
        }
    }
}

impl From<MessageDigest> for Message {
    fn from(digest: MessageDigest) -> Self {
        Self {
            digest,
            context: FactContext::NONE,
        }
    }
}

impl From<Digests> for Message {
    fn from(digests: Digests) -> Self {
        Self {
            digest: digests.bytes,
            context: FactContext {
                canonical: digests.canonical,
                ..FactContext::NONE
            },
        }
    }
}
