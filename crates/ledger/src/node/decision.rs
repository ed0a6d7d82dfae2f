//! Decisions about one bill (contract section 4).
//!
//! The same code decides on the state of this node and on the merged state of all nodes.

use protocol::{Bill, ResCode};

use crate::{BillState, LinkState, RegisteredBills, Timestamp};

/// Why the ledger refuses a link call (contract section 4, "Links").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkRefusal {
    /// `E817`: the bill is classified as an error bill.
    ErrorBill,
    /// `E811`: the `biller_notice_key` belongs to another bill of that biller.
    NoticeKeyTaken,
    /// `E005`: no notice key, and two or more registered bills share the rest.
    NoticeKeyNeeded,
    /// `E818`: the link exists, or another call creates it at this moment.
    AlreadyLinked,
    /// `E812`: no linked or unknown bill to re-create.
    NotRegistered,
    /// `E801`: the journal cannot be written, or Redis cannot be reached.
    Unavailable,
}

impl LinkRefusal {
    /// Returns the code of the guide for this refusal.
    pub const fn res_code(self) -> ResCode {
        match self {
            Self::ErrorBill => ResCode::E817,
            Self::NoticeKeyTaken => ResCode::E811,
            Self::NoticeKeyNeeded => ResCode::E005,
            Self::AlreadyLinked => ResCode::E818,
            Self::NotRegistered => ResCode::E812,
            Self::Unavailable => ResCode::E801,
        }
    }
}

/// The part of a bill's state that `prepay` and `notice` use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BillView {
    /// Whether the bill is an error bill (`E817`).
    pub error_bill: bool,
    /// Whether the bill is paid (`E403` for `prepay`).
    pub paid: bool,
}

impl BillView {
    /// The view of a bill of which nothing is known.
    pub const NOTHING: Self = Self {
        error_bill: false,
        paid: false,
    };

    pub(crate) fn of(state: &BillState, now: Timestamp) -> Self {
        Self {
            error_bill: state.is_error_bill(),
            paid: state.is_paid(now),
        }
    }
}

/// What decisions about a bill's link read: its state, and the registered bills that its link question is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DecisionInput<'a> {
    pub(crate) state: Option<&'a BillState>,
    pub(crate) others: Option<&'a RegisteredBills>,
}

impl<'a> DecisionInput<'a> {
    /// Decides a `link_create`. Returns the state of the link before it.
    ///
    /// # Errors
    /// The first refusal of contract section 4, "Links", that holds.
    pub(crate) fn may_create(self, bill: &Bill, now: Timestamp) -> Result<LinkState, LinkRefusal> {
        if self.state.is_some_and(BillState::is_error_bill) {
            return Err(LinkRefusal::ErrorBill);
        }
        if bill.biller_notice_key().is_empty() {
            self.only_other(bill, now)?;
        } else if self.others(bill).next().is_some() {
            return Err(LinkRefusal::NoticeKeyTaken);
        }
        match self.link_state(now) {
            LinkState::Linked | LinkState::Reserved => Err(LinkRefusal::AlreadyLinked),
            free => Ok(free),
        }
    }

    /// Returns the bill whose link a `link_recreate` means: another one that differs in its notice key only, where that is
    /// the only one that is registered.
    ///
    /// # Errors
    /// [`LinkRefusal::NoticeKeyNeeded`] where there is no notice key and two or more are registered.
    pub(crate) fn recreated(
        self,
        bill: &Bill,
        now: Timestamp,
    ) -> Result<Option<Bill>, LinkRefusal> {
        if bill.biller_notice_key().is_empty() {
            self.only_other(bill, now)
        } else {
            Ok(None)
        }
    }

    /// Decides a `link_recreate` of the bill `meant`, which was asked for as this one.
    ///
    /// # Errors
    /// The first refusal of contract section 4, "Links", that holds.
    pub(crate) fn may_recreate(
        self,
        meant: Option<&BillState>,
        now: Timestamp,
    ) -> Result<(), LinkRefusal> {
        let is_error_bill = |state: Option<&BillState>| state.is_some_and(BillState::is_error_bill);
        if is_error_bill(meant) || is_error_bill(self.state) {
            return Err(LinkRefusal::ErrorBill);
        }
        match meant.map(|state| state.link_state(now)) {
            Some(LinkState::Linked | LinkState::Unknown) => Ok(()),
            _ => Err(LinkRefusal::NotRegistered),
        }
    }

    /// Returns the only registered bill of the group, if it is another one.
    fn only_other(self, bill: &Bill, now: Timestamp) -> Result<Option<Bill>, LinkRefusal> {
        let mut others = self.others(bill);
        let other = others.next();
        let is_registered = self.link_state(now).is_registered();
        if other.is_some() && (is_registered || others.next().is_some()) {
            return Err(LinkRefusal::NoticeKeyNeeded);
        }
        Ok(other.cloned())
    }

    fn link_state(self, now: Timestamp) -> LinkState {
        self.state
            .map_or(LinkState::Unregistered, |state| state.link_state(now))
    }

    fn others(self, bill: &'a Bill) -> impl Iterator<Item = &'a Bill> {
        let others = self.others.into_iter();
        others.flat_map(move |others| others.others(bill))
    }
}
