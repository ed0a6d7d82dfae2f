//! The classification of a bill as an error bill (`E817`): a last-writer-wins register.

use crate::Stamp;
use crate::state::codec::{Decoder, Encode, Unreadable};
use crate::state::heap_bytes::HeapBytes;

/// The latest classification fact of a bill. The highest stamp wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classification {
    /// The stamp of the fact.
    pub stamp: Stamp,
    /// `true`: error bill; `false`: cleared.
    pub error_bill: bool,
    /// The reason that was given.
    pub reason: String,
    /// The name of the operator, or `gateway`.
    pub operator: String,
}

impl Classification {
    /// Keeps the later of two classifications. Two nodes may classify for one payment, under one
    /// stamp and with different reasons; the order of all fields decides, alike on every node.
    pub(crate) fn fold_into(self, current: &mut Option<Box<Self>>) {
        if current
            .as_ref()
            .is_none_or(|current| current.rank() < self.rank())
        {
            *current = Some(Box::new(self));
        }
    }

    fn rank(&self) -> (Stamp, bool, &str, &str) {
        (self.stamp, self.error_bill, &self.reason, &self.operator)
    }
}

impl HeapBytes for Classification {
    fn heap_bytes(&self) -> usize {
        self.reason.heap_bytes() + self.operator.heap_bytes()
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
