//! One node delivers a pay-result again at a time.

use std::sync::Arc;
use std::time::Duration;

use protocol::{Bill, BillerCode, PaymentEvent};

use super::{DeliveryOutcome, EventDelivery, Ledger};
use crate::journal::{NumberedFact, Reader};
use crate::sync::Lease;
use crate::{Digests, FactKind, JournalError, Message, RefusedOutcome, Timestamp};

/// What a delivery does while Redis cannot be reached, so that nobody knows what other nodes do and have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithoutRedis {
    /// It waits for Redis.
    Waits,
    /// It is made with what this node knows: an operator decided so.
    GoesOn,
}

/// Whether a pay-result may be delivered again at this moment.
#[derive(Debug)]
pub enum DeliveryTurn {
    /// No other node delivers it until the lease is given up.
    Granted(DeliveryLease),
    /// Another node delivers it.
    HeldElsewhere,
    /// Redis cannot be reached.
    OutOfReach,
}

/// The right to deliver a pay-result again. What its biller accepted is looked up once this is held.
#[derive(Debug)]
pub struct DeliveryLease {
    /// `None`: there is no other node, or nobody knows.
    lease: Option<Box<Lease>>,
    without_redis: WithoutRedis,
}

impl DeliveryLease {
    pub(super) const fn without_redis(&self) -> WithoutRedis {
        self.without_redis
    }

    /// Gives it up, where nothing was sent.
    pub async fn give_up(self) {
        if let Some(lease) = self.lease {
            lease.give_up().await;
        }
    }
}

impl Ledger {
    /// Asks to deliver a claimed pay-result again within `lasts`. The lease ends then by itself, whatever becomes of this
    /// node.
    pub async fn lease_delivery(
        &self,
        biller: BillerCode,
        message: impl Into<Digests>,
        lasts: Duration,
        without_redis: WithoutRedis,
    ) -> DeliveryTurn {
        let granted = |lease: Option<Lease>| {
            DeliveryTurn::Granted(DeliveryLease {
                lease: lease.map(Box::new),
                without_redis,
            })
        };
        let Some(share) = &self.share else {
            return granted(None);
        };
        match share.take_lease((biller, message.into()), lasts).await {
            Ok(Some(lease)) => granted(Some(lease)),
            Ok(None) => DeliveryTurn::HeldElsewhere,
            Err(_) if without_redis == WithoutRedis::GoesOn => granted(None),
            Err(_) => DeliveryTurn::OutOfReach,
        }
    }

    /// Records the outcome of a delivery under a lease, as [`record_delivery`](Self::record_delivery) does. The lease is
    /// given up once every node can see the outcome; else it expires.
    ///
    /// # Errors
    /// When the fact could not be journalled. The state in memory has it.
    pub async fn record_leased_delivery(
        &self,
        lease: DeliveryLease,
        (bill, event): (&Bill, &PaymentEvent),
        message: Message,
        delivered: DeliveryOutcome,
        now: Timestamp,
    ) -> Result<(), Arc<JournalError>> {
        let digest = message.digest;
        let is_accepted = matches!(delivered, DeliveryOutcome::Accepted(_));
        let queued = self.queue_delivery(bill, event, message, delivered, now);
        if is_accepted {
            self.end_refused_by_itself(digest, RefusedOutcome::Delivered, now);
        }
        let settled = self.settle_delivery(queued).await;
        if settled.is_shared {
            lease.give_up().await;
        }
        settled.journalled
    }

    /// Returns those of these events that fall to this node: the author of an event delivers it, and where that has been
    /// away for a while, the running node with the lowest number. It reads the journal, so call it on a thread that may
    /// block; it is read as far as the results are.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn own_turns(
        &self,
        events: Vec<EventDelivery>,
    ) -> Result<impl Iterator<Item = EventDelivery> + use<>, JournalError> {
        let reader = self.node.journal().reader().another()?;
        let ledger = self.clone();
        Ok(events.into_iter().filter(move |one| {
            ledger.is_own_turn(&reader, one).unwrap_or_else(|error| {
                tracing::error!(%error, "whose pay-result it is cannot be read: this node does not deliver it again");
                false
            })
        }))
    }

    fn is_own_turn(&self, reader: &Reader, one: &EventDelivery) -> Result<bool, JournalError> {
        let Some(share) = &self.share else {
            return Ok(true);
        };
        let facts = reader.facts_of_payment(&one.bill, &one.event.pay_id)?;
        // The earliest report: all nodes find the same one, whatever the order of their rows.
        let reports = facts.iter().filter(|fact| reports(fact, &one.event));
        let first = reports.min_by_key(|report| report.fact.stamp);
        let author = match first {
            Some(first) => reader.author_of_row(first.row)?,
            None => None,
        };
        Ok(share.replica().acts_for(author, self.node.now()))
    }
}

fn reports(fact: &NumberedFact, event: &PaymentEvent) -> bool {
    matches!(&fact.fact.kind, FactKind::Payment { event: report, .. } if super::undelivered::is_same(report, event))
}
