//! Reads the payments of the bills that differ in their identity parameters only.

use bytes::Bytes;
use protocol::Bill;

use super::keys::{BILL, identities};
use super::seal::Opened;
use super::{Part, Share, unreadable};
use crate::Payments;
use crate::redis::{Key, OutOfReach};
use crate::state::bill_state::BillValue;
use crate::state::codec::Unreadable;
use crate::state::horizon::Horizon;
use crate::state::paid_identities::PaidIdentities;

/// The payments of bills that differ in their identity parameters only.
#[derive(Debug, Default)]
pub(crate) struct PaymentsInAnyIdentity {
    /// A cancel may have come under another identity than its payment.
    pub(crate) payments: Payments,
    /// There are so many such bills that not all are read.
    pub(crate) has_more: bool,
}

impl Share {
    /// Returns the payments of the bills that differ from this one in their identity parameters only, and of the bill;
    /// two round trips, and one more while values of nodes of before are read.
    pub(crate) async fn payments_in_any_identity(
        &self,
        bill: &Bill,
    ) -> Result<PaymentsInAnyIdentity, OutOfReach> {
        let biller = bill.biller_code();
        let without = bill.without_identity_parameters();
        let asked = [key(&without), identities(bill)];
        let mut values = self.store().get(biller.as_str(), &asked).await?.into_iter();
        let mut found = PaymentsInAnyIdentity::default();
        if let Some(value) = values.next().flatten() {
            self.merge_payments(bill, (asked[0], &value), &mut found.payments)?;
        }
        let paid = match values.next().flatten() {
            Some(value) => self.paid_identities(bill, (asked[1], &value))?,
            None => PaidIdentities::default(),
        };
        found.has_more = paid.has_more();
        let alike = (paid.bills().iter()).filter(|other| other.differs_in_identity_only(bill));
        let asked: Vec<Key<'_>> = alike.map(key).collect();
        let values = self.store().get(biller.as_str(), &asked).await?;
        for (key, value) in asked.into_iter().zip(values) {
            if let Some(value) = value {
                self.merge_payments(bill, (key, &value), &mut found.payments)?;
            }
        }
        if self
            .store()
            .has_old_values(biller.as_str(), self.node.now())
        {
            let held = self.read_part(&without, Part::State).await?;
            let alike = held.old.group.bills();
            let alike = alike.filter(|(other, _)| other.differs_in_identity_only(bill));
            for payments in alike.filter_map(|(_, state)| state.payments()) {
                found.payments.merge(payments.clone());
            }
        }
        Ok(found)
    }

    /// Takes in the payments of a bill's value. One without a valid checksum has none.
    fn merge_payments(
        &self,
        bill: &Bill,
        (key, value): (Key<'_>, &Bytes),
        payments: &mut Payments,
    ) -> Result<(), OutOfReach> {
        let Opened { content, is_valid } = self.seal.open(bill.biller_code().as_str(), key, value);
        let horizon = Horizon::at(self.node.now());
        let state = BillValue::from_bytes(&content, Some(&horizon));
        let state = state.map_err(|Unreadable| unreadable(bill))?;
        if let Some(known) = state.payments().filter(|_| is_valid) {
            payments.merge(known.clone());
        }
        Ok(())
    }

    fn paid_identities(
        &self,
        bill: &Bill,
        (key, value): (Key<'_>, &Bytes),
    ) -> Result<PaidIdentities, OutOfReach> {
        let Opened { content, is_valid } = self.seal.open(bill.biller_code().as_str(), key, value);
        if !is_valid {
            return Ok(PaidIdentities::default());
        }
        PaidIdentities::from_bytes(&content, bill).map_err(|Unreadable| unreadable(bill))
    }
}

fn key(bill: &Bill) -> Key<'_> {
    Key {
        kind: BILL,
        name: bill.key().as_bytes(),
    }
}
