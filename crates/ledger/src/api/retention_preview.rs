//! What the retention would forget now, for operators.

use super::Ledger;
use crate::journal::{Reader, RetentionClass};
use crate::{JournalError, Stamp, Timestamp};

/// Steps of one class that are looked at, at most: some million facts.
const STEPS: usize = 4_096;

/// What the retention would forget, by class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionPreview {
    /// Bills that were never paid; by `retention`.
    pub unpaid_bills: DueNow,
    /// Paid bills; by `retention_paid`.
    pub paid_bills: DueNow,
    /// Accepted pay-results whose bytes, and those of their answers, are kept no longer; by `keep_bodies`.
    pub bodies: DueNow,
}

/// Bills or bodies whose time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueNow {
    /// Their time is over if the last that was heard of them is before this.
    pub before: Timestamp,
    /// How many there are.
    pub count: u64,
    /// The last that was heard of the one that has waited longest; `None` where there is none.
    pub oldest: Option<Timestamp>,
    /// Whether all facts were looked at that may be due; if not, there may be more.
    pub is_complete: bool,
}

impl Ledger {
    /// Returns what the retention would forget at `now`. Changes nothing.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn retention_preview(
        &self,
        now: Timestamp,
    ) -> Result<RetentionPreview, JournalError> {
        let kept = self.kept.at(now);
        self.read_journal(move |reader| {
            let due = |class| due(reader, class, kept.of(class));
            Ok(RetentionPreview {
                unpaid_bills: due(RetentionClass::UnpaidBills)?,
                paid_bills: due(RetentionClass::PaidBills)?,
                bodies: due(RetentionClass::Bodies)?,
            })
        })
        .await
    }
}

/// Goes on from where the retention is, in reads as short as its own.
fn due(reader: &Reader, class: RetentionClass, before: Timestamp) -> Result<DueNow, JournalError> {
    let mut next = reader.walked_up_to(class)?;
    let (mut count, mut oldest, mut is_complete) = (0, None, false);
    for _ in 0..STEPS {
        let step = reader.walk(class, next, before)?;
        next = step.next;
        count += step.due.len() as u64;
        let of_step = step.due.iter().map(|due| due.latest).min();
        oldest = [oldest, of_step].into_iter().flatten().min();
        if step.is_last {
            is_complete = true;
            break;
        }
    }
    Ok(DueNow {
        before,
        count,
        oldest: oldest.map(|time| Stamp { time, node: 0 }.timestamp()),
        is_complete,
    })
}
