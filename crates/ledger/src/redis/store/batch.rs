//! A batch makes many swaps in few round trips.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::join_all;
use redis::{Cmd, Pipeline, Value};
use tokio::time::Instant;

use super::SharedStore;
use crate::redis::commands::change::{BillerChanges, Swap};
use crate::redis::commands::{Spelling, read_swap};
use crate::redis::connection::shared_connection::SharedConnection;
use crate::redis::out_of_reach::OutOfReach;
use crate::redis::topology::slot::Slot;

/// So many swaps of a batch go in one round trip. The server takes some 10 µs for each, and a worker's command waits
/// behind them.
const SWAPS_AT_ONCE: usize = 64;

impl SharedStore {
    /// Makes independent swaps, of any billers, some dozens in one round trip to each server; returns their outcomes
    /// in order.
    pub async fn swap_many(&self, swaps: &[BillerChanges<'_>]) -> Vec<Result<Swap, OutOfReach>> {
        let mut outcomes = Vec::with_capacity(swaps.len());
        for together in swaps.chunks(SWAPS_AT_ONCE) {
            outcomes.extend(self.swap_together(together).await);
        }
        outcomes
    }

    async fn swap_together(&self, swaps: &[BillerChanges<'_>]) -> Vec<Result<Swap, OutOfReach>> {
        let _admitted = match self.admit(swaps) {
            Ok(admitted) => admitted,
            Err(busy) => return vec![Err(busy); swaps.len()],
        };
        let mut outcomes: Vec<Result<Swap, OutOfReach>> =
            vec![Err(OutOfReach::NotConnected); swaps.len()];
        let deadline = self.deadline();
        let batches = self.batches(swaps, deadline).await;
        let asked = batches.into_values().map(async |batch| {
            (
                batch.connection.ask_all(&batch.commands, deadline).await,
                batch.indexes,
            )
        });
        for (answers, indexes) in join_all(asked).await {
            let answers: Vec<Result<Value, OutOfReach>> = match answers {
                Ok(answers) => answers.into_iter().map(Ok).collect(),
                Err(why) => vec![Err(why); indexes.len()],
            };
            for (index, answer) in indexes.into_iter().zip(answers) {
                outcomes[index] = match answer {
                    // Redirected, or the script is unknown there: it is sent again alone.
                    Ok(Value::ServerError(_)) => self.swap_admitted(swaps[index]).await,
                    answer => answer.and_then(read_swap),
                };
            }
        }
        outcomes
    }

    /// Returns one batch per connection; swaps whose server is out of reach, or takes no writes, are in none.
    async fn batches(
        &self,
        swaps: &[BillerChanges<'_>],
        deadline: Instant,
    ) -> HashMap<usize, Batch> {
        // All at once, so that those that wait take none of the time of the others.
        let connection = |swap: &BillerChanges<'_>| {
            let slot = Slot::of(swap.biller);
            self.inner.router.connection(slot, deadline)
        };
        let connections = join_all(swaps.iter().map(connection)).await;
        let mut batches = HashMap::new();
        for ((index, swap), connection) in swaps.iter().enumerate().zip(connections) {
            let Some(connection) = connection
                .ok()
                .filter(|connection| connection.takes_writes())
            else {
                continue;
            };
            let command = self
                .inner
                .commands
                .swap(swap.biller, swap.changes, Spelling::Digest);
            batches
                .entry(Arc::as_ptr(&connection).addr())
                .or_insert_with(|| Batch::new(connection))
                .push(index, command);
        }
        batches
    }
}

/// A `Batch` is the commands for one server, and which swaps they are.
struct Batch {
    connection: Arc<SharedConnection>,
    commands: Pipeline,
    indexes: Vec<usize>,
}

impl Batch {
    fn new(connection: Arc<SharedConnection>) -> Self {
        Self {
            connection,
            commands: redis::pipe(),
            indexes: Vec::new(),
        }
    }

    fn push(&mut self, index: usize, command: Cmd) {
        self.indexes.push(index);
        self.commands.add_command(command);
    }
}
