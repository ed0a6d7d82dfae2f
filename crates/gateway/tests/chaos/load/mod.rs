//! The load of a run: many threads, each with one bill at a time.

pub mod caller_connections;
pub mod plan;
pub mod plan_execution;
pub mod request;
pub mod stop;

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::bill::Bill;
use crate::load::plan::Plan;
use crate::load::plan_execution::{PlanExecution, Progress};
use crate::load::stop::{Stop, StopGuard};
use crate::testbed::Testbed;

/// Most of the threads wait at any time.
const THREADS: usize = 32;

#[derive(Debug, Default)]
pub struct LoadGenerator {
    next: AtomicU64,
    stopped: Stop,
}

impl LoadGenerator {
    /// Executes the plan of one bill after the other until it is stopped.
    pub fn run(&self, testbed: &Testbed) {
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    while !self.is_stopped() {
                        let bill = Bill(self.next.fetch_add(1, Ordering::Relaxed));
                        self.execute(testbed, &Plan::of(testbed.seed, bill));
                    }
                });
            }
        });
    }

    /// Returns a guard that stops the load when it is dropped, also by a panic.
    pub const fn stop_guard(&self) -> StopGuard<'_> {
        StopGuard::of(&self.stopped)
    }

    /// Returns how many bills there were.
    pub fn bills(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    fn is_stopped(&self) -> bool {
        self.stopped.is_set()
    }

    fn execute(&self, testbed: &Testbed, plan: &Plan) {
        let mut execution = PlanExecution::of(testbed, plan);
        for step in &plan.steps {
            if self.is_stopped() || execution.execute(step) == Progress::Abandoned {
                return;
            }
        }
    }
}
