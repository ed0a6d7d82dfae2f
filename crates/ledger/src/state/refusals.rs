//! The refused pay-results of a bill: while one is open, the bill is an error bill (contract section 2).
//!
//! One last-writer-wins register per digest of the bytes: the later of opening and closing counts. Only an operator's
//! act on the entry itself, its delivery, or the same pay-result when it passes closes one; clearing the bill does not.

use crate::state::codec::{Decoder, Encode, Unreadable, encode_list};
use crate::{MessageDigest, Stamp};

/// The refused pay-results that name a bill, open and closed, sorted by digest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusals(Vec<Refusal>);

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

impl Refusals {
    /// Returns the digests of the open ones, each with the stamp with which it was opened.
    pub fn open(&self) -> impl Iterator<Item = (MessageDigest, Stamp)> {
        let open = self.0.iter().filter(|refusal| refusal.is_open());
        open.map(|refusal| (refusal.message, refusal.opened))
    }

    /// Returns the latest stamp of them; the default stamp where there is none.
    pub(crate) fn latest(&self) -> Stamp {
        let stamps = self.0.iter().flat_map(|one| [one.opened, one.closed]);
        stamps.max().unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn fold_opened(&mut self, message: MessageDigest, stamp: Stamp) {
        let refusal = self.entry(message);
        refusal.opened = refusal.opened.max(stamp);
    }

    pub(crate) fn fold_closed(&mut self, message: MessageDigest, stamp: Stamp) {
        let refusal = self.entry(message);
        refusal.closed = refusal.closed.max(stamp);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for theirs in &other.0 {
            self.fold_opened(theirs.message, theirs.opened);
            self.fold_closed(theirs.message, theirs.closed);
        }
    }

    fn position(&self, message: &MessageDigest) -> Result<usize, usize> {
        self.0.binary_search_by(|one| one.message.cmp(message))
    }

    fn entry(&mut self, message: MessageDigest) -> &mut Refusal {
        let index = self.position(&message).unwrap_or_else(|index| {
            let refusal = Refusal {
                message,
                opened: Stamp::default(),
                closed: Stamp::default(),
            };
            self.0.insert(index, refusal);
            index
        });
        &mut self.0[index]
    }
}

impl Encode for Refusals {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_list(self.0.iter(), out, |refusal, out| {
            refusal.message.as_bytes().as_slice().encode(out);
            refusal.opened.encode(out);
            refusal.closed.encode(out);
        });
    }
}

impl Refusals {
    pub(crate) fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Unreadable> {
        let mut refusals = Self::default();
        let all = decoder.list(|decoder| {
            let message = MessageDigest::from_slice(decoder.bytes()?).ok_or(Unreadable)?;
            Ok((message, decoder.stamp()?, decoder.stamp()?))
        })?;
        for (message, opened, closed) in all {
            refusals.fold_opened(message, opened);
            refusals.fold_closed(message, closed);
        }
        Ok(refusals)
    }
}
