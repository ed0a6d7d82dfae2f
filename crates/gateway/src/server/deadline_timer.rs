//! One timer for all deadlines of a connection.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::{Instant, Sleep, sleep_until};

/// A timer that is reset as rarely as possible. A later deadline does not reset it: the timer fires early and is
/// then set to the deadline of that moment.
#[derive(Debug, Default)]
pub(super) struct DeadlineTimer {
    timer: Option<Pin<Box<Sleep>>>,
}

impl DeadlineTimer {
    /// Wakes the task at `deadline` or earlier. If `deadline` has passed, wakes it at `next` instead.
    pub(super) fn wake_by(
        &mut self,
        deadline: Instant,
        cx: &mut Context<'_>,
        next: impl FnOnce() -> Instant,
    ) {
        let wakes_in_time =
            |timer: &Pin<Box<Sleep>>| !timer.is_elapsed() && timer.deadline() <= deadline;
        if !self.timer.as_ref().is_some_and(wakes_in_time) && self.has_passed(deadline, cx) {
            let _has_passed = self.has_passed(next(), cx);
        }
    }

    /// Whether the deadline has passed. If not, the task is woken at the deadline or earlier.
    pub(super) fn has_passed(&mut self, deadline: Instant, cx: &mut Context<'_>) -> bool {
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if deadline < timer.deadline() {
            timer.as_mut().reset(deadline);
        }
        loop {
            if timer.as_mut().poll(cx) == Poll::Pending {
                return false;
            }
            if deadline <= Instant::now() {
                return true;
            }
            timer.as_mut().reset(deadline);
        }
    }
}
