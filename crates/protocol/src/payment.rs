//! What a pay-result tells (guide section 7.1): a payment, or a cancel of one.

use std::fmt;

use crate::{Decimal, KoreanTime};

/// `pay_type`: 결제 or 취소.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PayType {
    /// `P`: a payment. It counts up.
    P,
    /// `C`: a cancel, whole or in part. It counts down.
    C,
}

impl PayType {
    /// Takes `P` or `C`.
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

/// `paid_at`: fourteen digits. The guide writes `YYYYMMDDHH24MISS`, but money moved whether or not
/// the digits are a real time, so any fourteen are taken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PaidAt([u8; 14]);

impl PaidAt {
    /// Takes fourteen ASCII digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: [u8; 14] = text.as_bytes().try_into().ok()?;
        digits
            .iter()
            .all(u8::is_ascii_digit)
            .then_some(Self(digits))
    }

    /// The fourteen digits.
    pub fn as_str(&self) -> &str {
        // Always ASCII digits, so this never falls back.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The time in Korea that the digits are, if they are one.
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

/// What one pay-result says about its bill (contract section 4, Payments).
///
/// All four members are compared; which of them make two events one is the ledger's to say.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PaymentEvent {
    /// Kakao Pay's number of the payment. A cancel carries the number of its payment.
    pub pay_id: Decimal,
    /// Payment or cancel.
    pub pay_type: PayType,
    /// When, by Kakao Pay's clock.
    pub paid_at: PaidAt,
    /// How much, in won, with the sign that Kakao Pay gave it.
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
