//! Bill groups: the bills that share biller, `biller_user_key`, `billed_year_month` and `ordinal`.
//!
//! One look-up of a group decides E005, E812, E817, E818 and paid.

use protocol::Bill;

use crate::state::codec::{
    Decoder, Encode, FIRST_VERSION, Unreadable, WITH_REFUSALS, encode_list, encode_rest_of_bill,
};
use crate::state::horizon::Horizon;
use crate::state::refusals::Refusals;
use crate::{BillState, Payments, Timestamp};

/// The bills that share biller, user key, month and ordinal; nearly always one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BillGroup {
    bills: Vec<(Bill, BillState)>,
}

impl BillGroup {
    /// Returns the state of exactly this bill.
    pub fn get(&self, bill: &Bill) -> Option<&BillState> {
        self.bills
            .iter()
            .find(|(held, _)| held == bill)
            .map(|(_, state)| state)
    }

    /// Returns the state of exactly this bill; inserts it where it is missing.
    pub fn entry(&mut self, bill: &Bill) -> &mut BillState {
        let index = self
            .bills
            .iter()
            .position(|(held, _)| held == bill)
            .unwrap_or_else(|| {
                if self.bills.is_empty() {
                    // Almost always the only one: no room for others is kept.
                    self.bills.reserve_exact(1);
                }
                self.bills.push((bill.clone(), BillState::default()));
                self.bills.len() - 1
            });
        &mut self.bills[index].1
    }

    /// Forgets every payment of the group.
    pub(crate) fn drop_payments(&mut self) {
        let states = self.bills.iter_mut().map(|(_, state)| state);
        states.for_each(BillState::drop_payments);
    }

    /// Returns whether a payment of one of its bills is known.
    pub(crate) fn has_payments(&self) -> bool {
        self.bills
            .iter()
            .any(|(_, state)| state.payments().is_some())
    }

    /// Returns whether nothing is known of its bills but attempts that made no link.
    pub(crate) fn is_settled_to_nothing(&self) -> bool {
        self.bills
            .iter()
            .all(|(_, state)| state.is_settled_to_nothing())
    }

    /// Merges the group of another node (CRDT merge).
    pub fn merge(&mut self, other: &Self) {
        for (bill, state) in &other.bills {
            self.entry(bill).merge(state);
        }
    }

    /// Returns the registered bills that differ from `bill` in the `biller_notice_key` only.
    pub fn registered_like<'a>(
        &'a self,
        bill: &'a Bill,
        now: Timestamp,
    ) -> impl Iterator<Item = (&'a Bill, &'a BillState)> {
        self.bills
            .iter()
            .filter(move |(held, state)| {
                state.link_state(now).is_registered()
                    && held.key_without_notice_key() == bill.key_without_notice_key()
            })
            .map(|(held, state)| (held, state))
    }

    /// Returns whether the bill is paid at `now` by a payment of before `before`, whatever its identity parameters were
    /// then.
    pub(crate) fn is_paid_in_any_identity(
        &self,
        bill: &Bill,
        before: Timestamp,
        now: Timestamp,
    ) -> bool {
        let alike = (self.bills.iter())
            .filter(|(held, _)| held.biller_notice_key() == bill.biller_notice_key());
        let mut all = Payments::default();
        for payments in alike.filter_map(|(_, state)| state.payments()) {
            // A cancel may have come under another identity than its payment.
            all.merge(payments.clone());
        }
        all.is_paid_before(before, now)
    }

    /// Returns the bills of the group.
    pub fn bills(&self) -> impl Iterator<Item = (&Bill, &BillState)> {
        self.bills.iter().map(|(bill, state)| (bill, state))
    }
}

impl BillGroup {
    /// The bills with refused pay-results, by their place.
    fn refusals(&self) -> impl Iterator<Item = (usize, &Refusals)> {
        let bills = self.bills.iter().enumerate();
        bills.filter_map(|(place, (_, state))| Some((place, state.refusals()?)))
    }
}

impl Encode for BillGroup {
    /// A group without refused pay-results, so nearly every one, has the first format: nodes of the first version
    /// read it too.
    fn version(&self) -> u64 {
        if self.refusals().next().is_some() {
            WITH_REFUSALS
        } else {
            FIRST_VERSION
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        encode_list(self.bills.iter(), out, |(bill, state), out| {
            encode_rest_of_bill(bill, out);
            state.encode(out);
        });
        let refusals: Vec<_> = self.refusals().collect();
        if !refusals.is_empty() {
            encode_list(refusals.iter(), out, |(place, refusals), out| {
                (*place as u64).encode(out);
                refusals.encode(out);
            });
        }
    }
}

impl BillGroup {
    /// The family of `like` from the bytes that [`codec::to_bytes`](crate::state::codec::to_bytes) made.
    pub(crate) fn from_bytes(
        bytes: &[u8],
        like: &Bill,
        horizon: Option<&Horizon>,
    ) -> Result<Self, Unreadable> {
        let mut decoder = Decoder::within(bytes, horizon)?;
        let bills =
            decoder.list(|decoder| Ok((decoder.bill_like(like)?, BillState::decode(decoder)?)))?;
        let mut group = Self { bills };
        if decoder.version() == WITH_REFUSALS {
            let refusals =
                decoder.list(|decoder| Ok((decoder.number()?, Refusals::decode(decoder)?)))?;
            for (place, refusals) in refusals {
                let place = usize::try_from(place).map_err(|_| Unreadable)?;
                let (_, state) = group.bills.get_mut(place).ok_or(Unreadable)?;
                state.put_refusals(refusals);
            }
        }
        decoder.finish()?;
        Ok(group)
    }
}
