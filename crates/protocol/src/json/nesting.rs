//! The open objects and arrays, one bit each, so that deep nesting cannot overflow the call stack.

use super::value::InvalidJson;

/// A kind of container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Container {
    Array,
    Object,
}

/// A stack of [`Container`]s. The innermost 64 are in `top`; only deeper levels allocate, one bit per
/// level.
pub(super) struct Nesting {
    top: u64,
    deep: Vec<u64>,
    depth: usize,
    limit: usize,
}

/// The number of containers in one `u64`.
const WORD: usize = 64;

impl Nesting {
    /// Returns an empty stack for at most `limit` levels.
    pub(super) const fn new(limit: usize) -> Self {
        Self {
            top: 0,
            deep: Vec::new(),
            depth: 0,
            limit,
        }
    }

    /// The number of open containers.
    pub(super) const fn depth(&self) -> usize {
        self.depth
    }

    pub(super) fn push(&mut self, container: Container) -> Result<(), InvalidJson> {
        if self.depth >= self.limit {
            return Err(InvalidJson("nested too deeply"));
        }
        if self.depth > 0 && self.depth.is_multiple_of(WORD) {
            self.deep.push(self.top);
            self.top = 0;
        }
        self.top = self.top << 1 | u64::from(container == Container::Object);
        self.depth += 1;
        Ok(())
    }

    /// Closes the innermost container, if any is open.
    pub(super) fn pop(&mut self) {
        self.top >>= 1;
        self.depth = self.depth.saturating_sub(1);
        if self.depth > 0 && self.depth.is_multiple_of(WORD) {
            self.top = self.deep.pop().unwrap_or_default();
        }
    }

    /// The innermost container; meaningless if none is open.
    pub(super) const fn innermost(&self) -> Container {
        if self.top & 1 == 1 {
            Container::Object
        } else {
            Container::Array
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_a_stack_of_any_depth(steps in proptest::collection::vec(0..5_u8, 0..1_000)) {
            let mut nesting = Nesting::new(usize::MAX);
            let mut reference = Vec::new();
            for step in steps {
                if step == 0 && !reference.is_empty() {
                    nesting.pop();
                    reference.pop();
                } else {
                    let container = if step % 2 == 0 { Container::Array } else { Container::Object };
                    nesting.push(container).unwrap();
                    reference.push(container);
                }
                prop_assert_eq!(nesting.depth(), reference.len());
                if let Some(innermost) = reference.last() {
                    prop_assert_eq!(nesting.innermost(), *innermost);
                }
            }
            while let Some(container) = reference.pop() {
                prop_assert_eq!(nesting.innermost(), container);
                nesting.pop();
            }
        }
    }

    #[test]
    fn the_limit_is_the_last_level_that_opens() {
        let mut nesting = Nesting::new(2);
        assert!(nesting.push(Container::Array).is_ok());
        assert!(nesting.push(Container::Object).is_ok());
        assert!(nesting.push(Container::Array).is_err());
        nesting.pop();
        assert!(nesting.push(Container::Array).is_ok());
    }
}
