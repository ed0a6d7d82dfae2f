//! A [`Lease`] keeps other nodes from delivering a pay-result while this one does.
//!
//! It is a key in Redis that expires by itself: its node may die. What was accepted is looked up after it is taken, and
//! it is given up once the outcome is where every node looks.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

use bytes::Bytes;
use protocol::BillerCode;

use super::{Held, Share};
use crate::redis::{Change, Key, OutOfReach, Swap};
use crate::{Author, Digests};

/// The kind of key of a lease.
const LEASE: &str = "d";

/// A lease is tried to be taken so often because the key changed meanwhile.
const ROUNDS: usize = 4;

/// What the key of a lease that was given up holds until it is gone: a swap cannot remove a key.
const GIVEN_UP: &[u8] = b"-";

/// It is gone after this time.
const GONE_AFTER: Duration = Duration::from_millis(1);

/// A lease on the delivery of a pay-result. Dropped, it ends when it expires.
#[derive(Debug)]
pub(crate) struct Lease {
    share: Share,
    biller: BillerCode,
    message: Digests,
    value: Vec<u8>,
}

/// Returns the key of a pay-result's lease: copies in another spelling are the same pay-result.
pub(super) fn key(message: &Digests) -> Key<'_> {
    Key {
        kind: LEASE,
        name: match &message.canonical {
            Some(canonical) => canonical.as_bytes(),
            None => message.bytes.as_bytes(),
        },
    }
}

impl Share {
    /// Takes the lease on a pay-result for so long; `None` where it is taken.
    ///
    /// # Errors
    /// When Redis does not say in time. The lease may be taken then, until it expires.
    pub(crate) async fn take_lease(
        &self,
        (biller, message): (BillerCode, Digests),
        lasts: Duration,
    ) -> Result<Option<Lease>, OutOfReach> {
        let drawn = RandomState::new().hash_one(self.replica.author());
        let content = format!("{} {drawn}", self.replica.author()).into_bytes();
        let key = key(&message);
        let value = self.seal.close(biller.as_str(), key, content);
        let mut held: Option<Bytes> = None;
        for _ in 0..ROUNDS {
            let change = Change {
                key,
                expected: held.as_deref(),
                new: &value,
                expires_in: Some(lasts),
            };
            let swapped = self.store.swap(biller.as_str(), &[change]).await?;
            let Swap::Conflict(mut values) = swapped else {
                return Ok(Some(Lease {
                    share: self.clone(),
                    biller,
                    message,
                    value,
                }));
            };
            held = values.pop().flatten();
            let taken = held
                .as_ref()
                .and_then(|held| self.lease_holder((biller, &message), held));
            if taken.is_some() {
                return Ok(None);
            }
        }
        Err(OutOfReach::Busy)
    }

    /// Returns whether another node that runs delivers the pay-result that was asked for.
    pub(crate) fn is_delivered_elsewhere(&self, held: &Held) -> bool {
        let holder = held.delivered_by;
        let other = holder.filter(|holder| *holder != self.replica.author());
        other.is_some_and(|other| self.replica.runs(other, self.node.now()))
    }

    /// Returns who holds a lease by its value; `None` where no node wrote it.
    pub(super) fn lease_holder(
        &self,
        (biller, message): (BillerCode, &Digests),
        value: &Bytes,
    ) -> Option<Author> {
        let opened = self.seal.open(biller.as_str(), key(message), value);
        let content = opened.is_valid.then_some(opened.content)?;
        let (author, _) = std::str::from_utf8(&content).ok()?.split_once(' ')?;
        Author::parse(author)
    }
}

impl Lease {
    /// Gives it up.
    pub(crate) async fn give_up(self) {
        let change = Change {
            key: key(&self.message),
            expected: Some(&self.value),
            new: GIVEN_UP,
            expires_in: Some(GONE_AFTER),
        };
        // What does not get there expires.
        let _ = self.share.store.swap(self.biller.as_str(), &[change]).await;
    }
}
