//! Kept answers in the shared state: small ones beside their bills, large ones apart.
//!
//! All calls share one connection, and none waits longer than 200 ms. An answer of some megabytes
//! would hold up every one behind it, so it goes by a lane of its own, and a mark says that it does.

use std::time::Duration;

use bytes::Bytes;
use protocol::Bill;

use super::Share;
use crate::shared::{Key, OutOfReach};
use crate::state::codec::{self, Decoder, Encode, Unreadable};
use crate::{KeptAnswer, MessageDigest};

/// Bytes of the largest answer that is kept beside its bill.
const BESIDE_BOUND: usize = 16 * 1024;

/// The kind of key of an answer that is kept apart.
const APART: &str = "a";

/// How long a copy of an accepted pay-result waits for its answer: it is known to be there, and the
/// biller must not be called again.
const READ_PATIENCE: Duration = Duration::from_secs(1);

/// What the key of an accepted pay-result holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The answer.
    Beside(KeptAnswer),
    /// That it is kept apart.
    Apart,
}

/// No answer has this status.
struct Mark;

impl Encode for Mark {
    fn encode(&self, out: &mut Vec<u8>) {
        0_u64.encode(out);
    }
}

impl Answer {
    pub(super) fn read(value: &Bytes) -> Result<Self, Unreadable> {
        if **value == *codec::to_bytes(&Mark) {
            return Ok(Self::Apart);
        }
        let mut decoder = Decoder::new(value)?;
        let answer = KeptAnswer::decode(&mut decoder)?;
        decoder.finish()?;
        Ok(Self::Beside(answer))
    }
}

/// Whether an answer is kept apart.
pub(super) fn is_large(answer: &KeptAnswer) -> bool {
    answer.body.len() + answer.content_type.len() > BESIDE_BOUND
}

/// What the key of a pay-result holds that was accepted with this answer.
pub(super) fn value_of(answer: &KeptAnswer) -> Vec<u8> {
    if is_large(answer) {
        codec::to_bytes(&Mark)
    } else {
        codec::to_bytes(answer)
    }
}

impl Share {
    /// Writes a large answer; before its mark, so that a mark says that it is there.
    pub(super) async fn put_apart(
        &self,
        bill: &Bill,
        message: &MessageDigest,
        answer: &KeptAnswer,
    ) -> Result<(), OutOfReach> {
        let (biller, value) = (bill.biller_code(), codec::to_bytes(answer));
        let key = key(message);
        let value = self.seal.close(biller.as_str(), key, value);
        self.store()
            .put_large(biller.as_str(), key, &value, self.keep(), self.patience)
            .await
    }

    /// Reads a large answer; `None` where it cannot be had now.
    pub(super) async fn get_apart(
        &self,
        bill: &Bill,
        message: &MessageDigest,
    ) -> Option<KeptAnswer> {
        let biller = bill.biller_code();
        let value = self
            .store()
            .get_large(biller.as_str(), key(message), READ_PATIENCE)
            .await;
        let read = |value: &Bytes| {
            let opened = self.seal.open(biller.as_str(), key(message), value);
            let valid = opened.is_valid.then_some(opened.content);
            valid
                .ok_or(Unreadable)
                .and_then(|content| Answer::read(&content))
        };
        match value.map(|value| value.as_ref().map(read)) {
            Ok(Some(Ok(Answer::Beside(answer)))) => Some(answer),
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
        kind: APART,
        name: message.as_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_answer_leaves_a_mark_and_a_small_one_itself() {
        for (bytes, is_apart) in [(0, false), (BESIDE_BOUND, false), (BESIDE_BOUND + 1, true)] {
            let answer = KeptAnswer {
                status: 200,
                content_type: Bytes::new(),
                body: vec![b'x'; bytes].into(),
            };
            let read = Answer::read(&value_of(&answer).into());
            let expected = if is_apart {
                Answer::Apart
            } else {
                Answer::Beside(answer)
            };
            assert_eq!(read, Ok(expected), "{bytes}");
        }
        assert_eq!(
            Answer::read(&Bytes::from_static(&[1, 0, 0])),
            Err(Unreadable)
        );
    }
}
