//! The edges of the histograms' buckets, in seconds.

use std::time::Duration;

/// Edges for whole calls and upstream calls.
const CALL: [f64; 16] = [
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0,
];

/// Edges for the gateway's own share of a call, and for the ledger's operations.
const OWN: [f64; 16] = [
    0.00005, 0.0001, 0.0002, 0.0003, 0.0005, 0.00075, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025,
    0.05, 0.1, 0.5, 2.0,
];

/// As many edges as those for calls can be, the budget among them.
pub(crate) const MOST_CALL_EDGES: usize = CALL.len() + 1;

/// The edges for a gateway with one budget.
#[derive(Clone, Debug)]
pub(crate) struct Buckets {
    /// For calls; one edge is the budget.
    pub(crate) call: Vec<f64>,
    /// For what the gateway itself does.
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

/// The budget in seconds, to the microsecond, as the number that is spelled as an operator would:
/// adding a fraction to whole seconds may miss it by the last bit.
pub(crate) fn seconds_exactly(budget: Duration) -> f64 {
    let millionths = u32::try_from(budget.as_micros()).unwrap_or(u32::MAX);
    f64::from(millionths) / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_an_edge_once_and_edges_ascend() {
        for (milliseconds, spelled) in [
            (3_000, "3"),
            (2_500, "2.5"),
            (100, "0.1"),
            (3_300, "3.3"),
            (4_350, "4.35"),
            (60_000, "60"),
        ] {
            let edges = Buckets::new(Duration::from_millis(milliseconds)).call;
            let as_spelled = |edge: &&f64| edge.to_string() == spelled;
            assert_eq!(
                edges.iter().filter(as_spelled).count(),
                1,
                "{spelled} in {edges:?}"
            );
            assert!(edges.is_sorted_by(|a, b| a < b), "{edges:?}");
            assert!(edges.len() <= MOST_CALL_EDGES, "{edges:?}");
        }
        assert!(OWN.is_sorted_by(|a, b| a < b));
    }
}
