//! The bills of a journal: what their rows say of them is what their facts say.

use std::collections::HashMap;

use protocol::Bill;
use rusqlite::{Connection, Row, params};

use super::{Audit, AuditProgress, Auditor};
use crate::journal::recompute::Recomputed;
use crate::journal::row::{self, BEHIND_BILL, BEHIND_DIGEST, BILL_COLUMNS, KIND_COLUMNS};
use crate::journal::{Finding, JournalError, hash, load};
use crate::{BillState, Fact, FactKind, MessageDigest, Stamp};

/// Bills of one read.
const BILLS_AT_ONCE: i64 = 256;

/// Places of what stands behind the bill.
const NUMBER: usize = BEHIND_BILL;
const REGISTERED: usize = BEHIND_BILL + 1;
const HASHES: usize = BEHIND_BILL + 2;
const OPEN: usize = BEHIND_BILL + 4;
const SNAPSHOT: usize = BEHIND_BILL + 5;

pub(super) fn check(
    connection: &Connection,
    audit: &mut Audit,
    auditor: &mut dyn Auditor,
) -> Result<(), JournalError> {
    let of: i64 = connection.query_row("SELECT coalesce(max(id), 0) FROM bill", [], |row| {
        row.get(0)
    })?;
    let query = format!(
        "SELECT {KIND_COLUMNS}, (SELECT digest FROM message WHERE message.id = fact.message), {BILL_COLUMNS},
             bill.id, bill.registered, bill.hash, bill.group_hash, fact.open, snapshot.up_to, snapshot.state
         FROM bill LEFT JOIN biller ON biller.id = bill.biller LEFT JOIN snapshot ON snapshot.bill = bill.id
         LEFT JOIN fact INDEXED BY fact_by_bill ON fact.bill = bill.id
         WHERE bill.id > ?1 AND bill.id <= ?2 ORDER BY bill.id, fact.seq"
    );
    // Without the index each read would go through all facts.
    let mut statement = match connection.prepare(&query) {
        Ok(statement) => statement,
        Err(error) => {
            audit.unchecked.push(format!("the bills: {error}"));
            return Ok(());
        }
    };
    for done in (0..of).step_by(usize::try_from(BILLS_AT_ONCE).unwrap_or(1)) {
        auditor.progress(AuditProgress {
            what: "bills",
            done,
            of,
        });
        let mut examined: Option<Examined> = None;
        let mut look = || -> Result<(), JournalError> {
            let mut rows = statement.query(params![done, done + BILLS_AT_ONCE])?;
            while let Some(row) = rows.next()? {
                let number = row.get(NUMBER)?;
                if examined.as_ref().is_none_or(|one| one.number != number) {
                    let next = Examined::begin(row, number, audit)?;
                    if let Some(whole) = examined.replace(next) {
                        whole.end(audit, auditor);
                    }
                }
                if let Some(examined) = &mut examined {
                    examined.add(row, audit)?;
                }
            }
            Ok(())
        };
        let outcome = look();
        match (outcome, examined) {
            (Ok(()), Some(last)) => last.end(audit, auditor),
            (Ok(()), None) => {}
            // The bills behind a damaged page are looked at too.
            (Err(error), _) => audit.damaged(&error),
        }
    }
    Ok(())
}

/// The bill whose facts are read.
struct Examined {
    number: i64,
    bill: Option<Bill>,
    registered: Option<bool>,
    recomputed: Recomputed,
    stamps: HashMap<Stamp, FactKind>,
    snapshot: Option<(i64, BillState)>,
    fact: Option<Fact>,
    last_row: i64,
    is_broken: bool,
}

impl Examined {
    fn begin(row: &Row<'_>, number: i64, audit: &mut Audit) -> Result<Self, JournalError> {
        audit.bills += 1;
        let bill = row::bill(row, BEHIND_DIGEST).ok().filter(|bill| {
            let hashes = (row.get(HASHES).ok(), row.get(HASHES + 1).ok());
            hashes == (Some(hash::bill_hash(bill)), Some(hash::group_hash(bill)))
        });
        if bill.is_none() {
            audit.findings.add(Finding::BillUnreadable { bill: number });
        }
        let snapshot = match (row.get::<_, Option<i64>>(SNAPSHOT)?, &bill) {
            // One that cannot be read, as after a downgrade, is made again.
            (Some(up_to), Some(bill)) => {
                let bytes: Vec<u8> = row.get(SNAPSHOT + 1)?;
                load::read_snapshot(&bytes, bill).map(|state| (up_to, state))
            }
            _ => None,
        };
        Ok(Self {
            number,
            fact: bill.as_ref().map(|bill| Fact {
                stamp: Stamp::default(),
                bill: bill.clone(),
                kind: FactKind::PayResultRefused {
                    message: MessageDigest::NONE,
                },
            }),
            is_broken: bill.is_none(),
            bill,
            registered: row.get(REGISTERED)?,
            recomputed: Recomputed::default(),
            stamps: HashMap::new(),
            snapshot,
            last_row: 0,
        })
    }

    fn add(&mut self, row: &Row<'_>, audit: &mut Audit) -> Result<(), JournalError> {
        let Some(seq) = row.get::<_, Option<i64>>(0)? else {
            return Ok(());
        };
        self.check_snapshot(seq, audit);
        self.last_row = seq;
        let Some(fact) = &mut self.fact else {
            return Ok(());
        };
        if let Err(error) = row::fold_input(row, fact) {
            self.is_broken = true;
            let column = match error {
                JournalError::Row(column) => column,
                other => other.to_string(),
            };
            audit.findings.add(Finding::Unreadable { row: seq, column });
            return Ok(());
        }
        // The same fact may come by two ways: what follows from a conflict, each node finds.
        let known = self.stamps.insert(fact.stamp, fact.kind.clone());
        if known.is_some_and(|known| known != fact.kind) {
            audit.findings.add(Finding::StampTwice { row: seq });
        }
        let is_marked = row.get::<_, Option<bool>>(OPEN)? == Some(true);
        self.recomputed.add(seq, is_marked, fact);
        Ok(())
    }

    /// Compares the snapshot before the first fact behind it.
    fn check_snapshot(&mut self, next: i64, audit: &mut Audit) {
        if self
            .snapshot
            .as_ref()
            .is_some_and(|(up_to, _)| *up_to < next)
            && let Some((up_to, state)) = self.snapshot.take()
            && !self.is_broken
            && state != *self.recomputed.state()
        {
            audit.findings.add(Finding::SnapshotDiffers { row: up_to });
        }
    }

    fn end(mut self, audit: &mut Audit, auditor: &mut dyn Auditor) {
        self.check_snapshot(i64::MAX, audit);
        if self.last_row == 0 {
            let bill = self.number;
            audit.findings.add(Finding::BillWithoutFacts { bill });
            return;
        }
        let Some(bill) = self.bill.filter(|_| !self.is_broken) else {
            return;
        };
        for (row, _) in self.recomputed.changes() {
            let mark = "open";
            audit.findings.add(Finding::MarkDiffers { row, mark });
        }
        if self.registered != self.recomputed.registered() {
            let (row, mark) = (self.last_row, "registered");
            audit.findings.add(Finding::MarkDiffers { row, mark });
        }
        auditor.bill(&bill, self.recomputed.state());
    }
}
