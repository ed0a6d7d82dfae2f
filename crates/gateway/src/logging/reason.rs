//! Why the gateway answered a call itself, for the call's line.

use std::net::IpAddr;

/// The reason of one answer of the gateway. It contains no value of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    /// A token: `member-width`, `circuit` ….
    pub token: &'static str,
    /// The check of contract section 2 that refused the call, 1 to 10.
    pub check: Option<u8>,
    /// The guide's name of the member that is meant.
    pub member: Option<&'static str>,
    /// The rule that was violated, where the token does not say it.
    pub rule: Option<&'static str>,
    /// The source address, where it was refused.
    pub source: Option<IpAddr>,
}

impl Reason {
    /// Returns a reason that is no refusal by a check.
    pub const fn of(token: &'static str) -> Self {
        Self {
            token,
            check: None,
            member: None,
            rule: None,
            source: None,
        }
    }

    /// Returns a refusal by one of the checks of contract section 2.
    pub const fn in_check(check: u8, token: &'static str) -> Self {
        Self {
            check: Some(check),
            ..Self::of(token)
        }
    }

    /// Returns the reason with the rule that was violated.
    #[must_use]
    pub const fn rule(self, rule: &'static str) -> Self {
        Self {
            rule: Some(rule),
            ..self
        }
    }
}
