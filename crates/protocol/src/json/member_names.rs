//! The detection of duplicate member names in one object.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};

/// Up to this many names without escapes are stored without allocation and compared pairwise.
const FEW: usize = 8;

/// The names of one object's members. [`are_distinct`](Self::are_distinct) compares them after the end
/// of the object. Many names are sorted by a hash with a random key, so that a client cannot choose names
/// that are slow to compare: `n` names cost `n log n` comparisons of numbers.
pub(crate) struct MemberNames<'a> {
    /// The first names without escapes.
    few: [&'a str; FEW],
    count: usize,
    /// All other names.
    many: Vec<Cow<'a, str>>,
}

impl<'a> MemberNames<'a> {
    pub(crate) fn new() -> Self {
        Self {
            few: [""; FEW],
            count: 0,
            many: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, name: Cow<'a, str>) {
        match (self.few.get_mut(self.count), name) {
            (Some(slot), Cow::Borrowed(name)) => {
                *slot = name;
                self.count += 1;
            }
            (_, name) => self.many.push(name),
        }
    }

    /// Whether all names are different.
    pub(crate) fn are_distinct(&self) -> bool {
        let few = self.few.get(..self.count).unwrap_or_default();
        if self.many.is_empty() {
            return !few
                .iter()
                .enumerate()
                .any(|(at, name)| few.iter().skip(at + 1).any(|other| other == name));
        }
        let key = RandomState::new();
        let many = self.many.iter().map(AsRef::as_ref);
        let names = few.iter().copied().chain(many);
        let mut hashed: Vec<(u64, &str)> = names.map(|name| (key.hash_one(name), name)).collect();
        // Names with the same hash are sorted by text, so that equal names are adjacent.
        hashed.sort_unstable();
        hashed.array_windows().all(|[left, right]| left != right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> MemberNames<'static> {
        let mut names = MemberNames::new();
        (0..count).for_each(|number| names.push(Cow::Owned(number.to_string())));
        names
    }

    #[test]
    fn a_duplicate_is_found_among_few_and_many_names() {
        for count in [1, 2, FEW - 1, FEW, FEW + 1, 10_000] {
            assert!(names(count).are_distinct(), "{count}");
            for again in [0, count / 2, count - 1] {
                let mut names = names(count);
                names.push(Cow::Owned(again.to_string()));
                assert!(!names.are_distinct(), "{again} of {count}");
            }
        }
    }

    #[test]
    fn the_empty_name_is_a_name() {
        let mut names = MemberNames::new();
        assert!(names.are_distinct());
        names.push(Cow::Borrowed(""));
        assert!(names.are_distinct());
        names.push(Cow::Borrowed(""));
        assert!(!names.are_distinct());
    }
}
