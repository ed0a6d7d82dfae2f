//! The comparison finds what Redis lacks of this node's bills and answers.

use bytes::Bytes;
use protocol::BillerCode;

use super::keys::{KeySet, MESSAGE, keys};
use super::{Held, Share, held};
use crate::MessageDigest;
use crate::node::Resident;
use crate::redis::{Key, OutOfReach};
use crate::state::horizon::Horizon;

/// A `Lag` is how Redis falls short of what this node knows of a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lag {
    /// It has nothing of it.
    Missing,
    /// It has less.
    Behind,
    /// What it has cannot be read.
    Unreadable,
}

impl Share {
    /// Returns the places of those of a biller's bills of which Redis falls short; one round trip.
    pub(crate) async fn lagging(
        &self,
        biller: BillerCode,
        bills: &[Resident],
    ) -> Result<Vec<(usize, Lag)>, OutOfReach> {
        let key_set = KeySet {
            has_links: true,
            has_old: false,
        };
        let keys = bills.iter().map(|one| keys(one.bill(), None, key_set));
        let keys: Vec<Vec<Key<'_>>> = keys.collect();
        let all: Vec<Key<'_>> = keys.iter().flatten().copied().collect();
        let mut values = self.store().get(biller.as_str(), &all).await?.into_iter();
        let horizon = Horizon::at(self.node.now());
        let mut lagging = Vec::new();
        for (place, (resident, keys)) in bills.iter().zip(&keys).enumerate() {
            let raw: Vec<_> = values.by_ref().take(keys.len()).collect();
            let is_missing = raw.first().is_none_or(Option::is_none);
            let values = (key_set, raw);
            let lag = match Held::read(resident.bill(), None, values, (&horizon, &self.seal)) {
                Err(_) => Some(Lag::Unreadable),
                Ok(held) => {
                    let joined = held.join(resident.bill(), &resident.local());
                    let has_all = held.has_all_of(&joined);
                    match (has_all, is_missing) {
                        (true, _) => None,
                        (false, true) => Some(Lag::Missing),
                        (false, false) => Some(Lag::Behind),
                    }
                }
            };
            lagging.extend(lag.map(|lag| (place, lag)));
        }
        Ok(lagging)
    }

    /// Returns those of a biller's accepted pay-results without a kept answer that can be read; one round trip.
    pub(crate) async fn without_answer(
        &self,
        biller: BillerCode,
        messages: &[MessageDigest],
    ) -> Result<Vec<MessageDigest>, OutOfReach> {
        let key = |message| Key {
            kind: MESSAGE,
            name: MessageDigest::as_bytes(message),
        };
        let keys: Vec<Key<'_>> = messages.iter().map(key).collect();
        let values = self.store().get(biller.as_str(), &keys).await?;
        let has = |(key, value): (&Key<'_>, Option<Bytes>)| {
            value.is_some_and(|value| {
                let opened = self.seal.open(biller.as_str(), *key, &value);
                opened.is_valid && held::answer(&opened.content).is_ok()
            })
        };
        let answered = keys.iter().zip(values).map(has);
        let answered = answered.chain(std::iter::repeat(false));
        let both = messages.iter().zip(answered);
        Ok(both
            .filter(|(_, answered)| !answered)
            .map(|(message, _)| *message)
            .collect())
    }
}
