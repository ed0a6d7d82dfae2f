//! The settings of a run, from environment variables.

use std::hash::BuildHasher;
use std::time::Duration;

/// The time of load and faults in an ordinary test run.
const DURATION: Duration = Duration::from_secs(6);

#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// `CHAOS_SEED`, else a random one; the same seed gives the same plan of calls, refusals and faults.
    pub seed: u64,
    /// `CHAOS_SECONDS`
    duration: Option<Duration>,
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
            duration: number("CHAOS_SECONDS").map(Duration::from_secs),
        }
    }

    /// Returns the time of load and faults.
    pub fn duration(&self) -> Duration {
        self.duration.unwrap_or(DURATION)
    }

    /// Returns the settings with a third of the default duration, unless `CHAOS_SECONDS` is set: one
    /// failover alone takes seconds.
    #[must_use]
    pub fn shortened(self) -> Self {
        let duration = self.duration.unwrap_or(DURATION / 3);
        Self {
            duration: Some(duration),
            ..self
        }
    }
}
