//! Decisions about one bill (contract section 4).
//!
//! The same code decides on the state of this node and on the merged state of all nodes.

use protocol::{Bill, ResCode};

use crate::Owners;
use crate::{BillGroup, BillState, LinkState, Timestamp};

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

/// The state that decisions about one bill read: its bill group, and the owners of its notice key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DecisionInput<'a> {
    pub(crate) bill_group: Option<&'a BillGroup>,
    pub(crate) owners: Option<&'a Owners>,
}

impl<'a> DecisionInput<'a> {
    /// Returns the state of exactly this bill.
    pub(crate) fn get(self, bill: &Bill) -> Option<&'a BillState> {
        self.bill_group?.get(bill)
    }

    /// Returns whether the bill is paid, and whether it is an error bill.
    pub(crate) fn view(self, bill: &Bill, now: Timestamp) -> BillView {
        self.get(bill)
            .map_or(BillView::NOTHING, |state| BillView::of(state, now))
    }

    /// Decides a `link_create`. Returns the state of the link before it.
    ///
    /// # Errors
    /// The first refusal of contract section 4, "Links", that holds.
    pub(crate) fn may_create(self, bill: &Bill, now: Timestamp) -> Result<LinkState, LinkRefusal> {
        let state = self.get(bill);
        if state.is_some_and(BillState::is_error_bill) {
            return Err(LinkRefusal::ErrorBill);
        }
        if self
            .owners
            .is_some_and(|owners| owners.has_other_than(bill, now))
        {
            return Err(LinkRefusal::NoticeKeyTaken);
        }
        if bill.biller_notice_key().is_empty() && self.registered_like(bill, now).nth(1).is_some() {
            return Err(LinkRefusal::NoticeKeyNeeded);
        }
        match state.map_or(LinkState::Unregistered, |state| state.link_state(now)) {
            LinkState::Linked | LinkState::Reserved => Err(LinkRefusal::AlreadyLinked),
            free => Ok(free),
        }
    }

    /// Decides a `link_recreate`. Returns the bill whose link is re-created.
    ///
    /// # Errors
    /// The first refusal of contract section 4, "Links", that holds.
    pub(crate) fn may_recreate(self, bill: &Bill, now: Timestamp) -> Result<Bill, LinkRefusal> {
        let exact = self.get(bill).map(|state| (bill, state));
        let found = if bill.biller_notice_key().is_empty() {
            let mut alike = self.registered_like(bill, now);
            match (alike.next(), alike.next()) {
                (Some(_), Some(_)) => return Err(LinkRefusal::NoticeKeyNeeded),
                (Some(only), None) => Some(only),
                (None, _) => exact,
            }
        } else {
            exact
        };
        let is_error_bill = |candidate: Option<(&Bill, &BillState)>| {
            candidate.is_some_and(|(_, state)| state.is_error_bill())
        };
        if is_error_bill(found) || is_error_bill(exact) {
            return Err(LinkRefusal::ErrorBill);
        }
        match found {
            Some((found, state))
                if matches!(
                    state.link_state(now),
                    LinkState::Linked | LinkState::Unknown
                ) =>
            {
                Ok(found.clone())
            }
            _ => Err(LinkRefusal::NotRegistered),
        }
    }

    fn registered_like<'b>(
        self,
        bill: &'b Bill,
        now: Timestamp,
    ) -> impl Iterator<Item = (&'b Bill, &'b BillState)>
    where
        'a: 'b,
    {
        self.bill_group
            .into_iter()
            .flat_map(move |group| group.registered_like(bill, now))
    }
}
