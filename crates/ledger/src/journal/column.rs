//! How values lie in columns: small integers, and numbers where they are numbers.

use protocol::{Bill, Decimal, KoreanTime, PaidAt, PayId, PayType};
use rusqlite::types::{Value, ValueRef};

use super::JournalError;
use crate::{AnswerSummary, DeliveryState, FactKind};

/// `fact.kind`. The numbers are in the file: one that is given is never changed.
pub(super) mod kind {
    pub(in super::super) const RESERVED: i64 = 1;
    pub(in super::super) const RELEASED: i64 = 2;
    pub(in super::super) const UNCERTAIN: i64 = 3;
    pub(in super::super) const LINKED: i64 = 4;
    pub(in super::super) const RELINKED: i64 = 5;
    pub(in super::super) const PAYMENT: i64 = 6;
    pub(in super::super) const DELIVERY: i64 = 7;
    pub(in super::super) const PAY_RESULT_REFUSED: i64 = 8;
    pub(in super::super) const REFUSAL_CLOSED: i64 = 9;
    pub(in super::super) const CLASSIFIED: i64 = 10;
    pub(in super::super) const CLEARED: i64 = 11;
}

/// Returns the number of a kind of fact.
pub(super) const fn kind_number(fact: &FactKind) -> i64 {
    match fact {
        FactKind::Reserved { .. } => kind::RESERVED,
        FactKind::Released { .. } => kind::RELEASED,
        FactKind::Uncertain { .. } => kind::UNCERTAIN,
        FactKind::Linked { .. } => kind::LINKED,
        FactKind::Relinked { .. } => kind::RELINKED,
        FactKind::Payment { .. } => kind::PAYMENT,
        FactKind::Delivery { .. } | FactKind::DeliveryClosed { .. } => kind::DELIVERY,
        FactKind::PayResultRefused { .. } => kind::PAY_RESULT_REFUSED,
        FactKind::RefusalClosed { .. } => kind::REFUSAL_CLOSED,
        FactKind::Classified { .. } => kind::CLASSIFIED,
        FactKind::Cleared { .. } => kind::CLEARED,
    }
}

/// The content type that `answer` does not spell out.
pub(super) const USUAL_CONTENT_TYPE: &[u8] = b"application/json;charset=utf-8";

const DELIVERIES: [DeliveryState; 5] = [
    DeliveryState::Accepted,
    DeliveryState::Refused,
    DeliveryState::Unknown,
    DeliveryState::Pending,
    DeliveryState::Closed,
];

/// `fact.delivery`: the place in the list above.
pub(super) const fn delivery_number(state: DeliveryState) -> i64 {
    match state {
        DeliveryState::Accepted => 0,
        DeliveryState::Refused => 1,
        DeliveryState::Unknown => 2,
        DeliveryState::Pending => 3,
        DeliveryState::Closed => 4,
    }
}

pub(super) fn delivery(number: i64) -> Option<DeliveryState> {
    DELIVERIES.get(usize::try_from(number).ok()?).copied()
}

/// `fact.pay_type`.
pub(super) const fn pay_type_number(pay_type: PayType) -> i64 {
    match pay_type {
        PayType::P => 0,
        PayType::C => 1,
    }
}

pub(super) const fn pay_type(number: i64) -> Option<PayType> {
    match number {
        0 => Some(PayType::P),
        1 => Some(PayType::C),
        _ => None,
    }
}

/// `fact.pay_id`: an integer where it is one of 64 bits. Each value has one form, so that equal ones compare equal.
pub(super) fn pay_id_value(pay_id: PayId) -> Value {
    let has_fraction = pay_id
        .as_decimal()
        .is_some_and(|decimal| decimal.fraction() != 0);
    match i64::try_from(pay_id.whole()) {
        Ok(whole) if !has_fraction => Value::Integer(whole),
        _ => Value::Text(pay_id.to_string()),
    }
}

pub(super) fn pay_id(value: ValueRef<'_>) -> Option<PayId> {
    match value {
        ValueRef::Integer(whole) => PayId::from_whole(i128::from(whole)),
        ValueRef::Text(text) => PayId::parse_stored(std::str::from_utf8(text).ok()?).ok(),
        _ => None,
    }
}

/// `fact.pay_amount`: an integer where it is whole.
pub(super) fn amount_value(amount: Decimal) -> Value {
    if amount.fraction() == 0 {
        Value::Integer(amount.units())
    } else {
        Value::Text(amount.to_string())
    }
}

pub(super) fn amount(value: ValueRef<'_>) -> Option<Decimal> {
    match value {
        ValueRef::Integer(units) => Decimal::from_parts(units, 0),
        ValueRef::Text(text) => Decimal::parse(std::str::from_utf8(text).ok()?).ok(),
        _ => None,
    }
}

/// Fourteen digits as a number.
pub(super) fn digits_number(digits: &str) -> i64 {
    let add = |number: i64, byte: u8| number * 10 + i64::from(byte.wrapping_sub(b'0'));
    digits.bytes().fold(0, add)
}

fn digits(number: i64) -> Option<[u8; 14]> {
    let mut rest = u64::try_from(number).ok()?;
    let mut digits = [b'0'; 14];
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789"[usize::try_from(rest % 10).ok()?];
        rest /= 10;
    }
    (rest == 0).then_some(digits)
}

pub(super) fn paid_at(number: i64) -> Option<PaidAt> {
    PaidAt::parse(std::str::from_utf8(&digits(number)?).ok()?)
}

pub(super) fn expire_at(number: i64) -> Option<KoreanTime> {
    KoreanTime::parse(std::str::from_utf8(&digits(number)?).ok()?)
}

/// `fact.request`: the 16 bytes of a UUID in its usual spelling, else the text.
pub(super) fn request_value(request_id: &str) -> Value {
    uuid_bytes(request_id).map_or_else(
        || Value::Text(request_id.to_owned()),
        |bytes| Value::Blob(bytes.to_vec()),
    )
}

pub(super) fn request(value: ValueRef<'_>) -> Option<Box<str>> {
    match value {
        ValueRef::Text(text) => Some(std::str::from_utf8(text).ok()?.into()),
        ValueRef::Blob(bytes) => Some(uuid_text(bytes.try_into().ok()?).into()),
        _ => None,
    }
}

/// Where a UUID has its hyphens.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

fn uuid_bytes(text: &str) -> Option<[u8; 16]> {
    let text: &[u8; 36] = text.as_bytes().try_into().ok()?;
    let mut bytes = [0; 16];
    let mut at = 0;
    for (place, byte) in text.iter().enumerate() {
        if HYPHENS.contains(&place) {
            if *byte != b'-' {
                return None;
            }
            continue;
        }
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        bytes[at / 2] = bytes[at / 2] << 4 | digit;
        at += 1;
    }
    Some(bytes)
}

fn uuid_text(bytes: &[u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for byte in bytes {
        if HYPHENS.contains(&text.len()) {
            text.push('-');
        }
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
        }
    }
    text
}

/// `fact.answer_status` of the usual answer, which is not spelled out.
const USUAL_ANSWER: u16 = 0;

const USUAL: (u16, &str, &str) = (200, "OK", "성공");

/// `fact.answer_status`, `fact.answer_code` and `fact.answer_message`.
pub(super) fn answer_values(answer: &AnswerSummary) -> (u16, Option<&str>, Option<&str>) {
    let (code, message) = (answer.res_code.as_deref(), answer.message.as_deref());
    if (answer.status, code, message) == (USUAL.0, Some(USUAL.1), Some(USUAL.2)) {
        return (USUAL_ANSWER, None, None);
    }
    (answer.status, code, message)
}

pub(super) fn answer(
    status: u16,
    res_code: Option<String>,
    message: Option<String>,
) -> AnswerSummary {
    if status == USUAL_ANSWER {
        return AnswerSummary {
            status: USUAL.0,
            res_code: Some(USUAL.1.to_owned()),
            message: Some(USUAL.2.to_owned()),
        };
    }
    AnswerSummary {
        status,
        res_code,
        message,
    }
}

/// The identity parameters of a bill as they lie in a row.
pub(super) fn identity_text(bill: &Bill) -> String {
    let members: serde_json::Map<String, serde_json::Value> = bill
        .identity_parameters()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    if members.is_empty() {
        return String::new();
    }
    serde_json::Value::Object(members).to_string()
}

pub(super) fn unreadable(column: &str) -> JournalError {
    JournalError::Row(column.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pay_id_and_an_amount_have_one_form_each_and_read_back() {
        let widest = "9".repeat(38);
        for (text, is_integer) in [
            ("7", true),
            ("-12", true),
            ("999999999999999999", true),
            ("1234567890123456789", true),
            ("9223372036854775807", true),
            ("9223372036854775808", false),
            ("12.5", false),
            (widest.as_str(), false),
        ] {
            let stored = PayId::parse_stored(text).unwrap();
            let value = pay_id_value(stored);
            assert_eq!(matches!(value, Value::Integer(_)), is_integer, "{text}");
            assert_eq!(pay_id(ValueRef::from(&value)), Some(stored));
        }
        for (text, is_integer) in [
            ("20000", true),
            ("-5", true),
            ("0.25", false),
            ("2e4", true),
        ] {
            let stored = Decimal::parse(text).unwrap();
            let value = amount_value(stored);
            assert_eq!(matches!(value, Value::Integer(_)), is_integer, "{text}");
            assert_eq!(amount(ValueRef::from(&value)), Some(stored));
        }
    }

    #[test]
    fn a_request_id_reads_back_as_it_was_written() {
        for (id, is_uuid) in [
            ("0198f2aa-7c3e-4d11-a0b2-00ff10ab99e1", true),
            ("0198F2AA-7c3e-4d11-a0b2-00ff10ab99e1", false),
            ("0198f2aa_7c3e-4d11-a0b2-00ff10ab99e1", false),
            ("r-3", false),
        ] {
            let value = request_value(id);
            assert_eq!(matches!(value, Value::Blob(_)), is_uuid, "{id}");
            assert_eq!(request(ValueRef::from(&value)).as_deref(), Some(id));
        }
    }

    #[test]
    fn an_answer_reads_back_and_the_usual_one_takes_no_text() {
        for (status, code, message, is_usual) in [
            (200, Some("OK"), Some("성공"), true),
            (201, Some("OK"), Some("성공"), false),
            (200, Some("OK"), None, false),
            (200, Some("E902"), Some("성공"), false),
            (502, None, None, false),
        ] {
            let stored = AnswerSummary {
                status,
                res_code: code.map(str::to_owned),
                message: message.map(str::to_owned),
            };
            let values = answer_values(&stored);
            assert_eq!(values == (0, None, None), is_usual, "{stored:?}");
            let owned = |text: Option<&str>| text.map(str::to_owned);
            assert_eq!(answer(values.0, owned(values.1), owned(values.2)), stored);
        }
    }

    #[test]
    fn fourteen_digits_read_back_with_their_zeros() {
        for text in ["00000000000000", "20261124120000", "99999999999999"] {
            let stored = PaidAt::parse(text).unwrap();
            assert_eq!(paid_at(digits_number(text)), Some(stored));
        }
        assert_eq!(paid_at(100_000_000_000_000), None);
        assert_eq!(paid_at(-1), None);
    }
}
