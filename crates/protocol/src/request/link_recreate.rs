//! 청구서 링크 재생성: a biller requests a new link of a linked bill (guide section 4.1).

use super::data::Data;
use super::link_create::{EXPIRE_AT, LinkCreate};
use super::member::Member;
use super::parameters::Rules;
use super::refusal::Refusal;
use crate::{Api, Bill, BillerCode, KoreanTime};

/// A request for a new link of a linked bill.
#[derive(Clone, Debug)]
pub struct LinkRecreate {
    /// The bill to link to.
    pub bill: Bill,
    /// When the link expires; it may be in the past.
    pub expire_at: KoreanTime,
}

impl LinkRecreate {
    /// The guide's table of `data`, which is that of the link creation.
    pub const MEMBERS: &'static [Member] = LinkCreate::MEMBERS;

    /// Parses the body of a request from the biller.
    ///
    /// # Errors
    ///
    /// Returns the refusal of the first of the contract's checks 5 to 8 that fails.
    pub fn parse(body: &[u8], biller: BillerCode, rules: &Rules) -> Result<Self, Refusal> {
        let data = Data::read(body, Api::LinkRecreate, Self::MEMBERS, rules)?;
        let expire_at = data.parsed(EXPIRE_AT, KoreanTime::parse)?;
        Ok(Self {
            bill: data.bill(biller),
            expire_at,
        })
    }
}
