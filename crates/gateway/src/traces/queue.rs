//! The queue between the workers and the one task that exports.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::CallSpans;

/// Calls that wait to be exported, some 3 MB; beyond them spans are lost, and counted.
pub(super) const MAX_QUEUED_CALLS: usize = 8_192;

/// The workers' end of it.
#[derive(Clone, Debug)]
pub struct SpanQueue {
    calls: Sender<CallSpans>,
    lost: LostSpans,
}

impl SpanQueue {
    /// A queue of so many calls, and its other end.
    pub(super) fn of(calls: usize, lost: LostSpans) -> (Self, Receiver<CallSpans>) {
        let (sender, receiver) = mpsc::channel(calls);
        let queue = Self {
            calls: sender,
            lost,
        };
        (queue, receiver)
    }

    /// Leaves a call to the exporter; where that does not keep up, the call's spans are lost.
    pub fn put(&self, call: CallSpans) {
        if let Err(TrySendError::Full(call) | TrySendError::Closed(call)) =
            self.calls.try_send(call)
        {
            self.lost.add(call.count());
        }
    }

    /// How many spans were lost since the start: for want of room here, or of a collector that took them.
    pub fn lost_spans(&self) -> u64 {
        self.lost.0.load(Ordering::Relaxed)
    }
}

/// Counts the spans that no collector has taken.
#[derive(Clone, Debug, Default)]
pub(super) struct LostSpans(Arc<AtomicU64>);

impl LostSpans {
    pub(super) fn add(&self, spans: u64) {
        self.0.fetch_add(spans, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traces::otlp::tests::{call, with_upstream};

    #[test]
    fn what_does_not_fit_is_lost_and_every_span_of_it_counted() {
        let (queue, mut calls) = SpanQueue::of(2, LostSpans::default());
        for _ in 0..3 {
            queue.put(with_upstream());
        }
        assert_eq!(queue.lost_spans(), 2, "the third call's two");
        queue.put(call());
        assert_eq!(queue.lost_spans(), 3);
        assert!(calls.try_recv().is_ok());
        queue.put(call());
        assert_eq!(queue.lost_spans(), 3, "there was room again");
        drop(calls);
        queue.put(call());
        assert_eq!(queue.lost_spans(), 4, "the exporter has ended");
    }
}
