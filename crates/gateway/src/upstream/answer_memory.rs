//! The memory that one party's large answers may take at once.
//!
//! Nearly every answer is small, and the limits of calls in flight bound those. A large one takes its share before it is
//! read, and gives it back when the last holder of its bytes is done with them: the caller's connection, the ledger. A
//! call that finds none left waits for it within its budget, so that a party that answers hundreds of calls with
//! megabytes delays itself and nobody else.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// An answer up to this size takes no share.
const SMALL_BYTES: usize = 64 * 1024;

/// The large answers of one party that are read or kept at once, in all; a single one may be larger.
const TOTAL_BYTES: usize = 32 << 20;

/// The unit of shares.
const UNIT_BYTES: usize = 1024;

/// The memory for the large answers of one party.
#[derive(Debug)]
pub(super) struct AnswerMemory {
    free: Arc<Semaphore>,
    total_units: usize,
}

impl AnswerMemory {
    /// Returns the memory of a party whose answers have this limit.
    pub(super) fn new(answer_limit_bytes: usize) -> Self {
        let total_units = units(answer_limit_bytes.max(TOTAL_BYTES));
        Self {
            free: Arc::new(Semaphore::new(total_units)),
            total_units,
        }
    }

    /// Returns the bytes that are taken.
    pub(super) fn taken_bytes(&self) -> usize {
        (self.total_units - self.free.available_permits().min(self.total_units)) * UNIT_BYTES
    }

    /// Returns the share of one answer that is about to be read; nothing is taken yet.
    pub(super) fn share(self: &Arc<Self>) -> AnswerShare {
        AnswerShare {
            memory: Arc::clone(self),
            permit: None,
        }
    }
}

const fn units(bytes: usize) -> usize {
    bytes.div_ceil(UNIT_BYTES)
}

/// One answer's share.
#[derive(Debug)]
pub(super) struct AnswerShare {
    memory: Arc<AnswerMemory>,
    permit: Option<OwnedSemaphorePermit>,
}

impl AnswerShare {
    /// Takes a share before an answer grows to more than `so_far` bytes, of which there may be `most` in the end. Waits
    /// until there is one; an answer that has one never waits again, so that no two answers wait for each other.
    pub(super) async fn grow(&mut self, so_far: usize, most: usize) {
        if so_far <= SMALL_BYTES || self.permit.is_some() {
            return;
        }
        let wanted = units(most).min(self.memory.total_units);
        let free = Arc::clone(&self.memory.free);
        // The semaphore is never closed, and no limit of an answer is beyond 32 bits.
        let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
        self.permit = free.acquire_many_owned(wanted).await.ok();
    }

    /// Ties the share to the bytes of the answer, less what it did not need.
    pub(super) fn hold(self, bytes: Bytes) -> Bytes {
        let Some(mut permit) = self.permit else {
            return bytes;
        };
        let surplus = permit.num_permits().saturating_sub(units(bytes.len()));
        drop(permit.split(surplus));
        Bytes::from_owner(Held {
            bytes,
            _permit: permit,
        })
    }
}

/// The bytes of an answer, with the share that they take.
struct Held {
    bytes: Bytes,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_share_is_taken_once_and_given_back_with_the_last_copy_of_the_bytes() {
        let memory = Arc::new(AnswerMemory::new(4 << 20));
        let mut share = memory.share();
        share.grow(SMALL_BYTES, 4 << 20).await;
        assert_eq!(memory.taken_bytes(), 0, "a small answer");
        share.grow(SMALL_BYTES + 1, 4 << 20).await;
        share.grow(SMALL_BYTES + 2, 4 << 20).await;
        assert_eq!(memory.taken_bytes(), 4 << 20);
        let bytes = share.hold(Bytes::from(vec![b' '; 100 * 1024]));
        assert_eq!(memory.taken_bytes(), 100 * 1024);
        let copy = bytes.slice(5..);
        drop(bytes);
        assert_eq!(memory.taken_bytes(), 100 * 1024);
        drop(copy);
        assert_eq!(memory.taken_bytes(), 0);
    }

    #[tokio::test]
    async fn an_answer_beyond_the_total_waits_and_one_larger_than_it_has_it_alone() {
        let memory = Arc::new(AnswerMemory::new(40 << 20));
        let mut first = memory.share();
        first.grow(SMALL_BYTES + 1, 64 << 20).await;
        let mut second = memory.share();
        let waits = second.grow(SMALL_BYTES + 1, 65 * 1024);
        assert!(timeout(Duration::from_millis(20), waits).await.is_err());
        drop(first);
        second.grow(SMALL_BYTES + 1, 65 * 1024).await;
        assert_eq!(memory.taken_bytes(), 65 * 1024);
    }
}
