//! The circuit breaker of a party (contract section 4, "Protection").

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::CircuitOutcome;

/// The `Retry-After` of calls that are refused during a probe, which ends within the budget of a call.
const PROBE_RETRY_AFTER: Duration = Duration::from_secs(1);

/// The circuit breaker of a party, shared by all workers. A clone is the same circuit. The time is an argument.
///
/// Consecutive failures open the circuit. After its open time, one call at a time is a probe: its success closes the
/// circuit and its failure opens it again.
#[derive(Clone)]
pub struct Circuit(Arc<SharedCircuit>);

/// The state behind the `Arc`. Every call reads it; with the two counts of the `Arc` it fills one cache line.
struct SharedCircuit {
    failures: u32,
    open_for_millis: u64,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    phase: Phase,
    /// The number of changes between phases. The outcome of a call that was admitted in an earlier phase is ignored.
    generation: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Closed { failures: u32 },
    HalfOpen { probing: bool },
    Open { until: Instant },
}

/// The state of a circuit, as the gauge `relay_circuit_state` shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CircuitState {
    /// Every call is admitted.
    Closed,
    /// One call at a time is admitted.
    HalfOpen,
    /// No call is admitted. The state stays open after its time until the next call.
    Open,
}

impl CircuitState {
    /// The value of the gauge: 0 closed, 1 half-open, 2 open.
    pub fn gauge(self) -> i64 {
        match self {
            Self::Closed => 0,
            Self::HalfOpen => 1,
            Self::Open => 2,
        }
    }
}

/// Whether a call is admitted. The outcome of an admitted call must be recorded with its permit.
#[derive(Debug)]
pub enum CircuitDecision {
    /// The call is admitted.
    Closed(CircuitPermit),
    /// The call is admitted as the only one, and its outcome decides the next state.
    Probe(CircuitPermit),
    /// The call is refused.
    Open {
        /// After what time to try again; more than zero.
        retry_after: Duration,
    },
}

/// The permit of an admitted call. If it is dropped without an outcome, the call is not counted and the next call
/// may be the probe instead.
#[derive(Debug)]
#[must_use]
pub struct CircuitPermit {
    circuit: Circuit,
    kind: PermitKind,
    generation: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PermitKind {
    Ordinary,
    Probe,
    Always,
    /// The outcome was recorded.
    Recorded,
}

impl Circuit {
    /// Creates a closed circuit. `failures` consecutive failures (at least one) open it for `open_for`, in whole
    /// milliseconds.
    pub fn new(failures: u32, open_for: Duration) -> Self {
        let state = State {
            phase: Phase::Closed { failures: 0 },
            generation: 0,
        };
        Self(Arc::new(SharedCircuit {
            failures: failures.max(1),
            open_for_millis: u64::try_from(open_for.as_millis()).unwrap_or(u64::MAX),
            state: Mutex::new(state),
        }))
    }

    /// Decides whether a call is admitted at `now`.
    pub fn admit(&self, now: Instant) -> CircuitDecision {
        let mut state = self.lock();
        match state.phase {
            Phase::Closed { .. } => {
                return CircuitDecision::Closed(
                    self.permit(PermitKind::Ordinary, state.generation),
                );
            }
            Phase::Open { until } if now < until => {
                return CircuitDecision::Open {
                    retry_after: until - now,
                };
            }
            Phase::HalfOpen { probing: true } => {
                return CircuitDecision::Open {
                    retry_after: PROBE_RETRY_AFTER,
                };
            }
            Phase::Open { .. } => state.change(Phase::HalfOpen { probing: true }),
            Phase::HalfOpen { probing: false } => state.phase = Phase::HalfOpen { probing: true },
        }
        CircuitDecision::Probe(self.permit(PermitKind::Probe, state.generation))
    }

    /// Admits a call in any state, for `pay_result`. Its success closes the circuit and its failure counts.
    pub fn admit_always(&self) -> CircuitPermit {
        let generation = self.lock().generation;
        self.permit(PermitKind::Always, generation)
    }

    /// The state after the last call.
    pub fn state(&self) -> CircuitState {
        self.lock().public_state()
    }

    fn permit(&self, kind: PermitKind, generation: u64) -> CircuitPermit {
        CircuitPermit {
            circuit: self.clone(),
            kind,
            generation,
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

impl CircuitPermit {
    /// Records the outcome of the call at `now`. Returns the circuit's new state if it changed.
    pub fn record(mut self, outcome: CircuitOutcome, now: Instant) -> Option<CircuitState> {
        let kind = std::mem::replace(&mut self.kind, PermitKind::Recorded);
        let limits = &*self.circuit.0;
        let mut state = self.circuit.lock();
        let before = state.public_state();
        let is_current = state.generation == self.generation;
        let open = Phase::Open {
            until: now + Duration::from_millis(limits.open_for_millis),
        };
        match (outcome, kind, state.phase) {
            (CircuitOutcome::Success, PermitKind::Ordinary, Phase::Closed { .. }) if is_current => {
                state.phase = Phase::Closed { failures: 0 };
            }
            (
                CircuitOutcome::Success,
                PermitKind::Probe | PermitKind::Always,
                Phase::Closed { .. },
            ) => {
                state.phase = Phase::Closed { failures: 0 };
            }
            (CircuitOutcome::Success, PermitKind::Probe | PermitKind::Always, _) => {
                state.change(Phase::Closed { failures: 0 });
            }
            (CircuitOutcome::Failure, _, Phase::Closed { failures }) if is_current => {
                if failures + 1 >= limits.failures {
                    state.change(open);
                } else {
                    state.phase = Phase::Closed {
                        failures: failures + 1,
                    };
                }
            }
            (
                CircuitOutcome::Failure,
                PermitKind::Probe | PermitKind::Always,
                Phase::HalfOpen { .. },
            ) if is_current => {
                state.change(open);
            }
            (CircuitOutcome::Neutral, PermitKind::Probe, Phase::HalfOpen { .. }) if is_current => {
                state.phase = Phase::HalfOpen { probing: false };
            }
            _ => {}
        }
        let after = state.public_state();
        (after != before).then_some(after)
    }
}

impl Drop for CircuitPermit {
    fn drop(&mut self) {
        if self.kind == PermitKind::Probe {
            let mut state = self.circuit.lock();
            if state.generation == self.generation
                && state.phase == (Phase::HalfOpen { probing: true })
            {
                state.phase = Phase::HalfOpen { probing: false };
            }
        }
    }
}

impl State {
    fn change(&mut self, phase: Phase) {
        self.phase = phase;
        self.generation += 1;
    }

    fn public_state(&self) -> CircuitState {
        match self.phase {
            Phase::Closed { .. } => CircuitState::Closed,
            Phase::HalfOpen { .. } => CircuitState::HalfOpen,
            Phase::Open { .. } => CircuitState::Open,
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
    fn a_circuit_and_the_counts_of_its_arc_fill_one_cache_line() {
        assert_eq!(size_of::<SharedCircuit>() + 2 * size_of::<usize>(), 64);
    }

    fn ordinary(circuit: &Circuit, now: Instant) -> CircuitPermit {
        match circuit.admit(now) {
            CircuitDecision::Closed(permit) => permit,
            other => panic!("{other:?}"),
        }
    }

    fn probe(circuit: &Circuit, now: Instant) -> CircuitPermit {
        match circuit.admit(now) {
            CircuitDecision::Probe(permit) => permit,
            other => panic!("{other:?}"),
        }
    }

    fn refused(circuit: &Circuit, now: Instant) -> Duration {
        match circuit.admit(now) {
            CircuitDecision::Open { retry_after } => retry_after,
            other => panic!("{other:?}"),
        }
    }

    /// Returns a circuit that three failures have opened at `now`.
    fn opened(now: Instant) -> Circuit {
        let circuit = Circuit::new(3, OPEN_FOR);
        let changes: Vec<_> = (0..3)
            .map(|_| ordinary(&circuit, now).record(CircuitOutcome::Failure, now))
            .collect();
        assert_eq!(changes, [None, None, Some(CircuitState::Open)]);
        circuit
    }

    #[test]
    fn consecutive_failures_open_the_circuit_and_a_success_resets_their_count() {
        let now = Instant::now();
        let circuit = Circuit::new(3, OPEN_FOR);
        for outcome in [
            CircuitOutcome::Failure,
            CircuitOutcome::Failure,
            CircuitOutcome::Success,
        ]
        .repeat(4)
        {
            assert_eq!(ordinary(&circuit, now).record(outcome, now), None);
        }
        for outcome in [
            CircuitOutcome::Failure,
            CircuitOutcome::Neutral,
            CircuitOutcome::Failure,
        ] {
            assert_eq!(ordinary(&circuit, now).record(outcome, now), None);
        }
        let change = ordinary(&circuit, now).record(CircuitOutcome::Failure, now);
        assert_eq!(change, Some(CircuitState::Open));
    }

    #[test]
    fn an_open_circuit_refuses_calls_until_its_time_has_passed() {
        let now = Instant::now();
        let circuit = opened(now);
        assert_eq!(refused(&circuit, now), OPEN_FOR);
        let later = now + Duration::from_millis(4999);
        assert_eq!(refused(&circuit, later), Duration::from_millis(1));
        assert_eq!(circuit.state(), CircuitState::Open);
    }

    #[test]
    fn one_call_at_a_time_is_a_probe_and_its_outcome_decides_the_state() {
        let now = Instant::now();
        for (outcome, state) in [
            (CircuitOutcome::Success, CircuitState::Closed),
            (CircuitOutcome::Failure, CircuitState::Open),
        ] {
            let circuit = opened(now);
            let then = now + OPEN_FOR;
            let permit = probe(&circuit, then);
            assert_eq!(circuit.state(), CircuitState::HalfOpen);
            assert_eq!(refused(&circuit, then), PROBE_RETRY_AFTER);
            assert_eq!(permit.record(outcome, then), Some(state));
        }
    }

    #[test]
    fn after_a_probe_without_an_outcome_the_next_call_is_the_probe() {
        let now = Instant::now();
        let circuit = opened(now);
        let then = now + OPEN_FOR;
        drop(probe(&circuit, then));
        assert_eq!(
            probe(&circuit, then).record(CircuitOutcome::Neutral, then),
            None
        );
        let change = probe(&circuit, then).record(CircuitOutcome::Success, then);
        assert_eq!(change, Some(CircuitState::Closed));
    }

    #[test]
    fn a_failed_probe_opens_the_circuit_for_the_whole_time_again() {
        let now = Instant::now();
        let circuit = opened(now);
        let then = now + OPEN_FOR;
        let failed = then + Duration::from_secs(3);
        probe(&circuit, then).record(CircuitOutcome::Failure, failed);
        assert_eq!(refused(&circuit, failed), OPEN_FOR);
    }

    #[test]
    fn a_call_that_is_always_admitted_closes_the_circuit_and_counts() {
        let now = Instant::now();
        let circuit = opened(now);
        let change = circuit.admit_always().record(CircuitOutcome::Success, now);
        assert_eq!(change, Some(CircuitState::Closed));

        let changes: Vec<_> = (0..3)
            .map(|_| circuit.admit_always().record(CircuitOutcome::Failure, now))
            .collect();
        assert_eq!(changes, [None, None, Some(CircuitState::Open)]);

        // Its failure while the circuit is open does not postpone the next probe.
        let later = now + Duration::from_secs(4);
        circuit
            .admit_always()
            .record(CircuitOutcome::Failure, later);
        drop(probe(&circuit, now + OPEN_FOR));
        let change = circuit
            .admit_always()
            .record(CircuitOutcome::Failure, later);
        assert_eq!(change, Some(CircuitState::Open));
    }

    #[test]
    fn outcomes_of_calls_from_an_earlier_phase_are_ignored() {
        let now = Instant::now();
        let circuit = Circuit::new(1, OPEN_FOR);
        let (late_success, late_failure) = (ordinary(&circuit, now), ordinary(&circuit, now));
        ordinary(&circuit, now).record(CircuitOutcome::Failure, now);
        assert_eq!(late_success.record(CircuitOutcome::Success, now), None);
        assert_eq!(circuit.state(), CircuitState::Open);

        let then = now + OPEN_FOR;
        probe(&circuit, then).record(CircuitOutcome::Success, then);
        assert_eq!(late_failure.record(CircuitOutcome::Failure, then), None);
        assert_eq!(circuit.state(), CircuitState::Closed);
    }

    #[test]
    fn a_clone_is_the_same_circuit() {
        let now = Instant::now();
        let circuit = Circuit::new(1, OPEN_FOR);
        ordinary(&circuit.clone(), now).record(CircuitOutcome::Failure, now);
        assert_eq!(circuit.state().gauge(), 2);
    }
}
