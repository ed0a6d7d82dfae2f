//! A bounded map of what was used last.

use std::collections::HashMap;
use std::hash::Hash;

/// Keeps between one and two times `bound` entries; those that were not asked for leave first.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    young: HashMap<K, V, foldhash::fast::RandomState>,
    old: HashMap<K, V, foldhash::fast::RandomState>,
    bound: usize,
}

impl<K: Hash + Eq, V> Recent<K, V> {
    pub(super) fn with_bound(bound: usize) -> Self {
        Self {
            young: HashMap::default(),
            old: HashMap::default(),
            bound,
        }
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        if let Some((key, value)) = self.old.remove_entry(key) {
            self.insert(key, value);
        }
        self.young.get_mut(key)
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= self.bound {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    pub(super) fn remove(&mut self, key: &K) {
        self.young.remove(key);
        self.old.remove(key);
    }

    pub(super) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays_and_the_number_of_entries_is_bounded() {
        let mut recent = Recent::with_bound(4);
        recent.insert(0, "asked for");
        for key in 1..100 {
            recent.insert(key, "not asked for");
            assert!(recent.get_mut(&0).is_some(), "{key}");
            assert!(recent.young.len() + recent.old.len() <= 8);
        }
        assert!(recent.get_mut(&1).is_none());
        recent.remove(&0);
        assert!(recent.get_mut(&0).is_none());
    }
}
