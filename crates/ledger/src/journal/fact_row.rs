//! The kind of a fact from the columns of its row.

use protocol::PaymentEvent;
use rusqlite::Row;

use super::JournalError;
use super::column::{self, kind, unreadable};
use crate::{DeliveryState, FactKind, MessageDigest, Stamp, Timestamp};

/// Places of columns in a row.
pub(super) mod at {
    pub(in super::super) const SEQ: usize = 0;
    pub(in super::super) const STAMP: usize = 1;
    pub(in super::super) const NODE: usize = 2;
    pub(in super::super) const KIND: usize = 3;
    pub(in super::super) const ATTEMPT: usize = 4;
    pub(in super::super) const ATTEMPT_NODE: usize = 5;
    pub(in super::super) const AFTER_UNKNOWN: usize = 6;
    pub(in super::super) const UNTIL: usize = 7;
    pub(in super::super) const EXPIRE_AT: usize = 8;
    pub(in super::super) const PAY_ID: usize = 9;
    pub(in super::super) const PAY_TYPE: usize = 10;
    pub(in super::super) const PAID_AT: usize = 11;
    pub(in super::super) const PAY_AMOUNT: usize = 12;
    pub(in super::super) const MARK_ENDS_AT: usize = 13;
    pub(in super::super) const DELIVERY: usize = 14;
    pub(in super::super) const REASON: usize = 15;
    pub(in super::super) const OPERATOR: usize = 16;
    pub(in super::super) const DIGEST: usize = 17;
    pub(in super::super) const BILL: usize = 18;
    pub(in super::super) const CANONICAL: usize = 24;
    pub(in super::super) const REQUEST: usize = 25;
    pub(in super::super) const ANSWER_STATUS: usize = 26;
    pub(in super::super) const ANSWER_CODE: usize = 27;
    pub(in super::super) const ANSWER_MESSAGE: usize = 28;
}

pub(super) fn kind_of(
    row: &Row<'_>,
    message: impl Fn() -> Result<MessageDigest, JournalError>,
) -> Result<FactKind, JournalError> {
    let number: i64 = row.get(at::KIND)?;
    let after_unknown = || -> Result<bool, JournalError> { Ok(row.get(at::AFTER_UNKNOWN)?) };
    let (reason, operator) = (
        || -> Result<String, JournalError> { Ok(row.get(at::REASON)?) },
        || -> Result<String, JournalError> { Ok(row.get(at::OPERATOR)?) },
    );
    Ok(match number {
        kind::RESERVED => FactKind::Reserved {
            until: Timestamp::from_millis(row.get(at::UNTIL)?),
            after_unknown: after_unknown()?,
        },
        kind::RELEASED => FactKind::Released {
            attempt: attempt(row)?,
            after_unknown: after_unknown()?,
        },
        kind::UNCERTAIN => FactKind::Uncertain {
            attempt: attempt(row)?,
        },
        kind::LINKED => FactKind::Linked {
            attempt: attempt(row)?,
            expire_at: expire_at(row)?,
        },
        kind::RELINKED => FactKind::Relinked {
            expire_at: expire_at(row)?,
        },
        kind::PAYMENT => FactKind::Payment {
            event: event(row)?,
            mark_ends_at: row
                .get::<_, Option<i64>>(at::MARK_ENDS_AT)?
                .map(Timestamp::from_millis),
            message: message()?,
        },
        kind::DELIVERY => delivery(row, message()?)?,
        kind::PAY_RESULT_REFUSED => FactKind::PayResultRefused {
            message: message()?,
        },
        kind::REFUSAL_CLOSED => FactKind::RefusalClosed {
            message: message()?,
            reason: reason()?,
            operator: operator()?,
        },
        kind::CLASSIFIED => FactKind::Classified {
            reason: reason()?,
            operator: operator()?,
        },
        kind::CLEARED => FactKind::Cleared {
            reason: reason()?,
            operator: operator()?,
        },
        _ => return Err(unreadable("kind")),
    })
}

fn delivery(row: &Row<'_>, message: MessageDigest) -> Result<FactKind, JournalError> {
    let state = row.get::<_, Option<i64>>(at::DELIVERY)?;
    let state = state
        .and_then(column::delivery)
        .ok_or_else(|| unreadable("delivery"))?;
    let event = event(row)?;
    Ok(match state {
        DeliveryState::Closed => FactKind::DeliveryClosed {
            event,
            message,
            reason: row.get(at::REASON)?,
            operator: row.get(at::OPERATOR)?,
        },
        state => FactKind::Delivery {
            event,
            message,
            state,
        },
    })
}

fn attempt(row: &Row<'_>) -> Result<Stamp, JournalError> {
    Ok(Stamp {
        time: row.get(at::ATTEMPT)?,
        node: row.get(at::ATTEMPT_NODE)?,
    })
}

fn expire_at(row: &Row<'_>) -> Result<protocol::KoreanTime, JournalError> {
    let number: i64 = row.get(at::EXPIRE_AT)?;
    column::expire_at(number).ok_or_else(|| unreadable("expire_at"))
}

fn event(row: &Row<'_>) -> Result<PaymentEvent, JournalError> {
    let number = |place: usize| row.get::<_, Option<i64>>(place);
    let pay_type = number(at::PAY_TYPE)?.and_then(column::pay_type);
    let paid_at = number(at::PAID_AT)?.and_then(column::paid_at);
    Ok(PaymentEvent {
        pay_id: column::pay_id(row.get_ref(at::PAY_ID)?).ok_or_else(|| unreadable("pay_id"))?,
        pay_type: pay_type.ok_or_else(|| unreadable("pay_type"))?,
        paid_at: paid_at.ok_or_else(|| unreadable("paid_at"))?,
        pay_amount: column::amount(row.get_ref(at::PAY_AMOUNT)?)
            .ok_or_else(|| unreadable("pay_amount"))?,
    })
}
