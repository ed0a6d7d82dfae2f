//! Paid bills that have identity parameters, by what they have in common with others: the `biller_notice_key`, or all
//! other members where they have none.

use protocol::Bill;

use crate::state::codec::{Decoder, Encode, Unreadable, encode_bill, encode_list};

/// Bills that are kept by name.
const KEPT: usize = 64;

/// Paid bills with identity parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PaidIdentities {
    bills: Vec<Bill>,
    has_more: bool,
}

impl PaidIdentities {
    /// Takes in a bill that has payments.
    pub(crate) fn add(&mut self, bill: &Bill) {
        if self.bills.contains(bill) {
            return;
        }
        if self.bills.len() < KEPT {
            self.bills.push(bill.clone());
        } else {
            self.has_more = true;
        }
    }

    pub(crate) fn bills(&self) -> &[Bill] {
        &self.bills
    }

    /// Returns whether there are more than are kept.
    pub(crate) const fn has_more(&self) -> bool {
        self.has_more
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.bills.is_empty()
    }

    /// Reads the bytes that [`codec::to_bytes`](crate::state::codec::to_bytes) made; `like` is any bill of the biller.
    pub(crate) fn from_bytes(bytes: &[u8], like: &Bill) -> Result<Self, Unreadable> {
        let mut decoder = Decoder::new(bytes)?;
        let bills = decoder.list(|decoder| decoder.bill_of(like))?;
        let has_more = decoder.flag()?;
        decoder.finish()?;
        Ok(Self { bills, has_more })
    }
}

impl Encode for PaidIdentities {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_list(self.bills.iter(), out, encode_bill);
        self.has_more.encode(out);
    }
}

#[cfg(test)]
mod tests {
    use protocol::BillerCode;

    use super::*;
    use crate::state::codec::to_bytes;

    #[test]
    fn the_first_are_kept_and_more_are_known_to_be() {
        let biller = BillerCode::parse("B0001").unwrap();
        let bill = |number: usize| {
            let value = number.to_string();
            Bill::from_parts(biller, "u", "202611", "", "N", &[("seq", &value)])
        };
        let mut paid = PaidIdentities::default();
        for number in 0..KEPT {
            paid.add(&bill(number));
            paid.add(&bill(number));
        }
        assert!(paid.bills().len() == KEPT && !paid.has_more());
        paid.add(&bill(KEPT));
        assert!(paid.bills().len() == KEPT && paid.has_more());
        let read = PaidIdentities::from_bytes(&to_bytes(&paid), &bill(0));
        assert_eq!(read, Ok(paid));
    }
}
