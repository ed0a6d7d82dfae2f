//! The bulkhead: how many calls of one biller are under way at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Counts calls in flight against a bound.
#[derive(Clone, Debug)]
pub struct InFlight {
    count: Arc<AtomicU32>,
    most: u32,
}

impl InFlight {
    /// At most `most` calls at once.
    pub fn new(most: u32) -> Self {
        Self {
            count: Arc::default(),
            most,
        }
    }

    /// The same calls in flight under another bound, after a reload.
    #[must_use]
    pub fn with_bound(&self, most: u32) -> Self {
        Self {
            count: Arc::clone(&self.count),
            most,
        }
    }

    /// A place for one call; `None` when all are taken.
    pub fn enter(&self) -> Option<Place> {
        let taken = self.count.fetch_add(1, Ordering::AcqRel);
        // The place is made first: where it is refused, its drop gives the count back.
        let place = Place(Arc::clone(&self.count));
        (taken < self.most).then_some(place)
    }
}

/// One call's place; free again when dropped.
#[derive(Debug)]
pub struct Place(Arc<AtomicU32>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_call_ends() {
        let in_flight = InFlight::new(2);
        let first = in_flight.enter().unwrap();
        let _second = in_flight.enter().unwrap();
        assert!(in_flight.enter().is_none());
        assert!(in_flight.enter().is_none());
        drop(first);
        assert!(in_flight.enter().is_some());
    }
}
