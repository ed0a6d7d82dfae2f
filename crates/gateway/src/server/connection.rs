//! What the guard of a connection and the calls on it know of each other.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::Waker;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::early_fault::EarlyFault;
use crate::tls::Trust;

/// One open connection of the public listener. Calls on it run one after another: the next head is handed on
/// when the call before it is answered, so pipelined requests wait where they cost nothing, in the socket.
#[derive(Debug)]
pub struct ClientConnection {
    peer: SocketAddr,
    caller: Caller,
    /// Until when it may stay without a call, in a drain; shared by all connections of a worker.
    idle_ends_at: Rc<Cell<Option<Instant>>>,
    call: Cell<Call>,
    body: Cell<Body>,
    /// The call under way, or the one before, is the last of this connection.
    is_last: Cell<bool>,
    fault: Cell<Option<EarlyFault>>,
    head_read_at: Cell<Instant>,
    idle_since: Cell<Instant>,
    /// The connection's task, where its guard waits for something else than the network.
    waker: RefCell<Option<Waker>>,
    /// Whether the network alone wakes that task for what comes behind the present call.
    is_watched: Cell<bool>,
    work: Cell<usize>,
    work_done: Notify,
}

/// Who a TLS handshake found at the other end.
#[derive(Debug, Default)]
pub(super) struct Caller {
    /// SHA-256 of the DER form of the certificate that the caller proved to own.
    pub(super) certificate: Option<[u8; 32]>,
    /// `None` without TLS.
    pub(super) trust: Option<Trust>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    None,
    /// A request was handed on and is not answered.
    Request,
    /// So was the stand-in for one.
    Synthetic,
}

/// How far the body of the present request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    Arriving,
    Complete,
    /// Its end will not come: the caller hung up or its framing is broken.
    Cut,
}

impl ClientConnection {
    pub(super) fn new(
        peer: SocketAddr,
        caller: Caller,
        idle_ends_at: Rc<Cell<Option<Instant>>>,
    ) -> Self {
        let now = Instant::now();
        Self {
            peer,
            caller,
            idle_ends_at,
            call: Cell::new(Call::None),
            body: Cell::new(Body::Complete),
            is_last: Cell::new(false),
            fault: Cell::new(None),
            head_read_at: Cell::new(now),
            idle_since: Cell::new(now),
            waker: RefCell::new(None),
            is_watched: Cell::new(false),
            work: Cell::new(0),
            work_done: Notify::new(),
        }
    }

    /// The address at the other end of the socket: a proxy's, where there is one.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// SHA-256 of the DER form of the certificate that the client proved to own.
    pub fn certificate(&self) -> Option<&[u8; 32]> {
        self.caller.certificate.as_ref()
    }

    /// Whether the caller's TLS handshake would be taken now as it was then: `false` where a reload has
    /// taken its authority out, or asks for a certificate that it has not shown.
    pub fn is_still_trusted(&self) -> bool {
        self.caller.trust.as_ref().is_none_or(Trust::holds)
    }

    /// Why the connection's bytes ended early. Where reading a request's body fails and this is set, the
    /// body's framing is at fault and the answer is this fault's status; where it is not set, the caller has
    /// hung up.
    pub fn fault(&self) -> Option<EarlyFault> {
        self.fault.get()
    }

    /// Whether all of the present request's body has come.
    pub fn has_whole_body(&self) -> bool {
        self.body.get() == Body::Complete
    }

    /// `true` once the server drains: the answer under way is this connection's last.
    pub fn is_draining(&self) -> bool {
        self.idle_ends_at.get().is_some()
    }

    /// Until when it may stay without a call; `None` while the server does not drain.
    pub(super) fn idle_ends_at(&self) -> Option<Instant> {
        self.idle_ends_at.get()
    }

    /// Notes work that must be done before the server ends, even if the caller hangs up: a drain waits for it
    /// as for an open connection. To be held by the task that does the work.
    pub fn enter(self: &Rc<Self>) -> WorkGuard {
        self.work.set(self.work.get() + 1);
        WorkGuard {
            connection: Rc::clone(self),
        }
    }

    /// Waits until no work is held.
    pub(super) async fn until_work_is_done(&self) {
        while self.work.get() > 0 {
            self.work_done.notified().await;
        }
    }

    /// A head is complete and handed on.
    pub(super) fn request_handed_on(&self, now: Instant) {
        self.head_read_at.set(now);
        self.call.set(Call::Request);
        self.body.set(Body::Arriving);
    }

    /// The stand-in for a faulty head is handed on.
    pub(super) fn synthetic_request_handed_on(&self, fault: EarlyFault, now: Instant) {
        self.head_read_at.set(now);
        self.call.set(Call::Synthetic);
        self.body.set(Body::Complete);
        self.fault.set(Some(fault));
    }

    pub(super) fn has_call(&self) -> bool {
        self.call.get() != Call::None
    }

    pub(super) fn call_is_synthetic(&self) -> bool {
        self.call.get() == Call::Synthetic
    }

    /// The call under way is answered, or given up.
    pub(super) fn call_ended(&self) {
        self.call.set(Call::None);
        self.idle_since.set(Instant::now());
        let is_over = self.is_last.get() || self.body.get() != Body::Complete;
        if is_over || !self.is_watched.get() {
            self.wake();
        }
    }

    /// While a call is under way: whether its end need not wake the connection's task, since whatever comes
    /// next on the socket does.
    pub(super) fn set_watched(&self, is_watched: bool) {
        self.is_watched.set(is_watched);
    }

    /// When the head of the present request was complete.
    pub(super) fn head_read_at(&self) -> Instant {
        self.head_read_at.get()
    }

    pub(super) fn idle_since(&self) -> Instant {
        self.idle_since.get()
    }

    pub(super) fn body(&self) -> Body {
        self.body.get()
    }

    pub(super) fn set_body(&self, body: Body) {
        self.body.set(body);
    }

    pub(super) fn set_body_fault(&self, fault: EarlyFault) {
        self.fault.set(Some(fault));
        self.body.set(Body::Cut);
    }

    pub(super) fn is_last(&self) -> bool {
        self.is_last.get()
    }

    /// No request follows the present one.
    pub(super) fn set_last(&self) {
        self.is_last.set(true);
    }

    /// The task to wake when the call ends or a drain begins.
    pub(super) fn wake_later(&self, waker: &Waker) {
        let mut known = self.waker.borrow_mut();
        match known.as_mut() {
            Some(known) => known.clone_from(waker),
            None => *known = Some(waker.clone()),
        }
    }

    pub(super) fn wake(&self) {
        if let Some(waker) = self.waker.borrow().as_ref() {
            waker.wake_by_ref();
        }
    }
}

/// Work under way for a caller, whether the caller is still there or not. See [`ClientConnection::enter`].
#[derive(Debug)]
#[must_use = "the work counts as done as soon as this is dropped"]
pub struct WorkGuard {
    connection: Rc<ClientConnection>,
}

impl Drop for WorkGuard {
    fn drop(&mut self) {
        let left = self.connection.work.get().saturating_sub(1);
        self.connection.work.set(left);
        if left == 0 {
            self.connection.work_done.notify_one();
        }
    }
}
