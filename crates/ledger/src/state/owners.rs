//! Who a `biller_notice_key` belongs to: answers E811.

use protocol::Bill;

use crate::state::codec::{Decoder, Encode, Unreadable, encode_list, encode_rest_of_bill};
use crate::state::horizon::Horizon;
use crate::{Fact, Link, Stamp, Timestamp};

/// The bills that have, or had, a link under one `biller_notice_key`; almost always one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Owners {
    links: Vec<(Bill, Link)>,
}

impl Owners {
    /// Folds a fact about a link in.
    pub(crate) fn fold(&mut self, fact: &Fact) {
        self.entry(&fact.bill).fold(fact);
    }

    /// Merges what is known of one bill's link.
    pub(crate) fn merge_link(&mut self, bill: &Bill, link: &Link) {
        self.entry(bill).merge(link);
    }

    /// What two nodes know of the key, together.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (bill, link) in &other.links {
            self.entry(bill).merge(link);
        }
    }

    /// Whether the key belongs to another bill than this one at `now`.
    pub(crate) fn has_other_than(&self, bill: &Bill, now: Timestamp) -> bool {
        let mut others = self.links.iter().filter(|(owner, _)| owner != bill);
        others.any(|(_, link)| link.state(now).is_registered())
    }

    /// Returns the latest stamp of what is known of the bill; the default stamp where nothing is.
    pub(crate) fn latest(&self, bill: &Bill) -> Stamp {
        let known = self.links.iter().find(|(owner, _)| owner == bill);
        known.map(|(_, link)| link.latest()).unwrap_or_default()
    }

    /// Whether nothing is known of them but attempts that made no link.
    pub(crate) fn is_settled_to_nothing(&self) -> bool {
        self.links
            .iter()
            .all(|(_, link)| link.is_settled_to_nothing())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.links.is_empty()
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
        let links = decoder.list(|decoder| {
            let (user_key, month, ordinal) = (decoder.text()?, decoder.text()?, decoder.text()?);
            let family = Bill::from_parts(like.biller_code(), user_key, month, ordinal, "", &[]);
            Ok((decoder.bill_like(&family)?, Link::decode(decoder)?))
        })?;
        decoder.finish()?;
        Ok(Self { links })
    }
}

impl Encode for Owners {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_list(self.links.iter(), out, |(bill, link), out| {
            bill.biller_user_key().encode(out);
            bill.billed_year_month().encode(out);
            bill.ordinal().encode(out);
            encode_rest_of_bill(bill, out);
            link.encode(out);
        });
    }
}
