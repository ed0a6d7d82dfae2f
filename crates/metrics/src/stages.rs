//! Where the time of calls goes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::exposition::Exposition;
use crate::label::{ApiLabel, Label, Stage};
use crate::per_label::PerLabel;
use crate::series::STAGE_SECONDS;

impl Stage {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// Its place among them, from 0 on.
    pub fn place(self) -> usize {
        self.index()
    }

    /// Its name, as the label has it.
    pub fn name(self) -> &'static str {
        self.text()
    }
}

/// How long one call was in each stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageTimes([Duration; Stage::COUNT]);

impl StageTimes {
    /// What `time` says of each stage.
    pub fn of(mut time: impl FnMut(Stage) -> Duration) -> Self {
        let mut times = Self::default();
        for (stage, slot) in Stage::ALL.iter().zip(&mut times.0) {
            *slot = time(*stage);
        }
        times
    }

    /// The time in one stage.
    pub fn get(&self, stage: Stage) -> Duration {
        self.0[stage.place()]
    }

    /// Every stage with its time, in the stages' order.
    pub fn iter(&self) -> impl Iterator<Item = (Stage, Duration)> + '_ {
        Stage::ALL.iter().copied().zip(self.0)
    }
}

/// `relay_stage_seconds_total` of one API.
///
/// Whole nanoseconds: one addition each, where the library's counter of fractions would try again
/// and again while workers meet. 64 bits hold the time of a thousand calls at once for half a year,
/// and a counter that begins anew is no news to Prometheus.
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
            // Most calls skip some: a pooled connection takes no time to get.
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
            STAGE_SECONDS.show_counter(&labels, seconds, exposition);
        }
    }
}
