//! A [`Router`] sends a command to the server that has its slot, also while slots move.

use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, ServerError, Value};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::routes::{Route, Routes};
use super::slot::Slot;
use crate::redis::commands::Spelling;
use crate::redis::connection::pipelined_connection::PipelinedConnection;
use crate::redis::connection::refusal::Refusal;
use crate::redis::connection::shared_connection::SharedConnection;
use crate::redis::connection::thread_connections;
use crate::redis::connection::wake::Wake;
use crate::redis::out_of_reach::OutOfReach;
use crate::redis::settings::address::ServerAddress;

/// One call is redirected or repeated so often at most; a slot that moves needs two or three.
const ATTEMPTS: usize = 8;

/// The pause before a command is tried again whose keys are not yet all on one server.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(5);

/// A `Purpose` says what a command does, and so whether it may be sent again when its answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It reads: a second time changes nothing.
    Read,
    /// It reads, and was sent before.
    ReadAgain,
    /// It writes. Whether that happened is unknown, and only the caller knows what a second time means.
    Write,
}

/// A `Router` sends commands to servers.
#[derive(Debug)]
pub(crate) struct Router {
    pub(crate) routes: watch::Receiver<Arc<Routes>>,
    pub(crate) wake: Arc<Wake>,
}

impl Router {
    /// Returns the open connection to the server that has a slot.
    pub(crate) fn open_connection(&self, slot: Slot) -> Option<Arc<SharedConnection>> {
        self.routes.borrow().connection(slot)
    }

    /// Returns the connection to the server that has a slot. Where it broke, waits until the supervisor has another
    /// one, some milliseconds later, or finds that the server is out of reach.
    pub(crate) async fn connection(
        &self,
        slot: Slot,
        deadline: Instant,
    ) -> Result<Arc<SharedConnection>, OutOfReach> {
        let route = self.routes.borrow().route(slot);
        match route {
            Route::Open(connection) => Ok(connection),
            // Boxed, so that a call that need not wait is not as large as one that does.
            Route::Broken => Box::pin(self.reconnected(slot, deadline)).await,
            Route::Closed => Err(OutOfReach::NotConnected),
        }
    }

    /// Leaves a quarter of the time for the command itself: one that is sent too late to be answered would close the
    /// new connection for all.
    async fn reconnected(
        &self,
        slot: Slot,
        deadline: Instant,
    ) -> Result<Arc<SharedConnection>, OutOfReach> {
        let until = deadline - deadline.saturating_duration_since(Instant::now()) / 4;
        let mut routes = self.routes.clone();
        loop {
            let route = routes.borrow_and_update().route(slot);
            match route {
                Route::Open(connection) => return Ok(connection),
                Route::Broken => {}
                Route::Closed => return Err(OutOfReach::NotConnected),
            }
            match timeout_at(until, routes.changed()).await {
                Ok(Ok(())) => {}
                _ => return Err(OutOfReach::NotConnected),
            }
        }
    }

    /// Returns whether the server of a slot is in reach and takes no writes.
    pub(crate) fn refuses_writes(&self, slot: Slot) -> bool {
        self.routes.borrow().refuses_writes(slot)
    }

    /// Returns this thread's own connection to the server that has the slot, with the shared one beside it, where
    /// both are there.
    pub(crate) fn thread_connection(
        &self,
        slot: Slot,
    ) -> Option<(PipelinedConnection, Arc<SharedConnection>)> {
        let shared = self.open_connection(slot)?;
        let own = thread_connections::ready(&shared)?;
        Some((own, shared))
    }

    /// Sends a command until it is answered with something else than a redirection, or the time is
    /// up. Only commands that a server refused as a whole are sent again, and once what reads and
    /// was under way when the connection broke.
    pub(crate) async fn call(
        &self,
        slot: Slot,
        purpose: Purpose,
        command: impl Fn(Spelling) -> Cmd,
        deadline: Instant,
    ) -> Result<Value, OutOfReach> {
        let mut may_repeat = purpose == Purpose::Read;
        loop {
            match self.call_once(slot, purpose, &command, deadline).await {
                Err(OutOfReach::Lost) if may_repeat => may_repeat = false,
                outcome => return outcome,
            }
        }
    }

    async fn call_once(
        &self,
        slot: Slot,
        purpose: Purpose,
        command: impl Fn(Spelling) -> Cmd,
        deadline: Instant,
    ) -> Result<Value, OutOfReach> {
        let mut spelling = Spelling::Digest;
        let mut target = Target::Owner(self.connection(slot, deadline).await?);
        for _ in 0..ATTEMPTS {
            let connection = target.connection();
            if purpose == Purpose::Write && !connection.takes_writes() {
                return Err(OutOfReach::NotConnected);
            }
            let answer = target.ask(&command(spelling), deadline).await?;
            let Value::ServerError(error) = answer else {
                return Ok(answer);
            };
            match self.refusal(&error, &connection) {
                Refusal::ScriptUnknown => spelling = Spelling::Text,
                Refusal::Moved(address) => {
                    self.wake.check_now();
                    target = Target::Owner(Box::pin(self.connection_to(&address, deadline)).await?);
                }
                Refusal::Ask(address) => {
                    target =
                        Target::Importer(Box::pin(self.connection_to(&address, deadline)).await?);
                }
                Refusal::TryAgain => {
                    Box::pin(sleep_until(deadline.min(Instant::now() + TRY_AGAIN_AFTER))).await;
                    target = Target::Owner(self.connection(slot, deadline).await?);
                }
                Refusal::NoWrites => {
                    connection.learn_writes_refused(error.code());
                    return Err(OutOfReach::Refused);
                }
                Refusal::Unfit => {
                    tracing::warn!(server = %connection.address(), code = error.code(), "a Redis server cannot serve");
                    connection.close(OutOfReach::Refused);
                    return Err(OutOfReach::Refused);
                }
                Refusal::Other => {
                    connection.log_refused_command(error.code());
                    return Err(OutOfReach::Refused);
                }
            }
        }
        Err(OutOfReach::Refused)
    }

    /// Returns what an error asks for. Only the servers of a Cluster may redirect: a single server must not send the
    /// ledger, and its password, to a server that it names.
    fn refusal(&self, error: &ServerError, connection: &SharedConnection) -> Refusal {
        match Refusal::of(error, connection.address()) {
            Refusal::Moved(_) | Refusal::Ask(_) if !self.routes.borrow().are_of_a_cluster() => {
                Refusal::Unfit
            }
            refusal => refusal,
        }
    }

    /// Returns the connection to a server that a redirection named; waits for the supervisor to make it.
    async fn connection_to(
        &self,
        address: &ServerAddress,
        deadline: Instant,
    ) -> Result<Arc<SharedConnection>, OutOfReach> {
        let mut routes = self.routes.clone();
        loop {
            if let Some(connection) = routes.borrow_and_update().connection_to(address) {
                return Ok(connection);
            }
            self.wake.want(address);
            match timeout_at(deadline, routes.changed()).await {
                Ok(Ok(())) => {}
                _ => return Err(OutOfReach::NotConnected),
            }
        }
    }
}

/// A `Target` is the server that a command is sent to.
enum Target {
    /// The server that has the slot.
    Owner(Arc<SharedConnection>),
    /// The server that the slot moves to: it takes one command after `ASKING`.
    Importer(Arc<SharedConnection>),
}

impl Target {
    fn connection(&self) -> Arc<SharedConnection> {
        match self {
            Self::Owner(connection) | Self::Importer(connection) => Arc::clone(connection),
        }
    }

    async fn ask(&self, command: &Cmd, deadline: Instant) -> Result<Value, OutOfReach> {
        match self {
            Self::Owner(connection) => thread_connections::ask(connection, command, deadline).await,
            Self::Importer(connection) => {
                let mut both = redis::pipe();
                both.cmd("ASKING").add_command(command.clone());
                // Boxed, as is the look-up of a server that was named: a call that is not redirected is not
                // to be as large as one that is.
                let mut answers = Box::pin(connection.ask_all(&both, deadline)).await?;
                answers.pop().ok_or(OutOfReach::Refused)
            }
        }
    }
}
