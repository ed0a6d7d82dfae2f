//! The byte format of values in Redis: bill groups, owners of notice keys, kept answers.
//!
//! The format is compact because Redis holds millions of bills in memory. Integers are LEB128,
//! signed ones zigzag. A value does not repeat the members of its key (biller, user key, month,
//! ordinal). The first byte is the version of the format. A node that reads a later version returns
//! [`Unreadable`] and does not overwrite the value.

mod decoder;

use protocol::{Bill, Decimal, KoreanTime, PaidAt, PayId};

use crate::{Stamp, Timestamp};
pub(crate) use decoder::Decoder;

/// The bytes are damaged, or a later version wrote them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

/// The first version, in which nearly every value is written.
pub(crate) const FIRST_VERSION: u64 = 1;

/// The version of a bill group with refused pay-results, which stand behind its bills.
pub(crate) const WITH_REFUSALS: u64 = 2;

/// Stands before a `pay_id` of more than 18 digits. No decimal has it as its units.
const WIDE_PAY_ID: i64 = i64::MIN;

/// A type that can be written in this format.
pub(crate) trait Encode {
    fn encode(&self, out: &mut Vec<u8>);

    /// The version of the format that the value needs.
    fn version(&self) -> u64 {
        FIRST_VERSION
    }
}

/// Returns the bytes of a Redis value: the version, then `value`.
pub(crate) fn to_bytes(value: &impl Encode) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    value.version().encode(&mut out);
    value.encode(&mut out);
    out
}

/// Writes the members of a bill that [`Decoder::bill_of`] reads.
pub(crate) fn encode_bill(bill: &Bill, out: &mut Vec<u8>) {
    bill.biller_user_key().encode(out);
    bill.billed_year_month().encode(out);
    bill.ordinal().encode(out);
    encode_rest_of_bill(bill, out);
}

/// Writes the members of a bill that [`Decoder::bill_like`] reads.
pub(crate) fn encode_rest_of_bill(bill: &Bill, out: &mut Vec<u8>) {
    bill.biller_notice_key().encode(out);
    encode_list(
        bill.identity_parameters().collect::<Vec<_>>().iter(),
        out,
        |(name, value), out| {
            name.encode(out);
            value.encode(out);
        },
    );
}

pub(crate) fn encode_list<T>(
    items: impl ExactSizeIterator<Item = T>,
    out: &mut Vec<u8>,
    mut encode: impl FnMut(T, &mut Vec<u8>),
) {
    (items.len() as u64).encode(out);
    items.for_each(|item| encode(item, out));
}

impl Encode for u64 {
    fn encode(&self, out: &mut Vec<u8>) {
        let mut number = *self;
        while number >= 0x80 {
            out.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        out.push((number & 0x7f) as u8);
    }
}

impl Encode for i64 {
    fn encode(&self, out: &mut Vec<u8>) {
        ((self << 1) ^ (self >> 63)).cast_unsigned().encode(out);
    }
}

impl Encode for bool {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
}

impl Encode for [u8] {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.len() as u64).encode(out);
        out.extend_from_slice(self);
    }
}

impl Encode for str {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_bytes().encode(out);
    }
}

impl<T: Encode> Encode for Option<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.is_some().encode(out);
        if let Some(value) = self {
            value.encode(out);
        }
    }
}

impl<T: Encode + ?Sized> Encode for &T {
    fn encode(&self, out: &mut Vec<u8>) {
        T::encode(self, out);
    }
}

impl<A: Encode, B: Encode> Encode for (A, B) {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
        self.1.encode(out);
    }
}

impl Encode for Stamp {
    fn encode(&self, out: &mut Vec<u8>) {
        self.time.encode(out);
        u64::from(self.node).encode(out);
    }
}

impl Encode for Timestamp {
    fn encode(&self, out: &mut Vec<u8>) {
        self.millis().encode(out);
    }
}

impl Encode for Decimal {
    fn encode(&self, out: &mut Vec<u8>) {
        self.units().encode(out);
        self.fraction().encode(out);
    }
}

impl Encode for PayId {
    fn encode(&self, out: &mut Vec<u8>) {
        if let Some(decimal) = self.as_decimal() {
            return decimal.encode(out);
        }
        WIDE_PAY_ID.encode(out);
        let [high, low] = halves(self.whole());
        high.encode(out);
        low.encode(out);
    }
}

impl Encode for KoreanTime {
    fn encode(&self, out: &mut Vec<u8>) {
        digits(self.as_str()).encode(out);
    }
}

impl Encode for PaidAt {
    fn encode(&self, out: &mut Vec<u8>) {
        digits(self.as_str()).encode(out);
    }
}

/// Returns the upper and the lower 64 bits.
fn halves(whole: i128) -> [u64; 2] {
    let bytes = whole.to_be_bytes();
    let half = |from: usize| {
        let bytes = &bytes[from..from + 8];
        bytes
            .iter()
            .fold(0, |half, byte| half << 8 | u64::from(*byte))
    };
    [half(0), half(8)]
}

/// Returns fourteen digits as a number. Both types hold only digits.
fn digits(text: &str) -> u64 {
    text.parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::state::bill_state::BillValue;
    use crate::{BillGroup, DeliveryState, Fact, FactKind, MessageDigest};
    use protocol::{BillerCode, PayType, PaymentEvent};

    fn bill(notice_key: &str, seq: &str) -> Bill {
        let biller = BillerCode::parse("B0001").unwrap();
        Bill::from_parts(biller, "u", "202611", "", notice_key, &[("seq", seq)])
    }

    proptest! {
        #[test]
        fn a_bill_and_a_group_read_back_as_they_were_written(
            facts in proptest::collection::vec(
                ("[가-힣a]{0,3}", "[0-9]{0,2}", any::<i64>(), 0..9u8, -1_000i64..1_000), 0..12
            )
        ) {
            let mut group = BillGroup::default();
            for (number, (key, seq, time, kind, amount)) in facts.iter().enumerate() {
                let stamp = Stamp { time: *time, node: u32::try_from(number).unwrap() };
                let event = PaymentEvent {
                    pay_id: PayId::parse(&format!("-{number}e{number}")).unwrap(),
                    pay_type: if kind % 2 == 0 { PayType::P } else { PayType::C },
                    paid_at: PaidAt::parse("00000000000000").unwrap(),
                    pay_amount: Decimal::parse(&format!("{amount}.5")).unwrap(),
                };
                let message = MessageDigest::of(b"x");
                let expire_at = KoreanTime::parse("20261231235959").unwrap();
                let kind = match kind {
                    0 | 1 => FactKind::Payment { event, mark_ends_at: Some(Timestamp::from_millis(*time)), message },
                    2 => FactKind::Delivery { event, message, state: DeliveryState::Pending },
                    3 => FactKind::Reserved { until: Timestamp::from_millis(*time), after_unknown: true },
                    4 => FactKind::Linked { attempt: stamp, expire_at },
                    6 => FactKind::PayResultRefused { message },
                    7 => FactKind::RefusalClosed { message, reason: key.clone(), operator: seq.clone() },
                    8 => FactKind::DeliveryClosed {
                        event, message, reason: key.clone(), operator: seq.clone(),
                    },
                    _ => FactKind::Classified { reason: key.clone(), operator: seq.clone() },
                };
                let bill = bill(key, seq);
                group.entry(&bill).fold(&Fact { stamp, bill: bill.clone(), kind });
            }
            for (_, state) in group.bills() {
                let bytes = to_bytes(&BillValue(state));
                prop_assert_eq!(BillValue::from_bytes(&bytes, None), Ok(state.clone()));
                for end in 0..bytes.len() {
                    prop_assert!(BillValue::from_bytes(&bytes[..end], None).is_err());
                }
            }
            let bytes = to_bytes(&group);
            prop_assert_eq!(BillGroup::from_bytes(&bytes, &bill("", ""), None), Ok(group));
            for end in 0..bytes.len() {
                prop_assert!(BillGroup::from_bytes(&bytes[..end], &bill("", ""), None).is_err());
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = BillGroup::from_bytes(&bytes, &bill("", ""), None);
            let _ = BillValue::from_bytes(&bytes, None);
        }
    }
}
