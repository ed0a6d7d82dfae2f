//! `parameters` (guide sections 3.1 to 7.1): checked whole in the link APIs (contract check 8),
//! read only for identity parameters in Kakao Pay's calls.

use std::borrow::Cow;

use super::{Refusal, Rules, distinct};
use crate::json::{Names, Scanner, Value};
use crate::{Caller, Decimal, ResCode};

const MEMBER: Option<&str> = Some("parameters");

/// What has been read of `parameters`.
pub(super) struct Parameters<'a> {
    caller: Caller,
    rules: &'a Rules<'a>,
    /// Beside the rules' names. Empty where the biller has none.
    identity: Vec<Value<'a>>,
    /// The first faulty value in the document's order.
    fault: Option<Refusal>,
}

impl<'a> Parameters<'a> {
    pub(super) fn new(caller: Caller, rules: &'a Rules<'a>) -> Self {
        let identity = vec![Value::Null; rules.identity_parameters.len()];
        Self {
            caller,
            rules,
            identity,
            fault: None,
        }
    }

    /// Whether the gateway looks into `parameters` at all.
    pub(super) fn are_read(&self) -> bool {
        match self.caller {
            Caller::Biller => true,
            Caller::KakaoPay => !self.rules.identity_parameters.is_empty(),
        }
    }

    /// Takes the object of `parameters`, which comes next.
    pub(super) fn scan(&mut self, scanner: &mut Scanner<'a>) -> Result<(), Refusal> {
        let mut names = Names::new();
        scanner.enter_object()?;
        while let Some(name) = scanner.next_name()? {
            let name = name.content();
            let value = scanner.value()?;
            for (wanted, slot) in self
                .rules
                .identity_parameters
                .iter()
                .zip(&mut self.identity)
            {
                if *wanted == *name {
                    *slot = value;
                }
            }
            names.push(name);
            if self.fault.is_none() {
                self.fault = self.check_value(&value).err();
            }
        }
        distinct(&names, MEMBER)
    }

    /// Check 5: in Kakao Pay's calls an identity value must be a string or a number.
    pub(super) fn check_types(&self) -> Result<(), Refusal> {
        let is_compound = |value: &Value<'_>| match value {
            Value::Null | Value::String(_) | Value::Number(_) => false,
            Value::Bool | Value::Array | Value::Object => true,
        };
        if self.caller == Caller::KakaoPay && self.identity.iter().any(is_compound) {
            return Err(Refusal::parse(
                MEMBER,
                "an identity value of the wrong JSON type",
            ));
        }
        Ok(())
    }

    /// Check 8.
    pub(super) fn check_values(&self) -> Result<(), Refusal> {
        self.fault.map_or(Ok(()), Err)
    }

    /// Name and value of each identity parameter; `""` where it is absent.
    pub(super) fn identity(&self) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> {
        let names = self.rules.identity_parameters.iter().map(String::as_str);
        names.zip(self.identity.iter().map(canonical))
    }

    fn check_value(&self, value: &Value<'_>) -> Result<(), Refusal> {
        let text = match (self.caller, value) {
            (Caller::KakaoPay, _) | (Caller::Biller, Value::Number(_)) => return Ok(()),
            (Caller::Biller, Value::String(text)) => text.content(),
            (Caller::Biller, Value::Null | Value::Bool | Value::Array | Value::Object) => {
                return Err(Refusal::parameters(
                    ResCode::E101,
                    "a value neither string nor number",
                ));
            }
        };
        if text.chars().nth(self.rules.parameter_max_length).is_some() {
            return Err(Refusal::parameters(ResCode::E006, "a value too long"));
        }
        if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(Refusal::parameters(
                ResCode::E101,
                "a value beyond printable ASCII",
            ));
        }
        Ok(())
    }
}

/// An identity value as text: `5` and `"5"` are the same, and so are `5` and `5.0`.
fn canonical<'a>(value: &Value<'a>) -> Cow<'a, str> {
    match value {
        Value::String(text) => text.content(),
        Value::Number(spelling) => match Decimal::parse(spelling) {
            Ok(decimal) => Cow::Owned(decimal.to_string()),
            Err(_) => Cow::Borrowed(spelling),
        },
        // Checks 5 and 8 refuse all of these but null.
        Value::Null | Value::Bool | Value::Array | Value::Object => Cow::Borrowed(""),
    }
}
