//! 납부 결과 전달: Kakao Pay reports a payment or a cancel (guide section 7.1).

use super::canonical::CanonicalDigest;
use super::data::Data;
use super::member::{
    BILLED_YEAR_MONTH, BILLER_NOTICE_KEY, BILLER_USER_KEY, JsonType, Member, ORDINAL, PARAMETERS,
    Width, position,
};
use super::parameters::Rules;
use super::refusal::Refusal;
use crate::{Api, Bill, BillerCode, Decimal, PaidAt, PayId, PayType, PaymentEvent};

const MEMBERS: &[Member] = &[
    BILLER_USER_KEY,
    BILLED_YEAR_MONTH,
    ORDINAL,
    BILLER_NOTICE_KEY,
    PARAMETERS,
    Member::required("pay_by", JsonType::String, Width::Any),
    Member::required("pay_type", JsonType::String, Width::PayType),
    Member::optional("pay_detail1", JsonType::String, Width::Max(6)),
    Member::optional("pay_detail2", JsonType::String, Width::Max(20)),
    Member::optional("pay_detail3", JsonType::String, Width::Any),
    Member::required("amount", JsonType::Number, Width::Exact),
    Member::required("pay_amount", JsonType::Number, Width::Exact),
    Member::required("pay_fee_type", JsonType::String, Width::Max(10)),
    Member::required("pay_fee", JsonType::Number, Width::Exact),
    Member::required("pay_fee_tax", JsonType::Number, Width::Exact),
    Member::optional("adjust_date", JsonType::String, Width::Digits(8)),
    Member::required("paid_at", JsonType::String, Width::Digits(14)),
    Member::required("pay_id", JsonType::Number, Width::PayId),
];

const PAY_TYPE: usize = position(MEMBERS, "pay_type");
const PAY_AMOUNT: usize = position(MEMBERS, "pay_amount");
const PAID_AT: usize = position(MEMBERS, "paid_at");
const PAY_ID: usize = position(MEMBERS, "pay_id");

/// A payment of a bill, or the cancel of a payment.
#[derive(Clone, Debug)]
pub struct PayResult {
    /// The bill that was paid.
    pub bill: Bill,
    /// The payment or cancel.
    pub event: PaymentEvent,
    /// The digest by which a copy in another spelling is recognized; `None` if a member occurs twice
    /// anywhere in the body.
    pub canonical: Option<CanonicalDigest>,
}

impl PayResult {
    /// The guide's table of `data`.
    pub const MEMBERS: &'static [Member] = MEMBERS;

    /// Parses the body of a request from Kakao Pay.
    ///
    /// # Errors
    ///
    /// Returns the refusal of the first of the contract's checks 5 to 7 that fails.
    pub fn parse(body: &[u8], biller: BillerCode, rules: &Rules) -> Result<Self, Refusal> {
        let mut data = Data::read(body, Api::PayResult, MEMBERS, rules)?;
        let event = PaymentEvent {
            pay_id: data.number(PAY_ID, PayId::parse)?,
            pay_type: data.parsed(PAY_TYPE, PayType::parse)?,
            paid_at: data.parsed(PAID_AT, PaidAt::parse)?,
            pay_amount: data.number(PAY_AMOUNT, Decimal::parse)?,
        };
        Ok(Self {
            canonical: data.canonical(),
            bill: data.bill(biller),
            event,
        })
    }
}
