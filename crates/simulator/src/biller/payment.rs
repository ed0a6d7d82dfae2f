//! A payment or a cancel that the biller recorded.

use crate::request::Request;

/// `pay_type` (guide section 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PayType {
    /// `P`: a payment.
    Payment,
    /// `C`: a cancel.
    Cancel,
}

/// A recorded pay-result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The number of its call.
    pub sequence: u64,
    /// The customer's key.
    pub biller_user_key: String,
    /// `YYYYMM`, or `""`.
    pub billed_year_month: String,
    /// The ordinal, or `""`.
    pub ordinal: String,
    /// The notice key, or `""`.
    pub biller_notice_key: String,
    /// Payment or cancel.
    pub pay_type: PayType,
    /// Kakao Pay's number of the payment.
    pub pay_id: i64,
    /// The time, as sent.
    pub paid_at: String,
    /// The amount in won, as sent: negative for a cancel.
    pub pay_amount_won: i64,
}

impl Payment {
    /// Reads the members that a biller requires. Returns the code of the answer if one is missing or invalid.
    pub(super) fn read(request: &Request) -> Result<Self, &'static str> {
        let text = |member| request.text(member).to_owned();
        let pay_type = match request.text("pay_type") {
            "P" => PayType::Payment,
            "C" => PayType::Cancel,
            "" => return Err("E001"),
            _ => return Err("E007"),
        };
        if request.text("biller_user_key").is_empty() || request.text("paid_at").is_empty() {
            return Err("E001");
        }
        Ok(Self {
            sequence: request.call.sequence,
            biller_user_key: text("biller_user_key"),
            billed_year_month: text("billed_year_month"),
            ordinal: text("ordinal"),
            biller_notice_key: text("biller_notice_key"),
            pay_type,
            pay_id: request.whole_number("pay_id").ok_or("E001")?,
            paid_at: text("paid_at"),
            pay_amount_won: request.whole_number("pay_amount").ok_or("E001")?,
        })
    }
}
