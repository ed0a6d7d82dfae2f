//! The byte format of payments in Redis.

use super::{Cancelled, Delivery, Group, Paid, Payments};
use crate::DeliveryState;
use crate::state::codec::{Decoder, Encode, Unreadable};
use crate::state::sorted::Sorted;

impl Encode for Payments {
    fn encode(&self, out: &mut Vec<u8>) {
        self.groups.encode(out, |group, out| {
            group.pay_id.encode(out);
            group.payments.encode(out, |paid, out| {
                paid.paid_at.encode(out);
                paid.amount.encode(out);
                paid.first_report.encode(out);
                paid.delivery.encode(out);
            });
            group.cancelled.encode(out, |cancel, out| {
                cancel.paid_at.encode(out);
                cancel.amount.encode(out);
                cancel.delivery.encode(out);
            });
        });
    }
}

impl Payments {
    pub(crate) fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Unreadable> {
        Ok(Self {
            groups: Sorted::from_written(decoder.list(Group::decode)?),
            // Behind the bills of a group; see `BillGroup::encode`.
            refusals: None,
        })
    }
}

impl Group {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Unreadable> {
        Ok(Self {
            pay_id: decoder.pay_id()?,
            payments: Sorted::from_written(decoder.list(|decoder| {
                Ok(Paid {
                    paid_at: decoder.paid_at()?,
                    amount: decoder.decimal()?,
                    first_report: decoder.option(|decoder| {
                        Ok((decoder.stamp()?, decoder.option(Decoder::timestamp)?))
                    })?,
                    delivery: decode_delivery(decoder)?,
                })
            })?),
            cancelled: Sorted::from_written(decoder.list(|decoder| {
                Ok(Cancelled {
                    paid_at: decoder.paid_at()?,
                    amount: decoder.decimal()?,
                    delivery: decode_delivery(decoder)?,
                })
            })?),
        })
    }
}

fn decode_delivery(decoder: &mut Decoder<'_>) -> Result<Delivery, Unreadable> {
    decoder.option(|decoder| Ok((decoder.stamp()?, DeliveryState::decode(decoder)?)))
}
