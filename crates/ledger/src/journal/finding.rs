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
    /// A fact with the stamp of an earlier one that says something else.
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
    /// An index is not there.
    IndexMissing {
        /// Its name.
        index: String,
    },
    /// An index lacks rows, or has others than its table.
    IndexDamaged {
        /// Its name.
        index: String,
    },
    /// A bill's row cannot be read, or its hashes are not those of the bill.
    BillUnreadable {
        /// Its number in the table `bill`.
        bill: i64,
    },
    /// A bill has no facts.
    BillWithoutFacts {
        /// Its number in the table `bill`.
        bill: i64,
    },
    /// What the row of a bill, or of a fact, says of the bill is not what the facts say.
    MarkDiffers {
        /// The number of the fact, or of the bill's last one.
        row: i64,
        /// The column.
        mark: &'static str,
    },
    /// The kept state of a bill is not the fold of its facts.
    SnapshotDiffers {
        /// The number of the last fact in it.
        row: i64,
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
            Self::IndexMissing { .. } => "index_missing",
            Self::IndexDamaged { .. } => "index_damaged",
            Self::BillUnreadable { .. } => "unreadable_bill",
            Self::BillWithoutFacts { .. } => "bill_without_facts",
            Self::MarkDiffers { .. } => "mark_differs",
            Self::SnapshotDiffers { .. } => "snapshot_differs",
        }
    }

    /// The row that it is about, where it is about one.
    pub const fn row(&self) -> Option<i64> {
        match self {
            Self::Unreadable { row, .. }
            | Self::StampTwice { row }
            | Self::MessageMissing { row }
            | Self::MessageAltered { row }
            | Self::StateDiffers { row }
            | Self::MarkDiffers { row, .. }
            | Self::SnapshotDiffers { row } => Some(*row),
            Self::Damaged { .. }
            | Self::IndexMissing { .. }
            | Self::IndexDamaged { .. }
            | Self::BillUnreadable { .. }
            | Self::BillWithoutFacts { .. } => None,
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
            Self::StampTwice { row } => write!(
                f,
                "row {row} has the stamp of an earlier row, and says something else"
            ),
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
            Self::IndexMissing { index } => write!(
                f,
                "the index {index} is missing: the next start makes it again"
            ),
            Self::IndexDamaged { index } => write!(
                f,
                "the index {index} is damaged: stop the gateway, `sqlite3 FILE 'DROP INDEX {index}'`; the next start \
                 makes it again"
            ),
            Self::BillUnreadable { bill } => {
                write!(
                    f,
                    "bill {bill} cannot be read, or is found under another name"
                )
            }
            Self::BillWithoutFacts { bill } => write!(f, "bill {bill} has no facts"),
            Self::MarkDiffers { row, mark } => write!(
                f,
                "row {row} is of a bill whose mark `{mark}` is not what its facts say"
            ),
            Self::SnapshotDiffers { row } => write!(
                f,
                "the kept state of a bill up to row {row} is not the fold of its facts: stop the gateway, \
                 `sqlite3 FILE 'DELETE FROM snapshot'`; it is made again"
            ),
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
