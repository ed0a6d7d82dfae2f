//! What can be wrong with a journal.

use std::fmt;

/// Findings that are kept; more are counted.
const FINDINGS_BOUND: usize = 100;

/// Something that is wrong with a journal. Names rows, never a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// `SQLite` says that the file is damaged.
    Damaged {
        /// In its words.
        what: String,
    },
    /// A row that is no fact.
    Unreadable {
        /// Its number.
        row: i64,
        /// The column at fault.
        column: String,
    },
    /// A fact with the stamp of an earlier one.
    StampTwice {
        /// Its number.
        row: i64,
    },
    /// A payment whose pay-result is not kept.
    MessageMissing {
        /// The payment's number.
        row: i64,
    },
    /// A pay-result that is not the one that came.
    MessageAltered {
        /// The number of a payment that it told.
        row: i64,
    },
    /// What the gateway holds of a bill is not what its facts say.
    StateDiffers {
        /// The number of the bill's last fact.
        row: i64,
    },
    /// The gateway holds bills of which the journal has no fact.
    NotJournalled {
        /// How many families of bills.
        families: usize,
    },
}

impl Finding {
    /// One word for it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Damaged { .. } => "damaged",
            Self::Unreadable { .. } => "unreadable_row",
            Self::StampTwice { .. } => "stamp_twice",
            Self::MessageMissing { .. } => "message_missing",
            Self::MessageAltered { .. } => "message_altered",
            Self::StateDiffers { .. } => "state_differs",
            Self::NotJournalled { .. } => "not_journalled",
        }
    }

    /// The row that it is about, where it is about one.
    pub const fn row(&self) -> Option<i64> {
        match self {
            Self::Unreadable { row, .. }
            | Self::StampTwice { row }
            | Self::MessageMissing { row }
            | Self::MessageAltered { row }
            | Self::StateDiffers { row } => Some(*row),
            Self::Damaged { .. } | Self::NotJournalled { .. } => None,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged { what } => write!(f, "the file is damaged: {what}"),
            Self::Unreadable { row, column } => {
                write!(f, "row {row} cannot be read: {column}")
            }
            Self::StampTwice { row } => write!(f, "row {row} has the stamp of an earlier row"),
            Self::MessageMissing { row } => {
                write!(f, "row {row} is a payment whose pay-result is not kept")
            }
            Self::MessageAltered { row } => {
                write!(f, "row {row} is a payment whose pay-result was altered")
            }
            Self::StateDiffers { row } => write!(
                f,
                "row {row} is the last of a bill of which the gateway holds something else"
            ),
            Self::NotJournalled { families } => {
                write!(
                    f,
                    "{families} bills that the gateway holds have no fact in the journal"
                )
            }
        }
    }
}

/// What was found: the first ones, and how many more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The first of them.
    pub kept: Vec<Finding>,
    /// How many more there are.
    pub left_off: u64,
}

impl Findings {
    /// Adds one.
    pub(crate) fn add(&mut self, finding: Finding) {
        if self.kept.len() < FINDINGS_BOUND {
            self.kept.push(finding);
        } else {
            self.left_off += 1;
        }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}
