//! What a check found.

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
    /// How often it happened nevertheless that it did not hold there.
    pub happened: u64,
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
            happened: 0,
            violations: Vec::new(),
        }
    }

    pub fn add(&mut self, other: Self) {
        self.judged += other.judged;
        self.excused += other.excused;
        self.happened += other.happened;
        self.violations.extend(other.violations);
    }

    pub fn violated(&mut self, bill: impl Into<Option<Bill>>, what: impl Into<String>) {
        self.violations.push(Violation {
            bill: bill.into(),
            what: what.into(),
        });
    }

    /// The first violations, each with all that is known of its bill.
    pub fn tell(&self, evidence: &Evidence) -> String {
        let mut text = String::new();
        for violation in self.violations.iter().take(TOLD) {
            let story = violation.bill.map(|bill| evidence.story(bill));
            let (name, what) = (self.name, &violation.what);
            text += &format!("\n{name}: {what}\n{}\n", story.unwrap_or_default());
        }
        text
    }
}
