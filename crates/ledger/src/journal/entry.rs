//! What is written in one piece: facts, and the bytes that belong to them.

use std::sync::Arc;

use bytes::Bytes;

use super::effect::Effect;
use super::foreign::ForeignFacts;
use super::identity::IdentityInForce;
use super::refused::RefusedChange;
use crate::{Author, BillState, Digests, Fact, FactContext, KeptAnswer, MessageDigest};
use protocol::{Bill, BillerCode};

/// Facts that stand or fall together, with a pay-result's bytes or a biller's answer to it.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    pub(super) facts: Vec<Fact>,
    /// Kept beside each of the facts.
    pub(super) context: FactContext,
    pub(super) message: Option<(BillerCode, MessageDigest, Bytes)>,
    pub(super) answer: Option<(BillerCode, Digests, Arc<KeptAnswer>)>,
    pub(super) cursor: Option<Cursor>,
    pub(super) forgotten: Option<Forgotten>,
    /// Boxed, as all that hardly any entry has.
    pub(super) walked: Option<Box<Walked>>,
    /// Of each fact in turn; where one is not known, the writer folds the bill.
    pub(super) effects: Vec<Option<Effect>>,
    pub(super) snapshot: Option<Box<Snapshot>>,
    pub(super) refused: Option<Box<RefusedChange>>,
    /// Identity parameters that came into force.
    pub(super) identities: Vec<IdentityInForce>,
    /// Where another author made the facts.
    pub(super) foreign: Option<Box<ForeignFacts>>,
    /// Own facts up to this number are published.
    pub(super) published: Option<(Author, i64)>,
}

/// A bill's state up to one of its facts.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The bill.
    pub bill: Bill,
    /// Number of the last fact in it.
    pub up_to: i64,
    /// The fold of the facts up to there.
    pub state: BillState,
}

/// Bills of which everything older than a moment is taken out.
#[derive(Clone, Debug)]
pub struct Forgotten {
    /// Which.
    pub bills: Vec<Bill>,
    /// Stamp time; what is younger stays.
    pub before: i64,
    /// Which of their facts.
    pub what: ForgottenFacts,
}

/// Which facts of a bill are forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForgottenFacts {
    /// All, with the pay-results and answers that they name.
    All,
    /// Those with these numbers, ahead of all others: a bill with very many facts leaves in parts.
    Part(Vec<i64>),
    /// Reservations that were released.
    RefusedLinks,
}

/// What is kept for a time of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetentionClass {
    /// Bills that were never paid.
    UnpaidBills,
    /// Paid bills.
    PaidBills,
    /// The bytes of accepted pay-results, and of the answers to them.
    Bodies,
}

impl RetentionClass {
    /// Returns the column of its cursor.
    pub(super) const fn cursor(self) -> &'static str {
        match self {
            Self::UnpaidBills => "forget_unpaid_from",
            Self::PaidBills => "forget_paid_from",
            Self::Bodies => "forget_bodies_from",
        }
    }
}

/// How far a walk of the retention has come.
#[derive(Clone, Debug)]
pub struct Walked {
    /// What is walked for.
    pub class: RetentionClass,
    /// All facts before this number were looked at.
    pub next: i64,
    /// The numbers of accepted deliveries; the bytes of their pay-results, and of the answers, are kept no longer.
    pub deliveries: Vec<i64>,
}

/// How far the shared state has what this journal has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Number of the last fact up to which all are shared.
    pub shared_up_to: i64,
    /// With whom: the identity of the servers that hold them.
    pub shared_with: String,
}

impl Entry {
    /// An entry of facts only.
    pub fn of(facts: Vec<Fact>) -> Self {
        Self {
            facts,
            ..Self::default()
        }
    }

    /// No facts, but how far they are shared.
    pub fn shared(cursor: Cursor) -> Self {
        Self {
            cursor: Some(cursor),
            ..Self::default()
        }
    }

    /// No facts, but how far this journal's own are published.
    pub(crate) fn published(author: Author, number: i64) -> Self {
        Self {
            published: Some((author, number)),
            ..Self::default()
        }
    }

    /// No facts, but bills whose old facts, messages and answers are taken out.
    pub fn forgotten(forgotten: Forgotten) -> Self {
        Self {
            forgotten: Some(forgotten),
            ..Self::default()
        }
    }

    /// Facts of another author.
    pub fn of_author(facts: Vec<Fact>, foreign: ForeignFacts) -> Self {
        Self {
            facts,
            foreign: Some(Box::new(foreign)),
            ..Self::default()
        }
    }

    /// The facts.
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// Returns the pay-result whose answer is a part of the entry.
    pub(crate) fn answered(&self) -> Option<(BillerCode, &Digests)> {
        let (biller, message, _) = self.answer.as_ref()?;
        Some((*biller, message))
    }

    /// Returns the bills that leave the journal with this entry.
    pub(crate) fn forgotten_bills(&self) -> &[Bill] {
        match &self.forgotten {
            Some(forgotten) if !matches!(forgotten.what, ForgottenFacts::Part(_)) => {
                &forgotten.bills
            }
            _ => &[],
        }
    }

    /// With how far a walk of the retention has come.
    #[must_use]
    pub fn with_walked(mut self, walked: Walked) -> Self {
        self.walked = Some(Box::new(walked));
        self
    }

    /// With what the journal keeps beside the facts.
    #[must_use]
    pub fn with_context(mut self, context: FactContext) -> Self {
        self.context = context;
        self
    }

    /// With the effect of each fact in turn, where it is known: the writer need not read the bill then.
    #[must_use]
    pub fn with_effects(mut self, effects: Vec<Option<Effect>>) -> Self {
        self.effects = effects;
        self
    }

    /// With the state of a bill up to one of its facts.
    #[must_use]
    pub fn with_snapshot(mut self, snapshot: Snapshot) -> Self {
        self.snapshot = Some(Box::new(snapshot));
        self
    }

    /// With the bytes of the pay-result that the facts speak of.
    #[must_use]
    pub fn with_message(mut self, biller: BillerCode, message: MessageDigest, body: Bytes) -> Self {
        self.message = Some((biller, message, body));
        self
    }

    /// With a change of the refused pay-results.
    #[must_use]
    pub(crate) fn with_refused(mut self, change: Option<RefusedChange>) -> Self {
        self.refused = change.map(Box::new);
        self
    }

    /// With identity parameters that came into force.
    #[must_use]
    pub(crate) fn with_identities(mut self, identities: Vec<IdentityInForce>) -> Self {
        self.identities = identities;
        self
    }

    /// With the answer of the biller that accepted it.
    #[must_use]
    pub fn with_answer(
        mut self,
        biller: BillerCode,
        message: Digests,
        answer: Arc<KeptAnswer>,
    ) -> Self {
        self.answer = Some((biller, message, answer));
        self
    }
}
