//! The refusal of a request.

use std::fmt;

use crate::ResCode;
use crate::json::{InvalidJson, MemberNames};

/// The contract's check that refused a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Check {
    /// Check 5: the JSON itself.
    Parse,
    /// Check 5: a member's JSON type.
    Type,
    /// Check 6, and an absent `data`.
    Required,
    /// Check 7.
    Width,
    /// Check 8.
    Parameters,
}

/// Why a request is refused. It contains no text of the request, so it is safe to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The check that failed.
    pub check: Check,
    /// The `res_code` of the answer.
    pub code: ResCode,
    /// The guide's name of the invalid member, if the refusal concerns one.
    pub member: Option<&'static str>,
    /// A short description of the fault.
    pub reason: &'static str,
}

impl Refusal {
    pub(super) const fn parse(member: Option<&'static str>, reason: &'static str) -> Self {
        Self {
            check: Check::Parse,
            code: ResCode::E807,
            member,
            reason,
        }
    }

    pub(super) const fn wrong_type(member: &'static str, reason: &'static str) -> Self {
        Self {
            check: Check::Type,
            ..Self::parse(Some(member), reason)
        }
    }

    pub(super) const fn required(member: &'static str) -> Self {
        let reason = "a required member is missing";
        Self {
            check: Check::Required,
            code: ResCode::E001,
            member: Some(member),
            reason,
        }
    }

    pub(super) const fn width(code: ResCode, member: &'static str, reason: &'static str) -> Self {
        Self {
            check: Check::Width,
            code,
            member: Some(member),
            reason,
        }
    }

    pub(super) const fn parameters(code: ResCode, reason: &'static str) -> Self {
        Self {
            check: Check::Parameters,
            code,
            member: Some("parameters"),
            reason,
        }
    }
}

pub(super) const DUPLICATE: &str = "a duplicate member";

/// Check 5: the members of an object have different names.
pub(super) fn check_distinct(
    names: &MemberNames<'_>,
    object: Option<&'static str>,
) -> Result<(), Refusal> {
    if names.are_distinct() {
        Ok(())
    } else {
        Err(Refusal::parse(object, DUPLICATE))
    }
}

impl From<InvalidJson> for Refusal {
    fn from(InvalidJson(reason): InvalidJson) -> Self {
        Self::parse(None, reason)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.member {
            Some(member) => write!(f, "{}: {member}: {}", self.code, self.reason),
            None => write!(f, "{}: {}", self.code, self.reason),
        }
    }
}

impl std::error::Error for Refusal {}
