//! The names of one object's members so far, to tell whether one comes twice.

use std::borrow::Cow;
use std::collections::HashSet;

/// Up to this many names are compared one by one, which is quicker than hashing them.
const FEW: usize = 8;

/// A set of names. Its cost is linear in the body: few names are compared directly, and many are
/// hashed with a random key, so that nobody can choose names that collide.
pub(crate) struct Names<'a> {
    few: [Cow<'a, str>; FEW],
    count: usize,
    many: HashSet<Cow<'a, str>>,
}

impl<'a> Names<'a> {
    pub(crate) fn new() -> Self {
        Self { few: [const { Cow::Borrowed("") }; FEW], count: 0, many: HashSet::new() }
    }

    /// Whether the name is new; then it is kept.
    pub(crate) fn insert(&mut self, name: Cow<'a, str>) -> bool {
        if self.few.iter().take(self.count).any(|known| *known == name) {
            return false;
        }
        match self.few.get_mut(self.count) {
            Some(slot) => {
                *slot = name;
                self.count += 1;
                true
            }
            None => self.many.insert(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_new_once_be_they_few_or_many() {
        for count in [1, FEW, FEW + 1, 10_000] {
            let mut names = Names::new();
            for number in 0..count {
                assert!(names.insert(Cow::Owned(number.to_string())));
            }
            for number in 0..count {
                assert!(!names.insert(Cow::Owned(number.to_string())));
            }
        }
    }

    #[test]
    fn the_empty_name_is_a_name() {
        let mut names = Names::new();
        assert!(names.insert(Cow::Borrowed("")));
        assert!(!names.insert(Cow::Borrowed("")));
    }
}
