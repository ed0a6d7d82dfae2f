//! Reads the payments of the bills that differ in their identity parameters only.

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
    /// three round trips.
    pub(crate) async fn payments_in_any_identity(
        &self,
        bill: &Bill,
    ) -> Result<PaymentsInAnyIdentity, OutOfReach> {
        let without = bill.without_identity_parameters();
        let mut found = PaymentsInAnyIdentity::default();
        let held = self.read_part(&without, Part::State).await?;
        let old = held.old.group.bills();
        let old = old.filter(|(other, _)| other.differs_in_identity_only(bill));
        for payments in old.filter_map(|(_, state)| state.payments()) {
            found.payments.merge(payments.clone());
        }
        if let Some(payments) = held.state.as_ref().and_then(|state| state.payments()) {
            found.payments.merge(payments.clone());
        }
        let paid = self.paid_identities(bill).await?;
        found.has_more = paid.has_more();
        let alike = (paid.bills().iter()).filter(|other| other.differs_in_identity_only(bill));
        let keys: Vec<Key<'_>> = alike.map(key).collect();
        let values = self.store().get(bill.biller_code().as_str(), &keys).await?;
        let horizon = Horizon::at(self.node.now());
        for (key, value) in keys.into_iter().zip(values) {
            let Some(value) = value else {
                continue;
            };
            let Opened { content, is_valid } =
                self.seal.open(bill.biller_code().as_str(), key, &value);
            let state = BillValue::from_bytes(&content, Some(&horizon));
            let state = state.map_err(|Unreadable| unreadable(bill))?;
            if let Some(payments) = state.payments().filter(|_| is_valid) {
                found.payments.merge(payments.clone());
            }
        }
        Ok(found)
    }

    async fn paid_identities(&self, bill: &Bill) -> Result<PaidIdentities, OutOfReach> {
        let (biller, key) = (bill.biller_code(), identities(bill));
        let values = self.store().get(biller.as_str(), &[key]).await?;
        let Some(value) = values.into_iter().next().flatten() else {
            return Ok(PaidIdentities::default());
        };
        let Opened { content, is_valid } = self.seal.open(biller.as_str(), key, &value);
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
