//! The bounds of the histograms' buckets, in seconds.

use std::time::Duration;

/// The bounds for whole calls and upstream calls.
const CALL: [f64; 16] = [
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0,
];

/// The bounds for the gateway's part of a call and for the ledger's operations.
const OWN: [f64; 16] = [
    0.00005, 0.0001, 0.0002, 0.0003, 0.0005, 0.00075, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025,
    0.05, 0.1, 0.5, 2.0,
];

/// The most bounds for calls, including the budget.
pub(crate) const MAX_CALL_BOUNDS: usize = CALL.len() + 1;

/// The bounds for a gateway with a given budget.
#[derive(Clone, Debug)]
pub(crate) struct Buckets {
    /// For calls. The budget is one of the bounds.
    pub(crate) call: Vec<f64>,
    /// For the gateway's own work.
    pub(crate) own: Vec<f64>,
}

impl Buckets {
    pub(crate) fn new(budget: Duration) -> Self {
        let mut call = CALL.to_vec();
        call.push(seconds_exactly(budget));
        call.sort_by(f64::total_cmp);
        call.dedup();
        Self {
            call,
            own: OWN.to_vec(),
        }
    }
}

/// Returns the budget in seconds, exact to the microsecond. The result prints as in the configuration;
/// `Duration::as_secs_f64` may differ in the last bit.
pub(crate) fn seconds_exactly(budget: Duration) -> f64 {
    let millionths = u32::try_from(budget.as_micros()).unwrap_or(u32::MAX);
    f64::from(millionths) / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_a_bound_once_and_bounds_ascend() {
        for (milliseconds, spelled) in [
            (3_000, "3"),
            (2_500, "2.5"),
            (100, "0.1"),
            (3_300, "3.3"),
            (4_350, "4.35"),
            (60_000, "60"),
        ] {
            let bounds = Buckets::new(Duration::from_millis(milliseconds)).call;
            let as_spelled = |bound: &&f64| bound.to_string() == spelled;
            assert_eq!(
                bounds.iter().filter(as_spelled).count(),
                1,
                "{spelled} in {bounds:?}"
            );
            assert!(bounds.is_sorted_by(|a, b| a < b), "{bounds:?}");
            assert!(bounds.len() <= MAX_CALL_BOUNDS, "{bounds:?}");
        }
        assert!(OWN.is_sorted_by(|a, b| a < b));
    }
}
