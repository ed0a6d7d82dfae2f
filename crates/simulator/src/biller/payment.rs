//! A payment or a cancel as the biller took it.

use crate::request::Request;

/// Guide 7.1, `pay_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PayType {
    /// `P`: paid.
    Payment,
    /// `C`: cancelled.
    Cancel,
}

/// One pay-result that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The number of the call that brought it.
    pub sequence: u64,
    /// Whose bill.
    pub biller_user_key: String,
    /// Empty: none.
    pub billed_year_month: String,
    /// Empty: none.
    pub ordinal: String,
    /// Empty: none.
    pub biller_notice_key: String,
    /// Paid or cancelled.
    pub pay_type: PayType,
    /// Kakao Pay's number of the payment.
    pub pay_id: i64,
    /// When, as sent.
    pub paid_at: String,
    /// In won, as sent: below zero for a cancel.
    pub pay_amount_won: i64,
}

impl Payment {
    /// Reads what a biller cannot do without; else the code of what is missing or wrong.
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
