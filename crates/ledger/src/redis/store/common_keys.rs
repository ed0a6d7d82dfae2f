//! Keys that are no biller's: those of the nodes.

use std::time::Duration;

use bytes::Bytes;

use super::SharedStore;
use crate::redis::commands::change::Swap;
use crate::redis::commands::key::CommonKey;
use crate::redis::commands::{Spelling, read_swap, read_values};
use crate::redis::out_of_reach::OutOfReach;
use crate::redis::topology::router::Purpose;
use crate::redis::topology::slot::Slot;

impl SharedStore {
    /// Returns what a key that is no biller's holds.
    ///
    /// # Errors
    /// When that is not known within the time allowed.
    pub async fn read_common(&self, key: CommonKey) -> Result<Option<Bytes>, OutOfReach> {
        let command = |_| self.inner.commands.get_common(key);
        let answer = self.call_common(key, Purpose::Read, command).await?;
        let mut values = read_values(answer)?;
        Ok(values.pop().flatten())
    }

    /// Changes a key that is no biller's, if it holds what is expected (`None`: if it is absent). It is absent again after
    /// `expires_in`; `None`: never.
    ///
    /// # Errors
    /// When the outcome is not known within the time allowed: the key may be changed or not.
    pub async fn swap_common(
        &self,
        key: CommonKey,
        expected: Option<&[u8]>,
        new: &[u8],
        expires_in: Option<Duration>,
    ) -> Result<Swap, OutOfReach> {
        let commands = &self.inner.commands;
        let command = |spelling| commands.swap_common(key, (expected, new), expires_in, spelling);
        let answer = self.call_common(key, Purpose::Write, command).await?;
        read_swap(answer)
    }

    /// Returns how many milliseconds the clock of the server that has a key is ahead of this machine's; 0 while that is
    /// not known.
    pub fn common_ahead_millis(&self, key: CommonKey) -> i64 {
        let slot = Slot::of(&self.inner.commands.common_key(key));
        let connection = self.inner.router.open_connection(slot);
        connection.map_or(0, |connection| connection.clock().ahead_millis())
    }

    /// Waits until every server was tried once, whether or not any answered.
    pub async fn tried(&self) {
        let mut tried = self.inner.status.tried.subscribe();
        // Without a supervisor nothing is ever tried.
        let _ = tried.wait_for(|tried| *tried).await;
    }

    async fn call_common(
        &self,
        key: CommonKey,
        purpose: Purpose,
        command: impl Fn(Spelling) -> redis::Cmd,
    ) -> Result<redis::Value, OutOfReach> {
        let slot = Slot::of(&self.inner.commands.common_key(key));
        let router = &self.inner.router;
        router.call(slot, purpose, command, self.deadline()).await
    }
}
