//! TLS handshakes that failed.

use std::fmt;
use std::sync::Arc;

use prometheus::IntCounter;

use crate::exposition::Exposition;
use crate::label::{HandshakeReason, Label, PerLabel};
use crate::series::HANDSHAKE_FAILURES;

/// The counters of one side's failed handshakes. Clones count in the same series.
#[derive(Clone)]
pub struct HandshakeFailures(Arc<PerLabel<HandshakeReason, IntCounter>>);

impl HandshakeFailures {
    pub(crate) fn of_side(side: &str) -> Self {
        Self(Arc::new(PerLabel::new(|reason: HandshakeReason| {
            HANDSHAKE_FAILURES.counter(&[("side", side), ("reason", reason.text())])
        })))
    }

    /// Counts a failure.
    pub fn count(&self, reason: HandshakeReason) {
        self.0.get(reason).inc();
    }

    pub(crate) fn expose(&self, exposition: &mut Exposition) {
        self.0
            .iter()
            .for_each(|counter| exposition.collector(counter));
    }
}

impl fmt::Debug for HandshakeFailures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandshakeFailures").finish_non_exhaustive()
    }
}
