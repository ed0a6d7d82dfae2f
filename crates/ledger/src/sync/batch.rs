//! The resync writes the facts of one biller in batches.

use std::time::Instant;

use protocol::{Bill, BillerCode};

use super::answer::is_large;
use super::item::{Item, accepted_in, items_of, linked_bills};
use super::keys::keys;
use super::{Held, KeySet, Part, Prepared, Share};
use crate::journal::Rows;
use crate::node::{Epoch, Node, Resident};
use crate::redis::{BillerChanges, Key, OutOfReach, Swap};
use crate::{Digests, Fact, JournalError};

/// One batch has so many bytes of kept answers at most: a call that comes meanwhile waits behind them.
const BYTES_AT_ONCE: usize = 64 * 1024;

/// `Deferred` says how much of a biller's facts is deferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Deferred {
    /// Some: their values cannot be read, or are refused.
    Some,
    /// All that come after: the server is out of reach, or busy.
    All,
}

/// `LargeAnswers` says whether large answers are written now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LargeAnswers {
    Write,
    Defer,
}

/// Writes the bills of these facts of one biller, and marks what is shared; returns how much is deferred.
pub(super) async fn write_batches(
    node: &Node,
    share: &Share,
    biller: BillerCode,
    facts: &[(i64, Fact)],
    large: &mut LargeAnswers,
) -> Result<Option<Deferred>, JournalError> {
    let reader = node.journal().reader();
    let runner = Runner {
        node,
        share,
        biller,
    };
    let mut deferred = None;
    let mut batch: Vec<Item<'_>> = Vec::new();
    let mut larges = Vec::new();
    let mut bytes = 0;
    let linked = linked_bills(facts);
    for (bill, message, mut rows) in items_of(facts) {
        let part = if linked.contains(bill) {
            Part::Links
        } else {
            Part::State
        };
        let mut accepted = match message {
            Some(_) => accepted_in(&reader, &rows)?,
            None => None,
        };
        if accepted
            .as_ref()
            .is_some_and(|(_, answer)| is_large(answer))
        {
            // Small values first, also of this bill.
            accepted = None;
            larges.push((bill, part, std::mem::take(&mut rows)));
        }
        bytes += accepted.as_ref().map_or(0, |(_, answer)| answer.body.len());
        batch.push(Item {
            bill,
            accepted,
            part,
            rows,
        });
        if bytes >= BYTES_AT_ONCE {
            deferred = deferred.max(runner.run(&std::mem::take(&mut batch)).await);
            bytes = 0;
        }
        if deferred == Some(Deferred::All) {
            return Ok(deferred);
        }
    }
    deferred = deferred.max(runner.run(&batch).await);
    for (bill, part, rows) in larges {
        if deferred == Some(Deferred::All) || *large == LargeAnswers::Defer {
            return Ok(deferred.max(Some(Deferred::Some)));
        }
        if let Some(accepted) = accepted_in(&reader, &rows)? {
            let item = Item {
                bill,
                accepted: Some(accepted),
                part,
                rows,
            };
            deferred = deferred.max(runner.run_large(&item, large).await);
        }
    }
    Ok(deferred)
}

/// Writes what is known of these bills of one biller; returns how much is deferred.
pub(super) async fn write_bills(
    (node, share): (&Node, &Share),
    biller: BillerCode,
    bills: &[Bill],
) -> Option<Deferred> {
    let runner = Runner {
        node,
        share,
        biller,
    };
    let item = |bill| Item {
        bill,
        accepted: None,
        part: Part::Links,
        rows: Vec::new(),
    };
    let items: Vec<Item<'_>> = bills.iter().map(item).collect();
    runner.run(&items).await
}

/// A `Runner` writes the items of one biller.
struct Runner<'a> {
    node: &'a Node,
    share: &'a Share,
    biller: BillerCode,
}

impl Runner<'_> {
    async fn run(&self, batch: &[Item<'_>]) -> Option<Deferred> {
        if batch.is_empty() {
            return None;
        }
        let began = Instant::now();
        let outcome = self.write_all(batch).await;
        if let Some(watch) = &self.share.watch {
            watch.sync_batch(began.elapsed());
        }
        outcome.unwrap_or_else(|out| Some(deferred_by(out)))
    }

    async fn run_large(&self, item: &Item<'_>, large: &mut LargeAnswers) -> Option<Deferred> {
        if let Ok(epoch) = self.write_one(item).await {
            self.mark(item, epoch);
            return None;
        }
        *large = LargeAnswers::Defer;
        Some(Deferred::Some)
    }

    /// Makes one read and one write, and another of both for each item that another node changed meanwhile.
    async fn write_all(&self, batch: &[Item<'_>]) -> Result<Option<Deferred>, OutOfReach> {
        let helds = self.read_all(batch).await?;
        let readable: Vec<(&Item<'_>, &Held)> = batch
            .iter()
            .zip(&helds)
            .filter_map(|(item, held)| Some((item, held.as_ref()?)))
            .collect();
        let residents = self.residents(&readable).await?;
        let joined: Vec<Held> = readable
            .iter()
            .zip(&residents)
            .map(|((_, held), resident)| self.share.join(resident, held))
            .collect();
        let prepared: Vec<Prepared<'_>> = readable
            .iter()
            .zip(&joined)
            .map(|((item, held), joined)| {
                Prepared::new(
                    item.subject(),
                    held,
                    joined,
                    (&self.share.seal, self.share.keep()),
                )
            })
            .collect();
        let changes: Vec<_> = prepared.iter().map(Prepared::changes).collect();
        let swaps: Vec<BillerChanges<'_>> = changes
            .iter()
            .filter(|changes| !changes.is_empty())
            .map(|changes| BillerChanges {
                biller: self.biller.as_str(),
                changes,
            })
            .collect();
        let mut deferred = (readable.len() < batch.len()).then_some(Deferred::Some);
        let mut outcomes = self.share.store().swap_many(&swaps).await.into_iter();
        for ((item, held), changes) in readable.into_iter().zip(&changes) {
            let outcome = if changes.is_empty() {
                Ok(Swap::Done)
            } else {
                // As many as there are swaps.
                outcomes.next().unwrap_or(Err(OutOfReach::Refused))
            };
            let shared = match outcome {
                Ok(Swap::Done) => Ok(held.epoch),
                Ok(Swap::Conflict(_)) => self.write_one(item).await,
                Err(out) => Err(out),
            };
            match shared {
                Ok(epoch) => self.mark(item, epoch),
                Err(out) => deferred = deferred.max(Some(deferred_by(out))),
            }
        }
        Ok(deferred)
    }

    async fn residents(
        &self,
        readable: &[(&Item<'_>, &Held)],
    ) -> Result<Vec<Resident>, OutOfReach> {
        let mut residents = Vec::with_capacity(readable.len());
        for (item, _) in readable {
            let resident = self.node.resident(item.bill).await;
            residents.push(resident.map_err(|_| OutOfReach::Busy)?);
        }
        Ok(residents)
    }

    /// Returns what is held of each item; `None` where that cannot be read.
    async fn read_all(&self, batch: &[Item<'_>]) -> Result<Vec<Option<Held>>, OutOfReach> {
        let epoch = self.node.marks().epoch();
        let message = |item: &Item<'_>| item.accepted.as_ref().map(|(message, _)| *message);
        let messages: Vec<Option<Digests>> = batch.iter().map(message).collect();
        let key_set = |item: &Item<'_>| self.share.key_set(self.biller, item.part);
        let key_sets: Vec<KeySet> = batch.iter().map(key_set).collect();
        let asked = batch.iter().zip(&messages).zip(&key_sets);
        let keys: Vec<Vec<Key<'_>>> = asked
            .map(|((item, message), key_set)| keys(item.bill, message.as_ref(), *key_set))
            .collect();
        let names: Vec<Key<'_>> = keys.iter().flatten().copied().collect();
        let values = self.share.store().get(self.biller.as_str(), &names).await?;
        let mut values = values.into_iter();
        let mut all = Vec::with_capacity(batch.len());
        let asked = batch.iter().zip(&messages).zip(&keys).zip(key_sets);
        for (((item, message), keys), key_set) in asked {
            let raw = (key_set, values.by_ref().take(keys.len()).collect());
            let held = self.share.decode(item.bill, message.as_ref(), raw, epoch);
            all.push(held.ok());
        }
        Ok(all)
    }

    async fn write_one(&self, item: &Item<'_>) -> Result<Epoch, OutOfReach> {
        let subject = item.subject();
        let message = subject.accepted.map(|(message, _)| message);
        let held = self
            .share
            .read_without_separate(subject.bill, message, item.part)
            .await?;
        self.share.write(subject, held, |_| {}).await
    }

    fn mark(&self, item: &Item<'_>, epoch: Epoch) {
        for row in &item.rows {
            let only = Rows {
                first: *row,
                last: *row,
            };
            self.node.marks().shared(epoch, only);
        }
    }
}

/// Returns how much an error defers: a server that refuses one value may take the others.
const fn deferred_by(out: OutOfReach) -> Deferred {
    match out {
        OutOfReach::Refused => Deferred::Some,
        OutOfReach::NotConnected | OutOfReach::Busy | OutOfReach::TooSlow | OutOfReach::Lost => {
            Deferred::All
        }
    }
}
