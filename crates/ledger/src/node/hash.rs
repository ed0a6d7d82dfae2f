//! The hash of keys in memory. Callers choose the keys, so it differs from process to process.

use std::hash::{BuildHasher, Hash};
use std::sync::LazyLock;

use foldhash::quality::RandomState;

static STATE: LazyLock<RandomState> = LazyLock::new(RandomState::default);

pub(super) fn hash_of<T: Hash + ?Sized>(key: &T) -> u64 {
    STATE.hash_one(key)
}
