//! The bulkhead: a bound on the calls of one biller that are under way at once (`max_in_flight`).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Counts calls in flight against a bound.
#[derive(Clone, Debug)]
pub struct InFlight {
    count: Arc<AtomicU32>,
    most: u32,
}

impl InFlight {
    /// Allows `most` calls at once.
    pub fn new(most: u32) -> Self {
        Self {
            count: Arc::default(),
            most,
        }
    }

    /// Returns a bulkhead that counts the same calls against another bound, after a reload.
    #[must_use]
    pub fn with_bound(&self, most: u32) -> Self {
        Self {
            count: Arc::clone(&self.count),
            most,
        }
    }

    /// Counts one call until the permit is dropped; `None` at the bound.
    pub fn enter(&self) -> Option<InFlightPermit> {
        let taken = self.count.fetch_add(1, Ordering::AcqRel);
        // Dropping an unused permit takes the count back.
        let permit = InFlightPermit(Arc::clone(&self.count));
        (taken < self.most).then_some(permit)
    }
}

/// One call in flight, counted until it is dropped.
#[derive(Debug)]
pub struct InFlightPermit(Arc<AtomicU32>);

impl Drop for InFlightPermit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_admitted_again_when_another_ends() {
        let in_flight = InFlight::new(2);
        let first = in_flight.enter().unwrap();
        let _second = in_flight.enter().unwrap();
        assert!(in_flight.enter().is_none());
        assert!(in_flight.enter().is_none());
        drop(first);
        assert!(in_flight.enter().is_some());
    }
}
