//! What the retention finds on its way through the facts, in the order in which this node learned them.
//!
//! That is nearly the order of time. At the last fact of a bill that is old enough the bill is forgotten; the other facts
//! are passed by, and what is not old enough ends the walk. So each fact is met once for each class, whatever is kept.

use protocol::Bill;
use rusqlite::{Connection, params};

use super::row::{self, BILL_COLUMNS, limit};
use super::{JournalError, Reader, RetentionClass};
use crate::{Stamp, Timestamp};

/// Facts that one step looks at.
const LOOKED_AT: usize = 256;

/// Bills, or deliveries, that one step finds at most, and the facts of these bills: what leaves in one transaction.
const FOUND: usize = 32;
const FACTS: usize = 256;

/// Whether a bill has facts behind `?2`, and what it is by all of its facts. A refused pay-result that is open keeps
/// its bill: closing it is a later fact.
const OF_BILL: &str = "SELECT max(seq) > ?2, max(stamp), max(kind = 6), max(kind = 8 AND EXISTS (
        SELECT 1 FROM message CROSS JOIN refused_pay_result ON refused_pay_result.message = message.digest
        WHERE message.id = fact.message AND closed_at IS NULL)), count(*)
    FROM fact WHERE bill = ?1";

/// A bill, or the bytes of a pay-result, whose time is over.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    /// Number of the last fact of the bill, or of the accepted delivery.
    pub(crate) seq: i64,
    /// The bill; `None` of bytes.
    pub(crate) bill: Option<Bill>,
    /// Stamp time of the last that was heard of it.
    pub(crate) latest: i64,
    /// How many facts leave.
    pub(crate) facts: usize,
}

/// A step of a walk.
#[derive(Debug, Default)]
pub(crate) struct WalkStep {
    /// What was found, in the order of the numbers.
    pub(crate) due: Vec<Due>,
    /// Where the next step begins.
    pub(crate) next: i64,
    /// Whether nothing behind it is old enough.
    pub(crate) is_last: bool,
}

/// What a fact means for the retention of its bill.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The bill's time is over.
    Due(Due),
    /// The bill is of the other class, is kept, or has a later fact.
    Passed,
    /// The bill's time is not over.
    NotYet,
}

impl Reader {
    /// Returns how far the walk of a class has come.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn walked_up_to(&self, class: RetentionClass) -> Result<i64, JournalError> {
        let query = format!("SELECT {} FROM node", class.cursor());
        Ok(self.lock().query_row(&query, [], |row| row.get(0))?)
    }

    /// Walks on from the fact `from`, for what was last heard of before `before`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn walk(
        &self,
        class: RetentionClass,
        from: i64,
        before: Timestamp,
    ) -> Result<WalkStep, JournalError> {
        let before = Stamp::time_of(before);
        let connection = self.lock();
        let facts = facts_from(&connection, from)?;
        let mut step = WalkStep {
            next: from,
            is_last: facts.len() < LOOKED_AT,
            due: Vec::new(),
        };
        let mut leaving = 0;
        for fact in facts {
            let verdict = match (class, fact.stamp < before) {
                (_, false) => Verdict::NotYet,
                (RetentionClass::Bodies, true) => of_delivery(&fact),
                (_, true) => of_bill(&connection, class, &fact, before)?,
            };
            match verdict {
                Verdict::NotYet => {
                    step.is_last = true;
                    return Ok(step);
                }
                Verdict::Passed => {}
                Verdict::Due(due) => {
                    leaving += due.facts;
                    step.due.push(due);
                }
            }
            step.next = fact.seq + 1;
            if step.due.len() >= FOUND || leaving >= FACTS {
                step.is_last = false;
                return Ok(step);
            }
        }
        Ok(step)
    }

    /// Looks again at the last fact of a bill.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn look_again(
        &self,
        class: RetentionClass,
        due: &Due,
        before: Timestamp,
    ) -> Result<Verdict, JournalError> {
        let connection = self.lock();
        let fact = facts_from(&connection, due.seq)?.into_iter().next();
        match fact.filter(|fact| fact.seq == due.seq) {
            Some(fact) => of_bill(&connection, class, &fact, Stamp::time_of(before)),
            None => Ok(Verdict::Passed),
        }
    }

    /// Returns the numbers of the facts of a bill in an order in which they can leave in parts: facts that name a
    /// pay-result before the payment of it, and `last`, by which the bill is found, at the end.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn rows_in_parts(&self, last: i64) -> Result<Vec<i64>, JournalError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT seq FROM fact WHERE bill = (SELECT bill FROM fact WHERE seq = ?1)
             ORDER BY seq = ?1, message IS (SELECT message FROM fact WHERE seq = ?1), message, kind IN (6, 8), seq",
        )?;
        let mut rows = statement.query([last])?;
        row::collect(&mut rows, |row| Ok(row.get(0)?))
    }
}

/// What is read of a fact.
struct Looked {
    seq: i64,
    stamp: i64,
    bill: i64,
    /// Whether it is an accepted delivery whose bytes, or those of the answer, are kept.
    has_bytes: bool,
}

fn facts_from(connection: &Connection, from: i64) -> Result<Vec<Looked>, JournalError> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, stamp, bill, kind = 7 AND delivery = 0 AND (
             EXISTS (SELECT 1 FROM message WHERE id = fact.message AND body IS NOT NULL)
             OR EXISTS (SELECT 1 FROM answer WHERE answer.message = fact.message AND body IS NOT NULL))
         FROM fact WHERE seq >= ?1 ORDER BY seq LIMIT ?2",
    )?;
    let mut rows = statement.query(params![from, limit(LOOKED_AT)])?;
    row::collect(&mut rows, |row| {
        Ok(Looked {
            seq: row.get(0)?,
            stamp: row.get(1)?,
            bill: row.get(2)?,
            has_bytes: row.get::<_, Option<bool>>(3)?.unwrap_or_default(),
        })
    })
}

fn of_delivery(fact: &Looked) -> Verdict {
    if !fact.has_bytes {
        return Verdict::Passed;
    }
    Verdict::Due(Due {
        seq: fact.seq,
        bill: None,
        latest: fact.stamp,
        facts: 1,
    })
}

fn of_bill(
    connection: &Connection,
    class: RetentionClass,
    fact: &Looked,
    before: i64,
) -> Result<Verdict, JournalError> {
    // Most facts have one behind them: this costs one look into the index.
    let is_followed = connection
        .prepare_cached("SELECT 1 FROM fact WHERE bill = ?1 AND seq > ?2 LIMIT 1")?
        .exists([fact.bill, fact.seq])?;
    if is_followed {
        return Ok(Verdict::Passed);
    }
    let (is_followed, latest, is_paid, is_refused, facts) = connection
        .prepare_cached(OF_BILL)?
        .query_row([fact.bill, fact.seq], |row| {
            let says = |place| row.get::<_, Option<bool>>(place);
            let latest: Option<i64> = row.get(1)?;
            Ok((says(0)?, latest, says(2)?, says(3)?, row.get::<_, i64>(4)?))
        })?;
    let is_of_class = is_paid == Some(class == RetentionClass::PaidBills);
    let Some(latest) = latest.filter(|_| is_of_class) else {
        return Ok(Verdict::Passed);
    };
    if is_followed == Some(true) || is_refused == Some(true) {
        return Ok(Verdict::Passed);
    }
    // An earlier row may have a later stamp: another node's clock.
    if latest >= before {
        return Ok(Verdict::NotYet);
    }
    let query = format!(
        "SELECT {BILL_COLUMNS} FROM bill CROSS JOIN biller ON biller.id = bill.biller WHERE bill.id = ?1"
    );
    let mut statement = connection.prepare_cached(&query)?;
    let mut rows = statement.query([fact.bill])?;
    // A verification finds a bill that cannot be read; it must not keep the others.
    let Some(bill) = rows.next()?.and_then(|row| row::bill(row, 0).ok()) else {
        return Ok(Verdict::Passed);
    };
    Ok(Verdict::Due(Due {
        seq: fact.seq,
        bill: Some(bill),
        latest,
        facts: usize::try_from(facts).unwrap_or(usize::MAX),
    }))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use protocol::{BillerCode, Decimal, PaidAt, PayId, PayType, PaymentEvent};
    use tempfile::TempDir;

    use super::*;
    use crate::journal::{Entry, Forgotten, ForgottenFacts, Journal, JournalSettings};
    use crate::{DeliveryState, Fact, FactKind, MessageDigest};

    #[test]
    fn a_bill_that_leaves_in_parts_is_readable_and_found_again_between_any_two_of_them() {
        let directory = TempDir::new().unwrap();
        let settings = JournalSettings::warning_below(0);
        let journal = Journal::open(directory.path(), &settings, Box::new(|_| {})).unwrap();
        let biller = BillerCode::parse("B0001").unwrap();
        let bill = Bill::from_parts(biller, "u", "", "", "", &[]);
        let mut time = 0;
        let mut append = |number: u8, delivery: Option<DeliveryState>| {
            time += 1;
            let (body, event) = (
                Bytes::from(vec![number]),
                PaymentEvent {
                    pay_id: PayId::parse(&number.to_string()).unwrap(),
                    pay_type: PayType::P,
                    paid_at: PaidAt::parse("20261124120000").unwrap(),
                    pay_amount: Decimal::parse("20000").unwrap(),
                },
            );
            let message = MessageDigest::of(&body);
            let kind = match delivery {
                None => FactKind::Payment {
                    event,
                    mark_ends_at: None,
                    message,
                },
                Some(state) => FactKind::Delivery {
                    event,
                    message,
                    state,
                },
            };
            let fact = Fact {
                stamp: Stamp { time, node: 1 },
                bill: bill.clone(),
                kind,
            };
            let entry = Entry::of(vec![fact]).with_message(biller, message, body);
            journal.append(entry).blocking_committed().unwrap();
        };
        for number in 1..=5 {
            append(number, None);
        }
        for state in [DeliveryState::Unknown, DeliveryState::Accepted] {
            (1..=5).rev().for_each(|number| append(number, Some(state)));
        }
        let (reader, before) = (journal.reader(), Timestamp::from_millis(1));
        let found = || {
            let step = reader.walk(RetentionClass::PaidBills, 0, before).unwrap();
            assert_eq!(step.due.len(), 1);
            step.due.into_iter().next().unwrap()
        };
        let rows = reader.rows_in_parts(found().seq).unwrap();
        assert_eq!((rows.len(), rows.last()), (15, Some(&found().seq)));
        // What names the pay-result of the last fact goes with it.
        for (gone, row) in rows.iter().take(12).enumerate() {
            assert_eq!((found().seq, found().facts), (rows[14], 15 - gone));
            assert_eq!(reader.facts_after(0, 99).unwrap().len(), 15 - gone);
            let part = Forgotten {
                bills: vec![bill.clone()],
                before: 0,
                what: ForgottenFacts::Part(vec![*row]),
            };
            let commit = journal.append(Entry::forgotten(part));
            commit.blocking_committed().unwrap();
        }
        let connection = reader.lock();
        let left = |table: &str| -> i64 {
            let count = format!("SELECT count(*) FROM {table}");
            connection.query_row(&count, [], |row| row.get(0)).unwrap()
        };
        assert_eq!((left("fact"), left("message")), (3, 1));
    }
}
