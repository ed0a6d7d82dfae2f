//! What is written in one piece: facts, and the bytes that belong to them.

use std::sync::Arc;

use bytes::Bytes;

use crate::{Fact, KeptAnswer, MessageDigest};
use protocol::BillerCode;

/// Facts that stand or fall together, with a pay-result's bytes or a biller's answer to it.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    pub(super) facts: Vec<Fact>,
    pub(super) message: Option<(BillerCode, MessageDigest, Bytes)>,
    pub(super) answer: Option<(BillerCode, MessageDigest, Arc<KeptAnswer>)>,
}

impl Entry {
    /// An entry of facts only.
    pub const fn of(facts: Vec<Fact>) -> Self {
        Self {
            facts,
            message: None,
            answer: None,
        }
    }

    /// The facts.
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// With the bytes of the pay-result that the facts speak of.
    #[must_use]
    pub fn with_message(mut self, biller: BillerCode, message: MessageDigest, body: Bytes) -> Self {
        self.message = Some((biller, message, body));
        self
    }

    /// With the answer of the biller that accepted it.
    #[must_use]
    pub fn with_answer(
        mut self,
        biller: BillerCode,
        message: MessageDigest,
        answer: Arc<KeptAnswer>,
    ) -> Self {
        self.answer = Some((biller, message, answer));
        self
    }
}
