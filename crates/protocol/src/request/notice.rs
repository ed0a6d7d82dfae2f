//! 청구서 조회: Kakao Pay requests a bill's details (guide section 5.1).

use super::data::Data;
use super::member::{
    BILLED_YEAR_MONTH, BILLER_NOTICE_KEY, BILLER_USER_KEY, JsonType, Member, ORDINAL, PARAMETERS,
    Width,
};
use super::parameters::Rules;
use super::refusal::Refusal;
use crate::{Api, Bill, BillerCode};

const MEMBERS: &[Member] = &[
    BILLER_USER_KEY,
    BILLED_YEAR_MONTH,
    ORDINAL,
    BILLER_NOTICE_KEY,
    PARAMETERS,
    Member::required("user_birth", JsonType::String, Width::Digits(8)),
];

/// A request for a bill's details. The customer's `user_birth` is checked and not kept.
#[derive(Clone, Debug)]
pub struct Notice {
    /// The requested bill.
    pub bill: Bill,
}

impl Notice {
    /// The guide's table of `data`.
    pub const MEMBERS: &'static [Member] = MEMBERS;

    /// Parses the body of a request from Kakao Pay.
    ///
    /// # Errors
    ///
    /// Returns the refusal of the first of the contract's checks 5 to 7 that fails.
    pub fn parse(body: &[u8], biller: BillerCode, rules: &Rules) -> Result<Self, Refusal> {
        let data = Data::read(body, Api::Notice, MEMBERS, rules)?;
        Ok(Self {
            bill: data.bill(biller),
        })
    }
}
