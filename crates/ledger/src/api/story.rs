//! A bill's story, for operators: every fact that this node has of it, and what they come to.

use protocol::{Bill, BillerCode};

use super::Ledger;
use crate::journal::{BillFacts, Reader};
use crate::sync::Held;
use crate::{BillState, JournalError};

/// Facts of one bill that are report; of more, the latest.
const FACTS_BOUND: usize = 1_000;

/// Bills of one customer that are named.
const BILLS_BOUND: usize = 100;

/// The nodes whose facts an answer covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// This is the only node.
    SingleNode,
    /// This node, and all nodes through Redis.
    AllNodes,
    /// This node only: Redis cannot be reached.
    ThisNodeOnly,
}

impl Scope {
    /// Returns the name in the admin API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SingleNode => "alone",
            Self::AllNodes => "shared",
            Self::ThisNodeOnly => "this_node_only",
        }
    }
}

/// The state of a bill, and its scope.
#[derive(Clone, Debug)]
pub struct ScopedState {
    /// `None` where no fact of the bill is known in this scope.
    pub state: Option<BillState>,
    /// The nodes whose facts the state holds.
    pub scope: Scope,
}

/// The facts and the state of a bill.
#[derive(Clone, Debug)]
pub struct BillHistory {
    /// The facts in this node's journal, in the order of their rows. Other nodes have other facts.
    pub facts: BillFacts,
    /// The current state.
    pub current: ScopedState,
}

impl Ledger {
    /// Returns this node's number, which was drawn when its journal was created.
    pub fn node(&self) -> u32 {
        self.node.journal().node()
    }

    /// Returns the state of a bill, merged with Redis where it can be reached.
    pub async fn scoped_state(&self, bill: &Bill) -> ScopedState {
        let (held, scope) = match &self.share {
            None => (Held::default(), Scope::SingleNode),
            Some(share) => match share.read(bill, None).await {
                Ok(held) => (held, Scope::AllNodes),
                Err(_) => (Held::default(), Scope::ThisNodeOnly),
            },
        };
        let local = match self.node.resident(bill).await {
            Ok(resident) => resident.local(),
            Err(error) => {
                tracing::error!(%error, "the ledger cannot be read: a bill's state is what memory and Redis have of it");
                self.node.book_of(bill).lock().local(bill)
            }
        };
        ScopedState {
            state: held.join(bill, &local).state,
            scope,
        }
    }

    /// Returns the latest 1,000 facts of a bill, and its state.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn history(&self, bill: &Bill) -> Result<BillHistory, JournalError> {
        let current = self.scoped_state(bill).await;
        let bill = bill.clone();
        let facts = self
            .read_journal(move |reader| reader.story_of(&bill, FACTS_BOUND))
            .await?;
        Ok(BillHistory { facts, current })
    }

    /// Returns the bills of one user key of which this node has facts; at most 100.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn bills_of(
        &self,
        biller: BillerCode,
        biller_user_key: &str,
    ) -> Result<Vec<Bill>, JournalError> {
        let user_key = biller_user_key.to_owned();
        self.read_journal(move |reader| reader.bills_of(biller, &user_key, BILLS_BOUND))
            .await
    }

    /// Reads the journal on a connection of its own, so that no call waits for an operator.
    pub(super) async fn read_journal<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, JournalError> {
        let reader = self.node.journal().reader();
        tokio::task::spawn_blocking(move || read(&reader.another()?))
            .await
            .map_err(|error| JournalError::Sqlite(error.to_string()))?
    }
}
