//! 납부 가능 조회: Kakao Pay queries whether a bill can be paid (guide section 6.1).

use super::data::Data;
use super::member::{
    BILLED_YEAR_MONTH, BILLER_NOTICE_KEY, BILLER_USER_KEY, JsonType, Member, ORDINAL, PARAMETERS,
    Width, position,
};
use super::parameters::Rules;
use super::refusal::Refusal;
use crate::{Api, Bill, BillerCode, Decimal};

const MEMBERS: &[Member] = &[
    BILLER_USER_KEY,
    BILLED_YEAR_MONTH,
    ORDINAL,
    BILLER_NOTICE_KEY,
    PARAMETERS,
    Member::required("amount", JsonType::Number, Width::Exact),
];

const AMOUNT: usize = position(MEMBERS, "amount");

/// A query whether a bill can be paid.
#[derive(Clone, Debug)]
pub struct Prepay {
    /// The bill to be paid.
    pub bill: Bill,
    /// The amount that the customer intends to pay, in won.
    pub amount: Decimal,
}

impl Prepay {
    /// The guide's table of `data`.
    pub const MEMBERS: &'static [Member] = MEMBERS;

    /// Parses the body of a request from Kakao Pay.
    ///
    /// # Errors
    ///
    /// Returns the refusal of the first of the contract's checks 5 to 7 that fails.
    pub fn parse(body: &[u8], biller: BillerCode, rules: &Rules) -> Result<Self, Refusal> {
        let data = Data::read(body, Api::Prepay, MEMBERS, rules)?;
        let amount = data.number(AMOUNT, Decimal::parse)?;
        Ok(Self {
            bill: data.bill(biller),
            amount,
        })
    }
}
