//! A family: the bills that share biller, `biller_user_key`, `billed_year_month` and `ordinal`.
//!
//! One look-up of a family answers E005, E812, E817, E818 and paid.

use protocol::Bill;

use crate::{BillState, Timestamp};

/// The bills of one family; almost always one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Family {
    bills: Vec<(Bill, BillState)>,
}

impl Family {
    /// The state of exactly this bill.
    pub fn get(&self, bill: &Bill) -> Option<&BillState> {
        self.bills.iter().find(|(held, _)| held == bill).map(|(_, state)| state)
    }

    /// The state of exactly this bill, made where it is missing.
    pub fn entry(&mut self, bill: &Bill) -> &mut BillState {
        let index = self.bills.iter().position(|(held, _)| held == bill).unwrap_or_else(|| {
            self.bills.push((bill.clone(), BillState::default()));
            self.bills.len() - 1
        });
        &mut self.bills[index].1
    }

    /// The registered bills that share everything with `bill` but the `biller_notice_key`.
    pub fn registered_like<'a>(
        &'a self,
        bill: &'a Bill,
        now: Timestamp,
    ) -> impl Iterator<Item = (&'a Bill, &'a BillState)> {
        self.bills
            .iter()
            .filter(move |(held, state)| {
                state.link_state(now).is_registered() && held.rest() == bill.rest()
            })
            .map(|(held, state)| (held, state))
    }

    /// Every bill of the family.
    pub fn bills(&self) -> impl Iterator<Item = (&Bill, &BillState)> {
        self.bills.iter().map(|(bill, state)| (bill, state))
    }
}
