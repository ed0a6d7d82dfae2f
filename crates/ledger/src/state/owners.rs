//! Who a `biller_notice_key` belongs to, as nodes of before kept it in Redis: every bill that had a link under it.

use protocol::Bill;

use crate::Link;
use crate::state::codec::{Decoder, Encode, Unreadable, encode_bill, encode_list};
use crate::state::horizon::Horizon;

/// The bills that have, or had, a link under one `biller_notice_key`; almost always one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Owners {
    links: Vec<(Bill, Link)>,
}

impl Owners {
    /// Merges what is known of one bill's link.
    pub(crate) fn merge_link(&mut self, bill: &Bill, link: &Link) {
        self.entry(bill).merge(link);
    }

    /// Returns the bills, each with its link.
    pub(crate) fn links(&self) -> &[(Bill, Link)] {
        &self.links
    }

    fn entry(&mut self, bill: &Bill) -> &mut Link {
        let known = self.links.iter().position(|(owner, _)| owner == bill);
        let index = known.unwrap_or_else(|| {
            if self.links.is_empty() {
                // Almost always the only one: no room for others is kept.
                self.links.reserve_exact(1);
            }
            self.links.push((bill.clone(), Link::default()));
            self.links.len() - 1
        });
        &mut self.links[index].1
    }

    /// The owners from the bytes that [`codec::to_bytes`](crate::state::codec::to_bytes) made; `like` is
    /// any bill of the same biller.
    pub(crate) fn from_bytes(
        bytes: &[u8],
        like: &Bill,
        horizon: Option<&Horizon>,
    ) -> Result<Self, Unreadable> {
        let mut decoder = Decoder::within(bytes, horizon)?;
        let links = decoder.list(|decoder| Ok((decoder.bill_of(like)?, Link::decode(decoder)?)))?;
        decoder.finish()?;
        Ok(Self { links })
    }
}

impl Encode for Owners {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_list(self.links.iter(), out, |(bill, link), out| {
            encode_bill(bill, out);
            link.encode(out);
        });
    }
}
