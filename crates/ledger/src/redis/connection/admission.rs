//! The bound on what is under way.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::redis::out_of_reach::OutOfReach;

/// Operations under way at once, all workers together. Two per call at most, and four thousand
/// calls waiting for a store that answers in a fraction of a millisecond is a store that does not.
pub(crate) const OPERATIONS_BOUND: usize = 4_096;

/// Bytes of requests under way at once.
pub(crate) const BYTES_BOUND: usize = 32 * 1024 * 1024;

/// Counts what is under way.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    operations: AtomicUsize,
    bytes: AtomicUsize,
}

/// One operation's place; dropped, it is free again.
#[derive(Debug)]
pub(crate) struct Admitted<'a> {
    admission: &'a Admission,
    bytes: usize,
}

impl Admission {
    /// Admits an operation of so many bytes.
    pub(crate) fn admit(&self, bytes: usize) -> Result<Admitted<'_>, OutOfReach> {
        let operations = self.operations.fetch_add(1, Ordering::Relaxed) + 1;
        let all_bytes = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let admitted = Admitted {
            admission: self,
            bytes,
        };
        if operations > OPERATIONS_BOUND || all_bytes > BYTES_BOUND {
            return Err(OutOfReach::Busy);
        }
        Ok(admitted)
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        self.admission.operations.fetch_sub(1, Ordering::Relaxed);
        self.admission
            .bytes
            .fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_bound_operations_are_refused_and_places_come_back() {
        let admission = Admission::default();
        let held: Vec<_> = (0..OPERATIONS_BOUND)
            .map(|_| admission.admit(1).unwrap())
            .collect();
        assert_eq!(admission.admit(1).unwrap_err(), OutOfReach::Busy);
        drop(held);
        assert_eq!(
            admission.admit(BYTES_BOUND + 1).unwrap_err(),
            OutOfReach::Busy
        );
        assert!(admission.admit(BYTES_BOUND).is_ok());
    }
}
