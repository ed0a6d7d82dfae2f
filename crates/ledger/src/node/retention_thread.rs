//! The thread that forgets what is older than the retention.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Node;
use super::kept::{ForgottenCount, Kept};
use super::refused_links;
use super::retention::forget_before;
use crate::Timestamp;

/// The pause between two runs.
const EVERY: Duration = Duration::from_mins(1);

/// How long memory and journal keep link creations that Kakao Pay refused. Redis may lose its last writes in a failover;
/// the resync, which begins within seconds, writes them again from here.
const REFUSED_LINKS_KEPT: Duration = Duration::from_mins(5);

/// The retention thread. Its drop ends the thread.
#[derive(Debug)]
pub(crate) struct RetentionThread {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl RetentionThread {
    /// Starts the thread. Every minute it forgets what is older than `kept`, and link creations that Kakao Pay refused.
    ///
    /// # Errors
    /// When the system cannot start a thread.
    pub(crate) fn start(node: Arc<Node>, kept: Kept, is_shared: bool) -> io::Result<Self> {
        let (stop, stopped) = channel::<()>();
        let thread = thread::Builder::new()
            .name("retention".into())
            .spawn(move || {
                let goes_on = |pause| stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout);
                while goes_on(EVERY) {
                    let now = Timestamp::now();
                    let before = now.minus(REFUSED_LINKS_KEPT);
                    if let Err(error) = refused_links::forget(&node, before, is_shared) {
                        tracing::error!(%error, "refused link creations could not be forgotten");
                    }
                    match forget_before(&node, kept.at(now), goes_on) {
                        Ok(forgotten) if forgotten == ForgottenCount::default() => {}
                        Ok(forgotten) => tracing::info!(
                            unpaid_bills = forgotten.unpaid_bills,
                            paid_bills = forgotten.paid_bills,
                            bodies = forgotten.bodies,
                            "what is older than the retention was forgotten"
                        ),
                        Err(error) => tracing::error!(
                            %error,
                            "what is older than the retention could not be forgotten"
                        ),
                    }
                }
            })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for RetentionThread {
    fn drop(&mut self) {
        // The closed channel ends the wait of the thread.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
