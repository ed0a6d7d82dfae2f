//! A worker's open connections, to be told of a drain.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};

use tokio::time::Instant;

use super::connection::ClientConnection;

/// The open connections of one worker; as many as the doorway lets in.
#[derive(Debug, Default)]
pub(super) struct ConnectionRegistry {
    idle_ends_at: Rc<Cell<Option<Instant>>>,
    next: Cell<u64>,
    connections: RefCell<HashMap<u64, Weak<ClientConnection>>>,
}

impl ConnectionRegistry {
    /// What all connections of the worker share: until when one without a call may stay, in a drain.
    pub(super) fn idle_ends_at(&self) -> Rc<Cell<Option<Instant>>> {
        Rc::clone(&self.idle_ends_at)
    }

    /// Keeps the connection on the roster for as long as the answer lives.
    pub(super) fn register(self: &Rc<Self>, connection: &Rc<ClientConnection>) -> Registration {
        let number = self.next.get();
        self.next.set(number + 1);
        self.connections
            .borrow_mut()
            .insert(number, Rc::downgrade(connection));
        Registration {
            registry: Rc::clone(self),
            number,
        }
    }

    /// Connections without a call end then, the others after the call under way.
    pub(super) fn drain(&self, idle_ends_at: Instant) {
        self.idle_ends_at.set(Some(idle_ends_at));
        for connection in self.connections.borrow().values() {
            if let Some(connection) = connection.upgrade() {
                connection.wake();
            }
        }
    }
}

/// A connection's place on the roster.
#[derive(Debug)]
pub(super) struct Registration {
    registry: Rc<ConnectionRegistry>,
    number: u64,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.registry.connections.borrow_mut().remove(&self.number);
    }
}
