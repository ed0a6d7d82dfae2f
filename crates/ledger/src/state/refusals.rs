//! The refused pay-results of a bill: while one is open, the bill is an error bill (contract section 2).
//!
//! One last-writer-wins register per digest of the bytes: the later of opening and closing counts. Only an operator's
//! act on the entry itself, its delivery, or the same pay-result when it passes closes one; clearing the bill does not.

use crate::state::codec::{Decoder, Encode, Unreadable};
use crate::state::heap_bytes::HeapBytes;
use crate::state::sorted::{self, Keyed, Sorted};
use crate::{MessageDigest, Stamp};

/// The refused pay-results that name a bill, open and closed, by digest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusals(Sorted<Refusal>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Refusal {
    message: MessageDigest,
    opened: Stamp,
    closed: Stamp,
}

impl Refusal {
    fn is_open(&self) -> bool {
        self.opened > self.closed
    }
}

/// The totals of refused pay-results.
#[derive(Clone, Debug, Default)]
struct Totals {
    has_open: bool,
    latest: Stamp,
}

impl sorted::Summary for Totals {
    fn add(&mut self, other: &Self) {
        self.has_open |= other.has_open;
        self.latest = self.latest.max(other.latest);
    }
}

impl Keyed for Refusal {
    type Key = MessageDigest;
    type Totals = Totals;

    fn key(&self) -> MessageDigest {
        self.message
    }

    fn totals(&self) -> Totals {
        Totals {
            has_open: self.is_open(),
            latest: self.opened.max(self.closed),
        }
    }

    fn merge(&mut self, other: Self) {
        self.opened = self.opened.max(other.opened);
        self.closed = self.closed.max(other.closed);
    }
}

impl HeapBytes for Refusal {
    fn heap_bytes(&self) -> usize {
        0
    }
}

impl HeapBytes for Refusals {
    fn heap_bytes(&self) -> usize {
        self.0.heap_bytes()
    }
}

impl Refusals {
    /// Returns the digests of the open ones, each with the stamp with which it was opened.
    pub fn open(&self) -> impl Iterator<Item = (MessageDigest, Stamp)> {
        let open = self.0.iter_where(|totals| totals.has_open);
        let open = open.filter(|refusal| refusal.is_open());
        open.map(|refusal| (refusal.message, refusal.opened))
    }

    /// Returns the latest stamp of them; the default stamp where there is none.
    pub(crate) fn latest(&self) -> Stamp {
        self.0.totals().latest
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn fold_opened(&mut self, message: MessageDigest, stamp: Stamp) {
        self.0.put(Refusal {
            message,
            opened: stamp,
            closed: Stamp::default(),
        });
    }

    pub(crate) fn fold_closed(&mut self, message: MessageDigest, stamp: Stamp) {
        self.0.put(Refusal {
            message,
            opened: Stamp::default(),
            closed: stamp,
        });
    }

    /// Merges those of another node. The cost is that of the side with fewer.
    pub(crate) fn merge(&mut self, other: Self) {
        self.0.merge(other.0);
    }
}

impl Encode for Refusals {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out, |refusal, out| {
            refusal.message.as_bytes().as_slice().encode(out);
            refusal.opened.encode(out);
            refusal.closed.encode(out);
        });
    }
}

impl Refusals {
    pub(crate) fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Unreadable> {
        let all = decoder.list(|decoder| {
            Ok(Refusal {
                message: MessageDigest::from_slice(decoder.bytes()?).ok_or(Unreadable)?,
                opened: decoder.stamp()?,
                closed: decoder.stamp()?,
            })
        })?;
        Ok(Self(Sorted::from_written(all)))
    }
}
