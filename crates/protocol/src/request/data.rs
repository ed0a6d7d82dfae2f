//! Reads a request's body into the values of one member table and checks them.

use std::borrow::Cow;

use super::canonical::{CanonicalDigest, CanonicalForm, Spelled, check_deeply_distinct};
use super::member::{MEMBERS_MAX, Member};
use super::parameters::{Parameters, Rules};
use super::refusal::{DUPLICATE, Refusal, check_distinct};
use crate::json::{MemberNames, Scanner, Value};
use crate::{Api, Bill, BillerCode, TooWide};

/// The values of a request's `data` that have passed checks 5 to 8.
pub(super) struct Data<'a> {
    members: &'static [Member],
    /// In the order of `members`; null if a member is absent.
    values: [Value<'a>; MEMBERS_MAX],
    parameters: Parameters<'a>,
    /// The values that the canonical form needs beside `values` and `parameters`: literals, arrays and objects,
    /// each with the index of its member in the guide's table, or `None` beyond the guide. Empty in calls that
    /// have no such form, and nearly always.
    compounds: Vec<(Option<usize>, Spelled<'a>)>,
}

impl<'a> Data<'a> {
    /// Reads and checks the body of a request of this API, whose `data` has these members.
    pub(super) fn read(
        body: &'a [u8],
        api: Api,
        members: &'static [Member],
        rules: &'a Rules<'a>,
    ) -> Result<Self, Refusal> {
        let mut data = Self {
            members,
            values: [Value::Null; MEMBERS_MAX],
            parameters: Parameters::new(api, rules),
            compounds: Vec::new(),
        };
        let root = data.scan_root(Scanner::request(body)?)?;
        if !root.is_missing() && root != Value::Object {
            return Err(Refusal::wrong_type("data", "wrong JSON type"));
        }
        data.check_types()?;
        if root.is_missing() {
            return Err(Refusal::required("data"));
        }
        data.check_required()?;
        data.check_widths()?;
        data.parameters.check_values()?;
        Ok(data)
    }

    /// Returns the bill that the first four members and the identity parameters identify.
    pub(super) fn bill(&self, biller: BillerCode) -> Bill {
        let identity: Vec<_> = self.parameters.identity().collect();
        let identity: Vec<_> = identity
            .iter()
            .map(|(name, value)| (*name, &**value))
            .collect();
        let [user_key, month, ordinal, notice_key] = [0, 1, 2, 3].map(|index| self.text(index));
        Bill::from_parts(biller, &user_key, &month, &ordinal, &notice_key, &identity)
    }

    /// Returns the member at this index as a string, `""` if it is missing.
    pub(super) fn text(&self, index: usize) -> Cow<'a, str> {
        match self.values.get(index) {
            Some(Value::String(text)) => text.content(),
            _ => Cow::Borrowed(""),
        }
    }

    /// Returns the member at this index, parsed from its string. It fails only if check 7 accepts a
    /// string that `parse` refuses.
    pub(super) fn parsed<T>(
        &self,
        index: usize,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Refusal> {
        parse(&self.text(index)).ok_or_else(|| self.width_refusal(index))
    }

    /// Returns the member at this index, parsed from its number. It fails only if check 7 accepts a number that
    /// `parse` refuses.
    pub(super) fn number<T>(
        &self,
        index: usize,
        parse: impl FnOnce(&str) -> Result<T, TooWide>,
    ) -> Result<T, Refusal> {
        match self.values.get(index) {
            Some(Value::Number(spelling)) => parse(spelling).ok(),
            _ => None,
        }
        .ok_or_else(|| self.width_refusal(index))
    }

    fn width_refusal(&self, index: usize) -> Refusal {
        let member = self.members.get(index);
        // Indexes come from the table itself, so the fallback is never used.
        member.map_or(Refusal::required("data"), Member::width_refusal)
    }

    /// Scans the whole body and returns the value of `data`, null if it is absent.
    fn scan_root(&mut self, mut scanner: Scanner<'a>) -> Result<Value<'a>, Refusal> {
        let mut data = None;
        let mut names = MemberNames::new();
        scanner.enter_object()?;
        while let Some(name) = scanner.next_name()? {
            let name = name.content();
            if name != "data" {
                self.unknown_value(&mut scanner)?;
                names.push(name);
            } else if data.is_some() {
                return Err(Refusal::parse(Some("data"), DUPLICATE));
            } else if scanner.object_is_next() {
                self.scan_members(&mut scanner)?;
                data = Some(Value::Object);
            } else {
                data = Some(scanner.value()?);
            }
        }
        scanner.end()?;
        check_distinct(&names, None)?;
        Ok(data.unwrap_or(Value::Null))
    }

    fn scan_members(&mut self, scanner: &mut Scanner<'a>) -> Result<(), Refusal> {
        let mut seen = [false; MEMBERS_MAX];
        let mut names = MemberNames::new();
        let mut expected = 0;
        scanner.enter_object()?;
        while let Some(name) = scanner.next_name()? {
            let name = name.content();
            let Some((index, member)) = self.find(&name, expected) else {
                self.unknown_value(scanner)?;
                names.push(name);
                continue;
            };
            let value = self.scan_value((index, member), scanner)?;
            if let (Some(slot), Some(seen)) = (self.values.get_mut(index), seen.get_mut(index)) {
                if std::mem::replace(seen, true) {
                    return Err(Refusal::parse(Some(member.name), DUPLICATE));
                }
                *slot = value;
            }
            expected = index + 1;
        }
        check_distinct(&names, None)
    }

    fn scan_value(
        &mut self,
        (index, member): (usize, &Member),
        scanner: &mut Scanner<'a>,
    ) -> Result<Value<'a>, Refusal> {
        let is_read = member.name == "parameters"
            && (self.parameters.are_read() || self.parameters.are_kept());
        if is_read && scanner.object_is_next() {
            self.parameters.scan(scanner)?;
            return Ok(Value::Object);
        }
        self.spelled_value(Some(index), scanner)
    }

    /// Consumes the value of a member beyond the guide.
    fn unknown_value(&mut self, scanner: &mut Scanner<'a>) -> Result<(), Refusal> {
        self.spelled_value(None, scanner).map(drop)
    }

    /// Consumes a value and keeps its text where the canonical form needs it.
    fn spelled_value(
        &mut self,
        member: Option<usize>,
        scanner: &mut Scanner<'a>,
    ) -> Result<Value<'a>, Refusal> {
        if !self.parameters.are_kept() {
            return Ok(scanner.value()?);
        }
        let spelled = Spelled::next(scanner)?;
        if !spelled.text.is_empty() {
            self.compounds.push((member, spelled));
        }
        Ok(spelled.value)
    }

    /// Returns the digest of the canonical form; `None` if a member occurs twice anywhere in the body.
    pub(super) fn canonical(&mut self) -> Option<CanonicalDigest> {
        let mut form = CanonicalForm::new();
        let parameters = self.parameters.take_members();
        let mut parameters = Some(parameters);
        for (index, value) in self.values.iter().enumerate().take(self.members.len()) {
            if value.is_missing() {
                continue;
            }
            form.member(index);
            let compound = self
                .compounds
                .iter()
                .find(|(member, _)| *member == Some(index));
            match (compound, value) {
                (Some((_, spelled)), _) => form.value(spelled),
                // Of the guide's members only the object of `parameters` is kept elsewhere.
                (None, Value::Object) => form.object(parameters.take()?),
                (None, value) => form.value(&Spelled {
                    value: *value,
                    text: "",
                }),
            }
            .ok()?;
        }
        // The names of root and `data` are distinct: all others would have been refused.
        let beyond = self.compounds.iter().filter(|(member, _)| member.is_none());
        for (_, spelled) in beyond {
            check_deeply_distinct(spelled).ok()?;
        }
        Some(form.digest())
    }

    /// Finds the member with this name. The search starts at `expected`, the member after the last one
    /// found, since most requests have the guide's order.
    fn find(&self, name: &str, expected: usize) -> Option<(usize, &'static Member)> {
        let rows = self.members.iter().enumerate();
        let ahead = rows.clone().skip(expected);
        ahead
            .chain(rows.take(expected))
            .find(|(_, member)| member.name == name)
    }

    fn rows(&self) -> impl Iterator<Item = (&'static Member, &Value<'a>)> {
        self.members.iter().zip(&self.values)
    }

    /// Check 5: types.
    fn check_types(&self) -> Result<(), Refusal> {
        for (member, value) in self.rows().filter(|(_, value)| !value.is_missing()) {
            if member.has_rule() || member.name == "parameters" && self.parameters.are_read() {
                member.check_type(value)?;
            }
        }
        self.parameters.check_types()
    }

    /// Check 6.
    fn check_required(&self) -> Result<(), Refusal> {
        let missing = self
            .rows()
            .find(|(member, value)| member.required && value.is_missing());
        missing.map_or(Ok(()), |(member, _)| Err(Refusal::required(member.name)))
    }

    /// Check 7.
    fn check_widths(&self) -> Result<(), Refusal> {
        let mut present = self.rows().filter(|(_, value)| !value.is_missing());
        present.try_for_each(|(member, value)| member.check_width(value))
    }
}
