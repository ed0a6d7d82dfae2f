//! The key under which a running node is known to the others: `{prefix}:node:{number}`.

use std::time::Duration;

use bytes::Bytes;

use super::commands::{read_swap, read_values};
use super::router::Purpose;
use super::slot::Slot;
use super::{OutOfReach, SharedStore, Swap};

impl SharedStore {
    /// Returns what the key of a node holds.
    ///
    /// # Errors
    /// When that is not known within the time allowed.
    pub async fn read_node(&self, number: u32) -> Result<Option<Bytes>, OutOfReach> {
        let commands = &self.inner.commands;
        let command = |_| commands.get_node(number);
        let answer = self.call_node(number, Purpose::Read, command).await?;
        let mut values = read_values(answer)?;
        Ok(values.pop().flatten())
    }

    /// Changes the key of a node, if it holds what is expected (`None`: if it is absent). It is absent again after
    /// `expires_in`.
    ///
    /// # Errors
    /// When the outcome is not known within the time allowed: the key may be changed or not.
    pub async fn swap_node(
        &self,
        number: u32,
        expected: Option<&[u8]>,
        new: &[u8],
        expires_in: Duration,
    ) -> Result<Swap, OutOfReach> {
        let commands = &self.inner.commands;
        let command = |spelling| commands.swap_node(number, (expected, new), expires_in, spelling);
        let answer = self.call_node(number, Purpose::Write, command).await?;
        read_swap(answer)
    }

    /// Ends when every server was tried once, whether or not any answered.
    pub async fn tried(&self) {
        let mut tried = self.inner.router.published.tried.subscribe();
        // Without a supervisor nothing is ever tried.
        let _ = tried.wait_for(|tried| *tried).await;
    }

    async fn call_node(
        &self,
        number: u32,
        purpose: Purpose,
        command: impl Fn(super::commands::Spelling) -> redis::Cmd,
    ) -> Result<redis::Value, OutOfReach> {
        let slot = Slot::of(&self.inner.commands.node_key(number));
        let router = &self.inner.router;
        router.call(slot, purpose, command, self.deadline()).await
    }
}
