//! What the flows and operators call: decide, journal, share, then go on.
//!
//! Without a shared state a decision is taken in this node's book, under its lock. With one it is
//! taken on what all nodes know together, and a compare-and-swap makes sure that nobody decided
//! the same thing at the same moment.

mod backup;
mod classify;
mod close;
mod delivery;
mod difference;
mod identity;
mod judgement;
mod lease;
mod links;
mod nodes;
mod open;
mod options;
mod payments;
mod queued_payment;
mod recreate;
mod redelivery;
mod refused;
mod refused_end;
mod reported;
mod retention_preview;
mod status;
mod story;
mod undelivered;
mod under_way_elsewhere;
mod unread_payment;
mod verify;

use std::sync::Arc;
use std::time::Duration;

use protocol::Bill;

pub use close::LeftBehind;
pub use delivery::DeliveryOutcome;
pub use difference::RedisDifference;
pub use identity::IdentityUse;
pub use lease::{DeliveryLease, DeliveryTurn, WithoutRedis};
pub use links::{LinkOutcome, Reservation};
pub use nodes::NotForgotten;
pub use options::{Copies, Options};
pub use payments::{Durability, RecordOutcome, RecordedPayment};
pub use redelivery::{Redelivery, SkipCancelled};
pub use refused::RefusedKept;
pub use refused_end::RefusedEnd;
pub use retention_preview::{DueNow, RetentionPreview};
pub use status::BillerUndelivered;
pub use story::{BillHistory, Scope, ScopedState};
pub use undelivered::{DeliveryAttempts, EventDelivery};
pub use verify::{Rebuild, Verification, verify_offline};

use crate::journal::{self, Rows};
use crate::node::kept::Kept;
pub use crate::node::kept::{ForgottenCount, KeptFrom};
use crate::node::retention;
use crate::node::{CacheFigures, FillingThread, Node, RetentionThread, refused_links};
use crate::redis::SharedStore;
use crate::sync::{Held, Presence, Replication, Resync, Share};
use crate::{BillView, JournalError, Timestamp};

/// A question to the shared state ends at its deadline, or so much later: replies that have come by then
/// are looked at once more.
const ANSWERED_LATE: Duration = Duration::from_millis(50);

/// The ledger of one node. It is cheap to clone, and all workers use one.
#[derive(Clone, Debug)]
pub struct Ledger {
    node: Arc<Node>,
    share: Option<Share>,
    copies: Copies,
    kept: Kept,
    /// All end with the last clone.
    _replication: Option<Arc<Replication>>,
    _resync: Option<Arc<Resync>>,
    _retention: Arc<RetentionThread>,
    _filling: Arc<FillingThread>,
    /// Gives the node's number up, once nothing is written to Redis any more.
    presence: Option<Arc<Presence>>,
}

impl Ledger {
    /// Makes this thread use per-thread connections to Redis. Call it on a worker: its runtime must be
    /// the only one of the thread and live as long as the thread.
    pub fn use_thread_connections(&self) {
        if self.share.is_some() {
            SharedStore::enable_thread_connections();
        }
    }

    /// Returns whether a bill is paid and whether it is an error bill at `now`. Where Redis cannot be
    /// reached, the state of this node decides.
    ///
    /// # Errors
    /// When the journal cannot be read, and Redis does not know that the bill is paid or an error bill.
    pub async fn look_up(&self, bill: &Bill, now: Timestamp) -> Result<BillView, JournalError> {
        let Some(share) = &self.share else {
            return match self.node.view(bill, now) {
                Some(view) => Ok(view),
                // Boxed, so that a call that finds its bill in memory is not as large as one that does not.
                None => Box::pin(self.look_up_in_journal(bill, now)).await,
            };
        };
        Box::pin(self.look_up_everywhere(share, bill, now)).await
    }

    async fn look_up_in_journal(
        &self,
        bill: &Bill,
        now: Timestamp,
    ) -> Result<BillView, JournalError> {
        match self.node.resident(bill).await {
            Ok(resident) => Ok(resident.book().view(bill, now).unwrap_or(BillView::NOTHING)),
            Err(error) => self.view_without_journal(bill, &Held::default(), now, error),
        }
    }

    /// Returns the longest time that [`look_up`](Self::look_up) waits for the journal and for Redis.
    pub fn longest_look_up(&self) -> Duration {
        let asked = self.share.as_ref().map(|share| share.store().timeout());
        // Twice: one that is asked again waits behind those that were asked meanwhile.
        let redis = asked.map_or(Duration::ZERO, |timeout| 2 * timeout + ANSWERED_LATE);
        redis + journal::READ_PATIENCE
    }

    async fn look_up_everywhere(
        &self,
        share: &Share,
        bill: &Bill,
        now: Timestamp,
    ) -> Result<BillView, JournalError> {
        let held = share.read(bill, None).await.unwrap_or_default();
        let resident = match self.node.resident(bill).await {
            Ok(resident) => resident,
            Err(error) => return self.view_without_journal(bill, &held, now, error),
        };
        let local = resident.local();
        if held.is_missing() && local.state().is_some() {
            share.put_back(bill);
        }
        Ok(held.join(bill, &local).view(now))
    }

    /// What is queued for a journal that cannot be read, and what Redis knows: a bill that is paid by that is paid.
    fn view_without_journal(
        &self,
        bill: &Bill,
        held: &Held,
        now: Timestamp,
        error: JournalError,
    ) -> Result<BillView, JournalError> {
        let local = self.node.book_of(bill).lock().local(bill);
        let joined = held.join(bill, &local);
        match joined.view(now) {
            BillView::NOTHING => Err(error),
            view => Ok(view),
        }
    }

    /// Returns what memory takes, and how often it was enough.
    pub fn cache(&self) -> CacheFigures {
        self.node.cache()
    }

    /// Forgets what is older than `kept`, in small steps. Returns how much that was. The ledger itself does this every
    /// minute with the times of its settings.
    ///
    /// # Errors
    /// When the journal cannot be read or written.
    pub fn forget_before(&self, kept: KeptFrom) -> Result<ForgottenCount, JournalError> {
        retention::forget_before(&self.node, kept, |pause| {
            std::thread::sleep(pause);
            true
        })
    }

    /// Forgets the bills of which nothing but refused link creations from before `before` is known. Returns their
    /// number. The ledger itself does this every minute with what is older than five minutes.
    ///
    /// # Errors
    /// When the journal cannot be read or written.
    pub fn forget_refused_links(&self, before: Timestamp) -> Result<usize, JournalError> {
        refused_links::forget(&self.node, before, self.share.is_some())
    }

    /// Waits until the journal has committed all facts, at most `within`. Called when the process
    /// ends.
    ///
    /// # Errors
    /// When facts could not be written: they are lost when the process ends.
    pub async fn flush(&self, within: Duration) -> Result<(), JournalError> {
        self.node.journal().flush(within).await
    }

    /// Returns the number of payment events with a delivery attempt that was not accepted.
    pub fn undelivered(&self) -> i64 {
        self.node.undelivered()
    }

    /// Returns the number of journalled facts that are not in Redis; 0 without Redis.
    pub fn unshared(&self) -> i64 {
        if self.share.is_some() {
            // What was owed and written later, nobody waited for.
            let last = self.node.journal().tally().last_row();
            self.node.marks().journalled(Rows { first: last, last });
            self.node.marks().unshared()
        } else {
            0
        }
    }

    /// Returns whether another process runs with this node's number, on a copy of this node's journal or on its
    /// original. Known only with Redis.
    pub fn is_node_number_taken(&self) -> bool {
        (self.presence.as_ref()).is_some_and(|presence| presence.is_taken())
    }

    /// Returns whether the journal can be written at this moment.
    pub fn is_journal_writable(&self) -> bool {
        self.node.journal().is_writable()
    }
}
