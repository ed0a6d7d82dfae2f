//! Retention: what is forgotten when its time is over, so that journal and memory have a bound.
//!
//! Three cursors walk through the facts in small steps, one for each class. A bill leaves as a whole, with its pay-results:
//! a call sees all of it or nothing.

use std::time::{Duration, Instant};

use protocol::Bill;

use crate::journal::{
    Due, Entry, Forgotten, ForgottenFacts, Reader, RefusedChange, RetentionClass, Verdict, Walked,
};
use crate::node::Node;
use crate::node::kept::{ForgottenCount, KeptFrom};
use crate::{JournalError, Stamp, Timestamp};

/// Facts of one bill that leave in one commit.
const PART: usize = 128;

/// The least pause between two steps; it is as long as the step took where that is longer. So calls have at least half
/// of the writer's time.
const PAUSE: Duration = Duration::from_millis(10);

/// How often a walk waits for a call that needs the next bill.
const WAITS: u32 = 50;

/// Steps without a find after which the cursor is written down.
const STEPS_UNWRITTEN: u32 = 64;

/// Forgets what is older than `kept`. Between two steps `goes_on` is called: it waits that long, and says whether to go on.
///
/// # Errors
/// When the journal cannot be read or written.
pub(crate) fn forget_before(
    node: &Node,
    kept: KeptFrom,
    goes_on: impl Fn(Duration) -> bool,
) -> Result<ForgottenCount, JournalError> {
    let leaving = node.refused().forget_closed_before(kept.unpaid_bills);
    if !leaving.is_empty() {
        let entry = Entry::of(Vec::new()).with_refused(Some(RefusedChange::Leave(leaving)));
        node.journal().append(entry).blocking_committed()?;
    }
    let reader = node.journal().reader().another()?;
    let walk = |class| {
        let walk = Walk {
            node,
            reader: &reader,
            class,
            before: kept.of(class),
        };
        walk.run(&goes_on)
    };
    Ok(ForgottenCount {
        unpaid_bills: walk(RetentionClass::UnpaidBills)?,
        paid_bills: walk(RetentionClass::PaidBills)?,
        bodies: walk(RetentionClass::Bodies)?,
    })
}

/// A walk of one class.
struct Walk<'a> {
    node: &'a Node,
    reader: &'a Reader,
    class: RetentionClass,
    before: Timestamp,
}

/// What one step did.
struct Done {
    /// Where the next one begins.
    next: i64,
    /// How many things were forgotten.
    forgotten: u64,
    /// A call needs the bill of the next fact, or the process ends.
    is_held_up: bool,
}

/// Whether a bill leaves the journal with the step.
enum Leaves {
    Yes,
    /// Something was heard of it.
    No,
    /// Not now.
    Later,
}

impl Walk<'_> {
    fn run(&self, goes_on: &impl Fn(Duration) -> bool) -> Result<u64, JournalError> {
        let mut next = self.reader.walked_up_to(self.class)?;
        let (mut forgotten, mut unwritten, mut waited) = (0, 0, 0);
        loop {
            let began = Instant::now();
            let step = self.reader.walk(self.class, next, self.before)?;
            let is_last = step.is_last;
            let has_moved = step.next > next;
            let done = if step.due.is_empty() {
                unwritten += u32::from(has_moved);
                if unwritten >= STEPS_UNWRITTEN || (is_last && unwritten > 0) {
                    unwritten = 0;
                    self.commit(Entry::default(), step.next, Vec::new())?;
                }
                Done {
                    next: step.next,
                    forgotten: 0,
                    is_held_up: false,
                }
            } else {
                unwritten = 0;
                self.forget(step.due, step.next, goes_on)?
            };
            next = done.next;
            forgotten += done.forgotten;
            waited = if done.is_held_up { waited + 1 } else { 0 };
            let is_over = if done.is_held_up {
                waited >= WAITS
            } else {
                is_last
            };
            if is_over || !goes_on(began.elapsed().max(PAUSE)) {
                return Ok(forgotten);
            }
        }
    }

    fn forget(
        &self,
        due: Vec<Due>,
        next: i64,
        goes_on: &impl Fn(Duration) -> bool,
    ) -> Result<Done, JournalError> {
        let mut done = Done {
            next,
            forgotten: due.len() as u64,
            is_held_up: false,
        };
        if self.class == RetentionClass::Bodies {
            let deliveries = due.iter().map(|due| due.seq).collect();
            self.commit(Entry::default(), next, deliveries)?;
            return Ok(done);
        }
        let mut bills = Vec::with_capacity(due.len());
        let mut failed = None;
        for due in due {
            let Some(bill) = &due.bill else {
                continue;
            };
            match self.leaves(bill, &due, goes_on) {
                Ok(Leaves::Yes) => bills.push(bill.clone()),
                Ok(Leaves::No) => {}
                Ok(Leaves::Later) => done.is_held_up = true,
                Err(error) => failed = Some(error),
            }
            if done.is_held_up || failed.is_some() {
                done.next = due.seq;
                break;
            }
        }
        done.forgotten = bills.len() as u64;
        let entry = Entry::forgotten(Forgotten {
            bills,
            before: Stamp::time_of(self.before),
            what: ForgottenFacts::All,
        });
        let committed = self.commit(entry, done.next, Vec::new());
        failed.map_or(committed, Err).map(|()| done)
    }

    /// Takes a bill out of memory, unless something was heard of it since the step began; and, of a bill with very many
    /// facts, all but the last ones out of the journal.
    fn leaves(
        &self,
        bill: &Bill,
        due: &Due,
        goes_on: &impl Fn(Duration) -> bool,
    ) -> Result<Leaves, JournalError> {
        let book = self.node.book_of(bill);
        if !book.lock().begin_to_leave(bill) {
            return Ok(Leaves::Later);
        }
        let verdict = self.reader.look_again(self.class, due, self.before);
        if !matches!(verdict, Ok(Verdict::Due(_))) {
            book.lock().stay(bill);
            return verdict.map(|_| Leaves::No);
        }
        if !book.lock().leave(bill) {
            return Ok(Leaves::No);
        }
        if due.facts <= PART {
            return Ok(Leaves::Yes);
        }
        // Without their numbers all facts leave at once.
        let mut rows = self.reader.rows_in_parts(due.seq).unwrap_or_default();
        rows.truncate(rows.len().saturating_sub(PART));
        for part in rows.chunks(PART) {
            let entry = Entry::forgotten(Forgotten {
                bills: vec![bill.clone()],
                before: Stamp::time_of(self.before),
                what: ForgottenFacts::Part(part.to_vec()),
            });
            let began = Instant::now();
            // What could not be written now is written before what comes behind it.
            let _ = self.node.journal().append(entry).blocking_committed();
            if !goes_on(began.elapsed().max(PAUSE)) {
                // The process ends; the last fact is still there for the next one.
                return Ok(Leaves::Later);
            }
        }
        Ok(Leaves::Yes)
    }

    fn commit(&self, entry: Entry, next: i64, deliveries: Vec<i64>) -> Result<(), JournalError> {
        let entry = entry.with_walked(Walked {
            class: self.class,
            next,
            deliveries,
        });
        let commit = self.node.journal().append(entry);
        commit.blocking_committed().map(|_| ())
    }
}
