//! Refused pay-results: kept whole, and the bills that they name are error bills until each has ended.

use std::sync::Arc;

use protocol::{Bill, BillerCode};

use super::Ledger;
use crate::journal::{CameRefused, Commit, Entry, RefusedChange, RefusedFilter};
use crate::node::refused::Arrival;
use crate::sync::Part;
use crate::{BillState, FactContext, FactKind, JournalError, MessageDigest, Stamp, Timestamp};
use crate::{RefusedEntry, RefusedPayResult};

/// Whether a refused pay-result is kept.
#[derive(Clone, Debug)]
pub enum RefusedKept {
    /// The journal has it.
    Durable(MessageDigest),
    /// The journal could not be written; it is in memory until it can.
    InMemoryOnly(Arc<JournalError>),
    /// There is no room for it.
    NoRoom,
}

impl Ledger {
    /// Keeps a refused pay-result. `bill` is the bill of which it may report a payment: an error bill from now on. The
    /// entry is queued for the journal when this function returns. The future ends when it is on durable storage and
    /// its bill, where Redis can be reached, in Redis. Dropping the future undoes nothing.
    pub fn keep_refused(
        &self,
        refused: RefusedPayResult,
        bill: Option<&Bill>,
        now: Timestamp,
    ) -> impl Future<Output = RefusedKept> + use<> {
        let message = (self.node.refused()).identity(refused.biller, &refused.body);
        let queued = self.queue_refused(message, refused, bill, now);
        let ledger = self.clone();
        async move {
            let Some((bill, commit)) = queued else {
                return RefusedKept::NoRoom;
            };
            if let Some(bill) = &bill {
                ledger.mark_behind_its_end(message, bill, now).await;
            }
            match ledger.end_of(bill.as_ref(), commit).await {
                Ok(()) => RefusedKept::Durable(message),
                Err(error) => RefusedKept::InMemoryOnly(error),
            }
        }
    }

    fn queue_refused(
        &self,
        message: MessageDigest,
        refused: RefusedPayResult,
        bill: Option<&Bill>,
        now: Timestamp,
    ) -> Option<(Option<Bill>, Commit)> {
        let index = self.node.refused();
        let arrival = index.arrive(
            message,
            refused.biller,
            refused.body.len(),
            refused.is_whole,
        );
        let (opens, leaving) = match arrival {
            Arrival::Opened { leaving } => (true, leaving),
            Arrival::Known { .. } => (false, Vec::new()),
            Arrival::NoRoom => return None,
        };
        let context = FactContext::of_request(&refused.request_id);
        let came = CameRefused {
            message,
            refused,
            at: now,
            opens,
            leaving,
        };
        let change = RefusedChange::Came(Box::new(came));
        let marked = bill.filter(|bill| index.mark(&message, bill)).cloned();
        let kind = FactKind::PayResultRefused { message };
        let parts = (Some(change), context);
        let commit = self.queue_change(marked.as_ref(), kind, now, parts);
        Some((marked, commit))
    }

    /// Marks a bill once more where an earlier end of the same bytes has the later stamp: the bill's state was not in
    /// memory, and the clock does not follow stamps that are ahead.
    async fn mark_behind_its_end(&self, message: MessageDigest, bill: &Bill, now: Timestamp) {
        let Ok(resident) = self.node.resident(bill).await else {
            return;
        };
        let mut state = resident.book().lock();
        let known = state.state(bill);
        let mut open = known.into_iter().flat_map(BillState::open_refusals);
        if open.any(|(open, _)| open == message) || !self.node.refused().is_open(&message) {
            return;
        }
        drop(open);
        let kind = FactKind::PayResultRefused { message };
        let fact = self.node.fact(bill, state.latest(bill), now, kind);
        drop(self.node.record(&mut state, Entry::of(vec![fact])));
    }

    /// Queues a change of the table, with a fact of a bill where there is one.
    pub(super) fn queue_change(
        &self,
        bill: Option<&Bill>,
        kind: FactKind,
        now: Timestamp,
        (change, context): (Option<RefusedChange>, FactContext),
    ) -> Commit {
        let entry = |facts| {
            let entry = Entry::of(facts).with_context(context);
            entry.with_refused(change)
        };
        let Some(bill) = bill else {
            return self.node.journal().append(entry(Vec::new()));
        };
        let book = self.node.book_of(bill);
        let mut state = book.lock();
        let known = state.latest(bill);
        let fact = self.node.fact(bill, known, now, kind);
        self.node.record(&mut state, entry(vec![fact]))
    }

    pub(super) async fn end_of(
        &self,
        bill: Option<&Bill>,
        commit: Commit,
    ) -> Result<(), Arc<JournalError>> {
        match bill {
            Some(bill) => self.commit_and_share(bill, Part::State, commit).await,
            None => self.node.committed(commit).await.map(|_| ()),
        }
    }

    /// Reads the open refused pay-results of this node again: `read` returns the bill of which one may report a payment,
    /// by the biller's rules of today. A bill that is not marked yet is an error bill from now on. It reads the bytes
    /// of all open entries, so call it on a thread that may block.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn mark_refused_again(
        &self,
        read: impl Fn(BillerCode, &[u8]) -> Option<Bill>,
        now: Timestamp,
    ) -> Result<(), JournalError> {
        let index = self.node.refused();
        if index.open() == 0 {
            return Ok(());
        }
        let reader = self.node.journal().reader().another()?;
        let mut marked = Vec::new();
        reader.for_each_open_refused(|message, biller, body| {
            let bill = biller.and_then(|biller| read(biller, body));
            marked.extend(
                bill.filter(|bill| index.mark(&message, bill))
                    .map(|bill| (message, bill)),
            );
        })?;
        for (message, bill) in marked {
            // A bill that cannot be read is marked all the same.
            let known = self.node.state_blocking(&reader, &bill);
            let known = known.map_or_else(|_| Stamp::default(), |state| state.latest());
            let kind = FactKind::PayResultRefused { message };
            // The writer commits it, and the resync shares it.
            drop(
                self.node
                    .record_after(&bill, known, now, (kind, FactContext::NONE)),
            );
        }
        Ok(())
    }

    /// Returns whether a refused pay-result of this node is open.
    pub fn is_refused_open(&self, message: &MessageDigest) -> bool {
        self.node.refused().is_open(message)
    }

    /// Returns how many refused pay-results of this node are open.
    pub fn open_refused(&self) -> usize {
        self.node.refused().open()
    }

    /// Returns refused pay-results of this node without their bytes, of one biller or of all, the oldest first; and
    /// how many there are.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn refused_pay_results(
        &self,
        filter: RefusedFilter,
        biller: Option<BillerCode>,
        most: usize,
    ) -> Result<(Vec<RefusedEntry>, usize), JournalError> {
        self.read_journal(move |reader| reader.refused(filter, biller, most))
            .await
    }

    /// Returns the refused pay-results of this node whose digests begin with these hex digits; at most two.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn refused_beginning(&self, digits: &str) -> Result<Vec<RefusedEntry>, JournalError> {
        let digits = digits.to_owned();
        self.read_journal(move |reader| reader.refused_beginning(&digits))
            .await
    }
}
