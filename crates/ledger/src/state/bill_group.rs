//! Bill groups: the bills that share biller, `biller_user_key`, `billed_year_month` and `ordinal`.
//!
//! Nodes of before kept one value in Redis for a whole group. A snapshot in the journal has the same format, with one
//! bill.

use protocol::Bill;

use crate::BillState;
use crate::state::codec::{
    Decoder, Encode, FIRST_VERSION, Unreadable, WITH_REFUSALS, encode_list, encode_rest_of_bill,
};
use crate::state::horizon::Horizon;
use crate::state::refusals::Refusals;

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
