//! What a run is told by its environment.

use std::hash::BuildHasher;
use std::time::Duration;

/// How long a run of the ordinary tests is.
const STREAM: Duration = Duration::from_secs(6);

#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// `CHAOS_SEED`: the same plan of calls, refusals and faults; else a new one.
    pub seed: u64,
    /// `CHAOS_SECONDS`
    stream: Option<Duration>,
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
            stream: number("CHAOS_SECONDS").map(Duration::from_secs),
        }
    }

    /// How long calls and faults go on.
    pub fn stream(&self) -> Duration {
        self.stream.unwrap_or(STREAM)
    }

    /// Much shorter, unless the environment says how long: where servers choose among themselves, one
    /// fault alone takes seconds.
    #[must_use]
    pub fn shortened(self) -> Self {
        let stream = self.stream.unwrap_or(STREAM / 3);
        Self {
            stream: Some(stream),
            ..self
        }
    }
}
