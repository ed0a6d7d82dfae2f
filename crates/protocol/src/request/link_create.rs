//! 청구서 링크 생성: a biller requests the link of a bill (guide section 3.1).

use super::data::Data;
use super::member::{
    BILLED_YEAR_MONTH, BILLER_NOTICE_KEY, BILLER_USER_KEY, JsonType, Member, ORDINAL, PARAMETERS,
    Width, position,
};
use super::parameters::Rules;
use super::refusal::Refusal;
use crate::{Api, Bill, BillerCode, KoreanTime};

const MEMBERS: &[Member] = &[
    BILLER_USER_KEY,
    BILLED_YEAR_MONTH,
    ORDINAL,
    BILLER_NOTICE_KEY,
    Member::required("expire_at", JsonType::String, Width::Time),
    PARAMETERS,
];

pub(super) const EXPIRE_AT: usize = position(MEMBERS, "expire_at");

/// A request for a bill's first link.
#[derive(Clone, Debug)]
pub struct LinkCreate {
    /// The bill to link to.
    pub bill: Bill,
    /// When the link expires; it may be in the past.
    pub expire_at: KoreanTime,
}

impl LinkCreate {
    /// The guide's table of `data`.
    pub const MEMBERS: &'static [Member] = MEMBERS;

    /// Parses the body of a request from the biller.
    ///
    /// # Errors
    ///
    /// Returns the refusal of the first of the contract's checks 5 to 8 that fails.
    pub fn parse(body: &[u8], biller: BillerCode, rules: &Rules) -> Result<Self, Refusal> {
        let data = Data::read(body, Api::LinkCreate, MEMBERS, rules)?;
        let expire_at = data.parsed(EXPIRE_AT, KoreanTime::parse)?;
        Ok(Self {
            bill: data.bill(biller),
            expire_at,
        })
    }
}
