//! The time of calls by stage.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::exposition::Exposition;
use crate::label::{ApiLabel, Label, PerLabel, Stage};
use crate::series::STAGE_SECONDS;

impl Stage {
    /// The number of stages.
    pub const COUNT: usize = Self::ALL.len();

    /// The stage's position, from 0 on.
    pub fn place(self) -> usize {
        self.index()
    }

    /// The stage's name, as in the label.
    pub fn name(self) -> &'static str {
        self.text()
    }
}

/// The time of one call in each stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageTimes([Duration; Stage::COUNT]);

impl StageTimes {
    /// Returns the times that `time` returns for each stage.
    pub fn of(mut time: impl FnMut(Stage) -> Duration) -> Self {
        let mut times = Self::default();
        for (stage, slot) in Stage::ALL.iter().zip(&mut times.0) {
            *slot = time(*stage);
        }
        times
    }

    /// Returns the time in one stage.
    pub fn get(&self, stage: Stage) -> Duration {
        self.0[stage.place()]
    }

    /// Iterates over the stages and their times, in the stages' order.
    pub fn iter(&self) -> impl Iterator<Item = (Stage, Duration)> + '_ {
        Stage::ALL.iter().copied().zip(self.0)
    }
}

/// `relay_stage_seconds_total` of one API.
///
/// The counters are in nanoseconds, so that counting is one atomic addition. The library's counter of
/// fractions retries under contention. A thousand calls at a time overflow 64 bits after half a year, which
/// Prometheus treats as a counter reset.
pub(crate) struct StageSeconds {
    api: ApiLabel,
    nanoseconds: PerLabel<Stage, AtomicU64>,
}

impl StageSeconds {
    pub(crate) fn new(api: ApiLabel) -> Self {
        Self {
            api,
            nanoseconds: PerLabel::new(|_| AtomicU64::new(0)),
        }
    }

    pub(crate) fn count(&self, times: &StageTimes) {
        for (counter, time) in self.nanoseconds.iter().zip(times.0) {
            // Most calls skip some stages, such as the connection setup with a pooled connection.
            if !time.is_zero() {
                let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
                counter.fetch_add(nanoseconds, Ordering::Relaxed);
            }
        }
    }

    pub(crate) fn expose(&self, exposition: &mut Exposition) {
        for (stage, counter) in Stage::ALL.iter().zip(self.nanoseconds.iter()) {
            let seconds = Duration::from_nanos(counter.load(Ordering::Relaxed)).as_secs_f64();
            let labels = [("api", self.api.text()), ("stage", stage.text())];
            exposition.counter(&STAGE_SECONDS, &labels, seconds);
        }
    }
}
