//! Whether a bill is an error bill (`E817`), why, and who said so.

use crate::Stamp;
use crate::codec::{Decoder, Encode, Unreadable};

/// The latest word on a bill: the fact with the highest stamp wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classification {
    /// When it was said.
    pub stamp: Stamp,
    /// `true`: an error bill; `false`: cleared.
    pub error_bill: bool,
    /// Why.
    pub reason: String,
    /// An operator's name, or `gateway`.
    pub operator: String,
}

impl Classification {
    /// Keeps the later of two words. Two nodes may find that one payment is odd, each for a reason
    /// of its own: of words with one stamp, the same one stays everywhere.
    pub(crate) fn fold_into(self, current: &mut Option<Box<Self>>) {
        if current
            .as_ref()
            .is_none_or(|held| held.rank() < self.rank())
        {
            *current = Some(Box::new(self));
        }
    }

    fn rank(&self) -> (Stamp, bool, &str, &str) {
        (self.stamp, self.error_bill, &self.reason, &self.operator)
    }
}

impl Encode for Classification {
    fn encode(&self, out: &mut Vec<u8>) {
        self.stamp.encode(out);
        self.error_bill.encode(out);
        self.reason.encode(out);
        self.operator.encode(out);
    }
}

impl Classification {
    pub(crate) fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Unreadable> {
        Ok(Self {
            stamp: decoder.stamp()?,
            error_bill: decoder.flag()?,
            reason: decoder.text()?.to_owned(),
            operator: decoder.text()?.to_owned(),
        })
    }
}
