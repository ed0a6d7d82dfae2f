//! An entry of a stream: facts of one author, one behind the other.

use bytes::Bytes;

use crate::redis::{Key, StreamKey};
use crate::state::codec::{Decoder, Encode, Unreadable, encode_list};
use crate::state::horizon::Horizon;
use crate::sync::Seal;
use crate::{Author, FactRecord};

/// Facts of an author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StreamFacts {
    pub(super) author: Author,
    /// The number behind which they begin.
    pub(super) after: i64,
    /// The number up to which these are all of its facts, but for forgotten ones.
    pub(super) last: i64,
    /// Each with its number, which grows.
    pub(super) records: Vec<(i64, FactRecord)>,
}

impl Encode for StreamFacts {
    fn encode(&self, out: &mut Vec<u8>) {
        u64::from(self.author.node).encode(out);
        self.author.journal.encode(out);
        self.after.encode(out);
        self.last.encode(out);
        let mut before = self.after;
        encode_list(self.records.iter(), out, |(number, record), out| {
            (number - before).encode(out);
            before = *number;
            record.encode(out);
        });
    }
}

impl StreamFacts {
    /// Returns the bytes of the entry of this stream.
    pub(super) fn seal(&self, seal: &Seal, stream: StreamKey) -> Vec<u8> {
        let content = crate::state::codec::to_bytes(self);
        let name = stream.to_string();
        seal.close("", key(&name), content)
    }

    /// Reads the bytes of an entry of this stream; `Unreadable` where no node with this key wrote them there.
    pub(super) fn open(
        value: &Bytes,
        (seal, stream): (&Seal, StreamKey),
        horizon: &Horizon,
    ) -> Result<Self, Unreadable> {
        let name = stream.to_string();
        let opened = seal.open("", key(&name), value);
        if !opened.is_valid {
            return Err(Unreadable);
        }
        let mut decoder = Decoder::within(&opened.content, Some(horizon))?;
        let facts = Self::decode(&mut decoder)?;
        decoder.finish()?;
        Ok(facts)
    }

    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Unreadable> {
        let author = Author {
            node: u32::try_from(decoder.number()?).map_err(|_| Unreadable)?,
            journal: decoder.signed()?,
        };
        let (after, last) = (decoder.signed()?, decoder.signed()?);
        let mut before = after;
        let records = decoder.list(|decoder| {
            let number = before
                .checked_add(decoder.signed()?)
                .filter(|number| *number > before);
            before = number.ok_or(Unreadable)?;
            Ok((before, FactRecord::decode(decoder)?))
        })?;
        // No journal has as many facts.
        if after < 0 || before > last || after >= last || last >= 1 << 53 {
            return Err(Unreadable);
        }
        Ok(Self {
            author,
            after,
            last,
            records,
        })
    }
}

/// Returns what the checksum of an entry is over beside its bytes: an entry means nothing in another stream.
const fn key(name: &str) -> Key<'_> {
    Key {
        kind: "stream",
        name: name.as_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use protocol::{
        Bill, BillerCode, CanonicalDigest, Decimal, KoreanTime, PaidAt, PayId, PayType,
        PaymentEvent,
    };

    use super::*;
    use crate::Timestamp;
    use crate::redis::ValueKey;
    use crate::{
        AnswerSummary, DeliveryState, Fact, FactContext, FactKind, KeptAnswer, MessageDigest, Stamp,
    };

    const AUTHOR: Author = Author {
        node: 7,
        journal: -9,
    };

    #[allow(clippy::too_many_lines, reason = "a table of kinds")]
    fn record(kind: u8, time: i64, text: &str) -> FactRecord {
        let biller = BillerCode::parse("B0001").unwrap();
        let event = PaymentEvent {
            pay_id: PayId::parse("123456789012345678901234").unwrap(),
            pay_type: if time % 2 == 0 {
                PayType::P
            } else {
                PayType::C
            },
            paid_at: PaidAt::parse("20261128101500").unwrap(),
            pay_amount: Decimal::parse("29000.5").unwrap(),
        };
        let message = MessageDigest::of(text.as_bytes());
        let (attempt, until) = (Stamp { time, node: 3 }, Timestamp::from_millis(time));
        let expire_at = KoreanTime::parse("20261231235959").unwrap();
        let (reason, operator) = (text.to_owned(), "kim".to_owned());
        let kind = match kind {
            0 => FactKind::Reserved {
                until,
                after_unknown: true,
            },
            1 => FactKind::Released {
                attempt,
                after_unknown: false,
            },
            2 => FactKind::Uncertain { attempt },
            3 => FactKind::Linked { attempt, expire_at },
            4 => FactKind::Relinked { expire_at },
            5 => FactKind::Payment {
                event,
                mark_ends_at: Some(until),
                message,
            },
            6 => FactKind::Delivery {
                event,
                message,
                state: DeliveryState::Accepted,
            },
            7 => FactKind::DeliveryClosed {
                event,
                message,
                reason,
                operator,
            },
            8 => FactKind::PayResultRefused { message },
            9 => FactKind::RefusalClosed {
                message,
                reason,
                operator,
            },
            10 => FactKind::Classified { reason, operator },
            _ => FactKind::Cleared { reason, operator },
        };
        let answer = KeptAnswer {
            status: 200,
            content_type: Bytes::from("a/b"),
            body: Bytes::from(text.to_owned()),
        };
        FactRecord {
            fact: Fact {
                stamp: Stamp { time, node: 7 },
                bill: Bill::from_parts(biller, text, "202611", "1", "n", &[("seq", text)]),
                kind,
            },
            context: FactContext {
                request_id: Some(text.into()),
                canonical: (time % 3 == 0).then(|| CanonicalDigest::from_slice(&[7; 32]).unwrap()),
                answer: (time % 5 == 0).then(|| AnswerSummary {
                    status: 200,
                    res_code: Some("OK".to_owned()),
                    message: Some("성공".to_owned()),
                }),
            },
            body: (time % 2 == 0).then(|| Bytes::from(text.to_owned())),
            answer: (time % 2 == 1).then(|| Arc::new(answer)),
        }
    }

    fn facts(records: Vec<(i64, FactRecord)>) -> StreamFacts {
        StreamFacts {
            author: AUTHOR,
            after: 10,
            last: 1_000,
            records,
        }
    }

    const STREAM: StreamKey = StreamKey::Facts(AUTHOR);

    proptest! {
        #[test]
        fn facts_of_every_kind_read_back_as_they_were_sent(
            kinds in proptest::collection::vec((0..12_u8, 1..1_000_i64, "[가-힣a]{0,3}"), 0..12)
        ) {
            let horizon = Horizon::at(Timestamp::from_millis(1_000_000));
            let numbered = (11..).zip(kinds.iter().map(|(kind, time, text)| record(*kind, *time, text)));
            let sent = facts(numbered.collect());
            for seal in [Seal::default(), Seal::new(Some(ValueKey::new("secret")))] {
                let bytes = Bytes::from(sent.seal(&seal, STREAM));
                prop_assert_eq!(StreamFacts::open(&bytes, (&seal, STREAM), &horizon), Ok(sent.clone()));
                for cut in 0..bytes.len() {
                    prop_assert!(StreamFacts::open(&bytes.slice(..cut), (&seal, STREAM), &horizon).is_err());
                }
            }
        }
    }

    #[test]
    fn an_entry_means_nothing_in_another_stream_with_a_key_and_its_numbers_grow() {
        let horizon = Horizon::at(Timestamp::from_millis(1_000_000));
        let seal = Seal::new(Some(ValueKey::new("secret")));
        let sent = facts(vec![(11, record(5, 2, "a")), (12, record(6, 3, "a"))]);
        let bytes = Bytes::from(sent.seal(&seal, STREAM));
        let of_another = Author { node: 8, ..AUTHOR };
        for other in [
            StreamKey::Facts(of_another),
            StreamKey::Refill {
                node: 8,
                of: AUTHOR,
            },
            StreamKey::Refill {
                node: 9,
                of: AUTHOR,
            },
        ] {
            assert_eq!(
                StreamFacts::open(&bytes, (&seal, other), &horizon),
                Err(Unreadable)
            );
        }
        for (after, last, numbers) in [
            (10, 12, [11, 11]),
            (10, 12, [12, 11]),
            (10, 11, [11, 12]),
            (12, 12, [13, 14]),
        ] {
            let records = numbers.map(|number| (number, record(5, 2, "a"))).to_vec();
            let wrong = StreamFacts {
                after,
                last,
                ..facts(records)
            };
            let bytes = Bytes::from(wrong.seal(&seal, STREAM));
            assert_eq!(
                StreamFacts::open(&bytes, (&seal, STREAM), &horizon),
                Err(Unreadable),
                "{after} {last}"
            );
        }
    }
}
