//! Large values are read and written over a connection of their own; see [`LargeValueConnection`].

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use redis::{Cmd, Value};
use tokio::time::{Instant, timeout_at};

use super::SharedStore;
use crate::redis::commands::key::Key;
use crate::redis::commands::read_values;
use crate::redis::connection::large_value_connection::LargeValueConnection;
use crate::redis::connection::refusal::Refusal;
use crate::redis::out_of_reach::OutOfReach;
use crate::redis::topology::routes::Route;
use crate::redis::topology::slot::Slot;

impl SharedStore {
    /// Writes a large value where there is none yet.
    ///
    /// # Errors
    /// When that is not known to be done within `within` from its turn on.
    pub async fn put_large(
        &self,
        biller: &str,
        key: Key<'_>,
        value: &[u8],
        expires_in: Duration,
        within: Duration,
    ) -> Result<(), OutOfReach> {
        let _admitted = self.inner.large.admit(value.len())?;
        if self.refuses_writes(biller) {
            return Err(OutOfReach::NotConnected);
        }
        let command = self.inner.commands.put(biller, key, value, expires_in);
        // It was written now, or was there before.
        self.ask_large(Slot::of(biller), &command, within)
            .await
            .map(|_| ())
    }

    /// Returns what a key holds whose value may be large.
    ///
    /// # Errors
    /// When that is not known within `within` from its turn on.
    pub async fn get_large(
        &self,
        biller: &str,
        key: Key<'_>,
        within: Duration,
    ) -> Result<Option<Bytes>, OutOfReach> {
        let _admitted = self.inner.large.admit(0)?;
        let command = self.inner.commands.get(biller, &[key]);
        let answer = self.ask_large(Slot::of(biller), &command, within).await?;
        read_values(answer)?.pop().ok_or(OutOfReach::Refused)
    }

    /// Asks over the connection for large values; a command that does not change anything the second time.
    pub(super) async fn ask_large(
        &self,
        slot: Slot,
        command: &Cmd,
        within: Duration,
    ) -> Result<Value, OutOfReach> {
        let (connection, answer) = self.ask_large_raw(slot, command, within).await?;
        self.judge_large(&connection, answer)
    }

    /// The same; returns what the server answered, an error too.
    pub(super) async fn ask_large_raw(
        &self,
        slot: Slot,
        command: &Cmd,
        within: Duration,
    ) -> Result<(Arc<LargeValueConnection>, Value), OutOfReach> {
        let deadline = Instant::now() + within;
        let mut large_value_connection = self.large_value_connection(slot, deadline).await?;
        let mut answer = large_value_connection.ask(command, within).await;
        if answer == Err(OutOfReach::Lost) {
            // Read twice, or written where there is none yet: a second time changes nothing.
            large_value_connection = self.large_value_connection(slot, deadline).await?;
            answer = large_value_connection.ask(command, within).await;
        }
        Ok((large_value_connection, answer?))
    }

    /// Takes the consequences of an error that a server answered.
    pub(super) fn judge_large(
        &self,
        large_value_connection: &LargeValueConnection,
        answer: Value,
    ) -> Result<Value, OutOfReach> {
        let Value::ServerError(error) = answer else {
            return Ok(answer);
        };
        let connection = large_value_connection.connection();
        match Refusal::of(&error, connection.address()) {
            // The slot moves, or has moved: there is time to try again later.
            Refusal::Moved(_) | Refusal::Ask(_) | Refusal::TryAgain => {
                self.inner.router.wake.check_now();
            }
            // This connection is good; the supervisor finds out over the other one whether the server takes writes.
            Refusal::NoWrites => self.inner.router.wake.check_now(),
            Refusal::Unfit => connection.close(OutOfReach::Refused),
            Refusal::ScriptUnknown | Refusal::Other => connection.log_refused_command(error.code()),
        }
        Err(OutOfReach::Refused)
    }

    /// Returns the connection for large values of a slot; waits for the supervisor to make it where there was none
    /// before, or where it broke.
    pub(super) async fn large_value_connection(
        &self,
        slot: Slot,
        deadline: Instant,
    ) -> Result<Arc<LargeValueConnection>, OutOfReach> {
        let wake = &self.inner.router.wake;
        let mut routes = self.inner.router.routes.clone();
        loop {
            {
                let now = routes.borrow_and_update();
                if let Some(large_value_connection) = now.large_value_connection(slot) {
                    return Ok(large_value_connection);
                }
                if matches!(now.route(slot), Route::Closed) {
                    return Err(OutOfReach::NotConnected);
                }
            }
            wake.want_large_value_connections();
            match timeout_at(deadline, routes.changed()).await {
                Ok(Ok(())) => {}
                _ => return Err(OutOfReach::NotConnected),
            }
        }
    }
}
