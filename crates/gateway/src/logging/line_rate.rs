//! A bound on log lines that strangers can cause.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Lets one line a second through and counts the others.
#[derive(Debug, Default)]
pub struct LineRate {
    second: AtomicU64,
    left_out: AtomicU64,
}

impl LineRate {
    /// Returns how many lines were left out since the last one; `None` where this one is left out.
    pub fn admit(&self, now: SystemTime) -> Option<u64> {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let second = since.as_secs();
        if self.second.swap(second, Ordering::Relaxed) == second {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(self.left_out.swap(0, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn one_line_a_second_is_let_through_and_says_how_many_were_not() {
        let rate = LineRate::default();
        let at = |millis| rate.admit(UNIX_EPOCH + Duration::from_millis(millis));
        assert_eq!(at(5_000), Some(0));
        assert_eq!((at(5_001), at(5_999)), (None, None));
        assert_eq!(at(6_000), Some(2));
        assert_eq!(at(7_500), Some(0));
    }
}
