//! When to leave a party alone (contract section 4, "Protection").

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Outcome;

/// When to come again while another call is probing: a probe ends within a call's budget.
const PROBE_WAIT: Duration = Duration::from_secs(1);

/// A party's circuit, shared by all workers; a clone is the same circuit. Time comes in.
///
/// Failures in a row open it. Once it has been open for its time, one call at a time probes: its
/// success closes the circuit, its failure opens it again.
#[derive(Clone)]
pub struct Circuit(Arc<Inner>);

/// With the two counts of its `Arc` it fills one line of a processor's cache: every call is in want of it.
struct Inner {
    failures: u32,
    open_for_millis: u64,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    gate: Gate,
    /// Counts the changes of `gate`'s kind: the outcome of a call that was let in under an earlier
    /// one is old news.
    era: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gate {
    Closed { failures: u32 },
    HalfOpen { probing: bool },
    Open { until: Instant },
}

/// The gauge `relay_circuit_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CircuitState {
    /// Every call goes.
    Closed,
    /// One call at a time goes.
    HalfOpen,
    /// No call goes; also when its time is over and nobody has called since.
    Open,
}

impl CircuitState {
    /// 0 closed, 1 half-open, 2 open.
    pub fn gauge(self) -> i64 {
        match self {
            Self::Closed => 0,
            Self::HalfOpen => 1,
            Self::Open => 2,
        }
    }
}

/// Whether a call may go. What comes of it is to be told to its permit.
#[derive(Debug)]
pub enum Admission {
    /// It goes.
    Closed(Permit),
    /// It goes, alone, and what comes of it decides.
    Probe(Permit),
    /// It does not go.
    Open {
        /// When to come again; more than zero.
        retry_after: Duration,
    },
}

/// A call that was let in. Dropped without an outcome (the caller is gone), it counts for nothing,
/// and the next call may probe in its place.
#[derive(Debug)]
#[must_use]
pub struct Permit {
    circuit: Circuit,
    kind: Kind,
    era: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Ordinary,
    Probe,
    Always,
    /// The outcome is told.
    Spent,
}

impl Circuit {
    /// Closed. `failures` in a row (at least one) open it for `open_for`, in whole milliseconds.
    pub fn new(failures: u32, open_for: Duration) -> Self {
        let state = State {
            gate: Gate::Closed { failures: 0 },
            era: 0,
        };
        Self(Arc::new(Inner {
            failures: failures.max(1),
            open_for_millis: u64::try_from(open_for.as_millis()).unwrap_or(u64::MAX),
            state: Mutex::new(state),
        }))
    }

    /// For the calls that an open circuit turns away.
    pub fn admit(&self, now: Instant) -> Admission {
        let mut state = self.lock();
        match state.gate {
            Gate::Closed { .. } => {
                return Admission::Closed(self.permit(Kind::Ordinary, state.era));
            }
            Gate::Open { until } if now < until => {
                return Admission::Open {
                    retry_after: until - now,
                };
            }
            Gate::HalfOpen { probing: true } => {
                return Admission::Open {
                    retry_after: PROBE_WAIT,
                };
            }
            Gate::Open { .. } => state.change(Gate::HalfOpen { probing: true }),
            Gate::HalfOpen { probing: false } => state.gate = Gate::HalfOpen { probing: true },
        }
        Admission::Probe(self.permit(Kind::Probe, state.era))
    }

    /// For `pay_result`, which is always tried: its success closes the circuit, its failure counts.
    pub fn admit_always(&self) -> Permit {
        let era = self.lock().era;
        self.permit(Kind::Always, era)
    }

    /// The state as of the last call.
    pub fn state(&self) -> CircuitState {
        self.lock().as_seen()
    }

    fn permit(&self, kind: Kind, era: u64) -> Permit {
        Permit {
            circuit: self.clone(),
            kind,
            era,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Circuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Circuit").field(&self.state()).finish()
    }
}

impl Permit {
    /// Tells the outcome, which came at `now`. The circuit's new state where it changed.
    pub fn record(mut self, outcome: Outcome, now: Instant) -> Option<CircuitState> {
        let kind = std::mem::replace(&mut self.kind, Kind::Spent);
        let limits = &*self.circuit.0;
        let mut state = self.circuit.lock();
        let before = state.as_seen();
        let current = state.era == self.era;
        let open = Gate::Open {
            until: now + Duration::from_millis(limits.open_for_millis),
        };
        match (outcome, kind, state.gate) {
            (Outcome::Success, Kind::Ordinary, Gate::Closed { .. }) if current => {
                state.gate = Gate::Closed { failures: 0 };
            }
            (Outcome::Success, Kind::Probe | Kind::Always, Gate::Closed { .. }) => {
                state.gate = Gate::Closed { failures: 0 };
            }
            (Outcome::Success, Kind::Probe | Kind::Always, _) => {
                state.change(Gate::Closed { failures: 0 });
            }
            (Outcome::Failure, _, Gate::Closed { failures }) if current => {
                if failures + 1 >= limits.failures {
                    state.change(open);
                } else {
                    state.gate = Gate::Closed {
                        failures: failures + 1,
                    };
                }
            }
            (Outcome::Failure, Kind::Probe | Kind::Always, Gate::HalfOpen { .. }) if current => {
                state.change(open);
            }
            (Outcome::Neutral, Kind::Probe, Gate::HalfOpen { .. }) if current => {
                state.gate = Gate::HalfOpen { probing: false };
            }
            _ => {}
        }
        let after = state.as_seen();
        (after != before).then_some(after)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.kind == Kind::Probe {
            let mut state = self.circuit.lock();
            if state.era == self.era && state.gate == (Gate::HalfOpen { probing: true }) {
                state.gate = Gate::HalfOpen { probing: false };
            }
        }
    }
}

impl State {
    fn change(&mut self, gate: Gate) {
        self.gate = gate;
        self.era += 1;
    }

    fn as_seen(&self) -> CircuitState {
        match self.gate {
            Gate::Closed { .. } => CircuitState::Closed,
            Gate::HalfOpen { .. } => CircuitState::HalfOpen,
            Gate::Open { .. } => CircuitState::Open,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const OPEN_FOR: Duration = Duration::from_secs(5);

    #[test]
    #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
    fn a_circuit_and_the_counts_of_its_arc_fill_one_line_of_cache() {
        assert_eq!(size_of::<Inner>() + 2 * size_of::<usize>(), 64);
    }

    fn ordinary(circuit: &Circuit, now: Instant) -> Permit {
        match circuit.admit(now) {
            Admission::Closed(permit) => permit,
            other => panic!("{other:?}"),
        }
    }

    fn probe(circuit: &Circuit, now: Instant) -> Permit {
        match circuit.admit(now) {
            Admission::Probe(permit) => permit,
            other => panic!("{other:?}"),
        }
    }

    fn turned_away(circuit: &Circuit, now: Instant) -> Duration {
        match circuit.admit(now) {
            Admission::Open { retry_after } => retry_after,
            other => panic!("{other:?}"),
        }
    }

    /// Opened at `now` by its three failures.
    fn opened(now: Instant) -> Circuit {
        let circuit = Circuit::new(3, OPEN_FOR);
        let changes: Vec<_> = (0..3)
            .map(|_| ordinary(&circuit, now).record(Outcome::Failure, now))
            .collect();
        assert_eq!(changes, [None, None, Some(CircuitState::Open)]);
        circuit
    }

    #[test]
    fn failures_in_a_row_open_it_and_a_success_begins_the_row_anew() {
        let now = Instant::now();
        let circuit = Circuit::new(3, OPEN_FOR);
        for outcome in [Outcome::Failure, Outcome::Failure, Outcome::Success].repeat(4) {
            assert_eq!(ordinary(&circuit, now).record(outcome, now), None);
        }
        for outcome in [Outcome::Failure, Outcome::Neutral, Outcome::Failure] {
            assert_eq!(ordinary(&circuit, now).record(outcome, now), None);
        }
        let change = ordinary(&circuit, now).record(Outcome::Failure, now);
        assert_eq!(change, Some(CircuitState::Open));
    }

    #[test]
    fn an_open_circuit_turns_calls_away_until_its_time_is_over() {
        let now = Instant::now();
        let circuit = opened(now);
        assert_eq!(turned_away(&circuit, now), OPEN_FOR);
        let later = now + Duration::from_millis(4999);
        assert_eq!(turned_away(&circuit, later), Duration::from_millis(1));
        assert_eq!(circuit.state(), CircuitState::Open);
    }

    #[test]
    fn one_call_at_a_time_probes_and_its_outcome_decides() {
        let now = Instant::now();
        for (outcome, state) in [
            (Outcome::Success, CircuitState::Closed),
            (Outcome::Failure, CircuitState::Open),
        ] {
            let circuit = opened(now);
            let then = now + OPEN_FOR;
            let permit = probe(&circuit, then);
            assert_eq!(circuit.state(), CircuitState::HalfOpen);
            assert_eq!(turned_away(&circuit, then), PROBE_WAIT);
            assert_eq!(permit.record(outcome, then), Some(state));
        }
    }

    #[test]
    fn a_probe_that_says_nothing_leaves_its_place_to_the_next() {
        let now = Instant::now();
        let circuit = opened(now);
        let then = now + OPEN_FOR;
        drop(probe(&circuit, then));
        assert_eq!(probe(&circuit, then).record(Outcome::Neutral, then), None);
        let change = probe(&circuit, then).record(Outcome::Success, then);
        assert_eq!(change, Some(CircuitState::Closed));
    }

    #[test]
    fn a_failed_probe_opens_it_for_the_whole_time_again() {
        let now = Instant::now();
        let circuit = opened(now);
        let then = now + OPEN_FOR;
        let failed = then + Duration::from_secs(3);
        probe(&circuit, then).record(Outcome::Failure, failed);
        assert_eq!(turned_away(&circuit, failed), OPEN_FOR);
    }

    #[test]
    fn a_call_that_is_always_tried_closes_it_and_counts() {
        let now = Instant::now();
        let circuit = opened(now);
        let change = circuit.admit_always().record(Outcome::Success, now);
        assert_eq!(change, Some(CircuitState::Closed));

        let changes: Vec<_> = (0..3)
            .map(|_| circuit.admit_always().record(Outcome::Failure, now))
            .collect();
        assert_eq!(changes, [None, None, Some(CircuitState::Open)]);

        // Its failure while open does not keep the probes away.
        let later = now + Duration::from_secs(4);
        circuit.admit_always().record(Outcome::Failure, later);
        drop(probe(&circuit, now + OPEN_FOR));
        let change = circuit.admit_always().record(Outcome::Failure, later);
        assert_eq!(change, Some(CircuitState::Open));
    }

    #[test]
    fn old_news_change_nothing() {
        let now = Instant::now();
        let circuit = Circuit::new(1, OPEN_FOR);
        let (late_success, late_failure) = (ordinary(&circuit, now), ordinary(&circuit, now));
        ordinary(&circuit, now).record(Outcome::Failure, now);
        assert_eq!(late_success.record(Outcome::Success, now), None);
        assert_eq!(circuit.state(), CircuitState::Open);

        let then = now + OPEN_FOR;
        probe(&circuit, then).record(Outcome::Success, then);
        assert_eq!(late_failure.record(Outcome::Failure, then), None);
        assert_eq!(circuit.state(), CircuitState::Closed);
    }

    #[test]
    fn a_clone_is_the_same_circuit() {
        let now = Instant::now();
        let circuit = Circuit::new(1, OPEN_FOR);
        ordinary(&circuit.clone(), now).record(Outcome::Failure, now);
        assert_eq!(circuit.state().gauge(), 2);
    }
}
