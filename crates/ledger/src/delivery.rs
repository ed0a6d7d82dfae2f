//! Whether a biller accepted a pay-result; says nothing about the bill being paid.

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
