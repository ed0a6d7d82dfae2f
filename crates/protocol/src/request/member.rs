//! A row of the guide's request tables, with the contract's rule for its width (check 7).

use std::borrow::Cow;

use super::refusal::Refusal;
use crate::json::Value;
use crate::{Decimal, KoreanTime, PayId, PayType, ResCode};

/// The guide's column `Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonType {
    /// `String`.
    String,
    /// `Number`.
    Number,
    /// `JSON Object`.
    Object,
}

/// The allowed width of a member: the guide's column `Max Length`, read with its description. Lengths
/// are in characters. Each variant names the code of its refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// Any width.
    Any,
    /// At most this many characters: `E006`.
    Max(usize),
    /// Exactly this many ASCII digits: `E007`.
    Digits(usize),
    /// `P` or `C`: `E007`.
    PayType,
    /// An existing time, `YYYYMMDDHH24MISS`: `E007`.
    Time,
    /// A [`Decimal`]: `E807`.
    Exact,
    /// A [`PayId`]: `E807`.
    PayId,
}

/// A member of a request's `data`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The guide's `Key`.
    pub name: &'static str,
    /// The guide's `Type`.
    pub json_type: JsonType,
    /// The guide's `Required`: `O` is true, `X` false.
    pub required: bool,
    /// The width that check 7 requires.
    pub width: Width,
}

impl Member {
    pub(super) const fn required(name: &'static str, json_type: JsonType, width: Width) -> Self {
        Self {
            name,
            json_type,
            required: true,
            width,
        }
    }

    pub(super) const fn optional(name: &'static str, json_type: JsonType, width: Width) -> Self {
        Self {
            name,
            json_type,
            required: false,
            width,
        }
    }

    /// Whether check 5 checks the member's type. A member without a rule may have any value. Whether
    /// `parameters` is checked depends on the API, not on its row.
    pub(super) const fn has_rule(&self) -> bool {
        self.required || !matches!(self.width, Width::Any)
    }

    /// Applies check 5 to a value that is not missing.
    pub(super) fn check_type(&self, value: &Value<'_>) -> Result<(), Refusal> {
        let fits = matches!(
            (self.json_type, value),
            (JsonType::String, Value::String(_))
                | (JsonType::Number, Value::Number(_))
                | (JsonType::Object, Value::Object)
        );
        if fits {
            Ok(())
        } else {
            Err(Refusal::wrong_type(self.name, "wrong JSON type"))
        }
    }

    /// Applies check 7 to a value that is not missing and has passed [`check_type`](Self::check_type).
    pub(super) fn check_width(&self, value: &Value<'_>) -> Result<(), Refusal> {
        let fits = match self.width {
            Width::Any => true,
            Width::Max(length) => content(value).chars().nth(length).is_none(),
            Width::Digits(length) => {
                let content = content(value);
                content.len() == length && content.bytes().all(|byte| byte.is_ascii_digit())
            }
            Width::PayType => PayType::parse(&content(value)).is_some(),
            Width::Time => KoreanTime::parse(&content(value)).is_some(),
            Width::Exact => number(value).is_some_and(|number| Decimal::parse(number).is_ok()),
            Width::PayId => number(value).is_some_and(|number| PayId::parse(number).is_ok()),
        };
        if fits {
            Ok(())
        } else {
            Err(self.width_refusal())
        }
    }

    /// The refusal of this member by check 7.
    pub(super) const fn width_refusal(&self) -> Refusal {
        let (code, reason) = match self.width {
            Width::Any | Width::Max(_) => (ResCode::E006, "too long"),
            Width::Digits(_) => (ResCode::E007, "wrong number of digits"),
            Width::PayType => (ResCode::E007, "neither P nor C"),
            Width::Time => (ResCode::E007, "not an existing time of 14 digits"),
            Width::Exact => (
                ResCode::E807,
                "more than 18 digits before or after the decimal point",
            ),
            Width::PayId => (ResCode::E807, "not a whole number of at most 38 digits"),
        };
        Refusal::width(code, self.name, reason)
    }
}

fn content<'a>(value: &Value<'a>) -> Cow<'a, str> {
    match value {
        Value::String(text) => text.content(),
        _ => Cow::Borrowed(""),
    }
}

fn number<'a>(value: &Value<'a>) -> Option<&'a str> {
    match value {
        Value::Number(spelling) => Some(spelling),
        _ => None,
    }
}

/// The most members of a request: those of the pay-result.
pub(super) const MEMBERS_MAX: usize = 18;

/// Returns the index of a member in its table. Evaluated at compile time.
pub(super) const fn position(members: &[Member], name: &str) -> usize {
    assert!(members.len() <= MEMBERS_MAX, "MEMBERS_MAX is too small");
    let mut index = 0;
    while !same(members[index].name.as_bytes(), name.as_bytes()) {
        index += 1;
    }
    index
}

const fn same(left: &[u8], right: &[u8]) -> bool {
    let mut index = 0;
    while index < left.len() && index < right.len() && left[index] == right[index] {
        index += 1;
    }
    index == left.len() && index == right.len()
}

/// The first of the four members that identify the bill. They are the first rows of all five tables.
pub(super) const BILLER_USER_KEY: Member =
    Member::required("biller_user_key", JsonType::String, Width::Max(50));
/// See [`BILLER_USER_KEY`].
pub(super) const BILLED_YEAR_MONTH: Member =
    Member::optional("billed_year_month", JsonType::String, Width::Digits(6));
/// See [`BILLER_USER_KEY`].
pub(super) const ORDINAL: Member = Member::optional("ordinal", JsonType::String, Width::Max(24));
/// See [`BILLER_USER_KEY`].
pub(super) const BILLER_NOTICE_KEY: Member =
    Member::optional("biller_notice_key", JsonType::String, Width::Max(80));
/// The object of `parameters`; [`Parameters`](super::parameters::Parameters) checks its values.
pub(super) const PARAMETERS: Member = Member::optional("parameters", JsonType::Object, Width::Any);
