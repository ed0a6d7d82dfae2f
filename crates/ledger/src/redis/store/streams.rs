//! Streams carry the facts of each node to the others, over the connection for large values.

use std::time::Duration;

use bytes::Bytes;
use redis::{Cmd, Value};
use tokio::time::Instant;

use super::SharedStore;
use crate::redis::commands::Commands;
use crate::redis::commands::key::CommonKey;
use crate::redis::commands::stream::{StreamEntry, read_count, read_entries};
use crate::redis::out_of_reach::OutOfReach;
use crate::redis::topology::slot::Slot;

/// Replicas have so long to take an entry; meanwhile other large values wait.
const REPLICAS_WITHIN: Duration = Duration::from_millis(200);

impl SharedStore {
    /// Puts an entry behind all others of a stream. Returns whether `replicas` replicas have it, too.
    ///
    /// # Errors
    /// When that is not known within `within` for either, or the stream has an entry that is not below `number`.
    pub async fn append(
        &self,
        stream: CommonKey,
        (number, value): (i64, &[u8]),
        replicas: u32,
        within: Duration,
    ) -> Result<bool, OutOfReach> {
        let command = self.inner.commands.append(stream, number, value);
        if replicas == 0 {
            return self
                .ask_stream(stream, &command, within)
                .await
                .map(|_| true);
        }
        // Over one connection: a server counts what came over the one that asks.
        let deadline = Instant::now() + within;
        let connection = self
            .large_value_connection(self.slot_of(stream), deadline)
            .await?;
        let appended = connection.ask(&command, within).await?;
        self.judge_large(&connection, appended)?;
        // A server answers once the time is up.
        let waited = connection
            .ask(&Commands::wait(replicas, REPLICAS_WITHIN), within)
            .await;
        let have = waited.and_then(|waited| read_count(&waited));
        Ok(have.is_ok_and(|have| have >= u64::from(replicas)))
    }

    /// Returns entries of a stream behind `number`, at most `most`.
    ///
    /// # Errors
    /// When they are not known within `within`.
    pub async fn entries_after(
        &self,
        stream: CommonKey,
        (number, most): (i64, usize),
        within: Duration,
    ) -> Result<Vec<StreamEntry>, OutOfReach> {
        let command = self.inner.commands.entries_after(stream, number, most);
        read_entries(self.ask_stream(stream, &command, within).await?)
    }

    /// Returns the last entry of a stream; one that no node wrote where something else lies under its name.
    ///
    /// # Errors
    /// When it is not known within `within`.
    pub async fn last_entry(
        &self,
        stream: CommonKey,
        within: Duration,
    ) -> Result<Option<StreamEntry>, OutOfReach> {
        let command = self.inner.commands.last_entry(stream);
        let (connection, answer) = self
            .ask_large_raw(self.slot_of(stream), &command, within)
            .await?;
        if let Value::ServerError(error) = &answer
            && error.code() == "WRONGTYPE"
        {
            return Ok(Some(StreamEntry {
                number: i64::MAX,
                value: Bytes::new(),
            }));
        }
        let mut entries = read_entries(self.judge_large(&connection, answer)?)?;
        Ok(entries.pop())
    }

    /// Returns how many entries a stream has.
    ///
    /// # Errors
    /// When that is not known within `within`.
    pub async fn count_entries(
        &self,
        stream: CommonKey,
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
        stream: CommonKey,
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
    pub async fn remove(&self, stream: CommonKey, within: Duration) -> Result<(), OutOfReach> {
        let command = self.inner.commands.remove(stream);
        self.ask_stream(stream, &command, within).await.map(|_| ())
    }

    /// Lets a stream expire after `after`.
    ///
    /// # Errors
    /// When that is not known to be done within `within`.
    pub async fn expire(
        &self,
        stream: CommonKey,
        after: Duration,
        within: Duration,
    ) -> Result<(), OutOfReach> {
        let command = self.inner.commands.expire(stream, after);
        self.ask_stream(stream, &command, within).await.map(|_| ())
    }

    async fn ask_stream(
        &self,
        stream: CommonKey,
        command: &Cmd,
        within: Duration,
    ) -> Result<Value, OutOfReach> {
        self.ask_large(self.slot_of(stream), command, within).await
    }

    fn slot_of(&self, stream: CommonKey) -> Slot {
        Slot::of(&self.inner.commands.common_key(stream))
    }
}
