//! The names of one object's members, to tell whether one comes twice.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};

/// Up to this many names without escapes are kept without allocating and compared one by one.
const FEW: usize = 8;

/// Collects names; [`are_distinct`](Self::are_distinct) looks at them once the object has ended.
/// Many names are sorted by a hash with a random key, so that nobody can choose names that are slow
/// to compare: `n` of them cost `n log n` comparisons of numbers.
pub(crate) struct Names<'a> {
    /// The first ones, as long as none of them holds an escape.
    few: [&'a str; FEW],
    count: usize,
    /// All others.
    many: Vec<Cow<'a, str>>,
}

impl<'a> Names<'a> {
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

    /// Whether no name came twice.
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
        // Names of one hash stand in the order of their text, so that equal ones are neighbours.
        hashed.sort_unstable();
        hashed.array_windows().all(|[left, right]| left != right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Names<'static> {
        let mut names = Names::new();
        (0..count).for_each(|number| names.push(Cow::Owned(number.to_string())));
        names
    }

    #[test]
    fn a_name_that_comes_twice_is_found_be_they_few_or_many() {
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
        let mut names = Names::new();
        assert!(names.are_distinct());
        names.push(Cow::Borrowed(""));
        assert!(names.are_distinct());
        names.push(Cow::Borrowed(""));
        assert!(!names.are_distinct());
    }
}
