//! A [`SharedConnection`] is one connection to one server, used until it fails once.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, Value};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};

use super::clock::ServerClock;
use super::dialer::{Dialer, Driver};
use super::fault::Fault;
use crate::Timestamp;
use crate::redis::out_of_reach::OutOfReach;
use crate::redis::settings::address::ServerAddress;

/// A `SharedConnection` is one connection to one server, which all threads share. It is closed at its first failure
/// and never used again. A time-out is a failure, because it is unknown which answers are still to come, and all
/// other commands wait behind it.
#[derive(Debug)]
pub(crate) struct SharedConnection {
    address: ServerAddress,
    dialer: Dialer,
    multiplexed: MultiplexedConnection,
    /// The identity of the server's process, once it is known.
    run_id: OnceLock<Box<str>>,
    /// Why it was closed; not set while it is open. One value says both, because a caller that finds it closed looks
    /// at once for another connection.
    why_closed: OnceLock<OutOfReach>,
    takes_writes: AtomicBool,
    /// Notified when it is closed; its sender goes with the connection.
    closed: watch::Sender<()>,
    refusal_logged: AtomicBool,
    driver: AbortHandle,
    clock: ServerClock,
    /// Until when nodes may run that have other values; in milliseconds.
    old_values_until: AtomicI64,
}

impl SharedConnection {
    /// Connects to a server, logs in, and runs the connection's driver on the current runtime.
    pub(crate) async fn connect(
        dialer: &Dialer,
        address: &ServerAddress,
    ) -> Result<Arc<Self>, Fault> {
        let opened = dialer.open(address).await?;
        Ok(Self::new(address.clone(), dialer.clone(), opened))
    }

    fn new(
        address: ServerAddress,
        dialer: Dialer,
        (multiplexed, driver): (MultiplexedConnection, Driver),
    ) -> Arc<Self> {
        Arc::new_cyclic(|this| {
            let this = this.clone();
            let driver = tokio::spawn(async move {
                driver.await;
                // The server ended the connection: no payment has to find that out.
                if let Some(connection) = std::sync::Weak::<Self>::upgrade(&this) {
                    connection.close(OutOfReach::Lost);
                }
            });
            Self {
                address,
                dialer,
                multiplexed,
                run_id: OnceLock::new(),
                why_closed: OnceLock::new(),
                takes_writes: AtomicBool::new(true),
                closed: watch::Sender::new(()),
                refusal_logged: AtomicBool::new(false),
                driver: driver.abort_handle(),
                clock: ServerClock::default(),
                old_values_until: AtomicI64::new(i64::MIN),
            }
        })
    }

    pub(crate) const fn address(&self) -> &ServerAddress {
        &self.address
    }

    /// Returns the dialer, which makes further connections to the server.
    pub(crate) const fn dialer(&self) -> &Dialer {
        &self.dialer
    }

    /// Returns which process the server is; `None` before it was asked.
    pub(crate) fn run_id(&self) -> Option<&str> {
        self.run_id.get().map(|run_id| &**run_id)
    }

    /// Keeps which process the server is. On one connection that never changes.
    pub(crate) fn learn_run_id(&self, run_id: &str) {
        self.run_id.get_or_init(|| run_id.into());
    }

    /// Returns the server's clock.
    pub(crate) const fn clock(&self) -> &ServerClock {
        &self.clock
    }

    /// Keeps until when nodes may run that have the values of before.
    pub(crate) fn learn_old_values_until(&self, until: Timestamp) {
        self.old_values_until
            .store(until.millis(), Ordering::Relaxed);
    }

    /// Returns whether nodes may run that have the values of before.
    pub(crate) fn has_old_values(&self, now: Timestamp) -> bool {
        now.millis() < self.old_values_until.load(Ordering::Relaxed)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.why_closed.get().is_none()
    }

    /// Returns whether the server takes writes, as far as is known. While it does not, it is only read.
    pub(crate) fn takes_writes(&self) -> bool {
        self.takes_writes.load(Ordering::Acquire)
    }

    /// Keeps that the server took a write.
    pub(crate) fn learn_writes_taken(&self) {
        self.takes_writes.store(true, Ordering::Release);
    }

    /// Keeps that the server refused a write as it would refuse any other: from now on none is sent to it, and the
    /// supervisor, which is woken, finds out when it takes writes again.
    pub(crate) fn learn_writes_refused(&self, code: &str) {
        if self.takes_writes.swap(false, Ordering::AcqRel) {
            tracing::warn!(server = %self.address, code, "a Redis server cannot serve writes");
            self.dialer.wake().check_now();
        }
    }

    /// Returns a future that is ready when the connection is closed or dropped.
    pub(crate) fn closing(&self) -> impl Future<Output = ()> + use<> {
        let mut closed = self.closed.subscribe();
        async move {
            // An error says that the connection was dropped.
            let _ = closed.changed().await;
        }
    }

    /// Returns why it was closed; `None` while it is open.
    pub(crate) fn why_closed(&self) -> Option<OutOfReach> {
        self.why_closed.get().copied()
    }

    /// Returns whether it was closed because it broke, and not because of what the server did or did not answer.
    pub(crate) fn is_broken(&self) -> bool {
        self.why_closed() == Some(OutOfReach::Lost)
    }

    /// Returns a future that is ready when the connection breaks, and never where it is closed for another reason.
    pub(crate) fn breaking(self: &Arc<Self>) -> impl Future<Output = ()> + use<> {
        let (closing, connection) = (self.closing(), Arc::clone(self));
        async move {
            if connection.is_open() {
                closing.await;
            }
            if !connection.is_broken() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Closes the connection for all, ends what is under way, and wakes the supervisor.
    pub(crate) fn close(&self, why: OutOfReach) {
        if self.why_closed.set(why).is_ok() {
            self.driver.abort();
            self.closed.send_replace(());
            self.dialer.wake().check_now();
        }
    }

    /// Logs once that the server refuses a command: a missing permission is missing for every call. Only the error's
    /// code is logged, because the rest may quote a key or a value.
    pub(crate) fn log_refused_command(&self, code: &str) {
        if !self.refusal_logged.swap(true, Ordering::Relaxed) {
            tracing::error!(server = %self.address, code, "Redis refuses a command");
        }
    }

    /// Sends one command and waits for its answer, which may be a server's error.
    pub(crate) async fn ask(&self, command: &Cmd, deadline: Instant) -> Result<Value, OutOfReach> {
        let mut multiplexed = self.multiplexed.clone();
        let answer = multiplexed.send_packed_command(command);
        self.until_closed(answer, deadline).await
    }

    /// Sends several commands in one write and waits for their answers, one each, of which any may
    /// be a server's error.
    pub(crate) async fn ask_all(
        &self,
        commands: &Pipeline,
        deadline: Instant,
    ) -> Result<Vec<Value>, OutOfReach> {
        let count = commands.len();
        let mut multiplexed = self.multiplexed.clone();
        let answers = multiplexed.send_packed_commands(commands, 0, count);
        let answers = self.until_closed(answers, deadline).await?;
        if answers.len() == count {
            Ok(answers)
        } else {
            Err(OutOfReach::Refused)
        }
    }

    /// Waits for an answer, at most until the connection is closed. Its driver runs on another thread and may end at
    /// the very moment at which it is handed a command: that command is never answered, not even with an error.
    async fn until_closed<T>(
        &self,
        answer: impl Future<Output = redis::RedisResult<T>>,
        deadline: Instant,
    ) -> Result<T, OutOfReach> {
        let closing = self.closing();
        if let Some(why) = self.why_closed() {
            return Err(why);
        }
        tokio::select! {
            biased;
            came = timeout_at(deadline, answer) => self.judge(came.ok()),
            () = closing => Err(self.why_closed().unwrap_or(OutOfReach::Lost)),
        }
    }

    fn judge<T>(&self, answer: Option<redis::RedisResult<T>>) -> Result<T, OutOfReach> {
        match answer {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(_)) => Err(self.failed(OutOfReach::Lost)),
            None => Err(self.failed(OutOfReach::TooSlow)),
        }
    }

    /// Closes the connection because a call failed. The first reason is the cause; what fails later is its
    /// consequence.
    pub(crate) fn failed(&self, why: OutOfReach) -> OutOfReach {
        self.close(why);
        self.why_closed().unwrap_or(why)
    }
}

impl Drop for SharedConnection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}
