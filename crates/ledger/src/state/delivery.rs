//! The delivery state of a payment event. It does not change whether the bill is paid.

use crate::state::codec::{Decoder, Encode, Unreadable};

/// Whether the biller accepted a payment event (contract section 4, "Payments").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// The biller answered 2xx with `res_code` `OK`.
    Accepted,
    /// The biller answered with another `res_code`.
    Refused,
    /// The outcome is not known: a time-out, a lost or unreadable answer, or any other case.
    Unknown,
    /// The pay-result was never sent.
    Pending,
    /// An operator closed it by hand. Only an acceptance changes that.
    Closed,
}

impl DeliveryState {
    /// Returns the name in the journal and for operators.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::Pending => "pending",
            Self::Closed => "closed",
        }
    }

    /// Returns the state with this name.
    pub fn parse(name: &str) -> Option<Self> {
        let all = [
            Self::Accepted,
            Self::Refused,
            Self::Unknown,
            Self::Pending,
            Self::Closed,
        ];
        all.into_iter().find(|state| state.name() == name)
    }

    /// Returns whether nothing is to be done any more: accepted, or closed by an operator.
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Accepted | Self::Closed)
    }
}

impl Encode for DeliveryState {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(match self {
            Self::Accepted => 0,
            Self::Refused => 1,
            Self::Unknown => 2,
            Self::Pending => 3,
            Self::Closed => 4,
        });
    }
}

impl DeliveryState {
    pub(crate) fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Unreadable> {
        match decoder.byte()? {
            0 => Ok(Self::Accepted),
            1 => Ok(Self::Refused),
            2 => Ok(Self::Unknown),
            3 => Ok(Self::Pending),
            4 => Ok(Self::Closed),
            _ => Err(Unreadable),
        }
    }
}
