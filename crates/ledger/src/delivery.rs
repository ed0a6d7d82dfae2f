//! Whether a biller accepted a pay-result; says nothing about the bill being paid.

use crate::codec::{Decoder, Encode, Unreadable};

/// Contract section 4, "Payments": the delivery state of one payment event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// 2xx with `res_code` `OK`.
    Accepted,
    /// An answer with a `res_code` that is not `OK`.
    Refused,
    /// Time-out, lost, unreadable, or anything else that leaves it open.
    Unknown,
    /// Never sent.
    Pending,
}

impl DeliveryState {
    /// The name operators and the journal use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::Pending => "pending",
        }
    }

    /// The state with this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Accepted, Self::Refused, Self::Unknown, Self::Pending]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

impl Encode for DeliveryState {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(match self {
            Self::Accepted => 0,
            Self::Refused => 1,
            Self::Unknown => 2,
            Self::Pending => 3,
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
            _ => Err(Unreadable),
        }
    }
}
