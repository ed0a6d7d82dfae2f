//! The signal that begins a drain.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// The drain of a listener, shared by all its workers.
#[derive(Clone, Debug, Default)]
pub(super) struct Drain {
    begun: CancellationToken,
    idle_deadline: Arc<OnceLock<Instant>>,
}

impl Drain {
    /// Begins the drain. Connections without a call stay open for `idle_time`, because a client may have sent a
    /// request already.
    pub(super) fn begin(&self, idle_time: Duration) {
        self.idle_deadline
            .get_or_init(|| Instant::now() + idle_time);
        self.begun.cancel();
    }

    /// Waits for the begin of the drain and returns when connections without a call are closed.
    pub(super) async fn until_begun(&self) -> Instant {
        self.begun.cancelled().await;
        *self.idle_deadline.get_or_init(Instant::now)
    }

    /// Waits until connections without a call are closed.
    pub(super) async fn until_idle_deadline(&self) {
        sleep_until(self.until_begun().await).await;
    }
}
