//! The registered bills that one question is about: those of a bill group (E005), or those under one
//! `biller_notice_key` (E811).
//!
//! Both questions ask only whether there is another one, or which is the only one. So a few are kept, however many there
//! are: two whose links last answer every question for good, and until then those with an attempt under way.

use protocol::Bill;

use crate::Stamp;
use crate::state::codec::{Decoder, Encode, Unreadable, encode_bill, encode_list};
use crate::state::horizon::Horizon;
use crate::state::link::{Link, Registration};

/// Bills whose links last that are kept: for each bill that asks, one is another.
const LASTING_KEPT: usize = 2;

/// Bills that are kept while fewer last: more than a biller can have under way at once.
const UNDER_WAY_KEPT: usize = 256;

/// Registered bills.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RegisteredBills {
    /// Each with its attempt that is under way; `None`: its link lasts.
    bills: Vec<(Bill, Option<Stamp>)>,
}

impl RegisteredBills {
    /// Takes in what is known of one bill's link. What lasts, stays; once enough last, nothing changes any more, so that
    /// links of one group do not keep each other from being swapped in.
    pub(crate) fn fold_link(&mut self, bill: &Bill, link: &Link) {
        if self.lasting() >= LASTING_KEPT {
            return;
        }
        let place = self.bills.iter().position(|(held, _)| held == bill);
        let under_way = place.map(|place| self.bills[place].1);
        match (under_way, link.registration()) {
            (Some(None), _) | (None, Registration::None) => {}
            (Some(Some(attempt)), Registration::None) => {
                if link.has_ended(attempt)
                    && let Some(place) = place
                {
                    self.bills.remove(place);
                }
            }
            (_, Registration::Lasting) => {
                self.bills.retain(|(held, _)| held != bill);
                self.bills.push((bill.clone(), None));
                if self.lasting() >= LASTING_KEPT {
                    self.bills.retain(|(_, attempt)| attempt.is_none());
                }
            }
            (Some(Some(held)), Registration::UnderWay(attempt)) => {
                if let Some(place) = place {
                    self.bills[place].1 = Some(held.max(attempt));
                }
            }
            (None, Registration::UnderWay(attempt)) => {
                if self.bills.len() < UNDER_WAY_KEPT {
                    self.bills.push((bill.clone(), Some(attempt)));
                }
            }
        }
    }

    /// Returns the registered bills other than this one.
    pub(crate) fn others<'a>(&'a self, bill: &'a Bill) -> impl Iterator<Item = &'a Bill> {
        let bills = self.bills.iter().map(|(held, _)| held);
        bills.filter(move |held| *held != bill)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.bills.is_empty()
    }

    fn lasting(&self) -> usize {
        let lasting = self.bills.iter().filter(|(_, attempt)| attempt.is_none());
        lasting.count()
    }

    /// Reads the bytes that [`codec::to_bytes`](crate::state::codec::to_bytes) made; `like` is any bill of the biller.
    pub(crate) fn from_bytes(
        bytes: &[u8],
        like: &Bill,
        horizon: Option<&Horizon>,
    ) -> Result<Self, Unreadable> {
        let mut decoder = Decoder::within(bytes, horizon)?;
        let bills = decoder
            .list(|decoder| Ok((decoder.bill_of(like)?, decoder.option(Decoder::stamp)?)))?;
        decoder.finish()?;
        Ok(Self { bills })
    }
}

impl Encode for RegisteredBills {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_list(self.bills.iter(), out, |(bill, attempt), out| {
            encode_bill(bill, out);
            attempt.encode(out);
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use protocol::{BillerCode, KoreanTime};

    use super::*;
    use crate::state::codec::to_bytes;
    use crate::{Fact, FactKind, LinkState, Timestamp};

    fn bill(number: u8) -> Bill {
        let biller = BillerCode::parse("B0001").unwrap();
        Bill::from_parts(biller, "u", "202611", "", &format!("N{number}"), &[])
    }

    fn is_registered(link: &Link) -> bool {
        link.state(Timestamp::from_millis(0)) != LinkState::Unregistered
    }

    /// What happens to a bill's link, in the order of the attempts.
    fn kind(step: u8, attempt: Stamp) -> FactKind {
        let expire_at = KoreanTime::parse("20261130235959").unwrap();
        match step {
            0 => FactKind::Reserved {
                until: Timestamp::from_millis(attempt.time + 3_000),
                after_unknown: false,
            },
            1 => FactKind::Released {
                attempt,
                after_unknown: false,
            },
            2 => FactKind::Uncertain { attempt },
            _ => FactKind::Linked { attempt, expire_at },
        }
    }

    proptest! {
        #[test]
        fn a_few_bills_answer_as_all_of_them_would(
            steps in proptest::collection::vec((0..6u8, 0..4u8), 0..40),
        ) {
            let mut links = vec![Link::default(); 6];
            let mut attempts = [Stamp::default(); 6];
            let mut kept = RegisteredBills::default();
            for (time, (number, step)) in (1..).zip(steps) {
                let place = usize::from(number);
                let stamp = Stamp { time, node: 1 };
                if step == 0 {
                    attempts[place] = stamp;
                }
                let kind = kind(step, attempts[place]);
                links[place].fold(&Fact { stamp, bill: bill(number), kind });
                kept.fold_link(&bill(number), &links[place]);
                for asking in 0..7 {
                    let others = (0..6).filter(|other| *other != asking);
                    let registered = others.filter(|other| is_registered(&links[usize::from(*other)]));
                    let registered: Vec<Bill> = registered.map(bill).collect();
                    let own = links.get(usize::from(asking)).is_some_and(is_registered);
                    let asking = bill(asking);
                    let found: Vec<Bill> = kept.others(&asking).cloned().collect();
                    prop_assert!(found.iter().all(|one| registered.contains(one)));
                    // Whether there is another one, and whether there are two with the bill that asks.
                    let own = usize::from(own);
                    prop_assert_eq!(found.is_empty(), registered.is_empty());
                    prop_assert_eq!((found.len() + own).min(2), (registered.len() + own).min(2));
                }
            }
            let read = RegisteredBills::from_bytes(&to_bytes(&kept), &bill(0), None);
            prop_assert_eq!(read, Ok(kept));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = RegisteredBills::from_bytes(&bytes, &bill(0), None);
        }
    }
}
