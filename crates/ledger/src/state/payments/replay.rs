//! The payments of a bill once more in the order of their first reports, with the cancels that are known today.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::sum::Sum;
use super::{Group, Paid};
use crate::state::sorted::Sorted;
use crate::{Stamp, Timestamp};

/// The first report of a payment.
#[derive(Clone, Copy)]
pub(super) struct Report {
    pub(super) stamp: Stamp,
    mark_ends_at: Option<Timestamp>,
    amount: Sum,
    /// The place of its group.
    group: usize,
}

impl Report {
    /// Returns the first report of `paid`; `None` while only a delivery of it is known.
    pub(super) fn of(paid: &Paid, group: usize) -> Option<Self> {
        let (stamp, mark_ends_at) = paid.first_report?;
        Some(Self {
            stamp,
            mark_ends_at,
            amount: Sum::of(&paid.amount),
            group,
        })
    }
}

/// The balances after the reports that were replayed so far.
pub(super) struct Replay {
    balances: Vec<Balance>,
    /// The number of balances above zero.
    paid: usize,
    /// The ends of the marks, the next one first, each with the group and the amount.
    ends: BinaryHeap<Reverse<(Timestamp, usize, Sum)>>,
}

#[derive(Default)]
struct Balance {
    /// The payments whose marks have not ended.
    counting: Sum,
    ended: Sum,
    cancelled: Sum,
}

impl Balance {
    /// Returns the balance: the cancels reduce ended payments first, then the others.
    fn rest(&self) -> Sum {
        self.counting.minus(self.cancelled.minus(self.ended))
    }
}

impl Replay {
    pub(super) fn new(groups: &Sorted<Group>) -> Self {
        let balance = |group: &Group| Balance {
            cancelled: group.cancelled.totals().amount,
            ..Balance::default()
        };
        Self {
            balances: groups.iter().map(balance).collect(),
            paid: 0,
            ends: BinaryHeap::new(),
        }
    }

    /// Replays the reports with one stamp, later than those before. Returns whether a balance was above zero before, and
    /// one of them raised one.
    pub(super) fn has_double(&mut self, reports: &[Report]) -> bool {
        let Some(first) = reports.first() else {
            return false;
        };
        let now = first.stamp.timestamp();
        self.end_marks(now);
        let was_paid = self.paid > 0;
        let mut raised = false;
        for report in reports {
            raised |= self.add(report, now);
        }
        was_paid && raised
    }

    /// Adds a payment; returns whether that raised the balance of its group.
    fn add(&mut self, report: &Report, now: Timestamp) -> bool {
        let balance = &mut self.balances[report.group];
        let before = balance.rest();
        match report.mark_ends_at {
            Some(end) if end <= now => balance.ended.add(&report.amount),
            end => {
                balance.counting.add(&report.amount);
                let end = end.map(|end| Reverse((end, report.group, report.amount)));
                self.ends.extend(end);
            }
        }
        let after = balance.rest();
        self.paid += usize::from(before.is_zero() && !after.is_zero());
        after > before
    }

    fn end_marks(&mut self, now: Timestamp) {
        while let Some(Reverse((end, group, amount))) = self.ends.peek().copied()
            && end <= now
        {
            self.ends.pop();
            let balance = &mut self.balances[group];
            let was_paid = !balance.rest().is_zero();
            balance.counting = balance.counting.minus(amount);
            balance.ended.add(&amount);
            self.paid -= usize::from(was_paid && balance.rest().is_zero());
        }
    }
}
