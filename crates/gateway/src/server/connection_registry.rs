//! The registry of a worker's open connections, which a drain wakes.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};

use tokio::time::Instant;

use super::connection::ClientConnection;

/// The open connections of one worker. The connection limits bound their number.
#[derive(Debug, Default)]
pub(super) struct ConnectionRegistry {
    idle_deadline: Rc<Cell<Option<Instant>>>,
    next: Cell<u64>,
    connections: RefCell<HashMap<u64, Weak<ClientConnection>>>,
}

impl ConnectionRegistry {
    /// The cell that all connections of the worker share: when a drain closes those without a call.
    pub(super) fn idle_deadline(&self) -> Rc<Cell<Option<Instant>>> {
        Rc::clone(&self.idle_deadline)
    }

    /// Registers the connection until the result is dropped.
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

    /// Begins the drain of the connections: those without a call end at `idle_deadline`, the others after their
    /// present call.
    pub(super) fn drain(&self, idle_deadline: Instant) {
        self.idle_deadline.set(Some(idle_deadline));
        for connection in self.connections.borrow().values() {
            if let Some(connection) = connection.upgrade() {
                connection.wake();
            }
        }
    }
}

/// A connection's entry in the registry, removed when this is dropped.
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
