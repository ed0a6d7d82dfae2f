//! The state of one connection, shared by its stream and its calls.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::Waker;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::early_fault::EarlyFault;
use crate::tls::ClientTrust;

/// One open connection of the public listener. Its calls run one after another: the stream passes on the next
/// head only after the previous call is answered, so pipelined requests wait in the socket without cost.
#[derive(Debug)]
pub struct ClientConnection {
    client: SocketAddr,
    identity: ClientIdentity,
    /// When the connection is closed if it has no call; set by a drain, shared by all connections of a worker.
    idle_deadline: Rc<Cell<Option<Instant>>>,
    call: Cell<CallState>,
    body: Cell<BodyState>,
    /// The present or the previous call is the last of this connection.
    is_last: Cell<bool>,
    fault: Cell<Option<EarlyFault>>,
    head_read_at: Cell<Instant>,
    idle_since: Cell<Instant>,
    /// Wakes the connection's task while its stream waits for the end of a call or for a drain.
    waker: RefCell<Option<Waker>>,
    /// The socket wakes that task when the next request arrives, so the end of the present call need not.
    socket_wakes: Cell<bool>,
    work: Cell<usize>,
    work_done: Notify,
}

/// The identity of the client as the TLS handshake established it.
#[derive(Debug, Default)]
pub(super) struct ClientIdentity {
    /// SHA-256 of the DER form of the client's certificate, whose key the client proved to hold.
    pub(super) certificate: Option<[u8; 32]>,
    /// `None` without TLS.
    pub(super) trust: Option<ClientTrust>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CallState {
    None,
    /// A request was passed on and is not answered yet.
    Request,
    /// A synthetic request was passed on and is not answered yet.
    Synthetic,
}

/// How much of the present request's body has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyState {
    Arriving,
    Complete,
    /// The rest will not arrive: the client closed the connection or the framing is broken.
    Truncated,
}

impl ClientConnection {
    pub(super) fn new(
        client: SocketAddr,
        identity: ClientIdentity,
        idle_deadline: Rc<Cell<Option<Instant>>>,
    ) -> Self {
        let now = Instant::now();
        Self {
            client,
            identity,
            idle_deadline,
            call: Cell::new(CallState::None),
            body: Cell::new(BodyState::Complete),
            is_last: Cell::new(false),
            fault: Cell::new(None),
            head_read_at: Cell::new(now),
            idle_since: Cell::new(now),
            waker: RefCell::new(None),
            socket_wakes: Cell::new(false),
            work: Cell::new(0),
            work_done: Notify::new(),
        }
    }

    /// The client's address: the one that a trusted proxy's PROXY header names, else the socket's peer.
    pub fn client(&self) -> SocketAddr {
        self.client
    }

    /// SHA-256 of the DER form of the client's certificate; `None` where it presented none, and where the listener
    /// does not ask for certificates any more.
    pub fn certificate(&self) -> Option<&[u8; 32]> {
        let trust = self.identity.trust.as_ref();
        let certificate = self.identity.certificate.as_ref();
        certificate.filter(|_| trust.is_some_and(ClientTrust::has_verified_certificate))
    }

    /// Whether the client's TLS handshake would succeed now. `false` once the client's certificate has expired, and
    /// after a reload that removed its authority or requires a certificate that the client did not present.
    pub fn is_still_trusted(&self) -> bool {
        self.identity
            .trust
            .as_ref()
            .is_none_or(ClientTrust::is_valid)
    }

    /// When the client's trust must be checked because a certificate expires.
    pub(super) fn certificate_expires_at(&self) -> Option<Instant> {
        self.identity.trust.as_ref()?.expires_at()
    }

    /// Why reading stopped before the end of a request. If reading a body fails, `Some` means that its framing is
    /// broken and gives the status of the answer; `None` means that the client closed the connection.
    pub fn fault(&self) -> Option<EarlyFault> {
        self.fault.get()
    }

    /// Whether the present request's body has arrived to its end.
    pub fn has_whole_body(&self) -> bool {
        self.body.get() == BodyState::Complete
    }

    /// Whether the server drains; the present call is then the last of this connection.
    pub fn is_draining(&self) -> bool {
        self.idle_deadline.get().is_some()
    }

    /// When a drain closes the connection if it has no call; `None` while the server does not drain.
    pub(super) fn idle_deadline(&self) -> Option<Instant> {
        self.idle_deadline.get()
    }

    /// Registers work that must finish before the server stops, even if the client closes the connection. A drain
    /// waits for it as for an open connection. The task that does the work holds the guard.
    pub fn begin_work(self: &Rc<Self>) -> WorkGuard {
        self.work.set(self.work.get() + 1);
        WorkGuard {
            connection: Rc::clone(self),
        }
    }

    /// Waits until all registered work is done.
    pub(super) async fn until_work_is_done(&self) {
        while self.work.get() > 0 {
            self.work_done.notified().await;
        }
    }

    /// Records that a complete head is passed on.
    pub(super) fn begin_call(&self, now: Instant) {
        self.head_read_at.set(now);
        self.call.set(CallState::Request);
        self.body.set(BodyState::Arriving);
    }

    /// Records that a synthetic request is passed on in place of a refused head.
    pub(super) fn begin_synthetic_call(&self, fault: EarlyFault, now: Instant) {
        self.head_read_at.set(now);
        self.call.set(CallState::Synthetic);
        self.body.set(BodyState::Complete);
        self.fault.set(Some(fault));
    }

    pub(super) fn has_call(&self) -> bool {
        self.call.get() != CallState::None
    }

    pub(super) fn is_call_synthetic(&self) -> bool {
        self.call.get() == CallState::Synthetic
    }

    /// Records that the present call is answered or dropped.
    pub(super) fn end_call(&self) {
        self.call.set(CallState::None);
        self.idle_since.set(Instant::now());
        let is_over = self.is_last.get() || self.body.get() != BodyState::Complete;
        if is_over || !self.socket_wakes.get() {
            self.wake();
        }
    }

    /// Sets whether the socket wakes the connection's task for the next request. If so, the end of the present
    /// call does not, which saves a round through the executor.
    pub(super) fn set_socket_wakes(&self, socket_wakes: bool) {
        self.socket_wakes.set(socket_wakes);
    }

    /// When the head of the present request was complete.
    pub(super) fn head_read_at(&self) -> Instant {
        self.head_read_at.get()
    }

    pub(super) fn idle_since(&self) -> Instant {
        self.idle_since.get()
    }

    pub(super) fn body(&self) -> BodyState {
        self.body.get()
    }

    pub(super) fn set_body(&self, body: BodyState) {
        self.body.set(body);
    }

    pub(super) fn set_body_fault(&self, fault: EarlyFault) {
        self.fault.set(Some(fault));
        self.body.set(BodyState::Truncated);
    }

    pub(super) fn is_last(&self) -> bool {
        self.is_last.get()
    }

    /// Marks the present call as the last of this connection.
    pub(super) fn set_last(&self) {
        self.is_last.set(true);
    }

    /// Sets the task to wake when the call ends or a drain begins.
    pub(super) fn set_waker(&self, waker: &Waker) {
        let mut stored = self.waker.borrow_mut();
        match stored.as_mut() {
            Some(stored) => stored.clone_from(waker),
            None => *stored = Some(waker.clone()),
        }
    }

    pub(super) fn wake(&self) {
        if let Some(waker) = self.waker.borrow().as_ref() {
            waker.wake_by_ref();
        }
    }
}

/// Registered work of a call, which outlives the client's connection. See [`ClientConnection::begin_work`].
#[derive(Debug)]
#[must_use = "the work counts as done when this is dropped"]
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
