//! What a run is told by its environment.

use std::hash::BuildHasher;
use std::time::Duration;

/// How long a run of the ordinary tests is.
const STREAM: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// `CHAOS_SEED`: the same plan of calls, refusals and faults; else a new one.
    pub seed: u64,
    /// `CHAOS_SECONDS`: how long calls and faults go on.
    pub stream: Duration,
}

impl Settings {
    pub fn from_environment() -> Self {
        let number = |name| {
            let text = std::env::var(name).ok()?;
            Some(text.parse().unwrap_or_else(|_| panic!("{name}: no number")))
        };
        let random = || std::hash::RandomState::new().hash_one(()) % 1_000_000_000;
        Self {
            seed: number("CHAOS_SEED").unwrap_or_else(random),
            stream: number("CHAOS_SECONDS").map_or(STREAM, Duration::from_secs),
        }
    }
}
