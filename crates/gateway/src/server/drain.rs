//! The end of the listener, as its connections see it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// Shared by all workers of a listener.
#[derive(Clone, Debug, Default)]
pub(super) struct Drain {
    begun: CancellationToken,
    idle_ends_at: Arc<OnceLock<Instant>>,
}

impl Drain {
    /// Begins it. A connection without a call may still bring one for so long: its caller may have sent
    /// it already, and is told by the answer that no further one is wanted.
    pub(super) fn begin(&self, linger: Duration) {
        self.idle_ends_at.get_or_init(|| Instant::now() + linger);
        self.begun.cancel();
    }

    /// Waits for the beginning, and says until when a connection without a call may stay.
    pub(super) async fn begins(&self) -> Instant {
        self.begun.cancelled().await;
        *self.idle_ends_at.get_or_init(Instant::now)
    }

    /// Waits until no connection without a call may stay.
    pub(super) async fn idle_ends(&self) {
        sleep_until(self.begins().await).await;
    }
}
