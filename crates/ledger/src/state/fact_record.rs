//! A fact with all that the journal keeps beside it, as one node sends it to another.

use std::sync::Arc;

use bytes::Bytes;
use protocol::{Bill, BillerCode, CanonicalDigest, PayType, PaymentEvent};

use crate::state::codec::{Decoder, Encode, Unreadable, encode_bill};
use crate::{
    AnswerSummary, DeliveryState, Fact, FactContext, FactKind, KeptAnswer, MessageDigest, Stamp,
};

/// A fact, and what the journal has beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactRecord {
    /// The fact.
    pub fact: Fact,
    /// What is kept beside it.
    pub context: FactContext,
    /// The bytes of the pay-result that it names, of a payment and of a refused pay-result.
    pub body: Option<Bytes>,
    /// The answer with which the biller accepted the pay-result, of that delivery.
    pub answer: Option<Arc<KeptAnswer>>,
}

/// The first byte of a kind. One that is given is never changed.
mod tag {
    pub(super) const RESERVED: u8 = 1;
    pub(super) const RELEASED: u8 = 2;
    pub(super) const UNCERTAIN: u8 = 3;
    pub(super) const LINKED: u8 = 4;
    pub(super) const RELINKED: u8 = 5;
    pub(super) const PAYMENT: u8 = 6;
    pub(super) const DELIVERY: u8 = 7;
    pub(super) const PAY_RESULT_REFUSED: u8 = 8;
    pub(super) const REFUSAL_CLOSED: u8 = 9;
    pub(super) const CLASSIFIED: u8 = 10;
    pub(super) const CLEARED: u8 = 11;
    pub(super) const DELIVERY_CLOSED: u8 = 12;
}

impl Encode for FactRecord {
    fn encode(&self, out: &mut Vec<u8>) {
        self.fact.bill.biller_code().as_str().encode(out);
        encode_bill(&self.fact.bill, out);
        self.fact.stamp.encode(out);
        self.fact.kind.encode(out);
        self.context.encode(out);
        self.body.as_deref().encode(out);
        self.answer.as_deref().encode(out);
    }
}

impl FactRecord {
    pub(crate) fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Unreadable> {
        let biller = BillerCode::parse(decoder.text()?).ok_or(Unreadable)?;
        let bill = decoder.bill_of(&Bill::from_parts(biller, "", "", "", "", &[]))?;
        let stamp = decoder.stamp()?;
        let fact = Fact {
            stamp,
            bill,
            kind: FactKind::decode(decoder)?,
        };
        Ok(Self {
            fact,
            context: FactContext::decode(decoder)?,
            body: decoder.option(|decoder| Ok(Bytes::copy_from_slice(decoder.bytes()?)))?,
            answer: decoder.option(|decoder| KeptAnswer::decode(decoder).map(Arc::new))?,
        })
    }
}

impl Encode for FactKind {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Reserved {
                until,
                after_unknown,
            } => {
                out.push(tag::RESERVED);
                until.encode(out);
                after_unknown.encode(out);
            }
            Self::Released {
                attempt,
                after_unknown,
            } => {
                out.push(tag::RELEASED);
                attempt.encode(out);
                after_unknown.encode(out);
            }
            Self::Uncertain { attempt } => {
                out.push(tag::UNCERTAIN);
                attempt.encode(out);
            }
            Self::Linked { attempt, expire_at } => {
                out.push(tag::LINKED);
                attempt.encode(out);
                expire_at.encode(out);
            }
            Self::Relinked { expire_at } => {
                out.push(tag::RELINKED);
                expire_at.encode(out);
            }
            _ => self.encode_behind_links(out),
        }
    }
}

impl FactKind {
    /// Writes the kinds that do not concern the link.
    fn encode_behind_links(&self, out: &mut Vec<u8>) {
        match self {
            Self::Payment {
                event,
                mark_ends_at,
                message,
            } => {
                out.push(tag::PAYMENT);
                encode_event(event, out);
                mark_ends_at.encode(out);
                message.encode(out);
            }
            Self::Delivery {
                event,
                message,
                state,
            } => {
                out.push(tag::DELIVERY);
                encode_event(event, out);
                message.encode(out);
                state.encode(out);
            }
            Self::DeliveryClosed {
                event,
                message,
                reason,
                operator,
            } => {
                out.push(tag::DELIVERY_CLOSED);
                encode_event(event, out);
                message.encode(out);
                encode_operator((reason, operator), out);
            }
            Self::PayResultRefused { message } => {
                out.push(tag::PAY_RESULT_REFUSED);
                message.encode(out);
            }
            Self::RefusalClosed {
                message,
                reason,
                operator,
            } => {
                out.push(tag::REFUSAL_CLOSED);
                message.encode(out);
                encode_operator((reason, operator), out);
            }
            Self::Classified { reason, operator } => {
                out.push(tag::CLASSIFIED);
                encode_operator((reason, operator), out);
            }
            Self::Cleared { reason, operator } => {
                out.push(tag::CLEARED);
                encode_operator((reason, operator), out);
            }
            // Written by the caller.
            _ => {}
        }
    }

    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Unreadable> {
        Ok(match decoder.byte()? {
            tag::RESERVED => Self::Reserved {
                until: decoder.timestamp()?,
                after_unknown: decoder.flag()?,
            },
            tag::RELEASED => Self::Released {
                attempt: attempt(decoder)?,
                after_unknown: decoder.flag()?,
            },
            tag::UNCERTAIN => Self::Uncertain {
                attempt: attempt(decoder)?,
            },
            tag::LINKED => Self::Linked {
                attempt: attempt(decoder)?,
                expire_at: decoder.korean_time()?,
            },
            tag::RELINKED => Self::Relinked {
                expire_at: decoder.korean_time()?,
            },
            tag::PAYMENT => Self::Payment {
                event: event(decoder)?,
                mark_ends_at: decoder.option(Decoder::timestamp)?,
                message: MessageDigest::decode(decoder)?,
            },
            tag::DELIVERY => Self::Delivery {
                event: event(decoder)?,
                message: MessageDigest::decode(decoder)?,
                state: DeliveryState::decode(decoder)?,
            },
            tag => Self::decode_of_operator(tag, decoder)?,
        })
    }

    fn decode_of_operator(tag: u8, decoder: &mut Decoder<'_>) -> Result<Self, Unreadable> {
        let text = |decoder: &mut Decoder<'_>| decoder.text().map(str::to_owned);
        Ok(match tag {
            tag::DELIVERY_CLOSED => Self::DeliveryClosed {
                event: event(decoder)?,
                message: MessageDigest::decode(decoder)?,
                reason: text(decoder)?,
                operator: text(decoder)?,
            },
            tag::PAY_RESULT_REFUSED => Self::PayResultRefused {
                message: MessageDigest::decode(decoder)?,
            },
            tag::REFUSAL_CLOSED => Self::RefusalClosed {
                message: MessageDigest::decode(decoder)?,
                reason: text(decoder)?,
                operator: text(decoder)?,
            },
            tag::CLASSIFIED => Self::Classified {
                reason: text(decoder)?,
                operator: text(decoder)?,
            },
            tag::CLEARED => Self::Cleared {
                reason: text(decoder)?,
                operator: text(decoder)?,
            },
            _ => return Err(Unreadable),
        })
    }
}

fn encode_operator((reason, operator): (&str, &str), out: &mut Vec<u8>) {
    reason.encode(out);
    operator.encode(out);
}

fn encode_event(event: &PaymentEvent, out: &mut Vec<u8>) {
    event.pay_id.encode(out);
    (event.pay_type == PayType::C).encode(out);
    event.paid_at.encode(out);
    event.pay_amount.encode(out);
}

fn event(decoder: &mut Decoder<'_>) -> Result<PaymentEvent, Unreadable> {
    let pay_id = decoder.pay_id()?;
    let pay_type = if decoder.flag()? {
        PayType::C
    } else {
        PayType::P
    };
    Ok(PaymentEvent {
        pay_id,
        pay_type,
        paid_at: decoder.paid_at()?,
        pay_amount: decoder.decimal()?,
    })
}

fn attempt(decoder: &mut Decoder<'_>) -> Result<Stamp, Unreadable> {
    decoder.stamp()
}

impl Encode for FactContext {
    fn encode(&self, out: &mut Vec<u8>) {
        self.request_id.as_deref().encode(out);
        self.canonical
            .as_ref()
            .map(|digest| digest.as_bytes().as_slice())
            .encode(out);
        self.answer.encode(out);
    }
}

impl FactContext {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Unreadable> {
        let request_id = decoder.option(|decoder| decoder.text().map(Box::from))?;
        let canonical = decoder.option(Decoder::bytes)?;
        let canonical = canonical.map(|bytes| CanonicalDigest::from_slice(bytes).ok_or(Unreadable));
        Ok(Self {
            request_id,
            canonical: canonical.transpose()?,
            answer: decoder.option(AnswerSummary::decode)?,
        })
    }
}

impl Encode for AnswerSummary {
    fn encode(&self, out: &mut Vec<u8>) {
        u64::from(self.status).encode(out);
        self.res_code.as_deref().encode(out);
        self.message.as_deref().encode(out);
    }
}

impl AnswerSummary {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Unreadable> {
        let text = |decoder: &mut Decoder<'_>| decoder.text().map(str::to_owned);
        Ok(Self {
            status: u16::try_from(decoder.number()?).map_err(|_| Unreadable)?,
            res_code: decoder.option(text)?,
            message: decoder.option(text)?,
        })
    }
}
