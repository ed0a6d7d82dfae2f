//! The byte format of payments in Redis.

use super::{Cancelled, Delivery, Group, Paid, Payments};
use crate::DeliveryState;
use crate::state::codec::{Decoder, Encode, Unreadable, encode_list};

impl Encode for Payments {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_list(self.groups.iter(), out, |group, out| {
            group.pay_id.encode(out);
            encode_list(group.payments.iter(), out, |paid, out| {
                paid.paid_at.encode(out);
                paid.amount.encode(out);
                paid.first_report.encode(out);
                paid.delivery.encode(out);
            });
            encode_list(group.cancelled.iter(), out, |cancel, out| {
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
            groups: decoder.list(Group::decode)?,
            // Behind the bills of a group; see `BillGroup::encode`.
            refusals: None,
        })
    }
}

impl Group {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Unreadable> {
        Ok(Self {
            pay_id: decoder.pay_id()?,
            payments: decoder.list(|decoder| {
                Ok(Paid {
                    paid_at: decoder.paid_at()?,
                    amount: decoder.decimal()?,
                    first_report: decoder.option(|decoder| {
                        Ok((decoder.stamp()?, decoder.option(Decoder::timestamp)?))
                    })?,
                    delivery: decode_delivery(decoder)?,
                })
            })?,
            cancelled: decoder.list(|decoder| {
                Ok(Cancelled {
                    paid_at: decoder.paid_at()?,
                    amount: decoder.decimal()?,
                    delivery: decode_delivery(decoder)?,
                })
            })?,
        })
    }
}

fn decode_delivery(decoder: &mut Decoder<'_>) -> Result<Delivery, Unreadable> {
    decoder.option(|decoder| Ok((decoder.stamp()?, DeliveryState::decode(decoder)?)))
}
