//! Breadth-first search through every state that can be reached.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::time::{Duration, Instant};

use crate::state::State;
use crate::step::{Action, Model};

/// The result of a search.
pub(crate) struct Found {
    pub(crate) states: usize,
    pub(crate) steps: usize,
    pub(crate) depth: usize,
    pub(crate) took: Duration,
    pub(crate) violation: Option<Violation>,
}

/// A violated invariant and a shortest path to it.
pub(crate) struct Violation {
    pub(crate) what: String,
    pub(crate) trace: Vec<String>,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} states, {} steps, depth {}, {:.1?}",
            self.states, self.steps, self.depth, self.took
        )?;
        let Some(violation) = &self.violation else {
            return Ok(());
        };
        write!(f, "\n{}", violation.what)?;
        for (number, action) in violation.trace.iter().enumerate() {
            write!(f, "\n{:4}  {action}", number + 1)?;
        }
        Ok(())
    }
}

/// The visited states by their hash, each with its previous state. Of ten million states, two share a hash of
/// 64 bits with a probability of one in 370,000.
type Visited = HashMap<u64, Option<(u64, Action)>, BuildHasherDefault<Mixer>>;

/// Searches until an invariant is violated or no state is left; at most `bound` states.
pub(crate) fn search(model: &Model, bound: usize) -> Found {
    let began = Instant::now();
    let start = model.scenario.start();
    let number = hash(&start);
    let mut visited = Visited::default();
    visited.insert(number, None);
    let mut level = vec![(number, start)];
    let mut found = Found {
        states: 1,
        steps: 0,
        depth: 0,
        took: Duration::ZERO,
        violation: None,
    };
    while !level.is_empty() && found.violation.is_none() {
        let mut next = Vec::new();
        for (from, state) in &level {
            for action in model.actions(state) {
                let mut reached = state.clone();
                model.apply(&mut reached, action);
                found.steps += 1;
                let number = hash(&reached);
                let Entry::Vacant(vacant) = visited.entry(number) else {
                    continue;
                };
                vacant.insert(Some((*from, action)));
                if let Some(what) = model.violation(&reached) {
                    let trace = describe(model, trace(&visited, number));
                    found.violation = Some(Violation { what, trace });
                    break;
                }
                next.push((number, reached));
            }
            if found.violation.is_some() {
                break;
            }
        }
        found.depth += usize::from(!next.is_empty());
        found.states = visited.len();
        assert!(found.states <= bound, "more states than {bound}: {found}");
        level = next;
    }
    found.took = began.elapsed();
    found
}

fn hash(state: &State) -> u64 {
    let mut hasher = Mixer::default();
    state.hash(&mut hasher);
    hasher.finish()
}

/// A hasher that is fast also without optimisation. Each step is a bijection.
#[derive(Default)]
struct Mixer(u64);

impl Mixer {
    const fn mix(&mut self, word: u64) {
        let mixed = (self.0.rotate_left(17) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.mix(u64::from(*byte));
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.mix(u64::from(number));
    }

    fn write_u32(&mut self, number: u32) {
        self.mix(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.mix(number);
    }

    fn write_i64(&mut self, number: i64) {
        self.mix(number.cast_unsigned());
    }

    fn write_usize(&mut self, number: usize) {
        self.mix(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.mix(number.cast_unsigned() as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

fn trace(visited: &Visited, end: u64) -> Vec<Action> {
    let mut trace = Vec::new();
    let mut at = end;
    while let Some(Some((from, action))) = visited.get(&at) {
        trace.push(*action);
        at = *from;
    }
    trace.reverse();
    trace
}

/// Describes the steps, each with the phase of its call afterwards.
fn describe(model: &Model, actions: Vec<Action>) -> Vec<String> {
    let mut state = model.scenario.start();
    let tell = |action: Action| {
        model.apply(&mut state, action);
        match action {
            Action::Arrive(call, _)
            | Action::Advance(call)
            | Action::Answer(call, _)
            | Action::SwapUnanswered(call) => {
                let call = &state.calls[usize::from(call)];
                let (kind, place) = (call.kind, call.place);
                format!("{action:?}: {kind:?} on {place} {}", call.phase.name())
            }
            _ => format!("{action:?}"),
        }
    };
    actions.into_iter().map(tell).collect()
}
