//! The member `parameters` (guide sections 3.1 to 7.1). The link APIs check all its values (contract
//! check 8); Kakao Pay's calls read its identity parameters only.

use std::borrow::Cow;

use super::canonical::{Members, Spelled};
use super::refusal::{Refusal, check_distinct};
use crate::json::{MemberNames, Scanner, Value};
use crate::{Api, Caller, Decimal, ResCode};

const MEMBER: Option<&str> = Some("parameters");

/// A biller's configured rules for `parameters` (contract section 6).
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The most characters of a string in `parameters` of the link APIs.
    pub parameter_max_length: usize,
    /// The names of the parameters that belong to a bill's identity.
    pub identity_parameters: &'a [String],
}

/// The values read from `parameters`.
pub(super) struct Parameters<'a> {
    caller: Caller,
    rules: &'a Rules<'a>,
    /// All members, for the canonical form; `None` in calls that have no such form.
    members: Option<Members<'a>>,
    /// The identity values, in the order of the rules' names.
    identity: Vec<Value<'a>>,
    /// The refusal of the first invalid value in the document's order.
    refusal: Option<Refusal>,
}

impl<'a> Parameters<'a> {
    pub(super) fn new(api: Api, rules: &'a Rules<'a>) -> Self {
        let identity = vec![Value::Null; rules.identity_parameters.len()];
        Self {
            caller: api.caller(),
            rules,
            members: (api == Api::PayResult).then(Vec::new),
            identity,
            refusal: None,
        }
    }

    /// Whether the gateway reads `parameters`.
    pub(super) fn are_read(&self) -> bool {
        match self.caller {
            Caller::Biller => true,
            Caller::KakaoPay => !self.rules.identity_parameters.is_empty(),
        }
    }

    /// Whether their values are kept for the canonical form.
    pub(super) const fn are_kept(&self) -> bool {
        self.members.is_some()
    }

    /// Takes the members that were kept for the canonical form.
    pub(super) fn take_members(&mut self) -> Members<'a> {
        self.members.take().unwrap_or_default()
    }

    /// Reads the object of `parameters`, which is the scanner's next value.
    pub(super) fn scan(&mut self, scanner: &mut Scanner<'a>) -> Result<(), Refusal> {
        let mut names = MemberNames::new();
        scanner.enter_object()?;
        while let Some(name) = scanner.next_name()? {
            let name = name.content();
            let value = if let Some(members) = &mut self.members {
                let spelled = Spelled::next(scanner)?;
                members.push((name.clone(), spelled));
                spelled.value
            } else {
                scanner.value()?
            };
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
            if self.refusal.is_none() {
                self.refusal = self.check_value(&value).err();
            }
        }
        if !self.are_read() {
            // What the gateway does not read is relayed as it is; only the canonical form needs distinct names.
            return Ok(());
        }
        check_distinct(&names, MEMBER)
    }

    /// Check 5: in Kakao Pay's calls an identity value must be a string or a number.
    pub(super) fn check_types(&self) -> Result<(), Refusal> {
        let is_compound = |value: &Value<'_>| match value {
            Value::Null | Value::String(_) | Value::Number(_) => false,
            Value::Bool | Value::Array | Value::Object => true,
        };
        if self.caller == Caller::KakaoPay && self.identity.iter().any(is_compound) {
            return Err(Refusal::wrong_type(
                "parameters",
                "an identity value of the wrong JSON type",
            ));
        }
        Ok(())
    }

    /// Check 8.
    pub(super) fn check_values(&self) -> Result<(), Refusal> {
        self.refusal.map_or(Ok(()), Err)
    }

    /// Returns name and value of each identity parameter; the value is `""` if it is absent.
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
                    "a value is neither a string nor a number",
                ));
            }
        };
        if text.chars().nth(self.rules.parameter_max_length).is_some() {
            return Err(Refusal::parameters(ResCode::E006, "a value is too long"));
        }
        if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(Refusal::parameters(
                ResCode::E101,
                "a value has characters other than printable ASCII",
            ));
        }
        Ok(())
    }
}

/// Returns an identity value as text: `5`, `"5"` and `5.0` have the same text.
fn canonical<'a>(value: &Value<'a>) -> Cow<'a, str> {
    match value {
        Value::String(text) => text.content(),
        Value::Number(spelling) => match Decimal::parse(spelling) {
            Ok(decimal) => Cow::Owned(decimal.to_string()),
            Err(_) => Cow::Borrowed(spelling),
        },
        // Checks 5 and 8 refuse these values, except null.
        Value::Null | Value::Bool | Value::Array | Value::Object => Cow::Borrowed(""),
    }
}
