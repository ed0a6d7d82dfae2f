//! A bill's story, for operators: every fact that this node has of it, and what they come to.

use protocol::{Bill, BillerCode};

use super::Ledger;
use crate::journal::{BillFacts, Reader};
use crate::share::Held;
use crate::{BillState, JournalError};

/// Facts of one bill that are told; of more, the latest.
const FACTS_BOUND: usize = 1_000;

/// Bills of one customer that are named.
const BILLS_BOUND: usize = 100;

/// Whose knowledge an answer is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// This is the only node.
    SingleNode,
    /// This node's, and that of the state that nodes share.
    AllNodes,
    /// This node's only: the shared state is out of reach.
    ThisNodeOnly,
}

impl Scope {
    /// A word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SingleNode => "alone",
            Self::AllNodes => "shared",
            Self::ThisNodeOnly => "this_node_only",
        }
    }
}

/// What all nodes together know of a bill, as far as it can be asked.
#[derive(Clone, Debug)]
pub struct ScopedState {
    /// `None` where no fact of the bill is known in this scope.
    pub state: Option<BillState>,
    /// The nodes whose facts the state holds.
    pub scope: Scope,
}

/// A bill's story.
#[derive(Clone, Debug)]
pub struct BillHistory {
    /// The facts of this node's journal, in the order in which it learned them; what other nodes
    /// learned is in theirs.
    pub facts: BillFacts,
    /// What is known of the bill now.
    pub current: ScopedState,
}

impl Ledger {
    /// This node's number, drawn when its journal was made.
    pub fn node(&self) -> u32 {
        self.node.journal().node()
    }

    /// What is known of a bill, and by whom.
    pub async fn scoped_state(&self, bill: &Bill) -> ScopedState {
        let (held, scope) = match &self.share {
            None => (Held::default(), Scope::SingleNode),
            Some(share) => match share.read(bill, None).await {
                Ok(held) => (held, Scope::AllNodes),
                Err(_) => (Held::default(), Scope::ThisNodeOnly),
            },
        };
        let joined = held.join(&self.node.book_of(bill).lock().knowledge(bill));
        ScopedState {
            state: joined.knowledge().get(bill).cloned(),
            scope,
        }
    }

    /// A bill's story: its latest 1,000 facts, and what they come to.
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

    /// The bills of one customer of which this node has facts; 100 at most.
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
