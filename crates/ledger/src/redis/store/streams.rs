//! Streams carry the facts of each node to the others, over the connection for large values.

use std::time::Duration;

use bytes::Bytes;
use redis::{Cmd, Value};

use super::SharedStore;
use crate::redis::commands::Commands;
use crate::redis::commands::key::StreamKey;
use crate::redis::commands::stream::{StreamEntry, read_count, read_entries};
use crate::redis::out_of_reach::OutOfReach;
use crate::redis::topology::slot::Slot;

/// Replicas have so long to take an entry; meanwhile other large values wait.
const REPLICAS_WITHIN: Duration = Duration::from_millis(200);

/// What a server says to an entry whose number is not above all that a stream ever had.
const NOT_ABOVE: &str = "equal or smaller";

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// The server and as many replicas as wanted have it.
    Everywhere,
    /// The server has it, and too few replicas.
    NotOnReplicas,
    /// The stream has, or had, an entry whose number is not below its own.
    NotAbove,
}

impl SharedStore {
    /// Puts an entry behind all others of a stream; `replicas` replicas are to have it, too.
    ///
    /// # Errors
    /// When that is not known within `within` for either.
    pub async fn append(
        &self,
        stream: StreamKey,
        (number, value): (i64, &[u8]),
        replicas: u32,
        within: Duration,
    ) -> Result<Appended, OutOfReach> {
        let command = self.inner.commands.append(stream, number, value);
        let (connection, answer) = self
            .ask_large_raw(self.slot_of(stream), &command, within)
            .await?;
        if let Value::ServerError(error) = &answer
            && (error.details()).is_some_and(|details| details.contains(NOT_ABOVE))
        {
            return Ok(Appended::NotAbove);
        }
        self.judge_large(&connection, answer)?;
        if replicas == 0 {
            return Ok(Appended::Everywhere);
        }
        // Over the same connection: a server counts what came over the one that asks.
        let waited = connection
            .ask(&Commands::wait(replicas, REPLICAS_WITHIN), within)
            .await;
        let have = waited.and_then(|waited| read_count(&waited));
        if have.is_ok_and(|have| have >= u64::from(replicas)) {
            Ok(Appended::Everywhere)
        } else {
            Ok(Appended::NotOnReplicas)
        }
    }

    /// Returns entries of a stream behind `number`, at most `most`; one that no node wrote where something else lies under
    /// its name.
    ///
    /// # Errors
    /// When they are not known within `within`.
    pub async fn entries_after(
        &self,
        stream: StreamKey,
        (number, most): (i64, usize),
        within: Duration,
    ) -> Result<Vec<StreamEntry>, OutOfReach> {
        let command = self.inner.commands.entries_after(stream, number, most);
        self.ask_entries(stream, &command, within).await
    }

    /// Returns the last entry of a stream; one that no node wrote where something else lies under its name.
    ///
    /// # Errors
    /// When it is not known within `within`.
    pub async fn last_entry(
        &self,
        stream: StreamKey,
        within: Duration,
    ) -> Result<Option<StreamEntry>, OutOfReach> {
        let command = self.inner.commands.last_entry(stream);
        Ok(self.ask_entries(stream, &command, within).await?.pop())
    }

    async fn ask_entries(
        &self,
        stream: StreamKey,
        command: &Cmd,
        within: Duration,
    ) -> Result<Vec<StreamEntry>, OutOfReach> {
        let (connection, answer) = self
            .ask_large_raw(self.slot_of(stream), command, within)
            .await?;
        if let Value::ServerError(error) = &answer
            && error.code() == "WRONGTYPE"
        {
            return Ok(vec![StreamEntry {
                number: i64::MAX,
                value: Bytes::new(),
            }]);
        }
        read_entries(self.judge_large(&connection, answer)?)
    }

    /// Returns how many entries a stream has.
    ///
    /// # Errors
    /// When that is not known within `within`.
    pub async fn count_entries(
        &self,
        stream: StreamKey,
        within: Duration,
    ) -> Result<u64, OutOfReach> {
        let command = self.inner.commands.count_entries(stream);
        read_count(&self.ask_stream(stream, &command, within).await?)
    }

    /// Takes the entries out of a stream that are not above `up_to`.
    ///
    /// # Errors
    /// When that is not known to be done within `within`.
    pub async fn trim(
        &self,
        stream: StreamKey,
        up_to: i64,
        within: Duration,
    ) -> Result<(), OutOfReach> {
        let command = self.inner.commands.trim(stream, up_to);
        self.ask_stream(stream, &command, within).await.map(|_| ())
    }

    /// Takes a stream away.
    ///
    /// # Errors
    /// When that is not known to be done within `within`.
    pub async fn remove(&self, stream: StreamKey, within: Duration) -> Result<(), OutOfReach> {
        let command = self.inner.commands.remove(stream);
        self.ask_stream(stream, &command, within).await.map(|_| ())
    }

    /// Lets a stream expire after `after`.
    ///
    /// # Errors
    /// When that is not known to be done within `within`.
    pub async fn expire(
        &self,
        stream: StreamKey,
        after: Duration,
        within: Duration,
    ) -> Result<(), OutOfReach> {
        let command = self.inner.commands.expire(stream, after);
        self.ask_stream(stream, &command, within).await.map(|_| ())
    }

    async fn ask_stream(
        &self,
        stream: StreamKey,
        command: &Cmd,
        within: Duration,
    ) -> Result<Value, OutOfReach> {
        self.ask_large(self.slot_of(stream), command, within).await
    }

    fn slot_of(&self, stream: StreamKey) -> Slot {
        Slot::of(&self.inner.commands.stream_name(stream))
    }
}
