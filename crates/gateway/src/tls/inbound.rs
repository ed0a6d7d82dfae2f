//! Failed handshakes of the public listener: counted, and logged at a bounded rate.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use foldhash::{HashMap, HashMapExt as _};
use metrics::{HandshakeFailures, HandshakeReason};

use super::failure::HandshakeFailure;

/// The most lines of one reason in one window. Anyone can fail handshakes as fast as connections are accepted.
const LINES_MAX: u32 = 10;

/// The time for which lines are counted.
const WINDOW: Duration = Duration::from_mins(1);

/// Counts and logs the failed handshakes of a listener.
#[derive(Debug)]
pub struct InboundHandshakes {
    failures: Option<HandshakeFailures>,
    windows: Mutex<HashMap<HandshakeReason, Window>>,
}

/// The lines of one reason since a moment.
#[derive(Debug)]
struct Window {
    began: Instant,
    lines: u32,
    suppressed: u64,
}

impl InboundHandshakes {
    pub(super) fn new(failures: Option<HandshakeFailures>) -> Self {
        Self {
            failures,
            windows: Mutex::new(HashMap::new()),
        }
    }

    /// Records the failure of a handshake with this peer.
    pub fn failed(&self, peer: SocketAddr, failure: &HandshakeFailure) {
        if let Some(failures) = &self.failures {
            failures.count(failure.reason);
        }
        if failure.reason == HandshakeReason::Closed {
            // Health checks of balancers connect and close; there is nothing to mend.
            tracing::debug!(%peer, reason = %failure, "TLS handshake failed");
            return;
        }
        if let Some(suppressed) = self.admit(failure.reason, Instant::now()) {
            tracing::warn!(%peer, reason = %failure, suppressed, "TLS handshake failed");
        }
    }

    /// Returns whether a line may be written, and how many were not since the last one.
    fn admit(&self, reason: HandshakeReason, now: Instant) -> Option<u64> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let window = windows.entry(reason).or_insert(Window {
            began: now,
            lines: 0,
            suppressed: 0,
        });
        if now.saturating_duration_since(window.began) >= WINDOW {
            window.began = now;
            window.lines = 0;
        }
        if window.lines >= LINES_MAX {
            window.suppressed += 1;
            return None;
        }
        window.lines += 1;
        Some(std::mem::take(&mut window.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_reason_are_bounded_and_the_next_window_says_how_many_were_left_out() {
        let handshakes = InboundHandshakes::new(None);
        let begin = Instant::now();
        let admitted = |after: Duration| handshakes.admit(HandshakeReason::Version, begin + after);
        for _ in 0..LINES_MAX {
            assert_eq!(admitted(Duration::ZERO), Some(0));
        }
        for _ in 0..7 {
            assert_eq!(admitted(WINDOW / 2), None);
        }
        assert_eq!(handshakes.admit(HandshakeReason::NotTls, begin), Some(0));
        assert_eq!(admitted(WINDOW), Some(7));
        assert_eq!(admitted(WINDOW), Some(0));
    }
}
