//! A Bloom filter of the bills of the journal: a bill that nobody ever named costs no read.
//!
//! It is filled from the journal's index after a start, in the background; until that is done it says nothing. A bill
//! that was forgotten stays in it until the next start.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Bits of a block: one line of the processor's cache, so that a look touches one.
const BLOCK_BITS: u64 = 512;

/// Words of a block.
const BLOCK_WORDS: usize = 8;

/// Bits that one bill sets.
const BITS_PER_BILL: u32 = 6;

/// The filter. Its bits are only ever set.
#[derive(Debug)]
pub(crate) struct Filter {
    words: Box<[AtomicU64]>,
    is_filled: AtomicBool,
}

impl Filter {
    /// Returns an empty filter of at most so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        let blocks = bytes / (BLOCK_WORDS * size_of::<u64>());
        Self {
            words: (0..blocks * BLOCK_WORDS)
                .map(|_| AtomicU64::new(0))
                .collect(),
            is_filled: AtomicBool::new(false),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.words.len() * size_of::<u64>()
    }

    /// Returns whether the filter has any room.
    pub(crate) fn has_room(&self) -> bool {
        !self.words.is_empty()
    }

    /// Adds the hash of a bill.
    pub(crate) fn insert(&self, hash: u64) {
        for (word, bit) in self.places(hash) {
            // Mostly set already; a read leaves the line to everybody.
            if word.load(Ordering::Relaxed) & bit == 0 {
                word.fetch_or(bit, Ordering::Relaxed);
            }
        }
    }

    /// Everything that the journal had at the start has been added.
    pub(crate) fn is_filled_now(&self) {
        self.is_filled.store(self.has_room(), Ordering::Release);
    }

    /// Returns whether the journal may have the bill with this hash; `true` too as long as that is not known.
    pub(crate) fn may_have(&self, hash: u64) -> bool {
        !self.is_filled.load(Ordering::Acquire)
            || self
                .places(hash)
                .all(|(word, bit)| word.load(Ordering::Relaxed) & bit != 0)
    }

    fn places(&self, hash: u64) -> impl Iterator<Item = (&AtomicU64, u64)> {
        let blocks = self.words.len() / BLOCK_WORDS;
        // The upper half picks the block, the lower half the bits in it.
        let picked = ((hash >> 32) * (blocks as u64)) >> 32;
        let first = usize::try_from(picked).unwrap_or_default() * BLOCK_WORDS;
        let block = self
            .words
            .get(first..first + BLOCK_WORDS)
            .unwrap_or_default();
        let mut state = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        (0..BITS_PER_BILL).filter_map(move |_| {
            state = state.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(hash);
            let bit = (state >> 40) % BLOCK_BITS;
            let word = block.get(usize::try_from(bit / 64).unwrap_or_default())?;
            Some((word, 1 << (bit % 64)))
        })
    }
}

/// Returns the hash of a bill in the journal with its bits mixed: there, the bills of one customer are alike in half of
/// them.
pub(super) const fn mixed(hash: i64) -> u64 {
    let mut mixed = hash.cast_unsigned();
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    fn hash(number: u64) -> u64 {
        let digest = Sha256::digest(number.to_be_bytes());
        u64::from_be_bytes(digest[..8].try_into().unwrap())
    }

    #[test]
    fn a_bill_that_was_added_is_found_and_few_others_are() {
        let filter = Filter::new(10_000 * 10 / 8);
        (0..10_000).for_each(|number| filter.insert(hash(number)));
        assert!(filter.may_have(hash(77_777)), "it is not filled yet");
        filter.is_filled_now();
        assert!((0..10_000).all(|number| filter.may_have(hash(number))));
        let others = (10_000..110_000).filter(|number| filter.may_have(hash(*number)));
        let wrong = others.count();
        assert!(wrong < 3_000, "{wrong} of 100,000");
    }

    #[test]
    fn a_filter_without_room_says_nothing() {
        let filter = Filter::new(10);
        filter.insert(7);
        filter.is_filled_now();
        assert!(filter.may_have(8));
    }
}
