//! Kept answers lie in Redis, small ones inline and large ones separately.
//!
//! All calls share one connection, and none waits longer than 200 ms. An answer of some megabytes would hold up every
//! command behind it, so it has a key and a connection of its own, and a mark says that it has.

use std::time::Duration;

use bytes::Bytes;
use protocol::Bill;

use super::Share;
use crate::redis::{Key, OutOfReach};
use crate::state::codec::{self, Decoder, Encode, Unreadable};
use crate::{KeptAnswer, MessageDigest};

/// An answer of so many bytes at most is stored inline.
const INLINE_BOUND_BYTES: usize = 16 * 1024;

/// The kind of key of an answer that is stored separately.
const SEPARATE: &str = "a";

/// A copy of an accepted pay-result waits so long for its answer: the answer is known to be there, and the biller
/// must not be called again.
const READ_TIMEOUT: Duration = Duration::from_secs(1);

/// An `Answer` is what the key of an accepted pay-result holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The answer.
    Inline(KeptAnswer),
    /// A mark that it is stored separately.
    Separate,
}

/// A `SeparateMark` is written as an answer with a status that none has.
struct SeparateMark;

impl Encode for SeparateMark {
    fn encode(&self, out: &mut Vec<u8>) {
        0_u64.encode(out);
    }
}

impl Answer {
    pub(super) fn read(value: &Bytes) -> Result<Self, Unreadable> {
        if **value == *codec::to_bytes(&SeparateMark) {
            return Ok(Self::Separate);
        }
        let mut decoder = Decoder::new(value)?;
        let answer = KeptAnswer::decode(&mut decoder)?;
        decoder.finish()?;
        Ok(Self::Inline(answer))
    }
}

/// Returns whether an answer is stored separately.
pub(super) fn is_large(answer: &KeptAnswer) -> bool {
    answer.body.len() + answer.content_type.len() > INLINE_BOUND_BYTES
}

/// Returns what the key of a pay-result holds that was accepted with this answer.
pub(super) fn value_of(answer: &KeptAnswer) -> Vec<u8> {
    if is_large(answer) {
        codec::to_bytes(&SeparateMark)
    } else {
        codec::to_bytes(answer)
    }
}

impl Share {
    /// Writes a large answer, before its mark, so that a mark says that it is there.
    pub(super) async fn put_separate(
        &self,
        bill: &Bill,
        message: &MessageDigest,
        answer: &KeptAnswer,
    ) -> Result<(), OutOfReach> {
        let (biller, value) = (bill.biller_code(), codec::to_bytes(answer));
        let key = key(message);
        let value = self.seal.close(biller.as_str(), key, value);
        self.store()
            .put_large(
                biller.as_str(),
                key,
                &value,
                self.keep().accepted(),
                self.large_value_timeout,
            )
            .await
    }

    /// Reads a large answer; `None` where that fails now.
    pub(super) async fn get_separate(
        &self,
        bill: &Bill,
        message: &MessageDigest,
    ) -> Option<KeptAnswer> {
        let biller = bill.biller_code();
        let value = self
            .store()
            .get_large(biller.as_str(), key(message), READ_TIMEOUT)
            .await;
        let read = |value: &Bytes| {
            let opened = self.seal.open(biller.as_str(), key(message), value);
            let valid = opened.is_valid.then_some(opened.content);
            valid
                .ok_or(Unreadable)
                .and_then(|content| Answer::read(&content))
        };
        match value.map(|value| value.as_ref().map(read)) {
            Ok(Some(Ok(Answer::Inline(answer)))) => Some(answer),
            outcome => {
                let reached = outcome.map(|_| "it is gone or damaged");
                tracing::warn!(
                    biller = biller.as_str(),
                    ?reached,
                    "the large answer to an accepted pay-result cannot be had"
                );
                None
            }
        }
    }
}

fn key(message: &MessageDigest) -> Key<'_> {
    Key {
        kind: SEPARATE,
        name: message.as_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_answer_leaves_a_mark_and_a_small_one_itself() {
        for (bytes, is_separate) in [
            (0, false),
            (INLINE_BOUND_BYTES, false),
            (INLINE_BOUND_BYTES + 1, true),
        ] {
            let answer = KeptAnswer {
                status: 200,
                content_type: Bytes::new(),
                body: vec![b'x'; bytes].into(),
            };
            let read = Answer::read(&value_of(&answer).into());
            let expected = if is_separate {
                Answer::Separate
            } else {
                Answer::Inline(answer)
            };
            assert_eq!(read, Ok(expected), "{bytes}");
        }
        assert_eq!(
            Answer::read(&Bytes::from_static(&[1, 0, 0])),
            Err(Unreadable)
        );
    }
}
