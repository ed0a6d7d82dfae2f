//! The [`SharedStore`] is the handle by which workers use Redis.

mod batch;
mod common_keys;
mod large_values;
mod streams;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use redis::Value;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::Timestamp;
use crate::redis::commands::change::{BillerChanges, Change, Swap};
use crate::redis::commands::key::Key;
use crate::redis::commands::key::Keyspace;
use crate::redis::commands::{Commands, read_swap, read_values};
use crate::redis::connection::admission::{Admission, Admitted};
use crate::redis::connection::clock::WallClock;
use crate::redis::connection::thread_connections;
use crate::redis::connection::wake::Wake;
use crate::redis::health::identity::Identity;
use crate::redis::health::status::Status;
use crate::redis::health::supervisor::Supervisor;
use crate::redis::health::warning::Warning;
use crate::redis::out_of_reach::OutOfReach;
use crate::redis::settings::Settings;
use crate::redis::topology::router::{Purpose, Router};
use crate::redis::topology::slot::Slot;
pub use streams::Appended;

/// A `SharedStore` is the Redis that nodes share. It is cheap to clone and used from any tokio runtime that has
/// timers; the thread behind it ends with the last clone.
#[derive(Clone, Debug)]
pub struct SharedStore {
    inner: Arc<Inner>,
}

/// `Inner` is what the clones of a store have in common.
#[derive(Debug)]
struct Inner {
    status: Arc<Status>,
    router: Router,
    commands: Commands,
    admission: Admission,
    /// The bound on large values, which take no place of other operations.
    large: Admission,
    timeout: Duration,
}

impl SharedStore {
    /// Starts a thread that connects. Never fails and never waits: until there is a connection, everything is out of
    /// reach.
    pub fn start(settings: Settings) -> Self {
        Self::start_by(settings, WallClock(Timestamp::now))
    }

    /// Does the same on a machine whose clock is this one.
    pub fn start_by(settings: Settings, clock: WallClock) -> Self {
        let status = Arc::new(Status::default());
        let wake = Arc::new(Wake::default());
        let inner = Arc::new(Inner {
            commands: Commands::new(Keyspace::of(&settings)),
            admission: Admission::default(),
            large: Admission::default(),
            timeout: settings.timeout,
            status: Arc::clone(&status),
            router: Router {
                routes: status.routes.subscribe(),
                wake: Arc::clone(&wake),
            },
        });
        let supervisor = Supervisor::new(settings, clock, status, wake);
        if let Err(error) = thread::Builder::new()
            .name("shared-store".to_owned())
            .spawn(move || run(supervisor))
        {
            tracing::error!(%error, "no thread for Redis: it stays out of reach");
        }
        Self { inner }
    }

    /// Lets this thread use connections of its own, which its runtime reads and writes. To be called on the one
    /// thread of a runtime that lives as long as the thread.
    pub fn enable_thread_connections() {
        thread_connections::enable();
    }

    /// Returns what the keys of a biller hold, in order, all read in one step; one round trip.
    ///
    /// # Errors
    /// When that is not known within the time allowed.
    pub async fn get(
        &self,
        biller: &str,
        keys: &[Key<'_>],
    ) -> Result<Vec<Option<Bytes>>, OutOfReach> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let bytes = keys.iter().map(|key| key.name.len()).sum();
        let _admitted = self.inner.admission.admit(bytes)?;
        let (slot, deadline) = (Slot::of(biller), self.deadline());
        let (router, commands) = (&self.inner.router, &self.inner.commands);
        let asked = router.thread_connection(slot).map(|(own, shared)| {
            let write = |out: &mut Vec<u8>| commands.write_get(biller, keys, out);
            (own.ask_by(write, deadline), shared)
        });
        let purpose = match asked {
            None => Purpose::Read,
            Some((answer, shared)) => {
                match answer.await.map_err(|why| shared.failed(why)) {
                    // Mostly a redirection, which the router follows.
                    Ok(Value::ServerError(_)) => Purpose::Read,
                    Ok(answer) => return read_all(answer, keys.len()),
                    Err(OutOfReach::Lost) => Purpose::ReadAgain,
                    Err(why) => return Err(why),
                }
            }
        };
        let command = |_| commands.get(biller, keys);
        // Boxed, so that a call that is answered at once is not as large as one that is not.
        let answer = Box::pin(router.call(slot, purpose, command, deadline)).await?;
        read_all(answer, keys.len())
    }

    /// Changes keys of a biller, all or none, if all of them hold what is expected; one round trip.
    /// No key may come twice.
    ///
    /// # Errors
    /// When the outcome is not known within the time allowed: the keys may be changed or not.
    pub async fn swap(&self, biller: &str, changes: &[Change<'_>]) -> Result<Swap, OutOfReach> {
        let swap = BillerChanges { biller, changes };
        let _admitted = self.admit(&[swap])?;
        self.swap_admitted(swap).await
    }

    /// Returns the identity of Redis and its changes; `None` while any part of it is out of reach or takes no writes.
    pub fn identity(&self) -> watch::Receiver<Option<Identity>> {
        self.inner.status.identity.subscribe()
    }

    /// Returns the servers that are in reach and take writes, and their changes; `None` while there is none. Of a
    /// Cluster that may be a part.
    pub fn present(&self) -> watch::Receiver<Option<Identity>> {
        self.inner.status.present.subscribe()
    }

    /// Returns whether the keys of a biller can be read and written at this moment, as far as is known.
    pub fn reaches(&self, biller: &str) -> bool {
        let connection = self.inner.router.open_connection(Slot::of(biller));
        connection.is_some_and(|connection| connection.takes_writes())
    }

    /// Returns whether the server that has a biller's keys is in reach and takes no writes: what it holds is read,
    /// and may lack what nodes could not write to it meanwhile.
    pub fn refuses_writes(&self, biller: &str) -> bool {
        self.inner.router.refuses_writes(Slot::of(biller))
    }

    /// Returns whether every key can be read and written at this moment, as far as is known. In a Cluster of which a
    /// part is out of reach, calls for the billers of the other parts still succeed.
    pub fn is_reachable(&self) -> bool {
        self.inner.status.routes.borrow().is_whole()
    }

    /// Returns whether nodes may run that read and write a biller's values as they were before.
    pub fn has_old_values(&self, biller: &str, now: Timestamp) -> bool {
        let connection = self.inner.router.open_connection(Slot::of(biller));
        connection.is_some_and(|connection| connection.has_old_values(now))
    }

    /// Returns how many milliseconds the clock of the server that has a biller's keys is ahead of this machine's; 0
    /// while that is not known.
    pub fn ahead_millis(&self, biller: &str) -> i64 {
        let connection = self.inner.router.open_connection(Slot::of(biller));
        connection.map_or(0, |connection| connection.clock().ahead_millis())
    }

    /// Returns how long one operation may take.
    pub fn timeout(&self) -> Duration {
        self.inner.timeout
    }

    /// Returns the settings by which servers can lose data, as found when they came into reach.
    pub fn warnings(&self) -> Vec<Warning> {
        self.inner.status.warnings.borrow().clone()
    }

    /// Makes a swap that was admitted with others, or alone.
    async fn swap_admitted(&self, swap: BillerChanges<'_>) -> Result<Swap, OutOfReach> {
        if swap.changes.is_empty() {
            return Ok(Swap::Done);
        }
        let command = |spelling| {
            self.inner
                .commands
                .swap(swap.biller, swap.changes, spelling)
        };
        let answer = self
            .inner
            .router
            .call(
                Slot::of(swap.biller),
                Purpose::Write,
                command,
                self.deadline(),
            )
            .await?;
        read_swap(answer)
    }

    fn admit(&self, swaps: &[BillerChanges<'_>]) -> Result<Admitted<'_>, OutOfReach> {
        let bytes = swaps
            .iter()
            .flat_map(|swap| swap.changes)
            .map(Change::bytes)
            .sum();
        self.inner.admission.admit(bytes)
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.inner.timeout
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.router.wake.stop();
    }
}

/// Reads one value for each key that was asked for.
fn read_all(answer: Value, keys: usize) -> Result<Vec<Option<Bytes>>, OutOfReach> {
    let values = read_values(answer)?;
    if values.len() == keys {
        Ok(values)
    } else {
        Err(OutOfReach::Refused)
    }
}

fn run(supervisor: Supervisor) {
    // Names are resolved on at most two threads of their own: a resolver that hangs holds those
    // and nothing else.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(2)
        .build();
    match runtime {
        Ok(runtime) => {
            runtime.block_on(supervisor.run());
            runtime.shutdown_background();
        }
        Err(error) => {
            tracing::error!(%error, "no runtime for Redis: it stays out of reach");
        }
    }
}
