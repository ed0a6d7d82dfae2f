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
pub enum Reach {
    /// This is the only node.
    Alone,
    /// This node's, and that of the state that nodes share.
    Shared,
    /// This node's only: the shared state is out of reach.
    ThisNodeOnly,
}

impl Reach {
    /// A word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::Shared => "shared",
            Self::ThisNodeOnly => "this_node_only",
        }
    }
}

/// What all nodes together know of a bill, as far as it can be asked.
#[derive(Clone, Debug)]
pub struct Known {
    /// `None` where nobody knows the bill.
    pub state: Option<BillState>,
    /// Who was asked.
    pub reach: Reach,
}

/// A bill's story.
#[derive(Clone, Debug)]
pub struct Story {
    /// The facts of this node's journal, in the order in which it learned them; what other nodes
    /// learned is in theirs.
    pub facts: BillFacts,
    /// What is known of the bill now.
    pub known: Known,
}

impl Ledger {
    /// This node's number, drawn when its journal was made.
    pub fn node(&self) -> u32 {
        self.node.journal().node()
    }

    /// What is known of a bill, and by whom.
    pub async fn known(&self, bill: &Bill) -> Known {
        let (held, reach) = match &self.share {
            None => (Held::default(), Reach::Alone),
            Some(share) => match share.read(bill, None).await {
                Ok(held) => (held, Reach::Shared),
                Err(_) => (Held::default(), Reach::ThisNodeOnly),
            },
        };
        let joined = held.join(&self.node.book_of(bill).lock().knowledge(bill));
        Known {
            state: joined.knowledge().get(bill).cloned(),
            reach,
        }
    }

    /// A bill's story: its latest 1,000 facts, and what they come to.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn story(&self, bill: &Bill) -> Result<Story, JournalError> {
        let known = self.known(bill).await;
        let bill = bill.clone();
        let facts = self
            .read_journal(move |reader| reader.story_of(&bill, FACTS_BOUND))
            .await?;
        Ok(Story { facts, known })
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
