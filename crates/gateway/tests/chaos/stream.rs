//! The stream of calls: many threads, each with one bill at a time.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use crate::bill::Bill;
use crate::life::{Life, Progress};
use crate::plan::Plan;
use crate::world::World;

/// Most of them wait at any time.
const THREADS: usize = 32;

#[derive(Debug, Default)]
pub struct Stream {
    next: AtomicU64,
    ended: AtomicBool,
}

/// The end of a stream.
#[derive(Debug)]
pub struct Ending<'a>(&'a Stream);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.ended.store(true, Ordering::Relaxed);
    }
}

impl Stream {
    /// Takes one bill after the other, until it is ended.
    pub fn run(&self, world: &World) {
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    while !self.has_ended() {
                        let bill = Bill(self.next.fetch_add(1, Ordering::Relaxed));
                        self.live(world, &Plan::of(world.seed, bill));
                    }
                });
            }
        });
    }

    /// Ends it when dropped: also where a check fails meanwhile.
    pub const fn ending(&self) -> Ending<'_> {
        Ending(self)
    }

    /// How many bills there were.
    pub fn bills(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    fn live(&self, world: &World, plan: &Plan) {
        let mut life = Life::of(world, plan);
        for step in &plan.steps {
            if self.has_ended() || life.take(step) == Progress::GaveUp {
                return;
            }
        }
    }
}
