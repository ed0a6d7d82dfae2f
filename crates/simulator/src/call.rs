//! The calls that a simulated party received, in order. Tests read them and wait for them.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::history::History;
use crate::wire;

/// The most calls that are stored; older ones are removed.
const MAX_CALLS: usize = 100_000;

/// The most bytes of all stored bodies; beyond it, the oldest calls are removed earlier.
const MAX_BODY_BYTES: usize = 256 * 1024 * 1024;

/// A received request.
#[derive(Clone, Debug)]
pub struct Call {
    /// The number of the call at this party, counted from 1.
    pub sequence: u64,
    /// The number of the call's connection, counted from 1.
    pub connection: u64,
    /// The number of the call on its connection, counted from 1.
    pub nth_on_connection: u64,
    /// The method, as sent.
    pub method: String,
    /// The request target, as sent: the path and the query, if any.
    pub api_path: String,
    /// The header fields in order, names in the sender's spelling. Bytes that are not UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// The body, without framing.
    pub body: Vec<u8>,
    /// The time when the last byte was read.
    pub received_at: Instant,
}

impl Call {
    /// Returns the value of the first header field with this name, regardless of case.
    pub fn header(&self, name: &str) -> Option<&str> {
        wire::header(&self.headers, name)
    }

    /// Returns the body as text. Bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// All calls of one simulated party.
#[derive(Debug)]
pub(crate) struct Calls {
    received: Mutex<Received>,
    received_one: Condvar,
}

#[derive(Debug)]
struct Received {
    calls: History<Arc<Call>>,
    body_bytes: usize,
}

impl Calls {
    pub(crate) fn new() -> Self {
        let received = Received {
            calls: History::with_limit(MAX_CALLS),
            body_bytes: 0,
        };
        Self {
            received: Mutex::new(received),
            received_one: Condvar::new(),
        }
    }

    /// Numbers and stores the call, and wakes the threads that wait for calls.
    pub(crate) fn record(&self, mut call: Call) -> Arc<Call> {
        let mut received = self.lock();
        call.sequence = received.calls.next_sequence();
        let call = Arc::new(call);
        received.push(Arc::clone(&call));
        drop(received);
        self.received_one.notify_all();
        call
    }

    pub(crate) fn since(&self, sequence: u64) -> Vec<Call> {
        let received = self.lock();
        let newer = received
            .calls
            .iter()
            .filter(|call| call.sequence > sequence);
        newer.map(|call| Call::clone(call)).collect()
    }

    pub(crate) fn count(&self, path: &str) -> usize {
        self.lock()
            .calls
            .iter()
            .filter(|call| call.api_path == path)
            .count()
    }

    pub(crate) fn total(&self) -> u64 {
        self.lock().calls.total()
    }

    pub(crate) fn wait_for(&self, total: u64, timeout: Duration) -> bool {
        let received = self.lock();
        let waited = self
            .received_one
            .wait_timeout_while(received, timeout, |received| received.calls.total() < total);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// A poisoned lock is ignored: each change is one push, so the list is consistent.
    fn lock(&self) -> MutexGuard<'_, Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Received {
    fn push(&mut self, call: Arc<Call>) {
        self.body_bytes += call.body.len();
        if let Some(oldest) = self.calls.push(call) {
            self.body_bytes -= oldest.body.len();
        }
        while self.body_bytes > MAX_BODY_BYTES
            && let Some(oldest) = self.calls.remove_oldest()
        {
            self.body_bytes -= oldest.body.len();
        }
    }
}
