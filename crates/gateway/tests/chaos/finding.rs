//! What a check found.

use std::fmt::Write as _;

use crate::bill::Bill;
use crate::evidence::Evidence;

#[derive(Clone, Debug)]
pub struct Violation {
    /// `None` where it cannot be said.
    pub bill: Option<Bill>,
    pub what: String,
}

/// What one check found.
#[derive(Clone, Debug)]
pub struct Finding {
    pub name: &'static str,
    /// How often it could have been violated, and had to hold.
    pub judged: u64,
    /// How often nothing is promised, because of a trouble that the contract names.
    pub excused: u64,
    /// Where it did not hold then.
    pub happened: Vec<Violation>,
    pub violations: Vec<Violation>,
}

/// Violations that are told with their story.
const TOLD: usize = 4;

impl Finding {
    pub const fn of(name: &'static str) -> Self {
        Self {
            name,
            judged: 0,
            excused: 0,
            happened: Vec::new(),
            violations: Vec::new(),
        }
    }

    pub fn add(&mut self, other: Self) {
        self.judged += other.judged;
        self.excused += other.excused;
        self.happened.extend(other.happened);
        self.violations.extend(other.violations);
    }

    pub fn violated(&mut self, bill: impl Into<Option<Bill>>, what: impl Into<String>) {
        self.violations
            .push(Violation::of(bill.into(), what.into()));
    }

    /// It did not hold, and nothing was promised.
    pub fn happened(&mut self, bill: impl Into<Option<Bill>>, what: impl Into<String>) {
        self.happened.push(Violation::of(bill.into(), what.into()));
    }

    /// The first violations, each with all that is known of its bill.
    pub fn tell(&self, evidence: &Evidence) -> String {
        self.stories(&self.violations, evidence)
    }

    /// The same of what happened where nothing was promised.
    pub fn tell_what_happened(&self, evidence: &Evidence) -> String {
        self.stories(&self.happened, evidence)
    }

    fn stories(&self, violations: &[Violation], evidence: &Evidence) -> String {
        let mut text = String::new();
        for violation in violations.iter().take(TOLD) {
            let story = violation.bill.map(|bill| evidence.story(bill));
            let (name, what) = (self.name, &violation.what);
            let story = story.unwrap_or_default();
            writeln!(text, "\n{name}: {what}\n{story}").unwrap();
        }
        text
    }
}

impl Violation {
    const fn of(bill: Option<Bill>, what: String) -> Self {
        Self { bill, what }
    }
}
