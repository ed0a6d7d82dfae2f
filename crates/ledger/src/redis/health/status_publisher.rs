//! A [`StatusPublisher`] publishes and logs which Redis is in reach, each status once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::identity::Identity;
use super::status::Status;
use crate::redis::connection::fault::Fault;

/// A new distribution of slots is published once it has lasted this long: while a Cluster moves slots nothing is
/// lost, and every change makes the nodes write their journals to Redis again.
const SLOTS_SETTLE_FOR: Duration = Duration::from_secs(1);

/// A `StatusPublisher` publishes and logs the status of Redis.
#[derive(Debug)]
pub(crate) struct StatusPublisher {
    status: Arc<Status>,
    whole: DebouncedIdentity,
    /// The part that is in reach.
    part: DebouncedIdentity,
    logged: Logged,
}

/// A `DebouncedIdentity` takes over changed data at once, and moved slots once they have settled.
#[derive(Debug, Default)]
struct DebouncedIdentity {
    /// The latest that was published, also while nothing is in reach.
    last: Option<Identity>,
    /// An identity that differs from it in its slots alone, and since when it is seen.
    moving: Option<(Identity, Instant)>,
}

/// `Logged` is the status that was logged last.
#[derive(Debug, PartialEq, Eq)]
enum Logged {
    Nothing,
    InReach,
    ReadOnly(String),
    OutOfReach(String),
}

/// An `IdentityUpdate` says whether an identity is another than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdentityUpdate {
    Changed,
    Same,
}

impl StatusPublisher {
    pub(crate) fn new(status: Arc<Status>) -> Self {
        Self {
            status,
            whole: DebouncedIdentity::default(),
            part: DebouncedIdentity::default(),
            logged: Logged::Nothing,
        }
    }

    /// Publishes that all of Redis is in reach, and its identity.
    pub(crate) fn in_reach(&mut self, identity: Identity, now: Instant) -> IdentityUpdate {
        if self.logged != Logged::InReach {
            tracing::info!(%identity, "Redis is in reach");
            self.logged = Logged::InReach;
        }
        let before = self.whole.last.clone();
        let identity = self.whole.settled(identity, now);
        self.status.identity.send_if_modified(|known| {
            let changed = known.as_ref() != Some(&identity);
            *known = Some(identity.clone());
            changed
        });
        if before == Some(identity) {
            IdentityUpdate::Same
        } else {
            IdentityUpdate::Changed
        }
    }

    /// Publishes which servers are in reach, whether or not these are all.
    pub(crate) fn present(&mut self, present: Option<Identity>, now: Instant) {
        let present = present.map(|present| self.part.settled(present, now));
        self.status.present.send_if_modified(|known| {
            let changed = *known != present;
            *known = present;
            changed
        });
    }

    /// Publishes that all of Redis can be read, but not all of it written, and why.
    pub(crate) fn read_only(&mut self, fault: &Fault) {
        self.withdraw_identity();
        let logged = Logged::ReadOnly(fault.to_string());
        if self.logged != logged {
            tracing::warn!(
                reason = %fault,
                "Redis is out of reach for writes: it is read, and what this node does \
                 waits in its journal"
            );
            self.logged = logged;
        }
    }

    fn withdraw_identity(&self) {
        self.status
            .identity
            .send_if_modified(|known| known.take().is_some());
    }

    /// Publishes that a part of Redis is out of reach, and why.
    pub(crate) fn out_of_reach(&mut self, fault: &Fault) {
        self.withdraw_identity();
        let logged = Logged::OutOfReach(fault.to_string());
        if self.logged != logged {
            tracing::warn!(
                reason = %fault,
                "Redis is out of reach: this node goes on with what it knows"
            );
            self.logged = logged;
        }
    }
}

impl DebouncedIdentity {
    /// Returns the identity to publish: the one before, as long as only slots move.
    fn settled(&mut self, identity: Identity, now: Instant) -> Identity {
        let settled = self.choose(identity, now);
        self.last = Some(settled.clone());
        settled
    }

    fn choose(&mut self, identity: Identity, now: Instant) -> Identity {
        let Some(last) = &self.last else {
            return identity;
        };
        if *last == identity || !last.is_same_but_for_slots(&identity) {
            self.moving = None;
            return identity;
        }
        match &self.moving {
            Some((moving, since)) if *moving == identity => {
                if now.duration_since(*since) >= SLOTS_SETTLE_FOR {
                    self.moving = None;
                    return identity;
                }
            }
            _ => self.moving = Some((identity, now)),
        }
        last.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis::health::identity::Server;

    fn identity(epoch: &str, last_slot: u16) -> Identity {
        Identity::new(vec![Server {
            run_id: "r".to_owned(),
            replication_id: "h".to_owned(),
            epoch: epoch.to_owned(),
            slots: vec![[0, last_slot]],
        }])
    }

    #[test]
    fn moving_slots_are_published_once_they_have_settled() {
        let status = Arc::new(Status::default());
        let mut publisher = StatusPublisher::new(Arc::clone(&status));
        let start = Instant::now();
        let identity_after = |publisher: &mut StatusPublisher, last_slot, milliseconds| {
            let now = start + Duration::from_millis(milliseconds);
            publisher.in_reach(identity("a", last_slot), now);
            status.identity.borrow().clone()
        };
        for (milliseconds, last_slot, known) in [
            (0, 9, 9),
            (500, 8, 9),
            (1_400, 7, 9),
            (2_399, 7, 9),
            (2_400, 7, 7),
        ] {
            let expected = Some(identity("a", known));
            assert_eq!(
                identity_after(&mut publisher, last_slot, milliseconds),
                expected,
                "{milliseconds} ms"
            );
        }
    }

    #[test]
    fn changed_data_is_published_at_once_and_an_absence_is_no_change() {
        let status = Arc::new(Status::default());
        let mut publisher = StatusPublisher::new(Arc::clone(&status));
        let now = Instant::now();
        publisher.in_reach(identity("a", 9), now);
        assert_eq!(
            publisher.in_reach(identity("b", 8), now),
            IdentityUpdate::Changed
        );
        publisher.out_of_reach(&Fault::new("gone"));
        assert_eq!(*status.identity.borrow(), None);
        assert_eq!(
            publisher.in_reach(identity("b", 8), now),
            IdentityUpdate::Same
        );
        assert_eq!(*status.identity.borrow(), Some(identity("b", 8)));
    }
}
