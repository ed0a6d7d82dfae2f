//! A worker's open connections, to be told of a drain.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};

use super::connection::Connection;

/// The open connections of one worker; as many as the doorway lets in.
#[derive(Debug, Default)]
pub(super) struct Roster {
    draining: Rc<Cell<bool>>,
    next: Cell<u64>,
    connections: RefCell<HashMap<u64, Weak<Connection>>>,
}

impl Roster {
    /// The flag that all connections of the worker share.
    pub(super) fn draining(&self) -> Rc<Cell<bool>> {
        Rc::clone(&self.draining)
    }

    /// Keeps the connection on the roster for as long as the answer lives.
    pub(super) fn enrol(self: &Rc<Self>, connection: &Rc<Connection>) -> Enrolment {
        let number = self.next.get();
        self.next.set(number + 1);
        self.connections
            .borrow_mut()
            .insert(number, Rc::downgrade(connection));
        Enrolment {
            roster: Rc::clone(self),
            number,
        }
    }

    /// Idle connections end now, the others after the call under way.
    pub(super) fn drain(&self) {
        self.draining.set(true);
        for connection in self.connections.borrow().values() {
            if let Some(connection) = connection.upgrade() {
                connection.wake();
            }
        }
    }
}

/// A connection's place on the roster.
#[derive(Debug)]
pub(super) struct Enrolment {
    roster: Rc<Roster>,
    number: u64,
}

impl Drop for Enrolment {
    fn drop(&mut self) {
        self.roster.connections.borrow_mut().remove(&self.number);
    }
}
