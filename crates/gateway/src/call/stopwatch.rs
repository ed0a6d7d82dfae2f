//! The stage times of one call, from its head to its answer.

use std::cell::Cell;
use std::time::Duration;

use metrics::{Stage, StageTimes};
use tokio::time::Instant;

/// Adds up the time of each stage. A call is in exactly one stage at a time, so the stages add up to its
/// total. A change of stage costs one read of the clock.
#[derive(Debug)]
pub(super) struct Stopwatch {
    began: Instant,
    stage: Cell<Stage>,
    since: Cell<Instant>,
    spent: [Cell<Duration>; Stage::COUNT],
}

impl Stopwatch {
    /// Starts with [`Stage::Admission`] at `began`, when the request's head was read.
    pub(super) fn begin(began: Instant) -> Self {
        Self {
            began,
            stage: Cell::new(Stage::Admission),
            since: Cell::new(began),
            spent: std::array::from_fn(|_| Cell::new(Duration::ZERO)),
        }
    }

    /// Ends the current stage at `now` and starts `stage`.
    pub(super) fn enter(&self, stage: Stage, now: Instant) {
        let took = now.saturating_duration_since(self.since.get());
        self.add(self.stage.replace(stage), took);
        self.since.set(self.since.get().max(now));
    }

    /// Returns the start of the current stage.
    pub(super) fn since(&self) -> Instant {
        self.since.get()
    }

    /// Counts the first part of the current stage for `stage`: `took`, or all that has passed if that is less.
    pub(super) fn split_off(&self, stage: Stage, took: Duration, now: Instant) {
        let passed = now.saturating_duration_since(self.since.get());
        let took = took.min(passed);
        self.add(stage, took);
        self.since.set(self.since.get() + took);
    }

    /// Returns the call's duration up to `now`.
    pub(super) fn total(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.began)
    }

    /// Returns the time of each stage, the current one up to `now`.
    pub(super) fn times(&self, now: Instant) -> StageTimes {
        self.enter(self.stage.get(), now);
        StageTimes::of(|stage| self.spent[stage.place()].get())
    }

    fn add(&self, stage: Stage, took: Duration) {
        let spent = &self.spent[stage.place()];
        spent.set(spent.get() + took);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn the_stages_add_up_to_the_whole() {
        let began = Instant::now();
        let watch = Stopwatch::begin(began);
        for (stage, at) in [(Stage::Parse, 2), (Stage::Ledger, 3), (Stage::Upstream, 10)] {
            watch.enter(stage, began + ms(at));
        }
        watch.split_off(Stage::Connect, ms(4), began + ms(90));
        watch.enter(Stage::Settle, began + ms(90));
        watch.enter(Stage::Reply, began + ms(99));
        let end = began + ms(100);
        let times = watch.times(end);
        let expected = [2, 1, 7, 4, 76, 9, 1].map(ms);
        assert!(times.iter().map(|(_, time)| time).eq(expected), "{times:?}");
        let sum: Duration = times.iter().map(|(_, time)| time).sum();
        assert_eq!(sum, watch.total(end));
    }

    #[test]
    fn a_stage_that_is_entered_again_continues_its_time() {
        let began = Instant::now();
        let watch = Stopwatch::begin(began);
        watch.enter(Stage::Ledger, began + ms(1));
        watch.enter(Stage::Reply, began + ms(2));
        watch.enter(Stage::Ledger, began + ms(4));
        let times = watch.times(began + ms(9));
        assert_eq!(times.get(Stage::Ledger), ms(6));
        assert_eq!(times.get(Stage::Reply), ms(2));
    }

    #[test]
    fn more_than_has_passed_cannot_be_split_off_and_no_time_is_counted_twice() {
        let began = Instant::now();
        let watch = Stopwatch::begin(began);
        watch.enter(Stage::Upstream, began + ms(5));
        watch.split_off(Stage::Connect, ms(50), began + ms(8));
        // A look at the clock that comes late.
        watch.enter(Stage::Reply, began + ms(7));
        let times = watch.times(began + ms(8));
        assert_eq!(times.get(Stage::Connect), ms(3));
        assert_eq!(times.get(Stage::Upstream), Duration::ZERO);
        assert_eq!(times.get(Stage::Reply), Duration::ZERO);
    }
}
