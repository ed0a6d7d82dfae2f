//! The queue from the workers to the exporter's task.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::CallSpans;

/// The most queued calls, some 3 MB. Spans of further calls are dropped and counted.
pub(super) const MAX_QUEUED_CALLS: usize = 8_192;

/// The workers' end of the queue.
#[derive(Clone, Debug)]
pub struct SpanQueue {
    calls: Sender<CallSpans>,
    dropped: DroppedSpans,
}

impl SpanQueue {
    /// Returns a queue of at most `max_calls` calls and its receiving end.
    pub(super) fn bounded(max_calls: usize, dropped: DroppedSpans) -> (Self, Receiver<CallSpans>) {
        let (sender, receiver) = mpsc::channel(max_calls);
        let queue = Self {
            calls: sender,
            dropped,
        };
        (queue, receiver)
    }

    /// Queues a call for export, or drops its spans if the queue is full.
    pub fn push(&self, call: CallSpans) {
        if let Err(TrySendError::Full(call) | TrySendError::Closed(call)) =
            self.calls.try_send(call)
        {
            self.dropped.add(call.count());
        }
    }

    /// Returns the number of spans that were dropped because the queue was full or the collector did not accept them.
    pub fn dropped_spans(&self) -> u64 {
        self.dropped.0.load(Ordering::Relaxed)
    }
}

/// The number of dropped spans.
#[derive(Clone, Debug, Default)]
pub(super) struct DroppedSpans(Arc<AtomicU64>);

impl DroppedSpans {
    /// Adds dropped spans.
    pub(super) fn add(&self, spans: u64) {
        self.0.fetch_add(spans, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traces::otlp::tests::{call, with_upstream};

    #[test]
    fn spans_beyond_the_queue_are_dropped_and_counted() {
        let (queue, mut calls) = SpanQueue::bounded(2, DroppedSpans::default());
        for _ in 0..3 {
            queue.push(with_upstream());
        }
        assert_eq!(queue.dropped_spans(), 2, "the third call has two spans");
        queue.push(call());
        assert_eq!(queue.dropped_spans(), 3);
        assert!(calls.try_recv().is_ok());
        queue.push(call());
        assert_eq!(queue.dropped_spans(), 3, "there was room again");
        drop(calls);
        queue.push(call());
        assert_eq!(queue.dropped_spans(), 4, "the exporter has ended");
    }
}
