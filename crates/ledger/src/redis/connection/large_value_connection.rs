//! Large values have a second connection per server, so that small ones never wait behind them.

use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, Value};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::shared_connection::SharedConnection;
use super::thread_connections;
use crate::redis::out_of_reach::OutOfReach;

/// A `LargeValueConnection` carries one large value at a time. A time-out closes this connection and no other.
#[derive(Debug)]
pub(crate) struct LargeValueConnection {
    connection: Arc<SharedConnection>,
    turn: Semaphore,
}

impl LargeValueConnection {
    pub(crate) fn new(connection: Arc<SharedConnection>) -> Arc<Self> {
        Arc::new(Self {
            connection,
            turn: Semaphore::new(1),
        })
    }

    pub(crate) const fn connection(&self) -> &Arc<SharedConnection> {
        &self.connection
    }

    /// Waits for its turn, and then for the answer; each wait takes `within` at most.
    pub(crate) async fn ask(&self, command: &Cmd, within: Duration) -> Result<Value, OutOfReach> {
        let turn = timeout(within, self.turn.acquire()).await;
        // Nobody closes the semaphore.
        let _turn = turn.map_err(|_| OutOfReach::Busy)?.ok();
        thread_connections::ask(&self.connection, command, Instant::now() + within).await
    }
}
