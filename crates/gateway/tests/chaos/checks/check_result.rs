//! The result of a check.

use std::fmt::Write as _;

use crate::bill::Bill;
use crate::records::Records;

#[derive(Clone, Debug)]
pub struct Violation {
    /// `None`: the violation cannot be attributed to a bill.
    pub bill: Option<Bill>,
    pub what: String,
}

/// The result of one check.
#[derive(Clone, Debug)]
pub struct CheckResult {
    pub name: &'static str,
    /// How many cases the guarantee covers.
    pub checked: u64,
    /// How many cases it does not cover, because of an incident that the contract names.
    pub excused: u64,
    /// Violations in the excused cases.
    pub excused_violations: Vec<Violation>,
    pub violations: Vec<Violation>,
}

/// How many violations of a check are printed with their timeline.
const PRINTED: usize = 4;

impl CheckResult {
    pub const fn of(name: &'static str) -> Self {
        Self {
            name,
            checked: 0,
            excused: 0,
            excused_violations: Vec::new(),
            violations: Vec::new(),
        }
    }

    pub fn add(&mut self, other: Self) {
        self.checked += other.checked;
        self.excused += other.excused;
        self.excused_violations.extend(other.excused_violations);
        self.violations.extend(other.violations);
    }

    pub fn violation(&mut self, bill: impl Into<Option<Bill>>, what: impl Into<String>) {
        self.violations
            .push(Violation::of(bill.into(), what.into()));
    }

    /// Notes a violation in an excused case.
    pub fn excused_violation(&mut self, bill: impl Into<Option<Bill>>, what: impl Into<String>) {
        self.excused_violations
            .push(Violation::of(bill.into(), what.into()));
    }

    /// Describes the first violations, each with the timeline of its bill.
    pub fn describe_violations(&self, records: &Records) -> String {
        self.describe(&self.violations, records)
    }

    /// Describes the first violations in excused cases.
    pub fn describe_excused(&self, records: &Records) -> String {
        self.describe(&self.excused_violations, records)
    }

    fn describe(&self, violations: &[Violation], records: &Records) -> String {
        let mut text = String::new();
        for violation in violations.iter().take(PRINTED) {
            let timeline = violation.bill.map(|bill| records.timeline(bill));
            let (name, what) = (self.name, &violation.what);
            let timeline = timeline.unwrap_or_default();
            writeln!(text, "\n{name}: {what}\n{timeline}").unwrap();
        }
        text
    }
}

impl Violation {
    const fn of(bill: Option<Bill>, what: String) -> Self {
        Self { bill, what }
    }
}
