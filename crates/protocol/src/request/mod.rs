//! The five requests (guide sections 3.1, 4.1, 5.1, 6.1 and 7.1), and the contract's checks 5 to 8
//! in their order:
//!
//! 5. [`Check::Parse`]: the body's JSON, members twice, wrong types, over everything: `E807`.
//! 6. [`Check::Required`]: members that are missing, in the guide's order: `E001`.
//! 7. [`Check::Width`]: widths, in the guide's order: `E006`, `E007`, `E807`.
//! 8. [`Check::Parameters`]: the values in `parameters` of the link APIs: `E006`, `E101`.

mod data;
mod link_create;
mod link_recreate;
mod member;
mod notice;
mod parameters;
mod pay_result;
mod prepay;

use std::fmt;

pub use link_create::LinkCreate;
pub use link_recreate::LinkRecreate;
pub use member::{JsonType, Member, Width};
pub use notice::Notice;
pub use pay_result::PayResult;
pub use prepay::Prepay;

use crate::ResCode;
use crate::json::{Fault, Names};

/// What a biller's configuration asks of its requests (contract section 6).
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The most characters of a string in `parameters` of the link APIs.
    pub parameter_max_length: usize,
    /// The members of `parameters` that belong to a bill's identity.
    pub identity_parameters: &'a [String],
}

/// Which of the contract's checks refused a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Check {
    /// Check 5.
    Parse,
    /// Check 6, and an absent `data`.
    Required,
    /// Check 7.
    Width,
    /// Check 8.
    Parameters,
}

/// Why a request is refused. It holds no text of the caller's, so it is safe to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The check that refused.
    pub check: Check,
    /// The code to answer.
    pub code: ResCode,
    /// The guide's name of the faulty member, where it is one.
    pub member: Option<&'static str>,
    /// What is wrong, in a few words.
    pub reason: &'static str,
}

impl Refusal {
    const fn parse(member: Option<&'static str>, reason: &'static str) -> Self {
        Self {
            check: Check::Parse,
            code: ResCode::E807,
            member,
            reason,
        }
    }

    const fn required(member: &'static str) -> Self {
        let reason = "a required member is missing";
        Self {
            check: Check::Required,
            code: ResCode::E001,
            member: Some(member),
            reason,
        }
    }

    const fn width(code: ResCode, member: &'static str, reason: &'static str) -> Self {
        Self {
            check: Check::Width,
            code,
            member: Some(member),
            reason,
        }
    }

    const fn parameters(code: ResCode, reason: &'static str) -> Self {
        Self {
            check: Check::Parameters,
            code,
            member: Some("parameters"),
            reason,
        }
    }
}

const TWICE: &str = "a member twice";

/// Check 5: no member of an object comes twice.
fn distinct(names: &Names<'_>, object: Option<&'static str>) -> Result<(), Refusal> {
    if names.are_distinct() {
        Ok(())
    } else {
        Err(Refusal::parse(object, TWICE))
    }
}

impl From<Fault> for Refusal {
    fn from(Fault(reason): Fault) -> Self {
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

#[cfg(test)]
mod tests;
