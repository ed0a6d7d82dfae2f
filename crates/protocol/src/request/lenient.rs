//! A lenient reading of a pay-result that the checks refuse: which bill it is about, and what happened. Money may
//! have moved for it, so the bill is told as long as the bytes say which one it is.

use std::borrow::Cow;

use crate::json::{InvalidJson, Scanner, Value};
use crate::{Bill, BillerCode, Decimal, PaidAt, PayId, PayType, PaymentEvent};

/// The members that are read, in the order of [`Members`].
const NAMES: [&str; 8] = [
    "biller_user_key",
    "billed_year_month",
    "ordinal",
    "biller_notice_key",
    "pay_id",
    "pay_type",
    "paid_at",
    "pay_amount",
];

/// The byte-order mark that some editors and servers put before JSON.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// What can be read of a refused pay-result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LenientPayResult {
    /// The bill; `None` unless its user key is there and every member that identifies it is a text or a number.
    pub bill: Option<Bill>,
    /// Payment or cancel; `None` if neither.
    pub pay_type: Option<PayType>,
    /// The event; `None` unless all of its members can be read.
    pub event: Option<PaymentEvent>,
}

impl LenientPayResult {
    /// Reads as much of `body` as can be read. Widths, types of numbers and texts, bytes that are no UTF-8, a
    /// byte-order mark, and what stands behind `data` make no difference. Of a member that comes twice the last one
    /// counts. A `data` without an end says nothing: what comes behind the break could make it another bill.
    ///
    /// `identity_parameters` are the names of the biller's identity parameters.
    pub fn read(body: &[u8], biller: BillerCode, identity_parameters: &[String]) -> Self {
        let text = String::from_utf8_lossy(body);
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text);
        let mut members = Members {
            values: [Value::Null; NAMES.len()],
            identity_parameters,
            identity: vec![Value::Null; identity_parameters.len()],
            is_whole: false,
        };
        // A fault ends the reading; what was read before it counts if `data` was read to its end.
        let _fault = members.scan(text.as_bytes());
        if members.is_whole {
            members.understand(biller)
        } else {
            Self::default()
        }
    }

    /// Returns whether the bytes may report a payment: all but those that certainly report a cancel.
    pub fn may_be_payment(&self) -> bool {
        self.pay_type != Some(PayType::C)
    }
}

struct Members<'a> {
    values: [Value<'a>; NAMES.len()],
    identity_parameters: &'a [String],
    /// In the order of `identity_parameters`.
    identity: Vec<Value<'a>>,
    is_whole: bool,
}

impl<'a> Members<'a> {
    fn scan(&mut self, body: &'a [u8]) -> Result<(), InvalidJson> {
        let mut scanner = Scanner::answer(body)?;
        scanner.enter_object()?;
        while let Some(name) = scanner.next_name()? {
            if name.content() == "data" && scanner.object_is_next() {
                self.is_whole = false;
                self.scan_data(&mut scanner)?;
                self.is_whole = true;
            } else {
                scanner.value()?;
            }
        }
        Ok(())
    }

    fn scan_data(&mut self, scanner: &mut Scanner<'a>) -> Result<(), InvalidJson> {
        scanner.enter_object()?;
        while let Some(name) = scanner.next_name()? {
            let name = name.content();
            if name == "parameters" && scanner.object_is_next() {
                self.scan_parameters(scanner)?;
                continue;
            }
            let value = scanner.value()?;
            if let Some(index) = NAMES.iter().position(|known| *known == name)
                && let Some(slot) = self.values.get_mut(index)
            {
                *slot = value;
            }
        }
        Ok(())
    }

    fn scan_parameters(&mut self, scanner: &mut Scanner<'a>) -> Result<(), InvalidJson> {
        scanner.enter_object()?;
        while let Some(name) = scanner.next_name()? {
            let name = name.content();
            let value = scanner.value()?;
            let slots = self.identity_parameters.iter().zip(&mut self.identity);
            for (_, slot) in slots.filter(|(wanted, _)| **wanted == *name) {
                *slot = value;
            }
        }
        Ok(())
    }

    fn understand(&self, biller: BillerCode) -> LenientPayResult {
        let pay_type = match self.text(5) {
            Some(text) => PayType::parse(&text),
            None => None,
        };
        LenientPayResult {
            bill: self.bill(biller),
            pay_type,
            event: pay_type.and_then(|pay_type| self.event(pay_type)),
        }
    }

    fn bill(&self, biller: BillerCode) -> Option<Bill> {
        let [user_key, month, ordinal, notice_key] = [0, 1, 2, 3].map(|index| self.text(index));
        let user_key = user_key.filter(|key| !key.is_empty())?;
        let values = self.identity.iter().map(identity_text);
        let values = values.collect::<Option<Vec<_>>>()?;
        let names = self.identity_parameters.iter().map(String::as_str);
        let identity: Vec<(&str, &str)> = names.zip(values.iter().map(|value| &**value)).collect();
        Some(Bill::from_parts(
            biller,
            &user_key,
            &month?,
            &ordinal?,
            &notice_key?,
            &identity,
        ))
    }

    fn event(&self, pay_type: PayType) -> Option<PaymentEvent> {
        Some(PaymentEvent {
            pay_id: PayId::parse(self.text(4)?.trim()).ok()?,
            pay_type,
            paid_at: PaidAt::parse(self.text(6)?.trim())?,
            pay_amount: Decimal::parse(self.text(7)?.trim()).ok()?,
        })
    }

    /// Returns a member as text, a number as it is spelled; `None` if it is neither and not missing.
    fn text(&self, index: usize) -> Option<Cow<'a, str>> {
        match self.values.get(index)? {
            Value::String(text) => Some(text.content()),
            Value::Number(spelling) => Some(Cow::Borrowed(spelling)),
            Value::Null => Some(Cow::Borrowed("")),
            Value::Bool | Value::Array | Value::Object => None,
        }
    }
}

/// Returns an identity value as the strict reading has it: `5`, `"5"` and `5.0` have the same text.
fn identity_text<'a>(value: &Value<'a>) -> Option<Cow<'a, str>> {
    match value {
        Value::String(text) => Some(text.content()),
        Value::Number(spelling) => Some(match Decimal::parse(spelling) {
            Ok(decimal) => Cow::Owned(decimal.to_string()),
            Err(_) => Cow::Borrowed(spelling),
        }),
        Value::Null => Some(Cow::Borrowed("")),
        Value::Bool | Value::Array | Value::Object => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PayResult, Rules};

    fn biller() -> BillerCode {
        BillerCode::parse("B0001").unwrap()
    }

    fn read(body: &[u8]) -> LenientPayResult {
        LenientPayResult::read(body, biller(), &["seq".to_owned()])
    }

    const WHOLE: &str = r#"{"data":{"biller_user_key":"u","billed_year_month":"202611","ordinal":"1",
        "biller_notice_key":"n","parameters":{"seq":5.0},"pay_by":"CARD","pay_type":"P","amount":20000,
        "pay_amount":20000,"pay_fee_type":"B","pay_fee":1,"pay_fee_tax":1,"paid_at":"20261124120000","pay_id":7}}"#;

    #[test]
    fn a_pay_result_that_passes_is_read_alike_by_both_readings() {
        let names = ["seq".to_owned()];
        let rules = Rules {
            parameter_max_length: 8,
            identity_parameters: &names,
        };
        let strict = PayResult::parse(WHOLE.as_bytes(), biller(), &rules).unwrap();
        let lenient = read(WHOLE.as_bytes());
        assert_eq!(lenient.bill, Some(strict.bill));
        assert_eq!(lenient.event, Some(strict.event));
    }

    #[test]
    fn a_fault_that_leaves_the_bill_readable_is_passed_over() {
        let bill = read(WHOLE.as_bytes()).bill;
        for (from, to) in [
            (r#""pay_by":"CARD""#, r#""pay_detail1":"12345678""#),
            (r#""pay_id":7"#, r#""pay_id":"x""#),
            (r#""pay_fee":1"#, r#""pay_fee":1,"pay_fee":2"#),
            ("{\"data\"", "\u{feff}{\"data\""),
            ("7}}", "7}} trailing"),
            ("7}}", "7},"),
            (r#""202611""#, "202611"),
            ("CARD", r"\ud800"),
        ] {
            let body = WHOLE.replace(from, to);
            assert_ne!(body, WHOLE);
            assert_eq!(read(body.as_bytes()).bill, bill, "{to}");
        }
        let not_utf8 = [WHOLE.replace("CARD", "").as_bytes(), b"\xff"].concat();
        assert_eq!(read(&not_utf8).bill, bill);
    }

    #[test]
    fn what_does_not_say_which_bill_is_read_as_none() {
        for (from, to) in [
            (r#""biller_user_key":"u","#, ""),
            (r#""biller_user_key":"u""#, r#""biller_user_key":["u"]"#),
            (r#""ordinal":"1""#, r#""ordinal":{}"#),
            (r#"{"seq":5.0}"#, r#"{"seq":[5]}"#),
            (r#""pay_id":7}}"#, r#""pay_id":7"#),
            ("\"data\"", "\"date\""),
        ] {
            let body = WHOLE.replace(from, to);
            assert_eq!(read(body.as_bytes()).bill, None, "{to}");
        }
        assert_eq!(read(b""), LenientPayResult::default());
    }

    #[test]
    fn only_a_cancel_is_certainly_no_payment() {
        for (spelling, may_be_payment) in [("\"P\"", true), ("\"C\"", false), ("\"p\"", true)] {
            let body = WHOLE.replace("\"P\"", spelling);
            assert_eq!(read(body.as_bytes()).may_be_payment(), may_be_payment);
        }
    }

    #[test]
    fn an_event_is_read_from_texts_and_numbers_alike() {
        let event = read(WHOLE.as_bytes()).event;
        for (from, to) in [
            ("\"20261124120000\"", "20261124120000"),
            (r#""pay_id":7"#, r#""pay_id":"7""#),
            (r#""pay_amount":20000"#, r#""pay_amount":"2e4""#),
        ] {
            assert_eq!(
                read(WHOLE.replace(from, to).as_bytes()).event,
                event,
                "{to}"
            );
        }
        let no_time = WHOLE.replace("20261124120000", "2026");
        assert_eq!(read(no_time.as_bytes()).event, None);
    }
}
