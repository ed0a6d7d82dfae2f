//! [`OutOfReach`] says why an operation on Redis failed.

use std::error::Error;
use std::fmt;

/// `OutOfReach` says why an operation on Redis failed. Whatever the reason, the caller goes on with what this node
/// knows; a swap may have happened or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutOfReach {
    /// There is no connection at this moment, or its server takes no writes; nothing was sent.
    NotConnected,
    /// More is under way than the bound allows; nothing was sent.
    Busy,
    /// No answer within the time allowed.
    TooSlow,
    /// The connection broke before the answer.
    Lost,
    /// The server answered with an error.
    Refused,
}

impl OutOfReach {
    /// All reasons, for a metric's labels.
    pub const ALL: [Self; 5] = [
        Self::NotConnected,
        Self::Busy,
        Self::TooSlow,
        Self::Lost,
        Self::Refused,
    ];

    /// Returns a word for logs and metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::NotConnected => "not_connected",
            Self::Busy => "busy",
            Self::TooSlow => "too_slow",
            Self::Lost => "lost",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for OutOfReach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotConnected => "no Redis server is connected",
            Self::Busy => "too many operations on Redis are under way",
            Self::TooSlow => "Redis did not answer in time",
            Self::Lost => "the connection to Redis broke",
            Self::Refused => "Redis answered with an error",
        })
    }
}

impl Error for OutOfReach {}
