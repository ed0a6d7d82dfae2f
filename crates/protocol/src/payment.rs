//! The event of a pay-result (guide section 7.1): a payment or a cancel of a payment.

use std::fmt;

use crate::{Decimal, KoreanTime, PayId};

/// `pay_type`: 결제 or 취소.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PayType {
    /// `P`: a payment. Its amount is added.
    P,
    /// `C`: a cancel, in full or in part. Its amount is subtracted.
    C,
}

impl PayType {
    /// Parses `P` or `C`; returns `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "P" => Some(Self::P),
            "C" => Some(Self::C),
            _ => None,
        }
    }

    /// `P` or `C`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::P => "P",
            Self::C => "C",
        }
    }
}

/// `paid_at`: 14 digits. The guide's form is `YYYYMMDDHH24MISS`. The payment was made even if the digits
/// are not an existing time, so any 14 digits are accepted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PaidAt([u8; 14]);

impl PaidAt {
    /// Parses 14 ASCII digits; returns `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: [u8; 14] = text.as_bytes().try_into().ok()?;
        digits
            .iter()
            .all(u8::is_ascii_digit)
            .then_some(Self(digits))
    }

    /// The 14 digits.
    pub fn as_str(&self) -> &str {
        // These are always ASCII digits, so the fallback is never used.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Returns the time in Korea, or `None` if the digits are not an existing time.
    pub fn time(&self) -> Option<KoreanTime> {
        KoreanTime::parse(self.as_str())
    }
}

impl fmt::Display for PaidAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for PaidAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The payment or cancel that one pay-result reports (contract section 4, Payments).
///
/// Equality compares all four members. The ledger defines which events are the same event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PaymentEvent {
    /// Kakao Pay's number of the payment. A cancel has the number of its payment.
    pub pay_id: PayId,
    /// Payment or cancel.
    pub pay_type: PayType,
    /// The time of the payment or cancel, by Kakao Pay's clock.
    pub paid_at: PaidAt,
    /// The amount in won, with the sign that Kakao Pay sent.
    pub pay_amount: Decimal,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pay_type_is_one_capital_letter() {
        for (text, pay_type) in [("P", PayType::P), ("C", PayType::C)] {
            assert_eq!(PayType::parse(text), Some(pay_type));
            assert_eq!(pay_type.as_str(), text);
        }
        for text in ["", "p", "X", "PC", "Ｐ"] {
            assert_eq!(PayType::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn paid_at_is_any_fourteen_digits_and_a_time_if_they_are_one() {
        let real = PaidAt::parse("20190220161656").unwrap();
        assert_eq!(real.time().unwrap().as_str(), real.as_str());
        assert_eq!(PaidAt::parse("99999999999999").unwrap().time(), None);
        for text in [
            "",
            "2019022016165",
            "201902201616560",
            "2019022016165x",
            "２０１９0220",
        ] {
            assert_eq!(PaidAt::parse(text), None, "{text:?}");
        }
    }
}
