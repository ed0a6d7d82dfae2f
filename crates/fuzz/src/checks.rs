//! A second implementation of the contract's checks 5 to 8, which uses `serde_json`.

use protocol::{Caller, Check, JsonType, Member, ResCode, Rules, Width};

use crate::json::{Members, is_within_limits, text};

/// The parts of a request that the checks depend on.
pub(crate) struct Checks<'a> {
    pub(crate) caller: Caller,
    pub(crate) members: &'static [Member],
    pub(crate) rules: &'a Rules<'a>,
}

/// The refusal of a request. The member is `None` for check 5.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) check: Check,
    pub(crate) code: ResCode,
    pub(crate) member: Option<&'static str>,
}

const PARSE: Refused = Refused {
    check: Check::Parse,
    code: ResCode::E807,
    member: None,
};

impl Checks<'_> {
    /// Returns the members of `data`, or the refusal of the first check that fails.
    pub(crate) fn read<'b>(&self, body: &'b [u8]) -> Result<Members<'b>, Refused> {
        let data = self.parse(body)?;
        self.required(&data)?;
        self.widths(&data)?;
        self.parameters(&data)?;
        Ok(data)
    }

    /// Applies check 5, and check 6 to `data` itself.
    fn parse<'b>(&self, body: &'b [u8]) -> Result<Members<'b>, Refused> {
        let body = std::str::from_utf8(body).map_err(|_| PARSE)?;
        let root = Members::of(body).filter(|_| is_within_limits(body));
        let root = root.filter(Members::are_distinct).ok_or(PARSE)?;
        let spelled = value(&root, "data");
        if is_missing(spelled) {
            return Err(required("data"));
        }
        let data = Members::of(spelled).filter(Members::are_distinct);
        let data = data.ok_or(PARSE)?;
        let typed = self.members.iter().all(|member| {
            let value = value(&data, member.name);
            is_missing(value) || !self.has_rule(member) || has_type(value, member.json_type)
        });
        if typed && self.are_parameters_valid(&data) {
            Ok(data)
        } else {
            Err(PARSE)
        }
    }

    fn has_rule(&self, member: &Member) -> bool {
        let is_parameters = member.name == "parameters" && self.reads_parameters();
        member.required || member.width != Width::Any || is_parameters
    }

    fn reads_parameters(&self) -> bool {
        self.caller == Caller::Biller || !self.rules.identity_parameters.is_empty()
    }

    fn are_parameters_valid(&self, data: &Members<'_>) -> bool {
        let Some(parameters) = Members::of(value(data, "parameters")) else {
            return true;
        };
        let is_leaf = |name: &String| !value(&parameters, name).starts_with(['{', '[', 't', 'f']);
        let identity = &self.rules.identity_parameters;
        !self.reads_parameters()
            || parameters.are_distinct()
                && (self.caller == Caller::Biller || identity.iter().all(is_leaf))
    }

    /// Applies check 6.
    fn required(&self, data: &Members<'_>) -> Result<(), Refused> {
        let mut needed = self.members.iter().filter(|member| member.required);
        let missing = needed.find(|member| is_missing(value(data, member.name)));
        missing.map_or(Ok(()), |member| Err(required(member.name)))
    }

    /// Applies check 7.
    fn widths(&self, data: &Members<'_>) -> Result<(), Refused> {
        for member in self.members {
            let value = value(data, member.name);
            if !is_missing(value) && !has_width(value, member.width) {
                let code = match member.width {
                    Width::Any | Width::Max(_) => ResCode::E006,
                    Width::Digits(_) | Width::PayType | Width::Time => ResCode::E007,
                    Width::Exact | Width::PayId => ResCode::E807,
                };
                return Err(refused(Check::Width, code, member.name));
            }
        }
        Ok(())
    }

    /// Applies check 8.
    fn parameters(&self, data: &Members<'_>) -> Result<(), Refused> {
        let parameters = Members::of(value(data, "parameters"));
        let parameters = parameters.filter(|_| self.caller == Caller::Biller);
        for spelled in parameters.iter().flat_map(|members| &members.0) {
            let code = match (spelled.value.as_bytes()[0], text(spelled.value)) {
                (b'-' | b'0'..=b'9', _) => continue,
                (_, None) => ResCode::E101,
                (_, Some(text)) if text.chars().count() > self.rules.parameter_max_length => {
                    ResCode::E006
                }
                (_, Some(text)) if text.chars().any(|one| !(' '..='~').contains(&one)) => {
                    ResCode::E101
                }
                (_, Some(_)) => continue,
            };
            return Err(refused(Check::Parameters, code, "parameters"));
        }
        Ok(())
    }
}

const fn refused(check: Check, code: ResCode, member: &'static str) -> Refused {
    Refused {
        check,
        code,
        member: Some(member),
    }
}

const fn required(member: &'static str) -> Refused {
    refused(Check::Required, ResCode::E001, member)
}

/// Returns the source text of a member's value, `null` if it is absent.
pub(crate) fn value<'a>(members: &Members<'a>, name: &str) -> &'a str {
    members.values(name).first().copied().unwrap_or("null")
}

fn is_missing(spelled: &str) -> bool {
    matches!(spelled, "null" | "\"\"")
}

fn has_type(spelled: &str, json_type: JsonType) -> bool {
    match json_type {
        JsonType::String => spelled.starts_with('"'),
        JsonType::Number => spelled.starts_with(|one: char| one == '-' || one.is_ascii_digit()),
        JsonType::Object => spelled.starts_with('{'),
    }
}

fn has_width(spelled: &str, width: Width) -> bool {
    let text = text(spelled).unwrap_or_default();
    let are_digits =
        |count: usize| text.len() == count && text.bytes().all(|one| one.is_ascii_digit());
    match width {
        Width::Any => true,
        Width::Max(length) => text.chars().count() <= length,
        Width::Digits(count) => are_digits(count),
        Width::PayType => matches!(text.as_str(), "P" | "C"),
        Width::Time => are_digits(14) && is_time(&text),
        Width::Exact => has_digits(spelled, 18, 18),
        Width::PayId => has_digits(spelled, 38, 0),
    }
}

/// Whether 14 digits are an existing time. Year 0 does not exist.
fn is_time(digits: &str) -> bool {
    let part = |from, to| digits[from..to].parse::<u32>().unwrap_or(u32::MAX);
    let year = part(0, 4);
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match part(4, 6) {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(is_leap),
        _ => 0,
    };
    let is_day = year > 0 && (1..=days).contains(&part(6, 8));
    is_day && part(8, 10) < 24 && part(10, 12) < 60 && part(12, 14) < 60
}

/// Whether a number, written out without exponent, has at most this many digits before and after the decimal point.
fn has_digits(spelled: &str, before: i64, after: i64) -> bool {
    let (mantissa, exponent) = spelled.split_once(['e', 'E']).unwrap_or((spelled, "0"));
    let (units, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let units = units.trim_start_matches('-');
    let digits = format!("{units}{fraction}");
    let leading = count(&digits) - count(digits.trim_start_matches('0'));
    let digits = count(digits.trim_matches('0'));
    // An exponent outside `i64` is replaced by a large one.
    let sign = if exponent.starts_with('-') { -1 } else { 1 };
    let far = sign * (i64::MAX / 2);
    let exponent = exponent.parse().unwrap_or(far).clamp(-far.abs(), far.abs());
    let before_point = exponent + count(units) - leading;
    digits == 0 || before_point <= before && digits - before_point <= after
}

fn count(digits: &str) -> i64 {
    i64::try_from(digits.len()).unwrap_or(i64::MAX)
}
