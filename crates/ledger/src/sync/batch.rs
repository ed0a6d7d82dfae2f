//! What the resync writes to the shared state for one biller, in batches.

use std::collections::BTreeMap;
use std::time::Instant;

use protocol::{Bill, BillerCode};

use super::answer::is_large;
use super::keys::keys;
use super::{Held, Prepared, Share, Subject};
use crate::journal::{Reader, Rows};
use crate::node::{Epoch, Node, Resident};
use crate::shared::{BillerChanges, Key, OutOfReach, Swap};
use crate::{DeliveryState, Digests, Fact, FactKind, JournalError, KeptAnswer, MessageDigest};

/// Bytes of kept answers in one batch: a call that comes meanwhile waits behind them.
const BYTES_AT_ONCE: usize = 64 * 1024;

/// How much of a biller's facts was left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Left {
    /// Some: their values cannot be read, or are refused.
    Some,
    /// All that come after: the server is out of reach, or busy.
    All,
}

/// Whether large answers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Large {
    Go,
    Wait,
}

/// What is known of a bill, with a pay-result that was accepted, and the rows that say so.
struct Item<'a> {
    bill: &'a Bill,
    accepted: Option<(Digests, KeptAnswer)>,
    rows: Vec<i64>,
}

impl Item<'_> {
    fn subject(&self) -> Subject<'_> {
        let accepted = self.accepted.as_ref();
        Subject {
            bill: self.bill,
            accepted: accepted.map(|(message, answer)| (message, answer)),
        }
    }
}

/// Writes what these facts of one biller speak of, and marks what is shared; answers what is not.
pub(super) async fn write_batches(
    node: &Node,
    share: &Share,
    biller: BillerCode,
    facts: &[(i64, Fact)],
    large: &mut Large,
) -> Result<Option<Left>, JournalError> {
    let reader = node.journal().reader();
    let runner = Runner {
        node,
        share,
        biller,
    };
    let mut left = None;
    let mut batch: Vec<Item<'_>> = Vec::new();
    let mut larges = Vec::new();
    let mut bytes = 0;
    for (bill, message, mut rows) in asked(facts) {
        let mut accepted = match message {
            Some(_) => accepted_in(&reader, &rows)?,
            None => None,
        };
        if accepted
            .as_ref()
            .is_some_and(|(_, answer)| is_large(answer))
        {
            // What is small first, also of this bill.
            accepted = None;
            larges.push((bill, std::mem::take(&mut rows)));
        }
        bytes += accepted.as_ref().map_or(0, |(_, answer)| answer.body.len());
        batch.push(Item {
            bill,
            accepted,
            rows,
        });
        if bytes >= BYTES_AT_ONCE {
            left = left.max(runner.run(&std::mem::take(&mut batch)).await);
            bytes = 0;
        }
        if left == Some(Left::All) {
            return Ok(left);
        }
    }
    left = left.max(runner.run(&batch).await);
    for (bill, rows) in larges {
        if left == Some(Left::All) || *large == Large::Wait {
            return Ok(left.max(Some(Left::Some)));
        }
        if let Some(accepted) = accepted_in(&reader, &rows)? {
            let item = Item {
                bill,
                accepted: Some(accepted),
                rows,
            };
            left = left.max(runner.run_large(&item, large).await);
        }
    }
    Ok(left)
}

/// The accepted pay-result of an item, as the first of its rows names it.
fn accepted_in(
    reader: &Reader,
    rows: &[i64],
) -> Result<Option<(Digests, KeptAnswer)>, JournalError> {
    rows.first()
        .map_or(Ok(None), |row| reader.accepted_in_row(*row))
}

/// One item per accepted pay-result, the first of a bill with its other rows; one for a bill that
/// has none.
fn asked(facts: &[(i64, Fact)]) -> Vec<(&Bill, Option<&MessageDigest>, Vec<i64>)> {
    let mut bills: BTreeMap<&Bill, BTreeMap<Option<&MessageDigest>, Vec<i64>>> = BTreeMap::new();
    for (row, fact) in facts {
        let message = accepted_message(&fact.kind);
        let of_bill = bills.entry(&fact.bill).or_default();
        of_bill.entry(message).or_default().push(*row);
    }
    let mut asked = Vec::with_capacity(bills.len());
    for (bill, mut messages) in bills {
        // `None` is the least of the keys.
        let plain = messages.remove(&None).unwrap_or_default();
        match messages.first_entry() {
            Some(mut first) => first.get_mut().extend(plain),
            None => asked.push((bill, None, plain)),
        }
        asked.extend((messages.into_iter()).map(|(message, rows)| (bill, message, rows)));
    }
    asked
}

const fn accepted_message(kind: &FactKind) -> Option<&MessageDigest> {
    match kind {
        FactKind::Delivery {
            message,
            state: DeliveryState::Accepted,
            ..
        } => Some(message),
        _ => None,
    }
}

/// Runs the items of one biller.
struct Runner<'a> {
    node: &'a Node,
    share: &'a Share,
    biller: BillerCode,
}

impl Runner<'_> {
    async fn run(&self, batch: &[Item<'_>]) -> Option<Left> {
        if batch.is_empty() {
            return None;
        }
        let began = Instant::now();
        let outcome = self.write_all(batch).await;
        if let Some(watch) = &self.share.watch {
            watch.sync_batch(began.elapsed());
        }
        outcome.unwrap_or_else(|out| Some(left_by(out)))
    }

    async fn run_large(&self, item: &Item<'_>, large: &mut Large) -> Option<Left> {
        if let Ok(epoch) = self.write_alone(item).await {
            self.mark(item, epoch);
            return None;
        }
        *large = Large::Wait;
        Some(Left::Some)
    }

    /// One read, one write, and again those that met another node.
    async fn write_all(&self, batch: &[Item<'_>]) -> Result<Option<Left>, OutOfReach> {
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
                Prepared::new(item.subject(), held, joined, &self.share.seal)
            })
            .collect();
        let changes: Vec<_> = prepared
            .iter()
            .map(|one| one.changes(self.share.keep()))
            .collect();
        let swaps: Vec<BillerChanges<'_>> = changes
            .iter()
            .filter(|changes| !changes.is_empty())
            .map(|changes| BillerChanges {
                biller: self.biller.as_str(),
                changes,
            })
            .collect();
        let mut left = (readable.len() < batch.len()).then_some(Left::Some);
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
                Ok(Swap::Conflict(_)) => self.write_alone(item).await,
                Err(out) => Err(out),
            };
            match shared {
                Ok(epoch) => self.mark(item, epoch),
                Err(out) => left = left.max(Some(left_by(out))),
            }
        }
        Ok(left)
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

    /// What is held of each; `None` where that cannot be read.
    async fn read_all(&self, batch: &[Item<'_>]) -> Result<Vec<Option<Held>>, OutOfReach> {
        let epoch = self.node.marks().epoch();
        let message = |item: &Item<'_>| item.accepted.as_ref().map(|(message, _)| *message);
        let messages: Vec<Option<Digests>> = batch.iter().map(message).collect();
        let keys: Vec<Vec<Key<'_>>> = batch
            .iter()
            .zip(&messages)
            .map(|(item, message)| keys(item.bill, message.as_ref()))
            .collect();
        let names: Vec<Key<'_>> = keys.iter().flatten().copied().collect();
        let values = self.share.store().get(self.biller.as_str(), &names).await?;
        let mut values = values.into_iter();
        let mut all = Vec::with_capacity(batch.len());
        for ((item, message), keys) in batch.iter().zip(&messages).zip(&keys) {
            let raw = values.by_ref().take(keys.len()).collect();
            let held = self
                .share
                .understand(item.bill, message.as_ref(), raw, epoch);
            all.push(held.ok());
        }
        Ok(all)
    }

    async fn write_alone(&self, item: &Item<'_>) -> Result<Epoch, OutOfReach> {
        let subject = item.subject();
        let message = subject.accepted.map(|(message, _)| message);
        let held = self.share.read_beside(subject.bill, message).await?;
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

/// A server that refuses one value may take the others.
const fn left_by(out: OutOfReach) -> Left {
    match out {
        OutOfReach::Refused => Left::Some,
        OutOfReach::NotConnected | OutOfReach::Busy | OutOfReach::TooSlow | OutOfReach::Lost => {
            Left::All
        }
    }
}
