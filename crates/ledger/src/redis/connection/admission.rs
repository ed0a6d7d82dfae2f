//! [`Admission`] bounds the operations under way.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::redis::out_of_reach::OutOfReach;

/// At most so many operations are under way, of all workers together. A call has two at most, and a store at which
/// four thousand calls wait does not answer.
pub(crate) const OPERATIONS_BOUND: usize = 4_096;

/// At most so many bytes of requests are under way.
pub(crate) const BYTES_BOUND: usize = 32 * 1024 * 1024;

/// `Admission` counts the operations under way, and their bytes.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    operations: AtomicUsize,
    bytes: AtomicUsize,
}

/// `Admitted` is one operation's place, which is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Admitted<'a> {
    admission: &'a Admission,
    bytes: usize,
}

impl Admission {
    /// Admits an operation of so many bytes, or refuses it as `Busy`.
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
