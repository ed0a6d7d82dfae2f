//! What a stand-in was asked: kept in order, to be looked at afterwards or waited for.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::kept::Kept;
use crate::wire;

/// So many calls are kept, the newest ones.
const KEPT_CALLS: usize = 100_000;

/// Their bodies may take so many bytes together; then the oldest calls go earlier.
const KEPT_BODY_BYTES: usize = 256 * 1024 * 1024;

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Call {
    /// Which call of this stand-in it was, counted from 1.
    pub sequence: u64,
    /// Which connection brought it, counted from 1.
    pub connection: u64,
    /// Which call of its connection it was, counted from 1.
    pub nth_on_connection: u64,
    /// The method, as sent.
    pub method: String,
    /// The request target, as sent: the path, with the query if one came.
    pub api_path: String,
    /// The header fields in order, names in the sender's spelling. Bytes that are no UTF-8 are
    /// replaced.
    pub headers: Vec<(String, String)>,
    /// The body, without its framing.
    pub body: Vec<u8>,
    /// When its last byte was read.
    pub received_at: Instant,
}

impl Call {
    /// The value of the first header field with this name, in any spelling.
    pub fn header(&self, name: &str) -> Option<&str> {
        wire::header(&self.headers, name)
    }

    /// The body as text; bytes that are no UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// All calls of one stand-in.
#[derive(Debug)]
pub(crate) struct Calls {
    received: Mutex<Received>,
    arrival: Condvar,
}

#[derive(Debug)]
struct Received {
    calls: Kept<Arc<Call>>,
    body_bytes: usize,
}

impl Calls {
    pub(crate) fn new() -> Self {
        let received = Received {
            calls: Kept::newest(KEPT_CALLS),
            body_bytes: 0,
        };
        Self {
            received: Mutex::new(received),
            arrival: Condvar::new(),
        }
    }

    /// Numbers the call, keeps it and wakes who waits for it.
    pub(crate) fn record(&self, mut call: Call) -> Arc<Call> {
        let mut received = self.lock();
        call.sequence = received.calls.next_sequence();
        let call = Arc::new(call);
        received.keep(Arc::clone(&call));
        drop(received);
        self.arrival.notify_all();
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
            .arrival
            .wait_timeout_while(received, timeout, |received| received.calls.total() < total);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// A panic elsewhere leaves the list whole: each change is one push.
    fn lock(&self) -> MutexGuard<'_, Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Received {
    fn keep(&mut self, call: Arc<Call>) {
        self.body_bytes += call.body.len();
        if let Some(oldest) = self.calls.push(call) {
            self.body_bytes -= oldest.body.len();
        }
        while self.body_bytes > KEPT_BODY_BYTES
            && let Some(oldest) = self.calls.forget_oldest()
        {
            self.body_bytes -= oldest.body.len();
        }
    }
}
