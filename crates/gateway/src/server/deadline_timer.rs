//! One timer for all the deadlines of a connection.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::{Instant, Sleep, sleep_until};

/// A timer that is set again as seldom as possible: a deadline that moves away leaves it alone, so it may
/// ring early, and is only then set to what holds by that time.
#[derive(Debug, Default)]
pub(super) struct DeadlineTimer {
    timer: Option<Pin<Box<Sleep>>>,
}

impl DeadlineTimer {
    /// Has the task woken at that time or before; where it is over, at the `next` that may be named.
    pub(super) fn wake_by(
        &mut self,
        deadline: Instant,
        cx: &mut Context<'_>,
        next: impl FnOnce() -> Instant,
    ) {
        let rings = |timer: &Pin<Box<Sleep>>| !timer.is_elapsed() && timer.deadline() <= deadline;
        if !self.timer.as_ref().is_some_and(rings) && self.is_over(deadline, cx) {
            let _is_over = self.is_over(next(), cx);
        }
    }

    /// `true` once the deadline is over; else the task is woken then, at the latest.
    pub(super) fn is_over(&mut self, deadline: Instant, cx: &mut Context<'_>) -> bool {
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
