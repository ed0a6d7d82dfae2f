//! The connections that a worker has open to one party.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use tokio::time::Instant;

use super::connection::Connection;

/// The HTTP client looks through its pool only when the party is called again; this list lets go
/// of idle connections of a party that is not. Bounded by the connections opened between two
/// sweeps and those still open.
#[derive(Default)]
pub(super) struct Opened(RefCell<Vec<Weak<Connection>>>);

impl Opened {
    pub(super) fn add(&self, connection: &Rc<Connection>) {
        self.0.borrow_mut().push(Rc::downgrade(connection));
    }

    /// Closes those that have waited too long, and forgets those that are gone.
    pub(super) fn close_idle(&self, now: Instant) {
        self.0.borrow_mut().retain(|connection| {
            let Some(connection) = connection.upgrade() else {
                return false;
            };
            let over = connection.is_over(now);
            if over {
                connection.close();
            }
            !over
        });
    }
}
